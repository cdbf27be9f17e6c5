package store

import (
	"fmt"
	"slices"
	"sort"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/segment"
)

// headView is the first rows rows of a head as they were published, less dead ones.
type headView struct {
	h        *head
	rows     int
	dead     *roaring.Bitmap
	cols     map[string]*viewColumn
	byNum    []fieldViews
	paths    []string
	ids      *viewColumn
	seqs     *viewColumn
	shapes   [][]byte // the arena of shapes
	shapeRef []ref
	shape    []uint32
	rest     []ref
	restMem  [][]byte
	minTime  int64
	maxTime  int64
}

type fieldViews [2]*viewColumn

// viewColumn is one column of a view.
type viewColumn struct {
	h      *head
	c      *column
	limit  uint32 // rows
	kind   mapping.Kind
	rows   []uint32 // nil: dense
	n      int      // values
	nums   []int64
	ords   []uint32
	refs   []ref // dictionary
	chunks [][]byte
	texts  []ref
	tokens []ref // token dictionary
	words  int64 // of all texts, those not yet published included

	once   sync.Once
	counts []uint32

	mu     sync.Mutex
	cached map[uint32][]uint32 // rows of tokens that were asked for
}

// newHeadView captures the head's slices; the caller holds h.mu.
func newHeadView(h *head, rows uint32, dead *roaring.Bitmap) *headView {
	v := &headView{h: h, rows: int(rows), dead: dead, cols: make(map[string]*viewColumn, len(h.columns)+8), byNum: make([]fieldViews, len(h.fields)),
		shapes: slices.Clone(h.shapes.chunks), shapeRef: h.shapes.refs, shape: h.shape[:rows], rest: h.rest[:rows], restMem: slices.Clone(h.restMem.chunks), minTime: h.minTime, maxTime: h.maxTime}
	for _, c := range h.columns {
		v.paths = append(v.paths, c.path)
		v.cols[c.path] = v.capture(c)
	}
	for num, f := range h.fields {
		for k, c := range f {
			if c != nil {
				v.byNum[num][k] = v.cols[c.path]
			}
		}
	}
	sort.Strings(v.paths)
	v.ids = v.capture(h.ids)
	v.cols[colID] = v.ids
	v.seqs = v.capture(&column{path: colSeq, kind: mapping.Numbers, nums: h.seqs})
	v.cols[colSeq] = v.seqs
	v.cols[colVersion] = v.capture(&column{path: colVersion, kind: mapping.Numbers, nums: h.version})
	for _, c := range []*column{h.ignored, h.routing, h.origin[0], h.origin[1], h.origin[2], h.origin[3]} {
		if c != nil {
			v.cols[c.path] = v.capture(c)
		}
	}
	return v
}

func (v *headView) capture(c *column) *viewColumn {
	w := &viewColumn{h: v.h, c: c, limit: uint32(v.rows), kind: c.kind, n: c.len()}
	if c.sparse {
		w.n = sort.Search(len(c.rows), func(i int) bool { return c.rows[i] >= uint32(v.rows) })
		w.rows = c.rows[:w.n]
		if w.rows == nil {
			w.rows = []uint32{}
		}
	} else {
		w.n = min(w.n, v.rows)
	}
	switch c.kind {
	case mapping.Numbers:
		w.nums = c.nums[:w.n]
	case mapping.Values:
		w.ords, w.refs, w.chunks = c.ords[:w.n], c.dict.refs, c.dict.chunks
	case mapping.Words:
		w.texts, w.chunks, w.tokens, w.words = c.texts[:w.n], c.heap.chunks, c.tokens.refs, c.words
	}
	w.chunks = slices.Clone(w.chunks) // the last one grows in place
	return w
}

func (v *headView) Rows() int    { return v.rows }
func (v *headView) Err() error   { return nil }
func (v *headView) Deleted() int { return int(v.dead.GetCardinality()) }

// Live clears deleted rows and those beyond the end.
func (v *headView) Live(zone int, sel *query.Selection) {
	segment.KeepFirst(sel, v.rows-zone*query.ZoneRows)
	segment.Clear(v.dead, zone, sel)
}

func (v *headView) TimeRange() (lo, hi int64, ok bool) {
	return v.minTime, v.maxTime, v.minTime <= v.maxTime
}

// Field is the column of a path.
func (v *headView) Field(path string) query.Field {
	c := v.cols[path]
	if c == nil || c.n == 0 {
		return nil
	}
	switch c.kind {
	case mapping.Numbers:
		return viewNumbers{c}
	case mapping.Values:
		if path == colID {
			return viewStrings{c}
		}
		return viewOrdinals{c}
	}
	return viewText{c}
}

func (v *headView) Paths() []string { return v.paths }

// ID is the explicit id of a row, or the one its sequence number makes.
func (v *headView) ID(row int) string {
	if lo, hi := v.ids.of(row); lo < hi {
		return string(bytesOf(v.ids.chunks, v.ids.refs[v.ids.ords[lo]]))
	}
	return v.h.autoID(v.seqs.nums[row])
}

// FindID is the live row of an explicit or automatic id.
func (v *headView) FindID(id string) (int, bool) {
	if st, known := v.h.findID([]byte(id)); known {
		if st.row != noRow && st.row < int64(v.rows) && !v.dead.Contains(uint32(st.row)) {
			return int(st.row), true
		}
		return v.olderID([]byte(id))
	}
	seq, auto := segment.ParseAutoID(v.h.uuid, id)
	if !auto {
		return 0, false
	}
	row, found := searchSeq(v.seqs.nums, seq)
	if !found || v.dead.Contains(row) || v.ID(int(row)) != id {
		return 0, false
	}
	return int(row), true
}

// olderID finds a live row of an explicit id whose newest word is not published yet.
func (v *headView) olderID(id []byte) (int, bool) {
	for i := len(v.ids.ords) - 1; i >= 0; i-- {
		if string(bytesOf(v.ids.chunks, v.ids.refs[v.ids.ords[i]])) == string(id) {
			if row := v.ids.row(i); !v.dead.Contains(row) {
				return int(row), true
			}
		}
	}
	return 0, false
}

// AppendSource prints a document.
func (v *headView) AppendSource(dst []byte, row int) ([]byte, error) {
	if row < 0 || row >= v.rows {
		return dst, fmt.Errorf("row %d of %d", row, v.rows)
	}
	var rest []byte
	if r := v.rest[row]; r != 0 {
		rest = bytesOf(v.restMem, r)
	}
	r := viewRow{v: v, row: row}
	out, ok := mapping.AppendDocument(dst, bytesOf(v.shapes, v.shapeRef[v.shape[row]]), rest, &r)
	if !ok {
		return dst, fmt.Errorf("document of row %d does not fit its shape", row)
	}
	return out, nil
}

// viewRow walks the values of one row.
type viewRow struct {
	v    *headView
	row  int
	last int // field the cursor is of
	at   int
	end  int
	set  bool
}

func (r *viewRow) seek(field int) *viewColumn {
	if field >= len(r.v.byNum) || r.v.byNum[field][0] == nil {
		return nil
	}
	c := r.v.byNum[field][0]
	if !r.set || r.last != field {
		r.at, r.end = c.of(r.row)
		r.set, r.last = true, field
	}
	return c
}

func (r *viewRow) More(field int) bool { return r.seek(field) != nil && r.at < r.end }

func (r *viewRow) Next(field int) (t mapping.Type, n int64, b []byte, ok bool) {
	c := r.seek(field)
	if c == nil || r.at >= r.end {
		return 0, 0, nil, false
	}
	i := r.at
	r.at++
	t = c.c.field.Type
	switch c.kind {
	case mapping.Numbers:
		return t, c.nums[i], nil, true
	case mapping.Values:
		return t, 0, bytesOf(c.chunks, c.refs[c.ords[i]]), true
	}
	return t, 0, bytesOf(c.chunks, c.texts[i]), true
}

// of is the range of the values of a row.
func (c *viewColumn) of(row int) (lo, hi int) {
	if c.rows == nil {
		if row < c.n {
			return row, row + 1
		}
		return 0, 0
	}
	lo = sort.Search(len(c.rows), func(i int) bool { return c.rows[i] >= uint32(row) })
	for hi = lo; hi < len(c.rows) && c.rows[hi] == uint32(row); hi++ {
	}
	return lo, hi
}

// row is the row of value i.
func (c *viewColumn) row(i int) uint32 {
	if c.rows == nil {
		return uint32(i)
	}
	return c.rows[i]
}

// zone is the values of a zone and their rows (nil when dense).
func (c *viewColumn) zone(zone int) (lo, hi int, rows []uint32) {
	lo, hi = segment.Span(c.rows, c.n, zone)
	if c.rows != nil {
		rows = c.rows[lo:hi]
	}
	return lo, hi, rows
}

// Present clears the rows without a value.
func (c *viewColumn) Present(zone int, sel *query.Selection) {
	lo, hi, rows := c.zone(zone)
	if c.rows == nil {
		segment.KeepFirst(sel, hi-lo)
		return
	}
	segment.Keep(rows, sel)
}

type viewNumbers struct{ *viewColumn }

func (c viewNumbers) Bounds(zone int) (lo, hi int64, ok bool) {
	from, to, _ := c.zone(zone)
	for i, v := range c.nums[from:to] {
		if i == 0 {
			lo, hi = v, v
			continue
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	return lo, hi, from < to
}

func (c viewNumbers) Load(zone int, dst *query.NumberVec) {
	lo, hi, rows := c.zone(zone)
	dst.V, dst.Start = segment.Fill(zoneRows(c.rows, rows), c.nums[lo:hi], dst.V, dst.Start, &dst.Has)
}

// zoneRows keeps an empty zone of a sparse column from looking dense.
func zoneRows(all, rows []uint32) []uint32 {
	if all != nil && rows == nil {
		return []uint32{}
	}
	return rows
}

type viewOrdinals struct{ *viewColumn }

func (c viewOrdinals) Len() int                { return len(c.refs) }
func (c viewOrdinals) Value(ord uint32) []byte { return bytesOf(c.chunks, c.refs[ord]) }
func (c viewOrdinals) Sorted() bool            { return false }

func (c viewOrdinals) Find(value []byte) (uint32, bool) {
	c.h.mu.RLock()
	defer c.h.mu.RUnlock()
	ord, ok := c.c.dict.find(value, hashOf(value))
	return ord, ok && int(ord) < len(c.refs)
}

func (c viewOrdinals) Count(ord uint32) int {
	c.once.Do(func() {
		c.counts = make([]uint32, len(c.refs))
		last := make([]uint32, len(c.refs)) // row + 1 of the last count, so that a value twice in a row counts once
		for i, o := range c.ords {
			if r := c.row(i) + 1; last[o] != r {
				last[o] = r
				c.counts[o]++
			}
		}
	})
	return int(c.counts[ord])
}

func (c viewOrdinals) Select(zone int, set *query.OrdSet, sel *query.Selection) {
	lo, hi, _ := c.zone(zone)
	for i := lo; i < hi; i++ {
		if set.Has(c.ords[i]) {
			r := c.row(i) % query.ZoneRows
			sel[r/64] |= 1 << (r % 64)
		}
	}
}

func (c viewOrdinals) Load(zone int, dst *query.OrdVec) {
	lo, hi, rows := c.zone(zone)
	dst.V, dst.Start = segment.Fill(zoneRows(c.rows, rows), c.ords[lo:hi], dst.V, dst.Start, &dst.Has)
}

// viewStrings serves the _id column: nearly all values are distinct.
type viewStrings struct{ *viewColumn }

func (c viewStrings) SelectValue(zone int, value []byte, sel *query.Selection) {
	ord, ok := viewOrdinals(c).Find(value)
	if !ok {
		return
	}
	lo, hi, _ := c.zone(zone)
	for i := lo; i < hi; i++ {
		if c.ords[i] == ord {
			r := c.row(i) % query.ZoneRows
			sel[r/64] |= 1 << (r % 64)
		}
	}
}

func (c viewStrings) Each(row int, f func([]byte)) {
	lo, hi := c.of(row)
	for i := lo; i < hi; i++ {
		f(bytesOf(c.chunks, c.refs[c.ords[i]]))
	}
}

type viewText struct{ *viewColumn }

// rowsOf are the rows of a token, decoded once.
func (c viewText) rowsOf(token []byte) []uint32 {
	c.h.mu.RLock()
	ord, ok := c.c.tokens.find(token, hashOf(token))
	c.h.mu.RUnlock()
	if !ok || int(ord) >= len(c.tokens) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if rows, ok := c.cached[ord]; ok {
		return rows
	}
	c.h.mu.RLock()
	rows := c.c.tokens.rows(nil, ord, c.limit)
	c.h.mu.RUnlock()
	if c.cached == nil || len(c.cached) >= maxCachedTokens {
		c.cached = map[uint32][]uint32{}
	}
	c.cached[ord] = rows
	return rows
}

// maxCachedTokens bounds the decoded posting lists of a view's column.
const maxCachedTokens = 256

func (c viewText) Term(token []byte) int { return len(c.rowsOf(token)) }

func (c viewText) SelectTerm(zone int, token []byte, sel *query.Selection) {
	rowList(c.rowsOf(token)).SelectZone(zone, sel)
}

// Postings is the rows of a token, looked up once.
func (c viewText) Postings(token []byte) (query.Postings, bool) {
	return rowList(c.rowsOf(token)), true
}

// Words is the number of words of all texts.
func (c viewText) Words() int64 { return c.words }

// rowList is ascending rows.
type rowList []uint32

// SelectZone sets in sel the rows of the zone.
func (rows rowList) SelectZone(zone int, sel *query.Selection) {
	lo, hi := segment.Span(orEmpty(rows), len(rows), zone)
	for _, r := range rows[lo:hi] {
		r %= query.ZoneRows
		sel[r/64] |= 1 << (r % 64)
	}
}

func orEmpty(rows []uint32) []uint32 {
	if rows == nil {
		return []uint32{}
	}
	return rows
}

func (c viewText) Terms(prefix []byte, f func([]byte, int) bool) {
	var scratch []uint32
	for ord := range c.tokens {
		c.h.mu.RLock()
		tok := c.c.tokens.value(uint32(ord))
		n := 0
		if len(tok) >= len(prefix) && string(tok[:len(prefix)]) == string(prefix) {
			n, scratch = c.c.tokens.count(scratch, uint32(ord), c.limit)
		}
		c.h.mu.RUnlock()
		if n > 0 && !f(tok, n) {
			return
		}
	}
}

func (c viewText) Each(row int, f func([]byte)) {
	lo, hi := c.of(row)
	for i := lo; i < hi; i++ {
		f(bytesOf(c.chunks, c.texts[i]))
	}
}
