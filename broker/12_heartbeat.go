package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleHeartbeat(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.HeartbeatRequest)
	resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
	resp.ErrorCode = errUnknownMemberID
	if req.Group == "" {
		resp.ErrorCode = errInvalidGroupID
	} else if !c.may(acl.Read, acl.Group, req.Group) {
		resp.ErrorCode = errGroupDenied
	} else if g := c.b.groups.find(req.Group); g != nil {
		resp.ErrorCode = g.heartbeat(req.MemberID, req.InstanceID, req.Generation)
	}
	return ready(resp)
}
