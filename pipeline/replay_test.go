package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
)

// TestReplay runs part of a topic once more, by a changed text, into another index; the group that reads the topic stays where it is.
func TestReplay(t *testing.T) {
	t.Parallel()
	q, w := newMemQueue(), newMemWriter()
	for i := range 100 {
		q.Produce(context.Background(), []queue.Record{{Topic: "logs", Partition: int32(i % 2), Value: fmt.Appendf(nil, `{"message":"line %d"}`, i), Time: testNow}})
	}
	cfg := queueConfig(q, w)
	cfg.Text[0].Text = `input { kafka { topics => "other" codec => json tags => ["kept"] group_id => "g" } } filter { mutate { add_field => { "new" => "yes" } } }
		output { elasticsearch { } stdout { } }`
	cfg.Replay = &Replay{Topic: "logs", Group: "throwaway", From: map[int32]int64{0: 10, 1: 40}, To: map[int32]int64{0: 20, 1: 50}, Index: "again"}
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := p.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if cfg.Replay.Records() != 20 || len(w.docs) != 20 {
		t.Fatalf("%d documents, want 20", len(w.docs))
	}
	got := messages(w)
	for i := range 100 {
		at, want := int64(i/2), 0
		if at >= cfg.Replay.From[int32(i%2)] && at < cfg.Replay.To[int32(i%2)] {
			want = 1
		}
		if k := got[fmt.Sprintf("line %d", i)]; k != want {
			t.Errorf("line %d is there %d times, want %d", i, k, want)
		}
	}
	if d := w.docs[0]; d.op.Index != "again" {
		t.Errorf("index %s", d.op.Index)
	}
	for part := range int32(2) {
		if at := q.commit("g", "logs", part); at != 0 {
			t.Errorf("the group was moved to %d", at)
		}
	}
}
