package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDeleteGroups(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DeleteGroupsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
	resp.Groups = []kmsg.DeleteGroupsResponseGroup{}
	for _, name := range req.Groups {
		out := kmsg.NewDeleteGroupsResponseGroup()
		if out.Group, out.ErrorCode = name, errGroupDenied; c.may(acl.Delete, acl.Group, name) {
			out.ErrorCode = c.b.groups.delete(name)
		}
		resp.Groups = append(resp.Groups, out)
	}
	return ready(resp)
}
