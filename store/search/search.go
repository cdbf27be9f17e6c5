// Package search answers a search request over indices: it plans the query for each, runs it over their sources with one worker per
// core, keeps the best hits, counts, aggregates, and reads the documents that are returned.
//
// The newest sources come first when the sort is by time, zones that cannot hold a better hit are skipped, and a source is left when
// its hits are settled and the total is known or past its threshold. Answers do not depend on the number of workers or on how documents
// are spread over sources: ties go by arrival.
package search

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/store/agg"
	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// Index is one index as the search sees it.
type Index struct {
	Name          string
	Mapping       *mapping.Mapping
	DefaultFields []string       // index.query.default_field, nil: all
	Filter        query.Query    // of the alias it was reached by, nil: none
	Analyzers     *analysis.Set  // of the index, nil: the built-in ones
	Shards        int            // logical shards, for _shards; 0 is 1
	Sources       []query.Source // oldest first
}

// Options are what the request's body does not say.
type Options struct {
	Now     time.Time
	Workers int // 0: as many as cores
	After   *Cursor
	Memory  *query.Pool // of all searches; nil: no limit
}

// Cursor is a place in the ranking of one request over one unchanged list of sources: the last hit of a page.
type Cursor struct{ last hit }

// run is one search.
type run struct {
	ctx     context.Context
	req     *query.Request
	opt     Options
	indices []Index
	plans   []indexPlan
	aggs    *agg.Request
	items   []item // one per source
	ranking ranking
	memory  *query.Reservation
	k       int

	total    atomic.Int64 // matching documents seen or known
	enough   atomic.Bool  // the total is past its threshold
	bound    atomic.Int64 // a first key worse than this cannot rank any more
	timedOut atomic.Bool
	early    atomic.Bool // terminate_after was reached

	mu       sync.Mutex
	failures []Failure
}

// indexPlan is the request fitted to one index.
type indexPlan struct {
	query, post *query.Plan
	sorts       []sortPlan
	aggs        *agg.Plan
	collapse    *sortPlan // nil: the request has none
	boost       float32
	lo, hi      int64 // @timestamp of every match, epoch nanoseconds
	unit        int64 // nanoseconds of a unit of @timestamp's column; 0: there is no such date
}

// item is a source to search.
type item struct {
	index, ord     int
	src            query.Source
	oldest, newest int64 // @timestamp, epoch nanoseconds
}

// failed notes that a source of an index could not be read.
func (r *run) failed(index int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, Failure{r.indices[index].Name, err})
}

// Failure is a source that could not be read.
type Failure struct {
	Index string
	Err   error
}

// Run answers a request. It returns ctx's error when it is cancelled; a timeout of the request gives what was found so far.
func Run(ctx context.Context, indices []Index, req *query.Request, opt Options) (*Response, error) {
	start := time.Now()
	if opt.Now.IsZero() {
		opt.Now = start
	}
	if opt.Workers == 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{ctx: ctx, req: req, opt: opt, indices: indices, k: req.From + req.Size, memory: opt.Memory.Reserve()}
	defer r.memory.Release()
	r.bound.Store(math.MaxInt64)
	if err := r.plan(); err != nil {
		return nil, err
	}
	if req.Timeout > 0 {
		var cancel context.CancelFunc
		r.ctx, cancel = context.WithDeadline(ctx, start.Add(req.Timeout))
		defer cancel()
	}
	res, err := r.execute()
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	res.Took = time.Since(start)
	return res, nil
}

// plan fits the request to each index and lists the sources.
func (r *run) plan() error {
	sorts := r.req.Sort
	if len(sorts) == 0 {
		sorts = []query.SortKey{{Field: "_score", Desc: true}}
	}
	if r.req.Aggs != nil {
		var err error
		if r.aggs, err = agg.Parse(r.req.Aggs); err != nil {
			return err
		}
	}
	for i := range r.indices {
		p, err := r.planIndex(&r.indices[i], sorts)
		if err != nil {
			return err
		}
		r.plans = append(r.plans, p)
		for _, src := range r.indices[i].Sources {
			it := item{index: i, ord: len(r.items), src: src, oldest: math.MinInt64, newest: math.MaxInt64}
			if lo, hi, ok := src.TimeRange(); ok {
				it.oldest, it.newest = lo, hi
			}
			r.items = append(r.items, it)
		}
	}
	if len(r.plans) > 0 {
		r.ranking.sorts = r.plans[0].sorts
	}
	if s := sorts[0]; s.Field == "@timestamp" {
		slices.SortStableFunc(r.items, func(a, b item) int {
			switch {
			case a.newest > b.newest == s.Desc && a.newest != b.newest:
				return -1
			case a.newest == b.newest:
				return 0
			}
			return 1
		})
	}
	return r.planAfter()
}

func (r *run) planIndex(ix *Index, sorts []query.SortKey) (p indexPlan, err error) {
	c := query.Context{Index: ix.Name, Mapping: ix.Mapping, Now: r.opt.Now, DefaultFields: ix.DefaultFields, Scores: r.scores(), Sources: ix.Sources, Analyzers: ix.Analyzers, Memory: r.memory}
	q := r.req.Query
	if ix.Filter != nil {
		q = query.Filtered(q, ix.Filter)
	}
	p.boost = 1
	for _, b := range r.req.IndicesBoost {
		if query.Glob(b.Index, ix.Name) {
			p.boost = b.Boost
			break
		}
	}
	if p.query, err = query.NewPlan(q, c); err != nil {
		return p, err
	}
	if f := ix.Mapping.Field("@timestamp"); f != nil && f.Type.IsDate() {
		if p.unit = 1e6; f.Type == mapping.DateNanos {
			p.unit = 1
		}
		p.lo, p.hi = p.query.TimeRange(f.Path, p.unit == 1)
	}
	c.Scores = false
	if r.req.PostFilter != nil {
		if p.post, err = query.NewPlan(r.req.PostFilter, c); err != nil {
			return p, err
		}
	}
	if r.aggs != nil {
		if p.aggs, err = r.aggs.Plan(c); err != nil {
			return p, err
		}
	}
	if p.collapse, err = planCollapse(r.req.Collapse, ix); err != nil {
		return p, err
	}
	p.sorts, err = planSorts(sorts, ix)
	return p, err
}

// scores tells whether scores are worked out.
func (r *run) scores() bool {
	if r.req.TrackScores || r.req.MinScore != nil || len(r.req.Sort) == 0 && r.k > 0 {
		return true
	}
	return slices.ContainsFunc(r.req.Sort, func(s query.SortKey) bool { return s.Field == "_score" })
}

func (r *run) planAfter() error {
	if len(r.req.SearchAfter) == 0 || len(r.plans) == 0 {
		return nil
	}
	for i, n := range r.req.SearchAfter {
		k, err := r.ranking.sorts[i].parseKey(n)
		if err != nil {
			return err
		}
		r.ranking.after = append(r.ranking.after, k)
	}
	return nil
}

// execute runs the workers and puts their parts together.
func (r *run) execute() (*Response, error) {
	var next atomic.Int64
	n := max(1, min(r.opt.Workers, len(r.items)))
	workers := make([]*worker, n)
	var wg sync.WaitGroup
	for i := range workers {
		w := &worker{run: r, top: top{ranking: &r.ranking, k: r.k}, groups: newGroups(&r.ranking)}
		workers[i] = w
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(r.items) || r.ctx.Err() != nil || r.early.Load() {
					return
				}
				if err := guarded(func() { w.search(&r.items[i]) }); err != nil {
					r.failed(r.items[i].index, err)
				}
			}
		})
	}
	wg.Wait()
	if errors.Is(r.ctx.Err(), context.DeadlineExceeded) {
		r.timedOut.Store(true)
	}
	all, grouped := top{ranking: &r.ranking, k: r.k}, newGroups(&r.ranking)
	var parts []*agg.Partial
	for _, w := range workers {
		if w.err != nil {
			return nil, w.err
		}
		for _, h := range w.top.hits {
			all.offer(h)
		}
		if err := grouped.merge(w.groups); err != nil {
			return nil, err
		}
		parts = append(parts, w.parts...)
	}
	for _, h := range grouped.best {
		all.offer(h)
	}
	return r.response(all.sorted(), parts)
}
