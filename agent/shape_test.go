package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// field is a value of a record at a dotted path, rendered.
func field(t *testing.T, value []byte, path string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(value, &m); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	v, ok := tree.Get(m, path)
	if !ok {
		return ""
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}

// TestShapes runs inputs end to end and looks at fields of the records.
func TestShapes(t *testing.T) {
	t.Parallel()
	multi := DefaultMultiline()
	multi.Pattern = `^\s`
	for _, tc := range []struct {
		name string
		edit func(c *Config, in *Input)
		text string
		want []map[string]string
	}{
		{"multiline", func(_ *Config, in *Input) { in.Parsers = []Parser{{Multiline: &multi}} },
			"a\n 1\n 2\nb\nc\n", []map[string]string{
				{"message": "a\n 1\n 2", "log.flags": `["multiline"]`, "log.offset": "0"}, {"message": "b", "log.flags": ""}}},
		{"ndjson under a target", func(_ *Config, in *Input) { in.Parsers = []Parser{{NDJSON: &NDJSON{Target: "j", AddErrorKey: true}}} },
			"{\"a\":1.50,\"b\":{\"c\":\"d\"}}\nnope\n", []map[string]string{
				{"j.a": "1.5", "j.b.c": "d", "message": ""}, {"message": "nope", "error.type": "json"}}},
		{"ndjson at the root", func(_ *Config, in *Input) {
			in.Parsers = []Parser{{NDJSON: &NDJSON{OverwriteKeys: true, MessageKey: "msg", ExpandKeys: true, DocumentID: "id"}}}
		},
			`{"@timestamp":"2020-01-02T03:04:05Z","msg":"hi","log.level":"warn","id":"x1"}` + "\n", []map[string]string{
				{"@timestamp": "2020-01-02T03:04:05.000Z", "msg": "hi", "log.level": "warn", "log.offset": "0", "@metadata._id": "x1", "id": ""}}},
		{"container", func(_ *Config, in *Input) { in.Type = "container" },
			"2020-01-02T03:04:05.6Z stdout P one-\n2020-01-02T03:04:06Z stderr F e\n2020-01-02T03:04:07Z stdout F two\n", []map[string]string{
				{"message": "e", "stream": "stderr"}, {"message": "one-two", "stream": "stdout", "@timestamp": "2020-01-02T03:04:05.600Z", "input.type": "container"}}},
		{"docker", func(_ *Config, in *Input) { in.Type = "container" },
			`{"log":"x\n","stream":"stdout","attrs":{"tag":"t"},"time":"2020-01-02T03:04:05Z"}` + "\nplain\n", []map[string]string{
				{"message": "x", "docker.attrs.tag": "t"}, {"message": "plain", "error.type": "container"}}},
		{"fields and tags", func(c *Config, in *Input) {
			c.Fields, c.Tags = map[string]any{"env": "prod", "n": 1}, []string{"g"}
			in.Fields, in.FieldsUnderRoot, in.Tags = map[string]any{"service": map[string]any{"name": "mvc"}}, true, []string{"i"}
			in.Index, in.Pipeline = "idx", "pipe"
		}, "x\n", []map[string]string{{"fields.env": "prod", "fields.n": "1", "service.name": "mvc", "tags": `["g","i"]`,
			"@metadata.raw_index": "idx", "@metadata.pipeline": "pipe", "agent.type": "filebeat", "ecs.version": "8.0.0", "host.name": "host"}}},
		{"compatibility 7", func(c *Config, _ *Input) { c.Compat = 7 }, "x\n",
			[]map[string]string{{"agent.version": "7.17.28", "ecs.version": "1.12.0", "log.file.inode": ""}}},
		{"lines by pattern", func(_ *Config, in *Input) { in.IncludeLines, in.ExcludeLines = []string{"^A", "^B"}, []string{"x$"} },
			"A1\nC\n\nBx\nB2\n", []map[string]string{{"message": "A1"}, {"message": "B2", "log.offset": "9"}}},
		{"too long", func(_ *Config, in *Input) { in.MessageMaxBytes = 8 },
			"0123456789\nshort\n", []map[string]string{{"message": "01234567", "log.flags": `["truncated"]`, "log.cut.bytes": "10",
				"log.cut.sha256": "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"}, {"message": "short"}}},
		{"cp949", func(_ *Config, in *Input) { in.Encoding = "cp949" }, "\xb7\xce\xb1\xd7\n", []map[string]string{{"message": "로그"}}},
		{"not UTF-8", func(*Config, *Input) {}, "a\xffb\n", []map[string]string{{"message": "a\uFFFDb", "log.flags": `["encoding"]`}}},
		{"byte order mark", func(*Config, *Input) {}, "\xef\xbb\xbfa\nb\n", []map[string]string{{"message": "a"}, {"message": "b", "log.offset": "5"}}},
		{"utf-16", func(_ *Config, in *Input) { in.Encoding = "utf-16-bom" }, "\xff\xfea\x00\n\x00b\x00\r\x00\n\x00", []map[string]string{{"message": "a"}, {"message": "b", "log.offset": "6"}}},
		{"torn zeros", func(*Config, *Input) {}, strings.Repeat("\x00", 5000) + "x\n", []map[string]string{{"message": "x", "log.flags": `["nul"]`}}},
		{"processors", func(_ *Config, in *Input) {
			in.Processors = []processor.Config{
				{Name: "drop_event", When: map[string]any{"contains": map[string]any{"message": "debug"}}, Place: "filebeat.yml:7"},
				{Name: "add_fields", Args: map[string]any{"target": "", "fields": map[string]any{"team": "a"}}},
				{Name: "rename", Args: map[string]any{"fields": []any{map[string]any{"from": "team", "to": "group"}}}},
				{Name: "drop_fields", Args: map[string]any{"fields": []any{"agent", "ecs"}}},
				{Name: "add_tags", Args: map[string]any{"tags": []any{"p"}}},
			}
		}, "debug x\nkept\n", []map[string]string{{"message": "kept", "group": "a", "team": "", "agent": "", "tags": `["p"]`}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			tc.edit(&h.cfg, &h.cfg.Inputs[0])
			if tc.name == "container" || tc.name == "docker" {
				in := h.cfg.Inputs[0]
				in.Symlinks = true
				h.cfg.Inputs[0] = in
			}
			h.write("app.log", tc.text)
			h.start()
			h.await("records", func() bool { return len(h.q.records()) >= len(tc.want) })
			for i, r := range h.q.records()[:len(tc.want)] {
				if r.Topic != "logs" || len(r.Key) != 32 || r.Origin.IsZero() || r.Time.IsZero() {
					t.Errorf("record %d: topic %s, key %s, origin %v", i, r.Topic, r.Key, r.Origin)
				}
				for path, want := range tc.want[i] {
					if got := field(t, r.Value, path); got != want {
						t.Errorf("record %d: %s is %q, want %q in %s", i, path, got, want, r.Value)
					}
				}
			}
		})
	}
}

// TestAccount: read = acknowledged + dropped by rule + merged, and the position is behind all of them.
func TestAccount(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Inputs[0].ExcludeLines = []string{"^no"}
	text := "a\n\nno\nb\n\nno more\n"
	h.write("app.log", text)
	h.start()
	h.await("account", func() bool {
		st := h.a.Status()
		return len(st.Sources) == 1 && st.Sources[0].Acked == int64(len(text))
	})
	st := h.a.Status()
	s := st.Sources[0]
	if s.Read != int64(len(text)) || s.Shipped != 4 || s.Dropped != int64(len(text))-4 || s.Unread != 0 || s.OldestMs != 0 {
		t.Errorf("%+v", s)
	}
	if got := fmt.Sprint(st.Stats.Dropped); got != "map[empty:{2 2} exclude_lines:{2 11}]" {
		t.Errorf("dropped %s", got)
	}
	if _, err := json.Marshal(st); err != nil {
		t.Error(err)
	}
}

// TestLongLine: lines longer than a read, and longer than what is kept.
func TestLongLine(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Inputs[0].MessageMaxBytes = 1 << 20
	long, longer := strings.Repeat("l", 700<<10), strings.Repeat("m", 3<<20)
	h.write("app.log", "a\n"+long+"\n"+longer[:2<<20])
	h.start()
	h.expect("a", long)
	h.write("app.log", longer[2<<20:]+"\nz\n")
	h.await("the end", func() bool { return len(h.q.messages()) == 4 })
	got := h.q.messages()
	if got[2] != longer[:1<<20] || got[3] != "z" {
		t.Fatalf("%d bytes, %q", len(got[2]), got[3])
	}
	r := h.q.records()[2]
	if n := field(t, r.Value, "log.cut.bytes"); n != fmt.Sprint(3<<20) || r.Origin.Len() != 3<<20+1 {
		t.Fatalf("cut %s, range %v", n, r.Origin)
	}
}

// TestQueueTroubles: failures, partly written batches and a limit of the record size; every line once, in order.
func TestQueueTroubles(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	big := strings.Repeat("0123456789", 3000)
	calls := 0
	h.q.fail = func(_ int, recs []queue.Record) error {
		for i, r := range recs {
			if len(r.Value) > 8<<10 {
				return &queue.TooLargeError{Index: i, Size: len(r.Value) + 70, Limit: 8 << 10}
			}
		}
		calls++
		if calls < 4 {
			return errors.New("down")
		}
		if calls < 7 && len(recs) > 1 {
			var failed []int
			for i := range recs {
				if i >= len(recs)/2 {
					failed = append(failed, i)
					continue
				}
				r := recs[i]
				r.Value = append([]byte(nil), r.Value...)
				h.q.recs = append(h.q.recs, r)
			}
			return &queue.ProduceError{Failed: failed, Err: queue.ErrFull}
		}
		return nil
	}
	list, text := numbered("x", 0, 500)
	h.write("app.log", text+big+"\nend\n")
	h.start()
	h.await("end", func() bool { m := h.q.messages(); return len(m) > 0 && m[len(m)-1] == "end" })
	got := h.q.messages()
	if strings.Join(got[:500], "\n") != strings.Join(list, "\n") || strings.Join(got[500:len(got)-1], "") != big {
		t.Fatalf("%d messages", len(got))
	}
	if st := h.a.Status(); st.Stats.Retries == 0 || st.Stats.Splits != 1 {
		t.Errorf("retries %d, splits %d", st.Stats.Retries, st.Stats.Splits)
	}
}

// TestRegistryFaults breaks the n-th write or sync of the registry, once: lines ship on, the registry recovers, and after a restart
// nothing is lost or repeated.
func TestRegistryFaults(t *testing.T) {
	t.Parallel()
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync} {
		for n := 1; n <= 6; n++ {
			t.Run(fmt.Sprint(op, " ", n), func(t *testing.T) {
				t.Parallel()
				h := newHarness(t)
				h.write("app.log", "first\n")
				h.start()
				h.expect("first")
				h.stop()
				fault := vfs.NewFault(vfs.OS())
				h.cfg.FS = fault
				h.start()
				fault.SetRules(vfs.Rule{Op: op, At: n, Err: errors.New("broken")})
				want := []string{"first"}
				for i := range 8 {
					name := fmt.Sprintf("app%d.log", i%3)
					line := fmt.Sprint("line ", i)
					h.write(name, line+"\n")
					want = append(want, line)
					h.expect(want...)
				}
				h.await("the registry is whole again", func() bool { return h.a.reg.flush() == nil })
				fault.SetRules()
				h.stop()
				h.start()
				h.write("app.log", "last\n")
				h.expect(append(want, "last")...)
				if got := len(h.q.records()); got != len(want)+1 {
					t.Errorf("%d records, want %d", got, len(want)+1)
				}
			})
		}
	}
}

// TestKills kills the agent at every n-th Produce, before and after it took the records; after the last start every line is there once.
func TestKills(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 6; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("produce %d after %t", n, after), func(t *testing.T) {
				t.Parallel()
				h := newHarness(t)
				list, text := numbered("k", 0, 3000)
				h.write("app.log", text[:len(text)/2])
				for round := range 4 {
					struck := make(chan struct{})
					calls := 0
					h.q.fail = func(_ int, recs []queue.Record) error {
						calls++
						if calls < n {
							return nil
						}
						if calls == n {
							close(struck)
							if after {
								for _, r := range recs {
									r.Value = append([]byte(nil), r.Value...)
									h.q.recs = append(h.q.recs, r)
								}
							}
						}
						return errors.New("killed")
					}
					h.cfg.timing.kill = true
					h.start()
					if round > 0 {
						h.write("app.log", text[len(text)/2+(round-1)*len(text)/8:][:len(text)/8])
					}
					select {
					case <-struck:
					case <-time.After(100 * time.Millisecond):
					}
					h.stop()
				}
				h.write("app.log", text[len(text)/2+3*(len(text)/8):])
				h.q.fail = nil
				h.cfg.timing.kill = false
				h.start()
				h.expect(list...)
			})
		}
	}
}

// TestDescriptors: files that are read to their end do not keep a descriptor each.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i := range 700 {
		h.write(fmt.Sprintf("f%d.log", i), "x\n")
	}
	h.start()
	h.await("700 lines", func() bool { return len(h.q.records()) == 700 })
	h.await("few descriptors", func() bool { return h.a.Status().Stats.OpenFiles <= idleOpen+maxLanes })
	if err := os.Remove(h.path("f3.log")); err != nil {
		t.Fatal(err)
	}
	h.await("one file less", func() bool { return h.a.Status().Stats.Files == 699 })
}

// TestHarvesterLimit: few files at a time, and still all of them, also as they grow.
func TestHarvesterLimit(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Inputs[0].HarvesterLimit = 2
	for i := range 20 {
		h.write(fmt.Sprintf("f%d.log", i), "x\n")
	}
	h.start()
	h.await("20 lines", func() bool { return len(h.q.records()) == 20 })
	for i := range 20 {
		h.write(fmt.Sprintf("f%d.log", i), "y\n")
	}
	h.await("40 lines", func() bool { return len(h.q.records()) == 40 })
}

// TestKubernetes: a link in containers/ leads to pods/, which leads to the file; the runtime rotates the file behind the links.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Inputs[0] = DefaultInput("container")
	h.cfg.Inputs[0].Paths = []string{h.path("containers/*.log")}
	h.cfg.ScanFrequency = time.Hour
	for _, dir := range []string{"containers", "pods", "docker"} {
		if err := os.Mkdir(h.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		if err := os.Symlink(h.path(to), h.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	link("docker/0.log", "pods/0.log")
	link("pods/0.log", "containers/web.log")
	line := func(text string) string { return "2020-01-02T03:04:05Z stdout F " + text + "\n" }
	h.write("docker/0.log", line("one"))
	h.start()
	h.expect("one")
	h.write("docker/0.log", line("two"))
	h.expect("one", "two")
	h.rename("docker/0.log", "docker/0.log.20261122-093000")
	h.write("docker/0.log", line("three"))
	h.expect("one", "two", "three")
	if got := field(t, h.q.records()[0].Value, "log.file.path"); got != h.path("containers/web.log") {
		t.Errorf("log.file.path %s", got)
	}
	h.stop()
	h.start()
	h.write("docker/0.log", line("four"))
	h.expect("one", "two", "three", "four")
}

// TestStatusWhileDown: what waits in a file is seen while the queue takes nothing.
func TestStatusWhileDown(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.q.fail = func(int, []queue.Record) error { return errors.New("down") }
	h.write("app.log", "one\n")
	h.start()
	h.await("retrying", func() bool { return h.a.Status().Retrying })
	h.write("app.log", "two\n")
	h.await("unread", func() bool {
		st := h.a.Status()
		return len(st.Sources) == 1 && st.Sources[0].Unread == 8 && st.Sources[0].OldestMs > 0 && st.LastError == "down"
	})
	h.q.mu.Lock()
	h.q.fail = nil
	h.q.mu.Unlock()
	h.expect("one", "two")
	h.await("all acknowledged", func() bool { st := h.a.Status(); return !st.Retrying && st.Sources[0].Unread == 0 })
}
