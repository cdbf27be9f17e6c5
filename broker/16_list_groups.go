package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// groupType is the kind of every group here: the classic protocol.
const groupType = "classic"

func handleListGroups(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ListGroupsRequest)
	resp := req.ResponseKind().(*kmsg.ListGroupsResponse)
	resp.Groups = []kmsg.ListGroupsResponseGroup{}
	all := c.mayCluster(acl.Describe)
	for _, g := range c.b.groups.all() {
		g.mu.Lock()
		out := kmsg.NewListGroupsResponseGroup()
		out.Group, out.ProtocolType, out.GroupState, out.GroupType = g.name, g.protocolType, string(g.state), groupType
		g.mu.Unlock()
		if !all && !c.may(acl.Describe, acl.Group, g.name) {
			continue
		}
		if wanted(req.StatesFilter, out.GroupState) && wanted(req.TypesFilter, out.GroupType) && out.GroupState != string(groupDead) {
			resp.Groups = append(resp.Groups, out)
		}
	}
	return ready(resp)
}

func wanted(filter []string, v string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, v) })
}
