package journal

import (
	"encoding/binary"
	"fmt"
)

// Record is one record of a batch. Its bytes alias the batch.
type Record struct {
	Offset  int64
	Time    int64  // milliseconds since 1970
	Key     []byte // nil is null
	Value   []byte // nil is null
	Headers []RecordHeader
}

// Iterator walks the records of a batch. It reuses Record.Headers from one Next to the next.
type Iterator struct {
	h       Header
	b       []byte // records not yet read
	left    int32
	headers []RecordHeader
	err     error
}

// Records starts at the first record of b, one whole uncompressed batch. A compressed one is an error: open it and use RecordsIn.
func Records(b []byte) (Iterator, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Iterator{}, err
	}
	if h.Size() > len(b) {
		return Iterator{}, ErrShort
	}
	if h.Codec() != CodecNone {
		return Iterator{}, fmt.Errorf("%w: records are compressed with codec %d", ErrCorrupt, h.Codec())
	}
	return RecordsIn(h, b[HeaderSize:h.Size()]), nil
}

// RecordsIn walks an uncompressed block of records with the header of its batch.
func RecordsIn(h Header, block []byte) Iterator {
	return Iterator{h: h, b: block, left: h.Count}
}

// Next reads a record into r; false at the end or at bytes that are no record, which Err tells apart.
func (it *Iterator) Next(r *Record) bool {
	if it.left == 0 || it.err != nil {
		if it.err == nil && len(it.b) > 0 {
			it.err = fmt.Errorf("%w: %d bytes after the last record", ErrCorrupt, len(it.b))
		}
		return false
	}
	size, n := varint(it.b)
	if n <= 0 || size < 0 || size > int64(len(it.b)-n) {
		it.err = fmt.Errorf("%w: record length at %d of %d", ErrCorrupt, it.h.Count-it.left, it.h.Count)
		return false
	}
	if !it.record(r, it.b[n:n+int(size)]) {
		it.err = fmt.Errorf("%w: record %d of %d", ErrCorrupt, it.h.Count-it.left, it.h.Count)
		return false
	}
	it.b = it.b[n+int(size):]
	it.left--
	return true
}

// Err is nil when the walk ended at the end of the batch.
func (it *Iterator) Err() error { return it.err }

// record parses one record without its length.
func (it *Iterator) record(r *Record, b []byte) bool {
	if len(b) == 0 {
		return false
	}
	p := parser{b: b[1:], ok: true} // the first byte holds attributes, of which none exists
	timeDelta, offsetDelta := p.varint(), p.varint()
	r.Offset, r.Time = it.h.BaseOffset+offsetDelta, it.h.BaseTime+timeDelta
	if it.h.Attributes&AttrLogAppendTime != 0 {
		r.Time = it.h.MaxTime
	}
	if offsetDelta < 0 || offsetDelta > int64(it.h.LastOffsetDelta) {
		return false
	}
	r.Key, r.Value = p.bytes(), p.bytes()
	n := p.varint()
	if n < 0 || n > int64(len(p.b))/2+1 {
		return false
	}
	it.headers = it.headers[:0]
	for i := int64(0); i < n && p.ok; i++ {
		key := p.bytes()
		if key == nil {
			return false
		}
		it.headers = append(it.headers, RecordHeader{Key: it.name(int(i), key), Value: p.bytes()})
	}
	r.Headers = it.headers
	return p.ok && len(p.b) == 0
}

// name gives the header's key as a string; equal to that of the record before, it costs no allocation.
func (it *Iterator) name(i int, key []byte) string {
	if i < cap(it.headers) {
		if last := it.headers[:i+1][i].Key; last == string(key) {
			return last
		}
	}
	return string(key)
}

// parser reads the varints and byte strings of a record; ok turns false at the first that does not fit.
type parser struct {
	b  []byte
	ok bool
}

// varint reads a zigzag varint as binary.Varint does. Most of a record's are of one or two bytes.
func varint(b []byte) (int64, int) {
	if len(b) >= 2 {
		low, high := uint64(b[0]), uint64(b[1])
		if low < 0x80 {
			return int64(low>>1) ^ -int64(low&1), 1
		}
		if high < 0x80 {
			low = low&0x7f | high<<7
			return int64(low>>1) ^ -int64(low&1), 2
		}
	}
	return binary.Varint(b)
}

func (p *parser) varint() int64 {
	v, n := varint(p.b)
	if n <= 0 {
		p.ok = false
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *parser) bytes() []byte {
	n := p.varint()
	if n < 0 || !p.ok {
		if n < -1 {
			p.ok = false
		}
		return nil
	}
	if n > int64(len(p.b)) {
		p.ok = false
		return nil
	}
	v := p.b[:n:n]
	p.b = p.b[n:]
	return v
}
