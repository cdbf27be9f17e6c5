package agg

import (
	"github.com/weirlog/weir/store/query"
	"github.com/zeebo/xxh3"
)

// valueCounts counts distinct byte strings: a table of hashes over one array of bytes, without an allocation per value.
type valueCounts struct {
	table  []uint32 // entry + 1, 0 free; a power of two
	hashes []uint64 // by entry
	ends   []uint32 // of the entry's bytes
	counts []int64
	bytes  []byte
	mem    *query.Reservation
}

func newValueCounts(mem *query.Reservation) *valueCounts {
	return &valueCounts{table: make([]uint32, 64), mem: mem}
}

// flatCounts is the distinct strings of one source with their counts, read from where they are.
type flatCounts struct {
	size  int
	each  func(f func(v []byte, n int64))
	table *valueCounts // nil: they are a dictionary's
	mem   *query.Reservation
}

// valueBytes is what an entry takes besides its bytes.
const valueBytes = 32

func (t *valueCounts) len() int { return len(t.counts) }

func (t *valueCounts) value(e uint32) []byte {
	from := uint32(0)
	if e > 0 {
		from = t.ends[e-1]
	}
	return t.bytes[from:t.ends[e]]
}

// reserve makes room for n values.
func (t *valueCounts) reserve(n int) {
	size := len(t.table)
	for size < 2*n {
		size *= 2
	}
	t.table = make([]uint32, size)
	t.hashes, t.ends, t.counts = make([]uint64, 0, n), make([]uint32, 0, n), make([]int64, 0, n)
}

// addAll adds the counts of o.
func (t *valueCounts) addAll(o *valueCounts) {
	for e := range o.counts {
		t.addHashed(o.value(uint32(e)), o.hashes[e], o.counts[e])
	}
}

// add counts v n times more.
func (t *valueCounts) add(v []byte, n int64) { t.addHashed(v, xxh3.Hash(v), n) }

func (t *valueCounts) addHashed(v []byte, h uint64, n int64) {
	mask := uint64(len(t.table) - 1)
	i := h & mask
	for ; t.table[i] != 0; i = (i + 1) & mask {
		if e := t.table[i] - 1; t.hashes[e] == h && string(t.value(e)) == string(v) {
			t.counts[e] += n
			return
		}
	}
	t.mem.Take(valueBytes + int64(len(v)))
	t.bytes = append(t.bytes, v...)
	t.ends = append(t.ends, uint32(len(t.bytes)))
	t.hashes, t.counts = append(t.hashes, h), append(t.counts, n)
	t.table[i] = uint32(len(t.counts))
	if 2*len(t.counts) > len(t.table) {
		t.grow()
	}
}

func (t *valueCounts) grow() {
	t.table = make([]uint32, 4*len(t.table))
	mask := uint64(len(t.table) - 1)
	for e, h := range t.hashes {
		i := h & mask
		for ; t.table[i] != 0; i = (i + 1) & mask {
		}
		t.table[i] = uint32(e) + 1
	}
}

// each calls f for every value, in order of appearance.
func (t *valueCounts) each(f func(v []byte, n int64)) {
	for e := range t.counts {
		f(t.value(uint32(e)), t.counts[e])
	}
}

// eachValue calls f for the values of the ordinals that want asks for, ascending. A dictionary in pages (it has a method Walk) is
// read page by page.
func eachValue(ords query.Ordinals, want func(ord uint32) bool, f func(ord uint32, v []byte)) {
	if w, ok := ords.(interface {
		Walk(want func(ord uint32) bool, f func(ord uint32, v []byte))
	}); ok {
		w.Walk(want, f)
		return
	}
	for ord := range uint32(ords.Len()) {
		if want(ord) {
			f(ord, ords.Value(ord))
		}
	}
}

// eachString calls f for the values of the rows of a batch, those of a row one after the other; v is valid during the call. A column
// with a method EachIn is read a zone at a time.
func eachString(strs query.Strings, b *batch, f func(row int, v []byte)) {
	if z, ok := strs.(interface {
		EachIn(zone int, sel *query.Selection, f func(row int, v []byte))
	}); ok && b.sel != nil {
		z.EachIn(b.zone, b.sel, f)
		return
	}
	for _, row := range b.rows {
		strs.Each(b.zone*query.ZoneRows+int(row), func(v []byte) { f(int(row), v) })
	}
}
