package agent

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

func TestRotationNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, base string
		want       bool
	}{
		{"app.log.1", "app.log", true},
		{"app.log.12.gz", "app.log", true},
		{"app.log.gz", "app.log", true},
		{"app.log.2026-11-22", "app.log", true},
		{"app.log.2026-11-22.0.gz", "app.log", true},
		{"app.log-20261122", "app.log", true},
		{"app.log-20261122-093000", "app.log", true},
		{"0.log.20261122-093000", "0.log", true},
		{"app-2026-11-22.1.log", "app.log", true},
		{"app-2026-11-22.1.log.zst", "app.log", true},
		{"app.log.old", "app.log", true},
		{"app.log", "app.log", false},
		{"app.log.bak", "app.log", false},
		{"app2.log", "app.log", false},
		{"app-web.log", "app.log", false},
		{"app.log1", "app.log", false},
		{"app-1.log", "app.log", false},
		{"app-8080.log", "app.log", false},
		{"app-8080.1.log", "app.log", false},
		{"app_20261122.log", "app.log", true},
		{"app-11-22-2026-1.log.gz", "app.log", true},
		{"other.log.1", "app.log", false},
	} {
		if got := isRotationOf(tc.name, tc.base); got != tc.want {
			t.Errorf("isRotationOf(%q, %q) = %t", tc.name, tc.base, got)
		}
		if got := strings.Contains(fmt.Sprintf("%q", rotationBases(tc.name)), fmt.Sprintf("%q", tc.base)); got != tc.want {
			t.Errorf("rotationBases(%q) = %q, want %q among them: %t", tc.name, rotationBases(tc.name), tc.base, tc.want)
		}
	}
}

func TestEntriesExample(t *testing.T) {
	t.Parallel()
	b := appendAt(nil, &saved{ref: 3, pos: 41603, tail: 0x0102030405060708, size: 41603, at: 1_700_000_000_000})
	if got := fmt.Sprintf("%X", b); !strings.HasPrefix(got, "020383C502010203040506070883C502") || len(b) != 22 {
		t.Fatalf("%s, %d bytes", got, len(b))
	}
}

func FuzzEntries(f *testing.F) {
	s := &saved{ref: 1, id: ledger.Source{1}, chain: ledger.Source{2}, path: "/var/log/a.log", headLen: 7, pos: 9, size: 10}
	b := appendHead(appendName(appendAt(appendOpen(nil, s), s), s), s)
	f.Add(append(appendEnd(b, 2, endRemoved, 5), entryLive))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := places{}
		if p.apply(b) != nil {
			return
		}
		again := places{}
		var out []byte
		for _, s := range p {
			out = appendAt(appendOpen(out, s), s)
		}
		if err := again.apply(out); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("%v: %v, %v", err, p, again)
		}
	})
}

// TestConstantSteps: steps that are constant for a file run once, and the plain form is kept.
func TestConstantSteps(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Processors = []processor.Config{
		{Name: "add_host_metadata", When: map[string]any{"not": map[string]any{"contains": map[string]any{"tags": "forwarded"}}}},
		{Name: "add_fields", Args: map[string]any{"fields": map[string]any{"a": "b"}}},
		{Name: "add_fields", Args: map[string]any{"fields": map[string]any{"no": 1}}, When: map[string]any{"contains": map[string]any{"tags": "x"}}},
	}
	h.start()
	if in := h.a.inputs[0]; len(in.chain) != 0 || len(in.once) != 3 {
		t.Fatalf("%d steps once, %d for each line", len(in.once), len(in.chain))
	}
	h.write("app.log", "x\n")
	h.expect("x")
	v := h.q.records()[0].Value
	if field(t, v, "host.os.type") == "" || field(t, v, "fields.a") != "b" || field(t, v, "fields.no") != "" {
		t.Errorf("%s", v)
	}
}

// TestSplitRecord: the parts fit, hold the message in order, and their ranges touch.
func TestSplitRecord(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("로그 \"x\" ", 3000)
	value, _ := json.Marshal(map[string]any{"@timestamp": "t", "@metadata": map[string]any{"beat": "filebeat"}, "message": message,
		"log": map[string]any{"offset": 5}, "host": map[string]any{"name": "h"}})
	r := queue.Record{Value: value, Origin: ledger.Range{Source: ledger.Source{1}, From: 100, To: 100 + int64(len(message))}}
	parts := splitRecord(&r, 8<<10)
	if len(parts) < 4 {
		t.Fatalf("%d parts", len(parts))
	}
	var all strings.Builder
	pos := r.Origin.From
	for i, p := range parts {
		var v struct {
			Message string
			Log     struct {
				Flags []string
				Part  struct{ Index, Count int }
			}
		}
		if err := json.Unmarshal(p.Value, &v); err != nil {
			t.Fatal(err)
		}
		if len(p.Value) > 8<<10 || v.Log.Part.Index != i || v.Log.Part.Count != len(parts) || fmt.Sprint(v.Log.Flags) != "[split]" {
			t.Fatalf("part %d: %d bytes, %+v", i, len(p.Value), v.Log)
		}
		if p.Origin.From != pos {
			t.Fatalf("part %d begins at %d, want %d", i, p.Origin.From, pos)
		}
		pos = p.Origin.To
		all.WriteString(v.Message)
	}
	if all.String() != message || pos != r.Origin.To {
		t.Fatal("the parts are not the whole")
	}
}
