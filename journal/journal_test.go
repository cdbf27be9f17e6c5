package journal

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/weirlog/weir/vfs"
)

func testPool() *Pool {
	cfg := DefaultPoolConfig()
	cfg.Poison = true
	return NewPool(cfg)
}

func open(t testing.TB, cfg Config) *Journal {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = "/j"
	}
	if cfg.Pool == nil {
		cfg.Pool = testPool()
	}
	j, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// batchOf makes a batch of n records with values made of name.
func batchOf(name string, n int) []byte {
	var e Builder
	e.Reset(nil)
	for i := range n {
		e.Add(int64(1000+i), []byte("k"), fmt.Appendf(nil, "%s-%d", name, i), nil)
	}
	return e.Finish()
}

func mustAppend(t testing.TB, j *Journal, b []byte) Mark {
	t.Helper()
	m, err := j.Append(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Sync(m); err != nil {
		t.Fatal(err)
	}
	return m
}

// values reads all values from the start to the durable end.
func values(t testing.TB, j *Journal) []string {
	t.Helper()
	var out []string
	for at := j.Start(); at < j.DurableEnd(); {
		s, err := j.Read(at, 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		err = eachBatch(s.Bytes(), func(h Header, b []byte) error {
			it, err := Records(b)
			if err != nil {
				return err
			}
			var r Record
			for it.Next(&r) {
				if r.Offset != int64(len(out))+j.Start() {
					t.Fatalf("record at offset %d, want %d", r.Offset, int64(len(out))+j.Start())
				}
				out = append(out, string(r.Value))
			}
			return it.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		at = s.Next
		s.Release()
	}
	return out
}

func TestAppendReadReopen(t *testing.T) {
	t.Parallel()
	for _, fsys := range []vfs.FS{vfs.OS(), vfs.NewMem()} {
		dir := "/j"
		if fsys == vfs.OS() {
			dir = t.TempDir()
		}
		cfg := Config{FS: fsys, Dir: dir, SegmentBytes: minSegmentBytes, TailBytes: 1, Pool: testPool()}
		j, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 300 {
			name := fmt.Sprintf("%d-%s", i, bytes.Repeat([]byte("x"), i*5))
			mustAppend(t, j, batchOf(name, 3))
			for k := range 3 {
				want = append(want, fmt.Sprintf("%s-%d", name, k))
			}
		}
		check := func(what string) {
			if got := values(t, j); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s: got %d values, want %d", what, len(got), len(want))
			}
		}
		check("first")
		if len(j.extents) < 5 {
			t.Fatalf("%d extents", len(j.extents))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if j, err = Open(cfg); err != nil {
				t.Fatal(err)
			}
			if r := j.Recovered(); !r.Clean || r.Scanned != 0 {
				t.Fatalf("recovered %+v", r)
			}
			check("reopened")
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, Own: true})
	var want []string
	for i := range 100 {
		p := fmt.Sprintf("payload %d", i)
		m, err := j.AppendPayload([]byte(p))
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Sync(m); err != nil {
			t.Fatal(err)
		}
		want = append(want, p)
	}
	for range 3 {
		var got []string
		err := j.Replay(0, func(offset int64, p []byte) error {
			if offset != int64(len(got)) {
				t.Fatalf("offset %d at %d", offset, len(got))
			}
			got = append(got, string(p))
			return nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%v: %q", err, got)
		}
		j = open(t, Config{FS: mem.CrashClone(nil), Own: true})
	}
}
