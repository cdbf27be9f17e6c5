// Package codec compresses and opens the records of batches: gzip, snappy, lz4 and zstd. What is opened is bounded, whatever the bytes
// claim, and lies in pooled slabs.
package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/weirlog/weir/journal"
)

// MaxOpened bounds a batch after decompression. A thousand equal log lines compress well, so it is bytes that are bounded, not the
// ratio.
const MaxOpened = 64 << 20

// How a buffer is chosen for what does not say how large it will be.
const (
	guessRatio = 6   // times the compressed bytes; doubled when it is too small
	boundRatio = 256 // a size claimed by lz4 or snappy above this many times the bytes is a lie
)

var errOpened = fmt.Errorf("batch is larger than %d MiB after decompression", MaxOpened>>20)

// Codecs compresses and opens the records of batches. Its working memory is pooled; the bytes that open gives lie in slabs of pool.
// It is safe for concurrent use.
type Codecs struct {
	pool *journal.Pool
	lz4w sync.Pool // *lz4.Compressor, 136 KiB each
	lz4r sync.Pool // *lz4.Reader
	gzip sync.Pool // *gzip.Reader
}

// New makes codecs whose buffers are of pool.
func New(pool *journal.Pool) *Codecs { return &Codecs{pool: pool} }

// Decompress opens the records of a batch into memory of their own.
func (c *Codecs) Decompress(codec int, block []byte) ([]byte, error) {
	s, out, err := c.Open(codec, block)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	return bytes.Clone(out), nil
}

// Open decompresses the records of a batch. They are valid until the slab, which is the caller's, is released.
func (c *Codecs) Open(codec int, block []byte) (*journal.Slab, []byte, error) {
	switch codec {
	case journal.CodecGzip:
		return c.openGzip(block)
	case journal.CodecSnappy:
		return c.openSnappy(block)
	case journal.CodecLZ4:
		if f, ok := parseLZ4(block); ok {
			return c.openLZ4(f)
		}
		return c.readLZ4(block)
	case journal.CodecZstd:
		return c.openZstd(block)
	}
	return nil, nil, fmt.Errorf("unknown codec %d", codec)
}

func (c *Codecs) openGzip(block []byte) (*journal.Slab, []byte, error) {
	r, _ := c.gzip.Get().(*gzip.Reader)
	if r == nil {
		r = new(gzip.Reader)
	}
	defer c.gzip.Put(r)
	if err := r.Reset(bytes.NewReader(block)); err != nil {
		return nil, nil, fmt.Errorf("gzip: %w", err)
	}
	return c.drain(r, guessRatio*len(block))
}

// readLZ4 opens frames of any kind.
func (c *Codecs) readLZ4(block []byte) (*journal.Slab, []byte, error) {
	r, _ := c.lz4r.Get().(*lz4.Reader)
	if r == nil {
		r = lz4.NewReader(nil)
	}
	defer c.lz4r.Put(r)
	r.Reset(bytes.NewReader(block))
	return c.drain(r, guessRatio*len(block))
}

// drain reads r to its end, beginning with a buffer of about guess bytes.
func (c *Codecs) drain(r io.Reader, guess int) (*journal.Slab, []byte, error) {
	s := c.pool.Slab(min(guess, MaxOpened) + 1)
	n := 0
	for {
		b := s.Bytes()
		b = b[:cap(b)]
		if n == len(b) {
			if n > MaxOpened {
				s.Release()
				return nil, nil, errOpened
			}
			larger := c.pool.Slab(min(2*n, MaxOpened+1))
			copy(larger.Bytes(), b)
			s.Release()
			s = larger
			continue
		}
		got, err := r.Read(b[n:])
		n += got
		switch {
		case n > MaxOpened:
			s.Release()
			return nil, nil, errOpened
		case errors.Is(err, io.EOF):
			return s, b[:n], nil
		case err != nil:
			s.Release()
			return nil, nil, err
		}
	}
}

// zstdDecoder is shared: DecodeAll may be called from many goroutines.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(MaxOpened), zstd.WithDecoderLowmem(true))
})

func (c *Codecs) openZstd(block []byte) (*journal.Slab, []byte, error) {
	d, err := zstdDecoder()
	if err != nil {
		return nil, nil, err
	}
	size := uint64(min(guessRatio*len(block), MaxOpened))
	var h zstd.Header
	if h.Decode(block) == nil && h.HasFCS {
		size = h.FrameContentSize
	}
	if size > MaxOpened {
		return nil, nil, errOpened
	}
	s := c.pool.Slab(int(size) + 1)
	out, err := d.DecodeAll(block, s.Bytes()[:0])
	if err != nil {
		s.Release()
		return nil, nil, err
	}
	if len(out) > 0 && &out[0] != &s.Bytes()[0] { // it outgrew the slab, which the decoder does by itself
		s.Release()
		s = c.pool.Slab(len(out))
		copy(s.Bytes(), out)
		out = s.Bytes()
	}
	return s, out, nil
}

// xerialMagic begins the framing that Java clients put around snappy: the magic, two versions (4 bytes each), then blocks behind
// their lengths (4 bytes, big-endian). Others send one bare block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func (c *Codecs) openSnappy(block []byte) (*journal.Slab, []byte, error) {
	size := 0
	err := eachSnappy(block, func(b []byte) error {
		n, err := s2.DecodedLen(b)
		if err != nil {
			return fmt.Errorf("snappy: %w", err)
		}
		if n > MaxOpened-size || n > boundRatio*len(b) {
			return errOpened
		}
		size += n
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	s := c.pool.Slab(size)
	rest := s.Bytes()
	err = eachSnappy(block, func(b []byte) error {
		out, err := s2.Decode(rest, b)
		if err != nil {
			return fmt.Errorf("snappy: %w", err)
		}
		rest = rest[len(out):]
		return nil
	})
	if err != nil {
		s.Release()
		return nil, nil, err
	}
	return s, s.Bytes(), nil
}

// eachSnappy calls fn for each block of a batch.
func eachSnappy(block []byte, fn func(b []byte) error) error {
	if !bytes.HasPrefix(block, xerialMagic) {
		return fn(block)
	}
	if len(block) < xerialHeader {
		return errors.New("snappy: cut short")
	}
	for b := block[xerialHeader:]; len(b) > 0; {
		if len(b) < 4 {
			return errors.New("snappy: cut short")
		}
		n := int(binary.BigEndian.Uint32(b))
		if n > len(b)-4 {
			return errors.New("snappy: block is cut short")
		}
		if err := fn(b[4 : 4+n]); err != nil {
			return err
		}
		b = b[4+n:]
	}
	return nil
}
