// Package byquery changes, deletes and copies the documents that a query finds, as _update_by_query, _delete_by_query and _reindex ask.
//
// Run reads a view of the source in pages, turns each hit into an operation (with a script, if there is one) and applies them. An
// operation on the document itself carries the sequence number it was read with: one that changed meanwhile is a version conflict, which
// ends the run or is counted, as the request says. Work may be cut into slices that run side by side; a task's rate slows it down, and
// its context ends it.
package byquery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/painless"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
	"github.com/weirlog/weir/store/tasks"
)

// Kind is what is done with what is found.
type Kind uint8

const (
	Update Kind = iota
	Delete
	Reindex
)

// Bounds of a run.
const (
	DefaultBatch = 1000
	MaxSlices    = 1024
	maxParallel  = 4  // slices that run at a time
	maxFailures  = 10 // kept in an answer
	retryFirst   = 100 * time.Millisecond
	retryMost    = 10 * time.Second
	retries      = 11
)

// Request is one run.
type Request struct {
	Kind     Kind
	Expr     string
	Opts     store.ResolveOptions
	Search   *query.Request // its Size is that of a page
	Max      int            // documents at most, 0: all
	Proceed  bool           // count version conflicts and go on
	Slices   int            // 0 and 1: no slicing
	Script   *store.ScriptRef
	Pipeline string
	Dest     Dest
}

// Dest is where Reindex writes to.
type Dest struct {
	Index       string
	Create      bool   // op_type create
	VersionType string // "", internal, external, external_gte
	Routing     string // "" and keep: the document's; discard; =text
}

// Failure is an operation that was refused, or a search that failed.
type Failure struct {
	Index, ID string
	Err       *store.Error
}

// Result is what a run did; Slices are those of its parts when it was sliced.
type Result struct {
	Took                                               time.Duration
	Total, Updated, Created, Deleted, Noops, Conflicts int64
	Batches, Retries                                   int64
	Throttled                                          time.Duration
	PerSecond                                          float64
	Failures                                           []Failure
	Slices                                             []*Result
	Canceled                                           string // reason, "" when it ran to its end
	mu                                                 sync.Mutex
	id                                                 int
}

// SliceID is the slice's number.
func (r *Result) SliceID() int { return r.id }

// Add puts a slice's numbers into r.
func (r *Result) add(o *Result) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r.Total += o.Total
	r.Updated += o.Updated
	r.Created += o.Created
	r.Deleted += o.Deleted
	r.Noops += o.Noops
	r.Conflicts += o.Conflicts
	r.Batches += o.Batches
	r.Retries += o.Retries
	for _, f := range o.Failures {
		if len(r.Failures) < maxFailures {
			r.Failures = append(r.Failures, f)
		}
	}
}

// Read copies the numbers of a run under way.
func (r *Result) Read() *Result {
	out := &Result{PerSecond: r.PerSecond, id: r.id}
	if len(r.Slices) == 0 {
		out.add(r)
		return out
	}
	for _, s := range r.Slices {
		one := s.Read()
		out.Slices = append(out.Slices, one)
		out.add(one)
	}
	return out
}

// runner is a run or one slice of it.
type runner struct {
	s    *store.Store
	req  *Request
	task *tasks.Task
	res  *Result
	view *store.View
	left *budget
}

// budget is max_docs, shared by slices.
type budget struct {
	mu   sync.Mutex
	left int
}

// take takes up to n.
func (b *budget) take(n int) int {
	if b == nil {
		return n
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n = min(n, b.left)
	b.left -= n
	return n
}

// errStopped ends a run whose failures are in its result.
var errStopped = errors.New("stopped by failures")

// Run carries a request out. status is called once with the place of the numbers, which Read copies while the run goes on. An error is
// of the request as a whole; refused documents are the result's Failures.
func Run(ctx context.Context, s *store.Store, req *Request, t *tasks.Task, status func(*Result)) (*Result, error) {
	began := time.Now()
	res := &Result{PerSecond: t.Rate().PerSecond()}
	n := max(1, req.Slices)
	if n > 1 {
		for i := range n {
			res.Slices = append(res.Slices, &Result{id: i, PerSecond: res.PerSecond / float64(n)})
		}
	}
	status(res)
	v, err := s.View(req.Expr, req.Opts)
	if err != nil {
		return nil, err
	}
	defer v.Release()
	r := &runner{s: s, req: req, task: t, res: res, view: v}
	if req.Max > 0 {
		r.left = &budget{left: req.Max}
	}
	if n > 1 {
		err = r.sliced(ctx, n)
	} else {
		err = r.run(ctx, req.Search)
	}
	out := res.Read()
	out.Took = time.Since(began)
	out.Throttled, _ = t.Rate().Throttled()
	out.PerSecond = t.Rate().PerSecond()
	if ctx.Err() != nil {
		out.Canceled = "by user request"
		var c *tasks.Cancelled
		if errors.As(context.Cause(ctx), &c) {
			out.Canceled = c.Reason
		}
		return out, nil
	}
	if err != nil && !errors.Is(err, errStopped) {
		return nil, err
	}
	return out, nil
}

// sliced runs the slices, a few at a time.
func (r *runner) sliced(ctx context.Context, n int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	gate := make(chan struct{}, maxParallel)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			one := *r
			one.res = r.res.Slices[i]
			req := *r.req.Search
			req.Slice = &query.Slice{ID: i, Max: n}
			if errs[i] = one.run(ctx, &req); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return nil
}

// run reads page after page.
func (r *runner) run(ctx context.Context, first *query.Request) error {
	req := *first
	req.SeqNo, req.Version, req.TrackTotal = true, true, query.CountAll
	if r.req.Kind == Delete {
		req.Source = query.SourceFilter{Given: true, None: true}
	}
	var after *search.Cursor
	for page := 0; ; page++ {
		began := time.Now()
		resp, err := r.s.SearchView(ctx, r.view, &req, after)
		if err != nil {
			return err
		}
		if page == 0 {
			total := resp.Total
			if r.req.Max > 0 {
				total = min(total, int64(r.req.Max))
			}
			r.res.mu.Lock()
			r.res.Total = total
			r.res.mu.Unlock()
			req.TrackTotal = 0
		}
		hits := resp.Hits[:r.left.take(len(resp.Hits))]
		if len(hits) == 0 {
			return nil
		}
		r.res.mu.Lock()
		r.res.Batches++
		r.res.mu.Unlock()
		if err := r.batch(ctx, hits); err != nil {
			return err
		}
		if len(hits) < len(resp.Hits) || len(resp.Hits) < req.Size {
			return nil
		}
		after = resp.Last
		if err := r.task.Rate().Wait(ctx, len(hits), began); err != nil {
			return err
		}
	}
}

// batch applies what becomes of a page's hits.
func (r *runner) batch(ctx context.Context, hits []search.Hit) error {
	ops := make([]store.Op, 0, len(hits))
	noops := 0
	for i := range hits {
		op, ok, err := r.op(&hits[i])
		if err != nil {
			return err
		}
		if !ok {
			noops++
			continue
		}
		ops = append(ops, op)
	}
	results, err := r.apply(ctx, ops)
	if err != nil {
		return err
	}
	return r.count(results, noops)
}

// apply writes, again and again while the store is busy.
func (r *runner) apply(ctx context.Context, ops []store.Op) ([]store.ItemResult, error) {
	if len(ops) == 0 {
		return nil, ctx.Err()
	}
	wait := retryFirst
	for try := 0; ; try++ {
		results, err := r.s.Apply(ctx, ops)
		var e *store.Error
		if err == nil || !errors.As(err, &e) || e.Status != 429 || try >= retries {
			return results, err
		}
		r.res.mu.Lock()
		r.res.Retries++
		r.res.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		wait = min(2*wait, retryMost)
	}
}

// count books results; the first failure that is not to be passed over ends the run.
func (r *runner) count(results []store.ItemResult, noops int) error {
	r.res.mu.Lock()
	defer r.res.mu.Unlock()
	r.res.Noops += int64(noops)
	failed := false
	for i := range results {
		it := &results[i]
		switch {
		case it.Err != nil && it.Status == 409:
			r.res.Conflicts++
			if r.req.Proceed {
				continue
			}
			fallthrough
		case it.Err != nil:
			failed = true
			if len(r.res.Failures) < maxFailures {
				r.res.Failures = append(r.res.Failures, Failure{it.Index, it.ID, it.Err})
			}
		case it.Result == "created":
			r.res.Created++
		case it.Result == "updated":
			r.res.Updated++
		case it.Result == "deleted":
			r.res.Deleted++
		default:
			r.res.Noops++
		}
	}
	if failed {
		return errStopped
	}
	return nil
}

// op turns a hit into an operation; false: nothing is to be done.
func (r *runner) op(h *search.Hit) (store.Op, bool, error) {
	switch r.req.Kind {
	case Delete:
		op := store.NewOp(bulk.Op{Action: bulk.Delete, Index: h.Index, ID: h.ID, Routing: h.Routing})
		op.IfSeq, op.IfTerm = h.SeqNo, 1
		return op, true, nil
	case Update:
		op := store.NewOp(bulk.Op{Action: bulk.Index, Index: h.Index, ID: h.ID, Routing: h.Routing, Source: h.Source})
		op.IfSeq, op.IfTerm, op.Pipeline = h.SeqNo, 1, r.req.Pipeline
		return r.scripted(op, h)
	}
	d := &r.req.Dest
	op := store.NewOp(bulk.Op{Action: bulk.Index, Index: d.Index, ID: h.ID, Routing: h.Routing, Source: h.Source})
	op.Pipeline = r.req.Pipeline
	if d.Create {
		op.Action = bulk.Create
	}
	if op.VersionType = d.VersionType; op.VersionType != "" && op.VersionType != "internal" {
		op.Version = h.Version
	}
	switch {
	case d.Routing == "discard":
		op.Routing = ""
	case len(d.Routing) > 0 && d.Routing[0] == '=':
		op.Routing = d.Routing[1:]
	}
	return r.scripted(op, h)
}

// scripted runs the request's script over an operation.
func (r *runner) scripted(op store.Op, h *search.Hit) (store.Op, bool, error) {
	if r.req.Script == nil {
		return op, true, nil
	}
	doc, err := store.DocumentOf(op.Source)
	if err != nil {
		return op, false, err
	}
	ctx := painless.NewMap()
	ctx.Set("_index", op.Index)
	ctx.Set("_id", op.ID)
	ctx.Set("_version", h.Version)
	ctx.Set("_routing", nil)
	if op.Routing != "" {
		ctx.Set("_routing", op.Routing)
	}
	ctx.Set("_now", time.Now().UnixMilli())
	ctx.Set("op", "index")
	ctx.Set("_source", doc)
	if err := r.req.Script.Run(ctx); err != nil {
		return op, false, err
	}
	src, _ := ctx.Get("_source")
	op.Source = store.SourceOf(src)
	if r.req.Kind == Reindex {
		if err := readdress(&op, ctx); err != nil {
			return op, false, err
		}
	}
	switch what, _ := ctx.Get("op"); what {
	case "index", "create":
		return op, true, nil
	case "noop", "none":
		return op, false, nil
	case "delete":
		op.Action, op.Source, op.Pipeline = bulk.Delete, nil, ""
		return op, true, nil
	default:
		return op, false, &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf("Operation type [%s] not allowed, only [noop, index, delete] are allowed", painless.Text(what))}
	}
}

// readdress lets a script choose where a copied document goes.
func readdress(op *store.Op, ctx *painless.Map) error {
	text := func(key string) string {
		v, _ := ctx.Get(key)
		if v == nil {
			return ""
		}
		return painless.Text(v)
	}
	op.Index, op.ID, op.Routing = text("_index"), text("_id"), text("_routing")
	if op.Index == "" {
		return &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: "Can't reindex without a destination index!"}
	}
	return nil
}
