// Package tasks keeps account of what a node is doing: searches under way, copies and updates by query, merges that were asked for.
//
// A Task is begun by the request that does the work, or by Go in the background; it can be listed, cancelled, slowed down (its Rate) and,
// when it ran in the background, its answer is kept. A registry holds at most maxRunning tasks and maxDone answers.
package tasks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of a registry.
const (
	maxRunning = 10_000
	maxDone    = 1_000 // answers kept in memory, the oldest go first
)

// ErrFull is the refusal of a task beyond the bound.
var ErrFull = errors.New("too many tasks are running")

// Cancelled is the cause of a context whose task was cancelled.
type Cancelled struct{ Reason string }

func (c *Cancelled) Error() string { return "task cancelled [" + c.Reason + "]" }

// Info is what a task is told by.
type Info struct {
	Action      string // indices:data/read/search
	Type        string // "transport" when empty
	Description string
	Parent      int64 // 0: none
	OpaqueID    string
	Fixed       bool // it cannot be cancelled
	Private     bool // its answer is kept by who began it, not by the registry
}

// Task is one piece of work. Its methods are safe for concurrent use.
type Task struct {
	Info
	ID    int64
	Start time.Time

	cancel    context.CancelCauseFunc
	cancelled atomic.Bool
	status    atomic.Pointer[func() []byte]
	rate      Rate
	done      chan struct{}

	// set before done is closed
	took   time.Duration
	answer []byte
	failed error
}

// SetStatus gives the task something to tell while it runs: a JSON object.
func (t *Task) SetStatus(f func() []byte) { t.status.Store(&f) }

// Status is what SetStatus's function tells, nil without one.
func (t *Task) Status() []byte {
	if f := t.status.Load(); f != nil {
		return (*f)()
	}
	return nil
}

// Rate slows the task down.
func (t *Task) Rate() *Rate { return &t.rate }

// Cancelled tells whether somebody cancelled it.
func (t *Task) Cancelled() bool { return t.cancelled.Load() }

// Running is how long it has run, or ran.
func (t *Task) Running() time.Duration {
	if t.Ended() {
		return t.took
	}
	return time.Since(t.Start)
}

// Ended tells whether it is over.
func (t *Task) Ended() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// Done is closed when the task is over.
func (t *Task) Done() <-chan struct{} { return t.done }

// Result is the answer of a task that ran in the background, once it is over.
func (t *Task) Result() ([]byte, error) { return t.answer, t.failed }

// Registry is the tasks of a node.
type Registry struct {
	wg   sync.WaitGroup
	keep func(*Task)

	mu      sync.Mutex
	closed  bool
	next    int64
	running map[int64]*Task
	done    []*Task // background tasks that are over, oldest first
}

// New makes a registry. Ids rise from the time in milliseconds, so that those of different runs of the process differ. keep, which
// may be nil, is called with each background task that has ended.
func New(now time.Time, keep func(*Task)) *Registry {
	return &Registry{keep: keep, next: now.UnixMilli(), running: map[int64]*Task{}}
}

// Begin notes a task that the caller carries out; the context ends when it is cancelled. The caller calls End.
func (r *Registry) Begin(ctx context.Context, i Info) (context.Context, *Task, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.running) >= maxRunning {
		return nil, nil, ErrFull
	}
	if i.Type == "" {
		i.Type = "transport"
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t := &Task{Info: i, ID: r.next, Start: time.Now(), cancel: cancel, done: make(chan struct{})}
	r.next++
	r.running[t.ID] = t
	return ctx, t, nil
}

// End takes a task off the list.
func (r *Registry) End(t *Task) {
	t.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	t.took = time.Since(t.Start)
	delete(r.running, t.ID)
	close(t.done)
}

// Go carries f out in the background and keeps its answer. Close ends it.
func (r *Registry) Go(i Info, f func(ctx context.Context, t *Task) ([]byte, error)) (*Task, error) {
	ctx, t, err := r.Begin(context.Background(), i)
	if err != nil {
		return nil, err
	}
	r.wg.Go(func() {
		answer, err := f(ctx, t)
		t.answer, t.failed = answer, err
		r.mu.Lock()
		if !i.Private {
			r.done = append(r.done, t)
			r.done = slices.Delete(r.done, 0, max(0, len(r.done)-maxDone))
		}
		r.mu.Unlock()
		r.End(t)
		if r.keep != nil && !i.Private {
			r.keep(t)
		}
	})
	return t, nil
}

// Find is a task that runs or whose answer is kept.
func (r *Registry) Find(id int64) (*Task, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.running[id]; t != nil {
		return t, true
	}
	for _, t := range r.done {
		if t.ID == id {
			return t, true
		}
	}
	return nil, false
}

// Running are the tasks under way, by id.
func (r *Registry) Running() []*Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*Task, 0, len(r.running))
	for _, t := range r.running {
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *Task) int { return int(a.ID - b.ID) })
	return list
}

// Cancel ends a task's context, and those of its children. It tells whether the task runs and can be cancelled.
func (r *Registry) Cancel(id int64, reason string) bool {
	r.mu.Lock()
	t := r.running[id]
	var all []*Task
	for _, c := range r.running {
		if c.ID == id || c.Parent == id {
			all = append(all, c)
		}
	}
	r.mu.Unlock()
	if t == nil || t.Fixed {
		return false
	}
	for _, c := range all {
		if !c.Fixed {
			c.cancelled.Store(true)
			c.cancel(&Cancelled{reason})
		}
	}
	return true
}

// Close cancels everything and waits for what runs in the background.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	for _, t := range r.running {
		t.cancel(&Cancelled{"the node is stopping"})
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// Matches tells whether an action fits a comma list of patterns with *; an empty list fits all.
func Matches(patterns []string, action string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return glob(p, action) })
}

func glob(pattern, s string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, first) {
		return false
	}
	s = s[len(first):]
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(s, part)
		}
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(part):], more
	}
}
