package input

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// maxDatagram is the largest datagram there is.
	maxDatagram = 64 << 10
	// waitingBytes bounds the datagrams that wait while the queue takes nothing; then the socket's buffer fills, and then the kernel
	// drops.
	waitingBytes = 4 << 20
)

// packets is an input of datagrams: each is a message.
type packets struct {
	conn   net.PacketConn
	most   int
	shape  shaper
	log    *slog.Logger
	remove string // socket file to remove at the end

	taken atomic.Int64
}

// Run reads datagrams while others are being pushed, so that a burst is one batch.
func (p *packets) Run(ctx context.Context, sink Sink) error {
	defer context.AfterFunc(ctx, func() { p.conn.Close() })()
	defer p.conn.Close()
	if p.remove != "" {
		defer os.Remove(p.remove)
	}
	w := &waiting{g: gather{stream: p.conn.LocalAddr().Network() + " " + p.conn.LocalAddr().String()}}
	w.some.L = &w.mu
	var pusher sync.WaitGroup
	pusher.Go(func() { w.push(lasting(ctx), sink, p.log) })
	err := p.read(w)
	w.end()
	pusher.Wait()
	if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *packets) read(w *waiting) error {
	buf := make([]byte, p.most+1)
	peers := senders{}
	udp, _ := p.conn.(*net.UDPConn)
	for {
		var n int
		var err error
		peer := ""
		if udp != nil {
			var from netip.AddrPort
			n, from, err = udp.ReadFromUDPAddrPort(buf)
			if err == nil {
				peer = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()).String()
			}
		} else {
			n, _, err = p.conn.ReadFrom(buf)
		}
		if err != nil {
			return fmt.Errorf("read datagram: %w", err)
		}
		p.taken.Add(1)
		w.add(buf[:min(n, p.most)], int64(n), n > p.most, peers.of(peer), p.shape)
	}
}

// senders keeps the fields of those who send often.
type senders map[string]map[string]any

// maxSenders bounds them; past it, they begin anew.
const maxSenders = 1024

func (s senders) of(peer string) map[string]any {
	f, ok := s[peer]
	if !ok {
		if len(s) >= maxSenders {
			clear(s)
		}
		f = sender(peer)
		s[peer] = f
	}
	return f
}

// waiting is the datagrams read and not pushed yet.
type waiting struct {
	mu    sync.Mutex // guards what follows
	some  sync.Cond
	g     gather
	ended bool
}

// add takes a datagram, and waits while too many wait.
func (w *waiting) add(text []byte, size int64, cut bool, sender map[string]any, shape shaper) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.g.b != nil && w.g.bytes+len(w.g.b.Events)*64 >= waitingBytes {
		w.some.Wait()
	}
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	w.g.add(text, size, cut, sender, shape)
	w.some.Broadcast()
}

func (w *waiting) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.some.Broadcast()
}

// push hands over what is there, again and again, until the end.
func (w *waiting) push(ctx context.Context, sink Sink, log *slog.Logger) {
	for {
		w.mu.Lock()
		for w.g.b == nil && !w.ended {
			w.some.Wait()
		}
		g := w.g
		w.g.b, w.g.arena = nil, nil
		w.some.Broadcast()
		w.mu.Unlock()
		if g.b == nil {
			return
		}
		n := len(g.b.Events)
		if err := g.push(ctx, sink); err != nil {
			log.Warn("datagrams lost", "count", n, "err", err)
		}
	}
}
