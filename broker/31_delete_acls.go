package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

var errTooManyACLs = fmt.Errorf("more than %d access control lists", maxACLs)

func handleDeleteACLs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DeleteACLsRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.DeleteACLsResponse)
		resp.Results = []kmsg.DeleteACLsResponseResult{}
		code, why := c.aclsUsable(acl.Alter)
		var gone []acl.Entry
		for _, rf := range req.Filters {
			out := kmsg.NewDeleteACLsResponseResult()
			out.MatchingACLs = []kmsg.DeleteACLsResponseResultMatchingACL{}
			if out.ErrorCode = code; code != errNone {
				out.ErrorMessage = &why
				resp.Results = append(resp.Results, out)
				continue
			}
			f := acl.Filter{
				Kind: int8(rf.ResourceType), Name: rf.ResourceName, Pattern: patternOf(int8(rf.ResourcePatternType), req.Version), Principal: rf.Principal,
				Host: rf.Host, Operation: int8(rf.Operation), Permission: int8(rf.PermissionType),
			}
			for _, e := range c.b.meta.acls() {
				if f.Matches(&e) {
					gone = append(gone, e)
					out.MatchingACLs = append(out.MatchingACLs, matchingACL(&e))
				}
			}
			resp.Results = append(resp.Results, out)
		}
		if len(gone) == 0 {
			return resp
		}
		if err := c.b.meta.do(metaRecord{ACLDelete: gone}); err != nil {
			c.b.log.Error("access control lists not deleted", "error", err)
			for i := range resp.Results {
				resp.Results[i].ErrorCode = errCoordinatorNotAvailable
			}
		}
		return resp
	})
}

func matchingACL(e *acl.Entry) kmsg.DeleteACLsResponseResultMatchingACL {
	out := kmsg.NewDeleteACLsResponseResultMatchingACL()
	out.ResourceType, out.ResourceName, out.ResourcePatternType = kmsg.ACLResourceType(e.Kind), e.Name, kmsg.ACLResourcePatternType(e.Pattern)
	out.Principal, out.Host = e.Principal, e.Host
	out.Operation, out.PermissionType = kmsg.ACLOperation(e.Operation), kmsg.ACLPermissionType(e.Permission)
	return out
}
