package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/queue"
)

// TestPipelineToPipeline: one pipeline reads the queue and sends to two, one of which is killed around a Write and begins again. The
// queue is committed only when both have settled, and each document is there once.
func TestPipelineToPipeline(t *testing.T) {
	t.Parallel()
	q, errs, rest := newMemQueue(), newMemWriter(), newMemWriter()
	fill(t, q, 500)
	b := bus.New()
	with := func(id, text string, w *memWriter) *Pipeline {
		cfg := testConfig(text, "", &bytes.Buffer{})
		cfg.ID, cfg.Bus, cfg.BatchSize, cfg.WriteBytes = id, b, 20, 2<<10
		cfg.Queue = func(string) (queue.Queue, error) { return q, nil }
		cfg.Writer = func(ESOptions) (bulk.Writer, error) { return w, nil }
		p, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		p.poison = true
		return p
	}
	head := with("head", `input { kafka { topics => "logs" codec => json group_id => "g" } }
		filter { mutate { add_field => { "[@metadata][kind]" => "%{kind}" } } clone { clones => ["copy"] } }
		output { if [@metadata][kind] == "bad" { pipeline { send_to => "errors" } } else { pipeline { send_to => ["rest"] } } }`, nil)
	tail := func(id string, w *memWriter) *Pipeline {
		return with(id, `input { pipeline { address => "`+id+`" } } filter { mutate { add_field => { "was" => "%{[@metadata][kind]}" } } } output { elasticsearch { } }`, w)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	failing, stopFirst := context.WithCancel(ctx)
	errs.fail = func(n int) error {
		if n == 2 {
			stopFirst()
			return errInjected
		}
		return nil
	}
	ended := make(chan error, 3)
	runs := func(ctx context.Context, p *Pipeline) { go func() { ended <- p.Run(ctx) }() }
	runs(ctx, head)
	runs(ctx, tail("rest", rest))
	runs(failing, tail("errors", errs))
	<-failing.Done()
	<-ended // its drain repeats the Write, which then works
	errs.mu.Lock()
	errs.fail = nil
	errs.mu.Unlock()
	runs(ctx, tail("errors", errs))
	committed := func() bool {
		for part := range int32(3) {
			if q.commit("g", "logs", part) < int64(len(q.topics["logs"][part])) {
				return false
			}
		}
		return true
	}
	for !committed() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	for range 3 {
		<-ended
	}
	if !committed() {
		t.Fatal("the queue was not committed to its end")
	}
	bad, good := messages(errs), messages(rest)
	for i := range 500 {
		m, want, other := bad, good, "bad"
		if !(i%5 != 4 && i%7 == 6) {
			m, want, other = good, bad, "good"
		}
		k := fmt.Sprintf("line %d", i)
		if m[k] != 2 || want[k] != 0 {
			t.Errorf("%s (%s) is there %d times, and %d times where it does not belong", k, other, m[k], want[k])
		}
	}
	if s := errs.sources()[0]; !strings.Contains(s, `"was":"bad"`) {
		t.Errorf("@metadata did not arrive: %s", s)
	}
}

func TestCycles(t *testing.T) {
	t.Parallel()
	a, b, c := bus.Links{ID: "a", Sends: []string{"1"}}, bus.Links{ID: "b", Listens: []string{"1"}, Sends: []string{"2", "3"}}, bus.Links{ID: "c", Listens: []string{"2", "3"}}
	if got := bus.Cycle([]bus.Links{a, b, c}); got != nil {
		t.Errorf("cycle %v where there is none", got)
	}
	if got := strings.Join(bus.Order([]bus.Links{c, b, a}), " "); got != "a b c" {
		t.Errorf("order %s", got)
	}
	c.Sends = []string{"1"}
	if got := bus.Describe(bus.Cycle([]bus.Links{a, b, c})); got != "b -> c -> b" {
		t.Errorf("cycle %s", got)
	}
	cfg := testConfig(`input { pipeline { address => "x" } } output { pipeline { send_to => ["y", "x"] } }`, "", &bytes.Buffer{})
	if errs := Check(cfg); !strings.Contains(errs.Error(), "sends to itself") {
		t.Errorf("Check says %v", errs)
	}
}

func TestAbsentReceiver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	cfg := testConfig(`input { stdin { } } output { pipeline { send_to => "nobody" ensure_delivery => false } stdout { codec => line { format => "%{message}" } } }`, "a\nb\n", &out)
	run(t, cfg)
	if out.String() != "a\nb\n" {
		t.Errorf("got %q", out.String())
	}
}

// TestKnownButMissing: a plugin Logstash has and weir has not is told apart from a misspelling.
func TestKnownButMissing(t *testing.T) {
	t.Parallel()
	errs := Check(testConfig(`input { stdin { } } output { rabbitmq { } }`, "", &bytes.Buffer{}))
	if s := errs.Error(); !strings.Contains(s, "t.conf:1:30: output rabbitmq is not supported (supported: ") || !strings.Contains(s, "stdout") {
		t.Errorf("got %s", s)
	}
}
