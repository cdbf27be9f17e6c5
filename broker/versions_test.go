package broker

import (
	"fmt"
	"hash/crc32"
	"math"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func crc32c(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// TestEveryVersion asks every API in every version it is served in, on a broker with a topic, records and a group. call checks that
// the answer is exactly a response of that version; what is checked here is that it is no refusal.
func TestEveryVersion(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	first := dial(t, b)
	if r := first.produce("t", 0, batchOf("one", "two")); r.ErrorCode != 0 {
		t.Fatalf("produce: code %d", r.ErrorCode)
	}
	for _, a := range apiTable() {
		for v := a.min; v <= a.max; v++ {
			t.Run(fmt.Sprintf("%s v%d", a.name, v), func(t *testing.T) {
				t.Parallel()
				w := dial(t, b)
				req := kmsg.RequestForKey(a.key)
				req.SetVersion(v)
				fill, ok := sampleRequests()[a.key]
				if !ok {
					t.Fatalf("no sample request for %s", a.name)
				}
				fill(req, v)
				named(req, b.topics.get("t").id)
				resp := w.call(req)
				if code := firstCode(resp); code != expectedCode(a.key, v) {
					t.Errorf("code %d, want %d", code, expectedCode(a.key, v))
				}
			})
		}
	}
}

// named gives the topics of a request their id, for the versions that name them by it.
func named(req kmsg.Request, id topicID) {
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		r.Topics[0].TopicID = id
	case *kmsg.FetchRequest:
		r.Topics[0].TopicID = id
	case *kmsg.OffsetCommitRequest:
		r.Topics[0].TopicID = id
	case *kmsg.OffsetFetchRequest:
		r.Groups[0].Topics[0].TopicID = id
	}
}

// expectedCode is what the sample requests meet.
func expectedCode(key, version int16) int16 {
	switch {
	case key == 11 && version >= 4:
		return errMemberIDRequired
	case key == 12, key == 13, key == 14:
		return errUnknownMemberID
	case key == 17, key == 36: // without a Login
		return errIllegalSASLState
	case key == 24, key == 25, key == 26, key == 28: // of an unknown transactional id
		return errInvalidPIDMapping
	case key == 29, key == 30, key == 31: // without logins
		return errSecurityDisabled
	case key == 65:
		return errTransactionalIDNotFound
	case key == 42:
		return errGroupIDNotFound
	case key == 43:
		return errElectionNotNeeded
	case key == 47:
		return errGroupIDNotFound
	case key == 15 && version >= 6:
		return errGroupIDNotFound
	}
	return 0
}

// sampleRequests fills a request of each key with what it is meant for.
func sampleRequests() map[int16]func(kmsg.Request, int16) {
	name := "t"
	return map[int16]func(kmsg.Request, int16){
		0: func(r kmsg.Request, v int16) {
			records := batchOf("x")
			if v < batchVersion {
				records = oldMessage(1, 0, 5, "k", "x")
			}
			*r.(*kmsg.ProduceRequest) = *produceReq(v, "t", 0, records)
		},
		1: func(r kmsg.Request, v int16) { *r.(*kmsg.FetchRequest) = *fetchReq(v, "t", 0) },
		2: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.ListOffsetsRequest)
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Timestamp = atEnd
			req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: "t", Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
		},
		3: func(r kmsg.Request, v int16) {
			r.(*kmsg.MetadataRequest).Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
		},
		8: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.OffsetCommitRequest)
			req.Group, req.Generation = fmt.Sprint("commit", v), -1
			p := kmsg.NewOffsetCommitRequestTopicPartition()
			p.Offset = 1
			req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "t", Partitions: []kmsg.OffsetCommitRequestTopicPartition{p}}}
		},
		9: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.OffsetFetchRequest)
			req.Group = "nobody"
			req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: "t", Partitions: []int32{0}}}
			req.Groups = []kmsg.OffsetFetchRequestGroup{{Group: "nobody", MemberEpoch: -1, Topics: []kmsg.OffsetFetchRequestGroupTopic{{Topic: "t", Partitions: []int32{0}}}}}
		},
		10: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.FindCoordinatorRequest)
			req.CoordinatorKey, req.CoordinatorKeys = "g", []string{"g"}
		},
		11: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.JoinGroupRequest)
			req.Group, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType = fmt.Sprint("join", v), 10_000, 10_000, "consumer"
			req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: []byte{1}}}
		},
		12: func(r kmsg.Request, v int16) { r.(*kmsg.HeartbeatRequest).Group = "nobody" },
		13: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.LeaveGroupRequest)
			req.Group, req.MemberID, req.Members = "nobody", "m", []kmsg.LeaveGroupRequestMember{{MemberID: "m"}}
		},
		14: func(r kmsg.Request, v int16) { r.(*kmsg.SyncGroupRequest).Group = "nobody" },
		15: func(r kmsg.Request, v int16) { r.(*kmsg.DescribeGroupsRequest).Groups = []string{"nobody"} },
		16: func(kmsg.Request, int16) {},
		17: func(r kmsg.Request, v int16) { r.(*kmsg.SASLHandshakeRequest).Mechanism = "PLAIN" },
		36: func(kmsg.Request, int16) {},
		18: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.ApiVersionsRequest)
			req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1.0"
		},
		19: func(r kmsg.Request, v int16) {
			topic := kmsg.NewCreateTopicsRequestTopic()
			topic.Topic, topic.NumPartitions, topic.ReplicationFactor = fmt.Sprint("made", v), 1, 3
			r.(*kmsg.CreateTopicsRequest).Topics = []kmsg.CreateTopicsRequestTopic{topic}
		},
		20: func(r kmsg.Request, v int16) {}, // named topics are deleted in TestTopics
		21: func(r kmsg.Request, v int16) {
			r.(*kmsg.DeleteRecordsRequest).Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: "t", Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 0}}}}
		},
		22: func(r kmsg.Request, v int16) {},
		23: func(r kmsg.Request, v int16) {
			p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			r.(*kmsg.OffsetForLeaderEpochRequest).Topics = []kmsg.OffsetForLeaderEpochRequestTopic{{Topic: "t", Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{p}}}
		},
		24: func(r kmsg.Request, v int16) {
			r.(*kmsg.AddPartitionsToTxnRequest).Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "t", Partitions: []int32{0}}}
		},
		25: func(r kmsg.Request, v int16) { r.(*kmsg.AddOffsetsToTxnRequest).Group = "g" },
		26: func(kmsg.Request, int16) {},
		28: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.TxnOffsetCommitRequest)
			req.Group, req.Generation = "g", -1
			req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: "t", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{{Offset: 1, LeaderEpoch: -1}}}}
		},
		29: func(r kmsg.Request, v int16) { r.(*kmsg.DescribeACLsRequest).ResourceType = 1 },
		30: func(r kmsg.Request, v int16) {
			r.(*kmsg.CreateACLsRequest).Creations = []kmsg.CreateACLsRequestCreation{{ResourceType: 2, ResourceName: "t", ResourcePatternType: 3, Principal: "User:a", Host: "*", Operation: 3, PermissionType: 3}}
		},
		31: func(r kmsg.Request, v int16) {
			r.(*kmsg.DeleteACLsRequest).Filters = []kmsg.DeleteACLsRequestFilter{{ResourceType: 1}}
		},
		50: func(kmsg.Request, int16) {},
		51: func(kmsg.Request, int16) {},
		65: func(r kmsg.Request, v int16) {
			r.(*kmsg.DescribeTransactionsRequest).TransactionalIDs = []string{"none"}
		},
		66: func(r kmsg.Request, v int16) { r.(*kmsg.ListTransactionsRequest).StateFilters = []string{"Ongoing"} },
		32: func(r kmsg.Request, v int16) {
			req := r.(*kmsg.DescribeConfigsRequest)
			req.IncludeSynonyms, req.IncludeDocumentation = v >= 1, v >= 3
			req.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: resourceTopic, ResourceName: "t"}, {ResourceType: resourceBroker, ResourceName: "1"}}
		},
		33: func(r kmsg.Request, v int16) {
			r.(*kmsg.AlterConfigsRequest).Resources = []kmsg.AlterConfigsRequestResource{{ResourceType: resourceTopic, ResourceName: "t"}}
		},
		35: func(r kmsg.Request, v int16) {},
		37: func(r kmsg.Request, v int16) {
			topic := kmsg.NewCreatePartitionsRequestTopic()
			topic.Topic, topic.Count = "t", math.MaxInt16/100 // not more than a broker keeps
			req := r.(*kmsg.CreatePartitionsRequest)
			req.ValidateOnly, req.Topics = true, []kmsg.CreatePartitionsRequestTopic{topic}
		},
		42: func(r kmsg.Request, v int16) { r.(*kmsg.DeleteGroupsRequest).Groups = []string{"nobody"} },
		43: func(r kmsg.Request, v int16) {
			r.(*kmsg.ElectLeadersRequest).Topics = []kmsg.ElectLeadersRequestTopic{{Topic: "t", Partitions: []int32{0}}}
		},
		44: func(r kmsg.Request, v int16) {
			r.(*kmsg.IncrementalAlterConfigsRequest).Resources = []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: resourceTopic, ResourceName: "t"}}
		},
		46: func(r kmsg.Request, v int16) {},
		47: func(r kmsg.Request, v int16) { r.(*kmsg.OffsetDeleteRequest).Group = "nobody" },
		60: func(r kmsg.Request, v int16) {},
		61: func(r kmsg.Request, v int16) {
			r.(*kmsg.DescribeProducersRequest).Topics = []kmsg.DescribeProducersRequestTopic{{Topic: "t", Partitions: []int32{0}}}
		},
	}
}

// firstCode is the error code of a response, or the first one inside it.
func firstCode(r kmsg.Response) int16 {
	switch r := r.(type) {
	case *kmsg.ProduceResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.FetchResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.ListOffsetsResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.MetadataResponse:
		return r.Topics[0].ErrorCode
	case *kmsg.OffsetCommitResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.OffsetFetchResponse:
		if r.Version >= 8 {
			return r.Groups[0].Topics[0].Partitions[0].ErrorCode
		}
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.FindCoordinatorResponse:
		if r.Version >= 4 {
			return r.Coordinators[0].ErrorCode
		}
		return r.ErrorCode
	case *kmsg.JoinGroupResponse:
		return r.ErrorCode
	case *kmsg.HeartbeatResponse:
		return r.ErrorCode
	case *kmsg.LeaveGroupResponse:
		if r.Version >= 3 {
			return r.Members[0].ErrorCode
		}
		return r.ErrorCode
	case *kmsg.SyncGroupResponse:
		return r.ErrorCode
	case *kmsg.DescribeGroupsResponse:
		return r.Groups[0].ErrorCode
	case *kmsg.ListGroupsResponse:
		return r.ErrorCode
	case *kmsg.SASLHandshakeResponse:
		return r.ErrorCode
	case *kmsg.SASLAuthenticateResponse:
		return r.ErrorCode
	case *kmsg.ApiVersionsResponse:
		return r.ErrorCode
	case *kmsg.CreateTopicsResponse:
		return r.Topics[0].ErrorCode
	case *kmsg.DeleteRecordsResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.InitProducerIDResponse:
		return r.ErrorCode
	case *kmsg.OffsetForLeaderEpochResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.DescribeConfigsResponse:
		return r.Resources[0].ErrorCode
	case *kmsg.AlterConfigsResponse:
		return r.Resources[0].ErrorCode
	case *kmsg.CreatePartitionsResponse:
		return r.Topics[0].ErrorCode
	case *kmsg.DeleteGroupsResponse:
		return r.Groups[0].ErrorCode
	case *kmsg.ElectLeadersResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.IncrementalAlterConfigsResponse:
		return r.Resources[0].ErrorCode
	case *kmsg.OffsetDeleteResponse:
		return r.ErrorCode
	case *kmsg.DescribeACLsResponse:
		return r.ErrorCode
	case *kmsg.CreateACLsResponse:
		return r.Results[0].ErrorCode
	case *kmsg.DeleteACLsResponse:
		return r.Results[0].ErrorCode
	case *kmsg.DescribeUserSCRAMCredentialsResponse:
		return r.ErrorCode
	case *kmsg.AddPartitionsToTxnResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.AddOffsetsToTxnResponse:
		return r.ErrorCode
	case *kmsg.EndTxnResponse:
		return r.ErrorCode
	case *kmsg.TxnOffsetCommitResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	case *kmsg.DescribeTransactionsResponse:
		return r.TransactionStates[0].ErrorCode
	case *kmsg.ListTransactionsResponse:
		return r.ErrorCode
	case *kmsg.DescribeProducersResponse:
		return r.Topics[0].Partitions[0].ErrorCode
	}
	return 0
}
