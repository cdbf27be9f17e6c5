package broker

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleSASLAuthenticate takes one token of a login. After a failed one the connection is closed behind the answer.
func handleSASLAuthenticate(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.SASLAuthenticateRequest)
	resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	resp.SASLAuthBytes = []byte{}
	if c.sasl.mechanism == "" || c.sasl.done || c.sasl.raw {
		resp.ErrorCode, resp.ErrorMessage = errIllegalSASLState, kmsg.StringPtr("no login is under way")
		return ready(resp)
	}
	out, err := c.sasl.step(c.b.cfg.Login, req.SASLAuthBytes)
	if err != nil {
		c.sasl = saslState{}
		c.b.failedLogin(c, err)
		resp.ErrorCode, resp.ErrorMessage = errSASLFailed, kmsg.StringPtr("authentication failed")
		return func(context.Context) (reply, error) { return reply{resp: resp, last: true}, nil }
	}
	if out != nil {
		resp.SASLAuthBytes = out
	}
	return ready(resp)
}

// rawToken is a token of a login that began with handshake version 0: it and its answer have a length and nothing else.
func (c *conn) rawToken(token []byte) (answer, error) {
	out, err := c.sasl.step(c.b.cfg.Login, token)
	if err != nil {
		c.b.failedLogin(c, err)
		return nil, err
	}
	if c.sasl.done {
		c.sasl.raw = false
	}
	return func(context.Context) (reply, error) { return reply{raw: true, pieces: [][]byte{out}}, nil }, nil
}

// failedLogin counts and tells of a failed login, once a minute for each address.
func (b *Broker) failedLogin(c *conn, err error) {
	b.counters.failedLogins.Add(1)
	if b.warned.due("login " + c.host) {
		b.log.Warn("login refused", "client", c.host, "error", err)
	}
}

var errNotLoggedIn = errors.New("request before the login")
