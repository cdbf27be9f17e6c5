package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// fakeQueue keeps what is produced.
type fakeQueue struct {
	mu   sync.Mutex
	recs []queue.Record
	fail func(call int, recs []queue.Record) error // asked before each Produce; nil accepts
	call int
}

func (q *fakeQueue) Produce(ctx context.Context, recs []queue.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.call++
	if q.fail != nil {
		if err := q.fail(q.call, recs); err != nil {
			return err
		}
	}
	for i := range recs {
		recs[i].Offset = int64(len(q.recs))
		r := recs[i]
		r.Value = append([]byte(nil), r.Value...)
		r.Key = append([]byte(nil), r.Key...)
		q.recs = append(q.recs, r)
	}
	return nil
}

func (q *fakeQueue) Join(context.Context, string, ...string) (queue.Member, error) {
	return nil, queue.ErrClosed
}

func (q *fakeQueue) records() []queue.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]queue.Record(nil), q.recs...)
}

// messages are the messages in order, repeats of a range left out.
func (q *fakeQueue) messages() []string {
	var out []string
	sets := map[ledger.Source]*ledger.Set{}
	for _, r := range q.records() {
		if r.Topic == ledger.Topic {
			continue
		}
		set := sets[r.Origin.Source]
		if set == nil {
			set = &ledger.Set{}
			sets[r.Origin.Source] = set
		}
		if set.Test(r.Origin.From, r.Origin.To) == ledger.Repeat {
			continue
		}
		set.Add(r.Origin.From, r.Origin.To)
		out = append(out, message(r.Value))
	}
	return out
}

func message(value []byte) string {
	var v struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Sprintf("undecodable %q: %v", value, err)
	}
	return v.Message
}

// fast are pauses that a test can wait for.
func fast() timing {
	return timing{
		serve: time.Millisecond, drain: time.Millisecond, copyWait: 500 * time.Millisecond, succession: 3 * time.Second,
		quiet: 200 * time.Millisecond, gone: 100 * time.Millisecond, tick: 10 * time.Millisecond, hold: time.Minute,
		reread: 20 * time.Millisecond,
	}
}

// harness runs an agent over a folder of log files.
type harness struct {
	t      testing.TB
	dir    string
	cfg    Config
	q      *fakeQueue
	a      *Agent
	cancel context.CancelFunc
	done   chan error
}

func newHarness(t testing.TB, edit ...func(*Config)) *harness {
	h := &harness{t: t, dir: t.TempDir(), q: &fakeQueue{}}
	cfg := DefaultConfig()
	cfg.Dir = t.TempDir()
	cfg.Queue = h.q
	cfg.Name = "host"
	cfg.RegistryFlush = 10 * time.Millisecond
	cfg.ScanFrequency = time.Second
	cfg.BackoffInit, cfg.BackoffMax = time.Millisecond, 4*time.Millisecond
	cfg.ShutdownTimeout = 5 * time.Second
	cfg.timing = fast()
	if testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	in := DefaultInput("filestream")
	in.Paths = []string{filepath.Join(h.dir, "*.log")}
	cfg.Inputs = []Input{in}
	for _, f := range edit {
		f(&cfg)
	}
	h.cfg = cfg
	return h
}

func (h *harness) start() {
	h.t.Helper()
	a, err := Open(h.cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.a = a
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel, h.done = cancel, make(chan error, 1)
	go func() { h.done <- a.Run(ctx) }()
	h.t.Cleanup(h.stop)
}

func (h *harness) stop() {
	h.t.Helper()
	if h.done == nil {
		return
	}
	h.cancel()
	if err := <-h.done; err != nil {
		h.t.Error(err)
	}
	h.done = nil
}

func (h *harness) path(name string) string { return filepath.Join(h.dir, name) }

func (h *harness) write(name, text string) {
	h.t.Helper()
	f, err := os.OpenFile(h.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) rename(from, to string) {
	h.t.Helper()
	if err := os.Rename(h.path(from), h.path(to)); err != nil {
		h.t.Fatal(err)
	}
}

// await polls until cond holds.
func (h *harness) await(what string, cond func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			have := h.q.messages()
			h.t.Fatalf("%s: not within 10 s; have %d, at last %.1000q", what, len(have), have[max(0, len(have)-8):])
		}
		time.Sleep(time.Millisecond)
	}
}

// expect waits for exactly these messages, in any order between files but each once.
func (h *harness) expect(want ...string) {
	h.t.Helper()
	h.await(fmt.Sprintf("messages %q", want), func() bool { return len(h.q.messages()) >= len(want) })
	if got := h.q.messages(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		h.t.Fatalf("messages %q, want %q", got, want)
	}
}

func TestLineToRecord(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.write("app.log", "first\nsecond\nhalf")
	h.start()
	h.expect("first", "second")
	h.write("app.log", " line\n")
	h.expect("first", "second", "half line")
	h.stop()
	h.write("app.log", "after\n")
	h.start()
	h.expect("first", "second", "half line", "after")
	recs := h.q.records()
	if len(recs) != 4 {
		t.Fatalf("%d records", len(recs))
	}
	var pos int64
	for _, r := range recs {
		if r.Origin.From != pos || r.Origin.Source != recs[0].Origin.Source {
			t.Fatalf("range %v does not follow %d", r.Origin, pos)
		}
		pos = r.Origin.To
	}
	t.Logf("%s", recs[0].Value)
}

// A queue that stands still for longer than the multiline time-out cuts no message whose lines are in the file.
func TestMultilineWaitsForTheFile(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.Memory = minMemory
		m := DefaultMultiline()
		m.Pattern, m.Negate, m.Timeout = "^begin", true, 50*time.Millisecond
		c.Inputs[0].Parsers = []Parser{{Multiline: &m}}
	})
	h.q.fail = func(call int, _ []queue.Record) error {
		if call%2 == 1 { // a disk that is slow now and then
			<-time.After(200 * time.Millisecond)
		}
		return nil
	}
	const events = 15_000
	var b strings.Builder
	for i := range events {
		fmt.Fprintf(&b, "begin %d %s\n  second %s\n  third\n", i, strings.Repeat("x", 150), strings.Repeat("y", 150))
	}
	h.write("app.log", b.String())
	h.start()
	h.await("all events", func() bool {
		h.q.mu.Lock()
		defer h.q.mu.Unlock()
		return len(h.q.recs) >= events
	})
	for i, m := range h.q.messages() {
		if strings.Count(m, "\n") != 2 {
			t.Fatalf("message %d of %d is %q", i, len(h.q.messages()), m)
		}
	}
}
