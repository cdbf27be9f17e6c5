package agg

import (
	"maps"
	"math"
	"slices"
	"unicode/utf16"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// stringStats is string_stats: lengths and the spread of the characters of keyword values.
type stringStats struct {
	source
	distribution bool
}

func (*stringStats) isMetric() {}

func parseStringStats(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &stringStats{}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		if key == "show_distribution" {
			s.distribution, _ = v.Bool()
			return true, nil
		}
		return s.source.set(a, key, v)
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *stringStats) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err == nil && b.f != nil && b.f.Type.Kind() != mapping.Values {
		err = query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", s.field, b.f.TypeName, c.agg.typ)
	}
	return &stringStatsBinder{b}, err
}

type stringStatsBinder struct{ *bound }

func (b *stringStatsBinder) open(o *opener) collector {
	return &stringStatsCollector{reader: b.bound.open(o.src)}
}

// stringSums is the part of one bucket.
type stringSums struct {
	count, total  int64
	shortest, max int
	chars         map[rune]int64
}

type stringStatsCollector struct {
	*reader
	buckets []stringSums
}

func (c *stringStatsCollector) collect(b *batch) error {
	if c.f == nil {
		return nil
	}
	c.load(b.zone)
	for i, row := range b.rows {
		c.bytes(row, func(v []byte) { at(&c.buckets, int(b.bucket(i))).add(c.f.TermText(v)) })
	}
	return nil
}

func (s *stringSums) add(text string) {
	n := 0
	if s.chars == nil {
		s.chars, s.shortest = map[rune]int64{}, math.MaxInt
	}
	for _, r := range text {
		n += utf16.RuneLen(r)
		s.chars[r]++
	}
	s.count++
	s.total += int64(n)
	s.shortest, s.max = min(s.shortest, n), max(s.max, n)
}

func (c *stringStatsCollector) finish(bucket int) partial { return *at(&c.buckets, bucket) }

func (s *stringStats) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := &stringStatsResult{distribution: s.distribution}
	all.chars, all.shortest = map[rune]int64{}, math.MaxInt
	for _, p := range parts {
		e := p.(stringSums)
		if e.count == 0 {
			continue
		}
		all.count, all.total = all.count+e.count, all.total+e.total
		all.shortest, all.max = min(all.shortest, e.shortest), max(all.max, e.max)
		for c, n := range e.chars {
			all.chars[c] += n
		}
	}
	return all, nil
}

type stringStatsResult struct {
	stringSums
	distribution bool
}

func (s *stringStatsResult) kind() string { return "string_stats" }

func (s *stringStatsResult) number() float64 {
	n := int64(0)
	for _, c := range s.chars {
		n += c
	}
	return float64(n)
}

func (s *stringStatsResult) entropy() float64 {
	e, n := 0.0, s.number()
	for _, r := range slices.Sorted(maps.Keys(s.chars)) {
		p := float64(s.chars[r]) / n
		e -= p * math.Log2(p)
	}
	return e
}

func (s *stringStatsResult) value(property string) (float64, bool) {
	if s.count == 0 && property != "count" {
		return math.NaN(), true
	}
	switch property {
	case "count":
		return float64(s.count), true
	case "min_length":
		return float64(s.shortest), true
	case "max_length":
		return float64(s.max), true
	case "avg_length":
		return float64(s.total) / float64(s.count), true
	case "entropy":
		return s.entropy(), true
	}
	return 0, false
}

func (s *stringStatsResult) json(w *writer) {
	w.raw(`"count":`)
	w.int(s.count)
	if s.count == 0 {
		w.raw(`,"min_length":null,"max_length":null,"avg_length":null,"entropy":0.0`)
		return
	}
	w.raw(`,"min_length":`)
	w.int(int64(s.shortest))
	w.raw(`,"max_length":`)
	w.int(int64(s.max))
	w.raw(`,"avg_length":`)
	w.float(float64(s.total) / float64(s.count))
	w.raw(`,"entropy":`)
	w.float(s.entropy())
	if !s.distribution {
		return
	}
	list, n := slices.Sorted(maps.Keys(s.chars)), s.number()
	slices.SortStableFunc(list, func(a, b rune) int { return compareInt(s.chars[b], s.chars[a]) })
	w.raw(`,"distribution":{`)
	for i, r := range list {
		if i > 0 {
			w.raw(",")
		}
		w.str(string(r))
		w.raw(":")
		w.float(float64(s.chars[r]) / n)
	}
	w.raw("}")
}
