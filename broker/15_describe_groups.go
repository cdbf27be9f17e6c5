package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDescribeGroups(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeGroupsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
	resp.Groups = []kmsg.DescribeGroupsResponseGroup{}
	for _, name := range req.Groups {
		out := kmsg.NewDescribeGroupsResponseGroup()
		out.Group, out.Members, out.AuthorizedOperations = name, []kmsg.DescribeGroupsResponseGroupMember{}, unasked
		if req.IncludeAuthorizedOperations {
			out.AuthorizedOperations = c.operations(acl.Group, name)
		}
		if !c.may(acl.Describe, acl.Group, name) {
			out.ErrorCode, out.AuthorizedOperations = errGroupDenied, unasked
		} else if g := c.b.groups.find(name); g != nil {
			g.describe(&out)
		} else {
			out.State = string(groupDead)
			if req.Version >= 6 {
				out.ErrorCode, out.ErrorMessage = errGroupIDNotFound, kmsg.StringPtr("group "+name+" not found")
			}
		}
		resp.Groups = append(resp.Groups, out)
	}
	return ready(resp)
}

func (g *group) describe(out *kmsg.DescribeGroupsResponseGroup) {
	g.mu.Lock()
	defer g.mu.Unlock()
	out.State, out.ProtocolType = string(g.state), g.protocolType
	if g.state == groupStable {
		out.Protocol = g.protocol
	}
	for _, m := range g.ordered() {
		om := kmsg.NewDescribeGroupsResponseGroupMember()
		om.MemberID, om.InstanceID, om.ClientID, om.ClientHost = m.id, m.instance, m.clientID, "/"+m.host
		om.ProtocolMetadata, om.MemberAssignment = []byte{}, []byte{}
		if g.state == groupStable {
			om.ProtocolMetadata, om.MemberAssignment = m.metadata(g.protocol), m.assignment
		}
		out.Members = append(out.Members, om)
	}
}
