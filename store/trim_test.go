package store

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/vfs"
)

// TestJournalIsTrimmed writes many extents of journal after the last change of metadata: what is sealed leaves the journal, and what is
// written afterwards survives a crash.
func TestJournalIsTrimmed(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, testConfig(mem))
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 80 {
		var ops []Op
		for k := range 100 {
			ops = append(ops, put("trim", fmt.Sprint(i*100+k), fmt.Sprintf(`{"m":"%x%x%x"}`, rng.Uint64(), rng.Uint64(), rng.Uint64())))
		}
		apply(t, s, ops...)
	}
	before := s.Stats().JournalBytes
	if before < rollBytes/4 {
		t.Fatalf("the journal has %d bytes only", before)
	}
	if err := s.Flush(nil); err != nil {
		t.Fatal(err)
	}
	if after := s.Stats().JournalBytes; after > before/4 {
		t.Fatalf("everything is sealed, and the journal has %d of %d bytes", after, before)
	}
	apply(t, s, put("trim", "new", `{"m":"1"}`), put("trim2", "other", `{"m":"2"}`))
	want := everything(t, s, "*")
	again := mustOpen(t, testConfig(mem.CrashClone(rng)))
	if got := everything(t, again, "*"); !maps.Equal(got, want) {
		t.Fatalf("%d documents after a crash, want %d", len(got), len(want))
	}
}

// TestReferences writes messages that repeat other fields of their document, in all forms and at all places, and reads them back from
// a head, from a segment, from a merged one, and from one merged after deletions.
func TestReferences(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, testConfig(vfs.NewMem()))
	rng := rand.New(rand.NewPCG(3, 4))
	want := map[string]string{}
	for round := range 3 {
		var ops []Op
		for i := range 300 {
			at := time.UnixMilli(1_795_392_000_000 + rng.Int64N(1e9)).UTC()
			ip, path, size := fmt.Sprintf("10.0.%d.%d", rng.IntN(9), rng.IntN(250)), fmt.Sprintf("/p/%d", rng.IntN(5000)), rng.IntN(100_000)
			msg := [...]string{
				fmt.Sprintf(`%s - - [%s] \"GET %s HTTP/1.1\" %d`, ip, at.Format("02/Jan/2006:15:04:05 -0700"), path, size),
				fmt.Sprintf(`%s%s%d`, path, ip, size),
				fmt.Sprintf(`\u0001%s \u0001\u00ff at %s`, ip, at.Format("2006-01-02T15:04:05.000Z")),
				"\\u0001", "", ip, fmt.Sprintf(`x%sx %s %s`, ip, ip, ip),
			}[rng.IntN(7)]
			src := fmt.Sprintf(`{"@timestamp":"%s","message":"%s"`, at.Format("2006-01-02T15:04:05.000Z"), msg)
			if rng.IntN(4) > 0 {
				src += fmt.Sprintf(`,"source":{"ip":"%s"},"url":{"path":["%s","/other"]},"http":{"response":{"body":{"bytes":%d}}}`, ip, path, size)
			}
			ops = append(ops, put("logs-refs-default", "", src+"}"))
			ops[i].Action = bulk.Create // it is a data stream
		}
		apply(t, s, ops...)
		maps.Copy(want, everything(t, s, "logs-refs-default"))
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
		if got := everything(t, s, "logs-refs-default"); !maps.Equal(got, want) {
			t.Fatalf("round %d: sealed documents differ", round)
		}
	}
	if err := s.ForceMerge(context.Background(), nil, 1); err != nil {
		t.Fatal(err)
	}
	if got := everything(t, s, "logs-refs-default"); !maps.Equal(got, want) {
		t.Fatal("merged documents differ")
	}
	if s.Stats().SegmentBytes == 0 {
		t.Fatal("nothing is in segments")
	}
}
