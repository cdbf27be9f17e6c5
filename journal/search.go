package journal

import (
	"errors"
	"io"
	"slices"

	"github.com/weirlog/weir/vfs"
)

const (
	sectorSize    = 512
	maxOffsetStep = 1 << 40 // a batch found behind bad bytes is not this far ahead
)

// search finds the next valid batch behind the bad one at s.pos and leaves s there. Where the bad batch's own header makes sense,
// what it says comes first, so that a batch inside a record is not taken for one of ours.
func (s *scanner) search(bad *Header, want, limit int64) (Header, bool, error) {
	begin := s.pos
	if bad.Magic == 2 && bad.BaseOffset == want && int64(bad.Size()) <= s.limit-begin && bad.Length >= minLength {
		s.pos = begin + int64(bad.Size())
		if s.pos == s.limit {
			s.pos = begin
			return Header{}, false, nil
		}
		if h, ok, err := s.candidate(want, limit); ok || err != nil {
			return h, ok, err
		}
	}
	for s.pos = begin + 1; s.pos+HeaderSize <= s.limit; s.pos++ {
		b, err := s.peek(HeaderSize)
		if err != nil {
			return Header{}, false, err
		}
		if len(b) < HeaderSize {
			break
		}
		if b[16] != 2 || b[0] != 0 {
			continue
		}
		if h, ok, err := s.candidate(want, limit); ok || err != nil {
			return h, ok, err
		}
	}
	s.pos = begin
	return Header{}, false, nil
}

func (s *scanner) candidate(want, limit int64) (Header, bool, error) {
	h, err := s.header()
	if err == nil && (h.BaseOffset < want || h.BaseOffset-want > maxOffsetStep || h.BaseOffset >= limit) {
		return h, false, nil
	}
	if err == nil {
		h, _, err = s.batch()
	}
	if err == nil {
		return h, true, nil
	}
	if isBad(err) || errors.Is(err, io.EOF) {
		return h, false, nil
	}
	return h, false, err
}

// hasZeroSector tells whether a whole sector of [from, to) is zero: a write that never reached the disk.
func hasZeroSector(f vfs.File, from, to int64) (bool, error) {
	var b [sectorSize]byte
	for at := (from + sectorSize - 1) / sectorSize * sectorSize; at+sectorSize <= to; at += sectorSize {
		n, err := readAt(f, b[:], at)
		if err != nil {
			return false, err
		}
		if n == sectorSize && allZero(b[:]) {
			return true, nil
		}
	}
	return false, nil
}

func allZero(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 })
}
