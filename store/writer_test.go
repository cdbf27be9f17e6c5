package store

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/bulk/bulktest"
	"github.com/weirlog/weir/vfs"
)

// TestWriter runs the suite that every bulk.Writer passes.
func TestWriter(t *testing.T) {
	t.Parallel()
	bulktest.Test(t, func(t *testing.T) *bulktest.Fixture {
		mem := vfs.NewMem()
		s := mustOpen(t, testConfig(mem))
		if err := s.CreateIndex("strict", CreateRequest{Mappings: json.RawMessage(`{"dynamic":"strict","properties":{"n":{"type":"long"},"message":{"type":"text"}}}`)}); err != nil {
			t.Fatal(err)
		}
		fx := &bulktest.Fixture{Writer: s.For("suite"), KeepsPositions: true, StrictIndex: "strict"}
		fx.Messages = func(t *testing.T, index string) []string {
			if _, err := s.Resolve(index, ResolveOptions{}); err != nil {
				return nil
			}
			var out []string
			for _, d := range everything(t, s, index) {
				var m struct{ Message string }
				if err := json.Unmarshal([]byte(d), &m); err != nil {
					t.Fatal(err)
				}
				out = append(out, m.Message)
			}
			return out
		}
		fx.Reopen = func(t *testing.T) bulk.Writer {
			mem = mem.CrashClone(nil)
			s = mustOpen(t, testConfig(mem))
			return s.For("suite")
		}
		return fx
	})
}

// TestRunSealsAndMerges fills a store whose heads are small and waits until few segments are left.
func TestRunSealsAndMerges(t *testing.T) {
	t.Parallel()
	cfg := testConfig(vfs.NewMem())
	cfg.HeadDocs = 100
	s := mustOpen(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	w := s.For("p")
	for i := range 60 {
		if _, err := w.Write(ctx, batch(1, int64(i)*300, 30, [16]byte{1})); err != nil {
			t.Fatal(err)
		}
	}
	deadline := time.Now().Add(20 * time.Second)
	for s.Stats().MergeBytes == 0 || s.Stats().Segments > smallCount {
		if time.Now().After(deadline) {
			t.Fatalf("still %+v", s.Stats())
		}
		if err := s.Maintain(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(ctx, batch(1, 60*300+int64(s.Stats().Documents)*10, 1, [16]byte{1})); err != nil {
			t.Fatal(err)
		}
	}
	n := s.Stats().Documents
	if got := len(everything(t, s, "logs-*")); int64(got) != n {
		t.Fatalf("%d documents, want %d", got, n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRetention(t *testing.T) {
	t.Parallel()
	now := time.UnixMilli(10_000_000_000)
	cfg := testConfig(vfs.NewMem())
	cfg.Now = func() time.Time { return now }
	cfg.Retention.MaxAge = time.Hour
	s := mustOpen(t, cfg)
	for i, at := range []int64{now.UnixMilli() - 2*3600_000, now.UnixMilli() - 60_000} {
		doc := fmt.Appendf(nil, `{"@timestamp":%d}`, at)
		for _, name := range []string{"logs-app-default", "plain"} {
			apply(t, s, NewOp(bulk.Op{Action: bulk.Create, Index: name, ID: fmt.Sprint(i), Source: doc}))
		}
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Retain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n, m := len(everything(t, s, "logs-*")), len(everything(t, s, "plain")); n != 1 || m != 2 {
		t.Fatalf("%d and %d documents, want 1 in the data stream and 2 in the index", n, m)
	}
	s.Close()
	s = mustOpen(t, cfg)
	if n := len(everything(t, s, "logs-*")); n != 1 {
		t.Fatalf("%d documents after restart, want 1", n)
	}
}

// TestDeletesWhileMerging deletes rows between the moment a merge reads them and the moment it is put in place.
func TestDeletesWhileMerging(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, testConfig(vfs.NewMem()))
	for i := range 4 {
		for k := range 5 {
			apply(t, s, put("i", fmt.Sprint(i*5+k), `{"a":1}`))
		}
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
	}
	ix := s.meta.Load().indices["i"]
	held := s.Snapshot([]string{"i"})
	done := make(chan error, 1)
	go func() { done <- s.ForceMerge(context.Background(), []string{"i"}, 1) }()
	for i := range 10 {
		apply(t, s, NewOp(bulk.Op{Action: bulk.Delete, Index: "i", ID: fmt.Sprint(i * 2)}))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := len(everything(t, s, "i")); n != 10 {
		t.Fatalf("%d documents, want 10", n)
	}
	rows := 0
	for _, src := range held.Indices[0].Sources {
		eachLive(src, func(int) { rows++ })
	}
	if rows != 20 {
		t.Fatalf("the snapshot has %d rows, want 20", rows)
	}
	held.Release()
	if n := len(ix.parts.Load().segs); n != 1 {
		t.Fatalf("%d segments", n)
	}
}

func TestTemplatesAliasesStreams(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, testConfig(fsys))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.PutTemplate(ComponentTemplate, "base", []byte(`{"template":{"mappings":{"properties":{"a":{"type":"keyword"}}}}}`), false))
	must(s.PutTemplate(IndexTemplate, "t", []byte(`{"index_patterns":["app-*"],"composed_of":["base"],"priority":7,"template":{"settings":{"number_of_shards":2},"aliases":{"all-apps":{}}}}`), false))
	err := s.PutTemplate(IndexTemplate, "u", []byte(`{"index_patterns":["app-1*"],"priority":7}`), false)
	if e, ok := err.(*Error); !ok || e.Status != 400 {
		t.Errorf("overlap: %v", err)
	}
	apply(t, s, put("app-1", "1", `{"a":"x"}`), put("app-2", "2", `{"a":"y"}`))
	check := func() {
		t.Helper()
		info, ok := s.Info("app-1")
		if !ok || info.Settings.Int("number_of_shards", 1) != 2 || info.Mapping.Field("a") == nil || info.Docs != 1 {
			t.Errorf("info %+v", info)
		}
		refs, err := s.Resolve("all-apps", ResolveOptions{})
		if err != nil || len(refs) < 2 || len(refs[0].Aliases) != 1 {
			t.Errorf("alias %v %v", refs, err)
		}
	}
	check()
	if r := apply(t, s, put("all-apps", "3", `{}`))[0]; r.Status != 400 {
		t.Errorf("write to an alias of two: %+v", r)
	}
	must(s.UpdateAliases([]AliasAction{{Kind: "add", Indices: []string{"app-2"}, Aliases: []string{"w"}}}))
	res, err := s.Rollover("w", "", CreateRequest{}, false)
	must(err)
	if res.New != "app-000003" {
		t.Errorf("rollover %+v", res)
	}
	must(s.CreateDataStream("logs-x-y"))
	res, err = s.Rollover("logs-x-y", "", CreateRequest{}, false)
	must(err)
	if err := s.DeleteIndex(res.New, ResolveOptions{}); err == nil {
		t.Error("deleted the write index of a data stream")
	}
	must(s.DeleteIndex(res.Old, ResolveOptions{}))
	if ds, err := s.DataStreams("logs-*"); err != nil || len(ds) != 1 || ds[0].Generation != 2 || len(ds[0].Indices) != 1 {
		t.Errorf("streams %+v %v", ds, err)
	}
	s.Close()
	s = mustOpen(t, testConfig(fsys))
	check()
	must(s.Flush(nil))
	s.Close()
	s = mustOpen(t, testConfig(fsys))
	check()
	must(s.DeleteDataStream("logs-*"))
	must(s.DeleteIndex("app-1", ResolveOptions{}))
	if _, err := s.Resolve("app-1", ResolveOptions{}); err == nil || err.(*Error).Reason != "no such index [app-1]" {
		t.Errorf("gone: %v", err)
	}
	if refs, err := s.Resolve("app-*,-app-2", ResolveOptions{}); err != nil || len(refs) != 1 || refs[0].Name != "app-000003" {
		t.Errorf("exclusion %v %v", refs, err)
	}
}

func FuzzPayload(f *testing.F) {
	rec := record{time: 5, group: "g", indices: [][16]byte{{1}}, ops: []recordOp{{code: opPut, seq: 3, version: 1, size: 2, id: []byte("x")}, {code: opDelete, seq: 4, version: 2, id: []byte("y")}}}
	f.Add(appendRecord(nil, &rec, 0, []byte("{}")))
	f.Add([]byte("\x02\x00\x01\x0000000000{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, cmd, err := parsePayload(b)
		if err == nil && (rec == nil) == (cmd == nil) {
			t.Fatal("neither or both")
		}
	})
}

// TestDamagedSegment sets a segment aside whose header is broken, answers from the others, and keeps the file.
func TestDamagedSegment(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, testConfig(mem))
	var broken string
	for i := range 2 {
		apply(t, s, put("i", fmt.Sprint(i), `{"a":1}`))
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			broken = s.meta.Load().indices["i"].parts.Load().segs[0].path
		}
	}
	s.Close()
	b, err := vfs.ReadFile(mem, broken)
	if err != nil {
		t.Fatal(err)
	}
	b[3] ^= 1
	if err := vfs.WriteFileAtomic(mem, broken, b); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = mustOpen(t, testConfig(mem))
		if got := everything(t, s, "i"); len(got) != 1 || s.Stats().Damaged != 1 {
			t.Fatalf("%v, %d damaged", got, s.Stats().Damaged)
		}
		apply(t, s, put("j", "", `{}`))
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	if _, err := mem.Stat(broken); err != nil {
		t.Fatal(err)
	}
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, testConfig(mem))
	apply(t, s, put("i", "1", `{"a":1}`))
	mem.SetLimit(1)
	s.watchDisk()
	if _, err := s.Apply(context.Background(), []Op{put("i", "2", `{"a":2}`)}); err == nil || err.(*Error).Status != 429 {
		t.Fatalf("taken on a full disk: %v", err)
	}
	if len(everything(t, s, "i")) != 1 {
		t.Fatal("a full disk stops reading")
	}
	mem.SetLimit(0)
	s.watchDisk()
	apply(t, s, put("i", "2", `{"a":2}`))
}

func TestDeletedIndexLeavesNothing(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, testConfig(mem))
	apply(t, s, put("i", "1", `{"a":1}`))
	if err := s.Flush(nil); err != nil {
		t.Fatal(err)
	}
	dir := s.meta.Load().indices["i"].dir
	apply(t, s, put("i", "2", `{"a":1}`))
	if err := s.DeleteIndex("i", ResolveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Maintain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := mem.Stat(dir); err == nil {
		t.Error("the folder of a deleted index is still there")
	}
	if n := s.Stats().HeadBytes; n != 0 {
		t.Errorf("%d bytes of heads are counted", n)
	}
	apply(t, s, put("i", "1", `{"a":"now a text"}`))
	s.Close()
	if got := everything(t, mustOpen(t, testConfig(mem)), "i"); got["i/1"] != `{"a":"now a text"}` || len(got) != 1 {
		t.Errorf("got %v", got)
	}
}
