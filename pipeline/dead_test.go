package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/queue"
)

// touchy panics on messages that hold "bad" and on the first try of those that hold "shy".
type touchy struct{ shy *atomic.Int64 }

func (f touchy) Filter(e *event.Event) filter.Result {
	v, _ := e.Get(event.MustPath("message"))
	if strings.Contains(v.Str(), "bad") || strings.Contains(v.Str(), "shy") && f.shy.Add(1) == 1 {
		panic("touched " + v.Str())
	}
	return filter.Matched
}

func TestPanicBecomesDeadLetter(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	var want []string
	for _, m := range []string{"good 1", "bad 2", "shy 3", "good 4"} {
		q.Produce(context.Background(), []queue.Record{{Topic: "logs", Value: []byte(`{"message":"` + m + `"}`), Time: testNow}})
		if !strings.Contains(m, "bad") {
			want = append(want, m)
		}
	}
	cfg := queueConfig(q, w)
	cfg.Text[0].Text = `input { kafka { topics => "logs" codec => json group_id => "g" } } filter { mutate { } } output { elasticsearch { } }`
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shy := new(atomic.Int64)
	for _, prog := range p.current().programs {
		prog.filters[0].(*step).f = touchy{shy}
	}
	runPipeline(t, p, func() bool { return q.commit("g", "logs", 0) == 4 })
	var got []string
	for _, s := range w.sources() {
		var d struct{ Message string }
		json.Unmarshal([]byte(s), &d)
		got = append(got, d.Message)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("documents %q, want %q", got, want)
	}
	letters := q.records(DeadLettersTopic)
	var d DeadLetter
	if len(letters) != 1 || json.Unmarshal(letters[0].Headers[0].Value, &d) != nil || d.Reason != "panic" || d.Offset != 1 || d.Tries != 3 || d.Plugin != "t.conf:1 mutate" {
		t.Fatalf("letters %v: %+v", letters, d)
	}
	if len(w.settled) != 1 || w.settled[0].Fate != ledger.Dead || w.settled[0].Range.From != 1 {
		t.Errorf("settled %+v", w.settled)
	}
}

// runPipeline runs p until done says so.
func runPipeline(t *testing.T, p *Pipeline, done func() bool) {
	t.Helper()
	p.poison = true
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() {
		for !done() && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if !done() {
		t.Fatal("the pipeline did not get there in 10 s")
	}
}

func TestOversizeBecomesDeadLetter(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	big := strings.Repeat("x", 6<<20)
	for _, m := range []string{"a", big, "b"} {
		q.Produce(context.Background(), []queue.Record{{Topic: "logs", Value: []byte(`{"message":"` + m + `"}`), Time: testNow}})
	}
	cfg := queueConfig(q, w)
	cfg.Text[0].Text = `input { kafka { topics => "logs" codec => json group_id => "g" } } filter { mutate { add_field => { "again" => "%{message}" } } } output { elasticsearch { } }`
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	runPipeline(t, p, func() bool { return q.commit("g", "logs", 0) == 3 })
	var d DeadLetter
	letters := q.records(DeadLettersTopic)
	if len(w.docs) != 2 || len(letters) != 1 || json.Unmarshal(letters[0].Headers[0].Value, &d) != nil || d.Reason != "oversize" {
		t.Errorf("%d documents, letters %+v", len(w.docs), d)
	}
}

// TestSplitRecordIsWrittenTogether: all documents of a record are in one Write and numbered.
func TestSplitRecordIsWrittenTogether(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	for range 20 {
		q.Produce(context.Background(), []queue.Record{{Topic: "logs", Value: []byte(`{"l":["a","b","c"]}`), Time: testNow}})
	}
	cfg := queueConfig(q, w)
	cfg.WriteBytes = 1 << 10
	cfg.Text[0].Text = `input { kafka { topics => "logs" codec => json group_id => "g" } } filter { split { field => "l" } }
		output { elasticsearch { } if [l] == "b" { elasticsearch { index => "bees" } } }`
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	runPipeline(t, p, func() bool { return q.commit("g", "logs", 0) == 20 })
	if len(w.docs) != 80 {
		t.Fatalf("%d documents, want 80", len(w.docs))
	}
	for i, d := range w.docs {
		if d.origin.N != 4 || int(d.origin.K) != i%4 || d.origin.Range.From != int64(i/4) {
			t.Fatalf("document %d has origin %+v", i, d.origin)
		}
	}
}

// TestStopDrains: what was read before the stop is written and committed, and Run returns nil.
func TestStopDrains(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 3000)
	ctx, cancel := context.WithCancel(context.Background())
	w.written = cancel // at the first Write
	p, err := Open(queueConfig(q, w))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for part := range int32(3) {
		for _, pos := range w.positions {
			if pos.Partition == part && pos.Offset != q.commit("g", "logs", part) {
				t.Errorf("partition %d: written to %d, committed to %d", part, pos.Offset, q.commit("g", "logs", part))
			}
		}
	}
	if got := p.Stats(); got.Queue.Bytes != 0 || got.Events.In != got.Events.Filtered+got.Events.Dropped {
		t.Errorf("after the end: %+v", got.Events)
	}
}

// TestInputFailureEndsRun: an input that cannot go on ends the pipeline with its error.
func TestInputFailureEndsRun(t *testing.T) {
	t.Parallel()
	cfg := queueConfig(newMemQueue(), newMemWriter())
	cfg.DeadLetters = newMemQueue()
	n := 0
	cfg.Queue = func(string) (queue.Queue, error) { n++; return nil, errInjected }
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); !errors.Is(err, errInjected) || n != 1 {
		t.Fatalf("Run = %v after %d tries", err, n)
	}
}

func TestTwoStoresGetTheSame(t *testing.T) {
	t.Parallel()
	q := newMemQueue()
	stores := map[string]*memWriter{}
	fill(t, q, 100)
	cfg := queueConfig(q, nil)
	cfg.Text[0].Text = `input { kafka { topics => "logs" codec => json group_id => "g" } }
		output { elasticsearch { hosts => "http://a" } elasticsearch { hosts => "http://b" index => "other" } }`
	cfg.Writer = func(o ESOptions) (bulk.Writer, error) {
		w := newMemWriter()
		stores[o.Hosts[0]] = w
		if o.Group != "g" {
			t.Errorf("group %q", o.Group)
		}
		return w, nil
	}
	stores["http://b"] = nil
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	stores["http://b"].fail = func(n int) error {
		if n == 1 {
			return errInjected
		}
		return nil
	}
	runPipeline(t, p, func() bool { return q.commit("g", "logs", 0)+q.commit("g", "logs", 1)+q.commit("g", "logs", 2) == 100 })
	for host, w := range stores {
		if len(w.docs) != 100 {
			t.Errorf("%s has %d documents", host, len(w.docs))
		}
	}
}

func TestStatsCount(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := run(t, testConfig(`input { stdin { codec => json } } filter { grok { id => "g" match => { "message" => "%{INT:n}" } } if [n] { drop { } } }
		output { stdout { } null { } }`, `{"message":"1"}`+"\n"+`{"message":"x"}`+"\n"+`{"message":"y"}`+"\n", &out))
	s := p.Stats()
	g := s.Plugins.Filters[0]
	if s.Events.In != 3 || s.Events.Filtered != 2 || s.Events.Out != 4 || s.Events.Dropped != 1 || g.ID != "g" || *g.Matches != 1 || *g.Failures != 2 || g.Events.In != 3 ||
		s.Plugins.Filters[1].Events.In != 1 || s.Plugins.Outputs[0].Events.In != 2 || s.Plugins.Inputs[0].Events.Out != 3 {
		t.Errorf("stats %+v", s)
	}
	if j, err := json.Marshal(s); err != nil || !bytes.Contains(j, []byte(`"duration_in_millis"`)) {
		t.Errorf("JSON %s, %v", j, err)
	}
}

// TestDeadLetterQueueInput: dead letters of a pipeline are read by another, which knows why they died.
func TestDeadLetterQueueInput(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	fill(t, q, 70)
	w.refuse = func(op bulk.Op) string {
		if strings.Contains(string(op.Source), `"kind":"bad"`) {
			return "bad"
		}
		return ""
	}
	runUntil(t, queueConfig(q, w), func() bool { return settledAll(q, w) })
	q.Produce(context.Background(), []queue.Record{{Topic: DeadLettersTopic, Value: []byte("{}"), Headers: []queue.Header{{Key: deadLetterHeader, Value: []byte(`{"pipeline":"other"}`)}}}})
	again := newMemWriter()
	cfg := queueConfig(q, again)
	cfg.ID = "mender"
	cfg.Text[0].Text = `input { dead_letter_queue { pipeline_id => "main" } }
		filter { mutate { add_field => { "why" => "%{[@metadata][dead_letter_queue][reason]}" "kind" => "%{[@metadata][dead_letter_queue][plugin_type]} %{[@metadata][dead_letter_queue][status]}" } } }
		output { elasticsearch { index => "mended" } }`
	runUntil(t, cfg, func() bool { again.mu.Lock(); defer again.mu.Unlock(); return len(again.docs) >= 8 })
	if len(again.docs) != 8 {
		t.Fatalf("%d documents, want 8", len(again.docs))
	}
	if s := again.sources()[0]; !strings.Contains(s, `"message":"line 6"`) || !strings.Contains(s, `"why":"document_parsing_exception: bad"`) || !strings.Contains(s, `"elasticsearch 400"`) {
		t.Errorf("document %s", s)
	}
}
