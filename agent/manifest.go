package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Bounds of what is announced.
const (
	announceEvery = 10 * time.Second // the longest time between a move and its announcement
	announceBytes = 64 << 20         // of moves bring it forward
	manifestFates = 2000             // fates of one manifest
	manifestBatch = 1000             // manifests of one Produce
)

// fated is a range that made no record.
type fated struct {
	src *source
	ledger.RangeFate
}

// fate notes in the batch what became of bytes without a record; ranges that touch are joined.
func (b *batch) fate(s *source, from, to int64, fate ledger.Fate, rule string) {
	if n := len(b.fates); n > 0 {
		if f := &b.fates[n-1]; f.src == s && f.To == from && f.Fate == fate && f.Rule == rule {
			f.To = to
			return
		}
	}
	b.fates = append(b.fates, fated{s, ledger.RangeFate{From: from, To: to, Fate: fate, Rule: rule}})
}

// announcer tells the topic weir-ledger how far sources were read, and which bytes made no record.
type announcer struct {
	a     *Agent
	wake  chan struct{}
	moved chan struct{} // many bytes were read

	mu    sync.Mutex                   // guards what follows
	due   map[*source]struct{}         // moved since they were announced
	fates []fated                      // that ride with no batch: of sources that ended
	at    map[ledger.Source]placesList // of live sources
	bytes int64                        // moved since the last announcement
	off   bool                         // the queue does not let us
}

type placesList []ledger.Place

func newAnnouncer(a *Agent) *announcer {
	return &announcer{a: a, wake: make(chan struct{}, 1), moved: make(chan struct{}, 1), due: map[*source]struct{}{}, at: map[ledger.Source]placesList{}}
}

// enabled reports whether anything is to be announced.
func (n *announcer) enabled() bool { return n.a.cfg.Ledger != "" }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// placed notes where durable records lie. recs are in the order of production; done tells which of them are durable, nil: all.
func (n *announcer) placed(recs []queue.Record, done func(i int) bool) {
	if !n.enabled() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range recs {
		r := &recs[i]
		if i+1 < len(recs) && recs[i+1].Origin.Source == r.Origin.Source && recs[i+1].Partition == r.Partition && (done == nil || done(i+1)) {
			continue // the last of a run says it all
		}
		if r.Origin.IsZero() || done != nil && !done(i) {
			continue
		}
		n.at[r.Origin.Source] = n.at[r.Origin.Source].set(ledger.Place{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset + 1})
	}
}

func (l placesList) set(p ledger.Place) placesList {
	for i := range l {
		if l[i].Topic == p.Topic && l[i].Partition == p.Partition {
			l[i].Offset = max(l[i].Offset, p.Offset)
			return l
		}
	}
	return append(l, p)
}

// acknowledged notes the sources that a durable batch moved.
func (n *announcer) acknowledged(b *batch) {
	if !n.enabled() || len(b.moves) == 0 {
		return
	}
	n.mu.Lock()
	for i := range b.moves {
		n.due[b.moves[i].src] = struct{}{}
	}
	for i := range b.recs {
		n.bytes += b.recs[i].to - b.recs[i].from
	}
	many := n.bytes >= announceBytes
	n.mu.Unlock()
	signal(n.wake)
	if many {
		signal(n.moved)
	}
}

// resumed notes a source whose last moves the process before may not have announced.
func (n *announcer) resumed(s *source) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.due[s] = struct{}{}
	signal(n.wake)
	signal(n.moved)
}

// ended notes that a source is over; lost is what of it nobody will read.
func (n *announcer) ended(s *source, why endReason, lost int64) {
	if !n.enabled() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s.end = why.String()
	if lost > 0 {
		pos := s.account.durable.Load()
		n.fates = append(n.fates, fated{s, ledger.RangeFate{From: pos, To: pos + lost, Fate: ledger.Lost, Rule: why.String()}})
		s.account.durable.Store(pos + lost)
	}
	n.due[s] = struct{}{}
	signal(n.wake)
	signal(n.moved) // the registry forgets it: tell now
}

// run announces until ctx ends. What is left then the caller announces.
func (n *announcer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		t := time.NewTimer(announceEvery)
		select {
		case <-ctx.Done():
		case <-n.moved:
		case <-t.C:
		}
		t.Stop()
		if ctx.Err() == nil {
			n.announce(ctx)
		}
	}
}

// announce produces a manifest of every source that moved. What fails is due again.
func (n *announcer) announce(ctx context.Context) {
	n.mu.Lock()
	due, fates := make([]*source, 0, len(n.due)), n.fates
	for s := range n.due {
		due = append(due, s)
	}
	clear(n.due)
	n.fates, n.bytes = nil, 0
	n.mu.Unlock()
	if len(due) == 0 {
		return
	}
	slices.SortFunc(due, func(a, b *source) int { return slices.Compare(a.id[:], b.id[:]) })
	for part := range slices.Chunk(due, manifestBatch) {
		recs, told := make([]queue.Record, 0, len(part)), make([]int64, 0, len(part))
		for _, s := range part {
			r, to := n.record(s, fatesOf(s, fates))
			recs, told = append(recs, r), append(told, to)
		}
		if !n.produce(ctx, recs) {
			n.mu.Lock()
			for _, s := range part {
				n.due[s] = struct{}{}
				for _, f := range fatesOf(s, fates) {
					n.fates = append(n.fates, fated{s, f})
				}
			}
			n.mu.Unlock()
			signal(n.wake)
			continue
		}
		for i, s := range part {
			n.a.reg.change(s.ref, dirtyTold, func(sv *saved) { sv.told = told[i] })
		}
		n.forget(part)
	}
}

// forget lets go of the places of sources that are over.
func (n *announcer) forget(list []*source) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range list {
		if _, again := n.due[s]; s.end != "" && !again {
			delete(n.at, s.id)
		}
	}
}

func fatesOf(s *source, all []fated) (out []ledger.RangeFate) {
	for i := range all {
		if all[i].src == s {
			out = append(out, all[i].RangeFate)
		}
	}
	return out
}

// record renders the manifest of a source as it stands, and says up to where.
func (n *announcer) record(s *source, fates []ledger.RangeFate) (queue.Record, int64) {
	n.mu.Lock()
	m := ledger.Manifest{
		Version: ledger.ManifestVersion, Agent: n.a.id.id, Host: n.a.id.host, Source: s.id, Chain: s.chain.id, Path: s.first, From: s.start,
		To: max(s.start, s.account.durable.Load()), Time: time.Now().UnixMilli(), At: slices.Clone(n.at[s.id]), Fates: fates, End: s.end,
	}
	n.mu.Unlock()
	b, err := json.Marshal(m)
	if err != nil { // texts and numbers: it cannot
		n.a.log.Error("manifest not rendered", "error", err)
	}
	return queue.Record{Topic: n.a.cfg.Ledger, Time: time.UnixMilli(m.Time), Key: []byte(s.id.String()), Value: b}, m.To
}

// before produces the fates of a batch, which must be known before its sources may move past them. It reports whether ctx let it.
func (n *announcer) before(ctx context.Context, b *batch) bool {
	if !n.enabled() || len(b.fates) == 0 {
		return true
	}
	var recs []queue.Record
	for i := 0; i < len(b.fates); {
		s, from := b.fates[i].src, i
		var list []ledger.RangeFate
		for ; i < len(b.fates) && b.fates[i].src == s && i-from < manifestFates; i++ {
			list = append(list, b.fates[i].RangeFate)
		}
		r, _ := n.record(s, list)
		recs = append(recs, r)
	}
	pause := n.a.cfg.BackoffInit
	for !n.produce(ctx, recs) {
		if !sleep(ctx, jitter(pause)) {
			return false
		}
		pause = min(2*pause, n.a.cfg.BackoffMax)
	}
	return true
}

// produce sends manifests. A queue that forbids the topic turns announcing off: shipping lines matters more than telling of them.
func (n *announcer) produce(ctx context.Context, recs []queue.Record) bool {
	n.mu.Lock()
	off := n.off
	n.mu.Unlock()
	if off {
		return true
	}
	err := n.a.cfg.Queue.Produce(ctx, recs)
	if errors.Is(err, queue.ErrDenied) {
		n.a.log.Warn("the queue does not let the agent write its ledger: an audit will not know what this agent read", "topic", n.a.cfg.Ledger, "error", err)
		n.mu.Lock()
		n.off = true
		n.mu.Unlock()
		return true
	}
	if err != nil {
		n.a.produceFailed(err)
	}
	return err == nil
}
