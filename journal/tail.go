package journal

import "sort"

const (
	sharedSlab = 256 << 10 // slabs that small batches are copied into, one behind the other
	shareBelow = 16 << 10  // a batch handed over in its own slab is copied when smaller, so that it does not pin a large frame
)

// tail keeps the batches just appended, so that live readers need no file. Guarded by Journal.mu, except room, which is called
// under Journal.wmu alone: the bytes behind the last published run belong to the writer.
type tail struct {
	runs  []run
	bytes int64 // capacities of the slabs of all runs

	open *Slab // shared slab with room at its end, one reference; nil when there is none
	used int
}

// run is a row of whole batches in one slab, contiguous in bytes and offsets.
type run struct {
	base, end int64
	slab      *Slab
	from, to  int // byte range in slab.b
}

// room gives n bytes in a slab for the next batches and a reference to that slab.
func (t *tail) room(p *Pool, n int) (*Slab, int) {
	if t.open != nil && t.used+n <= len(t.open.b) {
		at := t.used
		t.used += n
		t.open.Retain()
		return t.open, at
	}
	if n > sharedSlab/2 {
		return p.Slab(n), 0
	}
	t.closeOpen()
	t.open = p.Slab(sharedSlab)
	t.used = n
	t.open.Retain()
	return t.open, 0
}

func (t *tail) closeOpen() {
	if t.open != nil {
		t.open.Release()
		t.open = nil
	}
}

// push publishes batches; it takes over the reference to s. The bytes by which the tail grew are returned.
func (t *tail) push(s *Slab, from, to int, base, end int64) int64 {
	if n := len(t.runs); n > 0 {
		last := &t.runs[n-1]
		if last.slab == s && last.to == from && last.end == base {
			last.to, last.end = to, end
			s.Release()
			return 0
		}
	}
	grown := int64(len(s.b))
	if n := len(t.runs); n > 0 && t.runs[n-1].slab == s {
		grown = 0
	}
	t.runs = append(t.runs, run{base, end, s, from, to})
	t.bytes += grown
	return grown
}

// dropFirst forgets the oldest run and returns the bytes it freed.
func (t *tail) dropFirst() int64 {
	r := t.runs[0]
	t.runs[0] = run{}
	t.runs = t.runs[1:]
	freed := int64(len(r.slab.b))
	if len(t.runs) > 0 && t.runs[0].slab == r.slab {
		freed = 0
	}
	r.slab.Release()
	t.bytes -= freed
	return freed
}

// clear forgets everything and returns the bytes freed.
func (t *tail) clear() int64 {
	freed := t.bytes
	for len(t.runs) > 0 {
		t.dropFirst()
	}
	t.runs = nil
	t.closeOpen()
	return freed
}

// find gives the run that holds offset, nil when none does.
func (t *tail) find(offset int64) *run {
	i := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].end > offset })
	if i == len(t.runs) || t.runs[i].base > offset {
		return nil
	}
	return &t.runs[i]
}
