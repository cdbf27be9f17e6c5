package repository

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

// kinds are the two homes of a repository.
func kinds(t *testing.T) map[string]Files {
	t.Helper()
	folder, err := NewFolder(vfs.NewMem(), "repo")
	if err != nil {
		t.Fatal(err)
	}
	_, s3 := newFakeS3(t)
	return map[string]Files{"folder": folder, "s3": s3}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for name, f := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			for _, n := range []string{"a/1", "a/2", "ab", "c/d/e"} {
				if err := f.Put(ctx, n, []byte("data of "+n)); err != nil {
					t.Fatal(err)
				}
			}
			for prefix, want := range map[string]string{"": "a/1 a/2 ab c/d/e", "a": "a/1 a/2 ab", "a/": "a/1 a/2", "c/d": "c/d/e", "none/": ""} {
				got, err := f.List(ctx, prefix)
				if err != nil || strings.Join(got, " ") != want {
					t.Errorf("list %q: %v %v, want %s", prefix, got, err, want)
				}
			}
			if err := f.Remove(ctx, "ab", "none"); err != nil {
				t.Error(err)
			}
			if _, err := f.Get(ctx, "ab"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a removed file: %v", err)
			}
			r, err := f.Get(ctx, "a/2")
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			r.Close()
			if err != nil || string(b) != "data of a/2" {
				t.Errorf("%q %v", b, err)
			}
		})
	}
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.FS, cfg.Dir = vfs.NewMem(), "store"
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func write(t *testing.T, s *store.Store, ops ...bulk.Op) []store.ItemResult {
	t.Helper()
	var list []store.Op
	for _, o := range ops {
		list = append(list, store.NewOp(o))
	}
	res, err := s.Apply(context.Background(), list)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	return res
}

// contents are all documents of an expression: id, version, source.
func contents(t *testing.T, s *store.Store, expr string) []string {
	t.Helper()
	req := query.NewRequest()
	req.Size, req.Version = 1000, true
	resp, err := s.Search(context.Background(), expr, store.ResolveOptions{}, req)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, h := range resp.Hits {
		out = append(out, fmt.Sprintf("%s %d %s %s", h.ID, h.Version, h.Routing, h.Source))
	}
	slices.Sort(out)
	return out
}

var all = RestoreRequest{Keep: func(string) bool { return true }, Rename: func(n string) string { return n }, Aliases: true}

// TestSnapshotAndRestore: what was there at the snapshot comes back, in another store, in the same one after a deletion, and beside the
// living original under another name; automatic ids, versions, routing, deletions, aliases and data streams included.
func TestSnapshotAndRestore(t *testing.T) {
	t.Parallel()
	for name, f := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s, r := newStore(t), New("r", f)
			if err := r.Verify(ctx); err != nil {
				t.Fatal(err)
			}
			if err := s.CreateIndex("a", store.CreateRequest{Aliases: []byte(`{"al":{}}`)}); err != nil {
				t.Fatal(err)
			}
			auto := write(t, s, bulk.Op{Action: bulk.Create, Index: "a", Source: []byte(`{"n":0}`)})[0].ID
			for i := range 20 {
				write(t, s, bulk.Op{Action: bulk.Index, Index: "a", ID: fmt.Sprint(i), Routing: fmt.Sprint(i % 2), Source: fmt.Appendf(nil, `{"n":%d}`, i)})
			}
			if err := s.Flush(nil); err != nil {
				t.Fatal(err)
			}
			write(t, s, bulk.Op{Action: bulk.Index, Index: "a", ID: "3", Source: []byte(`{"n":33}`)}, bulk.Op{Action: bulk.Delete, Index: "a", ID: "4"})
			write(t, s, bulk.Op{Action: bulk.Create, Index: "logs-x-y", Source: []byte(`{"@timestamp":"2026-01-01T00:00:00Z"}`)})
			want, stream := contents(t, s, "a"), contents(t, s, "logs-x-y")
			names := s.Names()
			one, err := r.Create(ctx, s, Request{Name: "one", Indices: names, Global: true})
			if err != nil || one.NewFiles == 0 {
				t.Fatalf("%+v %v", one, err)
			}
			write(t, s, bulk.Op{Action: bulk.Index, Index: "a", ID: "new", Source: []byte(`{"n":1}`)})
			two, err := r.Create(ctx, s, Request{Name: "two", Indices: names})
			if err != nil || two.NewFiles >= two.Files {
				t.Fatalf("what is there already is uploaded again: %+v %v", two, err)
			}
			check := func(where string, s *store.Store, expr string, want []string) {
				t.Helper()
				if got := contents(t, s, expr); !slices.Equal(got, want) {
					t.Errorf("%s: %d documents, want %d\n%v\n%v", where, len(got), len(want), got, want)
				}
			}
			other := newStore(t)
			if _, err := r.Restore(ctx, other, "one", all); err != nil {
				t.Fatal(err)
			}
			check("another store", other, "a", want)
			check("its alias", other, "al", want)
			check("its data stream", other, "logs-x-y", stream)
			if doc, found, err := other.Get("a", auto); err != nil || !found || string(doc.Source) != `{"n":0}` {
				t.Errorf("automatic id: %v %v %v", doc, found, err)
			}
			write(t, other, bulk.Op{Action: bulk.Index, Index: "a", ID: "3", Source: []byte(`{"n":34}`)}, bulk.Op{Action: bulk.Create, Index: "logs-x-y", Source: []byte(`{"@timestamp":"2026-01-02T00:00:00Z"}`)})
			if _, err := r.Restore(ctx, s, "one", all); err == nil {
				t.Error("restored over an open index")
			}
			aside := all
			aside.Keep, aside.Rename, aside.Aliases = func(n string) bool { return n == "a" }, func(n string) string { return "copy-" + n }, false
			if _, err := r.Restore(ctx, s, "one", aside); err != nil {
				t.Fatal(err)
			}
			check("beside the original", s, "copy-a", want)
			if err := s.DeleteIndex("a", store.ResolveOptions{}); err != nil {
				t.Fatal(err)
			}
			aside.Rename = all.Rename
			if _, err := r.Restore(ctx, s, "one", aside); err != nil {
				t.Fatal(err)
			}
			check("after a deletion", s, "a", want)
		})
	}
}

// TestDelete: data goes with the last snapshot that names it; damage is told.
func TestDelete(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	fake, files := newFakeS3(t)
	s, r := newStore(t), New("r", files)
	write(t, s, bulk.Op{Action: bulk.Index, Index: "a", ID: "1", Source: []byte(`{"n":1}`)})
	for _, n := range []string{"one", "two"} {
		if _, err := r.Create(ctx, s, Request{Name: n, Indices: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Create(ctx, s, Request{Name: "two", Indices: []string{"a"}}); err == nil {
		t.Error("two snapshots of one name")
	}
	if err := r.Clone(ctx, "one", "three", func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(ctx, "one", "two"); err != nil {
		t.Fatal(err)
	}
	if bad, err := r.Damage(ctx, "three"); err != nil || len(bad) > 0 {
		t.Fatalf("%v %v", bad, err)
	}
	for k, b := range fake.files {
		if strings.HasSuffix(k, ".seg") {
			b[len(b)/2] ^= 1
		}
	}
	if bad, err := r.Damage(ctx, "three"); err != nil || len(bad) != 1 {
		t.Errorf("a flipped bit is not told: %v %v", bad, err)
	}
	if _, err := r.Restore(ctx, newStore(t), "three", all); err == nil {
		t.Error("a damaged segment is restored")
	}
	if err := r.Delete(ctx, "none"); err == nil {
		t.Error("what is not there is deleted")
	}
	if err := r.Delete(ctx, "three"); err != nil {
		t.Fatal(err)
	}
	for k := range fake.files {
		if !strings.HasPrefix(k, "weir/index-") {
			t.Errorf("%s is left", k)
		}
	}
}
