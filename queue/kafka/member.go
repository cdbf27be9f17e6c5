package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Bounds of a member.
const (
	pollBytes    = 1 << 20
	pollWait     = 500 * time.Millisecond
	heldBytes    = 64 << 20
	commitEvery  = 500 * time.Millisecond
	closeTimeout = 15 * time.Second
)

type partKey struct {
	topic     string
	partition int32
}

// member is a group member with a client of its own.
type member struct {
	q     *Queue
	group string
	cl    *kgo.Client

	stop   context.CancelFunc // ends the commit loop
	loop   sync.WaitGroup
	freed  chan struct{} // one slot: a commit made room
	commit sync.Mutex    // one commit request at a time

	mu      sync.Mutex
	parts   map[partKey]*reading
	seeks   map[partKey]queue.Position // for partitions not assigned yet
	waiting []queue.Record             // fetched, not yet given out
	held    int64
	closed  bool
}

// reading is one assigned partition.
type reading struct {
	topicID [16]byte
	next    int64 // offset expected next, -1 while unknown
	dirty   int64 // commit not yet sent, -1 when there is none
	held    []heldRecords
}

// heldRecords is what one Poll gave out of a partition and nobody committed yet.
type heldRecords struct{ end, bytes int64 }

// Join implements queue.Queue.
func (q *Queue) Join(ctx context.Context, group string, topics ...string) (queue.Member, error) {
	if group == "" || len(topics) == 0 {
		return nil, fmt.Errorf("join group %q: want a group and a topic", group)
	}
	m := &member{q: q, group: group, freed: make(chan struct{}, 1), parts: map[partKey]*reading{}, seeks: map[partKey]queue.Position{}}
	opts, err := q.cfg.options(q.log)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, fmt.Errorf("join group %s: %w", group, queue.ErrClosed)
	}
	m.cl, err = kgo.NewClient(append(opts, m.consuming(topics)...)...)
	if err != nil {
		return nil, fmt.Errorf("join group %s: %w", group, err)
	}
	q.members[m] = struct{}{}
	loop, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.loop.Go(func() { m.commitLoop(loop) })
	return m, nil
}

// consuming are the options of a member; the caller holds q.mu.
func (m *member) consuming(topics []string) []kgo.Opt {
	start := kgo.NewOffset().AtStart()
	if m.q.cfg.Newest {
		start = kgo.NewOffset().AtEnd()
	}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(m.group), kgo.ConsumeTopics(topics...), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(), kgo.ConsumeStartOffset(start),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchMaxBytes(fetchMaxBytes), kgo.FetchMaxPartitionBytes(fetchMaxPart), kgo.FetchMaxWait(fetchMaxWait),
		kgo.OnPartitionsRevoked(m.revoked), kgo.OnPartitionsLost(m.lost), kgo.AdjustFetchOffsetsFn(m.assigned),
	}
	if m.q.cfg.Instance != "" {
		m.q.numbers[m.group]++
		opts = append(opts, kgo.InstanceID(fmt.Sprintf("%s-%d", m.q.cfg.Instance, m.q.numbers[m.group])))
	}
	return opts
}

// assigned learns where new partitions begin, and says so itself where Seek was called before.
func (m *member) assigned(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for topic, parts := range offsets {
		for n, o := range parts {
			k := partKey{topic, n}
			r := &reading{next: -1, dirty: -1}
			if at := o.EpochOffset().Offset; at >= 0 {
				r.next = at
			}
			if pos, ok := m.seeks[k]; ok {
				delete(m.seeks, k)
				r.next, r.topicID = pos.Offset, pos.TopicID
				parts[n] = kgo.NewOffset().At(pos.Offset)
			}
			m.parts[k] = r
		}
	}
	return offsets, nil
}

// revoked gives partitions up after their commits are durable.
func (m *member) revoked(ctx context.Context, _ *kgo.Client, parts map[string][]int32) {
	if err := m.flush(ctx); err != nil {
		m.q.log.Warn("commits of revoked partitions not sent, their records will come again", "group", m.group, "error", err)
	}
	m.lose(parts)
}

func (m *member) lost(_ context.Context, _ *kgo.Client, parts map[string][]int32) { m.lose(parts) }

func (m *member) lose(parts map[string][]int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for topic, ns := range parts {
		for _, n := range ns {
			if r := m.parts[partKey{topic, n}]; r != nil {
				m.release(r, 1<<62)
			}
			delete(m.parts, partKey{topic, n})
		}
	}
	m.waiting = slices.DeleteFunc(m.waiting, func(r queue.Record) bool { return m.parts[partKey{r.Topic, r.Partition}] == nil })
}

// Seek implements queue.Member.
func (m *member) Seek(ctx context.Context, pos []queue.Position) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return queue.ErrClosed
	}
	set := map[string]map[int32]kgo.EpochOffset{}
	for _, p := range pos {
		k := partKey{p.Topic, p.Partition}
		r := m.parts[k]
		if r == nil {
			m.seeks[k] = p
			continue
		}
		if p.TopicID != [16]byte{} && r.topicID != [16]byte{} && p.TopicID != r.topicID {
			continue // of another life of the topic
		}
		r.next = p.Offset
		m.waiting = slices.DeleteFunc(m.waiting, func(w queue.Record) bool { return w.Topic == p.Topic && w.Partition == p.Partition })
		if set[p.Topic] == nil {
			set[p.Topic] = map[int32]kgo.EpochOffset{}
		}
		set[p.Topic][p.Partition] = kgo.EpochOffset{Epoch: -1, Offset: p.Offset}
	}
	m.mu.Unlock()
	if len(set) > 0 {
		m.cl.SetOffsets(set)
	}
	return ctx.Err()
}

// Poll implements queue.Member.
func (m *member) Poll(ctx context.Context) ([]queue.Record, error) {
	if m.isClosed() {
		return nil, queue.ErrClosed
	}
	m.cl.AllowRebalance() // the moment when partitions are given up
	if !m.hasWaiting() {
		wait, cancel := context.WithTimeout(ctx, pollWait)
		defer cancel()
		if m.isFull() {
			select {
			case <-wait.Done():
				return nil, ctx.Err()
			case <-m.freed:
			}
		}
		if err := m.fetch(wait); err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return m.give(ctx)
}

// fetch takes what the client has fetched.
func (m *member) fetch(ctx context.Context) error {
	fetches := m.cl.PollFetches(ctx)
	if fetches.IsClientClosed() {
		return queue.ErrClosed
	}
	m.mu.Lock()
	fetches.EachTopic(func(t kgo.FetchTopic) {
		t.EachPartition(func(p kgo.FetchPartition) { m.take(t, p) })
	})
	m.mu.Unlock()
	for _, fe := range fetches.Errors() {
		if errors.Is(fe.Err, context.DeadlineExceeded) || errors.Is(fe.Err, context.Canceled) {
			continue
		}
		if err := translate(fe.Err); errors.Is(err, queue.ErrDenied) {
			return fmt.Errorf("group %s: fetch %s-%d: %w", m.group, fe.Topic, fe.Partition, err)
		}
		m.q.log.Warn("fetch failed and is tried again", "group", m.group, "topic", fe.Topic, "partition", fe.Partition, "error", fe.Err)
	}
	return nil
}

// take turns fetched records into ours. Those below the place that Seek named are of before.
func (m *member) take(t kgo.FetchTopic, p kgo.FetchPartition) {
	r := m.parts[partKey{t.Topic, p.Partition}]
	if r == nil {
		return
	}
	if r.topicID == [16]byte{} {
		r.topicID = m.q.idOf(t)
	}
	for _, rec := range p.Records {
		m.waiting = append(m.waiting, fromKafka(rec, r.topicID))
	}
}

func fromKafka(rec *kgo.Record, id [16]byte) queue.Record {
	out := queue.Record{
		Topic: rec.Topic, TopicID: id, Partition: rec.Partition, Offset: rec.Offset, Time: rec.Timestamp, Key: rec.Key, Value: rec.Value,
	}
	for _, h := range rec.Headers {
		if h.Key == ledger.Header && out.Origin.IsZero() {
			if origin, err := ledger.ParseHeader(h.Value); err == nil {
				out.Origin = origin
				continue
			}
		}
		out.Headers = append(out.Headers, queue.Header(h))
	}
	return out
}

// give hands out about a MiB of what waits, up to a gap.
func (m *member) give(ctx context.Context) ([]queue.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	bytes, n := 0, 0
	for ; n < len(m.waiting) && bytes < pollBytes; n++ {
		rec := &m.waiting[n]
		r := m.parts[partKey{rec.Topic, rec.Partition}]
		if r.next >= 0 && rec.Offset > r.next {
			if n > 0 {
				break // what lies before the gap goes first
			}
			if gap := m.gap(ctx, r, rec); gap != nil {
				return nil, gap
			}
		}
		size := boundSize(rec)
		r.next = rec.Offset + 1
		r.hold(r.next, int64(size))
		m.held += int64(size)
		bytes += size
	}
	recs := m.waiting[:n:n]
	m.waiting = m.waiting[n:]
	return recs, nil
}

// hold counts a record against the next commit.
func (r *reading) hold(end, bytes int64) {
	if k := len(r.held); k > 0 && r.held[k-1].bytes < pollBytes {
		r.held[k-1].end = end
		r.held[k-1].bytes += bytes
		return
	}
	r.held = append(r.held, heldRecords{end, bytes})
}

// gap tells whether a jump of offsets is a loss: it is, up to the start of the partition. Other jumps are markers of transactions or
// compaction, which are not records.
func (m *member) gap(ctx context.Context, r *reading, rec *queue.Record) error {
	start, err := m.q.startOffset(ctx, rec.Topic, rec.Partition)
	if err != nil {
		return fmt.Errorf("group %s: start of %s-%d: %w", m.group, rec.Topic, rec.Partition, err)
	}
	if to := min(start, rec.Offset); to > r.next {
		g := &queue.Gap{Topic: rec.Topic, TopicID: rec.TopicID, Partition: rec.Partition, From: r.next, To: to, Why: "retention removed them"}
		r.next = rec.Offset
		return g
	}
	r.next = rec.Offset
	return nil
}

// Commit implements queue.Member.
func (m *member) Commit(ctx context.Context, pos []queue.Position) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return queue.ErrClosed
	}
	revoked := false
	for _, p := range pos {
		r := m.parts[partKey{p.Topic, p.Partition}]
		if r == nil || p.TopicID != [16]byte{} && r.topicID != [16]byte{} && p.TopicID != r.topicID {
			revoked = true
			continue
		}
		r.dirty = p.Offset
		m.release(r, p.Offset)
	}
	if revoked {
		return queue.ErrRevoked
	}
	return ctx.Err()
}

// release stops counting what lies below offset.
func (m *member) release(r *reading, offset int64) {
	full := m.held >= heldBytes
	r.held = slices.DeleteFunc(r.held, func(h heldRecords) bool {
		if h.end <= offset {
			m.held -= h.bytes
			return true
		}
		return false
	})
	if full && m.held < heldBytes {
		select {
		case m.freed <- struct{}{}:
		default:
		}
	}
}

// commitLoop makes commits durable within a second.
func (m *member) commitLoop(ctx context.Context) {
	ticker := time.NewTicker(commitEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := m.flush(ctx); err != nil && ctx.Err() == nil {
			m.q.log.Warn("commits not sent and tried again", "group", m.group, "error", err)
		}
	}
}

// flush sends the commits that are not sent yet.
func (m *member) flush(ctx context.Context) error {
	m.commit.Lock()
	defer m.commit.Unlock()
	m.mu.Lock()
	offsets := map[string]map[int32]kgo.EpochOffset{}
	for k, r := range m.parts {
		if r.dirty < 0 {
			continue
		}
		if offsets[k.topic] == nil {
			offsets[k.topic] = map[int32]kgo.EpochOffset{}
		}
		offsets[k.topic][k.partition] = kgo.EpochOffset{Epoch: -1, Offset: r.dirty}
		r.dirty = -1
	}
	m.mu.Unlock()
	if len(offsets) == 0 {
		return nil
	}
	var failed error
	m.cl.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = commitError(resp, err)
	})
	if failed != nil {
		m.keepDirty(offsets)
	}
	return failed
}

// keepDirty puts commits back that were not taken, unless newer ones came.
func (m *member) keepDirty(offsets map[string]map[int32]kgo.EpochOffset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for topic, parts := range offsets {
		for n, o := range parts {
			if r := m.parts[partKey{topic, n}]; r != nil && r.dirty < 0 {
				r.dirty = o.Offset
			}
		}
	}
}

func (m *member) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

func (m *member) hasWaiting() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.waiting) > 0 && m.held < heldBytes
}

func (m *member) isFull() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held >= heldBytes
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
	m.stop()
	m.loop.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := m.flush(ctx)
	m.cl.CloseAllowingRebalance()
	m.q.mu.Lock()
	delete(m.q.members, m)
	m.q.mu.Unlock()
	return err
}
