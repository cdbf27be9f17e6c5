package input

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

const noTLS = "TLS is not supported here; ship over the queue"

var tcpOptions = []plugin.Option{
	{Name: "port", Kind: plugin.Number, Required: true, Doc: "Port to listen on."},
	{Name: "host", Doc: "Address to listen on."},
	{Name: "mode", Enum: []string{"server"}, Default: "server", Doc: "Only server is known."},
	{Name: "tcp_keep_alive", Kind: plugin.Boolean, Default: "false", Unread: "connections are always kept alive"},
	{Name: "dns_reverse_lookup_enabled", Kind: plugin.Boolean, Default: "true", Unread: "names are not looked up"},
	{Name: "proxy_protocol", Kind: plugin.Boolean, Obsolete: "the proxy protocol is not supported"},
	{Name: "ssl_enable", Kind: plugin.Boolean, Obsolete: noTLS}, {Name: "ssl_enabled", Kind: plugin.Boolean, Obsolete: noTLS},
	{Name: "ssl_cert", Obsolete: noTLS}, {Name: "ssl_certificate", Obsolete: noTLS}, {Name: "ssl_key", Obsolete: noTLS},
	{Name: "ssl_key_passphrase", Obsolete: noTLS}, {Name: "ssl_verify", Obsolete: noTLS}, {Name: "ssl_client_authentication", Obsolete: noTLS},
	{Name: "ssl_certificate_authorities", Obsolete: noTLS}, {Name: "ssl_extra_chain_certs", Obsolete: noTLS},
}

// maxConnections is the number of senders heard at once; more wait.
const maxConnections = 1000

// tcp reads lines from connections. What is in flight is lost when the process dies, as nobody can be asked for it again.
type tcp struct {
	addr string
	env  *Env
	c    codec.Codec
	decoratePeer
}

func newTCP(a *plugin.Args, env *Env, c codec.Codec) Input {
	return &tcp{address(a, env), env, c, newDecoratePeer(a, env)}
}

func (t *tcp) Run(ctx context.Context, emit func(Chunk) error) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", t.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	defer l.Close()
	t.env.listening("tcp", l.Addr())
	var conns sync.WaitGroup
	defer conns.Wait()
	slots := make(chan struct{}, maxConnections)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			<-slots
			t.env.Log.Warn("connection cannot be accepted", "input", "tcp", "err", err)
			if !wait(ctx, 100*time.Millisecond) {
				return nil
			}
			continue
		}
		conns.Go(func() {
			t.serve(ctx, c, emit)
			<-slots
		})
	}
}

func (t *tcp) serve(ctx context.Context, c net.Conn, emit func(Chunk) error) {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
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
