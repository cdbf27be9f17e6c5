package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleTxnOffsetCommit keeps commits that count when the transaction commits. Who commits is checked as in OffsetCommit; before version
// 3 the request does not say.
func handleTxnOffsetCommit(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.TxnOffsetCommitRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
		offsets := c.readTxnCommits(req, resp)
		code := c.checkTxnCommit(req)
		if code == errNone && len(offsets) > 0 {
			code = c.b.txns.addOffsets(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group, offsets, req.Version >= 5)
		}
		for i := range resp.Topics {
			for k := range resp.Topics[i].Partitions {
				if p := &resp.Topics[i].Partitions[k]; p.ErrorCode == errNone {
					p.ErrorCode = code
				}
			}
		}
		return resp
	})
}

func (c *conn) readTxnCommits(req *kmsg.TxnOffsetCommitRequest, resp *kmsg.TxnOffsetCommitResponse) []offsetRecord {
	var out []offsetRecord
	now := nowMs()
	resp.Topics = []kmsg.TxnOffsetCommitResponseTopic{}
	for _, rt := range req.Topics {
		ot := kmsg.NewTxnOffsetCommitResponseTopic()
		ot.Topic, ot.Partitions = rt.Topic, []kmsg.TxnOffsetCommitResponseTopicPartition{}
		t, may := c.b.topics.get(rt.Topic), c.mayTopic(acl.Read, rt.Topic)
		for _, rp := range rt.Partitions {
			op := kmsg.NewTxnOffsetCommitResponseTopicPartition()
			op.Partition = rp.Partition
			r, code := commitRecord(t, rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata, now)
			if !may {
				code = errTopicDenied
			}
			if op.ErrorCode = code; code == errNone {
				out = append(out, r)
			}
			ot.Partitions = append(ot.Partitions, op)
		}
		resp.Topics = append(resp.Topics, ot)
	}
	return out
}

// checkTxnCommit says whether the consumer may commit for its group.
func (c *conn) checkTxnCommit(req *kmsg.TxnOffsetCommitRequest) int16 {
	switch {
	case req.Group == "":
		return errInvalidGroupID
	case !c.may(acl.Write, acl.TransactionalID, req.TransactionalID):
		return errTransactionalIDDenied
	case !c.may(acl.Read, acl.Group, req.Group):
		return errGroupDenied
	}
	g := c.b.groups.find(req.Group)
	if req.Version < 3 || req.Generation < 0 && req.MemberID == "" && req.InstanceID == nil {
		return errNone
	}
	if g == nil {
		if req.Generation >= 0 {
			return errIllegalGeneration
		}
		return errNone
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.checkCommit(req.MemberID, req.InstanceID, req.Generation)
}
