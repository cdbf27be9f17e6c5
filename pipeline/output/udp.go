package output

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

var udpOptions = []plugin.Option{
	{Name: "host", Required: true, Doc: "Host to send to; may hold %{field}."},
	{Name: "port", Required: true, Doc: "Port to send to; may hold %{field}."},
	{Name: "retry_count", Kind: plugin.Number, Default: "0", Doc: "How often a datagram that cannot be sent is tried again."},
	{Name: "retry_backoff_ms", Kind: plugin.Number, Default: "100", Doc: "Milliseconds before that."},
}

// maxDatagram is what UDP carries at most, less its own head and that of IP.
const maxDatagram = 65507

type udpRenderer struct {
	c          codec.Codec
	host, port *plugin.Template
}

func newUDP(a *plugin.Args, _ *Env, c codec.Codec) Renderer {
	return &udpRenderer{c, a.Template(plugin.Text{Pos: a.At("host"), Text: a.String("host")}), a.Template(plugin.Text{Pos: a.At("port"), Text: a.String("port")})}
}

func (r *udpRenderer) Render(dst *Buf, e *event.Event) {
	put(dst, e, Item{Target: net.JoinHostPort(r.host.Render(e), r.port.Render(e))}, func(b []byte) []byte { return r.c.Encode(b, e) })
}

// udpSink sends datagrams. One that cannot be sent is given up and told, as in Logstash: nobody could say whether it arrived anyway.
type udpSink struct {
	log   *slog.Logger
	tries int
	pause time.Duration
	c     net.PacketConn
	addrs map[string]*net.UDPAddr
}

func openUDP(a *plugin.Args, env *Env) (Sink, error) {
	return &udpSink{log: env.Log, tries: 1 + max(a.Int("retry_count"), 0), pause: time.Duration(a.Int("retry_backoff_ms")) * time.Millisecond, addrs: map[string]*net.UDPAddr{}}, nil
}

func (s *udpSink) Write(ctx context.Context, b *Buf) error {
	if s.c == nil {
		c, err := net.ListenPacket("udp", ":0")
		if err != nil {
			return fmt.Errorf("open a socket: %w", err)
		}
		s.c = c
	}
	for i := range b.Items {
		if err := s.send(ctx, b.Items[i].Target, b.Bytes(&b.Items[i])); err != nil {
			s.log.Error("event given up: it cannot be sent", "output", "udp", "address", b.Items[i].Target, "bytes", b.Items[i].To-b.Items[i].From, "err", err)
		}
	}
	b.Items = b.Items[:0]
	return nil
}

func (s *udpSink) send(ctx context.Context, target string, text []byte) (err error) {
	if len(text) > maxDatagram {
		return fmt.Errorf("a datagram holds %d bytes", maxDatagram)
	}
	for try := range s.tries {
		if try > 0 {
			t := time.NewTimer(s.pause)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return ctx.Err()
			}
		}
		var to *net.UDPAddr
		if to, err = s.resolve(target); err != nil {
			continue
		}
		if _, err = s.c.WriteTo(text, to); err == nil {
			return nil
		}
		delete(s.addrs, target) // it may have moved
	}
	return err
}

func (s *udpSink) resolve(target string) (*net.UDPAddr, error) {
	if a := s.addrs[target]; a != nil {
		return a, nil
	}
	a, err := net.ResolveUDPAddr("udp", target)
	if err != nil {
		return nil, err
	}
	if len(s.addrs) >= maxNames {
		clear(s.addrs)
	}
	s.addrs[string([]byte(target))] = a // target lives as long as the batch
	return a, nil
}

// Close closes the socket.
func (s *udpSink) Close() error {
	if s.c == nil {
		return nil
	}
	return s.c.Close()
}
