package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/vfs"
)

// TestManyConnections: as many connections as one address may have are all served, one more is refused, and the place of one that goes is
// free again.
func TestManyConnections(t *testing.T) {
	t.Parallel()
	b, addr := listening(t)
	create(t, b, "t", 1)
	ask := func(c net.Conn, n int) error {
		req := produceReq(9, "t", 0, batchOf(fmt.Sprint(n)))
		c.SetDeadline(time.Now().Add(60 * time.Second))
		if _, err := c.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(n))); err != nil {
			return err
		}
		var size [4]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		_, err := io.ReadFull(c, body)
		if err == nil && int(binary.BigEndian.Uint32(body)) != n {
			err = fmt.Errorf("answer of request %d", binary.BigEndian.Uint32(body))
		}
		return err
	}
	conns := make([]net.Conn, maxConnsPerHost)
	errs := make([]error, len(conns))
	var wg sync.WaitGroup
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
		wg.Go(func() { errs[i] = ask(c, i) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	if end := b.topics.get("t").partition(0).j.DurableEnd(); end != maxConnsPerHost {
		t.Errorf("%d records", end)
	}
	more, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer more.Close()
	if ask(more, 1) == nil {
		t.Error("one connection too many is served")
	}
	conns[0].Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		err = ask(c, 2)
		c.Close()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the place of a closed connection is not free")
		}
	}
}

// TestRestartStorm: a producer and a group go on through ten restarts; each record comes at least once, in order, and is kept once.
func TestRestartStorm(t *testing.T) {
	t.Parallel()
	const restarts, each = 10, 50
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cfg := testConfig(t)
	cfg.FS, cfg.Dir, cfg.Partitions, cfg.Listen = vfs.NewMem(), "/queue", 1, []string{"127.0.0.1:0"}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	addr := b.Addrs()[0].String()
	cfg.Listen = []string{addr}
	start := func() chan error {
		done := make(chan error, 1)
		go func() { done <- b.Run(context.Background()) }()
		return done
	}
	done := start()
	producer, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t"), kgo.AllowAutoTopicCreation(), kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	reader, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("t"), kgo.ConsumerGroup("g"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	var acked sync.WaitGroup
	for round := range restarts {
		for i := range each {
			acked.Add(1)
			producer.Produce(ctx, kgo.StringRecord(fmt.Sprint(round*each+i)), func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("produce: %v", err)
				}
				acked.Done()
			})
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if b, err = Open(cfg); err != nil {
			t.Fatal(err)
		}
		done = start()
	}
	acked.Wait()
	seen := map[int64]string{}
	for len(seen) < restarts*each && ctx.Err() == nil {
		reader.PollFetches(ctx).EachRecord(func(r *kgo.Record) { seen[r.Offset] = string(r.Value) })
	}
	for i := range int64(restarts * each) {
		if seen[i] != fmt.Sprint(i) {
			t.Fatalf("offset %d holds %q", i, seen[i])
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	<-done
}
