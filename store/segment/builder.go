package segment

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
	"github.com/zeebo/xxh3"
)

// Kinds of sections. A reader ignores those it does not know.
const (
	secMeta      = 1
	secFields    = 3
	secShapes    = 4
	secRowShape  = 5
	secRest      = 6
	secPresent   = 10
	secInt       = 11
	secZones     = 12
	secCounts    = 13
	secDict      = 14
	secLists     = 15
	secRaw       = 16
	secHash      = 17
	secRefs      = 23
	secBlocks    = 24
	secTerms     = 25
	secPostings  = 26
	secRefBlocks = 29
	secBloom     = 30
)

// Kinds of columns in FIELDS.
const (
	colInt  = 1 // INT
	colDict = 2 // INT of ordinals, DICT, LISTS
	colRaw  = 3 // RAW, HASH
	colText = 4 // BLOCKS, TERMS, POSTINGS
	colRest = 5 // the rest of documents: BLOCKS only, as section REST
)

// Codecs of INT sections: what the numbers mean.
const (
	codecPlain   = 0
	codecDecimal = 16 // + digits: SortableFloat of the number / 10^digits
)

// Builder writes one segment: the columns in any order, then the documents, then Finish. It is for one goroutine.
type Builder struct {
	fs     vfs.FS
	path   string
	h      Header
	out    output
	c      *coders
	toc    []tocEntry
	fields []byte
	n      int // fields
	names  map[string]int
	meta   Meta
	buf    []byte
	bloom  bloomBuilder
	twins  map[xxh3.Uint128]uint64 // offsets of sections by their 128-bit hash
}

// Meta is what a segment says of itself.
type Meta struct {
	Rows     int              `json:"rows"`
	MinTime  int64            `json:"min_time,omitempty"` // @timestamp, epoch ns
	MaxTime  int64            `json:"max_time,omitempty"`
	Timed    bool             `json:"timed,omitempty"`
	MinSeq   int64            `json:"min_seq"`
	MaxSeq   int64            `json:"max_seq"`
	SrcBytes int64            `json:"source_bytes"`    // of the documents as they came
	Words    map[string]int64 `json:"words,omitempty"` // of all texts of a scored column, for their mean length
	Sections map[string]int64 `json:"sections,omitempty"`
}

// Names of metadata columns.
const (
	FieldID      = "_id"
	FieldSeq     = "_seq_no"
	FieldVersion = "_version"
	FieldIgnored = "_ignored"
	FieldRouting = "_routing"
	fieldRest    = "_rest"
)

// Create begins a segment in a temporary file beside path. Cold segments are compressed harder.
func Create(fsys vfs.FS, path string, h Header, meta Meta) (*Builder, error) {
	level := zstd.SpeedFastest // what is sealed is merged later
	switch {
	case h.Level >= 2:
		level = zstd.SpeedBetterCompression
	case h.Level == 1:
		level = zstd.SpeedDefault
	}
	c, err := newCoders(level)
	if err != nil {
		return nil, fmt.Errorf("create segment %s: %w", path, err)
	}
	f, err := fsys.Create(path + vfs.TempSuffix)
	if err != nil {
		return nil, fmt.Errorf("create segment %s: %w", path, err)
	}
	b := &Builder{fs: fsys, path: path, h: h, c: c, names: map[string]int{}, twins: map[xxh3.Uint128]uint64{}, meta: meta, out: output{f: f}}
	b.meta.Rows = h.Rows
	b.meta.Sections, b.meta.Words = map[string]int64{}, map[string]int64{}
	b.out.write(appendHeader(nil, &h))
	return b, nil
}

// section writes one section. count means what the section's description says.
func (b *Builder) section(kind, field, codec int, data []byte, count int) {
	e := tocEntry{kind: uint16(kind), field: uint16(field), codec: uint16(codec), length: uint64(len(data)), count: uint32(count)}
	sum := xxh3.Hash128(data)
	if at, twin := b.twins[sum]; twin && len(data) >= twinBytes {
		e.offset = at
		b.toc = append(b.toc, e)
		return
	}
	b.out.align()
	e.offset = uint64(b.out.off)
	b.twins[sum] = e.offset
	b.toc = append(b.toc, e)
	b.out.write(data)
	b.meta.Sections[sectionName(kind)] += int64(len(data))
}

// twinBytes: sections of at least that many bytes are written once, however many fields have the same. Fields that go together
// (agent.name, host.name, agent.id) have the same ordinals and the same rows.
const twinBytes = 64

func sectionName(kind int) string {
	switch kind {
	case secShapes, secRowShape, secRest:
		return "documents"
	case secPresent, secCounts:
		return "presence"
	case secInt:
		return "numbers"
	case secZones:
		return "zones"
	case secDict:
		return "dictionaries"
	case secLists:
		return "lists"
	case secRaw, secHash:
		return "raw"
	case secBlocks, secRefBlocks, secRefs:
		return "text"
	case secTerms, secPostings:
		return "terms"
	}
	return "other"
}

// field gives a column its number.
func (b *Builder) field(path string, t mapping.Type, kind int, present, distinct int) int {
	num := b.n
	b.n++
	b.names[path] = num
	b.fields = append(binary.AppendUvarint(b.fields, uint64(len(path))), path...)
	b.fields = append(b.fields, byte(t), byte(kind), 0)
	b.fields = binary.AppendUvarint(binary.AppendUvarint(b.fields, uint64(present)), uint64(distinct))
	return num
}

// presence writes PRESENT and COUNTS of a column and returns the rows that have values. rows is the row of each of n values, nil when
// value i is of row i.
func presentRows(rows []uint32, n int) []uint32 {
	if rows == nil {
		rows = make([]uint32, n)
		for i := range rows {
			rows[i] = uint32(i)
		}
		return rows
	}
	return distinct(rows)
}

func (b *Builder) presence(num int, rows, present []uint32, n int) {
	if len(present) != b.h.Rows {
		b.buf = appendPresent(b.buf[:0], present, b.h.Rows)
		b.section(secPresent, num, 0, b.buf, len(present))
	}
	if rows == nil || len(present) == n {
		return
	}
	starts := make([]int64, 0, len(present)+1)
	for i := range rows {
		if i == 0 || rows[i] != rows[i-1] {
			starts = append(starts, int64(i))
		}
	}
	starts = append(starts, int64(n))
	b.buf = appendInts(b.buf[:0], starts)
	b.section(secCounts, num, 0, b.buf, len(starts))
}

// Numbers adds a column of numbers. float tells that they are SortableFloats. It returns the column's number.
func (b *Builder) Numbers(path string, t mapping.Type, rows []uint32, vals []int64) int {
	present := presentRows(rows, len(vals))
	num := b.field(path, t, colInt, len(present), 0)
	b.presence(num, rows, present, len(vals))
	codec, stored := codecPlain, vals
	if t.IsFloat() || t == mapping.GeoPoint {
		codec, stored = decimals(vals)
	}
	b.buf = appendInts(b.buf[:0], stored)
	b.section(secInt, num, codec, b.buf, len(vals))
	b.zones(num, rows, vals)
	return num
}

// zones writes ZONES: per zone i64 min, i64 max, u32 values, u32 0.
func (b *Builder) zones(num int, rows []uint32, vals []int64) {
	b.buf = b.buf[:0]
	for z := range zonesOf(b.h.Rows) {
		lo, hi := Span(rows, len(vals), z)
		var least, most int64
		for i, v := range vals[lo:hi] {
			if i == 0 {
				least, most = v, v
				continue
			}
			least, most = min(least, v), max(most, v)
		}
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(least))
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(most))
		b.buf = binary.LittleEndian.AppendUint64(b.buf, uint64(hi-lo))
	}
	b.section(secZones, num, 0, b.buf, zonesOf(b.h.Rows))
}

// maxDecimals is the largest number of digits behind the point that floats are stored with as integers.
const maxDecimals = 4

// decimals turns SortableFloats into integers when all are decimals of few places.
func decimals(vals []int64) (codec int, out []int64) {
	out = make([]int64, len(vals))
	scale := 1.0
next:
	for digits := range maxDecimals + 1 {
		for i, v := range vals {
			f := query.FloatOf(v)
			n := math.Round(f * scale)
			if math.Abs(n) >= 1<<52 || n/scale != f || n == 0 && math.Signbit(f) {
				scale *= 10
				continue next
			}
			out[i] = int64(n)
		}
		return codecDecimal + digits, out
	}
	return codecPlain, vals
}

// Costs of the choice between DICT and RAW, in bytes: measured averages.
const (
	rawDistinct  = 1000 // below that many values a dictionary is always small
	dictEntry    = 3.0  // row count and table entries of a dictionary value, besides its bytes, which front coding halves
	listEntry    = 1.5  // a row in LISTS
	rawHashEntry = 4.5  // a string in HASH
)

// prefersRaw estimates both layouts.
func prefersRaw(ords []uint32, dict [][]byte) bool {
	if len(dict) <= rawDistinct {
		return false
	}
	bytes := 0
	for _, v := range dict {
		bytes += len(v)
	}
	mean := float64(bytes) / float64(len(dict))
	stored := mean
	if form, width := rawForm(min(len(dict), 100), func(i int) []byte { return dict[i*len(dict)/min(len(dict), 100)] }); form != rawBytes {
		stored = float64(width)
	}
	n := float64(len(ords))
	asRaw := n * (stored + rawHashEntry)
	asDict := float64(len(dict))*(min(stored, mean/2)+dictEntry) + n*(float64(bits.Len(uint(len(dict))))/8+listEntry)
	return asRaw < asDict
}

// Values adds a column of byte strings: ords index dict, which ascends and has no value twice. Columns of mostly distinct values
// become RAW. It returns the column's number.
func (b *Builder) Values(path string, t mapping.Type, rows, ords []uint32, dict [][]byte) int {
	present := presentRows(rows, len(ords))
	kind := colDict
	if path == FieldID || prefersRaw(ords, dict) {
		kind = colRaw
	}
	num := b.field(path, t, kind, len(present), len(dict))
	b.presence(num, rows, present, len(ords))
	b.bloom.addAll(num, dict)
	if kind == colRaw {
		at := func(i int) []byte { return dict[ords[i]] }
		b.buf = appendRaw(b.buf[:0], len(ords), at)
		b.section(secRaw, num, 0, b.buf, len(ords))
		b.buf = appendHash(b.buf[:0], len(ords), at)
		b.section(secHash, num, 0, b.buf, len(ords))
		return num
	}
	b.ordinals(num, rows, ords, dict)
	return num
}

// ordinals writes INT, ZONES, DICT and LISTS of a dictionary column.
func (b *Builder) ordinals(num int, rows, ords []uint32, dict [][]byte) {
	nums := make([]int64, len(ords))
	for i, o := range ords {
		nums[i] = int64(o)
	}
	b.buf = appendInts(b.buf[:0], nums)
	b.section(secInt, num, 0, b.buf, len(nums))
	b.zones(num, rows, nums)
	counts := rowCounts(rows, ords, len(dict))
	b.buf = b.c.appendDict(b.buf[:0], len(dict), func(i int) []byte { return dict[i] }, counts)
	b.section(secDict, num, 1, b.buf, len(dict))
	b.lists(num, rows, ords, counts)
}

// rowCounts is the number of rows of each ordinal.
func rowCounts(rows, ords []uint32, n int) []int64 {
	counts, last := make([]int64, n), make([]uint32, n)
	for i, o := range ords {
		r := uint32(i) + 1
		if rows != nil {
			r = rows[i] + 1
		}
		if last[o] != r {
			last[o] = r
			counts[o]++
		}
	}
	return counts
}

// listShare: ordinals in more rows than rows/listShare have no list. They stand in nearly every zone, so that decoding ordinals costs
// little more than a list, which would take a byte or two per row.
const listShare = 256

// lists writes LISTS: postings of the rarer ordinals.
func (b *Builder) lists(num int, rows, ords []uint32, counts []int64) {
	limit := int64(b.h.Rows / listShare)
	if limit < 1 || len(counts) < 2 {
		return
	}
	start := make([]uint32, len(counts)+1)
	for o, n := range counts {
		if n > limit {
			n = 0
		}
		start[o+1] = start[o] + uint32(n)
	}
	all := make([]uint32, start[len(counts)])
	at := slices.Clone(start[:len(counts)])
	for i, o := range ords {
		if counts[o] > limit {
			continue
		}
		r := uint32(i)
		if rows != nil {
			r = rows[i]
		}
		if at[o] > start[o] && all[at[o]-1] == r {
			continue
		}
		all[at[o]] = r
		at[o]++
	}
	b.postings(secLists, num, len(counts), func(o int) []uint32 { return all[start[o]:start[o+1]] })
}

// postings writes a section of n lists: INT of addresses, then the postings. The address of a list of one row is the row; of an empty
// one 0.
func (b *Builder) postings(kind, num, n int, list func(i int) []uint32) {
	var data []byte
	addrs := make([]int64, n)
	for i := range n {
		switch l := list(i); len(l) {
		case 0:
		case 1:
			addrs[i] = int64(l[0])
		default:
			addrs[i] = int64(len(data))
			data = appendPostings(data, l)
		}
	}
	b.buf = append(appendInts(b.buf[:0], addrs), data...)
	b.section(kind, num, 0, b.buf, n)
}

// Text is an analysed column for Builder.
type Text struct {
	Rows  []uint32 // nil: dense
	N     int      // texts
	At    func(i int) []byte
	Terms [][]byte // ascending, distinct
	// Postings are the rows of a term, ascending, distinct; valid until the next call.
	Postings func(term int) []uint32
	Refs     []RefColumn // that the texts may repeat
	Words    int64       // of all texts; 0: not counted

	stored []storedRef // At gives texts with these references already; nil: as they were written
}

func (x *Text) row(i int) uint32 {
	if x.Rows == nil {
		return uint32(i)
	}
	return x.Rows[i]
}

// texts writes the texts themselves.
func (b *Builder) texts(num int, x *Text) {
	if x.stored != nil {
		b.section(secRefs, num, 0, b.refTable(x.stored), len(x.stored))
		b.buf = b.c.appendBlocks(b.buf[:0], x.N, x.At)
		b.section(secRefBlocks, num, 1, b.buf, x.N)
		return
	}
	w := newRefWriter(b, x.Refs, x.N, x.row, x.At)
	if w == nil {
		b.buf = b.c.appendBlocks(b.buf[:0], x.N, x.At)
		b.section(secBlocks, num, 1, b.buf, x.N)
		return
	}
	b.section(secRefs, num, 0, w.table(), len(w.refs))
	b.buf = b.c.appendBlocks(b.buf[:0], x.N, func(i int) []byte { return w.encode(x.At(i), x.row(i)) })
	b.section(secRefBlocks, num, 1, b.buf, x.N)
}

// Text adds a column of analysed text. It returns the column's number.
func (b *Builder) Text(path string, t mapping.Type, x Text) int {
	present := presentRows(x.Rows, x.N)
	num := b.field(path, t, colText, len(present), len(x.Terms))
	b.presence(num, x.Rows, present, x.N)
	b.texts(num, &x)
	if x.Words > 0 {
		b.meta.Words[path] = x.Words
	}
	counts := make([]int64, len(x.Terms))
	b.postings(secPostings, num, len(x.Terms), func(i int) []uint32 {
		l := x.Postings(i)
		counts[i] = int64(len(l))
		return l
	})
	b.buf = b.c.appendDict(b.buf[:0], len(x.Terms), func(i int) []byte { return x.Terms[i] }, counts)
	b.section(secTerms, num, 1, b.buf, len(x.Terms))
	b.bloom.addAll(num, x.Terms)
	return num
}

// maxShapes: beyond that many skeletons documents are kept whole.
const maxShapes = 4096

// Documents adds what documents need besides their columns: distinct shapes, with fields by the numbers the builder gave, the shape of
// each row, and the rest of those that have one.
func (b *Builder) Documents(shapes [][]byte, rowShape []uint32, restRows []uint32, rest func(i int) []byte) {
	b.buf = b.buf[:0]
	for _, s := range shapes {
		b.buf = append(binary.AppendUvarint(b.buf, uint64(len(s))), s...)
	}
	packed := b.c.enc.EncodeAll(b.buf, nil)
	b.section(secShapes, noField, 1, append(binary.LittleEndian.AppendUint32(nil, uint32(len(b.buf))), packed...), len(shapes))
	nums := make([]int64, len(rowShape))
	for i, s := range rowShape {
		nums[i] = int64(s)
	}
	b.section(secRowShape, noField, 0, appendInts(nil, nums), len(nums))
	if len(restRows) == 0 {
		return
	}
	num := b.field(fieldRest, mapping.Other, colRest, len(restRows), 0)
	b.presence(num, restRows, restRows, len(restRows))
	b.buf = b.c.appendBlocks(b.buf[:0], len(restRows), rest)
	b.section(secRest, num, 1, b.buf, len(restRows))
}

// Finish ends the file, makes it durable under its name and returns its length.
func (b *Builder) Finish() (size int64, err error) {
	if data, n := b.bloom.encode(); n > 0 {
		b.section(secBloom, noField, 0, data, n)
	}
	b.section(secFields, noField, 0, b.fields, b.n)
	js, err := json.Marshal(b.meta)
	if err != nil {
		return 0, b.abandon(err)
	}
	b.section(secMeta, noField, 0, js, 0)
	b.out.align()
	tocAt := b.out.off
	var toc []byte
	for i := range b.toc {
		toc = b.toc[i].append(toc)
	}
	b.out.write(toc)
	b.out.closeSums()
	sumsAt := b.out.off
	var sums []byte
	for _, s := range b.out.sums {
		sums = binary.LittleEndian.AppendUint32(sums, s)
	}
	pages := len(b.out.sums)
	sums = binary.LittleEndian.AppendUint32(sums, crcOf(sums))
	b.out.write(sums)
	b.out.write(b.footer(tocAt, toc, sumsAt, pages))
	b.out.flush()
	if b.out.err != nil {
		return 0, b.abandon(b.out.err)
	}
	return b.out.off, b.commit()
}

func (b *Builder) footer(tocAt int64, toc []byte, sumsAt int64, pages int) []byte {
	f := binary.LittleEndian.AppendUint64(nil, uint64(tocAt))
	f = binary.LittleEndian.AppendUint32(f, uint32(len(b.toc)))
	f = binary.LittleEndian.AppendUint32(f, crcOf(toc))
	f = binary.LittleEndian.AppendUint64(f, uint64(sumsAt))
	f = binary.LittleEndian.AppendUint32(f, uint32(pages))
	f = binary.LittleEndian.AppendUint32(f, pageLen)
	f = binary.LittleEndian.AppendUint64(f, uint64(b.out.off+footerLen))
	f = binary.LittleEndian.AppendUint64(f, uint64(b.meta.MinSeq))
	f = binary.LittleEndian.AppendUint64(f, uint64(b.meta.MaxSeq))
	f = binary.LittleEndian.AppendUint32(f, crcOf(f))
	return append(f, footerMark[:]...)
}

// commit syncs the file and gives it its name.
func (b *Builder) commit() error {
	if err := b.out.f.Sync(); err != nil {
		return b.abandon(err)
	}
	if err := b.out.f.Close(); err != nil {
		return b.abandon(err)
	}
	if err := b.fs.Rename(b.path+vfs.TempSuffix, b.path); err != nil {
		return b.abandon(err)
	}
	if err := b.fs.SyncDir(filepath.Dir(b.path)); err != nil {
		return fmt.Errorf("write segment %s: %w", b.path, err)
	}
	return nil
}

// abandon removes the temporary file; cause is the error to return.
func (b *Builder) abandon(cause error) error {
	b.out.f.Close() // the file is removed: what closing says no longer matters
	if err := b.fs.Remove(b.path + vfs.TempSuffix); err != nil {
		return fmt.Errorf("write segment %s: %w (and %w)", b.path, cause, err)
	}
	return fmt.Errorf("write segment %s: %w", b.path, cause)
}

// Abandon gives the segment up.
func (b *Builder) Abandon(cause error) error { return b.abandon(cause) }

// Column is the number of a column that was added, -1 when there is none.
func (b *Builder) Column(path string) int {
	if n, ok := b.names[path]; ok {
		return n
	}
	return -1
}
