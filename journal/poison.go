package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
)

// poisonLocked ends this life of the journal: after a failed sync the kernel marks the pages clean, so a second sync would succeed
// without the bytes being on the disk. The file is never synced or acknowledged again; reads below the durable end go on.
func (j *Journal) poisonLocked(cause error) {
	if j.poison != nil {
		return
	}
	j.poison = cause
	j.cfg.Log.Error("journal poisoned: nothing is acknowledged until it is reopened", "dir", j.cfg.Dir, "durable", j.durable, "error", cause)
	j.signalLocked(math.MaxInt64)
	j.cond.Broadcast()
}

// Poisoned is why the journal must be reopened, nil when it need not.
func (j *Journal) Poisoned() error { j.mu.Lock(); defer j.mu.Unlock(); return j.poison }

// maxLives bounds the memory of earlier lives; a mark older than that counts as lost.
const maxLives = 64

// Reopen ends a poisoned life: the journal goes on at the durable end in a new extent, which voids what lies above in the old one.
// Marks of the old life that were not durable fail for ever. On an error the journal stays poisoned; try again, every 5 s say. A
// journal that is not poisoned is left alone.
func (j *Journal) Reopen() error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	j.mu.Lock()
	for j.syncing {
		j.cond.Wait()
	}
	closed, poison, durable := j.closed, j.poison, j.durable
	j.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if poison == nil {
		return nil
	}
	if err := j.startLife(durable); err != nil {
		return fmt.Errorf("reopen journal %s: %w", j.cfg.Dir, err)
	}
	j.cfg.Log.Info("journal reopened", "dir", j.cfg.Dir, "end", durable)
	return nil
}

func (j *Journal) startLife(durable int64) error {
	if old := j.active(); old.base == durable {
		j.pool.files.drop(old) // createExtent gives its name to a new file
	}
	e, err := j.createExtent(durable)
	if err != nil {
		return err
	}
	j.mu.Lock()
	old := j.active()
	old.end, old.size = durable, old.synced
	old.index.cut(old.synced)
	j.cleanLocked(old)
	extents := j.extents
	if old.base == durable { // it has no durable batch and lost its name to the new one
		extents = extents[:len(extents)-1]
	} else {
		j.indexes++
	}
	j.extents = append(extents[:len(extents):len(extents)], e)
	j.shrinkIndexesLocked()
	j.lives[j.life] = durable
	delete(j.lives, j.life-maxLives)
	j.life++
	j.pool.tail.Add(-j.tail.clear())
	j.poison = nil
	j.cond.Broadcast()
	j.mu.Unlock()
	j.reserved, j.reserveBy = min(minReserve, j.cfg.SegmentBytes), 2*minReserve
	if err := j.checkpointLocked(false); err != nil {
		j.mu.Lock()
		j.poisonLocked(err)
		j.mu.Unlock()
		return err
	}
	return nil
}

// removeStray removes a file that lost its claim to a name.
func (j *Journal) removeStray(name string) error {
	if err := j.cfg.FS.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
