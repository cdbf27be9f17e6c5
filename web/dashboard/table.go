package dashboard

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// maxTableRows bounds what a panel draws; the page says when rows were left out.
const maxTableRows = 20_000

// Column is one dimension or metric of a table.
type Column struct {
	Name   string          `json:"name"`
	Kind   string          `json:"kind"` // date, number, text
	Dim    bool            `json:"dim,omitempty"`
	Field  string          `json:"field,omitempty"` // where a click on a value filters
	Op     string          `json:"op"`
	Format json.RawMessage `json:"format,omitempty"`
	Color  json.RawMessage `json:"color,omitempty"`
	Role   string          `json:"role,omitempty"` // primary, secondary
	Auto   bool            `json:"auto,omitempty"` // the panel gives no label: Name is made up
	Min    json.RawMessage `json:"min,omitempty"`
	Max    json.RawMessage `json:"max,omitempty"`
	Goal   json.RawMessage `json:"goal,omitempty"`
}

// Table is the answer of a layer.
type Table struct {
	Kind    string   `json:"kind"`
	Columns []Column `json:"columns"`
	Rows    [][]any  `json:"rows"`
	Step    int64    `json:"step_ms,omitempty"` // width of the bars over time
	Total   int64    `json:"total"`             // documents looked at
	Cut     bool     `json:"cut,omitempty"`
	Partial bool     `json:"partial,omitempty"`
}

// Other stands for what belongs to none of a dimension's listed values; it sorts behind them and cannot be filtered on.
const Other = "…"

// Table reads the answer to Body.
func (l *Layer) Table(v *fastjson.Value, s Scope) Table {
	t := Table{Kind: l.Kind, Rows: [][]any{}, Total: v.GetInt64("hits", "total", "value"),
		Partial: v.GetBool("timed_out") || v.GetInt("_shards", "failed") > 0}
	for _, d := range l.Dims {
		c := Column{Name: d.name(), Auto: d.Label == "", Kind: "text", Dim: true, Field: d.field(), Op: d.Operation, Format: d.Format, Color: d.Color}
		switch d.Operation {
		case "date_histogram":
			c.Kind, t.Step = "date", Step(d, s.Span)
			c.Field = orDefault(c.Field, l.Source.TimeField)
		case "histogram":
			c.Kind = "number"
		}
		t.Columns = append(t.Columns, c)
	}
	for _, m := range l.Metrics {
		c := Column{Name: m.name(), Auto: m.Label == "", Kind: "number", Field: m.Field, Op: m.Operation, Format: m.Format, Color: m.Color, Role: m.Type, Min: m.Min, Max: m.Max, Goal: m.Goal}
		if m.Operation == "last_value" {
			c.Kind = "text"
		}
		t.Columns = append(t.Columns, c)
	}
	a := v.Get("aggregations")
	l.walk(&t, a, nil, 0, t.Total)
	if l.other() {
		l.rest(&t, a.Get("all"))
	}
	return t
}

// walk adds the rows below one bucket.
func (l *Layer) walk(t *Table, b *fastjson.Value, keys []any, i int, count int64) {
	if len(t.Rows) >= maxTableRows {
		t.Cut = true
		return
	}
	if i == len(l.Dims) {
		row := append(make([]any, 0, len(keys)+len(l.Metrics)), keys...)
		for j, m := range l.Metrics {
			row = append(row, l.value(j, m, b, count))
		}
		t.Rows = append(t.Rows, row)
		return
	}
	agg := b.Get("d" + strconv.Itoa(i))
	if agg == nil {
		return
	}
	l.buckets(agg, l.Dims[i], func(key any, sub *fastjson.Value) {
		l.walk(t, sub, append(keys[:len(keys):len(keys)], key), i+1, sub.GetInt64("doc_count"))
	})
}

// buckets calls f for each bucket with its key as a page shows it.
func (l *Layer) buckets(agg *fastjson.Value, d Op, f func(key any, b *fastjson.Value)) {
	if d.Operation == "filters" {
		for j, lf := range d.Filters {
			if b := agg.Get("buckets", strconv.Itoa(j)); b != nil {
				f(orDefault(orDefault(lf.Label, lf.query().Text()), "*"), b)
			}
		}
		return
	}
	for j, b := range agg.GetArray("buckets") {
		switch d.Operation {
		case "date_histogram":
			f(b.GetInt64("key"), b)
		case "histogram":
			f(b.GetFloat64("key"), b)
		case "range":
			label := ""
			if j < len(d.Ranges) {
				label = d.Ranges[j].Label
			}
			f(orDefault(label, string(b.GetStringBytes("key"))), b)
		default:
			f(KeyText(b), b)
		}
	}
}

// KeyText is a bucket's key as text: booleans and dates come with key_as_string.
func KeyText(b *fastjson.Value) string {
	if s := b.GetStringBytes("key_as_string"); s != nil {
		return string(s)
	}
	if s := b.GetStringBytes("key"); s != nil {
		return string(s)
	}
	return b.Get("key").String()
}

// value is a metric's value in a bucket: a float64, a string, or nil when there is none.
func (l *Layer) value(i int, m Op, b *fastjson.Value, count int64) any {
	if m.Operation == "static_value" {
		if m.Value == nil {
			return nil
		}
		return *m.Value
	}
	v := b.Get("m" + strconv.Itoa(i))
	if m.Filter != nil && m.Filter.Text() != "" {
		if m.Operation == "count" && m.Field == "" {
			return float64(v.GetInt64("doc_count"))
		}
		v = v.Get("v")
	}
	if v == nil {
		if m.Operation == "count" {
			return float64(count)
		}
		return nil
	}
	switch metrics[m.Operation] {
	case "percentiles", "percentile_ranks":
		return number(firstOf(v.Get("values")))
	case "extended_stats":
		return number(v.Get("std_deviation"))
	case "top_hits":
		return lastValue(v, m.Field)
	}
	return number(v.Get("value"))
}

func number(v *fastjson.Value) any {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return nil
	}
	return v.GetFloat64()
}

// firstOf is the only member of an object.
func firstOf(v *fastjson.Value) *fastjson.Value {
	var found *fastjson.Value
	if o := v.GetObject(); o != nil {
		o.Visit(func(_ []byte, x *fastjson.Value) { found = x })
	}
	return found
}

func lastValue(v *fastjson.Value, field string) any {
	hits := v.GetArray("hits", "hits")
	if len(hits) == 0 {
		return nil
	}
	src := hits[0].Get("_source")
	x := src.Get(field)
	if x == nil {
		x = src.Get(strings.Split(field, ".")...)
	}
	switch {
	case x == nil || x.Type() == fastjson.TypeNull:
		return nil
	case x.Type() == fastjson.TypeNumber:
		return x.GetFloat64()
	case x.Type() == fastjson.TypeString:
		return string(x.GetStringBytes())
	}
	return x.String()
}

// rest adds a row per inner bucket with what the listed values of the outer dimension leave over.
func (l *Layer) rest(t *Table, all *fastjson.Value) {
	if all == nil {
		return
	}
	whole := Table{}
	sub := &Layer{Dims: l.Dims[1:], Metrics: l.Metrics}
	sub.walkFrom(&whole, all, 1)
	dims := len(l.Dims)
	left := map[any][]float64{}
	for _, r := range t.Rows {
		k := innerKey(r[1:dims])
		sums := left[k]
		if sums == nil {
			sums = make([]float64, len(l.Metrics))
			left[k] = sums
		}
		for j := range l.Metrics {
			if f, ok := r[dims+j].(float64); ok {
				sums[j] += f
			}
		}
	}
	some := false
	var rows [][]any
	for _, r := range whole.Rows {
		row := append([]any{Other}, r[:dims-1]...)
		sums := left[innerKey(r[:dims-1])]
		for j := range l.Metrics {
			f, _ := r[dims-1+j].(float64)
			if sums != nil {
				f -= sums[j]
			}
			some = some || f > 0
			row = append(row, f)
		}
		rows = append(rows, row)
	}
	if some {
		t.Rows = append(t.Rows, rows...)
	}
}

// walkFrom is walk for the dimensions behind the first, whose aggregations keep their numbers.
func (l *Layer) walkFrom(t *Table, b *fastjson.Value, number int) {
	var walk func(b *fastjson.Value, keys []any, i int)
	walk = func(b *fastjson.Value, keys []any, i int) {
		if i == len(l.Dims) {
			row := append([]any{}, keys...)
			for j, m := range l.Metrics {
				row = append(row, l.value(j, m, b, b.GetInt64("doc_count")))
			}
			t.Rows = append(t.Rows, row)
			return
		}
		if agg := b.Get("d" + strconv.Itoa(i+number)); agg != nil {
			l.buckets(agg, l.Dims[i], func(key any, sub *fastjson.Value) { walk(sub, append(keys[:len(keys):len(keys)], key), i+1) })
		}
	}
	walk(b, nil, 0)
}

func innerKey(keys []any) any {
	b, _ := json.Marshal(keys)
	return string(b)
}
