package segment

import (
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/klauspost/compress/zstd"
)

// BLOCKS are strings in row order:
//
//	u32 blocks, then per block: u32 number of its first string, u32 raw length, u64 offset of its bytes
//	the blocks, zstd; raw: uv length of each string, then their bytes
const blockBytes = 128 << 10

// appendBlocks encodes n strings.
func (c *coders) appendBlocks(dst []byte, n int, at func(i int) []byte) []byte {
	var head, data, lens, raw []byte
	count, first := 0, 0
	flush := func(end int) {
		if end == first {
			return
		}
		head = binary.LittleEndian.AppendUint32(head, uint32(first))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(lens)+len(raw)))
		head = binary.LittleEndian.AppendUint64(head, uint64(len(data)))
		data = c.enc.EncodeAll(append(lens, raw...), data)
		lens, raw = lens[:0], raw[:0]
		count++
		first = end
	}
	for i := range n {
		s := at(i)
		if len(raw)+len(s) > blockBytes {
			flush(i)
		}
		lens = binary.AppendUvarint(lens, uint64(len(s)))
		raw = append(raw, s...)
	}
	flush(n)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(count))
	return append(append(dst, head...), data...)
}

// blocks reads BLOCKS of n strings.
type blocks struct {
	n     int
	table []blockEntry
	data  []byte
	load  func(block uint32, make func() (any, int64, bool)) any
	check func(from, to uint64) bool // verifies the checksums of data about to be decoded
	dec   *zstd.Decoder
}

type blockEntry struct {
	first, raw uint32
	at, end    uint64
}

func openBlocks(b []byte, n int, dec *zstd.Decoder) (*blocks, error) {
	bad := fmt.Errorf("%w: text blocks", ErrDamaged)
	if len(b) < 4 {
		return nil, bad
	}
	k := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	if k > len(b)/16 || (k == 0) != (n == 0) {
		return nil, bad
	}
	x := &blocks{n: n, data: b[16*k:], dec: dec}
	for i := range k {
		e := blockEntry{first: binary.LittleEndian.Uint32(b[16*i:]), raw: binary.LittleEndian.Uint32(b[16*i+4:]), at: binary.LittleEndian.Uint64(b[16*i+8:]), end: uint64(len(x.data))}
		if i > 0 {
			x.table[i-1].end = e.at
			if e.first <= x.table[i-1].first || e.at < x.table[i-1].at {
				return nil, bad
			}
		}
		if e.at > uint64(len(x.data)) || int(e.first) >= n || i == 0 && e.first != 0 || e.raw > maxPageBytes {
			return nil, bad
		}
		x.table = append(x.table, e)
	}
	return x, nil
}

// at is string i; nil, false when its block is damaged.
func (x *blocks) at(i int) ([]byte, bool) {
	if i < 0 || i >= x.n {
		return nil, false
	}
	b := sort.Search(len(x.table), func(k int) bool { return int(x.table[k].first) > i }) - 1
	v := x.load(uint32(b), func() (any, int64, bool) {
		pg := x.decode(b)
		if pg == nil {
			return nil, 0, false
		}
		return pg, int64(len(pg.data) + 4*len(pg.offs)), true
	})
	pg, _ := v.(*page)
	if pg == nil {
		return nil, false
	}
	return pg.value(i - int(x.table[b].first)), true
}

func (x *blocks) decode(b int) *page {
	e := x.table[b]
	if x.check != nil && !x.check(e.at, e.end) {
		return nil
	}
	raw, err := x.dec.DecodeAll(x.data[e.at:e.end], make([]byte, 0, e.raw))
	if err != nil || len(raw) != int(e.raw) {
		return nil
	}
	end := x.n
	if b+1 < len(x.table) {
		end = int(x.table[b+1].first)
	}
	pg := &page{offs: make([]uint32, 1, end-int(e.first)+1)}
	total := uint64(0)
	for range end - int(e.first) {
		l, k := binary.Uvarint(raw)
		if k <= 0 || l > maxPageBytes {
			return nil
		}
		raw = raw[k:]
		if total += l; total > maxPageBytes {
			return nil
		}
		pg.offs = append(pg.offs, uint32(total))
	}
	if total != uint64(len(raw)) {
		return nil
	}
	pg.data = raw
	return pg
}
