package store

import "encoding/binary"

// tokenIndex is the inverted index of one text column of a head: each token's rows as varint deltas in a chain of slices that double,
// 8 to 512 bytes, the last four of each the address of the next.
type tokenIndex struct {
	dict
	lists []postingList
	pages [][]byte
	used  uint32 // of the last page
}

// postingList is the rows of one token. A single row needs no slice.
type postingList struct {
	first uint32 // the first row
	last  uint32 // the last row
	count uint32
	head  uint32 // address of the first slice
	at    uint32 // where the next byte goes
	end   uint32 // where the slice's link is
	size  uint32
}

const (
	pageBytes = 64 << 10
	minSlice  = 8
	maxSlice  = 512
	linkBytes = 4
)

// add notes that row holds the token. Rows come in ascending order; the same again does nothing.
func (t *tokenIndex) add(token []byte, hash uint64, row uint32) {
	ord, fresh := t.dict.add(token, hash)
	if fresh {
		t.lists = append(t.lists, postingList{first: row, last: row, count: 1})
		return
	}
	l := &t.lists[ord]
	if l.last == row {
		return
	}
	if l.size == 0 {
		l.size = minSlice
		l.head = t.slice(minSlice)
		l.at, l.end = l.head, l.head+minSlice-linkBytes
	}
	for d := row - l.last; ; d >>= 7 {
		b := byte(d)
		if d >= 0x80 {
			b |= 0x80
		}
		if l.at == l.end {
			t.extend(l)
		}
		t.pages[l.at/pageBytes][l.at%pageBytes] = b
		l.at++
		if d < 0x80 {
			break
		}
	}
	l.last = row
	l.count++
}

// slice takes n bytes, all in one page.
func (t *tokenIndex) slice(n uint32) uint32 {
	if len(t.pages) == 0 || t.used+n > pageBytes {
		t.pages = append(t.pages, make([]byte, pageBytes))
		t.used = 0
	}
	at := uint32(len(t.pages)-1)*pageBytes + t.used
	t.used += n
	return at
}

// extend chains a larger slice to the list.
func (t *tokenIndex) extend(l *postingList) {
	size := min(2*l.size, maxSlice)
	next := t.slice(size)
	binary.LittleEndian.PutUint32(t.pages[l.end/pageBytes][l.end%pageBytes:], next)
	l.at, l.end, l.size = next, next+size-linkBytes, size
}

// rows appends the rows of a token below limit.
func (t *tokenIndex) rows(dst []uint32, ord, limit uint32) []uint32 {
	l := &t.lists[ord]
	if l.first >= limit {
		return dst
	}
	dst = append(dst, l.first)
	row := l.first
	at, size := l.head, uint32(minSlice)
	end := at + size - linkBytes
	for left := l.count - 1; left > 0; left-- {
		var d, shift uint32
		for {
			if at == end {
				at = binary.LittleEndian.Uint32(t.pages[end/pageBytes][end%pageBytes:])
				size = min(2*size, maxSlice)
				end = at + size - linkBytes
			}
			b := t.pages[at/pageBytes][at%pageBytes]
			at++
			d |= uint32(b&0x7F) << shift
			if b < 0x80 {
				break
			}
			shift += 7
		}
		if row += d; row >= limit {
			break
		}
		dst = append(dst, row)
	}
	return dst
}

// count is the number of rows of a token below limit; scratch is reused.
func (t *tokenIndex) count(scratch []uint32, ord, limit uint32) (int, []uint32) {
	l := &t.lists[ord]
	if l.last < limit {
		return int(l.count), scratch
	}
	scratch = t.rows(scratch[:0], ord, limit)
	return len(scratch), scratch
}

func (t *tokenIndex) memory() int64 {
	return t.dict.memory() + int64(len(t.pages))*pageBytes + int64(cap(t.lists))*28
}
