package dashboard

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/weirlog/weir/web/when"
)

// Span is the time range of a dashboard, resolved.
type Span struct {
	From, To time.Time
	Zone     *time.Location
	Bars     int64 // how many bars a chart over time may have at most
}

// Scope is everything beside the layer that narrows its search.
type Scope struct {
	Span   Span
	Filter []any // clauses of the dashboard's own query, filters and controls
	Not    []any
	// Parse turns a query text into Query DSL.
	Parse func(q Query) (json.RawMessage, error)
}

// Body is the search of a layer.
func (l *Layer) Body(s Scope) (map[string]any, error) {
	q, err := l.query(s)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"size": 0, "track_total_hits": true, "query": q, "timeout": "25s"}
	aggs, err := l.aggs(0, s)
	if err != nil {
		return nil, err
	}
	if l.other() {
		rest, err := l.aggs(1, s)
		if err != nil {
			return nil, err
		}
		all := map[string]any{"filter": map[string]any{"match_all": struct{}{}}}
		if len(rest) > 0 {
			all["aggs"] = rest
		}
		aggs["all"] = all
	}
	if len(aggs) > 0 {
		body["aggs"] = aggs
	}
	return body, nil
}

func (l *Layer) query(s Scope) (any, error) {
	field := l.Source.TimeField
	filter := []any{map[string]any{"range": map[string]any{field: map[string]any{
		"gte": s.Span.From.UnixMilli(), "lte": s.Span.To.UnixMilli(), "format": "epoch_millis"}}}}
	var not []any
	if !l.IgnoreGlobal {
		filter = append(filter, s.Filter...)
		not = append(not, s.Not...)
	}
	if l.Query.Text() != "" {
		dsl, err := s.Parse(l.Query)
		if err != nil {
			return nil, err
		}
		filter = append(filter, dsl)
	}
	for _, f := range l.Filters {
		switch {
		case f.Disabled:
		case f.Negated:
			not = append(not, f.Clause)
		default:
			filter = append(filter, f.Clause)
		}
	}
	b := map[string]any{"filter": filter}
	if len(not) > 0 {
		b["must_not"] = not
	}
	return map[string]any{"bool": b}, nil
}

// other is whether what belongs to none of the outer dimension's values is counted too: it is the whole less the values, so it needs
// metrics that add up.
func (l *Layer) other() bool {
	if len(l.Dims) == 0 || l.Dims[0].Operation != "terms" || len(l.Dims[0].OtherBucket) == 0 || string(l.Dims[0].OtherBucket) == "null" {
		return false
	}
	for _, d := range l.Dims[1:] {
		if d.Operation == "terms" {
			return false
		}
	}
	for _, m := range l.Metrics {
		if m.Operation != "count" && m.Operation != "sum" {
			return false
		}
	}
	return true
}

// aggs are the aggregations from dimension i inwards; the innermost holds the metrics.
func (l *Layer) aggs(i int, s Scope) (map[string]any, error) {
	if i == len(l.Dims) {
		return l.metricAggs(s)
	}
	inner, err := l.aggs(i+1, s)
	if err != nil {
		return nil, err
	}
	agg, needs, err := l.dim(i, s)
	if err != nil {
		return nil, err
	}
	for k, v := range needs {
		inner[k] = v
	}
	if len(inner) > 0 {
		agg["aggs"] = inner
	}
	return map[string]any{"d" + strconv.Itoa(i): agg}, nil
}

// dim is the aggregation of a dimension, and the metrics its order needs beside it.
func (l *Layer) dim(i int, s Scope) (agg, needs map[string]any, err error) {
	d := l.Dims[i]
	switch d.Operation {
	case "date_histogram":
		return map[string]any{"date_histogram": l.dateHistogram(d, s.Span)}, nil, nil
	case "terms":
		return l.terms(i, s)
	case "filters":
		list := map[string]any{}
		for j, f := range d.Filters {
			dsl, err := s.Parse(f.query())
			if err != nil {
				return nil, nil, err
			}
			list[strconv.Itoa(j)] = dsl
		}
		return map[string]any{"filters": map[string]any{"filters": list}}, nil, nil
	case "range":
		return map[string]any{"range": map[string]any{"field": d.field(), "ranges": rangesOf(d.Ranges)}}, nil, nil
	}
	step := d.Interval
	if step <= 0 {
		step = 100
	}
	return map[string]any{"histogram": map[string]any{"field": d.field(), "interval": step, "min_doc_count": 1}}, nil, nil
}

func rangesOf(list []Range) []any {
	var out []any
	for _, r := range list {
		b := map[string]any{}
		if v := first(r.GTE, r.GT); v != nil {
			b["from"] = *v
		}
		if v := first(r.LT, r.LTE); v != nil {
			b["to"] = *v
		}
		out = append(out, b)
	}
	return out
}

func first(a, b *float64) *float64 {
	if a != nil {
		return a
	}
	return b
}

func (l *Layer) dateHistogram(d Op, span Span) map[string]any {
	h := map[string]any{"field": orDefault(d.field(), l.Source.TimeField), "min_doc_count": 0, "time_zone": span.Zone.String(),
		"extended_bounds": map[string]any{"min": span.From.UnixMilli(), "max": span.To.UnixMilli()}}
	step := Step(d, span)
	if step == 86_400_000 {
		h["calendar_interval"] = "1d"
	} else {
		h["fixed_interval"] = strconv.FormatInt(step, 10) + "ms"
	}
	return h
}

// Step is the width of a date histogram's bars in milliseconds: what the panel asks for unless that gives too many bars.
func Step(d Op, span Span) int64 {
	auto := when.Interval(span.From, span.To, span.Bars)
	if asked, err := time.ParseDuration(d.SuggestedInterval); err == nil && asked.Milliseconds() > auto {
		return asked.Milliseconds()
	}
	switch d.SuggestedInterval {
	case "1d", "d", "day":
		return max(auto, 86_400_000)
	case "1w", "w", "week":
		return max(auto, 7*86_400_000)
	}
	return auto
}

// terms orders by the metric the panel names; a metric that cannot order leaves it to the count.
func (l *Layer) terms(i int, s Scope) (agg, needs map[string]any, err error) {
	d := l.Dims[i]
	order, dir, at := "_count", "desc", 0
	if r := d.RankBy; r != nil {
		at = r.MetricIndex
		if r.Direction == "asc" {
			dir = "asc"
		}
		switch r.Type {
		case "alphabetical":
			order = "_key"
		case "rare":
			dir = "asc"
		}
	}
	needs = map[string]any{}
	if order == "_count" && (d.RankBy == nil || d.RankBy.Type != "rare") && at >= 0 && at < len(l.Metrics) {
		if path := orderPath(at, l.Metrics[at]); path != "" {
			m, err := l.metricAgg(at, s)
			if err != nil {
				return nil, nil, err
			}
			needs["m"+strconv.Itoa(at)] = m
			order = path
		}
	}
	return map[string]any{"terms": map[string]any{"field": d.field(), "size": d.limit(), "order": map[string]any{order: dir}}}, needs, nil
}

// orderPath is how a terms aggregation names a metric to be ordered by; "" when it is the count or cannot order.
func orderPath(i int, m Op) string {
	name := "m" + strconv.Itoa(i)
	if m.Filter != nil {
		if m.Operation == "count" {
			return name + "._count"
		}
		name += ">v"
	}
	switch m.Operation {
	case "average", "sum", "max", "min", "unique_count":
		return name
	case "median", "percentile":
		return name + "." + strconv.FormatFloat(m.percentile(), 'f', -1, 64)
	case "standard_deviation":
		return name + ".std_deviation"
	}
	return ""
}

func (l *Layer) metricAggs(s Scope) (map[string]any, error) {
	out := map[string]any{}
	for i := range l.Metrics {
		agg, err := l.metricAgg(i, s)
		if err != nil {
			return nil, err
		}
		if agg != nil {
			out["m"+strconv.Itoa(i)] = agg
		}
	}
	return out, nil
}

// metricAgg is the aggregation of metric i, nil when the bucket's own count is the value.
func (l *Layer) metricAgg(i int, s Scope) (map[string]any, error) {
	m := l.Metrics[i]
	agg := l.plainMetric(m)
	if m.Filter == nil || m.Filter.Text() == "" {
		return agg, nil
	}
	dsl, err := s.Parse(*m.Filter)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"filter": dsl}
	if agg != nil {
		out["aggs"] = map[string]any{"v": agg}
	}
	return out, nil
}

func (l *Layer) plainMetric(m Op) map[string]any {
	kind := metrics[m.Operation]
	switch {
	case m.Operation == "count" && m.Field != "" && m.Field != "___records___":
		return map[string]any{"value_count": map[string]any{"field": m.Field}}
	case kind == "":
		return nil
	case kind == "percentiles":
		return map[string]any{kind: map[string]any{"field": m.Field, "percents": []float64{m.percentile()}}}
	case kind == "percentile_ranks":
		return map[string]any{kind: map[string]any{"field": m.Field, "values": []float64{m.Rank}}}
	case kind == "top_hits":
		return map[string]any{kind: map[string]any{"size": 1, "_source": []string{m.Field},
			"sort": []any{map[string]any{l.Source.TimeField: map[string]any{"order": "desc"}}}}}
	}
	return map[string]any{kind: map[string]any{"field": m.Field}}
}
