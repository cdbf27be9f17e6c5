package broker

import (
	"context"
	"fmt"
	"testing"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/queuetest"
	"github.com/weirlog/weir/vfs"
)

// testConfig is a broker on files of the test, reachable by direct calls only.
func testConfig(t testing.TB) Config {
	cfg := DefaultConfig()
	cfg.Dir, cfg.Listen, cfg.Partitions, cfg.DiskFloor, cfg.DiskBudget = t.TempDir(), nil, queuetest.Partitions, -1, -1
	_, bench := t.(*testing.B)
	cfg.poison = !bench
	return cfg
}

// open opens and runs a broker and closes it at the end of the test.
func open(t testing.TB, cfg Config) *Broker {
	t.Helper()
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return b
}

// trimmable adds what the suite needs to make gaps.
type trimmable struct{ *Broker }

func (b trimmable) Trim(_ context.Context, topic string, partition int32, before int64) error {
	if _, code := b.deleteRecords(topic, partition, before); code != errNone {
		return fmt.Errorf("delete records: code %d", code)
	}
	return nil
}

func TestQueue(t *testing.T) {
	t.Parallel()
	queuetest.Test(t, func(t *testing.T) queue.Queue {
		cfg := testConfig(t)
		cfg.FS, cfg.Dir = vfs.NewMem(), "/queue"
		return trimmable{open(t, cfg)}
	})
}

// TestTopicDefaults: a topic gets the broker's defaults where its creator says nothing.
func TestTopicDefaults(t *testing.T) {
	t.Parallel()
	cfg := DefaultConfig()
	cfg.FS, cfg.Dir, cfg.Listen = vfs.NewMem(), "q", nil
	cfg.TopicDefaults = map[string]string{"retention.ms": "1000", "segment.bytes": "1048576"}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, terr := b.createTopic(newTopic{name: "t", partitions: 1, configs: map[string]string{"retention.ms": "5"}}); terr != nil {
		t.Fatal(terr)
	}
	got := b.Topics()[0].Configs
	if got["retention.ms"] != "5" || got["segment.bytes"] != "1048576" {
		t.Errorf("configs %v", got)
	}
	cfg.Dir, cfg.TopicDefaults = "q2", map[string]string{"retention.sm": "1"}
	if _, err := Open(cfg); err == nil {
		t.Error("an unknown default was accepted")
	}
}
