package broker

import "github.com/twmb/franz-go/pkg/kmsg"

func handleDeleteGroups(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DeleteGroupsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
	resp.Groups = []kmsg.DeleteGroupsResponseGroup{}
	for _, name := range req.Groups {
		out := kmsg.NewDeleteGroupsResponseGroup()
		out.Group, out.ErrorCode = name, c.b.groups.delete(name)
		resp.Groups = append(resp.Groups, out)
	}
	return ready(resp)
}
