package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

func testConfig(fsys vfs.FS) Config {
	return Config{Dir: "/data", FS: fsys, Log: slog.New(slog.DiscardHandler), ExtentBytes: 64 << 10}
}

func mustOpen(t testing.TB, cfg Config) *Store {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func put(name, id, src string) Op {
	return NewOp(bulk.Op{Action: bulk.Index, Index: name, ID: id, Source: []byte(src)})
}

func apply(t testing.TB, s *Store, ops ...Op) []ItemResult {
	t.Helper()
	res, err := s.Apply(context.Background(), ops)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// everything is the live documents of the indices an expression names, as id -> source.
func everything(t testing.TB, s *Store, expr string) map[string]string {
	t.Helper()
	refs, err := s.Resolve(expr, ResolveOptions{Hidden: true})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range refs {
		names = append(names, r.Name)
	}
	snap := s.Snapshot(names)
	defer snap.Release()
	out := map[string]string{}
	for _, v := range snap.Indices {
		for _, src := range v.Sources {
			eachLive(src, func(row int) {
				b, err := src.AppendSource(nil, row)
				if err != nil {
					t.Fatalf("%s: %v", v.Name, err)
				}
				id := v.Name + "/" + src.ID(row)
				if was, twice := out[id]; twice {
					t.Errorf("%s twice: %s and %s", id, was, b)
				}
				out[id] = string(b)
			})
			if err := src.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// eachLive calls f for every live row.
func eachLive(src query.Source, f func(row int)) {
	for zone := 0; zone*query.ZoneRows < src.Rows(); zone++ {
		var sel query.Selection
		for i := range sel {
			sel[i] = ^uint64(0)
		}
		src.Live(zone, &sel)
		for i := range query.ZoneRows {
			if sel[i/64]>>(i%64)&1 == 1 {
				f(zone*query.ZoneRows + i)
			}
		}
	}
}

func TestWriteReadRestart(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, testConfig(fsys))
	docs := []string{`{"a":1,"m":"hello world"}`, `{"a":2,"m":"hello there","n":{"x":[1,2,3]}}`, `{"m":"x","o":[{"p":1}]}`}
	res := apply(t, s, put("i1", "k1", docs[0]), put("i1", "", docs[1]), put("i2", "k3", docs[2]))
	want := map[string]string{"i1/k1": docs[0], "i1/" + res[1].ID: docs[1], "i2/k3": docs[2]}
	check := func(s *Store) {
		t.Helper()
		if got := everything(t, s, "i*"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		doc, ok, err := s.Get("i1", res[1].ID)
		if err != nil || !ok || string(doc.Source) != docs[1] {
			t.Fatalf("get: %s %v %v", doc.Source, ok, err)
		}
	}
	check(s)
	if res[0].Result != "created" || res[0].Status != 201 || res[0].Version != 1 || len(res[1].ID) != 20 {
		t.Errorf("results %+v", res)
	}
	again := apply(t, s, put("i1", "k1", `{"a":9}`))
	if again[0].Result != "updated" || again[0].Version != 2 {
		t.Errorf("again %+v", again[0])
	}
	want["i1/k1"] = `{"a":9}`
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(mustOpen(t, testConfig(fsys)))
}

func TestVersionsAndErrors(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, testConfig(vfs.NewMem()))
	op := func(a bulk.Action, id, src string) Op {
		return NewOp(bulk.Op{Action: a, Index: "i", ID: id, Source: []byte(src)})
	}
	cond := op(bulk.Index, "1", `{}`)
	cond.IfSeq, cond.IfTerm = 77, 1
	ext := op(bulk.Index, "9", `{}`)
	ext.Version, ext.VersionType = 5, "external"
	for i, c := range []struct {
		op     Op
		status int
		result string
		reason string
	}{
		{op(bulk.Create, "1", `{"a":1}`), 201, "created", ""},
		{op(bulk.Create, "1", `{"a":1}`), 409, "", "[1]: version conflict, document already exists (current version [1])"},
		{cond, 409, "", "[1]: version conflict, required seqNo [77], primary term [1]. current document has seqNo [0] and primary term [1]"},
		{op(bulk.Update, "1", `{"doc":{"b":{"c":2}}}`), 200, "updated", ""},
		{op(bulk.Update, "1", `{"doc":{"a":1}}`), 200, "noop", ""},
		{op(bulk.Update, "nope", `{"doc":{"a":1}}`), 404, "", "[nope]: document missing"},
		{op(bulk.Update, "2", `{"doc":{"a":1},"doc_as_upsert":true}`), 201, "created", ""},
		{op(bulk.Delete, "2", ""), 200, "deleted", ""},
		{op(bulk.Delete, "2", ""), 404, "not_found", ""},
		{op(bulk.Index, "3", `{"a":"text"}`), 400, "", "[1:12] failed to parse field [a] of type [long] in document with id '3'. Preview of field's value: 'text'"},
		{op(bulk.Index, "3", `{"a":`), 400, "", "[1:6] failed to parse"},
		{ext, 201, "created", ""},
		{ext, 409, "", "[9]: version conflict, current version [5] is higher or equal to the one provided [5]"},
		{NewOp(bulk.Op{Action: bulk.Index, Index: "Bad", Source: []byte(`{}`)}), 400, "", "Invalid index name [Bad], must be lowercase"},
		{NewOp(bulk.Op{Action: bulk.Create, Index: "logs-x-y", Source: []byte(`{"@timestamp":"2025-01-01"}`)}), 201, "created", ""},
		{NewOp(bulk.Op{Action: bulk.Index, Index: "logs-x-y", Source: []byte(`{}`)}), 400, "", "only write ops with an op_type of create are allowed in data streams"},
		{NewOp(bulk.Op{Action: bulk.Create, Index: "logs-x-y", Source: []byte(`{"m":1}`)}), 400, "", "[1:2] failed to parse: data stream timestamp field [@timestamp] is missing"},
	} {
		r := apply(t, s, c.op)[0]
		reason := ""
		if r.Err != nil {
			reason = r.Err.Reason
		}
		if r.Status != c.status || r.Result != c.result || reason != c.reason {
			t.Errorf("%d: %d %q %q, want %d %q %q", i, r.Status, r.Result, reason, c.status, c.result, c.reason)
		}
	}
	if got := everything(t, s, "i")["i/1"]; got != `{"a":1,"b":{"c":2}}` {
		t.Errorf("merged: %s", got)
	}
}

func batch(group int, from int64, n int, src ledger.Source) bulk.Batch {
	var b bulk.Batch
	for i := range n {
		at := from + int64(i)*10
		b.Ops = append(b.Ops, bulk.Op{Action: bulk.Create, Index: "logs-app-default", Source: fmt.Appendf(nil, `{"@timestamp":%d,"message":"line %d of group %d","n":%d}`, at, at, group, at)})
		b.Origins = append(b.Origins, bulk.Origin{Range: ledger.Range{Source: src, From: at, To: at + 10}, K: 0, N: 1})
	}
	b.Positions = []queue.Position{{Topic: "logs", TopicID: [16]byte{1}, Partition: int32(group), Offset: from + int64(n)*10}}
	return b
}

func TestRepeatsAreDropped(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, testConfig(fsys))
	src := ledger.NewSource(time.UnixMilli(1))
	ctx := context.Background()
	w := s.For("p")
	for _, from := range []int64{0, 50, 0, 100} { // 50 repeats half of what 0 wrote
		if rej, err := w.Write(ctx, batch(1, from, 10, src)); err != nil || len(rej) > 0 {
			t.Fatal(rej, err)
		}
	}
	if n := len(everything(t, s, "logs-*")); n != 20 {
		t.Fatalf("%d documents, want 20", n)
	}
	if _, err := s.For("other").Write(ctx, batch(1, 0, 10, src)); err != nil {
		t.Fatal(err)
	}
	if n := len(everything(t, s, "logs-*")); n != 30 {
		t.Fatalf("%d documents, want 30: another group has its own ledger", n)
	}
	s.Close()
	s = mustOpen(t, testConfig(fsys))
	pos, err := s.For("p").Positions(ctx)
	if err != nil || len(pos) != 1 || pos[0].Offset != 200 {
		t.Fatalf("positions %v %v", pos, err)
	}
	if _, err := s.For("p").Write(ctx, batch(1, 0, 20, src)); err != nil {
		t.Fatal(err)
	}
	if n := len(everything(t, s, "logs-*")); n != 30 {
		t.Fatalf("%d documents after restart, want 30", n)
	}
}

func TestRejectedKeepsPositionsBack(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	s := mustOpen(t, testConfig(fsys))
	src := ledger.NewSource(time.UnixMilli(1))
	ctx := context.Background()
	w := s.For("p")
	r := ledger.Range{Source: src, From: 0, To: 10}
	b := bulk.Batch{Ops: []bulk.Op{
		{Action: bulk.Create, Index: "logs-app-default", Source: []byte(`{"@timestamp":1,"n":1}`)},
		{Action: bulk.Create, Index: "logs-app-default", Source: []byte(`{"n":2}`)},
	}, Origins: []bulk.Origin{{Range: r, K: 0, N: 2}, {Range: r, K: 1, N: 2}}, Positions: []queue.Position{{Topic: "t", Offset: 5}}}
	rej, err := w.Write(ctx, b)
	if err != nil || len(rej) != 1 || rej[0].Op != 1 || !strings.Contains(rej[0].Reason, "@timestamp") {
		t.Fatal(rej, err)
	}
	if pos, _ := w.Positions(ctx); len(pos) != 0 {
		t.Fatalf("positions %v kept", pos)
	}
	s.Close() // a crash before the dead letter: the record is polled again
	s = mustOpen(t, testConfig(fsys))
	w = s.For("p")
	if rej, err = w.Write(ctx, b); err != nil || len(rej) != 1 || rej[0].Op != 1 {
		t.Fatal(rej, err)
	}
	if n := len(everything(t, s, "logs-*")); n != 1 {
		t.Fatalf("%d documents, want 1", n)
	}
	if _, err := w.Write(ctx, bulk.Batch{Settled: []bulk.Settled{{Range: r, Fate: ledger.Dead}}, Positions: b.Positions}); err != nil {
		t.Fatal(err)
	}
	if rej, err = w.Write(ctx, b); err != nil || len(rej) != 0 {
		t.Fatal("a settled record came back", rej, err)
	}
	if pos, _ := w.Positions(ctx); len(pos) != 1 || pos[0].Offset != 5 {
		t.Fatalf("positions %v", pos)
	}
}

func TestSyncFailureLeavesNothing(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem)
	s := mustOpen(t, testConfig(fault))
	apply(t, s, put("i", "1", `{"v":1}`))
	fault.SetRules(vfs.Rule{Op: vfs.OpSync, At: 1})
	if _, err := s.Apply(context.Background(), []Op{put("i", "1", `{"v":2}`), put("i", "2", `{"v":2}`)}); err == nil {
		t.Fatal("acknowledged without a sync")
	}
	want := map[string]string{"i/1": `{"v":1}`}
	if got := everything(t, s, "i"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for range 3 {
		if _, err := s.Apply(context.Background(), []Op{put("i", "3", `{"v":3}`)}); err == nil {
			break
		} else if e := (*Error)(nil); errors.As(err, &e) {
			t.Fatal(err)
		}
	}
	want["i/3"] = `{"v":3}`
	if got := everything(t, s, "i"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	s.Close()
	if got := everything(t, mustOpen(t, testConfig(mem)), "i"); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("after restart %v, want %v", got, want)
	}
}
