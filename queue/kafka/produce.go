package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// What a record takes in a batch beside its bytes, and what a batch has beside its records.
const (
	recordOverhead = 32
	headerOverhead = 10
	originOverhead = headerOverhead + len(ledger.Header) + 1 + 16 + 10 + 10
	batchOverhead  = 61
)

// partitioner reads the choice that toKafka wrote into Record.Partition: 0 and more is explicit, byKey goes by the key, and below that
// is a turn, the same for all records of a call.
func partitioner() kgo.Partitioner {
	return kgo.BasicConsistentPartitioner(func(string) func(*kgo.Record, int) int {
		return func(r *kgo.Record, n int) int {
			switch {
			case r.Partition >= 0:
				return int(r.Partition) // one that does not exist fails the record
			case r.Partition == byKey:
				return int(queue.PartitionOf(r.Key, int32(n)))
			}
			return int(firstTurn-r.Partition) % n
		}
	})
}

// Values of Record.Partition before a partition is chosen.
const (
	byKey     int32 = -1
	firstTurn int32 = -2
)

// maxTurn keeps turns within int32.
const maxTurn = 1 << 30

// produceCall is one call of Produce.
type produceCall struct {
	q    *Queue
	recs []queue.Record
	errs []error
	wg   sync.WaitGroup
}

// Produce implements queue.Queue.
func (q *Queue) Produce(ctx context.Context, recs []queue.Record) error {
	if len(recs) == 0 {
		return nil
	}
	c := &produceCall{q: q, recs: recs, errs: make([]error, len(recs))}
	if q.isClosed() {
		return c.failAll(queue.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return c.failAll(err)
	}
	infos := q.infos(ctx, recs)
	for i := range recs {
		info, ok := infos[recs[i].Topic]
		if size, limit := boundSize(&recs[i])+batchOverhead, info.limit; ok && size > limit {
			return &queue.TooLargeError{Index: i, Size: size, Limit: limit}
		}
	}
	c.send(ctx)
	c.wg.Wait()
	c.fillIDs(ctx, infos)
	return c.result()
}

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

// send hands all records to the client, which keeps their order per partition.
func (c *produceCall) send(ctx context.Context) {
	turns := map[string]int32{}
	out := make([]kgo.Record, len(c.recs))
	c.wg.Add(len(c.recs))
	for i := range c.recs {
		if !possibleName(c.recs[i].Topic) {
			c.errs[i] = kerr.InvalidTopicException // no cluster can have it, so it is not waited for
			c.wg.Done()
			continue
		}
		r := &out[i]
		c.q.toKafka(&c.recs[i], r, turns)
		c.q.cl.Produce(ctx, r, func(done *kgo.Record, err error) {
			if c.errs[i] = err; err == nil {
				c.recs[i].Partition, c.recs[i].Offset = done.Partition, done.Offset
			}
			c.wg.Done()
		})
	}
}

// possibleName reports whether a topic can have this name: 1 to 249 of a-z A-Z 0-9 . _ - and not . or ..
func possibleName(name string) bool {
	if name == "" || len(name) > 249 || name == "." || name == ".." {
		return false
	}
	for _, b := range []byte(name) {
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// toKafka copies what matters. The bytes stay the caller's: they are encoded before Produce returns.
func (q *Queue) toKafka(r *queue.Record, out *kgo.Record, turns map[string]int32) {
	out.Topic, out.Key, out.Value, out.Timestamp = r.Topic, r.Key, r.Value, r.Time
	if r.Time.IsZero() {
		out.Timestamp = time.Now()
	}
	switch {
	case r.Explicit:
		out.Partition = r.Partition
		if r.Partition < 0 {
			out.Partition = maxTurn // no such partition
		}
	case r.Key != nil:
		out.Partition = byKey
	default:
		turn, ok := turns[r.Topic]
		if !ok {
			turn = q.nextTurn()
			turns[r.Topic] = turn
		}
		out.Partition = firstTurn - turn
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader(h))
	}
	if !r.Origin.IsZero() {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: ledger.Header, Value: ledger.AppendHeader(nil, r.Origin)})
	}
}

func (q *Queue) nextTurn() int32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn++
	return int32(q.turn % maxTurn)
}

// fillIDs completes the records with their topics' ids; topics made by this very call are asked for now.
func (c *produceCall) fillIDs(ctx context.Context, infos map[string]topicInfo) {
	for name, info := range infos {
		if info.id == [16]byte{} {
			infos[name] = c.q.refresh(ctx, name)
		}
	}
	for i := range c.recs {
		if c.errs[i] == nil {
			c.recs[i].TopicID = infos[c.recs[i].Topic].id
		}
	}
}

func (c *produceCall) result() error {
	failed := &queue.ProduceError{}
	for i, err := range c.errs {
		if err == nil {
			continue
		}
		failed.Failed = append(failed.Failed, i)
		if failed.Err == nil {
			failed.Err = translate(err)
		}
	}
	if failed.Err == nil {
		return nil
	}
	return failed
}

func (c *produceCall) failAll(err error) error {
	for i := range c.errs {
		c.errs[i] = err
	}
	return c.result()
}

// infos gives what is known of the topics of recs.
func (q *Queue) infos(ctx context.Context, recs []queue.Record) map[string]topicInfo {
	out := map[string]topicInfo{}
	last := ""
	for i := range recs {
		name := recs[i].Topic
		if name == last {
			continue
		}
		last = name
		if _, ok := out[name]; !ok && possibleName(name) {
			out[name] = q.info(ctx, name)
		}
	}
	return out
}

func (q *Queue) info(ctx context.Context, name string) topicInfo {
	q.mu.Lock()
	info, ok := q.topics[name]
	q.mu.Unlock()
	if ok && time.Since(info.at) < topicInfoAge {
		return info
	}
	return q.refresh(ctx, name)
}

// refresh asks the cluster for a topic's id and size limit. What it does not tell keeps the value known, or Kafka's default.
func (q *Queue) refresh(ctx context.Context, name string) topicInfo {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	q.mu.Lock()
	info, ok := q.topics[name]
	q.mu.Unlock()
	if !ok {
		info.limit = defaultMaxBatch
	}
	details, err := q.adm.ListTopics(ctx, name)
	t, found := details[name]
	if err != nil || !found || t.Err != nil {
		return info // it may be made by the first record
	}
	info.id, info.at = t.ID, time.Now()
	if limit, err := q.sizeLimit(ctx, name); err == nil {
		info.limit = limit
	} else {
		q.log.Debug("size limit of topic not told", "topic", name, "error", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.topics[name] = info
	return info
}

func (q *Queue) sizeLimit(ctx context.Context, name string) (int, error) {
	configs, err := q.adm.DescribeTopicConfigs(ctx, name)
	if err != nil {
		return 0, err
	}
	for _, c := range configs {
		if c.Err != nil {
			return 0, c.Err
		}
		for _, kv := range c.Configs {
			if kv.Key == "max.message.bytes" && kv.Value != nil {
				n, err := strconv.Atoi(*kv.Value)
				return min(n, maxMaxBatch), err
			}
		}
	}
	return 0, errors.New("max.message.bytes is not among the settings")
}

// batchLimit is what the client asks for when it first meets a partition.
func (q *Queue) batchLimit(topic string) int32 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if info, ok := q.topics[topic]; ok && info.limit > batchOverhead {
		return int32(info.limit)
	}
	return defaultMaxBatch
}

// translate is the border's word for an error of the cluster.
func translate(err error) error {
	for _, t := range errorTable() {
		if errors.Is(err, t.from) {
			return fmt.Errorf("%w: %w", t.to, err)
		}
	}
	return err
}
