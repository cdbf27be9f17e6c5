// Package ledger names bytes and says what became of them.
//
// A Source is one incarnation of one file; a Range is a half-open span of its bytes, newline included, so that the ranges of a
// source touch: a gap or an overlap is arithmetic. Every record carries the Range it came from, every document keeps it, and the
// account of all ranges is
//
//	read = indexed + dropped by rule + merged + dead-lettered + in flight
//
// The package imports nothing of ours: agent, queue, pipeline and store all speak of ranges through it.
package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/zeebo/xxh3"
)

// Source identifies one incarnation of one file (or stream): 48 bits of Unix milliseconds at first sight, big-endian, then 80
// random bits. Sources therefore sort by the time they were first seen.
type Source [16]byte

// NewSource makes the id of a source first seen at t.
func NewSource(t time.Time) Source {
	var s Source
	ms := uint64(t.UnixMilli())
	binary.BigEndian.PutUint64(s[:8], ms<<16)
	rand.Read(s[6:])
	return s
}

// Foreign is the source of records that carry no range of their own: one per partition, whose bytes are offsets.
func Foreign(topicID [16]byte, partition int32) Source {
	var b [20]byte
	copy(b[:], topicID[:])
	binary.BigEndian.PutUint32(b[16:], uint32(partition))
	return Source(xxh3.Hash128(b[:]).Bytes())
}

// ParseSource reads the 32 hexadecimal digits that String writes.
func ParseSource(s string) (Source, error) {
	var src Source
	if len(s) != 32 {
		return src, fmt.Errorf("source %q: want 32 hexadecimal digits", s)
	}
	if _, err := hex.Decode(src[:], []byte(s)); err != nil {
		return src, fmt.Errorf("source %q: %w", s, err)
	}
	return src, nil
}

func (s Source) String() string { return hex.EncodeToString(s[:]) }

// Time is when the source was first seen, to the millisecond.
func (s Source) Time() time.Time { return time.UnixMilli(int64(binary.BigEndian.Uint64(s[:8]) >> 16)) }

// IsZero reports whether s names nothing.
func (s Source) IsZero() bool { return s == Source{} }

// Range is the bytes From (inclusive) to To (exclusive) of a source. The zero Range means "origin unknown".
type Range struct {
	Source   Source
	From, To int64
}

// Len is the number of bytes of r.
func (r Range) Len() int64 { return r.To - r.From }

// IsZero reports whether r names no bytes.
func (r Range) IsZero() bool { return r == Range{} }

// Header is the name of the record header that carries a Range on a cluster and in the embedded broker's topics.
const Header = "weir"

const headerForm = 1 // first byte of the header's value

// ErrHeader is wrapped by every error of ParseHeader.
var ErrHeader = errors.New("malformed weir header")

// AppendHeader appends the value of the record header "weir" to b:
//
//	byte 0       01 (the form)
//	bytes 1-16   source
//	uvarint      first byte
//	uvarint      length, newline included
//
// Example: bytes 300 to 401 of source 00..01 are 01 00..01 AC02 65.
func AppendHeader(b []byte, r Range) []byte {
	b = append(b, headerForm)
	b = append(b, r.Source[:]...)
	b = binary.AppendUvarint(b, uint64(r.From))
	return binary.AppendUvarint(b, uint64(r.To-r.From))
}

// ParseHeader reads what AppendHeader wrote.
func ParseHeader(b []byte) (Range, error) {
	var r Range
	if len(b) < 19 || b[0] != headerForm {
		return r, ErrHeader
	}
	copy(r.Source[:], b[1:17])
	from, n := binary.Uvarint(b[17:])
	if n <= 0 {
		return Range{}, ErrHeader
	}
	length, m := binary.Uvarint(b[17+n:])
	if m <= 0 || 17+n+m != len(b) || from > 1<<62 || length > 1<<62 {
		return Range{}, ErrHeader
	}
	r.From, r.To = int64(from), int64(from+length)
	return r, nil
}
