package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/weirlog/weir/web/live"
)

// Pace of live tail.
const (
	tailFrame    = 50 * time.Millisecond // at most one frame of rows in this time
	tailRows     = 1000                  // rows in one frame
	tailHistory  = 200                   // rows searched before the first live one
	tailIdle     = 5 * time.Second       // an empty frame shows that the line is open
	tailPoll     = time.Second           // without a hub in this process
	writeTimeout = 5 * time.Second       // a browser that does not read is let go
)

// tailMessage is one frame of live tail.
type tailMessage struct {
	Rows    []live.Row `json:"rows"`
	Skipped uint64     `json:"skipped"`
	Unseen  uint64     `json:"unseen"`
	Now     string     `json:"now"`
	History bool       `json:"history,omitempty"`
	Polling bool       `json:"polling,omitempty"`
}

// tail streams documents as they come: first the newest 200 that a search finds, then each as it passes.
func (s *Server) tail(w http.ResponseWriter, r *http.Request) {
	q, err := s.newQuery(r.Context(), r, exploreRequest{Index: r.FormValue("index"), Query: r.FormValue("query"), Lang: r.FormValue("lang"), From: "now-1d", To: "now+1h", Size: tailHistory, Source: r.FormValue("source") == "true"})
	if err != nil {
		failWith(w, err)
		return
	}
	if q.dsl == nil {
		fail(w, http.StatusBadRequest, "bad_query", "the query cannot be read")
		return
	}
	var sub *live.Subscriber
	if s.cfg.Live != nil && s.cfg.Match != nil && q.req.Lang != "lucene" {
		match, err := s.cfg.Match(q.req.Query)
		if err != nil {
			fail(w, http.StatusBadRequest, "bad_query", err.Error())
			return
		}
		if sub, err = s.cfg.Live.Subscribe(tailMatch(q.req.Index, match), q.req.Source); err != nil {
			fail(w, http.StatusTooManyRequests, "too_many_tails", err.Error())
			return
		}
		defer sub.Close()
	}
	conn, err := websocket.Accept(w, r, nil) // checks Origin against Host
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(r.Context())
	if sub == nil {
		s.tailByPolling(ctx, conn, q)
		return
	}
	tailLive(ctx, conn, q, sub)
}

// tailMatch tests a document's index against the pattern and its body against the query.
func tailMatch(pattern string, match func(doc []byte) bool) func(live.Doc) bool {
	patterns := strings.Split(pattern, ",")
	return func(d live.Doc) bool {
		for _, p := range patterns {
			if ok, _ := path.Match(p, d.Index); ok {
				return match(d.Source)
			}
		}
		return false
	}
}

// tailLive sends history, then what the hub brings. Rows of the history that also came live are left out of it by place.
func tailLive(ctx context.Context, conn *websocket.Conn, q *query, sub *live.Subscriber) {
	rows, err := q.newest(ctx)
	if err != nil {
		closeWith(conn, err)
		return
	}
	seen := map[string]bool{}
	for _, r := range rows {
		seen[placeKey(r)] = true
	}
	if send(ctx, conn, tailMessage{Rows: rows, History: true}) != nil {
		return
	}
	idle := time.NewTicker(tailIdle)
	defer idle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-idle.C:
			if send(ctx, conn, tailMessage{Rows: []live.Row{}}) != nil {
				return
			}
		case <-sub.Ready():
			if !drain(ctx, conn, sub, seen) {
				return
			}
		}
	}
}

// drain sends frames until the ring is empty, one per tailFrame.
func drain(ctx context.Context, conn *websocket.Conn, sub *live.Subscriber, seen map[string]bool) bool {
	for more := true; more; {
		var m tailMessage
		m.Rows, m.Skipped, m.Unseen, more = sub.Take(tailRows)
		m.Rows = unseenRows(m.Rows, seen)
		if send(ctx, conn, m) != nil {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(tailFrame):
		}
	}
	return true
}

// unseenRows drops rows that the history showed already.
func unseenRows(rows []live.Row, seen map[string]bool) []live.Row {
	out := rows[:0]
	for _, r := range rows {
		if k := placeKey(r); seen[k] {
			delete(seen, k)
			continue
		}
		out = append(out, r)
	}
	if out == nil {
		out = []live.Row{}
	}
	return out
}

// placeKey names the bytes a row came from; rows of unknown origin go by id.
func placeKey(r live.Row) string {
	if r.Source == nil || r.Source.ID == "" {
		return r.ID
	}
	return fmt.Sprintf("%s:%d", r.Source.ID, r.Source.Offset)
}

// newest are the last rows a search finds, oldest first.
func (q *query) newest(ctx context.Context) ([]live.Row, error) {
	v, err := q.s.search(ctx, q.r, q.req.Index, map[string]any{"size": q.req.Size, "track_total_hits": false, "sort": order("desc"), "query": q.body(q.from, q.to, true)})
	if err != nil {
		return nil, err
	}
	rows := rowsOf(v, q.req.Source)
	slices.Reverse(rows)
	return rows, nil
}

// tailByPolling searches once a second: for a store that is fed elsewhere, and for Lucene syntax.
func (s *Server) tailByPolling(ctx context.Context, conn *websocket.Conn, q *query) {
	seen := map[string]bool{}
	first := true
	for {
		rows, err := q.newest(ctx)
		if err != nil {
			closeWith(conn, err)
			return
		}
		fresh := []live.Row{}
		next := make(map[string]bool, len(rows))
		for _, r := range rows {
			if !seen[r.ID] {
				fresh = append(fresh, r)
			}
			next[r.ID] = true
		}
		seen = next
		if (first || len(fresh) > 0) && send(ctx, conn, tailMessage{Rows: fresh, History: first, Polling: true}) != nil {
			return
		}
		first = false
		select {
		case <-ctx.Done():
			return
		case <-time.After(tailPoll):
		}
	}
}

func send(ctx context.Context, conn *websocket.Conn, m tailMessage) error {
	m.Now = time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, b)
}

func closeWith(conn *websocket.Conn, err error) {
	reason := err.Error()
	if len(reason) > 120 { // the close frame holds 123 bytes
		reason = reason[:120]
	}
	conn.Close(websocket.StatusInternalError, reason)
}
