package broker

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

// maxOpened bounds a batch after decompression. A thousand equal log lines compress well, so it is bytes that are bounded, not the
// ratio.
const maxOpened = 64 << 20

var errOpened = fmt.Errorf("batch is larger than %d MiB after decompression", maxOpened>>20)

// decompress opens the records of a batch.
func decompress(codec int, block []byte) ([]byte, error) {
	switch codec {
	case journal.CodecNone:
		return block, nil
	case journal.CodecGzip:
		r, err := gzip.NewReader(bytes.NewReader(block))
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return readBounded(r)
	case journal.CodecSnappy:
		return openSnappy(block)
	case journal.CodecLZ4:
		return readBounded(lz4.NewReader(bytes.NewReader(block)))
	case journal.CodecZstd:
		return openZstd(block)
	}
	return nil, fmt.Errorf("unknown codec %d", codec)
}

func readBounded(r io.Reader) ([]byte, error) {
	out, err := io.ReadAll(io.LimitReader(r, maxOpened+1))
	if err != nil {
		return nil, err
	}
	if len(out) > maxOpened {
		return nil, errOpened
	}
	return out, nil
}

// zstdDecoder is shared: DecodeAll may be called from many goroutines.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxOpened), zstd.WithDecoderLowmem(true))
})

func openZstd(block []byte) ([]byte, error) {
	d, err := zstdDecoder()
	if err != nil {
		return nil, err
	}
	return d.DecodeAll(block, nil)
}

// xerialMagic begins the framing that Java clients put around snappy: the magic, two versions (4 bytes each), then blocks behind
// their lengths (4 bytes, big-endian). Others send one bare block.
var xerialMagic = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0}

const xerialHeader = 16

func openSnappy(block []byte) ([]byte, error) {
	if !bytes.HasPrefix(block, xerialMagic) {
		return appendSnappy(nil, block)
	}
	if len(block) < xerialHeader {
		return nil, errors.New("snappy: cut short")
	}
	var out []byte
	for b := block[xerialHeader:]; len(b) > 0; {
		if len(b) < 4 {
			return nil, errors.New("snappy: cut short")
		}
		n := int(binary.BigEndian.Uint32(b))
		if n > len(b)-4 {
			return nil, errors.New("snappy: block is cut short")
		}
		var err error
		if out, err = appendSnappy(out, b[4:4+n]); err != nil {
			return nil, err
		}
		b = b[4+n:]
	}
	return out, nil
}

func appendSnappy(dst, block []byte) ([]byte, error) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return nil, fmt.Errorf("snappy: %w", err)
	}
	if n > maxOpened-len(dst) {
		return nil, errOpened
	}
	out, err := s2.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("snappy: %w", err)
	}
	if dst == nil {
		return out, nil
	}
	return append(dst, out...), nil
}
