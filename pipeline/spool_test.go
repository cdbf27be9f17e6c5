package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/weirlog/weir/bulk"
)

// spoolConfig reads standard input, which pushes, into w, with its journal in dir.
func spoolConfig(w *memWriter, dir string, in io.Reader) Config {
	cfg := testConfig(`input { stdin { codec => json } } filter { if [kind] == "drop" { drop { } } } output { elasticsearch { } }`, "", &bytes.Buffer{})
	cfg.Stdin, cfg.Data, cfg.WriteBytes = in, dir, 1<<10
	cfg.Writer = func(ESOptions) (bulk.Writer, error) { return w, nil }
	return cfg
}

// endless is a sender that says its lines and then waits, as a connection does.
type endless struct {
	r    io.Reader
	over chan struct{}
}

func (e endless) Read(b []byte) (int, error) {
	n, err := e.r.Read(b)
	if err == io.EOF {
		<-e.over
	}
	return n, err
}

func spoolLines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		kind := "keep"
		if i%5 == 4 {
			kind = "drop"
		}
		fmt.Fprintf(&b, "{\"message\":\"line %d\",\"kind\":%q}\n", i, kind)
	}
	return b.String()
}

// TestPushedIsWrittenOnce kills the process around a Write: what the sender handed over is written once by the process after it.
func TestPushedIsWrittenOnce(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"before", "after"} {
		for at := 1; at <= 3; at++ {
			t.Run(fmt.Sprintf("%s write %d", where, at), func(t *testing.T) {
				t.Parallel()
				w, dir := newMemWriter(), t.TempDir()
				over := make(chan struct{})
				t.Cleanup(func() { close(over) })
				cfg := spoolConfig(w, dir, endless{strings.NewReader(spoolLines(0, 1000)), over})
				killed, n := make(chan struct{}), 0
				die := func(k int) error {
					if k != at {
						return nil
					}
					if n++; n == 1 {
						close(killed)
					}
					return errInjected
				}
				if where == "before" {
					w.fail = die
				} else {
					w.after = die
				}
				crash(t, cfg, killed)
				w.mu.Lock()
				w.fail, w.after = nil, nil
				w.mu.Unlock()
				run(t, spoolConfig(w, dir, strings.NewReader(spoolLines(1000, 1100))))
				got := messages(w)
				first := 0
				for i := range 1100 {
					want := 1
					if i%5 == 4 {
						want = 0
					}
					k := got[fmt.Sprintf("line %d", i)]
					if i < 1000 && i%5 != 4 && k == 1 {
						first++
					}
					if i >= 1000 && k != want || k > 1 {
						t.Errorf("line %d is there %d times, want %d", i, k, want)
					}
				}
				if first < 100 { // a chunk at least was taken before the kill
					t.Errorf("%d lines of the first process are there", first)
				}
			})
		}
	}
}

// TestPushedWaitsForTheOutput: a pipeline that is stopped while its output is down keeps what was taken, and stops in time.
func TestPushedWaitsForTheOutput(t *testing.T) {
	t.Parallel()
	w, dir := newMemWriter(), t.TempDir()
	run(t, spoolConfig(w, dir, strings.NewReader(spoolLines(0, 10))))
	if len(w.docs) != 8 {
		t.Fatalf("%d documents, want 8", len(w.docs))
	}
	p, err := Open(spoolConfig(w, dir, strings.NewReader("")))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := p.sources[0].spool.Waiting(); n != 0 {
		t.Errorf("%d records wait after a clean end", n)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestQueueInMemoryHasNoSpool(t *testing.T) {
	t.Parallel()
	w := newMemWriter()
	cfg := spoolConfig(w, t.TempDir(), strings.NewReader(spoolLines(0, 10)))
	cfg.QueueType = "memory"
	if p := run(t, cfg); p.sources[0].spool != nil {
		t.Error("there is a spool")
	}
	if len(w.docs) != 8 {
		t.Errorf("%d documents, want 8", len(w.docs))
	}
}

func TestSpoolFolders(t *testing.T) {
	t.Parallel()
	cfg := testConfig(`input { tcp { port => 5000 } stdin { } stdin { } udp { port => 5000 } tcp { port => 1 id => "a/b" } } output { null { } }`, "", &bytes.Buffer{})
	p, err := compileOnly(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range p.sources {
		got = append(got, s.folder)
	}
	if strings.Join(got, " ") != "tcp-5000 stdin stdin-2 udp-5000 a_b" {
		t.Errorf("folders %q", got)
	}
}
