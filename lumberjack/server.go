package lumberjack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// ServerConfig is what a Server needs.
type ServerConfig struct {
	Limits
	// Memory bounds the events of all connections together, in bytes; 64 MiB. Each connection may hold 64 KiB beside it.
	Memory int64
	// Idle is how long a peer may keep quiet, or a frame may take, or an answer may wait to be sent; 60 s. The peer connects again.
	Idle time.Duration
	// KeepAlive is the time between answers to a peer whose events are being kept; 3 s.
	KeepAlive time.Duration
	// Handle keeps the events of a batch, which is the Server's again when it returns. It is called from one goroutine a connection.
	// An error closes the connection without an acknowledgement, so that the peer sends the events again. ctx is not ended by a stop:
	// Handle decides how long it goes on.
	Handle func(ctx context.Context, peer net.Addr, b *Batch) error
}

// Counts is what became of connections, batches and events since the start.
type Counts struct {
	Batches, Events, Bytes int64
	Garbage, Big           int64 // connections closed because the peer did not speak the protocol, or sent too much
	Idle, Starved          int64 // because it was silent, or because there was no memory for its event
	Failed                 int64 // because the events could not be kept
}

// Server answers connections.
type Server struct {
	cfg    ServerConfig
	memory budget
	pool   sync.Pool // of *[]byte

	batches, events, bytes, garbage, big, idle, starved, failed atomic.Int64
}

const (
	defaultMemory    = 64 << 20
	defaultIdle      = 60 * time.Second
	defaultKeepAlive = 3 * time.Second

	// freeBytes is what a connection may hold without asking.
	freeBytes = 64 << 10
	// starveAfter is how long an event may wait for memory.
	starveAfter = 10 * time.Second
)

// NewServer makes a server. Listening and TLS are the caller's.
func NewServer(cfg ServerConfig) *Server {
	cfg.Limits = cfg.Limits.filled()
	if cfg.Memory <= 0 {
		cfg.Memory = defaultMemory
	}
	if cfg.Idle <= 0 {
		cfg.Idle = defaultIdle
	}
	if cfg.KeepAlive <= 0 {
		cfg.KeepAlive = defaultKeepAlive
	}
	cfg.Memory = max(cfg.Memory, int64(cfg.Frame+cfg.Batch)) // one event always fits
	return &Server{cfg: cfg, memory: budget{left: cfg.Memory}}
}

// Counts is the server's account.
func (s *Server) Counts() Counts {
	return Counts{s.batches.Load(), s.events.Load(), s.bytes.Load(), s.garbage.Load(), s.big.Load(), s.idle.Load(), s.starved.Load(), s.failed.Load()}
}

// Serve answers a connection until the peer closes it, ctx ends, or the peer breaks a rule. It closes c. When ctx ends no more is read;
// a batch that is being kept is answered. The error tells why the connection ended, nil when the peer or ctx wanted it; it is counted
// already.
func (s *Server) Serve(ctx context.Context, c net.Conn) error {
	conn := &conn{s: s, c: c}
	defer context.AfterFunc(ctx, conn.stop)()
	defer c.Close()
	r := NewReader(c, s.cfg.Limits)
	r.host = conn
	defer r.drop()
	for {
		b, err := r.Next()
		if err == nil {
			err = conn.handle(ctx, b)
		}
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, io.EOF) {
				return nil
			}
			s.count(err)
			return err
		}
		r.drop()
	}
}

// count notes why a connection ended.
func (s *Server) count(err error) {
	var pe *ProtocolError
	var he *handleError
	switch {
	case errors.As(err, &he):
		s.failed.Add(1)
	case errors.As(err, &pe) && pe.Big:
		s.big.Add(1)
	case errors.As(err, &pe):
		s.garbage.Add(1)
	case errors.Is(err, errNoMemory):
		s.starved.Add(1)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.idle.Add(1)
	}
}

type handleError struct{ err error }

func (e *handleError) Error() string { return e.err.Error() }
func (e *handleError) Unwrap() error { return e.err }

// conn is a connection being served.
type conn struct {
	s    *Server
	c    net.Conn
	held int64 // bytes of memory taken

	mu   sync.Mutex // guards writes while a batch is kept
	busy bool

	readMu  sync.Mutex // guards what follows
	until   time.Time  // the deadline of reads
	stopped bool
}

// stop ends reading.
func (c *conn) stop() {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	c.stopped = true
	c.c.SetReadDeadline(time.Unix(1, 0))
}

// progress moves the deadline of the peer.
func (c *conn) progress() {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if c.stopped {
		return
	}
	if until := time.Now().Add(c.s.cfg.Idle); until.Sub(c.until) > c.s.cfg.Idle/64 {
		c.until = until
		c.c.SetReadDeadline(until)
	}
}

// alloc takes memory from the server.
func (c *conn) alloc(n int, wait bool) []byte {
	patience := time.Duration(0)
	if wait {
		patience = starveAfter
	}
	p, _ := c.s.pool.Get().(*[]byte)
	if p == nil || cap(*p) < n {
		p = new([]byte)
	} else {
		n = cap(*p)
	}
	if !c.s.memory.take(charge(n), patience) {
		return nil
	}
	c.held += charge(n)
	if cap(*p) == 0 {
		return make([]byte, 0, n)
	}
	return (*p)[:0]
}

// free gives a buffer back.
func (c *conn) free(b []byte) {
	n := charge(cap(b))
	c.s.memory.give(n)
	c.held -= n
	c.s.pool.Put(&b)
}

// charge is what a buffer of n bytes takes from the server's memory.
func charge(n int) int64 {
	if n <= freeBytes {
		return 0
	}
	return int64(n)
}

func (c *conn) enough() bool { return c.held > 0 && c.s.memory.wanted() }

// handle keeps a batch and answers. While that takes, the peer is told so.
func (c *conn) handle(ctx context.Context, b *Batch) error {
	n, size := b.Len(), b.Bytes()
	c.mu.Lock()
	c.busy = true
	var alive *time.Timer
	alive = time.AfterFunc(c.s.cfg.KeepAlive, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.busy && c.ack(b.Version, 0) == nil {
			alive.Reset(c.s.cfg.KeepAlive)
		}
	})
	c.mu.Unlock()
	err := c.s.cfg.Handle(context.WithoutCancel(ctx), c.c.RemoteAddr(), b)
	alive.Stop()
	c.mu.Lock() // waits for an answer on its way
	defer c.mu.Unlock()
	c.busy = false
	if err != nil {
		return &handleError{err}
	}
	c.s.batches.Add(1)
	c.s.events.Add(int64(n))
	c.s.bytes.Add(int64(size))
	return c.ack(b.Version, b.Last)
}

// ack sends an acknowledgement; c.mu is held.
func (c *conn) ack(version byte, seq uint32) error {
	var f [6]byte
	f[0], f[1] = version, frameAck
	binary.BigEndian.PutUint32(f[2:], seq)
	c.c.SetWriteDeadline(time.Now().Add(c.s.cfg.Idle))
	_, err := c.c.Write(f[:])
	return err
}
