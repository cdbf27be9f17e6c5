package tasks

import (
	"context"
	"math"
	"sync"
	"time"
)

// Rate holds a task to so many operations per second. The zero value does not slow it down.
type Rate struct {
	mu      sync.Mutex
	perSec  float64 // 0: unlimited
	changed chan struct{}
	slept   time.Duration
	until   time.Time
}

// Set changes the rate; +Inf or a number that is not positive takes the limit away. A wait under way is measured anew.
func (r *Rate) Set(perSec float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if math.IsInf(perSec, 0) || perSec <= 0 {
		perSec = 0
	}
	r.perSec = perSec
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// PerSecond is the rate, -1 when there is no limit.
func (r *Rate) PerSecond() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.perSec == 0 {
		return -1
	}
	return r.perSec
}

// Throttled is how long the task has waited, and how long it still will.
func (r *Rate) Throttled() (slept, left time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.slept, max(0, time.Until(r.until))
}

// Wait is called behind a batch of n operations that took as long as since; it returns when the next may begin.
func (r *Rate) Wait(ctx context.Context, n int, since time.Time) error {
	for {
		r.mu.Lock()
		if r.perSec == 0 {
			r.until = time.Time{}
			r.mu.Unlock()
			return ctx.Err()
		}
		until := since.Add(time.Duration(float64(n) / r.perSec * float64(time.Second)))
		left := time.Until(until)
		if left <= 0 {
			r.until = time.Time{}
			r.mu.Unlock()
			return ctx.Err()
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.until = until
		r.mu.Unlock()
		began := time.Now()
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
		r.mu.Lock()
		r.slept += time.Since(began)
		r.mu.Unlock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}
