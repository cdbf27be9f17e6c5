package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/weirlog/weir/vfs"
)

// TestFaultAtEveryIO fails the n-th operation on files, once or for ever, for n until none fires (every n below 20, then ever wider steps),
// and looks for what was acknowledged.
func TestFaultAtEveryIO(t *testing.T) {
	t.Parallel()
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpOpen, vfs.OpSyncDir} {
		for _, forever := range []bool{false, true} {
			for n := 1; faultOnce(t, vfs.Rule{Op: op, At: n, Forever: forever}); n += 1 + n/20 {
			}
		}
	}
}

// faultOnce runs a script under a fault and tells whether it fired.
func faultOnce(t *testing.T, rule vfs.Rule) bool {
	t.Helper()
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem, rule)
	acked, tried := map[string]string{}, map[string]map[string]bool{}
	if s, err := Open(testConfig(fault)); err == nil {
		for i := range 8 {
			for k := range 3 {
				id, doc := fmt.Sprint((i+k)%7), fmt.Sprintf(`{"v":%d,"m":"text %d"}`, i, k)
				if tried[id] == nil {
					tried[id] = map[string]bool{}
				}
				tried[id][doc] = true
				if res, err := s.Apply(context.Background(), []Op{put("i", id, doc)}); err == nil && res[0].Err == nil {
					acked[id] = doc
				}
			}
			switch i % 4 {
			case 1:
				s.Flush(nil) // it may fail: that is what the test is about
			case 3:
				s.ForceMerge(context.Background(), nil, 1)
			}
			if len(acked) > 0 {
				checkAcked(t, s, acked, tried, fmt.Sprintf("%v, running", rule))
			}
		}
		s.Close()
	}
	fired := fault.Fired() > 0
	if len(acked) == 0 {
		return fired
	}
	for _, fsys := range []*vfs.Mem{mem, mem.CrashClone(nil)} {
		s, err := Open(testConfig(fsys))
		if err != nil {
			t.Fatalf("%v: %v", rule, err)
		}
		checkAcked(t, s, acked, tried, fmt.Sprintf("%v, reopened", rule))
		s.Close()
	}
	return fired
}

// checkAcked wants each document as it was acknowledged last, or as a later try that failed in doubt left it.
func checkAcked(t *testing.T, s *Store, acked map[string]string, tried map[string]map[string]bool, when string) {
	t.Helper()
	got := everything(t, s, "i")
	if t.Failed() {
		t.Fatal(when)
	}
	for id := range acked {
		if d, ok := got["i/"+id]; !ok || !tried[id][d] {
			t.Fatalf("%s: document %s is %q, want %q", when, id, d, acked[id])
		}
	}
}
