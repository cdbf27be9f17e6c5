package contexts

import (
	"context"
	"sync"
	"time"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/tasks"
)

// Bounds of asynchronous searches.
const (
	MaxAsync      = 500
	maxAsyncBytes = 10 << 20 // of one answer
	maxAsyncAll   = 64 << 20 // of all answers kept
)

// Async is a search in the background.
type Async struct {
	ID    string
	Start time.Time

	task *tasks.Task
	mu   sync.Mutex
	exp  time.Time
	end  time.Time
	size int64
}

// Expires is when its answer is dropped.
func (a *Async) Expires() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.exp
}

// Ended is when it was over, zero while it runs.
func (a *Async) Ended() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.end
}

// Result is the answer of a search that is over.
func (a *Async) Result() ([]byte, error) { return a.task.Result() }

// Cancelled tells whether the search was cancelled.
func (a *Async) Cancelled() bool { return a.task.Cancelled() }

// Wait returns when the search is over or d has passed; false: it still runs.
func (a *Async) Wait(ctx context.Context, d time.Duration) bool {
	if a.task.Ended() {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-a.task.Done():
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return a.task.Ended()
}

// Submit starts a search in the background.
func (k *Keeper) Submit(r *tasks.Registry, i tasks.Info, keep time.Duration, run func(ctx context.Context) ([]byte, error)) (*Async, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
	if len(k.asyncs) >= MaxAsync || k.kept > maxAsyncAll {
		return nil, &store.Error{Status: 429, Type: "es_rejected_execution_exception", Reason: "too many asynchronous searches are kept: delete some"}
	}
	now := k.now()
	i.Private = true
	a := &Async{ID: newID('a'), Start: now, exp: now.Add(keep)}
	t, err := r.Go(i, func(ctx context.Context, _ *tasks.Task) ([]byte, error) {
		b, err := run(ctx)
		if err == nil && len(b) > maxAsyncBytes {
			b, err = nil, &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: "Can't store an async search response larger than [10485760] bytes. " +
				"This limit can be set by changing the [search.max_async_search_response_size] setting."}
		}
		k.mu.Lock()
		a.mu.Lock()
		a.end, a.size = k.now(), int64(len(b))
		a.mu.Unlock()
		if k.asyncs[a.ID] == a {
			k.kept += int64(len(b))
		}
		k.mu.Unlock()
		return b, err
	})
	if err != nil {
		return nil, &store.Error{Status: 429, Type: "es_rejected_execution_exception", Reason: err.Error()}
	}
	a.task = t
	k.asyncs[a.ID] = a
	return a, nil
}

// FindAsync is an asynchronous search; keep 0 leaves the time it lives to.
func (k *Keeper) FindAsync(id string, keep time.Duration) (*Async, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
	a := k.asyncs[id]
	if a == nil {
		return nil, &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: id}
	}
	if keep > 0 {
		a.mu.Lock()
		a.exp = k.now().Add(keep)
		a.mu.Unlock()
	}
	return a, nil
}

// DeleteAsync ends a search and drops its answer.
func (k *Keeper) DeleteAsync(r *tasks.Registry, id string) error {
	k.mu.Lock()
	a := k.asyncs[id]
	if a != nil {
		k.forgetLocked(id)
	}
	k.mu.Unlock()
	if a == nil {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: id}
	}
	r.Cancel(a.task.ID, "async search deleted")
	return nil
}

// forgetLocked drops an answer; the caller holds mu.
func (k *Keeper) forgetLocked(id string) {
	a := k.asyncs[id]
	delete(k.asyncs, id)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.end.IsZero() {
		k.kept -= a.size
	}
}
