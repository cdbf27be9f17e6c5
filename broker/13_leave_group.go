package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleLeaveGroup(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.LeaveGroupRequest)
	resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	g := c.b.groups.find(req.Group)
	leave := func(id string, instance *string) int16 {
		switch {
		case req.Group == "":
			return errInvalidGroupID
		case !c.may(acl.Read, acl.Group, req.Group):
			return errGroupDenied
		case g == nil:
			return errUnknownMemberID
		}
		return g.leave(id, instance)
	}
	if req.Version < 3 {
		resp.ErrorCode = leave(req.MemberID, nil)
		return ready(resp)
	}
	resp.Members = []kmsg.LeaveGroupResponseMember{}
	for _, m := range req.Members {
		rm := kmsg.NewLeaveGroupResponseMember()
		rm.MemberID, rm.InstanceID, rm.ErrorCode = m.MemberID, m.InstanceID, leave(m.MemberID, m.InstanceID)
		resp.Members = append(resp.Members, rm)
	}
	return ready(resp)
}
