package broker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

func TestCreateTopics(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "exists", 1)
	create(t, b, "with.dot", 1)
	w := dial(t, b)
	two := []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{1}}, {Partition: 1, Replicas: []int32{1}}}
	cases := []struct {
		name       string
		topic      string
		partitions int32
		factor     int16
		assign     []kmsg.CreateTopicsRequestTopicReplicaAssignment
		configs    []string
		code       int16
	}{
		{"plain", "plain", 3, 1, nil, nil, 0},
		{"defaults", "defaults", -1, -1, nil, nil, 0},
		{"factor of a cluster", "three", 1, 3, nil, nil, 0},
		{"assignment", "assigned", -1, -1, two, nil, 0},
		{"exists", "exists", 1, 1, nil, nil, errTopicExists},
		{"collides", "with_dot", 1, 1, nil, nil, errInvalidTopic},
		{"empty name", "", 1, 1, nil, nil, errInvalidTopic},
		{"dots", "..", 1, 1, nil, nil, errInvalidTopic},
		{"slash", "../meta", 1, 1, nil, nil, errInvalidTopic},
		{"no partitions", "none", 0, 1, nil, nil, errInvalidPartitions},
		{"too many partitions", "many", maxPartitions + 1, 1, nil, nil, errInvalidPartitions},
		{"factor 0", "zero", 1, 0, nil, nil, errInvalidReplication},
		{"assignment and counts", "both", 2, 1, two, nil, errInvalidRequest},
		{"assignment elsewhere", "other", -1, -1, []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{2}}}, nil, errInvalidAssignment},
		{"config", "config", 1, 1, nil, []string{"retention.ms", "1000"}, 0},
		{"unknown config", "unknown", 1, 1, nil, []string{"retention.mss", "1000"}, errInvalidConfig},
		{"compaction", "compact", 1, 1, nil, []string{"cleanup.policy", "compact,delete"}, 0},
		{"unknown policy", "policy", 1, 1, nil, []string{"cleanup.policy", "compact,forget"}, errInvalidConfig},
		{"not a number", "nan", 1, 1, nil, []string{"segment.bytes", "1 GB"}, errInvalidConfig},
		{"loosened", "loose", 1, 1, nil, []string{"flush.messages", "100"}, errInvalidConfig},
		{"kept without effect", "quiet", 1, 1, nil, []string{"min.insync.replicas", "2"}, 0},
	}
	for _, dry := range []bool{true, false} {
		for _, c := range cases {
			rt := kmsg.NewCreateTopicsRequestTopic()
			rt.Topic, rt.NumPartitions, rt.ReplicationFactor, rt.ReplicaAssignment = c.topic, c.partitions, c.factor, c.assign
			for i := 0; i < len(c.configs); i += 2 {
				rt.Configs = append(rt.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: c.configs[i], Value: &c.configs[i+1]})
			}
			req := kmsg.NewPtrCreateTopicsRequest()
			req.Version, req.ValidateOnly, req.Topics = 7, dry, []kmsg.CreateTopicsRequestTopic{rt}
			got := ask[*kmsg.CreateTopicsResponse](w, req).Topics[0]
			if got.ErrorCode != c.code {
				t.Errorf("%s: code %d, want %d (dry run %v)", c.name, got.ErrorCode, c.code, dry)
			}
			if made := c.topic != "exists" && b.topics.get(c.topic) != nil; made != (c.code == 0 && !dry) {
				t.Errorf("%s: made %v (dry run %v)", c.name, made, dry)
			}
		}
	}
}

// TestTopicsOutliveBroker: settings, partitions and ids come back; a topic made anew has another id and no commits.
func TestTopicsOutliveBroker(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := testConfig(t)
	b := open(t, cfg)
	first := create(t, b, "t", 2, "retention.ms", "5000")
	if terr := b.addPartitions(first, 3, false); terr != nil {
		t.Fatal(terr)
	}
	if _, code := b.groups.get("g").commit(commitFrom{generation: -1}, []offsetRecord{{Topic: first.id, Offset: 7}}); code != errNone {
		t.Fatal(code)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	got := b.topics.get("t")
	if got == nil || got.id != first.id || len(got.partitions()) != 3 || got.config.Load().retention != 5*time.Second {
		t.Fatalf("the topic came back as %+v", got)
	}
	if o, ok := b.meta.committed("g", place{first.id, 0}); !ok || o.Offset != 7 {
		t.Errorf("commit came back as %v %v", o, ok)
	}
	recs := []queue.Record{{Topic: "t", Partition: 0, Explicit: true, Value: []byte("old")}}
	if err := b.Produce(ctx, recs); err != nil {
		t.Fatal(err)
	}
	if terr := b.deleteTopic(got); terr != nil {
		t.Fatal(terr)
	}
	if err := b.Produce(ctx, recs); err != nil { // made anew
		t.Fatal(err)
	}
	if recs[0].TopicID == [16]byte(first.id) || recs[0].Offset != 0 {
		t.Errorf("a topic made anew has the old id, or begins at %d", recs[0].Offset)
	}
	if _, ok := b.meta.committed("g", place{first.id, 0}); ok {
		t.Error("commits of a deleted topic are kept")
	}
	if entries, err := vfs.OS().ReadDir(cfg.Dir); err != nil || len(entries) != 2+len(b.topics.get("t").partitions()) {
		t.Errorf("folders left: %v, %v", entries, err)
	}
}

// TestMissingFolder: a partition whose folder is gone is offline, not empty, and the rest works.
func TestMissingFolder(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	cfg := testConfig(t)
	cfg.FS, cfg.Dir = mem, "/queue"
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	create(t, b, "t", 2)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mem.RemoveAll("/queue/t-0"); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	w := dial(t, b)
	if got := w.produce("t", 0, batchOf("a")); got.ErrorCode != errStorage {
		t.Errorf("produce to the lost partition: code %d", got.ErrorCode)
	}
	if got := w.fetch("t", 0); got.ErrorCode != errStorage {
		t.Errorf("fetch of the lost partition: code %d", got.ErrorCode)
	}
	if got := w.produce("t", 1, batchOf("a")); got.ErrorCode != 0 {
		t.Errorf("produce to the other partition: code %d", got.ErrorCode)
	}
	if s := b.Stats(); s.Offline != 1 {
		t.Errorf("%d partitions offline", s.Offline)
	}
	if infos := b.Topics(); infos[0].Partitions[0].Error == "" || infos[0].Partitions[1].High != 1 {
		t.Errorf("described as %+v", infos[0].Partitions)
	}
}

func TestSecondProcess(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	open(t, cfg)
	_, err := Open(cfg)
	var locked *vfs.LockedError
	if !errors.As(err, &locked) || locked.PID == 0 {
		t.Errorf("a second broker on the folder: %v", err)
	}
}

// TestDiskFloor: with too little free space producers are refused before anything is written, everything else goes on.
func TestDiskFloor(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	w.produce("t", 0, batchOf("a"))
	b.full.Store(true)
	if got := w.produce("t", 0, batchOf("b")); got.ErrorCode != errStorage {
		t.Errorf("produce: code %d", got.ErrorCode)
	}
	recs := []queue.Record{{Topic: "t", Value: []byte("b")}, {Topic: "t", Value: []byte("c")}}
	var failed *queue.ProduceError
	if err := b.Produce(ctx, recs); !errors.Is(err, queue.ErrFull) || !errors.As(err, &failed) || fmt.Sprint(failed.Failed) != "[0 1]" {
		t.Errorf("Produce: %v", err)
	}
	if got := w.fetch("t", 0); got.ErrorCode != 0 || got.HighWatermark != 1 {
		t.Errorf("fetch: code %d, high watermark %d", got.ErrorCode, got.HighWatermark)
	}
	if _, code := b.groups.get("g").commit(commitFrom{generation: -1}, []offsetRecord{{Topic: b.topics.get("t").id, Offset: 1}}); code != errNone {
		t.Errorf("commit: code %d", code)
	}
	if s := b.Stats(); !s.DiskFull || s.Refused[errStorage] != 1 {
		t.Errorf("stats %+v", s)
	}
	b.full.Store(false)
	if got := w.produce("t", 0, batchOf("b")); got.ErrorCode != 0 || got.BaseOffset != 1 {
		t.Errorf("produce with space again: code %d, offset %d", got.ErrorCode, got.BaseOffset)
	}
}

// TestPoison: after a failed sync nothing is acknowledged until the journal is reopened, what had been acknowledged stays, and the
// sequences of producers are those of what is on disk.
func TestPoison(t *testing.T) {
	t.Parallel()
	fault := vfs.NewFault(vfs.NewMem())
	b := memBroker(t, func(c *Config) { c.FS = fault })
	create(t, b, "t", 1)
	w := dial(t, b)
	batch := func(sequence int32) []byte { return sequenced(batchOf(fmt.Sprint(sequence)), 5, 0, sequence) }
	if got := w.produce("t", 0, batch(0)); got.ErrorCode != 0 {
		t.Fatalf("code %d", got.ErrorCode)
	}
	fault.SetRules(vfs.Rule{Op: vfs.OpSync, Path: "t-0", At: 1})
	if got := w.produce("t", 0, batch(1)); got.ErrorCode != errStorage {
		t.Fatalf("produce over a failed sync: code %d", got.ErrorCode)
	}
	if got := w.produce("t", 0, batch(1)); got.ErrorCode != errStorage {
		t.Fatalf("repeat on a poisoned journal: code %d", got.ErrorCode)
	}
	if got := w.fetch("t", 0); got.ErrorCode != 0 || got.HighWatermark != 1 {
		t.Errorf("fetch: code %d, high watermark %d, want 0 and 1", got.ErrorCode, got.HighWatermark)
	}
	if s := b.Stats(); s.Poisoned != 1 {
		t.Errorf("%d journals poisoned", s.Poisoned)
	}
	b.reopenPoisoned()
	if got := w.produce("t", 0, batch(1)); got.ErrorCode != 0 || got.BaseOffset != 1 {
		t.Errorf("repeat after reopening: code %d, offset %d", got.ErrorCode, got.BaseOffset)
	}
	if got := valuesOf(t, w.fetch("t", 0).RecordBatches); fmt.Sprint(got) != "[0 1]" {
		t.Errorf("fetched %v", got)
	}
}

// TestRetention: old records go, but not those that a pinning group has yet to read.
func TestRetention(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	value := make([]byte, 20_000)
	fill := func(name string) {
		for range 30 {
			if err := b.Produce(ctx, []queue.Record{{Topic: name, Value: value}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	old := []string{"compression.own", "none", "segment.bytes", "65536", "retention.ms", "0"}
	create(t, b, "free", 1, old...)
	create(t, b, "pinned", 1, old...)
	create(t, b, "unpinned", 1, append(old, "retention.unread", "delete")...)
	create(t, b, "bytes", 1, "compression.own", "none", "segment.bytes", "65536", "retention.bytes", "100000")
	for _, name := range []string{"free", "pinned", "unpinned", "bytes"} {
		fill(name)
	}
	m, err := b.Join(ctx, "g", "pinned", "unpinned", "bytes")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Poll(ctx); err != nil {
		t.Fatal(err)
	}
	b.retain()
	start := func(name string) int64 { return b.topics.get(name).partition(0).j.Start() }
	if got := start("free"); got != 30 {
		t.Errorf("a topic nobody pins starts at %d, want 30", got)
	}
	if got := start("pinned"); got != 0 {
		t.Errorf("a pinned topic starts at %d", got)
	}
	if got := start("unpinned"); got != 30 {
		t.Errorf("a topic with retention.unread=delete starts at %d, want 30", got)
	}
	if got := start("bytes"); got < 20 {
		t.Errorf("a topic with retention.bytes starts at %d", got)
	}
	tp := b.topics.get("pinned")
	if err := m.Commit(ctx, []queue.Position{{Topic: "pinned", TopicID: tp.id, Partition: 0, Offset: 15}}); err != nil {
		t.Fatal(err)
	}
	if err := b.flushMembers(); err != nil {
		t.Fatal(err)
	}
	b.retain()
	if got := start("pinned"); got == 0 || got > 15 {
		t.Errorf("read up to 15, the topic starts at %d", got)
	}
}

// TestDescribe: what the UI shows of topics and groups.
func TestDescribe(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	create(t, b, "t", 1)
	for range 10 {
		if err := b.Produce(ctx, []queue.Record{{Topic: "t", Value: []byte("v")}}); err != nil {
			t.Fatal(err)
		}
	}
	m, err := b.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	recs, err := m.Poll(ctx)
	if err != nil || len(recs) != 10 {
		t.Fatalf("%d records, %v", len(recs), err)
	}
	if err := m.Commit(ctx, []queue.Position{{Topic: "t", TopicID: recs[0].TopicID, Offset: 4}}); err != nil {
		t.Fatal(err)
	}
	if err := b.flushMembers(); err != nil {
		t.Fatal(err)
	}
	info := b.Topics()[0]
	if info.Name != "t" || info.In != 10 || info.Out != 10 || info.Bytes == 0 || len(info.Partitions) != 1 || len(info.Groups) != 1 {
		t.Fatalf("topic %+v", info)
	}
	if p := info.Partitions[0]; p.Low != 0 || p.High != 10 || len(p.Groups) != 1 || p.Groups[0].Committed != 4 || p.Groups[0].Lag != 6 || p.Groups[0].Member == "" {
		t.Errorf("partition %+v", p)
	}
	if g := b.Groups()[0]; g.Name != "g" || g.State != "Stable" || g.Lag != 6 || !g.Pins || len(g.Members) != 1 || !g.Members[0].Embedded {
		t.Errorf("group %+v", g)
	}
}

func TestClockGuard(t *testing.T) {
	t.Parallel()
	var g clockGuard
	wall, mono := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Duration(0)
	steps := []struct {
		name       string
		wall, mono time.Duration
		want       bool
	}{
		{"first", 0, 0, true},
		{"together", time.Minute, time.Minute, true},
		{"a little ahead", 30 * time.Minute, time.Minute, true},
		{"back", -time.Hour, time.Minute, true},
		{"a year ahead", 365 * 24 * time.Hour, time.Minute, false},
		{"an hour later", time.Hour, time.Hour, false},
		{"a day later", 24 * time.Hour, 24 * time.Hour, true},
	}
	for _, s := range steps {
		wall, mono = wall.Add(s.wall), mono+s.mono
		if got := g.trusted(wall, mono); got != s.want {
			t.Errorf("%s: trusted %v", s.name, got)
		}
	}
}

// TestBudget: over the budget what is read goes, oldest first, whatever its topic; what a pinning group has yet to read stays.
func TestBudget(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t, func(c *Config) { c.DiskBudget = 1 })
	value := make([]byte, 20_000)
	for _, name := range []string{"read", "unread", "nobody"} {
		create(t, b, name, 1, "segment.bytes", "65536", "compression.own", "none")
		for range 30 {
			produceTo(t, b, name, 0, string(value))
		}
	}
	m, err := b.Join(ctx, "g", "read", "unread")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	pollSome(t, m, 60)
	if err := m.Commit(ctx, []queue.Position{{Topic: "read", Offset: 30}, {Topic: "unread", Offset: 7}}); err != nil {
		t.Fatal(err)
	}
	if err := b.flushMembers(); err != nil {
		t.Fatal(err)
	}
	b.keepBudget()
	start := func(name string) int64 { return b.topics.get(name).partition(0).j.Start() }
	if got := start("read"); got != 30 {
		t.Errorf("what is read starts at %d, want 30", got)
	}
	if got := start("unread"); got == 0 || got > 7 {
		t.Errorf("read up to 7, the topic starts at %d", got)
	}
	if got := start("nobody"); got == 0 || got == 30 {
		t.Errorf("a topic nobody pins starts at %d, want all but the active extent gone", got)
	}
	if n := b.Stats().Unread; n != 0 {
		t.Errorf("%d records removed unread", n)
	}
	b.drop(b.victims(false), 1<<40)
	if got := start("unread"); got < 20 || b.Stats().Unread != got-7 {
		t.Errorf("dropped up to %d, %d counted as unread, want %d", got, b.Stats().Unread, got-7)
	}
	produceTo(t, b, "read", 0, "next")
	if got := pollSome(t, m, 1); got[0] != "next" {
		t.Errorf("polled %v", got)
	}
}
