// Package listen is what everything that takes or makes connections to the outside shares: which addresses are this machine's only,
// TLS settings as Filebeat and Logstash write them, and an accept loop with bounds.
package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Loopback reports whether a host, or a host with a port, can only be reached from this machine. An empty host is every address.
func Loopback(addr string) bool {
	host := addr
	if h, _, err := net.SplitHostPort(addr); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// Server accepts connections.
type Server struct {
	// Most is how many connections are served at once; further ones are closed at once, and counted. 1,024 when 0.
	Most int
	Log  *slog.Logger
	// Handle serves a connection and returns when it is over; then the Server closes it, and also when ctx ends, unless Grace says
	// that Handle sees to that.
	Handle func(ctx context.Context, c net.Conn)
	Grace  bool

	accepted, refused atomic.Int64
}

const (
	defaultMost = 1024
	// acceptPause is the wait after an accept that failed, for want of descriptors mostly.
	acceptPause = 100 * time.Millisecond
)

// Accepted and Refused are connections since the start.
func (s *Server) Accepted() int64 { return s.accepted.Load() }
func (s *Server) Refused() int64  { return s.refused.Load() }

// Serve accepts from ln until ctx ends, and closes it. It returns when all connections are over.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	most := s.Most
	if most <= 0 {
		most = defaultMost
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	var conns sync.WaitGroup
	defer conns.Wait()
	slots := make(chan struct{}, most)
	for {
		c, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				c.Close()
			}
			return nil
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			s.Log.Warn("connection cannot be accepted", "address", ln.Addr().String(), "err", err)
			pause(ctx, acceptPause)
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			c.Close()
			if n := s.refused.Add(1); n&(n-1) == 0 { // 1, 2, 4 ...: told, not flooded
				s.Log.Warn("too many connections", "address", ln.Addr().String(), "limit", most, "refused", n)
			}
			continue
		}
		s.accepted.Add(1)
		conns.Go(func() {
			defer func() { <-slots }()
			if !s.Grace {
				defer context.AfterFunc(ctx, func() { c.Close() })()
			}
			defer c.Close()
			s.Handle(ctx, c)
		})
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Patient gives a connection's reads and writes each a time of their own. 0 is for ever.
func Patient(c net.Conn, d time.Duration) net.Conn {
	if d <= 0 {
		return c
	}
	return &patient{Conn: c, d: d}
}

type patient struct {
	net.Conn
	d     time.Duration
	until time.Time // the deadline of reads
}

func (p *patient) Read(b []byte) (int, error) {
	now := time.Now()
	if until := now.Add(p.d); until.Sub(p.until) > p.d/64 { // moved in steps: it costs as much as a read
		p.until = until
		if err := p.SetReadDeadline(until); err != nil {
			return 0, err
		}
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.d)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}
