package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Sizes of the frame, in bytes.
const (
	HeaderSize = 61        // from the base offset to the record count
	lengthAt   = 12        // the length field counts from here
	minLength  = 49        // the least value of the length field: HeaderSize - lengthAt
	crcFrom    = 21        // the CRC covers the bytes from here to the end
	MaxBatch   = 128 << 20 // the longest batch a journal takes
)

// Attribute bits of a batch.
const (
	AttrCodec         = 0x0007 // compression: CodecNone ... CodecZstd
	AttrLogAppendTime = 0x0008 // every record has the time of the append, which is the maximum timestamp
	AttrTransactional = 0x0010
	AttrControl       = 0x0020 // holds a commit or abort marker, no data
)

// Values of AttrCodec.
const (
	CodecNone = iota
	CodecGzip
	CodecSnappy
	CodecLZ4
	CodecZstd
)

// Errors about the bytes of a batch. ErrShort means that the frame goes on past the bytes given.
var (
	ErrShort   = errors.New("batch is cut short")
	ErrCorrupt = errors.New("batch is corrupt")
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header is the fixed part of a record batch v2. All integers are big-endian on disk; times are milliseconds since 1970.
type Header struct {
	BaseOffset      int64
	Length          int32 // bytes after this field
	LeaderEpoch     int32
	Magic           int8
	CRC             uint32
	Attributes      int16
	LastOffsetDelta int32
	BaseTime        int64
	MaxTime         int64
	ProducerID      int64 // -1 when the producer is not idempotent
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32
}

// Size is the whole batch in bytes.
func (h *Header) Size() int { return int(h.Length) + lengthAt }

// Next is the offset after the batch.
func (h *Header) Next() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) + 1 }

// Codec is the compression of the records.
func (h *Header) Codec() int { return int(h.Attributes & AttrCodec) }

// ParseHeader reads the header at the start of b and checks what can be checked without the records: magic, a length that a
// batch can have, a last offset delta that is not negative. The batch may go on past b: compare Size with len(b).
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, ErrShort
	}
	h := Header{
		BaseOffset:      int64(binary.BigEndian.Uint64(b)),
		Length:          int32(binary.BigEndian.Uint32(b[8:])),
		LeaderEpoch:     int32(binary.BigEndian.Uint32(b[12:])),
		Magic:           int8(b[16]),
		CRC:             binary.BigEndian.Uint32(b[17:]),
		Attributes:      int16(binary.BigEndian.Uint16(b[21:])),
		LastOffsetDelta: int32(binary.BigEndian.Uint32(b[23:])),
		BaseTime:        int64(binary.BigEndian.Uint64(b[27:])),
		MaxTime:         int64(binary.BigEndian.Uint64(b[35:])),
		ProducerID:      int64(binary.BigEndian.Uint64(b[43:])),
		ProducerEpoch:   int16(binary.BigEndian.Uint16(b[51:])),
		BaseSequence:    int32(binary.BigEndian.Uint32(b[53:])),
		Count:           int32(binary.BigEndian.Uint32(b[57:])),
	}
	switch {
	case h.Magic != 2:
		return h, fmt.Errorf("%w: magic %d, want 2", ErrCorrupt, h.Magic)
	case h.Length < minLength || int64(h.Length) > MaxBatch-lengthAt:
		return h, fmt.Errorf("%w: length %d", ErrCorrupt, h.Length)
	case h.LastOffsetDelta < 0 || h.Count < 0 || h.BaseOffset < 0 || h.BaseOffset > maxOffset:
		return h, fmt.Errorf("%w: offset %d, last delta %d, count %d", ErrCorrupt, h.BaseOffset, h.LastOffsetDelta, h.Count)
	}
	return h, nil
}

// maxOffset keeps sums of offsets and deltas far from the end of int64.
const maxOffset = 1 << 62

// Verify checks that b is exactly one whole batch with the right CRC.
func Verify(b []byte) error {
	h, err := ParseHeader(b)
	if err != nil {
		return err
	}
	if h.Size() != len(b) {
		return fmt.Errorf("%w: %d bytes, the header says %d", ErrShort, len(b), h.Size())
	}
	return verifyCRC(&h, b)
}

func verifyCRC(h *Header, b []byte) error {
	if sum := crc32.Checksum(b[crcFrom:], castagnoli); sum != h.CRC {
		return fmt.Errorf("%w: CRC %08x, the header says %08x", ErrCorrupt, sum, h.CRC)
	}
	return nil
}

// stamp writes what the journal owns into a batch: the base offset and the leader epoch. Neither is under the CRC.
func stamp(b []byte, base int64, epoch int32) {
	binary.BigEndian.PutUint64(b, uint64(base))
	binary.BigEndian.PutUint32(b[12:], uint32(epoch))
}

// SetLogAppendTime gives all records of b, one whole batch, the time ms and makes the CRC right again.
func SetLogAppendTime(b []byte, ms int64) {
	binary.BigEndian.PutUint16(b[21:], binary.BigEndian.Uint16(b[21:])|AttrLogAppendTime)
	binary.BigEndian.PutUint64(b[35:], uint64(ms))
	sealCRC(b)
}

// SetCodec makes the header of b, one whole batch, right again after its records were replaced by themselves compressed with codec,
// or left as they are for CodecNone.
func SetCodec(b []byte, codec int) {
	binary.BigEndian.PutUint32(b[8:], uint32(len(b)-lengthAt))
	binary.BigEndian.PutUint16(b[21:], binary.BigEndian.Uint16(b[21:])&^AttrCodec|uint16(codec))
	sealCRC(b)
}

func sealCRC(b []byte) {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[crcFrom:], castagnoli))
}

// SetProducer names the producer of b, one whole batch, sets attribute bits, and makes the CRC right again.
func SetProducer(b []byte, attributes int16, id int64, epoch int16, sequence int32) {
	binary.BigEndian.PutUint16(b[21:], binary.BigEndian.Uint16(b[21:])|uint16(attributes))
	binary.BigEndian.PutUint64(b[43:], uint64(id))
	binary.BigEndian.PutUint16(b[51:], uint16(epoch))
	binary.BigEndian.PutUint32(b[53:], uint32(sequence))
	sealCRC(b)
}
