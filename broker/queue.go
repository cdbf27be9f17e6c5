package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

var _ queue.Queue = (*Broker)(nil)

// batchTarget is about how large the batches are that Produce cuts a call into; a larger record has a batch of its own.
const batchTarget = 1<<20 - journal.HeaderSize

// When the batches of this process's own producers are compressed.
const (
	packFrom   = 2 << 10 // bytes of the smallest batch that is
	packPauses = 32      // batches of a partition that are not tried after one that did not get smaller
)

// Bounds of what a record takes beside its bytes: lengths, deltas, counts; a header's lengths; the header that carries the origin.
const (
	recordOverhead = 32
	headerOverhead = 10
	originOverhead = headerOverhead + len(ledger.Header) + 1 + 16 + 10 + 10
)

// Produce implements queue.Queue. The records of each partition go in their order; partitions are synced side by side.
func (b *Broker) Produce(ctx context.Context, recs []queue.Record) error {
	if len(recs) == 0 {
		return nil
	}
	c := &produceCall{b: b, recs: recs, of: make([]int32, len(recs)), size: make([]int32, len(recs))}
	if b.isClosed() {
		return c.failAll(queue.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return c.failAll(err)
	}
	if err := c.route(); err != nil {
		return err
	}
	for k := range c.dests {
		c.append(int32(k))
	}
	c.sync()
	return c.result()
}

// produceCall is one call of Produce.
type produceCall struct {
	b       *Broker
	recs    []queue.Record
	of      []int32 // destination of each record
	size    []int32 // bound of each record's size in a batch
	dests   []*destination
	builder journal.Builder
	headers []journal.RecordHeader
	origin  []byte
}

// destination is the part of a call that goes to one partition, or the part whose topic cannot be had.
type destination struct {
	topic   *topic
	name    string
	p       *partition
	batches []builtBatch
	ok      int // records known durable; the rest failed
	records int
	err     error
}

type builtBatch struct {
	records int
	mark    journal.Mark
}

// route finds each record's partition and checks its size.
func (c *produceCall) route() error {
	var last *topicRoute
	routes := map[string]*topicRoute{}
	for i := range c.recs {
		r := &c.recs[i]
		if last == nil || last.name != r.Topic {
			last = routes[r.Topic]
			if last == nil {
				last = c.routeTopic(r.Topic)
				routes[r.Topic] = last
			}
		}
		size := boundSize(r)
		if last.topic != nil {
			if limit := last.limit; size+journal.HeaderSize > limit {
				return &queue.TooLargeError{Index: i, Size: size, Limit: limit}
			}
		}
		c.of[i], c.size[i] = c.choose(last, r), int32(size)
	}
	return nil
}

// topicRoute is what a call knows of a topic.
type topicRoute struct {
	name    string
	topic   *topic
	parts   []*partition
	limit   int
	compact bool            // records need a key
	dests   map[int32]int32 // partition -> index into produceCall.dests; -1 is the destination of what fails
	turn    int32           // partition of the records without a key
	err     error
	lastKey []byte
	lastOf  int32
	hasLast bool
}

func (c *produceCall) routeTopic(name string) *topicRoute {
	tr := &topicRoute{name: name, dests: map[int32]int32{}}
	t, terr := c.b.topicFor(name, true)
	if terr != nil {
		tr.err = produceError(terr.code, terr)
		return tr
	}
	cfg := t.config.Load()
	tr.topic, tr.parts, tr.limit, tr.compact = t, t.partitions(), cfg.maxMessage, cfg.compact
	tr.turn = int32((t.turn.Add(1) - 1) % uint32(len(tr.parts)))
	return tr
}

var errNoKey = errors.New("records of a compacted topic need a key")

// choose gives the destination of a record.
func (c *produceCall) choose(tr *topicRoute, r *queue.Record) int32 {
	switch {
	case tr.err != nil:
		return c.dest(tr, -1, tr.err)
	case r.Explicit:
		if r.Partition < 0 || int(r.Partition) >= len(tr.parts) {
			return c.dest(tr, -1, fmt.Errorf("%w: topic %s has no partition %d", queue.ErrUnknownTopic, tr.name, r.Partition))
		}
		return c.dest(tr, r.Partition, nil)
	case r.Key == nil && tr.compact:
		return c.dest(tr, -1, errNoKey)
	case r.Key == nil:
		return c.dest(tr, tr.turn, nil)
	case tr.hasLast && bytes.Equal(tr.lastKey, r.Key):
		return tr.lastOf
	}
	tr.lastKey, tr.hasLast = r.Key, true
	tr.lastOf = c.dest(tr, queue.PartitionOf(r.Key, int32(len(tr.parts))), nil)
	return tr.lastOf
}

func (c *produceCall) dest(tr *topicRoute, n int32, err error) int32 {
	k, ok := tr.dests[n]
	if !ok {
		k = int32(len(c.dests))
		d := &destination{topic: tr.topic, name: tr.name, err: err}
		if n >= 0 {
			d.p = tr.parts[n]
		}
		tr.dests[n] = k
		c.dests = append(c.dests, d)
	}
	c.dests[k].records++
	return k
}

// boundSize bounds a record's bytes in a batch.
func boundSize(r *queue.Record) int {
	n := recordOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += headerOverhead + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	if !r.Origin.IsZero() {
		n += originOverhead
	}
	return n
}

// append encodes the records of a destination and writes them, a batch at a time, up to the first failure.
func (c *produceCall) append(k int32) {
	d := c.dests[k]
	if d.err != nil {
		return
	}
	limit := min(batchTarget, d.topic.config.Load().maxMessage-journal.HeaderSize)
	now := time.Now()
	for first := 0; first < len(c.recs) && d.err == nil; {
		size, end := 0, first
		for ; end < len(c.recs); end++ {
			if c.of[end] != k {
				continue
			}
			if size > 0 && size+int(c.size[end]) > limit {
				break
			}
			size += int(c.size[end])
		}
		if size == 0 {
			break
		}
		c.appendBatch(k, d, first, end, size, now)
		first = end
	}
}

// appendBatch writes the records of destination k in recs[first:end] as one batch of at most size bytes and the header.
func (c *produceCall) appendBatch(k int32, d *destination, first, end, size int, now time.Time) {
	slab := c.b.pool.Slab(size + journal.HeaderSize)
	defer slab.Release()
	c.builder.Reset(slab.Bytes()[:0])
	for i := first; i < end; i++ {
		if c.of[i] == k {
			c.add(&c.recs[i], now)
		}
	}
	records := c.builder.Count()
	mark, err := c.write(d, slab, c.builder.FinishUnsealed(), records)
	if err != nil {
		d.err = storageError(err)
		return
	}
	offset := mark.Base
	for i := first; i < end; i++ {
		if c.of[i] == k {
			r := &c.recs[i]
			r.TopicID, r.Partition, r.Offset = d.topic.id, d.p.n, offset
			offset++
		}
	}
	d.batches = append(d.batches, builtBatch{records, mark})
}

// write appends a batch without CRC that lies in s, compressed where that pays.
func (c *produceCall) write(d *destination, s *journal.Slab, b []byte, records int) (journal.Mark, error) {
	codec := d.topic.config.Load().ownCodec
	if codec != journal.CodecNone && len(b) >= packFrom && d.p.tryPack() {
		if packed, out := c.b.codecs.Pack(codec, b); packed != nil {
			defer packed.Release()
			return d.p.appendBuilt(nil, out, records)
		}
		d.p.packPause.Store(packPauses)
	}
	journal.SetCodec(b, journal.CodecNone)
	return d.p.appendBuilt(s, b, records)
}

func (c *produceCall) add(r *queue.Record, now time.Time) {
	at := r.Time
	if at.IsZero() {
		at = now
	}
	c.headers = c.headers[:0]
	for i := range r.Headers {
		c.headers = append(c.headers, journal.RecordHeader(r.Headers[i]))
	}
	if !r.Origin.IsZero() {
		c.origin = ledger.AppendHeader(c.origin[:0], r.Origin)
		c.headers = append(c.headers, journal.RecordHeader{Key: ledger.Header, Value: c.origin})
	}
	c.builder.Add(at.UnixMilli(), r.Key, r.Value, c.headers)
}

// sync waits until every destination's batches are durable.
func (c *produceCall) sync() {
	var wg sync.WaitGroup
	for _, d := range c.dests[1:] {
		if len(d.batches) > 0 {
			wg.Go(d.sync)
		}
	}
	c.dests[0].sync()
	wg.Wait()
}

// sync waits for the last batch; when that fails, it finds out how many are durable nevertheless.
func (d *destination) sync() {
	if len(d.batches) == 0 {
		return
	}
	last := d.batches[len(d.batches)-1]
	err := d.p.sync(last.mark)
	for _, batch := range d.batches {
		if err != nil && d.p.j.Sync(batch.mark) != nil {
			d.err = storageError(err)
			return
		}
		d.ok += batch.records
	}
}

// result names the records that are not durable.
func (c *produceCall) result() error {
	failed := &queue.ProduceError{}
	for _, d := range c.dests {
		if d.err != nil && failed.Err == nil {
			failed.Err = d.err
		}
	}
	if failed.Err == nil {
		return nil
	}
	seen := make([]int, len(c.dests))
	for i, k := range c.of {
		if seen[k] >= c.dests[k].ok {
			failed.Failed = append(failed.Failed, i)
		}
		seen[k]++
	}
	return failed
}

func (c *produceCall) failAll(err error) error {
	failed := &queue.ProduceError{Err: err}
	for i := range c.recs {
		failed.Failed = append(failed.Failed, i)
	}
	return failed
}

// storageError is the border's word for a failed append or sync.
func storageError(err error) error {
	switch {
	case errors.Is(err, errTopicDeleted):
		return fmt.Errorf("%w: %w", queue.ErrUnknownTopic, err)
	case errors.Is(err, journal.ErrClosed):
		return fmt.Errorf("%w: %w", queue.ErrClosed, err)
	case isFull(err):
		return fmt.Errorf("%w: %w", queue.ErrFull, err)
	}
	return err
}

// produceError is the border's word for a topic that cannot be had.
func produceError(code int16, err error) error {
	switch code {
	case errUnknownTopicOrPartition, errInvalidTopic:
		return fmt.Errorf("%w: %w", queue.ErrUnknownTopic, err)
	case errStorage:
		return fmt.Errorf("%w: %w", queue.ErrFull, err)
	}
	return err
}

// Join implements queue.Queue.
func (b *Broker) Join(ctx context.Context, group string, topics ...string) (queue.Member, error) {
	return b.join(ctx, newMember(b, group, topics))
}

// Newest is the broker as a queue whose groups start at the newest record instead of at the oldest when they have no commit. What is
// produced after Join is read, also in partitions that did not exist then.
func (b *Broker) Newest() queue.Queue { return newest{b} }

type newest struct{ *Broker }

func (b newest) Join(ctx context.Context, group string, topics ...string) (queue.Member, error) {
	m := newMember(b.Broker, group, topics)
	m.ends = map[place]int64{}
	for _, name := range topics {
		if t := b.topics.get(name); t != nil {
			for _, p := range t.partitions() {
				if p.offline == nil {
					m.ends[place{t.id, p.n}] = p.j.DurableEnd()
				}
			}
		}
	}
	return b.join(ctx, m)
}

func (b *Broker) join(ctx context.Context, m *member) (queue.Member, error) {
	group, topics := m.group, m.topics
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if group == "" || len(group) > maxGroupIDBytes {
		return nil, fmt.Errorf("join group %q: its name is empty or too long", group)
	}
	for _, name := range topics {
		if !topicName.MatchString(name) {
			return nil, fmt.Errorf("join group %s: topic name %q is not possible", group, name)
		}
	}
	if len(topics) == 0 {
		return nil, fmt.Errorf("join group %s: no topic", group)
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, fmt.Errorf("join group %s: %w", group, queue.ErrClosed)
	}
	b.members[m] = struct{}{}
	b.mu.Unlock()
	m.startJoin(false)
	return m, nil
}

// flushMembers makes the commits of this process's members durable.
func (b *Broker) flushMembers() error {
	b.mu.Lock()
	members := make([]*member, 0, len(b.members))
	for m := range b.members {
		members = append(members, m)
	}
	b.mu.Unlock()
	var errs []error
	for _, m := range members {
		errs = append(errs, m.flush())
	}
	return errors.Join(errs...)
}

// tryPack says whether the next batch should be compressed. Records that do not get smaller cost one batch in packPauses.
func (p *partition) tryPack() bool {
	n := p.packPause.Load()
	if n > 0 {
		p.packPause.Add(-1)
	}
	return n <= 0
}
