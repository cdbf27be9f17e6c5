package broker

import (
	"sync"
	"sync/atomic"
)

// counters count since the start.
type counters struct {
	requests  atomic.Int64
	badConns  atomic.Int64 // connections closed because of what they sent
	fetchTurn atomic.Uint64
	unread    atomic.Int64 // records removed that a pinning group had not read

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
