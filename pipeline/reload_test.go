package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/queue"
)

func reloadConf(version int, more string) string {
	return fmt.Sprintf(`input { kafka { topics => "logs" codec => json group_id => "g" } }
filter { mutate { add_field => { "version" => "%d" } } throttle { key => "k" after_count => 5 period => 1000000000 add_tag => ["many"] } %s }
output { elasticsearch { } }`, version, more)
}

// TestReload changes the filters again and again while records flow: each record becomes one document, by one of the texts, and counts
// of filters go on.
func TestReload(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	cfg := queueConfig(q, w)
	cfg.Text[0].Text, cfg.BatchSize = reloadConf(0, ""), 7
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.poison = true
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	next := cfg
	for v := range 20 {
		next.Text = []Source{{"t.conf", reloadConf(v, "")}}
		if err := p.Reload(next); err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			q.Produce(ctx, []queue.Record{{Topic: "logs", Value: fmt.Appendf(nil, `{"message":"line %d"}`, v*20+i), Time: testNow}})
		}
	}
	for q.commit("g", "logs", 0) < 400 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	got := messages(w)
	for i := range 400 {
		if k := got[fmt.Sprintf("line %d", i)]; k != 1 {
			t.Errorf("line %d is there %d times", i, k)
		}
	}
	many := 0
	for _, s := range w.sources() {
		if strings.Contains(s, `"many"`) {
			many++
		}
	}
	if many != 395 {
		t.Errorf("%d events past the fifth, want 395: the count did not go on", many)
	}
	if p.current().refs != 1 {
		t.Errorf("%d batches did not leave their generation", p.current().refs-1)
	}
}

func TestReloadRefused(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	cfg := queueConfig(q, w)
	cfg.Text[0].Text = reloadConf(0, "")
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	before := p.current()
	for _, tt := range []struct {
		text    string
		restart bool
	}{
		{reloadConf(1, "grok { match => { } mtach => 5 }"), false},
		{strings.Replace(reloadConf(1, ""), `group_id => "g"`, `group_id => "h"`, 1), true},
		{strings.Replace(reloadConf(1, ""), "elasticsearch { }", `elasticsearch { index => "x" }`, 1), true},
	} {
		next := cfg
		next.Text = []Source{{"t.conf", tt.text}}
		err := p.Reload(next)
		var faults conf.Errors
		if tt.restart != errors.Is(err, ErrRestart) || !tt.restart && !errors.As(err, &faults) {
			t.Errorf("%s: %v", tt.text, err)
		}
	}
	if p.current() != before || before.refs != 1 {
		t.Error("the pipeline did not stay as it was")
	}
}

// holder holds every event back until it is flushed; the final flush gives the rest.
type holder struct {
	held   []string
	closed bool
}

func (h *holder) Filter(e *event.Event) filter.Result {
	v, _ := e.Get(event.MustPath("message"))
	h.held = append(h.held, strings.Clone(v.Str()))
	return filter.None
}

func (h *holder) Flush(_ time.Time, final bool, b *event.Batch) {
	if !final {
		return
	}
	e := b.New(event.NoRecord)
	e.AddField("message", event.String(b.KeepString(strings.Join(h.held, "+"))))
}

func (h *holder) Close() error { h.closed = true; return nil }

func TestFlushAtTheEnd(t *testing.T) {
	t.Parallel()
	w := newMemWriter()
	cfg := spoolConfig(w, "", strings.NewReader("{\"message\":\"a\"}\n{\"message\":\"b\"}\n"))
	cfg.Text[0].Text = `input { stdin { codec => json } } filter { if [message] == "never" { mutate { } } mutate { add_tag => ["behind"] } } output { elasticsearch { } }`
	cfg.Workers = 1
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &holder{}
	prog := p.current().programs[0]
	prog.filters[0].(*branch).arms[0].body[0].(*step).f = h
	p.current().flushes, p.current().closers = true, append(p.current().closers, h)
	// The events pass the branch by, so the holder is given some.
	for _, m := range []string{"x", "y"} {
		b := event.NewBatch(false)
		e := b.New(0)
		e.AddField("message", event.String(m))
		h.Filter(e)
	}
	if err := p.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.sources(), "\n"); !strings.Contains(got, `"message":"x+y"`) || strings.Count(got, "behind") != 3 {
		t.Errorf("documents\n%s", got)
	}
	if !h.closed {
		t.Error("the filter was not closed")
	}
}
