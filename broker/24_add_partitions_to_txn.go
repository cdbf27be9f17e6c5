package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// answered is an answer whose work, which waits for the disk, is done by the writer.
func answered(do func() kmsg.Response) answer {
	return func(context.Context) (reply, error) { return reply{resp: do()}, nil }
}

// handleAddPartitionsToTxn takes partitions into a transaction, all or none.
func handleAddPartitionsToTxn(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.AddPartitionsToTxnRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		resp.Topics = []kmsg.AddPartitionsToTxnResponseTopic{}
		parts, bad := c.txnParts(req, resp)
		code := errOperationNotAttempted
		if !c.may(acl.Write, acl.TransactionalID, req.TransactionalID) {
			code = errTransactionalIDDenied
		} else if !bad {
			code = olderFence(c.b.txns.addParts(req.TransactionalID, req.ProducerID, req.ProducerEpoch, parts), req.Version >= 2)
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

// txnParts finds the partitions of a request; resp gets a place for each, with its error.
func (c *conn) txnParts(req *kmsg.AddPartitionsToTxnRequest, resp *kmsg.AddPartitionsToTxnResponse) (parts []txnPart, bad bool) {
	for _, rt := range req.Topics {
		out := kmsg.NewAddPartitionsToTxnResponseTopic()
		out.Topic = rt.Topic
		for _, n := range rt.Partitions {
			op := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
			op.Partition = n
			p, code := c.partition(acl.Write, rt.Topic, n)
			if code == errNone {
				parts = append(parts, txnPart{p.topic.id, n})
			} else {
				op.ErrorCode, bad = code, true
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return parts, bad
}

// olderFence is the code for a fenced producer that clients of before knew.
func olderFence(code int16, newer bool) int16 {
	if code == errProducerFenced && !newer {
		return errInvalidProducerEpoch
	}
	return code
}
