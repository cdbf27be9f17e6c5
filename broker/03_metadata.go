package broker

import "github.com/twmb/franz-go/pkg/kmsg"

func handleMetadata(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.MetadataRequest)
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	host, port := c.address()
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = nodeID, host, port
	resp.Brokers = append(resp.Brokers, broker)
	cluster := c.b.meta.clusterID()
	resp.ClusterID, resp.ControllerID = &cluster, nodeID
	resp.AuthorizedOperations = unasked
	if req.IncludeClusterAuthorizedOperations {
		resp.AuthorizedOperations = clusterOperations
	}
	resp.Topics = []kmsg.MetadataResponseTopic{}
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.b.topics.all() {
			resp.Topics = append(resp.Topics, c.b.describeTopic(t, req))
		}
		return ready(resp)
	}
	for _, rt := range req.Topics {
		resp.Topics = append(resp.Topics, c.b.metadataTopic(rt, req))
	}
	return ready(resp)
}

// metadataTopic finds one topic by name or id, and makes it when the request allows; before version 4 every request does.
func (b *Broker) metadataTopic(rt kmsg.MetadataRequestTopic, req *kmsg.MetadataRequest) kmsg.MetadataResponseTopic {
	out := kmsg.NewMetadataResponseTopic()
	out.Topic, out.TopicID, out.AuthorizedOperations = rt.Topic, rt.TopicID, unasked
	out.Partitions = []kmsg.MetadataResponseTopicPartition{}
	if rt.Topic == nil {
		t := b.topics.getID(rt.TopicID)
		if t == nil {
			out.ErrorCode = errUnknownTopicID
			return out
		}
		return b.describeTopic(t, req)
	}
	t, terr := b.topicFor(*rt.Topic, req.AllowAutoTopicCreation || req.Version < 4)
	if terr != nil {
		out.ErrorCode = terr.code
		if !topicName.MatchString(*rt.Topic) {
			out.ErrorCode = errInvalidTopic
		}
		return out
	}
	return b.describeTopic(t, req)
}

func (b *Broker) describeTopic(t *topic, req *kmsg.MetadataRequest) kmsg.MetadataResponseTopic {
	out := kmsg.NewMetadataResponseTopic()
	out.Topic, out.TopicID, out.AuthorizedOperations = kmsg.StringPtr(t.name), t.id, unasked
	if req.IncludeTopicAuthorizedOperations {
		out.AuthorizedOperations = topicOperations
	}
	for _, p := range t.partitions() {
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.Partition, mp.Leader, mp.LeaderEpoch = p.n, nodeID, leaderEpoch
		mp.Replicas, mp.ISR, mp.OfflineReplicas = []int32{nodeID}, []int32{nodeID}, []int32{}
		if p.offline != nil {
			mp.ErrorCode, mp.OfflineReplicas = errStorage, []int32{nodeID}
		}
		out.Partitions = append(out.Partitions, mp)
	}
	return out
}
