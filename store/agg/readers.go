package agg

import (
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// numbersBinder opens collectors that make one float of each row from one or two columns of numbers.
type numbersBinder struct {
	values, weights *bound // weights nil: none
	make            func(format formatter, o *opener) numberSink
}

// numberSink takes the numbers of each bucket.
type numberSink interface {
	add(bucket int, v, weight float64) error
	finish(bucket int) partial
}

func (c *planner) bindNumbers(s *source, make func(format formatter, o *opener) numberSink) (*numbersBinder, error) {
	b, err := c.bindSource(s)
	if err != nil {
		return nil, err
	}
	return &numbersBinder{values: b, make: make}, b.needNumbers(c)
}

func (b *numbersBinder) open(o *opener) collector {
	c := &numbersCollector{values: b.values.open(o.src), sink: b.make(formatterOf(b.values, kindOf(b.values)), o)}
	if b.weights != nil {
		c.weights = b.weights.open(o.src)
	}
	return c
}

type numbersCollector struct {
	values, weights *reader
	sink            numberSink
}

func (c *numbersCollector) collect(b *batch) error {
	if c.values.nums == nil && !c.values.hasMiss {
		return nil
	}
	c.values.load(b.zone)
	if c.weights != nil {
		c.weights.load(b.zone)
	}
	var one, other [1]int64
	for i, row := range b.rows {
		weight := 1.0
		vs := c.values.ints(row, &one)
		if c.weights != nil {
			ws := c.weights.ints(row, &other)
			if len(ws) == 0 || len(vs) == 0 {
				continue
			}
			if len(ws) > 1 {
				return query.Badf("Encountered more than one weight for a single document. Use a script to combine multiple weights-per-doc into a single value.")
			}
			weight = c.weights.toF(ws[0])
		}
		for _, v := range vs {
			if err := c.sink.add(int(b.bucket(i)), c.values.toF(v), weight); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *numbersCollector) finish(bucket int) partial { return c.sink.finish(bucket) }

// at is element n of a list that grows as needed.
func at[T any](list *[]T, n int) *T {
	for n >= len(*list) {
		var zero T
		*list = append(*list, zero)
	}
	return &(*list)[n]
}

// points reads a geo_point column.
type points struct {
	lat, lon       query.Numbers
	latVec, lonVec query.NumberVec
	zone           int
}

// bindPoints finds the field; nil: it is not mapped here.
func (c *planner) bindPoints(s *source) (*mapping.Field, error) {
	f := c.Mapping.Field(s.field)
	if f != nil && f.Type != mapping.GeoPoint {
		return nil, query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", s.field, f.TypeName, c.agg.typ)
	}
	if s.missing != nil {
		return nil, query.Badf("[missing] of a geo_point is not supported in aggregation [%s]", c.agg.name)
	}
	return f, nil
}

func openPoints(f *mapping.Field, src query.Source) *points {
	p := &points{zone: -1}
	if f == nil {
		return p
	}
	cols := f.Columns()
	p.lat, _ = src.Field(cols[0]).(query.Numbers)
	p.lon, _ = src.Field(cols[1]).(query.Numbers)
	return p
}

// each calls f for the points of a row of a zone.
func (p *points) each(zone int, row uint16, f func(lat, lon float64)) {
	if p.lat == nil || p.lon == nil {
		return
	}
	if p.zone != zone {
		p.zone = zone
		p.lat.Load(zone, &p.latVec)
		p.lon.Load(zone, &p.lonVec)
	}
	if !p.latVec.Has.Get(int(row)) || !p.lonVec.Has.Get(int(row)) {
		return
	}
	if p.latVec.Start == nil || p.lonVec.Start == nil {
		f(query.FloatOf(p.latVec.V[row]), query.FloatOf(p.lonVec.V[row]))
		return
	}
	lat := p.latVec.V[p.latVec.Start[row]:p.latVec.Start[row+1]]
	lon := p.lonVec.V[p.lonVec.Start[row]:p.lonVec.Start[row+1]]
	for i := range min(len(lat), len(lon)) {
		f(query.FloatOf(lat[i]), query.FloatOf(lon[i]))
	}
}
