package input

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/syslog"
)

// Framed is how messages are told apart on the connections of an input, and what bounds them.
type Framed struct {
	// Framing is delimiter, or rfc6587: a length before each message, or a delimiter behind it.
	Framing string
	// Delimiter ends a message; "" and "\n" are a line end, with or without a carriage return.
	Delimiter string
	// MaxMessage is how many bytes of a message are kept; of a longer one log.flags says truncated.
	MaxMessage int64
	// MaxConnections are served at once; further ones are closed. 0 is 1,024.
	MaxConnections int
	// Timeout closes a connection that is silent for so long. 0 is never.
	Timeout time.Duration
}

func defaultFramed() Framed {
	return Framed{Framing: "delimiter", Delimiter: "\n", MaxMessage: 20 << 20, Timeout: 300 * time.Second}
}

func (f *Framed) validate() []error {
	var errs []error
	if _, err := syslog.FindFraming(f.Framing); err != nil {
		errs = append(errs, err)
	}
	if f.MaxMessage < 1 || f.MaxMessage > 1<<30 {
		errs = append(errs, errors.New("max_message_size is 1 byte to 1 GiB"))
	}
	if f.MaxConnections < 0 {
		errs = append(errs, errors.New("max_connections is not negative"))
	}
	return errs
}

// shaper makes an event of a message; e.Message, e.Bytes, e.Flags and e.Fields are set: the fields say who sent it, and are shared by
// what he sent. It may be called from any goroutine.
type shaper func(e *Event)

// plain is the event of tcp, unix and udp: the text and who sent it.
func plain(*Event) {}

// sender is the fields that say who sent a message; nil when nobody knows.
func sender(peer string) map[string]any {
	if peer == "" {
		return nil
	}
	return map[string]any{"log": map[string]any{"source": map[string]any{"address": peer}}}
}

// stream is an input of connections that carry messages one after the other.
type stream struct {
	ln     net.Listener
	set    Framed
	shape  shaper
	log    *slog.Logger
	closed atomic.Int64 // connections closed for what they sent
}

func (s *stream) Run(ctx context.Context, sink Sink) error {
	srv := &listen.Server{Most: s.set.MaxConnections, Log: s.log, Handle: func(ctx context.Context, c net.Conn) { s.serve(ctx, sink, c) }}
	return srv.Serve(ctx, s.ln)
}

// serve reads a connection to its end. Messages that are there together are pushed together.
func (s *stream) serve(ctx context.Context, sink Sink, c net.Conn) {
	peer := c.RemoteAddr().String()
	if c.RemoteAddr().Network() == "unix" {
		peer = ""
	}
	kind, _ := syslog.FindFraming(s.set.Framing) // validated
	delim := s.set.Delimiter
	if delim == "\n" {
		delim = ""
	}
	f := syslog.NewFramer(listen.Patient(c, s.set.Timeout), kind, delim, int(s.set.MaxMessage))
	from := sender(peer)
	g := &gather{stream: c.RemoteAddr().Network() + " " + c.LocalAddr().String() + " " + peer}
	for {
		m, err := f.Next()
		if err == nil {
			g.add(m.Bytes, m.To-m.From, m.Cut > 0, from, s.shape)
		}
		if err != nil || g.full() || !f.Ready() {
			if perr := g.push(lasting(ctx), sink); perr != nil {
				s.log.Warn("connection closed", "peer", peer, "err", perr)
				return
			}
		}
		if err != nil {
			s.ended(ctx, peer, err)
			return
		}
	}
}

// ended tells of a connection that did not end by the will of its peer.
func (s *stream) ended(ctx context.Context, peer string, err error) {
	if errors.Is(err, io.EOF) || ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.log.Debug("silent connection closed", "peer", peer)
		return
	}
	s.closed.Add(1)
	s.log.Warn("connection closed", "peer", peer, "err", err)
}

// gather makes a batch of messages, whose bytes it copies.
type gather struct {
	stream string
	b      *Batch
	arena  []byte
	bytes  int
}

// gatherEvents is how many events a batch holds at most.
const gatherEvents = 4096

func (g *gather) full() bool {
	return g.b != nil && (g.bytes >= MaxBatch || len(g.b.Events) >= gatherEvents)
}

// add appends a message. An empty one is no event, but its bytes are counted with the next.
func (g *gather) add(text []byte, size int64, cut bool, sender map[string]any, shape shaper) {
	if len(text) == 0 {
		return
	}
	if g.b == nil {
		g.b = &Batch{Stream: g.stream}
		g.arena, g.bytes = nil, 0
	}
	if cap(g.arena)-len(g.arena) < len(text) {
		g.arena = make([]byte, 0, max(len(text), 2*cap(g.arena), 4<<10))
	}
	from := len(g.arena)
	g.arena = append(g.arena, text...)
	g.b.Events = append(g.b.Events, Event{Message: g.arena[from:len(g.arena):len(g.arena)], Bytes: size, Fields: sender})
	e := &g.b.Events[len(g.b.Events)-1]
	if cut {
		e.Flags = []string{"truncated"}
	}
	shape(e)
	g.bytes += len(text)
}

// push hands the batch over, if there is one.
func (g *gather) push(ctx context.Context, sink Sink) error {
	if g.b == nil {
		return nil
	}
	b := g.b
	g.b, g.arena = nil, nil
	return sink.Push(ctx, b, nil)
}
