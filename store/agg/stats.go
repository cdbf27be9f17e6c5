package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// stats is min, max, sum, avg, stats and extended_stats.
type stats struct {
	source
	sigma float64
}

func (*stats) isMetric() {}

func parseStats(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &stats{sigma: 2}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		if key == "sigma" && a.typ == "extended_stats" {
			f, ok := v.Float()
			if !ok || f < 0 {
				return true, query.Badf("[sigma] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.sigma = f
			return true, nil
		}
		return s.source.set(a, key, v)
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *stats) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	if err := b.needNumbers(c); err != nil {
		return nil, err
	}
	return &statsBinder{b, s}, nil
}

type statsBinder struct {
	*bound
	spec *stats
}

func (b *statsBinder) open(o *opener) collector {
	return &statsCollector{reader: b.bound.open(o.src), format: formatterOf(b.bound, kindOf(b.bound))}
}

// sums is what all of these aggregations are made of.
type sums struct {
	count        int64
	min, max     float64
	sum, squares float64
	low          float64 // what rounding took from sum (Kahan)
	format       formatter
}

func (s *sums) add(v float64) {
	if s.count == 0 {
		s.min, s.max = v, v
	}
	s.count++
	s.min, s.max = math.Min(s.min, v), math.Max(s.max, v)
	s.plus(v)
	s.squares += v * v
}

func (s *sums) plus(v float64) {
	y := v - s.low
	t := s.sum + y
	if !math.IsInf(t, 0) {
		s.low = (t - s.sum) - y
	}
	s.sum = t
}

func (s *sums) merge(o *sums) {
	if o.format != nil {
		s.format = o.format
	}
	if o.count == 0 {
		return
	}
	if s.count == 0 {
		s.min, s.max = o.min, o.max
	}
	s.count += o.count
	s.min, s.max = math.Min(s.min, o.min), math.Max(s.max, o.max)
	s.plus(o.sum)
	s.squares += o.squares
}

type statsCollector struct {
	*reader
	format  formatter
	buckets []sums
}

func (c *statsCollector) collect(b *batch) error {
	if c.nums == nil && !c.hasMiss {
		return nil
	}
	c.load(b.zone)
	var one [1]int64
	for i, row := range b.rows {
		n := b.bucket(i)
		for int(n) >= len(c.buckets) {
			c.buckets = append(c.buckets, sums{})
		}
		for _, v := range c.ints(row, &one) {
			c.buckets[n].add(c.toF(v))
		}
	}
	return nil
}

func (c *statsCollector) finish(bucket int) partial {
	s := &sums{}
	if bucket < len(c.buckets) {
		*s = c.buckets[bucket]
	}
	s.format = c.format
	return s
}

func (s *stats) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	res := &statsResult{typ: a.typ, sigma: s.sigma}
	for _, p := range parts {
		res.merge(p.(*sums))
	}
	return res, nil
}

// statsResult prints the numbers that its type asks for.
type statsResult struct {
	sums
	typ   string
	sigma float64
}

func (s *statsResult) kind() string { return s.typ }

func (s *statsResult) avg() float64      { return s.sum / float64(s.count) }
func (s *statsResult) variance() float64 { return s.varianceOver(float64(s.count)) }

// varianceOver is the population variance over count, the sample variance over count-1.
func (s *statsResult) varianceOver(n float64) float64 {
	v := (s.squares - s.sum*s.sum/float64(s.count)) / n
	if v < 0 {
		return 0
	}
	return v
}

func (s *statsResult) value(property string) (float64, bool) {
	if s.count == 0 && property != "count" && property != "sum" && !(s.typ == "sum" && property != "avg") {
		return math.NaN(), true
	}
	if property == "" || property == "value" {
		property = s.typ
	}
	switch property {
	case "min":
		return s.min, true
	case "max":
		return s.max, true
	case "sum":
		return s.sum, true
	case "avg":
		return s.avg(), true
	case "count":
		return float64(s.count), true
	case "sum_of_squares":
		return s.squares, true
	case "variance", "variance_population":
		return s.variance(), true
	case "variance_sampling":
		return s.varianceOver(float64(s.count - 1)), true
	case "std_deviation", "std_deviation_population":
		return math.Sqrt(s.variance()), true
	case "std_deviation_sampling":
		return math.Sqrt(s.varianceOver(float64(s.count - 1))), true
	case "std_upper":
		return s.avg() + s.sigma*math.Sqrt(s.variance()), true
	case "std_lower":
		return s.avg() - s.sigma*math.Sqrt(s.variance()), true
	}
	return 0, false
}

func (s *statsResult) json(w *writer) {
	if s.typ != "stats" && s.typ != "extended_stats" {
		v, _ := s.value("")
		if s.count == 0 && s.typ != "sum" {
			v = math.NaN()
		}
		writeValue(w, "value", v, s.format)
		return
	}
	w.raw(`"count":`)
	w.int(s.count)
	for _, p := range []string{"min", "max", "avg", "sum"} {
		w.raw(`,"` + p + `":`)
		v, _ := s.value(p)
		w.float(v)
	}
	if s.typ == "extended_stats" {
		s.extended(w)
	}
	if s.format != nil && s.count > 0 {
		for _, p := range []string{"min", "max", "avg", "sum"} {
			w.raw(`,"` + p + `_as_string":`)
			v, _ := s.value(p)
			w.str(s.format(v))
		}
	}
}

func (s *statsResult) extended(w *writer) {
	for _, p := range []string{"sum_of_squares", "variance", "variance_population", "variance_sampling", "std_deviation",
		"std_deviation_population", "std_deviation_sampling"} {
		w.raw(`,"` + p + `":`)
		v, _ := s.value(p)
		if s.count == 0 {
			v = math.NaN()
		}
		w.float(v)
	}
	w.raw(`,"std_deviation_bounds":{`)
	mean, pop := s.avg(), math.Sqrt(s.variance())
	sample := math.Sqrt(s.varianceOver(float64(s.count - 1)))
	if s.count == 0 {
		mean = math.NaN()
	}
	for i, b := range []struct {
		name string
		v    float64
	}{{"upper", mean + s.sigma*pop}, {"lower", mean - s.sigma*pop}, {"upper_population", mean + s.sigma*pop},
		{"lower_population", mean - s.sigma*pop}, {"upper_sampling", mean + s.sigma*sample}, {"lower_sampling", mean - s.sigma*sample}} {
		if i > 0 {
			w.raw(",")
		}
		w.raw(`"` + b.name + `":`)
		w.float(b.v)
	}
	w.raw("}")
}

// writeValue prints a number and, with a format, its text.
func writeValue(w *writer, name string, v float64, f formatter) {
	w.raw(`"` + name + `":`)
	w.float(v)
	if f != nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		w.raw(`,"` + name + `_as_string":`)
		w.str(f(v))
	}
}

// valueCount is value_count.
type valueCount struct{ source }

func (*valueCount) isMetric() {}

func parseValueCount(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &valueCount{}
	err := members(a, n, func(key string, v *query.Node) (bool, error) { return s.source.set(a, key, v) })
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

// bind: every document has one _id, so that is counted like a constant.
func (s *valueCount) bind(c *planner) (binder, error) {
	if s.field == "_id" {
		return &valueCountBinder{&bound{source: &s.source, constant: &c.Index}}, nil
	}
	b, err := c.bindSource(&s.source)
	return &valueCountBinder{b}, err
}

type valueCountBinder struct{ *bound }

func (b *valueCountBinder) open(o *opener) collector {
	return &valueCountCollector{reader: b.bound.open(o.src)}
}

type valueCountCollector struct {
	*reader
	counts []int64
}

func (c *valueCountCollector) collect(b *batch) error {
	c.load(b.zone)
	var one [1]int64
	for i, row := range b.rows {
		n := b.bucket(i)
		for int(n) >= len(c.counts) {
			c.counts = append(c.counts, 0)
		}
		switch {
		case c.constant != nil:
			c.counts[n]++
		case c.nums != nil:
			c.counts[n] += int64(len(c.ints(row, &one)))
		default:
			c.bytes(row, func([]byte) { c.counts[n]++ })
		}
	}
	return nil
}

func (c *valueCountCollector) finish(bucket int) partial {
	if bucket < len(c.counts) {
		return c.counts[bucket]
	}
	return int64(0)
}

func (s *valueCount) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var n int64
	for _, p := range parts {
		n += p.(int64)
	}
	return countResult{a.typ, n}, nil
}

// countResult is a whole number.
type countResult struct {
	typ string
	n   int64
}

func (c countResult) kind() string { return c.typ }
func (c countResult) value(property string) (float64, bool) {
	return float64(c.n), property == "" || property == "value"
}
func (c countResult) json(w *writer) {
	w.raw(`"value":`)
	w.int(c.n)
}
