// Package live carries documents to open screens as they pass from a pipeline to the store.
//
// A Tap offers every batch to the Hub before it is written, so a slow store does not blind the screen. The Hub matches each document
// with the query of each subscriber and puts rows into its ring. Nobody waits for a screen: what a full inbox turns away is counted
// as unseen, what a full ring pushes out as skipped, and
//
//	offered = sent + skipped + unseen
//
// holds for any reader. Without subscribers a batch costs one atomic load.
package live

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// Bounds.
const (
	maxInbox       = 16 << 20 // bytes of documents waiting to be matched
	maxSubscribers = 64
	ringRows       = 4096
)

// ErrTooMany is returned by Subscribe when all places are taken.
var ErrTooMany = errors.New("too many open live tails")

// Doc is one document on its way into an index.
type Doc struct {
	Index  string
	ID     string
	Source []byte
}

// Hub hands documents to subscribers. Run moves them; Offer and Subscribe may be called at any time.
type Hub struct {
	listeners atomic.Int32
	wake      chan struct{}

	mu      sync.Mutex
	inbox   []Doc
	bytes   int
	unseen  uint64 // documents turned away since the start
	offered uint64
	subs    map[*Subscriber]struct{}
}

// NewHub makes a hub that waits for Run.
func NewHub() *Hub {
	return &Hub{wake: make(chan struct{}, 1), subs: map[*Subscriber]struct{}{}}
}

// Listening reports whether anybody watches; callers can skip the work of building documents.
func (h *Hub) Listening() bool { return h.listeners.Load() > 0 }

// Offer copies the documents for the subscribers and never waits.
func (h *Hub) Offer(docs []Doc) {
	if !h.Listening() {
		return
	}
	h.mu.Lock()
	for _, d := range docs {
		h.offered++
		if h.bytes+len(d.Source) > maxInbox {
			h.unseen++
			for s := range h.subs {
				s.addUnseen(1)
			}
			continue
		}
		d.Source = bytes.Clone(d.Source)
		h.inbox = append(h.inbox, d)
		h.bytes += len(d.Source)
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Run matches documents until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	var b Builder
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.wake:
		}
		docs, subs := h.take()
		for _, d := range docs {
			deliver(&b, d, subs)
		}
	}
}

func (h *Hub) take() ([]Doc, []*Subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	docs := h.inbox
	h.inbox, h.bytes = nil, 0
	subs := make([]*Subscriber, 0, len(h.subs))
	for s := range h.subs {
		subs = append(subs, s)
	}
	return docs, subs
}

// deliver builds a document's row once, for the first subscriber it matches.
func deliver(b *Builder, d Doc, subs []*Subscriber) {
	var row *Row
	for _, s := range subs {
		if !s.wants(d) {
			continue
		}
		if row == nil {
			r := b.Row(d.Index, d.ID, d.Source)
			row = &r
		}
		r := *row
		if s.whole {
			r.Doc = d.Source
		}
		s.push(r)
	}
}

// Subscribe opens a tail of the documents for which match is true; whole rows carry their documents. The caller closes it.
func (h *Hub) Subscribe(match func(Doc) bool, whole bool) (*Subscriber, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subs) >= maxSubscribers {
		return nil, ErrTooMany
	}
	s := &Subscriber{hub: h, match: match, whole: whole, wake: make(chan struct{}, 1)}
	h.subs[s] = struct{}{}
	h.listeners.Add(1)
	return s, nil
}

func (h *Hub) remove(s *Subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.subs[s]; ok {
		delete(h.subs, s)
		h.listeners.Add(-1)
	}
}

// Subscriber is one open tail.
type Subscriber struct {
	hub   *Hub
	match func(Doc) bool
	whole bool
	wake  chan struct{}

	mu      sync.Mutex
	rows    []Row
	skipped uint64
	unseen  uint64
}

// Ready is signalled when rows or counts wait to be taken.
func (s *Subscriber) Ready() <-chan struct{} { return s.wake }

// Take moves up to max waiting rows out, oldest first, with the documents skipped and unseen since the last call.
func (s *Subscriber) Take(max int) (rows []Row, skipped, unseen uint64, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(max, len(s.rows))
	rows = append(rows, s.rows[:n]...)
	s.rows = s.rows[n:]
	if len(s.rows) == 0 {
		s.rows = nil
	}
	skipped, unseen = s.skipped, s.unseen
	s.skipped, s.unseen = 0, 0
	return rows, skipped, unseen, len(s.rows) > 0
}

// Close ends the tail.
func (s *Subscriber) Close() { s.hub.remove(s) }

func (s *Subscriber) wants(d Doc) bool { return s.match == nil || s.match(d) }

func (s *Subscriber) push(r Row) {
	s.mu.Lock()
	if len(s.rows) >= ringRows {
		s.rows = s.rows[1:]
		s.skipped++
	}
	s.rows = append(s.rows, r)
	s.mu.Unlock()
	s.signal()
}

func (s *Subscriber) addUnseen(n uint64) {
	s.mu.Lock()
	s.unseen += n
	s.mu.Unlock()
	s.signal()
}

func (s *Subscriber) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
