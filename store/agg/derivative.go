package agg

import (
	"math"

	"github.com/weirlog/weir/store/query"
)

// unitMillis are the lengths of the units a derivative is normalized to.
var unitMillis = map[string]float64{"second": 1e3, "minute": 6e4, "hour": 36e5, "day": 864e5, "week": 6048e5, "month": 2592e6, "quarter": 7776e6,
	"year": 31536e6}

// derivative is the difference of each bucket's value from the one before it.
type derivative struct {
	pipeBase
	unit float64 // ms, 0: none
}

func parseDerivative(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &derivative{}
	return s, s.read(typ, n, func(key string, v *query.Node) (bool, error) {
		if key != "unit" {
			return false, nil
		}
		if u, ok := calendarUnits[v.Str]; ok {
			s.unit = unitMillis[u]
			return true, nil
		}
		d, err := query.ParseDuration(key, v.Str)
		s.unit = float64(d.Milliseconds())
		return true, err
	})
}

func (*derivative) parent() bool { return true }

func (s *derivative) apply(r *reducer, name string, l *level) error {
	last, lastKey, have := 0.0, 0.0, false
	for _, e := range l.buckets.list {
		v, ok, err := s.value(e, s.paths[0])
		if err != nil {
			return err
		}
		if have {
			res := &derivativeValue{simpleValue: simpleValue{typ: "derivative", v: v - last, format: s.formatter()}, normal: math.NaN()}
			if !ok {
				res.v = math.NaN()
			}
			if s.unit > 0 {
				res.normal, res.has = res.v/((e.num-lastKey)/s.unit), true
			}
			e.level.set(named{name: name, res: res})
		}
		if ok || s.gap != gapSkip {
			last, lastKey, have = v, e.num, true
		} else {
			last, lastKey, have = math.NaN(), e.num, true
		}
	}
	return nil
}

type derivativeValue struct {
	simpleValue
	normal float64
	has    bool
}

func (d *derivativeValue) value(property string) (float64, bool) {
	if property == "normalized_value" {
		return d.normal, true
	}
	return d.simpleValue.value(property)
}

func (d *derivativeValue) json(w *writer) {
	d.simpleValue.json(w)
	if d.has {
		w.raw(`,"normalized_value":`)
		w.float(d.normal)
	}
}

// cumulativeSum is the sum of the values so far.
type cumulativeSum struct{ pipeBase }

func parseCumulativeSum(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &cumulativeSum{}
	err := s.read(typ, n, func(string, *query.Node) (bool, error) { return false, nil })
	s.gap = gapZeros
	return s, err
}

func (*cumulativeSum) parent() bool { return true }

func (s *cumulativeSum) apply(r *reducer, name string, l *level) error {
	sum := 0.0
	for _, e := range l.buckets.list {
		v, _, err := s.value(e, s.paths[0])
		if err != nil {
			return err
		}
		sum += v
		s.put(e, name, "simple_value", sum)
	}
	return nil
}

// serialDiff is the difference from the value lag buckets before.
type serialDiff struct {
	pipeBase
	lag int
}

func parseSerialDiff(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &serialDiff{lag: 1}
	return s, s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		if key != "lag" {
			return false, nil
		}
		if s.lag, ok = v.Int(); !ok || s.lag < 1 {
			err = query.Badf("Lag must be a positive, non-zero integer. Value supplied was %s in [serial_diff].", v.Str)
		}
		return true, err
	})
}

func (*serialDiff) parent() bool { return true }

func (s *serialDiff) apply(r *reducer, name string, l *level) error {
	var values []float64
	for i, e := range l.buckets.list {
		v, ok, err := s.value(e, s.paths[0])
		if err != nil {
			return err
		}
		if !ok {
			v = math.NaN()
		}
		values = append(values, v)
		if i >= s.lag && !math.IsNaN(v) && !math.IsNaN(values[i-s.lag]) {
			s.put(e, name, "simple_value", v-values[i-s.lag])
		}
	}
	return nil
}
