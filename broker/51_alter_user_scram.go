package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// Bounds of a verifier's cost, as Kafka has them, and of a user's name.
const (
	minIterations = 4_096
	maxIterations = 16_384
	maxUserBytes  = 256
	maxScrams     = 10_000
)

// handleAlterUserSCRAM makes, changes and deletes what users log in with. The password itself is never told.
func handleAlterUserSCRAM(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.AlterUserSCRAMCredentialsRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.AlterUserSCRAMCredentialsResponse)
		resp.Results = []kmsg.AlterUserSCRAMCredentialsResponseResult{}
		add := func(user string, code int16, why string) {
			out := kmsg.NewAlterUserSCRAMCredentialsResponseResult()
			if out.User, out.ErrorCode = user, code; code != errNone {
				out.ErrorMessage = &why
			}
			resp.Results = append(resp.Results, out)
		}
		seen := map[scramKey]bool{}
		for _, d := range req.Deletions {
			code, why := c.deleteSCRAM(scramKey{d.Name, scramMechanism(d.Mechanism)}, seen)
			add(d.Name, code, why)
		}
		for i := range req.Upsertions {
			u := &req.Upsertions[i]
			code, why := c.setSCRAM(u, seen)
			add(u.Name, code, why)
		}
		return resp
	})
}

// alterable says whether one change of a request is possible as far as who it is about goes.
func (c *conn) alterable(k scramKey, seen map[scramKey]bool) (int16, string) {
	switch {
	case !c.mayCluster(acl.Alter):
		return errClusterDenied, "not permitted on the cluster"
	case k.mechanism == "":
		return errUnsupportedMechanism, "unknown mechanism"
	case k.user == "" || len(k.user) > maxUserBytes:
		return errUnacceptableCredential, "the user's name is empty or too long"
	case seen[k]:
		return errDuplicateResource, "the user is named twice"
	}
	seen[k] = true
	return errNone, ""
}

func (c *conn) deleteSCRAM(k scramKey, seen map[scramKey]bool) (int16, string) {
	if code, why := c.alterable(k, seen); code != errNone {
		return code, why
	}
	if _, ok := c.b.meta.scram(k); !ok {
		return errResourceNotFound, "the user has no such credentials"
	}
	return c.writeSCRAM(metaRecord{ScramDelete: &scramRecord{User: k.user, Mechanism: k.mechanism}})
}

func (c *conn) setSCRAM(u *kmsg.AlterUserSCRAMCredentialsRequestUpsertion, seen map[scramKey]bool) (int16, string) {
	k := scramKey{u.Name, scramMechanism(u.Mechanism)}
	if code, why := c.alterable(k, seen); code != errNone {
		return code, why
	}
	newHash, _ := scramHash(k.mechanism)
	switch {
	case u.Iterations < minIterations || u.Iterations > maxIterations:
		return errUnacceptableCredential, "iterations are out of bounds"
	case len(u.Salt) == 0 || len(u.SaltedPassword) != newHash().Size():
		return errUnacceptableCredential, "salt or salted password has a wrong length"
	case len(c.b.meta.scrams()) >= maxScrams:
		return errUnacceptableCredential, "there are too many users"
	}
	v := verifierOf(newHash, u.SaltedPassword)
	return c.writeSCRAM(metaRecord{Scram: &scramRecord{
		User: k.user, Mechanism: k.mechanism, Salt: u.Salt, Iterations: int(u.Iterations), StoredKey: v.StoredKey, ServerKey: v.ServerKey,
	}})
}

func (c *conn) writeSCRAM(r metaRecord) (int16, string) {
	if err := c.b.meta.do(r); err != nil {
		c.b.log.Error("credentials not written", "error", err)
		return errCoordinatorNotAvailable, "not written"
	}
	return errNone, ""
}
