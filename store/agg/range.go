package agg

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// rangeAgg is range, date_range and ip_range: a bucket per interval that the request names. From is inclusive, to exclusive.
type rangeAgg struct {
	source
	kind   string // type of the aggregation
	keyed  bool
	zone   string
	ranges []rangeSpec
}

// rangeSpec is one interval as written; "" is open.
type rangeSpec struct{ key, from, to, mask string }

func parseRange(d *decoder, a *Agg, n *query.Node) (spec, error)     { return parseRanges(a, n) }
func parseDateRange(d *decoder, a *Agg, n *query.Node) (spec, error) { return parseRanges(a, n) }
func parseIPRange(d *decoder, a *Agg, n *query.Node) (spec, error)   { return parseRanges(a, n) }

func parseRanges(a *Agg, n *query.Node) (spec, error) {
	s := &rangeAgg{kind: a.typ}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "keyed":
			s.keyed, _ = v.Bool()
		case "time_zone":
			s.zone = v.Str
		case "ranges":
			for _, e := range v.Vals {
				var rs rangeSpec
				for i, k := range e.Keys {
					text, _ := e.Vals[i].Text()
					switch k.Name {
					case "key":
						rs.key = text
					case "from":
						rs.from = text
					case "to":
						rs.to = text
					case "mask":
						rs.mask = text
					default:
						return true, e.KeyErrorf(i, "[%s] unknown field [%s]", a.typ, k.Name)
					}
				}
				s.ranges = append(s.ranges, rs)
			}
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	if err == nil && len(s.ranges) == 0 {
		err = query.Badf("No [ranges] specified for the [%s] aggregation", a.name)
	}
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

// interval is one range fitted to an index: numbers [from, to), or addresses.
type interval struct {
	at       int // in the request
	from, to float64
	lo, hi   []byte // ip_range; nil: open
}

func (s *rangeAgg) bind(c *planner) (binder, error) {
	b, err := c.bindSource(&s.source)
	if err != nil {
		return nil, err
	}
	if s.kind == "ip_range" {
		if b.f != nil && b.f.Type != mapping.IP {
			return nil, query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", s.field, b.f.TypeName, s.kind)
		}
	} else if err := b.needNumbers(c); err != nil {
		return nil, err
	}
	out := &rangeBinder{bound: b, spec: s}
	for i, r := range s.ranges {
		iv, err := s.interval(c, b, r)
		if err != nil {
			return nil, err
		}
		iv.at = i
		out.list = append(out.list, iv)
	}
	return out, nil
}

func (s *rangeAgg) interval(c *planner, b *bound, r rangeSpec) (iv interval, err error) {
	iv.from, iv.to = math.Inf(-1), math.Inf(1)
	if s.kind == "ip_range" {
		return s.addresses(r)
	}
	for _, e := range []struct {
		text string
		dst  *float64
	}{{r.from, &iv.from}, {r.to, &iv.to}} {
		if e.text == "" {
			continue
		}
		if *e.dst, err = s.number(c, b, e.text); err != nil {
			return iv, err
		}
	}
	return iv, nil
}

// number reads an end: a number, or a date in milliseconds.
func (s *rangeAgg) number(c *planner, b *bound, text string) (float64, error) {
	if s.kind != "date_range" && !(b.f != nil && b.f.Type.IsDate()) {
		var n query.Node
		n.Kind, n.Str = query.Number, text
		f, ok := n.Float()
		if !ok {
			return 0, query.Badf("For input string: \"%s\"", text)
		}
		return f, nil
	}
	var loc *time.Location
	if s.zone != "" {
		var err error
		if loc, err = mapping.ParseZone(s.zone); err != nil {
			return 0, query.Badf("%s", strings.TrimPrefix(err.Error(), "illegal_argument_exception: "))
		}
	}
	h := &dateHistogram{source: s.source, zone: loc}
	ms, err := h.moment(c, b, text)
	return float64(ms), err
}

func (s *rangeAgg) addresses(r rangeSpec) (iv interval, err error) {
	if r.mask != "" {
		first, last, err := mapping.ParseCIDR(r.mask)
		if err != nil {
			return iv, query.Badf("%s", err)
		}
		iv.lo = first[:]
		iv.hi = nextAddress(last)
		return iv, nil
	}
	for _, e := range []struct {
		text string
		dst  *[]byte
	}{{r.from, &iv.lo}, {r.to, &iv.hi}} {
		if e.text == "" {
			continue
		}
		a, err := mapping.ParseIP(e.text)
		if err != nil {
			return iv, query.Badf("%s", err)
		}
		*e.dst = a[:]
	}
	return iv, nil
}

// nextAddress is the address behind a, nil behind the last one.
func nextAddress(a [16]byte) []byte {
	for i := 15; i >= 0; i-- {
		if a[i]++; a[i] != 0 {
			return a[:]
		}
	}
	return nil
}

type rangeBinder struct {
	*bound
	spec *rangeAgg
	list []interval
}

func (b *rangeBinder) open(o *opener) collector {
	kind := kindOf(b.bound)
	if b.spec.kind == "date_range" {
		kind = keyDate
	}
	return &rangeCollector{reader: b.bound.open(o.src), tree: newTree(o), binder: b, format: formatterOf(b.bound, kind)}
}

type rangeCollector struct {
	*reader
	*tree
	binder *rangeBinder
	format formatter
}

func (c *rangeCollector) collect(b *batch) error {
	c.load(b.zone)
	c.begin(b.zone)
	var one [1]int64
	for i, row := range b.rows {
		for k := range c.binder.list {
			if c.inside(&c.binder.list[k], row, &one) {
				c.add(row, c.bucket(b.bucket(i), int64(k)))
			}
		}
	}
	return c.end()
}

func (c *rangeCollector) inside(iv *interval, row uint16, one *[1]int64) bool {
	in := false
	if c.binder.spec.kind == "ip_range" {
		c.bytes(row, func(v []byte) {
			in = in || (iv.lo == nil || bytes.Compare(v, iv.lo) >= 0) && (iv.hi == nil || bytes.Compare(v, iv.hi) < 0)
		})
		return in
	}
	for _, v := range c.ints(row, one) {
		if x := c.toF(v); x >= iv.from && x < iv.to {
			return true
		}
	}
	return false
}

// rangePart is the buckets of one source and how its index reads the ranges.
type rangePart struct {
	list      []bucketPart
	intervals []interval
	format    formatter
	mapped    bool
}

func (c *rangeCollector) finish(bucket int) partial {
	return &rangePart{c.tree.finish(bucket, numberKey), c.binder.list, c.format, c.f != nil}
}

func (s *rangeAgg) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	out := &buckets{typ: s.kind, keyed: s.keyed}
	var shape *rangePart
	var lists []partial
	for _, p := range parts {
		rp := p.(*rangePart)
		lists = append(lists, rp.list)
		if shape == nil || rp.mapped && !shape.mapped {
			shape = rp
		}
	}
	if shape == nil {
		return out, nil
	}
	all := reduceFilters(lists, len(s.ranges))
	order := slices.Clone(shape.intervals)
	slices.SortStableFunc(order, func(x, y interval) int {
		if c := bytes.Compare(x.lo, y.lo); c != 0 {
			return c
		}
		if c := cmp.Compare(x.from, y.from); c != 0 {
			return c
		}
		return cmp.Compare(x.to, y.to)
	})
	for i := range order {
		b, err := r.bucket(a, all[order[i].at])
		if err != nil {
			return nil, err
		}
		s.describe(b, &order[i], shape.format)
		out.list = append(out.list, b)
	}
	return out, nil
}

// describe gives a bucket its key and ends.
func (s *rangeAgg) describe(b *bucket, iv *interval, format formatter) {
	spec := s.ranges[iv.at]
	text := func(v float64) string {
		switch {
		case math.IsInf(v, 0):
			return "*"
		case format != nil:
			return format(v)
		}
		return javaDouble(v)
	}
	var ends []byte
	if s.kind == "ip_range" {
		from, to := "*", "*"
		if iv.lo != nil {
			from = mapping.IPText(iv.lo)
			ends = query.AppendString(append(ends, `,"from":`...), from)
		}
		if iv.hi != nil {
			to = mapping.IPText(iv.hi)
			ends = query.AppendString(append(ends, `,"to":`...), to)
		}
		b.name = from + "-" + to
		if spec.mask != "" {
			b.name = spec.mask
		}
	} else {
		b.name = text(iv.from) + "-" + text(iv.to)
		for _, e := range []struct {
			key string
			v   float64
		}{{"from", iv.from}, {"to", iv.to}} {
			if math.IsInf(e.v, 0) {
				continue
			}
			ends = appendFloat(append(ends, `,"`+e.key+`":`...), e.v)
			if format != nil {
				ends = query.AppendString(append(ends, `,"`+e.key+`_as_string":`...), format(e.v))
			}
		}
	}
	if spec.key != "" {
		b.name = spec.key
	}
	b.num = iv.from
	switch {
	case !s.keyed:
		b.json = append(query.AppendString([]byte(`"key":`), b.name), ends...)
	case len(ends) > 0:
		b.json = ends[1:]
	}
}
