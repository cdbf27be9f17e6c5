package store

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/segment"
)

// head is the documents of one index that no segment has yet: a column per field, in memory. The goroutine that holds the store's
// commit lock appends; readers take a headView, which shares the columns' slices: what is below their lengths never changes.
type head struct {
	uuid [16]byte

	mu      sync.RWMutex
	rows    uint32 // appended
	fields  []fieldColumns
	columns []*column // all of them, metadata included, in order of appearance
	byPath  map[string]*column
	seqs    []int64
	version []int64
	ids     *column // explicit _ids
	idState []idState
	ignored *column
	routing *column
	origin  [4]*column // source, from, length, k
	shapes  dict
	shape   []uint32 // by row
	rest    []ref    // by row, 0 none
	restMem arena
	minTime int64 // @timestamp in ns; minTime > maxTime: none
	maxTime int64
	bytes   int64 // of documents as they came

	published uint32          // rows readers see
	dead      *roaring.Bitmap // deleted rows below published; replaced, never changed
	view      *headView       // of published and dead, nil when they moved on

	into    *segmentFile // what it was sealed to, row for row; guarded by Store.pub
	sealAt  int64        // journal offset behind its last row, once frozen
	born    time.Time    // of the first row
	counted atomic.Int64 // bytes it has in Store.headBytes
}

// fieldColumns are the columns of one field, by mapping.Value.Column.
type fieldColumns [2]*column

// idState is the newest word of a head on an explicit id.
type idState struct {
	row     int64 // noRow: deleted
	version int64
	seq     int64
	at      int64 // unix ms
}

const noRow = -1

// column is one column of a head. Values stand in row order; dense: value i is of row i.
type column struct {
	path   string
	field  *mapping.Field // nil for metadata
	kind   mapping.Kind
	sparse bool
	rows   []uint32 // sparse: the row of each value
	nums   []int64
	ords   []uint32
	dict   *dict
	texts  []ref
	heap   arena
	tokens *tokenIndex
	words  int64 // of all texts
}

// Names of the metadata columns.
const (
	colID      = "_id"
	colSeq     = "_seq_no"
	colVersion = "_version"
	colIgnored = "_ignored"
	colRouting = "_routing"
	colSource  = "_origin.source"
	colFrom    = "_origin.from"
	colLength  = "_origin.length"
	colK       = "_origin.k"
)

func newHead(uuid [16]byte) *head {
	h := &head{uuid: uuid, byPath: map[string]*column{}, minTime: math.MaxInt64, maxTime: math.MinInt64, dead: roaring.New()}
	h.rest, h.ids = nil, &column{path: colID, kind: mapping.Values, dict: &dict{}}
	return h
}

// appended is a document for append: what of a scanned batch is its.
type appended struct {
	docs    *mapping.Docs
	doc     *mapping.Doc
	tokens  *tokens
	id      []byte // explicit id, nil for none
	seq     int64
	version int64
	routing []byte
	size    int
	origin  originOf
	now     int64
}

// append adds a row and returns its number.
func (h *head) append(a *appended) uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	row := h.rows
	if row == 0 {
		h.born = time.UnixMilli(a.now)
	}
	h.rows++
	h.seqs = append(h.seqs, a.seq)
	h.version = append(h.version, a.version)
	vals := a.docs.Values[a.doc.Values[0]:a.doc.Values[1]]
	for i := range vals {
		h.add(row, &vals[i], a.tokens)
	}
	h.addShape(a)
	h.addMeta(row, a)
	h.bytes += int64(a.size)
	return row
}

func (h *head) addShape(a *appended) {
	s := a.docs.Shapes[a.doc.Shape[0]:a.doc.Shape[1]]
	n := len(h.shape)
	if n > 0 && string(h.shapes.value(h.shape[n-1])) == string(s) { // neighbours often agree
		h.shape = append(h.shape, h.shape[n-1])
	} else {
		ord, _ := h.shapes.add(s, hashOf(s))
		h.shape = append(h.shape, ord)
	}
	r := ref(0)
	if rest := a.docs.Rest[a.doc.Rest[0]:a.doc.Rest[1]]; len(rest) > 0 {
		r = h.restMem.put(rest)
	}
	h.rest = append(h.rest, r)
}

func (h *head) addMeta(row uint32, a *appended) {
	if a.id != nil {
		ord := h.ids.addOrd(row, a.id)
		for int(ord) >= len(h.idState) {
			h.idState = append(h.idState, idState{row: noRow})
		}
		h.idState[ord] = idState{row: int64(row), version: a.version, seq: a.seq, at: a.now}
	}
	for _, p := range a.docs.Ignored[a.doc.Ignored[0]:a.doc.Ignored[1]] {
		h.meta(&h.ignored, colIgnored, mapping.Values).addOrd(row, []byte(p))
	}
	if len(a.routing) > 0 {
		h.meta(&h.routing, colRouting, mapping.Values).addOrd(row, a.routing)
	}
	if !a.origin.r.Source.IsZero() {
		h.meta(&h.origin[0], colSource, mapping.Values).addOrd(row, a.origin.r.Source[:])
		h.meta(&h.origin[1], colFrom, mapping.Numbers).addNum(row, a.origin.r.From)
		h.meta(&h.origin[2], colLength, mapping.Numbers).addNum(row, a.origin.r.Len())
		h.meta(&h.origin[3], colK, mapping.Numbers).addNum(row, int64(a.origin.k))
	}
}

// meta finds or makes a metadata column.
func (h *head) meta(c **column, path string, kind mapping.Kind) *column {
	if *c == nil {
		*c = newColumn(path, nil, kind)
	}
	return *c
}

func newColumn(path string, f *mapping.Field, kind mapping.Kind) *column {
	c := &column{path: path, field: f, kind: kind}
	switch kind {
	case mapping.Values:
		c.dict = &dict{}
	case mapping.Words:
		c.tokens = &tokenIndex{}
	}
	return c
}

// add puts one value into its column.
func (h *head) add(row uint32, v *mapping.Value, t *tokens) {
	f, k := v.Field, v.Column()
	for f.Num >= len(h.fields) {
		h.fields = append(h.fields, fieldColumns{})
	}
	c := h.fields[f.Num][k]
	if c == nil {
		kind := f.ColumnKind()
		if kind == mapping.Point {
			kind = mapping.Numbers
		}
		c = newColumn(f.Columns()[k], f, kind)
		h.fields[f.Num][k] = c
		h.columns = append(h.columns, c)
		h.byPath[c.path] = c
	}
	switch c.kind {
	case mapping.Numbers:
		c.addNum(row, v.Num)
		if f.Type.IsDate() && f.Path == timestampField {
			ns := f.Nanos(v.Num)
			h.minTime, h.maxTime = min(h.minTime, ns), max(h.maxTime, ns)
		}
	case mapping.Values:
		c.addOrd(row, v.Bytes)
	case mapping.Words:
		c.addText(row, v, t)
	}
}

const timestampField = "@timestamp"

// place makes sure that the next value may be of row: the column stops being dense when values and rows part.
func (c *column) place(row uint32, n int) {
	if c.sparse {
		c.rows = append(c.rows, row)
		return
	}
	if uint32(n) == row {
		return
	}
	c.sparse = true
	c.rows = make([]uint32, n, max(2*n, 64))
	for i := range c.rows {
		c.rows[i] = uint32(i)
	}
	c.rows = append(c.rows, row)
}

func (c *column) addNum(row uint32, v int64) {
	c.place(row, len(c.nums))
	c.nums = append(c.nums, v)
}

func (c *column) addOrd(row uint32, v []byte) uint32 {
	c.place(row, len(c.ords))
	if n := len(c.ords); n > 0 { // neighbours often agree: agent, host, version
		if last := c.ords[n-1]; c.dict.refs[last].len() == len(v) && string(c.dict.value(last)) == string(v) {
			c.ords = append(c.ords, last)
			return last
		}
	}
	ord, _ := c.dict.add(v, hashOf(v))
	c.ords = append(c.ords, ord)
	return ord
}

func (c *column) addText(row uint32, v *mapping.Value, t *tokens) {
	c.place(row, len(c.texts))
	c.texts = append(c.texts, c.heap.put(v.Bytes))
	words := t.of(v)
	c.words += int64(len(words))
	for _, k := range words {
		c.tokens.add(t.buf[k.at:k.at+k.n], k.hash, row)
	}
}

// len is the number of values.
func (c *column) len() int { return len(c.nums) + len(c.ords) + len(c.texts) }

func (c *column) memory() int64 {
	n := int64(4*cap(c.rows)+8*cap(c.nums)+4*cap(c.ords)+8*cap(c.texts)) + c.heap.bytes
	if c.dict != nil {
		n += c.dict.memory()
	}
	if c.tokens != nil {
		n += c.tokens.memory()
	}
	return n
}

// memory is an estimate in bytes.
func (h *head) memory() int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	n := int64(16*cap(h.seqs)+4*cap(h.shape)+8*cap(h.rest)) + h.restMem.bytes + h.shapes.memory() + h.ids.memory() + int64(32*cap(h.idState))
	for _, c := range h.columns {
		n += c.memory()
	}
	for _, c := range []*column{h.ignored, h.routing, h.origin[0], h.origin[1], h.origin[2], h.origin[3]} {
		if c != nil {
			n += c.memory()
		}
	}
	return n
}

// findID is the newest word on an explicit id; known is false when the head has none.
func (h *head) findID(id []byte) (st idState, known bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	ord, ok := h.ids.dict.find(id, hashOf(id))
	if !ok || int(ord) >= len(h.idState) {
		return idState{}, false
	}
	st = h.idState[ord]
	return st, st.seq >= 0
}

// setID notes a deletion, or takes a note back when seq is below 0. It returns what was there.
func (h *head) setID(id []byte, st idState) (was idState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ord, _ := h.ids.dict.add(id, hashOf(id))
	for int(ord) >= len(h.idState) {
		h.idState = append(h.idState, idState{row: noRow, seq: -1})
	}
	was = h.idState[ord]
	h.idState[ord] = st
	return was
}

// findSeq is the row with a sequence number.
func (h *head) findSeq(seq int64) (uint32, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return searchSeq(h.seqs, seq)
}

func searchSeq(seqs []int64, seq int64) (uint32, bool) {
	lo, hi := 0, len(seqs)
	for lo < hi {
		m := (lo + hi) / 2
		if seqs[m] < seq {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return uint32(lo), lo < len(seqs) && seqs[lo] == seq
}

// publish shows readers the first rows rows without those in dead.
func (h *head) publish(rows uint32, dead []uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.published = max(h.published, rows)
	if len(dead) > 0 {
		d := h.dead.Clone()
		d.AddMany(dead)
		h.dead = d
	}
	h.view = nil
}

// published rows and deletions as a source. nil when there are none.
func (h *head) source() query.Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.published == 0 {
		return nil
	}
	if h.view == nil {
		h.view = newHeadView(h, h.published, h.dead)
	}
	return h.view
}

var _ query.Source = (*headView)(nil)

// autoID is the id of a row nobody gave one.
func (h *head) autoID(seq int64) string { return segment.AutoID(h.uuid, seq) }
