package agg

import (
	"math"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/query"
)

// sibling is max_bucket, min_bucket, avg_bucket, sum_bucket, stats_bucket, extended_stats_bucket and percentiles_bucket: one result
// beside the aggregation whose buckets it reads.
type sibling struct {
	pipeBase
	typ      string
	sigma    float64
	percents []float64
	keyed    bool
}

func parseSibling(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &sibling{typ: typ, sigma: 2, percents: []float64{1, 5, 25, 50, 75, 95, 99}, keyed: true}
	return s, s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		switch {
		case key == "sigma" && typ == "extended_stats_bucket":
			if s.sigma, ok = v.Float(); !ok || s.sigma < 0 {
				err = query.Badf("[sigma] must be a non-negative double")
			}
		case key == "percents" && typ == "percentiles_bucket":
			s.percents = nil
			for _, e := range v.Vals {
				f, ok := e.Float()
				if !ok || f < 0 || f > 100 {
					return true, query.Badf("[percents] must only contain non-null doubles from 0.0-100.0 inclusive")
				}
				s.percents = append(s.percents, f)
			}
		case key == "keyed" && typ == "percentiles_bucket":
			s.keyed, _ = v.Bool()
		default:
			return false, nil
		}
		return true, err
	})
}

func (*sibling) parent() bool { return false }

func (s *sibling) apply(r *reducer, name string, l *level) error {
	all := &statsResult{typ: "stats", sigma: s.sigma}
	var values []float64
	best, keys := math.NaN(), []string{}
	err := l.each(s.paths[0], func(e *bucket, v float64, ok bool) {
		empty := e.count == 0 && s.gap != gapKeep && !strings.HasSuffix(s.paths[0], "_count")
		if !ok || math.IsNaN(v) || empty {
			if s.gap != gapZeros {
				return
			}
			v = 0
		}
		all.add(v)
		values = append(values, v)
		better := s.typ == "max_bucket" && v > best || s.typ == "min_bucket" && v < best || math.IsNaN(best)
		switch {
		case better:
			best, keys = v, []string{e.name}
		case v == best:
			keys = append(keys, e.name)
		}
	})
	if err != nil {
		return err
	}
	l.results = append(l.results, named{name: name, res: s.result(all, values, best, keys)})
	return nil
}

func (s *sibling) result(all *statsResult, values []float64, best float64, keys []string) result {
	all.format = s.formatter()
	switch s.typ {
	case "max_bucket", "min_bucket":
		return &simpleValue{typ: "bucket_metric_value", v: best, format: s.formatter(), keys: keys}
	case "avg_bucket":
		v := math.NaN()
		if all.count > 0 {
			v = all.avg()
		}
		return &simpleValue{typ: "simple_value", v: v, format: s.formatter()}
	case "sum_bucket":
		return &simpleValue{typ: "simple_value", v: all.sum, format: s.formatter()}
	case "percentiles_bucket":
		slices.Sort(values)
		return &bucketPercentiles{s, values}
	case "extended_stats_bucket":
		all.typ = "extended_stats"
		return &typedStats{all, s.typ}
	}
	return &typedStats{all, s.typ}
}

// typedStats is statistics under another name for typed_keys.
type typedStats struct {
	*statsResult
	name string
}

func (t *typedStats) kind() string { return t.name }

// bucketPercentiles are the values at the nearest ranks.
type bucketPercentiles struct {
	spec   *sibling
	values []float64
}

func (*bucketPercentiles) kind() string { return "percentiles_bucket" }

func (p *bucketPercentiles) at(percent float64) float64 {
	if len(p.values) == 0 {
		return math.NaN()
	}
	return p.values[int(math.Floor(percent/100*float64(len(p.values)-1)+0.5))]
}

func (p *bucketPercentiles) value(property string) (float64, bool) {
	n := query.Node{Kind: query.String, Str: property}
	x, ok := n.Float()
	if !ok || x < 0 || x > 100 {
		return 0, false
	}
	return p.at(x), true
}

func (p *bucketPercentiles) json(w *writer) {
	open, end := `"values":{`, "}"
	if !p.spec.keyed {
		open, end = `"values":[`, "]"
	}
	w.raw(open)
	for i, x := range p.spec.percents {
		if i > 0 {
			w.raw(",")
		}
		if p.spec.keyed {
			writeValue(w, javaDouble(x), p.at(x), p.spec.formatter())
			continue
		}
		w.raw(`{"key":`)
		w.float(x)
		w.raw(",")
		writeValue(w, "value", p.at(x), p.spec.formatter())
		w.raw("}")
	}
	w.raw(end)
}
