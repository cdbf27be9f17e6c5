package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// gatherer takes finished batches in the order they were read and hands them on. It is the only goroutine that speaks to outputs,
// writers, dead letters and Commit.
type gatherer struct {
	p     *Pipeline
	pend  []*batch
	docs  int
	bytes int64

	ahead   *batch   // taken from order, not finished yet
	commits []commit // settled in part: a writer still holds their positions back
	foreign foreign
}

// commit is the next offset of a partition an input read.
type commit struct {
	src *source
	pos queue.Position
}

// docWriter is a bulk.Writer and the outputs that use it.
type docWriter struct {
	w       bulk.Writer
	key     string
	outputs []int

	// Memory of the last Write's batch, used again.
	batch bulk.Batch
	docs  []doc
	items []*output.Item
	bufs  []*output.Buf
	names output.Names
	seen  repeats

	// What the next Write carries: ranges and positions of a Write that had rejected documents.
	settled   []bulk.Settled
	positions []queue.Position
}

// run gathers until the pipeline is at its end. ctx ends when what is in flight had its time.
func (g *gatherer) run(ctx context.Context) error {
	for {
		b, ok := g.next(ctx)
		if b != nil {
			g.add(b)
			if g.docs < writeDocuments && g.bytes < g.p.cfg.WriteBytes {
				continue
			}
		}
		if err := g.flush(ctx); err != nil {
			return err
		}
		if !ok {
			return g.settleAll(ctx)
		}
	}
}

// next is the next finished batch, nil when what is gathered should go out first; ok is false at the end.
func (g *gatherer) next(ctx context.Context) (b *batch, ok bool) {
	if g.ahead == nil {
		if len(g.pend) == 0 && !g.carrying() {
			g.ahead, ok = <-g.p.order
		} else {
			select {
			case g.ahead, ok = <-g.p.order:
			default:
				return nil, true
			}
		}
		if !ok {
			return nil, false
		}
	}
	if len(g.pend) > 0 {
		select {
		case <-g.ahead.done:
		default:
			return nil, true
		}
	} else {
		<-g.ahead.done
	}
	b, g.ahead = g.ahead, nil
	return b, true
}

func (g *gatherer) carrying() bool {
	return slices.ContainsFunc(g.p.writers, func(w *docWriter) bool { return len(w.settled)+len(w.positions) > 0 })
}

// settleAll sends what writers still carry.
func (g *gatherer) settleAll(ctx context.Context) error {
	for g.carrying() {
		if err := g.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (g *gatherer) add(b *batch) {
	g.pend = append(g.pend, b)
	for _, w := range g.p.writers {
		for _, o := range w.outputs {
			g.docs += len(b.bufs[o].Items)
			g.bytes += int64(len(b.bufs[o].Data))
		}
	}
}

// flush hands over everything gathered: dead letters, then outputs that cannot tell repeats, then documents with their positions,
// then the commits. What is in the writer is thus everywhere else too.
func (g *gatherer) flush(ctx context.Context) error {
	if len(g.pend) == 0 && !g.carrying() {
		return nil
	}
	if err := g.p.bury(ctx, g.letters()); err != nil {
		return err
	}
	for _, b := range g.pend {
		if err := g.sinks(ctx, b); err != nil {
			return err
		}
	}
	for _, o := range g.p.outs {
		if s, ok := o.sink.(output.Settler); ok {
			if err := s.Settle(ctx); err != nil {
				return fmt.Errorf("output %s: %w", o.stats.name, err)
			}
		}
	}
	fresh := g.ends()
	for _, w := range g.p.writers {
		if err := g.write(ctx, w, fresh); err != nil {
			return err
		}
	}
	g.commits = merge(g.commits, fresh)
	if !g.carrying() {
		g.commit(ctx)
	}
	g.count()
	for _, b := range g.pend {
		if in, ok := b.src.in.(input.Settler); ok {
			in.Settled(b.recs)
		}
		g.p.release(b)
	}
	g.pend, g.docs, g.bytes = g.pend[:0], 0, 0
	return nil
}

// letters are the records workers gave up.
func (g *gatherer) letters() []*DeadLetter {
	var l []*DeadLetter
	for _, b := range g.pend {
		if b.dead == 0 {
			continue
		}
		for i := range b.fates {
			if d := b.fates[i].dead; d != nil {
				d.rec = &b.recs[i]
				l = append(l, d)
			}
		}
	}
	return l
}

func (g *gatherer) sinks(ctx context.Context, b *batch) error {
	for i := range g.p.outs {
		o := &g.p.outs[i]
		if o.sink == nil || len(b.bufs[i].Items) == 0 {
			continue
		}
		n := int64(len(b.bufs[i].Items))
		for wait := retryFirst; ; wait = min(2*wait, retryMost) {
			err := g.sink(ctx, o.sink, b, i)
			if err == nil {
				break
			}
			g.p.cfg.Log.Warn("output cannot be written", "pipeline", g.p.cfg.ID, "output", o.stats.name, "err", err, "retry_in", wait)
			if !pause(ctx, wait) {
				return err
			}
		}
		g.p.stats.out.Add(n)
	}
	return nil
}

// sink writes what was rendered of a batch for output i.
func (g *gatherer) sink(ctx context.Context, s output.Sink, b *batch, i int) error {
	rs, ok := s.(output.RecordSink)
	if !ok {
		return s.Write(ctx, &b.bufs[i])
	}
	return rs.WriteFrom(ctx, &b.bufs[i], func(ref uint32) (ledger.Range, time.Time) { return g.foreign.origin(&b.recs[ref]), b.recs[ref].Time })
}

// ends are the next offsets behind the gathered records.
func (g *gatherer) ends() []commit {
	var ends []commit
	for _, b := range g.pend {
		if b.src.committer == nil {
			continue
		}
		for i := range b.recs {
			r := &b.recs[i]
			ends = put(ends, commit{b.src, queue.Position{Topic: r.Topic, TopicID: r.TopicID, Partition: r.Partition, Offset: r.Offset + 1}})
		}
		if b.gap != nil {
			ends = put(ends, commit{b.src, queue.Position{Topic: b.gap.Topic, TopicID: b.gap.TopicID, Partition: b.gap.Partition, Offset: b.gap.To}})
		}
	}
	return ends
}

// put keeps the later position of a partition.
func put(l []commit, c commit) []commit {
	for i := len(l) - 1; i >= 0; i-- {
		p := &l[i].pos
		if p.Partition == c.pos.Partition && p.TopicID == c.pos.TopicID && p.Topic == c.pos.Topic && l[i].src == c.src {
			p.Offset = max(p.Offset, c.pos.Offset)
			return l
		}
	}
	return append(l, c)
}

func merge(l, fresh []commit) []commit {
	for _, c := range fresh {
		l = put(l, c)
	}
	return l
}

// write makes the documents of w durable, with what became of the records without any and with the positions. Documents that are
// refused go to the dead letters; the positions then wait for the next Write.
func (g *gatherer) write(ctx context.Context, w *docWriter, fresh []commit) error {
	in := bulk.Batch{Ops: w.batch.Ops[:0], Origins: w.batch.Origins[:0]}
	w.docs = w.docs[:0]
	docs := g.documents(w, &in)
	w.batch.Ops, w.docs = in.Ops, docs
	if in.Origins != nil {
		w.batch.Origins = in.Origins
	}
	in.Settled = append(slices.Clone(w.settled), in.Settled...)
	in.Positions = slices.Clone(w.positions)
	for _, c := range fresh {
		in.Positions = putPosition(in.Positions, c.pos)
	}
	if len(in.Ops)+len(in.Settled)+len(in.Positions) == 0 {
		return nil
	}
	rejected, err := g.tryWrite(ctx, w, in)
	if err != nil {
		return err
	}
	g.p.stats.pushed.Add(int64(len(in.Ops) - len(rejected)))
	g.p.stats.out.Add(int64(len(in.Ops)))
	w.settled, w.positions = nil, nil
	if len(rejected) == 0 {
		return nil
	}
	g.p.stats.rejected.Add(int64(len(rejected)))
	w.settled, w.positions = in.Settled, in.Positions
	return g.reject(ctx, w, in, docs, rejected)
}

func putPosition(l []queue.Position, p queue.Position) []queue.Position {
	for i := range l {
		if l[i].Partition == p.Partition && l[i].TopicID == p.TopicID && l[i].Topic == p.Topic {
			l[i].Offset = max(l[i].Offset, p.Offset)
			return l
		}
	}
	return append(l, p)
}

// tryWrite repeats a Write until the writer takes it or the time is over.
func (g *gatherer) tryWrite(ctx context.Context, w *docWriter, in bulk.Batch) ([]bulk.Rejected, error) {
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		started := time.Now()
		rejected, err := w.w.Write(ctx, in)
		g.p.stats.writes.Add(1)
		g.p.stats.writeNanos.Add(int64(time.Since(started)))
		if err == nil {
			return rejected, nil
		}
		g.p.stats.writeErrors.Add(1)
		g.p.cfg.Log.Warn("documents cannot be written", "pipeline", g.p.cfg.ID, "documents", len(in.Ops), "err", err, "retry_in", wait)
		if !pause(ctx, wait) {
			return nil, fmt.Errorf("write %d documents: %w", len(in.Ops), err)
		}
	}
}

// doc is where an Op came from.
type doc struct {
	b     *batch
	ref   uint32
	k     int
	rules *output.Rules
}

// documents fills ops, origins and settled ranges for w.
func (g *gatherer) documents(w *docWriter, in *bulk.Batch) []doc {
	docs := w.docs
	w.seen.reset()
	anyOrigin := false
	for _, b := range g.pend {
		from := len(in.Ops)
		docs = g.batchDocuments(w, b, in, docs)
		for _, o := range in.Origins[from:] {
			anyOrigin = anyOrigin || !o.Range.IsZero()
		}
		if b.gap != nil {
			in.Settled = append(in.Settled, bulk.Settled{Range: ledger.Range{Source: ledger.Foreign(b.gap.TopicID, b.gap.Partition), From: b.gap.From, To: b.gap.To},
				Fate: ledger.Lost, Rule: "gap: " + b.gap.Why})
		}
	}
	if !anyOrigin {
		in.Origins = nil
	}
	return docs
}

// batchDocuments adds the documents of one batch, all of a record next to each other.
func (g *gatherer) batchDocuments(w *docWriter, b *batch, in *bulk.Batch, docs []doc) []doc {
	items, bufs := g.items(w, b)
	at := 0
	for ref := range b.recs {
		from := at
		for at < len(items) && items[at].Ref == uint32(ref) {
			at++
		}
		rng := g.foreign.origin(&b.recs[ref])
		if at == from {
			g.settle(in, b, ref, rng)
			continue
		}
		if w.seen.again(rng) {
			continue
		}
		for k := from; k < at; k++ {
			in.Ops = append(in.Ops, w.op(items[k], bufs[k]))
			in.Origins = append(in.Origins, bulk.Origin{Range: rng, K: uint16(k - from), N: uint16(at - from)})
			docs = append(docs, doc{b, uint32(ref), k - from, items[k].Rules})
		}
	}
	for ; at < len(items); at++ { // made by no record
		in.Ops = append(in.Ops, w.op(items[at], bufs[at]))
		in.Origins = append(in.Origins, bulk.Origin{})
		docs = append(docs, doc{b: b, ref: event.NoRecord})
	}
	return docs
}

// op is the operation of an item. A writer may keep its strings, so they leave the batch's memory; the source stays there.
func (w *docWriter) op(it *output.Item, buf *output.Buf) bulk.Op {
	return bulk.Op{Action: it.Action, Index: w.names.Keep(it.Target), ID: strings.Clone(it.ID), Routing: strings.Clone(it.Routing), Source: buf.Bytes(it), Extra: it.Extra}
}

// items are the documents of a batch for w by record, with the buffer each is in.
func (g *gatherer) items(w *docWriter, b *batch) ([]*output.Item, []*output.Buf) {
	n := 0
	for _, o := range w.outputs {
		n += len(b.bufs[o].Items)
	}
	items, bufs := slices.Grow(w.items[:0], n), slices.Grow(w.bufs[:0], n)
	for _, o := range w.outputs {
		buf := &b.bufs[o]
		for i := range buf.Items {
			items, bufs = append(items, &buf.Items[i]), append(bufs, buf)
		}
	}
	w.items, w.bufs = items, bufs
	if len(w.outputs) > 1 {
		byRecord(items, bufs)
	}
	return items, bufs
}

func byRecord(items []*output.Item, bufs []*output.Buf) {
	idx := make([]int, len(items))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int { return int(int64(items[a].Ref) - int64(items[b].Ref)) })
	i2, b2 := slices.Clone(items), slices.Clone(bufs)
	for to, from := range idx {
		items[to], bufs[to] = i2[from], b2[from]
	}
}

// repeats finds records that are twice in one Write: after a crash a shipper sends again what was not acknowledged, and both copies
// may be read together. What earlier Writes hold is the writer's to know.
type repeats struct {
	sets map[ledger.Source]*ledger.Set
	last ledger.Source
	set  *ledger.Set
}

func (r *repeats) reset() {
	clear(r.sets)
	r.set = nil
}

// again reports whether the range is in the Write already, and notes it.
func (r *repeats) again(rng ledger.Range) bool {
	if rng.IsZero() {
		return false
	}
	if r.set == nil || r.last != rng.Source {
		if r.set = r.sets[rng.Source]; r.set == nil {
			if r.sets == nil {
				r.sets = make(map[ledger.Source]*ledger.Set)
			}
			r.set = &ledger.Set{}
			r.sets[rng.Source] = r.set
		}
		r.last = rng.Source
	}
	if r.set.Test(rng.From, rng.To) == ledger.Repeat {
		return true
	}
	r.set.Add(rng.From, rng.To)
	return false
}

// settle says what became of a record without documents. Neighbours with the same fate share an entry.
func (g *gatherer) settle(in *bulk.Batch, b *batch, ref int, rng ledger.Range) {
	if rng.IsZero() {
		return
	}
	s := bulk.Settled{Range: rng, Fate: ledger.Dropped, Rule: b.fates[ref].rule}
	if d := b.fates[ref].dead; d != nil {
		s.Fate, s.Rule = ledger.Dead, d.Reason
		if g.p.deadLetters == nil {
			s.Fate = ledger.Lost
		}
	} else if s.Rule == "" {
		s.Rule = g.elsewhere(b, uint32(ref))
	}
	if n := len(in.Settled); n > 0 {
		last := &in.Settled[n-1]
		if last.Range.Source == rng.Source && last.Range.To == rng.From && last.Fate == s.Fate && last.Rule == s.Rule {
			last.Range.To = rng.To
			return
		}
	}
	in.Settled = append(in.Settled, s)
}

// elsewhere names the output that took a record this writer got nothing of.
func (g *gatherer) elsewhere(b *batch, ref uint32) string {
	for i := range b.bufs {
		for k := range b.bufs[i].Items {
			if b.bufs[i].Items[k].Ref == ref {
				return g.p.outs[i].stats.place + " " + g.p.outs[i].stats.name
			}
		}
	}
	return "no output"
}

// reject puts the records of refused documents into the dead letters and notes their ranges for the next Write.
func (g *gatherer) reject(ctx context.Context, w *docWriter, in bulk.Batch, docs []doc, rejected []bulk.Rejected) error {
	var letters []*DeadLetter
	for _, r := range rejected {
		op, d := &in.Ops[r.Op], docs[r.Op]
		if d.rules != nil && slices.Contains(d.rules.Drop, r.Type) {
			g.p.stats.dropped.Add(1)
			if d.ref != event.NoRecord {
				w.settledAs(g.foreign.origin(&d.b.recs[d.ref]), ledger.Dropped, "drop_error_types "+r.Type)
			}
			continue
		}
		if d.ref == event.NoRecord {
			g.p.cfg.Log.Error("document without a record is refused", "pipeline", g.p.cfg.ID, "index", op.Index, "why", r.Error())
			g.p.stats.lost.Add(1)
			continue
		}
		letters = append(letters, &DeadLetter{Stage: "write", Reason: "rejected", Why: r.Type + ": " + r.Reason, Status: r.Status, Index: op.Index, ID: op.ID,
			DocK: d.k, Tries: 1, TryDoc: op.Source, rec: &d.b.recs[d.ref]})
		w.settledAs(g.foreign.origin(&d.b.recs[d.ref]), ledger.Dead, r.Type)
	}
	return g.p.bury(ctx, letters)
}

// settledAs notes for the next Write what became of a range.
func (w *docWriter) settledAs(rng ledger.Range, fate ledger.Fate, rule string) {
	if !rng.IsZero() {
		w.settled = append(w.settled, bulk.Settled{Range: rng, Fate: fate, Rule: rule})
	}
}

// commit tells the inputs how far everything is settled.
func (g *gatherer) commit(ctx context.Context) {
	for len(g.commits) > 0 {
		src := g.commits[0].src
		var pos []queue.Position
		g.commits = slices.DeleteFunc(g.commits, func(c commit) bool {
			if c.src == src {
				pos = append(pos, c.pos)
			}
			return c.src == src
		})
		err := src.committer.Commit(ctx, pos)
		switch {
		case errors.Is(err, queue.ErrRevoked):
			g.p.cfg.Log.Info("partition was given to another member", "pipeline", g.p.cfg.ID, "group", src.committer.Group())
		case err != nil && ctx.Err() == nil:
			g.p.cfg.Log.Warn("positions cannot be committed", "pipeline", g.p.cfg.ID, "group", src.committer.Group(), "err", err)
		}
	}
}

// count adds the records that made nothing.
func (g *gatherer) count() {
	for _, b := range g.pend {
		for i := range b.fates {
			if b.fates[i].rule != "" && b.fates[i].dead == nil {
				g.p.stats.dropped.Add(1)
			}
		}
	}
}

// foreign computes ranges of records that carry none, remembering the last partition.
type foreign struct {
	id        [16]byte
	partition int32
	source    ledger.Source
}

// origin is the range of a record: its own, or its offset in the partition. Records of a stream have none.
func (f *foreign) origin(r *queue.Record) ledger.Range {
	if !r.Origin.IsZero() {
		return r.Origin
	}
	if r.Topic == "" {
		return ledger.Range{}
	}
	if f.source.IsZero() || f.id != r.TopicID || f.partition != r.Partition {
		f.id, f.partition, f.source = r.TopicID, r.Partition, ledger.Foreign(r.TopicID, r.Partition)
	}
	return ledger.Range{Source: f.source, From: r.Offset, To: r.Offset + 1}
}
