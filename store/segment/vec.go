package segment

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/query"
)

// Span is the range [lo, hi) of the values whose rows lie in the zone. rows is the row of each value, ascending; nil: value i is of
// row i, of n in all.
func Span(rows []uint32, n, zone int) (lo, hi int) {
	from, to := uint32(zone)*query.ZoneRows, uint32(zone+1)*query.ZoneRows
	if rows == nil {
		return min(int(from), n), min(int(to), n)
	}
	lo, _ = slices.BinarySearch(rows, from)
	hi, _ = slices.BinarySearch(rows[lo:], to)
	return lo, lo + hi
}

// Fill lays the values of one zone out as query.NumberVec and query.OrdVec want them. rows (nil: dense from the zone's first row) are
// the rows of vals in the whole source. v and start are reused.
func Fill[T int64 | uint32](rows []uint32, vals []T, v []T, start []uint32, has *query.Selection) ([]T, []uint32) {
	if rows == nil {
		v = grow(v, query.ZoneRows)
		copy(v, vals)
		SetFirst(has, len(vals))
		return v, nil
	}
	*has = query.Selection{}
	multi := false
	for i, r := range rows {
		r %= query.ZoneRows
		has[r/64] |= 1 << (r % 64)
		multi = multi || i > 0 && rows[i-1] == rows[i]
	}
	if !multi {
		v = grow(v, query.ZoneRows)
		for i, r := range rows {
			v[r%query.ZoneRows] = vals[i]
		}
		return v, nil
	}
	v = append(v[:0], vals...)
	start = grow(start, query.ZoneRows+1)
	at := 0
	for r := range uint32(query.ZoneRows) {
		start[r] = uint32(at)
		for at < len(rows) && rows[at]%query.ZoneRows == r {
			at++
		}
	}
	start[query.ZoneRows] = uint32(at)
	return v, start
}

func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// SetFirst makes sel the first n rows of a zone.
func SetFirst(sel *query.Selection, n int) {
	for w := range sel {
		switch {
		case n >= (w+1)*64:
			sel[w] = ^uint64(0)
		case n > w*64:
			sel[w] = 1<<(n-w*64) - 1
		default:
			sel[w] = 0
		}
	}
}

// Keep clears from sel the rows that are not among rows, which lie in one zone.
func Keep(rows []uint32, sel *query.Selection) {
	var has query.Selection
	for _, r := range rows {
		r %= query.ZoneRows
		has[r/64] |= 1 << (r % 64)
	}
	for w := range sel {
		sel[w] &= has[w]
	}
}

// KeepFirst clears from sel all but the first n rows of the zone.
func KeepFirst(sel *query.Selection, n int) {
	if n >= query.ZoneRows {
		return
	}
	var has query.Selection
	SetFirst(&has, max(n, 0))
	for w := range sel {
		sel[w] &= has[w]
	}
}

// Clear takes the rows of a bitmap out of sel.
func Clear(dead *roaring.Bitmap, zone int, sel *query.Selection) {
	if dead.IsEmpty() {
		return
	}
	from := uint32(zone) * query.ZoneRows
	it := dead.Iterator()
	it.AdvanceIfNeeded(from)
	for it.HasNext() {
		r := it.Next() - from
		if r >= query.ZoneRows {
			return
		}
		sel[r/64] &^= 1 << (r % 64)
	}
}
