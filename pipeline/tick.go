package pipeline

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/queue"
)

// flushEvery is how often filters that hold events back are asked for them.
const flushEvery = 5 * time.Second

// tick is what a batch without records asks filters for.
type tick uint8

const (
	tickNone  tick = iota
	tickClock      // time went by
	tickLast       // no more events come
)

// tick sends a batch for what filters make by the clock, and reads the totals, until over is closed or ctx ends.
func (p *Pipeline) tick(ctx context.Context, over <-chan struct{}) {
	t, figures := time.NewTicker(flushEvery), time.NewTicker(flowEvery)
	defer t.Stop()
	defer figures.Stop()
	p.meter.note(p.totalsNow())
	for {
		select {
		case <-t.C:
		case <-figures.C:
			p.meter.note(p.totalsNow())
			continue
		case <-over:
			return
		case <-ctx.Done():
			return
		}
		if !p.current().flushes {
			continue
		}
		b, err := p.take(ctx, 0)
		if err != nil {
			return
		}
		b.load(p.clock, nil, nil)
		b.tick = tickClock
		p.order <- b
		p.work <- b
	}
}

// flushLast asks filters for what they still hold. The workers have ended.
func (p *Pipeline) flushLast(ctx context.Context) {
	if !p.current().flushes {
		return
	}
	b, err := p.take(ctx, 0)
	if err != nil {
		return
	}
	b.load(p.clock, nil, nil)
	b.tick = tickLast
	p.order <- b
	(&worker{p: p}).handle(b)
}

// flush appends what a filter held back to sel, when it is one that does.
func (w *worker) flush(st *step, sel []int32) []int32 {
	fl, ok := st.f.(filter.Flusher)
	if !ok {
		return sel
	}
	from := len(w.b.ev.Events)
	func() {
		defer func() {
			if x := recover(); x != nil {
				w.b.ev.Events = w.b.ev.Events[:from]
				w.p.cfg.Log.Error("filter panics at its flush", "pipeline", w.p.cfg.ID, "filter", st.rule, "reason", x, "stack", string(debug.Stack()))
			}
		}()
		fl.Flush(w.p.cfg.Now(), w.b.tick == tickLast, w.b.ev)
	}()
	none := queue.Record{Time: w.p.cfg.Now()}
	for i := from; i < len(w.b.ev.Events); i++ {
		w.finish(w.b.ev.Events[i], &none)
		sel = append(sel, int32(i))
	}
	st.stats.out.Add(int64(len(w.b.ev.Events) - from))
	w.p.stats.made.Add(int64(len(w.b.ev.Events) - from))
	return sel
}

// skip notes that a trace leaves a filter out.
func (t *tracer) skip(st *step, sel []int32) {
	for _, i := range sel {
		t.steps = append(t.steps, TraceStep{Plugin: st.stats.name, ID: st.stats.id, Place: st.stats.place, Event: int(i),
			Skipped: fmt.Sprintf("%s asks others, or waits", st.stats.name)})
	}
}
