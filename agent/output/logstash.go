package output

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/lumberjack"
	"github.com/weirlog/weir/queue"
)

// LogstashConfig is where and how events go to Logstash, or to anything else that speaks Beats' protocol.
type LogstashConfig struct {
	// Hosts are host or host:port; 5044 when there is none.
	Hosts []string
	// LoadBalance sends to all hosts at once; else one is used, and another when it fails.
	LoadBalance bool
	// Workers is the number of connections, with LoadBalance of each host.
	Workers int
	// BulkMax is how many events a window holds at most; 0 is as many as there are.
	BulkMax int
	// Pipelining is how many windows are under way on a connection before the first is acknowledged; 0 and 1 are one.
	Pipelining int
	// SlowStart begins with small windows on a new connection, which double as they are acknowledged.
	SlowStart bool
	// TTL is after how long a connection is made anew; 0 is never.
	TTL time.Duration
	// Level is the zlib level, 0 to 9.
	Level int
	// Timeout bounds connecting, sending and the silence of Logstash, which shows a sign of life while it is busy.
	Timeout time.Duration
	// Index is @metadata.beat of the events; "" leaves it.
	Index string
	// EscapeHTML writes <, > and & as \u003c and so on.
	EscapeHTML bool
	TLS        *listen.TLS
	Log        *slog.Logger
}

// DefaultLogstash lacks the hosts.
func DefaultLogstash() LogstashConfig {
	return LogstashConfig{Workers: 1, BulkMax: 2048, Pipelining: 2, Level: 3, Timeout: 30 * time.Second}
}

const (
	logstashPort = "5044"
	maxWindow    = 65536 // events, the protocol's other side refuses more
	firstWindow  = 16    // of a slow start
)

// Validate names all faults.
func (c *LogstashConfig) Validate() []error {
	var errs []error
	if len(c.Hosts) == 0 {
		errs = append(errs, errors.New("logstash: no host is named"))
	}
	if c.Level < 0 || c.Level > 9 {
		errs = append(errs, fmt.Errorf("logstash: compression level %d is not 0 to 9", c.Level))
	}
	if c.Workers < 1 || c.Pipelining < 0 || c.BulkMax < 0 || c.Timeout <= 0 {
		errs = append(errs, errors.New("logstash: worker is at least 1, timeout over 0, pipelining and bulk_max_size are not negative"))
	}
	if c.TLS != nil {
		if _, err := c.TLS.Dialer(""); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Logstash ships records to Logstash. It keeps connections and has no goroutines.
type Logstash struct {
	cfg   LogstashConfig
	free  chan *shipper // those nobody uses
	all   []*shipper
	hosts []string

	mu      sync.Mutex // guards current
	current int        // the host in use without LoadBalance
}

// shipper is a connection, made when it is needed.
type shipper struct {
	l      *Logstash
	host   string // "" is whichever is in use
	client *lumberjack.Client
	since  time.Time
	window int
}

// OpenLogstash connects to nobody yet.
func OpenLogstash(cfg LogstashConfig) (*Logstash, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.BulkMax == 0 || cfg.BulkMax > maxWindow {
		cfg.BulkMax = maxWindow
	}
	l := &Logstash{cfg: cfg, hosts: slices.Clone(cfg.Hosts)}
	for i, h := range l.hosts {
		if _, _, err := net.SplitHostPort(h); err != nil {
			l.hosts[i] = net.JoinHostPort(h, logstashPort)
		}
	}
	rand.Shuffle(len(l.hosts), func(i, j int) { l.hosts[i], l.hosts[j] = l.hosts[j], l.hosts[i] })
	targets := []string{""}
	if cfg.LoadBalance {
		targets = l.hosts
	}
	for range cfg.Workers {
		for _, h := range targets {
			l.all = append(l.all, &shipper{l: l, host: h})
		}
	}
	l.free = make(chan *shipper, len(l.all))
	for _, s := range l.all {
		l.free <- s
	}
	return l, nil
}

// Close closes the connections; Produce is over.
func (l *Logstash) Close() error {
	var errs []error
	for _, s := range l.all {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// Produce sends records over one connection, in order, and returns when all are acknowledged. Those that are not are named by a
// *queue.ProduceError.
func (l *Logstash) Produce(ctx context.Context, recs []queue.Record) error {
	if len(recs) == 0 {
		return nil
	}
	var s *shipper
	select {
	case s = <-l.free:
	case <-ctx.Done():
		return failed(0, len(recs), ctx.Err())
	}
	defer func() { l.free <- s }()
	done, err := s.ship(ctx, l.events(recs))
	if err != nil {
		s.close()
		return failed(done, len(recs), err)
	}
	return nil
}

// failed says that records from one on were not taken.
func failed(from, n int, err error) error {
	e := &queue.ProduceError{Err: err}
	for i := from; i < n; i++ {
		e.Failed = append(e.Failed, i)
	}
	return e
}

// events are the records' values, with what the settings change in them.
func (l *Logstash) events(recs []queue.Record) [][]byte {
	out := make([][]byte, len(recs))
	for i := range recs {
		v := recs[i].Value
		if l.cfg.Index != "" {
			v = bytes.Replace(v, []byte(`"@metadata":{"beat":"filebeat"`), append([]byte(`"@metadata":{"beat":"`), l.cfg.Index+`"`...), 1)
		}
		if l.cfg.EscapeHTML && bytes.ContainsAny(v, "<>&") {
			for _, c := range []string{"<", ">", "&"} { // which stand in texts only
				v = bytes.ReplaceAll(v, []byte(c), fmt.Appendf(nil, `\u%04x`, c[0]))
			}
		}
		out[i] = v
	}
	return out
}

// ship sends windows, some ahead of the acknowledgements, and returns how many events are acknowledged.
func (s *shipper) ship(ctx context.Context, events [][]byte) (done int, err error) {
	if err := s.connect(ctx); err != nil {
		return 0, err
	}
	client := s.client
	defer context.AfterFunc(ctx, func() { client.Close() })()
	ahead := max(s.l.cfg.Pipelining, 1)
	var sizes []int // of the windows under way
	sent := 0
	for done < len(events) {
		for sent < len(events) && len(sizes) < ahead {
			n := min(len(events)-sent, s.window)
			if err := s.client.Send(events[sent : sent+n]); err != nil {
				return s.settle(done, sizes, fmt.Errorf("send to logstash: %w", err))
			}
			sent += n
			sizes = append(sizes, n)
		}
		n, err := s.client.Await(sizes[0], nil)
		done += n
		if err != nil {
			return done, fmt.Errorf("logstash did not acknowledge: %w", err)
		}
		sizes = sizes[1:]
		s.window = min(2*s.window, s.l.cfg.BulkMax)
	}
	return done, nil
}

// settle takes the acknowledgements of windows that were sent before sending failed, as far as they come.
func (s *shipper) settle(done int, sizes []int, err error) (int, error) {
	for _, size := range sizes {
		n, aerr := s.client.Await(size, nil)
		done += n
		if aerr != nil {
			break
		}
	}
	return done, err
}

// connect makes the connection, when there is none or it is too old.
func (s *shipper) connect(ctx context.Context) error {
	l := s.l
	if s.client != nil && (l.cfg.TTL <= 0 || time.Since(s.since) < l.cfg.TTL) {
		return nil
	}
	s.close()
	host := s.host
	if host == "" {
		l.mu.Lock()
		host = l.hosts[l.current]
		l.mu.Unlock()
	}
	c, err := l.dial(ctx, host)
	if err != nil {
		l.next(host)
		return fmt.Errorf("connect to logstash %s: %w", host, err)
	}
	if s.client, err = lumberjack.NewClient(c, lumberjack.ClientConfig{Level: l.cfg.Level, Timeout: l.cfg.Timeout}); err != nil {
		c.Close()
		return err
	}
	s.since = time.Now()
	s.window = l.cfg.BulkMax
	if l.cfg.SlowStart {
		s.window = min(firstWindow, s.window)
	}
	l.cfg.Log.Info("connected to logstash", "host", host)
	return nil
}

func (l *Logstash) dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: l.cfg.Timeout}
	if l.cfg.TLS == nil {
		return d.DialContext(ctx, "tcp", addr)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c, err := l.cfg.TLS.Dialer(host)
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{NetDialer: &d, Config: c}).DialContext(ctx, "tcp", addr)
}

// next turns to another host, unless that happened already.
func (l *Logstash) next(bad string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts[l.current] == bad {
		l.current = (l.current + 1) % len(l.hosts)
	}
}

// close ends the connection; a host that failed while it was used is left for another.
func (s *shipper) close() error {
	if s.client == nil {
		return nil
	}
	err := s.client.Close()
	s.client = nil
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return err
}
