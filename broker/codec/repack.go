package codec

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/weirlog/weir/journal"
)

// zstdEncoder is shared: EncodeAll may be called from many goroutines.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithLowerEncoderMem(true))
})

// Repack gives a whole batch with its records compressed by another codec, in memory of its own. Records that codec makes no smaller
// stay uncompressed.
func (c *Codecs) Repack(b []byte, from, to int) ([]byte, error) {
	block := b[journal.HeaderSize:]
	if from != journal.CodecNone {
		s, opened, err := c.Open(from, block)
		if err != nil {
			return nil, fmt.Errorf("open batch: %w", err)
		}
		defer s.Release()
		block = opened
	}
	plain := append(append(make([]byte, 0, journal.HeaderSize+len(block)), b[:journal.HeaderSize]...), block...)
	switch to {
	case journal.CodecGzip, journal.CodecZstd:
		out, err := appendPacked(append([]byte(nil), b[:journal.HeaderSize]...), to, block)
		if err != nil {
			return nil, fmt.Errorf("compress batch: %w", err)
		}
		if len(out) < len(plain) {
			journal.SetCodec(out, to)
			return out, nil
		}
	case journal.CodecLZ4, journal.CodecSnappy:
		if s, out := c.Pack(to, plain); s != nil {
			defer s.Release()
			return bytes.Clone(out), nil
		}
	}
	journal.SetCodec(plain, journal.CodecNone)
	return plain, nil
}

func appendPacked(dst []byte, codec int, block []byte) ([]byte, error) {
	if codec == journal.CodecZstd {
		e, err := zstdEncoder()
		if err != nil {
			return nil, err
		}
		return e.EncodeAll(block, dst), nil
	}
	out := bytes.NewBuffer(dst)
	w := gzip.NewWriter(out)
	if _, err := w.Write(block); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
