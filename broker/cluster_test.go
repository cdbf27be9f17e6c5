package broker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
	"github.com/weirlog/weir/queue/queuetest"
	"github.com/weirlog/weir/vfs"
)

// listening is a broker on memory files behind a port of loopback.
func listening(t testing.TB) (*Broker, string) {
	cfg := testConfig(t)
	cfg.FS, cfg.Dir, cfg.Listen = vfs.NewMem(), "/queue", []string{"127.0.0.1:0"}
	b := open(t, cfg)
	return b, b.Addrs()[0].String()
}

// TestQueueOverTCP is the suite on the queue that speaks Kafka's protocol, with this broker as the cluster.
func TestQueueOverTCP(t *testing.T) {
	t.Parallel()
	queuetest.Test(t, func(t *testing.T) queue.Queue {
		_, addr := listening(t)
		cfg := kafka.DefaultConfig()
		cfg.Brokers = []string{addr}
		q, err := kafka.Open(context.Background(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := q.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		return q
	})
}

// TestSharedGroup: a member in this process and one on another machine share a group.
func TestSharedGroup(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, addr := listening(t)
	create(t, b, "t", 4)
	cfg := kafka.DefaultConfig()
	cfg.Brokers = []string{addr}
	far, err := kafka.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	got := make(chan queue.Record, 1000)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i, q := range []queue.Queue{b, far} {
		m, err := q.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		readers.Go(func() {
			defer m.Close()
			for {
				select {
				case <-stop:
					return
				default:
				}
				recs, err := m.Poll(ctx)
				if err != nil {
					t.Errorf("Poll of member %d: %v", i, err)
					return
				}
				for _, r := range recs {
					r.Headers = []queue.Header{{Key: "reader", Value: []byte{byte(i)}}}
					r.Value = append([]byte(nil), r.Value...)
					got <- r
				}
				if len(recs) > 0 {
					last := recs[len(recs)-1]
					m.Commit(ctx, []queue.Position{{Topic: "t", TopicID: last.TopicID, Partition: last.Partition, Offset: last.Offset + 1}})
				}
			}
		})
	}
	for !halved(b.Groups()) {
		select {
		case <-ctx.Done():
			t.Fatalf("the members do not share: %+v", b.Groups())
		case <-time.After(10 * time.Millisecond):
		}
	}
	const each = 100
	for i := range each {
		for p := range int32(4) {
			produceTo(t, b, "t", p, fmt.Sprint(p, "-", i))
		}
	}
	reader := map[int32]byte{}
	seen := map[string]bool{}
	for range 4 * each {
		select {
		case r := <-got:
			who := r.Headers[0].Value[0]
			if old, ok := reader[r.Partition]; ok && old != who || seen[string(r.Value)] {
				t.Errorf("%s was read twice, or its partition by both members", r.Value)
			}
			reader[r.Partition], seen[string(r.Value)] = who, true
		case <-ctx.Done():
			t.Fatalf("%d of %d records came", len(seen), 4*each)
		}
	}
	close(stop)
	readers.Wait()
}

// halved reports whether the only group is stable with two members of two partitions each.
func halved(groups []GroupInfo) bool {
	if len(groups) != 1 || groups[0].State != "Stable" || len(groups[0].Members) != 2 {
		return false
	}
	return len(groups[0].Members[0].Partitions["t"]) == 2 && len(groups[0].Members[1].Partitions["t"]) == 2
}
