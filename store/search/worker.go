package search

import (
	"math"

	"github.com/weirlog/weir/store/agg"
	"github.com/weirlog/weir/store/query"
)

// worker searches sources one after the other.
type worker struct {
	*run
	top    top
	groups *groups // in place of top when the search is collapsed
	parts  []*agg.Partial
	err    error

	it     *item
	plan   *indexPlan
	scan   *query.Scan
	post   *query.Scan
	keyers []*keyer
	group  *keyer // of the collapse field, nil without
	coll   *agg.Collector
	keys   []key
	score  [query.ZoneRows]float32
	known  bool // the source's matches are in the total already
	seen   int  // documents of the source, for terminate_after
}

// search runs one source.
func (w *worker) search(it *item) {
	w.it, w.plan = it, &w.plans[it.index]
	w.post, w.coll, w.known, w.seen = nil, nil, false, 0
	if w.aggs != nil {
		w.coll = w.plan.aggs.Open(it.src, it.ord)
	}
	if !w.outside() {
		if w.scan = w.plan.query.NewScan(it.src); !w.scan.Empty() {
			w.open()
			w.zones()
			if w.err == nil {
				w.err = w.scan.Err()
			}
		}
	}
	if w.coll != nil && w.err == nil {
		if w.err = w.aggregateAll(); w.err == nil {
			w.parts = append(w.parts, w.coll.Finish())
		}
	}
	if err := it.src.Err(); err != nil {
		w.failed(it.index, err)
	}
}

// outside tells by its times alone that the source has nothing to add.
func (w *worker) outside() bool {
	p, it := w.plan, w.it
	if p.query.None() || p.unit != 0 && (it.newest < p.lo || it.oldest > p.hi) {
		return true
	}
	settled := w.req.TrackTotal == 0 || w.enough.Load()
	s := &p.sorts[0]
	if w.coll != nil || !settled || w.req.TerminateAfter > 0 || s.field == nil || s.field.Path != "@timestamp" || p.unit == 0 ||
		it.newest == math.MaxInt64 || s.first || s.hasN || s.Mode != "" {
		return false
	}
	best := (it.oldest - p.unit + 1) / p.unit // not above the oldest, before 1970 too
	if s.Desc {
		best = ^(it.newest / p.unit)
	}
	return best > w.bound.Load()
}

func (w *worker) open() {
	if w.plan.post != nil {
		w.post = w.plan.post.NewScan(w.it.src)
	}
	w.keyers = w.keyers[:0]
	for i := range w.plan.sorts {
		w.keyers = append(w.keyers, newKeyer(&w.plan.sorts[i], &w.indices[w.it.index], w.it.src, w.it.ord))
	}
	w.keys, w.group = make([]key, len(w.keyers)), nil
	if w.plan.collapse != nil {
		w.group = newKeyer(w.plan.collapse, &w.indices[w.it.index], w.it.src, w.it.ord)
	}
	if w.plan.post == nil && w.req.MinScore == nil && w.req.Slice == nil && w.req.TerminateAfter == 0 && w.req.TrackTotal != 0 {
		if n, ok := w.scan.Count(); ok {
			w.known = true
			w.count(n)
		}
	}
}

// count adds to the total and notes when that is past the threshold.
func (w *worker) count(n int) {
	if total := w.total.Add(int64(n)); w.req.TrackTotal >= 0 && total > int64(w.req.TrackTotal) {
		w.enough.Store(true)
	}
}

// zones walks the source: from the end when the newest come first, so that the best hits are met early.
func (w *worker) zones() {
	n := w.scan.Zones()
	if w.plan.sorts[0].Desc && w.plan.sorts[0].Field != "_score" {
		for z := n - 1; z >= 0; z-- {
			if next, ok := w.scan.Next(z); !ok || next != z {
				continue
			}
			if !w.zone(z) {
				return
			}
		}
		return
	}
	for z, ok := w.scan.Next(0); ok; z, ok = w.scan.Next(z + 1) {
		if !w.zone(z) {
			return
		}
	}
}

// zone searches one zone; false ends the source.
func (w *worker) zone(z int) bool {
	if w.ctx.Err() != nil || w.early.Load() {
		return false
	}
	rank := w.top.k > 0 && w.competitive(z)
	count := !w.known && w.req.TrackTotal != 0 && !w.enough.Load()
	if !rank && !count && w.coll == nil && w.req.TerminateAfter == 0 {
		return true
	}
	var sel query.Selection
	if !w.scan.Select(z, &sel) {
		return true
	}
	if w.req.Slice != nil && !w.slice(z, &sel) {
		return true
	}
	if w.req.TerminateAfter > 0 {
		w.terminate(&sel)
	}
	if w.req.MinScore != nil && !w.minScore(z, &sel) {
		return true
	}
	if w.coll != nil {
		if w.err = w.coll.Collect(z, &sel); w.err != nil {
			return false
		}
	}
	if w.post != nil && !w.post.Refine(z, &sel) {
		return true
	}
	if count {
		w.count(sel.Count())
	}
	if rank {
		w.rank(z, &sel)
	}
	return w.err == nil
}

// competitive tells whether a row of the zone may rank among the best.
func (w *worker) competitive(z int) bool {
	if w.plan.sorts[0].kind != kindNumber {
		return true
	}
	best, ok := w.keyers[0].best(z)
	if w.plan.sorts[0].Field == "_score" {
		best, ok = ^query.SortableFloat(float64(w.scan.MaxScore()*w.plan.boost)), true
	}
	if !ok {
		return true
	}
	if best > w.bound.Load() {
		return false
	}
	if !w.top.full() || best < w.top.hits[0].keys[0].num || len(w.keyers) > 1 {
		return true
	}
	worst := &w.top.hits[0] // equal at best: earlier documents go first
	return best == worst.keys[0].num && (w.it.ord < worst.ord || w.it.ord == worst.ord && z*query.ZoneRows < worst.row)
}

// rank offers the rows of the selection.
func (w *worker) rank(z int, sel *query.Selection) {
	scored := w.scores()
	if scored && w.req.MinScore == nil {
		w.scan.Score(z, sel, &w.score)
	}
	for _, k := range w.keyers {
		k.load(z)
	}
	if w.group != nil {
		w.group.load(z)
	}
	numeric := w.plan.sorts[0].kind == kindNumber
	one := func(row int) {
		h := hit{ord: w.it.ord, row: z*query.ZoneRows + row}
		if scored {
			h.score = w.score[row] * w.plan.boost
		}
		for i, k := range w.keyers {
			w.keys[i] = k.at(row, h.score)
			if i == 0 && numeric && w.top.full() && w.keys[0].num > w.top.hits[0].keys[0].num {
				return
			}
		}
		if w.ranking.after != nil && w.ranking.compareKeys(w.keys, w.ranking.after) <= 0 {
			return
		}
		h.keys = w.keys
		if w.opt.After != nil && w.ranking.compare(&h, &w.opt.After.last) <= 0 {
			return
		}
		if w.group != nil {
			if err := w.groups.offer(h, w.group.at(row, 0)); err != nil {
				w.err = err
			}
			return
		}
		w.top.offer(h)
	}
	if w.plan.sorts[0].Desc {
		sel.Down(func(row int) bool { one(row); return true })
	} else {
		sel.Each(one)
	}
	if numeric && w.top.full() {
		w.lowerBound(w.top.hits[0].keys[0].num)
	}
}

// lowerBound tells the other workers that k hits are at least this good.
func (w *worker) lowerBound(num int64) {
	for {
		old := w.bound.Load()
		if num >= old || w.bound.CompareAndSwap(old, num) {
			return
		}
	}
}

// slice keeps the rows of the request's slice: rows are dealt out by their sequence number, which a merge does not change, so that the
// slices of several requests fit together. Sources without one deal by place.
func (w *worker) slice(z int, sel *query.Selection) bool {
	s := w.req.Slice
	seqs, numbered := w.it.src.Field("_seq_no").(query.Numbers)
	var vec query.NumberVec
	if numbered {
		seqs.Load(z, &vec)
	}
	sel.Each(func(row int) {
		place := int64(w.it.ord + z*query.ZoneRows + row)
		switch {
		case !numbered || !vec.Has.Get(row):
		case vec.Start != nil:
			place = vec.V[vec.Start[row]]
		default:
			place = vec.V[row]
		}
		if place%int64(s.Max) != int64(s.ID) {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// terminate keeps the first rows up to terminate_after.
func (w *worker) terminate(sel *query.Selection) {
	sel.Each(func(row int) {
		if w.seen >= w.req.TerminateAfter {
			sel.Clear(row)
			w.early.Store(true)
			return
		}
		w.seen++
	})
}

func (w *worker) minScore(z int, sel *query.Selection) bool {
	w.scan.Score(z, sel, &w.score)
	sel.Each(func(row int) {
		if w.score[row]*w.plan.boost < *w.req.MinScore {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// aggregateAll gives every document of the source to aggregations that do not look at the query.
func (w *worker) aggregateAll() error {
	if !w.coll.Global() {
		return nil
	}
	rows := w.it.src.Rows()
	for z := 0; z*query.ZoneRows < rows; z++ {
		if w.ctx.Err() != nil {
			return nil
		}
		sel := query.AllRows(w.it.src, z)
		if err := w.coll.CollectGlobal(z, &sel); err != nil {
			return err
		}
	}
	return nil
}
