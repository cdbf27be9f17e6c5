package kafka

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/queuetest"
)

func openQueue(t *testing.T, brokers []string) *Queue {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Brokers = brokers
	q, err := Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return q
}

func TestQueueOnFake(t *testing.T) {
	t.Parallel()
	queuetest.Test(t, func(t *testing.T) queue.Queue {
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DefaultNumPartitions(queuetest.Partitions), kfake.AllowAutoTopicCreation(),
			kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return openQueue(t, c.ListenAddrs())
	})
}

// TestQueueOnCluster runs on the cluster that WEIR_KAFKA names, as host:port,host:port. It makes topics of its own there, and leaves
// them; the cluster must make topics on first use with queuetest.Partitions partitions.
func TestQueueOnCluster(t *testing.T) {
	t.Parallel()
	at := os.Getenv("WEIR_KAFKA")
	if at == "" {
		t.Skip("WEIR_KAFKA names no cluster")
	}
	queuetest.Test(t, func(t *testing.T) queue.Queue { return openQueue(t, strings.Split(at, ",")) })
}
