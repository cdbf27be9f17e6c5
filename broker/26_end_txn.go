package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleEndTxn commits or aborts. From version 5 on every end raises the producer's epoch.
func handleEndTxn(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.EndTxnRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.EndTxnResponse)
		resp.ProducerID, resp.ProducerEpoch = -1, -1
		if !c.may(acl.Write, acl.TransactionalID, req.TransactionalID) {
			resp.ErrorCode = errTransactionalIDDenied
			return resp
		}
		r := endRequest{id: req.TransactionalID, producer: req.ProducerID, epoch: req.ProducerEpoch, commit: req.Commit, raise: req.Version >= 5}
		producer, epoch, code := c.b.txns.end(r)
		resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = producer, epoch, olderFence(code, req.Version >= 2)
		return resp
	})
}
