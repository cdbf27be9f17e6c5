package agent

import (
	"context"
	"runtime/debug"
	"sync"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
)

// lane reads the files of some chains, one after the other, and ships what it read. The reader and the sender are one goroutine each;
// two batches go between them, so that one is filled while the other waits for its acknowledgement.
type lane struct {
	a *Agent

	mu    sync.Mutex // guards what follows
	ready []*source  // in the order of their wake-ups
	head  int        // of ready

	signal chan struct{} // one pending wake-up
	hand   chan *batch   // reader to sender; the sender takes when it has nothing in flight
	free   chan *batch   // sender to reader
	pushes chan *pushed  // listeners to sender
	idle   chan struct{} // closed when the sender has ended

	lost []ledger.Range // the sender's: records of the batch under way that no topic takes

	// The reader's.
	batch   *batch
	slab    []byte // proof and new bytes of one read
	headBuf []byte
	now     time.Time
	stamp   []byte // now, rendered
	msg     lines.Message
	scratch lines.Scratch
	dec     map[*lines.Encoding]*lines.Decoder
	later   []delayed // ascending by time
	open    map[*chain]struct{}
	parked  []parking
	clock   int64              // of parked
	refs    map[uint32]*source // for messages that are not of the source being read
	pruneAt int                // number of refs at which those that are over are looked for
	cur     *source
	base    int64 // position of cur at which the slab begins, behind the proof
	lastDue time.Time
	trimmed bool // the batches hold no buffer
	openErr error
}

// delayed is a source that is served no earlier than at.
type delayed struct {
	src *source
	at  time.Time
}

// parking is a descriptor of a file that was read to its end.
type parking struct {
	src   *source
	stamp int64
	at    time.Time
}

// trimAfter is how long a lane keeps its buffers while it has nothing to do.
const trimAfter = 5 * time.Second

// duePeriod is how often messages that wait for more lines are looked at.
const duePeriod = 100 * time.Millisecond

func newLane(a *Agent, limit int) *lane {
	l := &lane{
		a: a, signal: make(chan struct{}, 1), hand: make(chan *batch), free: make(chan *batch, 1), pushes: make(chan *pushed), idle: make(chan struct{}),
		batch: newBatch(limit), slab: make([]byte, tailBytes+slabBytes), headBuf: make([]byte, headBytes),
		dec: map[*lines.Encoding]*lines.Decoder{}, open: map[*chain]struct{}{}, refs: map[uint32]*source{},
	}
	l.free <- newBatch(limit)
	return l
}

// wake puts s into the ring: there may be something to read. Any goroutine.
func (l *lane) wake(s *source) {
	l.mu.Lock()
	if !s.queued {
		s.queued = true
		l.ready = append(l.ready, s)
	}
	l.mu.Unlock()
	select {
	case l.signal <- struct{}{}:
	default:
	}
}

// pop takes the next source out of the ring, nil when none waits.
func (l *lane) pop() *source {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == len(l.ready) {
		return nil
	}
	s := l.ready[l.head]
	l.ready[l.head] = nil
	l.head++
	if l.head == len(l.ready) {
		l.ready, l.head = l.ready[:0], 0
	} else if l.head > 1024 && l.head*2 > len(l.ready) {
		n := copy(l.ready, l.ready[l.head:])
		clear(l.ready[n:])
		l.ready, l.head = l.ready[:n], 0
	}
	s.queued = false
	return s
}

// read serves the ring until ctx ends; then what was read goes to the sender and the lane's hand closes.
func (l *lane) read(ctx context.Context) {
	defer close(l.hand)
	for ctx.Err() == nil {
		l.now = time.Now()
		l.dues()
		s := l.next()
		if s == nil {
			l.rest(ctx)
			continue
		}
		l.trimmed = false
		l.serve(s)
		l.offer()
	}
	l.handOver()
}

// next is the source to serve now: one whose pause is over, or one from the ring.
func (l *lane) next() *source {
	if len(l.later) > 0 && !l.now.Before(l.later[0].at) {
		s := l.later[0].src
		l.later[0] = delayed{}
		l.later = l.later[1:]
		s.delayed = false
		return s
	}
	for {
		s := l.pop()
		if s == nil || !l.now.Before(s.next) {
			return s
		}
		l.delay(s, s.next)
	}
}

// delay serves s at a time. The pauses are equal, so the list stays sorted.
func (l *lane) delay(s *source, at time.Time) {
	if !s.delayed {
		s.delayed = true
		l.later = append(l.later, delayed{s, at})
	}
}

// rest waits for a wake-up, a pause to end, or a sender that takes what was read.
func (l *lane) rest(ctx context.Context) {
	var timer <-chan time.Time
	d, ok := l.pause()
	var hand chan *batch
	if !l.batch.empty() {
		hand = l.hand
	} else if !l.trimmed && (!ok || d > trimAfter) {
		d, ok = trimAfter, true
	}
	if ok {
		t := time.NewTimer(d)
		defer t.Stop()
		timer = t.C
	}
	select {
	case hand <- l.batch:
		l.refill()
	case <-l.signal:
	case <-timer:
		l.trim()
	case <-ctx.Done():
	}
}

// trim lets the buffers of batches go when the lane has nothing to do.
func (l *lane) trim() {
	if l.trimmed || !l.batch.empty() || len(l.later) > 0 {
		return
	}
	l.batch.drop()
	select {
	case b := <-l.free:
		b.drop()
		l.free <- b
		l.trimmed = true
		l.a.release(l.now)
	default:
	}
}

// releaseEvery is the least pause between two collections that give memory back to the system.
const releaseEvery = time.Minute

// release gives the memory of buffers back to the system when all lanes have let theirs go: without work the collector would wait for
// minutes.
func (a *Agent) release(now time.Time) {
	for _, l := range a.lanes {
		l.mu.Lock()
		busy := l.head < len(l.ready)
		l.mu.Unlock()
		if busy {
			return
		}
	}
	if last := a.released.Load(); now.UnixNano()-last >= int64(releaseEvery) && a.released.CompareAndSwap(last, now.UnixNano()) {
		debug.FreeOSMemory()
	}
}

// pause is the time until something is due, if anything is.
func (l *lane) pause() (time.Duration, bool) {
	d, ok := time.Duration(0), false
	if len(l.later) > 0 {
		d, ok = l.later[0].at.Sub(l.now), true
	}
	if len(l.open) > 0 {
		if next := l.lastDue.Add(duePeriod).Sub(l.now); !ok || next < d {
			d, ok = next, true
		}
	}
	if len(l.parked) > 0 {
		if next := l.parked[0].at.Add(l.parked[0].src.in.conf.CloseInactive).Sub(l.now); !ok || next < d {
			d, ok = next, true
		}
	}
	return max(d, 0), ok
}

// offer gives the batch to the sender if that waits for one.
func (l *lane) offer() {
	if l.batch.empty() {
		return
	}
	select {
	case l.hand <- l.batch:
		l.refill()
	default:
	}
}

// handOver gives the batch to the sender and waits until it takes it, or has ended.
func (l *lane) handOver() {
	if l.batch.empty() {
		return
	}
	select {
	case l.hand <- l.batch:
		l.refill()
	case <-l.idle:
		l.batch.reset() // what was in it is read again after the next start
	}
}

func (l *lane) refill() {
	select {
	case l.batch = <-l.free:
	case <-l.idle:
		l.batch = newBatch(l.batch.limit)
	}
}

// exhausted is up to when all lines of the chain are known to have been taken: now, or the last time a file that waits to be read was
// read to its end. A message is not given up for want of lines that are in the file while the reader waits for an acknowledgement.
func (l *lane) exhausted(c *chain) time.Time {
	at := l.now
	l.a.mu.Lock()
	defer l.a.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range c.list {
		if s.phase == reading && (s.queued || s.delayed) && s.endedAt.Before(at) {
			at = s.endedAt
		}
	}
	return at
}

// dues hands on messages that waited long enough for more lines, and closes descriptors nobody needed for long.
func (l *lane) dues() {
	if len(l.open) > 0 && l.now.Sub(l.lastDue) >= duePeriod {
		l.lastDue = l.now
		for c := range l.open {
			c.joiner.Due(l.exhausted(c))
			l.settleLagging(c)
			if c.joiner.Held() == 0 {
				delete(l.open, c)
			}
			if l.batch.full() {
				l.handOver()
			}
		}
	}
	for len(l.parked) > 0 {
		p := l.parked[0]
		if p.stamp == p.src.parked && l.now.Sub(p.at) < p.src.in.conf.CloseInactive {
			return
		}
		l.unpark()
	}
}
