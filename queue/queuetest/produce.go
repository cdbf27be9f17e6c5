package queuetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

func testOrder(s *suite) {
	topic := s.name("order")
	var want []queue.Record
	for i := range 20 {
		want = append(want, s.produce(keyed(topic, "chain", fmt.Sprint(i), 100))...)
	}
	got := s.poll(s.join(s.name("g"), topic), len(want))
	s.sameRecords(got, want)
	for i, r := range got {
		if r.Offset != int64(i) {
			s.Fatalf("record %d has offset %d", i, r.Offset)
		}
	}
}

func testFields(s *suite) {
	topic := s.name("fields")
	at := time.Date(2026, 3, 1, 12, 30, 45, int(123*time.Millisecond), time.UTC)
	src := ledger.NewSource(at)
	want := []queue.Record{
		{Topic: topic, Key: []byte("k"), Value: []byte("v"), Time: at, Origin: ledger.Range{Source: src, From: 0, To: 90},
			Headers: []queue.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "empty", Value: []byte{}}}},
		{Topic: topic, Key: []byte("k"), Value: []byte{0, 1, 255}, Time: at.Add(time.Hour), Origin: ledger.Range{Source: src, From: 90, To: 1 << 40}},
		{Topic: topic, Key: []byte("k"), Value: []byte{}, Time: at.Add(-time.Hour)},
		{Topic: topic, Key: []byte("k"), Value: []byte("로그 한 줄")},
	}
	before := time.Now().Add(-time.Minute)
	s.produce(want)
	got := s.poll(s.join(s.name("g"), topic), len(want))
	s.sameRecords(got, want)
	for i, g := range got {
		w := want[i]
		if string(g.Key) != string(w.Key) || g.Origin != w.Origin {
			s.Errorf("record %d: key %q origin %v, want %q %v", i, g.Key, g.Origin, w.Key, w.Origin)
		}
		if i < 3 && !g.Time.Equal(w.Time) {
			s.Errorf("record %d: time %v, want %v", i, g.Time, w.Time)
		}
		if i == 3 && (g.Time.Before(before) || g.Time.After(time.Now().Add(time.Minute))) {
			s.Errorf("record without a time has %v", g.Time)
		}
		if len(g.Headers) != len(w.Headers) {
			s.Fatalf("record %d: %d headers, want %d: %v", i, len(g.Headers), len(w.Headers), g.Headers)
		}
		for k, h := range g.Headers {
			if h.Key != w.Headers[k].Key || string(h.Value) != string(w.Headers[k].Value) {
				s.Errorf("record %d header %d is %q=%q", i, k, h.Key, h.Value)
			}
		}
	}
}

func testProduceSetsOffsets(s *suite) {
	topic := s.name("offsets")
	first := s.produce(keyed(topic, "k", "a", 3))
	second := s.produce(keyed(topic, "k", "b", 2))
	for i, r := range append(first, second...) {
		if r.Offset != int64(i) {
			s.Errorf("record %d: offset %d", i, r.Offset)
		}
		if r.Partition != queue.PartitionOf([]byte("k"), Partitions) {
			s.Errorf("record %d: partition %d", i, r.Partition)
		}
	}
	if first[0].TopicID != second[1].TopicID {
		s.Errorf("topic ids differ: %x %x", first[0].TopicID, second[1].TopicID)
	}
	got := s.poll(s.join(s.name("g"), topic), 5)
	if got[0].TopicID != first[0].TopicID {
		s.Errorf("polled topic id %x, produced %x", got[0].TopicID, first[0].TopicID)
	}
	if err := s.q.Produce(s.ctx, nil); err != nil {
		s.Errorf("Produce of nothing: %v", err)
	}
}

func testPartitionByKey(s *suite) {
	topic := s.name("key")
	var recs []queue.Record
	for i := range 64 {
		recs = append(recs, queue.Record{Topic: topic, Key: fmt.Appendf(nil, "chain-%d", i), Value: []byte("x")})
	}
	s.produce(recs)
	for _, r := range recs {
		if want := queue.PartitionOf(r.Key, Partitions); r.Partition != want {
			s.Errorf("key %q went to partition %d, want %d", r.Key, r.Partition, want)
		}
	}
	for _, r := range s.poll(s.join(s.name("g"), topic), len(recs)) {
		if want := queue.PartitionOf(r.Key, Partitions); r.Partition != want {
			s.Errorf("key %q came from partition %d, want %d", r.Key, r.Partition, want)
		}
	}
}

func testExplicitPartition(s *suite) {
	topic := s.name("explicit")
	recs := spread(topic, "v", 3)
	for i := range recs {
		recs[i].Key = []byte("same key") // the explicit partition beats it
	}
	s.produce(recs)
	for i, r := range recs {
		if want := int32(i % Partitions); r.Partition != want || r.Offset != int64(i/Partitions) {
			s.Errorf("record %d is at %d@%d, want %d@%d", i, r.Partition, r.Offset, want, i/Partitions)
		}
	}
}

func testNoKey(s *suite) {
	topic := s.name("nokey")
	seen := map[int32]bool{}
	for range Partitions {
		recs := make([]queue.Record, 10)
		for i := range recs {
			recs[i] = queue.Record{Topic: topic, Value: []byte("x")}
		}
		s.produce(recs)
		for _, r := range recs {
			if r.Partition != recs[0].Partition {
				s.Fatalf("one call went to partitions %d and %d", recs[0].Partition, r.Partition)
			}
		}
		seen[recs[0].Partition] = true
	}
	if len(seen) != Partitions {
		s.Errorf("%d calls went to %d partitions", Partitions, len(seen))
	}
}

func testSeveralTopics(s *suite) {
	a, b := s.name("a"), s.name("b")
	recs := append(spread(a, "a", 5), spread(b, "b", 5)...)
	s.produce(recs)
	got := s.poll(s.join(s.name("g"), a, b), len(recs))
	if len(got) != len(recs) {
		s.Fatalf("polled %d records, want %d", len(got), len(recs))
	}
	next := map[string]int64{}
	for _, r := range got {
		k := fmt.Sprint(r.Topic, r.Partition)
		if r.Offset != next[k] {
			s.Errorf("%s-%d: offset %d after %d", r.Topic, r.Partition, r.Offset, next[k]-1)
		}
		next[k]++
	}
}

func testConcurrentProduce(s *suite) {
	const writers, calls, each = 8, 10, 20
	topic := s.name("concurrent")
	s.produce(keyed(topic, "w0", "first", 1))
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for w := range writers {
		wg.Go(func() {
			for c := range calls {
				if err := s.q.Produce(s.ctx, keyed(topic, fmt.Sprint("w", w), fmt.Sprint(w, "-", c), each)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		s.Fatal(err)
	}
	last := map[string]string{}
	place := map[string]bool{}
	for _, r := range s.poll(s.join(s.name("g"), topic), writers*calls*each+1) {
		at := fmt.Sprint(r.Partition, "@", r.Offset)
		if place[at] {
			s.Fatalf("%s twice", at)
		}
		place[at] = true
		last[string(r.Key)] = string(r.Value)
	}
	for w := range writers {
		if got, want := last[fmt.Sprint("w", w)], fmt.Sprint(w, "-", calls-1, "-", each-1); got != want {
			s.Errorf("last record of writer %d is %q, want %q", w, got, want)
		}
	}
}

func testTooLarge(s *suite) {
	topic := s.name("large")
	recs := keyed(topic, "k", "v", 3)
	recs[2].Value = make([]byte, 70<<20)
	var large *queue.TooLargeError
	if err := s.q.Produce(s.ctx, recs); !errors.As(err, &large) {
		s.Fatalf("Produce of 70 MiB: %v, want TooLargeError", err)
	}
	if large.Index != 2 || large.Limit <= 0 || large.Size < 70<<20 {
		s.Errorf("error names record %d, size %d, limit %d", large.Index, large.Size, large.Limit)
	}
	// Nothing of the call was written: the next record is the first.
	if got := s.produce(keyed(topic, "k", "after", 1)); got[0].Offset != 0 {
		s.Errorf("record after the refused call has offset %d", got[0].Offset)
	}
	big := keyed(topic, "k", "big", 1)
	big[0].Value = make([]byte, 900_000)
	s.produce(big)
	s.poll(s.join(s.name("g"), topic), 2)
}

func testBadTopicName(s *suite) {
	err := s.q.Produce(s.ctx, []queue.Record{{Topic: "no/slash", Value: []byte("x")}})
	var failed *queue.ProduceError
	if !errors.As(err, &failed) || len(failed.Failed) != 1 {
		s.Fatalf("Produce to an impossible topic: %v, want ProduceError of one record", err)
	}
}
