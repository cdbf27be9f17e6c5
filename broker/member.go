package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Bounds of an embedded member.
const (
	pollBytes = 1 << 20                // about what one Poll returns, after decompression
	readBytes = 64 << 10               // the least that is asked of a journal at once
	pollWait  = 500 * time.Millisecond // how long an idle Poll waits
	heldBytes = 64 << 20               // polled and not committed; past it Poll returns nothing
)

// member is a group member in this process: no socket, no heartbeats, alive until Close. It reads batches where the journal keeps
// them and decodes them in place, so the bytes of its records are the journal's until the Commit that covers them.
type member struct {
	b      *Broker
	group  string
	topics []string
	link   *embeddedLink
	ms     membership
	recs   []queue.Record  // reused by each Poll
	ends   map[place]int64 // where partitions without a commit start; the oldest record where it says nothing

	mu     sync.Mutex
	parts  map[partKey]*reading
	order  []*reading // in turn
	turn   int
	seeks  map[partKey]queue.Position // for partitions not assigned yet
	held   int64
	small  arena                  // opened batches that are small
	dirty  map[place]offsetRecord // commits not yet written
	closed bool

	flushing sync.Mutex // one flush at a time, so that an older commit is not written after a newer one
}

type partKey struct {
	topic     string
	partition int32
}

// reading is one assigned partition.
type reading struct {
	p         *partition
	next      int64 // offset of the next record to give
	ratio     int   // of the last compressed batches: bytes opened for one read, at least 1
	committed int64
	spans     []heldSpan
}

// heldSpan is what uncommitted records point into: a piece of the journal, or the slab a batch was opened into.
type heldSpan struct {
	end   int64 // offset after its last record
	bytes int64
	mem   interface{ Release() }
}

// hold keeps memory until the commit that covers the records below end.
func (m *member) hold(r *reading, end int64, bytes int, mem interface{ Release() }) {
	r.spans = append(r.spans, heldSpan{end, int64(bytes), mem})
	m.held += int64(bytes)
}

func newMember(b *Broker, group string, topics []string) *member {
	topics = slices.Clone(topics)
	slices.Sort(topics)
	m := &member{
		b: b, group: group, topics: slices.Compact(topics), link: &embeddedLink{w: journal.NewWaiter()},
		small: arena{pool: b.pool}, parts: map[partKey]*reading{}, seeks: map[partKey]queue.Position{}, dirty: map[place]offsetRecord{},
	}
	m.ms.generation = -1
	return m
}

// Seek implements queue.Member.
func (m *member) Seek(ctx context.Context, pos []queue.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.b.isClosed() {
		return queue.ErrClosed
	}
	for _, p := range pos {
		k := partKey{p.Topic, p.Partition}
		if r := m.parts[k]; r == nil {
			m.seeks[k] = p
		} else if r.sameTopic(p) {
			r.next = p.Offset
		}
	}
	return ctx.Err()
}

// sameTopic reports whether a position speaks of this life of the topic.
func (r *reading) sameTopic(p queue.Position) bool {
	return p.TopicID == [16]byte{} || p.TopicID == [16]byte(r.p.topic.id)
}

// Poll implements queue.Member.
func (m *member) Poll(ctx context.Context) ([]queue.Record, error) {
	var timeout <-chan time.Time
	for {
		if m.isClosed() {
			return nil, queue.ErrClosed
		}
		if err := m.stepMembership(); err != nil {
			return nil, err
		}
		recs, err := m.collect()
		if len(recs) > 0 || err != nil {
			return recs, err
		}
		if timeout == nil {
			timer := time.NewTimer(pollWait)
			defer timer.Stop()
			timeout = timer.C
		}
		m.watch()
		select {
		case <-m.link.w.C:
		case <-m.ms.changed:
		case <-timeout:
			return nil, nil
		case <-m.b.done:
			return nil, queue.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *member) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed || m.b.isClosed()
}

// watch asks the journals to wake this member when there is more; not while it may not read more anyway.
func (m *member) watch() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held >= heldBytes {
		return
	}
	for _, r := range m.order {
		if r.p.offline == nil && !r.p.deleted.Load() {
			r.p.j.Watch(m.link.w, r.next)
		}
	}
}

// collect decodes what is there, partition after partition, up to pollBytes.
func (m *member) collect() ([]queue.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	recs := m.recs[:0]
	var bytes int
	var err error
	for range m.order {
		if bytes >= pollBytes || m.held >= heldBytes {
			break
		}
		m.turn = (m.turn + 1) % len(m.order)
		var n int
		recs, n, err = m.read(m.order[m.turn], recs, pollBytes-bytes)
		bytes += n
		if err != nil {
			break
		}
	}
	m.recs = recs
	if len(recs) > 0 {
		return recs, nil // an error is met again by the next Poll
	}
	return nil, err
}

// read decodes records of one partition. It moves over a gap only when it can report it, that is with no records before it.
func (m *member) read(r *reading, recs []queue.Record, room int) ([]queue.Record, int, error) {
	if r.p.offline != nil || r.p.deleted.Load() {
		return recs, 0, nil
	}
	span, err := r.p.j.Read(r.next, max(room/max(r.ratio, 1), min(room, readBytes)))
	if err != nil {
		return recs, 0, m.unreadable(r, err, len(recs) == 0)
	}
	if len(span.Bytes()) == 0 {
		span.Release()
		return recs, 0, nil
	}
	before := len(recs)
	d := decoder{m: m, r: r, recs: recs, room: room}
	err = d.span(span.Bytes(), len(recs) == 0)
	r.p.fetchedRecords.Add(int64(len(d.recs) - before))
	r.p.fetchedBytes.Add(int64(d.packed + d.plain))
	if d.packed > 0 {
		r.ratio = max(1, d.opened/d.packed)
	}
	if d.plain == 0 { // nothing points into the journal's bytes
		span.Release()
		return d.recs, d.opened, err
	}
	m.hold(r, r.next, len(span.Bytes()), span)
	return d.recs, d.plain + d.opened, err
}

// unreadable turns a failed read into a Gap where there is one to step over.
func (m *member) unreadable(r *reading, err error, report bool) error {
	var hole *journal.Hole
	switch {
	case errors.As(err, &hole):
		if !report {
			return nil
		}
		return r.gap(hole.To, hole.Error())
	case errors.Is(err, journal.ErrClosed):
		return nil // the topic goes, or the broker; both are met elsewhere
	case !errors.Is(err, journal.ErrOutOfRange):
		return fmt.Errorf("read %s-%d: %w", r.p.topic.name, r.p.n, err)
	}
	start, end := r.p.j.Start(), r.p.j.DurableEnd()
	switch {
	case r.next < start && report:
		return r.gap(start, "retention removed them")
	case r.next > end:
		m.b.log.Warn("position is behind the end, reading goes on at the end", "group", m.group, "topic", r.p.topic.name,
			"partition", r.p.n, "position", r.next, "end", end)
		r.next = end
	}
	return nil
}

// gap steps over the offsets up to to.
func (r *reading) gap(to int64, why string) error {
	g := &queue.Gap{Topic: r.p.topic.name, TopicID: r.p.topic.id, Partition: r.p.n, From: r.next, To: to, Why: why}
	r.next = to
	return g
}

// decoder turns batches into records.
type decoder struct {
	m       *member
	r       *reading
	recs    []queue.Record
	headers []queue.Header // one array for many records; never reused, since records outlive the Poll
	room    int            // bytes of records after which no further batch is begun
	plain   int            // bytes of batches that records point into
	packed  int            // bytes of batches that were opened
	opened  int            // the same after decompression
}

// span decodes whole batches. At one that cannot be opened it stops, and reports the gap when report says so and nothing was decoded.
// The journal's bytes are to be held when d.plain is not 0 afterwards.
func (d *decoder) span(b []byte, report bool) error {
	before := len(d.recs)
	for len(b) > 0 && d.plain+d.opened < d.room {
		h, err := journal.ParseHeader(b)
		if err != nil {
			return err // the journal gives whole, checked batches only
		}
		if h.Attributes&journal.AttrControl == 0 {
			if err := d.batch(&h, b[:h.Size()]); err != nil {
				if len(d.recs) > before || !report {
					return nil
				}
				return d.r.gap(h.Next(), err.Error())
			}
		}
		d.r.next = max(d.r.next, h.Next())
		b = b[h.Size():]
	}
	return nil
}

// batch decodes one batch from the reading's next offset on; on an error nothing of it is kept.
func (d *decoder) batch(h *journal.Header, b []byte) error {
	if h.Codec() == journal.CodecNone {
		kept, err := d.records(h, b[journal.HeaderSize:])
		if kept {
			d.plain += len(b)
		}
		return err
	}
	slab, block, err := d.m.b.codecs.Open(h.Codec(), b[journal.HeaderSize:])
	if err != nil {
		return fmt.Errorf("batch at offset %d: %w", h.BaseOffset, err)
	}
	d.packed, d.opened = d.packed+len(b), d.opened+len(block)
	held := cap(slab.Bytes())
	if len(block) < arenaBelow {
		large := slab
		held = len(block)
		slab, block = d.m.small.keep(block)
		large.Release()
	}
	kept, err := d.records(h, block)
	if !kept {
		slab.Release()
		return err
	}
	d.m.hold(d.r, h.Next(), held, slab)
	return nil
}

// records decodes a block from the reading's next offset on, and reports whether records point into it.
func (d *decoder) records(h *journal.Header, block []byte) (bool, error) {
	keep := len(d.recs)
	it := journal.RecordsIn(*h, block)
	var rec journal.Record
	for it.Next(&rec) {
		if rec.Offset < d.r.next {
			continue
		}
		d.record(&rec)
	}
	if err := it.Err(); err != nil {
		d.recs = d.recs[:keep]
		return false, fmt.Errorf("batch at offset %d: %w", h.BaseOffset, err)
	}
	return len(d.recs) > keep, nil
}

func (d *decoder) record(rec *journal.Record) {
	t := d.r.p.topic
	d.recs = append(d.recs, queue.Record{
		Topic: t.name, TopicID: t.id, Partition: d.r.p.n, Offset: rec.Offset, Time: time.UnixMilli(rec.Time), Key: rec.Key, Value: rec.Value,
	})
	if len(rec.Headers) == 0 {
		return
	}
	r := &d.recs[len(d.recs)-1]
	first := len(d.headers)
	for _, h := range rec.Headers {
		if h.Key == ledger.Header && r.Origin.IsZero() {
			if origin, err := ledger.ParseHeader(h.Value); err == nil {
				r.Origin = origin
				continue
			}
		}
		d.headers = append(d.headers, queue.Header(h))
	}
	if len(d.headers) > first {
		r.Headers = d.headers[first:len(d.headers):len(d.headers)]
	}
}

// Commit implements queue.Member.
func (m *member) Commit(ctx context.Context, pos []queue.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.b.isClosed() {
		return queue.ErrClosed
	}
	now, revoked := nowMs(), m.link.evicted.Load()
	for _, p := range pos {
		r := m.parts[partKey{p.Topic, p.Partition}]
		if r == nil || !r.sameTopic(p) || m.link.evicted.Load() {
			revoked = true
			continue
		}
		r.committed = p.Offset
		m.dirty[place{r.p.topic.id, p.Partition}] = offsetRecord{
			Topic: r.p.topic.id, Partition: p.Partition, Offset: p.Offset, Epoch: -1, Time: now,
		}
		m.release(r, p.Offset)
	}
	if revoked {
		return queue.ErrRevoked
	}
	return ctx.Err()
}

// release gives back what lies wholly below offset.
func (m *member) release(r *reading, offset int64) {
	full := m.held >= heldBytes
	keep := r.spans[:0]
	for _, s := range r.spans {
		if s.end > offset {
			keep = append(keep, s)
			continue
		}
		s.mem.Release()
		m.held -= s.bytes
	}
	clear(r.spans[len(keep):])
	r.spans = keep
	if full && m.held < heldBytes {
		m.link.signal()
	}
}

// flush makes the commits taken so far durable.
func (m *member) flush() error {
	m.flushing.Lock()
	defer m.flushing.Unlock()
	m.mu.Lock()
	dirty := m.dirty
	if len(dirty) == 0 {
		m.mu.Unlock()
		return nil
	}
	m.dirty = map[place]offsetRecord{}
	id := m.ms.committer.Load()
	m.mu.Unlock()
	offsets := make([]offsetRecord, 0, len(dirty))
	for _, o := range dirty {
		offsets = append(offsets, o)
	}
	g := m.b.groups.find(m.group)
	if g == nil || id == nil {
		return nil // the group was deleted: the member starts over at its next Poll
	}
	mark, code := g.commitEmbedded(*id, offsets)
	switch code {
	case errNone:
	case errUnknownMemberID:
		return nil // evicted: these partitions are another's
	default:
		m.keepDirty(dirty)
		return fmt.Errorf("commit of group %s: refused with code %d", m.group, code)
	}
	if err := m.b.meta.sync(mark); err != nil {
		m.keepDirty(dirty)
		return err
	}
	return nil
}

// keepDirty puts commits back that were not written, unless newer ones came.
func (m *member) keepDirty(dirty map[place]offsetRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, o := range dirty {
		if _, ok := m.dirty[p]; !ok {
			m.dirty[p] = o
		}
	}
}

// take begins to read newly assigned partitions: where Seek said, else at the commit, else at the oldest record.
func (m *member) take(assigned map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, ns := range assigned {
		t := m.b.topics.get(name)
		for _, n := range ns {
			k := partKey{name, n}
			if t == nil || t.partition(n) == nil || m.parts[k] != nil {
				continue
			}
			r := &reading{p: t.partition(n)}
			m.place(r, k)
			m.parts[k] = r
			m.order = append(m.order, r)
		}
	}
	slices.SortFunc(m.order, func(a, b *reading) int { return int(a.p.n - b.p.n) })
}

func (m *member) place(r *reading, k partKey) {
	if o, ok := m.b.meta.committed(m.group, place{r.p.topic.id, k.partition}); ok {
		r.next, r.committed = o.Offset, o.Offset
	} else if end, ok := m.ends[place{r.p.topic.id, k.partition}]; ok {
		r.next = end
	} else if r.p.offline == nil {
		r.next = r.p.j.Start()
	}
	if pos, ok := m.seeks[k]; ok && r.sameTopic(pos) {
		r.next = pos.Offset
		delete(m.seeks, k)
	}
}

// lose gives partitions up.
func (m *member) lose(keys []partKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		r := m.parts[k]
		if r == nil {
			continue
		}
		delete(m.parts, k)
		delete(m.dirty, place{r.p.topic.id, k.partition})
		m.order = slices.DeleteFunc(m.order, func(o *reading) bool { return o == r })
		for _, s := range r.spans {
			s.mem.Release()
			m.held -= s.bytes
		}
		if r.p.offline == nil {
			r.p.j.Unwatch(m.link.w)
		}
	}
}

func (m *member) loseAll() {
	m.mu.Lock()
	keys := make([]partKey, 0, len(m.parts))
	for k := range m.parts {
		keys = append(keys, k)
	}
	m.mu.Unlock()
	m.lose(keys)
}

// Close implements queue.Member.
func (m *member) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	var err error
	if !m.b.isClosed() {
		err = m.flush()
		if g, id := m.b.groups.find(m.group), m.ms.committer.Load(); g != nil && id != nil {
			g.leave(*id, nil)
		}
	}
	m.loseAll()
	m.mu.Lock()
	m.small.close()
	m.mu.Unlock()
	m.b.mu.Lock()
	delete(m.b.members, m)
	m.b.mu.Unlock()
	return err
}
