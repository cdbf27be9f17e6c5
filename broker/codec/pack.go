package codec

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"

	"github.com/weirlog/weir/journal"
)

// How batches are compressed.
const (
	packChunk = 256 << 10 // of the blocks of a batch
	packGain  = 8         // a batch is kept compressed when it is at least an eighth smaller
)

// Pack compresses a whole batch of this process's making. The result lies in the slab, which is the caller's; without a slab it did
// not pay.
func (c *Codecs) Pack(codec int, b []byte) (*journal.Slab, []byte) {
	limit := len(b) - len(b)/packGain
	s := c.pool.Slab(limit + s2.MaxEncodedLen(min(len(b), packChunk)) + lz4Header)
	out := append(s.Bytes()[:0], b[:journal.HeaderSize]...)
	ok := false
	switch codec {
	case journal.CodecLZ4:
		out, ok = c.appendLZ4(out, b[journal.HeaderSize:])
	case journal.CodecSnappy:
		out, ok = appendSnappy(out, b[journal.HeaderSize:])
	}
	if !ok || len(out) > limit {
		s.Release()
		return nil, nil
	}
	journal.SetCodec(out, codec)
	return s, out
}

// appendSnappy appends src in the framing of the Java clients to dst; false when it would not fit into dst's room.
func appendSnappy(dst, src []byte) ([]byte, bool) {
	dst = append(dst, xerialMagic...)
	dst = binary.BigEndian.AppendUint32(dst, 1)
	dst = binary.BigEndian.AppendUint32(dst, 1)
	for len(src) > 0 {
		block := src[:min(len(src), packChunk)]
		src = src[len(block):]
		room := dst[len(dst):cap(dst)]
		if len(room) < 4+s2.MaxEncodedLen(len(block)) {
			return nil, false
		}
		n := len(s2.EncodeSnappy(room[4:], block))
		binary.BigEndian.PutUint32(room, uint32(n))
		dst = dst[:len(dst)+4+n]
	}
	return dst, true
}
