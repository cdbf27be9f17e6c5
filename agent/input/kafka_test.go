package input

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// TestKafka: what is durable is committed, so that a second run goes on behind it.
func TestKafka(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in"), kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	open := func(string) (*kafka.Queue, error) {
		cfg := kafka.DefaultConfig()
		cfg.Brokers = cluster.ListenAddrs()
		return kafka.Open(t.Context(), cfg)
	}
	q, err := open("")
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	at := time.UnixMilli(1767610800000)
	produce := func(text string) {
		if err := q.Produce(t.Context(), []queue.Record{{Topic: "in", Key: []byte("k"), Value: []byte(text), Time: at, Headers: []queue.Header{{Key: "h", Value: []byte("v")}}}}); err != nil {
			t.Fatal(err)
		}
	}
	c := DefaultKafka()
	c.Hosts, c.Topics, c.Group = cluster.ListenAddrs(), []string{"in"}, "g"
	c.Connect = func(*KafkaConfig, *slog.Logger) (queue.Queue, func() error, error) {
		q, err := open("")
		if err != nil {
			return nil, nil, err
		}
		return q, q.Close, nil
	}
	for i := range 2 {
		produce(fmt.Sprintf("record %d", i))
		sink := newMemory()
		stop := run(t, c, sink)
		want := fmt.Sprintf(`{"@timestamp":"2026-01-05T11:00:00.000Z","message":"record %d","kafka":{"headers":["h: v"],"key":"k","offset":%d,"partition":0,"topic":"in"}}`+"\n", i, i)
		if got := show(sink.wait(t, 1)); got != want {
			t.Errorf("got %s want %s", got, want)
		}
		stop()
	}
}

func TestKafkaFaults(t *testing.T) {
	t.Parallel()
	c := DefaultKafka()
	c.InitialOffset = "middle"
	if errs := c.Validate(); len(errs) != 2 {
		t.Errorf("%v", errs)
	}
	if _, err := c.Open(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "no way") {
		t.Errorf("without a way to connect: %v", err)
	}
	c.Connect = func(*KafkaConfig, *slog.Logger) (queue.Queue, func() error, error) {
		return nil, nil, errors.New("down")
	}
	in, err := c.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Run(context.Background(), newMemory()); err == nil || err.Error() != "down" {
		t.Errorf("%v", err)
	}
}
