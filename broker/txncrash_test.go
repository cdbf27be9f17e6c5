package broker

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// txnBook is what a transactional producer was told, by the value it wrote: true committed, false aborted.
type txnBook map[string]bool

// runTransactions writes one record into each of two partitions in every transaction and commits two of three, with a commit of a group
// in each, until something fails or n are done. told is called after each acknowledged end.
func runTransactions(b *Broker, round, n int, told func(value string, committed bool)) {
	producer, epoch, code := b.txns.init(initRequest{id: "tx", timeout: time.Minute, producer: -1, epoch: -1})
	if code != errNone {
		return
	}
	raise := round%2 == 1
	var sequence int32
	for i := range n {
		value := fmt.Sprintf("%d/%d", round, i)
		t := b.topics.get("t")
		parts := []txnPart{{t.id, 0}, {t.id, 1}}
		if b.txns.addParts("tx", producer, epoch, parts) != errNone {
			return
		}
		for _, part := range parts {
			batch := transactional(batchOf(value), producer, epoch, sequence)
			h, err := journal.ParseHeader(batch)
			if err != nil {
				return
			}
			p := t.partition(part.Partition)
			at, code, err := p.append(&h, batch, t.config.Load())
			if code != errNone || err != nil || p.sync(at.mark) != nil {
				return
			}
		}
		if b.txns.addOffsets("tx", producer, epoch, "g", []offsetRecord{{Topic: t.id, Offset: int64(round*1000 + i)}}, true) != errNone {
			return
		}
		sequence++
		commit := i%3 != 1
		producer2, epoch2, code := b.txns.end(endRequest{id: "tx", producer: producer, epoch: epoch, commit: commit, raise: raise})
		if code != errNone {
			return
		}
		if raise {
			producer, epoch, sequence = producer2, epoch2, 0
		}
		told(value, commit)
	}
}

// committedValues is what a reader of ended transactions sees of a partition.
func committedValues(t *testing.T, p *partition) []string {
	t.Helper()
	if stable, end := p.stable(), p.j.DurableEnd(); stable != end {
		t.Errorf("partition %d is stable up to %d of %d", p.n, stable, end)
	}
	var out []string
	err := p.j.ReplayBatches(p.j.Start(), func(h journal.Header, batch []byte) error {
		if h.Attributes&journal.AttrControl != 0 {
			return nil
		}
		for _, a := range p.abortedIn(h.BaseOffset, h.Next()) {
			if a.producer == h.ProducerID && a.first <= h.BaseOffset {
				return nil
			}
		}
		out = append(out, valuesOf(t, batch)...)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return out
}

// check ends what is open, as the producer's next life does, and compares: each transaction is whole or not at all, as was said.
func (k txnBook) check(t *testing.T, b *Broker) {
	t.Helper()
	b.txns.abortStray()
	if _, _, code := b.txns.init(initRequest{id: "tx", timeout: time.Minute, producer: -1, epoch: -1}); code != errNone {
		t.Fatalf("init after the restart: code %d", code)
	}
	tp := b.topics.get("t")
	one, two := committedValues(t, tp.partition(0)), committedValues(t, tp.partition(1))
	if !slices.Equal(one, two) {
		t.Errorf("torn: %q and %q", one, two)
	}
	last := int64(-1)
	for value, committed := range k {
		if slices.Contains(one, value) != committed {
			t.Errorf("%s: told committed %v, found %v", value, committed, !committed)
		}
	}
	for i, value := range one {
		if slices.Contains(one[i+1:], value) {
			t.Errorf("%s is there twice", value)
		}
		var round, n int64
		if _, err := fmt.Sscanf(value, "%d/%d", &round, &n); err != nil {
			t.Fatal(err)
		}
		last = round*1000 + n
	}
	if o, ok := b.meta.committed("g", place{tp.id, 0}); ok != (last >= 0) || ok && o.Offset != last {
		t.Errorf("the group is at %d, the last committed transaction says %d", o.Offset, last)
	}
}

func txnConfig(t *testing.T, fs vfs.FS) Config {
	cfg := testConfig(t)
	cfg.FS, cfg.Dir = fs, "/queue"
	cfg.Topics = []Topic{{Name: "t", Partitions: 2, Configs: map[string]string{"segment.bytes": "65536"}}}
	return cfg
}

// TestTransactionFault makes the n-th change of the disk fail, for every n.
func TestTransactionFault(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		mem, k := vfs.NewMem(), txnBook{}
		fault := vfs.NewFault(mem, vfs.Rule{Op: vfs.OpChanges, At: n})
		if b, err := Open(txnConfig(t, fault)); err == nil {
			for round := range 2 {
				runTransactions(b, round, 4, func(v string, c bool) { k[v] = c })
				b.reopenPoisoned()
				b.txns.house(time.Now())
			}
			b.Close() // may fail with the disk
		}
		fired := fault.Fired()
		b, err := Open(txnConfig(t, mem))
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

// TestTransactionCrash loses power in the middle of transactions, again and again.
func TestTransactionCrash(t *testing.T) {
	t.Parallel()
	seeds := 10
	if n, err := strconv.Atoi(os.Getenv("WEIR_CRASH_SEEDS")); err == nil {
		seeds = n
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		fsys, k := vfs.NewMem(), txnBook{}
		for round := range 4 {
			b, err := Open(txnConfig(t, fsys))
			if err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
			k.check(t, b)
			if t.Failed() {
				t.Fatalf("seed %d, round %d", seed, round)
			}
			runTransactions(b, round, 1+rng.IntN(12), func(v string, c bool) { k[v] = c })
			stop := make(chan struct{})
			go func() {
				runTransactions(b, round+100, 3, func(string, bool) {})
				close(stop)
			}()
			for range rng.IntN(200) {
				select {
				case <-stop:
				default:
				}
			}
			crashed := fsys.CrashClone(rng) // at some moment of transactions that nobody was told the end of
			<-stop
			if err := b.Close(); err != nil {
				t.Fatalf("seed %d, round %d: Close: %v", seed, round, err)
			}
			fsys = crashed
		}
	}
}
