package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// percentiles is percentiles and percentile_ranks, by t-digest or by HDR histogram.
type percentiles struct {
	source
	ranks       bool
	at          []float64 // percents, or values
	keyed       bool
	compression float64
	hdr         bool
	digits      int
}

func (*percentiles) isMetric() {}

func parsePercentiles(d *decoder, a *Agg, n *query.Node) (spec, error) {
	return parsePercents(a, n, &percentiles{at: []float64{1, 5, 25, 50, 75, 95, 99}}, "percents")
}

func parsePercentileRanks(d *decoder, a *Agg, n *query.Node) (spec, error) {
	return parsePercents(a, n, &percentiles{ranks: true}, "values")
}

func parsePercents(a *Agg, n *query.Node, s *percentiles, list string) (spec, error) {
	s.keyed, s.compression, s.digits = true, 100, 3
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case list:
			s.at = nil
			for _, e := range v.Vals {
				f, ok := e.Float()
				if !ok || !s.ranks && (f < 0 || f > 100) {
					return true, query.Badf("percent must be in [0,100], got [%s]: [%s]", e.Str, a.name)
				}
				s.at = append(s.at, f)
			}
		case "keyed":
			s.keyed, _ = v.Bool()
		case "tdigest":
			if c := v.Get("compression"); c != nil {
				f, ok := c.Float()
				if !ok || f < 0 {
					return true, query.Badf("[compression] must be greater than or equal to 0. Found [%s] in [%s]", c.Str, a.name)
				}
				s.compression = f
			}
		case "hdr":
			s.hdr = true
			if c := v.Get("number_of_significant_value_digits"); c != nil {
				i, ok := c.Int()
				if !ok || i < 0 || i > 5 {
					return true, query.Badf("[numberOfSignificantValueDigits] must be between 0 and 5")
				}
				s.digits = i
			}
		default:
			return s.source.set(a, key, v)
		}
		return true, nil
	})
	if err == nil && len(s.at) == 0 {
		err = query.Badf("[%s] must not be empty", list)
	}
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *percentiles) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	return &percentilesBinder{b, s}, b.needNumbers(c)
}

type percentilesBinder struct {
	*bound
	spec *percentiles
}

func (b *percentilesBinder) open(o *opener) collector {
	return &percentilesCollector{reader: b.bound.open(o.src), spec: b.spec, format: formatterOf(b.bound, kindOf(b.bound))}
}

// sketch is what values are kept in.
type sketch interface {
	add(v float64)
	count() float64
	quantile(q float64) float64
	rank(v float64) float64
}

func (s *percentiles) sketch() sketch {
	if s.hdr {
		return newHDR(s.digits)
	}
	return newTDigest(s.compression)
}

// percentilesPart is the sketch of one source; nil when it has no values.
type percentilesPart struct {
	sketch sketch
	format formatter
	err    error
}

type percentilesCollector struct {
	*reader
	spec    *percentiles
	format  formatter
	buckets []sketch
}

func (c *percentilesCollector) collect(b *batch) error {
	if c.nums == nil && !c.hasMiss {
		return nil
	}
	c.load(b.zone)
	var one [1]int64
	for i, row := range b.rows {
		for _, v := range c.ints(row, &one) {
			n := int(b.bucket(i))
			for n >= len(c.buckets) {
				c.buckets = append(c.buckets, nil)
			}
			if c.buckets[n] == nil {
				c.buckets[n] = c.spec.sketch()
			}
			x := c.toF(v)
			if c.spec.hdr && x < 0 {
				return query.Badf("Negative values are not supported by HDR aggregation")
			}
			c.buckets[n].add(x)
		}
	}
	return nil
}

func (c *percentilesCollector) finish(bucket int) partial {
	p := &percentilesPart{format: c.format}
	if bucket < len(c.buckets) {
		p.sketch = c.buckets[bucket]
	}
	return p
}

func (s *percentiles) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	res := &percentilesResult{spec: s, typ: "tdigest_" + a.typ}
	if s.hdr {
		res.typ = "hdr_" + a.typ
	}
	for _, p := range parts {
		part := p.(*percentilesPart)
		if part.format != nil {
			res.format = part.format
		}
		switch {
		case part.sketch == nil:
		case res.sketch == nil:
			res.sketch = s.sketch()
			fallthrough
		default:
			mergeSketch(res.sketch, part.sketch)
		}
	}
	return res, nil
}

func mergeSketch(into, from sketch) {
	switch from := from.(type) {
	case *tdigest:
		into.(*tdigest).merge(from)
	case *hdr:
		into.(*hdr).merge(from)
	}
}

// percentilesResult prints the values at the percents, or the percents at the values.
type percentilesResult struct {
	spec   *percentiles
	typ    string
	sketch sketch
	format formatter
}

func (p *percentilesResult) kind() string { return p.typ }

func (p *percentilesResult) at(x float64) float64 {
	switch {
	case p.sketch == nil || p.sketch.count() == 0:
		return math.NaN()
	case p.spec.ranks:
		return 100 * p.sketch.rank(x)
	}
	return p.sketch.quantile(x / 100)
}

func (p *percentilesResult) value(property string) (float64, bool) {
	var n query.Node
	n.Kind, n.Str = query.String, property
	x, ok := n.Float()
	return p.at(x), ok
}

func (p *percentilesResult) json(w *writer) {
	format := p.format
	if p.spec.ranks {
		format = nil
	}
	if p.spec.keyed {
		w.raw(`"values":{`)
	} else {
		w.raw(`"values":[`)
	}
	for i, x := range p.spec.at {
		if i > 0 {
			w.raw(",")
		}
		v := p.at(x)
		if p.spec.keyed {
			writeValue(w, javaDouble(x), v, format)
			continue
		}
		w.raw(`{"key":`)
		w.float(x)
		w.raw(",")
		writeValue(w, "value", v, format)
		w.raw("}")
	}
	if p.spec.keyed {
		w.raw("}")
	} else {
		w.raw("]")
	}
}
