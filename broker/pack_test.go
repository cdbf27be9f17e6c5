package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/queue"
)

// noise is n bytes that do not get smaller.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// produceLines produces calls of lines that repeat each other and gives their values, in order.
func produceLines(t *testing.T, b *Broker, topic string, calls, lines int) []string {
	t.Helper()
	var want []string
	for i := range calls {
		recs := make([]queue.Record, lines)
		for k := range recs {
			v := fmt.Sprintf(`{"message":"line %d of call %d","agent":{"type":"filebeat","version":"9.5.0"},"ecs":{"version":"8.0.0"}}`, k, i)
			want = append(want, v)
			recs[k] = queue.Record{Topic: topic, Value: []byte(v), Time: time.UnixMilli(int64(1000*i + k))}
		}
		if err := b.Produce(context.Background(), recs); err != nil {
			t.Fatal(err)
		}
		for k := range recs {
			if recs[k].Offset != int64(i*lines+k) {
				t.Fatalf("record %d of call %d has offset %d", k, i, recs[k].Offset)
			}
		}
	}
	return want
}

// TestPackedIsRead: members and outsiders read compressed batches in order, from any offset, and times are found in them. A member's
// bytes live until the commit, whatever is read meanwhile.
func TestPackedIsRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const calls, lines = 12, 700
	for _, codec := range []string{"lz4", "snappy", "none"} {
		b := memBroker(t, func(c *Config) { c.Listen = []string{"127.0.0.1:0"} })
		tp := create(t, b, "t", 1, "compression.own", codec)
		want := produceLines(t, b, "t", calls, lines)
		size := tp.partition(0).j.Size()
		if packed := size < int64(len(want)*100/4); packed != (codec != "none") {
			t.Errorf("%s: %d bytes on disk", codec, size)
		}
		if offset, at, err := tp.partition(0).j.OffsetForTime(3333); err != nil || offset != 3*lines+333 || at != 3333 {
			t.Errorf("%s: time 3333 is at offset %d with time %d, %v", codec, offset, at, err)
		}
		m, err := b.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		var held []queue.Record
		for len(held) < len(want) {
			recs, err := m.Poll(ctx)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, recs...)
		}
		for i := range held {
			if string(held[i].Value) != want[i] || held[i].Offset != int64(i) {
				t.Fatalf("%s: record %d is %q at %d, want %q", codec, i, held[i].Value, held[i].Offset, want[i])
			}
		}
		if err := m.Commit(ctx, []queue.Position{{Topic: "t", Offset: int64(len(want))}}); err != nil {
			t.Fatal(err)
		}
		if n := m.(*member).held; n != 0 {
			t.Errorf("%s: %d bytes held after the commit", codec, n)
		}
		if err := m.Seek(ctx, []queue.Position{{Topic: "t", Offset: 777}}); err != nil {
			t.Fatal(err)
		}
		recs, err := m.Poll(ctx)
		if err != nil || len(recs) == 0 || recs[0].Offset != 777 || string(recs[0].Value) != want[777] {
			t.Errorf("%s: from offset 777 on %d records, %v", codec, len(recs), err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		checkClients(t, b.Addrs()[0].String(), "t", want)
	}
}

// checkClients reads a topic with franz-go and sarama.
func checkClients(t *testing.T, addr, topic string, want []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	n := 0
	for n < len(want) {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("franz-go: %v", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) != want[r.Offset] || r.Offset != int64(n) {
				t.Fatalf("franz-go: offset %d holds %q", r.Offset, r.Value)
			}
			n++
		})
	}
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V2_8_0_0
	sc, err := sarama.NewConsumer([]string{addr}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	pc, err := sc.ConsumePartition(topic, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for i := 5; i < len(want); i++ {
		select {
		case msg := <-pc.Messages():
			if string(msg.Value) != want[i] || msg.Offset != int64(i) {
				t.Fatalf("sarama: offset %d holds %q", msg.Offset, msg.Value)
			}
		case <-ctx.Done():
			t.Fatalf("sarama: %d of %d records", i, len(want))
		}
	}
}

// TestNoisePauses: what does not get smaller is kept as it is, and seldom tried.
func TestNoisePauses(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	tp := create(t, b, "t", 1)
	p := tp.partition(0)
	if err := b.Produce(context.Background(), []queue.Record{{Topic: "t", Value: noise(50_000)}}); err != nil {
		t.Fatal(err)
	}
	for n := int32(packPauses); n > 0; n-- {
		if p.tryPack() {
			t.Fatalf("tried with %d to go", n)
		}
	}
	if !p.tryPack() {
		t.Error("not tried again")
	}
	if p.j.Size() < 50_000 {
		t.Errorf("%d bytes on disk", p.j.Size())
	}
}
