package broker

import (
	"encoding/binary"
	"time"

	"github.com/weirlog/weir/journal"
)

// attrReserved is attribute bit 15, which no client may set.
const attrReserved = -1 << 15

// badBatch is a refused batch: the code and, for people, why.
type badBatch struct {
	code int16
	why  string
}

// checkBatch checks what a client sent as the records of a partition: exactly one whole batch that every reader can take apart. The
// records of a compressed batch are not opened.
func checkBatch(b []byte, cfg *topicConfig, version int16) (journal.Header, *badBatch) {
	if len(b) < journal.HeaderSize {
		return journal.Header{}, &badBatch{errCorruptMessage, "shorter than a batch header"}
	}
	if b[16] != 2 {
		return journal.Header{}, &badBatch{errInvalidRecord, "message format is not 2"}
	}
	h, err := journal.ParseHeader(b)
	if err != nil {
		return h, &badBatch{errCorruptMessage, err.Error()}
	}
	switch {
	case h.Size() > len(b):
		return h, &badBatch{errCorruptMessage, "batch is cut short"}
	case h.Size() < len(b):
		return h, &badBatch{errInvalidRecord, "more than one batch"}
	case h.BaseOffset != 0:
		return h, &badBatch{errInvalidRecord, "base offset is not 0"}
	case len(b) > cfg.maxMessage:
		return h, &badBatch{errMessageTooLarge, "batch is larger than max.message.bytes"}
	}
	if err := journal.Verify(b); err != nil {
		return h, &badBatch{errCorruptMessage, err.Error()}
	}
	if bad := checkHeader(&h, cfg, version); bad != nil {
		return h, bad
	}
	if h.Codec() == journal.CodecNone {
		return h, checkRecords(&h, b[journal.HeaderSize:])
	}
	return h, nil
}

func checkHeader(h *journal.Header, cfg *topicConfig, version int16) *badBatch {
	now := time.Now().UnixMilli()
	switch {
	case h.Attributes&(journal.AttrControl|attrReserved) != 0:
		return &badBatch{errInvalidRecord, "control and reserved bits are the broker's"}
	case h.Attributes&journal.AttrTransactional != 0 && h.ProducerID < 0:
		return &badBatch{errInvalidRecord, "a transactional batch has no producer"}
	case h.Count < 1 || h.LastOffsetDelta != h.Count-1:
		return &badBatch{errInvalidRecord, "record count does not match the offsets"}
	case h.Codec() > journal.CodecZstd, h.Codec() == journal.CodecZstd && version < 7:
		return &badBatch{errUnsupportedCompression, "unsupported compression"}
	case h.ProducerID >= 0 && (h.ProducerEpoch < 0 || h.BaseSequence < 0):
		return &badBatch{errInvalidRecord, "producer epoch or sequence is negative"}
	case !cfg.appendTime && h.MaxTime >= 0 && (h.MaxTime-now > cfg.afterMax || now-h.MaxTime > cfg.beforeMax):
		return &badBatch{errInvalidTimestamp, "time of a record is too far from the broker's"}
	}
	return nil
}

// checkRecords walks the records: count, lengths, and offsets 0, 1, 2 ... Nothing is kept of them.
func checkRecords(h *journal.Header, b []byte) *badBatch {
	for n := range int64(h.Count) {
		size, w := binary.Varint(b)
		if w <= 0 || size < 0 || size > int64(len(b)-w) {
			return &badBatch{errInvalidRecord, "record length"}
		}
		if !checkRecord(b[w:w+int(size)], n) {
			return &badBatch{errInvalidRecord, "record layout"}
		}
		b = b[w+int(size):]
	}
	if len(b) > 0 {
		return &badBatch{errInvalidRecord, "bytes after the last record"}
	}
	return nil
}

// checkRecord walks one record: attributes, time delta, offset delta, key, value, headers.
func checkRecord(b []byte, offset int64) bool {
	if len(b) == 0 {
		return false
	}
	w := walker{b: b[1:]}
	w.varint()
	if w.varint() != offset {
		return false
	}
	w.bytes(true)
	w.bytes(true)
	headers := w.varint()
	if headers < 0 || headers > int64(len(w.b)) {
		return false
	}
	for range headers {
		w.bytes(false)
		w.bytes(true)
	}
	return !w.bad && len(w.b) == 0
}

// walker steps over varints and byte strings.
type walker struct {
	b   []byte
	bad bool
}

func (w *walker) varint() int64 {
	v, n := binary.Varint(w.b)
	if n <= 0 {
		w.bad = true
		return -1
	}
	w.b = w.b[n:]
	return v
}

func (w *walker) bytes(nullable bool) {
	n := w.varint()
	switch {
	case w.bad:
	case n == -1 && nullable:
	case n < 0 || n > int64(len(w.b)):
		w.bad = true
	default:
		w.b = w.b[n:]
	}
}
