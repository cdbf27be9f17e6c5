package kafka

import (
	"context"
	"errors"
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

// TestLoginOnCluster logs in at the cluster that WEIR_KAFKA_LOGIN names, as user:password@host:port, which must know the user with all
// mechanisms.
func TestLoginOnCluster(t *testing.T) {
	t.Parallel()
	login, at, ok := strings.Cut(os.Getenv("WEIR_KAFKA_LOGIN"), "@")
	if !ok {
		t.Skip("WEIR_KAFKA_LOGIN names no cluster")
	}
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig()
			cfg.Brokers, cfg.Mechanism = []string{at}, mechanism
			cfg.User, cfg.Password, _ = strings.Cut(login, ":")
			q, err := Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			recs := []queue.Record{{Topic: "login-" + strings.ToLower(mechanism), Key: []byte("k"), Value: []byte("v")}}
			if err := q.Produce(t.Context(), recs); err != nil {
				t.Errorf("Produce: %v", err)
			}
			if err := q.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			cfg.Password += "-wrong"
			if q, err = Open(t.Context(), cfg); !errors.Is(err, queue.ErrDenied) {
				t.Errorf("Open with a wrong password: %v, want ErrDenied", err)
			}
			if err == nil {
				q.Close()
			}
		})
	}
}
