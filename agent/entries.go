package agent

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weirlog/weir/ledger"
)

// The registry is a journal of payloads, each a row of entries. Integers are uvarint unless sized (big-endian):
//
//	kind     fields
//	1 open   version 1, ref, source 16, chain 16, flags, dev u64, ino u64, btime i64, seen i64 (Unix ms),
//	         head length u16, head 32 (SHA-256), input id, path
//	2 at     ref, position, tail u64, last seen size, Unix ms
//	3 name   ref, path
//	4 head   ref, length u16, SHA-256 32
//	5 end    ref, reason, unread bytes
//	6 done   ref, i64 (Unix ns): rotations of the chain written to until then have been read, or are history
//	7 live   end of a snapshot
//	8 start  ref, first byte that is wanted; written when it is not 0
//	9 told   ref, position up to which the source was announced; written when it is not 0
//
// Texts are a length and bytes. An open of a known ref replaces it. The tail is the first 8 bytes of the SHA-256 of the at most 64
// bytes before the position. Example: source 3 at byte 41,603 of 41,603 is 02 03 83C502 <tail 8> 83C502 <time 6>, 22 bytes.
const (
	entryOpen = 1
	entryAt   = 2
	entryName = 3
	entryHead = 4
	entryEnd  = 5
	entryDone = 6
	entryLive = 7
	entryFrom = 8
	entryTold = 9

	openVersion = 1
)

// Flags of an open entry.
const flagCompressed = 1 // positions count decompressed bytes

// endReason says why a source is over.
type endReason uint8

const (
	endRemoved   endReason = 1
	endTruncated endReason = 2
	endCleaned   endReason = 3
	endExpired   endReason = 4
)

func (r endReason) String() string {
	return [...]string{"", "removed", "truncated", "cleaned", "expired"}[r]
}

// saved is what the registry knows of one source.
type saved struct {
	ref     uint32
	id      ledger.Source
	chain   ledger.Source
	flags   uint8
	place   place
	seen    int64 // Unix ms
	headLen int
	headSum [32]byte
	input   string
	path    string

	pos  int64 // everything below is acknowledged, or dropped by rule
	tail uint64
	size int64
	at   int64 // Unix ms of pos
	done int64 // Unix ns: what the chain is done with

	start int64 // first byte that is wanted
	told  int64 // announced up to here
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendOpen(b []byte, s *saved) []byte {
	b = append(b, entryOpen)
	b = binary.AppendUvarint(b, openVersion)
	b = binary.AppendUvarint(b, uint64(s.ref))
	b = append(b, s.id[:]...)
	b = append(b, s.chain[:]...)
	b = append(b, s.flags)
	b = binary.BigEndian.AppendUint64(b, s.place.dev)
	b = binary.BigEndian.AppendUint64(b, s.place.ino)
	b = binary.BigEndian.AppendUint64(b, uint64(s.place.btime))
	b = binary.BigEndian.AppendUint64(b, uint64(s.seen))
	b = binary.BigEndian.AppendUint16(b, uint16(s.headLen))
	b = append(b, s.headSum[:]...)
	b = appendText(b, s.input)
	return appendText(b, s.path)
}

func appendAt(b []byte, s *saved) []byte {
	b = append(b, entryAt)
	b = binary.AppendUvarint(b, uint64(s.ref))
	b = binary.AppendUvarint(b, uint64(s.pos))
	b = binary.BigEndian.AppendUint64(b, s.tail)
	b = binary.AppendUvarint(b, uint64(s.size))
	return binary.AppendUvarint(b, uint64(s.at))
}

func appendName(b []byte, s *saved) []byte {
	b = append(b, entryName)
	b = binary.AppendUvarint(b, uint64(s.ref))
	return appendText(b, s.path)
}

func appendHead(b []byte, s *saved) []byte {
	b = append(b, entryHead)
	b = binary.AppendUvarint(b, uint64(s.ref))
	b = binary.BigEndian.AppendUint16(b, uint16(s.headLen))
	return append(b, s.headSum[:]...)
}

func appendDone(b []byte, s *saved) []byte {
	b = append(b, entryDone)
	b = binary.AppendUvarint(b, uint64(s.ref))
	return binary.BigEndian.AppendUint64(b, uint64(s.done))
}

func appendStart(b []byte, s *saved) []byte {
	b = append(b, entryFrom)
	b = binary.AppendUvarint(b, uint64(s.ref))
	return binary.AppendUvarint(b, uint64(s.start))
}

func appendTold(b []byte, s *saved) []byte {
	b = append(b, entryTold)
	b = binary.AppendUvarint(b, uint64(s.ref))
	return binary.AppendUvarint(b, uint64(s.told))
}

func appendEnd(b []byte, ref uint32, why endReason, unread int64) []byte {
	b = append(b, entryEnd)
	b = binary.AppendUvarint(b, uint64(ref))
	b = append(b, byte(why))
	return binary.AppendUvarint(b, uint64(max(unread, 0)))
}

var errEntry = errors.New("malformed registry entry")

// entryReader takes a payload apart. After the first fault all its results are zero.
type entryReader struct {
	b   []byte
	bad bool
}

func (r *entryReader) bytes(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *entryReader) u8() uint8 {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *entryReader) u16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *entryReader) u64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *entryReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

// number is an uvarint that must fit int64.
func (r *entryReader) number() int64 {
	v := r.uvarint()
	if v > 1<<62 {
		r.bad = true
		return 0
	}
	return int64(v)
}

func (r *entryReader) ref() uint32 {
	v := r.uvarint()
	if v > 1<<32-1 {
		r.bad = true
	}
	return uint32(v)
}

func (r *entryReader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return ""
	}
	return string(r.bytes(int(n)))
}

// places is the registry's content: live sources by ref.
type places map[uint32]*saved

// apply takes the entries of one payload in.
func (p places) apply(payload []byte) error {
	r := entryReader{b: payload}
	for len(r.b) > 0 && !r.bad {
		kind := r.u8()
		if err := p.entry(kind, &r); err != nil {
			return err
		}
	}
	if r.bad {
		return errEntry
	}
	return nil
}

func (p places) entry(kind uint8, r *entryReader) error {
	if kind == entryOpen {
		return p.open(r)
	}
	if kind == entryLive {
		return nil
	}
	ref := r.ref()
	s := p[ref]
	if s == nil { // its end came earlier, within a snapshot that was cut short
		s = &saved{}
	}
	switch kind {
	case entryAt:
		s.pos, s.tail, s.size, s.at = r.number(), r.u64(), r.number(), r.number()
	case entryName:
		s.path = r.text()
	case entryHead:
		s.headLen = int(r.u16())
		copy(s.headSum[:], r.bytes(32))
	case entryDone:
		s.done = int64(r.u64())
	case entryFrom:
		s.start = r.number()
	case entryTold:
		s.told = r.number()
	case entryEnd:
		r.u8()
		r.number()
		delete(p, ref)
	default:
		return fmt.Errorf("%w: kind %d", errEntry, kind)
	}
	return nil
}

func (p places) open(r *entryReader) error {
	if v := r.uvarint(); v != openVersion && !r.bad {
		return fmt.Errorf("registry entry has version %d, this program knows %d", v, openVersion)
	}
	s := &saved{ref: r.ref()}
	copy(s.id[:], r.bytes(16))
	copy(s.chain[:], r.bytes(16))
	s.flags = r.u8()
	s.place = place{dev: r.u64(), ino: r.u64(), btime: int64(r.u64())}
	s.seen = int64(r.u64())
	s.headLen = int(r.u16())
	copy(s.headSum[:], r.bytes(32))
	s.input, s.path = r.text(), r.text()
	if r.bad || s.headLen > headBytes {
		return errEntry
	}
	if old := p[s.ref]; old != nil {
		s.pos, s.tail, s.size, s.at, s.done, s.start, s.told = old.pos, old.tail, old.size, old.at, old.done, old.start, old.told
	}
	p[s.ref] = s
	return nil
}
