package mapping

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// special reads a geo_point or flattened value: the document keeps it as it is, the columns get what it means.
func (s *Scanner) special(f *Field, depth int) error {
	from := s.i
	if err := s.skip(depth); err != nil {
		return err
	}
	raw := s.b[from:s.i]
	s.leaf(f, ShapeVerbatim, ShapeItem{}, false, from)
	if string(raw) == "null" {
		return nil
	}
	var p fastjson.Parser
	v, err := p.ParseBytes(raw)
	if err != nil {
		return s.fail("%v", err)
	}
	if f.Type == Flattened {
		return s.flatten(f, "", v, 0)
	}
	if err := s.points(f, v); err != nil {
		_, _, err = s.bad(f, raw, err)
		return err
	}
	return nil
}

// flatten adds the leaves of an object to a flattened field: values to Path, key and value to the keyed column.
func (s *Scanner) flatten(f *Field, key string, v *fastjson.Value, depth int) error {
	switch v.Type() {
	case fastjson.TypeNull:
		return nil
	case fastjson.TypeArray:
		for _, e := range v.GetArray() {
			if err := s.flatten(f, key, e, depth); err != nil {
				return err
			}
		}
		return nil
	case fastjson.TypeObject:
		if depth >= f.DepthLimit {
			return s.malformed(f, "an object", fmt.Errorf("The provided [flattened] field [%s] exceeds the maximum depth limit of [%d].", f.Path, f.DepthLimit))
		}
		var err error
		v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
			if err == nil {
				err = s.flatten(f, joinKey(key, string(k)), e, depth+1)
			}
		})
		return err
	}
	if depth == 0 {
		_, _, err := s.bad(f, v.MarshalTo(nil), fmt.Errorf("[flattened] field [%s] must be an object", f.Path))
		return err
	}
	text := plain(v)
	if f.IgnoreAbove > 0 && len(text) > f.IgnoreAbove {
		return nil
	}
	s.add(f, Value{Bytes: s.out.keep([]byte(text))})
	s.out.Values = append(s.out.Values, Value{Field: f, Num: KeyedValue, Bytes: s.out.keep([]byte(key + "\x00" + text))})
	return nil
}

// KeyedValue in Value.Num marks a value of a flattened field's keyed column.
const KeyedValue = 1

func joinKey(a, b string) string {
	if a == "" {
		return b
	}
	return a + "." + b
}

// points reads one point or a list of them.
func (s *Scanner) points(f *Field, v *fastjson.Value) error {
	if v.Type() == fastjson.TypeArray {
		list := v.GetArray()
		if len(list) > 0 && list[0].Type() != fastjson.TypeNumber {
			for _, e := range list {
				if err := s.points(f, e); err != nil {
					return err
				}
			}
			return nil
		}
		if len(list) < 2 {
			return fmt.Errorf("geo_point expected")
		}
		return s.point(f, list[1].GetFloat64(), list[0].GetFloat64())
	}
	lat, lon, err := pointOf(v)
	if err != nil {
		return err
	}
	return s.point(f, lat, lon)
}

// pointOf reads {lat, lon}, "lat,lon", "POINT (lon lat)" or a GeoJSON point.
func pointOf(v *fastjson.Value) (lat, lon float64, err error) {
	switch v.Type() {
	case fastjson.TypeObject:
		if c := v.GetArray("coordinates"); len(c) >= 2 {
			return c[1].GetFloat64(), c[0].GetFloat64(), nil
		}
		if v.Get("lat") == nil || v.Get("lon") == nil {
			return 0, 0, fmt.Errorf("field must be either [lat], [lon], [type] or [coordinates]")
		}
		if lat, err = strconv.ParseFloat(plain(v.Get("lat")), 64); err == nil {
			lon, err = strconv.ParseFloat(plain(v.Get("lon")), 64)
		}
		return lat, lon, err
	case fastjson.TypeString:
		text := string(v.GetStringBytes())
		if up := strings.ToUpper(text); strings.HasPrefix(up, "POINT") {
			parts := strings.Fields(strings.Trim(strings.TrimSpace(text[5:]), "()"))
			if len(parts) < 2 {
				return 0, 0, fmt.Errorf("failed to parse [%s]", text)
			}
			if lon, err = strconv.ParseFloat(parts[0], 64); err == nil {
				lat, err = strconv.ParseFloat(parts[1], 64)
			}
			return lat, lon, err
		}
		a, b, ok := strings.Cut(text, ",")
		if !ok {
			return 0, 0, fmt.Errorf("unsupported symbol in geo_point [%s]", text)
		}
		if lat, err = strconv.ParseFloat(strings.TrimSpace(a), 64); err == nil {
			lon, err = strconv.ParseFloat(strings.TrimSpace(b), 64)
		}
		return lat, lon, err
	}
	return 0, 0, fmt.Errorf("geo_point expected")
}

// point adds one point: the latitude, then the longitude, to two columns.
func (s *Scanner) point(f *Field, lat, lon float64) error {
	if !(lat >= -90 && lat <= 90) {
		return fmt.Errorf("illegal latitude value [%v] for [%s]", lat, f.Path)
	}
	if !(lon >= -180 && lon <= 180) {
		return fmt.Errorf("illegal longitude value [%v] for [%s]", lon, f.Path)
	}
	s.add(f, Value{Num: Sortable(lat)})
	s.add(f, Value{Num: Sortable(lon), Bytes: lonMark})
	return nil
}

// lonMark in Value.Bytes tells a point's longitude from its latitude.
var lonMark = []byte{}

// Suffixes of the two columns of a geo_point.
const (
	LatSuffix = ".lat"
	LonSuffix = ".lon"
)

// Column is which of its field's columns a value belongs to: 0, or 1 for keys of flattened fields and longitudes.
func (v *Value) Column() int {
	if v.Field.Type == Flattened && v.Num == KeyedValue || v.Field.Type == GeoPoint && v.Bytes != nil {
		return 1
	}
	return 0
}

// Columns are the paths of the field's columns, by Value.Column.
func (f *Field) Columns() []string {
	switch f.Type {
	case Flattened:
		return []string{f.Path, f.Path + KeyedSuffix}
	case GeoPoint:
		return []string{f.Path + LatSuffix, f.Path + LonSuffix}
	}
	if f.ColumnKind() == NoColumn {
		return nil
	}
	return []string{f.Path}
}
