package ledger

import (
	"cmp"
	"slices"
)

// span is the half-open interval [from, to).
type span struct{ from, to int64 }

// Set is a set of bytes of one source, kept as disjoint, non-touching intervals in ascending order. In-order delivery keeps it at
// one interval. The zero Set is empty. It is not safe for concurrent use.
type Set struct {
	spans []span
}

// Verdict says how a range lies to a Set.
type Verdict uint8

const (
	New     Verdict = iota // no byte of it is in the set
	Repeat                 // every byte of it is in the set
	Overlap                // some bytes are, some are not
)

// Test says how [from, to) lies to the set. The common cases, an append at the end and a repeat below it, are one comparison.
// An empty range is New.
func (s *Set) Test(from, to int64) Verdict {
	n := len(s.spans)
	if n == 0 || from >= s.spans[n-1].to || from == to {
		return New
	}
	i := s.after(from) // first span that ends behind from
	sp := s.spans[i]
	switch {
	case sp.from <= from && to <= sp.to:
		return Repeat
	case sp.from >= to:
		return New
	}
	return Overlap
}

// Add puts [from, to) into the set.
func (s *Set) Add(from, to int64) {
	if from >= to {
		return
	}
	n := len(s.spans)
	if n > 0 && s.spans[n-1].to == from {
		s.spans[n-1].to = to
		return
	}
	if n == 0 || from > s.spans[n-1].to {
		s.spans = append(s.spans, span{from, to})
		return
	}
	i, _ := slices.BinarySearchFunc(s.spans, from, func(sp span, f int64) int { return cmp.Compare(sp.to, f) }) // first span with to >= from
	j := i
	for j < n && s.spans[j].from <= to {
		from, to = min(from, s.spans[j].from), max(to, s.spans[j].to)
		j++
	}
	s.spans = slices.Replace(s.spans, i, j, span{from, to})
}

// High is the end of the highest byte in the set, 0 when it is empty.
func (s *Set) High() int64 {
	if len(s.spans) == 0 {
		return 0
	}
	return s.spans[len(s.spans)-1].to
}

// Bytes is the number of bytes in the set.
func (s *Set) Bytes() int64 {
	var n int64
	for _, sp := range s.spans {
		n += sp.to - sp.from
	}
	return n
}

// Spans is the number of intervals.
func (s *Set) Spans() int { return len(s.spans) }

// Each calls f for every interval in ascending order until it returns false.
func (s *Set) Each(f func(from, to int64) bool) {
	for _, sp := range s.spans {
		if !f(sp.from, sp.to) {
			return
		}
	}
}

// after is the index of the first span whose end is > from; the caller knows there is one.
func (s *Set) after(from int64) int {
	i, _ := slices.BinarySearchFunc(s.spans, from+1, func(sp span, f int64) int { return cmp.Compare(sp.to, f) })
	return i
}
