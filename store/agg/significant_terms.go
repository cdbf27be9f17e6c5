package agg

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/weirlog/weir/store/query"
)

// significantTerms is significant_terms: values that are more frequent in the bucket than in the indices searched.
type significantTerms struct {
	terms
	heuristic func(in, size, all, total float64) float64
}

func parseSignificantTerms(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &significantTerms{heuristic: jlh}
	s.size, s.minCount = 10, 3
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "size":
			if s.size, ok = v.Int(); !ok || s.size <= 0 {
				return true, query.Badf("[size] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		case "include":
			s.include.in, err = parseValueSet(a, key, v)
		case "exclude":
			s.include.out, err = parseValueSet(a, key, v)
		case "jlh":
			s.heuristic = jlh
		case "percentage":
			s.heuristic = percentage
		case "gnd":
			s.heuristic = gnd
		case "chi_square":
			s.heuristic = chiSquare
		case "shard_size", "shard_min_doc_count", "execution_hint":
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *significantTerms) bind(c *planner) (binder, error) {
	b, err := s.terms.bind(c)
	return &significantBinder{inner: b}, err
}

// significantBinder keeps the collectors of all sources of an index: the documents of each are background, whether it has the bucket or
// not.
type significantBinder struct {
	inner binder
	mu    sync.Mutex
	all   []*significantCollector
}

func (b *significantBinder) open(o *opener) collector {
	c := &significantCollector{termsCollector: b.inner.open(o).(*termsCollector), src: o.src, index: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, c)
	return c
}

// significantCollector counts the bucket's values; how frequent they are in the whole source is looked up at the end.
type significantCollector struct {
	*termsCollector
	src    query.Source
	index  *significantBinder
	totals []int64             // documents of each bucket
	all    map[bucketKey]int64 // of the source, once asked for
}

func (c *significantCollector) collect(b *batch) error {
	for i := range b.rows {
		*at(&c.totals, int(b.bucket(i)))++
	}
	return c.termsCollector.collect(b)
}

// significantPart is the values of one bucket of one source.
type significantPart struct {
	*termsPart
	size  int64
	index *significantBinder
}

func (c *significantCollector) finish(bucket int) partial {
	p := c.termsCollector.finish(bucket).(*termsPart)
	p.unfold()
	return &significantPart{termsPart: p, size: *at(&c.totals, bucket), index: c.index}
}

// background counts every value of the source, when all collecting is done.
func (c *significantCollector) background() map[bucketKey]int64 {
	if c.all != nil {
		return c.all
	}
	counter := *c.termsCollector
	counter.tree = &tree{index: map[slot]uint32{}, kids: map[uint32][]uint32{}}
	counter.dense, counter.plain, counter.own, counter.names = nil, nil, nil, nil
	var b batch
	for z := 0; z*query.ZoneRows < c.src.Rows(); z++ {
		sel := query.AllRows(c.src, z)
		b.set(z, &sel)
		if counter.collect(&b) != nil {
			break
		}
	}
	p := counter.finish(0).(*termsPart)
	p.unfold()
	out := make(map[bucketKey]int64, len(p.list))
	for i := range p.list {
		out[p.list[i].key] = p.list[i].count
	}
	c.all = out
	return out
}

func (s *significantTerms) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var plain []partial
	var size, total int64
	all, indices := map[bucketKey]int64{}, map[*significantBinder]bool{}
	for _, p := range parts {
		sp := p.(*significantPart)
		plain = append(plain, sp.termsPart)
		size += sp.size
		if indices[sp.index] {
			continue
		}
		indices[sp.index] = true
		for _, c := range sp.index.all {
			total += int64(c.src.Rows() - c.src.Deleted())
			for k, n := range c.background() {
				all[k] += n
			}
		}
	}
	kind, format, lists := s.gather(plain)
	type scored struct {
		*merged
		score float64
	}
	var list []scored
	for _, m := range mergeBuckets(lists...) {
		if m.count < s.minCount || !s.include.keeps(s.keyText(m.key, kind, format)) {
			continue
		}
		if score := s.heuristic(float64(m.count), float64(size), float64(all[m.key]), float64(total)); score > 0 {
			list = append(list, scored{m, score})
		}
	}
	slices.SortFunc(list, func(x, y scored) int {
		if x.score != y.score {
			return cmp.Compare(y.score, x.score)
		}
		return cmp.Compare(s.keyText(x.key, kind, format), s.keyText(y.key, kind, format))
	})
	typ := map[keyKind]string{keyString: "sigsterms", keyNone: "umsigterms"}[kind]
	if typ == "" {
		typ = "siglterms"
	}
	out := &buckets{typ: typ}
	out.head = append(strconv.AppendInt(append(strconv.AppendInt([]byte(`"doc_count":`), size, 10), `,"bg_count":`...), total, 10), ',')
	for _, e := range list[:min(s.size, len(list))] {
		b, err := r.bucket(a, e.merged)
		if err != nil {
			return nil, err
		}
		b.json, b.num, b.name = keyJSON(e.key, kind, format), keyNumber(e.key, kind), s.keyText(e.key, kind, format)
		b.level.results = append([]named{{name: "score", res: bareFloat(e.score)}, {name: "bg_count", res: bareNumber(all[e.key])}}, b.level.results...)
		out.list = append(out.list, b)
	}
	return out, nil
}

// Heuristics: in of size documents of the bucket have the value, all of total documents there are.

// jlh is the absolute times the relative change of the share.
func jlh(in, size, all, total float64) float64 {
	fore, back := in/size, all/total
	if fore <= back || all == 0 {
		return 0
	}
	return (fore - back) * (fore / back)
}

func percentage(in, _, all, _ float64) float64 {
	if all == 0 {
		return 0
	}
	return in / all
}

// gnd is Google's normalized distance as a likeness: e to the power of minus it.
func gnd(in, size, all, total float64) float64 {
	if in == 0 {
		return 0
	}
	fx, fy, fxy, n := math.Log(all), math.Log(size), math.Log(in), math.Log(total)
	if d := n - math.Min(fx, fy); d > 0 {
		return math.Exp(-(math.Max(fx, fy) - fxy) / d)
	}
	return 1
}

// chiSquare is the statistic of the two by two table; 0 when the value is rarer in the bucket.
func chiSquare(in, size, all, total float64) float64 {
	n11, n10, n01 := in, all-in, size-in
	n00 := total - all - size + in
	if n11/size <= all/total {
		return 0
	}
	d := (n11 + n01) * (n11 + n10) * (n10 + n00) * (n01 + n00)
	if d <= 0 {
		return 0
	}
	x := n11*n00 - n01*n10
	return total * x * x / d
}
