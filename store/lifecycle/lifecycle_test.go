package lifecycle

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/vfs"
)

// world is a store and a manager with a clock of their own.
type world struct {
	t   *testing.T
	s   *store.Store
	m   *Manager
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
	cfg := store.DefaultConfig()
	cfg.FS, cfg.Dir, cfg.Now = vfs.NewMem(), "store", func() time.Time { return w.now }
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w.s, w.m = s, New(s, nil, func() time.Time { return w.now })
	return w
}

func (w *world) policy(name, json string) {
	w.t.Helper()
	if err := w.m.PutPolicy(name, fastjson.MustParse(json)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) write(index string, n int) {
	w.t.Helper()
	var ops []store.Op
	for range n {
		ops = append(ops, store.NewOp(bulk.Op{Action: bulk.Create, Index: index, Source: []byte(`{"@timestamp":"` + w.now.Format(time.RFC3339) + `","m":"x"}`)}))
	}
	res, err := w.s.Apply(context.Background(), ops)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range res {
		if r.Err != nil {
			w.t.Fatal(r.Err)
		}
	}
}

// pass steps the clock in hours, so that no jump is seen, looking at everything each time.
func (w *world) pass(hours int) {
	for range hours {
		w.now = w.now.Add(time.Hour)
		w.m.Pass(context.Background())
	}
	if hours == 0 {
		w.m.Pass(context.Background())
	}
}

func (w *world) names() string { return strings.Join(w.s.Names(), " ") }

// TestAliasRollsAndIsDeleted: hot rolls the alias over by documents, warm merges and write-protects, delete removes.
func TestAliasRollsAndIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("p", `{"phases":{"hot":{"actions":{"rollover":{"max_docs":3},"set_priority":{"priority":100}}},"warm":{"min_age":"2h","actions":{"forcemerge":{"max_num_segments":1},"readonly":{},"allocate":{}}},"delete":{"min_age":"5h","actions":{"delete":{}}}}}`)
	if err := w.s.PutTemplate(store.IndexTemplate, "t", []byte(`{"index_patterns":["app-*"],"template":{"settings":{"index.lifecycle.name":"p","index.lifecycle.rollover_alias":"app"}}}`), false); err != nil {
		t.Fatal(err)
	}
	if err := w.s.CreateIndex("app-000001", store.CreateRequest{Aliases: []byte(`{"app":{"is_write_index":true}}`)}); err != nil {
		t.Fatal(err)
	}
	w.write("app", 2)
	w.pass(10)
	if w.names() != "app-000001" {
		t.Fatalf("rolled too early: %s", w.names())
	}
	w.write("app", 1)
	w.pass(1)
	if w.names() != "app-000001 app-000002" {
		t.Fatalf("after 3 documents: %s", w.names())
	}
	w.pass(1)
	if i, _ := w.s.Info("app-000001"); i.Settings.Bool("blocks.write", false) || i.Settings.Int("priority", 0) != 100 {
		t.Error("warm too early, or no priority")
	}
	w.pass(1)
	i, _ := w.s.Info("app-000001")
	if st := StateOf(i.Settings); !i.Settings.Bool("blocks.write", false) || i.Segments != 1 || st.Phase != "warm" || st.Step != "complete" {
		t.Errorf("warm: %+v, %d segments", st, i.Segments)
	}
	w.write("app", 1)
	w.pass(3)
	if w.names() != "app-000002" {
		t.Fatalf("after 5 h: %s", w.names())
	}
	w.pass(30)
	if w.names() != "app-000002" {
		t.Errorf("the write index went: %s", w.names())
	}
}

// TestAgeWithoutRollover: a policy that only deletes counts from the index's making.
func TestAgeWithoutRollover(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("p", `{"phases":{"delete":{"min_age":"3h","actions":{"delete":{}}}}}`)
	if err := w.s.CreateIndex("a", store.CreateRequest{Settings: []byte(`{"index.lifecycle.name":"p"}`)}); err != nil {
		t.Fatal(err)
	}
	w.pass(2)
	if w.names() != "a" {
		t.Fatal("deleted too early")
	}
	if err := w.m.SetRunning(false); err != nil {
		t.Fatal(err)
	}
	w.pass(3)
	if w.names() != "a" {
		t.Fatal("deleted while stopped")
	}
	if err := w.m.SetRunning(true); err != nil {
		t.Fatal(err)
	}
	w.pass(0)
	if w.names() != "" {
		t.Errorf("left: %s", w.names())
	}
}

// TestClockJump: a clock that jumps deletes nothing until it was seen again ten minutes later.
func TestClockJump(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("p", `{"phases":{"delete":{"min_age":"1d","actions":{"delete":{}}}}}`)
	if err := w.s.CreateIndex("a", store.CreateRequest{Settings: []byte(`{"index.lifecycle.name":"p"}`)}); err != nil {
		t.Fatal(err)
	}
	w.pass(1)
	w.now = w.now.Add(1000 * time.Hour)
	w.m.Pass(context.Background())
	if w.names() != "a" {
		t.Fatal("deleted by a clock that jumped")
	}
	w.now = w.now.Add(jumpWait + time.Minute)
	w.m.Pass(context.Background())
	if w.names() != "" {
		t.Error("not deleted when the clock stayed")
	}
}

// TestFailedStep: a step that cannot be done is told, and tried again.
func TestFailedStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy("p", `{"phases":{"hot":{"actions":{"rollover":{"max_docs":1}}}}}`)
	if err := w.s.CreateIndex("a-1", store.CreateRequest{Settings: []byte(`{"index.lifecycle.name":"p"}`)}); err != nil {
		t.Fatal(err)
	}
	w.write("a-1", 1)
	w.pass(2)
	i, _ := w.s.Info("a-1")
	if st := StateOf(i.Settings); st.Failed != "rollover" || st.Retries != 2 || !strings.Contains(st.Error, "rollover_alias] for index [a-1] is empty or not defined") {
		t.Fatalf("%+v", st)
	}
	if err := w.s.PutSettings("a-1", []byte(`{"index.lifecycle.rollover_alias":"al"}`), store.ResolveOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.s.UpdateAliases([]store.AliasAction{{Kind: "add", Indices: []string{"a-1"}, Aliases: []string{"al"}}}); err != nil {
		t.Fatal(err)
	}
	w.pass(1)
	if w.names() != "a-000002 a-1" {
		t.Errorf("%s", w.names())
	}
}

// TestStreamLifecycle: a data stream rolls over by itself, retention empties segments, empty backing indices go.
func TestStreamLifecycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.s.PutTemplate(store.IndexTemplate, "t", []byte(`{"index_patterns":["ev"],"data_stream":{},"template":{"lifecycle":{"data_retention":"12h"}}}`), false); err != nil {
		t.Fatal(err)
	}
	w.write("ev", 5)
	w.pass(1)
	if n := len(w.s.Names()); n != 2 {
		t.Fatalf("%d backing indices after an hour, want 2: %s", n, w.names())
	}
	if err := w.s.Flush(nil); err != nil {
		t.Fatal(err)
	}
	w.write("ev", 1)
	for range 14 {
		w.pass(1)
		if err := w.s.Retain(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	list, err := w.s.DataStreams("ev")
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	for _, x := range list[0].Indices {
		if strings.HasSuffix(x.Name, "000001") {
			t.Errorf("the emptied index is still there: %s", w.names())
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	now := time.Now()
	i := store.IndexInfo{Created: now.Add(-2 * time.Hour).UnixMilli(), Docs: 10, Bytes: 1 << 20}
	for _, c := range []struct {
		conds map[string]any
		want  bool
	}{
		{map[string]any{}, true},
		{map[string]any{"max_docs": 10.0}, true},
		{map[string]any{"max_docs": 11.0}, false},
		{map[string]any{"max_docs": 11.0, "max_age": "1h"}, true},
		{map[string]any{"max_age": "1h", "min_docs": 11.0}, false},
		{map[string]any{"max_size": "1mb"}, true},
		{map[string]any{"max_primary_shard_size": "2mb"}, false},
		{map[string]any{"min_age": "1h"}, true},
	} {
		if _, got, err := Met(i, c.conds, now); err != nil || got != c.want {
			t.Errorf("%v: %v %v", c.conds, got, err)
		}
	}
	if _, _, err := Met(i, map[string]any{"max_luck": 1.0}, now); err == nil {
		t.Error("an unknown condition passes")
	}
}
