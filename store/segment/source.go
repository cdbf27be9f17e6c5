package segment

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/query"
)

// View is a segment less its deleted rows.
type View struct {
	*Reader
	dead *roaring.Bitmap
}

var _ query.Source = (*View)(nil)

// NewView makes a view; dead must not change.
func NewView(r *Reader, dead *roaring.Bitmap) *View { return &View{r, dead} }

// Live clears deleted rows and those beyond the end.
func (v *View) Live(zone int, sel *query.Selection) {
	KeepFirst(sel, v.Rows()-zone*query.ZoneRows)
	Clear(v.dead, zone, sel)
}

// Deleted is the number of deleted rows.
func (v *View) Deleted() int { return int(v.dead.GetCardinality()) }

// FindID is the live row of an explicit or automatic id.
func (v *View) FindID(id string) (int, bool) {
	if row, ok := v.Reader.FindID([]byte(id), v.dead); ok {
		return row, true
	}
	seq, auto := ParseAutoID(v.Index, id)
	if !auto {
		return 0, false
	}
	row, ok := v.FindSeq(seq)
	if !ok || v.dead.Contains(uint32(row)) || v.ID(row) != id {
		return 0, false
	}
	return row, true
}

// Field is the column of a path.
func (r *Reader) Field(path string) query.Field {
	num, ok := r.byPath[path]
	if !ok {
		return nil
	}
	c := r.column(num)
	if c == nil {
		return nil
	}
	switch c.kind {
	case colInt:
		return numbers{c}
	case colDict:
		return ordinals{c}
	case colRaw:
		return stringsOf{c}
	case colText:
		return text{c}
	}
	return nil
}

// Present clears the rows without a value.
func (c *column) Present(zone int, sel *query.Selection) {
	if c.pres.b == nil {
		KeepFirst(sel, c.pres.rows-zone*query.ZoneRows)
		return
	}
	var has query.Selection
	if _, ok := c.pres.zone(zone, &has); !ok {
		c.r.damaged("presence", c.num)
	}
	for w := range sel {
		sel[w] &= has[w]
	}
}

// layout is where the values of a zone are: [lo, hi), rows present, and their starts when some have several.
func (c *column) layout(zone int, has *query.Selection) (lo, hi int, starts []int64, ok bool) {
	lo, ok = c.pres.zone(zone, has)
	n := count(has)
	if !ok {
		c.r.damaged("presence", c.num)
		return 0, 0, nil, false
	}
	if c.counts == nil {
		if lo+n > c.n {
			c.r.damaged("presence", c.num)
			return 0, 0, nil, false
		}
		return lo, lo + n, nil, true
	}
	if starts, ok = c.counts.load(nil, lo, lo+n+1); !ok || starts[0] < 0 || starts[n] > int64(c.n) || starts[n] < starts[0] {
		c.r.damaged("counts", c.num)
		return 0, 0, nil, false
	}
	return int(starts[0]), int(starts[n]), starts, true
}

// spread lays the packed values of a zone out by row: in place when each present row has one, else with the offsets it returns.
func spread[T int64 | uint32](v []T, n int, starts []int64, has *query.Selection, start []uint32) ([]T, []uint32) {
	if starts != nil && starts[len(starts)-1]-starts[0] != int64(len(starts)-1) {
		start = grow(start, query.ZoneRows+1)
		k := 0
		for r := range query.ZoneRows {
			start[r] = uint32(starts[k] - starts[0])
			if has[r/64]>>(r%64)&1 == 1 {
				k++
			}
		}
		start[query.ZoneRows] = uint32(starts[k] - starts[0])
		return v[:n], start
	}
	v = v[:query.ZoneRows]
	if n == query.ZoneRows {
		return v, nil
	}
	k := n // from the back: a value's row is never before its place
	for w := len(has) - 1; w >= 0; w-- {
		for x := has[w]; x != 0; {
			b := 63 - bits.LeadingZeros64(x)
			k--
			v[w*64+b] = v[k]
			x &^= 1 << b
		}
	}
	return v, nil
}

type numbers struct{ *column }

func (c numbers) Bounds(zone int) (lo, hi int64, ok bool) {
	if zone < 0 || zone >= zonesOf(c.pres.rows) {
		return 0, 0, false
	}
	e := c.zones[zoneEntry*zone:]
	return int64(binary.LittleEndian.Uint64(e)), int64(binary.LittleEndian.Uint64(e[8:])), le32(e, 16) > 0
}

func (c numbers) Load(zone int, dst *query.NumberVec) {
	lo, hi, starts, ok := c.layout(zone, &dst.Has)
	dst.V = grow(dst.V, max(query.ZoneRows, hi-lo))[:0]
	if ok {
		dst.V, ok = c.ints.load(dst.V, lo, hi)
	}
	if !ok {
		c.r.damaged("numbers", c.num)
		dst.Has, dst.Start, dst.V = query.Selection{}, nil, dst.V[:cap(dst.V)]
		return
	}
	if c.codec >= codecDecimal {
		for i, v := range dst.V {
			dst.V[i] = c.decode(v)
		}
	}
	dst.V, dst.Start = spread(dst.V, hi-lo, starts, &dst.Has, dst.Start)
}

type ordinals struct{ *column }

func (c ordinals) Len() int     { return c.dict.n }
func (c ordinals) Sorted() bool { return true }

func (c ordinals) Value(ord uint32) []byte {
	v, ok := c.dict.value(ord)
	if !ok {
		c.r.damaged("dictionary", c.num)
	}
	return v
}

// Walk calls f for the values of the ordinals that want asks for, ascending, each page of the dictionary once.
func (c ordinals) Walk(want func(ord uint32) bool, f func(ord uint32, v []byte)) {
	for p := range c.dict.pages {
		var pg *page
		first := c.dict.pages[p].first
		for i := range uint32(c.dict.size(p)) {
			if !want(first + i) {
				continue
			}
			if pg == nil {
				if pg = c.dict.page(p); pg == nil {
					return
				}
			}
			f(first+i, pg.value(int(i)))
		}
	}
}

func (c ordinals) Find(value []byte) (uint32, bool) {
	if c.dict.n >= bloomMinimum && !c.r.mayHave(c.num, value) {
		return 0, false
	}
	ord, found, ok := c.dict.search(value)
	if !ok {
		c.r.damaged("dictionary", c.num)
	}
	return ord, found && ok
}

// Lower is the first ordinal whose value is not below v, Len when all are.
func (c ordinals) Lower(v []byte) uint32 {
	ord, _, ok := c.dict.search(v)
	if !ok {
		c.r.damaged("dictionary", c.num)
	}
	return ord
}

func (c ordinals) Count(ord uint32) int {
	n, ok := c.dict.counts.at(int(ord))
	if !ok {
		c.r.damaged("dictionary", c.num)
	}
	return int(n)
}

// fewLists: sets of up to that many listed ordinals are answered from lists.
const fewLists = 8

func (c ordinals) Select(zone int, set *query.OrdSet, sel *query.Selection) {
	if set.N == 0 || c.skips(zone, set) {
		return
	}
	if set.N <= fewLists {
		for w, x := range set.Bits {
			for ; x != 0; x &= x - 1 {
				c.selectOne(zone, uint32(w*64+bits.TrailingZeros64(x)), sel)
			}
		}
		return
	}
	c.decodeZone(zone, set.Has, sel)
}

// decodeZone sets the rows of a zone whose ordinals pass the test.
func (c ordinals) decodeZone(zone int, test func(ord uint32) bool, sel *query.Selection) {
	var v query.OrdVec
	c.Load(zone, &v)
	for w, x := range v.Has {
		for ; x != 0; x &= x - 1 {
			r := w*64 + bits.TrailingZeros64(x)
			if v.Start == nil {
				if test(v.V[r]) {
					sel[w] |= 1 << (r % 64)
				}
				continue
			}
			if slices.ContainsFunc(v.V[v.Start[r]:v.Start[r+1]], test) {
				sel[w] |= 1 << (r % 64)
			}
		}
	}
}

// zoneSets are the rows of a frequent value, zone by zone, as they were asked for.
type zoneSets struct {
	zones []atomic.Pointer[query.Selection]
}

// selectOne sets the rows of a zone that hold an ordinal: from its list when it has one, else from the ordinals, remembered.
func (c ordinals) selectOne(zone int, ord uint32, sel *query.Selection) {
	if n, ok := c.dict.counts.at(int(ord)); ok && c.lists != nil && n <= int64(c.pres.rows/listShare) {
		c.list(c.lists, secLists, ord).SelectZone(zone, sel)
		return
	}
	v := c.r.cached(secInt, c.num)(ord, func() (any, int64, bool) {
		zones := zonesOf(c.pres.rows)
		return &zoneSets{make([]atomic.Pointer[query.Selection], zones)}, int64(zones * (query.ZoneRows/8 + 8)), true
	})
	sets, ok := v.(*zoneSets)
	if !ok || zone >= len(sets.zones) {
		return
	}
	hit := sets.zones[zone].Load()
	if hit == nil {
		hit = &query.Selection{}
		if lo, hi, ok := numbers(c).Bounds(zone); ok && lo <= int64(ord) && int64(ord) <= hi {
			c.decodeZone(zone, func(o uint32) bool { return o == ord }, hit)
		}
		sets.zones[zone].Store(hit)
	}
	sel.Or(hit)
}

// skips tells from the zone's bounds that no row of it can match.
func (c ordinals) skips(zone int, set *query.OrdSet) bool {
	lo, hi, ok := numbers(c).Bounds(zone)
	if !ok {
		return true
	}
	return set.N == 1 && (int64(set.One) < lo || int64(set.One) > hi)
}

// rowSet is a decoded list: rows, or a bitmap when they are many.
type rowSet struct {
	rows []uint32
	bits []uint64
}

// denseShare: lists of more than rows/denseShare rows are kept as bitmaps.
const denseShare = 32

// list decodes a list, or takes it from the cache.
func (c *column) list(p *postings, kind uint16, ord uint32) *rowSet {
	v := c.r.cached(kind, c.num)(ord, func() (any, int64, bool) {
		n, ok := c.dict.counts.at(int(ord))
		if !ok {
			return nil, 0, false
		}
		rows, ok := p.rows(int(ord), int(n), c.pres.rows)
		if !ok {
			return nil, 0, false
		}
		if len(rows) <= c.pres.rows/denseShare {
			return &rowSet{rows: rows}, int64(4*len(rows) + 64), true
		}
		set := &rowSet{bits: make([]uint64, zonesOf(c.pres.rows)*query.ZoneRows/64)}
		for _, r := range rows {
			set.bits[r/64] |= 1 << (r % 64)
		}
		return set, int64(8*len(set.bits) + 64), true
	})
	if s, ok := v.(*rowSet); ok {
		return s
	}
	return &rowSet{}
}

// SelectZone sets in sel the rows of the zone that are in the list.
func (s *rowSet) SelectZone(zone int, sel *query.Selection) {
	if s.bits != nil {
		for w, x := range s.bits[zone*query.ZoneRows/64 : (zone+1)*query.ZoneRows/64] {
			sel[w] |= x
		}
		return
	}
	if s.rows == nil {
		return
	}
	lo, hi := Span(s.rows, len(s.rows), zone)
	for _, r := range s.rows[lo:hi] {
		r %= query.ZoneRows
		sel[r/64] |= 1 << (r % 64)
	}
}

func (c ordinals) Load(zone int, dst *query.OrdVec) {
	lo, hi, starts, ok := c.layout(zone, &dst.Has)
	dst.V = grow(dst.V, max(query.ZoneRows, hi-lo))[:0]
	for b := lo; ok && b < hi; {
		var buf [blockLen]int64
		n := c.ints.block(b/blockLen, buf[:])
		from, to := b%blockLen, min(n, hi-b/blockLen*blockLen)
		if ok = from < to; !ok {
			break
		}
		for _, o := range buf[from:to] {
			ok = ok && o >= 0 && o < int64(c.dict.n)
			dst.V = append(dst.V, uint32(o))
		}
		b += to - from
	}
	if !ok {
		c.r.damaged("ordinals", c.num)
		dst.Has, dst.Start, dst.V = query.Selection{}, nil, dst.V[:cap(dst.V)]
		return
	}
	dst.V, dst.Start = spread(dst.V, hi-lo, starts, &dst.Has, dst.Start)
}

type stringsOf struct{ *column }

func (c stringsOf) SelectValue(zone int, value []byte, sel *query.Selection) {
	if !c.r.mayHave(c.num, value) {
		return
	}
	ok := c.raw.find(value, func(i int) {
		if row := c.rowOf(i); row/query.ZoneRows == zone {
			r := row % query.ZoneRows
			sel[r/64] |= 1 << (r % 64)
		}
	})
	if !ok {
		c.r.damaged("raw strings", c.num)
	}
}

// EachIn calls f for the values of the rows of sel, which is of the zone; v is valid during the call.
func (c stringsOf) EachIn(zone int, sel *query.Selection, f func(row int, v []byte)) {
	var has query.Selection
	lo, _, starts, ok := c.layout(zone, &has)
	if !ok {
		return
	}
	var buf []byte
	k := 0
	for w, x := range has {
		for ; x != 0; x &= x - 1 {
			bit := bits.TrailingZeros64(x)
			from, to := lo+k, lo+k+1
			if starts != nil {
				from, to = int(starts[k]), int(starts[k+1])
			}
			k++
			if sel[w]>>bit&1 == 0 {
				continue
			}
			for i := from; i < to; i++ {
				if buf, ok = c.raw.append(buf[:0], i); !ok {
					c.r.damaged("raw strings", c.num)
					return
				}
				f(w*64+bit, buf)
			}
		}
	}
}

func (c stringsOf) Each(row int, f func([]byte)) { c.each(row, f) }

type text struct{ *column }

// Words is the number of words of all texts, 0 when nobody counted.
func (c text) Words() int64 { return c.r.Meta.Words[c.r.fields[c.num].path] }

// term is the ordinal of a token.
func (c text) term(token []byte) (uint32, bool) {
	if c.dict.n >= bloomMinimum && !c.r.mayHave(c.num, token) {
		return 0, false
	}
	ord, found, ok := c.dict.search(token)
	if !ok {
		c.r.damaged("terms", c.num)
	}
	return ord, found && ok
}

func (c text) Term(token []byte) int {
	ord, ok := c.term(token)
	if !ok {
		return 0
	}
	n, ok := c.dict.counts.at(int(ord))
	if !ok {
		c.r.damaged("terms", c.num)
	}
	return int(n)
}

func (c text) SelectTerm(zone int, token []byte, sel *query.Selection) {
	if ord, ok := c.term(token); ok {
		c.list(c.terms, secPostings, ord).SelectZone(zone, sel)
	}
}

// Postings is the rows of a token, looked up once; of one that is nowhere, none.
func (c text) Postings(token []byte) (query.Postings, bool) {
	if ord, ok := c.term(token); ok {
		return c.list(c.terms, secPostings, ord), true
	}
	return &rowSet{}, true
}

// Terms walks the dictionary from the prefix on, pages and blocks of counts each once.
func (c text) Terms(prefix []byte, f func([]byte, int) bool) {
	from, _, ok := c.dict.search(prefix)
	var counts [blockLen]int64
	have := -1 // the block in counts
	for p := c.dict.pageOf(from); ok && p < len(c.dict.pages); p++ {
		pg := c.dict.page(p)
		if pg == nil {
			break
		}
		first := c.dict.pages[p].first
		for i := max(first, from) - first; int(i) < len(pg.offs)-1; i++ {
			v := pg.value(int(i))
			if !bytes.HasPrefix(v, prefix) {
				return
			}
			ord := int(first + i)
			if b := ord / blockLen; b != have {
				if have = b; c.dict.counts.block(b, counts[:]) == 0 {
					c.r.damaged("terms", c.num)
					return
				}
			}
			if n := counts[ord%blockLen]; n > 0 && !f(v, int(n)) {
				return
			}
		}
	}
	if !ok {
		c.r.damaged("terms", c.num)
	}
}

func (c text) Each(row int, f func([]byte)) { c.each(row, f) }
