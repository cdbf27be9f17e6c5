package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/flow"
)

// Bounds of a look at the queue.
const (
	queueTimeout  = 15 * time.Second
	maxMessages   = 500
	defaultPage   = 50
	shownBytes    = 64 << 10 // of a message's value
	longestSpan   = 24 * time.Hour
	defaultWindow = time.Hour
)

// queueRoutes are topics, groups and messages, over Kafka, and what the flow was before.
func (s *Server) queueRoutes(mux *http.ServeMux) {
	for pattern, h := range map[string]func(ctx context.Context, a *kafka.Admin, r *http.Request) (any, error){
		"GET /weir/topics": func(ctx context.Context, a *kafka.Admin, _ *http.Request) (any, error) {
			l, err := a.Topics(ctx)
			return map[string]any{"topics": orEmpty(l)}, err
		},
		"GET /weir/topics/{name}": func(ctx context.Context, a *kafka.Admin, r *http.Request) (any, error) {
			return a.Topic(ctx, r.PathValue("name"))
		},
		"GET /weir/topics/{name}/messages": messages,
		"GET /weir/groups": func(ctx context.Context, a *kafka.Admin, _ *http.Request) (any, error) {
			l, err := a.Groups(ctx)
			return map[string]any{"groups": orEmpty(l)}, err
		},
		"GET /weir/groups/{name}": s.group,
	} {
		mux.HandleFunc(pattern, s.queued(h))
	}
	mux.HandleFunc("POST /weir/groups/{name}/reset", s.resetGroup)
	mux.HandleFunc("GET /weir/flow/history", s.flowHistory)
	if s.cfg.Dead != nil {
		mux.Handle("GET /weir/dead", s.cfg.Dead)
		mux.Handle("POST /weir/dead/replay", s.cfg.Dead)
	}
}

func orEmpty[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// queued runs a look at the queue.
func (s *Server) queued(h func(ctx context.Context, a *kafka.Admin, r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, err := s.queue()
		if err != nil {
			failWith(w, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), queueTimeout)
		defer cancel()
		v, err := h(ctx, a, r)
		if err != nil {
			failWith(w, queueProblem(err))
			return
		}
		reply(w, v)
	}
}

func (s *Server) queue() (*kafka.Admin, error) {
	if s.cfg.Queue == nil {
		return nil, es.Refuse(http.StatusNotImplemented, "no_queue", "this process has no queue to look at; topics and groups come with `weir up` or a queue in weir.yml")
	}
	a, err := s.cfg.Queue()
	if err != nil {
		return nil, es.Refuse(http.StatusServiceUnavailable, "no_queue", err.Error())
	}
	return a, nil
}

// queueProblem gives an error of the queue its status.
func queueProblem(err error) error {
	var p *es.Error
	switch {
	case errors.As(err, &p):
		return err
	case errors.Is(err, queue.ErrUnknownTopic), errors.Is(err, kafka.ErrUnknownGroup):
		return es.Refuse(http.StatusNotFound, "not_found", err.Error())
	case errors.Is(err, kafka.ErrGroupActive):
		return es.Refuse(http.StatusConflict, "group_active", err.Error())
	case errors.Is(err, queue.ErrDenied):
		return es.Refuse(http.StatusForbidden, "denied", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return es.Refuse(http.StatusGatewayTimeout, "timeout", "the queue did not answer in time")
	}
	return es.Refuse(http.StatusBadRequest, "queue", err.Error())
}

// messages is a page of a topic: ?from=newest|oldest|OFFSET|TIME|-15m, until, partition, key, contains, limit; at=0:17,1:3 goes on there.
func messages(ctx context.Context, a *kafka.Admin, r *http.Request) (any, error) {
	q := kafka.Browse{Topic: r.PathValue("name"), From: orDefault(r.FormValue("from"), "newest"), Until: r.FormValue("until"), Key: r.FormValue("key"),
		Contains: r.FormValue("contains"), Limit: defaultPage, ValueBytes: shownBytes}
	if l := r.FormValue("limit"); l != "" {
		n, err := strconv.Atoi(l)
		if err != nil || n < 1 || n > maxMessages {
			return nil, es.Refuse(http.StatusBadRequest, "bad_limit", "limit is a number from 1 to "+strconv.Itoa(maxMessages))
		}
		q.Limit = n
	}
	if p := r.FormValue("partition"); p != "" {
		n, err := strconv.ParseInt(p, 10, 32)
		if err != nil || n < 0 {
			return nil, es.Refuse(http.StatusBadRequest, "bad_partition", "partition "+strconv.Quote(p)+" is no number")
		}
		q.Partitions = []int32{int32(n)}
	}
	at, err := places(r.FormValue("at"))
	if err != nil {
		return nil, err
	}
	q.At = at
	return a.Browse(ctx, q)
}

// places reads PARTITION:OFFSET,...
func places(s string) (map[int32]int64, error) {
	if s == "" {
		return nil, nil
	}
	m := map[int32]int64{}
	for one := range strings.SplitSeq(s, ",") {
		p, o, _ := strings.Cut(one, ":")
		partition, err := strconv.ParseInt(p, 10, 32)
		offset, err2 := strconv.ParseInt(o, 10, 64)
		if err != nil || err2 != nil || partition < 0 || offset < 0 {
			return nil, es.Refuse(http.StatusBadRequest, "bad_place", "at is PARTITION:OFFSET,..., not "+strconv.Quote(s))
		}
		m[int32(partition)] = offset
	}
	return m, nil
}

// group is one group, and why it cannot be moved when its places are kept by the store.
func (s *Server) group(ctx context.Context, a *kafka.Admin, r *http.Request) (any, error) {
	g, err := a.Group(ctx, r.PathValue("name"))
	return struct {
		kafka.GroupDetail
		Kept string `json:"kept,omitempty"`
	}{g, s.kept(r.PathValue("name"))}, err
}

func (s *Server) kept(group string) string {
	if s.cfg.Kept == nil {
		return ""
	}
	return s.cfg.Kept(group)
}

// resetGroup moves a group without members; with dry_run it only tells what would move.
func (s *Server) resetGroup(w http.ResponseWriter, r *http.Request) {
	var in struct {
		To     string   `json:"to"`
		Topics []string `json:"topics"`
		DryRun bool     `json:"dry_run"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	name := r.PathValue("name")
	if why := s.kept(name); why != "" {
		fail(w, http.StatusConflict, "kept_by_store", why)
		return
	}
	s.queued(func(ctx context.Context, a *kafka.Admin, _ *http.Request) (any, error) {
		moves, err := a.Reset(ctx, name, kafka.Reset{Topics: in.Topics, To: in.To, DryRun: in.DryRun})
		return map[string]any{"moves": orEmpty(moves), "done": !in.DryRun}, err
	})(w, r)
}

// flowHistory answers the figures of the last ?span=1h, at most a day.
func (s *Server) flowHistory(w http.ResponseWriter, r *http.Request) {
	if s.history == nil {
		s.flow(w, r) // says what is missing
		return
	}
	span := defaultWindow
	if v := r.FormValue("span"); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < flow.Fine || d > longestSpan {
			fail(w, http.StatusBadRequest, "bad_span", "span is a duration from 5s to 24h, not "+strconv.Quote(v))
			return
		}
		span = d
	}
	reply(w, s.history.Last(span))
}
