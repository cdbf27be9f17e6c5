package agent

import (
	"context"
	"sync"

	"github.com/weirlog/weir/agent/input"
)

// pushShare is the part of the agent's memory that rendered batches of listeners may hold.
const pushShare = 4

// budget bounds bytes. What is larger than all of it is let in alone.
type budget struct {
	limit int64

	mu    sync.Mutex // guards what follows
	used  int64
	freed chan struct{} // closed and replaced when bytes come back
}

func newBudget(limit int64) *budget {
	return &budget{limit: limit, freed: make(chan struct{})}
}

// take waits until n bytes fit, ctx ends, or the agent has stopped.
func (b *budget) take(ctx context.Context, stopped <-chan struct{}, n int64) error {
	for {
		b.mu.Lock()
		if b.used == 0 || b.used+n <= b.limit {
			b.used += n
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		case <-stopped:
			return input.ErrStopped
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.used -= n
	close(b.freed)
	b.freed = make(chan struct{})
	b.mu.Unlock()
}
