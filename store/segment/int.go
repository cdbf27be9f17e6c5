package segment

import (
	"encoding/binary"
	"math/bits"
)

// Encodings of a block of an INT.
const (
	encConst = 0 // zz v
	encFrame = 1 // zz min, packed
	encDelta = 2 // zz first, zz smallest difference, packed
	encGCD   = 3 // zz min, uv divisor, packed
)

// appendInts appends an INT: a u32 offset per block and the end, relative to the first block, then the blocks, each u8 encoding, u8
// width, its parameters and blockLen packed values.
func appendInts(dst []byte, v []int64) []byte {
	n := (len(v) + blockLen - 1) / blockLen
	table := len(dst)
	dst = append(dst, make([]byte, 4*(n+1))...)
	base := len(dst)
	var buf [blockLen]uint64
	for b := range n {
		binary.LittleEndian.PutUint32(dst[table+4*b:], uint32(len(dst)-base))
		dst = appendBlock(dst, v[b*blockLen:min(len(v), (b+1)*blockLen)], &buf)
	}
	binary.LittleEndian.PutUint32(dst[table+4*n:], uint32(len(dst)-base))
	return dst
}

// appendBlock writes one block in the smallest of the encodings.
func appendBlock(dst []byte, v []int64, buf *[blockLen]uint64) []byte {
	lo, hi := v[0], v[0]
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	if lo == hi {
		return binary.AppendVarint(append(dst, encConst, 0), lo)
	}
	frame := bits.Len64(uint64(hi) - uint64(lo))
	minD, delta := deltaWidth(v)
	div := divisor(v, lo)
	scaled := bits.Len64((uint64(hi) - uint64(lo)) / div)
	switch {
	case delta < frame && delta < scaled:
		dst = append(dst, encDelta, byte(delta))
		dst = binary.AppendVarint(binary.AppendVarint(dst, v[0]), minD)
		buf[0] = 0
		for i := 1; i < len(v); i++ {
			buf[i] = uint64(v[i]) - uint64(v[i-1]) - uint64(minD)
		}
		return pack(dst, buf[:len(v)], delta)
	case div > 1 && scaled < frame:
		dst = append(dst, encGCD, byte(scaled))
		dst = binary.AppendUvarint(binary.AppendVarint(dst, lo), div)
		for i, x := range v {
			buf[i] = (uint64(x) - uint64(lo)) / div
		}
		return pack(dst, buf[:len(v)], scaled)
	}
	dst = binary.AppendVarint(append(dst, encFrame, byte(frame)), lo)
	for i, x := range v {
		buf[i] = uint64(x) - uint64(lo)
	}
	return pack(dst, buf[:len(v)], frame)
}

// deltaWidth is the smallest difference of neighbours and the bits of the others above it. Differences wrap.
func deltaWidth(v []int64) (minD int64, w int) {
	minD, maxD := int64(0), int64(0)
	for i := 1; i < len(v); i++ {
		d := v[i] - v[i-1]
		if i == 1 {
			minD, maxD = d, d
			continue
		}
		minD, maxD = min(minD, d), max(maxD, d)
	}
	return minD, bits.Len64(uint64(maxD) - uint64(minD))
}

// divisor is the greatest number that divides all differences from lo.
func divisor(v []int64, lo int64) uint64 {
	g := uint64(0)
	for _, x := range v {
		d := uint64(x) - uint64(lo)
		for d != 0 {
			g, d = d, g%d
		}
		if g == 1 {
			return 1
		}
	}
	return max(g, 1)
}

// ints reads an INT of n values.
type ints struct {
	table []byte
	data  []byte
	n     int
}

// openInts takes an INT of n values from the front of b; ok is false when it does not fit.
func openInts(b []byte, n int) (x ints, rest []byte, ok bool) {
	if n < 0 || n > maxRows*16 {
		return x, nil, false
	}
	blocks := (n + blockLen - 1) / blockLen
	if len(b) < 4*(blocks+1) {
		return x, nil, false
	}
	x.table, x.n = b[:4*(blocks+1)], n
	size := int(binary.LittleEndian.Uint32(x.table[4*blocks:]))
	b = b[4*(blocks+1):]
	if size > len(b) {
		return x, nil, false
	}
	x.data = b[:size]
	return x, b[size:], true
}

// block decodes block b and returns how many values it has; dst has room for blockLen. 0 means that the block is damaged.
func (x *ints) block(b int, dst []int64) int {
	if b < 0 || b*blockLen >= x.n {
		return 0
	}
	n := min(blockLen, x.n-b*blockLen)
	from, to := binary.LittleEndian.Uint32(x.table[4*b:]), binary.LittleEndian.Uint32(x.table[4*b+4:])
	if from > to || int(to) > len(x.data) || to-from < 3 {
		return 0
	}
	p := x.data[from:to]
	enc, w := p[0], int(p[1])
	p = p[2:]
	first, k := binary.Varint(p)
	if k <= 0 || w > 64 {
		return 0
	}
	p = p[k:]
	if enc == encConst {
		for i := range n {
			dst[i] = first
		}
		return n
	}
	second := uint64(1)
	switch enc {
	case encDelta:
		d, k := binary.Varint(p)
		if k <= 0 {
			return 0
		}
		second, p = uint64(d), p[k:]
	case encGCD:
		d, k := binary.Uvarint(p)
		if k <= 0 {
			return 0
		}
		second, p = d, p[k:]
	case encFrame:
	default:
		return 0
	}
	if len(p) < packed(w) {
		return 0
	}
	var buf [blockLen]uint64
	unpack(buf[:], p, w, n)
	switch enc {
	case encDelta:
		acc := uint64(first)
		dst[0] = first
		for i := 1; i < n; i++ {
			acc += buf[i] + second
			dst[i] = int64(acc)
		}
	case encGCD:
		for i := range n {
			dst[i] = int64(uint64(first) + buf[i]*second)
		}
	default:
		for i := range n {
			dst[i] = int64(uint64(first) + buf[i])
		}
	}
	return n
}

// load appends the values [from, to).
func (x *ints) load(dst []int64, from, to int) ([]int64, bool) {
	var buf [blockLen]int64
	for from < to {
		b := from / blockLen
		n := x.block(b, buf[:])
		lo, hi := from-b*blockLen, min(to-b*blockLen, blockLen)
		if hi > n {
			return dst, false
		}
		dst = append(dst, buf[lo:hi]...)
		from = b*blockLen + hi
	}
	return dst, true
}

// at is value i. Only differences need their block decoded.
func (x *ints) at(i int) (int64, bool) {
	if i < 0 || i >= x.n {
		return 0, false
	}
	b := i / blockLen
	from, to := binary.LittleEndian.Uint32(x.table[4*b:]), binary.LittleEndian.Uint32(x.table[4*b+4:])
	if from > to || int(to) > len(x.data) || to-from < 3 {
		return 0, false
	}
	p := x.data[from:to]
	enc, w := p[0], int(p[1])
	first, k := binary.Varint(p[2:])
	if k <= 0 || w > 64 {
		return 0, false
	}
	p = p[2+k:]
	factor := uint64(1)
	switch enc {
	case encConst:
		return first, true
	case encFrame:
	case encGCD:
		if factor, k = binary.Uvarint(p); k <= 0 {
			return 0, false
		}
		p = p[k:]
	default:
		var buf [blockLen]int64
		n := x.block(b, buf[:])
		if i-b*blockLen >= n {
			return 0, false
		}
		return buf[i-b*blockLen], true
	}
	if len(p) < packed(w) {
		return 0, false
	}
	return int64(uint64(first) + unpackOne(p[:packed(w)], w, i-b*blockLen)*factor), true
}

// search is the first index of a value >= v in ascending values.
func (x *ints) search(v int64) (int, bool) {
	lo, hi := 0, (x.n+blockLen-1)/blockLen
	var buf [blockLen]int64
	for lo+1 < hi { // the last block whose first value is below v
		m := (lo + hi) / 2
		if x.block(m, buf[:]) == 0 {
			return 0, false
		}
		if buf[0] < v {
			lo = m
		} else {
			hi = m
		}
	}
	for b := lo; b*blockLen < x.n; b++ {
		n := x.block(b, buf[:])
		if n == 0 {
			return 0, false
		}
		for i, y := range buf[:n] {
			if y >= v {
				return b*blockLen + i, true
			}
		}
	}
	return x.n, true
}
