package broker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// book is what the broker has acknowledged, kept outside of it.
type book struct {
	mu      sync.Mutex
	values  map[string]string // "topic-partition@offset" -> value
	ends    map[string]int64  // "topic-partition" -> least durable end
	commits map[string]int64  // "group topic-partition" -> offset
	topics  map[string]bool   // true: made, false: deleted
	acks    chan struct{}
}

func newBook() *book {
	return &book{values: map[string]string{}, ends: map[string]int64{}, commits: map[string]int64{}, topics: map[string]bool{}, acks: make(chan struct{}, 1<<16)}
}

func (k *book) note(change func()) {
	k.mu.Lock()
	change()
	k.mu.Unlock()
	k.acks <- struct{}{}
}

// copy is the book as of now.
func (k *book) copy() *book {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := newBook()
	for at, v := range k.values {
		out.values[at] = v
	}
	for at, v := range k.ends {
		out.ends[at] = v
	}
	for at, v := range k.commits {
		out.commits[at] = v
	}
	for at, v := range k.topics {
		out.topics[at] = v
	}
	return out
}

func (k *book) produced(recs []queue.Record) {
	k.note(func() {
		for _, r := range recs {
			at := fmt.Sprintf("%s-%d", r.Topic, r.Partition)
			k.values[fmt.Sprintf("%s@%d", at, r.Offset)] = string(r.Value)
			k.ends[at] = max(k.ends[at], r.Offset+1)
		}
	})
}

// drive uses a broker in one way until it fails or stop is closed.
func drive(b *Broker, k *book, who, round int, stop <-chan struct{}) {
	ctx := context.Background()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		var err error
		switch who {
		case 0, 1:
			recs := make([]queue.Record, 1+n%7)
			for i := range recs {
				recs[i] = queue.Record{Topic: "t", Key: fmt.Appendf(nil, "%d-%d", who, n+i), Value: fmt.Appendf(nil, "%d/%d/%d/%d", round, who, n, i)}
			}
			if err = b.Produce(ctx, recs); err == nil {
				k.produced(recs)
			}
		case 2:
			p := b.topics.get("t").partition(0)
			mark, code := b.groups.get("g").commit(commitFrom{generation: -1}, []offsetRecord{{Topic: p.topic.id, Offset: int64(round*1_000_000 + n)}})
			if code != errNone {
				return
			}
			if err = b.meta.sync(mark); err == nil {
				k.note(func() { k.commits["g t-0"] = int64(round*1_000_000 + n) })
			}
		case 3:
			name := fmt.Sprintf("made-%d-%d", round, n)
			tp, terr := b.createTopic(newTopic{name: name, partitions: 2})
			if terr != nil {
				return
			}
			k.note(func() { k.topics[name] = true })
			if n%2 == 0 {
				k.note(func() { delete(k.topics, name) }) // until the deletion is acknowledged, either is right
				if terr := b.deleteTopic(tp); terr != nil {
					return
				}
				k.note(func() { k.topics[name] = false })
			}
		}
		if err != nil {
			return
		}
	}
}

// check compares a broker with a book of what was acknowledged.
func (k *book) check(t *testing.T, b *Broker) {
	t.Helper()
	for at, end := range k.ends {
		var n int32
		var name string
		if _, err := fmt.Sscanf(at, "t-%d", &n); err != nil {
			t.Fatal(err)
		}
		name = "t"
		p := b.topics.get(name).partition(n)
		if p.offline != nil {
			t.Fatalf("%s is offline: %v", at, p.offline)
		}
		if p.j.DurableEnd() < end {
			t.Errorf("%s ends at %d, %d were acknowledged", at, p.j.DurableEnd(), end)
		}
		next := int64(0)
		err := p.j.ReplayBatches(0, func(h journal.Header, batch []byte) error {
			block := batch[journal.HeaderSize:]
			if h.Codec() != journal.CodecNone {
				var err error
				if block, err = b.codecs.Decompress(h.Codec(), block); err != nil {
					return err
				}
			}
			it := journal.RecordsIn(h, block)
			var r journal.Record
			for it.Next(&r) {
				if r.Offset != next && !inHole(p.j, next, r.Offset) {
					return fmt.Errorf("offset %d, want %d", r.Offset, next)
				}
				next = r.Offset + 1
				place := fmt.Sprintf("%s@%d", at, r.Offset)
				if want, ok := k.values[place]; ok && want != string(r.Value) {
					t.Errorf("%s holds %q, %q was acknowledged there", place, r.Value, want)
				}
				delete(k.values, place)
			}
			return it.Err()
		})
		if err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	for place, v := range k.values {
		t.Errorf("%s: acknowledged %q is gone", place, v)
	}
	if want, ok := k.commits["g t-0"]; ok {
		if o, _ := b.meta.committed("g", place{b.topics.get("t").id, 0}); o.Offset < want {
			t.Errorf("commit went back from %d to %d", want, o.Offset)
		}
	}
	for name, made := range k.topics {
		tp := b.topics.get(name)
		if made && tp == nil {
			t.Errorf("acknowledged topic %s is gone", name)
		}
		if !made && tp != nil {
			t.Errorf("deleted topic %s came back", name)
		}
		for _, p := range b.topicPartitions(tp) {
			if p.offline != nil {
				t.Errorf("partition of %s is offline: %v", name, p.offline)
			}
		}
	}
}

// inHole reports whether the journal says of itself that it lost these offsets: batches that were torn before they were acknowledged,
// with whole ones behind them.
func inHole(j *journal.Journal, from, to int64) bool {
	for _, h := range j.Recovered().Holes {
		if h.From <= from && to <= h.To {
			return true
		}
	}
	return false
}

func (b *Broker) topicPartitions(t *topic) []*partition {
	if t == nil {
		return nil
	}
	return t.partitions()
}

// TestCrash loses power in the middle of everything, again and again, on a disk that keeps, loses and tears unsynced sectors as it likes.
func TestCrash(t *testing.T) {
	t.Parallel()
	seeds := 8
	if n, err := strconv.Atoi(os.Getenv("WEIR_CRASH_SEEDS")); err == nil {
		seeds = n
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 1))
			fsys, k := vfs.NewMem(), newBook()
			for round := range 4 {
				cfg := testConfig(t)
				cfg.FS, cfg.Dir = fsys, "/queue"
				cfg.Topics = []Topic{{Name: "t", Partitions: 3, Configs: map[string]string{"segment.bytes": "65536"}}}
				b, err := Open(cfg)
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				k.copy().check(t, b)
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
				stop, live := make(chan struct{}), k
				var wg sync.WaitGroup
				for who := range 4 {
					wg.Go(func() { drive(b, live, who, round, stop) })
				}
				for range 20 + rng.IntN(200) {
					<-live.acks
				}
				k = live.copy() // acknowledged before the power goes
				fsys = fsys.CrashClone(rng)
				close(stop)
				wg.Wait()
				if err := b.Close(); err != nil {
					t.Fatalf("round %d: Close: %v", round, err)
				}
			}
		})
	}
}

// TestFault makes the n-th write, sync or other change fail, once, for every n until none fails. What was acknowledged before and
// after must be there, whatever happened in between.
func TestFault(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		mem, k := vfs.NewMem(), newBook()
		fault := vfs.NewFault(mem, vfs.Rule{Op: vfs.OpChanges, At: n})
		cfg := testConfig(t)
		cfg.FS, cfg.Dir = fault, "/queue"
		cfg.Topics = []Topic{{Name: "t", Partitions: 2, Configs: map[string]string{"segment.bytes": "65536"}}}
		script(t, cfg, k)
		fired := fault.Fired()
		cfg.FS = mem
		b, err := Open(cfg)
		if err != nil {
			t.Fatalf("fault %d: open on a healthy disk: %v", n, err)
		}
		k.check(t, b)
		if err := b.Close(); err != nil {
			t.Errorf("fault %d: Close: %v", n, err)
		}
		if t.Failed() {
			t.Fatalf("fault %d", n)
		}
		if fired == 0 {
			t.Logf("%d places to fail", n-1)
			return
		}
	}
}

// script does a little of everything on a disk that fails somewhere, and reopens what was poisoned half way.
func script(t *testing.T, cfg Config, k *book) {
	b, err := Open(cfg)
	if err != nil {
		return
	}
	value := make([]byte, 9_000)
	for i := range 24 {
		if i == 12 {
			b.reopenPoisoned()
		}
		recs := []queue.Record{{Topic: "t", Partition: int32(i % 2), Explicit: true, Value: fmt.Appendf(value[:0:len(value)], "%d %s", i, value[:8000])}}
		err := b.Produce(context.Background(), recs)
		var failed *queue.ProduceError
		switch {
		case err == nil:
			k.produced(recs)
		case !errors.As(err, &failed) || len(failed.Failed) != 1:
			t.Errorf("produce: %v, want a ProduceError of one record", err)
		}
		if tp := b.topics.get("t"); tp != nil {
			mark, code := b.groups.get("g").commit(commitFrom{generation: -1}, []offsetRecord{{Topic: tp.id, Offset: int64(i)}})
			if code == errNone && b.meta.sync(mark) == nil {
				k.note(func() { k.commits["g t-0"] = int64(i) })
			}
		}
	}
	b.Close() // may fail with the disk; what counts is what was acknowledged
}
