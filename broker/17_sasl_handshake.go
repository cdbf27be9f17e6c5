package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Codes of logging in.
const (
	errUnsupportedMechanism int16 = 33
	errIllegalSASLState     int16 = 34
	errSASLFailed           int16 = 58
)

func handleSASLHandshake(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.SASLHandshakeRequest)
	resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
	resp.SupportedMechanisms = []string{}
	switch {
	case c.b.cfg.Login == nil || c.sasl.done:
		resp.ErrorCode = errIllegalSASLState
	case !slices.Contains(mechanisms(), req.Mechanism):
		resp.ErrorCode, resp.SupportedMechanisms = errUnsupportedMechanism, mechanisms()
	default:
		resp.SupportedMechanisms = mechanisms()
		c.sasl = saslState{mechanism: req.Mechanism, raw: req.Version == 0}
	}
	return ready(resp)
}
