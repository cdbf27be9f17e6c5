package segment

import "encoding/binary"

// blockLen is the number of values of a block of an INT.
const blockLen = 128

// packed is the number of bytes of a full block at width w.
func packed(w int) int { return 16 * w }

// pack appends blockLen values of w bits each, low bits first; value i is bits [i*w, i*w+w). Missing values repeat the last one.
func pack(dst []byte, v []uint64, w int) []byte {
	if w == 0 {
		return dst
	}
	at := len(dst)
	dst = append(dst, make([]byte, packed(w))...)
	out := dst[at:]
	var acc uint64
	n, o := 0, 0
	for i := range blockLen {
		x := v[min(i, len(v)-1)]
		acc |= x << n
		if n+w >= 64 {
			binary.LittleEndian.PutUint64(out[o:], acc)
			o += 8
			acc = x >> (64 - n) // 0 when n is 0: shifts by 64 give 0
			if n == 0 {
				acc = 0
			}
			n += w - 64
			continue
		}
		n += w
	}
	return dst
}

// unpack reads n values of w bits from src, which has packed(w) bytes.
func unpack(dst []uint64, src []byte, w, n int) {
	if w == 0 {
		clear(dst[:n])
		return
	}
	mask := ^uint64(0) >> (64 - w)
	if w <= 56 {
		last := len(src) - 8
		for i := range n {
			bit := i * w
			at := bit >> 3
			if at > last {
				dst[i] = tail(src[at:]) >> (bit & 7) & mask
				continue
			}
			dst[i] = binary.LittleEndian.Uint64(src[at:]) >> (bit & 7) & mask
		}
		return
	}
	for i := range n {
		bit := i * w
		word, off := bit>>6, bit&63
		x := binary.LittleEndian.Uint64(src[word*8:]) >> off
		if off+w > 64 {
			x |= binary.LittleEndian.Uint64(src[word*8+8:]) << (64 - off)
		}
		dst[i] = x & mask
	}
}

// unpackOne reads value i of w bits from src, which has packed(w) bytes.
func unpackOne(src []byte, w, i int) uint64 {
	if w == 0 {
		return 0
	}
	bit := i * w
	word, off := bit>>6, bit&63
	x := binary.LittleEndian.Uint64(src[word*8:]) >> off
	if off+w > 64 {
		x |= binary.LittleEndian.Uint64(src[word*8+8:]) << (64 - off)
	}
	return x & (^uint64(0) >> (64 - w))
}

// tail reads up to 7 bytes as a little-endian number.
func tail(b []byte) uint64 {
	var x uint64
	for i := len(b) - 1; i >= 0; i-- {
		x = x<<8 | uint64(b[i])
	}
	return x
}
