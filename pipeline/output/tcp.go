package output

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

var tcpOptions = append([]plugin.Option{
	{Name: "host", Required: true, Doc: "Host to connect to."},
	{Name: "port", Kind: plugin.Number, Required: true, Doc: "Port to connect to."},
	{Name: "mode", Enum: []string{"client"}, Default: "client", Doc: "Only client is known."},
	{Name: "reconnect_interval", Kind: plugin.Number, Default: "10", Unread: "pauses begin at a fraction of a second and grow"},
	{Name: "ssl_enabled", Kind: plugin.Boolean, Default: "false", Doc: "Whether the connection is encrypted."}, {Name: "ssl_enable", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"},
	{Name: "ssl_verify", Kind: plugin.Boolean, Deprecated: "use ssl_verification_mode"},
	{Name: "ssl_client_authentication", Obsolete: "it says something with mode server only"},
}, tlsOptions()...)

// lineEnded writes an event and a line end behind a codec that has none of its own, as a stream needs one.
type lineEnded struct {
	c   codec.Codec
	end bool
}

func newTCP(_ *plugin.Args, _ *Env, c codec.Codec) Renderer { return &lineEnded{c, true} }

func (r *lineEnded) Render(dst *Buf, e *event.Event) {
	put(dst, e, Item{}, func(b []byte) []byte {
		b = r.c.Encode(b, e)
		if r.end && (len(b) == 0 || b[len(b)-1] != '\n') {
			b = append(b, '\n')
		}
		return b
	})
}

// tcpSink writes to a connection. Nobody acknowledges what is written: of what is under way when a connection breaks, some is lost and
// some comes twice.
type tcpSink struct {
	addr string
	tls  *tls.Config // nil is plain
	c    net.Conn
	gone chan struct{} // closed when the other side has closed c
}

// writeTime bounds connecting and writing.
const writeTime = 30 * time.Second

func openTCP(a *plugin.Args, _ *Env) (Sink, error) {
	s := &tcpSink{addr: net.JoinHostPort(a.String("host"), strconv.Itoa(a.Int("port")))}
	if a.Bool("ssl_enabled") || a.Bool("ssl_enable") {
		s.tls = tlsOf(a, a.String("host"))
		if a.Has("ssl_verify") && !a.Bool("ssl_verify") {
			s.tls.InsecureSkipVerify = true
		}
	}
	return s, nil
}

func (s *tcpSink) Write(ctx context.Context, b *Buf) error {
	if len(b.Items) == 0 {
		return nil
	}
	if err := s.connect(ctx); err != nil {
		return err
	}
	out := make([]byte, 0, len(b.Data))
	for i := range b.Items {
		out = append(out, b.Bytes(&b.Items[i])...)
	}
	c := s.c
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return s.broken(err)
	}
	if _, err := c.Write(out); err != nil {
		return s.broken(err)
	}
	return nil
}

// connect makes the connection, when there is none or the other side closed it.
func (s *tcpSink) connect(ctx context.Context) error {
	if s.c != nil && s.alive() {
		return nil
	}
	s.Close()
	d := &net.Dialer{Timeout: writeTime}
	var err error
	if s.tls != nil {
		s.c, err = (&tls.Dialer{NetDialer: d, Config: s.tls}).DialContext(ctx, "tcp", s.addr)
	} else {
		s.c, err = d.DialContext(ctx, "tcp", s.addr)
	}
	if err != nil {
		s.c = nil
		return fmt.Errorf("connect to %s: %w", s.addr, err)
	}
	s.gone = make(chan struct{})
	go func(c net.Conn, gone chan struct{}) { // until c is closed, on either side
		io.Copy(io.Discard, c) // what it says is of no interest
		close(gone)
	}(s.c, s.gone)
	return nil
}

// alive reports whether the other side has kept the connection: what is written to a closed one may be lost without an error.
func (s *tcpSink) alive() bool {
	select {
	case <-s.gone:
		return false
	default:
		return true
	}
}

func (s *tcpSink) broken(err error) error {
	s.Close()
	return fmt.Errorf("write to %s: %w", s.addr, err)
}

// Close ends the connection.
func (s *tcpSink) Close() error {
	if s.c == nil {
		return nil
	}
	err := s.c.Close()
	<-s.gone
	s.c = nil
	return err
}
