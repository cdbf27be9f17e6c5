package agg

import (
	"math"
	"strconv"

	"github.com/weirlog/weir/store/query"
)

// Docs reads the document of a row of a source as the JSON of a hit; sort is its JSON array of sort values or nil.
type Docs func(ord, row int, spec query.SourceFilter, sort []byte) ([]byte, error)

// reducer merges parts; it counts buckets over the whole answer.
type reducer struct {
	docs     Docs
	buckets  int
	from, to int64 // ms: the bucket of the date histogram that is being made; equal: none
}

// Reduce merges the parts of all sources.
func (r *Request) Reduce(parts []*Partial, docs Docs) (*Result, error) {
	red := &reducer{docs: docs}
	list := make([][]partial, len(parts))
	for i, p := range parts {
		list[i] = p.parts
	}
	for _, p := range r.pipes {
		if p.pipe.parent() {
			e := query.Badf("Validation Failed: 1: aggregation [%s] must be declared inside of another aggregation;", p.name)
			e.Type = "action_request_validation_exception"
			return nil, e
		}
	}
	l, err := red.level(r.aggs, r.pipes, list)
	return &Result{l}, err
}

// Result is the answer of a request.
type Result struct{ level *level }

// AppendJSON appends the object of all aggregations. typed puts the type before each name.
func (r *Result) AppendJSON(dst []byte, typed bool) []byte {
	w := &writer{dst: dst, typed: typed}
	w.raw("{")
	w.level(r.level, true)
	w.raw("}")
	return w.dst
}

// result is one aggregation of one bucket, merged.
type result interface {
	// json appends its members, without braces.
	json(w *writer)
	// kind is the word before its name under typed_keys.
	kind() string
	// value is a number of it: "" or "value" is its own.
	value(property string) (float64, bool)
}

// named is a result with its name.
type named struct {
	name, meta string
	res        result
}

// level is the results of one bucket, or of the root; for parent pipelines it is the buckets they work on.
type level struct {
	results []named
	buckets *buckets
}

func (l *level) find(name string) result {
	for _, n := range l.results {
		if n.name == name {
			return n.res
		}
	}
	return nil
}

// set adds a result, or replaces the one of that name.
func (l *level) set(n named) {
	for i := range l.results {
		if l.results[i].name == n.name {
			l.results[i] = n
			return
		}
	}
	l.results = append(l.results, n)
}

// level merges the aggregations of one bucket: parts has a row per source that has the bucket.
func (r *reducer) level(aggs []*Agg, pipes []*pipe, parts [][]partial) (*level, error) {
	l := &level{}
	for i, a := range aggs {
		column := make([]partial, 0, len(parts))
		for _, p := range parts {
			if i < len(p) && p[i] != nil {
				column = append(column, p[i])
			}
		}
		res, err := a.spec.reduce(r, a, column)
		if err != nil {
			return nil, err
		}
		if b, ok := res.(*buckets); ok {
			if err := r.parentPipes(a, b); err != nil {
				return nil, err
			}
		}
		l.results = append(l.results, named{a.name, a.meta, res})
	}
	for _, p := range pipes {
		if p.pipe.parent() {
			continue
		}
		n := len(l.results)
		if err := p.pipe.apply(r, p.name, l); err != nil {
			return nil, err
		}
		for i := n; i < len(l.results); i++ {
			l.results[i].meta = p.meta
		}
	}
	return l, nil
}

// parentPipes runs the pipelines that work on the buckets of a.
func (r *reducer) parentPipes(a *Agg, b *buckets) error {
	for _, p := range a.pipes {
		if !p.pipe.parent() {
			continue
		}
		if err := p.pipe.apply(r, p.name, &level{buckets: b}); err != nil {
			return err
		}
	}
	return nil
}

// bucket is one bucket of an answer.
type bucket struct {
	key   bucketKey
	json  []byte // members before doc_count: "key" and its like
	name  string // under keyed, and in paths
	num   float64
	count int64
	level *level
}

// buckets is the result of a bucket aggregation.
type buckets struct {
	typ   string
	list  []*bucket
	keyed bool
	head  []byte // members before "buckets", each with a comma behind it
	tail  []byte // members behind "buckets", each with a comma before it
}

func (b *buckets) kind() string { return b.typ }

func (b *buckets) value(property string) (float64, bool) {
	if property == "_bucket_count" {
		return float64(len(b.list)), true
	}
	return 0, false
}

func (b *buckets) json(w *writer) {
	w.dst = append(w.dst, b.head...)
	if b.keyed {
		w.raw(`"buckets":{`)
	} else {
		w.raw(`"buckets":[`)
	}
	for i, e := range b.list {
		if i > 0 {
			w.raw(",")
		}
		if b.keyed {
			w.str(e.name)
			w.raw(":")
		}
		w.raw("{")
		w.dst = append(w.dst, e.json...)
		if len(e.json) > 0 {
			w.raw(",")
		}
		w.raw(`"doc_count":`)
		w.int(e.count)
		w.level(e.level, false)
		w.raw("}")
	}
	if b.keyed {
		w.raw("}")
	} else {
		w.raw("]")
	}
	w.dst = append(w.dst, b.tail...)
}

// single is the result of an aggregation with one bucket.
type single struct {
	typ   string
	head  []byte // members before doc_count, each with a comma behind it
	count int64
	level *level
}

func (s *single) kind() string { return s.typ }

func (s *single) value(property string) (float64, bool) {
	if property == "" || property == "_count" {
		return float64(s.count), true
	}
	return 0, false
}

func (s *single) json(w *writer) {
	w.dst = append(w.dst, s.head...)
	w.raw(`"doc_count":`)
	w.int(s.count)
	w.level(s.level, false)
}

// merged is a bucket with its parts from all sources.
type merged struct {
	key   bucketKey
	count int64
	parts [][]partial
}

// mergeBuckets joins buckets of equal keys, in order of appearance.
func mergeBuckets(lists ...[]bucketPart) []*merged {
	total := 0
	for _, l := range lists {
		total += len(l)
	}
	chunk := make([]merged, 0, total) // one allocation; never grows
	out := make([]*merged, 0, total)
	add := func(p *bucketPart) *merged {
		chunk = append(chunk, merged{key: p.key})
		m := &chunk[len(chunk)-1]
		out = append(out, m)
		return m
	}
	var index map[bucketKey]*merged
	if len(lists) > 1 {
		index = make(map[bucketKey]*merged, total)
	}
	for _, l := range lists {
		for i := range l {
			p := &l[i]
			m := index[p.key]
			if m == nil {
				m = add(p)
				if index != nil {
					index[p.key] = m
				}
			}
			m.count += p.count
			if p.subs != nil {
				m.parts = append(m.parts, p.subs)
			}
		}
	}
	return out
}

// bucket makes the final bucket of m; json and name are left to the caller.
func (r *reducer) bucket(a *Agg, m *merged) (*bucket, error) {
	if r.buckets++; r.buckets > MaxBuckets {
		return nil, tooManyBuckets()
	}
	l, err := r.level(a.subs, a.pipes, m.parts)
	return &bucket{key: m.key, count: m.count, level: l}, err
}

// writer prints an answer.
type writer struct {
	dst   []byte
	typed bool
}

func (w *writer) raw(s string)    { w.dst = append(w.dst, s...) }
func (w *writer) str(s string)    { w.dst = query.AppendString(w.dst, s) }
func (w *writer) int(v int64)     { w.dst = strconv.AppendInt(w.dst, v, 10) }
func (w *writer) float(v float64) { w.dst = appendFloat(w.dst, v) }

// level prints results; first tells that no member stands before them.
func (w *writer) level(l *level, first bool) {
	if l == nil {
		return
	}
	for _, n := range l.results {
		if !first {
			w.raw(",")
		}
		first = false
		name, kind := n.name, n.res.kind()
		if w.typed && kind != "" {
			name = kind + "#" + name
		}
		w.str(name)
		if kind == "" { // a plain number
			w.raw(":")
			n.res.json(w)
			continue
		}
		w.raw(":{")
		if n.meta != "" {
			w.raw(`"meta":`)
			w.raw(n.meta)
			w.raw(",")
		}
		n.res.json(w)
		w.raw("}")
	}
}

// appendFloat prints a double as Java does: always with a point or an exponent; what is no number is null.
func appendFloat(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return append(dst, "null"...)
	case v == 0:
		return append(dst, "0.0"...)
	}
	abs := math.Abs(v)
	if abs >= 1e-3 && abs < 1e7 {
		n := len(dst)
		dst = strconv.AppendFloat(dst, v, 'f', -1, 64)
		for _, c := range dst[n:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	text := strconv.FormatFloat(v, 'E', -1, 64) // 1.5E+07: Java writes 1.5E7
	for i := 0; i < len(text); i++ {
		if text[i] != 'E' {
			continue
		}
		mant, exp := text[:i], text[i+1:]
		dst = append(dst, mant...)
		if len(mant) < 3 || mant[len(mant)-1] == '.' || !containsByte(mant, '.') {
			dst = append(dst, ".0"...)
		}
		dst = append(dst, 'E')
		e, _ := strconv.Atoi(exp)
		return strconv.AppendInt(dst, int64(e), 10)
	}
	return append(dst, text...)
}

func containsByte(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}

// javaDouble is appendFloat as text: the keys of percentiles and ranges.
func javaDouble(v float64) string { return string(appendFloat(nil, v)) }
