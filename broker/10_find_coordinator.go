package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleFindCoordinator names this broker for every group (type 0) and every transactional id (type 1).
func handleFindCoordinator(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	host, port := c.address()
	find := func(key string) (int16, *string) { return c.mayFind(req.CoordinatorType, key) }
	if req.Version < 4 {
		code, why := find(req.CoordinatorKey)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = code, why, nodeID, host, port
		if code != errNone {
			resp.NodeID, resp.Host, resp.Port = -1, "", -1
		}
		return ready(resp)
	}
	for _, key := range req.CoordinatorKeys {
		code, why := find(key)
		out := kmsg.NewFindCoordinatorResponseCoordinator()
		out.Key, out.ErrorCode, out.ErrorMessage, out.NodeID, out.Host, out.Port = key, code, why, nodeID, host, port
		if code != errNone {
			out.NodeID, out.Host, out.Port = -1, "", -1
		}
		resp.Coordinators = append(resp.Coordinators, out)
	}
	return ready(resp)
}

// mayFind says whether the client may know who coordinates a group or a transactional id.
func (c *conn) mayFind(kind int8, key string) (int16, *string) {
	switch {
	case kind < 0 || kind > 1:
		return errInvalidRequest, kmsg.StringPtr("groups and transactions have coordinators")
	case kind == 0 && !c.may(acl.Describe, acl.Group, key):
		return errGroupDenied, nil
	case kind == 1 && !c.may(acl.Describe, acl.TransactionalID, key):
		return errTransactionalIDDenied, nil
	}
	return errNone, nil
}
