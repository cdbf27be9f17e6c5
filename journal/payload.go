package journal

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// payloadOverhead bounds what a payload's batch has besides the payload.
const payloadOverhead = HeaderSize + 5 + 3*binary.MaxVarintLen64

// AppendPayload writes p as a batch of one record whose value is the durable end known now, as uvarint, and p. One payload takes one
// offset. It is not yet durable: Sync the mark. p is the caller's again on return.
func (j *Journal) AppendPayload(p []byte) (Mark, error) {
	if len(p) > MaxBatch-payloadOverhead {
		return Mark{}, fmt.Errorf("%w: payload of %d bytes", ErrTooLarge, len(p))
	}
	j.wmu.Lock()
	defer j.wmu.Unlock()
	defer j.endWrite()
	if err := j.prepareLocked(int64(len(p) + payloadOverhead)); err != nil {
		return Mark{}, err
	}
	l := layPayload(len(p), uint64(j.DurableEnd()))
	s, from := j.tail.room(j.pool, l.total)
	ms := j.cfg.Now().UnixMilli()
	l.encode(s.b[from:from+l.total], p, ms)
	return j.commitLocked(s, from, l.total, 1)
}

// payloadLayout is the sizes of a payload's batch.
type payloadLayout struct {
	synced             uint64
	value, body, total int
}

func layPayload(n int, synced uint64) payloadLayout {
	l := payloadLayout{synced: synced}
	l.value = uvarintLen(synced) + n
	l.body = 5 + varintLen(int64(l.value)) + l.value // attributes, time delta, offset delta, null key, no headers
	l.total = HeaderSize + varintLen(int64(l.body)) + l.body
	return l
}

// encode fills dst, of l.total bytes.
func (l payloadLayout) encode(dst, p []byte, ms int64) {
	clear(dst[:HeaderSize])
	binary.BigEndian.PutUint32(dst[8:], uint32(l.total-lengthAt))
	dst[16] = 2
	binary.BigEndian.PutUint64(dst[27:], uint64(ms))
	binary.BigEndian.PutUint64(dst[35:], uint64(ms))
	putNoProducer(dst)
	binary.BigEndian.PutUint32(dst[57:], 1)
	b := binary.AppendVarint(dst[:HeaderSize], int64(l.body))
	b = append(b, 0, 0, 0, 1)
	b = binary.AppendVarint(b, int64(l.value))
	b = binary.AppendUvarint(b, l.synced)
	b = append(b, p...)
	_ = append(b, 0)
	sealCRC(dst)
}

func uvarintLen(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// splitPayload takes a payload's batch apart.
func splitPayload(b []byte) (synced int64, p []byte, err error) {
	it, err := Records(b)
	if err != nil {
		return 0, nil, err
	}
	var r Record
	if !it.Next(&r) {
		return 0, nil, fmt.Errorf("%w: no record: %w", ErrCorrupt, it.Err())
	}
	v, n := binary.Uvarint(r.Value)
	if n <= 0 || v > maxOffset {
		return 0, nil, fmt.Errorf("%w: payload without its synced prefix", ErrCorrupt)
	}
	return int64(v), r.Value[n:], nil
}

// replayChunk is how many bytes Replay reads at a time.
const replayChunk = 1 << 20

// Replay calls fn for each durable payload from offset from on, without its prefix; p is valid during the call. It ends at the
// durable end of the moment it began, or with the first error.
func (j *Journal) Replay(from int64, fn func(offset int64, p []byte) error) error {
	return j.ReplayBatches(from, func(h Header, b []byte) error {
		if h.BaseOffset < from {
			return nil
		}
		_, p, err := splitPayload(b)
		if err != nil {
			return fmt.Errorf("payload at offset %d: %w", h.BaseOffset, err)
		}
		return fn(h.BaseOffset, p)
	})
}

// ReplayBatches calls fn for each durable batch from the one that contains from on; b is valid during the call. Holes are stepped
// over in a journal of partitions; in one of our own payloads only those that Repair accepted.
func (j *Journal) ReplayBatches(from int64, fn func(h Header, b []byte) error) error {
	end := j.DurableEnd()
	from = max(from, j.Start())
	for from < end {
		span, err := j.Read(from, replayChunk)
		if hole := asHole(err); hole != nil && (!j.cfg.Own || hole.Accepted) {
			from = hole.To
			continue
		}
		if err != nil {
			return fmt.Errorf("replay journal %s at offset %d: %w", j.cfg.Dir, from, err)
		}
		err = eachBatch(span.Bytes(), fn)
		from = span.Next
		span.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func eachBatch(b []byte, fn func(h Header, b []byte) error) error {
	for len(b) > 0 {
		h, err := ParseHeader(b)
		if err != nil {
			return err
		}
		if err := fn(h, b[:h.Size()]); err != nil {
			return err
		}
		b = b[h.Size():]
	}
	return nil
}
