package query

import (
	"fmt"
	"sync/atomic"
)

// Pool is the memory that all searches of a store may take for what grows with their answers: buckets and tables of values. It is safe
// for concurrent use.
type Pool struct {
	limit int64
	used  atomic.Int64
	trips atomic.Int64
}

// NewPool makes a pool of limit bytes.
func NewPool(limit int64) *Pool { return &Pool{limit: limit} }

// Used is what searches hold now; Trips is how many were refused.
func (p *Pool) Used() int64  { return p.used.Load() }
func (p *Pool) Trips() int64 { return p.trips.Load() }

// Reserve begins a search. A nil pool has no limit.
func (p *Pool) Reserve() *Reservation { return &Reservation{pool: p} }

// Reservation is what one search holds. It is safe for concurrent use. A nil Reservation has no limit.
type Reservation struct {
	pool  *Pool
	taken atomic.Int64
	want  atomic.Int64 // what could not be had; 0: everything could
}

// Take notes that n bytes more are held. What is over the limit shows in Err.
func (r *Reservation) Take(n int64) {
	if r == nil || r.pool == nil {
		return
	}
	r.taken.Add(n)
	if used := r.pool.used.Add(n); used > r.pool.limit && r.want.CompareAndSwap(0, used) {
		r.pool.trips.Add(1)
	}
}

// Err tells that the search must end.
func (r *Reservation) Err() error {
	if r == nil || r.want.Load() == 0 {
		return nil
	}
	return &Error{Status: 429, Type: "circuit_breaking_exception", Reason: fmt.Sprintf("[request] Data too large, data for the aggregations of this search "+
		"would make [%d] bytes of all searches, which is larger than the limit of [%d]", r.want.Load(), r.pool.limit)}
}

// Release gives everything back.
func (r *Reservation) Release() {
	if r != nil && r.pool != nil {
		r.pool.used.Add(-r.taken.Swap(0))
	}
}
