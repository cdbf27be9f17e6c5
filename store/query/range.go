package query

import (
	"bytes"
	"math"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

// rangeQuery is range. A nil bound is open.
type rangeQuery struct {
	base
	field        string
	lo, hi       *string
	openLo       bool // gt
	openHi       bool // lt
	format, zone string
}

func parseRange(d *decoder, name string, n *Node) (Query, error) {
	q := &rangeQuery{}
	var err error
	q.field, err = q.base.field(name, n, "", func(key string, v *Node) (bool, error) {
		switch key {
		case "gt", "gte", "from":
			q.openLo = key == "gt"
			return bound(name, key, v, &q.lo)
		case "lt", "lte", "to":
			q.openHi = key == "lt"
			return bound(name, key, v, &q.hi)
		case "include_lower", "include_upper":
			b, ok := v.Bool()
			if !ok {
				return true, v.Errorf("[range] failed to parse [%s]", key)
			}
			if key == "include_lower" {
				q.openLo = !b
			} else {
				q.openHi = !b
			}
			return true, nil
		case "format":
			return scalar(name, key, v, &q.format)
		case "time_zone":
			return scalar(name, key, v, &q.zone)
		case "relation":
			var relation string
			return oneOf(name, key, v, &relation, "intersects", "contains", "within")
		case "":
			return true, v.Errorf("[range] query malformed, no start_object after field name")
		}
		return false, nil
	})
	return q, err
}

func bound(query, key string, v *Node, dst **string) (bool, error) {
	if v.Kind == Null {
		*dst = nil
		return true, nil
	}
	var s string
	ok, err := scalar(query, key, v, &s)
	*dst = &s
	return ok, err
}

func (q *rangeQuery) plan(p *planner) (node, error) {
	if q.lo == nil && q.hi == nil {
		n, err := p.exists(q.field)
		if err != nil {
			return nil, err
		}
		return p.leaf(n, q.boost), nil
	}
	n, err := q.bind(p)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

func (q *rangeQuery) bind(p *planner) (node, error) {
	text := func(v string) bool { return q.textTest().match([]byte(v)) }
	if n, ok := p.metadata(q.field, text, nil); ok {
		return n, nil
	}
	f := p.field(q.field)
	if f == nil {
		return noneNode{}, nil
	}
	switch {
	case f.Type.IsDate():
		return q.dates(p, f)
	case f.Type.Kind() == mapping.Numbers:
		return q.numbers(f)
	case f.Type == mapping.IP, f.Type == mapping.Version:
		return q.keys(p, f)
	case f.Type.IsText():
		return &tokensNode{path: f.Path, match: q.textTest().match}, nil
	case f.Type.Kind() == mapping.Values:
		t, err := q.keywordTest(p, f)
		if err != nil {
			return nil, err
		}
		return p.values(f, t), nil
	}
	return nil, shardf("failed to create query: Field [%s] of type [%s] does not support range queries", f.Path, f.TypeName)
}

// textTest compares bytes.
func (q *rangeQuery) textTest() *valueTest {
	t := &valueTest{openLo: q.openLo, openHi: q.openHi}
	if q.lo != nil {
		t.lo = []byte(*q.lo)
	}
	if q.hi != nil {
		t.hi = []byte(*q.hi)
	}
	return t
}

func (q *rangeQuery) keywordTest(p *planner, f *mapping.Field) (*valueTest, error) {
	t := q.textTest()
	for _, b := range []*[]byte{&t.lo, &t.hi} {
		if *b == nil {
			continue
		}
		v, err := p.keyword(f, string(*b))
		if err != nil {
			return nil, err
		}
		*b = v
	}
	if f.Key != "" { // stay within the key
		t.prefix = append([]byte(f.Key), 0)
	}
	return t, nil
}

// keys compares encoded addresses or versions.
func (q *rangeQuery) keys(p *planner, f *mapping.Field) (node, error) {
	t, err := q.keywordTest(p, f)
	if err != nil {
		return nil, err
	}
	if t.lo != nil && t.hi != nil && bytes.Compare(t.lo, t.hi) > 0 {
		return noneNode{}, nil
	}
	return p.values(f, t), nil
}

func (q *rangeQuery) numbers(f *mapping.Field) (node, error) {
	s := span{math.MinInt64, math.MaxInt64}
	for _, b := range []struct {
		text *string
		low  bool
		open bool
		dst  *int64
	}{{q.lo, true, q.openLo, &s.lo}, {q.hi, false, q.openHi, &s.hi}} {
		if b.text == nil {
			continue
		}
		v, err := numberOrBool(f, *b.text, b.low)
		if err != nil {
			return nil, err
		}
		if b.open && (f.Type.IsFloat() || isWhole(f, *b.text)) {
			var ok bool
			if v, ok = step(v, b.low); !ok {
				return noneNode{}, nil
			}
		}
		*b.dst = v
	}
	return newNumbersNode(f.Path, []span{s}), nil
}

func numberOrBool(f *mapping.Field, text string, low bool) (int64, error) {
	if f.Type == mapping.Boolean {
		return boolValue(text)
	}
	return numberBound(f, text, low)
}

// isWhole tells whether an exclusive bound is itself a value of the integer type: 1.5 is not, so rounding has excluded it already.
func isWhole(f *mapping.Field, text string) bool {
	if f.Type == mapping.Boolean {
		return true
	}
	lo, err1 := numberBound(f, text, true)
	hi, err2 := numberBound(f, text, false)
	return err1 == nil && err2 == nil && lo == hi
}

// step is the next value inside an exclusive bound; ok is false when there is none.
func step(v int64, low bool) (int64, bool) {
	switch {
	case low && v == math.MaxInt64, !low && v == math.MinInt64:
		return 0, false
	case low:
		return v + 1, true
	}
	return v - 1, true
}

func (q *rangeQuery) dates(p *planner, f *mapping.Field) (node, error) {
	format := f.Format
	if q.format != "" {
		var err error
		if format, err = mapping.ParseDateFormat(q.format); err != nil {
			return nil, shardf("failed to create query: %s", err)
		}
	}
	var loc *time.Location
	if q.zone != "" {
		var err error
		if loc, err = mapping.ParseZone(q.zone); err != nil {
			return nil, shardf("failed to create query: %s", strings.TrimPrefix(err.Error(), "illegal_argument_exception: "))
		}
	}
	s := span{math.MinInt64, math.MaxInt64}
	var err error
	if q.lo != nil {
		if s.lo, err = p.date(f, *q.lo, format, loc, q.openLo); err != nil {
			return nil, err
		}
	}
	if q.hi != nil {
		if s.hi, err = p.date(f, *q.hi, format, loc, !q.openHi); err != nil {
			return nil, err
		}
	}
	if q.openLo && q.lo != nil && s.lo < math.MaxInt64 {
		s.lo++
	}
	if q.openHi && q.hi != nil && s.hi > math.MinInt64 {
		s.hi--
	}
	return newNumbersNode(f.Path, []span{s}), nil
}

// TimeRange narrows [lo, hi], in epoch nanoseconds, to the times of the field that a query can match: what sources are pruned by.
// It looks at ranges on the field that every match must satisfy.
func (p *Plan) TimeRange(path string, nanos bool) (lo, hi int64) {
	lo, hi = math.MinInt64, math.MaxInt64
	unit := int64(1e6)
	if nanos {
		unit = 1
	}
	eachRequired(p.root, func(n node) {
		num, ok := n.(*numbersNode)
		if !ok || num.path != path {
			return
		}
		first, last := num.spans[0].lo, num.spans[len(num.spans)-1].hi
		if first > math.MinInt64/unit {
			lo = max(lo, first*unit)
		}
		if last < math.MaxInt64/unit-1 {
			hi = min(hi, last*unit+unit-1)
		}
	})
	return lo, hi
}

// eachRequired calls f for the nodes that every match satisfies.
func eachRequired(n node, f func(node)) {
	switch n := n.(type) {
	case scoredNode:
		eachRequired(n.node, f)
	case boostedNode:
		eachRequired(n.node, f)
	case *boolNode:
		for _, c := range n.and {
			eachRequired(c, f)
		}
	default:
		f(n)
	}
}
