package agg

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// geoGrid is geohash_grid and geotile_grid: a bucket per cell of the earth.
type geoGrid struct {
	source
	tiles     bool
	precision int
	size      int
	bounds    *query.Box
}

// Precisions: characters of a geohash, zoom of a tile.
const (
	maxGeohash = 12
	maxZoom    = 29
	gridSize   = 10_000
)

func parseGeohashGrid(d *decoder, a *Agg, n *query.Node) (spec, error) {
	return parseGrid(a, n, &geoGrid{precision: 5, size: gridSize}, 1, maxGeohash)
}

func parseGeotileGrid(d *decoder, a *Agg, n *query.Node) (spec, error) {
	return parseGrid(a, n, &geoGrid{tiles: true, precision: 7, size: gridSize}, 0, maxZoom)
}

func parseGrid(a *Agg, n *query.Node, s *geoGrid, least, most int) (spec, error) {
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "precision":
			if s.precision, ok = v.Int(); !ok || s.precision < least || s.precision > most {
				return true, query.Badf("Invalid geohash aggregation precision of %s. Must be between %d and %d.", v.Str, least, most)
			}
		case "size":
			if s.size, ok = v.Int(); !ok || s.size <= 0 {
				return true, query.Badf("[size] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
		case "shard_size":
		case "bounds":
			s.bounds, err = query.ParseBox(v)
		default:
			return s.source.set(a, key, v)
		}
		return true, err
	})
	if err == nil {
		err = s.check(a)
	}
	return s, err
}

func (s *geoGrid) bind(c *planner) (binder, error) {
	f, err := c.bindPoints(&s.source)
	return &geoGridBinder{f, s}, err
}

type geoGridBinder struct {
	f    *mapping.Field
	spec *geoGrid
}

func (b *geoGridBinder) open(o *opener) collector {
	return &geoGridCollector{tree: newTree(o), points: openPoints(b.f, o.src), spec: b.spec}
}

type geoGridCollector struct {
	*tree
	points *points
	spec   *geoGrid
}

func (c *geoGridCollector) collect(b *batch) error {
	c.begin(b.zone)
	var seen []int64
	for i, row := range b.rows {
		seen = seen[:0]
		c.points.each(b.zone, row, func(lat, lon float64) {
			if c.spec.bounds != nil && !c.spec.bounds.Holds(lat, lon) {
				return
			}
			if key := c.spec.cell(lat, lon); !slices.Contains(seen, key) {
				seen = append(seen, key)
				c.add(row, c.bucket(b.bucket(i), key))
			}
		})
	}
	return c.end()
}

func (c *geoGridCollector) finish(bucket int) partial { return c.tree.finish(bucket, numberKey) }

// cell numbers the cell of a point: the bits of its geohash, or zoom, x and y of its tile.
func (s *geoGrid) cell(lat, lon float64) int64 {
	if !s.tiles {
		return geohash(lat, lon, 5*s.precision)
	}
	x, y := tileOf(lat, lon, s.precision)
	return int64(s.precision)<<58 | x<<29 | y
}

// tileOf is the tile of Web Mercator at a zoom.
func tileOf(lat, lon float64, zoom int) (x, y int64) {
	n := float64(int64(1) << zoom)
	x = int64(math.Floor((lon + 180) / 360 * n))
	sin := math.Sin(lat * math.Pi / 180)
	y = int64(math.Floor((0.5 - math.Log((1+sin)/(1-sin))/(4*math.Pi)) * n))
	last := int64(n) - 1
	return min(max(x, 0), last), min(max(y, 0), last)
}

// geohash is the first bits of a point's geohash: longitude and latitude are halved in turn.
func geohash(lat, lon float64, bits int) int64 {
	loLat, hiLat, loLon, hiLon := -90.0, 90.0, -180.0, 180.0
	var h int64
	for i := range bits {
		v, lo, hi := lon, &loLon, &hiLon
		if i%2 == 1 {
			v, lo, hi = lat, &loLat, &hiLat
		}
		mid := (*lo + *hi) / 2
		h <<= 1
		if v >= mid {
			h |= 1
			*lo = mid
		} else {
			*hi = mid
		}
	}
	return h
}

// name is a cell as it is answered.
func (s *geoGrid) name(key int64) string {
	if s.tiles {
		const mask = 1<<29 - 1
		return strconv.FormatInt(key>>58, 10) + "/" + strconv.FormatInt(key>>29&mask, 10) + "/" + strconv.FormatInt(key&mask, 10)
	}
	out := make([]byte, s.precision)
	for i := s.precision - 1; i >= 0; i-- {
		out[i] = query.GeohashDigits[key&31]
		key >>= 5
	}
	return string(out)
}

func (s *geoGrid) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	var lists [][]bucketPart
	for _, p := range parts {
		lists = append(lists, p.([]bucketPart))
	}
	all := mergeBuckets(lists...)
	slices.SortFunc(all, func(x, y *merged) int {
		if x.count != y.count {
			return cmp.Compare(y.count, x.count)
		}
		return cmp.Compare(y.key.n, x.key.n)
	})
	out := &buckets{typ: a.typ}
	for _, m := range all[:min(s.size, len(all))] {
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		b.name = s.name(m.key.n)
		b.json = query.AppendString([]byte(`"key":`), b.name)
		out.list = append(out.list, b)
	}
	return out, nil
}
