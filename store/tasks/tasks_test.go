package tasks

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestCancel: a cancelled task's context ends with the reason, its children's too, and a fixed one goes on.
func TestCancel(t *testing.T) {
	t.Parallel()
	r := New(time.Now(), nil)
	ctx, parent, err := r.Begin(t.Context(), Info{Action: "a"})
	if err != nil {
		t.Fatal(err)
	}
	kid, child, err := r.Begin(t.Context(), Info{Action: "a[s]", Parent: parent.ID})
	if err != nil {
		t.Fatal(err)
	}
	_, fixed, err := r.Begin(t.Context(), Info{Action: "b", Fixed: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Cancel(fixed.ID, "x") || !r.Cancel(parent.ID, "enough") {
		t.Error("what can be cancelled is told wrongly")
	}
	for _, c := range []context.Context{ctx, kid} {
		var why *Cancelled
		if !errors.As(context.Cause(c), &why) || why.Reason != "enough" {
			t.Errorf("cause %v", context.Cause(c))
		}
	}
	for _, task := range []*Task{parent, child, fixed} {
		r.End(task)
	}
	if len(r.Running()) != 0 || r.Cancel(parent.ID, "x") {
		t.Error("ended tasks are still there")
	}
}

// TestGo: the answer is kept, and given to who asked for it; Close ends what runs.
func TestGo(t *testing.T) {
	t.Parallel()
	kept := make(chan *Task, 2)
	r := New(time.Now(), func(x *Task) { kept <- x })
	done, err := r.Go(Info{Action: "a"}, func(context.Context, *Task) ([]byte, error) { return []byte("42"), nil })
	if err != nil {
		t.Fatal(err)
	}
	if x := <-kept; x != done || !x.Ended() {
		t.Error("another task is kept, or one that runs")
	}
	if found, ok := r.Find(done.ID); !ok || found != done {
		t.Error("the answer is gone")
	}
	if b, err := done.Result(); string(b) != "42" || err != nil {
		t.Errorf("%s %v", b, err)
	}
	endless, err := r.Go(Info{Action: "b"}, func(ctx context.Context, _ *Task) ([]byte, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := endless.Result(); err == nil {
		t.Error("a task outlives its registry")
	}
	if _, _, err := r.Begin(t.Context(), Info{}); !errors.Is(err, ErrFull) {
		t.Errorf("a closed registry begins a task: %v", err)
	}
}

// TestRate: a batch takes as long as the rate says, a change is felt at once.
func TestRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r Rate
		began := time.Now()
		if err := r.Wait(t.Context(), 1000, began); err != nil || time.Since(began) != 0 {
			t.Errorf("without a rate it waits %v, %v", time.Since(began), err)
		}
		r.Set(100)
		if err := r.Wait(t.Context(), 500, began); err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("500 at 100/s take %v, %v", time.Since(began), err)
		}
		began = time.Now()
		go func() {
			time.Sleep(2 * time.Second)
			r.Set(-1)
		}()
		if err := r.Wait(t.Context(), 5000, began); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("a lifted rate is felt after %v, %v", time.Since(began), err)
		}
		if slept, _ := r.Throttled(); slept != 7*time.Second {
			t.Errorf("waited %v in all", slept)
		}
		if r.PerSecond() != -1 {
			t.Errorf("rate %v", r.PerSecond())
		}
	})
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, action string
		want            bool
	}{{"*search", "indices:data/read/search", true}, {"*reindex", "indices:data/read/search", false}, {"indices:*/read/*", "indices:data/read/search", true}, {"a", "a", true}, {"a*a", "a", false}} {
		if got := Matches([]string{c.pattern}, c.action); got != c.want {
			t.Errorf("%s on %s: %v", c.pattern, c.action, got)
		}
	}
}
