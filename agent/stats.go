package agent

import (
	"sync"
	"sync/atomic"
	"time"
)

// stats are the agent's counters since it started.
type stats struct {
	acked, cut, lost, truncations, overflows, retries, splits, readErrors, badText, topicMissing, compressed, tooLarge, streamed atomic.Int64
	pastRead, pastLines                                                                                                          atomic.Int64 // of sources that are over

	mu    sync.Mutex
	rules map[string]*ruleCount // guarded by mu
}

type ruleCount struct{ events, bytes int64 }

// drop counts a message that a rule dropped.
func (s *stats) drop(rule string, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules == nil {
		s.rules = map[string]*ruleCount{}
	}
	c := s.rules[rule]
	if c == nil {
		c = &ruleCount{}
		s.rules[rule] = c
	}
	c.events++
	c.bytes += bytes
}

// produceState is how Produce does.
type produceState struct {
	failing  bool
	since    time.Time
	lastWarn time.Time
	lastErr  string
}
