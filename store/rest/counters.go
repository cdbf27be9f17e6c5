package rest

import "sync/atomic"

// counters are what _stats and _nodes/stats tell of requests since the start.
type counters struct {
	searches, searchNanos, fetches, scrolls, gets, getMisses, bulks, bulkNanos, requests atomic.Int64
}
