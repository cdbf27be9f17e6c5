package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/weirlog/weir/journal"
)

// txnLog is a partition's memory of transactions. It belongs to partition.mu.
type txnLog struct {
	allowed map[int64]int16 // producers whose transaction has this partition, on record, with their epoch
	open    map[int64]int64 // producers with records of a transaction that has not ended, with its first offset
	aborted []abortedTxn    // by the offsets of their markers, ascending
}

// abortedTxn is the records of an aborted transaction in a partition: from the first to the marker.
type abortedTxn struct {
	producer, first, last int64
}

func newTxnLog() txnLog { return txnLog{allowed: map[int64]int16{}, open: map[int64]int64{}} }

// Types of control records.
const (
	controlAbort  = 0
	controlCommit = 1
)

// coordinatorEpoch is written into markers: there is one coordinator.
const coordinatorEpoch = 0

// markerBatch is the control batch that ends a producer's transaction in a partition: one record with
//
//	key    int16 0, int16 0 for abort or 1 for commit
//	value  int16 0, int32 coordinator epoch
func markerBatch(producer int64, epoch int16, commit bool) []byte {
	kind := uint16(controlAbort)
	if commit {
		kind = controlCommit
	}
	key := binary.BigEndian.AppendUint16([]byte{0, 0}, kind)
	value := binary.BigEndian.AppendUint32([]byte{0, 0}, coordinatorEpoch)
	var e journal.Builder
	e.Reset(nil)
	e.Add(nowMs(), key, value, nil)
	b := e.FinishUnsealed()
	journal.SetCodec(b, journal.CodecNone)
	journal.SetProducer(b, journal.AttrTransactional|journal.AttrControl, producer, epoch, -1)
	return b
}

// markerKind reads a control batch: what became of the transaction.
func markerKind(b []byte) (commit bool, err error) {
	it, err := journal.Records(b)
	if err != nil {
		return false, err
	}
	var r journal.Record
	if !it.Next(&r) || len(r.Key) < 4 {
		return false, fmt.Errorf("control record: %w", errors.Join(it.Err(), journal.ErrCorrupt))
	}
	return binary.BigEndian.Uint16(r.Key[2:]) == controlCommit, nil
}

// admit says whether a batch may be appended as far as transactions go.
func (l *txnLog) admit(h *journal.Header) int16 {
	_, open := l.open[h.ProducerID]
	if h.Attributes&journal.AttrTransactional == 0 {
		if h.ProducerID >= 0 && open {
			return errInvalidTxnState
		}
		return errNone
	}
	epoch, ok := l.allowed[h.ProducerID]
	switch {
	case !ok:
		return errInvalidTxnState
	case h.ProducerEpoch < epoch:
		return errInvalidProducerEpoch
	case h.ProducerEpoch > epoch:
		return errInvalidTxnState
	}
	return errNone
}

// note remembers the first record of a transaction.
func (l *txnLog) note(h *journal.Header, base int64) {
	if h.Attributes&journal.AttrTransactional == 0 || h.Attributes&journal.AttrControl != 0 {
		return
	}
	if _, open := l.open[h.ProducerID]; !open {
		l.open[h.ProducerID] = base
	}
}

// end remembers that a marker at an offset ended a producer's transaction.
func (l *txnLog) end(producer, at int64, commit bool) {
	first, open := l.open[producer]
	delete(l.open, producer)
	if open && !commit {
		l.aborted = append(l.aborted, abortedTxn{producer, first, at})
	}
}

// stable is the last stable offset: the first record of the oldest open transaction, or end.
func (l *txnLog) stable(end int64) int64 {
	for _, first := range l.open {
		end = min(end, first)
	}
	return end
}

// abortedIn lists the aborted transactions with records in [from, to).
func (l *txnLog) abortedIn(from, to int64) []abortedTxn {
	i := sort.Search(len(l.aborted), func(i int) bool { return l.aborted[i].last >= from })
	var out []abortedTxn
	for _, a := range l.aborted[i:] {
		if a.first < to {
			out = append(out, a)
		}
	}
	return out
}

// forget drops what lies before the start of the partition.
func (l *txnLog) forget(start int64) {
	i := sort.Search(len(l.aborted), func(i int) bool { return l.aborted[i].last >= start })
	l.aborted = slices.Delete(l.aborted, 0, i)
}

// allow takes a partition into a producer's transaction. The transaction is on record as having it.
func (p *partition) allow(producer int64, epoch int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offline == nil {
		p.txns.allowed[producer] = epoch
	}
}

// allowed reports whether a producer's transaction has the partition.
func (p *partition) allowed(producer int64, epoch int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.txns.allowed[producer]
	return ok && e == epoch
}

// endTxn appends the marker that ends a producer's transaction; it counts once the mark is synced. Without records of the transaction
// no marker is needed.
func (p *partition) endTxn(producer int64, epoch int16, commit bool) (journal.Mark, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.txns.allowed, producer)
	if p.deleted.Load() || p.offline != nil {
		return journal.Mark{}, nil
	}
	if err := p.j.Poisoned(); err != nil {
		return journal.Mark{}, err // a marker of before may be lost; after the reopening the transaction is open again
	}
	if _, open := p.txns.open[producer]; !open {
		return journal.Mark{}, nil
	}
	mark, err := p.j.Append(markerBatch(producer, epoch, commit))
	if err != nil {
		return mark, fmt.Errorf("append marker to %s: %w", p.dir, err)
	}
	p.txns.end(producer, mark.Base, commit)
	p.producers.marked(producer, epoch)
	return mark, nil
}

// stable is the last stable offset as readers may see it.
func (p *partition) stable() int64 {
	end := p.j.DurableEnd()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.txns.stable(end)
}

// abortedIn lists the aborted transactions with records in [from, to).
func (p *partition) abortedIn(from, to int64) []abortedTxn {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.txns.abortedIn(from, to)
}

// openTxns lists the producers with an open transaction, with their epochs.
func (p *partition) openTxns() map[int64]int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[int64]int16{}
	for id := range p.txns.open {
		if pr := p.producers[id]; pr != nil {
			out[id] = pr.Epoch
		}
	}
	return out
}
