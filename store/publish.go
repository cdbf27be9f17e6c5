package store

import (
	"fmt"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
)

// inflight is a batch whose record is written and not known to be durable: its rows are in the heads, and nobody sees them.
type inflight struct {
	end     int64 // journal offset behind its record
	heads   []touched
	dead    []deadRow
	undos   []undoID
	rec     record
	group   *group
	repeats int64
	state   inflightState
}

type inflightState uint8

const (
	pending inflightState = iota
	published
	failed
)

// touched is a head and how many rows it has behind the batch; from is its first row.
type touched struct {
	h    *head
	from uint32
	rows uint32
}

// deadRow is a row that the batch replaced or deleted.
type deadRow struct {
	h   *head
	seg *segmentFile
	row uint32
}

// undoID is what a head knew of an id before.
type undoID struct {
	h   *head
	id  []byte
	was idState
}

// put adds a document to its index's head.
func (inf *inflight) put(ix *index, r *recordOp, doc mapping.Doc, docs *mapping.Docs, toks *tokens, old location, now int64) {
	h := ix.head()
	if r.id != nil {
		inf.note(h, r.id)
	}
	row := h.append(&appended{docs: docs, doc: &doc, tokens: toks, id: r.id, seq: r.seq, version: r.version, routing: r.routing, size: r.size, origin: r.origin, now: now})
	inf.touch(h, row)
	inf.bury(old)
}

func (inf *inflight) note(h *head, id []byte) {
	st, known := h.findID(id)
	if !known {
		st = idState{row: noRow, seq: -1}
	}
	inf.undos = append(inf.undos, undoID{h, id, st})
}

// touch notes that a head has a row of this batch.
func (inf *inflight) touch(h *head, row uint32) {
	for i := range inf.heads {
		if inf.heads[i].h == h {
			inf.heads[i].rows = row + 1
			return
		}
	}
	inf.heads = append(inf.heads, touched{h, row, row + 1})
}

func (inf *inflight) bury(old location) {
	if old.found {
		inf.dead = append(inf.dead, deadRow{old.h, old.seg, old.row})
	}
}

// delete notes a deletion in the head.
func (inf *inflight) delete(ix *index, r *recordOp, old location, now int64) {
	h := ix.head()
	was := h.setID(r.id, idState{row: noRow, version: r.version, seq: r.seq, at: now})
	inf.undos = append(inf.undos, undoID{h, r.id, was})
	inf.bury(old)
}

// undo takes the batch out of memory again: what heads knew of ids comes back, its rows are dead for ever.
func (inf *inflight) undo() {
	for i := len(inf.undos) - 1; i >= 0; i-- {
		u := &inf.undos[i]
		u.h.setID(u.id, u.was)
	}
	for _, t := range inf.heads {
		var rows []uint32
		for r := t.from; r < t.rows; r++ {
			rows = append(rows, r)
		}
		t.h.publish(0, rows)
	}
	inf.state = failed
}

// publish shows the batch to readers.
func (inf *inflight) publish() {
	byHead := map[*head][]uint32{}
	bySeg := map[*segmentFile][]uint32{}
	for _, d := range inf.dead {
		if d.seg != nil {
			bySeg[d.seg] = append(bySeg[d.seg], d.row)
		} else {
			byHead[d.h] = append(byHead[d.h], d.row)
		}
	}
	for _, t := range inf.heads {
		t.h.publish(t.rows, byHead[t.h])
		delete(byHead, t.h)
	}
	for h, rows := range byHead {
		if h.into != nil {
			h.into.bury(rows)
			continue
		}
		h.publish(0, rows)
	}
	for s, rows := range bySeg {
		s.bury(rows)
	}
	if inf.group != nil {
		inf.group.apply(&inf.rec, inf.repeats)
	}
	inf.state = published
}

// settle waits until the batch is durable and shows it, with all before it.
func (s *Store) settle(inf *inflight, mark journal.Mark) error {
	if inf == nil {
		return nil
	}
	began := time.Now()
	err := s.jr.Sync(mark)
	s.stats.syncNanos.Add(int64(time.Since(began)))
	if err == nil {
		s.pub.Lock()
		s.publishLocked(mark.End)
		s.pub.Unlock()
		return nil
	}
	return s.syncFailed(inf, err)
}

// publishLocked shows every batch that ends at or before end. The caller holds pub.
func (s *Store) publishLocked(end int64) {
	n := 0
	for n < len(s.inflight) && s.inflight[n].end <= end {
		s.inflight[n].publish()
		s.applied = max(s.applied, s.inflight[n].end)
		n++
	}
	s.inflight = append(s.inflight[:0], s.inflight[n:]...)
}

// syncFailed takes all batches that will not become durable out of memory and lets the journal begin anew. The first of those whose
// sync failed does it for all: the others find the journal reopened, or the work done.
func (s *Store) syncFailed(inf *inflight, cause error) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if s.jr.Poisoned() != nil && !s.undone {
		s.undo()
		if err := s.reopen(); err != nil {
			s.cfg.Log.Error("journal cannot be reopened", "error", err)
		}
	}
	if inf.state == published {
		return nil
	}
	return fmt.Errorf("sync journal: %w", cause)
}

// undo decides every batch under way: published when it is durable, else taken out of memory. The caller holds commit.
func (s *Store) undo() {
	s.undone = true
	s.last = journal.Mark{}
	durable := s.jr.DurableEnd()
	s.pub.Lock()
	defer s.pub.Unlock()
	s.publishLocked(durable)
	for i := len(s.inflight) - 1; i >= 0; i-- {
		s.inflight[i].undo()
	}
	s.inflight = s.inflight[:0]
	for _, ix := range s.meta.Load().indices {
		for _, h := range ix.parts.Load().frozen { // offsets from here on are given again, to rows of the next head
			h.sealAt = min(h.sealAt, durable)
		}
	}
}

// reopen lets a poisoned journal go on, and writes metadata commands that were lost with the old life once more: memory has them. The
// caller holds commit.
func (s *Store) reopen() error {
	s.reopened = s.cfg.Now()
	if err := s.jr.Reopen(); err != nil {
		return err
	}
	s.undone = false
	lost := s.unsynced
	s.unsynced = nil
	for _, u := range lost {
		p, err := appendCommand(nil, u.c, s.cfg.Now().UnixMilli())
		if err != nil {
			return err
		}
		mark, err := s.jr.AppendPayload(p)
		if err != nil {
			s.unsynced = lost
			return err
		}
		s.last = mark
		s.unsynced = append(s.unsynced, unsyncedCommand{mark.End, u.c})
		s.metaEnd = mark.End
	}
	return nil
}

// unsyncedCommand is a metadata command that is carried out and may not be durable.
type unsyncedCommand struct {
	end int64
	c   command
}

// remember keeps a command until it is durable. The caller holds commit.
func (s *Store) remember(end int64, c command) {
	durable := s.jr.DurableEnd()
	n := 0
	for n < len(s.unsynced) && s.unsynced[n].end <= durable {
		n++
	}
	s.unsynced = append(s.unsynced[n:], unsyncedCommand{end, c})
	s.metaEnd = end
}

// syncMeta waits until metadata commands are durable.
func (s *Store) syncMeta(mark journal.Mark) error {
	if err := s.jr.Sync(mark); err != nil {
		return s.syncFailed(&inflight{}, err)
	}
	return nil
}

// reopenEvery is how often a write tries to reopen a poisoned journal.
const reopenEvery = 5 * time.Second

// writable says why nothing can be written now. The caller holds commit.
func (s *Store) writable() error {
	if s.closed.Load() {
		return ErrClosed
	}
	poison := s.jr.Poisoned()
	if poison == nil {
		return nil
	}
	if !s.undone {
		s.undo()
	}
	if s.cfg.Now().Sub(s.reopened) >= reopenEvery && s.reopen() == nil {
		return nil
	}
	return errorf(429, "cluster_block_exception", "the journal had a failed sync: %v", poison)
}
