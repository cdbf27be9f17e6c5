package query

import (
	"math"

	"github.com/weirlog/weir/store/mapping"
)

// distanceFeature is distance_feature: documents with the field; the nearer to the origin the higher the score.
type distanceFeature struct {
	base
	field         string
	origin, pivot *Node
}

func parseDistanceFeature(d *decoder, name string, n *Node) (Query, error) {
	q := &distanceFeature{}
	err := q.members(name, n, func(key string, v *Node) (bool, error) {
		switch key {
		case "field":
			return scalar(name, key, v, &q.field)
		case "origin":
			q.origin = v
		case "pivot":
			q.pivot = v
		default:
			return false, nil
		}
		return true, nil
	})
	if err == nil && (q.field == "" || q.origin == nil || q.pivot == nil) {
		err = n.Errorf("[distance_feature] requires field, origin and pivot")
	}
	return q, err
}

func (q *distanceFeature) plan(p *planner) (node, error) {
	f := p.field(q.field)
	if f == nil {
		return noneNode{}, nil
	}
	if !f.Type.IsDate() && f.Type != mapping.GeoPoint {
		return nil, badf("Illegal data type of [%s]!, expected one of [date, date_nanos, geo_point] for [distance_feature] query on field [%s]", f.TypeName, f.Path)
	}
	d := &decayFunction{f: f, decay: 0.5}
	if err := d.read(p, &Node{Kind: Object, Keys: []Key{{Name: "origin"}, {Name: "scale"}}, Vals: []*Node{q.origin, q.pivot}}); err != nil {
		return nil, err
	}
	has, err := p.plan(Exists(q.field))
	if err != nil || !p.scoring || isNone(has) {
		return has, err
	}
	return boost(&rescoredNode{node: has, make: func(s *Scan) rescore {
		at := newDistances(s.src, f, d.origin, d.lat, d.lon)
		return func(zone, row int, _ float32) float32 {
			ds := at.of(zone, row)
			if len(ds) == 0 {
				return 0
			}
			return float32(d.scale / (d.scale + pick(ds, "min")))
		}
	}}, q.boost), nil
}

// distances are how far the values of rows are from a number or a point.
type distances struct {
	values   *docValues
	f        *mapping.Field
	origin   float64
	lat, lon float64
	geo      *geoMatcher
	zone     int
}

func newDistances(src Source, f *mapping.Field, origin, lat, lon float64) *distances {
	d := &distances{f: f, origin: origin, lat: lat, lon: lon, zone: -1}
	if f.Type == mapping.GeoPoint {
		cols := f.Columns()
		a, ok1 := src.Field(cols[0]).(Numbers)
		o, ok2 := src.Field(cols[1]).(Numbers)
		if ok1 && ok2 {
			d.geo = &geoMatcher{lat: a, lon: o}
		}
		return d
	}
	d.values = &docValues{src: src, cols: map[string]*docColumn{}}
	c := &docColumn{f: f, zone: -1}
	c.nums, _ = src.Field(f.Column()).(Numbers)
	d.values.cols[f.Path] = c
	return d
}

func (d *distances) of(zone, row int) (out []float64) {
	if d.values != nil {
		d.values.zone = zone
		for _, v := range d.values.numbers(d.f.Path, row) {
			out = append(out, math.Abs(v-d.origin))
		}
		return out
	}
	if d.geo == nil {
		return nil
	}
	if d.zone != zone {
		d.zone = zone
		d.geo.lat.Load(zone, &d.geo.latVec)
		d.geo.lon.Load(zone, &d.geo.lonVec)
	}
	d.geo.each(row, func(lat, lon float64) bool {
		out = append(out, Distance(d.lat, d.lon, lat, lon))
		return true
	})
	return out
}
