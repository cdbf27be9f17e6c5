package journal

import (
	"errors"
	"io"

	"github.com/weirlog/weir/vfs"
)

const (
	scanWindow = 1 << 20 // bytes read at a time; a larger batch gets a larger window
	walkWindow = 4 << 10 // the same for a walk over few headers
)

// scanner reads a file's batches one behind the other.
type scanner struct {
	f      vfs.File
	limit  int64 // reads stop here
	pos    int64 // of the batch that next gives
	window int
	buf    []byte
	at     int64 // file position of buf[0]
}

func newScanner(f vfs.File, pos, limit int64) *scanner {
	return &scanner{f: f, pos: pos, limit: limit, window: scanWindow}
}

// peek gives n bytes at pos, fewer when the file ends. They are valid until the next call.
func (s *scanner) peek(n int) ([]byte, error) {
	from := s.pos - s.at
	if from >= 0 && from+int64(n) <= int64(len(s.buf)) {
		return s.buf[from : from+int64(n)], nil
	}
	want := min(int64(max(n, s.window)), s.limit-s.pos)
	if want <= 0 {
		return nil, nil
	}
	if int64(cap(s.buf)) < want {
		s.buf = make([]byte, want)
	}
	s.buf = s.buf[:want]
	s.at = s.pos
	got, err := readAt(s.f, s.buf, s.pos)
	s.buf = s.buf[:got]
	if err != nil {
		return nil, err
	}
	return s.buf[:min(n, got)], nil
}

// readAt reads until b is full or the file ends.
func readAt(f vfs.File, b []byte, off int64) (int, error) {
	n := 0
	for n < len(b) {
		m, err := f.ReadAt(b[n:], off+int64(n))
		n += m
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// header gives the header at pos; io.EOF at the limit or the file's end, ErrShort or ErrCorrupt when no batch can be there.
func (s *scanner) header() (Header, error) {
	b, err := s.peek(HeaderSize)
	if err != nil {
		return Header{}, err
	}
	if len(b) == 0 {
		return Header{}, io.EOF
	}
	h, err := ParseHeader(b)
	if err != nil {
		return h, err
	}
	if int64(h.Size()) > s.limit-s.pos {
		return h, ErrShort
	}
	return h, nil
}

// batch gives the whole batch at pos, its CRC checked.
func (s *scanner) batch() (Header, []byte, error) {
	h, err := s.header()
	if err != nil {
		return h, nil, err
	}
	b, err := s.peek(h.Size())
	if err != nil {
		return h, nil, err
	}
	if len(b) < h.Size() {
		return h, nil, ErrShort
	}
	return h, b, verifyCRC(&h, b)
}

func (s *scanner) skip(h *Header) { s.pos += int64(h.Size()) }

// isBad tells bytes that are no batch from a device that does not answer.
func isBad(err error) bool { return errors.Is(err, ErrCorrupt) || errors.Is(err, ErrShort) }

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
