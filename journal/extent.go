package journal

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/vfs"
)

// Names and steps of extents.
const (
	logSuffix   = ".log"
	indexSuffix = ".index"
	timeSuffix  = ".timeindex"
	stateSuffix = ".state"

	minReserve = 1 << 20  // the first step of reserved space
	maxReserve = 32 << 20 // steps double up to this
)

// extent is one file of a journal. Guarded by Journal.mu; the active one is changed under Journal.wmu as well.
type extent struct {
	dir      string
	base     int64
	end      int64 // offset after its last batch; of a sealed one the base of the next
	size     int64 // bytes of batches; what the file holds behind them is dead
	synced   int64 // bytes known to be on disk
	first    time.Time
	appended time.Time   // last append; of one found at start, the file's modification time
	dirty    *sharedFile // held from the first append after a sync to the next sync, so that its error is not lost with the descriptor
	index    *index      // nil until needed
	used     uint64      // when the index was used last, in ticks of Journal.tick
}

func fileName(dir string, offset int64, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", offset, suffix))
}

// parseName is the reverse of fileName for the last element of a path.
func parseName(name, suffix string) (int64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

func (e *extent) name() string { return fileName(e.dir, e.base, logSuffix) }

// noteBatches puts index entries for batches that were written at pos.
func (e *extent) noteBatches(b []byte, pos int64) {
	for len(b) > 0 {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		e.index.note(&h, e.base, pos)
		pos += int64(h.Size())
		b = b[h.Size():]
	}
}

// dirtyFile gives the active extent's file for writing. It stays open at least until the next sync: the kernel reports a failed
// write-back once, to those who have the file open. It holds wmu.
func (j *Journal) dirtyFile(e *extent) (vfs.File, error) {
	j.mu.Lock()
	j.writing = true // keeps a sync that ends meanwhile from letting go
	held := e.dirty
	j.mu.Unlock()
	if held != nil {
		return held.f, nil
	}
	file, err := j.pool.files.use(j.cfg.FS, e)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	e.dirty = file
	j.mu.Unlock()
	return file.f, nil
}

func (j *Journal) endWrite() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writing = false
}

// reserveLocked makes room for n more bytes, so that a full disk shows before a byte of a batch is written. It holds wmu.
func (j *Journal) reserveLocked(f vfs.File, n int64) error {
	e := j.active()
	if e.size+n <= j.reserved {
		return nil
	}
	step := max(n, min(j.reserveBy, j.cfg.SegmentBytes-e.size))
	err := f.Allocate(e.size, step)
	if err != nil && vfs.IsFull(err) && step > n {
		step = n
		err = f.Allocate(e.size, step)
	}
	if err != nil {
		return fmt.Errorf("reserve %d bytes in %s: %w", step, e.name(), err)
	}
	j.reserved = e.size + step
	j.reserveBy = min(2*j.reserveBy, maxReserve)
	return nil
}

// sealActiveLocked cuts the reserve behind the last batch, syncs the data and writes both indexes. It holds wmu.
func (j *Journal) sealActiveLocked() error {
	e := j.active()
	if j.reserved > e.size {
		file, err := j.pool.files.use(j.cfg.FS, e)
		if err != nil {
			return err
		}
		err = file.f.Truncate(e.size)
		j.pool.files.done(file)
		if err != nil {
			return fmt.Errorf("cut the reserve of %s: %w", e.name(), err)
		}
		j.reserved = e.size
	}
	if err := j.syncActiveLocked(); err != nil {
		return err
	}
	j.saveIndex(e, true)
	return nil
}

// saveIndex writes the indexes of e. They are rebuilt when missing, so that a failure is no harm, but a stale one must not stay.
func (j *Journal) saveIndex(e *extent, durable bool) {
	err := e.index.save(j.cfg.FS, e, durable)
	if err == nil {
		return
	}
	j.cfg.Log.Warn("index not written: it will be rebuilt", "file", e.name(), "error", err)
	for _, suffix := range []string{indexSuffix, timeSuffix} {
		if err := j.removeStray(fileName(e.dir, e.base, suffix)); err != nil {
			j.cfg.Log.Warn("stale index not removed", "file", e.name(), "error", err)
		}
	}
}

// rollLocked seals the active extent and makes the next. Nothing in the new one can be acknowledged before the old one is durable
// whole, so one file of a journal is dirty at a time. It holds wmu.
func (j *Journal) rollLocked() error {
	if err := j.sealActiveLocked(); err != nil {
		return err
	}
	old := j.active()
	e, err := j.createExtent(old.end)
	if err != nil {
		return fmt.Errorf("roll after %s: %w", old.name(), err)
	}
	j.mu.Lock()
	j.extents = append(j.extents, e)
	j.indexes++
	j.shrinkIndexesLocked()
	j.mu.Unlock()
	j.reserved, j.reserveBy = minReserve, 2*minReserve
	return j.checkpointLocked(false)
}

// createExtent makes the file of an extent based at offset. One that is there already holds nothing that counts: a journal whose
// last extent has no durable batch gives the name to the next.
func (j *Journal) createExtent(offset int64) (*extent, error) {
	now := j.cfg.Now()
	e := &extent{dir: j.cfg.Dir, base: offset, end: offset, first: now, appended: now, index: &index{}}
	if err := j.removeStray(e.name()); err != nil {
		return nil, err
	}
	f, err := vfs.CreateExtent(j.cfg.FS, e.name(), min(minReserve, j.cfg.SegmentBytes))
	if err != nil {
		j.mustRoll = true
		return nil, err
	}
	j.mustRoll = false
	j.pool.files.done(j.pool.files.add(e, f))
	return e, nil
}

// Roll ends the active extent, so that what is appended from now on is in a new file. An empty one stays.
func (j *Journal) Roll() error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	if err := j.usable(); err != nil {
		return err
	}
	if j.active().size == 0 {
		return nil
	}
	return j.rollLocked()
}
