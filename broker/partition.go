package broker

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// partition is one partition: a journal and the memory of its producers.
type partition struct {
	topic *topic
	n     int32
	dir   string
	j     *journal.Journal

	mu        sync.Mutex // orders appends with the sequences they carry
	producers producers
	txns      txnLog
	cleaned   int64 // compacted up to here; of the compaction's goroutine
	lastTime  int64 // latest append time given, so that it never goes back

	deleted   atomic.Bool
	packPause atomic.Int32 // batches of this process that are not tried to compress
	offline   error        // why the partition cannot be used; set before it is published

	appendedRecords, appendedBytes, fetchedRecords, fetchedBytes atomic.Int64
}

// appended is where a batch went.
type appended struct {
	base int64
	mark journal.Mark
	time int64 // append time in milliseconds, -1 when the producer's time is kept
}

// append writes a checked batch. It is durable after j.Sync of the mark; a repeat gets the mark and offset of the first time.
func (p *partition) append(h *journal.Header, b []byte, cfg *topicConfig) (appended, int16, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if code, err := p.writable(); code != errNone {
		return appended{}, code, err
	}
	repeat, code := p.producers.check(h)
	if code != errNone {
		return appended{}, code, nil
	}
	if repeat != nil {
		return appended{repeat.Base, repeat.mark, repeat.Time}, errNone, nil
	}
	if code := p.txns.admit(h); code != errNone {
		return appended{}, code, nil
	}
	at := int64(-1)
	if cfg.appendTime {
		p.lastTime = max(p.lastTime, nowMs())
		at = p.lastTime
		b = append([]byte(nil), b...)
		journal.SetLogAppendTime(b, at)
	}
	mark, err := p.j.Append(b)
	if err != nil {
		return appended{}, appendCode(err), fmt.Errorf("append to %s: %w", p.dir, err)
	}
	p.note(h, mark, at)
	return appended{mark.Base, mark, at}, errNone, nil
}

// note remembers the batch of an idempotent producer and counts it. The caller holds p.mu.
func (p *partition) note(h *journal.Header, mark journal.Mark, at int64) {
	if h.ProducerID >= 0 {
		seen := batchSeen(h, mark.Base)
		seen.Time, seen.mark = at, mark
		p.producers.note(h, seen, p.txns.open)
		p.txns.note(h, mark.Base)
	}
	p.appendedRecords.Add(int64(h.Count))
	p.appendedBytes.Add(int64(h.Size()))
}

// appendBuilt writes batches of this process's own making, which are in s; without s they are copied.
func (p *partition) appendBuilt(s *journal.Slab, b []byte, records int) (journal.Mark, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.writable(); err != nil {
		return journal.Mark{}, err
	}
	mark, err := p.j.AppendSlab(s, b)
	if err != nil {
		return mark, fmt.Errorf("append to %s: %w", p.dir, err)
	}
	p.appendedRecords.Add(int64(records))
	p.appendedBytes.Add(int64(len(b)))
	return mark, nil
}

// writable says whether anything may be appended now.
func (p *partition) writable() (int16, error) {
	switch {
	case p.deleted.Load():
		return errUnknownTopicOrPartition, errTopicDeleted
	case p.offline != nil:
		return errStorage, p.offline
	case p.topic.broker.full.Load():
		return errStorage, errDiskFloor
	}
	return errNone, nil
}

var (
	errDiskFloor    = errors.New("free disk space is under disk.floor")
	errTopicDeleted = errors.New("topic is deleted")
)

// appendCode is the protocol's word for a failed append.
func appendCode(err error) int16 {
	switch {
	case errors.Is(err, journal.ErrTooLarge):
		return errMessageTooLarge
	case errors.Is(err, journal.ErrCorrupt), errors.Is(err, journal.ErrShort):
		return errCorruptMessage
	}
	return errStorage
}

// isFull reports whether an append failed for want of space or of a healthy disk, which may pass.
func isFull(err error) bool {
	return vfs.IsFull(err) || errors.Is(err, errDiskFloor) || errors.Is(err, journal.ErrPoisoned)
}

// checkpoint writes the producers' state, so that the next start reads only what follows.
func (p *partition) checkpoint() error {
	if p.offline != nil || p.deleted.Load() {
		return nil
	}
	p.mu.Lock()
	p.producers.expire(p.txns.open)
	state, err := p.encodeState()
	at := p.j.End()
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode producers of %s: %w", p.dir, err)
	}
	return p.j.CheckpointAt(at, state)
}

// reopen begins a new life of the journal after a failed sync. What was appended and not durable is gone, and with it the sequences.
func (p *partition) reopen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.j.Reopen(); err != nil {
		return err
	}
	if err := p.loadState(); err != nil {
		return fmt.Errorf("reopen %s: %w", p.dir, err)
	}
	return nil
}

// close writes a last checkpoint and closes the journal.
func (p *partition) close() error {
	if p.offline != nil || p.j == nil {
		return nil
	}
	var err error
	if p.j.Poisoned() == nil && !p.deleted.Load() {
		err = p.checkpoint()
	}
	return errors.Join(err, p.j.Close())
}

// lag is how long ago the oldest record at or after offset was produced; 0 when all is read.
func (p *partition) lag(offset int64) time.Duration {
	if p.offline != nil || offset >= p.j.DurableEnd() {
		return 0
	}
	span, err := p.j.Read(max(offset, p.j.Start()), 1)
	if err != nil {
		return 0
	}
	defer span.Release()
	h, err := journal.ParseHeader(span.Bytes())
	if err != nil {
		return 0
	}
	return max(0, time.Since(time.UnixMilli(h.BaseTime)))
}
