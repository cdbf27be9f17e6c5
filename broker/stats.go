package broker

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/journal"
)

// counters count since the start.
type counters struct {
	requests     atomic.Int64
	badConns     atomic.Int64 // connections closed because of what they sent
	fetchTurn    atomic.Uint64
	failedLogins atomic.Int64
	unread       atomic.Int64 // records removed that a pinning group had not read
	syncs        atomic.Int64
	syncNanos    atomic.Int64

	mu      sync.Mutex
	refused map[int16]int64 // produces refused, by error code
}

func (c *counters) refuse(code int16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[int16]int64{}
	}
	c.refused[code]++
}

func (c *counters) refusals() map[int16]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.refused)
}

// sync waits until a mark of p is durable, and counts the time it took.
func (p *partition) sync(mark journal.Mark) error {
	start := time.Now()
	err := p.j.Sync(mark)
	c := &p.topic.broker.counters
	c.syncs.Add(1)
	c.syncNanos.Add(int64(time.Since(start)))
	return err
}
