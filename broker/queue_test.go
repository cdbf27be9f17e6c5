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
