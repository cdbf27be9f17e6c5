package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// weightedAvg is weighted_avg.
type weightedAvg struct {
	value, weight source
	format        string
}

func (*weightedAvg) isMetric() {}

func parseWeightedAvg(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &weightedAvg{}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		switch key {
		case "value":
			return true, s.value.read(a, v)
		case "weight":
			return true, s.weight.read(a, v)
		case "format":
			s.format = v.Str
			return true, nil
		case "value_type":
			return true, nil
		}
		return false, nil
	})
	if err == nil && (s.value.field == "" || s.weight.field == "") {
		err = query.Badf("Required one of fields [field, script], but none were specified. ")
	}
	return s, err
}

// read reads {"field": ..., "missing": ...}.
func (s *source) read(a *Agg, n *query.Node) error {
	if n.Kind != query.Object {
		return wrong(n, a, "field")
	}
	return members(a, n, func(key string, v *query.Node) (bool, error) { return s.set(a, key, v) })
}

func (s *weightedAvg) bind(c *planner) (binder, error) {
	s.value.format = s.format
	b, err := c.bindNumbers(&s.value, func(f formatter, _ *opener) numberSink { return &weightedSums{format: f} })
	if err != nil {
		return nil, err
	}
	if b.weights, err = c.bindSource(&s.weight); err != nil {
		return nil, err
	}
	return b, b.weights.needNumbers(c)
}

// weighted is the part of one bucket.
type weighted struct {
	sum, weight float64
	format      formatter
}

type weightedSums struct {
	format formatter
	list   []weighted
}

func (s *weightedSums) add(bucket int, v, weight float64) error {
	e := at(&s.list, bucket)
	e.sum += v * weight
	e.weight += weight
	return nil
}

func (s *weightedSums) finish(bucket int) partial {
	e := *at(&s.list, bucket)
	e.format = s.format
	return e
}

func (s *weightedAvg) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var all weighted
	for _, p := range parts {
		e := p.(weighted)
		all.sum, all.weight = all.sum+e.sum, all.weight+e.weight
		if e.format != nil {
			all.format = e.format
		}
	}
	v := math.NaN()
	if all.weight != 0 {
		v = all.sum / all.weight
	}
	return &simpleValue{typ: a.typ, v: v, format: all.format}, nil
}
