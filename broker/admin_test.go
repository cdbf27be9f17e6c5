package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// openAdmin is the view of operators on b, through a pipe.
func openAdmin(t *testing.T, b *Broker) *kafka.Admin {
	t.Helper()
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.Dial = []string{"embedded:9092"}, b.Dial
	a, err := kafka.OpenAdmin(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func TestAdminTopicsAndGroups(t *testing.T) {
	t.Parallel()
	b := memBroker(t, func(c *Config) { c.AutoCreate = false })
	a := openAdmin(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.CreateTopic(ctx, kafka.NewTopic{Name: "logs", Partitions: 2, Configs: map[string]string{"retention.ms": "1000000"}}); err != nil {
		t.Fatal(err)
	}
	if err := a.CreateTopic(ctx, kafka.NewTopic{Name: "bad", Configs: map[string]string{"no.such": "1"}}); err == nil {
		t.Error("an unknown setting was taken")
	}
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	var recs []queue.Record
	for i := range 100 {
		recs = append(recs, queue.Record{Topic: "logs", Partition: int32(i % 2), Explicit: true, Time: begin.Add(time.Duration(i) * time.Second), Key: []byte(fmt.Sprint("k", i)), Value: []byte(fmt.Sprintf(`{"n":%d}`, i))})
	}
	recs[0].Origin = ledger.Range{Source: ledger.NewSource(begin), From: 10, To: 30}
	if err := b.Produce(ctx, recs); err != nil {
		t.Fatal(err)
	}
	topic, err := a.Topic(ctx, "logs")
	if err != nil {
		t.Fatal(err)
	}
	if topic.Records != 100 || topic.Partitions != 2 || topic.Bytes <= 0 || topic.Oldest == nil || !topic.Oldest.Equal(begin) || !topic.Newest.Equal(begin.Add(99*time.Second)) {
		t.Errorf("topic = %+v", topic)
	}
	if _, err := a.Topic(ctx, "none"); !errors.Is(err, queue.ErrUnknownTopic) {
		t.Errorf("unknown topic: %v", err)
	}
	moves, err := a.Reset(ctx, "g", kafka.Reset{Topics: []string{"logs"}, To: begin.Add(50 * time.Second).Format(time.RFC3339Nano)})
	if err != nil || len(moves) != 2 || moves[0].To != 25 || moves[0].From != -1 || moves[1].To != 25 {
		t.Errorf("reset: %+v, %v", moves, err)
	}
	group, err := a.Group(ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	if group.Lag != 50 || group.LagMs < (time.Hour-2*time.Minute).Milliseconds() || group.LagMs > (time.Hour+time.Minute).Milliseconds() || len(group.Offsets) != 2 || group.State != "Empty" {
		t.Errorf("group = %+v", group)
	}
	m, err := b.Join(ctx, "g", "logs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Poll(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reset(ctx, "g", kafka.Reset{To: "start"}); !errors.Is(err, kafka.ErrGroupActive) {
		t.Errorf("reset of a group with a member: %v", err)
	}
	if err := a.DeleteGroup(ctx, "g"); !errors.Is(err, kafka.ErrGroupActive) {
		t.Errorf("deletion of a group with a member: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteGroup(ctx, "g"); err != nil {
		t.Error(err)
	}
	if _, err := a.Group(ctx, "g"); !errors.Is(err, kafka.ErrUnknownGroup) {
		t.Errorf("deleted group: %v", err)
	}
	if err := a.SetConfigs(ctx, "logs", map[string]string{"retention.bytes": "5000000"}, []string{"retention.ms"}); err != nil {
		t.Error(err)
	}
	if err := a.AddPartitions(ctx, "logs", 3); err != nil {
		t.Error(err)
	}
	if err := a.Trim(ctx, "logs", map[int32]int64{0: 10, 1: -1}); err != nil {
		t.Error(err)
	}
	if topic, err = a.Topic(ctx, "logs"); err != nil || topic.Partitions != 3 || topic.Parts[0].Low != 10 || topic.Parts[1].Low != 50 {
		t.Errorf("topic = %+v, %v", topic, err)
	}
	if err := a.DeleteTopic(ctx, "logs"); err != nil {
		t.Error(err)
	}
}

func TestAdminBrowse(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	a := openAdmin(t, b)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	create(t, b, "logs", 1)
	begin := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	for i := range 500 {
		key := fmt.Sprint("k", i%10)
		v := fmt.Sprintf("line %d", i)
		if _, at, err := a.Produce(ctx, "logs", kafka.NewMessage{Key: &key, Value: &v, Time: begin.Add(time.Duration(i) * time.Second)}); err != nil || at != int64(i) {
			t.Fatal(at, err)
		}
	}
	tests := []struct {
		name        string
		q           kafka.Browse
		first, last int64
		n           int
	}{
		{"newest", kafka.Browse{Limit: 20}, 480, 499, 20},
		{"oldest", kafka.Browse{From: "oldest", Limit: 20}, 0, 19, 20},
		{"offset", kafka.Browse{From: "100", Limit: 5}, 100, 104, 5},
		{"until", kafka.Browse{From: "100", Until: "103"}, 100, 102, 3},
		{"time", kafka.Browse{From: begin.Add(200 * time.Second).Format(time.RFC3339Nano), Limit: 3}, 200, 202, 3},
		{"next", kafka.Browse{At: map[int32]int64{0: 300}, Limit: 3}, 300, 302, 3},
		{"key, newest", kafka.Browse{Key: "k3", Limit: 5}, 453, 493, 5},
		{"contains, newest", kafka.Browse{Contains: "line 77"}, 77, 77, 1},
		{"nothing", kafka.Browse{Contains: "nowhere"}, 0, 0, 0},
	}
	for _, test := range tests {
		test.q.Topic = "logs"
		p, err := a.Browse(ctx, test.q)
		if err != nil || len(p.Messages) != test.n {
			t.Errorf("%s: %d messages, %v", test.name, len(p.Messages), err)
			continue
		}
		if test.n > 0 && (p.Messages[0].Offset != test.first || p.Messages[test.n-1].Offset != test.last) {
			t.Errorf("%s: %d to %d", test.name, p.Messages[0].Offset, p.Messages[test.n-1].Offset)
		}
	}
	got := make(chan kafka.Message, 1)
	follow, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- a.Follow(follow, kafka.Browse{Topic: "logs", Contains: "new one"}, func(ms []kafka.Message) error {
			got <- ms[0]
			stop()
			return nil
		})
	}()
	v := "a new one"
	for waiting := true; waiting; { // Follow begins at the end of some moment
		if _, _, err := a.Produce(ctx, "logs", kafka.NewMessage{Value: &v}); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-got:
			if m.Value != v || m.ValueKind != kafka.KindText {
				t.Errorf("followed %+v", m)
			}
			waiting = false
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("nothing followed")
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
