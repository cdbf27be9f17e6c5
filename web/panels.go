package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/live"
)

// Bounds of one request for panels.
const (
	maxPanels     = 200
	panelsAtOnce  = 6
	defaultBars   = 100
	maxPanelBars  = 500
	maxPanelRows  = 500
	panelDeadline = 30 * time.Second
)

// panelsRequest is a dashboard's time range, query, filters and controls, and the panels to compute under them.
type panelsRequest struct {
	exploreRequest
	Bars   int64 `json:"bars"`
	Panels []struct {
		ID     string          `json:"id"`
		Type   string          `json:"type"`
		Config json.RawMessage `json:"config"`
	} `json:"panels"`
}

// panelFrame is one panel's picture.
type panelFrame struct {
	ID          string            `json:"id"`
	Layers      []dashboard.Table `json:"layers,omitempty"`
	Type        string            `json:"type,omitempty"`
	Rows        []live.Row        `json:"rows,omitempty"`
	Columns     []string          `json:"columns,omitempty"`
	Total       int64             `json:"total,omitempty"`
	Config      json.RawMessage   `json:"config,omitempty"` // of a panel that names a saved object
	Took        int64             `json:"took_ms"`
	Error       *problem          `json:"error,omitempty"`
	Unsupported string            `json:"unsupported,omitempty"`
}

// panels answers with a frame per panel, each as soon as it is computed.
func (s *Server) panels(w http.ResponseWriter, r *http.Request) {
	var req panelsRequest
	if !readJSON(w, r, &req) {
		return
	}
	if len(req.Panels) > maxPanels {
		fail(w, http.StatusBadRequest, "too_many_panels", fmt.Sprintf("%d panels, at most %d", len(req.Panels), maxPanels))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), panelDeadline)
	defer cancel()
	q, err := s.newQuery(ctx, r, req.exploreRequest)
	if err != nil {
		failWith(w, err)
		return
	}
	out := newFrames(w)
	out.send("parsed", q.parsed)
	start := time.Now()
	if q.dsl != nil {
		run := &panelRun{s: s, r: r, q: q, bars: min(max(req.Bars, 10), maxPanelBars), views: map[string]view{}, parsed: map[string]json.RawMessage{}}
		if req.Bars == 0 {
			run.bars = defaultBars
		}
		run.all(ctx, req, out)
	}
	out.send("done", map[string]any{"took_ms": time.Since(start).Milliseconds()})
}

// panelRun computes the panels of one request; look-ups of data views and parsed queries are shared among them.
type panelRun struct {
	s    *Server
	r    *http.Request
	q    *query
	bars int64

	mu     sync.Mutex
	views  map[string]view
	parsed map[string]json.RawMessage
}

// view is an index pattern with its time field.
type view struct{ index, timeField string }

func (p *panelRun) all(ctx context.Context, req panelsRequest, out *frames) {
	slots := make(chan struct{}, panelsAtOnce)
	var wg sync.WaitGroup
	for _, panel := range req.Panels {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			start := time.Now()
			f := panelFrame{ID: panel.ID}
			p.panel(ctx, panel.Type, panel.Config, &f)
			f.Took = time.Since(start).Milliseconds()
			out.send("panel", f)
		})
	}
	wg.Wait()
}

func (p *panelRun) panel(ctx context.Context, typ string, config json.RawMessage, f *panelFrame) {
	var err error
	switch typ {
	case "vis", "lens", "visualization":
		err = p.vis(ctx, config, f)
	case "discover_session", "search":
		err = p.session(ctx, config, f)
	default:
		err = &dashboard.Unsupported{What: fmt.Sprintf("a panel of type %q", typ)}
	}
	var un *dashboard.Unsupported
	switch {
	case errors.As(err, &un):
		f.Unsupported = un.What
	case err != nil:
		f.Error = problemOf(err)
	}
}

// resolveRef replaces a config that names a saved object by the object's.
func (p *panelRun) resolveRef(ctx context.Context, typ string, config json.RawMessage, f *panelFrame) (json.RawMessage, error) {
	var c struct {
		RefID      string          `json:"ref_id"`
		Attributes json.RawMessage `json:"attributes"`
	}
	json.Unmarshal(config, &c)
	if c.RefID == "" {
		if len(c.Attributes) > 0 {
			return c.Attributes, nil
		}
		return config, nil
	}
	o, err := p.s.objects.Get(ctx, es.As(p.r), typ, c.RefID)
	if err != nil {
		return nil, err
	}
	f.Config = o.Body
	return o.Body, nil
}

func (p *panelRun) vis(ctx context.Context, config json.RawMessage, f *panelFrame) error {
	config, err := p.resolveRef(ctx, "visualization", config, f)
	if err != nil {
		return err
	}
	v, err := dashboard.ParseVis(config)
	if err != nil {
		return err
	}
	f.Type = v.Type
	for i := range v.Layers {
		t, err := p.layer(ctx, &v.Layers[i])
		if err != nil {
			return err
		}
		f.Layers = append(f.Layers, t)
	}
	return nil
}

func (p *panelRun) layer(ctx context.Context, l *dashboard.Layer) (dashboard.Table, error) {
	w := p.view(ctx, l.Source)
	l.Source.TimeField = w.timeField
	scope := p.scope(ctx, w.index)
	body, err := l.Body(scope)
	if err != nil {
		return dashboard.Table{}, err
	}
	answer, err := p.s.search(ctx, p.r, w.index, body)
	if err != nil {
		return dashboard.Table{}, err
	}
	return l.Table(answer, scope), nil
}

// scope is what the dashboard's own query, filters and controls add to each panel.
func (p *panelRun) scope(ctx context.Context, index string) dashboard.Scope {
	filter, not := p.q.clauses()
	return dashboard.Scope{
		Span:   dashboard.Span{From: p.q.from, To: p.q.to, Zone: p.q.loc, Bars: p.bars},
		Filter: filter, Not: not,
		Parse: func(q dashboard.Query) (json.RawMessage, error) { return p.parse(ctx, q, index) },
	}
}

func (p *panelRun) parse(ctx context.Context, q dashboard.Query, index string) (json.RawMessage, error) {
	key := q.Language + "\x00" + index + "\x00" + q.Text()
	p.mu.Lock()
	dsl, ok := p.parsed[key]
	p.mu.Unlock()
	if ok {
		return dsl, nil
	}
	dsl, err := p.s.parseText(ctx, p.r, q, index, p.q.loc.String())
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.parsed[key] = dsl
	p.mu.Unlock()
	return dsl, nil
}

// parseText turns a query text into Query DSL; one that cannot be read is a 400.
func (s *Server) parseText(ctx context.Context, r *http.Request, q dashboard.Query, index, tz string) (json.RawMessage, error) {
	lang := "kql"
	if q.Lucene() {
		lang = "lucene"
	}
	one := &query{s: s, r: r, req: exploreRequest{Query: q.Text(), Lang: lang, Index: index}, loc: time.UTC}
	if loc, err := location(tz); err == nil {
		one.loc = loc
	}
	if err := one.parse(ctx); err != nil {
		return nil, err
	}
	if one.dsl == nil {
		return nil, es.Refuse(http.StatusBadRequest, "bad_query", fmt.Sprintf("the query %q cannot be read", q.Text()))
	}
	return one.dsl, nil
}

// view finds the index pattern a layer reads: named at once, or by the id of an imported data view, which falls back to a pattern of that
// name.
func (p *panelRun) view(ctx context.Context, src dashboard.Source) view {
	out := view{orDefault(src.IndexPattern, p.q.req.Index), orDefault(src.TimeField, "@timestamp")}
	if src.RefID == "" {
		return out
	}
	p.mu.Lock()
	found, ok := p.views[src.RefID]
	p.mu.Unlock()
	if ok {
		return found
	}
	out.index = src.RefID
	if o, err := p.s.objects.Get(ctx, es.As(p.r), "index-pattern", src.RefID); err == nil {
		var attrs struct {
			Title string `json:"title"`
			Time  string `json:"timeFieldName"`
		}
		if json.Unmarshal(o.Body, &attrs) == nil {
			out = view{orDefault(attrs.Title, src.RefID), orDefault(attrs.Time, out.timeField)}
		}
	}
	p.mu.Lock()
	p.views[src.RefID] = out
	p.mu.Unlock()
	return out
}

// session is a panel of log lines.
func (p *panelRun) session(ctx context.Context, config json.RawMessage, f *panelFrame) error {
	config, err := p.resolveRef(ctx, "search", config, f)
	if err != nil {
		return err
	}
	sess, err := dashboard.ParseSession(config)
	if err != nil {
		return err
	}
	w := p.view(ctx, sess.Source)
	scope := p.scope(ctx, w.index)
	filter := append([]any{map[string]any{"range": map[string]any{w.timeField: map[string]any{
		"gte": p.q.from.UnixMilli(), "lte": p.q.to.UnixMilli(), "format": "epoch_millis"}}}}, scope.Filter...)
	body, err := sess.Body(scope, filter)
	if err != nil {
		return err
	}
	body["size"] = maxPanelRows
	body["sort"] = order("desc")
	answer, err := p.s.search(ctx, p.r, w.index, body)
	if err != nil {
		return err
	}
	f.Type, f.Columns = "discover_session", sess.Columns
	f.Rows, f.Total = rowsOf(answer, false), totalOf(answer)
	return nil
}

func totalOf(v *fastjson.Value) int64 { return v.GetInt64("hits", "total", "value") }
