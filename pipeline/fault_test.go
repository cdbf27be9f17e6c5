package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

const queueConf = `
	input { kafka { topics => ["logs"] codec => json group_id => "g" } }
	filter {
		if [kind] == "drop" { drop { } }
		if [kind] == "split" { mutate { add_field => { "seen" => "yes" } } }
	}
	output { elasticsearch { } }`

func queueConfig(q *memQueue, w *memWriter) Config {
	cfg := testConfig(queueConf, "", &bytes.Buffer{})
	cfg.Queue = func(string) (queue.Queue, error) { return q, nil }
	cfg.Writer = func(ESOptions) (bulk.Writer, error) { return w, nil }
	return cfg
}

// fill produces n records in 3 partitions; every fifth is dropped by rule, every seventh is refused by the store when it refuses.
func fill(t *testing.T, q *memQueue, n int) {
	t.Helper()
	var srcs [3]ledger.Source
	var at [3]int64
	for i := range srcs {
		srcs[i] = ledger.NewSource(time.UnixMilli(int64(1000 + i)))
	}
	for i := range n {
		kind := "keep"
		switch {
		case i%5 == 4:
			kind = "drop"
		case i%7 == 6:
			kind = "bad"
		}
		v := fmt.Appendf(nil, `{"message":"line %d","kind":%q}`, i, kind)
		p := i % 3
		r := queue.Record{Topic: "logs", Partition: int32(p), Value: v, Time: testNow, Origin: ledger.Range{Source: srcs[p], From: at[p], To: at[p] + int64(len(v))}}
		at[p] += int64(len(v))
		if err := q.Produce(context.Background(), []queue.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
}

// runUntil runs a pipeline until done says so.
func runUntil(t *testing.T, cfg Config, done func() bool) {
	t.Helper()
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.poison = true
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() {
		for !done() && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := p.Run(ctx); err != nil && !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
}

// settledAll reports whether the writer knows a fate of every record.
func settledAll(q *memQueue, w *memWriter) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range q.records("logs") {
		s := w.sets[r.Origin.Source]
		if s == nil || s.Test(r.Origin.From, r.Origin.To) != ledger.Repeat {
			return false
		}
	}
	for part := range q.topics["logs"] {
		p := slices.IndexFunc(w.positions, func(p queue.Position) bool { return int(p.Partition) == part })
		if p < 0 || w.positions[p].Offset != int64(len(q.topics["logs"][part])) {
			return false
		}
	}
	return true
}

func messages(w *memWriter) map[string]int {
	m := make(map[string]int)
	for _, s := range w.sources() {
		var d struct{ Message string }
		json.Unmarshal([]byte(s), &d)
		m[d.Message]++
	}
	return m
}

// verify checks that every record that should be a document is one exactly once.
func verify(t *testing.T, w *memWriter, n int, refused bool) {
	t.Helper()
	got := messages(w)
	for i := range n {
		want := 1
		if i%5 == 4 || refused && i%7 == 6 {
			want = 0
		}
		if k := fmt.Sprintf("line %d", i); got[k] != want {
			t.Errorf("%s is there %d times, want %d", k, got[k], want)
		}
	}
}

func TestQueueToWriter(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 1000)
	runUntil(t, queueConfig(q, w), func() bool { return settledAll(q, w) })
	verify(t, w, 1000, false)
	for part := range int32(3) {
		if got, want := q.commit("g", "logs", part), int64(len(q.topics["logs"][part])); got != want {
			t.Errorf("partition %d is committed to %d, want %d", part, got, want)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if d := w.docs[0]; d.op.Action != bulk.Create || d.op.Index != "logs-generic-default" || d.origin.N != 1 {
		t.Errorf("first document is %+v", d)
	}
	for _, want := range []string{`"kafka":{"topic":"logs","partition":0,"offset":0}`, `"event":{"ingested":"2026-11-22T23:50:00.000Z"}`, `"weir":{"source":"`, `"data_stream":{"type":"logs"`} {
		if !strings.Contains(string(w.docs[0].op.Source), want) {
			t.Errorf("%s is missing in %s", want, w.docs[0].op.Source)
		}
	}
	last := make(map[ledger.Source]int64)
	for _, d := range w.docs {
		if d.origin.Range.From < last[d.origin.Range.Source] {
			t.Fatal("documents of a partition are out of order")
		}
		last[d.origin.Range.Source] = d.origin.Range.From
	}
	for _, s := range w.settled {
		if s.Fate != ledger.Dropped || s.Rule != "t.conf:4 drop" {
			t.Errorf("settled %+v", s)
		}
	}
}

// TestKilledBetween stops the process, as far as the queue and the store can see, around every Write in turn: before it, and after
// it but before anything else. What runs next finds only what those two kept.
func TestKilledBetween(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"before", "after"} {
		for at := 1; at <= 4; at++ {
			t.Run(fmt.Sprintf("%s write %d", where, at), func(t *testing.T) {
				t.Parallel()
				q, w := newMemQueue(), newMemWriter()
				w.refuse = func(op bulk.Op) string {
					if strings.Contains(string(op.Source), `"kind":"bad"`) {
						return "bad"
					}
					return ""
				}
				fill(t, q, 300)
				cfg := queueConfig(q, w)
				cfg.WriteBytes = 1 << 10
				killed := make(chan struct{})
				die := func(n int) error {
					if n != at {
						return nil
					}
					select {
					case <-killed:
					default:
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
				runUntil(t, cfg, func() bool { return settledAll(q, w) })
				verify(t, w, 300, true)
				letters := make(map[string]bool)
				for _, r := range q.records(DeadLettersTopic) {
					letters[string(r.Value)] = true
				}
				want := 0
				for i := range 300 {
					if i%5 != 4 && i%7 == 6 {
						want++
					}
				}
				if len(letters) != want {
					t.Errorf("%d dead letters, want %d", len(letters), want)
				}
			})
		}
	}
}

// crash runs a pipeline whose gatherer hangs from the moment killed closes, and abandons it.
func crash(t *testing.T, cfg Config, killed <-chan struct{}) {
	t.Helper()
	inner := cfg.Writer
	gate := make(chan struct{})
	t.Cleanup(func() { close(gate) })
	cfg.Writer = func(o ESOptions) (bulk.Writer, error) {
		w, err := inner(o)
		return &dyingWriter{w, killed, gate}, err
	}
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go p.Run(ctx)
	select {
	case <-killed:
	case <-time.After(10 * time.Second):
		t.Fatal("the fault never came")
	}
}

type dyingWriter struct {
	bulk.Writer
	killed, gate <-chan struct{}
}

func (d *dyingWriter) Write(ctx context.Context, b bulk.Batch) ([]bulk.Rejected, error) {
	select {
	case <-d.killed:
		<-d.gate
		return nil, errInjected
	default:
	}
	r, err := d.Writer.Write(ctx, b)
	select {
	case <-d.killed:
		<-d.gate
	default:
	}
	return r, err
}

// TestRejected: the documents stay, the positions wait until the dead letters are durable.
func TestRejected(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 140)
	w.refuse = func(op bulk.Op) string {
		if strings.Contains(string(op.Source), `"kind":"bad"`) {
			return "field [kind] is bad"
		}
		return ""
	}
	runUntil(t, queueConfig(q, w), func() bool { return settledAll(q, w) })
	verify(t, w, 140, true)
	letters := q.records(DeadLettersTopic)
	if len(letters) != 16 {
		t.Fatalf("%d dead letters, want 16", len(letters))
	}
	var d DeadLetter
	if err := json.Unmarshal(letters[0].Headers[0].Value, &d); err != nil {
		t.Fatal(err)
	}
	if string(letters[0].Value) != `{"message":"line 6","kind":"bad"}` || d.Status != 400 || d.Topic != "logs" || d.Reason != "rejected" ||
		!strings.Contains(d.Why, "field [kind] is bad") || !strings.Contains(string(d.TryDoc), `"line 6"`) {
		t.Errorf("dead letter %s: %+v", letters[0].Value, d)
	}
}

func TestWriterErrorsAreRepeated(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 200)
	w.fail = func(n int) error {
		if n%2 == 1 {
			return errInjected
		}
		return nil
	}
	w.after = func(n int) error {
		if n%4 == 2 {
			return errInjected
		}
		return nil
	}
	runUntil(t, queueConfig(q, w), func() bool { return settledAll(q, w) })
	verify(t, w, 200, false)
}

// TestRecordTwiceInOneWrite: a shipper that was killed sends lines again, and both copies are read together.
func TestRecordTwiceInOneWrite(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 30)
	for part := range q.topics["logs"] {
		again := slices.Clone(q.topics["logs"][part][2:])
		if err := q.Produce(context.Background(), again); err != nil {
			t.Fatal(err)
		}
	}
	ops := 0
	w.refuse = func(bulk.Op) string { ops++; return "" }
	runUntil(t, queueConfig(q, w), func() bool { return settledAll(q, w) })
	verify(t, w, 30, false)
	if w.n == 1 && ops != len(w.docs) {
		t.Errorf("one Write was given %d documents of which %d are new", ops, len(w.docs))
	}
}

func TestGapIsLost(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 30)
	q.gaps = []*queue.Gap{{Topic: "logs", TopicID: [16]byte{1, 4}, Partition: 1, From: 0, To: 4, Why: "retention"}}
	done := func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return len(w.docs) >= 20
	}
	runUntil(t, queueConfig(q, w), done)
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.IndexFunc(w.settled, func(s bulk.Settled) bool { return s.Fate == ledger.Lost })
	if i < 0 || w.settled[i].Range.From != 0 || w.settled[i].Range.To != 4 || w.settled[i].Range.Source != ledger.Foreign([16]byte{1, 4}, 1) {
		t.Errorf("settled %+v", w.settled)
	}
}

// TestPositionsNeverLead: at the moment of each Write every record below its positions has a fate.
func TestPositionsNeverLead(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 2000)
	w.refuse = func(op bulk.Op) string {
		if strings.Contains(string(op.Source), `"kind":"bad"`) {
			return "bad"
		}
		return ""
	}
	cfg := queueConfig(q, w)
	cfg.BatchSize, cfg.WriteBytes, cfg.Workers = 7, 1<<10, 4
	w.written = func() {
		for _, p := range w.positions {
			for _, r := range q.topics["logs"][p.Partition][:p.Offset] {
				if s := w.sets[r.Origin.Source]; s == nil || s.Test(r.Origin.From, r.Origin.To) != ledger.Repeat {
					t.Errorf("position %d of partition %d leads: record %d has no fate", p.Offset, p.Partition, r.Offset)
					return
				}
			}
		}
	}
	runUntil(t, cfg, func() bool { return settledAll(q, w) })
	verify(t, w, 2000, true)
}

// TestDropErrorTypes: documents refused with a named type of error are dropped by rule, others go to the dead letters.
func TestDropErrorTypes(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 70)
	w.refuse = func(op bulk.Op) string {
		if strings.Contains(string(op.Source), `"kind":"bad"`) {
			return "bad"
		}
		return ""
	}
	cfg := queueConfig(q, w)
	cfg.Text[0].Text = strings.Replace(queueConf, "elasticsearch { }", `elasticsearch { drop_error_types => ["other", "document_parsing_exception"] }`, 1)
	runUntil(t, cfg, func() bool { return settledAll(q, w) })
	verify(t, w, 70, true)
	if n := len(q.records(DeadLettersTopic)); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	n := 0
	for _, s := range w.settled {
		if s.Rule == "drop_error_types document_parsing_exception" && s.Fate == ledger.Dropped {
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d records are settled as dropped, want 8", n)
	}
}
