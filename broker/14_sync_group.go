package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleSyncGroup(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.SyncGroupRequest)
	resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
	resp.MemberAssignment = []byte{}
	if !c.may(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = errGroupDenied
		return ready(resp)
	}
	g := c.b.groups.find(req.Group)
	if g == nil || req.Group == "" {
		resp.ErrorCode = errUnknownMemberID
		if req.Group == "" {
			resp.ErrorCode = errInvalidGroupID
		}
		return ready(resp)
	}
	r := syncRequest{memberID: req.MemberID, instance: req.InstanceID, generation: req.Generation, assignments: map[string][]byte{}}
	if req.ProtocolType != nil {
		r.protoType = *req.ProtocolType
	}
	if req.Protocol != nil {
		r.protocol = *req.Protocol
	}
	for _, a := range req.GroupAssignment {
		r.assignments[a.MemberID] = a.MemberAssignment
	}
	ch := g.syncGroup(r)
	return func(ctx context.Context) (reply, error) {
		var a syncAnswer
		select {
		case a = <-ch:
		case <-ctx.Done():
			return reply{}, ctx.Err()
		case <-c.b.done:
			a.code = errCoordinatorNotAvailable
		}
		if a.marked && c.b.meta.sync(a.mark) != nil {
			a = syncAnswer{code: errCoordinatorNotAvailable}
		}
		resp.ErrorCode = a.code
		if a.code == errNone {
			resp.ProtocolType, resp.Protocol = &a.protoType, &a.protocol
		}
		if a.assignment != nil {
			resp.MemberAssignment = a.assignment
		}
		return reply{resp: resp}, nil
	}
}
