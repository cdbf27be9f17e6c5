package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

const notAuthorizing = "access control lists are off: the broker asks for no login"

func handleDescribeACLs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeACLsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeACLsResponse)
	resp.Resources = []kmsg.DescribeACLsResponseResource{}
	if code, why := c.aclsUsable(acl.Describe); code != errNone {
		resp.ErrorCode, resp.ErrorMessage = code, &why
		return ready(resp)
	}
	f := acl.Filter{
		Kind: int8(req.ResourceType), Name: req.ResourceName, Pattern: patternOf(int8(req.ResourcePatternType), req.Version), Principal: req.Principal,
		Host: req.Host, Operation: int8(req.Operation), Permission: int8(req.PermissionType),
	}
	type resource struct {
		kind, pattern int8
		name          string
	}
	at := map[resource]int{}
	for _, e := range c.b.meta.acls() {
		if !f.Matches(&e) {
			continue
		}
		r := resource{e.Kind, e.Pattern, e.Name}
		i, ok := at[r]
		if !ok {
			i = len(resp.Resources)
			at[r] = i
			out := kmsg.NewDescribeACLsResponseResource()
			out.ResourceType, out.ResourceName, out.ResourcePatternType = kmsg.ACLResourceType(e.Kind), e.Name, kmsg.ACLResourcePatternType(e.Pattern)
			resp.Resources = append(resp.Resources, out)
		}
		one := kmsg.NewDescribeACLsResponseResourceACL()
		one.Principal, one.Host = e.Principal, e.Host
		one.Operation, one.PermissionType = kmsg.ACLOperation(e.Operation), kmsg.ACLPermissionType(e.Permission)
		resp.Resources[i].ACLs = append(resp.Resources[i].ACLs, one)
	}
	return ready(resp)
}

// aclsUsable says whether the client may look at or change the lists.
func (c *conn) aclsUsable(op int8) (int16, string) {
	switch {
	case !c.b.cfg.Authorize:
		return errSecurityDisabled, notAuthorizing
	case !c.mayCluster(op):
		return errClusterDenied, "not permitted on the cluster"
	}
	return errNone, ""
}

// patternOf is the pattern of a request; before version 1 all are literal.
func patternOf(pattern int8, version int16) int8 {
	if version < 1 {
		return acl.Literal
	}
	return pattern
}
