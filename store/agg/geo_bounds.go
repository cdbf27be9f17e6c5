package agg

import (
	"math"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// geoMetric is geo_bounds and geo_centroid.
type geoMetric struct {
	source
	wrap bool
}

func (*geoMetric) isMetric() {}

func parseGeoMetric(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &geoMetric{wrap: true}
	err := members(a, n, func(key string, v *query.Node) (bool, error) {
		if key == "wrap_longitude" && a.typ == "geo_bounds" {
			s.wrap, _ = v.Bool()
			return true, nil
		}
		return s.source.set(a, key, v)
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *geoMetric) bind(c *planner) (binder, error) {
	f, err := c.bindPoints(&s.source)
	return &geoMetricBinder{f}, err
}

type geoMetricBinder struct{ f *mapping.Field }

func (b *geoMetricBinder) open(o *opener) collector {
	return &geoMetricCollector{points: openPoints(b.f, o.src)}
}

// spread is the part of one bucket: extremes, for the west and the east half apart, and sums.
type geoSpread struct {
	count             int64
	top, bottom       float64
	posLeft, posRight float64
	negLeft, negRight float64
	sumLat, sumLon    float64
}

type geoMetricCollector struct {
	points  *points
	buckets []geoSpread
}

func (c *geoMetricCollector) collect(b *batch) error {
	for i, row := range b.rows {
		c.points.each(b.zone, row, func(lat, lon float64) { at(&c.buckets, int(b.bucket(i))).add(lat, lon) })
	}
	return nil
}

func newSpread() geoSpread {
	inf := math.Inf(1)
	return geoSpread{top: -inf, bottom: inf, posLeft: inf, posRight: -inf, negLeft: inf, negRight: -inf}
}

func (g *geoSpread) add(lat, lon float64) {
	if g.count == 0 {
		*g = newSpread()
	}
	g.count++
	g.sumLat, g.sumLon = g.sumLat+lat, g.sumLon+lon
	g.top, g.bottom = math.Max(g.top, lat), math.Min(g.bottom, lat)
	if lon >= 0 {
		g.posLeft, g.posRight = math.Min(g.posLeft, lon), math.Max(g.posRight, lon)
	} else {
		g.negLeft, g.negRight = math.Min(g.negLeft, lon), math.Max(g.negRight, lon)
	}
}

func (g *geoSpread) merge(o *geoSpread) {
	if o.count == 0 {
		return
	}
	g.count += o.count
	g.sumLat, g.sumLon = g.sumLat+o.sumLat, g.sumLon+o.sumLon
	g.top, g.bottom = math.Max(g.top, o.top), math.Min(g.bottom, o.bottom)
	g.posLeft, g.posRight = math.Min(g.posLeft, o.posLeft), math.Max(g.posRight, o.posRight)
	g.negLeft, g.negRight = math.Min(g.negLeft, o.negLeft), math.Max(g.negRight, o.negRight)
}

func (c *geoMetricCollector) finish(bucket int) partial { return *at(&c.buckets, bucket) }

func (s *geoMetric) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	res := &geoResult{typ: a.typ, wrap: s.wrap, geoSpread: newSpread()}
	for _, p := range parts {
		g := p.(geoSpread)
		res.merge(&g)
	}
	return res, nil
}

type geoResult struct {
	geoSpread
	typ  string
	wrap bool
}

func (g *geoResult) kind() string { return g.typ }

func (g *geoResult) value(property string) (float64, bool) {
	if g.typ == "geo_centroid" {
		switch property {
		case "lat":
			return g.sumLat / float64(g.count), true
		case "lon":
			return g.sumLon / float64(g.count), true
		case "count":
			return float64(g.count), true
		}
	}
	return 0, false
}

// sides are the left and right ends: over the date line when that makes the box narrower.
func (g *geoResult) sides() (left, right float64) {
	switch {
	case math.IsInf(g.posLeft, 1):
		return g.negLeft, g.negRight
	case math.IsInf(g.negLeft, 1):
		return g.posLeft, g.posRight
	case g.wrap && 360-g.posLeft+g.negRight < g.posRight-g.negLeft:
		return g.posLeft, g.negRight
	}
	return g.negLeft, g.posRight
}

func (g *geoResult) json(w *writer) {
	point := func(name string, lat, lon float64) {
		w.raw(`"` + name + `":{"lat":`)
		w.float(lat)
		w.raw(`,"lon":`)
		w.float(lon)
		w.raw("}")
	}
	if g.typ == "geo_centroid" {
		if g.count > 0 {
			point("location", g.sumLat/float64(g.count), g.sumLon/float64(g.count))
			w.raw(",")
		}
		w.raw(`"count":`)
		w.int(g.count)
		return
	}
	if g.count == 0 {
		return
	}
	left, right := g.sides()
	w.raw(`"bounds":{`)
	point("top_left", g.top, left)
	w.raw(",")
	point("bottom_right", g.bottom, right)
	w.raw("}")
}
