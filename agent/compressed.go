package agent

import (
	"compress/bzip2"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressedFile is the decompressed content of a file. Reads go forward; one that goes back further than the last read begins anew.
type compressedFile struct {
	f     *os.File
	open  decompression
	z     io.Reader // of f
	head  []byte    // the first headBytes
	win   []byte    // the last bytes read, which end at next
	next  int64     // decompressed bytes taken out of z
	ended bool
}

// decompression begins to decompress a file. The reader that ended before, if any, is used again or closed.
type decompression func(f io.Reader, before io.Reader) (io.Reader, error)

// compressions are known by the first bytes of a file.
var compressions = [...]struct {
	magic string
	open  decompression
}{
	{"\x1f\x8b", openGzip},
	{"\x28\xb5\x2f\xfd", openZstd},
	{"BZh?1AY&SY", openBzip2},       // ? is the size of blocks
	{"BZh?\x17rE8P\x90", openBzip2}, // of nothing
}

// magicBytes is the longest magic.
const magicBytes = 10

// compressionOf is how what begins with b is compressed, nil when it is not.
func compressionOf(b string) decompression {
	for _, c := range compressions {
		if before, after, ok := strings.Cut(c.magic, "?"); strings.HasPrefix(b, before) {
			if !ok || len(b) > len(before) && strings.HasPrefix(b[len(before)+1:], after) {
				return c.open
			}
		}
	}
	return nil
}

func openGzip(f, before io.Reader) (io.Reader, error) {
	if z, ok := before.(*gzip.Reader); ok {
		return z, z.Reset(f)
	}
	return gzip.NewReader(f)
}

// maxWindow bounds the memory of a zstd decoder, in bytes: the most that zstd itself takes without being asked for more.
const maxWindow = 128 << 20

func openZstd(f, before io.Reader) (io.Reader, error) {
	if z, ok := before.(*zstd.Decoder); ok {
		return z, z.Reset(f)
	}
	return zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

func openBzip2(f, _ io.Reader) (io.Reader, error) { return bzip2.NewReader(f), nil }

// compression is how the open file is compressed, nil when it is not.
func compression(f *os.File) decompression {
	var b [magicBytes]byte
	n, _ := f.ReadAt(b[:], 0)
	return compressionOf(string(b[:n]))
}

// isCompressed reports whether the file at path, which is at p, is compressed.
func isCompressed(path string, p place) bool {
	f, err := openAt(path, p)
	if err != nil {
		return false
	}
	defer f.Close()
	return compression(f) != nil
}

var errNotCompressed = errors.New("not compressed with gzip, zstd or bzip2")

// openCompressed opens a compressed file and proves that it is at p.
func openCompressed(path string, p place) (*compressedFile, error) {
	f, err := openAt(path, p)
	if err != nil {
		return nil, err
	}
	g := &compressedFile{f: f, open: compression(f)}
	if g.open == nil {
		return nil, errors.Join(errNotCompressed, f.Close())
	}
	if err = g.rewind(); err == nil {
		g.head = make([]byte, headBytes)
		var n int
		if n, err = io.ReadFull(g.z, g.head); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil
		}
		g.head = g.head[:n]
		g.next = int64(n)
		g.win = append(g.win, g.head...)
	}
	if err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *compressedFile) rewind() error {
	if _, err := g.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	g.next, g.win, g.ended = 0, g.win[:0], false
	z, err := g.open(g.f, g.z)
	if err == nil {
		g.z = z
	}
	return err
}

// ReadAt reads decompressed bytes.
func (g *compressedFile) ReadAt(b []byte, off int64) (int, error) {
	if off == 0 && len(b) <= headBytes {
		n := copy(b, g.head)
		if n < len(b) {
			return n, io.EOF
		}
		return n, nil
	}
	if off < g.next-int64(len(g.win)) {
		if err := g.rewind(); err != nil {
			return 0, err
		}
	}
	if off > g.next {
		skipped, err := io.CopyN(io.Discard, g.z, off-g.next)
		g.next += skipped
		g.win = g.win[:0]
		if err != nil {
			return 0, err
		}
	}
	start := g.next - int64(len(g.win))
	n := copy(b, g.win[off-start:])
	if n < len(b) && !g.ended {
		m, err := io.ReadFull(g.z, b[n:])
		n += m
		g.next += int64(m)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			g.ended = true
		} else if err != nil {
			return n, err
		}
		g.win = append(g.win[:0], b[:n]...)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Close closes the file.
func (g *compressedFile) Close() error {
	if z, ok := g.z.(*zstd.Decoder); ok {
		z.Close()
	}
	return g.f.Close()
}
