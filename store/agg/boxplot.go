package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// digestAgg is boxplot and median_absolute_deviation: what a t-digest of the values tells.
type digestAgg struct {
	source
	compression float64
}

func (*digestAgg) isMetric() {}

func parseBoxplot(d *decoder, a *Agg, n *query.Node) (spec, error) { return parseDigest(a, n, 100) }

func parseMedianDeviation(d *decoder, a *Agg, n *query.Node) (spec, error) {
	return parseDigest(a, n, 1000)
}

func parseDigest(a *Agg, n *query.Node, compression float64) (spec, error) {
	s := &digestAgg{compression: compression}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case "compression":
			f, ok := v.Float()
			if !ok || f <= 0 {
				return true, query.Badf("[compression] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.compression = f
			return true, nil
		case "execution_hint":
			return true, nil
		}
		return s.source.set(a, key, v)
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *digestAgg) bind(c *planner) (binder, error) {
	return c.bindNumbers(&s.source, func(f formatter, _ *opener) numberSink { return &digests{spec: s, format: f} })
}

type digests struct {
	spec   *digestAgg
	format formatter
	list   []*tdigest
}

func (s *digests) add(bucket int, v, _ float64) error {
	e := at(&s.list, bucket)
	if *e == nil {
		*e = newTDigest(s.spec.compression)
	}
	(*e).add(v)
	return nil
}

func (s *digests) finish(bucket int) partial {
	return &digestPart{*at(&s.list, bucket), s.format}
}

type digestPart struct {
	t      *tdigest // nil: no values
	format formatter
}

func (s *digestAgg) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := newTDigest(s.compression)
	var format formatter
	for _, p := range parts {
		d := p.(*digestPart)
		if d.t != nil {
			all.merge(d.t)
		}
		if d.format != nil {
			format = d.format
		}
	}
	if a.typ == "boxplot" {
		return newBoxplot(all, format), nil
	}
	return &simpleValue{typ: a.typ, v: medianDeviation(all, s.compression), format: format}, nil
}

// medianDeviation is the median of the distances from the median.
func medianDeviation(t *tdigest, compression float64) float64 {
	if t.total == 0 {
		return math.NaN()
	}
	median := t.quantile(0.5)
	dist := newTDigest(compression)
	for _, c := range t.cents {
		part := newTDigest(compression)
		part.cents, part.total = []centroid{{math.Abs(c.mean - median), c.weight}}, c.weight
		part.min, part.max = part.cents[0].mean, part.cents[0].mean
		dist.merge(part)
	}
	return dist.quantile(0.5)
}

// boxplot is five numbers and the whiskers: the outermost values within 1.5 interquartile ranges of the quartiles.
type boxplot struct {
	min, max, q1, q2, q3, lower, upper float64
	format                             formatter
}

func newBoxplot(t *tdigest, format formatter) *boxplot {
	if t.total == 0 {
		return &boxplot{min: math.Inf(1), max: math.Inf(-1), q1: math.NaN(), q2: math.NaN(), q3: math.NaN(), lower: math.NaN(), upper: math.NaN()}
	}
	b := &boxplot{min: t.min, max: t.max, q1: t.quantile(0.25), q2: t.quantile(0.5), q3: t.quantile(0.75), format: format}
	reach := 1.5 * (b.q3 - b.q1)
	b.lower, b.upper = b.max, b.min
	for _, c := range t.cents {
		if c.mean >= b.q1-reach {
			b.lower = math.Min(b.lower, c.mean)
		}
		if c.mean <= b.q3+reach {
			b.upper = math.Max(b.upper, c.mean)
		}
	}
	return b
}

func (b *boxplot) kind() string { return "boxplot" }

func (b *boxplot) value(property string) (float64, bool) {
	for _, e := range b.fields() {
		if e.name == property {
			return e.v, true
		}
	}
	return 0, false
}

type namedFloat struct {
	name string
	v    float64
}

func (b *boxplot) fields() []namedFloat {
	return []namedFloat{{"min", b.min}, {"max", b.max}, {"q1", b.q1}, {"q2", b.q2}, {"q3", b.q3}, {"lower", b.lower}, {"upper", b.upper}}
}

func (b *boxplot) json(w *writer) {
	for i, e := range b.fields() {
		if i > 0 {
			w.raw(",")
		}
		switch {
		case math.IsInf(e.v, 1): // Elasticsearch prints the ends of no values so
			w.raw(`"` + e.name + `":"Infinity"`)
		case math.IsInf(e.v, -1):
			w.raw(`"` + e.name + `":"-Infinity"`)
		case math.IsNaN(e.v):
			w.raw(`"` + e.name + `":"NaN"`)
		default:
			w.raw(`"` + e.name + `":`)
			w.float(e.v)
		}
	}
	if b.format == nil {
		return
	}
	for _, e := range b.fields() {
		w.raw(`,"` + e.name + `_as_string":`)
		w.str(b.format(e.v))
	}
}
