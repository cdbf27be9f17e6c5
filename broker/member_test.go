package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/broker/codec"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
)

// pollSome polls until n records came, and gives copies of their values.
func pollSome(t *testing.T, m queue.Member, n int) []string {
	t.Helper()
	var out []string
	for end := time.Now().Add(30 * time.Second); len(out) < n; {
		if time.Now().After(end) {
			t.Fatalf("polled %d of %d records", len(out), n)
		}
		recs, err := m.Poll(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			out = append(out, string(r.Value))
		}
	}
	return out
}

func produceTo(t *testing.T, b *Broker, topic string, partition int32, values ...string) {
	t.Helper()
	var recs []queue.Record
	for _, v := range values {
		recs = append(recs, queue.Record{Topic: topic, Partition: partition, Explicit: true, Value: []byte(v)})
	}
	if err := b.Produce(context.Background(), recs); err != nil {
		t.Fatal(err)
	}
}

// TestMemberFollowsTopics: added partitions and a topic made anew are read without joining again.
func TestMemberFollowsTopics(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	tp := create(t, b, "t", 1)
	m, err := b.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	produceTo(t, b, "t", 0, "first")
	pollSome(t, m, 1)
	if terr := b.addPartitions(tp, 3, false); terr != nil {
		t.Fatal(terr)
	}
	produceTo(t, b, "t", 2, "grown")
	if got := pollSome(t, m, 1); got[0] != "grown" {
		t.Errorf("polled %v", got)
	}
	if terr := b.deleteTopic(tp); terr != nil {
		t.Fatal(terr)
	}
	create(t, b, "t", 3)
	produceTo(t, b, "t", 0, "anew")
	if got := pollSome(t, m, 1); got[0] != "anew" {
		t.Errorf("polled %v", got)
	}
	if err := m.Commit(ctx, []queue.Position{{Topic: "t", TopicID: tp.id, Offset: 1}}); !errors.Is(err, queue.ErrRevoked) {
		t.Errorf("commit to the deleted topic: %v", err)
	}
}

// TestMemberNewest: a group without a commit starts where the partitions ended when it joined, one with a commit there.
func TestMemberNewest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	tp := create(t, b, "t", 1)
	produceTo(t, b, "t", 0, "old")
	m, err := b.Newest().Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	produceTo(t, b, "t", 0, "new")
	if terr := b.addPartitions(tp, 2, false); terr != nil {
		t.Fatal(terr)
	}
	produceTo(t, b, "t", 1, "grown")
	got := pollSome(t, m, 2)
	slices.Sort(got)
	if fmt.Sprint(got) != "[grown new]" {
		t.Errorf("polled %v", got)
	}
	if err := m.Commit(ctx, []queue.Position{{Topic: "t", Offset: 2}}); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	produceTo(t, b, "t", 0, "while away")
	if m, err = b.Newest().Join(ctx, "g", "t"); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := pollSome(t, m, 1); got[0] != "while away" {
		t.Errorf("polled %v", got)
	}
}

// TestMemberOpensBatches: what outsiders compressed is opened; what cannot be opened is a gap.
func TestMemberOpensBatches(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	w.produce("t", 0, gzipped(t, batchOf("a", "b")))
	junk := edit(batchOf("x", "y", "z"), func(b []byte) { b[22] |= journal.CodecLZ4 })
	if got := w.produce("t", 0, junk); got.ErrorCode != 0 {
		t.Fatalf("code %d", got.ErrorCode)
	}
	bomb := gzipped(t, batchOf(strings.Repeat("0", codec.MaxOpened)))
	if got := w.produce("t", 0, bomb); got.ErrorCode != 0 {
		t.Fatalf("code %d", got.ErrorCode)
	}
	w.produce("t", 0, batchOf("c"))
	m, err := b.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var got []string
	for end := time.Now().Add(30 * time.Second); len(got) < 5; {
		if time.Now().After(end) {
			t.Fatalf("polled %v", got)
		}
		recs, err := m.Poll(ctx)
		var gap *queue.Gap
		if errors.As(err, &gap) {
			got = append(got, fmt.Sprintf("gap %d-%d", gap.From, gap.To))
		} else if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			got = append(got, string(r.Value))
		}
	}
	if want := "[a b gap 2-5 gap 5-6 c]"; fmt.Sprint(got) != want {
		t.Errorf("polled %v, want %s", got, want)
	}
}

// TestMemberDamage: bad bytes on disk are a gap for a member and error 2 for an outsider; the rest is served.
func TestMemberDamage(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := testConfig(t)
	b := open(t, cfg)
	create(t, b, "t", 1)
	for i := range 5 {
		produceTo(t, b, "t", 0, fmt.Sprint("value ", i))
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(cfg.Dir, "t-0", "00000000000000000000.log")
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	raw[strings.Index(string(raw), "value 2")] ^= 1
	if err := os.WriteFile(name, raw, 0o640); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	w := dial(t, b)
	if got := w.fetch("t", 2); got.ErrorCode != errCorruptMessage {
		t.Errorf("fetch of the damaged batch: code %d", got.ErrorCode)
	}
	if got := valuesOf(t, w.fetch("t", 0).RecordBatches); fmt.Sprint(got) != "[value 0 value 1]" {
		t.Errorf("fetch before the damage: %v", got)
	}
	if got := valuesOf(t, w.fetch("t", 3).RecordBatches); fmt.Sprint(got) != "[value 3 value 4]" {
		t.Errorf("fetch behind the damage: %v", got)
	}
	m, err := b.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := pollSome(t, m, 2); fmt.Sprint(got) != "[value 0 value 1]" {
		t.Errorf("polled %v", got)
	}
	_, err = m.Poll(ctx)
	var gap *queue.Gap
	if !errors.As(err, &gap) || gap.From != 2 || gap.To != 3 || gap.Why == "" {
		t.Fatalf("Poll at the damage: %v", err)
	}
	if got := pollSome(t, m, 2); fmt.Sprint(got) != "[value 3 value 4]" {
		t.Errorf("polled %v", got)
	}
}

// TestMetaSnapshot: commits beyond the size of a snapshot survive a restart, and the journal of the broker stays small.
func TestMetaSnapshot(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	b := open(t, cfg)
	tp := create(t, b, "t", 4, "retention.ms", "12345")
	note := strings.Repeat("n", 1000)
	const groups, rounds = 50, 120
	for round := range rounds {
		for g := range groups {
			from := commitFrom{generation: -1}
			if _, code := b.groups.get(fmt.Sprint("g", g)).commit(from, []offsetRecord{{Topic: tp.id, Partition: int32(g % 4), Offset: int64(round), Metadata: note}}); code != errNone {
				t.Fatal(code)
			}
		}
		if err := b.meta.maintain(); err != nil {
			t.Fatal(err)
		}
	}
	if b.meta.j.Start() == 0 || b.meta.j.Size() > 3*metaSnapshotEvery {
		t.Errorf("meta journal starts at %d and has %d bytes", b.meta.j.Start(), b.meta.j.Size())
	}
	id := b.meta.clusterID()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	for g := range groups {
		if o, ok := b.meta.committed(fmt.Sprint("g", g), place{tp.id, int32(g % 4)}); !ok || o.Offset != rounds-1 || o.Metadata != note {
			t.Errorf("group %d came back at %d %v", g, o.Offset, ok)
		}
	}
	if b.meta.clusterID() != id || b.topics.get("t").config.Load().retention != 12345*time.Millisecond {
		t.Error("cluster id or topic settings changed")
	}
}

// TestCommitWithinASecond: Commit returns at once, and housekeeping writes what it was told.
func TestCommitWithinASecond(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := memBroker(t)
	create(t, b, "t", 1)
	produceTo(t, b, "t", 0, "a", "b")
	m, err := b.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	pollSome(t, m, 2)
	start := time.Now()
	if err := m.Commit(ctx, []queue.Position{{Topic: "t", Offset: 2}}); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 200*time.Millisecond {
		t.Errorf("Commit took %v", d)
	}
	at := place{b.topics.get("t").id, 0}
	for end := time.Now().Add(20 * time.Second); ; {
		if o, ok := b.meta.committed("g", at); ok && o.Offset == 2 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the commit was not written")
		}
		if _, err := m.Poll(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
