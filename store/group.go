package store

import (
	"sync"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// group is what the store remembers of one pipeline: where to resume, and which bytes of which sources are in. What it holds is
// durable: batches change it when they are published.
type group struct {
	name   string
	writer sync.Mutex // held by the one Write that is under way

	mu        sync.Mutex
	positions map[partition]queue.Position
	sources   map[ledger.Source]*account
}

// partition names a partition of one incarnation of a topic.
type partition struct {
	topic string
	id    [16]byte
	num   int32
}

// account is the ledger of one source.
type account struct {
	in      ledger.Set        // bytes with a fate
	fates   [6]int64          // bytes by ledger.Fate
	repeats int64             // documents dropped as repeats
	partial map[span][]uint16 // ranges of which some documents are in
}

type span struct{ from, to int64 }

func newGroup(name string) *group {
	return &group{name: name, positions: map[partition]queue.Position{}, sources: map[ledger.Source]*account{}}
}

func (g *group) account(s ledger.Source) *account {
	a := g.sources[s]
	if a == nil {
		a = &account{partial: map[span][]uint16{}}
		g.sources[s] = a
	}
	return a
}

// repeat tells whether document k of a range is in already.
func (g *group) repeat(o originOf) bool {
	if o.r.Source.IsZero() {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.sources[o.r.Source]
	if a == nil {
		return false
	}
	if a.in.Test(o.r.From, o.r.To) == ledger.Repeat {
		return true
	}
	for _, k := range a.partial[span{o.r.From, o.r.To}] {
		if k == o.k {
			return true
		}
	}
	return false
}

// apply books a durable batch.
func (g *group) apply(rec *record, repeats int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	unfinished := make(map[ledger.Range]bool, len(rec.partial))
	for _, p := range rec.partial {
		unfinished[p.r] = true
		g.account(p.r.Source).partial[span{p.r.From, p.r.To}] = p.ks
	}
	for i := range rec.ops {
		if r := rec.ops[i].origin.r; !r.Source.IsZero() && !unfinished[r] {
			g.account(r.Source).add(r, ledger.Indexed)
		}
	}
	for _, s := range rec.settled {
		g.account(s.r.Source).add(s.r, s.fate)
	}
	for _, p := range rec.positions {
		k := partition{p.Topic, p.TopicID, p.Partition}
		if have, ok := g.positions[k]; !ok || have.Offset < p.Offset { // a low-water mark never falls
			g.positions[k] = p
		}
	}
}

// add gives a range its fate, once.
func (a *account) add(r ledger.Range, fate ledger.Fate) {
	delete(a.partial, span{r.From, r.To})
	if a.in.Test(r.From, r.To) == ledger.Repeat {
		return
	}
	before := a.in.Bytes()
	if r.From >= a.in.High() {
		a.in.Add(r.From, r.To)
		a.fates[fate%6] += r.Len()
		return
	}
	a.in.Add(r.From, r.To)
	a.fates[fate%6] += a.in.Bytes() - before
}
