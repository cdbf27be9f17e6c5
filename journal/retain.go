package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Trim moves the start to before and removes the extents that lie wholly below it. It returns the new start. The start is durable
// before a file goes. ErrOutOfRange past the durable end, and in a journal of our own payloads past the state, which Replay has to
// complete.
func (j *Journal) Trim(before int64) (int64, error) {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	return j.trimLocked(before)
}

func (j *Journal) trimLocked(before int64) (int64, error) {
	j.mu.Lock()
	if err := j.usableLocked(); err != nil {
		j.mu.Unlock()
		return 0, err
	}
	limit := j.durable
	if j.cfg.Own && j.state.data != nil {
		limit = min(limit, j.state.offset)
	}
	if before > limit {
		start, err := j.start, fmt.Errorf("%w: trim at %d, past %d", ErrOutOfRange, before, limit)
		j.mu.Unlock()
		return start, err
	}
	old := j.start
	j.start = max(j.start, before)
	start := j.start
	n := 0
	for n < len(j.extents)-1 && j.extents[n].end <= start {
		n++
	}
	gone := slices.Clone(j.extents[:n])
	j.mu.Unlock()
	if start == old && n == 0 {
		return start, nil
	}
	if err := j.checkpointLocked(false); err != nil {
		j.mu.Lock()
		j.start = old
		j.mu.Unlock()
		return old, fmt.Errorf("trim journal %s: %w", j.cfg.Dir, err)
	}
	return start, j.dropExtents(gone)
}

// dropExtents removes the files of the oldest extents.
func (j *Journal) dropExtents(gone []*extent) error {
	if len(gone) == 0 {
		return nil
	}
	j.mu.Lock()
	j.extents = slices.Clone(j.extents[len(gone):])
	base := j.extents[0].base
	j.holes = slices.DeleteFunc(slices.Clone(j.holes), func(h Hole) bool { return h.To <= base })
	for len(j.tail.runs) > 0 && j.tail.runs[0].end <= base {
		j.pool.tail.Add(-j.tail.dropFirst())
	}
	for _, e := range gone {
		j.pool.files.drop(e)
		if e.index != nil {
			j.indexes--
		}
	}
	j.mu.Unlock()
	var errs []error
	for _, e := range gone {
		for _, suffix := range []string{logSuffix, indexSuffix, timeSuffix} {
			if err := j.cfg.FS.Remove(fileName(e.dir, e.base, suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	errs = append(errs, j.cfg.FS.SyncDir(j.cfg.Dir))
	return errors.Join(errs...)
}

// Retention bounds what a journal keeps, by whole extents, oldest first. Zero fields bound nothing.
type Retention struct {
	Age   time.Duration // since the last append to an extent
	Bytes int64         // of all extents
	Pin   int64         // offsets from here on stay, whatever the rest says; negative pins nothing
}

// Removed tells what Retain took away.
type Removed struct {
	Extents  int
	Bytes    int64
	From, To int64 // offsets [From, To)
}

// Retain removes extents that r no longer wants. An active extent past its age is rolled first and goes too.
func (j *Journal) Retain(r Retention) (Removed, error) {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	if err := j.usable(); err != nil {
		return Removed{}, err
	}
	now := j.cfg.Now()
	if e := j.active(); r.Age > 0 && e.size > 0 && now.Sub(e.appended) > r.Age && (r.Pin < 0 || r.Pin >= e.end) {
		if err := j.rollLocked(); err != nil {
			return Removed{}, err
		}
	}
	j.mu.Lock()
	out := Removed{From: j.start, To: j.start}
	total := int64(0)
	for _, e := range j.extents {
		total += e.size
	}
	for _, e := range j.extents[:len(j.extents)-1] {
		old := r.Age > 0 && now.Sub(e.appended) > r.Age
		big := r.Bytes > 0 && total-out.Bytes > r.Bytes
		if !old && !big || r.Pin >= 0 && e.end > r.Pin {
			break
		}
		out.Extents++
		out.Bytes += e.size
		out.To = max(out.To, e.end)
	}
	j.mu.Unlock()
	if out.Extents == 0 {
		return out, nil
	}
	_, err := j.trimLocked(out.To)
	return out, err
}

// ExtentInfo describes an extent.
type ExtentInfo struct {
	Base     int64 // first offset
	End      int64 // exclusive
	Bytes    int64
	Appended time.Time // last append; after a restart the file's modification time
	Active   bool
}

// Extents lists what the journal keeps, oldest first.
func (j *Journal) Extents() []ExtentInfo {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]ExtentInfo, 0, len(j.extents))
	for i, e := range j.extents {
		out = append(out, ExtentInfo{e.base, e.end, e.size, e.appended, i == len(j.extents)-1})
	}
	return out
}
