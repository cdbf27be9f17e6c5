package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/live"
	"github.com/weirlog/weir/web/when"
)

// Bounds of one search.
const (
	defaultRows = 200
	maxRows     = 1000
	maxFilters  = 64
	// maxSlices is how many pieces a histogram over more than a day is counted in, newest first, so that bars fill from the right.
	maxSlices    = 8
	breakdownTop = 6
)

// Filter is one pill beside the query.
type Filter struct {
	Field    string          `json:"field"`
	Op       string          `json:"op"` // is, is_not, exists, not_exists, range, one_of, none_of, dsl
	Value    json.RawMessage `json:"value"`
	Disabled bool            `json:"disabled"`
}

// exploreRequest is what the Explore page asks.
type exploreRequest struct {
	Index     string   `json:"index"`
	Query     string   `json:"query"`
	Lang      string   `json:"lang"` // kql or lucene
	Filters   []Filter `json:"filters"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	TZ        string   `json:"tz"`
	Breakdown string   `json:"breakdown"`
	Size      int      `json:"size"`
	Cursor    string   `json:"cursor"`
	Sort      string   `json:"sort"`   // field:asc or field:desc; newest first when empty
	Source    bool     `json:"source"` // rows carry the whole document
}

// explore answers with NDJSON frames as they come: parsed, hits, histogram (several), done or error.
func (s *Server) explore(w http.ResponseWriter, r *http.Request) {
	var req exploreRequest
	if !readJSON(w, r, &req) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchTimeout)
	defer cancel()
	q, err := s.newQuery(ctx, r, req)
	if err != nil {
		failWith(w, err)
		return
	}
	out := newFrames(w)
	out.send("parsed", q.parsed)
	if q.dsl == nil { // the text could not be read: its error is in the frame
		out.send("done", map[string]any{"took_ms": 0, "total": 0, "partial": false})
		return
	}
	q.run(ctx, out)
}

// query is one search of the Explore page, parsed.
type query struct {
	s        *Server
	r        *http.Request
	req      exploreRequest
	dsl      json.RawMessage // nil when the text could not be read
	parsed   map[string]any
	from, to time.Time
	loc      *time.Location
}

func (s *Server) newQuery(ctx context.Context, r *http.Request, req exploreRequest) (*query, error) {
	if req.Index == "" {
		req.Index = "logs-*"
	}
	if req.Size <= 0 {
		req.Size = defaultRows
	}
	req.Size = min(req.Size, maxRows)
	if len(req.Filters) > maxFilters {
		return nil, es.Refuse(http.StatusBadRequest, "too_many_filters", fmt.Sprintf("%d filters, at most %d", len(req.Filters), maxFilters))
	}
	q := &query{s: s, r: r, req: req}
	var err error
	if q.loc, err = location(req.TZ); err != nil {
		return nil, err
	}
	now := time.Now()
	if q.from, err = when.Resolve(orDefault(req.From, "now-15m"), now, q.loc, false); err == nil {
		q.to, err = when.Resolve(orDefault(req.To, "now"), now, q.loc, true)
	}
	if err != nil {
		return nil, es.Refuse(http.StatusBadRequest, "bad_time", err.Error())
	}
	if q.to.Before(q.from) {
		return nil, es.Refuse(http.StatusBadRequest, "bad_time", "the range ends before it begins")
	}
	return q, q.parse(ctx)
}

// parse reads the query text; a syntax error is part of the parsed frame, not an error.
func (q *query) parse(ctx context.Context) error {
	q.parsed = map[string]any{"tokens": []any{}, "hints": []any{}, "error": nil}
	defer func() {
		q.parsed["from_ms"], q.parsed["to_ms"] = q.from.UnixMilli(), q.to.UnixMilli()
	}()
	if q.req.Lang == "lucene" {
		q.dsl, _ = json.Marshal(map[string]any{"match_all": struct{}{}})
		if q.req.Query != "" {
			q.dsl, _ = json.Marshal(map[string]any{"query_string": map[string]any{"query": q.req.Query, "analyze_wildcard": true}})
		}
		return nil
	}
	v, err := q.s.ask(ctx, q.s.cfg.KQL, q.r, "POST", "/_kql/parse", map[string]any{"text": q.req.Query, "index": q.req.Index, "tz": q.loc.String()})
	if err != nil {
		return err
	}
	for _, k := range []string{"tokens", "hints", "error"} {
		if f := v.Get(k); f != nil {
			q.parsed[k] = json.RawMessage(f.MarshalTo(nil))
		}
	}
	if dsl := v.Get("dsl"); dsl != nil && dsl.Type() == fastjson.TypeObject {
		q.dsl = dsl.MarshalTo(nil)
	}
	return nil
}

// body is the bool query of text, pills and the time range.
func (q *query) body(from, to time.Time, includeTo bool) map[string]any {
	end := "lt"
	if includeTo {
		end = "lte"
	}
	filter, not := q.clauses()
	filter = append(filter, map[string]any{"range": map[string]any{"@timestamp": map[string]any{
		"gte": from.UnixMilli(), end: to.UnixMilli(), "format": "epoch_millis"}}})
	b := map[string]any{"filter": filter}
	if not != nil {
		b["must_not"] = not
	}
	return map[string]any{"bool": b}
}

// clauses are the text and the pills: what must match, and what must not.
func (q *query) clauses() (filter, not []any) {
	filter = []any{q.dsl}
	for _, f := range q.req.Filters {
		if f.Disabled || f.Field == "" {
			continue
		}
		clause, negated := f.clause()
		if negated {
			not = append(not, clause)
		} else {
			filter = append(filter, clause)
		}
	}
	return filter, not
}

func (f Filter) clause() (clause any, negated bool) {
	switch f.Op {
	case "exists", "not_exists":
		return map[string]any{"exists": map[string]any{"field": f.Field}}, f.Op == "not_exists"
	case "range":
		return map[string]any{"range": map[string]any{f.Field: f.Value}}, false
	case "dsl":
		return f.Value, false
	case "one_of", "none_of":
		return oneOf(f.Field, f.Value), f.Op == "none_of"
	}
	return map[string]any{"match_phrase": map[string]any{f.Field: f.Value}}, f.Op == "is_not"
}

// oneOf matches any of a list of values.
func oneOf(field string, list json.RawMessage) any {
	var values, should []any
	json.Unmarshal(list, &values)
	for _, v := range values {
		should = append(should, map[string]any{"match_phrase": map[string]any{field: v}})
	}
	return map[string]any{"bool": map[string]any{"should": should, "minimum_should_match": 1}}
}

// run asks for rows and bars at once and sends each as it is there.
func (q *query) run(ctx context.Context, out *frames) {
	start := time.Now()
	sum := &summary{}
	var wg sync.WaitGroup
	var rowsErr, barsErr error
	wg.Go(func() { rowsErr = q.rows(ctx, out, sum) })
	if q.req.Cursor == "" {
		wg.Go(func() { barsErr = q.histogram(ctx, out, sum) })
	}
	wg.Wait()
	if err := errors.Join(rowsErr, barsErr); err != nil {
		out.sendError(err)
		return
	}
	out.send("done", map[string]any{"took_ms": time.Since(start).Milliseconds(), "total": sum.total, "newest_ms": sum.newest, "partial": sum.partial})
}

// summary is what the last frame tells; rows and histogram each write their own fields, partial by both under mu.
type summary struct {
	total   int64
	newest  int64
	mu      sync.Mutex
	partial bool
}

func (s *summary) note(v *fastjson.Value) {
	if v.GetBool("timed_out") || v.GetInt("_shards", "failed") > 0 {
		s.mu.Lock()
		s.partial = true
		s.mu.Unlock()
	}
}

// order is newest first; equal times go by where the line stood in its partition and file.
func order(dir string) []any {
	unmapped := func(field string) any {
		return map[string]any{field: map[string]any{"order": dir, "unmapped_type": "long"}}
	}
	return []any{map[string]any{"@timestamp": map[string]any{"order": dir, "unmapped_type": "date"}},
		unmapped("kafka.partition"), unmapped("kafka.offset"), unmapped("log.offset")}
}

// order is by the field the page asks for, then newest first.
func (q *query) order() []any {
	field, dir, _ := strings.Cut(q.req.Sort, ":")
	switch {
	case field == "":
		return order("desc")
	case dir != "asc":
		dir = "desc"
	}
	if field == "@timestamp" {
		return order(dir)
	}
	return append([]any{map[string]any{field: map[string]any{"order": dir, "missing": "_last", "unmapped_type": "keyword"}}}, order("desc")...)
}

func (q *query) rows(ctx context.Context, out *frames, sum *summary) error {
	body := map[string]any{"size": q.req.Size, "track_total_hits": false, "sort": q.order(), "query": q.body(q.from, q.to, true), "timeout": "25s"}
	if q.req.Cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(q.req.Cursor)
		if err != nil || !json.Valid(after) {
			return es.Refuse(http.StatusBadRequest, "bad_cursor", "the cursor is not one of this server's")
		}
		body["search_after"] = json.RawMessage(after)
	}
	v, err := q.s.search(ctx, q.r, q.req.Index, body)
	if err != nil {
		return err
	}
	sum.note(v)
	rows := rowsOf(v, q.req.Source)
	var cursor any
	if len(rows) == q.req.Size {
		cursor = base64.RawURLEncoding.EncodeToString(rows[len(rows)-1].Sort)
	}
	if len(rows) > 0 {
		sum.newest = rows[0].T
	}
	out.send("hits", map[string]any{"rows": rows, "cursor": cursor})
	return nil
}

func rowsOf(v *fastjson.Value, whole bool) []live.Row {
	rows := []live.Row{}
	var b live.Builder
	for _, h := range v.GetArray("hits", "hits") {
		source := h.Get("_source").MarshalTo(nil)
		row := b.Row(string(h.GetStringBytes("_index")), string(h.GetStringBytes("_id")), source)
		if whole {
			row.Doc = source
		}
		if sort := h.Get("sort"); sort != nil {
			row.Sort = sort.MarshalTo(nil)
		}
		rows = append(rows, row)
	}
	return rows
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func location(tz string) (*time.Location, error) {
	if tz == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(tz)
	if err != nil {
		return nil, es.Refuse(http.StatusBadRequest, "bad_time_zone", fmt.Sprintf("time zone %q is not known", tz))
	}
	return loc, nil
}

// frames writes NDJSON frames; it is safe for concurrent use.
type frames struct {
	mu sync.Mutex
	w  http.ResponseWriter
	rc *http.ResponseController
}

func newFrames(w http.ResponseWriter) *frames {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	return &frames{w: w, rc: http.NewResponseController(w)}
}

// send writes {"kind": body} and flushes; a browser that left shows in the request's context.
func (f *frames) send(kind string, body any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	enc := json.NewEncoder(f.w)
	enc.SetEscapeHTML(false)
	if enc.Encode(map[string]any{kind: body}) == nil {
		f.rc.Flush()
	}
}

func (f *frames) sendError(err error) {
	f.send("error", problemOf(err))
}

// problemOf is what the pages are told of an error.
func problemOf(err error) *problem {
	var p *problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, context.DeadlineExceeded):
		p = es.Refuse(http.StatusGatewayTimeout, "timeout", fmt.Sprintf("no answer within %s; narrow the time range", searchTimeout))
	default:
		p = es.Refuse(http.StatusInternalServerError, "internal", err.Error())
	}
	return p
}
