package broker

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDescribeTransactions(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeTransactionsRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DescribeTransactionsResponse)
		resp.TransactionStates = []kmsg.DescribeTransactionsResponseTransactionState{}
		for _, id := range req.TransactionalIDs {
			out := kmsg.NewDescribeTransactionsResponseTransactionState()
			out.TransactionalID, out.ErrorCode = id, errTransactionalIDNotFound
			out.Topics = []kmsg.DescribeTransactionsResponseTransactionStateTopic{}
			if !c.may(acl.Describe, acl.TransactionalID, id) {
				out.ErrorCode = errTransactionalIDDenied
			} else if t := c.b.txns.find(id); t != nil {
				c.b.txns.describe(t, &out)
				t.mu.Unlock()
			}
			resp.TransactionStates = append(resp.TransactionStates, out)
		}
		return resp
	})
}

func (ts *transactions) describe(t *transaction, out *kmsg.DescribeTransactionsResponseTransactionState) {
	r := &t.rec
	out.ErrorCode, out.State, out.TimeoutMillis = errNone, string(r.State), int32(r.TimeoutMs)
	out.StartTimestamp, out.ProducerID, out.ProducerEpoch = -1, r.Producer, r.Epoch
	if r.Start > 0 {
		out.StartTimestamp = r.Start
	}
	byTopic := map[string][]int32{}
	for _, part := range r.Parts {
		if p := ts.partition(part); p != nil {
			byTopic[p.topic.name] = append(byTopic[p.topic.name], part.Partition)
		}
	}
	for name, ns := range byTopic {
		topic := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
		topic.Topic, topic.Partitions = name, ns
		out.Topics = append(out.Topics, topic)
	}
	slices.SortFunc(out.Topics, func(a, b kmsg.DescribeTransactionsResponseTransactionStateTopic) int {
		return cmp.Compare(a.Topic, b.Topic)
	})
}
