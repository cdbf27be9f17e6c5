package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirlog/weir/vfs"
)

func TestRepair(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		for _, clean := range []bool{false, true} {
			mem := vfs.NewMem()
			cfg := Config{FS: mem, Dir: "/j", Own: own, SegmentBytes: minSegmentBytes, Pool: testPool()}
			j := open(t, cfg)
			want := fill(t, j, 1500)
			flips := []func([]byte) []byte{flipAt(t, j, 3), flipAt(t, j, 4), flipAt(t, j, 150)}
			if clean {
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			cfg.FS = copyTo(t, mem, "/j", firstLog, func(b []byte) []byte {
				for _, f := range flips {
					b = f(b)
				}
				return b
			})
			before, err := vfs.ReadFile(cfg.FS, "/j/"+firstLog)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Repair(t.Context(), cfg)
			if err != nil {
				t.Fatalf("own %v, clean %v: %v", own, clean, err)
			}
			if len(got.Holes) != 2 || got.Holes[0].From != 3 || got.Holes[0].To != 5 || got.Holes[1].From != 150 || len(got.Kept) != 2 {
				t.Fatalf("own %v, clean %v: %+v", own, clean, got)
			}
			for i, h := range got.Holes {
				kept, err := vfs.ReadFile(cfg.FS, got.Kept[i])
				if err != nil || !bytes.Equal(kept, before[h.Pos:h.PosEnd]) {
					t.Fatalf("own %v, clean %v: kept %d bytes of hole %d, %v", own, clean, len(kept), i, err)
				}
			}
			after, err := vfs.ReadFile(cfg.FS, "/j/"+firstLog)
			if err != nil || !bytes.Equal(before, after) {
				t.Fatalf("own %v, clean %v: the extent changed", own, clean)
			}
			k := open(t, cfg)
			left := slices.Delete(slices.Delete(slices.Clone(want), 150, 151), 3, 5)
			if values := payloads(t, k, 0); !slices.Equal(values, left) {
				t.Fatalf("own %v, clean %v: %d values, want %d", own, clean, len(values), len(left))
			}
			fill(t, k, 3)
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
			if again, err := Repair(t.Context(), cfg); err != nil || len(again.Holes) != 0 {
				t.Fatalf("own %v, clean %v: a second repair %+v, %v", own, clean, again, err)
			}
		}
	}
}

func TestVerifyChangesNothing(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, SegmentBytes: minSegmentBytes})
	fill(t, j, 1000)
	fault := vfs.NewFault(mem)
	r, err := VerifyDir(t.Context(), fault, "/j")
	if err != nil || len(r.Bad) != 0 || r.Records != 1000 || r.Start != 0 || r.End != 1000 || r.Extents != len(j.extents) || len(r.Notes) != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if n := fault.Count(vfs.OpChanges); n != 0 {
		t.Fatalf("%d changes", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := VerifyDir(ctx, mem, "/j"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// TestFaultsAndRestarts lets syncs, writes and everything else fail at random; processes die and start again on the same page cache,
// and now and then the power goes. What was acknowledged is there each time.
func TestFaultsAndRestarts(t *testing.T) {
	t.Parallel()
	pool := testPool()
	for _, own := range []bool{false, true} {
		for seed := range uint64(150) {
			if err := faultsAndRestarts(pool, seed, own); err != nil {
				t.Fatalf("seed %d, own %v: %v", seed, own, err)
			}
		}
	}
}

func faultsAndRestarts(pool *Pool, seed uint64, own bool) error {
	rng := rand.New(rand.NewPCG(seed, 3))
	mem := vfs.NewMem()
	m := newModel(own)
	for life := range 6 {
		fault := vfs.NewFault(mem)
		j, err := Open(Config{FS: fault, Dir: "/d/j", Own: own, SegmentBytes: minSegmentBytes, TailBytes: 1 << 14, Pool: pool})
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		if err := m.check(j); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		m.settle(j)
		kinds := []vfs.Op{vfs.OpSync, vfs.OpWrite, vfs.OpChanges, vfs.OpAny, vfs.OpSync | vfs.OpSyncDir}
		for i := range rng.IntN(40) {
			if rng.IntN(8) == 0 {
				fault.SetRules(vfs.Rule{Op: kinds[rng.IntN(len(kinds))], At: 1 + rng.IntN(6), Forever: rng.IntN(4) == 0})
			}
			err := m.step(j, rng, fmt.Sprintf("%d.%d", life, i))
			if err != nil && !errors.Is(err, vfs.ErrInjected) && !errors.Is(err, ErrPoisoned) {
				return fmt.Errorf("life %d, step %d: %w", life, i, err)
			}
			if j.Poisoned() != nil && rng.IntN(3) > 0 {
				if rng.IntN(2) == 0 {
					fault.SetRules()
				}
				if err := j.Reopen(); err != nil && !errors.Is(err, vfs.ErrInjected) {
					return err
				}
			}
		}
		switch rng.IntN(3) {
		case 0:
			if err := j.Close(); err != nil && !errors.Is(err, vfs.ErrInjected) && !errors.Is(err, ErrPoisoned) {
				return err
			}
		case 1:
			mem = mem.CrashClone(rng)
		}
	}
	return nil
}
