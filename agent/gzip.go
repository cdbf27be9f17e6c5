package agent

import (
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
)

// gzipFile is the decompressed content of a file. Reads go forward; one that goes back further than the last read begins anew.
type gzipFile struct {
	f     *os.File
	z     *gzip.Reader
	head  []byte // the first headBytes
	win   []byte // the last bytes read, which end at next
	next  int64  // decompressed bytes taken out of z
	ended bool
}

// gzipMagic begins every gzip file.
const gzipMagic = "\x1f\x8b"

// isGzip reports whether the file at path, which is at p, is compressed with gzip.
func isGzip(path string, p place) bool {
	f, err := openAt(path, p)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [2]byte
	n, _ := f.ReadAt(b[:], 0)
	return string(b[:n]) == gzipMagic
}

// openGzip opens a compressed file and proves that it is at p.
func openGzip(path string, p place) (*gzipFile, error) {
	f, err := openAt(path, p)
	if err != nil {
		return nil, err
	}
	g := &gzipFile{f: f}
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
		return nil, errors.Join(err, f.Close())
	}
	return g, nil
}

func (g *gzipFile) rewind() error {
	if _, err := g.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	g.next, g.win, g.ended = 0, g.win[:0], false
	if g.z == nil {
		z, err := gzip.NewReader(g.f)
		g.z = z
		return err
	}
	return g.z.Reset(g.f)
}

// ReadAt reads decompressed bytes.
func (g *gzipFile) ReadAt(b []byte, off int64) (int, error) {
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
func (g *gzipFile) Close() error { return g.f.Close() }
