package alert

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/es"
)

// Bounds of an evaluation.
const (
	evaluateTimeout = 30 * time.Second
	patternRows     = 1000 // newest messages looked at for new shapes
	absenceLookback = 24 * time.Hour
	previewSteps    = 288 // points of a preview over a day
	previewGroups   = 20
)

// Parse turns a query text into Query DSL.
type Parse func(ctx context.Context, text, lang, index string) (json.RawMessage, error)

// engine asks a store.
type engine struct {
	store http.Handler
	as    es.Caller
	parse Parse
}

// query is what a rule looks at between two times.
func (e engine) query(ctx context.Context, r *Rule, from, to time.Time) (map[string]any, error) {
	dsl, err := e.parse(ctx, r.Query, r.Lang, r.index())
	if err != nil {
		return nil, err
	}
	filters, err := dashboard.ParseFilters(r.Filters)
	if err != nil {
		return nil, err
	}
	must := []any{dsl, map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gt": from.UnixMilli(), "lte": to.UnixMilli(), "format": "epoch_millis"}}}}
	not := []any{}
	for _, f := range filters {
		switch {
		case f.Disabled:
		case f.Negated:
			not = append(not, f.Clause)
		default:
			must = append(must, f.Clause)
		}
	}
	return map[string]any{"bool": map[string]any{"filter": must, "must_not": not}}, nil
}

func (r *Rule) index() string {
	if r.Index == "" {
		return "logs-*"
	}
	return r.Index
}

// sourceFields are what an example needs.
var sourceFields = []string{"message", "log.original", "event.original"}

// evaluate gives the value of each group in the window that ends now.
func (e engine) evaluate(ctx context.Context, r *Rule, st *State, now time.Time) (map[string]sample, error) {
	ctx, cancel := context.WithTimeout(ctx, evaluateTimeout)
	defer cancel()
	if r.Kind == NewPattern {
		return e.patterns(ctx, r, st, now)
	}
	from := now.Add(-r.window())
	lookback := from
	if r.Kind == Absence && r.GroupBy != "" {
		lookback = now.Add(-absenceLookback - r.window())
	}
	q, err := e.query(ctx, r, lookback, now)
	if err != nil {
		return nil, err
	}
	inner, err := e.inner(ctx, r, from, now)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"size": 1, "_source": sourceFields, "track_total_hits": true, "query": q, "aggs": inner, "timeout": "25s",
		"sort": []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}}}
	if r.GroupBy != "" {
		body["aggs"] = map[string]any{"g": map[string]any{"terms": map[string]any{"field": r.GroupBy, "size": maxGroups}, "aggs": inner}}
	}
	v, err := es.Search(ctx, e.store, e.as, r.index(), body)
	if err != nil {
		return nil, err
	}
	if v.GetBool("timed_out") || v.GetInt("_shards", "failed") > 0 {
		return nil, es.Refuse(http.StatusGatewayTimeout, "partial", "some shards did not answer")
	}
	text := exampleOf(v)
	found := map[string]sample{}
	if r.GroupBy == "" {
		found[""] = sample{valueOf(r, v.Get("aggregations"), v.GetInt64("hits", "total", "value")), text}
		return found, nil
	}
	for _, b := range v.GetArray("aggregations", "g", "buckets") {
		found[dashboard.KeyText(b)] = sample{valueOf(r, b, b.GetInt64("doc_count")), text}
	}
	return found, nil
}

// inner are the aggregations that tell a group's value beside its count.
func (e engine) inner(ctx context.Context, r *Rule, from, to time.Time) (map[string]any, error) {
	aggs := map[string]any{"recent": map[string]any{"filter": map[string]any{"range": map[string]any{"@timestamp": map[string]any{
		"gt": from.UnixMilli(), "lte": to.UnixMilli(), "format": "epoch_millis"}}}}}
	if r.Kind == Ratio {
		dsl, err := e.parse(ctx, r.Part, "kql", r.index())
		if err != nil {
			return nil, err
		}
		aggs["part"] = map[string]any{"filter": dsl}
	}
	return aggs, nil
}

func valueOf(r *Rule, aggs *fastjson.Value, count int64) float64 {
	switch r.Kind {
	case Ratio:
		if count == 0 {
			return 0
		}
		return float64(aggs.GetInt64("part", "doc_count")) / float64(count)
	case Absence:
		return float64(aggs.GetInt64("recent", "doc_count"))
	}
	return float64(count)
}

func exampleOf(v *fastjson.Value) string {
	hits := v.GetArray("hits", "hits")
	if len(hits) == 0 {
		return ""
	}
	return clip(messageOf(hits[0].Get("_source")), 500)
}

func messageOf(src *fastjson.Value) string {
	if m := src.GetStringBytes("message"); m != nil {
		return string(m)
	}
	if m := src.GetStringBytes("log", "original"); m != nil {
		return string(m)
	}
	return string(src.GetStringBytes("event", "original"))
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "") + "…"
	}
	return s
}

// patterns counts messages of shapes the rule has not seen. What it finds first, over a day, is what it knows.
func (e engine) patterns(ctx context.Context, r *Rule, st *State, now time.Time) (map[string]sample, error) {
	from := now.Add(-r.window())
	if !st.Learned {
		from = now.Add(-absenceLookback)
	}
	q, err := e.query(ctx, r, from, now)
	if err != nil {
		return nil, err
	}
	v, err := es.Search(ctx, e.store, e.as, r.index(), map[string]any{"size": patternRows, "_source": sourceFields, "track_total_hits": false, "query": q, "timeout": "25s",
		"sort": []any{map[string]any{"@timestamp": map[string]any{"order": "desc", "unmapped_type": "date"}}}})
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, k := range st.Known {
		known[k] = true
	}
	fresh := 0
	var examples []string
	for _, h := range v.GetArray("hits", "hits") {
		m := messageOf(h.Get("_source"))
		k := Shape(m)
		if known[k] {
			continue
		}
		known[k] = true
		st.Known = append(st.Known, k)
		fresh++
		if len(examples) < maxExamples {
			examples = append(examples, clip(m, 300))
		}
	}
	if n := len(st.Known) - maxKnown; n > 0 {
		st.Known = slices.Clone(st.Known[n:])
	}
	if !st.Learned {
		st.Learned = true
		return map[string]sample{"": {}}, nil
	}
	return map[string]sample{"": {float64(fresh), strings.Join(examples, "\n")}}, nil
}

// Preview is what a rule would have done over the last day.
type Preview struct {
	Step   int64   `json:"step_ms"`
	Points []Point `json:"points"`
	Fired  int     `json:"fired"`
	Now    float64 `json:"now"`
	Groups int     `json:"groups"`
	Exact  bool    `json:"exact"` // the window is a whole number of steps
}

// Point is the value of the window that ends at a time; of a grouped rule the group's that is nearest to firing.
type Point struct {
	T      int64   `json:"t"`
	Value  float64 `json:"value"`
	Firing bool    `json:"firing"`
}

// preview counts a day in steps and slides the window over them.
func (e engine) preview(ctx context.Context, r *Rule, now time.Time) (Preview, error) {
	ctx, cancel := context.WithTimeout(ctx, evaluateTimeout)
	defer cancel()
	step := max(r.every(), absenceLookback/previewSteps).Truncate(time.Second)
	width := int((r.window() + step - 1) / step)
	p := Preview{Step: step.Milliseconds(), Points: []Point{}, Exact: r.window()%step == 0}
	if r.Kind == NewPattern {
		return p, nil
	}
	from := now.Add(-absenceLookback - time.Duration(width)*step)
	q, err := e.query(ctx, r, from, now)
	if err != nil {
		return p, err
	}
	inner := map[string]any{}
	if r.Kind == Ratio {
		dsl, err := e.parse(ctx, r.Part, "kql", r.index())
		if err != nil {
			return p, err
		}
		inner["part"] = map[string]any{"filter": dsl}
	}
	hist := map[string]any{"t": map[string]any{"date_histogram": map[string]any{"field": "@timestamp", "fixed_interval": strconv.FormatInt(step.Milliseconds(), 10) + "ms",
		"min_doc_count": 1}, "aggs": inner}}
	aggs := hist
	if r.GroupBy != "" {
		aggs = map[string]any{"g": map[string]any{"terms": map[string]any{"field": r.GroupBy, "size": previewGroups}, "aggs": hist}}
	}
	v, err := es.Search(ctx, e.store, e.as, r.index(), map[string]any{"size": 0, "track_total_hits": true, "query": q, "aggs": aggs, "timeout": "25s"})
	if err != nil {
		return p, err
	}
	p.slide(r, seriesOf(r, v.Get("aggregations")), from, now, step, width)
	return p, nil
}

// counts are a group's events, and those of the part, by step.
type counts struct{ all, part map[int64]int64 }

func seriesOf(r *Rule, aggs *fastjson.Value) []counts {
	read := func(v *fastjson.Value) counts {
		c := counts{map[int64]int64{}, map[int64]int64{}}
		for _, b := range v.GetArray("t", "buckets") {
			c.all[b.GetInt64("key")] = b.GetInt64("doc_count")
			c.part[b.GetInt64("key")] = b.GetInt64("part", "doc_count")
		}
		return c
	}
	if r.GroupBy == "" {
		return []counts{read(aggs)}
	}
	var list []counts
	for _, b := range aggs.GetArray("g", "buckets") {
		list = append(list, read(b))
	}
	return list
}

func (p *Preview) slide(r *Rule, series []counts, from, now time.Time, step time.Duration, width int) {
	p.Groups = len(series)
	ms := step.Milliseconds()
	first := from.UnixMilli() / ms * ms
	firing := make([]bool, len(series))
	for t := first + int64(width)*ms; t < now.UnixMilli()+ms; t += ms {
		pt := Point{T: min(t, now.UnixMilli())} // the last step is not whole yet
		for i, c := range series {
			var all, part int64
			for k := t - int64(width)*ms; k < t; k += ms {
				all += c.all[k]
				part += c.part[k]
			}
			v := float64(all)
			if r.Kind == Ratio {
				v = 0
				if all > 0 {
					v = float64(part) / float64(all)
				}
			}
			holds := r.exceeds(v)
			if holds && !firing[i] {
				p.Fired++
			}
			firing[i] = holds
			if i == 0 || holds && !pt.Firing || holds == pt.Firing && worse(r, v, pt.Value) {
				pt.Value = v
			}
			pt.Firing = pt.Firing || holds
		}
		p.Points = append(p.Points, pt)
		p.Now = pt.Value
	}
}

// worse is whether a is nearer to firing than b.
func worse(r *Rule, a, b float64) bool {
	if r.Kind == Absence || strings.HasPrefix(r.Op, "<") {
		return a < b
	}
	return a > b
}
