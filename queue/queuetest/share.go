package queuetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/weirlog/weir/queue"
)

// pair polls two members in turn, produces probes and stops when the records that came since the last change satisfy ok.
type pair struct {
	s      *suite
	topic  string
	a, b   queue.Member
	rounds int
}

// settle produces probes to every partition until one round's probes were read by owners that ok accepts: ownsA[p] says that
// member a read partition p's probe of that round.
func (p *pair) settle(ok func(ownsA [Partitions]bool) bool) (lastA, lastB []queue.Record) {
	p.s.Helper()
	for end := time.Now().Add(patience); ; {
		if time.Now().After(end) {
			p.s.Fatal("the members did not come to share the partitions as expected")
		}
		p.rounds++
		p.s.produce(spread(p.topic, fmt.Sprint("probe", p.rounds), 1))
		var owns [Partitions]bool
		var fromA, fromB []queue.Record
		for seen := 0; seen < Partitions && time.Now().Before(end); {
			for i, m := range []queue.Member{p.a, p.b} {
				if m == nil {
					continue
				}
				recs, err := m.Poll(p.s.ctx)
				if err != nil {
					p.s.Fatalf("Poll of member %d: %v", i, err)
				}
				for _, r := range recs {
					if string(r.Value) == fmt.Sprintf("probe%d-%d-0", p.rounds, r.Partition) {
						owns[r.Partition] = i == 0
						seen++
					}
					if i == 0 {
						fromA = append(fromA, clone(r))
					} else {
						fromB = append(fromB, clone(r))
					}
				}
				if len(recs) > 0 {
					if err := m.Commit(p.s.ctx, after(recs)); err != nil && !errors.Is(err, queue.ErrRevoked) {
						p.s.Fatalf("Commit of member %d: %v", i, err)
					}
				}
			}
		}
		if ok(owns) {
			return fromA, fromB
		}
	}
}

func count(owns [Partitions]bool) (n int) {
	for _, o := range owns {
		if o {
			n++
		}
	}
	return n
}

func testTwoMembersShare(s *suite) {
	topic, group := s.name("share"), s.name("g")
	s.produce(spread(topic, "seed", 1))
	p := &pair{s: s, topic: topic, a: s.join(group, topic)}
	p.settle(func(owns [Partitions]bool) bool { return count(owns) == Partitions })
	p.b = s.join(group, topic)
	p.settle(func(owns [Partitions]bool) bool { return count(owns) == Partitions/2 })

	// Settled, each record is read by exactly one of them, in order.
	stop := make(chan struct{})
	recsA, doneA := s.drainFor(p.a, stop)
	recsB, doneB := s.drainFor(p.b, stop)
	const each = 200
	s.produce(spread(topic, "last", each))
	next := map[int32]int64{}
	owner := map[int32]string{}
	take := func(who string, r queue.Record) {
		if at, ok := next[r.Partition]; ok && r.Offset != at {
			s.Errorf("partition %d: offset %d, want %d", r.Partition, r.Offset, at)
		}
		next[r.Partition] = r.Offset + 1
		if o := owner[r.Partition]; o != "" && o != who {
			s.Errorf("partition %d was read by both members", r.Partition)
		}
		owner[r.Partition] = who
	}
	for range each * Partitions {
		select {
		case r := <-recsA:
			take("a", r)
		case r := <-recsB:
			take("b", r)
		case <-time.After(patience):
			s.Fatal("records are missing")
		}
	}
	close(stop)
	if err := errors.Join(<-doneA, <-doneB); err != nil {
		s.Errorf("Poll: %v", err)
	}
}

func testRevocation(s *suite) {
	topic, group := s.name("revoke"), s.name("g")
	s.produce(spread(topic, "seed", 1))
	p := &pair{s: s, topic: topic, a: s.join(group, topic)}
	all, _ := p.settle(func(owns [Partitions]bool) bool { return count(owns) == Partitions })
	p.b = s.join(group, topic)
	var owns [Partitions]bool
	p.settle(func(o [Partitions]bool) bool { owns = o; return count(o) == Partitions/2 })

	// A commits everything it once read: what moved is refused, the rest is taken.
	if err := p.a.Commit(s.ctx, after(all)); !errors.Is(err, queue.ErrRevoked) {
		s.Errorf("Commit of partitions that moved: %v, want ErrRevoked", err)
	}
	var kept []queue.Position
	for _, pos := range after(all) {
		if owns[pos.Partition] {
			kept = append(kept, pos)
		}
	}
	if err := p.a.Commit(s.ctx, kept); err != nil {
		s.Errorf("Commit of partitions that stayed: %v", err)
	}
}

func testLeaving(s *suite) {
	topic, group := s.name("leave"), s.name("g")
	s.produce(spread(topic, "seed", 1))
	p := &pair{s: s, topic: topic, a: s.join(group, topic), b: s.join(group, topic)}
	p.settle(func(owns [Partitions]bool) bool { return count(owns) == Partitions/2 })
	left := p.a
	p.a = nil
	if err := left.Close(); err != nil {
		s.Fatalf("Close: %v", err)
	}
	_, recs := p.settle(func(owns [Partitions]bool) bool { return count(owns) == 0 })
	if got := partsOf(recs); got != partsOf(spread(topic, "", 1)) {
		s.Errorf("the member that stayed reads %s", got)
	}
}
