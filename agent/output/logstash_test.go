package output

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/lumberjack"
	"github.com/weirlog/weir/queue"
)

// peer is what Logstash is to an agent: it keeps the events it acknowledges, and fails when it is told to.
type peer struct {
	addr string
	stop func()

	mu     sync.Mutex
	events []string
	fail   int // batches to take before one is refused; -1 is never
}

func (p *peer) handle(_ context.Context, _ net.Addr, b *lumberjack.Batch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == 0 {
		p.fail = -1
		return errors.New("refused")
	}
	p.fail--
	for i := range b.Len() {
		p.events = append(p.events, string(b.Event(i)))
	}
	return nil
}

func (p *peer) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// start runs a peer whose batches are at most so many bytes, so that a window is acknowledged in parts.
func start(t *testing.T, addr string, batch int, c *tls.Config) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{addr: ln.Addr().String(), fail: -1}
	if c != nil {
		ln = tls.NewListener(ln, c)
	}
	srv := lumberjack.NewServer(lumberjack.ServerConfig{Limits: lumberjack.Limits{Batch: batch}, Handle: p.handle})
	acc := &listen.Server{Grace: true, Log: slog.New(slog.DiscardHandler), Handle: func(ctx context.Context, c net.Conn) { srv.Serve(ctx, c) }}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { acc.Serve(ctx, ln); close(ended) }()
	p.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(p.stop)
	return p
}

func records(from, n int) (recs []queue.Record, want []string) {
	for i := from; i < from+n; i++ {
		v := fmt.Sprintf(`{"@timestamp":"t","@metadata":{"beat":"filebeat","type":"_doc"},"message":"<line %d>"}`, i)
		recs, want = append(recs, queue.Record{Value: []byte(v)}), append(want, v)
	}
	return recs, want
}

func open(t *testing.T, edit func(*LogstashConfig)) *Logstash {
	t.Helper()
	cfg := DefaultLogstash()
	cfg.Timeout = 10 * time.Second
	edit(&cfg)
	l, err := OpenLogstash(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLogstash(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*LogstashConfig){
		"defaults":       func(*LogstashConfig) {},
		"small windows":  func(c *LogstashConfig) { c.BulkMax, c.Pipelining = 7, 3 },
		"one at a time":  func(c *LogstashConfig) { c.BulkMax, c.Pipelining, c.Level = 10, 0, 0 },
		"slow start":     func(c *LogstashConfig) { c.SlowStart = true },
		"any size":       func(c *LogstashConfig) { c.BulkMax = 0 },
		"new each time":  func(c *LogstashConfig) { c.TTL = time.Nanosecond },
		"two workers":    func(c *LogstashConfig) { c.Workers = 2 },
		"one of balance": func(c *LogstashConfig) { c.LoadBalance = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, "127.0.0.1:0", 300, nil)
			l := open(t, func(c *LogstashConfig) { c.Hosts = []string{p.addr}; edit(c) })
			var all []string
			for i := range 3 {
				recs, want := records(i*100, 100)
				if err := l.Produce(t.Context(), recs); err != nil {
					t.Fatal(err)
				}
				all = append(all, want...)
			}
			if got := p.got(); !slices.Equal(got, all) {
				t.Errorf("%d events of %d", len(got), len(all))
			}
		})
	}
}

// TestLogstashPartial: what was acknowledged before a failure is not sent again.
func TestLogstashPartial(t *testing.T) {
	t.Parallel()
	p := start(t, "127.0.0.1:0", 300, nil)
	p.fail = 5
	l := open(t, func(c *LogstashConfig) { c.Hosts, c.BulkMax = []string{p.addr}, 30 })
	recs, want := records(0, 100)
	tries := 0
	for len(recs) > 0 {
		err := l.Produce(t.Context(), recs)
		var pe *queue.ProduceError
		if tries++; err == nil {
			break
		}
		if !errors.As(err, &pe) || len(pe.Failed) == 0 || len(pe.Failed) >= len(recs) {
			t.Fatalf("try %d: %v", tries, err)
		}
		recs = recs[pe.Failed[0]:]
	}
	if got := p.got(); !slices.Equal(got, want) || tries != 2 {
		t.Errorf("%d events of %d after %d tries", len(got), len(want), tries)
	}
}

// TestLogstashFailover: another host is used when one is down; with load balancing both are.
func TestLogstashFailover(t *testing.T) {
	t.Parallel()
	a, b := start(t, "127.0.0.1:0", 0, nil), start(t, "127.0.0.1:0", 0, nil)
	l := open(t, func(c *LogstashConfig) { c.Hosts = []string{a.addr, b.addr} })
	recs, _ := records(0, 10)
	send := func() {
		for range 10 { // the agent tries again, in its own time
			if l.Produce(t.Context(), recs) == nil {
				return
			}
		}
		t.Error("nobody takes the events")
	}
	send()
	used, other := a, b
	if len(b.got()) > 0 {
		used, other = b, a
	}
	if len(other.got()) > 0 {
		t.Error("both hosts are used")
	}
	used.stop()
	send()
	if len(other.got()) != 10 {
		t.Errorf("%d events at the other host", len(other.got()))
	}

	c, d := start(t, "127.0.0.1:0", 0, nil), start(t, "127.0.0.1:0", 0, nil)
	l = open(t, func(cfg *LogstashConfig) { cfg.Hosts, cfg.LoadBalance = []string{c.addr, d.addr}, true })
	send()
	send()
	if len(c.got()) != 10 || len(d.got()) != 10 {
		t.Errorf("%d and %d events", len(c.got()), len(d.got()))
	}
}

func TestLogstashTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.TLS.Certificates[0].Certificate[0]}))
	p := start(t, "127.0.0.1:0", 0, &tls.Config{Certificates: web.TLS.Certificates})
	recs, want := records(0, 10)
	l := open(t, func(c *LogstashConfig) { c.Hosts, c.TLS = []string{p.addr}, &listen.TLS{Authorities: []string{ca}} })
	if err := l.Produce(t.Context(), recs); err != nil || !slices.Equal(p.got(), want) {
		t.Errorf("%v, %d events", err, len(p.got()))
	}
	l = open(t, func(c *LogstashConfig) { c.Hosts, c.TLS = []string{p.addr}, &listen.TLS{} })
	if err := l.Produce(t.Context(), recs); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a stranger is trusted: %v", err)
	}
}

func TestLogstashEvents(t *testing.T) {
	t.Parallel()
	l := open(t, func(c *LogstashConfig) { c.Hosts, c.Index, c.EscapeHTML = []string{"localhost"}, "app", true })
	recs, _ := records(1, 1)
	if got := string(l.events(recs)[0]); got != `{"@timestamp":"t","@metadata":{"beat":"app","type":"_doc"},"message":"\u003cline 1\u003e"}` {
		t.Error(got)
	}
	if l.hosts[0] != "localhost:5044" {
		t.Error(l.hosts)
	}
}

func TestLogstashStops(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l := open(t, func(c *LogstashConfig) { c.Hosts = []string{ln.Addr().String()} })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	recs, _ := records(0, 3)
	var pe *queue.ProduceError
	if err := l.Produce(ctx, recs); !errors.As(err, &pe) || len(pe.Failed) != 3 {
		t.Errorf("%v", err)
	}
}

func TestLogstashValidate(t *testing.T) {
	t.Parallel()
	c := LogstashConfig{Level: 10, TLS: &listen.TLS{Verify: "x"}}
	if errs := c.Validate(); len(errs) != 4 {
		t.Errorf("%v", errs)
	}
}
