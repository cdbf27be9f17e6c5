package search

import (
	"cmp"
	"container/heap"
	"slices"
)

// hit is a document that may be answered.
type hit struct {
	ord   int // of the source, in the order of indices and age
	row   int
	score float32
	keys  []key
	group *key // the collapse value, nil without
}

// ranking orders hits. Ties go by source and row: arrival order.
type ranking struct {
	sorts []sortPlan // of the first index; kinds agree in all
	after []key      // search_after, nil: none
}

// compare is negative when a ranks before b.
func (r *ranking) compare(a, b *hit) int {
	if c := r.compareKeys(a.keys, b.keys); c != 0 {
		return c
	}
	if c := cmp.Compare(a.ord, b.ord); c != 0 {
		return c
	}
	return cmp.Compare(a.row, b.row)
}

func (r *ranking) compareKeys(a, b []key) int {
	for i := range r.sorts {
		if c := r.sorts[i].compare(&a[i], &b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// top keeps the k best hits. It belongs to one worker.
type top struct {
	ranking *ranking
	k       int
	hits    []hit
}

func (t *top) Len() int           { return len(t.hits) }
func (t *top) Less(i, j int) bool { return t.ranking.compare(&t.hits[i], &t.hits[j]) > 0 }
func (t *top) Swap(i, j int)      { t.hits[i], t.hits[j] = t.hits[j], t.hits[i] }
func (t *top) Push(x any)         { t.hits = append(t.hits, x.(hit)) }
func (t *top) Pop() any {
	h := t.hits[len(t.hits)-1]
	t.hits = t.hits[:len(t.hits)-1]
	return h
}

// full tells that a further hit must beat the worst.
func (t *top) full() bool { return len(t.hits) == t.k }

// offer takes a hit if it ranks; keys are copied when it does.
func (t *top) offer(h hit) {
	if t.full() {
		if t.k == 0 || t.ranking.compare(&h, &t.hits[0]) >= 0 {
			return
		}
		h.keys = append(t.hits[0].keys[:0], h.keys...)
		t.hits[0] = h
		heap.Fix(t, 0)
		return
	}
	h.keys = slices.Clone(h.keys)
	heap.Push(t, h)
}

// sorted is the hits, best first.
func (t *top) sorted() []hit {
	slices.SortFunc(t.hits, func(a, b hit) int { return t.ranking.compare(&a, &b) })
	return t.hits
}
