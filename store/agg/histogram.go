package agg

import (
	"math"
	"slices"

	"github.com/weirlog/weir/store/query"
)

// histogram is a bucket per interval of numbers.
type histogram struct {
	source
	interval, offset float64
	keyed            bool
	minCount         int64
	order            []orderKey
	extended, hard   *[2]float64
}

func parseHistogram(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &histogram{}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "interval":
			if s.interval, ok = v.Float(); !ok || s.interval <= 0 {
				return true, query.Badf("[interval] must be >0 for histogram aggregation [%s]", a.name)
			}
		case "offset":
			if s.offset, ok = v.Float(); !ok {
				return true, wrong(v, a, key)
			}
		case "keyed":
			s.keyed, _ = v.Bool()
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		case "order":
			s.order, err = parseOrder(a, v)
		case "extended_bounds":
			s.extended, err = numberBounds(a, v)
		case "hard_bounds":
			s.hard, err = numberBounds(a, v)
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	if err == nil && s.interval == 0 {
		err = query.Badf("Required one of fields [interval], but none were specified. ")
	}
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func numberBounds(a *Agg, n *query.Node) (*[2]float64, error) {
	b := &[2]float64{math.Inf(1), math.Inf(-1)}
	for i, k := range n.Keys {
		f, ok := n.Vals[i].Float()
		switch {
		case n.Vals[i].Kind == query.Null:
		case !ok:
			return nil, wrong(n.Vals[i], a, k.Name)
		case k.Name == "min":
			b[0] = f
		case k.Name == "max":
			b[1] = f
		}
	}
	return b, nil
}

func (s *histogram) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	return &histogramBinder{b, s}, b.needNumbers(c)
}

type histogramBinder struct {
	*bound
	spec *histogram
}

func (b *histogramBinder) open(o *opener) collector {
	return &histogramCollector{reader: b.bound.open(o.src), tree: newTree(o), spec: b.spec, format: formatterOf(b.bound, kindOf(b.bound))}
}

type histogramCollector struct {
	*reader
	*tree
	spec   *histogram
	format formatter
}

func (c *histogramCollector) collect(b *batch) error {
	if c.nums == nil && !c.hasMiss {
		return nil
	}
	c.load(b.zone)
	c.begin(b.zone)
	var one [1]int64
	s := c.spec
	for i, row := range b.rows {
		last := int64(math.MinInt64)
		for _, v := range c.ints(row, &one) {
			x := c.toF(v)
			if s.hard != nil && (x < s.hard[0] && !math.IsInf(s.hard[0], 0) || x > s.hard[1] && !math.IsInf(s.hard[1], 0)) {
				continue
			}
			if key := int64(math.Floor((x - s.offset) / s.interval)); key != last {
				c.add(row, c.bucket(b.bucket(i), key))
				last = key
			}
		}
	}
	return c.end()
}

// histogramPart is the buckets of one source; keys are numbers of intervals.
type histogramPart struct {
	list   []bucketPart
	format formatter
}

func (c *histogramCollector) finish(bucket int) partial {
	return &histogramPart{c.tree.finish(bucket, numberKey), c.format}
}

func (s *histogram) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var lists [][]bucketPart
	var format formatter
	for _, p := range parts {
		h := p.(*histogramPart)
		lists = append(lists, h.list)
		if h.format != nil {
			format = h.format
		}
	}
	all := mergeBuckets(lists...)
	slices.SortFunc(all, func(x, y *merged) int { return compareInt(x.key.n, y.key.n) })
	if s.minCount == 0 {
		var err error
		if all, err = s.fill(all); err != nil {
			return nil, err
		}
	}
	out := &buckets{typ: "histogram", keyed: s.keyed}
	for _, m := range all {
		if m.count < s.minCount {
			continue
		}
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		b.num = float64(m.key.n)*s.interval + s.offset
		b.name = javaDouble(b.num)
		if format != nil {
			b.name = format(b.num)
			b.json = append(query.AppendString([]byte(`"key_as_string":`), b.name), ',')
		}
		b.json = appendFloat(append(b.json, `"key":`...), b.num)
		out.list = append(out.list, b)
	}
	return out, orderHistogram(s.order, out.list)
}

// fill adds the empty buckets between the first and last, and up to the extended bounds.
func (s *histogram) fill(all []*merged) ([]*merged, error) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	if len(all) > 0 {
		lo, hi = all[0].key.n, all[len(all)-1].key.n
	}
	if s.extended != nil {
		if !math.IsInf(s.extended[0], 0) {
			lo = min(lo, int64(math.Floor((s.extended[0]-s.offset)/s.interval)))
		}
		if !math.IsInf(s.extended[1], 0) {
			hi = max(hi, int64(math.Floor((s.extended[1]-s.offset)/s.interval)))
		}
	}
	if lo > hi {
		return all, nil
	}
	if uint64(hi)-uint64(lo) >= MaxBuckets {
		return nil, tooManyBuckets()
	}
	out := make([]*merged, 0, hi-lo+1)
	for key := lo; key <= hi; key++ {
		if len(all) > 0 && all[0].key.n == key {
			out = append(out, all[0])
			all = all[1:]
			continue
		}
		out = append(out, &merged{key: bucketKey{n: key}})
	}
	return out, nil
}
