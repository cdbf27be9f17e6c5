package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/weirlog/weir/web/pattern"
)

// patternPage is how many messages one search of the clustering reads.
const patternPage = 1000

// shape is one group of messages, as the Patterns tab shows it.
type shape struct {
	Template string         `json:"template"`
	Count    int            `json:"count"`
	Share    float64        `json:"share"` // of the messages looked at
	FirstMs  int64          `json:"first_ms"`
	LastMs   int64          `json:"last_ms"`
	Slots    []int          `json:"slots"`
	Levels   map[string]int `json:"levels"`
	Example  string         `json:"example"`
	DSL      any            `json:"dsl"` // finds messages with the same fixed words; null when there are none
}

// patterns groups the newest messages that a search of the Explore page finds.
func (s *Server) patterns(w http.ResponseWriter, r *http.Request) {
	var req exploreRequest
	if !readJSON(w, r, &req) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchTimeout)
	defer cancel()
	start := time.Now()
	q, err := s.newQuery(ctx, r, req)
	if err != nil {
		failWith(w, err)
		return
	}
	answer := map[string]any{"parsed": q.parsed, "patterns": []shape{}}
	if q.dsl != nil {
		cfg := pattern.DefaultConfig()
		c := pattern.New(cfg, q.from, q.to)
		seen, partial, err := q.feed(ctx, c, cfg.Messages)
		if err != nil {
			failWith(w, err)
			return
		}
		list := []shape{}
		for _, g := range c.Clusters() {
			list = append(list, shapeOf(g, seen))
		}
		answer["patterns"], answer["seen"], answer["rest"], answer["partial"], answer["all"] = list, seen, c.Rest(), partial, seen < cfg.Messages
	}
	answer["from_ms"], answer["to_ms"], answer["took_ms"] = q.from.UnixMilli(), q.to.UnixMilli(), time.Since(start).Milliseconds()
	reply(w, answer)
}

// feed reads the newest messages, page by page, and adds them.
func (q *query) feed(ctx context.Context, c *pattern.Clusterer, limit int) (seen int, partial bool, err error) {
	body := map[string]any{"size": patternPage, "track_total_hits": false, "sort": order("desc"), "query": q.body(q.from, q.to, true), "timeout": "25s",
		"_source": []string{"@timestamp", "message", "log.original", "event.original", "log.level", "level", "severity", "loglevel"}}
	for seen < limit {
		body["size"] = min(patternPage, limit-seen)
		v, err := q.s.search(ctx, q.r, q.req.Index, body)
		if err != nil {
			return seen, partial, err
		}
		partial = partial || v.GetBool("timed_out") || v.GetInt("_shards", "failed") > 0
		rows := rowsOf(v, false)
		for i := range rows {
			c.Add(rows[i].Message, rows[i].Level, time.UnixMilli(rows[i].T))
		}
		seen += len(rows)
		if len(rows) < patternPage || rows[len(rows)-1].Sort == nil {
			break
		}
		body["search_after"] = json.RawMessage(rows[len(rows)-1].Sort)
	}
	return seen, partial, nil
}

func shapeOf(g *pattern.Cluster, seen int) shape {
	sh := shape{Template: g.Template(), Count: g.Count, Share: float64(g.Count) / float64(max(1, seen)), FirstMs: g.First.UnixMilli(), LastMs: g.Last.UnixMilli(),
		Slots: g.Slots, Levels: g.Levels, Example: g.Example}
	var must []any
	for _, l := range g.Literals() {
		must = append(must, map[string]any{"match_phrase": map[string]any{"message": l}})
	}
	if must != nil {
		sh.DSL = map[string]any{"bool": map[string]any{"filter": must}}
	}
	return sh
}
