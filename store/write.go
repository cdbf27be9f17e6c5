package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/store/mapping"
)

// Op is one operation with everything REST can say about it.
type Op struct {
	bulk.Op
	EmptyID           bool   // `_id: ""` was given
	Version           int64  // with VersionType
	VersionType       string // "", "internal", "external", "external_gte"
	IfSeq             int64  // with IfTerm: -1 when not given
	IfTerm            int64
	RequireAlias      bool
	RequireDataStream bool
	Pipeline          string // ingest pipeline; "" is the index's default, "_none" is none
}

// NewOp is a bulk operation without conditions.
func NewOp(op bulk.Op) Op {
	o := Op{Op: op, IfSeq: -1, IfTerm: -1}
	if x := op.Extra; x != nil {
		o.Pipeline, o.Version, o.VersionType = x.Pipeline, x.Version, x.VersionType
	}
	return o
}

// ItemResult is what became of an operation.
type ItemResult struct {
	Action  bulk.Action
	Index   string // the concrete index
	ID      string
	Version int64
	Seq     int64
	Result  string // created, updated, deleted, noop, not_found
	Status  int
	Err     *Error // nil when Status is below 300, or for a delete of nothing
	Source  []byte // Update: the document as it is now
}

// Bounds of a write.
const (
	maxItemBytes   = 10 << 20 // a document
	maxIDBytes     = 512
	prepareRounds  = 64 // mapping changes and index creations one write may cause in a row
	tombstoneMilli = 60_000
)

// write is one call on its way through the store.
type write struct {
	s       *Store
	ops     []Op
	origins []bulk.Origin // parallel to ops, or empty
	group   *group
	now     time.Time
	results []ItemResult
	targets []target
	docs    mapping.Docs
	toks    tokens
	rec     record
	ordinal map[*index]int
	body    []byte
	packed  []byte
	inf     *inflight
	repeats int64
	seen    *metadata // as prepare found it
	late    bool      // sources are gathered while deciding: there are updates

	dropped     []settledRange // by ingest pipelines
	opsKept     []Op           // of a pipeline's write, which hands out neither
	resultsKept []ItemResult   // the same
}

// target is an operation resolved and scanned.
type target struct {
	ix   *index
	doc  int32 // in docs, noDoc when there is none (yet)
	done bool  // refused, or a repeat
	skip bool  // a repeat
	twin bool  // a repeat of an earlier operation of the batch
}

const noDoc = -1

// Apply carries operations out, each on its own, and returns when they are durable and searchable. Results are parallel to ops. The
// error is about the whole call: nothing of it may be taken as done, and it can be repeated.
func (s *Store) Apply(ctx context.Context, ops []Op) ([]ItemResult, error) {
	w := s.newWrite()
	defer s.endWrite(w)
	w.ops, w.results = ops, make([]ItemResult, len(ops))
	if err := w.run(ctx, bulk.Batch{}); err != nil {
		return nil, err
	}
	return w.results, nil
}

func (s *Store) newWrite() *write {
	w := s.spare.Swap(nil)
	if w == nil {
		w, _ = s.writes.Get().(*write)
	}
	if w == nil {
		w = &write{ordinal: map[*index]int{}}
	}
	w.s, w.now = s, s.cfg.Now()
	return w
}

// endWrite gives the buffers back.
func (s *Store) endWrite(w *write) {
	clear(w.ordinal)
	w.docs.Reset()
	w.toks.reset()
	clear(w.targets)
	clear(w.rec.ops)
	clear(w.opsKept)
	clear(w.resultsKept)
	*w = write{opsKept: w.opsKept[:0], resultsKept: w.resultsKept[:0], rec: record{ops: w.rec.ops[:0]}, docs: w.docs, toks: w.toks, ordinal: w.ordinal, targets: w.targets[:0], body: w.body[:0], packed: w.packed[:0]}
	if cap(w.body) < maxPooledBody && !s.spare.CompareAndSwap(nil, w) {
		s.writes.Put(w)
	}
}

// rest gives the spare write to the collector to take, should no write need it soon.
func (s *Store) rest() {
	if w := s.spare.Swap(nil); w != nil {
		s.writes.Put(w)
	}
}

// maxPooledBody bounds what an idle write buffer keeps.
const maxPooledBody = 16 << 20

// run is the order that the promises rest on: scan, decide, one journal record, memory, sync, publish.
func (w *write) run(ctx context.Context, b bulk.Batch) error {
	size := 0
	for i := range w.ops {
		size += len(w.ops[i].Source)
	}
	release, err := w.s.admit(ctx, int64(size))
	if err != nil {
		return err
	}
	defer release()
	w.targets = append(w.targets[:0], make([]target, len(w.ops))...)
	for i := range w.targets {
		w.targets[i].doc = noDoc
	}
	w.dropRepeats()
	if err := w.ingest(ctx); err != nil {
		return err
	}
	for round := 0; ; round++ {
		if err := w.prepare(ctx); err != nil {
			return err
		}
		mark, again, err := w.commit(b)
		if err != nil {
			return err
		}
		if !again {
			if err := w.s.settle(w.inf, mark); err != nil {
				return err
			}
			w.count()
			w.tap()
			return nil
		}
		if round >= prepareRounds {
			return errors.New("the targets of a write keep changing")
		}
	}
}

// dropRepeats takes out documents whose origin is in already.
func (w *write) dropRepeats() {
	if w.group == nil {
		return
	}
	seen := map[ledger.Source]*batchRanges{}
	for i := range w.origins {
		twin := w.twin(i, seen)
		if twin || w.group.repeat(w.originOf(i)) {
			w.targets[i].done, w.targets[i].skip, w.targets[i].twin = true, true, twin
			w.results[i] = ItemResult{Action: w.ops[i].Action, Index: w.ops[i].Index, Result: "noop", Status: 200}
			w.repeats++
		}
	}
}

// batchRanges are the ranges of one source that a batch had so far.
type batchRanges struct {
	in   ledger.Set
	last bulk.Origin
}

// twin tells whether an earlier operation of the batch is the same document. In order, which is the rule, that is one comparison.
func (w *write) twin(i int, seen map[ledger.Source]*batchRanges) bool {
	o := w.origins[i]
	if o.Range.Source.IsZero() {
		return false
	}
	b := seen[o.Range.Source]
	if b == nil {
		b = &batchRanges{}
		seen[o.Range.Source] = b
	}
	switch {
	case o.Range.From >= b.in.High():
	case o.Range == b.last.Range && o.K > b.last.K: // the next document of the same record
	default:
		record := false
		for _, e := range w.origins[:i] {
			if e.Range == o.Range {
				if e.K == o.K {
					return true
				}
				record = true
			}
		}
		if !record && b.in.Test(o.Range.From, o.Range.To) == ledger.Repeat {
			return true
		}
	}
	b.in.Add(o.Range.From, o.Range.To)
	b.last = o
	return false
}

func (w *write) originOf(i int) originOf {
	if i >= len(w.origins) {
		return originOf{}
	}
	o := w.origins[i]
	return originOf{r: o.Range, k: o.K, n: o.N}
}

// refuse ends an operation with an error.
func (w *write) refuse(i int, err error) {
	op := &w.ops[i]
	w.targets[i].done = true
	r := ItemResult{Action: op.Action, Index: op.Index, ID: op.ID, Seq: -1}
	var e *Error
	var me *mapping.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &me):
		e = fromMapping(me)
	default:
		e = &Error{Status: 500, Type: "exception", Reason: err.Error()}
	}
	if ix := w.targets[i].ix; ix != nil {
		r.Index = ix.name()
		if e.Index == "" && (e.Type == "document_missing_exception" || e.Type == "version_conflict_engine_exception") {
			named := *e
			named.Index = r.Index
			e = &named
		}
	}
	r.Status, r.Err = e.Status, e
	w.results[i] = r
}

func fromMapping(m *mapping.Error) *Error {
	if m == nil {
		return nil
	}
	e := &Error{Status: m.Status, Type: m.Type, Reason: m.Reason, Cause: fromMapping(m.Cause)}
	return e
}

// prepare resolves and scans what is not yet, without the commit lock: parallel writes overlap here.
func (w *write) prepare(ctx context.Context) error {
	w.seen = w.s.meta.Load()
	preps := map[*index]*preparer{}
	defer func() {
		for ix, p := range preps {
			ix.preps.Put(p)
		}
	}()
	for i := range w.ops {
		t := &w.targets[i]
		if t.done || t.ix != nil {
			continue
		}
		if i%256 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.check(&w.ops[i]); err != nil {
			w.refuse(i, err)
			continue
		}
		ix, err := w.s.writeTarget(&w.ops[i])
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				return err
			}
			w.refuse(i, err)
			continue
		}
		t.ix, t.doc = ix, noDoc
		if a := w.ops[i].Action; a == bulk.Create || a == bulk.Index {
			if err := w.scan(i, preps); err != nil {
				return err
			}
		}
	}
	return nil
}

// check is what can be said about an operation alone.
func (w *write) check(op *Op) error {
	switch {
	case op.Index == "":
		return errorf(400, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
	case op.EmptyID:
		return errorf(400, "illegal_argument_exception", "if _id is specified it must not be empty")
	case len(op.ID) > maxIDBytes:
		return errorf(400, "illegal_argument_exception", "id [%s] is too long, must be no longer than 512 bytes but was: %d", op.ID, len(op.ID))
	case op.ID == "" && (op.Action == bulk.Update || op.Action == bulk.Delete):
		return errorf(400, "action_request_validation_exception", "Validation Failed: 1: id is missing;")
	case len(op.Source) > maxItemBytes:
		return errorf(400, "illegal_argument_exception", "document of %d bytes exceeds the limit of %d", len(op.Source), maxItemBytes)
	case op.Action == bulk.Create && op.VersionType != "" && op.VersionType != "internal":
		return errorf(400, "action_request_validation_exception", "Validation Failed: 1: create operations do not support explicit versions. use index instead;")
	}
	return nil
}

// scan scans the source of an operation, extending the mapping until it fits. An error is about the whole write.
func (w *write) scan(i int, preps map[*index]*preparer) error {
	t, op := &w.targets[i], &w.ops[i]
	final := false
	for range prepareRounds {
		p := preps[t.ix]
		if p == nil {
			p = t.ix.preparer()
			preps[t.ix] = p
		}
		missing, err := p.document(op.Source, op.ID, final, &w.docs, &w.toks)
		if err != nil {
			w.refuse(i, err)
			return nil
		}
		if len(missing) == 0 {
			t.doc = int32(len(w.docs.Docs) - 1)
			if t.ix.info().Stream != "" {
				if err := wantsTimestamp(&w.docs, &w.docs.Docs[t.doc]); err != nil {
					w.refuse(i, err)
				}
			}
			if len(op.Routing) == 0 && t.ix.info().Mapping.RoutingRequired() {
				w.refuse(i, errorf(400, "routing_missing_exception", "routing is required for [%s]/[%s]", t.ix.name(), op.ID))
			}
			return nil
		}
		beyond, err := w.s.extendMapping(t.ix, missing)
		if err != nil {
			var me *mapping.Error
			var e *Error
			if errors.As(err, &me) || errors.As(err, &e) {
				w.refuse(i, err)
				return nil
			}
			return err
		}
		final = len(beyond) > 0
		delete(preps, t.ix)
	}
	w.refuse(i, errorf(500, "exception", "the mapping of index [%s] keeps changing", t.ix.name()))
	return nil
}

// commit decides every operation in order, writes the record and fills the heads, all under the commit lock. again: a target changed
// meanwhile, prepare once more.
func (w *write) commit(b bulk.Batch) (mark journal.Mark, again bool, err error) {
	w.pack()
	s := w.s
	s.commit.Lock()
	defer s.commit.Unlock()
	if err := s.writable(); err != nil {
		return mark, false, err
	}
	if w.stale() {
		return mark, true, nil
	}
	w.inf = &inflight{}
	w.rec = record{time: w.now.UnixMilli(), ops: w.rec.ops[:0]}
	for i := range w.ops {
		w.decide(i)
	}
	w.account(b)
	if w.late {
		w.compress()
	}
	if len(w.rec.ops) == 0 && len(w.rec.positions) == 0 && len(w.rec.settled) == 0 {
		w.inf = nil
		return mark, false, nil
	}
	payload := appendRecord(s.payload[:0], &w.rec, w.flags(), w.packed)
	s.payload = payload[:0]
	if mark, err = s.jr.AppendPayload(payload); err != nil {
		w.inf.undo()
		return mark, false, fmt.Errorf("write journal: %w", err)
	}
	w.inf.end, s.last = mark.End, mark
	for _, t := range w.inf.heads {
		s.note(t.h)
	}
	w.inf.rec, w.inf.group, w.inf.repeats = w.rec, w.group, w.repeats
	s.pub.Lock()
	s.inflight = append(s.inflight, w.inf)
	s.pub.Unlock()
	return mark, false, nil
}

func (w *write) flags() byte {
	if len(w.packed) > 0 {
		return flagS2
	}
	return 0
}

// pack gathers and compresses the sources outside the commit lock. A batch with updates, whose sources are not known yet, is packed
// by decide.
func (w *write) pack() {
	w.body, w.packed, w.late = w.body[:0], w.packed[:0], false
	for i := range w.ops {
		w.late = w.late || w.ops[i].Action == bulk.Update
	}
	if w.late {
		return
	}
	size := 0
	for i := range w.ops {
		size += len(w.ops[i].Source)
	}
	w.body = slices.Grow(w.body, size)
	for i := range w.ops {
		if w.packs(i) {
			w.body = append(w.body, w.ops[i].Source...)
		}
	}
	w.compress()
}

// packs tells whether pack takes the source of an operation.
func (w *write) packs(i int) bool {
	t := &w.targets[i]
	return t.doc != noDoc && t.ix != nil && !t.skip
}

func (w *write) compress() {
	if len(w.body) == 0 {
		return
	}
	if n := s2.MaxEncodedLen(len(w.body)); cap(w.packed) < n {
		w.packed = make([]byte, n)
	}
	w.packed = s2.Encode(w.packed[:cap(w.packed)], w.body)
}

// stale drops what was prepared for targets that are others now.
func (w *write) stale() bool {
	if w.s.meta.Load() == w.seen {
		return false
	}
	again := false
	for i := range w.targets {
		t := &w.targets[i]
		if t.ix == nil || t.done {
			continue
		}
		if ix, err := w.s.resolveWrite(w.s.meta.Load(), &w.ops[i]); err != nil || ix != t.ix || ix.gone {
			*t = target{doc: noDoc}
			again = true
		}
	}
	return again
}

// decide carries one operation out in memory and notes it in the record.
func (w *write) decide(i int) {
	t, op := &w.targets[i], &w.ops[i]
	if !t.done {
		switch op.Action {
		case bulk.Delete:
			w.delete(i)
		case bulk.Update:
			w.update(i)
		default:
			w.put(i, op.Source, t.doc, op.Action == bulk.Create)
		}
	}
	if t.done && !w.late && w.packs(i) {
		w.rec.ops = append(w.rec.ops, recordOp{code: opSkip, size: len(op.Source)})
	}
}

// put adds a document, in the place of the one with its id.
func (w *write) put(i int, src []byte, doc int32, create bool) {
	t, op := &w.targets[i], &w.ops[i]
	ix := t.ix
	var old location
	if op.ID != "" {
		old = ix.locate(op.ID, w.now.UnixMilli())
	}
	if create && old.found {
		w.refuse(i, conflictf("[%s]: version conflict, document already exists (current version [%d])", op.ID, old.version))
		return
	}
	version, err := op.nextVersion(old)
	if err != nil {
		w.refuse(i, err)
		return
	}
	seq := ix.seq
	ix.seq++
	r := recordOp{code: opPut, index: w.indexOrdinal(ix), seq: seq, version: version, routing: []byte(op.Routing), size: len(src), origin: w.originOf(i)}
	if op.ID != "" {
		r.id = []byte(op.ID)
	}
	w.inf.put(ix, &r, w.docs.Docs[doc], &w.docs, &w.toks, old, w.now.UnixMilli())
	w.rec.ops = append(w.rec.ops, r)
	if w.late {
		w.body = append(w.body, src...)
	}
	res := ItemResult{Action: op.Action, Index: ix.name(), ID: op.ID, Version: version, Seq: seq, Result: "created", Status: 201}
	if op.ID == "" && w.group == nil { // a pipeline is told of refusals only
		res.ID = ix.head().autoID(seq)
	}
	if old.found {
		res.Result, res.Status = "updated", 200
	}
	w.results[i] = res
}

// delete takes a document away.
func (w *write) delete(i int) {
	t, op := &w.targets[i], &w.ops[i]
	ix := t.ix
	old := ix.locate(op.ID, w.now.UnixMilli())
	version, err := op.nextVersion(old)
	if err != nil {
		w.refuse(i, err)
		return
	}
	seq := ix.seq
	ix.seq++
	r := recordOp{code: opDelete, index: w.indexOrdinal(ix), seq: seq, version: version, id: []byte(op.ID), routing: []byte(op.Routing)}
	w.inf.delete(ix, &r, old, w.now.UnixMilli())
	w.rec.ops = append(w.rec.ops, r)
	w.results[i] = ItemResult{Action: op.Action, Index: ix.name(), ID: op.ID, Version: version, Seq: seq, Result: "deleted", Status: 200}
	if !old.found {
		w.results[i].Result, w.results[i].Status = "not_found", 404
	}
}

func (w *write) indexOrdinal(ix *index) int {
	n, ok := w.ordinal[ix]
	if !ok || n >= len(w.rec.indices) {
		n = len(w.rec.indices)
		w.rec.indices = append(w.rec.indices, ix.uuid)
		w.ordinal[ix] = n
	}
	return n
}

func conflictf(format string, args ...any) *Error {
	return errorf(409, "version_conflict_engine_exception", format, args...)
}

// nextVersion checks the conditions of an operation against what is there.
func (op *Op) nextVersion(old location) (int64, error) {
	if op.IfSeq >= 0 || op.IfTerm >= 0 {
		switch {
		case !old.found:
			return 0, conflictf("[%s]: version conflict, required seqNo [%d], primary term [%d]. but no document was found", op.ID, op.IfSeq, op.IfTerm)
		case old.seq != op.IfSeq || op.IfTerm != 1:
			return 0, conflictf("[%s]: version conflict, required seqNo [%d], primary term [%d]. current document has seqNo [%d] and primary term [1]", op.ID, op.IfSeq,
				op.IfTerm, old.seq)
		}
	}
	switch op.VersionType {
	case "external", "external_gt":
		if (old.found || old.deleted) && old.version >= op.Version {
			return 0, conflictf("[%s]: version conflict, current version [%d] is higher or equal to the one provided [%d]", op.ID, old.version, op.Version)
		}
		return op.Version, nil
	case "external_gte":
		if (old.found || old.deleted) && old.version > op.Version {
			return 0, conflictf("[%s]: version conflict, current version [%d] is higher than the one provided [%d]", op.ID, old.version, op.Version)
		}
		return op.Version, nil
	}
	if old.found || old.deleted {
		return old.version + 1, nil
	}
	return 1, nil
}

// account puts the batch's ranges and positions into the record. A batch with refused documents keeps its positions back, and the
// ranges of its refused documents are unfinished.
func (w *write) account(b bulk.Batch) {
	if w.group == nil {
		return
	}
	w.rec.group = w.group.name
	for _, s := range b.Settled {
		w.rec.settled = append(w.rec.settled, settledRange{r: s.Range, fate: s.Fate, rule: s.Rule})
	}
	w.rec.settled = append(w.rec.settled, w.dropped...)
	refused := false
	for i := range w.targets {
		if t := &w.targets[i]; t.done && !t.skip && w.results[i].Err != nil {
			refused = true
			w.unfinished(i)
		}
	}
	if !refused {
		w.rec.positions = append(w.rec.positions, b.Positions...)
	}
}

// unfinished notes which documents of a refused one's record are in.
func (w *write) unfinished(i int) {
	o := w.originOf(i)
	if o.r.Source.IsZero() {
		return
	}
	for _, p := range w.rec.partial {
		if p.r == o.r {
			return
		}
	}
	p := partialRange{r: o.r}
	for j := range w.origins {
		if w.origins[j].Range == o.r && !w.targets[j].twin && (w.targets[j].skip || !w.targets[j].done || w.results[j].Err == nil) {
			p.ks = append(p.ks, w.origins[j].K)
		}
	}
	if len(p.ks) > 0 {
		w.rec.partial = append(w.rec.partial, p)
	}
}

// For is the writer of a pipeline's group.
func (s *Store) For(name string) bulk.Writer { return &groupWriter{s, s.group(name)} }

// groupWriter is a thin view on Apply that also keeps positions and origins.
type groupWriter struct {
	s *Store
	g *group
}

// Write implements bulk.Writer.
func (gw *groupWriter) Write(ctx context.Context, b bulk.Batch) ([]bulk.Rejected, error) {
	if len(b.Origins) != 0 && len(b.Origins) != len(b.Ops) {
		return nil, fmt.Errorf("write of group %s: %d origins for %d operations", gw.g.name, len(b.Origins), len(b.Ops))
	}
	gw.g.writer.Lock()
	defer gw.g.writer.Unlock()
	w := gw.s.newWrite()
	defer gw.s.endWrite(w)
	w.opsKept = slices.Grow(w.opsKept, len(b.Ops))[:len(b.Ops)]
	w.resultsKept = slices.Grow(w.resultsKept, len(b.Ops))[:len(b.Ops)]
	for i := range b.Ops {
		w.opsKept[i] = NewOp(b.Ops[i])
	}
	w.ops, w.results, w.group, w.origins = w.opsKept, w.resultsKept, gw.g, b.Origins
	if err := w.run(ctx, b); err != nil {
		return nil, err
	}
	var out []bulk.Rejected
	for i := range w.results {
		if e := w.results[i].Err; e != nil {
			out = append(out, bulk.Rejected{Op: i, Status: e.Status, Type: e.Type, Reason: reasonOf(e)})
		}
	}
	return out, nil
}

// reasonOf joins the reasons of an error and its causes.
func reasonOf(e *Error) string {
	parts := []string{e.Reason}
	for c := e.Cause; c != nil; c = c.Cause {
		parts = append(parts, c.Reason)
	}
	return strings.Join(parts, ": ")
}

// tap hands documents that no pipeline sent to whoever listens.
func (w *write) tap() {
	tap := w.s.cfg.OnDocs
	if tap == nil || w.group != nil {
		return
	}
	byIndex := map[string][][]byte{}
	for i := range w.results {
		if r := &w.results[i]; r.Err == nil && (r.Result == "created" || r.Result == "updated") && w.ops[i].Action != bulk.Update {
			byIndex[r.Index] = append(byIndex[r.Index], w.ops[i].Source)
		}
	}
	for name, docs := range byIndex {
		tap(name, docs)
	}
}

// Positions implements bulk.Writer.
func (gw *groupWriter) Positions(ctx context.Context) ([]queue.Position, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return gw.g.checkpoint().Positions, nil
}

// count adds the write to the store's counters.
func (w *write) count() {
	st := &w.s.stats
	var docs, bytes, rejected int64
	for i := range w.results {
		switch r := &w.results[i]; {
		case r.Err != nil:
			rejected++
		case r.Result == "created" || r.Result == "updated":
			docs++
			bytes += int64(len(w.ops[i].Source))
		}
	}
	st.docs.Add(docs)
	st.docBytes.Add(bytes)
	st.rejected.Add(rejected)
	st.repeats.Add(w.repeats)
}
