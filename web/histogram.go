package web

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/when"
)

// bar is one bucket of the histogram.
type bar struct {
	T  int64            `json:"t"` // start, epoch ms
	N  int64            `json:"n"`
	By map[string]int64 `json:"by"`
}

// histogram counts the range in slices, newest first, and sends the bars known so far after each.
func (q *query) histogram(ctx context.Context, out *frames, sum *summary) error {
	step := when.Interval(q.from, q.to, when.MaxBars)
	var bars []bar
	var total int64
	for _, cut := range q.slices(step) {
		v, err := q.s.search(ctx, q.r, q.req.Index, q.histogramBody(cut, step))
		if err != nil {
			return err
		}
		sum.note(v)
		total += v.GetInt64("hits", "total", "value")
		bars = append(barsOf(v), bars...)
		out.send("histogram", map[string]any{"interval_ms": step, "buckets": bars, "total": total})
	}
	sum.total = total
	return nil
}

// slice is a part of the time range; only the last one includes its end.
type slice struct {
	from, to time.Time
	last     bool
}

// slices cuts ranges of more than a day at bar boundaries, newest first.
func (q *query) slices(step int64) []slice {
	span := q.to.Sub(q.from)
	if span <= 24*time.Hour || step >= 86_400_000 {
		return []slice{{q.from, q.to, true}}
	}
	size := (span.Milliseconds()/maxSlices/step + 1) * step
	var cuts []slice
	lo := q.from
	for lo.Before(q.to) || len(cuts) == 0 {
		hi := time.UnixMilli((lo.UnixMilli()/step)*step + size)
		if !hi.Before(q.to) {
			hi = q.to
		}
		cuts = append(cuts, slice{lo, hi, hi.Equal(q.to)})
		lo = hi
	}
	slices.Reverse(cuts)
	return cuts
}

func (q *query) histogramBody(cut slice, step int64) map[string]any {
	end := cut.to.UnixMilli()
	if !cut.last {
		end--
	}
	hist := map[string]any{"field": "@timestamp", "min_doc_count": 0, "time_zone": q.loc.String(),
		"extended_bounds": map[string]any{"min": cut.from.UnixMilli(), "max": end}}
	if step == 86_400_000 {
		hist["calendar_interval"] = "1d"
	} else {
		hist["fixed_interval"] = msInterval(step)
	}
	field := orDefault(q.req.Breakdown, "log.level")
	return map[string]any{"size": 0, "track_total_hits": true, "query": q.body(cut.from, cut.to, cut.last), "timeout": "25s",
		"aggs": map[string]any{"t": map[string]any{"date_histogram": hist, "aggs": map[string]any{
			"by": map[string]any{"terms": map[string]any{"field": field, "size": breakdownTop}}}}}}
}

func msInterval(ms int64) string {
	if day := int64(86_400_000); ms%day == 0 {
		return strconv.FormatInt(ms/day, 10) + "d"
	}
	return strconv.FormatInt(ms, 10) + "ms"
}

func barsOf(v *fastjson.Value) []bar {
	var bars []bar
	for _, b := range v.GetArray("aggregations", "t", "buckets") {
		x := bar{T: b.GetInt64("key"), N: b.GetInt64("doc_count"), By: map[string]int64{}}
		for _, t := range b.GetArray("by", "buckets") {
			x.By[keyText(t)] = t.GetInt64("doc_count")
		}
		bars = append(bars, x)
	}
	return bars
}

// keyText is a bucket's key as text: numbers and booleans come with key_as_string where it matters.
func keyText(b *fastjson.Value) string {
	if s := b.GetStringBytes("key_as_string"); s != nil {
		return string(s)
	}
	if s := b.GetStringBytes("key"); s != nil {
		return string(s)
	}
	return b.Get("key").String()
}
