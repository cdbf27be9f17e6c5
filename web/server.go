package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/weirlog/weir/queue/kafka"
	"github.com/weirlog/weir/web/alert"
	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/flow"
	"github.com/weirlog/weir/web/live"
	"github.com/weirlog/weir/web/object"
)

// Bounds of a request.
const (
	maxBody       = 1 << 20 // bytes of a JSON body
	searchTimeout = 30 * time.Second
)

// Config is what the server is made of.
type Config struct {
	// Store answers the Elasticsearch REST API.
	Store http.Handler
	// Embedded is true when Store is weir's own.
	Embedded bool
	// KQL answers POST /_kql/parse; nil means Store does.
	KQL http.Handler
	// Live is the hub of documents on their way into the store; nil when no pipeline writes in this process: live tail then polls.
	Live *live.Hub
	// Match compiles a KQL text to a test of one JSON document; needed with Live.
	Match func(kql string) (func(doc []byte) bool, error)
	// Flow gives the picture of all parts as JSON; nil when this process cannot know.
	Flow func() any
	// Audit answers GET /weir/audit, the account of every byte by source; nil when this process cannot know.
	Audit http.Handler
	// Journey reads a record from the queue again and runs it through the pipelines that read it, writing nothing; the answer is JSON.
	// nil when this process has no queue to look at.
	Journey func(ctx context.Context, topic string, partition int32, offset int64) (any, error)
	// Check reports on a filebeat.yml, weir.yml or .conf: its kind, and what of it is not supported, line by line. nil: not here.
	Check func(name string, text []byte) (kind string, problems any, err error)
	// Pipelines answers /weir/pipelines: texts, checks, previews, changes and their history; nil when this process runs none.
	Pipelines http.Handler
	// Queue is the client that looks at topics, groups and messages; nil when this process has no queue.
	Queue func() (*kafka.Admin, error)
	// Kept says why a group's places cannot be moved through the queue, "" when they can; nil: all can.
	Kept func(group string) string
	// Dead answers GET /weir/dead and POST /weir/dead/replay, the records that could not be processed; nil when there is no queue.
	Dead http.Handler
	// Link is the address people reach the pages at, for what alerts tell; "" leaves links out.
	Link string
	// Version is shown in the shell.
	Version string
	// Insecure is true while a listener is open beyond loopback without authentication; the shell shows a banner.
	Insecure bool
	// Demo is true when the data is made up by `weir demo`.
	Demo bool
	// Hosts are the names a browser may use in the Host header; empty: loopback names and addresses only.
	Hosts []string
	Log   *slog.Logger
}

// Server answers the browser. It is safe for concurrent use.
type Server struct {
	cfg     Config
	handler http.Handler
	pages   *pages
	objects *object.Store
	ready   []dashboard.Ready // dashboards that cannot be changed
	alerts  *alert.Alerts
	history *flow.History // nil without Flow
}

// New builds the server; it starts nothing. Run evaluates its alerts.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil {
		return nil, errors.New("web: no store")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.KQL == nil {
		cfg.KQL = cfg.Store
	}
	p, err := newPages()
	if err != nil {
		return nil, err
	}
	shipped, err := dashboard.Shipped()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, pages: p, objects: object.New(cfg.Store), ready: shipped}
	s.alerts = s.newAlerts()
	if cfg.Flow != nil {
		s.history = flow.NewHistory(cfg.Flow)
	}
	s.handler = s.guard(s.routes())
	return s, nil
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /weir/explore", s.explore)
	mux.HandleFunc("GET /weir/event", s.event)
	mux.HandleFunc("GET /weir/export", s.export)
	mux.HandleFunc("GET /weir/context", s.context)
	mux.HandleFunc("GET /weir/journey", s.journey)
	mux.HandleFunc("GET /weir/fields", s.fields)
	mux.HandleFunc("GET /weir/values", s.values)
	mux.HandleFunc("POST /weir/kql", s.kql)
	mux.HandleFunc("GET /weir/tail", s.tail)
	mux.HandleFunc("GET /weir/flow", s.flow)
	mux.HandleFunc("GET /weir/info", s.info)
	if s.cfg.Audit != nil {
		mux.Handle("GET /weir/audit", s.cfg.Audit)
	}
	if s.cfg.Pipelines != nil {
		mux.Handle("/weir/pipelines", s.cfg.Pipelines)
		mux.Handle("/weir/pipelines/", s.cfg.Pipelines)
	}
	s.queueRoutes(mux)
	mux.HandleFunc("POST /weir/console", s.console)
	mux.HandleFunc("POST /weir/patterns", s.patterns)
	mux.HandleFunc("GET /weir/objects/{type}", s.listObjects)
	mux.HandleFunc("/weir/objects/{type}/{id}", s.object)
	mux.HandleFunc("POST /weir/panels", s.panels)
	s.settingsRoutes(mux)
	s.alertRoutes(mux)
	s.kibana(mux)
	mux.HandleFunc("/weir/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, "not_found", fmt.Sprintf("no handler for %s %s", r.Method, r.URL.Path))
	})
	mux.HandleFunc("GET /assets/", s.pages.asset)
	mux.HandleFunc("/", s.pages.page)
	return mux
}

// guard refuses foreign Host headers (DNS rebinding) and cross-origin changes, and sets the headers every answer carries.
func (s *Server) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	next = cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.hostAllowed(r.Host) {
			fail(w, http.StatusMisdirectedRequest, "host_not_allowed", fmt.Sprintf("this server does not answer for host %q", r.Host))
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func (s *Server) hostAllowed(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || s.cfg.Insecure) {
		return true
	}
	for _, h := range s.cfg.Hosts {
		if strings.EqualFold(h, host) {
			return true
		}
	}
	return false
}

func (s *Server) info(w http.ResponseWriter, r *http.Request) {
	reply(w, map[string]any{"version": s.cfg.Version, "insecure": s.cfg.Insecure, "demo": s.cfg.Demo, "live": s.cfg.Live != nil, "embedded": s.cfg.Embedded,
		"flow": s.cfg.Flow != nil, "queue": s.cfg.Queue != nil, "pipelines": s.cfg.Pipelines != nil, "check": s.cfg.Check != nil})
}

func (s *Server) flow(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Flow == nil {
		fail(w, http.StatusNotImplemented, "no_flow", "no part but the UI runs in this process; the flow picture comes with `weir up`")
		return
	}
	reply(w, s.cfg.Flow())
}

// reply writes v as JSON.
func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // an error here is the browser leaving
}

func fail(w http.ResponseWriter, status int, typ, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": problem{Status: status, Type: typ, Reason: reason}})
}

// failWith writes err, with the status of a problem or 500.
func failWith(w http.ResponseWriter, err error) {
	p := problemOf(err)
	fail(w, p.Status, p.Type, p.Reason)
}

// readJSON reads a bounded JSON body into v; false means the answer is written.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	if ct := r.Header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		fail(w, http.StatusUnsupportedMediaType, "media_type", fmt.Sprintf("Content-Type %q is not application/json", ct))
		return false
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(v); err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "body: "+err.Error())
		return false
	}
	return true
}
