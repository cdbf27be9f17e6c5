// Package oldset reads message sets, what clients older than Kafka 0.11 produce (Produce versions 0 to 2). A set is messages one behind
// the other, in big-endian:
//
//	int64   offset          of the producer's counting; not looked at
//	int32   size            of what follows
//	uint32  CRC-32 (IEEE)   of what follows
//	int8    magic           0 or 1
//	int8    attributes      bits 0-2 codec
//	int64   time            milliseconds; magic 1 only
//	bytes   key             int32 length, -1 is null
//	bytes   value           the same; of a compressed message another set, whose messages are meant in its place
package oldset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Sizes and places.
const (
	frameSize  = 12 // offset and size
	leastSize  = 14 // of a message of magic 0 with null key and value
	codecMask  = 7
	codecNone  = 0
	codecLZ4   = 3
	magicTimed = 1
)

// NoTime is the time of a message that has none.
const NoTime = -1

// Errors that callers tell apart.
var (
	ErrCorrupt = errors.New("message set is corrupt")
	ErrCodec   = errors.New("compression is not of message sets")
)

// Message is one message. Its bytes alias the set, or what open gave.
type Message struct {
	Time       int64 // milliseconds, NoTime with magic 0
	Key, Value []byte
}

// Open decompresses the value of a message. brokenLZ4 says that lz4 frames of this magic have a checksum made in a wrong way.
type Open func(codec int, block []byte, brokenLZ4 bool) ([]byte, error)

// Walk calls fn for each message of a set, those inside of compressed ones in their place, and tells whether any was compressed. It ends
// with the first error.
func Walk(b []byte, open Open, fn func(Message) error) (compressed bool, err error) {
	w := walk{open: open, fn: fn}
	err = w.set(b, true)
	return w.compressed, err
}

type walk struct {
	open       Open
	fn         func(Message) error
	compressed bool
}

// set walks one set; the inner one of a compressed message holds no further compressed ones.
func (w *walk) set(b []byte, outer bool) error {
	for len(b) > 0 {
		if len(b) < frameSize {
			return fmt.Errorf("%w: cut short", ErrCorrupt)
		}
		size := int64(int32(binary.BigEndian.Uint32(b[8:])))
		b = b[frameSize:]
		if size < leastSize || size > int64(len(b)) {
			return fmt.Errorf("%w: message of %d bytes", ErrCorrupt, size)
		}
		if err := w.message(b[:size], outer); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

func (w *walk) message(b []byte, outer bool) error {
	if crc32.ChecksumIEEE(b[4:]) != binary.BigEndian.Uint32(b) {
		return fmt.Errorf("%w: wrong checksum", ErrCorrupt)
	}
	magic, attributes := b[4], b[5]
	b = b[6:]
	m := Message{Time: NoTime}
	switch {
	case magic > magicTimed:
		return fmt.Errorf("%w: magic %d", ErrCorrupt, magic)
	case magic == magicTimed:
		if len(b) < 8 {
			return fmt.Errorf("%w: cut short", ErrCorrupt)
		}
		m.Time = int64(binary.BigEndian.Uint64(b))
		b = b[8:]
	}
	var ok1, ok2 bool
	m.Key, b, ok1 = cut(b)
	m.Value, b, ok2 = cut(b)
	if !ok1 || !ok2 || len(b) > 0 {
		return fmt.Errorf("%w: key or value", ErrCorrupt)
	}
	switch codec := int(attributes & codecMask); {
	case codec == codecNone:
		return w.fn(m)
	case !outer:
		return fmt.Errorf("%w: compressed twice", ErrCorrupt)
	case codec > codecLZ4:
		return fmt.Errorf("%w: codec %d", ErrCodec, codec)
	default:
		w.compressed = true
		inner, err := w.open(codec, m.Value, magic == 0)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return w.set(inner, false)
	}
}

// cut takes a length and so many bytes off b; nil is null.
func cut(b []byte) (field, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, b, false
	}
	n := int64(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	switch {
	case n == -1:
		return nil, b, true
	case n < 0 || n > int64(len(b)):
		return nil, b, false
	}
	return b[:n:n], b[n:], true
}
