package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/vfs"
)

// Recovery tells what Open found and did.
type Recovery struct {
	Clean     bool  // the journal had been closed
	Scanned   int64 // bytes of batches read and checked
	TailCut   int64 // bytes of a torn tail that were cut off, never acknowledged
	TailSaved string
	Holes     []Hole // all known holes, old and new
}

// strict tells that damage is a reason not to open.
func (j *Journal) strict() bool { return j.cfg.Own && !j.cfg.repair }

// recovering is the state of a scan.
type recovering struct {
	*Journal
	want    int64 // offset of the next batch
	floor   int64 // what the checkpoint says was durable
	largest int64 // time in the extent of the checkpoint
	bad     *suspect
	cutFrom int64 // torn tail of the last extent, -1 when none
}

// suspect is the first bad place in a journal of our own payloads: damage when a later payload proves that it had been durable.
type suspect struct {
	e    *extent
	pos  int64
	want int64
}

// recover makes the state of the journal from its files. Nobody else uses the journal yet.
func (j *Journal) recover() error {
	if err := vfs.MkdirDurable(j.cfg.FS, j.cfg.Dir); err != nil {
		return err
	}
	if err := j.cfg.FS.SyncDir(j.cfg.Dir); err != nil { // a process before us may have failed to: what is seen now must be on the disk
		return err
	}
	if err := j.settleFile(filepath.Join(j.cfg.Dir, checkpointName), 0); err != nil {
		return err
	}
	body, found, err := j.loadCheckpoint()
	if err != nil {
		return err
	}
	if err := j.findExtents(); err != nil {
		return err
	}
	j.start, j.epochs, j.holes = body.Start, body.Epochs, body.Holes
	j.recovery.Clean = found && j.ckpt.clean
	if len(j.extents) == 0 {
		if err := j.beginAt(body.End); err != nil {
			return err
		}
	}
	if !found {
		j.start = j.extents[0].base
	}
	r := &recovering{Journal: j, cutFrom: -1, floor: body.End, largest: body.Time}
	if err := r.scan(body, found); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	j.recovery.Holes = slices.Clone(j.holes)
	return j.loadState(body, found)
}

// beginAt makes the first extent of a journal that has none.
func (j *Journal) beginAt(offset int64) error {
	e, err := j.createExtent(offset)
	if err != nil {
		return err
	}
	j.extents = []*extent{e}
	return nil
}

// findExtents lists the extents and removes half-written files.
func (j *Journal) findExtents() error {
	entries, err := j.cfg.FS.ReadDir(j.cfg.Dir)
	if err != nil {
		return err
	}
	for _, d := range entries {
		if strings.HasSuffix(d.Name(), vfs.TempSuffix) {
			if err := j.cfg.FS.Remove(filepath.Join(j.cfg.Dir, d.Name())); err != nil {
				return err
			}
		}
	}
	return j.listExtents(entries)
}

// listExtents makes the list of extents from the names in the folder, by base offset.
func (j *Journal) listExtents(entries []fs.DirEntry) error {
	for _, d := range entries {
		base, ok := parseName(d.Name(), logSuffix)
		if !ok {
			continue
		}
		fi, err := j.cfg.FS.Stat(filepath.Join(j.cfg.Dir, d.Name()))
		if err != nil {
			return err
		}
		e := &extent{dir: j.cfg.Dir, base: base, end: base, size: fi.Size(), synced: fi.Size(), first: fi.ModTime(), appended: fi.ModTime()}
		j.extents = append(j.extents, e)
	}
	slices.SortFunc(j.extents, func(a, b *extent) int { return cmp.Compare(a.base, b.base) })
	for i, e := range j.extents[:max(0, len(j.extents)-1)] {
		e.end = j.extents[i+1].base
	}
	return nil
}

// scan checks what the checkpoint does not vouch for: the bytes behind its position, all of the extents after it, everything when
// there is no checkpoint.
func (r *recovering) scan(body checkpointBody, found bool) error {
	first := r.extents[0]
	if first.base > r.start {
		if err := r.missing(first, r.start, first.base); err != nil {
			return err
		}
	}
	from, pos := 0, int64(0)
	r.want = first.base
	if i := slices.IndexFunc(r.extents, func(e *extent) bool { return e.base == body.Extent }); found && i >= 0 {
		from, r.want = i, body.Extent
		if r.extents[i].size >= body.Position {
			pos, r.want = body.Position, body.End
		}
	}
	if last := len(r.extents) - 1; !r.recovery.Clean {
		durable := int64(0)
		if last == from {
			durable = pos
		}
		if err := r.settleFile(r.active().name(), durable); err != nil {
			return err
		}
	}
	for i := from; i < len(r.extents); i++ {
		e := r.extents[i]
		if err := r.scanExtent(e, pos, i+1 == len(r.extents)); err != nil {
			return fmt.Errorf("scan %s: %w", e.name(), err)
		}
		pos = 0
	}
	return nil
}

// settleFile makes the page cache tell the truth about a file that was written in place, from byte from on: after a failed sync in a life before, it may
// hold bytes that the disk does not. The sync leaves no page dirty, so that all are dropped and read again.
func (j *Journal) settleFile(name string, from int64) error {
	f, err := j.cfg.FS.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Forget(from, fi.Size()-from)
	}
	return errors.Join(err, f.Close())
}

// missing handles offsets [from, to) for which e should have batches and has none. They had been durable: a roll syncs before it goes
// on, and extents are removed only below the start.
func (r *recovering) missing(e *extent, from, to int64) error {
	if r.strict() {
		return &DamageError{File: e.name(), Pos: e.size, Want: from, Why: fmt.Sprintf("batches up to offset %d are missing", to)}
	}
	r.addHole(Hole{From: from, To: to, Extent: e.base, Pos: e.size, PosEnd: e.size})
	return nil
}

// scanExtent checks e from byte pos on.
func (r *recovering) scanExtent(e *extent, pos int64, last bool) error {
	file, err := r.pool.files.use(r.cfg.FS, e)
	if err != nil {
		return err
	}
	defer r.pool.files.done(file)
	if err := r.indexBefore(e, file.f, pos, r.largest); err != nil {
		return err
	}
	limit := int64(math.MaxInt64)
	if !last {
		limit = e.end
	}
	s := newScanner(file.f, pos, e.size)
	for {
		h, b, err := s.batch()
		switch {
		case errors.Is(err, io.EOF), err == nil && h.BaseOffset >= limit:
			return r.endExtent(e, s.pos, last)
		case isBad(err), err == nil && h.BaseOffset != r.want:
			more, err := r.badBytes(e, s, &h, limit, last)
			if err != nil || !more {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := r.goodBatch(e, s.pos, &h, b); err != nil {
			return err
		}
		s.skip(&h)
	}
}

// indexBefore loads the index for the part of e that is not scanned.
func (r *recovering) indexBefore(e *extent, f vfs.File, pos, largest int64) error {
	e.index = &index{}
	if pos == 0 {
		return nil
	}
	x, err := loadIndex(r.cfg.FS, e, e.size)
	if err == nil {
		x.cut(pos)
		if err = x.complete(f, place{e: e, size: pos, limit: math.MaxInt64}); err == nil && x.maxTime < largest {
			err = errBadIndex
		}
	}
	if err == nil {
		e.index = x
		return nil
	}
	if !isBad(err) && !errors.Is(err, errBadIndex) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.index, err = buildIndex(f, e.base, pos, math.MaxInt64)
	return err
}

// goodBatch takes a valid batch into account.
func (r *recovering) goodBatch(e *extent, pos int64, h *Header, b []byte) error {
	if r.bad != nil {
		synced, _, err := splitPayload(b)
		if err == nil && synced > r.bad.want {
			return &DamageError{File: r.bad.e.name(), Pos: r.bad.pos, Want: r.bad.want, Why: "a later payload says it had been synced"}
		}
	}
	e.index.note(h, e.base, pos)
	r.want = h.Next()
	r.recovery.Scanned += int64(h.Size())
	return nil
}

// badBytes decides about bytes at s.pos that are not the batch with the offset wanted. more tells whether the scan goes on in e.
func (r *recovering) badBytes(e *extent, s *scanner, h *Header, limit int64, last bool) (more bool, err error) {
	pos := s.pos
	next, found, err := s.search(h, r.want, limit)
	if err != nil {
		return false, err
	}
	if r.strict() && last && r.ckpt.clean {
		return false, &DamageError{File: e.name(), Pos: pos, Want: r.want, Why: "bad bytes after a clean stop"}
	}
	if !found {
		return false, r.endExtent(e, pos, last)
	}
	if r.strict() {
		if r.bad == nil {
			r.bad = &suspect{e, pos, r.want}
		}
		r.want = next.BaseOffset
		return true, nil
	}
	torn, err := hasZeroSector(s.f, pos, s.pos)
	if err != nil {
		return false, err
	}
	r.addHole(Hole{From: r.want, To: next.BaseOffset, Torn: torn, Extent: e.base, Pos: pos, PosEnd: s.pos})
	r.want = next.BaseOffset
	return true, nil
}

// endExtent notes where the batches of e end. What follows there is dead in a sealed extent and a torn tail in the last.
func (r *recovering) endExtent(e *extent, pos int64, last bool) error {
	fileSize := e.size
	e.size, e.synced = pos, pos
	if last {
		e.end = r.want
		if fileSize > pos {
			r.cutFrom = pos
			r.recovery.TailCut = fileSize - pos
		}
		return nil
	}
	if r.want >= e.end {
		return nil
	}
	want := r.want
	r.want = e.end
	return r.missing(e, want, e.end)
}

// finish cuts the torn tail and puts the journal at its durable end.
func (r *recovering) finish() error {
	j := r.Journal
	e := j.active()
	if r.bad != nil {
		if err := r.dropSuspect(e); err != nil {
			return err
		}
	}
	if r.cutFrom >= 0 {
		if err := j.cutTail(e, r.cutFrom); err != nil {
			return err
		}
	}
	j.durable, j.reserved = r.want, e.size
	if r.want < r.floor {
		if err := r.belowFloor(e); err != nil {
			return err
		}
	}
	j.start = min(j.start, j.durable)
	for _, e := range j.extents[:len(j.extents)-1] {
		if e.index != nil {
			j.indexes++
		}
	}
	j.shrinkIndexesLocked()
	j.noteEpoch()
	return j.endTrim()
}

// dropSuspect takes the bad bytes, which no later payload proved to be durable, and all behind them for a torn tail of e.
func (r *recovering) dropSuspect(e *extent) error {
	bad := r.bad
	if bad.e != e {
		return &DamageError{File: bad.e.name(), Pos: bad.pos, Want: bad.want, Why: "the next extent exists"}
	}
	file, err := r.pool.files.use(r.cfg.FS, e)
	if err != nil {
		return err
	}
	defer r.pool.files.done(file)
	fi, err := file.f.Stat()
	if err != nil {
		return err
	}
	r.cutFrom, r.want, r.recovery.TailCut = bad.pos, bad.want, fi.Size()-bad.pos
	e.size, e.synced, e.end = bad.pos, bad.pos, bad.want
	e.index, err = buildIndex(file.f, e.base, e.size, math.MaxInt64)
	return err
}

// endTrim removes extents that a Trim cut short by a crash left below the start.
func (j *Journal) endTrim() error {
	n := 0
	for n < len(j.extents)-1 && j.extents[n].end <= j.start {
		n++
	}
	return j.dropExtents(j.extents[:n:n])
}

// belowFloor handles an end before the one that the checkpoint says was durable: offsets are never given twice.
func (r *recovering) belowFloor(e *extent) error {
	if r.strict() {
		return &DamageError{File: e.name(), Pos: e.size, Want: r.want, Why: fmt.Sprintf("the checkpoint says that offset %d was durable", r.floor)}
	}
	r.addHole(Hole{From: r.want, To: r.floor, Extent: e.base, Pos: e.size, PosEnd: e.size})
	next, err := r.createExtent(r.floor)
	if err != nil {
		return err
	}
	e.end = r.floor
	r.extents = append(r.extents, next)
	r.durable, r.reserved = r.floor, minReserve
	return nil
}

func (j *Journal) noteEpoch() {
	if n := len(j.epochs); j.cfg.LeaderEpoch > 0 && (n == 0 || j.epochs[n-1].Epoch < j.cfg.LeaderEpoch) {
		j.epochs = append(j.epochs, epochStart{j.cfg.LeaderEpoch, j.durable})
		j.epochs = j.epochs[max(0, len(j.epochs)-maxEpochs):]
	}
}
