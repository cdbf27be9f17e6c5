// Package queuetest is the conformance suite of queue.Queue: what agent and pipeline rely on, whichever queue they are given.
//
// A queue under test makes unknown topics on first use, with Partitions partitions. What the interface has no word for is tested
// when the value given to Test also has the method: Trim (Trimmer) for gaps, Close (io.Closer) for the end of a queue.
package queuetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
)

// Partitions is the number of partitions that topics of the queue under test get when they are first used.
const Partitions = 4

// patience bounds every wait of the suite; nothing in it takes that long when it works.
const patience = 30 * time.Second

// Trimmer is what a queue under test may have beside queue.Queue: it removes the records of a partition below an offset.
type Trimmer interface {
	Trim(ctx context.Context, topic string, partition int32, before int64) error
}

// Test runs the suite. open is called once for each case, with the case's t, and registers its own clean-up.
func Test(t *testing.T, open func(t *testing.T) queue.Queue) {
	cases := []struct {
		name string
		run  func(*suite)
	}{
		{"order", testOrder},
		{"fields survive", testFields},
		{"produce sets offsets", testProduceSetsOffsets},
		{"partition by key", testPartitionByKey},
		{"explicit partition", testExplicitPartition},
		{"no key takes turns", testNoKey},
		{"several topics in one call", testSeveralTopics},
		{"concurrent produce", testConcurrentProduce},
		{"too large", testTooLarge},
		{"denied name", testBadTopicName},
		{"replay", testReplay},
		{"commit", testCommit},
		{"commit in part", testCommitInPart},
		{"groups are apart", testGroupsApart},
		{"seek", testSeek},
		{"seek before assignment", testSeekBeforeAssignment},
		{"waits for a topic", testWaitsForTopic},
		{"idle poll returns", testIdlePoll},
		{"two members share", testTwoMembersShare},
		{"revocation", testRevocation},
		{"leaving gives back", testLeaving},
		{"byte ownership", testByteOwnership},
		{"back-pressure", testBackPressure},
		{"gap", testGap},
		{"closed member", testClosedMember},
		{"closed queue", testClosedQueue},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
			t.Cleanup(cancel)
			c.run(&suite{T: t, ctx: ctx, q: open(t)})
		})
	}
}

// suite is one case's queue and its helpers; every helper fails the test itself.
type suite struct {
	*testing.T
	ctx context.Context
	q   queue.Queue
}

// name makes a name no other run uses, since a cluster may be shared and lasting.
func (s *suite) name(prefix string) string {
	var b [6]byte
	rand.Read(b[:])
	return "queuetest-" + prefix + "-" + hex.EncodeToString(b[:])
}

func (s *suite) produce(recs []queue.Record) []queue.Record {
	s.Helper()
	if err := s.q.Produce(s.ctx, recs); err != nil {
		s.Fatalf("Produce: %v", err)
	}
	return recs
}

func (s *suite) join(group string, topics ...string) queue.Member {
	s.Helper()
	m, err := s.q.Join(s.ctx, group, topics...)
	if err != nil {
		s.Fatalf("Join: %v", err)
	}
	s.Cleanup(func() { m.Close() })
	return m
}

// poll polls until n records came and returns deep copies, so that a case may keep them past Commit.
func (s *suite) poll(m queue.Member, n int) []queue.Record {
	s.Helper()
	var got []queue.Record
	for end := time.Now().Add(patience); len(got) < n; {
		if time.Now().After(end) {
			s.Fatalf("polled %d of %d records in %v", len(got), n, patience)
		}
		recs, err := m.Poll(s.ctx)
		if err != nil {
			s.Fatalf("Poll after %d of %d records: %v", len(got), n, err)
		}
		for _, r := range recs {
			got = append(got, clone(r))
		}
	}
	return got
}

func (s *suite) commit(m queue.Member, pos []queue.Position) {
	s.Helper()
	if err := m.Commit(s.ctx, pos); err != nil {
		s.Fatalf("Commit: %v", err)
	}
}

func (s *suite) close(m queue.Member) {
	s.Helper()
	if err := m.Close(); err != nil {
		s.Fatalf("Close: %v", err)
	}
}

func clone(r queue.Record) queue.Record {
	r.Key = append([]byte(nil), r.Key...)
	r.Value = append([]byte(nil), r.Value...)
	hs := make([]queue.Header, len(r.Headers))
	for i, h := range r.Headers {
		hs[i] = queue.Header{Key: h.Key, Value: append([]byte(nil), h.Value...)}
	}
	r.Headers = hs
	return r
}

// keyed makes n records of one key, values prefix-0 to prefix-(n-1).
func keyed(topic, key, prefix string, n int) []queue.Record {
	recs := make([]queue.Record, n)
	for i := range recs {
		recs[i] = queue.Record{Topic: topic, Key: []byte(key), Value: fmt.Appendf(nil, "%s-%d", prefix, i)}
	}
	return recs
}

// spread makes n records for each partition.
func spread(topic, prefix string, n int) []queue.Record {
	var recs []queue.Record
	for i := range n {
		for p := range int32(Partitions) {
			recs = append(recs, queue.Record{Topic: topic, Partition: p, Explicit: true, Value: fmt.Appendf(nil, "%s-%d-%d", prefix, p, i)})
		}
	}
	return recs
}

// after is the positions behind the last record of each partition in recs.
func after(recs []queue.Record) []queue.Position {
	type part struct {
		topic string
		n     int32
	}
	at := map[part]int{}
	var pos []queue.Position
	for _, r := range recs {
		k := part{r.Topic, r.Partition}
		i, ok := at[k]
		if !ok {
			i = len(pos)
			at[k] = i
			pos = append(pos, queue.Position{Topic: r.Topic, TopicID: r.TopicID, Partition: r.Partition})
		}
		pos[i].Offset = max(pos[i].Offset, r.Offset+1)
	}
	return pos
}

// sameRecords compares value, place and order.
func (s *suite) sameRecords(got, want []queue.Record) {
	s.Helper()
	if len(got) != len(want) {
		s.Fatalf("got %d records, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if string(g.Value) != string(w.Value) || g.Offset != w.Offset || g.Partition != w.Partition || g.Topic != w.Topic {
			s.Fatalf("record %d is %s-%d@%d %q, want %s-%d@%d %q",
				i, g.Topic, g.Partition, g.Offset, g.Value, w.Topic, w.Partition, w.Offset, w.Value)
		}
	}
}

// drainFor polls m in the background until stop is closed and sends every record and error; it keeps a member taking part in
// rebalances while the case looks at another one.
func (s *suite) drainFor(m queue.Member, stop <-chan struct{}) (<-chan queue.Record, <-chan error) {
	recs, done := make(chan queue.Record, 1<<16), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			got, err := m.Poll(s.ctx)
			if err != nil && !isGap(err) {
				done <- err
				return
			}
			for _, r := range got {
				recs <- clone(r)
			}
		}
	}()
	return recs, done
}

func isGap(err error) bool {
	var gap *queue.Gap
	return errors.As(err, &gap)
}
