package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/http/pprof"
	"net/url"
	"os"
	"path/filepath"
	rpprof "runtime/pprof"
	"sync"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/metrics"
	"github.com/weirlog/weir/pipeline/fleet"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/rest"
	"github.com/weirlog/weir/vfs"
	"github.com/weirlog/weir/web/live"
)

// roles are the parts a process runs.
type roles struct {
	agent, broker, pipelines, store, ui bool
	demo                                bool // the data is made up
}

// allRoles is `weir up`.
var allRoles = roles{agent: true, broker: true, pipelines: true, store: true, ui: true}

// part is something that runs until its context ends; parts stop in the reverse order of their start.
type part struct {
	name string
	run  func(ctx context.Context) error
}

// ready is the line on standard output that tells scripts where everything is.
type ready struct {
	Ready         bool   `json:"ready"`
	Kafka         string `json:"kafka,omitempty"`
	Elasticsearch string `json:"elasticsearch,omitempty"`
	UI            string `json:"ui,omitempty"`
	Monitor       string `json:"monitor,omitempty"`
}

// node is the parts of one process, wired.
type node struct {
	cfg    config.Weir
	log    *slog.Logger
	ports  listeners
	demo   bool
	alone  bool // the agent is the only part: the process ends with its inputs
	parts  []part
	ready  ready
	health metrics.Health
	series *metrics.Registry
	since  time.Time
	rates  rates

	adminMu sync.Mutex
	admin   *kafka.Admin // of the queue, made at first use; guarded by adminMu

	broker  *broker.Broker // nil with a real Kafka
	queue   queue.Queue
	store   *store.Store // nil with a real cluster
	rest    http.Handler
	hub     *live.Hub
	fleet   *fleet.Fleet
	agent   *agent.Agent
	groups  groups
	kafkas  kafkas
	began   map[partitionKey]int64
	closers []func() error
}

// newNode opens everything that the roles ask for, in the order of dependence; on an error what was opened is closed again.
func newNode(ctx context.Context, cfg config.Weir, r roles, insecure bool, log *slog.Logger) (*node, error) {
	tuneCollector()
	n := &node{cfg: cfg, log: log, ports: listeners{insecure: insecure, log: log}, series: metrics.New(), since: time.Now(), hub: live.NewHub(), demo: r.demo, alone: r == roles{agent: true}}
	for _, w := range cfg.Warnings {
		log.Warn("setting without its usual effect", "place", w.Pos.String(), "setting", w.Key, "effect", w.Effect)
	}
	steps := []struct {
		want bool
		open func(context.Context) error
	}{
		{true, n.openData}, {r.store, n.openStore}, {r.broker, n.openBroker}, {r.agent || r.pipelines, n.openQueue},
		{r.ui, n.openUI}, {true, n.openMonitor}, {r.pipelines, n.openPipelines}, {r.agent, n.openAgent},
	}
	for _, s := range steps {
		if !s.want {
			continue
		}
		if err := s.open(ctx); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	if n.broker != nil && n.store != nil {
		if err := n.noteStart(ctx); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	n.registerSeries()
	if len(n.ports.open) > 0 {
		n.health.Note("insecure", fmt.Sprintf("open to the network without login: %v", n.ports.open))
	}
	n.ready.Ready = true
	return n, nil
}

// openData makes the data folder and takes its lock, so that a second process is told by name.
func (n *node) openData(context.Context) error {
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w (choose another with --data)", err)
	}
	lock, err := vfs.OS().Lock(filepath.Join(n.cfg.Data, "lock"))
	if err != nil {
		return fmt.Errorf("data folder %s is in use: %w (stop that process, or choose another folder with --data)", n.cfg.Data, err)
	}
	n.onClose(lock.Close)
	return nil
}

func (n *node) onClose(f func() error) { n.closers = append(n.closers, f) }

// close gives back what newNode opened, newest first.
func (n *node) close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// add registers a part to run; its goroutines carry its name in profiles.
func (n *node) add(name string, run func(ctx context.Context) error) {
	n.parts = append(n.parts, part{name, func(ctx context.Context) (err error) {
		rpprof.Do(ctx, rpprof.Labels("part", name), func(ctx context.Context) { err = run(ctx) })
		return err
	}})
}

func (n *node) openStore(context.Context) error {
	if n.cfg.Store.At != "embedded" {
		return n.openProxy()
	}
	cfg := store.DefaultConfig()
	cfg.Dir, cfg.Log = filepath.Join(n.cfg.Data, "store"), n.log.With("part", "store")
	cfg.HeadMemory = n.cfg.Store.HeadMemory
	cfg.Retention = store.Retention{MaxAge: n.cfg.Store.RetentionAge, MaxBytes: n.cfg.Store.RetentionBytes, DiskPercent: n.cfg.Store.RetentionDisk}
	cfg.Ingest = ingestFilters()
	cfg.OnDocs = func(index string, docs [][]byte) {
		if !n.hub.Listening() {
			return
		}
		offer := make([]live.Doc, len(docs))
		for i, d := range docs {
			offer[i] = live.Doc{Index: index, Source: d}
		}
		n.hub.Offer(offer)
	}
	s, err := store.Open(cfg)
	if err != nil {
		return err
	}
	n.store = s
	n.onClose(s.Close)
	n.add("store", s.Run)
	n.health.Watch("store", func() (bool, string) {
		if s.Stats().Damaged > 0 {
			return false, "segments are damaged and set aside; the log names them"
		}
		return true, ""
	})
	h := rest.New(s, n.log.With("part", "rest"))
	n.add("rest", h.Run)
	n.rest = h
	return n.serve("elasticsearch", n.cfg.Listen.Elasticsearch, localHosts(h, n.ports.insecure), &n.ready.Elasticsearch)
}

// openProxy makes the REST API a reverse proxy to a real cluster.
func (n *node) openProxy() error {
	u, err := url.Parse(n.cfg.Store.At)
	if err != nil || u.Host == "" {
		return usage("store: %q is not http://host:port", n.cfg.Store.At)
	}
	n.rest = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = u.Host
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusServiceUnavailable)
			json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"type": "no_connection", "reason": fmt.Sprintf("%s does not answer: %v", u.Host, err)}, "status": 503})
		},
	}
	n.ready.Elasticsearch = n.cfg.Store.At
	return nil
}

func (n *node) openBroker(context.Context) error {
	if n.cfg.Queue != "embedded" {
		return nil
	}
	cfg, err := brokerConfig(n.cfg)
	if err != nil {
		return err
	}
	ln, err := n.ports.listenSecured("kafka", n.cfg.Listen.Kafka, cfg.TLS != nil && len(cfg.Users) > 0)
	if err != nil {
		return err
	}
	cfg.Log, cfg.Listen, cfg.Listeners = n.log.With("part", "broker"), nil, []net.Listener{ln}
	b, err := broker.Open(cfg)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	n.broker = b
	n.onClose(b.Close)
	n.add("broker", b.Run)
	n.ready.Kafka = ln.Addr().String()
	n.health.Watch("broker", func() (bool, string) {
		switch st := b.Stats(); {
		case st.DiskFull:
			return false, "producers are refused: make room on the disk"
		case st.Poisoned > 0:
			return false, "a sync failed; the broker tries again every few seconds"
		case st.Offline > 0:
			return false, "partitions did not open; the log names them"
		}
		return true, ""
	})
	return nil
}

// openQueue chooses the queue that agent and pipelines use.
func (n *node) openQueue(ctx context.Context) error {
	n.onClose(func() error { n.closeAdmin(); return nil })
	if n.broker != nil {
		n.queue = labelled{n.broker}
		return nil
	}
	if found, err := n.outputOf(); found {
		return err
	}
	if n.cfg.Queue == "embedded" {
		return usage("this command runs no queue of its own: name one with --queue kafka://host:9092, or use `weir up`")
	}
	q, err := n.kafka(ctx, n.cfg.Queue)
	if err != nil {
		return err
	}
	n.queue = q
	return nil
}

// kafka connects to a real cluster at kafka://host:port,host:port.
func (n *node) kafka(ctx context.Context, addr string) (queue.Queue, error) {
	cfg, err := kafkaConfig(addr, n.cfg.QueueLogin)
	if err != nil {
		return nil, err
	}
	cfg.Log = n.log.With("part", "kafka")
	q, err := kafka.Open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("queue %s: %w", addr, err)
	}
	n.onClose(q.Close)
	return q, nil
}

// serve opens a port and adds its HTTP server as a part.
func (n *node) serve(name, addr string, h http.Handler, to *string) error {
	ln, err := n.ports.listen(name, addr)
	if err != nil {
		return err
	}
	n.onClose(func() error { ln.Close(); return nil })
	*to = "http://" + ln.Addr().String()
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug)}
	n.add(name, func(ctx context.Context) error {
		done := make(chan error, 1)
		go func() { done <- srv.Serve(ln) }()
		select {
		case err := <-done:
			return fmt.Errorf("%s server: %w", name, err)
		case <-ctx.Done():
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			srv.Close() // streams that stay open
		}
		<-done
		return nil
	})
	return nil
}

// openMonitor serves metrics, health, pipeline stats and profiles.
func (n *node) openMonitor(context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.series.Handler())
	mux.Handle("GET /livez", n.health.Handler())
	mux.Handle("GET /readyz", n.health.Handler())
	n.logstashAPI(mux)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return n.serve("monitor", n.cfg.Listen.Monitor, localHosts(mux, n.ports.insecure), &n.ready.Monitor)
}

// localHosts answers only requests for names of this machine: a page of another site cannot reach the port by DNS rebinding.
func localHosts(next http.Handler, insecure bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !insecure && !loopback(host) {
			http.Error(w, fmt.Sprintf("this server does not answer for host %q", host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// run starts every part, says that all are ready, and stops them in reverse order when ctx ends or one fails.
func (n *node) run(ctx context.Context, stdout io.Writer) error {
	type ended struct {
		name string
		err  error
	}
	failed := make(chan ended, len(n.parts))
	stops := make([]func(), len(n.parts))
	for i, p := range n.parts {
		pctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() {
			defer close(done)
			err := p.run(pctx)
			if pctx.Err() == nil || err != nil {
				failed <- ended{p.name, err}
			}
		}()
		stops[i] = func() { cancel(); <-done }
	}
	line, err := json.Marshal(n.ready)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.cfg.Data, "ready.json"), append(line, '\n'), 0o600); err != nil {
		n.log.Warn("addresses not written", "error", err)
	}
	fmt.Fprintf(stdout, "%s\n", line)
	n.log.Info("ready", "ui", n.ready.UI, "elasticsearch", n.ready.Elasticsearch, "kafka", n.ready.Kafka, "monitor", n.ready.Monitor)
	var first error
	select {
	case <-ctx.Done():
		n.log.Info("stopping")
	case e := <-failed:
		if e.err != nil {
			first = fmt.Errorf("%s: %w", e.name, e.err)
		} else if !n.finite(e.name) {
			first = fmt.Errorf("%s ended by itself", e.name)
		}
	}
	for i := len(stops) - 1; i >= 0; i-- {
		stops[i]()
	}
	os.Remove(filepath.Join(n.cfg.Data, "ready.json"))
	for len(failed) > 0 && first == nil {
		if e := <-failed; e.err != nil {
			first = fmt.Errorf("%s: %w", e.name, e.err)
		}
	}
	return errors.Join(first, n.close())
}

// finite tells the parts whose end is no fault: a pipeline or an agent whose inputs have an end.
func (n *node) finite(name string) bool { return name == "pipeline" || name == "agent" }

// labelled marks in profiles what the broker does for its callers.
type labelled struct{ *broker.Broker }

func (l labelled) Produce(ctx context.Context, recs []queue.Record) (err error) {
	rpprof.Do(ctx, rpprof.Labels("part", "broker"), func(ctx context.Context) { err = l.Broker.Produce(ctx, recs) })
	return err
}

// labelledWriter marks in profiles what the store does for a pipeline.
type labelledWriter struct{ bulk.Writer }

func (l labelledWriter) Write(ctx context.Context, b bulk.Batch) (r []bulk.Rejected, err error) {
	rpprof.Do(ctx, rpprof.Labels("part", "store"), func(ctx context.Context) { r, err = l.Writer.Write(ctx, b) })
	return r, err
}
