package journal

import (
	"encoding/binary"
	"math/bits"
)

// RecordHeader is one header of a record.
type RecordHeader struct {
	Key   string
	Value []byte // nil is null, which is not empty
}

// Builder encodes records into one uncompressed batch. Reset, Add ..., Finish; then Reset again. The zero value must be Reset
// before use. It is for one goroutine.
type Builder struct {
	b        []byte // the caller's bytes, then the batch
	at       int    // where the batch begins in b
	count    int32
	baseTime int64
	maxTime  int64
}

// Reset starts a batch behind the bytes of dst, whose room is used.
func (e *Builder) Reset(dst []byte) {
	e.at, e.count, e.baseTime, e.maxTime = len(dst), 0, 0, 0
	var header [HeaderSize]byte
	e.b = append(dst, header[:]...)
}

// Count is the number of records added.
func (e *Builder) Count() int { return int(e.count) }

// Len is the size of the batch so far, in bytes.
func (e *Builder) Len() int { return len(e.b) - e.at }

// RecordSize bounds what Add appends for such a record, so that a caller can keep batches under a limit.
func RecordSize(key, value []byte, headers []RecordHeader) int {
	n := 1 + 4*binary.MaxVarintLen32 + binary.MaxVarintLen64 + len(key) + len(value)
	for i := range headers {
		n += 2*binary.MaxVarintLen32 + len(headers[i].Key) + len(headers[i].Value)
	}
	return n
}

// Add appends a record with its time in milliseconds since 1970. Null and empty differ: a nil key or value is null. The bytes are
// copied.
func (e *Builder) Add(ms int64, key, value []byte, headers []RecordHeader) {
	if e.count == 0 {
		e.baseTime, e.maxTime = ms, ms
	}
	e.maxTime = max(e.maxTime, ms)
	timeDelta := ms - e.baseTime
	body := 1 + varintLen(timeDelta) + varintLen(int64(e.count)) + bytesLen(key) + bytesLen(value) + varintLen(int64(len(headers)))
	for i := range headers {
		body += varintLen(int64(len(headers[i].Key))) + len(headers[i].Key) + bytesLen(headers[i].Value)
	}
	b := binary.AppendVarint(e.b, int64(body))
	b = append(b, 0)
	b = binary.AppendVarint(b, timeDelta)
	b = binary.AppendVarint(b, int64(e.count))
	b = appendBytes(b, key)
	b = appendBytes(b, value)
	b = binary.AppendVarint(b, int64(len(headers)))
	for i := range headers {
		b = binary.AppendVarint(b, int64(len(headers[i].Key)))
		b = append(b, headers[i].Key...)
		b = appendBytes(b, headers[i].Value)
	}
	e.b = b
	e.count++
}

// Finish writes the header and gives the bytes of Reset with the batch behind them. A batch without records is left out.
func (e *Builder) Finish() []byte {
	b := e.FinishUnsealed()
	if e.count > 0 {
		sealCRC(b[e.at:])
	}
	return b
}

// FinishUnsealed is Finish but for the CRC, for a batch that SetCodec gets next.
func (e *Builder) FinishUnsealed() []byte {
	if e.count == 0 {
		return e.b[:e.at]
	}
	b := e.b[e.at:]
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-lengthAt))
	b[16] = 2
	binary.BigEndian.PutUint32(b[23:], uint32(e.count-1))
	binary.BigEndian.PutUint64(b[27:], uint64(e.baseTime))
	binary.BigEndian.PutUint64(b[35:], uint64(e.maxTime))
	putNoProducer(b)
	binary.BigEndian.PutUint32(b[57:], uint32(e.count))
	return e.b
}

// putNoProducer says that the batch has no idempotent producer: id, epoch and base sequence -1.
func putNoProducer(b []byte) {
	binary.BigEndian.PutUint64(b[43:], 1<<64-1)
	binary.BigEndian.PutUint16(b[51:], 1<<16-1)
	binary.BigEndian.PutUint32(b[53:], 1<<32-1)
}

func varintLen(v int64) int {
	return (bits.Len64(uint64(v<<1)^uint64(v>>63)|1) + 6) / 7
}

func bytesLen(b []byte) int {
	if b == nil {
		return 1
	}
	return varintLen(int64(len(b))) + len(b)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // -1 in zigzag
	}
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}
