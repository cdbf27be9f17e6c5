package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
)

// Bounds of an export: it has no end but that of the hits, so only what it holds at once is bounded.
const (
	exportPage    = 1000 // hits of one search
	exportKeep    = "2m" // how long the point in time lives between two pages
	exportTimeout = time.Hour
	maxExportCols = 200
)

// exportColumns are written when the page names none.
var exportColumns = []string{"@timestamp", "log.level", "service.name", "log.logger", "message"}

// export streams all hits of a search as CSV, NDJSON or text, oldest pages last. It is a GET, so that the browser saves it as a file.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	req := exploreRequest{Index: r.FormValue("index"), Query: r.FormValue("query"), Lang: r.FormValue("lang"), From: r.FormValue("from"), To: r.FormValue("to"), TZ: r.FormValue("tz")}
	if f := r.FormValue("filters"); f != "" {
		if err := json.Unmarshal([]byte(f), &req.Filters); err != nil {
			fail(w, http.StatusBadRequest, "bad_request", "filters: "+err.Error())
			return
		}
	}
	format := orDefault(r.FormValue("format"), "ndjson")
	types := map[string]string{"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "text": "text/plain; charset=utf-8"}
	if types[format] == "" {
		fail(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("format %q is not csv, ndjson or text", format))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTimeout)
	defer cancel()
	q, err := s.newQuery(ctx, r, req)
	if err == nil && q.dsl == nil {
		err = es.Refuse(http.StatusBadRequest, "bad_query", "the query cannot be read")
	}
	if err != nil {
		failWith(w, err)
		return
	}
	pages := q.pages(ctx)
	defer pages.close()
	hits, err := pages.next(ctx)
	if err != nil { // before the first byte an error is an answer of its own
		failWith(w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", types[format])
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "logs-"+time.Now().UTC().Format("20060102-150405")+"."+map[string]string{"csv": "csv", "ndjson": "ndjson", "text": "log"}[format]))
	cols := strings.FieldsFunc(r.FormValue("cols"), func(c rune) bool { return c == ',' })
	out := newHitWriter(w, format, cols, r.FormValue("bom") == "1")
	if err := out.all(ctx, hits, pages); err != nil {
		// The status is sent already: only a broken connection tells the browser that the file is not whole.
		panic(http.ErrAbortHandler)
	}
}

// hitPages reads the hits of a query page by page, in one point in time where the store has such.
type hitPages struct {
	q      *query
	pit    string
	after  json.RawMessage
	done   bool
	opened bool
	open   bool // OpenSearch's own way of points in time
}

func (q *query) pages(context.Context) *hitPages { return &hitPages{q: q} }

func (p *hitPages) next(ctx context.Context) ([]*fastjson.Value, error) {
	if p.done {
		return nil, nil
	}
	if !p.opened {
		p.begin(ctx)
		p.opened = true
	}
	body := map[string]any{"size": exportPage, "track_total_hits": false, "sort": order("desc"), "query": p.q.body(p.q.from, p.q.to, true)}
	if p.after != nil {
		body["search_after"] = p.after
	}
	var v *fastjson.Value
	var err error
	if p.pit != "" {
		body["pit"] = map[string]any{"id": p.pit, "keep_alive": exportKeep}
		v, err = p.q.s.ask(ctx, p.q.s.cfg.Store, p.q.r, "POST", "/_search", body)
	} else {
		v, err = p.q.s.search(ctx, p.q.r, p.q.req.Index, body)
	}
	if err != nil {
		return nil, err
	}
	if v.GetInt("_shards", "failed") > 0 {
		return nil, es.Refuse(http.StatusBadGateway, "partial", "some shards did not answer")
	}
	if id := v.GetStringBytes("pit_id"); id != nil {
		p.pit = string(id)
	}
	hits := v.GetArray("hits", "hits")
	p.done = len(hits) < exportPage
	if !p.done {
		p.after = hits[len(hits)-1].Get("sort").MarshalTo(nil)
	}
	return hits, nil
}

// begin opens a point in time; without one the pages are searches of their own, which may miss what is stored meanwhile.
func (p *hitPages) begin(ctx context.Context) {
	index := "/" + url.PathEscape(p.q.req.Index)
	v, err := p.q.s.ask(ctx, p.q.s.cfg.Store, p.q.r, "POST", index+"/_pit?ignore_unavailable=true&keep_alive="+exportKeep, nil)
	if err == nil {
		p.pit = string(v.GetStringBytes("id"))
		return
	}
	v, err = p.q.s.ask(ctx, p.q.s.cfg.Store, p.q.r, "POST", index+"/_search/point_in_time?keep_alive="+exportKeep, nil)
	if err == nil {
		p.pit, p.open = string(v.GetStringBytes("pit_id")), true
	}
}

func (p *hitPages) close() {
	if p.pit == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if p.open {
		p.q.s.ask(ctx, p.q.s.cfg.Store, p.q.r, "DELETE", "/_search/point_in_time", map[string]any{"pit_id": []string{p.pit}})
		return
	}
	p.q.s.ask(ctx, p.q.s.cfg.Store, p.q.r, "DELETE", "/_pit", map[string]any{"id": p.pit})
}

// hitWriter writes hits in one of the formats.
type hitWriter struct {
	w      io.Writer
	format string
	cols   []string
	csv    *csv.Writer
	flush  func() error
}

func newHitWriter(w http.ResponseWriter, format string, cols []string, bom bool) *hitWriter {
	h := &hitWriter{w: w, format: format, cols: exportColumns, flush: http.NewResponseController(w).Flush}
	if len(cols) > 0 {
		h.cols = append([]string{"@timestamp"}, cols[:min(len(cols), maxExportCols)]...)
		h.cols = append(h.cols, "message")
	}
	if format == "csv" {
		if bom {
			io.WriteString(w, "\uFEFF") // spreadsheets take the file for a local encoding otherwise
		}
		h.csv = csv.NewWriter(w)
		h.csv.Write(append(h.cols[:1:1], guarded(h.cols[1:])...)) // the first is always @timestamp
	}
	return h
}

func (h *hitWriter) all(ctx context.Context, hits []*fastjson.Value, pages *hitPages) error {
	for len(hits) > 0 {
		for _, hit := range hits {
			if err := h.hit(hit.Get("_source")); err != nil {
				return err
			}
		}
		if h.csv != nil {
			h.csv.Flush()
		}
		h.flush()
		var err error
		if hits, err = pages.next(ctx); err != nil {
			return err
		}
	}
	if h.csv != nil {
		h.csv.Flush()
		return h.csv.Error()
	}
	return nil
}

func (h *hitWriter) hit(src *fastjson.Value) error {
	if src == nil {
		return errors.New("a hit without its document")
	}
	switch h.format {
	case "ndjson":
		_, err := h.w.Write(append(src.MarshalTo(nil), '\n'))
		return err
	case "text":
		_, err := io.WriteString(h.w, textOf(src)+"\n")
		return err
	}
	row := make([]string, len(h.cols))
	for i, c := range h.cols {
		row[i] = valueText(fieldOf(src, c))
	}
	return h.csv.Write(guarded(row))
}

// textOf is the line as it was logged, as far as the document still has it.
func textOf(src *fastjson.Value) string {
	for _, f := range []string{"event.original", "log.original", "message"} {
		if v := fieldOf(src, f); v != nil {
			return valueText(v)
		}
	}
	return string(src.MarshalTo(nil))
}

// fieldOf finds a field by its dotted name, whichever of its dots are objects and whichever part of a key.
func fieldOf(v *fastjson.Value, name string) *fastjson.Value {
	o := v.GetObject()
	if o == nil {
		return nil
	}
	if f := o.Get(name); f != nil {
		return f
	}
	for i := 0; i < len(name); i++ {
		if name[i] != '.' {
			continue
		}
		if sub := o.Get(name[:i]); sub != nil {
			if f := fieldOf(sub, name[i+1:]); f != nil {
				return f
			}
		}
	}
	return nil
}

func valueText(v *fastjson.Value) string {
	switch {
	case v == nil || v.Type() == fastjson.TypeNull:
		return ""
	case v.Type() == fastjson.TypeString:
		return string(v.GetStringBytes())
	}
	return string(v.MarshalTo(nil))
}

// guarded puts ' before what a spreadsheet would take for a formula.
func guarded(row []string) []string {
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			row = append([]string(nil), row...)
			row[i] = "'" + cell
		}
	}
	return row
}
