package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// A DICT is sorted distinct values in pages:
//
//	u32 values, u32 pages, then per page: u32 first ordinal, u32 raw length, u32 offset of its bytes
//	u32 length of the first values, the first value of each page (uv length, bytes)
//	INT of the number of rows of each value
//	the pages, zstd; raw: per value uv shared with the one before (0 every 32 values), uv length of the rest, the rest
const (
	dictGroup    = 32
	dictPage     = 16 << 10
	maxPageBytes = 64 << 20
)

// coders compress; one goroutine uses them.
type coders struct {
	enc *zstd.Encoder
}

func newCoders(level zstd.EncoderLevel) (*coders, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(256<<10))
	if err != nil {
		return nil, err
	}
	return &coders{enc}, nil
}

// newDecoder makes a decoder that all goroutines share.
func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPageBytes), zstd.WithDecodeAllCapLimit(true))
}

// appendDict encodes n values, value(i) ascending, with their row counts.
func (c *coders) appendDict(dst []byte, n int, value func(i int) []byte, counts []int64) []byte {
	var head, firsts, pages, raw, last []byte
	count := 0
	first := 0
	flush := func(end int) {
		if end == first {
			return
		}
		head = binary.LittleEndian.AppendUint32(head, uint32(first))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(raw)))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(pages)))
		pages = c.enc.EncodeAll(raw, pages)
		raw = raw[:0]
		count++
		first = end
	}
	for i := range n {
		if (i-first)%dictGroup == 0 && len(raw) >= dictPage {
			flush(i)
		}
		v := value(i)
		shared := 0
		if i == first {
			firsts = append(binary.AppendUvarint(firsts, uint64(len(v))), v...)
		}
		if (i-first)%dictGroup != 0 {
			for shared < len(v) && shared < len(last) && v[shared] == last[shared] {
				shared++
			}
		}
		raw = binary.AppendUvarint(binary.AppendUvarint(raw, uint64(shared)), uint64(len(v)-shared))
		raw = append(raw, v[shared:]...)
		last = append(last[:0], v...)
	}
	flush(n)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(count))
	dst = append(dst, head...)
	dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(firsts))), firsts...)
	dst = appendInts(dst, counts)
	return append(dst, pages...)
}

// dict reads a DICT.
type dict struct {
	n      int
	pages  []dictPageEntry
	firsts [][]byte
	counts ints
	data   []byte
	load   func(page uint32, make func() (any, int64, bool)) any
	dec    *zstd.Decoder
}

type dictPageEntry struct{ first, raw, at, end uint32 }

// page is a decoded page.
type page struct {
	offs []uint32
	data []byte
}

func (p *page) value(i int) []byte { return p.data[p.offs[i]:p.offs[i+1]:p.offs[i+1]] }

func openDict(b []byte, dec *zstd.Decoder) (*dict, error) {
	bad := fmt.Errorf("%w: dictionary", ErrDamaged)
	if len(b) < 8 {
		return nil, bad
	}
	d := &dict{n: int(binary.LittleEndian.Uint32(b)), dec: dec}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	b = b[8:]
	if d.n > maxRows*16 || n > len(b)/12 || (n == 0) != (d.n == 0) {
		return nil, bad
	}
	table := b[:12*n]
	b = b[12*n:]
	if len(b) < 4 {
		return nil, bad
	}
	size := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; size > len(b) {
		return nil, bad
	}
	firsts := b[:size]
	var ok bool
	if d.counts, d.data, ok = openInts(b[size:], d.n); !ok {
		return nil, bad
	}
	for i := range n {
		l, k := binary.Uvarint(firsts)
		if k <= 0 || l > uint64(len(firsts)-k) {
			return nil, bad
		}
		d.firsts = append(d.firsts, firsts[k:k+int(l)])
		firsts = firsts[k+int(l):]
		e := dictPageEntry{first: binary.LittleEndian.Uint32(table[12*i:]), raw: binary.LittleEndian.Uint32(table[12*i+4:]), at: binary.LittleEndian.Uint32(table[12*i+8:]),
			end: uint32(len(d.data))}
		if i > 0 {
			d.pages[i-1].end = e.at
			if e.first <= d.pages[i-1].first || e.at < d.pages[i-1].at {
				return nil, bad
			}
		}
		if int(e.at) > len(d.data) || int(e.first) >= d.n || i == 0 && e.first != 0 || e.raw > maxPageBytes {
			return nil, bad
		}
		d.pages = append(d.pages, e)
	}
	return d, nil
}

// size is the number of values of a page.
func (d *dict) size(p int) int {
	if p+1 < len(d.pages) {
		return int(d.pages[p+1].first - d.pages[p].first)
	}
	return d.n - int(d.pages[p].first)
}

// page decodes a page, or takes it from the cache. nil: it is damaged.
func (d *dict) page(p int) *page {
	v := d.load(uint32(p), func() (any, int64, bool) {
		pg := d.decode(p)
		if pg == nil {
			return nil, 0, false
		}
		return pg, int64(len(pg.data) + 4*len(pg.offs)), true
	})
	pg, _ := v.(*page)
	return pg
}

func (d *dict) decode(p int) *page {
	e := d.pages[p]
	raw, err := d.dec.DecodeAll(d.data[e.at:e.end], make([]byte, 0, e.raw))
	if err != nil || len(raw) != int(e.raw) {
		return nil
	}
	n := d.size(p)
	pg := &page{offs: make([]uint32, 1, n+1), data: make([]byte, 0, 3*len(raw))}
	from := 0
	for range n {
		shared, k := binary.Uvarint(raw)
		if k <= 0 {
			return nil
		}
		rest, k2 := binary.Uvarint(raw[k:])
		if k2 <= 0 || rest > uint64(len(raw)-k-k2) || shared > uint64(len(pg.data)-from) || len(pg.data) > maxPageBytes {
			return nil
		}
		at := len(pg.data)
		pg.data = append(pg.data, pg.data[from:from+int(shared)]...)
		pg.data = append(pg.data, raw[k+k2:k+k2+int(rest)]...)
		raw = raw[k+k2+int(rest):]
		from = at
		pg.offs = append(pg.offs, uint32(len(pg.data)))
	}
	return pg
}

// pageOf is the page that an ordinal is in, or would be.
func (d *dict) pageOf(ord uint32) int {
	return max(0, sort.Search(len(d.pages), func(i int) bool { return d.pages[i].first > ord })-1)
}

// value is the value of an ordinal; nil, false when the page is damaged.
func (d *dict) value(ord uint32) ([]byte, bool) {
	if int(ord) >= d.n {
		return nil, false
	}
	p := d.pageOf(ord)
	pg := d.page(p)
	if pg == nil {
		return nil, false
	}
	return pg.value(int(ord - d.pages[p].first)), true
}

// search is the first ordinal whose value is >= v; found tells that it is v.
func (d *dict) search(v []byte) (ord uint32, found, ok bool) {
	if d.n == 0 {
		return 0, false, true
	}
	p := sort.Search(len(d.firsts), func(i int) bool { return bytes.Compare(d.firsts[i], v) > 0 }) - 1
	if p < 0 {
		return 0, false, true
	}
	pg := d.page(p)
	if pg == nil {
		return 0, false, false
	}
	n := len(pg.offs) - 1
	i := sort.Search(n, func(i int) bool { return bytes.Compare(pg.value(i), v) >= 0 })
	return d.pages[p].first + uint32(i), i < n && bytes.Equal(pg.value(i), v), true
}
