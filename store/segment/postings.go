package segment

import (
	"encoding/binary"
	"math/bits"
)

// Forms of postings, the smallest is written.
const (
	postVarint = 1 // uv differences
	postPacked = 2 // per 128: u32 last row, u32 offset behind the table, u8 width; then packed differences, the rest as uv
	postRuns   = 3 // uv gap, uv length
	postBitmap = 4 // u32 first word, then u64 words
)

// appendPostings encodes ascending, distinct rows; there are at least two.
func appendPostings(dst []byte, rows []uint32) []byte {
	at := len(dst)
	dst = appendVarints(append(dst, postVarint), rows)
	if alt := appendRuns([]byte{postRuns}, rows, len(dst)-at); len(alt) < len(dst)-at {
		dst = append(dst[:at], alt...)
	}
	if n := 5 + 8*(int(rows[len(rows)-1]/64)-int(rows[0]/64)+1); n < len(dst)-at {
		dst = appendBitmap(append(dst[:at], postBitmap), rows)
	}
	if len(rows) >= 2*blockLen {
		if alt := appendPacked([]byte{postPacked}, rows); len(alt) <= len(dst)-at {
			dst = append(dst[:at], alt...)
		}
	}
	return dst
}

func appendVarints(dst []byte, rows []uint32) []byte {
	last := uint32(0)
	for _, r := range rows {
		dst = binary.AppendUvarint(dst, uint64(r-last))
		last = r
	}
	return dst
}

// appendRuns gives up past limit bytes.
func appendRuns(dst []byte, rows []uint32, limit int) []byte {
	next := uint32(0)
	for i := 0; i < len(rows) && len(dst) <= limit; {
		j := i
		for j+1 < len(rows) && rows[j+1] == rows[j]+1 {
			j++
		}
		dst = binary.AppendUvarint(dst, uint64(rows[i]-next))
		dst = binary.AppendUvarint(dst, uint64(j-i+1))
		next = rows[j] + 1
		i = j + 1
	}
	return dst
}

func appendBitmap(dst []byte, rows []uint32) []byte {
	first := rows[0] / 64
	dst = binary.LittleEndian.AppendUint32(dst, first)
	at := len(dst)
	dst = append(dst, make([]byte, 8*(rows[len(rows)-1]/64-first+1))...)
	for _, r := range rows {
		r -= first * 64
		dst[at+int(r/8)] |= 1 << (r % 8)
	}
	return dst
}

func appendPacked(dst []byte, rows []uint32) []byte {
	full := len(rows) / blockLen
	table := len(dst)
	dst = append(dst, make([]byte, 9*full)...)
	base := len(dst)
	last := uint32(0)
	var buf [blockLen]uint64
	for b := range full {
		in := rows[b*blockLen : (b+1)*blockLen]
		w := 0
		for i, r := range in {
			buf[i] = uint64(r - last)
			w = max(w, bits.Len64(buf[i]))
			last = r
		}
		e := dst[table+9*b:]
		binary.LittleEndian.PutUint32(e, last)
		binary.LittleEndian.PutUint32(e[4:], uint32(len(dst)-base))
		e[8] = byte(w)
		dst = pack(dst, buf[:], w)
	}
	for _, r := range rows[full*blockLen:] {
		dst = binary.AppendUvarint(dst, uint64(r-last))
		last = r
	}
	return dst
}

// readPostings appends the n rows of b, all below limit; ok is false when they are not there.
func readPostings(dst []uint32, b []byte, n, limit int) (out []uint32, ok bool) {
	if len(b) == 0 {
		return dst, false
	}
	form := b[0]
	b = b[1:]
	from := len(dst)
	switch form {
	case postVarint:
		dst, ok = readVarints(dst, b, n, 0)
	case postRuns:
		dst, ok = readRuns(dst, b, n)
	case postBitmap:
		dst, ok = readBitmap(dst, b, n)
	case postPacked:
		dst, ok = readPacked(dst, b, n)
	}
	if !ok || len(dst)-from != n || n > 0 && int(dst[len(dst)-1]) >= limit {
		return dst[:from], false
	}
	return dst, true
}

func readVarints(dst []uint32, b []byte, n int, last uint64) ([]uint32, bool) {
	for range n {
		d, k := binary.Uvarint(b)
		if k <= 0 || d > maxRows {
			return dst, false
		}
		b = b[k:]
		if last += d; last > maxRows {
			return dst, false
		}
		dst = append(dst, uint32(last))
	}
	return dst, true
}

func readRuns(dst []uint32, b []byte, n int) ([]uint32, bool) {
	next := uint64(0)
	for got := 0; got < n; {
		gap, k := binary.Uvarint(b)
		if k <= 0 {
			return dst, false
		}
		length, k2 := binary.Uvarint(b[k:])
		if k2 <= 0 || length == 0 || length > uint64(n-got) || gap > maxRows {
			return dst, false
		}
		b = b[k+k2:]
		next += gap
		for range length {
			dst = append(dst, uint32(next))
			next++
		}
		got += int(length)
		if next > maxRows+1 {
			return dst, false
		}
	}
	return dst, true
}

func readBitmap(dst []uint32, b []byte, n int) ([]uint32, bool) {
	if len(b) < 4 {
		return dst, false
	}
	base := uint64(binary.LittleEndian.Uint32(b)) * 64
	for b = b[4:]; n > 0; b = b[8:] {
		if len(b) < 8 || base > maxRows {
			return dst, false
		}
		for w := binary.LittleEndian.Uint64(b); w != 0 && n > 0; w &= w - 1 {
			dst = append(dst, uint32(base)+uint32(bits.TrailingZeros64(w)))
			n--
		}
		base += 64
	}
	return dst, true
}

func readPacked(dst []uint32, b []byte, n int) ([]uint32, bool) {
	full := n / blockLen
	if len(b) < 9*full {
		return dst, false
	}
	table, data := b[:9*full], b[9*full:]
	last := uint64(0)
	end := 0
	var buf [blockLen]uint64
	for i := range full {
		e := table[9*i:]
		at, w := int(binary.LittleEndian.Uint32(e[4:])), int(e[8])
		if w > 32 || at < 0 || at > len(data) || len(data)-at < packed(w) {
			return dst, false
		}
		unpack(buf[:], data[at:at+packed(w)], w, blockLen)
		for _, d := range buf {
			last += d
			dst = append(dst, uint32(last))
		}
		if last > maxRows {
			return dst, false
		}
		end = at + packed(w)
	}
	return readVarints(dst, data[end:], n-full*blockLen, last)
}
