package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/queue"
)

// scripted is an input that runs a function.
type scripted func(ctx context.Context, sink input.Sink) error

func (s scripted) Validate() []error                              { return nil }
func (s scripted) Open(*slog.Logger) (input.Input, error)         { return s, nil }
func (s scripted) Run(ctx context.Context, sink input.Sink) error { return s(ctx, sink) }
func listening(typ string, s scripted, edit ...func(*Input)) []Input {
	return []Input{listenInput(typ, s, edit)}
}

func listenInput(typ string, s scripted, edit []func(*Input)) Input {
	in := DefaultInput(typ)
	in.Listen = s
	for _, f := range edit {
		f(&in)
	}
	return in
}

// TestListener: what is pushed is acknowledged when it is durable, in order, with its fields, and ranges that touch.
func TestListener(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	acks := make(chan int, 10)
	h.cfg.Inputs = listening("tcp", func(ctx context.Context, sink input.Sink) error {
		for i := range 3 {
			b := &input.Batch{Stream: "peer", Events: []input.Event{
				{Message: fmt.Appendf(nil, "line %d", i), Bytes: 7},
				{Message: fmt.Appendf(nil, "fields %d", i), Bytes: 9, Fields: map[string]any{"log": map[string]any{"source": map[string]any{"address": "1.2.3.4"}}, "no": nil}},
				{Message: []byte("drop me"), Bytes: 8},
			}}
			if err := sink.Push(ctx, b, func() { acks <- len(h.q.records()) }); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	}, func(in *Input) {
		in.Tags = []string{"net"}
		in.Processors = []processor.Config{{Name: "drop_event", When: map[string]any{"contains": map[string]any{"message": "drop"}}}}
	})
	h.start()
	h.expect("line 0", "fields 0", "line 1", "fields 1", "line 2", "fields 2")
	for range 3 {
		if n := <-acks; n < 2 {
			t.Errorf("acknowledged with %d records durable", n)
		}
	}
	recs := h.q.records()
	if a, b := recs[0].Origin, recs[1].Origin; a.Source.IsZero() || a.From != 0 || a.To != 7 || b.From != 7 || b.To != 16 || recs[2].Origin.From != 24 {
		t.Errorf("ranges %v, %v, %v", a, b, recs[2].Origin)
	}
	v := recs[1].Value
	if field(t, v, "log.source.address") != "1.2.3.4" || field(t, v, "tags") != `["net"]` || field(t, v, "input.type") != "tcp" || strings.Contains(string(v), `"no"`) {
		t.Errorf("%s", v)
	}
}

// TestListenerForms: an event whose fields are apart from the constant ones has the same form as one that takes the long way.
func TestListenerForms(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Inputs = listening("udp", func(ctx context.Context, sink input.Sink) error { <-ctx.Done(); return nil })
	h.start()
	l := h.a.listeners[0]
	at := time.Unix(1_700_000_000, 5e6)
	for _, e := range []input.Event{
		{Message: []byte("a \"b\" 로그 \xff")},
		{Message: []byte("x"), Fields: map[string]any{"syslog": map[string]any{"priority": 13, "n": nil}, "event": map[string]any{"severity": 5}}},
		{Fields: map[string]any{"body": map[string]any{"a": 1}}},
	} {
		e.At = at
		short := string(l.appendDisjoint(nil, &e))
		e.Metadata = map[string]any{"beat": "filebeat"}
		long, _ := l.render(&e)
		// the long way sorts the constant fields among the others
		var a, b map[string]any
		if err := errors.Join(json.Unmarshal([]byte(short), &a), json.Unmarshal(long, &b)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("short %s\nlong  %s", short, long)
		}
	}
}

// TestListenerPressure: a queue that takes nothing stops the input, and what was not acknowledged at the stop is an error.
func TestListenerPressure(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Memory = minMemory
	h.cfg.ShutdownTimeout = 50 * time.Millisecond
	h.q.fail = func(int, []queue.Record) error { return errors.New("down") }
	pushed := make(chan int, 1)
	failed := make(chan error, 1)
	h.cfg.Inputs = listening("http", func(ctx context.Context, sink input.Sink) error {
		n := 0
		for ; ; n++ {
			wait, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			err := sink.Push(wait, &input.Batch{Stream: "s", Events: []input.Event{{Message: bytes.Repeat([]byte("x"), 600<<10)}}}, nil)
			cancel()
			if err != nil {
				break
			}
		}
		pushed <- n
		failed <- sink.Deliver(context.WithoutCancel(ctx), &input.Batch{Stream: "s", Events: []input.Event{{Message: []byte("x")}}})
		return nil
	})
	h.start()
	if n := <-pushed; n == 0 || n > 3 {
		t.Errorf("%d batches of 600 KiB were taken", n)
	}
	h.stop()
	if err := <-failed; !errors.Is(err, input.ErrStopped) {
		t.Errorf("%v", err)
	}
}

// TestCursor: the cursor of an acknowledged batch is there after a restart.
func TestCursor(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	seen := make(chan string, 1)
	run := func(ctx context.Context, sink input.Sink) error {
		seen <- string(sink.Cursor("journal"))
		if err := sink.Deliver(ctx, &input.Batch{Stream: "journal", Events: []input.Event{{Message: []byte("x")}}, Cursor: []byte("c1")}); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
	h.cfg.Inputs = listening("journald", run)
	h.start()
	if got := <-seen; got != "" {
		t.Errorf("cursor %q at the first start", got)
	}
	h.expect("x")
	h.await("the cursor", func() bool { return string(h.a.listeners[0].Cursor("journal")) == "c1" })
	h.stop()
	h.start()
	if got := <-seen; got != "c1" {
		t.Errorf("cursor %q after a restart", got)
	}
}
