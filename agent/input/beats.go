package input

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/lumberjack"
)

// BeatsConfig is a beats (lumberjack) input: Beats and logstash-forwarders ship to it as they do to Logstash. An event goes on as it
// was sent; it is acknowledged when it is durable.
type BeatsConfig struct {
	Bind
	// MaxConnections are served at once. 0 is 1,024.
	MaxConnections int
	// Idle closes a connection that is silent for so long; the Beat connects again.
	Idle time.Duration
	// KeepAlive is the time between the signs of life to a Beat whose events wait for the queue.
	KeepAlive time.Duration
	// Memory bounds the events being received, of all connections, in bytes.
	Memory int64
}

// DefaultBeats listens on Logstash's port.
func DefaultBeats() *BeatsConfig {
	return &BeatsConfig{Bind: Bind{Address: "127.0.0.1:5044"}, Idle: 60 * time.Second, KeepAlive: 3 * time.Second, Memory: 64 << 20}
}

// Validate names all faults.
func (c *BeatsConfig) Validate() []error {
	errs := c.Bind.validate(false)
	if c.Idle <= 0 || c.KeepAlive <= 0 || c.MaxConnections < 0 {
		errs = append(errs, errors.New("times are over 0, and max_connections is not negative"))
	}
	return errs
}

// Open binds the address.
func (c *BeatsConfig) Open(log *slog.Logger) (Input, error) {
	ln, err := c.listener("tcp", log)
	if err != nil {
		return nil, err
	}
	return &beats{set: *c, ln: ln, log: log}, nil
}

type beats struct {
	set     BeatsConfig
	ln      net.Listener
	log     *slog.Logger
	parsers sync.Pool // of *fastjson.Parser
}

// Run serves Beats.
func (b *beats) Run(ctx context.Context, sink Sink) error {
	srv := lumberjack.NewServer(lumberjack.ServerConfig{
		Limits: lumberjack.Limits{Batch: MaxBatch}, Memory: b.set.Memory, Idle: b.set.Idle, KeepAlive: b.set.KeepAlive,
		Handle: func(ctx context.Context, peer net.Addr, batch *lumberjack.Batch) error {
			return sink.Deliver(ctx, b.batch(peer.String(), batch))
		},
	})
	accept := &listen.Server{Most: b.set.MaxConnections, Grace: true, Log: b.log, Handle: func(ctx context.Context, c net.Conn) {
		if err := srv.Serve(ctx, c); err != nil && !errors.Is(err, ErrStopped) {
			b.log.Warn("connection closed", "peer", c.RemoteAddr().String(), "err", err)
		}
	}}
	return accept.Serve(ctx, b.ln)
}

// batch makes a batch of the events of a window.
func (b *beats) batch(peer string, w *lumberjack.Batch) *Batch {
	p, _ := b.parsers.Get().(*fastjson.Parser)
	if p == nil {
		p = new(fastjson.Parser)
	}
	defer b.parsers.Put(p)
	out := &Batch{Stream: "beats " + peer, Events: make([]Event, w.Len())}
	for i := range out.Events {
		out.Events[i] = beatsEvent(p, w.Event(i))
	}
	return out
}

// beatsEvent is an event whose order is kept among those of its file. What is no object is the text of an event.
func beatsEvent(p *fastjson.Parser, text []byte) Event {
	v, err := p.ParseBytes(text)
	if err != nil || v.Type() != fastjson.TypeObject {
		return Event{Message: text, Bytes: int64(len(text)), Fields: map[string]any{"error": map[string]any{"type": "json", "message": "what the Beat sent is no JSON object"}}}
	}
	e := Event{Raw: text, Bytes: int64(len(text))}
	id := v.GetStringBytes("agent", "id")
	if id == nil {
		id = v.GetStringBytes("beat", "hostname") // before 7.0
	}
	path := v.GetStringBytes("log", "file", "path")
	if path == nil {
		path = v.GetStringBytes("source")
	}
	if id != nil && path != nil {
		e.Key = string(id) + "\x00" + string(path)
	}
	if at, err := time.Parse(time.RFC3339, string(v.GetStringBytes("@timestamp"))); err == nil {
		e.At = at
	}
	return e
}
