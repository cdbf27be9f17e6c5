package spool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

func open(t *testing.T, fsys vfs.FS, maxBytes int64) *Spool {
	t.Helper()
	s, err := Open(Config{FS: fsys, Dir: "/spool/main/tcp-1", Name: "spool/main/tcp-1", MaxBytes: maxBytes})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Spool, texts ...string) {
	t.Helper()
	var recs []queue.Record
	for _, x := range texts {
		recs = append(recs, queue.Record{Value: []byte(x), Time: time.UnixMilli(1234), Key: []byte("k"), Headers: []queue.Header{{Key: "peer", Value: []byte("10.0.0.1:5")}}})
	}
	if err := s.Put(t.Context(), recs); err != nil {
		t.Fatal(err)
	}
}

// readAll reads what is there, from offset from on.
func readAll(t *testing.T, s *Spool, from int64) []queue.Record {
	t.Helper()
	var all []queue.Record
	s.End()
	err := s.Run(t.Context(), from, func(recs []queue.Record, gap *queue.Gap) error {
		if gap != nil {
			t.Errorf("gap %v", gap)
		}
		all = append(all, recs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	s := open(t, vfs.NewMem(), 0)
	defer s.Close()
	put(t, s, "a", "", "c")
	recs := readAll(t, s, 0)
	if len(recs) != 3 {
		t.Fatalf("%d records, want 3", len(recs))
	}
	r := recs[2]
	if string(r.Value) != "c" || string(r.Key) != "k" || r.Time.UnixMilli() != 1234 || string(r.Headers[0].Value) != "10.0.0.1:5" || r.Headers[0].Key != "peer" {
		t.Errorf("got %+v", r)
	}
	if r.Topic != "spool/main/tcp-1" || r.TopicID != s.ID() || r.Offset != 2 || r.Origin.Source != s.ID() || r.Origin.From != 2 || r.Origin.To != 3 {
		t.Errorf("place of %+v", r)
	}
}

func TestSettledStaysSettled(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := open(t, fsys, 0)
	id := s.ID()
	put(t, s, "a", "b", "c", "d")
	s.Commit(3)
	if n, _ := s.Waiting(); n != 1 {
		t.Errorf("%d records wait, want 1", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, fsys, 0)
	defer s.Close()
	if s.ID() != id {
		t.Error("the spool has another id after a restart")
	}
	if recs := readAll(t, s, s.Start()); len(recs) != 1 || string(recs[0].Value) != "d" {
		t.Errorf("got %d records, want the last one", len(recs))
	}
	if recs := readAll(t, s, 0); len(recs) != 1 { // a reader that is behind what is kept
		t.Errorf("got %d records from 0", len(recs))
	}
	if recs := readAll(t, s, 99); len(recs) != 0 {
		t.Errorf("got %d records from behind the end", len(recs))
	}
}

// TestCrash kills the machine after each of a number of Puts: all that Put returned nil for is there, in order.
func TestCrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	fsys := vfs.NewMem()
	s := open(t, fsys, 1<<20)
	for i := range 40 {
		put(t, s, fmt.Sprintf("line %d", i), fmt.Sprintf("more %d", i))
		after := open(t, fsys.CrashClone(rng), 1<<20)
		recs := readAll(t, after, 0)
		if len(recs) != 2*(i+1) || string(recs[2*i].Value) != fmt.Sprintf("line %d", i) {
			t.Fatalf("after %d Puts and a crash %d records are there", i+1, len(recs))
		}
		after.Close()
	}
	s.Close()
}

// TestFailedSync has every sync of the journal's files fail for a while: nothing is acknowledged before it is there, nothing twice.
func TestFailedSync(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem)
	s := open(t, fault, 1<<20)
	put(t, s, "before")
	fault.SetRules(vfs.Rule{Op: vfs.OpSync, Path: "log", At: 1})
	put(t, s, "meanwhile")
	if fault.Fired() == 0 {
		t.Fatal("no sync failed")
	}
	fault.SetRules()
	put(t, s, "after")
	recs := readAll(t, s, 0)
	got := ""
	for _, r := range recs {
		got += string(r.Value) + " "
	}
	if got != "before meanwhile after " {
		t.Errorf("got %s", got)
	}
	s.Close()
}

func TestFullBlocksUntilSettled(t *testing.T) {
	t.Parallel()
	s := open(t, vfs.NewMem(), 512<<10)
	defer s.Close()
	big := make([]byte, 64<<10)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		var settled int64
		err := s.Run(ctx, 0, func(recs []queue.Record, _ *queue.Gap) error {
			settled += int64(len(recs))
			if settled >= 8 { // nothing is settled before the spool must be full
				s.Commit(settled)
				if err := s.trim(); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	for range 100 {
		if err := s.Put(t.Context(), []queue.Record{{Value: big}}); err != nil {
			t.Fatal(err)
		}
		if n := s.j.Size(); n > 768<<10 {
			t.Fatalf("journal has %d bytes", n)
		}
	}
	cancel()
	wg.Wait()
	cctx, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Put(cctx, []queue.Record{{Value: big}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put without time: %v", err)
	}
}

func TestManySendersShareSyncs(t *testing.T) {
	t.Parallel()
	fault := vfs.NewFault(vfs.NewMem())
	s := open(t, fault, 0)
	defer s.Close()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for k := range 20 {
				if err := s.Put(t.Context(), []queue.Record{{Value: fmt.Appendf(nil, "%d %d", i, k)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	recs := readAll(t, s, 0)
	next := make(map[string]int)
	for _, r := range recs {
		var i, k int
		fmt.Sscanf(string(r.Value), "%d %d", &i, &k)
		if next[fmt.Sprint(i)] != k {
			t.Fatalf("sender %d: record %d comes out of order", i, k)
		}
		next[fmt.Sprint(i)]++
	}
	if len(recs) != 320 {
		t.Errorf("%d records, want 320", len(recs))
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := Open(Config{Dir: b.TempDir(), Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	value := make([]byte, 200)
	recs := make([]queue.Record, 100)
	for i := range recs {
		recs[i] = queue.Record{Value: value, Time: time.UnixMilli(1)}
	}
	b.SetBytes(int64(len(recs) * len(value)))
	for b.Loop() {
		if err := s.Put(context.Background(), recs); err != nil {
			b.Fatal(err)
		}
		s.Commit(s.j.DurableEnd())
	}
}
