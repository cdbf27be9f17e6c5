package pipeline

import (
	"encoding/hex"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// worker runs the program over batches. A batch goes through it step by step, one filter over all its live events, so that code and
// clocks are shared.
type worker struct {
	p    *Pipeline
	prog *program
	n    int // number of the worker
	b    *batch
	sels [][]int32 // free selections

	trace *tracer // nil but for Trace

	tried   int // panics of the event at hand
	panicAt int32
}

// run works until the pipeline is at its end.
func (w *worker) run() {
	for b := range w.p.work {
		w.handle(b)
	}
}

func (w *worker) handle(b *batch) {
	w.b, w.prog = b, b.gen.programs[w.n]
	w.process()
	b.done <- struct{}{}
}

// process is the way of a batch.
func (w *worker) process() {
	if w.b.tick == tickNone {
		w.decode()
	}
	all := w.all()
	before := len(w.b.ev.Events)
	started := time.Now()
	all = w.nodes(w.prog.filters, all)
	w.p.stats.nanos.Add(int64(time.Since(started)))
	if len(w.b.ev.Events) > before {
		w.reorder()
		all = w.live(all[:0])
	}
	w.p.stats.filtered.Add(int64(len(all)))
	if w.p.cfg.Provenance && w.b.src.queue != nil {
		w.provenance(all)
	}
	all = w.nodes(w.prog.outputs, all)
	w.give(all)
	if w.b.dead > 0 {
		w.purge()
	}
}

// take returns an empty selection.
func (w *worker) take() []int32 {
	if n := len(w.sels); n > 0 {
		s := w.sels[n-1]
		w.sels = w.sels[:n-1]
		return s[:0]
	}
	return make([]int32, 0, 128)
}

func (w *worker) give(s []int32) { w.sels = append(w.sels, s) }

// all selects every event.
func (w *worker) all() []int32 {
	s := w.take()
	for i := range w.b.ev.Events {
		s = append(s, int32(i))
	}
	return s
}

// live selects the events that no filter dropped and whose record is not dead.
func (w *worker) live(s []int32) []int32 {
	for i, e := range w.b.ev.Events {
		if !e.Cancelled() && !w.isDead(e) {
			s = append(s, int32(i))
		}
	}
	return s
}

func (w *worker) isDead(e *event.Event) bool {
	return w.b.dead > 0 && e.Ref != event.NoRecord && w.b.fates[e.Ref].dead != nil
}

// decode makes events of the batch's records.
func (w *worker) decode() {
	c := w.prog.codecs[w.b.src.index]
	deco, _ := w.b.src.in.(input.Decorator)
	for i := range w.b.recs {
		r := &w.b.recs[i]
		from := len(w.b.ev.Events)
		w.decodeOne(c, uint32(i), r)
		for _, e := range w.b.ev.Events[from:] {
			w.finish(e, r)
			if deco != nil {
				deco.Decorate(e, r)
			}
			w.b.src.decorate[w.n].apply(e)
		}
		if len(w.b.ev.Events) == from && w.b.fates[i].dead == nil {
			w.b.fates[i].rule = "no event"
		}
	}
}

func (w *worker) decodeOne(c input.Decoder, ref uint32, r *queue.Record) {
	from := len(w.b.ev.Events)
	defer func() {
		if x := recover(); x != nil {
			w.b.ev.Events = w.b.ev.Events[:from]
			w.p.cfg.Log.Error("codec panics", "pipeline", w.p.cfg.ID, "reason", x, "stack", string(debug.Stack()))
			w.kill(ref, &DeadLetter{Stage: "codec", Reason: "codec", Why: fmt.Sprint(x)})
		}
	}()
	data := ""
	if len(r.Value) > 0 {
		data = unsafe.String(&r.Value[0], len(r.Value)) // the record's bytes live until it is settled
	}
	c.DecodeRecord(w.b.ev, ref, r, data)
}

// kill gives a record to the dead letters; the first reason stays.
func (w *worker) kill(ref uint32, d *DeadLetter) {
	if ref == event.NoRecord || w.b.fates[ref].dead != nil {
		return
	}
	w.b.fates[ref].dead = d
	w.b.dead++
}

var (
	versionPath = event.MustPath("@version")
	tagsPath    = event.MustPath("tags")
)

// finish gives a decoded event what every event has: a time, a version, and tags that are texts.
func (w *worker) finish(e *event.Event, r *queue.Record) {
	if v, ok := e.Get(tagsPath); ok && !w.goodTags(v) {
		v, _ = e.TakeField("tags")
		e.AddField("_tags", v)
		e.Tag("_tagsparsefailure")
	}
	if _, ok := e.Timestamp(); !ok {
		ns := r.Time.UnixNano()
		if r.Time.IsZero() {
			ns = w.p.cfg.Now().UnixNano()
		}
		e.SetTimestamp(ns)
		if v, ok := e.TakeField("@timestamp"); ok {
			e.AddField("_@timestamp", v)
			e.Tag("_timestampparsefailure")
		}
	}
	if !e.Has(versionPath) {
		e.AddField("@version", event.String("1"))
	}
}

func (w *worker) goodTags(v event.Value) bool {
	switch v.Kind() {
	case event.StringKind, event.NilKind:
		return true
	case event.ListKind:
		for _, el := range w.b.ev.Elems(v) {
			if el.Kind() != event.StringKind {
				return false
			}
		}
		return true
	}
	return false
}

// nodes runs a section or a branch over sel and returns who is still there, with the events that were made.
func (w *worker) nodes(nodes []node, sel []int32) []int32 {
	for _, n := range nodes {
		if len(sel) == 0 && w.b.tick == tickNone {
			return sel
		}
		switch n := n.(type) {
		case *step:
			if w.trace != nil && n.reaches && !w.trace.reach {
				w.trace.skip(n, sel)
				continue
			}
			sel = w.step(n, sel)
			if w.b.tick != tickNone {
				sel = w.flush(n, sel)
			}
		case *branch:
			sel = w.branch(n, sel)
		case *emit:
			w.emit(n, sel)
		}
	}
	return sel
}

func (w *worker) step(st *step, sel []int32) []int32 {
	var old [][]leaf
	if w.trace != nil {
		old = w.trace.before(w, sel)
	}
	started := time.Now()
	before := len(w.b.ev.Events)
	w.panicAt = -1
	for i := 0; i < len(sel); {
		i = w.apply(st, sel, i)
	}
	if w.trace != nil {
		w.trace.after(w, st, sel, old, len(w.b.ev.Events)-before, time.Since(started))
	}
	st.stats.in.Add(int64(len(sel)))
	out := sel[:0]
	for _, i := range sel {
		e := w.b.ev.Events[i]
		switch {
		case w.isDead(e):
		case e.Cancelled():
			if e.Ref != event.NoRecord {
				w.b.fates[e.Ref].rule = st.rule
			}
		default:
			out = append(out, i)
		}
	}
	for i := before; i < len(w.b.ev.Events); i++ {
		out = append(out, int32(i))
	}
	st.stats.out.Add(int64(len(out)))
	w.b.gen.events.Add(int64(len(sel)))
	st.stats.nanos.Add(int64(time.Since(started)))
	return out
}

// apply runs a filter over sel from index i on and returns where to go on after a panic, or the end.
func (w *worker) apply(st *step, sel []int32, i int) (next int) {
	next = i
	matches, failures := int64(0), int64(0)
	defer func() {
		st.stats.matches.Add(matches)
		st.stats.failures.Add(failures)
		w.b.gen.failed.Add(failures)
		if x := recover(); x != nil {
			next = w.panicked(st, sel, next, x)
		}
	}()
	for ; next < len(sel); next++ {
		e := w.b.ev.Events[sel[next]]
		switch st.f.Filter(e) {
		case filter.Matched:
			matches++
			if !st.own {
				st.common.Apply(e)
			}
		case filter.Failed:
			failures++
		}
	}
	return next
}

// panicked decides what happens to the event a filter panicked on: it is tried again, the third time its record is dead.
func (w *worker) panicked(st *step, sel []int32, at int, reason any) (next int) {
	if w.panicAt != sel[at] {
		w.panicAt, w.tried = sel[at], 0
	}
	w.tried++
	if w.tried < tries {
		return at
	}
	w.p.cfg.Log.Error("filter panics", "pipeline", w.p.cfg.ID, "filter", st.rule, "reason", reason, "stack", string(debug.Stack()))
	e := w.b.ev.Events[sel[at]]
	w.kill(e.Ref, &DeadLetter{Stage: "filter", Reason: "panic", Plugin: st.rule, Why: fmt.Sprint(reason), Tries: tries})
	e.Cancel()
	return at + 1
}

// branch gives each event to the first arm whose condition holds.
func (w *worker) branch(br *branch, sel []int32) []int32 {
	rest, out := sel, w.take()
	for i := range br.arms {
		a := &br.arms[i]
		in := w.take()
		if a.cond == nil {
			in = append(in, rest...)
			rest = rest[:0]
		} else {
			in, rest = w.choose(a.cond, in, rest)
		}
		in = w.nodes(a.body, in)
		out = append(out, in...)
		w.give(in)
	}
	out = append(out, rest...)
	w.give(sel)
	slices.Sort(out)
	return out
}

// choose moves the events that cond holds for from rest to in.
func (w *worker) choose(c cond, in, rest []int32) (yes, no []int32) {
	no = rest[:0]
	for _, i := range rest {
		e := w.b.ev.Events[i]
		*w.prog.failed = false
		ok := c(e)
		if *w.prog.failed {
			ok = false
			e.Tag("_conditionfailure")
			w.p.stats.conditions.Add(1)
		}
		if ok {
			in = append(in, i)
		} else {
			no = append(no, i)
		}
	}
	return in, no
}

// reorder puts events that filters made behind the ones of the record they came from.
func (w *worker) reorder() {
	slices.SortStableFunc(w.b.ev.Events, func(a, b *event.Event) int { return int(int64(a.Ref) - int64(b.Ref)) })
}

// emit renders events for an output.
func (w *worker) emit(em *emit, sel []int32) {
	started := time.Now()
	buf := &w.b.bufs[em.index]
	from := len(buf.Items)
	for _, i := range sel {
		w.render(em, buf, w.b.ev.Events[i])
	}
	em.stats.in.Add(int64(len(sel)))
	em.stats.out.Add(int64(len(buf.Items) - from))
	em.stats.nanos.Add(int64(time.Since(started)))
}

func (w *worker) render(em *emit, buf *output.Buf, e *event.Event) {
	items, data := len(buf.Items), len(buf.Data)
	defer func() {
		if x := recover(); x != nil {
			buf.Items, buf.Data = buf.Items[:items], buf.Data[:data]
			w.p.cfg.Log.Error("output panics", "pipeline", w.p.cfg.ID, "output", em.stats.name, "reason", x, "stack", string(debug.Stack()))
			w.kill(e.Ref, &DeadLetter{Stage: "output", Reason: "panic", Plugin: em.stats.place + " " + em.stats.name, Why: fmt.Sprint(x)})
		}
	}()
	em.r.Render(buf, e)
	if len(buf.Items) == items {
		return
	}
	if it := buf.Items[len(buf.Items)-1]; it.Refused != "" {
		w.kill(e.Ref, &DeadLetter{Stage: "output", Reason: it.Refused, Plugin: em.stats.place + " " + em.stats.name, Index: it.Target, ID: it.ID})
	}
}

// purge takes what was rendered of dead records out of the buffers.
func (w *worker) purge() {
	for k := range w.b.bufs {
		old := &w.b.bufs[k]
		var buf output.Buf
		for i := range old.Items {
			it := old.Items[i]
			if it.Ref != event.NoRecord && w.b.fates[it.Ref].dead != nil {
				continue
			}
			from := len(buf.Data)
			buf.Data = append(buf.Data, old.Bytes(&it)...)
			it.From, it.To = from, len(buf.Data)
			buf.Items = append(buf.Items, it)
		}
		*old = buf
	}
}

var (
	kafkaField     = event.MustPath("kafka")
	kafkaTopic     = event.MustPath("[kafka][topic]")
	kafkaPartition = event.MustPath("[kafka][partition]")
	kafkaOffset    = event.MustPath("[kafka][offset]")
	ingestedPath   = event.MustPath("[event][ingested]")
	weirField      = event.MustPath("weir")
	weirSource     = event.MustPath("[weir][source]")
)

// provenance tells of each event where its record was.
func (w *worker) provenance(sel []int32) {
	now := event.Time(w.p.cfg.Now().UnixNano() / 1e6 * 1e6)
	var last ledger.Source
	text := ""
	for _, i := range sel {
		e := w.b.ev.Events[i]
		if e.Ref == event.NoRecord {
			continue
		}
		r := &w.b.recs[e.Ref]
		w.kafkaFields(e, r)
		e.Set(ingestedPath, now)
		if r.Origin.IsZero() {
			continue
		}
		if text == "" || r.Origin.Source != last {
			last = r.Origin.Source
			buf := append(w.b.ev.Buf(), `{"source":"`...)
			buf = hex.AppendEncode(buf, last[:])
			text = w.b.ev.Keep(append(buf, `"}`...))
		}
		if e.Has(weirField) {
			e.Set(weirSource, event.String(text[11:43]))
		} else {
			e.AddField("weir", event.JSON(text))
		}
	}
}

func (w *worker) kafkaFields(e *event.Event, r *queue.Record) {
	if e.Has(kafkaField) {
		e.Set(kafkaTopic, event.String(r.Topic))
		e.Set(kafkaPartition, event.Int(int64(r.Partition)))
		e.Set(kafkaOffset, event.Int(r.Offset))
		return
	}
	buf := append(w.b.ev.Buf(), `{"topic":`...)
	buf = event.AppendString(buf, r.Topic)
	buf = append(buf, `,"partition":`...)
	buf = strconv.AppendInt(buf, int64(r.Partition), 10)
	buf = append(buf, `,"offset":`...)
	buf = strconv.AppendInt(buf, r.Offset, 10)
	e.AddField("kafka", event.JSON(w.b.ev.Keep(append(buf, '}'))))
}
