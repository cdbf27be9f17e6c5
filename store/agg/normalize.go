package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// normalize is the pipeline that puts the values of all buckets on one scale.
type normalize struct {
	pipeBase
	method func(v []float64) func(x float64) float64
}

// normalizers make, from all values, what is done to each.
var normalizers = map[string]func(v []float64) func(x float64) float64{
	"rescale_0_1":   func(v []float64) func(float64) float64 { m := moments(v); return m.rescale(1) },
	"rescale_0_100": func(v []float64) func(float64) float64 { m := moments(v); return m.rescale(100) },
	"percent_of_sum": func(v []float64) func(float64) float64 {
		m := moments(v)
		return func(x float64) float64 { return x / m.sum }
	},
	"mean": func(v []float64) func(float64) float64 {
		m := moments(v)
		return func(x float64) float64 { return (x - m.avg()) / (m.max - m.min) }
	},
	"z-score": func(v []float64) func(float64) float64 {
		m := moments(v)
		return func(x float64) float64 { return (x - m.avg()) / math.Sqrt(m.variance()) }
	},
	"softmax": func(v []float64) func(float64) float64 {
		sum := 0.0
		for _, x := range v {
			sum += math.Exp(x)
		}
		return func(x float64) float64 { return math.Exp(x) / sum }
	},
}

func moments(v []float64) *statsResult {
	m := &statsResult{typ: "stats"}
	for _, x := range v {
		m.add(x)
	}
	return m
}

func (s *statsResult) rescale(to float64) func(x float64) float64 {
	return func(x float64) float64 { return to * (x - s.min) / (s.max - s.min) }
}

func parseNormalize(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &normalize{}
	err := s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		if key != "method" {
			return false, nil
		}
		if s.method, ok = normalizers[v.Str]; !ok {
			err = query.Badf("invalid method [%s]", v.Str)
		}
		return true, err
	})
	if err == nil && s.method == nil {
		err = n.Errorf("Required [method]")
	}
	return s, err
}

func (*normalize) parent() bool { return true }

func (s *normalize) apply(r *reducer, name string, l *level) error {
	values := make([]float64, len(l.buckets.list))
	var known []float64
	for i, e := range l.buckets.list {
		v, ok, err := s.value(e, s.paths[0])
		if err != nil {
			return err
		}
		if values[i] = math.NaN(); ok {
			values[i] = v
			known = append(known, v)
		}
	}
	f := s.method(known)
	for i, e := range l.buckets.list {
		v := values[i]
		if !math.IsNaN(v) {
			v = f(v)
		}
		s.put(e, name, "simple_value", v)
	}
	return nil
}

// cumulativeCardinality is the number of distinct values so far.
type cumulativeCardinality struct{ pipeBase }

func parseCumulativeCardinality(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &cumulativeCardinality{}
	return s, s.read(typ, n, func(string, *query.Node) (bool, error) { return false, nil })
}

func (*cumulativeCardinality) parent() bool { return true }

func (s *cumulativeCardinality) apply(r *reducer, name string, l *level) error {
	all := &distinct{}
	for _, e := range l.buckets.list {
		c, ok := e.level.find(s.paths[0]).(*distinctResult)
		if !ok {
			return query.Badf("buckets_path must reference a cardinality aggregation, got: [%s]", s.paths[0])
		}
		if err := all.merge(c.set, c.precision); err != nil {
			return err
		}
		if e.level == nil {
			e.level = &level{}
		}
		e.level.set(named{name: name, res: countResult{"simple_long_value", all.count()}})
	}
	return nil
}
