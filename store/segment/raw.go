package segment

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"
)

// RAW are strings in row order, mostly distinct: u8 form, u8 width, then
//
//	form 0   INT of the end offsets, the bytes
//	form 1   lower-case hexadecimal of 2*width digits, width bytes each
//	form 2   lower-case uuid, 16 bytes each
//	form 3   base64url of whole bytes, width bytes each
//
// HASH finds them: INT of the lower 32 bits of xxh3 of each, ascending, then INT of the number of the string.
const (
	rawBytes = 0
	rawHex   = 1
	rawUUID  = 2
	rawB64   = 3
)

var b64 = base64.RawURLEncoding.Strict()

// rawForm is the tightest form for n strings.
func rawForm(n int, at func(i int) []byte) (form byte, width int) {
	first := len(at(0))
	hexOK, uuidOK, b64OK := first%2 == 0 && first > 0 && first <= 510, first == 36, first%4 == 0 && first > 0 && first <= 340
	var buf [256]byte
	for i := range n {
		s := at(i)
		if len(s) != first {
			return rawBytes, 0
		}
		hexOK = hexOK && lowerHex(s)
		uuidOK = uuidOK && isUUID(s)
		if b64OK && !hexOK {
			_, err := b64.Decode(buf[:], s)
			b64OK = err == nil
		}
		if !hexOK && !uuidOK && !b64OK {
			return rawBytes, 0
		}
	}
	switch {
	case hexOK:
		return rawHex, first / 2
	case uuidOK:
		return rawUUID, 16
	}
	for i := range n { // strings seen while hexOK still held
		if _, err := b64.Decode(buf[:], at(i)); err != nil {
			return rawBytes, 0
		}
	}
	return rawB64, first / 4 * 3
}

func lowerHex(s []byte) bool {
	for _, c := range s {
		if c-'0' > 9 && c-'a' > 5 {
			return false
		}
	}
	return true
}

func isUUID(s []byte) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && lowerHex(s[:8]) && lowerHex(s[9:13]) && lowerHex(s[14:18]) &&
		lowerHex(s[19:23]) && lowerHex(s[24:])
}

func appendRaw(dst []byte, n int, at func(i int) []byte) []byte {
	form, width := rawForm(n, at)
	dst = append(dst, form, byte(width))
	if form == rawBytes {
		ends := make([]int64, n)
		end := int64(0)
		for i := range n {
			end += int64(len(at(i)))
			ends[i] = end
		}
		dst = appendInts(dst, ends)
		for i := range n {
			dst = append(dst, at(i)...)
		}
		return dst
	}
	var buf [256]byte
	for i := range n {
		s := at(i)
		switch form {
		case rawUUID:
			s = slices.Concat(s[:8], s[9:13], s[14:18], s[19:23], s[24:])
			hex.Decode(buf[:], s)
		case rawHex:
			hex.Decode(buf[:], s)
		default:
			b64.Decode(buf[:], s)
		}
		dst = append(dst, buf[:width]...)
	}
	return dst
}

func appendHash(dst []byte, n int, at func(i int) []byte) []byte {
	type entry struct{ h, i uint32 }
	list := make([]entry, n)
	for i := range n {
		list[i] = entry{uint32(xxh3.Hash(at(i))), uint32(i)}
	}
	slices.SortFunc(list, func(a, b entry) int {
		if a.h != b.h {
			return int(int64(a.h) - int64(b.h))
		}
		return int(a.i) - int(b.i)
	})
	hs, is := make([]int64, n), make([]int64, n)
	for k, e := range list {
		hs[k], is[k] = int64(e.h), int64(e.i)
	}
	return appendInts(appendInts(dst, hs), is)
}

// raw reads RAW and HASH of n strings.
type raw struct {
	n      int
	form   byte
	width  int
	ends   ints
	data   []byte
	hashes ints
	who    ints
}

func openRaw(b, hash []byte, n int) (*raw, error) {
	bad := fmt.Errorf("%w: raw strings", ErrDamaged)
	if len(b) < 2 {
		return nil, bad
	}
	r := &raw{n: n, form: b[0], width: int(b[1]), data: b[2:]}
	var ok bool
	switch r.form {
	case rawBytes:
		if r.ends, r.data, ok = openInts(r.data, n); !ok {
			return nil, bad
		}
	case rawHex, rawUUID, rawB64:
		if r.width == 0 || len(r.data) < n*r.width || r.form == rawUUID && r.width != 16 || r.form == rawB64 && r.width%3 != 0 {
			return nil, bad
		}
	default:
		return nil, bad
	}
	if r.hashes, hash, ok = openInts(hash, n); !ok {
		return nil, bad
	}
	if r.who, _, ok = openInts(hash, n); !ok {
		return nil, bad
	}
	return r, nil
}

// append appends string i.
func (r *raw) append(dst []byte, i int) ([]byte, bool) {
	if i < 0 || i >= r.n {
		return dst, false
	}
	if r.form == rawBytes {
		end, ok := r.ends.at(i)
		from := int64(0)
		if ok && i > 0 {
			from, ok = r.ends.at(i - 1)
		}
		if !ok || from < 0 || from > end || end > int64(len(r.data)) {
			return dst, false
		}
		return append(dst, r.data[from:end]...), true
	}
	b := r.data[i*r.width : (i+1)*r.width]
	switch r.form {
	case rawHex:
		return hex.AppendEncode(dst, b), true
	case rawB64:
		return b64.AppendEncode(dst, b), true
	}
	at := len(dst)
	dst = hex.AppendEncode(dst, b[:4])
	for _, part := range [][]byte{b[4:6], b[6:8], b[8:10], b[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), part)
	}
	return dst, len(dst)-at == 36
}

// find calls f with the number of each string that is v.
func (r *raw) find(v []byte, f func(i int)) (ok bool) {
	h := int64(uint32(xxh3.Hash(v)))
	k, ok := r.hashes.search(h)
	if !ok {
		return false
	}
	var buf []byte
	for ; k < r.n; k++ {
		x, ok := r.hashes.at(k)
		if !ok {
			return false
		}
		if x != h {
			return true
		}
		i, ok := r.who.at(k)
		if !ok {
			return false
		}
		if buf, ok = r.append(buf[:0], int(i)); !ok {
			return false
		}
		if string(buf) == string(v) {
			f(int(i))
		}
	}
	return true
}

// le32 is a little-endian u32 at an offset.
func le32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
