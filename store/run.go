package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/weirlog/weir/store/segment"
)

// Pace of what happens by itself.
const (
	sealTick      = time.Second
	retentionTick = 10 * time.Second
	clockJump     = time.Hour // a clock that jumped further deletes nothing until it was seen again for jumpWait
	jumpWait      = 10 * time.Minute
)

// Run seals heads, merges segments and applies retention until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	s.running.Add(1)
	defer s.running.Add(-1)
	tick := time.NewTicker(sealTick)
	defer tick.Stop()
	last := s.cfg.Now()
	var suspended time.Time
	cleaned := last
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
		now := s.cfg.Now()
		if d := now.Sub(last); d > clockJump || d < -clockJump {
			suspended = now.Add(jumpWait)
			s.cfg.Log.Warn("the clock jumped: retention waits", "by", d)
		}
		last = now
		s.watchDisk()
		s.rest()
		if err := s.Maintain(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("store maintenance", "error", err)
		}
		if now.Sub(cleaned) >= retentionTick && now.After(suspended) {
			cleaned = now
			if err := s.Retain(ctx); err != nil {
				s.cfg.Log.Error("retention", "error", err)
			}
		}
	}
}

// floodRelease is by how many percent disk use must fall below the flood mark before writes are taken again.
const floodRelease = 5

// watchDisk refuses writes while the disk is too full. Deletes of whole indices, retention and reads go on.
func (s *Store) watchDisk() {
	free, total, err := s.fs.Free(s.cfg.Dir)
	if err != nil || total == 0 {
		return
	}
	used := 100 - int(free*100/total)
	switch was := s.flooded.Load(); {
	case !was && used >= s.cfg.FloodPercent:
		s.flooded.Store(true)
		s.cfg.Log.Error("disk is too full: writes are refused", "used_percent", used, "flood_percent", s.cfg.FloodPercent)
	case was && used < s.cfg.FloodPercent-floodRelease:
		s.flooded.Store(false)
		s.cfg.Log.Info("disk has room again: writes are taken", "used_percent", used)
	}
}

// Maintain seals the heads that are due and does the merges that are due, then writes the checkpoint.
func (s *Store) Maintain(ctx context.Context) error {
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	changed := s.leftovers.Swap(false)
	for _, ix := range s.due() {
		if ctx.Err() != nil {
			break
		}
		did, err := s.seal(ix)
		if err != nil {
			return err
		}
		changed = changed || did
	}
	if changed { // memory and journal first, merges later
		if err := s.checkpoint(); err != nil {
			return err
		}
	}
	return s.mergeDue(ctx)
}

// mergeDue does one merge per index that wants one.
func (s *Store) mergeDue(ctx context.Context) error {
	changed := false
	for _, ix := range s.sorted() {
		if ctx.Err() != nil {
			break
		}
		if p, ok := choose(ix.parts.Load().segs, s.cfg.Now()); ok {
			if err := s.merge(ix, p); err != nil {
				return err
			}
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return s.checkpoint()
}

// sorted are the indices by name.
func (s *Store) sorted() []*index {
	m := s.meta.Load()
	var out []*index
	for _, name := range slices.Sorted(maps.Keys(m.indices)) {
		out = append(out, m.indices[name])
	}
	return out
}

// due are the indices whose heads are to be sealed: by their own size or age, the largest while all take too much memory, the one that
// pins the journal while that is too long.
func (s *Store) due() []*index {
	var out []*index
	now := s.cfg.Now()
	total := s.headBytes.Load()
	all := s.sorted()
	slices.SortStableFunc(all, func(a, b *index) int { return int(b.head().counted.Load() - a.head().counted.Load()) })
	journal := s.jr.Size() > s.cfg.JournalBytes
	var pin *index
	for _, ix := range all {
		p := ix.parts.Load()
		h := p.head
		if len(p.frozen) > 0 {
			out = append(out, ix)
			continue
		}
		if h.empty() {
			continue
		}
		n := h.counted.Load()
		if int(h.rowCount()) >= s.cfg.HeadDocs || n >= s.cfg.HeadBytes || now.Sub(h.born) >= s.cfg.HeadAge || total >= s.cfg.HeadMemory {
			out = append(out, ix)
			total -= n
			continue
		}
		if pin == nil || ix.sealed < pin.sealed {
			pin = ix
		}
	}
	if journal && pin != nil && len(out) == 0 {
		out = append(out, pin)
	}
	return out
}

func (h *head) rowCount() uint32 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rows
}

// Flush seals the heads of the named indices (none named: all) and writes the checkpoint: the journal is not needed for them any more.
func (s *Store) Flush(names []string) error {
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	for _, ix := range s.named(names) {
		if _, err := s.seal(ix); err != nil {
			return err
		}
	}
	return s.checkpoint()
}

// named are the indices of some names, all without any.
func (s *Store) named(names []string) []*index {
	if len(names) == 0 {
		return s.sorted()
	}
	m := s.meta.Load()
	var out []*index
	for _, n := range names {
		if ix := m.indices[n]; ix != nil {
			out = append(out, ix)
		}
	}
	return out
}

// Refresh makes acknowledged writes of the named indices searchable. They are already: an acknowledgement waits for that, so it only
// checks the names.
func (s *Store) Refresh(names []string) error {
	m := s.meta.Load()
	for _, n := range names {
		if m.indices[n] == nil {
			return noSuchIndex(n)
		}
	}
	return nil
}

// ForceMerge seals the named indices and merges their segments, without deleted rows, into at most max each.
func (s *Store) ForceMerge(ctx context.Context, names []string, most int) error {
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	for _, ix := range s.named(names) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := s.seal(ix); err != nil {
			return err
		}
		segs := ix.parts.Load().segs
		from := max(most, 1) - 1
		if len(segs) > from+1 || len(segs) == 1 && !segs[0].dead.Load().IsEmpty() {
			if err := s.merge(ix, plan{min(from, len(segs)-1), len(segs), levelCold}); err != nil {
				return err
			}
		}
	}
	return s.checkpoint()
}

// Stats are counters since the start, and sizes now.
type Stats struct {
	Documents    int64 // written by Apply and Writers, repeats and refused ones left out
	Bytes        int64 // of them, as they came
	Rejected     int64
	Repeats      int64
	Seals        int64
	MergeBytes   int64 // written by merges
	SyncNanos    int64 // spent waiting for the journal
	HeadBytes    int64
	CacheBytes   int64
	JournalBytes int64
	Segments     int64
	SegmentBytes int64
	Damaged      int64 // segments that are damaged or set aside
}

// Stats are read without stopping anything; they need not fit together to the last document.
func (s *Store) Stats() Stats {
	st := &s.stats
	out := Stats{Documents: st.docs.Load(), Bytes: st.docBytes.Load(), Rejected: st.rejected.Load(), Repeats: st.repeats.Load(), Seals: st.sealed.Load(),
		MergeBytes: st.merged.Load(), SyncNanos: st.syncNanos.Load(), HeadBytes: s.headBytes.Load(), CacheBytes: s.cache.Bytes(), JournalBytes: s.jr.Size()}
	for _, ix := range s.meta.Load().indices {
		out.Damaged += int64(len(ix.aside))
		for _, f := range ix.parts.Load().segs {
			out.Segments++
			out.SegmentBytes += f.bytes
			if f.reader.Err() != nil {
				out.Damaged++
			}
		}
	}
	return out
}

// Verify reads every checksum and every document of every segment.
func (s *Store) Verify() error {
	var errs []error
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	for _, ix := range s.sorted() {
		for _, f := range ix.parts.Load().segs {
			errs = append(errs, segment.Verify(s.fs, f.path))
		}
	}
	return errors.Join(errs...)
}
