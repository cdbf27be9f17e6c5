package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// Bounds of the registry.
const (
	registrySegment   = 4 << 20 // bytes of an extent
	registryPayload   = 1 << 20 // bytes of entries in one payload
	compactAbove      = 1 << 20 // bytes since the last snapshot, and
	compactFactor     = 4       // times the size of that snapshot
	registryComplaint = time.Minute
)

// registry keeps the places of sources on disk. Its methods may be called from any goroutine.
type registry struct {
	log *slog.Logger
	j   *journal.Journal

	mu       sync.Mutex // guards what follows
	live     places
	dirty    map[uint32]uint8 // what changed since the last flush, by ref
	ended    []byte           // end entries since the last flush
	nextRef  uint32
	snapshot int64 // bytes of the last snapshot
	written  int64 // bytes since
	complain time.Time

	flushMu sync.Mutex // one flush at a time; above mu
	failed  bool       // the journal must be reopened and everything written anew; guarded by flushMu
	wake    chan struct{}
}

// What of a source changed.
const (
	dirtyOpen uint8 = 1 << iota
	dirtyAt
	dirtyName
	dirtyHead
	dirtyDone
	dirtyTold
)

// openRegistry reads the registry in dir.
func openRegistry(fs vfs.FS, dir string, log *slog.Logger) (*registry, error) {
	r := &registry{log: log, live: places{}, dirty: map[uint32]uint8{}, nextRef: 1, wake: make(chan struct{}, 1)}
	var err error
	r.j, err = journal.Open(journal.Config{
		FS: fs, Dir: filepath.Join(dir, "registry"), Log: log, SegmentBytes: registrySegment,
		SegmentAge: 365 * 24 * time.Hour, TailBytes: registrySegment, Own: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open registry: %w", err)
	}
	err = r.j.Replay(r.j.Start(), func(offset int64, p []byte) error {
		r.written += int64(len(p))
		if err := r.live.apply(p); err != nil {
			return fmt.Errorf("registry %s at offset %d: %w", dir, offset, err)
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, r.j.Close())
	}
	for ref := range r.live {
		r.nextRef = max(r.nextRef, ref+1)
	}
	return r, nil
}

// add takes a new source in and gives it its ref. It is on disk after the next flush.
func (r *registry) add(s saved) uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.ref = r.nextRef
	r.nextRef++
	r.live[s.ref] = &s
	r.markLocked(s.ref, dirtyOpen)
	return s.ref
}

// get is a copy of what is known of a source.
func (r *registry) get(ref uint32) (saved, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.live[ref]; s != nil {
		return *s, true
	}
	return saved{}, false
}

// change edits a source and notes what of it is to be written.
func (r *registry) change(ref uint32, what uint8, edit func(*saved)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.live[ref]; s != nil {
		edit(s)
		r.markLocked(ref, what)
	}
}

// move sets the acknowledged position of a source.
func (r *registry) move(ref uint32, pos int64, tail uint64, size, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.live[ref]; s != nil {
		s.pos, s.tail, s.size, s.at = pos, tail, size, at
		r.markLocked(ref, dirtyAt)
	}
}

// end forgets a source.
func (r *registry) end(ref uint32, why endReason, unread int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live[ref] == nil {
		return
	}
	delete(r.live, ref)
	delete(r.dirty, ref)
	r.ended = appendEnd(r.ended, ref, why, unread)
	r.signalLocked()
}

func (r *registry) markLocked(ref uint32, what uint8) {
	r.dirty[ref] |= what
	r.signalLocked()
}

func (r *registry) signalLocked() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run flushes what changed, at most once in a period, until ctx ends; what changes after a pause is written at once. The last flush is
// the caller's.
func (r *registry) run(ctx context.Context, every time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		if err := r.flush(); err != nil {
			r.complainAbout(err)
			r.mu.Lock()
			r.signalLocked() // again after the same pause
			r.mu.Unlock()
		}
		if !sleep(ctx, every) {
			return
		}
	}
}

func (r *registry) complainAbout(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.complain) < registryComplaint {
		return
	}
	r.complain = time.Now()
	r.log.Error("registry not written, places in files stay where they were", "error", err)
}

// flush writes and syncs what changed. After an error everything is written anew by the next flush.
func (r *registry) flush() error {
	r.flushMu.Lock()
	defer r.flushMu.Unlock()
	if r.failed {
		if err := r.j.Reopen(); err != nil {
			return fmt.Errorf("reopen registry: %w", err)
		}
		if err := r.compact(); err != nil {
			return err
		}
		r.failed = false
		return nil
	}
	payloads, bytes := r.changes()
	if len(payloads) == 0 {
		return nil
	}
	if err := r.write(payloads); err != nil {
		return err
	}
	r.mu.Lock()
	r.written += bytes
	due := r.written > compactAbove && r.written > compactFactor*r.snapshot
	r.mu.Unlock()
	if due {
		return r.compact()
	}
	return nil
}

func (r *registry) write(payloads [][]byte) error {
	var mark journal.Mark
	var err error
	for _, p := range payloads {
		if mark, err = r.j.AppendPayload(p); err != nil {
			r.failed = true
			return fmt.Errorf("append to registry: %w", err)
		}
	}
	if err := r.j.Sync(mark); err != nil {
		r.failed = true
		return fmt.Errorf("sync registry: %w", err)
	}
	return nil
}

// changes encodes what changed since the last flush, in payloads of about registryPayload bytes.
func (r *registry) changes() (payloads [][]byte, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	refs := make([]uint32, 0, len(r.dirty))
	for ref := range r.dirty {
		refs = append(refs, ref)
	}
	slices.Sort(refs)
	b := r.ended
	r.ended = nil
	for _, ref := range refs {
		b = appendChange(b, r.live[ref], r.dirty[ref])
		if len(b) >= registryPayload {
			payloads, bytes = append(payloads, b), bytes+int64(len(b))
			b = nil
		}
	}
	clear(r.dirty)
	if len(b) > 0 {
		payloads, bytes = append(payloads, b), bytes+int64(len(b))
	}
	return payloads, bytes
}

func appendChange(b []byte, s *saved, what uint8) []byte {
	if what&dirtyOpen != 0 {
		b = appendOpen(b, s)
		if s.start > 0 {
			b = appendStart(b, s)
		}
		what = dirtyAt | dirtyDone | dirtyTold
	}
	if what&dirtyName != 0 {
		b = appendName(b, s)
	}
	if what&dirtyHead != 0 {
		b = appendHead(b, s)
	}
	if what&dirtyDone != 0 {
		b = appendDone(b, s)
	}
	if what&dirtyAt != 0 {
		b = appendAt(b, s)
	}
	if what&dirtyTold != 0 && s.told > 0 {
		b = appendTold(b, s)
	}
	return b
}

// compact writes all live sources to a new extent and lets the old ones go. The caller has flushMu.
func (r *registry) compact() error {
	if err := r.j.Roll(); err != nil {
		r.failed = true
		return fmt.Errorf("roll registry: %w", err)
	}
	start := r.j.End()
	payloads, bytes := r.everything()
	if err := r.write(payloads); err != nil {
		return err
	}
	r.mu.Lock()
	r.snapshot, r.written = bytes, 0
	r.mu.Unlock()
	if _, err := r.j.Trim(start); err != nil {
		return fmt.Errorf("trim registry: %w", err)
	}
	return nil
}

func (r *registry) everything() (payloads [][]byte, bytes int64) {
	r.mu.Lock()
	for ref := range r.live {
		r.dirty[ref] |= dirtyOpen
	}
	r.ended = nil
	r.mu.Unlock()
	payloads, bytes = r.changes()
	return append(payloads, []byte{entryLive}), bytes + 1
}

// sources are copies of all live sources, oldest first.
func (r *registry) sources() []saved {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]saved, 0, len(r.live))
	for _, s := range r.live {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b saved) int { return int(int64(a.ref) - int64(b.ref)) })
	return out
}

// close writes what is left and closes the journal.
func (r *registry) close() error {
	return errors.Join(r.flush(), r.j.Close())
}
