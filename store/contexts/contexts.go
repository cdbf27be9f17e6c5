// Package contexts keeps what outlives one search request: scrolls, points in time and asynchronous searches.
//
// A scroll and a point in time hold a store.View, which pins the segments it sees; their number is bounded by MaxContexts and each ends
// when nobody has used it for its keep-alive. Expired ones are let go by Reap, which the owner calls every now and then, and by every
// opening. Asynchronous searches hold only their answers.
package contexts

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// Bounds of contexts.
const (
	MaxContexts  = 500            // scrolls and points in time together
	MaxKeepAlive = 24 * time.Hour // of a scroll or a point in time
)

// Keeper holds a store's contexts. It is safe for concurrent use.
type Keeper struct {
	s   *store.Store
	now func() time.Time

	mu      sync.Mutex
	scrolls map[string]*Scroll
	pits    map[string]*PIT
	asyncs  map[string]*Async
	kept    int64 // bytes of answers of asynchronous searches
}

// New makes a keeper. now nil is time.Now.
func New(s *store.Store, now func() time.Time) *Keeper {
	if now == nil {
		now = time.Now
	}
	return &Keeper{s: s, now: now, scrolls: map[string]*Scroll{}, pits: map[string]*PIT{}, asyncs: map[string]*Async{}}
}

// view is a store.View with the time it lives to. It is used by one request at a time when a scroll owns it, by many when a PIT does.
type view struct {
	ID      string
	Created time.Time
	Keep    time.Duration
	view    *store.View
	expires time.Time
	users   int
	gone    bool
}

// newID is an id no client can guess; kind is its first byte.
func newID(kind byte) string {
	b := make([]byte, 25)
	rand.Read(b)
	b[0] = kind
	return base64.URLEncoding.EncodeToString(b)
}

// kindOf is the first byte of an id, 0 for what is none.
func kindOf(id string) byte {
	b, err := base64.URLEncoding.DecodeString(id)
	if err != nil || len(b) != 25 {
		return 0
	}
	return b[0]
}

// CheckKeepAlive refuses what is over the bound.
func CheckKeepAlive(d time.Duration, text string) error {
	if d <= 0 {
		return &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: "[keep_alive] must be positive, got [" + text + "]"}
	}
	if d > MaxKeepAlive {
		return &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf("Keep alive for request (%s) is too large. It must be less than (1d). "+
			"This limit can be set by changing the [search.max_keep_alive] cluster level setting.", text)}
	}
	return nil
}

// Missing is the answer to an id that is not (any more).
func Missing(id string) error {
	return &store.Error{Status: 404, Type: "search_context_missing_exception", Reason: "No search context found for id [" + id + "]"}
}

// open makes a view unless there are too many. The caller holds mu.
func (k *Keeper) open(kind byte, keep time.Duration, v *store.View) (*view, error) {
	k.reapLocked()
	if len(k.scrolls)+len(k.pits) >= MaxContexts {
		v.Release()
		return nil, &store.Error{Status: 429, Type: "es_rejected_execution_exception", Reason: fmt.Sprintf("Trying to create too many scroll contexts. Must be less than or equal to: [%d]. "+
			"This limit can be set by changing the [search.max_open_scroll_context] setting.", MaxContexts)}
	}
	now := k.now()
	return &view{ID: newID(kind), Created: now, Keep: keep, view: v, expires: now.Add(keep)}, nil
}

// use marks a view as in use, so that it is not released under its user.
func (v *view) use() { v.users++ }

// leave ends a use; keep is the time it lives on.
func (k *Keeper) leave(v *view) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v.users--
	v.expires = k.now().Add(v.Keep)
	v.releaseLocked()
}

func (v *view) releaseLocked() {
	if v.gone && v.users == 0 {
		v.view.Release()
	}
}

// drop takes a view out of use for good.
func (v *view) drop() {
	v.gone = true
	v.releaseLocked()
}

// Reap lets go of what has expired.
func (k *Keeper) Reap() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
}

func (k *Keeper) reapLocked() {
	now := k.now()
	for id, s := range k.scrolls {
		if s.users == 0 && now.After(s.expires) {
			delete(k.scrolls, id)
			s.drop()
		}
	}
	for id, p := range k.pits {
		if p.users == 0 && now.After(p.expires) {
			delete(k.pits, id)
			p.drop()
		}
	}
	for id, a := range k.asyncs {
		if a.task.Ended() && now.After(a.Expires()) {
			k.forgetLocked(id)
		}
	}
}

// Close lets go of everything. Asynchronous searches belong to their task registry and must have ended.
func (k *Keeper) Close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, s := range k.scrolls {
		delete(k.scrolls, id)
		s.drop()
	}
	for id, p := range k.pits {
		delete(k.pits, id)
		p.drop()
	}
}

// Counts are the contexts that are open.
func (k *Keeper) Counts() (scrolls, pits, asyncs int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.scrolls), len(k.pits), len(k.asyncs)
}

// PIT is a point in time: searches see the documents there were when it was opened.
type PIT struct{ *view }

// OpenPIT opens a point in time over what an expression names.
func (k *Keeper) OpenPIT(expr string, opts store.ResolveOptions, keep time.Duration) (*PIT, error) {
	v, err := k.s.View(expr, opts)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w, err := k.open('p', keep, v)
	if err != nil {
		return nil, err
	}
	p := &PIT{w}
	k.pits[p.ID] = p
	return p, nil
}

// UsePIT hands out the view of a point in time; done is called when the search over it has ended. keep 0 leaves its keep-alive.
func (k *Keeper) UsePIT(id string, keep time.Duration) (v *store.View, done func(), err error) {
	if kindOf(id) != 'p' {
		return nil, nil, &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: "Cannot parse point in time id [" + id + "]"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
	p := k.pits[id]
	if p == nil {
		return nil, nil, Missing(id)
	}
	if keep > 0 {
		p.Keep = keep
	}
	p.use()
	return p.view.view, func() { k.leave(p.view) }, nil
}

// ClosePIT tells whether there was such a point in time.
func (k *Keeper) ClosePIT(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.pits[id]
	if p == nil {
		return false
	}
	delete(k.pits, id)
	p.drop()
	return true
}

// PITs are the points in time that are open, oldest first.
func (k *Keeper) PITs() []*PIT {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
	var out []*PIT
	for _, p := range k.pits {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *PIT) int {
		if c := a.Created.Compare(b.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// Scroll is a search whose pages are fetched one after the other.
type Scroll struct {
	*view
	turn  sync.Mutex // one page at a time
	req   query.Request
	enc   search.Encoding
	after *search.Cursor
	total int64
	rel   string
	begun bool // the first page is out
}

// OpenScroll opens a scroll; its first page is Next's first answer.
func (k *Keeper) OpenScroll(expr string, opts store.ResolveOptions, req *query.Request, enc search.Encoding, keep time.Duration) (*Scroll, error) {
	v, err := k.s.View(expr, opts)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	w, err := k.open('s', keep, v)
	if err != nil {
		return nil, err
	}
	s := &Scroll{view: w, req: *req, enc: enc}
	k.scrolls[s.ID] = s
	return s, nil
}

// FindScroll is an open scroll. keep 0 leaves its keep-alive.
func (k *Keeper) FindScroll(id string, keep time.Duration) (*Scroll, error) {
	if kindOf(id) != 's' {
		return nil, &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: "Cannot parse scroll id"}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reapLocked()
	s := k.scrolls[id]
	if s == nil {
		return nil, Missing(id)
	}
	if keep > 0 {
		s.Keep = keep
		s.expires = k.now().Add(keep)
	}
	return s, nil
}

// CloseScroll tells whether there was such a scroll.
func (k *Keeper) CloseScroll(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.scrolls[id]
	if s == nil {
		return false
	}
	delete(k.scrolls, id)
	s.drop()
	return true
}

// CloseScrolls closes all and tells how many.
func (k *Keeper) CloseScrolls() int {
	k.mu.Lock()
	ids := make([]string, 0, len(k.scrolls))
	for id := range k.scrolls {
		ids = append(ids, id)
	}
	k.mu.Unlock()
	n := 0
	for _, id := range ids {
		if k.CloseScroll(id) {
			n++
		}
	}
	return n
}
