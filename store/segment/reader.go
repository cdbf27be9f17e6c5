package segment

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/vfs"
)

// Reader is an open segment. It is safe for concurrent use. Its first damage sticks: Err.
type Reader struct {
	Header
	Meta
	path  string
	m     vfs.Mapping
	b     []byte
	cache *Cache
	dec   *zstd.Decoder

	toc    map[sectionKey]tocEntry
	fields []fieldEntry
	byPath map[string]int
	cols   []column
	sums   []byte
	seen   []atomic.Uint64 // a bit per page: its checksum was right
	err    atomic.Pointer[error]

	shapesOnce sync.Once
	shapes     [][]byte
	rowShape   ints
	bloom      []byte
	bloomOnce  sync.Once
}

type sectionKey struct{ kind, field uint16 }

// fieldEntry is an entry of FIELDS.
type fieldEntry struct {
	path     string
	typ      mapping.Type
	kind     byte
	present  int
	distinct int
}

// Open maps a segment and reads its tables; columns are opened when they are asked for. cache may be nil.
func Open(fsys vfs.FS, path string, cache *Cache) (*Reader, error) {
	m, err := fsys.Map(path)
	if err != nil {
		return nil, fmt.Errorf("open segment %s: %w", path, err)
	}
	if cache == nil {
		cache = NewCache(8 << 20)
	}
	r := &Reader{path: path, m: m, b: m.Bytes(), cache: cache, toc: map[sectionKey]tocEntry{}, byPath: map[string]int{}}
	if err := r.load(); err != nil {
		m.Close() // the error that matters is the segment's
		return nil, fmt.Errorf("open segment %s: %w", path, err)
	}
	return r, nil
}

func (r *Reader) load() (err error) {
	if len(r.b) < headerLen+footerLen {
		return fmt.Errorf("%w: %d bytes", ErrDamaged, len(r.b))
	}
	if r.Header, err = parseHeader(r.b); err != nil {
		return err
	}
	f := r.b[len(r.b)-footerLen:]
	if [4]byte(f[60:]) != footerMark || crcOf(f[:56]) != le32(f, 56) || binary.LittleEndian.Uint64(f[32:]) != uint64(len(r.b)) || le32(f, 28) != pageLen {
		return fmt.Errorf("%w: footer", ErrDamaged)
	}
	tocAt, n, sumsAt, pages := binary.LittleEndian.Uint64(f), uint64(le32(f, 8)), binary.LittleEndian.Uint64(f[16:]), uint64(le32(f, 24))
	end := uint64(len(r.b) - footerLen)
	if sumsAt > end || end-sumsAt != 4*pages+4 || tocAt > sumsAt || sumsAt-tocAt != tocLen*n || pages != (sumsAt+pageLen-1)/pageLen {
		return fmt.Errorf("%w: tables lie outside the file", ErrDamaged)
	}
	r.sums = r.b[sumsAt : sumsAt+4*pages]
	if crcOf(r.sums) != le32(r.b, int(sumsAt+4*pages)) {
		return fmt.Errorf("%w: table of checksums", ErrDamaged)
	}
	r.seen = make([]atomic.Uint64, (pages+63)/64)
	toc := r.b[tocAt:sumsAt]
	if crcOf(toc) != le32(f, 12) {
		return fmt.Errorf("%w: table of sections", ErrDamaged)
	}
	list, err := parseTOC(toc, tocAt)
	if err != nil {
		return err
	}
	for _, e := range list {
		r.toc[sectionKey{e.kind, e.field}] = e
	}
	if r.dec, err = r.cache.dec, r.cache.decErr; err != nil {
		return err
	}
	return r.loadFields()
}

func (r *Reader) loadFields() error {
	b, e, err := r.section(secFields, noField)
	if err != nil {
		return err
	}
	for range e.count {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) || len(b)-k-int(n) < 3 {
			return fmt.Errorf("%w: table of fields", ErrDamaged)
		}
		f := fieldEntry{path: string(b[k : k+int(n)])}
		b = b[k+int(n):]
		f.typ, f.kind = mapping.Type(b[0]), b[1]
		b = b[3:]
		for _, v := range []*int{&f.present, &f.distinct} {
			x, k := binary.Uvarint(b)
			if k <= 0 || x > maxRows*16 {
				return fmt.Errorf("%w: table of fields", ErrDamaged)
			}
			*v, b = int(x), b[k:]
		}
		if f.typ > mapping.GeoPoint {
			return fmt.Errorf("segment has a field of type %d, which this program does not know", f.typ)
		}
		r.byPath[f.path] = len(r.fields)
		r.fields = append(r.fields, f)
	}
	r.cols = make([]column, len(r.fields))
	js, _, err := r.section(secMeta, noField)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(js, &r.Meta); err != nil {
		return fmt.Errorf("%w: meta: %w", ErrDamaged, err)
	}
	r.Meta.Rows = r.Header.Rows
	return nil
}

// Rows is the number of rows, deleted ones included.
func (r *Reader) Rows() int { return r.Header.Rows }

// Path is the file's name.
func (r *Reader) Path() string { return r.path }

// Size is the file's length.
func (r *Reader) Size() int64 { return int64(len(r.b)) }

// section is the bytes of a section, their checksums verified. A section that is not there is an error.
func (r *Reader) section(kind, field uint16) ([]byte, tocEntry, error) {
	e, ok := r.toc[sectionKey{kind, field}]
	if !ok {
		return nil, e, fmt.Errorf("%w: section %d of field %d is missing", ErrDamaged, kind, field)
	}
	if !r.check(e.offset, e.length) {
		return nil, e, fmt.Errorf("%w: checksum in section %d of field %d at offset %d", ErrDamaged, kind, field, e.offset)
	}
	return r.b[e.offset : e.offset+e.length], e, nil
}

// has tells whether a section is there.
func (r *Reader) has(kind uint16, field int) bool {
	_, ok := r.toc[sectionKey{kind, uint16(field)}]
	return ok
}

// check verifies the pages of n bytes from off on, each once.
func (r *Reader) check(off, n uint64) bool {
	if n == 0 {
		return true
	}
	covered := uint64(len(r.b) - footerLen - len(r.sums) - 4)
	for p := off / pageLen; p <= (off+n-1)/pageLen; p++ {
		if r.seen[p/64].Load()>>(p%64)&1 == 1 {
			continue
		}
		pg := r.b[p*pageLen : min((p+1)*pageLen, covered)]
		if crc32.Checksum(pg, crcTable) != le32(r.sums, int(4*p)) {
			return false
		}
		r.seen[p/64].Or(1 << (p % 64))
	}
	return true
}

// damage notes the first damage.
func (r *Reader) damage(err error) {
	err = fmt.Errorf("segment %s: %w", r.path, err)
	r.err.CompareAndSwap(nil, &err)
}

func (r *Reader) damaged(what string, field int) {
	name := ""
	if field < len(r.fields) {
		name = r.fields[field].path
	}
	r.damage(fmt.Errorf("%w: %s of %q", ErrDamaged, what, name))
}

// Err is the first damage met.
func (r *Reader) Err() error {
	if e := r.err.Load(); e != nil {
		return *e
	}
	return nil
}

// Close unmaps the file. Nobody may read any more.
func (r *Reader) Close() error {
	r.cache.forget(r)
	return r.m.Close()
}

// cached is the loader of the pieces of a section.
func (r *Reader) cached(kind uint16, field int) func(part uint32, make func() (any, int64, bool)) any {
	return func(part uint32, make func() (any, int64, bool)) any {
		k := cacheKey{r, kind, uint16(field), part}
		if v := r.cache.get(k); v != nil {
			return v
		}
		v, bytes, ok := make()
		if !ok {
			r.damaged("a page", field)
			return nil
		}
		r.cache.put(k, v, bytes)
		return v
	}
}

// TimeRange is the smallest and largest @timestamp in epoch ns.
func (r *Reader) TimeRange() (lo, hi int64, ok bool) { return r.MinTime, r.MaxTime, r.Timed }

// Paths lists all columns but metadata.
func (r *Reader) Paths() []string {
	var out []string
	for i := range r.fields {
		if f := &r.fields[i]; f.path[0] != '_' || f.typ != mapping.Other {
			out = append(out, f.path)
		}
	}
	sort.Strings(out)
	return out
}

// Version is the _version of a row.
func (r *Reader) Version(row int) int64 {
	c := r.column(r.byPath[FieldVersion])
	if c == nil || !r.hasField(FieldVersion) {
		return 1
	}
	v, ok := c.ints.at(row)
	if !ok {
		r.damaged("version", c.num)
	}
	return v
}

func (r *Reader) hasField(path string) bool { _, ok := r.byPath[path]; return ok }

// Seq is the _seq_no of a row.
func (r *Reader) Seq(row int) int64 {
	num, ok := r.byPath[FieldSeq]
	if !ok {
		return 0
	}
	c := r.column(num)
	if c == nil {
		return 0
	}
	v, ok := c.ints.at(row)
	if !ok {
		r.damaged("sequence number", num)
	}
	return v
}

// FindSeq is the row with a sequence number: they ascend.
func (r *Reader) FindSeq(seq int64) (int, bool) {
	num, ok := r.byPath[FieldSeq]
	if !ok || seq < r.MinSeq || seq > r.MaxSeq {
		return 0, false
	}
	c := r.column(num)
	if c == nil {
		return 0, false
	}
	row, ok := c.ints.search(seq)
	if !ok || row >= r.Header.Rows {
		return 0, false
	}
	v, _ := c.ints.at(row)
	return row, v == seq
}

// ID is the explicit id of a row, or the one its sequence number makes.
func (r *Reader) ID(row int) string {
	id := ""
	if num, ok := r.byPath[FieldID]; ok {
		if c := r.column(num); c != nil {
			c.each(row, func(v []byte) { id = string(v) })
		}
	}
	if id == "" {
		return AutoID(r.Index, r.Seq(row))
	}
	return id
}

// FindID is the row with an explicit id that is not among dead.
func (r *Reader) FindID(id []byte, dead *roaring.Bitmap) (row int, found bool) {
	num, ok := r.byPath[FieldID]
	if !ok || !r.mayHave(num, id) {
		return 0, false
	}
	c := r.column(num)
	if c == nil || c.raw == nil {
		return 0, false
	}
	ok = c.raw.find(id, func(i int) {
		if rw := c.rowOf(i); (rw >= row || !found) && !dead.Contains(uint32(rw)) {
			row, found = rw, true
		}
	})
	if !ok {
		r.damaged("ids", num)
	}
	return row, found
}

// mayHave asks the bloom filter.
func (r *Reader) mayHave(field int, v []byte) bool {
	r.bloomOnce.Do(func() {
		if r.has(secBloom, noField) {
			b, _, err := r.section(secBloom, noField)
			if err != nil {
				r.damage(err)
				return
			}
			r.bloom = b
		}
	})
	return r.bloom == nil || mayHave(r.bloom, bloomHash(field, v))
}

// loadShapes reads the skeletons.
func (r *Reader) loadShapes() error {
	b, e, err := r.section(secShapes, noField)
	if err != nil {
		return err
	}
	bad := fmt.Errorf("%w: shapes", ErrDamaged)
	if len(b) < 4 || le32(b, 0) > maxPageBytes {
		return bad
	}
	raw, err := r.dec.DecodeAll(b[4:], make([]byte, 0, le32(b, 0)))
	if err != nil || uint32(len(raw)) != le32(b, 0) {
		return bad
	}
	for range e.count {
		n, k := binary.Uvarint(raw)
		if k <= 0 || n > uint64(len(raw)-k) {
			return bad
		}
		r.shapes = append(r.shapes, raw[k:k+int(n)])
		raw = raw[k+int(n):]
	}
	b, _, err = r.section(secRowShape, noField)
	if err != nil {
		return err
	}
	var ok bool
	if r.rowShape, _, ok = openInts(b, r.Header.Rows); !ok {
		return bad
	}
	return nil
}

// AppendSource prints a document.
func (r *Reader) AppendSource(dst []byte, row int) ([]byte, error) {
	if row < 0 || row >= r.Header.Rows {
		return dst, fmt.Errorf("row %d of %d", row, r.Header.Rows)
	}
	r.shapesOnce.Do(func() {
		if err := r.loadShapes(); err != nil {
			r.damage(err)
		}
	})
	shape, ok := r.rowShape.at(row)
	if !ok || shape < 0 || int(shape) >= len(r.shapes) {
		r.damaged("shape of a row", len(r.fields))
		return dst, r.Err()
	}
	var rest []byte
	if num, ok := r.byPath[fieldRest]; ok {
		if c := r.column(num); c != nil {
			c.each(row, func(v []byte) { rest = v })
		}
	}
	out, ok := mapping.AppendDocument(dst, r.shapes[shape], rest, &rowCursor{r: r, row: row})
	if !ok {
		r.damaged("a document", len(r.fields))
		return dst, r.Err()
	}
	return out, nil
}

// rowCursor walks the values of one row.
type rowCursor struct {
	r     *Reader
	row   int
	field int
	set   bool
	c     *column
	at    int
	end   int
}

func (w *rowCursor) seek(field int) bool {
	if w.set && w.field == field {
		return w.c != nil
	}
	w.set, w.field, w.c = true, field, nil
	if field < 0 || field >= len(w.r.cols) {
		return false
	}
	w.c = w.r.column(field)
	if w.c == nil {
		return false
	}
	w.at, w.end = w.c.span(w.row)
	return true
}

func (w *rowCursor) More(field int) bool { return w.seek(field) && w.at < w.end }

func (w *rowCursor) Next(field int) (t mapping.Type, n int64, b []byte, ok bool) {
	if !w.seek(field) || w.at >= w.end {
		return 0, 0, nil, false
	}
	i := w.at
	w.at++
	t = w.r.fields[field].typ
	if w.c.kind == colInt {
		n, ok = w.c.number(i)
		return t, n, nil, ok
	}
	b, ok = w.c.value(i, w.row)
	return t, 0, b, ok
}
