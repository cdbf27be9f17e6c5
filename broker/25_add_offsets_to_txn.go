package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleAddOffsetsToTxn takes a group's commits into a transaction.
func handleAddOffsetsToTxn(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.AddOffsetsToTxnRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.AddOffsetsToTxnResponse)
		switch {
		case req.Group == "":
			resp.ErrorCode = errInvalidGroupID
			return resp
		case !c.may(acl.Write, acl.TransactionalID, req.TransactionalID):
			resp.ErrorCode = errTransactionalIDDenied
			return resp
		case !c.may(acl.Read, acl.Group, req.Group):
			resp.ErrorCode = errGroupDenied
			return resp
		}
		resp.ErrorCode = olderFence(c.b.txns.addGroup(req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group), req.Version >= 2)
		return resp
	})
}
