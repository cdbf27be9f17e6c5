package query

import (
	"math"

	"github.com/weirlog/weir/store/mapping"
)

// geoQuery is geo_bounding_box and geo_distance: points inside a box, or a circle with the box around it.
type geoQuery struct {
	base
	field    string
	box      *Box
	circle   bool
	lat, lon float64
	metres   float64
	ignore   bool // ignore_unmapped
}

func parseGeoBoundingBox(d *decoder, name string, n *Node) (Query, error) {
	q := &geoQuery{}
	return q, q.parse(name, n, func(key string, v *Node) (bool, error) {
		if key == "type" {
			return true, nil
		}
		if v.Kind != Object || q.box != nil {
			return false, nil
		}
		var err error
		q.field = key
		q.box, err = ParseBox(v)
		return true, err
	})
}

func parseGeoDistance(d *decoder, name string, n *Node) (Query, error) {
	q := &geoQuery{circle: true, metres: -1}
	return q, q.parse(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "distance":
			text, ok := v.Text()
			if !ok {
				return true, v.Errorf("[geo_distance] failed to parse field [distance]")
			}
			q.metres, err = ParseDistance(text)
		case "distance_type", "unit":
		default:
			if q.field != "" {
				return false, nil
			}
			q.field = key
			q.lat, q.lon, err = ParsePoint(v)
		}
		return true, err
	})
}

// parse reads what both have.
func (q *geoQuery) parse(name string, n *Node, opt option) error {
	err := q.members(name, n, func(key string, v *Node) (bool, error) {
		switch key {
		case "ignore_unmapped":
			return flag(name, key, v, &q.ignore)
		case "validation_method":
			var method string
			return oneOf(name, key, v, &method, "strict", "coerce", "ignore_malformed")
		}
		return opt(key, v)
	})
	switch {
	case err != nil:
		return err
	case q.field == "":
		return n.Errorf("[%s] failed to parse: a field is missing", name)
	case q.circle && q.metres < 0:
		return badf("geo_distance requires 'distance' to be specified")
	}
	if q.circle {
		q.box = around(q.lat, q.lon, q.metres)
	}
	return nil
}

// around is the box around a circle.
func around(lat, lon, metres float64) *Box {
	d := metres / earthRadius * 180 / math.Pi
	b := &Box{Top: math.Min(90, lat+d), Bottom: math.Max(-90, lat-d), Left: -180, Right: 180}
	cos := math.Cos(lat * math.Pi / 180)
	if s := math.Sin(metres / earthRadius); b.Top < 90 && b.Bottom > -90 && metres < earthRadius*math.Pi/2 && s < cos {
		w := math.Asin(s/cos)*180/math.Pi + 1e-9
		if b.Left, b.Right = lon-w, lon+w; b.Left < -180 {
			b.Left += 360
		}
		if b.Right > 180 {
			b.Right -= 360
		}
	}
	b.Top, b.Bottom = b.Top+1e-9, b.Bottom-1e-9
	return b
}

func (q *geoQuery) plan(p *planner) (node, error) {
	f := p.field(q.field)
	if f == nil {
		if q.ignore || p.Mapping == nil {
			return noneNode{}, nil
		}
		return nil, shardf("failed to find geo field [%s]", q.field)
	}
	if f.Type != mapping.GeoPoint {
		return nil, shardf("Field [%s] is of unsupported type [%s] for [%s] query", f.Path, f.TypeName, map[bool]string{true: "geo_distance", false: "geo_bounding_box"}[q.circle])
	}
	cols := f.Columns()
	return p.leaf(&geoNode{lat: cols[0], lon: cols[1], query: q}, q.boost), nil
}

type geoNode struct {
	lat, lon string
	query    *geoQuery
}

func (n *geoNode) open(s *Scan) matcher {
	lat, ok1 := s.src.Field(n.lat).(Numbers)
	lon, ok2 := s.src.Field(n.lon).(Numbers)
	if !ok1 || !ok2 {
		return &noneMatcher{}
	}
	return &geoMatcher{lat: lat, lon: lon, query: n.query, rows: s.rows, zones: s.zones}
}

type geoMatcher struct {
	lat, lon       Numbers
	query          *geoQuery
	rows, zones    int
	latVec, lonVec NumberVec
}

func (m *geoMatcher) cost() int { return m.rows }

// next skips zones whose points all lie outside of the box.
func (m *geoMatcher) next(zone int) int {
	b := m.query.box
	for ; zone < m.zones; zone++ {
		lo, hi, ok := m.lat.Bounds(zone)
		if !ok || FloatOf(lo) > b.Top || FloatOf(hi) < b.Bottom {
			continue
		}
		lo, hi, ok = m.lon.Bounds(zone)
		if ok && (b.Left > b.Right || FloatOf(lo) <= b.Right && FloatOf(hi) >= b.Left) {
			return zone
		}
	}
	return farZone
}

func (m *geoMatcher) and(zone int, sel *Selection) bool {
	m.lat.Load(zone, &m.latVec)
	m.lon.Load(zone, &m.lonVec)
	if !sel.And(&m.latVec.Has) || !sel.And(&m.lonVec.Has) {
		return false
	}
	sel.Each(func(row int) {
		found := false
		m.each(row, func(lat, lon float64) bool {
			found = m.query.holds(lat, lon)
			return !found
		})
		if !found {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// each calls f for the points of a row of the loaded zone until it returns false.
func (m *geoMatcher) each(row int, f func(lat, lon float64) bool) {
	if !m.latVec.Has.Get(row) || !m.lonVec.Has.Get(row) {
		return
	}
	from, to := uint32(row), uint32(row+1)
	if m.latVec.Start != nil && m.lonVec.Start != nil {
		from, to = m.latVec.Start[row], m.latVec.Start[row+1]
	}
	for ; from < to; from++ {
		if !f(FloatOf(m.latVec.V[from]), FloatOf(m.lonVec.V[from])) {
			return
		}
	}
}

func (q *geoQuery) holds(lat, lon float64) bool {
	return q.box.Holds(lat, lon) && (!q.circle || Distance(q.lat, q.lon, lat, lon) <= q.metres)
}
