package input

import (
	"net"
	"slices"
	"strconv"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// peerHeader carries the address of the sender from a socket to the worker.
const peerHeader = "peer"

// address is where an input without login listens: loopback, unless plaintext names the input. Without the option host it is
// loopback too, but when plaintext allows more it is every address, as in Logstash.
func address(a *plugin.Args, env *Env) string {
	host := a.String("host")
	open := slices.Contains(env.Plaintext, a.Name)
	switch {
	case host == "" && open:
		host = "0.0.0.0"
	case host == "":
		host = "127.0.0.1"
		a.Warn("host", "name the input in security.plaintext to listen on every address", "%s listens on 127.0.0.1 only: it cannot ask who is there", a.Name)
	case !open && !loopback(host):
		a.Fail("host", "use 127.0.0.1, or name the input in security.plaintext", "%s cannot ask who is there and must not listen on %s", a.Name, host)
	}
	return net.JoinHostPort(host, strconv.Itoa(a.Int("port")))
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
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
