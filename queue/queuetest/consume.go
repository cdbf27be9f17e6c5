package queuetest

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirlog/weir/queue"
)

func testReplay(s *suite) {
	topic, group := s.name("replay"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 50))
	for range 2 { // nothing was committed, so it comes again
		m := s.join(group, topic)
		s.sameRecords(s.poll(m, 50), want)
		s.close(m)
	}
}

func testCommit(s *suite) {
	topic, group := s.name("commit"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 50))
	m := s.join(group, topic)
	s.commit(m, after(s.poll(m, 50)))
	more := s.produce(keyed(topic, "k", "w", 5))
	s.sameRecords(s.poll(m, 5), more) // still the same member
	s.close(m)                        // more was not committed
	m = s.join(group, topic)
	got := s.poll(m, 5)
	s.sameRecords(got, more)
	if got[0].Offset != want[49].Offset+1 {
		s.Errorf("resumed at %d", got[0].Offset)
	}
}

func testCommitInPart(s *suite) {
	topic, group := s.name("part"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 50))
	m := s.join(group, topic)
	got := s.poll(m, 50)
	s.commit(m, after(got[:20]))
	s.commit(m, after(got[:30]))
	s.close(m)
	m = s.join(group, topic)
	s.sameRecords(s.poll(m, 20), want[30:])
}

func testGroupsApart(s *suite) {
	topic := s.name("apart")
	want := s.produce(keyed(topic, "k", "v", 10))
	a, b := s.join(s.name("a"), topic), s.join(s.name("b"), topic)
	s.sameRecords(s.poll(a, 10), want)
	s.commit(a, after(want))
	s.sameRecords(s.poll(b, 10), want)
}

func testSeek(s *suite) {
	topic := s.name("seek")
	want := s.produce(keyed(topic, "k", "v", 50))
	m := s.join(s.name("g"), topic)
	s.sameRecords(s.poll(m, 50), want)
	at := func(offset int64) []queue.Position {
		return []queue.Position{{Topic: topic, TopicID: want[0].TopicID, Partition: want[0].Partition, Offset: offset}}
	}
	for _, offset := range []int64{10, 0, 49, 17} {
		if err := m.Seek(s.ctx, at(offset)); err != nil {
			s.Fatalf("Seek to %d: %v", offset, err)
		}
		s.sameRecords(s.poll(m, int(50-offset)), want[offset:])
	}
	if err := m.Seek(s.ctx, at(50)); err != nil {
		s.Fatal(err)
	}
	more := s.produce(keyed(topic, "k", "w", 1))
	s.sameRecords(s.poll(m, 1), more)
}

func testSeekBeforeAssignment(s *suite) {
	topic, group := s.name("seekfirst"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 30))
	m := s.join(group, topic)
	s.commit(m, after(s.poll(m, 30)))
	s.close(m)
	m = s.join(group, topic)
	pos := []queue.Position{{Topic: topic, TopicID: want[0].TopicID, Partition: want[0].Partition, Offset: 7}}
	if err := m.Seek(s.ctx, pos); err != nil {
		s.Fatalf("Seek right after Join: %v", err)
	}
	s.sameRecords(s.poll(m, 23), want[7:])
}

func testWaitsForTopic(s *suite) {
	topic := s.name("later")
	m := s.join(s.name("g"), topic)
	stop := make(chan struct{})
	recs, done := s.drainFor(m, stop)
	want := s.produce(keyed(topic, "k", "v", 3))
	for i := range want {
		select {
		case r := <-recs:
			if string(r.Value) != string(want[i].Value) {
				s.Errorf("record %d is %q", i, r.Value)
			}
		case err := <-done:
			s.Fatalf("Poll: %v", err)
		case <-time.After(patience):
			s.Fatal("the topic's records did not come")
		}
	}
	close(stop)
	if err := <-done; err != nil {
		s.Errorf("Poll: %v", err)
	}
}

func testIdlePoll(s *suite) {
	topic := s.name("idle")
	s.produce(keyed(topic, "k", "v", 1))
	m := s.join(s.name("g"), topic)
	s.commit(m, after(s.poll(m, 1)))
	start := time.Now()
	recs, err := m.Poll(s.ctx)
	if err != nil || len(recs) != 0 {
		s.Fatalf("Poll of an idle topic: %d records, %v", len(recs), err)
	}
	if d := time.Since(start); d < 50*time.Millisecond || d > 10*time.Second {
		s.Errorf("an idle Poll took %v, want about 500 ms", d)
	}
}

func testByteOwnership(s *suite) {
	topic := s.name("bytes")
	const calls = 40
	buf := make([]byte, 32<<10) // used for every call: Produce keeps nothing of it
	for c := range calls {
		for i := range buf {
			buf[i] = byte(c)
		}
		s.produce([]queue.Record{{Topic: topic, Key: []byte("k"), Value: buf}})
	}
	for i := range buf {
		buf[i] = 0xEE
	}
	m := s.join(s.name("g"), topic)
	var kept []queue.Record // the records themselves, uncopied, over many Polls
	for end := time.Now().Add(patience); len(kept) < calls; {
		if time.Now().After(end) {
			s.Fatalf("polled %d of %d records", len(kept), calls)
		}
		recs, err := m.Poll(s.ctx)
		if err != nil {
			s.Fatal(err)
		}
		kept = append(kept, recs...)
	}
	for c, r := range kept {
		for i, b := range r.Value {
			if b != byte(c) {
				s.Fatalf("record %d byte %d is %#x before its Commit", c, i, b)
			}
		}
	}
	s.commit(m, after(kept))
}

func testBackPressure(s *suite) {
	topic := s.name("pressure")
	const size, n = 256 << 10, 400 // 100 MiB, the bound is 64
	for i := 0; i < n; i += 20 {
		recs := make([]queue.Record, 20)
		for k := range recs {
			recs[k] = queue.Record{Topic: topic, Partition: int32((i / 20) % Partitions), Explicit: true, Value: make([]byte, size)}
		}
		s.produce(recs)
	}
	m := s.join(s.name("g"), topic)
	var held []queue.Record
	total, empty := 0, 0
	for end := time.Now().Add(patience); empty < 3 && time.Now().Before(end); {
		recs, err := m.Poll(s.ctx)
		if err != nil {
			s.Fatal(err)
		}
		if len(recs) == 0 && total > 0 {
			empty++
		}
		total += len(recs)
		for _, r := range recs {
			r.Value = nil
			held = append(held, r)
		}
	}
	if bytes := total * size; bytes < 32<<20 || bytes > 80<<20 {
		s.Fatalf("%d MiB polled without a Commit, want about 64", bytes>>20)
	}
	s.commit(m, after(held))
	for end := time.Now().Add(patience); total < n; {
		if time.Now().After(end) {
			s.Fatalf("%d of %d records came after the Commit", total, n)
		}
		recs, err := m.Poll(s.ctx)
		if err != nil {
			s.Fatal(err)
		}
		total += len(recs)
		if len(recs) > 0 {
			s.commit(m, after(recs))
		}
	}
}

func testGap(s *suite) {
	trimmer, ok := s.q.(Trimmer)
	if !ok {
		s.Skip("the queue cannot trim")
	}
	topic, group := s.name("gap"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 30))
	m := s.join(group, topic)
	s.commit(m, after(s.poll(m, 30)[:10]))
	s.close(m)
	if err := trimmer.Trim(s.ctx, topic, want[0].Partition, 20); err != nil {
		s.Fatalf("Trim: %v", err)
	}
	m = s.join(group, topic)
	var gap *queue.Gap
	for end := time.Now().Add(patience); gap == nil; {
		if time.Now().After(end) {
			s.Fatal("no gap was reported")
		}
		recs, err := m.Poll(s.ctx)
		if len(recs) > 0 {
			s.Fatalf("polled offset %d before the gap", recs[0].Offset)
		}
		if err != nil && !errors.As(err, &gap) {
			s.Fatal(err)
		}
	}
	if gap.Topic != topic || gap.Partition != want[0].Partition || gap.From != 10 || gap.To != 20 || gap.Why == "" {
		s.Errorf("gap is %+v, want offsets 10 to 20", gap)
	}
	s.sameRecords(s.poll(m, 10), want[20:])
}

func testClosedMember(s *suite) {
	topic, group := s.name("closed"), s.name("g")
	want := s.produce(keyed(topic, "k", "v", 4))
	m := s.join(group, topic)
	s.commit(m, after(s.poll(m, 4)[:3])) // made durable by Close
	s.close(m)
	if _, err := m.Poll(s.ctx); !errors.Is(err, queue.ErrClosed) {
		s.Errorf("Poll after Close: %v, want ErrClosed", err)
	}
	if err := m.Commit(s.ctx, after(want)); err == nil {
		s.Error("Commit after Close succeeded")
	}
	if err := m.Close(); err != nil {
		s.Errorf("second Close: %v", err)
	}
	s.sameRecords(s.poll(s.join(group, topic), 1), want[3:])
}

func testClosedQueue(s *suite) {
	c, ok := s.q.(io.Closer)
	if !ok {
		s.Skip("the queue cannot be closed")
	}
	topic := s.name("end")
	s.produce(keyed(topic, "k", "v", 1))
	m := s.join(s.name("g"), topic)
	s.poll(m, 1)
	if err := c.Close(); err != nil {
		s.Fatalf("Close: %v", err)
	}
	if _, err := m.Poll(s.ctx); !errors.Is(err, queue.ErrClosed) {
		s.Errorf("Poll on a closed queue: %v, want ErrClosed", err)
	}
	if err := s.q.Produce(s.ctx, keyed(topic, "k", "v", 1)); !errors.Is(err, queue.ErrClosed) {
		s.Errorf("Produce on a closed queue: %v, want ErrClosed", err)
	}
	if _, err := s.q.Join(s.ctx, "g", topic); !errors.Is(err, queue.ErrClosed) {
		s.Errorf("Join on a closed queue: %v, want ErrClosed", err)
	}
}

// partsOf is the set of partitions recs came from.
func partsOf(recs []queue.Record) string {
	var has [Partitions]bool
	for _, r := range recs {
		has[r.Partition] = true
	}
	return fmt.Sprint(has)
}
