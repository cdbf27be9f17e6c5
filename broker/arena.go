package broker

import "github.com/weirlog/weir/journal"

// What an arena is made of, in bytes.
const (
	arenaSlab  = 256 << 10
	arenaBelow = 32 << 10 // what is smaller shares a slab with others
)

// arena puts small opened batches behind each other, so that one does not hold a slab many times its size. It is for one goroutine.
type arena struct {
	pool *journal.Pool
	slab *journal.Slab // with room at its end, one reference; nil when there is none
	used int
}

// keep copies b into a slab and gives the copy, with a reference to the slab.
func (a *arena) keep(b []byte) (*journal.Slab, []byte) {
	if a.slab == nil || a.used+len(b) > arenaSlab {
		a.close()
		a.slab, a.used = a.pool.Slab(arenaSlab), 0
	}
	a.slab.Retain()
	room := a.slab.Bytes()[a.used:][:len(b):len(b)]
	a.used += copy(room, b)
	return a.slab, room
}

// close lets go of the slab that has room.
func (a *arena) close() {
	if a.slab != nil {
		a.slab.Release()
		a.slab = nil
	}
}
