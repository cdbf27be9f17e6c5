package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// maxACLs bounds all lists together.
const maxACLs = 10_000

func handleCreateACLs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.CreateACLsRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.CreateACLsResponse)
		resp.Results = []kmsg.CreateACLsResponseResult{}
		code, why := c.aclsUsable(acl.Alter)
		var add []acl.Entry
		for _, rc := range req.Creations {
			out := kmsg.NewCreateACLsResponseResult()
			e := acl.Entry{
				Kind: int8(rc.ResourceType), Name: rc.ResourceName, Pattern: patternOf(int8(rc.ResourcePatternType), req.Version),
				Principal: rc.Principal, Host: rc.Host, Operation: int8(rc.Operation), Permission: int8(rc.PermissionType),
			}
			wrong := e.Valid()
			switch {
			case code != errNone:
				out.ErrorCode, out.ErrorMessage = code, &why
			case wrong != "":
				out.ErrorCode, out.ErrorMessage = errInvalidRequest, &wrong
			default:
				add = append(add, e)
			}
			resp.Results = append(resp.Results, out)
		}
		if err := c.b.meta.addACLs(add); err != nil {
			c.b.log.Error("access control lists not written", "error", err)
			for i := range resp.Results {
				resp.Results[i].ErrorCode = errCoordinatorNotAvailable
			}
		}
		return resp
	})
}

// addACLs writes lists that are not there yet.
func (m *meta) addACLs(add []acl.Entry) error {
	have := m.acls()
	add = slices.DeleteFunc(add, func(e acl.Entry) bool { return slices.Contains(have, e) })
	if len(add) == 0 {
		return nil
	}
	if len(have)+len(add) > maxACLs {
		return errTooManyACLs
	}
	return m.do(metaRecord{ACLAdd: add})
}
