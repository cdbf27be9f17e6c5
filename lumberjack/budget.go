package lumberjack

import (
	"sync"
	"time"
)

// budget is memory that connections share.
type budget struct {
	mu      sync.Mutex // guards what follows
	left    int64
	waiting int
	freed   chan struct{} // closed when memory was given back; nil when nobody waits
}

// take takes n bytes, waiting at most so long.
func (b *budget) take(n int64, wait time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left >= n {
		b.left -= n
		return true
	}
	if wait <= 0 {
		return false
	}
	b.waiting++
	defer func() { b.waiting-- }()
	t := time.NewTimer(wait)
	defer t.Stop()
	for b.left < n {
		if b.freed == nil {
			b.freed = make(chan struct{})
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
			b.mu.Lock()
		case <-t.C:
			b.mu.Lock()
			return false
		}
	}
	b.left -= n
	return true
}

// give returns n bytes.
func (b *budget) give(n int64) {
	if n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}

// wanted reports whether somebody waits for memory.
func (b *budget) wanted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting > 0
}
