package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// memQueue is a queue in memory that outlives the pipelines reading it.
type memQueue struct {
	mu        sync.Mutex
	topics    map[string][][]queue.Record // by partition
	committed map[string]map[string]int64 // by group, topic-partition
	grown     chan struct{}               // closed when records arrive
	failNext  int                         // Produce calls that fail
	gaps      []*queue.Gap                // reported by the next Polls
}

func newMemQueue() *memQueue {
	return &memQueue{topics: make(map[string][][]queue.Record), committed: make(map[string]map[string]int64), grown: make(chan struct{})}
}

var errInjected = errors.New("injected")

func (q *memQueue) Produce(_ context.Context, recs []queue.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.failNext > 0 {
		q.failNext--
		return errInjected
	}
	for i := range recs {
		r := recs[i]
		parts := q.topics[r.Topic]
		for len(parts) <= int(r.Partition) {
			parts = append(parts, nil)
		}
		r.Offset = int64(len(parts[r.Partition]))
		r.TopicID = [16]byte{1, byte(len(r.Topic))}
		r.Value = slices.Clone(r.Value)
		parts[r.Partition] = append(parts[r.Partition], r)
		q.topics[r.Topic] = parts
	}
	close(q.grown)
	q.grown = make(chan struct{})
	return nil
}

func (q *memQueue) Join(_ context.Context, group string, topics ...string) (queue.Member, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := &memMember{q: q, group: group, topics: topics, at: make(map[string]int64)}
	for k, v := range q.committed[group] {
		m.at[k] = v
	}
	return m, nil
}

type memMember struct {
	q      *memQueue
	group  string
	topics []string
	at     map[string]int64
}

func partKey(topic string, part int32) string { return fmt.Sprintf("%s-%d", topic, part) }

func (m *memMember) Seek(_ context.Context, pos []queue.Position) error {
	for _, p := range pos {
		m.at[partKey(p.Topic, p.Partition)] = p.Offset
	}
	return nil
}

func (m *memMember) Poll(ctx context.Context) ([]queue.Record, error) {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	if len(m.q.gaps) > 0 {
		g := m.q.gaps[0]
		m.q.gaps = m.q.gaps[1:]
		m.at[partKey(g.Topic, g.Partition)] = g.To
		return nil, g
	}
	for range 2 {
		var out []queue.Record
		for _, t := range m.topics {
			for part, recs := range m.q.topics[t] {
				k := partKey(t, int32(part))
				n := min(int64(len(recs)), m.at[k]+50)
				if m.at[k] < n {
					out = append(out, recs[m.at[k]:n]...)
					m.at[k] = n
				}
			}
		}
		if len(out) > 0 {
			return out, nil
		}
		grown := m.q.grown
		m.q.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
		m.q.mu.Lock()
	}
	return nil, ctx.Err()
}

func (m *memMember) Commit(_ context.Context, pos []queue.Position) error {
	m.q.mu.Lock()
	defer m.q.mu.Unlock()
	c := m.q.committed[m.group]
	if c == nil {
		c = make(map[string]int64)
		m.q.committed[m.group] = c
	}
	for _, p := range pos {
		k := partKey(p.Topic, p.Partition)
		if p.Offset < c[k] {
			return fmt.Errorf("commit of %s goes back from %d to %d", k, c[k], p.Offset)
		}
		c[k] = p.Offset
	}
	return nil
}

func (m *memMember) Close() error { return nil }

func (q *memQueue) records(topic string) []queue.Record {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []queue.Record
	for _, p := range q.topics[topic] {
		all = append(all, p...)
	}
	return all
}

func (q *memQueue) commit(group, topic string, part int32) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.committed[group][partKey(topic, part)]
}

// memWriter is a store in memory that keeps the promises of bulk.Writer: repeats are dropped, positions lag, refused documents
// hold them back.
type memWriter struct {
	mu        sync.Mutex
	docs      []memDoc
	have      map[bulk.Origin]bool
	settled   []bulk.Settled
	sets      map[ledger.Source]*ledger.Set // ranges with a fate
	positions []queue.Position
	repeats   int
	batches   []bulk.Batch // as they came, without documents

	refuse  func(bulk.Op) string // why a document is refused; "" takes it
	fail    func(n int) error    // error of Write number n, before anything is done
	after   func(n int) error    // error of Write number n, after everything is done
	written func()               // called after each Write
	n       int
}

type memDoc struct {
	op     bulk.Op
	origin bulk.Origin
}

func newMemWriter() *memWriter {
	return &memWriter{have: make(map[bulk.Origin]bool), sets: make(map[ledger.Source]*ledger.Set)}
}

func (w *memWriter) Write(ctx context.Context, b bulk.Batch) ([]bulk.Rejected, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.written != nil {
		defer w.written()
	}
	w.n++
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if w.fail != nil {
		if err := w.fail(w.n); err != nil {
			return nil, err
		}
	}
	var rejected []bulk.Rejected
	before := maps.Clone(w.have) // repeats inside of one batch are the pipeline's to find
	for i, op := range b.Ops {
		var o bulk.Origin
		if len(b.Origins) > 0 {
			o = b.Origins[i]
		}
		if !o.Range.IsZero() && before[o] {
			w.repeats++
			continue
		}
		if w.refuse != nil {
			if why := w.refuse(op); why != "" {
				rejected = append(rejected, bulk.Rejected{Op: i, Status: 400, Type: "document_parsing_exception", Reason: why})
				continue
			}
		}
		if !o.Range.IsZero() {
			w.have[o] = true
			w.add(o.Range)
		}
		op.Source = slices.Clone(op.Source)
		w.docs = append(w.docs, memDoc{op, o})
	}
	for _, s := range b.Settled {
		w.add(s.Range)
	}
	w.settled = append(w.settled, b.Settled...)
	if len(rejected) == 0 {
		for _, p := range b.Positions {
			w.positions = putPosition(w.positions, p)
		}
	}
	w.batches = append(w.batches, bulk.Batch{Settled: b.Settled, Positions: b.Positions})
	if w.after != nil {
		if err := w.after(w.n); err != nil {
			return nil, err
		}
	}
	return rejected, nil
}

func (w *memWriter) add(r ledger.Range) {
	s := w.sets[r.Source]
	if s == nil {
		s = &ledger.Set{}
		w.sets[r.Source] = s
	}
	s.Add(r.From, r.To)
}

func (w *memWriter) Positions(context.Context) ([]queue.Position, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.positions), nil
}

func (w *memWriter) sources() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s []string
	for _, d := range w.docs {
		s = append(s, string(d.op.Source))
	}
	return s
}
