package broker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
)

// Bounds of transactions.
const (
	maxTransactions = 10_000
	maxTxnTimeout   = 15 * time.Minute
	txnExpiry       = 7 * 24 * time.Hour // unused transactional ids are forgotten
	lastEpoch       = 32_766             // a producer id is used up to this epoch, then another is given
)

// txnState is the state of a transactional id, with the names that DescribeTransactions gives.
type txnState string

const (
	txnEmpty          txnState = "Empty"
	txnOngoing        txnState = "Ongoing"
	txnPrepareCommit  txnState = "PrepareCommit" // decided; markers are being written
	txnPrepareAbort   txnState = "PrepareAbort"
	txnCompleteCommit txnState = "CompleteCommit"
	txnCompleteAbort  txnState = "CompleteAbort"
)

func (s txnState) prepared() bool { return s == txnPrepareCommit || s == txnPrepareAbort }

// txnRecord is a transactional id on record. A record in state CompleteCommit makes its offsets commits of their groups.
type txnRecord struct {
	ID        string          `json:"id"`
	Producer  int64           `json:"pid"`
	Epoch     int16           `json:"epoch"`
	TimeoutMs int64           `json:"timeoutMs"`
	State     txnState        `json:"state"`
	Start     int64           `json:"start,omitempty"` // of the transaction, milliseconds
	Updated   int64           `json:"updated"`
	Parts     []txnPart       `json:"parts,omitempty"`
	Groups    []string        `json:"groups,omitempty"`
	Offsets   []offsetsRecord `json:"offsets,omitempty"`
	// Who ended the last transaction, when its end raised the epoch (EndTxn 5): the same end may come again.
	EndedProducer int64 `json:"endedPid,omitempty"`
	EndedEpoch    int16 `json:"endedEpoch,omitempty"`
	Raised        bool  `json:"raised,omitempty"`
}

// txnPart is a partition of a transaction.
type txnPart struct {
	Topic     topicID `json:"topic"`
	Partition int32   `json:"partition"`
}

// transaction is one transactional id. Its mutex is taken before a partition's and meta's, and held while a change of state is synced,
// so that changes follow one another; markers are written without it, in a prepared state, which nobody else leaves.
type transaction struct {
	mu     sync.Mutex
	rec    txnRecord
	ending bool // somebody writes the markers
	gone   bool // expired: look it up again
}

// transactions is the transaction coordinator.
type transactions struct {
	b *Broker

	mu   sync.Mutex
	byID map[string]*transaction
}

// newTransactions brings back what the meta journal says: ongoing transactions go on.
func newTransactions(b *Broker) *transactions {
	ts := &transactions{b: b, byID: map[string]*transaction{}}
	for _, r := range b.meta.txnRecords() {
		ts.byID[r.ID] = &transaction{rec: r}
		if r.State == txnOngoing {
			ts.allow(&r)
		}
	}
	return ts
}

func (ts *transactions) allow(r *txnRecord) {
	for _, part := range r.Parts {
		if p := ts.partition(part); p != nil {
			p.allow(r.Producer, r.Epoch)
		}
	}
}

func (ts *transactions) partition(part txnPart) *partition {
	if t := ts.b.topics.getID(part.Topic); t != nil {
		return t.partition(part.Partition)
	}
	return nil
}

// find gives the transaction of an id, locked.
func (ts *transactions) find(id string) *transaction {
	for {
		ts.mu.Lock()
		t := ts.byID[id]
		ts.mu.Unlock()
		if t == nil {
			return nil
		}
		t.mu.Lock()
		if !t.gone {
			return t
		}
		t.mu.Unlock()
	}
}

// all lists the transactions by id.
func (ts *transactions) all() []*transaction {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	out := make([]*transaction, 0, len(ts.byID))
	for _, t := range ts.byID {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *transaction) int { return cmp.Compare(a.rec.ID, b.rec.ID) }) // an id never changes
	return out
}

// write puts a new state on record and takes it. The caller holds t.mu.
func (ts *transactions) write(t *transaction, r txnRecord) error {
	r.Updated = nowMs()
	if err := ts.b.meta.do(metaRecord{Txn: &r}); err != nil {
		return fmt.Errorf("transaction %s: %w", r.ID, err)
	}
	t.rec = r
	if r.State == txnCompleteCommit {
		t.rec.Offsets = nil
	}
	return nil
}

// refused logs why a state was not written and gives the code that clients repeat on.
func (ts *transactions) refused(err error) int16 {
	ts.b.log.Error("transaction not written", "error", err)
	return errCoordinatorNotAvailable
}

// initRequest is InitProducerId of a transactional id. Producer and epoch are what the client had, -1 when it had none.
type initRequest struct {
	id       string
	timeout  time.Duration
	producer int64
	epoch    int16
}

// init begins the life of a producer: who used the id before is fenced, and what it left open is aborted.
func (ts *transactions) init(r initRequest) (producer int64, epoch int16, code int16) {
	if r.id == "" {
		return -1, -1, errInvalidRequest
	}
	if r.timeout <= 0 || r.timeout > maxTxnTimeout {
		return -1, -1, errInvalidTxnTimeout
	}
	t, err := ts.findOrMake(r.id)
	if err != nil {
		return -1, -1, ts.refused(err)
	}
	defer t.mu.Unlock()
	if r.producer >= 0 && t.rec.Producer >= 0 && !t.mine(r.producer, r.epoch) && !t.again(r.producer, r.epoch) {
		return -1, -1, errProducerFenced
	}
	if t.rec.State == txnOngoing {
		if err := ts.write(t, t.fenced()); err != nil {
			return -1, -1, ts.refused(err)
		}
	}
	if t.rec.State.prepared() {
		if code := ts.finishLocked(t); code != errNone {
			return -1, -1, code
		}
	}
	next := t.rec
	next.State, next.TimeoutMs, next.Parts, next.Groups, next.Offsets = txnEmpty, r.timeout.Milliseconds(), nil, nil, nil
	next.Start, next.Raised = 0, false
	if err := ts.raise(&next); err != nil {
		return -1, -1, ts.refused(err)
	}
	if err := ts.write(t, next); err != nil {
		return -1, -1, ts.refused(err)
	}
	return next.Producer, next.Epoch, errNone
}

var errTooManyTransactions = fmt.Errorf("there are %d transactional ids already", maxTransactions)

// findOrMake is find, with a new transaction when there is none.
func (ts *transactions) findOrMake(id string) (*transaction, error) {
	for {
		if t := ts.find(id); t != nil {
			return t, nil
		}
		ts.mu.Lock()
		if len(ts.byID) >= maxTransactions {
			ts.mu.Unlock()
			return nil, errTooManyTransactions
		}
		if ts.byID[id] == nil {
			ts.byID[id] = &transaction{rec: txnRecord{ID: id, Producer: -1, Epoch: -1, State: txnEmpty}}
		}
		ts.mu.Unlock()
	}
}

// raise gives the next epoch of a producer, or another producer when its epochs are used up.
func (ts *transactions) raise(r *txnRecord) error {
	if r.Producer >= 0 && r.Epoch < lastEpoch {
		r.Epoch++
		return nil
	}
	id, err := ts.b.meta.producerID()
	if err != nil {
		return err
	}
	r.Producer, r.Epoch = id, 0
	return nil
}

// mine reports whether a producer and epoch are the present ones.
func (t *transaction) mine(producer int64, epoch int16) bool {
	return t.rec.Producer == producer && t.rec.Epoch == epoch
}

// again reports whether a producer and epoch are those that ended the last transaction, whose end raised the epoch.
func (t *transaction) again(producer int64, epoch int16) bool {
	return t.rec.Raised && t.rec.EndedProducer == producer && t.rec.EndedEpoch == epoch
}

// fenced is the record of an abort that the producer did not ask for: its epoch is raised, so that it learns of it.
func (t *transaction) fenced() txnRecord {
	r := t.rec
	r.State, r.Raised = txnPrepareAbort, false
	r.Epoch = min(r.Epoch+1, lastEpoch+1)
	return r
}

// check says whether a producer may change its transaction. The caller holds t.mu.
func (t *transaction) check(producer int64, epoch int16) int16 {
	switch {
	case t.rec.Producer != producer:
		return errInvalidPIDMapping
	case t.rec.Epoch != epoch:
		return errProducerFenced
	case t.rec.State.prepared():
		return errConcurrentTransactions
	}
	return errNone
}

// change runs fn on the record of a producer's ongoing transaction, which begins with it when there is none, and puts it on record.
func (ts *transactions) change(id string, producer int64, epoch int16, fn func(r *txnRecord) bool) int16 {
	t := ts.find(id)
	if t == nil {
		return errInvalidPIDMapping
	}
	defer t.mu.Unlock()
	if code := t.check(producer, epoch); code != errNone {
		return code
	}
	r := t.rec
	r.Parts, r.Groups, r.Offsets = slices.Clone(r.Parts), slices.Clone(r.Groups), slices.Clone(r.Offsets)
	if r.State != txnOngoing {
		r.State, r.Start, r.Parts, r.Groups, r.Offsets = txnOngoing, nowMs(), nil, nil, nil
	}
	if !fn(&r) {
		return errNone // nothing new
	}
	if err := ts.write(t, r); err != nil {
		return ts.refused(err)
	}
	ts.allow(&r)
	return errNone
}

// addParts takes partitions into a transaction.
func (ts *transactions) addParts(id string, producer int64, epoch int16, parts []txnPart) int16 {
	return ts.change(id, producer, epoch, func(r *txnRecord) bool {
		before := len(r.Parts)
		for _, p := range parts {
			if !slices.Contains(r.Parts, p) {
				r.Parts = append(r.Parts, p)
			}
		}
		return len(r.Parts) > before
	})
}

// addGroup takes a group's offsets into a transaction.
func (ts *transactions) addGroup(id string, producer int64, epoch int16, group string) int16 {
	return ts.change(id, producer, epoch, func(r *txnRecord) bool {
		if slices.Contains(r.Groups, group) {
			return false
		}
		r.Groups = append(r.Groups, group)
		return true
	})
}

// addOffsets keeps commits until the transaction ends. Below EndTxn 5 the group must have been added before.
func (ts *transactions) addOffsets(id string, producer int64, epoch int16, group string, offsets []offsetRecord, adds bool) int16 {
	added := true
	code := ts.change(id, producer, epoch, func(r *txnRecord) bool {
		if !slices.Contains(r.Groups, group) {
			if added = adds; !added {
				return false
			}
			r.Groups = append(r.Groups, group)
		}
		r.Offsets = append(r.Offsets, offsetsRecord{group, offsets})
		return true
	})
	if !added {
		return errInvalidTxnState
	}
	return code
}

// pending reports whether a transaction that has not ended holds a commit of a group for a place.
func (ts *transactions) pending(group string, p place) bool {
	for _, t := range ts.all() {
		t.mu.Lock()
		found := (t.rec.State == txnOngoing || t.rec.State == txnPrepareCommit) && slices.ContainsFunc(t.rec.Offsets, func(o offsetsRecord) bool {
			return o.Group == group && slices.ContainsFunc(o.Offsets, func(r offsetRecord) bool { return r.Topic == p.topic && r.Partition == p.partition })
		})
		t.mu.Unlock()
		if found {
			return true
		}
	}
	return false
}

// endRequest is EndTxn. With raise every end gives the producer its next epoch, so that what it sent before cannot come late.
type endRequest struct {
	id       string
	producer int64
	epoch    int16
	commit   bool
	raise    bool
}

// end commits or aborts: the decision is durable, then the markers are, then the offsets of groups count.
func (ts *transactions) end(r endRequest) (producer int64, epoch int16, code int16) {
	t := ts.find(r.id)
	if t == nil {
		return -1, -1, errInvalidPIDMapping
	}
	defer t.mu.Unlock()
	complete, prepare := txnCompleteAbort, txnPrepareAbort
	if r.commit {
		complete, prepare = txnCompleteCommit, txnPrepareCommit
	}
	if r.raise && t.again(r.producer, r.epoch) {
		switch t.rec.State {
		case complete:
			return t.rec.Producer, t.rec.Epoch, errNone
		case prepare:
			return -1, -1, errConcurrentTransactions
		}
		return -1, -1, errInvalidTxnState
	}
	if code := t.check(r.producer, r.epoch); code != errNone && code != errConcurrentTransactions {
		return -1, -1, code
	}
	next := t.rec
	switch {
	case t.rec.State == txnOngoing:
	case t.rec.State == prepare:
		return -1, -1, errConcurrentTransactions
	case t.rec.State == complete && !r.raise:
		return r.producer, r.epoch, errNone
	case r.raise && !r.commit && !t.rec.State.prepared(): // nothing was begun; the epoch is raised all the same
		next.Parts, next.Groups, next.Offsets = nil, nil, nil
	default:
		return -1, -1, errInvalidTxnState
	}
	next.State = prepare
	if next.Raised = r.raise; r.raise {
		next.EndedProducer, next.EndedEpoch = r.producer, r.epoch
		next.Epoch++ // at most lastEpoch+1, of a marker; finish gives another producer then
	}
	if err := ts.write(t, next); err != nil {
		return -1, -1, ts.refused(err)
	}
	if code := ts.finishLocked(t); code != errNone {
		return -1, -1, code
	}
	return t.rec.Producer, t.rec.Epoch, errNone
}

// finishLocked brings a prepared transaction to its end. The caller holds t.mu, which is let go while markers are written.
func (ts *transactions) finishLocked(t *transaction) int16 {
	if !t.rec.State.prepared() {
		return errNone
	}
	if t.ending {
		return errConcurrentTransactions
	}
	t.ending = true
	r := t.rec
	t.mu.Unlock()
	err := ts.writeMarkers(&r)
	t.mu.Lock()
	t.ending = false
	if err == nil {
		err = ts.complete(t, r)
	}
	if err != nil {
		ts.b.log.Error("transaction is decided and not ended yet", "transactional_id", r.ID, "state", string(r.State), "error", err)
		return errConcurrentTransactions // clients ask again; housekeeping goes on trying
	}
	return errNone
}

func (ts *transactions) complete(t *transaction, r txnRecord) error {
	r.Parts, r.Groups, r.Start = nil, nil, 0
	if r.State == txnPrepareCommit {
		r.State = txnCompleteCommit
		for _, o := range r.Offsets {
			ts.b.groups.get(o.Group) // a group with commits is known
		}
	} else {
		r.State, r.Offsets = txnCompleteAbort, nil
	}
	if r.Epoch > lastEpoch {
		if err := ts.raise(&r); err != nil {
			return err
		}
	}
	return ts.write(t, r)
}

// writeMarkers ends a transaction in its partitions; it returns when all markers are durable.
func (ts *transactions) writeMarkers(r *txnRecord) error {
	type written struct {
		p    *partition
		mark journal.Mark
	}
	var marks []written
	var errs []error
	for _, part := range r.Parts {
		p := ts.partition(part)
		if p == nil {
			continue // deleted
		}
		mark, err := p.endTxn(r.Producer, r.Epoch, r.State == txnPrepareCommit)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		marks = append(marks, written{p, mark})
	}
	for _, w := range marks {
		if err := w.p.sync(w.mark); err != nil && !w.p.deleted.Load() {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// house aborts what took too long, ends what was decided and is not ended, and forgets what nobody uses.
func (ts *transactions) house(now time.Time) {
	for _, t := range ts.all() {
		t.mu.Lock()
		ts.houseOne(t, now)
		t.mu.Unlock()
	}
}

func (ts *transactions) houseOne(t *transaction, now time.Time) {
	r := &t.rec
	if r.State == txnOngoing && now.UnixMilli()-r.Start > r.TimeoutMs {
		ts.b.log.Warn("transaction took too long and is aborted", "transactional_id", r.ID, "timeout_ms", r.TimeoutMs)
		if err := ts.write(t, t.fenced()); err != nil {
			ts.refused(err)
			return
		}
	}
	switch {
	case r.State.prepared():
		ts.finishLocked(t)
	case r.State != txnOngoing && now.UnixMilli()-r.Updated > txnExpiry.Milliseconds():
		if err := ts.b.meta.do(metaRecord{TxnDelete: &r.ID}); err != nil {
			ts.refused(err)
			return
		}
		t.gone = true
		ts.mu.Lock()
		delete(ts.byID, r.ID)
		ts.mu.Unlock()
	}
}

// abortStray aborts transactions in partitions that no transactional id accounts for, as after a repair of the meta journal: they would
// hold readers of committed records back for ever.
func (ts *transactions) abortStray() {
	known := map[int64]bool{}
	for _, t := range ts.all() {
		if t.rec.State == txnOngoing || t.rec.State.prepared() {
			known[t.rec.Producer] = true
		}
	}
	ts.b.eachPartition(func(p *partition) {
		for producer, epoch := range p.openTxns() {
			if known[producer] {
				continue
			}
			mark, err := p.endTxn(producer, epoch, false)
			if err == nil {
				err = p.sync(mark)
			}
			ts.b.log.Warn("transaction of no known producer aborted", "partition", p.dir, "producer_id", producer, "error", err)
		}
	})
}
