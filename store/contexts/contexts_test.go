package contexts

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
	"github.com/weirlog/weir/store/tasks"
	"github.com/weirlog/weir/vfs"
)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.FS, cfg.Dir = vfs.NewMem(), "store"
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	res, err := s.Apply(context.Background(), []store.Op{store.NewOp(bulk.Op{Action: bulk.Index, Index: "a", ID: "1", Source: []byte(`{"n":1}`)})})
	if err != nil || res[0].Err != nil {
		t.Fatal(err, res)
	}
	return s
}

func isMissing(err error) bool {
	var e *store.Error
	return errors.As(err, &e) && e.Status == 404
}

// TestExpiry: what nobody uses for its keep-alive goes; what is used stays, and lives on from then.
func TestExpiry(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	k := New(newStore(t), func() time.Time { return now })
	defer k.Close()
	p, err := k.OpenPIT("a", store.ResolveOptions{}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	s, err := k.OpenScroll("a", store.ResolveOptions{}, query.NewRequest(), search.Encoding{}, 3*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(50 * time.Second)
	_, done, err := k.UsePIT(p.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	k.Reap()
	if _, pits, _ := k.Counts(); pits != 1 {
		t.Error("a point in time goes while it is used")
	}
	if _, err := k.FindScroll(s.ID, 0); !isMissing(err) {
		t.Errorf("an expired scroll is found: %v", err)
	}
	done()
	now = now.Add(59 * time.Second)
	if _, done, err := k.UsePIT(p.ID, 2*time.Minute); err != nil {
		t.Errorf("it does not live on from its last use: %v", err)
	} else {
		done()
	}
	now = now.Add(119 * time.Second)
	k.Reap()
	if !k.ClosePIT(p.ID) || k.ClosePIT(p.ID) {
		t.Error("a longer keep-alive has no effect, or it is closed twice")
	}
}

// TestBound: beyond MaxContexts nothing opens.
func TestBound(t *testing.T) {
	t.Parallel()
	k := New(newStore(t), nil)
	defer k.Close()
	for range MaxContexts {
		if _, err := k.OpenPIT("a", store.ResolveOptions{}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	_, err := k.OpenPIT("a", store.ResolveOptions{}, time.Hour)
	var e *store.Error
	if !errors.As(err, &e) || e.Status != 429 || !strings.Contains(e.Reason, "must be less than or equal to: [500]") && !strings.Contains(e.Reason, "Must be less than or equal to: [500]") {
		t.Errorf("%v", err)
	}
}

// TestAsyncExpires: answers go with their keep-alive, running searches do not.
func TestAsyncExpires(t *testing.T) {
	t.Parallel()
	now := time.Unix(1e9, 0)
	k := New(newStore(t), func() time.Time { return now })
	r := tasks.New(time.Now(), nil)
	defer r.Close()
	hold := make(chan struct{})
	a, err := k.Submit(r, tasks.Info{}, time.Minute, func(context.Context) ([]byte, error) {
		<-hold
		return []byte("{}"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := k.FindAsync(a.ID, 0); err != nil {
		t.Errorf("a running search is gone: %v", err)
	}
	close(hold)
	if !a.Wait(t.Context(), 10*time.Second) {
		t.Fatal("it does not end")
	}
	if _, err := k.FindAsync(a.ID, 0); !isMissing(err) {
		t.Errorf("an expired answer is found: %v", err)
	}
}
