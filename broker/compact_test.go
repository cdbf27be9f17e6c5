package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// latest is the last value of each key of a partition as a reader sees it, and the number of records; offsets must ascend.
func latest(t *testing.T, b *Broker, p *partition) (map[string]string, int) {
	t.Helper()
	c := &compactor{b: b, p: p}
	out, n, next := map[string]string{}, 0, int64(0)
	err := p.j.ReplayBatches(p.j.Start(), func(h journal.Header, batch []byte) error {
		if h.BaseOffset != next {
			t.Errorf("offset %d, want %d", h.BaseOffset, next)
		}
		next = h.Next()
		if !c.counts(&h) {
			return nil
		}
		return c.records(&h, batch, func(r *journal.Record, _ []byte) {
			n++
			if r.Value == nil {
				delete(out, string(r.Key))
			} else {
				out[string(r.Key)] = string(r.Value)
			}
		})
	})
	if err != nil {
		t.Error(err)
	}
	if next != p.j.End() {
		t.Errorf("ends at %d of %d", next, p.j.End())
	}
	return out, n
}

// fillKeys writes rounds of values under a few keys and gives what holds in the end.
func fillKeys(t *testing.T, b *Broker, topic string, rounds, keys int) map[string]string {
	t.Helper()
	want := map[string]string{}
	for round := range rounds {
		recs := make([]queue.Record, keys)
		for k := range recs {
			key := fmt.Sprintf("key-%d", k)
			value := fmt.Appendf(nil, "value %d of round %d %0200d", k, round, k)
			if k == 0 {
				key = fmt.Sprintf("only-%d", round) // kept for ever
			}
			if want[key] = string(value); k == 1 && round == rounds/2 {
				value = nil // deleted, and made again by the next round
				delete(want, key)
			}
			recs[k] = queue.Record{Topic: topic, Key: []byte(key), Value: value}
		}
		if err := b.Produce(context.Background(), recs); err != nil {
			t.Fatal(err)
		}
	}
	return want
}

func compactedTopic(t *testing.T, b *Broker, more ...string) *topic {
	return create(t, b, "c", 1, append([]string{"cleanup.policy", "compact", "segment.bytes", "65536", "min.cleanable.dirty.ratio", "0.1", "delete.retention.ms", "0"}, more...)...)
}

// TestCompact: of each key the last record stays, whatever the codec; readers go on over what is gone; a restart finds the same.
func TestCompact(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"none", "lz4", "snappy"} {
		cfg := testConfig(t)
		cfg.FS, cfg.Dir, cfg.Listen, cfg.Partitions = vfs.NewMem(), "/queue", []string{"127.0.0.1:0"}, 1
		b, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		tp := compactedTopic(t, b, "compression.own", codec)
		p := tp.partition(0)
		want := fillKeys(t, b, "c", 100, 40)
		before := p.j.Size()
		b.compact(t.Context())
		if got, _ := latest(t, b, p); !maps.Equal(got, want) {
			t.Errorf("%s: %d keys, want %d", codec, len(got), len(want))
		}
		if after := p.j.Size(); after > before*4/5 {
			t.Errorf("%s: %d of %d bytes left", codec, after, before)
		}
		if err := b.Produce(t.Context(), []queue.Record{{Topic: "c", Value: []byte("x")}}); !errors.Is(err, errNoKey) {
			t.Errorf("a record without a key: %v", err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		report, err := journal.VerifyDir(t.Context(), cfg.FS, p.dir)
		if err != nil || len(report.Bad) > 0 || len(report.Notes) > 0 {
			t.Errorf("%s: %+v, %v", codec, report, err)
		}
		b = open(t, cfg) // what is in memory may show more than the files
		p = b.topics.get("c").partition(0)
		got, n := latest(t, b, p)
		if !maps.Equal(got, want) || n > 2500 {
			t.Errorf("%s: %d records after a restart", codec, n)
		}
		b.compact(t.Context()) // nothing more to gain
		if got, again := latest(t, b, p); !maps.Equal(got, want) || again != n {
			t.Errorf("%s: %d records after another pass, %d before", codec, again, n)
		}
		checkCompacted(t, b, want)
	}
}

// checkCompacted reads a compacted topic with a member of this process and with a client.
func checkCompacted(t *testing.T, b *Broker, want map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	end := b.topics.get("c").partition(0).j.End()
	m, err := b.Join(ctx, "g", "c")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got := map[string]string{}
	for next := int64(0); next < end; {
		recs, err := m.Poll(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			if next = r.Offset + 1; r.Value == nil {
				delete(got, string(r.Key))
			} else {
				got[string(r.Key)] = string(r.Value)
			}
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("a member finds %d keys, want %d", len(got), len(want))
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()[0].String()), kgo.ConsumeTopics("c"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	got = map[string]string{}
	for next := int64(0); next < end && ctx.Err() == nil; {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			if next = r.Offset + 1; r.Value == nil {
				delete(got, string(r.Key))
			} else {
				got[string(r.Key)] = string(r.Value)
			}
		})
	}
	if !maps.Equal(got, want) {
		t.Errorf("franz-go finds %d keys, want %d", len(got), len(want))
	}
}

// TestCompactTransactions: aborted records do not count and go; an open transaction holds the pass back.
func TestCompactTransactions(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	tp := compactedTopic(t, b, "compression.own", "none")
	p := tp.partition(0)
	w := &txnWire{wire: dial(t, b), id: "tx"}
	for i, commit := range []bool{true, false} {
		if w.init(time.Minute) != errNone || w.add("c", 0) != errNone || w.write(9, "c", fmt.Sprint("value ", i)) != errNone || w.end(3, commit) != errNone {
			t.Fatal("transaction failed")
		}
	}
	if w.init(time.Minute) != errNone || w.add("c", 0) != errNone || w.write(9, "c", "open") != errNone {
		t.Fatal("transaction failed")
	}
	if err := p.j.Roll(); err != nil {
		t.Fatal(err)
	}
	fillKeys(t, b, "c", 20, 40)
	size := p.j.Size()
	b.compact(t.Context())
	if p.j.Size() != size {
		t.Error("compacted behind an open transaction")
	}
	if code := w.end(3, false); code != errNone {
		t.Fatal(code)
	}
	if err := p.j.Roll(); err != nil {
		t.Fatal(err)
	}
	b.compact(t.Context())
	values, _ := w.committed("c")
	if !slices.Contains(values, "value 0") || slices.Contains(values, "value 1") || slices.Contains(values, "open") || p.j.Size() >= size {
		t.Errorf("%d values, %d of %d bytes", len(values), p.j.Size(), size)
	}
}

// TestCompactFault makes the n-th change of the disk fail while a partition is compacted, and takes the power away: no key loses its last
// record.
func TestCompactFault(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		mem := vfs.NewMem()
		fault := vfs.NewFault(mem)
		cfg := testConfig(t)
		cfg.FS, cfg.Dir, cfg.Partitions = fault, "/queue", 1
		b, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		compactedTopic(t, b, "compression.own", "none")
		want := fillKeys(t, b, "c", 40, 30)
		fault.SetRules(vfs.Rule{Op: vfs.OpChanges, At: n})
		b.compact(t.Context())
		fired := fault.Fired()
		fault.SetRules()
		crashed := mem.CrashClone(rand.New(rand.NewPCG(uint64(n), 3)))
		check := func(what string, b *Broker) {
			if got, _ := latest(t, b, b.topics.get("c").partition(0)); !maps.Equal(got, want) {
				t.Errorf("fault %d, %s: %d keys, want %d", n, what, len(got), len(want))
			}
		}
		check("at once", b)
		if err := b.Close(); err != nil && !errors.Is(err, journal.ErrPoisoned) {
			t.Errorf("fault %d: Close: %v", n, err)
		}
		for what, fsys := range map[string]vfs.FS{"after a restart": mem, "after a power cut": crashed} {
			cfg.FS = fsys
			b, err := Open(cfg)
			if err != nil {
				t.Fatalf("fault %d, %s: %v", n, what, err)
			}
			check(what, b)
			b.compact(t.Context())
			check(what+" and another pass", b)
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
		if fired == 0 {
			t.Logf("%d places to fail", n-1)
			return
		}
	}
}
