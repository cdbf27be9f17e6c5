package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

// Bounds of a fetch.
const (
	maxFetchBytes = 8 << 20 // of one answer, beside a first batch that is larger
	fetchReadStep = 1 << 20 // read from a file at a time
	maxFetchWait  = 5 * time.Minute
)

// Versions of Fetch from which on something is so.
const (
	fetchSessionVersion  = 7
	fetchFlexibleVersion = 12
	fetchByIDVersion     = 13
)

// fetch is one Fetch request on its way to an answer.
type fetch struct {
	c       *conn
	b       *Broker
	req     *kmsg.FetchRequest
	session *fetchSession // nil without one
	parts   []*fetchPart
	bytes   int
	first   bool // nothing was taken yet: the next batch is taken whole
}

// fetchPart is one partition of a fetch.
type fetchPart struct {
	*sessionPart
	p      *partition
	code   int16
	spans  []journal.Span
	start  int64
	end    int64 // durable end
	stable int64 // last stable offset
}

// readCommitted is the isolation level that shows ended transactions only.
const readCommitted = 1

// handleFetch leaves all work to the writer: a slow reader then holds a request, not memory.
func handleFetch(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.FetchRequest)
	return func(ctx context.Context) (reply, error) {
		f := &fetch{c: c, b: c.b, req: req}
		if req.Version < fetchSessionVersion || req.SessionEpoch == -1 {
			c.b.sessions.close(req.SessionID)
			return f.full(ctx, sessionParts(req)), nil
		}
		if req.SessionEpoch == 0 {
			c.b.sessions.close(req.SessionID)
			parts := sessionParts(req)
			if f.session = c.b.sessions.make(parts); f.session != nil {
				f.session.mu.Lock()
				defer f.session.mu.Unlock()
			}
			return f.full(ctx, parts), nil
		}
		return f.incremental(ctx), nil
	}
}

// full answers for all partitions that the request names.
func (f *fetch) full(ctx context.Context, parts []*sessionPart) reply {
	f.find(parts)
	f.wait(ctx)
	return f.reply(func(fp *fetchPart) bool {
		fp.news(fp)
		return true
	})
}

// incremental answers for the partitions of a session that there is something new of.
func (f *fetch) incremental(ctx context.Context) reply {
	s := f.b.sessions.find(f.req.SessionID)
	if s == nil {
		return f.refuse(errFetchSessionID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != f.req.SessionEpoch {
		return f.refuse(errFetchSessionEpoch)
	}
	f.session = s
	s.epoch = nextEpoch(s.epoch)
	s.update(f.req)
	f.find(s.parts)
	f.wait(ctx)
	return f.reply(func(fp *fetchPart) bool { return fp.news(fp) })
}

// refuse answers that the session cannot be used: the client opens another.
func (f *fetch) refuse(code int16) reply {
	return reply{pieces: net.Buffers{f.tags(f.head(code, 0))}, flex: f.req.Version >= fetchFlexibleVersion}
}

// find looks the partitions up.
func (f *fetch) find(parts []*sessionPart) {
	f.parts = make([]*fetchPart, 0, len(parts))
	for _, sp := range parts {
		fp := &fetchPart{sessionPart: sp, start: -1, end: -1, stable: -1}
		unknown := errUnknownTopicOrPartition
		var t *topic
		if f.req.Version >= fetchByIDVersion {
			t, unknown = f.b.topics.getID(sp.key.id), errUnknownTopicID
		} else {
			t = f.b.topics.get(sp.key.topic)
		}
		name := sp.key.topic
		if t != nil {
			fp.p, unknown, name = t.partition(sp.key.partition), errUnknownTopicOrPartition, t.name
		}
		if fp.code = fp.check(); fp.p == nil {
			fp.code = unknown
		}
		if !f.c.mayTopic(acl.Read, name) {
			fp.code = errTopicDenied
		}
		f.parts = append(f.parts, fp)
	}
}

func (fp *fetchPart) check() int16 {
	switch {
	case fp.p == nil:
		return errUnknownTopicOrPartition
	case fp.p.offline != nil:
		return errStorage
	case fp.req.CurrentLeaderEpoch > leaderEpoch:
		return errUnknownLeaderEpoch
	case fp.req.CurrentLeaderEpoch >= 0 && fp.req.CurrentLeaderEpoch < leaderEpoch:
		return errFencedLeaderEpoch
	}
	return errNone
}

// wait collects until there is enough, something is wrong, or time is up.
func (f *fetch) wait(ctx context.Context) {
	limit := min(time.Duration(f.req.MaxWaitMillis)*time.Millisecond, maxFetchWait)
	if f.collect() || limit <= 0 || len(f.parts) == 0 {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	w := journal.NewWaiter()
	defer f.unwatch(w)
	for {
		f.watch(w)
		select {
		case <-w.C:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-f.b.done:
			return
		}
		if f.collect() {
			return
		}
	}
}

// watch waits for records behind those that were found.
func (f *fetch) watch(w *journal.Waiter) {
	for _, fp := range f.parts {
		if fp.code == errNone {
			fp.p.j.Watch(w, max(fp.end, fp.req.FetchOffset))
		}
	}
}

func (f *fetch) unwatch(w *journal.Waiter) {
	for _, fp := range f.parts {
		if fp.p != nil && fp.p.offline == nil {
			fp.p.j.Unwatch(w)
		}
	}
}

// collect reads all partitions anew and says whether the answer may go.
func (f *fetch) collect() bool {
	f.release()
	f.bytes, f.first = 0, true
	failed := false
	limit := min(int(f.req.MaxBytes), maxFetchBytes)
	turn := 0
	if len(f.parts) > 0 {
		turn = int(f.b.counters.fetchTurn.Add(1) % uint64(len(f.parts)))
	}
	for i := range f.parts {
		fp := f.parts[(turn+i)%len(f.parts)]
		if fp.code == errNone {
			f.read(fp, limit)
		}
		failed = failed || fp.code != errNone
	}
	return failed || f.bytes >= int(f.req.MinBytes)
}

// read takes spans of one partition while they fit. The first batch of the answer is taken whole whatever the limits.
func (f *fetch) read(fp *fetchPart, limit int) {
	if fp.p.deleted.Load() {
		fp.code = errUnknownTopicOrPartition
		return
	}
	fp.start, fp.stable, fp.end = fp.p.j.Start(), fp.p.stable(), fp.p.j.DurableEnd()
	next, got := fp.req.FetchOffset, 0
	if next > fp.end {
		fp.code = errOffsetOutOfRange
		return
	}
	end := fp.end
	if f.req.IsolationLevel == readCommitted {
		end = fp.stable
	}
	for next < end {
		room := min(limit-f.bytes, int(fp.req.PartitionMaxBytes)-got, fetchReadStep)
		if room <= 0 && !f.first {
			return
		}
		span, err := fp.p.j.Read(next, max(room, 1))
		var hole *journal.Hole
		if errors.As(err, &hole) && hole.Torn {
			next = hole.To // never acknowledged by a disk that kept its word; readers step over it
			continue
		}
		if err != nil {
			if got == 0 {
				fp.fail(f.b, err)
			}
			return
		}
		span = span.Cut(end)
		n := len(span.Bytes())
		if n == 0 || n > room && !f.first {
			span.Release()
			return
		}
		f.first = false
		fp.spans = append(fp.spans, span)
		f.bytes += n
		got += n
		next = span.Next
	}
}

// fail translates the error of a read.
func (fp *fetchPart) fail(b *Broker, err error) {
	var hole *journal.Hole
	switch {
	case errors.Is(err, journal.ErrOutOfRange):
		fp.code = errOffsetOutOfRange
	case errors.As(err, &hole):
		fp.code = errCorruptMessage
	case errors.Is(err, journal.ErrClosed):
		fp.code = errUnknownTopicOrPartition
	default:
		b.log.Error("records not read", "partition", fp.p.dir, "offset", fp.req.FetchOffset, "error", err)
		fp.code = errStorage
	}
}

func (f *fetch) release() {
	for _, fp := range f.parts {
		for _, s := range fp.spans {
			s.Release()
		}
		fp.spans = nil
	}
}

// head is the answer up to its topics.
func (f *fetch) head(code int16, topics int) []byte {
	var b []byte
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	if f.req.Version >= fetchSessionVersion {
		id := int32(0)
		if f.session != nil {
			id = f.session.id
		}
		b = binary.BigEndian.AppendUint16(b, uint16(code))
		b = binary.BigEndian.AppendUint32(b, uint32(id))
	}
	return f.arrayLen(b, topics)
}

// reply lays the answer out around the journals' own bytes, which are not copied. It is about the partitions that tell wants.
func (f *fetch) reply(tell func(fp *fetchPart) bool) reply {
	topics := [][]*fetchPart{}
	for _, fp := range f.parts {
		if !tell(fp) {
			continue
		}
		n := len(topics)
		if n > 0 && topics[n-1][0].key.topic == fp.key.topic && topics[n-1][0].key.id == fp.key.id {
			topics[n-1] = append(topics[n-1], fp)
		} else {
			topics = append(topics, []*fetchPart{fp})
		}
	}
	var pieces net.Buffers
	b := f.head(errNone, len(topics))
	for _, parts := range topics {
		if f.req.Version >= fetchByIDVersion {
			b = append(b, parts[0].key.id[:]...)
		} else {
			b = f.str(b, parts[0].key.topic)
		}
		b = f.arrayLen(b, len(parts))
		for _, fp := range parts {
			b = f.partition(b, fp)
			for _, s := range fp.spans {
				pieces = append(pieces, b, s.Bytes())
				b = nil
			}
			b = f.tags(b)
		}
		b = f.tags(b)
	}
	if b = f.tags(b); len(b) > 0 {
		pieces = append(pieces, b)
	}
	f.count()
	return reply{pieces: pieces, flex: f.req.Version >= fetchFlexibleVersion, release: f.release}
}

// partition is a partition's part up to the length of its records.
func (f *fetch) partition(b []byte, fp *fetchPart) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(fp.req.Partition))
	b = binary.BigEndian.AppendUint16(b, uint16(fp.code))
	b = binary.BigEndian.AppendUint64(b, uint64(fp.end)) // high watermark
	b = binary.BigEndian.AppendUint64(b, uint64(fp.stable))
	if f.req.Version >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(fp.start))
	}
	b = f.aborted(b, fp)
	if f.req.Version >= 11 {
		b = binary.BigEndian.AppendUint32(b, ^uint32(0)) // preferred read replica: none
	}
	n := 0
	for _, s := range fp.spans {
		n += len(s.Bytes())
	}
	if f.req.Version >= fetchFlexibleVersion {
		return binary.AppendUvarint(b, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// aborted lists the aborted transactions that have records in the answer, for who wants to leave them out.
func (f *fetch) aborted(b []byte, fp *fetchPart) []byte {
	var list []abortedTxn
	if n := len(fp.spans); n > 0 && f.req.IsolationLevel == readCommitted {
		list = fp.p.abortedIn(fp.spans[0].From, fp.spans[n-1].Next)
	}
	b = f.arrayLen(b, len(list))
	for _, a := range list {
		b = binary.BigEndian.AppendUint64(b, uint64(a.producer))
		b = binary.BigEndian.AppendUint64(b, uint64(a.first))
		b = f.tags(b)
	}
	return b
}

func (f *fetch) count() {
	for _, fp := range f.parts {
		for _, s := range fp.spans {
			fp.p.fetchedRecords.Add(s.Next - s.From)
			fp.p.fetchedBytes.Add(int64(len(s.Bytes())))
		}
	}
}

func (f *fetch) arrayLen(b []byte, n int) []byte {
	if f.req.Version >= fetchFlexibleVersion {
		return binary.AppendUvarint(b, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func (f *fetch) str(b []byte, s string) []byte {
	if f.req.Version >= fetchFlexibleVersion {
		b = binary.AppendUvarint(b, uint64(len(s))+1)
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	}
	return append(b, s...)
}

func (f *fetch) tags(b []byte) []byte {
	if f.req.Version >= fetchFlexibleVersion {
		return append(b, 0)
	}
	return b
}
