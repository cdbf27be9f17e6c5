package journal

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Sync returns nil when everything up to m is on disk, ErrPoisoned when that can no longer happen. The first waiter syncs all that
// is written so far, those who come meanwhile share the next sync: groups grow by themselves with the latency of the disk.
func (j *Journal) Sync(m Mark) error {
	if m.life == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		if done, err := j.settledLocked(m); done {
			return err
		}
		if j.syncing {
			j.cond.Wait()
			continue
		}
		j.leadLocked()
	}
}

// settledLocked tells whether the fate of m is known, and the error when it is not on disk. A mark of an earlier life is never
// satisfied by later bytes at the same offsets.
func (j *Journal) settledLocked(m Mark) (bool, error) {
	if m.life != j.life {
		if m.End <= j.lives[m.life] {
			return true, nil
		}
		return true, ErrPoisoned
	}
	if m.End <= j.durable {
		return true, nil
	}
	if err := j.usableLocked(); err != nil {
		return true, err
	}
	return false, nil
}

// leadLocked does one sync of the active extent for everybody who waits. It gives up mu while it works.
func (j *Journal) leadLocked() {
	j.syncing = true
	j.mu.Unlock()
	j.pool.syncs <- struct{}{} // whoever appends until our turn comes is in the same group
	j.mu.Lock()
	e := j.active()
	end, size, file := e.end, e.size, e.dirty
	j.mu.Unlock()
	var err error
	if file != nil { // else nothing was written since the last sync
		began := time.Now()
		err = file.f.Sync()
		if j.cfg.OnSync != nil {
			j.cfg.OnSync(time.Since(began))
		}
	}
	<-j.pool.syncs
	j.mu.Lock()
	j.syncedLocked(e, end, size, err)
}

// syncedLocked books the outcome of a sync of e that covered everything below end, size bytes.
func (j *Journal) syncedLocked(e *extent, end, size int64, err error) {
	j.syncing = false
	switch {
	case err != nil:
		j.poisonLocked(fmt.Errorf("sync %s: %w", e.name(), err))
	case j.poison == nil:
		j.durable = max(j.durable, end)
		e.synced = max(e.synced, size)
		if e.synced == e.size && !j.writing {
			j.cleanLocked(e)
		}
		j.signalLocked(j.durable)
		j.shrinkTailLocked()
	}
	j.cond.Broadcast()
}

// syncActiveLocked makes everything appended durable; the caller holds wmu, so nothing is appended meanwhile.
func (j *Journal) syncActiveLocked() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.syncing {
		j.cond.Wait()
	}
	if err := j.usableLocked(); err != nil {
		return err
	}
	if e := j.active(); e.dirty != nil || j.durable < e.end {
		j.leadLocked()
	}
	return j.usableLocked()
}

// Waiter is told when journals have more to read. One may watch many journals; C gets one value however many signal.
type Waiter struct {
	C chan struct{}
}

// NewWaiter makes a Waiter.
func NewWaiter() *Waiter { return &Waiter{C: make(chan struct{}, 1)} }

func (w *Waiter) signal() {
	select {
	case w.C <- struct{}{}:
	default:
	}
}

// Watch signals w once, when the durable end passes from, or the journal is poisoned, reopened or closed; at once when that is so
// already. Call it again after a signal. Unwatch ends it.
func (j *Journal) Watch(w *Waiter, from int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.durable > from || j.closed {
		delete(j.waiters, w)
		w.signal()
		return
	}
	j.waiters[w] = from
}

// Unwatch ends Watch. A signal may still be in w.C.
func (j *Journal) Unwatch(w *Waiter) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.waiters, w)
}

// Wait returns nil when the durable end is past from, or the reason why it will not get there: ctx or ErrClosed.
func (j *Journal) Wait(ctx context.Context, from int64) error {
	w := NewWaiter()
	defer j.Unwatch(w)
	for {
		j.mu.Lock()
		durable, closed := j.durable, j.closed
		j.mu.Unlock()
		if durable > from {
			return nil
		}
		if closed {
			return ErrClosed
		}
		j.Watch(w, from)
		select {
		case <-w.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// signalLocked wakes those who wait for an offset below end.
func (j *Journal) signalLocked(end int64) {
	for w, from := range j.waiters {
		if from < end || end == math.MaxInt64 {
			delete(j.waiters, w)
			w.signal()
		}
	}
}
