package query

import (
	"math"
	"strconv"
	"strings"
)

// Box is a rectangle of the earth. Left may be greater than Right: it then crosses the date line.
type Box struct{ Top, Left, Bottom, Right float64 }

// Holds tells whether a point lies in the box, edges included.
func (b *Box) Holds(lat, lon float64) bool {
	if lat > b.Top || lat < b.Bottom {
		return false
	}
	if b.Left > b.Right {
		return lon >= b.Left || lon <= b.Right
	}
	return lon >= b.Left && lon <= b.Right
}

// ParseBox reads a bounding box: two corners, four sides, or "BBOX (left, right, top, bottom)".
func ParseBox(n *Node) (*Box, error) {
	nan := math.NaN()
	b := &Box{nan, nan, nan, nan}
	for i, k := range n.Keys {
		v := n.Vals[i]
		var err error
		switch k.Name {
		case "top_left":
			b.Top, b.Left, err = ParsePoint(v)
		case "bottom_right":
			b.Bottom, b.Right, err = ParsePoint(v)
		case "top_right":
			b.Top, b.Right, err = ParsePoint(v)
		case "bottom_left":
			b.Bottom, b.Left, err = ParsePoint(v)
		case "top":
			b.Top, err = side(v)
		case "left":
			b.Left, err = side(v)
		case "bottom":
			b.Bottom, err = side(v)
		case "right":
			b.Right, err = side(v)
		case "wkt":
			err = b.wkt(v)
		default:
			err = n.KeyErrorf(i, "failed to parse bounding box. unexpected field [%s]", k.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	if math.IsNaN(b.Top + b.Left + b.Bottom + b.Right) {
		return nil, n.Errorf("failed to parse bounding box. Conflicting definition found using well-known text and explicit corners, or a side is missing.")
	}
	if b.Top < b.Bottom {
		return nil, badf("top is below bottom corner: %s vs. %s", javaFloat(b.Top), javaFloat(b.Bottom))
	}
	return b, nil
}

func javaFloat(v float64) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func side(v *Node) (float64, error) {
	f, ok := v.Float()
	if !ok {
		return 0, v.Errorf("failed to parse bounding box: [%s] is no number", v.Str)
	}
	return f, nil
}

func (b *Box) wkt(v *Node) error {
	text, ok := strings.CutPrefix(strings.ToUpper(strings.TrimSpace(v.Str)), "BBOX")
	parts := strings.Split(strings.Trim(strings.TrimSpace(text), "()"), ",")
	if !ok || len(parts) != 4 {
		return v.Errorf("failed to parse WKT bounding box [%s]", v.Str)
	}
	for i, dst := range []*float64{&b.Left, &b.Right, &b.Top, &b.Bottom} {
		f, err := strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		if err != nil {
			return v.Errorf("failed to parse WKT bounding box [%s]", v.Str)
		}
		*dst = f
	}
	return nil
}

// ParsePoint reads a point: {"lat","lon"}, [lon, lat], "lat,lon", "POINT (lon lat)" or a geohash (the middle of its cell).
func ParsePoint(n *Node) (lat, lon float64, err error) {
	bad := func() (float64, float64, error) { return 0, 0, n.Errorf("failed to parse geo_point") }
	switch n.Kind {
	case Object:
		la, lo := n.Get("lat"), n.Get("lon")
		if la == nil || lo == nil {
			return bad()
		}
		a, ok1 := la.Float()
		o, ok2 := lo.Float()
		if !ok1 || !ok2 {
			return bad()
		}
		lat, lon = a, o
	case Array:
		if len(n.Vals) < 2 {
			return bad()
		}
		o, ok1 := n.Vals[0].Float()
		a, ok2 := n.Vals[1].Float()
		if !ok1 || !ok2 {
			return bad()
		}
		lat, lon = a, o
	case String:
		var ok bool
		if lat, lon, ok = pointText(n.Str); !ok {
			return bad()
		}
	default:
		return bad()
	}
	if lat < -90 || lat > 90 || lon < -180 || lon > 180 {
		return 0, 0, badf("illegal latitude value [%s] or longitude value [%s]", javaFloat(lat), javaFloat(lon))
	}
	return lat, lon, nil
}

func pointText(text string) (lat, lon float64, ok bool) {
	text = strings.TrimSpace(text)
	if inner, wkt := strings.CutPrefix(strings.ToUpper(text), "POINT"); wkt {
		parts := strings.Fields(strings.Trim(strings.TrimSpace(inner), "()"))
		if len(parts) != 2 {
			return 0, 0, false
		}
		lon, err1 := strconv.ParseFloat(parts[0], 64)
		lat, err2 := strconv.ParseFloat(parts[1], 64)
		return lat, lon, err1 == nil && err2 == nil
	}
	if a, o, comma := strings.Cut(text, ","); comma {
		lat, err1 := strconv.ParseFloat(strings.TrimSpace(a), 64)
		lon, err2 := strconv.ParseFloat(strings.TrimSpace(o), 64)
		return lat, lon, err1 == nil && err2 == nil
	}
	return geohashMiddle(text)
}

// GeohashDigits are the characters of geohashes by their five bits.
const GeohashDigits = "0123456789bcdefghjkmnpqrstuvwxyz"

func geohashMiddle(text string) (lat, lon float64, ok bool) {
	lo, hi := [2]float64{-180, -90}, [2]float64{180, 90}
	even := 0
	for _, c := range strings.ToLower(text) {
		d := strings.IndexRune(GeohashDigits, c)
		if d < 0 {
			return 0, 0, false
		}
		for bit := 4; bit >= 0; bit-- {
			mid := (lo[even] + hi[even]) / 2
			if d>>bit&1 == 1 {
				lo[even] = mid
			} else {
				hi[even] = mid
			}
			even = 1 - even
		}
	}
	return (lo[1] + hi[1]) / 2, (lo[0] + hi[0]) / 2, text != "" && len(text) <= 12
}

// earthRadius is the mean radius Elasticsearch computes with, in metres.
const earthRadius = 6_371_008.7714

// Distance is the great-circle distance of two points in metres.
func Distance(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat, dLon := (lat2-lat1)*rad, (lon2-lon1)*rad
	h := math.Sin(dLat/2)*math.Sin(dLat/2) + math.Cos(lat1*rad)*math.Cos(lat2*rad)*math.Sin(dLon/2)*math.Sin(dLon/2)
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// distanceUnits are metres by unit, longer names first where one ends with another.
var distanceUnits = []struct {
	name   string
	metres float64
}{{"nauticalmiles", 1852}, {"kilometers", 1000}, {"centimeters", 0.01}, {"millimeters", 0.001}, {"meters", 1}, {"miles", 1609.344}, {"yards", 0.9144},
	{"feet", 0.3048}, {"inch", 0.0254}, {"nmi", 1852}, {"km", 1000}, {"cm", 0.01}, {"mm", 0.001}, {"mi", 1609.344}, {"yd", 0.9144}, {"ft", 0.3048},
	{"in", 0.0254}, {"NM", 1852}, {"m", 1}}

// ParseDistance reads "12km"; without a unit it is metres.
func ParseDistance(text string) (metres float64, err error) {
	t, factor := strings.TrimSpace(text), 1.0
	for _, u := range distanceUnits {
		if rest, ok := strings.CutSuffix(t, u.name); ok {
			t, factor = strings.TrimSpace(rest), u.metres
			break
		}
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil || f < 0 || math.IsNaN(f) {
		return 0, badf("failed to parse distance [%s]", text)
	}
	return f * factor, nil
}
