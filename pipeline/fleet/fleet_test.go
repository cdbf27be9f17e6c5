package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
)

// desk is a text that somebody edits.
type desk struct {
	mu   sync.Mutex
	text string
}

func (d *desk) set(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.text = s
}

func (d *desk) texts() ([]pipeline.Source, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return []pipeline.Source{{Name: "a.conf", Text: d.text}}, nil
}

func (d *desk) write(texts []pipeline.Source) error { d.set(texts[0].Text); return nil }

func pipelineOf(t *testing.T, id string, d *desk) Pipeline {
	cfg := pipeline.DefaultConfig()
	cfg.ID, cfg.Workers, cfg.Data, cfg.Stdout = id, 2, t.TempDir(), io.Discard
	cfg.Log = slog.New(slog.DiscardHandler)
	return Pipeline{Config: cfg, Texts: d.texts, Write: d.write, Dir: t.TempDir(), Origin: "files"}
}

// begin opens and runs a fleet until the test ends.
func begin(t *testing.T, cfg Config) *Fleet {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	f, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s in 15 s", what)
		}
	}
}

// TestChangesLoseNothing changes filters and inputs of a pipeline again and again while a file grows: every line comes out once.
func TestChangesLoseNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.log"), filepath.Join(dir, "out.log")
	text := func(field, tag string) string {
		return fmt.Sprintf(`input { file { path => %q start_position => beginning stat_interval => 0.01 discover_interval => 1 add_field => { "input" => %q } } }
filter { mutate { add_tag => [%q] } }
output { file { path => %q codec => line { format => "%%{message} %%{input} %%{tags}" } } }`, in, field, tag, out)
	}
	d := &desk{text: text("i0", "t0")}
	w, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f := begin(t, Config{Pipelines: []Pipeline{pipelineOf(t, "main", d)}})
	n := 0
	say := func(k int) {
		for range k {
			fmt.Fprintf(w, "line %d\n", n)
			n++
		}
	}
	for i := 1; i <= 4; i++ {
		say(300)
		d.set(text(fmt.Sprintf("i%d", i/2), fmt.Sprintf("t%d", i)))
		f.Reload()
		say(300)
	}
	lines := func() []string {
		b, _ := os.ReadFile(out)
		return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	until(t, "2,400 lines", func() bool { return len(lines()) >= n })
	seen := make(map[string]int)
	for _, l := range lines() {
		seen[strings.Join(strings.Fields(l)[:2], " ")]++
	}
	for i := range n {
		if k := seen[fmt.Sprintf("line %d", i)]; k != 1 {
			t.Errorf("line %d came out %d times", i, k)
		}
	}
	if last := lines()[n-1]; !strings.HasSuffix(last, "i2 t4") {
		t.Errorf("last line is %q", last)
	}
	st, err := f.State("main")
	if err != nil || st.Reloads.Successes != 4 || st.Reloads.Failures != 0 || st.State != "running" {
		t.Errorf("state %+v, %v", st, err)
	}
}

const conf1 = `input { generator { count => 0 } } filter { mutate { add_tag => ["one"] } } output { null { } }`

func TestBadTextKeepsTheOld(t *testing.T) {
	t.Parallel()
	d := &desk{text: conf1}
	f := begin(t, Config{Pipelines: []Pipeline{pipelineOf(t, "main", d)}})
	_, hash, _ := f.Texts("main")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, port, _ := net.SplitHostPort(busy.Addr().String())
	for _, bad := range []string{
		strings.Replace(conf1, "mutate {", "mutaet {", 1),
		strings.Replace(conf1, "add_tag => [", "add_tag => ", 1),
		strings.Replace(conf1, "generator { count => 0 }", "tcp { port => "+port+" }", 1), // the port is taken
	} {
		d.set(bad)
		f.Reload()
		st, _ := f.State("main")
		if st.Hash != hash || st.Reloads.LastError == nil {
			t.Fatalf("%s: state %+v", bad, st)
		}
		failures := st.Reloads.Failures
		f.Reload() // the same text is not tried again
		if st, _ := f.State("main"); st.Reloads.Failures != failures {
			t.Errorf("%s was tried again", bad)
		}
	}
	before := f.Running("main").Stats().Events.In
	until(t, "events of the old text", func() bool { return f.Running("main").Stats().Events.In > before })
	d.set(strings.Replace(conf1, "one", "two", 1))
	f.Reload()
	if st, _ := f.State("main"); st.Reloads.Successes != 1 || st.Hash == hash {
		t.Errorf("a good text after bad ones: %+v", st)
	}
}

func TestApplyAndRollBack(t *testing.T) {
	t.Parallel()
	d := &desk{text: conf1}
	p := pipelineOf(t, "main", d)
	f := begin(t, Config{Pipelines: []Pipeline{p}})
	texts, hash, _ := f.Texts("main")
	changed := []pipeline.Source{{Name: "a.conf", Text: strings.Replace(conf1, "one", "two", 1)}}
	a, err := f.Apply("main", changed, hash, "two, not one")
	if err != nil || a.How != "filters" || a.Version != 2 {
		t.Fatalf("applied %+v, %v", a, err)
	}
	if got, _ := d.texts(); got[0].Text != changed[0].Text {
		t.Error("the text was not written back")
	}
	if _, err := f.Apply("main", texts, hash, ""); !errors.Is(err, ErrChanged) {
		t.Errorf("a change of an old text: %v", err)
	}
	var faults conf.Errors
	if _, err := f.Apply("main", []pipeline.Source{{Name: "a.conf", Text: "input {"}}, "", ""); !errors.As(err, &faults) {
		t.Errorf("a broken text: %v", err)
	}
	if _, err := f.Apply("main", []pipeline.Source{{Name: "/etc/passwd", Text: conf1}}, "", ""); err == nil {
		t.Error("a text of another name was taken")
	}
	if _, err := f.Rollback("main", 1); err != nil {
		t.Fatal(err)
	}
	if got, _ := d.texts(); got[0].Text != conf1 {
		t.Error("the old text was not written back")
	}
	h, err := f.History("main")
	if err != nil || len(h) != 3 || !h[0].Active || h[1].Active || h[1].Note != "two, not one" || h[0].Note != "back to version 1" {
		t.Errorf("history %+v, %v", h, err)
	}
	if v, err := f.Version("main", 2); err != nil || v.Files[0].Text != changed[0].Text {
		t.Errorf("version 2: %+v, %v", v, err)
	}
	if _, err := f.Rollback("main", 99); !errors.Is(err, ErrUnknown) {
		t.Errorf("version 99: %v", err)
	}
	if _, err := f.Apply("nobody", texts, "", ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("no such pipeline: %v", err)
	}
}

// TestAppliedTextHolds: a text that cannot be written back is kept beside, until the original changes.
func TestAppliedTextHolds(t *testing.T) {
	t.Parallel()
	d := &desk{text: conf1}
	p := pipelineOf(t, "main", d)
	p.Write, p.Origin = nil, "inline"
	f := begin(t, Config{Pipelines: []Pipeline{p}})
	changed := []pipeline.Source{{Name: "a.conf", Text: strings.Replace(conf1, "one", "two", 1)}}
	if _, err := f.Apply("main", changed, "", ""); err != nil {
		t.Fatal(err)
	}
	f.Reload()
	if st, _ := f.State("main"); st.Source != "applied" || st.Hash != hashOf(changed) {
		t.Errorf("after a look at the files: %+v", st)
	}
	again := begin(t, Config{Pipelines: []Pipeline{p}})
	if got, _, _ := again.Texts("main"); got[0].Text != changed[0].Text {
		t.Error("a restart forgot the text")
	}
	d.set(strings.Replace(conf1, "one", "three", 1))
	f.Reload()
	if got, _, _ := f.Texts("main"); !strings.Contains(got[0].Text, "three") {
		t.Error("a change of the original is not taken")
	}
}

func TestGuardTakesBack(t *testing.T) {
	t.Parallel()
	d := &desk{text: conf1}
	f := begin(t, Config{Pipelines: []Pipeline{pipelineOf(t, "main", d)}})
	_, hash, _ := f.Texts("main")
	until(t, "events", func() bool { n, _ := f.Running("main").Health(); return n > guardEvents })
	d.set(strings.Replace(conf1, "mutate {", `grok { match => { "message" => "never %{INT:n}" } } mutate {`, 1))
	f.Reload()
	until(t, "way back", func() bool { _, h, _ := f.Texts("main"); return h == hash })
	f.Reload()
	if st, _ := f.State("main"); st.Hash != hash || st.Reloads.Failures != 1 || !strings.Contains(st.Reloads.LastError.Message, "taken back") {
		t.Errorf("state %+v", st)
	}
}

// TestEndsAndStops: a pipeline that only hears others ends with them; two that send to each other do not start.
func TestEndsAndStops(t *testing.T) {
	t.Parallel()
	head := &desk{text: `input { generator { count => 100 } } output { pipeline { send_to => "x" } }`}
	tail := &desk{text: `input { pipeline { address => "x" } } output { null { } }`}
	cfg := Config{Pipelines: []Pipeline{pipelineOf(t, "tail", tail), pipelineOf(t, "head", head)}, Log: slog.New(slog.DiscardHandler)}
	f, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := f.Running("tail").Stats().Events.Out; n != 100 {
		t.Errorf("%d events came through, want 100", n)
	}
	tail.set(`input { pipeline { address => "x" } } output { pipeline { send_to => "y" } }`)
	head.set(`input { pipeline { address => "y" } } output { pipeline { send_to => "x" } }`)
	if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), "tail -> head -> tail") {
		t.Errorf("a circle: %v", err)
	}
	tail.set(`input { nowhere { } } output { null { } }`)
	head.set(`input { } output { null { } }`)
	var faults conf.Errors
	if _, err := Open(cfg); !errors.As(err, &faults) || len(faults) < 2 {
		t.Errorf("faults of both: %v", err)
	}
}
