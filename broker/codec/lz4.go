package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/pierrec/lz4/v4"

	"github.com/weirlog/weir/journal"
)

// An lz4 frame as this process writes it, and opens without detour: magic, flags, block size, content size, a byte of checksum; then
// independent blocks of at most 256 KiB behind their lengths (4 bytes, little-endian, the top bit for a block kept as it is); then
// four zero bytes. Batches have a checksum of their own, so neither the blocks nor the content have one.
const (
	lz4Magic    = 0x184D2204
	lz4Flags    = 1<<6 | 1<<5 | 1<<3 // version 1, independent blocks, content size
	lz4Blocks   = 5 << 4             // of at most 256 KiB
	lz4Header   = 15
	lz4Raw      = 1 << 31
	lz4MaxBlock = 256 << 10
)

var errLZ4 = errors.New("lz4: frame is cut short or damaged")

// lz4Frame is a frame of the kind above.
type lz4Frame struct {
	size   int
	blocks []byte
}

// parseLZ4 takes the header of a frame apart; false when it is of another kind.
func parseLZ4(b []byte) (lz4Frame, bool) {
	if len(b) < lz4Header || binary.LittleEndian.Uint32(b) != lz4Magic || b[4] != lz4Flags || b[5] != lz4Blocks ||
		b[lz4Header-1] != lz4Check(b[4:lz4Header-1]) {
		return lz4Frame{}, false
	}
	size := binary.LittleEndian.Uint64(b[6:])
	if size > MaxOpened || size > boundRatio*uint64(len(b)) {
		return lz4Frame{}, false
	}
	return lz4Frame{int(size), b[lz4Header:]}, true
}

func (c *Codecs) openLZ4(f lz4Frame) (*journal.Slab, []byte, error) {
	s := c.pool.Slab(f.size)
	if err := f.open(s.Bytes()); err != nil {
		s.Release()
		return nil, nil, err
	}
	return s, s.Bytes(), nil
}

// open decompresses the frame into dst, which it fills.
func (f lz4Frame) open(dst []byte) error {
	b := f.blocks
	for {
		if len(b) < 4 {
			return errLZ4
		}
		word := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if word == 0 {
			break
		}
		n := int(word &^ lz4Raw)
		if n > len(b) {
			return errLZ4
		}
		wrote := 0
		if word&lz4Raw != 0 {
			if wrote = copy(dst, b[:n]); wrote < n {
				return errLZ4
			}
		} else {
			var err error
			if wrote, err = lz4.UncompressBlock(b[:n], dst[:min(len(dst), lz4MaxBlock)]); err != nil {
				return fmt.Errorf("lz4: %w", err)
			}
		}
		dst, b = dst[wrote:], b[n:]
	}
	if len(b) > 0 || len(dst) > 0 {
		return errLZ4
	}
	return nil
}

// appendLZ4 appends src as a frame to dst; false when the frame would not fit into dst's room.
func (c *Codecs) appendLZ4(dst, src []byte) ([]byte, bool) {
	w, _ := c.lz4w.Get().(*lz4.Compressor)
	if w == nil {
		w = new(lz4.Compressor)
	}
	defer c.lz4w.Put(w)
	room := dst[:cap(dst)]
	at := len(dst)
	if len(room)-at < lz4Header {
		return nil, false
	}
	h := room[at : at+lz4Header]
	binary.LittleEndian.PutUint32(h, lz4Magic)
	h[4], h[5] = lz4Flags, lz4Blocks
	binary.LittleEndian.PutUint64(h[6:], uint64(len(src)))
	h[lz4Header-1] = lz4Check(h[4 : lz4Header-1])
	at += lz4Header
	for len(src) > 0 {
		block := src[:min(len(src), lz4MaxBlock)]
		src = src[len(block):]
		if len(room)-at < 4+lz4.CompressBlockBound(len(block))+4 {
			return nil, false
		}
		n, err := w.CompressBlock(block, room[at+4:])
		word := uint32(n)
		if err != nil || n == 0 || n >= len(block) {
			n = copy(room[at+4:], block)
			word = uint32(n) | lz4Raw
		}
		binary.LittleEndian.PutUint32(room[at:], word)
		at += 4 + n
	}
	if len(room)-at < 4 {
		return nil, false
	}
	binary.LittleEndian.PutUint32(room[at:], 0)
	return room[:at+4], true
}

// lz4Check is the checksum of a frame's descriptor: the second byte of its xxHash32. b is shorter than 16 bytes.
func lz4Check(b []byte) byte {
	const (
		prime1 = 2654435761
		prime2 = 2246822519
		prime3 = 3266489917
		prime4 = 668265263
		prime5 = 374761393
	)
	h := uint32(prime5) + uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*prime3, 17) * prime4
	}
	for _, v := range b {
		h = bits.RotateLeft32(h+uint32(v)*prime5, 11) * prime1
	}
	h = (h ^ h>>15) * prime2
	h = (h ^ h>>13) * prime3
	return byte((h ^ h>>16) >> 8)
}

// FixLZ4 gives an lz4 frame with the checksum of its descriptor made right, when it is wrong in the way of old clients: they took the
// magic number into it. Readers of other frames are given what came.
func FixLZ4(b []byte) []byte {
	const flagsAt, contentSize = 4, 1 << 3
	if len(b) < lz4Header || binary.LittleEndian.Uint32(b) != lz4Magic {
		return b
	}
	check := flagsAt + 2
	if b[flagsAt]&contentSize != 0 {
		check += 8
	}
	if want := lz4Check(b[flagsAt:check]); b[check] != want && b[check] == lz4Check(b[:check]) {
		b = append([]byte(nil), b...)
		b[check] = want
	}
	return b
}
