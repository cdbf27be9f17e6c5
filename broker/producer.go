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
	Batches []seqBatch `json:"batches,omitempty"`
	Txn     *int64     `json:"txn,omitempty"` // in a written state: the first offset of its open transaction
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
	newest := int32(-1) // its epoch was raised by a marker: sequences begin anew
	if len(p.Batches) > 0 {
		newest = p.Batches[len(p.Batches)-1].Last
	}
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

// marked is told of a marker: one with a higher epoch fences who used the one before.
func (ps producers) marked(id int64, epoch int16) {
	if p := ps[id]; p != nil && epoch > p.Epoch {
		p.Epoch, p.Batches = epoch, nil
	}
}

func nextSequence(s int32) int32 { return int32((int64(s) + 1) & math.MaxInt32) }

// note remembers an appended batch. Producers with an open transaction are not forgotten for it.
func (ps producers) note(h *journal.Header, b seqBatch, open map[int64]int64) {
	if h.ProducerID < 0 {
		return
	}
	p := ps[h.ProducerID]
	if p == nil {
		if len(ps) >= maxProducers {
			ps.forgetOldest(open)
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

func (ps producers) forgetOldest(open map[int64]int64) {
	oldest, used := int64(-1), int64(math.MaxInt64)
	for id, p := range ps {
		if _, busy := open[id]; p.Used < used && !busy {
			oldest, used = id, p.Used
		}
	}
	delete(ps, oldest)
}

// expire forgets producers that were silent for producerExpiry.
func (ps producers) expire(open map[int64]int64) {
	before := time.Now().Add(-producerExpiry).UnixMilli()
	for id, p := range ps {
		if _, busy := open[id]; p.Used < before && !busy {
			delete(ps, id)
		}
	}
}

// producerState is the state of a partition's journal.
type producerState struct {
	Producers producers  `json:"producers"`
	Aborted   [][3]int64 `json:"aborted,omitempty"` // producer, first offset, offset of the marker
}

// encodeState is the memory of producers and transactions as the journal keeps it. The caller holds p.mu.
func (p *partition) encodeState() ([]byte, error) {
	p.txns.forget(p.j.Start())
	s := producerState{Producers: producers{}}
	for id, pr := range p.producers {
		saved := *pr
		if first, open := p.txns.open[id]; open {
			saved.Txn = &first
		}
		s.Producers[id] = &saved
	}
	for _, a := range p.txns.aborted {
		s.Aborted = append(s.Aborted, [3]int64{a.producer, a.first, a.last})
	}
	return json.Marshal(s)
}

// loadState completes the last state of a journal by what was appended since. The caller holds p.mu or is alone.
func (p *partition) loadState() error {
	s := producerState{}
	if b := p.j.State(); b != nil {
		if err := json.Unmarshal(b, &s); err != nil {
			return fmt.Errorf("producer state: %w", err)
		}
	}
	allowed := p.txns.allowed
	p.producers, p.txns = producers{}, newTxnLog()
	if allowed != nil {
		p.txns.allowed = allowed
	}
	for id, pr := range s.Producers {
		if pr == nil || len(pr.Batches) > rememberedBatches {
			continue
		}
		if pr.Txn != nil {
			p.txns.open[id] = *pr.Txn
			pr.Txn = nil
		}
		p.producers[id] = pr
	}
	for _, a := range s.Aborted {
		p.txns.aborted = append(p.txns.aborted, abortedTxn{a[0], a[1], a[2]})
	}
	return p.j.ReplayBatches(p.j.StateOffset(), p.replay)
}

// replay takes one batch of the journal into the memory.
func (p *partition) replay(h journal.Header, b []byte) error {
	if h.Attributes&journal.AttrControl == 0 {
		p.producers.note(&h, batchSeen(&h, h.BaseOffset), p.txns.open)
		p.txns.note(&h, h.BaseOffset)
		return nil
	}
	commit, err := markerKind(b)
	if err != nil {
		return fmt.Errorf("marker at offset %d: %w", h.BaseOffset, err)
	}
	p.txns.end(h.ProducerID, h.BaseOffset, commit)
	p.producers.marked(h.ProducerID, h.ProducerEpoch)
	return nil
}

// batchSeen is how a batch is remembered.
func batchSeen(h *journal.Header, base int64) seqBatch {
	b := seqBatch{First: h.BaseSequence, Last: lastSequence(h), Base: base, Time: -1}
	if h.Attributes&journal.AttrLogAppendTime != 0 {
		b.Time = h.MaxTime
	}
	return b
}
