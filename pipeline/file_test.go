package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
)

// tailer runs a file input over dir into a store, as often as it is started.
type tailer struct {
	t    *testing.T
	dir  string
	conf string
	w    *memWriter
	stop func()
}

func newTailer(t *testing.T, options string) *tailer {
	dir := t.TempDir()
	return &tailer{t: t, dir: dir, w: newMemWriter(),
		conf: `input { file { path => "` + dir + `/*.log" stat_interval => 0.01 discover_interval => 1 ` + options + ` } } output { elasticsearch { } }`}
}

func (l *tailer) start() {
	l.t.Helper()
	cfg := testConfig(l.conf, "", &bytes.Buffer{})
	cfg.Data = filepath.Join(l.dir, "data")
	cfg.Now = time.Now
	cfg.Writer = func(ESOptions) (bulk.Writer, error) { return l.w, nil }
	p, err := Open(cfg)
	if err != nil {
		l.t.Fatal(err)
	}
	p.poison = true
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() {
		if err := p.Run(ctx); err != nil {
			l.t.Error(err)
		}
	})
	l.stop = func() { cancel(); run.Wait() }
}

func (l *tailer) write(name, text string) {
	l.t.Helper()
	f, err := os.OpenFile(filepath.Join(l.dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		l.t.Fatal(err)
	}
}

// expect waits for messages, joined by bars.
func (l *tailer) expect(want string) {
	l.t.Helper()
	got := ""
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		var m []string
		for _, s := range l.w.sources() {
			var d struct{ Message string }
			json.Unmarshal([]byte(s), &d)
			m = append(m, d.Message)
		}
		if got = strings.Join(m, "|"); got == want {
			return
		}
	}
	l.t.Fatalf("got %q, want %q", got, want)
}

func TestFileResumes(t *testing.T) {
	t.Parallel()
	l := newTailer(t, `start_position => "beginning"`)
	l.write("a.log", "one\ntwo\r\nthr")
	l.start()
	l.expect("one|two")
	l.write("a.log", "ee\n")
	l.expect("one|two|three")
	l.stop()
	l.write("a.log", "four\n")
	l.start()
	l.expect("one|two|three|four")
	l.write("b.log", "new file\n")
	l.expect("one|two|three|four|new file")
	l.stop()
	if !strings.Contains(l.w.sources()[0], `"log":{"file":{"path":"`+l.dir+`/a.log"}}`) {
		t.Errorf("document %s", l.w.sources()[0])
	}
	if o := l.w.docs[2].origin.Range; o.From != 9 || o.To != 15 {
		t.Errorf("third line has range %+v", o)
	}
}

func TestFileStartsAtEnd(t *testing.T) {
	t.Parallel()
	l := newTailer(t, "")
	l.write("a.log", "old\n")
	l.start()
	for len(l.w.sources()) == 0 { // lines written before the file is looked at count as old
		l.write("a.log", "new\n")
		time.Sleep(5 * time.Millisecond)
	}
	l.stop()
	if s := l.w.sources()[0]; !strings.Contains(s, `"message":"new"`) {
		t.Errorf("first document is %s", s)
	}
}

func TestFileRotatedAndCut(t *testing.T) {
	t.Parallel()
	l := newTailer(t, `start_position => "beginning" exclude => "*.1.log"`)
	l.write("a.log", "one\n")
	l.start()
	l.expect("one")
	l.write("a.log", "last\n")
	if err := os.Rename(filepath.Join(l.dir, "a.log"), filepath.Join(l.dir, "a.1.log")); err != nil {
		t.Fatal(err)
	}
	l.write("a.log", "first of new\n")
	l.expect("one|last|first of new")
	if err := os.Truncate(filepath.Join(l.dir, "a.log"), 0); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // so that the empty file is seen
	l.write("a.log", "after cut\n")
	l.expect("one|last|first of new|after cut")
	l.stop()
}

func TestFileJoinsLines(t *testing.T) {
	t.Parallel()
	l := newTailer(t, `start_position => "beginning" codec => multiline { pattern => "^ " what => "previous" }`)
	l.write("a.log", "a\n b\n c\nd\n e\nf\n")
	l.start()
	l.expect("a\n b\n c|d\n e")
	l.stop()
	l.write("a.log", " g\nh\n")
	l.start()
	l.expect("a\n b\n c|d\n e|f\n g")
	l.stop()
	if o := l.w.docs[1].origin.Range; o.From != 8 || o.To != 13 {
		t.Errorf("second event has range %+v", o)
	}
}

func TestFileReadsAndExits(t *testing.T) {
	t.Parallel()
	l := newTailer(t, `mode => "read" exit_after_read => true codec => json`)
	l.write("a.log", `{"message":"1"}`+"\n"+`{"message":"2"}`)
	l.start()
	l.expect("1|2")
	l.stop()
}
