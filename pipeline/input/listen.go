package input

import (
	"net"
	"slices"
	"strconv"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// peerHeader carries the address of the sender from a socket to the worker.
const peerHeader = "peer"

// address is where an input listens: loopback, unless it is secure (encrypted, or with a login) or plaintext names it. Without the
// option host it is loopback too, but when more is allowed it is every address, as in Logstash.
func address(a *plugin.Args, env *Env, secure bool) string {
	host := a.String("host")
	open := secure || slices.Contains(env.Plaintext, a.Name)
	switch {
	case host == "" && open:
		host = "0.0.0.0"
	case host == "":
		host = "127.0.0.1"
		a.Warn("host", "set ssl_enabled, or name the input in security.plaintext, to listen on every address", "%s listens on 127.0.0.1 only: it cannot ask who is there", a.Name)
	case !open && !listen.Loopback(host):
		a.Fail("host", "use 127.0.0.1, set ssl_enabled, or name the input in security.plaintext", "%s cannot ask who is there and must not listen on %s", a.Name, host)
	}
	return net.JoinHostPort(host, strconv.Itoa(a.Int("port")))
}

func (e *Env) listening(name string, addr net.Addr) {
	e.Log.Info("input listens", "input", name, "address", addr.String())
	if e.Listening != nil {
		e.Listening(name, addr)
	}
}

// decoratePeer sets [@metadata][input][NAME][source]{ip,port}, or without ECS the fields host and port.
type decoratePeer struct {
	ecs      bool
	ip, port *event.Path
}

func newDecoratePeer(a *plugin.Args, env *Env) decoratePeer {
	if !a.ECS(&env.Env) {
		return decoratePeer{ip: event.MustPath("host"), port: event.MustPath("port")}
	}
	base := event.MustPath("[@metadata][input]").Child(a.Name).Child("source")
	return decoratePeer{true, base.Child("ip"), base.Child("port")}
}

func (d decoratePeer) Decorate(e *event.Event, r *queue.Record) {
	if len(r.Headers) == 0 {
		return
	}
	host, port, err := net.SplitHostPort(string(r.Headers[0].Value))
	if err != nil {
		return
	}
	if !e.Has(d.ip) {
		e.Set(d.ip, event.String(host))
	}
	if n, err := strconv.Atoi(port); err == nil && !e.Has(d.port) {
		e.Set(d.port, event.Int(int64(n)))
	}
}
