package pipeline

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// Traced is what a configuration does to one record.
type Traced struct {
	Record  int           `json:"record"`
	Steps   []TraceStep   `json:"steps"`
	Outputs []TraceOutput `json:"outputs"`
	Rule    string        `json:"rule,omitempty"`    // who dropped it, when no output took it
	Failure string        `json:"failure,omitempty"` // why it would become a dead letter
	// Events is what left the filters, with @metadata; Trace fills it when Config.FiltersOnly is set.
	Events []string `json:"events,omitempty"`
}

// TraceStep is what one filter did to one event.
type TraceStep struct {
	Plugin    string        `json:"plugin"`
	ID        string        `json:"id"`
	Place     string        `json:"place"` // file:line
	Event     int           `json:"event"` // number of the event among those of the record
	Micros    float64       `json:"micros"`
	Added     []TraceChange `json:"added,omitempty"`
	Changed   []TraceChange `json:"changed,omitempty"`
	Removed   []TraceChange `json:"removed,omitempty"`
	Tags      []string      `json:"tags,omitempty"` // that were added
	Dropped   bool          `json:"dropped,omitempty"`
	SplitInto int           `json:"split_into,omitempty"` // events it made
	Skipped   string        `json:"skipped,omitempty"`    // why it was not run
}

// TraceChange is a field before and after.
type TraceChange struct {
	Field string          `json:"field"`
	Old   json.RawMessage `json:"old,omitempty"`
	New   json.RawMessage `json:"new,omitempty"`
}

// TraceOutput is what an output would write.
type TraceOutput struct {
	Plugin   string `json:"plugin"`
	Place    string `json:"place"`
	Action   string `json:"action,omitempty"`
	Index    string `json:"index,omitempty"` // index, topic or file
	ID       string `json:"id,omitempty"`
	Routing  string `json:"routing,omitempty"`
	Document string `json:"document"`
}

// Trace runs records through a configuration, one by one and in order, and tells what every filter did. Inputs are not read (the
// first one's codec and decorations are used), outputs are not written, nothing becomes a dead letter. An error of the configuration
// is a conf.Errors.
func Trace(ctx context.Context, cfg Config, recs []queue.Record) ([]Traced, error) {
	cfg.Workers = 1
	p, err := compileOnly(cfg)
	if err != nil {
		return nil, err
	}
	gen := p.current()
	if cfg.FiltersOnly {
		gen.programs[0].outputs = nil
	}
	w := &worker{p: p, prog: gen.programs[0], trace: &tracer{reach: cfg.Reach}}
	b := newBatch(len(p.outs), false)
	out := make([]Traced, 0, len(recs))
	for i := range recs {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		b.load(p.sources[0], recs[i:i+1], nil)
		w.b, b.gen, w.trace.steps = b, gen, nil
		w.process()
		r := w.trace.result(i, p, b)
		if cfg.FiltersOnly {
			r.Events = w.eventTexts()
		}
		out = append(out, r)
		b.reset()
	}
	return out, nil
}

// eventTexts is the events that are left, as JSON with their @metadata.
func (w *worker) eventTexts() []string {
	l := []string{}
	for _, e := range w.b.ev.Events {
		if e.Cancelled() || w.isDead(e) {
			continue
		}
		text := string(e.AppendJSON(nil))
		if e.Has(metadataPath) {
			text = text[:len(text)-1] + `,"@metadata":` + string(e.AppendMetaJSON(nil)) + "}"
		}
		l = append(l, text)
	}
	return l
}

// compileOnly is Open without connecting anything.
func compileOnly(cfg Config) (*Pipeline, error) {
	cfg = cfg.withDefaults()
	f, sources, errs := load(&cfg)
	if len(errs.Faults()) > 0 {
		return nil, errs.Faults()
	}
	p := &Pipeline{cfg: cfg, began: cfg.Now(), memory: newBudget(cfg.Memory), clock: &source{}}
	c := newCompiler(&p.cfg, f, &errs)
	c.checkOnly = true
	p.compile(c, f)
	sources.show(errs)
	if faults := errs.Faults(); len(faults) > 0 {
		return nil, faults
	}
	for _, pl := range c.outputs {
		p.outs = append(p.outs, outputState{stats: c.stats[pl]})
	}
	return p, nil
}

// tracer looks at the events before and after each step.
type tracer struct {
	steps []TraceStep
	reach bool // filters that ask others run too
}

// leaf is a field that is no object, with its value as JSON.
type leaf struct{ path, json string }

// look is the leaves of an event.
func look(e *event.Event) []leaf {
	b := e.Batch()
	var l []leaf
	if ns, ok := e.Timestamp(); ok {
		l = append(l, leaf{"@timestamp", string(b.AppendJSON(nil, event.Time(ns)))})
	}
	e.Fields(func(k string, v event.Value) bool {
		l = leaves(l, b, "["+k+"]", v)
		return true
	})
	meta, _ := e.Get(metadataPath)
	for k, v := range b.Each(meta) {
		l = leaves(l, b, "[@metadata]["+k+"]", v)
	}
	return l
}

var metadataPath = event.MustPath("[@metadata]")

func leaves(l []leaf, b *event.Batch, path string, v event.Value) []leaf {
	if v.Kind() == event.MapKind && b.Len(b.Copy(v)) > 0 {
		for k, el := range b.Each(b.Copy(v)) {
			l = leaves(l, b, path+"["+k+"]", el)
		}
		return l
	}
	return append(l, leaf{path, string(b.AppendJSON(nil, v))})
}

// before looks at the events of sel.
func (t *tracer) before(w *worker, sel []int32) [][]leaf {
	var all [][]leaf
	for _, i := range sel {
		all = append(all, look(w.b.ev.Events[i]))
	}
	return all
}

// after notes what a step did to the events it was given.
func (t *tracer) after(w *worker, st *step, given []int32, old [][]leaf, made int, took time.Duration) {
	for k, i := range given {
		e := w.b.ev.Events[i]
		s := TraceStep{Plugin: st.stats.name, ID: st.stats.id, Place: st.stats.place, Event: int(i), Micros: float64(took.Nanoseconds()) / 1000 / float64(len(given)),
			Dropped: e.Cancelled()}
		if k == 0 {
			s.SplitInto = made
		}
		if !s.Dropped {
			s.compare(old[k], look(e))
		}
		t.steps = append(t.steps, s)
	}
}

func (s *TraceStep) compare(old, now []leaf) {
	for _, n := range now {
		i := slices.IndexFunc(old, func(o leaf) bool { return o.path == n.path })
		switch {
		case i < 0:
			s.Added = append(s.Added, TraceChange{Field: n.path, New: json.RawMessage(n.json)})
		case old[i].json != n.json:
			s.Changed = append(s.Changed, TraceChange{Field: n.path, Old: json.RawMessage(old[i].json), New: json.RawMessage(n.json)})
		}
		if n.path == "[tags]" {
			before := ""
			if i >= 0 {
				before = old[i].json
			}
			s.Tags = newTags(before, n.json)
		}
	}
	for _, o := range old {
		if !slices.ContainsFunc(now, func(n leaf) bool { return n.path == o.path }) {
			s.Removed = append(s.Removed, TraceChange{Field: o.path, Old: json.RawMessage(o.json)})
		}
	}
}

func newTags(before, after string) []string {
	var old, now []string
	json.Unmarshal([]byte(before), &old)
	json.Unmarshal([]byte(after), &now)
	return slices.DeleteFunc(now, func(t string) bool { return slices.Contains(old, t) })
}

// result is what is known when the record went all the way.
func (t *tracer) result(record int, p *Pipeline, b *batch) Traced {
	r := Traced{Record: record, Steps: t.steps}
	for i := range b.bufs {
		for k := range b.bufs[i].Items {
			r.Outputs = append(r.Outputs, t.output(p.outs[i].stats, &b.bufs[i], k))
		}
	}
	f := b.fates[0]
	if f.dead != nil {
		r.Failure = strings.TrimSpace(f.dead.Reason + " " + f.dead.Plugin + " " + f.dead.Why)
	} else if len(r.Outputs) == 0 {
		if r.Rule = f.rule; r.Rule == "" {
			r.Rule = "no output"
		}
	}
	return r
}

func (t *tracer) output(st *pluginStats, buf *output.Buf, k int) TraceOutput {
	it := &buf.Items[k]
	o := TraceOutput{Plugin: st.name, Place: st.place, Index: strings.Clone(it.Target), ID: strings.Clone(it.ID), Routing: strings.Clone(it.Routing), Document: string(buf.Bytes(it))}
	if spec := output.Find(st.name); spec != nil && spec.Sink == nil {
		o.Action = it.Action.String()
	}
	return o
}

// Difference is a record that two configurations treat differently.
type Difference struct {
	Record int           `json:"record"`
	A      []TraceOutput `json:"a"`
	B      []TraceOutput `json:"b"`
	Fields []TraceChange `json:"fields,omitempty"` // of documents that both make
}

// Comparison is how two configurations differ over the same records.
type Comparison struct {
	Records     int          `json:"records"`
	Same        int          `json:"same"`
	Lost        int          `json:"lost"` // documents only the first one makes
	New         int          `json:"new"`  // documents only the second one makes
	Differences []Difference `json:"differences"`
	MicrosA     float64      `json:"micros_a"` // filters' time a record
	MicrosB     float64      `json:"micros_b"`
}

// Compare traces records through two configurations.
func Compare(ctx context.Context, a, b Config, recs []queue.Record) (Comparison, error) {
	ta, err := Trace(ctx, a, recs)
	if err != nil {
		return Comparison{}, err
	}
	tb, err := Trace(ctx, b, recs)
	if err != nil {
		return Comparison{}, err
	}
	return CompareTraced(ta, tb), nil
}

// CompareTraced is how two configurations differ over records that were traced through both.
func CompareTraced(ta, tb []Traced) Comparison {
	n := min(len(ta), len(tb))
	c := Comparison{Records: n, Differences: []Difference{}}
	for i := range n {
		c.Lost += max(0, len(ta[i].Outputs)-len(tb[i].Outputs))
		c.New += max(0, len(tb[i].Outputs)-len(ta[i].Outputs))
		if sameOutputs(ta[i].Outputs, tb[i].Outputs) {
			c.Same++
		} else {
			c.Differences = append(c.Differences, Difference{i, ta[i].Outputs, tb[i].Outputs, differFields(ta[i].Outputs, tb[i].Outputs)})
		}
		c.MicrosA += micros(ta[i].Steps) / float64(n)
		c.MicrosB += micros(tb[i].Steps) / float64(n)
	}
	return c
}

func sameOutputs(a, b []TraceOutput) bool {
	return slices.EqualFunc(a, b, func(x, y TraceOutput) bool {
		return x.Plugin == y.Plugin && x.Action == y.Action && x.Index == y.Index && x.ID == y.ID && x.Document == y.Document
	})
}

func micros(steps []TraceStep) (sum float64) {
	for _, s := range steps {
		sum += s.Micros
	}
	return sum
}

// differFields is the fields in which the first documents of two traces differ.
func differFields(a, b []TraceOutput) []TraceChange {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	old, ok := documentLeaves(a[0].Document)
	now, ok2 := documentLeaves(b[0].Document)
	if !ok || !ok2 {
		return nil
	}
	var s TraceStep
	s.compare(old, now)
	return slices.Concat(s.Added, s.Changed, s.Removed)
}

// documentLeaves is the leaves of a document that is a JSON object.
func documentLeaves(doc string) ([]leaf, bool) {
	b := event.NewBatch(false)
	v, err := b.ParseJSON(doc)
	if err != nil || v.Kind() != event.MapKind {
		return nil, false
	}
	var l []leaf
	for k, el := range b.Each(v) {
		l = leaves(l, b, "["+k+"]", el)
	}
	return l, true
}
