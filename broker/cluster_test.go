package broker

import (
	"context"
	"testing"

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
