package agg

import (
	"math"
	"time"

	"github.com/weirlog/weir/store/query"
)

// rate is rate: documents, values or a sum per unit of time, in the buckets of a date histogram.
type rate struct {
	source
	unit   string // a calendar unit, "" for the bucket itself
	values bool   // mode value_count: values are counted, not summed
}

func (*rate) isMetric() {}

func parseRate(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &rate{}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "unit":
			if s.unit, ok = calendarUnits[v.Str]; !ok {
				return true, query.Badf("Unsupported unit %s", v.Str)
			}
		case "mode":
			switch v.Str {
			case "sum":
			case "value_count":
				s.values = true
			default:
				return true, query.Badf("Unsupported rate mode %s", v.Str)
			}
		default:
			return s.source.set(a, key, v)
		}
		return true, nil
	})
	return s, err
}

func (s *rate) bind(c *planner) (binder, error) {
	if s.field == "" {
		return &rateBinder{}, nil
	}
	return c.bindNumbers(&s.source, func(format formatter, _ *opener) numberSink { return &rateSums{count: s.values} })
}

// rateBinder counts documents.
type rateBinder struct{}

func (*rateBinder) open(*opener) collector { return &rateCollector{} }

type rateCollector struct{ rateSums }

func (c *rateCollector) collect(b *batch) error {
	for i := range b.rows {
		*at(&c.sums, int(b.bucket(i)))++
	}
	return nil
}

type rateSums struct {
	count bool
	sums  []float64
}

func (s *rateSums) add(bucket int, v, _ float64) error {
	if s.count {
		v = 1
	}
	*at(&s.sums, bucket) += v
	return nil
}

func (s *rateSums) finish(bucket int) partial { return *at(&s.sums, bucket) }

func (s *rate) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	if r.from == r.to {
		return nil, query.Badf("aggregation [%s] of type [rate] can only be used inside a date histogram", a.name)
	}
	sum := 0.0
	for _, p := range parts {
		sum += p.(float64)
	}
	var format formatter
	if s.format != "" {
		format = func(v float64) string { return DecimalFormat(s.format, v) }
	}
	return &simpleValue{typ: "rate", v: sum / s.units(r.from, r.to), format: format}, nil
}

// units is how many units an interval [from, to) of milliseconds has. Months, quarters and years count as calendar months when the
// interval is whole months, else by their length in days.
func (s *rate) units(from, to int64) float64 {
	if s.unit == "" {
		return 1
	}
	months := map[string]float64{"month": 1, "quarter": 3, "year": 12}
	if m, ok := months[s.unit]; ok {
		a, b := time.UnixMilli(from).UTC(), time.UnixMilli(to).UTC()
		if n := float64(12*(b.Year()-a.Year()) + int(b.Month()-a.Month())); a.Day() == 1 && b.Day() == 1 && n > 0 {
			return n / m
		}
		return float64(to-from) / (m * 30 * 864e5)
	}
	return math.Max(float64(to-from)/unitMillis[s.unit], 0)
}
