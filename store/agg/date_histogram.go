package agg

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// dateHistogram is a bucket per interval of time.
type dateHistogram struct {
	source
	calendar string        // "month" ..., "" for fixed
	fixed    time.Duration // of at least a millisecond
	zone     *time.Location
	offset   int64 // ms
	keyed    bool
	minCount int64
	order    []orderKey
	extended *bounds
	hard     *bounds
}

// bounds are the texts of extended_bounds or hard_bounds; "" is open.
type bounds struct{ min, max string }

// calendarUnits are the spellings of calendar intervals.
var calendarUnits = map[string]string{
	"minute": "minute", "1m": "minute", "hour": "hour", "1h": "hour", "day": "day", "1d": "day", "week": "week", "1w": "week",
	"month": "month", "1M": "month", "quarter": "quarter", "1q": "quarter", "year": "year", "1y": "year", "second": "second", "1s": "second",
}

func parseDateHistogram(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &dateHistogram{}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "calendar_interval":
			if s.calendar, ok = calendarUnits[v.Str]; !ok {
				return true, query.Badf("The supplied interval [%s] could not be parsed as a calendar interval.", v.Str)
			}
		case "fixed_interval":
			s.fixed, err = fixedInterval(key, v.Str)
		case "interval":
			if s.calendar, ok = calendarUnits[v.Str]; !ok {
				text := v.Str
				if v.Kind == query.Number {
					text += "ms"
				}
				s.fixed, err = fixedInterval(key, text)
			}
		case "time_zone":
			if s.zone, err = mapping.ParseZone(v.Str); err != nil {
				err = query.Badf("%s", strings.TrimPrefix(err.Error(), "illegal_argument_exception: "))
			}
		case "offset":
			s.offset, err = offsetOf(v)
		case "keyed":
			s.keyed, _ = v.Bool()
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[minDocCount] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		case "order":
			s.order, err = parseOrder(a, v)
		case "extended_bounds":
			s.extended, err = parseBounds(a, v)
		case "hard_bounds":
			s.hard, err = parseBounds(a, v)
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	switch {
	case err != nil:
	case s.calendar == "" && s.fixed == 0:
		err = query.Badf("Required one of fields [interval, calendar_interval, fixed_interval], but none were specified. ")
	case s.calendar != "" && s.fixed != 0:
		err = query.Badf("Cannot use [fixed_interval] with [calendar_interval] configuration option.")
	case s.extended != nil && s.minCount > 0:
		s.extended = nil
	default:
		err = s.check(a)
	}
	return s, err
}

func fixedInterval(key, text string) (time.Duration, error) {
	d, err := query.ParseDuration(key, text)
	if err != nil || d < time.Millisecond {
		return 0, query.Badf("failed to parse setting [date_histogram.fixedInterval] with value [%s] as a time value: unit is missing or unrecognized", text)
	}
	return d, nil
}

// offsetOf reads "+6h", "-1d" or milliseconds.
func offsetOf(v *query.Node) (int64, error) {
	if n, ok := v.Int(); ok && v.Kind == query.Number {
		return int64(n), nil
	}
	text, sign := v.Str, int64(1)
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		text, sign = rest, -1
	}
	d, err := query.ParseDuration("offset", strings.TrimPrefix(text, "+"))
	return sign * d.Milliseconds(), err
}

func parseBounds(a *Agg, n *query.Node) (*bounds, error) {
	b := &bounds{}
	for i, k := range n.Keys {
		text, ok := n.Vals[i].Text()
		switch {
		case n.Vals[i].Kind == query.Null:
		case !ok:
			return nil, wrong(n.Vals[i], a, k.Name)
		case k.Name == "min":
			b.min = text
		case k.Name == "max":
			b.max = text
		default:
			return nil, n.KeyErrorf(i, "[extended_bounds] unknown field [%s]", k.Name)
		}
	}
	return b, nil
}

func (s *dateHistogram) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	if err := b.needNumbers(c); err != nil {
		return nil, err
	}
	h := &dateBinder{bound: b, spec: s}
	for _, x := range []struct {
		b   *bounds
		dst *[2]int64
	}{{s.extended, &h.extended}, {s.hard, &h.hard}} {
		*x.dst = [2]int64{math.MinInt64, math.MaxInt64}
		if x.b == nil {
			continue
		}
		for i, text := range []string{x.b.min, x.b.max} {
			if text == "" {
				continue
			}
			if x.dst[i], err = s.moment(c, b, text); err != nil {
				return nil, err
			}
		}
	}
	return h, nil
}

// moment reads a bound in milliseconds.
func (s *dateHistogram) moment(c *planner, b *bound, text string) (int64, error) {
	df := mapping.DefaultDateFormat()
	if b.f != nil && b.f.Format != nil {
		df = b.f.Format
	}
	if s.format != "" {
		own, err := mapping.ParseDateFormat(s.format)
		if err != nil {
			return 0, query.Badf("%s", err)
		}
		df = own
	}
	ns, err := mapping.ParseDateMath(text, c.Now, df, s.zone, false)
	if err != nil {
		ms, numErr := strconv.ParseInt(text, 10, 64)
		if numErr != nil {
			return 0, query.Badf("%s", err)
		}
		return ms, nil
	}
	return floorDiv(ns, 1e6), nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

type dateBinder struct {
	*bound
	spec           *dateHistogram
	extended, hard [2]int64
}

func (b *dateBinder) open(o *opener) collector {
	return &dateCollector{reader: b.bound.open(o.src), tree: newTree(o), binder: b, round: b.spec.rounder(), unit: unitOf(b.bound)}
}

// unitOf is how many of the column's units make a millisecond.
func unitOf(b *bound) int64 {
	if b.f != nil && b.f.Type == mapping.DateNanos {
		return 1e6
	}
	return 1
}

type dateCollector struct {
	*reader
	*tree
	binder *dateBinder
	round  *rounder
	unit   int64
}

func (c *dateCollector) collect(b *batch) error {
	if c.nums == nil && !c.hasMiss {
		return nil
	}
	if done, err := c.collectZone(b); done {
		return err
	}
	c.load(b.zone)
	c.begin(b.zone)
	if c.vec.Start == nil && !c.hasMiss && c.unit == 1 && c.binder.spec.hard == nil {
		c.collectSingle(b)
		return c.end()
	}
	var one [1]int64
	hard := c.binder.hard
	for i, row := range b.rows {
		last := int64(math.MinInt64)
		for _, v := range c.ints(row, &one) {
			if c.unit != 1 {
				v = floorDiv(v, c.unit)
			}
			if v < hard[0] || v >= hard[1] && hard[1] != math.MaxInt64 {
				continue
			}
			if key := c.round.floor(v); key != last {
				c.add(row, c.bucket(b.bucket(i), key))
				last = key
			}
		}
	}
	return c.end()
}

// collectSingle takes rows of at most one time each.
func (c *dateCollector) collectSingle(b *batch) {
	bucket, parent, from, to := uint32(0), uint32(0), int64(0), int64(0) // the bucket of times from on, below to, of parent
	for i, row := range b.rows {
		if !c.vec.Has.Get(int(row)) {
			continue
		}
		v, p := c.vec.V[row], b.bucket(i)
		if v < from || v >= to || p != parent {
			from, parent = c.round.floor(v), p
			to = c.round.hi
			bucket = c.bucket(p, from)
		}
		c.add(row, bucket)
	}
}

// collectZone counts a whole zone at once when all its times fall into one bucket.
func (c *dateCollector) collectZone(b *batch) (done bool, err error) {
	if !b.top() || c.hasMiss || c.binder.spec.hard != nil {
		return false, nil
	}
	lo, hi, ok := c.nums.Bounds(b.zone)
	if !ok {
		return true, nil
	}
	key := c.round.floor(floorDiv(lo, c.unit))
	if key != c.round.floor(floorDiv(hi, c.unit)) {
		return false, nil
	}
	sel := *b.sel
	c.nums.Present(b.zone, &sel)
	n := sel.Count()
	if n == 0 {
		return true, nil
	}
	bucket := c.bucket(0, key)
	c.counts[bucket] += int64(n)
	return true, c.endWhole(b.zone, &sel, bucket)
}

// datePart is the buckets of one source.
type datePart struct {
	list     []bucketPart
	format   func(ms int64) string
	extended [2]int64
	known    bool // the field is mapped
}

func (c *dateCollector) finish(bucket int) partial {
	return &datePart{list: c.tree.finish(bucket, numberKey), format: c.binder.format(), extended: c.binder.extended, known: c.f != nil}
}

// format prints keys by the format asked for, else the field's, in the zone.
func (b *dateBinder) format() func(ms int64) string {
	df := mapping.DefaultDateFormat()
	if b.f != nil && b.f.Format != nil {
		df = b.f.Format
	}
	if b.spec.format != "" {
		if own, err := mapping.ParseDateFormat(b.spec.format); err == nil {
			df = own
		}
	}
	zone := b.spec.zone
	return func(ms int64) string { return df.Format(ms*1e6, zone) }
}

func (s *dateHistogram) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var lists [][]bucketPart
	var shape *datePart
	for _, p := range parts {
		d := p.(*datePart)
		lists = append(lists, d.list)
		if shape == nil || d.known && !shape.known {
			shape = d
		}
	}
	out := &buckets{typ: "date_histogram", keyed: s.keyed}
	if shape == nil {
		return out, nil
	}
	all := mergeBuckets(lists...)
	slices.SortFunc(all, func(x, y *merged) int { return compareInt(x.key.n, y.key.n) })
	if s.minCount == 0 {
		var err error
		if all, err = s.fill(all, shape.extended); err != nil {
			return nil, err
		}
	}
	rounds, from, to := s.rounder(), r.from, r.to
	defer func() { r.from, r.to = from, to }()
	for _, m := range all {
		if m.count < s.minCount {
			continue
		}
		r.from, r.to = m.key.n, rounds.next(m.key.n)
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		b.num, b.name = float64(m.key.n), shape.format(m.key.n)
		b.json = query.AppendString([]byte(`"key_as_string":`), b.name)
		b.json = strconv.AppendInt(append(b.json, `,"key":`...), m.key.n, 10)
		out.list = append(out.list, b)
	}
	return out, orderHistogram(s.order, out.list)
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// orderHistogram sorts buckets that are ascending by key.
func orderHistogram(order []orderKey, list []*bucket) error {
	if len(order) == 0 {
		return nil
	}
	if err := checkOrders(order, list); err != nil {
		return err
	}
	slices.SortStableFunc(list, func(x, y *bucket) int {
		return compareBuckets(order, x, y, func(a, b bucketKey) int { return compareInt(a.n, b.n) })
	})
	return nil
}

// fill adds the empty buckets between the first and last, and up to the extended bounds.
func (s *dateHistogram) fill(all []*merged, extended [2]int64) ([]*merged, error) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	if len(all) > 0 {
		lo, hi = all[0].key.n, all[len(all)-1].key.n
	}
	r := s.rounder()
	if s.extended != nil {
		if extended[0] != math.MinInt64 {
			lo = min(lo, r.floor(extended[0]))
		}
		if extended[1] != math.MaxInt64 {
			hi = max(hi, r.floor(extended[1]))
		}
	}
	var out []*merged
	for key := lo; key <= hi && lo != math.MaxInt64; key = r.next(key) {
		if len(all) > 0 && all[0].key.n == key {
			out = append(out, all[0])
			all = all[1:]
		} else {
			out = append(out, &merged{key: bucketKey{n: key}})
		}
		if len(out) > MaxBuckets {
			return nil, tooManyBuckets()
		}
	}
	return out, nil
}
