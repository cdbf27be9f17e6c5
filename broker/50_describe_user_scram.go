package broker

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// scramMechanism is the name of a mechanism's number; empty of none.
func scramMechanism(n int8) string {
	if n == 1 || n == 2 {
		return mechanisms()[n]
	}
	return ""
}

// handleDescribeUserSCRAM tells of the verifiers that clients made; those of the configuration are not told.
func handleDescribeUserSCRAM(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeUserSCRAMCredentialsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeUserSCRAMCredentialsResponse)
	resp.Results = []kmsg.DescribeUserSCRAMCredentialsResponseResult{}
	if !c.mayCluster(acl.Describe) {
		resp.ErrorCode = errClusterDenied
		return ready(resp)
	}
	byUser := map[string][]kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo{}
	for _, r := range c.b.meta.scrams() {
		info := kmsg.NewDescribeUserSCRAMCredentialsResponseResultCredentialInfo()
		info.Mechanism, info.Iterations = int8(slices.Index(mechanisms(), r.Mechanism)), int32(r.Iterations)
		byUser[r.User] = append(byUser[r.User], info)
	}
	var names []string
	for _, u := range req.Users {
		names = append(names, u.Name)
	}
	if len(req.Users) == 0 {
		for name := range byUser {
			names = append(names, name)
		}
	}
	for _, name := range names {
		out := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
		out.User, out.CredentialInfos = name, byUser[name]
		if len(out.CredentialInfos) == 0 {
			out.CredentialInfos = []kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo{}
			out.ErrorCode, out.ErrorMessage = errResourceNotFound, kmsg.StringPtr("user "+name+" has no such credentials")
		}
		slices.SortFunc(out.CredentialInfos, func(a, b kmsg.DescribeUserSCRAMCredentialsResponseResultCredentialInfo) int {
			return cmp.Compare(a.Mechanism, b.Mechanism)
		})
		resp.Results = append(resp.Results, out)
	}
	return ready(resp)
}
