package agg

import (
	"math"
	"slices"
	"strconv"

	"github.com/weirlog/weir/store/query"
)

// autoDateHistogram is auto_date_histogram: the finest of a list of intervals that makes at most so many buckets.
type autoDateHistogram struct {
	dateHistogram
	target  int
	minimum int // the first of autoUnits that may be used
}

// autoUnits are the roundings and, of each, how many neighbours may be joined to one bucket.
var autoUnits = []struct {
	unit, suffix string
	millis       int64
	join         []int
}{
	{"second", "s", 1000, []int{1, 5, 10, 30}},
	{"minute", "m", 60_000, []int{1, 5, 10, 30}},
	{"hour", "h", 3_600_000, []int{1, 3, 12}},
	{"day", "d", 86_400_000, []int{1, 7}},
	{"month", "M", 2_592_000_000, []int{1, 3}},
	{"year", "y", 31_536_000_000, []int{1, 5, 10, 20, 50, 100}},
}

// autoRoom is how many times the wanted buckets a source may make before it takes the next unit.
const autoRoom = 40

func parseAutoDateHistogram(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &autoDateHistogram{target: 10}
	rest := &query.Node{Kind: query.Object, Off: n.Off}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "buckets":
			if s.target, ok = v.Int(); !ok || s.target < 1 || s.target > MaxBuckets/30 {
				return true, query.Badf("buckets must be greater than 0 for [%s] and less than %d", a.name, MaxBuckets/30)
			}
		case "minimum_interval":
			s.minimum = slices.IndexFunc(autoUnits[:], func(u struct {
				unit, suffix string
				millis       int64
				join         []int
			}) bool {
				return u.unit == v.Str
			})
			if s.minimum < 0 {
				return true, query.Badf("minimum_interval must be one of [year, month, day, hour, minute, second]")
			}
		default:
			rest.Keys, rest.Vals = append(rest.Keys, query.Key{Name: key}), append(rest.Vals, v)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	rest.Keys, rest.Vals = append(rest.Keys, query.Key{Name: "calendar_interval"}), append(rest.Vals, &query.Node{Kind: query.String, Str: "second"})
	inner, err := parseDateHistogram(d, a, rest)
	if err != nil {
		return nil, err
	}
	s.dateHistogram = *inner.(*dateHistogram)
	return s, nil
}

func (s *autoDateHistogram) bind(c *planner) (binder, error) {
	b, err := s.dateHistogram.bind(c)
	if err != nil {
		return nil, err
	}
	return &autoBinder{b.(*dateBinder), s}, nil
}

type autoBinder struct {
	*dateBinder
	spec *autoDateHistogram
}

// open takes the finest unit that the times of the source allow.
func (b *autoBinder) open(o *opener) collector {
	c := b.dateBinder.open(o).(*dateCollector)
	unit := b.spec.minimum
	if c.nums != nil {
		lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
		for z := 0; z*query.ZoneRows < o.src.Rows(); z++ {
			if a, e, ok := c.nums.Bounds(z); ok {
				lo, hi = min(lo, floorDiv(a, c.unit)), max(hi, floorDiv(e, c.unit))
			}
		}
		for unit+1 < len(autoUnits) && lo <= hi && (hi-lo)/autoUnits[unit].millis > int64(b.spec.target*autoRoom) {
			unit++
		}
	}
	c.round = b.spec.rounderOf(unit)
	return &autoCollector{c, unit}
}

func (s *autoDateHistogram) rounderOf(unit int) *rounder {
	d := s.dateHistogram
	d.calendar = autoUnits[unit].unit
	return d.rounder()
}

type autoCollector struct {
	*dateCollector
	unit int
}

type autoPart struct {
	*datePart
	unit int
}

func (c *autoCollector) finish(bucket int) partial {
	return &autoPart{c.dateCollector.finish(bucket).(*datePart), c.unit}
}

// reduce rounds the buckets of all sources to one unit, then joins neighbours until they are few enough.
func (s *autoDateHistogram) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	unit, shape := s.minimum, (*datePart)(nil)
	var all []bucketPart
	for _, p := range parts {
		ap := p.(*autoPart)
		if len(ap.list) > 0 {
			unit = max(unit, ap.unit)
		}
		if shape == nil || ap.known && !shape.known {
			shape = ap.datePart
		}
		all = append(all, ap.list...)
	}
	out := &buckets{typ: "auto_date_histogram", keyed: s.keyed}
	if len(all) == 0 {
		out.tail = []byte(`,"interval":"1` + autoUnits[unit].suffix + `"`)
		return out, nil
	}
	list, join, unit, err := s.fit(all, unit)
	if err != nil {
		return nil, err
	}
	round := s.rounderOf(unit)
	for i := 0; i < len(list); i += join {
		m := &merged{key: list[i].key}
		for _, e := range list[i:min(i+join, len(list))] {
			m.count += e.count
			m.parts = append(m.parts, e.parts...)
		}
		r.from, r.to = m.key.n, round.next(m.key.n)
		b, err := r.bucket(a, m)
		r.from, r.to = 0, 0
		if err != nil {
			return nil, err
		}
		b.num, b.name = float64(m.key.n), shape.format(m.key.n)
		b.json = query.AppendString([]byte(`"key_as_string":`), b.name)
		b.json = strconv.AppendInt(append(b.json, `,"key":`...), m.key.n, 10)
		out.list = append(out.list, b)
	}
	out.tail = []byte(`,"interval":"` + strconv.Itoa(join) + autoUnits[unit].suffix + `"`)
	return out, nil
}

// fit finds the unit and how many of its intervals make a bucket; gaps are filled.
func (s *autoDateHistogram) fit(all []bucketPart, unit int) (list []*merged, join, _ int, err error) {
	for ; ; unit++ {
		round := s.rounderOf(unit)
		lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
		lists := make([][]bucketPart, len(all)) // a list each: keys may repeat
		for i, p := range all {
			p.key.n = round.floor(p.key.n)
			lo, hi = min(lo, p.key.n), max(hi, p.key.n)
			lists[i] = []bucketPart{p}
		}
		last := unit == len(autoUnits)-1
		if (hi-lo)/autoUnits[unit].millis > int64(s.target)*autoRoom && !last {
			continue
		}
		d := s.dateHistogram
		d.calendar, d.extended = autoUnits[unit].unit, nil
		list = mergeBuckets(lists...)
		slices.SortFunc(list, func(x, y *merged) int { return compareInt(x.key.n, y.key.n) })
		if list, err = d.fill(list, [2]int64{}); err != nil {
			return nil, 0, 0, err
		}
		for _, join = range autoUnits[unit].join {
			if (len(list)+join-1)/join <= s.target {
				return list, join, unit, nil
			}
		}
		if last {
			return list, join, unit, nil
		}
	}
}
