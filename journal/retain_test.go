package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/vfs"
)

type testClock struct{ ns atomic.Int64 }

func (c *testClock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *testClock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func TestRetain(t *testing.T) {
	t.Parallel()
	var clock testClock
	clock.advance(1000 * time.Hour)
	mem := vfs.NewMem()
	mem.SetClock(clock.now)
	j := open(t, Config{FS: mem, Now: clock.now, SegmentAge: time.Hour})
	for range 5 { // one extent an hour, offsets [0,10) [10,20) ...
		fill(t, j, 10)
		clock.advance(2 * time.Hour)
	}
	if len(j.extents) != 5 {
		t.Fatalf("%d extents", len(j.extents))
	}
	steps := []struct {
		r         Retention
		from, to  int64
		remaining int
	}{
		{Retention{Age: 20 * time.Hour, Pin: -1}, 0, 0, 5},
		{Retention{Age: 9 * time.Hour, Pin: -1}, 0, 10, 4},
		{Retention{Bytes: j.Size()/5*2 + 10, Pin: 15}, 10, 10, 4},
		{Retention{Bytes: j.Size()/5*2 + 10, Pin: 20}, 10, 20, 3},
		{Retention{Bytes: j.Size()/5*2 + 10, Pin: -1}, 20, 30, 2},
		{Retention{Age: time.Hour, Pin: 45}, 30, 40, 1},
		{Retention{Age: time.Hour, Pin: -1}, 40, 50, 1},
		{Retention{Age: time.Hour, Pin: -1}, 50, 50, 1},
	}
	for i, s := range steps {
		got, err := j.Retain(s.r)
		if err != nil || got.From != s.from || got.To != s.to || len(j.extents) != s.remaining || j.Start() != s.to {
			t.Fatalf("step %d: %+v, %v, %d extents, start %d", i, got, err, len(j.extents), j.Start())
		}
	}
	if _, err := j.Read(49, 1); !errors.Is(err, ErrOutOfRange) {
		t.Fatal(err)
	}
	if m := mustAppend(t, j, batchOf("a", 1)); m.Base != 50 {
		t.Fatalf("base %d", m.Base)
	}
	k := open(t, Config{FS: mem.CrashClone(nil)})
	if k.Start() != 50 || k.End() != 51 {
		t.Fatalf("start %d, end %d", k.Start(), k.End())
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem})
	want := fill(t, j, 10)
	if start, err := j.Trim(4); start != 4 || err != nil {
		t.Fatal(start, err)
	}
	if start, err := j.Trim(2); start != 4 || err != nil {
		t.Fatal("the start went back:", start, err)
	}
	if _, err := j.Trim(11); !errors.Is(err, ErrOutOfRange) {
		t.Fatal(err)
	}
	k := open(t, Config{FS: mem.CrashClone(nil)})
	if got := payloads(t, k, 0); k.Start() != 4 || !slices.Equal(got, want[4:]) {
		t.Fatalf("start %d: %q", k.Start(), got)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, SegmentBytes: minSegmentBytes})
	want := fill(t, j, 10)
	_, total, err := mem.Free("/")
	if err != nil || total == 0 {
		t.Fatal(err)
	}
	mem.SetLimit(j.Size() + 200<<10)
	var full error
	for i := 0; full == nil && i < 1000; i++ {
		v := batchOf(fmt.Sprintf("%d %s", i, strings.Repeat("z", 500)), 1)
		var m Mark
		if m, full = j.Append(v); full == nil {
			full = j.Sync(m)
		}
		if full == nil {
			want = append(want, fmt.Sprintf("%d %s-0", i, strings.Repeat("z", 500)))
		}
	}
	if !vfs.IsFull(full) || !errors.Is(full, syscall.ENOSPC) {
		t.Fatalf("a full disk says %v", full)
	}
	if j.Poisoned() != nil {
		t.Fatal("a full disk poisoned the journal")
	}
	if got := payloads(t, j, 0); !slices.Equal(got, want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	before := len(j.extents)
	start, err := j.Trim(j.active().base) // needs no space, and gives some back
	if err != nil || before < 2 || len(j.extents) != 1 {
		t.Fatalf("trim on a full disk: %v, %d extents of %d", err, len(j.extents), before)
	}
	want = append(want[start:], fill(t, j, 3)...)
	mem.SetLimit(0)
	k := open(t, Config{FS: mem.CrashClone(nil)})
	if got := payloads(t, k, 0); !slices.Equal(got, want) {
		t.Fatalf("after a crash: %d values, want %d", len(got), len(want))
	}
}

func TestOffsetForTime(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, SegmentBytes: minSegmentBytes, TailBytes: 1})
	times := []int64{}
	var e Builder
	for i := range 1500 {
		e.Reset(nil)
		for k := range 3 {
			ts := int64(10*i + 7*((i*k)%5)) // not in order
			times = append(times, ts)
			e.Add(ts, nil, []byte(strings.Repeat("v", 100)), nil)
		}
		mustAppend(t, j, e.Finish())
	}
	if _, err := j.Trim(700); err != nil {
		t.Fatal(err)
	}
	check := func(j *Journal) {
		t.Helper()
		for ts := int64(-5); ts < 15100; ts += 97 {
			want := slices.IndexFunc(times[700:], func(v int64) bool { return v >= ts })
			wantTime := int64(-1)
			if want >= 0 {
				want += 700
				wantTime = times[want]
			}
			offset, at, err := j.OffsetForTime(ts)
			if err != nil || offset != int64(want) || at != wantTime {
				t.Fatalf("time %d: %d, %d, %v; want %d, %d", ts, offset, at, err, want, wantTime)
			}
		}
		offset, at, err := j.OffsetOfMaxTime()
		if err != nil || at != slices.Max(times) || offset != int64(slices.Index(times, at)) {
			t.Fatalf("max time: %d, %d, %v", offset, at, err)
		}
	}
	check(j)
	k := open(t, Config{FS: mem.CrashClone(nil)})
	check(k)
	at := int64(slices.Index(times, slices.Max(times)))
	if _, err := k.Trim(at + 1); err != nil {
		t.Fatal(err)
	}
	rest := times[at+1:]
	if offset, ts, err := k.OffsetOfMaxTime(); err != nil || ts != slices.Max(rest) || offset != at+1+int64(slices.Index(rest, ts)) {
		t.Fatalf("max time behind a trim: %d, %d, %v", offset, ts, err)
	}
	if len(j.extents) < 5 {
		t.Fatalf("%d extents", len(j.extents))
	}
	empty := open(t, Config{FS: vfs.NewMem()})
	if offset, at, err := empty.OffsetForTime(0); offset != -1 || at != -1 || err != nil {
		t.Fatal(offset, at, err)
	}
}

func TestTailBudget(t *testing.T) {
	t.Parallel()
	pool := NewPool(PoolConfig{TailBytes: 4 * sharedSlab, Poison: true})
	mem := vfs.NewMem()
	var js []*Journal
	for i := range 10 {
		js = append(js, open(t, Config{FS: mem, Dir: fmt.Sprintf("/p%d", i), Pool: pool}))
	}
	for range 3 {
		for _, j := range js {
			mustAppend(t, j, batchOf(strings.Repeat("t", 3000), 10))
		}
		if n := pool.tail.Load(); n > 4*sharedSlab {
			t.Fatalf("tails hold %d bytes", n)
		}
	}
	for _, j := range js {
		if got := values(t, j); len(got) != 30 {
			t.Fatalf("%d values", len(got))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if pool.tail.Load() != 0 || pool.InUse() != 0 || len(pool.journals) != 0 {
		t.Fatalf("after Close: tail %d, slabs %d, journals %d", pool.tail.Load(), pool.InUse(), len(pool.journals))
	}
}

func TestDescriptors(t *testing.T) {
	t.Parallel()
	pool := NewPool(PoolConfig{Files: 3, Poison: true})
	j := open(t, Config{FS: vfs.OS(), Dir: t.TempDir(), SegmentBytes: minSegmentBytes, TailBytes: 1, Pool: pool, Log: slog.New(slog.DiscardHandler)})
	want := fill(t, j, 3000)
	if got := payloads(t, j, 0); !slices.Equal(got, want) {
		t.Fatalf("%d values", len(got))
	}
	if n := len(pool.files.open); n > 3 || len(j.extents) < 5 {
		t.Fatalf("%d files open of %d extents", n, len(j.extents))
	}
}

// TestSpanOutlivesTheJournal: a reader's bytes stay whatever the journal does meanwhile; released slabs are overwritten in tests.
func TestSpanOutlivesTheJournal(t *testing.T) {
	t.Parallel()
	j := open(t, Config{FS: vfs.NewMem(), SegmentBytes: minSegmentBytes, TailBytes: 1})
	want := batchOf("kept", 5)
	mustAppend(t, j, want)
	s, err := j.Read(0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		mustAppend(t, j, batchOf(fmt.Sprint(i, strings.Repeat("w", 20000)), 10))
	}
	if _, err := j.Trim(j.End()); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Verify(s.Bytes()); err != nil || string(s.Bytes()[crcFrom:]) != string(want[crcFrom:]) {
		t.Fatal("the bytes of a span changed", err)
	}
	s.Release()
	if n := j.pool.InUse(); n != 0 {
		t.Fatalf("%d bytes of slabs are held", n)
	}
}

func TestAppendSlab(t *testing.T) {
	t.Parallel()
	j := open(t, Config{FS: vfs.NewMem()})
	for _, n := range []int{1, 500, 4000} {
		b := batchOf(strings.Repeat("s", 90), n)
		s := j.pool.Slab(len(b) + 100)
		copy(s.Bytes()[100:], b)
		m, err := j.AppendSlab(s, s.Bytes()[100:])
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
		if err := j.Sync(m); err != nil {
			t.Fatal(err)
		}
		span, err := j.Read(m.Base, 1)
		if err != nil || string(span.Bytes()[crcFrom:]) != string(b[crcFrom:]) || span.From != m.Base || span.Next != m.End {
			t.Fatalf("%d records: %v", n, err)
		}
		span.Release()
	}
	if _, err := j.AppendSlab(j.pool.Slab(1<<20), batchOf(strings.Repeat("o", 9000), 3)); err == nil {
		t.Fatal("bytes outside the slab were taken")
	}
}
