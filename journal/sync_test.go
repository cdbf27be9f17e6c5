package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirlog/weir/vfs"
)

func TestGroupCommit(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 60
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, SegmentBytes: minSegmentBytes, TailBytes: 1 << 16})
	ctx, stop := context.WithCancel(t.Context())
	var readers, wg sync.WaitGroup
	for range 3 {
		readers.Go(func() { follow(t, ctx, j) })
	}
	var high atomic.Int64
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				m, err := j.Append(batchOf(fmt.Sprintf("w%d-%d", w, i), 1+i%3))
				if err == nil {
					err = j.Sync(m)
				}
				if err != nil {
					t.Error(err)
					return
				}
				if j.DurableEnd() < m.End {
					t.Errorf("durable %d after a sync of %d", j.DurableEnd(), m.End)
				}
				for old := high.Load(); old < m.End && !high.CompareAndSwap(old, m.End); old = high.Load() {
				}
			}
		})
	}
	wg.Wait()
	stop()
	readers.Wait()
	end := j.End()
	if high.Load() != end || end != writers*each*2 {
		t.Fatalf("end %d, acknowledged %d", end, high.Load())
	}
	k := open(t, Config{FS: mem.CrashClone(nil)})
	if k.End() != end || len(payloads(t, k, 0)) != int(end) {
		t.Fatalf("after a crash: end %d of %d", k.End(), end)
	}
}

// gateFS holds every sync of an extent until the test lets it go.
type gateFS struct {
	vfs.FS
	asked, let chan struct{}
}

func (g gateFS) OpenFile(name string, flag int, perm fs.FileMode) (vfs.File, error) {
	f, err := g.FS.OpenFile(name, flag, perm)
	if err != nil || !strings.HasSuffix(name, logSuffix) || flag&os.O_CREATE != 0 {
		return f, err
	}
	return gateFile{f, g}, nil
}

type gateFile struct {
	vfs.File
	g gateFS
}

func (f gateFile) Sync() error {
	f.g.asked <- struct{}{}
	<-f.g.let
	return f.File.Sync()
}

func TestOneSyncForAllWhoWait(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem})
	mustAppend(t, j, batchOf("before", 1))
	if err := j.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	g := gateFS{FS: mem.CrashClone(nil), asked: make(chan struct{}), let: make(chan struct{})}
	opened := make(chan *Journal)
	go func() {
		j, err := Open(Config{FS: g, Dir: "/j"})
		if err != nil {
			t.Error(err)
		}
		opened <- j
	}()
	<-g.asked
	g.let <- struct{}{}
	j = <-opened
	const waiters = 20
	done := make(chan error, waiters+1)
	appendAndSync := func() {
		m, err := j.Append(batchOf("x", 1))
		if err == nil {
			err = j.Sync(m)
		}
		done <- err
	}
	go appendAndSync()
	<-g.asked // the leader is at the disk
	for range waiters {
		go appendAndSync()
	}
	for deadline := time.Now().Add(10 * time.Second); j.End() < 2+waiters; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("appends wait for the sync")
		}
	}
	if j.DurableEnd() != 1 {
		t.Fatalf("durable end %d before the sync ended", j.DurableEnd())
	}
	g.let <- struct{}{}
	<-g.asked // one more sync, for all the others
	g.let <- struct{}{}
	for range waiters + 1 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if j.DurableEnd() != 2+waiters {
		t.Fatalf("durable end %d", j.DurableEnd())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// follow reads everything as it becomes durable, in order.
func follow(t *testing.T, ctx context.Context, j *Journal) {
	next := int64(0)
	for j.Wait(ctx, next) == nil {
		s, err := j.Read(next, 1<<15)
		if err != nil {
			t.Error(err)
			return
		}
		err = eachBatch(s.Bytes(), func(h Header, b []byte) error {
			if h.BaseOffset != next {
				return fmt.Errorf("batch at %d, want %d", h.BaseOffset, next)
			}
			next = h.Next()
			return Verify(b)
		})
		s.Release()
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestPoisonUnderLoad(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem)
	j := open(t, Config{FS: fault, SegmentBytes: minSegmentBytes})
	var mu sync.Mutex
	acked := map[int64]string{}
	var wg sync.WaitGroup
	var poisoned atomic.Int64
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				name := fmt.Sprintf("w%d-%d", w, i)
				m, err := j.Append(batchOf(name, 1))
				if err == nil {
					err = j.Sync(m)
				}
				switch {
				case err == nil:
					mu.Lock()
					acked[m.Base] = name + "-0"
					mu.Unlock()
				case errors.Is(err, ErrPoisoned):
					poisoned.Add(1)
					if err := j.Reopen(); err != nil && !errors.Is(err, vfs.ErrInjected) {
						t.Error(err)
					}
				case !errors.Is(err, vfs.ErrInjected):
					t.Error(err)
				}
				if w == 0 && i%20 == 10 {
					fault.SetRules(vfs.Rule{Op: vfs.OpSync, Path: logSuffix, At: 2})
				}
			}
		})
	}
	wg.Wait()
	if poisoned.Load() == 0 {
		t.Fatal("no sync failed")
	}
	k := open(t, Config{FS: mem.CrashClone(nil)})
	got := payloads(t, k, 0)
	for at, v := range acked {
		if at >= int64(len(got)) || got[at] != v {
			t.Fatalf("offset %d: acknowledged %q is not there", at, v)
		}
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	j := open(t, Config{FS: vfs.NewMem()})
	w := NewWaiter()
	signalled := func() bool {
		select {
		case <-w.C:
			return true
		default:
			return false
		}
	}
	j.Watch(w, 0)
	m, err := j.Append(batchOf("a", 2))
	if err != nil {
		t.Fatal(err)
	}
	if signalled() {
		t.Fatal("signal before the sync")
	}
	if err := j.Sync(m); err != nil || !signalled() {
		t.Fatalf("no signal after the sync: %v", err)
	}
	if j.Watch(w, 1); !signalled() {
		t.Fatal("no signal for what is there already")
	}
	j.Watch(w, 2)
	j.Unwatch(w)
	mustAppend(t, j, batchOf("b", 1))
	if signalled() {
		t.Fatal("signal after Unwatch")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := j.Wait(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	j.Watch(w, math.MaxInt64-1)
	if err := j.Close(); err != nil || !signalled() {
		t.Fatalf("no signal at Close: %v", err)
	}
	if err := j.Wait(t.Context(), 3); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// TestEverythingAtOnce runs writers, readers, trims, checkpoints and questions about time together, for the race detector.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	pool := NewPool(PoolConfig{TailBytes: 2 * sharedSlab, Files: 2, Poison: true})
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, SegmentBytes: minSegmentBytes, TailBytes: 1, Pool: pool})
	other := open(t, Config{FS: mem, Dir: "/other", Pool: pool})
	ctx, stop := context.WithCancel(t.Context())
	var wg, writers sync.WaitGroup
	each := func(what string, step func() error) {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := step(); err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
				runtime.Gosched()
			}
		})
	}
	for w := range 3 {
		writers.Go(func() {
			for i := range 150 {
				for _, j := range []*Journal{j, other} {
					m, err := j.Append(batchOf(fmt.Sprint(w, strings.Repeat("e", 1000)), 1+i%4))
					if err == nil && i%2 == 0 {
						err = j.Sync(m)
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	each("read", func() error {
		start, end := j.Start(), j.DurableEnd()
		for _, at := range []int64{start, (start + end) / 2, end} {
			s, err := j.Read(at, 5000)
			if errors.Is(err, ErrOutOfRange) && at < j.Start() {
				continue
			}
			if err != nil {
				return err
			}
			err = eachBatch(s.Bytes(), func(_ Header, b []byte) error { return Verify(b) })
			s.Release()
			if err != nil {
				return err
			}
		}
		return nil
	})
	each("time", func() error { _, _, err := j.OffsetForTime(1002); return err })
	each("max time", func() error { _, _, err := j.OffsetOfMaxTime(); return err })
	each("checkpoint", func() error { return j.Checkpoint([]byte("s")) })
	each("trim", func() error { _, err := j.Trim(max(j.Start(), j.DurableEnd()-200)); return err })
	each("retain", func() error { _, err := j.Retain(Retention{Bytes: 3 * minSegmentBytes, Pin: -1}); return err })
	each("look", func() error {
		j.Stats()
		j.Extents()
		j.Size()
		j.EpochEnd(3)
		j.CheckpointDue()
		return nil
	})
	writers.Wait()
	stop()
	wg.Wait()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := VerifyDir(t.Context(), mem, "/j")
	if err != nil || len(r.Bad) > 0 || len(r.Notes) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
}
