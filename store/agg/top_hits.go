package agg

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// maxTopHits bounds from + size of top_hits.
const maxTopHits = 100

// topHits is the best documents of each bucket.
type topHits struct {
	from, size int
	sort       []query.SortKey
	source     query.SourceFilter
}

func (*topHits) isMetric() {}

func parseTopHits(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &topHits{size: 3}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok || s.size < 0 {
				return true, wrong(v, a, key)
			}
		case "from":
			if s.from, ok = v.Int(); !ok || s.from < 0 {
				return true, wrong(v, a, key)
			}
		case "sort":
			s.sort, err = query.ParseSort(v)
		case "_source":
			s.source, err = query.ParseSourceFilter(v)
		case "track_scores", "explain", "version", "seq_no_primary_term":
			if on, _ := v.Bool(); on {
				return true, v.Errorf("[%s] of [top_hits] is not supported", key)
			}
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && s.from+s.size > maxTopHits {
		err = query.Badf("Top hits result window is too large, the top hits aggregator [%s]'s from + size must be less than or equal to: [%d] but "+
			"was [%d]. This limit can be set by changing the [index.max_inner_result_window] index level setting.", a.name, maxTopHits, s.from+s.size)
	}
	return s, err
}

// ranked is one document that a bucket keeps.
type ranked struct {
	ord, row int
	keys     []rankKey
	metrics  [][]byte // top_metrics: JSON values
	numbers  []float64
}

// rankKey is one value it is sorted by. For numbers smaller is better: descending ones are inverted.
type rankKey struct {
	num     int64
	text    []byte
	missing bool
}

// ranker orders documents by fields of one index.
type ranker struct {
	keys []rankField
}

type rankField struct {
	query.SortKey
	*bound
	kind keyKind
}

func (c *planner) ranker(keys []query.SortKey) (*ranker, error) {
	r := &ranker{}
	for _, k := range keys {
		f := rankField{SortKey: k}
		if k.Field != "_score" && k.Field != "_doc" {
			var err error
			if f.bound, err = c.bindSource(&source{field: k.Field}); err != nil {
				return nil, err
			}
			if f.f == nil && k.Unmapped == "" {
				return nil, &query.Error{Status: 400, Type: "query_shard_exception", Index: c.Index,
					Reason: "No mapping found for [" + k.Field + "] in order to sort on"}
			}
			f.kind = kindOf(f.bound)
		}
		r.keys = append(r.keys, f)
	}
	return r, nil
}

// compare orders two documents; ties go by arrival.
func (r *ranker) compare(a, b *ranked) int {
	for i := range r.keys {
		x, y := &a.keys[i], &b.keys[i]
		c := 0
		switch {
		case x.missing || y.missing:
			c = cmp.Compare(bit(x.missing), bit(y.missing))
			if r.keys[i].Missing == "_first" {
				c = -c
			}
		case x.text != nil || y.text != nil:
			if c = bytes.Compare(x.text, y.text); r.keys[i].Desc {
				c = -c
			}
		default:
			c = cmp.Compare(x.num, y.num)
		}
		if c != 0 {
			return c
		}
	}
	if c := cmp.Compare(a.ord, b.ord); c != 0 {
		return c
	}
	return cmp.Compare(a.row, b.row)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// readers open the columns of the keys.
func (r *ranker) readers(src query.Source) []*reader {
	out := make([]*reader, len(r.keys))
	for i, k := range r.keys {
		if k.bound != nil {
			out[i] = k.bound.open(src)
		}
	}
	return out
}

// key is the value of one key for a row of the loaded zone.
func (f *rankField) key(r *reader, row uint16, place int64) rankKey {
	if r == nil {
		n := place
		if f.Field == "_score" {
			n = 0
		}
		if f.Desc {
			n = ^n
		}
		return rankKey{num: n}
	}
	var one [1]int64
	if r.nums != nil {
		vs := r.ints(row, &one)
		switch {
		case len(vs) == 0:
			return rankKey{missing: true}
		case f.Desc:
			return rankKey{num: ^slices.Max(vs)}
		}
		return rankKey{num: slices.Min(vs)}
	}
	k := rankKey{missing: true}
	r.bytes(row, func(v []byte) {
		if c := bytes.Compare(v, k.text); k.missing || f.Desc && c > 0 || !f.Desc && c < 0 {
			k = rankKey{text: append([]byte{}, v...)}
		}
	})
	return k
}

// json prints a sort value.
func (f *rankField) json(dst []byte, k *rankKey) []byte {
	switch {
	case k.missing:
		return append(dst, "null"...)
	case k.text != nil && f.bound != nil && f.f != nil:
		return query.AppendString(dst, f.f.TermText(k.text))
	case k.text != nil:
		return query.AppendString(dst, string(k.text))
	}
	n := k.num
	if f.Desc {
		n = ^n
	}
	switch f.kind {
	case keyDouble:
		return appendFloat(dst, query.FloatOf(n))
	case keyUnsigned:
		return strconv.AppendUint(dst, uint64(n)^1<<63, 10)
	}
	return strconv.AppendInt(dst, n, 10)
}

func (s *topHits) bind(c *planner) (binder, error) {
	r, err := c.ranker(s.sort)
	return &topBinder{ranker: r, keep: s.from + s.size}, err
}

// topBinder keeps the best documents of each bucket; metrics are the values that go with them.
type topBinder struct {
	ranker  *ranker
	keep    int
	metrics []*bound
}

func (b *topBinder) open(o *opener) collector {
	c := &topCollector{binder: b, ord: o.ord, keys: b.ranker.readers(o.src)}
	for _, m := range b.metrics {
		c.metrics = append(c.metrics, m.open(o.src))
	}
	return c
}

type topCollector struct {
	binder  *topBinder
	ord     int
	keys    []*reader
	metrics []*reader
	lists   []topPart
}

// topPart is the best documents of one bucket of one source, best first.
type topPart struct {
	total  int64
	list   []ranked
	ranker *ranker
}

func (c *topCollector) collect(b *batch) error {
	for _, r := range append(slices.Clone(c.keys), c.metrics...) {
		if r != nil {
			r.load(b.zone)
		}
	}
	for i, row := range b.rows {
		n := int(b.bucket(i))
		for n >= len(c.lists) {
			c.lists = append(c.lists, topPart{})
		}
		c.offer(&c.lists[n], b.zone, row)
	}
	return nil
}

func (c *topCollector) offer(p *topPart, zone int, row uint16) {
	p.total++
	d := ranked{ord: c.ord, row: zone*query.ZoneRows + int(row), keys: make([]rankKey, len(c.keys))}
	for i, r := range c.keys {
		d.keys[i] = c.binder.ranker.keys[i].key(r, row, int64(c.ord)<<32|int64(d.row))
	}
	full := len(p.list) >= c.binder.keep
	if full && (c.binder.keep == 0 || c.binder.ranker.compare(&d, &p.list[len(p.list)-1]) >= 0) {
		return
	}
	for _, r := range c.metrics {
		text, num := r.first(row)
		d.metrics, d.numbers = append(d.metrics, text), append(d.numbers, num)
	}
	at, _ := slices.BinarySearchFunc(p.list, d, func(x, y ranked) int { return c.binder.ranker.compare(&x, &y) })
	if full {
		p.list = p.list[:len(p.list)-1]
	}
	p.list = slices.Insert(p.list, at, d)
}

// first is a row's value as JSON and as a number.
func (r *reader) first(row uint16) ([]byte, float64) {
	var one [1]int64
	if r.nums != nil || r.hasMiss && r.term == nil {
		if vs := r.ints(row, &one); len(vs) > 0 {
			return r.f.AppendNumber(nil, vs[0]), r.toF(vs[0])
		}
		return []byte("null"), math.NaN()
	}
	out := []byte("null")
	r.bytes(row, func(v []byte) {
		if string(out) == "null" && r.f != nil {
			out = query.AppendString(nil, r.f.TermText(v))
		}
	})
	return out, math.NaN()
}

func (c *topCollector) finish(bucket int) partial {
	p := &topPart{}
	if bucket < len(c.lists) {
		*p = c.lists[bucket]
	}
	p.ranker = c.binder.ranker
	return p
}

// mergeTop is the best keep documents of all sources.
func mergeTop(parts []partial, keep int) *topPart {
	all := &topPart{}
	for _, p := range parts {
		t := p.(*topPart)
		all.total += t.total
		all.list = append(all.list, t.list...)
		if all.ranker == nil {
			all.ranker = t.ranker
		}
	}
	if all.ranker != nil {
		slices.SortFunc(all.list, func(a, b ranked) int { return all.ranker.compare(&a, &b) })
	}
	all.list = all.list[:min(keep, len(all.list))]
	return all
}

func (s *topHits) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := mergeTop(parts, s.from+s.size)
	res := &topHitsResult{total: all.total}
	for _, d := range all.list[min(s.from, len(all.list)):] {
		var sort []byte
		if len(s.sort) > 0 {
			sort = append(sort, '[')
			for i := range d.keys {
				if i > 0 {
					sort = append(sort, ',')
				}
				sort = all.ranker.keys[i].json(sort, &d.keys[i])
			}
			sort = append(sort, ']')
		}
		hit, err := r.docs(d.ord, d.row, s.source, sort)
		if err != nil {
			return nil, err
		}
		res.hits = append(res.hits, hit)
	}
	return res, nil
}

type topHitsResult struct {
	total int64
	hits  [][]byte
}

func (*topHitsResult) kind() string                 { return "top_hits" }
func (*topHitsResult) value(string) (float64, bool) { return 0, false }
func (t *topHitsResult) json(w *writer) {
	w.raw(`"hits":{"total":{"value":`)
	w.int(t.total)
	w.raw(`,"relation":"eq"},"max_score":null,"hits":[`)
	for i, h := range t.hits {
		if i > 0 {
			w.raw(",")
		}
		w.dst = append(w.dst, h...)
	}
	w.raw("]}")
}

// topMetrics is values of the best documents.
type topMetrics struct {
	size    int
	sort    []query.SortKey
	metrics []string
}

func (*topMetrics) isMetric() {}

func parseTopMetrics(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &topMetrics{size: 1}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok || s.size < 1 || s.size > 10 {
				return true, query.Badf("[top_metrics.size] must not be more than [10] but was [%s]. This limit can be set by changing the "+
					"[index.top_metrics_max_size] index level setting.", v.Str)
			}
		case "sort":
			s.sort, err = query.ParseSort(v)
		case "metrics":
			list := v.Vals
			if v.Kind == query.Object {
				list = []*query.Node{v}
			}
			for _, e := range list {
				f := e.Get("field")
				if f == nil {
					return true, wrong(e, a, key)
				}
				s.metrics = append(s.metrics, f.Str)
			}
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && (len(s.sort) != 1 || len(s.metrics) == 0) {
		err = query.Badf("[top_metrics] needs [metrics] and exactly one [sort]")
	}
	return s, err
}

func (s *topMetrics) bind(c *planner) (binder, error) {
	keys := slices.Clone(s.sort)
	for i := range keys { // unmapped here is like no value
		keys[i].Unmapped = "long"
	}
	r, err := c.ranker(keys)
	if err != nil {
		return nil, err
	}
	b := &topBinder{ranker: r, keep: s.size}
	for _, m := range s.metrics {
		f, err := c.bindSource(&source{field: m})
		if err != nil {
			return nil, err
		}
		b.metrics = append(b.metrics, f)
	}
	return b, nil
}

func (s *topMetrics) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := mergeTop(parts, s.size)
	all.list = slices.DeleteFunc(all.list, func(d ranked) bool { return d.keys[0].missing })
	return &topMetricsResult{s, all}, nil
}

type topMetricsResult struct {
	spec *topMetrics
	part *topPart
}

func (*topMetricsResult) kind() string { return "top_metrics" }

func (t *topMetricsResult) value(property string) (float64, bool) {
	i := slices.Index(t.spec.metrics, property)
	if i < 0 {
		return 0, false
	}
	if len(t.part.list) == 0 {
		return math.NaN(), true
	}
	return t.part.list[0].numbers[i], true
}

func (t *topMetricsResult) json(w *writer) {
	w.raw(`"top":[`)
	for i, d := range t.part.list {
		if i > 0 {
			w.raw(",")
		}
		w.raw(`{"sort":[`)
		k := &t.part.ranker.keys[0]
		if k.kind == keyDate && !d.keys[0].missing {
			n := d.keys[0].num
			if k.Desc {
				n = ^n
			}
			w.str(mapping.DefaultDateFormat().Format(k.f.Nanos(n), time.UTC))
		} else {
			w.dst = k.json(w.dst, &d.keys[0])
		}
		w.raw(`],"metrics":{`)
		for j, m := range t.spec.metrics {
			if j > 0 {
				w.raw(",")
			}
			w.str(m)
			w.raw(":")
			w.dst = append(w.dst, d.metrics[j]...)
		}
		w.raw("}}")
	}
	w.raw("]")
}
