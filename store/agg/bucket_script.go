package agg

import (
	"cmp"
	"math"
	"slices"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/script"
)

// bucketScript is bucket_script, a number per bucket, and bucket_selector, which keeps the buckets whose script is true.
type bucketScript struct {
	pipeBase
	script  *script.Script
	params  map[string]script.Value
	selects bool
}

func parseBucketScript(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &bucketScript{selects: typ == "bucket_selector"}
	err := s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		if key != "script" {
			return false, nil
		}
		s.script, s.params, err = compileScript(v)
		return true, err
	})
	if err == nil && s.script == nil {
		err = n.Errorf("Required [script]")
	}
	return s, err
}

func parseBucketSelector(d *decoder, typ string, n *query.Node) (pipeline, error) {
	return parseBucketScript(d, typ, n)
}

func (*bucketScript) parent() bool { return true }

func (s *bucketScript) apply(r *reducer, name string, l *level) error {
	var err error
	keep := func(e *bucket) bool {
		if err != nil {
			return true
		}
		env, ok, envErr := s.env(e, s.params)
		if err = envErr; err != nil || !ok {
			return true
		}
		v, runErr := s.script.Run(env)
		if err = scriptError(runErr); err != nil {
			return true
		}
		if s.selects {
			b, isBool := v.(bool)
			f, isNum := v.(float64)
			return isBool && b || isNum && f == 1
		}
		x, numErr := script.Number(v)
		if err = scriptError(numErr); err == nil {
			s.put(e, name, "simple_value", x)
		}
		return true
	}
	list := l.buckets.list[:0:0]
	for _, e := range l.buckets.list {
		if keep(e) {
			list = append(list, e)
		}
	}
	l.buckets.list = list
	return err
}

// bucketSort orders and cuts the buckets of its parent.
type bucketSort struct {
	pipeBase
	keys []query.SortKey
	from int
	size int // -1: all
}

func parseBucketSort(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &bucketSort{size: -1}
	err := s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "sort":
			s.keys, err = query.ParseSort(v)
		case "from":
			s.from, ok = v.Int()
			if !ok || s.from < 0 {
				err = query.Badf("[from] must be a non-negative integer: [%s]", v.Str)
			}
		case "size":
			s.size, ok = v.Int()
			if !ok || s.size <= 0 {
				err = query.Badf("[size] must be a positive integer: [%s]", v.Str)
			}
		default:
			return false, nil
		}
		return true, err
	})
	return s, err
}

func (*bucketSort) parent() bool { return true }

func (s *bucketSort) apply(r *reducer, name string, l *level) error {
	type row struct {
		e    *bucket
		keys []float64
	}
	var rows []row
	for _, e := range l.buckets.list {
		w := row{e: e}
		for _, k := range s.keys {
			v, _, err := s.value(e, k.Field)
			if k.Field == "_key" {
				v, err = e.num, nil
			}
			if err != nil {
				return err
			}
			w.keys = append(w.keys, v)
		}
		if len(s.keys) > 0 && s.gap == gapSkip && !slices.ContainsFunc(w.keys, func(v float64) bool { return !math.IsNaN(v) }) &&
			!slices.ContainsFunc(s.keys, func(k query.SortKey) bool { return k.Field == "_key" }) {
			continue // nothing to sort it by
		}
		rows = append(rows, w)
	}
	slices.SortStableFunc(rows, func(x, y row) int {
		for i, k := range s.keys {
			if c := compareSort(x.e, y.e, x.keys[i], y.keys[i], k); c != 0 {
				return c
			}
		}
		return 0
	})
	end := len(rows)
	if s.size >= 0 {
		end = min(end, s.from+s.size)
	}
	l.buckets.list = nil
	for _, w := range rows[min(s.from, end):end] {
		l.buckets.list = append(l.buckets.list, w.e)
	}
	return nil
}

func compareSort(a, b *bucket, x, y float64, k query.SortKey) int {
	c := 0
	switch {
	case k.Field == "_key" && (math.IsNaN(x) || math.IsNaN(y)):
		c = cmp.Compare(a.name, b.name)
	case math.IsNaN(x) || math.IsNaN(y):
		return bit(math.IsNaN(x)) - bit(math.IsNaN(y))
	default:
		c = cmp.Compare(x, y)
	}
	if k.Desc {
		return -c
	}
	return c
}
