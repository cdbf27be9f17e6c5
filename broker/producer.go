package broker

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/weirlog/weir/journal"
)

// Bounds of what a partition remembers of idempotent producers.
const (
	rememberedBatches = 5      // a client has at most so many requests in flight
	maxProducers      = 10_000 // per partition; past it the longest unused is forgotten
	producerExpiry    = 24 * time.Hour
)

// producers is a partition's memory of idempotent producers, by producer id. It belongs to partition.mu.
type producers map[int64]*producer

// producer is the last epoch of a producer id and its last batches, oldest first.
type producer struct {
	Epoch   int16      `json:"epoch"`
	Used    int64      `json:"used"` // time of its last batch, milliseconds
	Batches []seqBatch `json:"batches"`
}

// seqBatch is one batch of a producer. Its mark is zero when it is known durable.
type seqBatch struct {
	First int32 `json:"first"`
	Last  int32 `json:"last"`
	Base  int64 `json:"base"`
	Time  int64 `json:"time"` // append time, milliseconds; -1 when the topic keeps the producer's time
	mark  journal.Mark
}

// check says whether a batch follows what its producer sent before. A repeat is no error: it is the remembered batch.
func (ps producers) check(h *journal.Header) (repeat *seqBatch, code int16) {
	p := ps[h.ProducerID]
	switch {
	case h.ProducerID < 0 || p == nil:
		return nil, errNone
	case h.ProducerEpoch < p.Epoch:
		return nil, errInvalidProducerEpoch
	case h.ProducerEpoch > p.Epoch:
		if h.BaseSequence != 0 {
			return nil, errOutOfOrderSequence
		}
		return nil, errNone
	}
	last := lastSequence(h)
	for i := range p.Batches {
		if b := &p.Batches[i]; b.First == h.BaseSequence && b.Last == last {
			return b, errNone
		}
	}
	newest := p.Batches[len(p.Batches)-1].Last
	switch {
	case h.BaseSequence == nextSequence(newest):
		return nil, errNone
	case h.BaseSequence <= newest:
		return nil, errDuplicateSequence
	}
	return nil, errOutOfOrderSequence
}

// lastSequence is the sequence of a batch's last record; sequences wrap from 2^31-1 to 0.
func lastSequence(h *journal.Header) int32 {
	return int32((int64(h.BaseSequence) + int64(h.LastOffsetDelta)) & math.MaxInt32)
}

func nextSequence(s int32) int32 { return int32((int64(s) + 1) & math.MaxInt32) }

// note remembers an appended batch.
func (ps producers) note(h *journal.Header, b seqBatch) {
	if h.ProducerID < 0 {
		return
	}
	p := ps[h.ProducerID]
	if p == nil {
		if len(ps) >= maxProducers {
			ps.forgetOldest()
		}
		p = &producer{}
		ps[h.ProducerID] = p
	}
	if h.ProducerEpoch != p.Epoch {
		p.Epoch, p.Batches = h.ProducerEpoch, nil
	}
	if len(p.Batches) == rememberedBatches {
		p.Batches = slices.Delete(p.Batches, 0, 1)
	}
	p.Used = nowMs()
	p.Batches = append(p.Batches, b)
}

func (ps producers) forgetOldest() {
	oldest, used := int64(-1), int64(math.MaxInt64)
	for id, p := range ps {
		if p.Used < used {
			oldest, used = id, p.Used
		}
	}
	delete(ps, oldest)
}

// expire forgets producers that were silent for producerExpiry.
func (ps producers) expire() {
	before := time.Now().Add(-producerExpiry).UnixMilli()
	for id, p := range ps {
		if p.Used < before {
			delete(ps, id)
		}
	}
}

// producerState is the state of a partition's journal.
type producerState struct {
	Producers producers `json:"producers"`
}

func (ps producers) encode() ([]byte, error) { return json.Marshal(producerState{ps}) }

// loadProducers completes the last state of a journal by what was appended since.
func loadProducers(j *journal.Journal) (producers, error) {
	s := producerState{Producers: producers{}}
	if b := j.State(); b != nil {
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, fmt.Errorf("producer state: %w", err)
		}
	}
	if s.Producers == nil {
		s.Producers = producers{}
	}
	for id, p := range s.Producers {
		if p == nil || len(p.Batches) == 0 || len(p.Batches) > rememberedBatches {
			delete(s.Producers, id)
		}
	}
	err := j.ReplayBatches(j.StateOffset(), func(h journal.Header, _ []byte) error {
		s.Producers.note(&h, batchSeen(&h, h.BaseOffset))
		return nil
	})
	return s.Producers, err
}

// batchSeen is how a batch is remembered.
func batchSeen(h *journal.Header, base int64) seqBatch {
	b := seqBatch{First: h.BaseSequence, Last: lastSequence(h), Base: base, Time: -1}
	if h.Attributes&journal.AttrLogAppendTime != 0 {
		b.Time = h.MaxTime
	}
	return b
}
