package input

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var tcpOptions = append([]plugin.Option{
	{Name: "port", Kind: plugin.Number, Required: true, Doc: "Port to listen on, or with mode client to connect to."},
	{Name: "host", Doc: "Address to listen on, or with mode client to connect to."},
	{Name: "mode", Enum: []string{"server", "client"}, Default: "server", Doc: "Whether to wait for connections or to make one."},
	{Name: "ssl_verification_mode", Enum: []string{"full", "none"}, Default: "full", Doc: "With mode client: whether the server's certificate is checked."},
	{Name: "tcp_keep_alive", Kind: plugin.Boolean, Default: "false", Unread: "connections are always kept alive"},
	{Name: "dns_reverse_lookup_enabled", Kind: plugin.Boolean, Default: "true", Unread: "names are not looked up"},
	{Name: "proxy_protocol", Kind: plugin.Boolean, Obsolete: "the proxy protocol is not supported"},
}, tlsOptions()...)

// maxConnections is the number of senders heard at once; further ones are closed.
const maxConnections = 1000

// reconnect is the pause before a connection is made again.
const reconnect = 5 * time.Second

// tcp reads lines from connections.
type tcp struct {
	addr string
	dial bool // make the connection
	tls  *tls.Config
	env  *Env
	c    codec.Codec
	decoratePeer
}

func newTCP(a *plugin.Args, env *Env, c codec.Codec) Input {
	t := &tcp{env: env, c: c, decoratePeer: newDecoratePeer(a, env), dial: a.String("mode") == "client"}
	if !t.dial {
		t.tls = tlsOf(a)
		t.addr = address(a, env, t.tls != nil)
		return t
	}
	host := a.String("host")
	if host == "" {
		a.Fail("mode", "add host", "with mode client tcp needs a host")
	}
	t.addr = net.JoinHostPort(host, strconv.Itoa(a.Int("port")))
	if a.Bool("ssl_enabled") || a.Bool("ssl_enable") {
		set := tlsSettings(a)
		set.Verify = a.String("ssl_verification_mode")
		var err error
		if t.tls, err = set.Dialer(host); err != nil {
			a.Fail("ssl_enabled", "", "%v", err)
		}
	}
	return t
}

func (t *tcp) Run(ctx context.Context, emit func(Chunk) error) error {
	if t.dial {
		return t.connect(ctx, emit)
	}
	l, err := t.env.listener("tcp", t.addr, t.tls)
	if err != nil {
		return err
	}
	srv := &listen.Server{Most: maxConnections, Log: t.env.Log, Handle: func(ctx context.Context, c net.Conn) { t.serve(ctx, c, emit) }}
	return srv.Serve(ctx, l)
}

// connect reads a server's lines, again and again.
func (t *tcp) connect(ctx context.Context, emit func(Chunk) error) error {
	for {
		var c net.Conn
		var err error
		if t.tls != nil {
			c, err = (&tls.Dialer{Config: t.tls}).DialContext(ctx, "tcp", t.addr)
		} else {
			c, err = new(net.Dialer).DialContext(ctx, "tcp", t.addr)
		}
		if err == nil {
			stop := context.AfterFunc(ctx, func() { c.Close() })
			t.serve(ctx, c, emit)
			stop()
			c.Close()
		} else if ctx.Err() == nil {
			t.env.Log.Warn("connection cannot be made", "input", "tcp", "address", t.addr, "err", err)
		}
		if !wait(ctx, reconnect) {
			return nil
		}
	}
}

func (t *tcp) serve(ctx context.Context, c net.Conn, emit func(Chunk) error) {
	peer := []queue.Header{{Key: peerHeader, Value: []byte(c.RemoteAddr().String())}}
	err := readLines(ctx, c, t.c, t.env.Now, func(ch Chunk) error {
		for i := range ch.Records {
			ch.Records[i].Headers = peer
		}
		return emit(ch)
	})
	if err != nil && !errors.Is(err, net.ErrClosed) {
		t.env.Log.Warn("connection ends", "input", "tcp", "peer", string(peer[0].Value), "err", err)
	}
}
