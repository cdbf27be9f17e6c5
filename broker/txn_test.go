package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// transactional makes a batch part of a transaction.
func transactional(b []byte, id int64, epoch int16, sequence int32) []byte {
	journal.SetProducer(b, journal.AttrTransactional, id, epoch, sequence)
	return b
}

// txnWire is a transactional producer that says exactly what a test wants, with requests of before transaction level 2.
type txnWire struct {
	*wire
	id       string
	producer int64
	epoch    int16
	sequence int32
}

func (w *txnWire) init(timeout time.Duration) int16 {
	w.t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version, req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = 4, &w.id, int32(timeout.Milliseconds()), -1, -1
	resp := ask[*kmsg.InitProducerIDResponse](w.wire, req)
	w.producer, w.epoch, w.sequence = resp.ProducerID, resp.ProducerEpoch, 0
	return resp.ErrorCode
}

func (w *txnWire) add(topic string, partitions ...int32) int16 {
	w.t.Helper()
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = 3, w.id, w.producer, w.epoch
	req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topic, Partitions: partitions}}
	return ask[*kmsg.AddPartitionsToTxnResponse](w.wire, req).Topics[0].Partitions[0].ErrorCode
}

func (w *txnWire) write(version int16, topic string, values ...string) int16 {
	w.t.Helper()
	req := produceReq(version, topic, 0, transactional(batchOf(values...), w.producer, w.epoch, w.sequence))
	req.TransactionID = &w.id
	code := ask[*kmsg.ProduceResponse](w.wire, req).Topics[0].Partitions[0].ErrorCode
	if code == errNone {
		w.sequence += int32(len(values))
	}
	return code
}

func (w *txnWire) end(version int16, commit bool) int16 {
	w.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = version, w.id, w.producer, w.epoch, commit
	resp := ask[*kmsg.EndTxnResponse](w.wire, req)
	if resp.ErrorCode == errNone && version >= 5 {
		w.producer, w.epoch, w.sequence = resp.ProducerID, resp.ProducerEpoch, 0
	}
	return resp.ErrorCode
}

// committed reads a partition as a client that reads ended transactions only.
func (w *wire) committed(topic string) (values []string, stable int64) {
	w.t.Helper()
	req := fetchReq(11, topic, 0)
	req.IsolationLevel = readCommitted
	p := ask[*kmsg.FetchResponse](w, req).Topics[0].Partitions[0]
	if p.ErrorCode != errNone {
		w.t.Fatalf("fetch: code %d", p.ErrorCode)
	}
	aborted := map[int64][]int64{}
	for _, a := range p.AbortedTransactions {
		aborted[a.ProducerID] = append(aborted[a.ProducerID], a.FirstOffset)
	}
	skipping := map[int64]bool{}
	for b := p.RecordBatches; len(b) > 0; {
		h, err := journal.ParseHeader(b)
		if err != nil {
			w.t.Fatal(err)
		}
		one := b[:h.Size()]
		b = b[h.Size():]
		if first := aborted[h.ProducerID]; len(first) > 0 && first[0] <= h.BaseOffset && h.Attributes&journal.AttrTransactional != 0 {
			skipping[h.ProducerID], aborted[h.ProducerID] = true, first[1:]
		}
		if h.Attributes&journal.AttrControl != 0 {
			delete(skipping, h.ProducerID)
			continue
		}
		if !skipping[h.ProducerID] {
			values = append(values, valuesOf(w.t, one)...)
		}
	}
	return values, p.LastStableOffset
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	b := memBroker(t, func(c *Config) { c.FS = fs })
	create(t, b, "t", 2)
	w := &txnWire{wire: dial(t, b), id: "tx"}
	want := func(name string, got, want int16) {
		t.Helper()
		if got != want {
			t.Errorf("%s: code %d, want %d", name, got, want)
		}
	}
	see := func(stable int64, values ...string) {
		t.Helper()
		got, lso := w.committed("t")
		if !slices.Equal(got, values) || lso != stable {
			t.Errorf("committed %q, stable at %d; want %q, %d", got, lso, values, stable)
		}
	}
	want("too long a time-out", w.init(time.Hour), errInvalidTxnTimeout)
	want("init", w.init(time.Minute), errNone)
	want("produce without the partition", w.write(9, "t", "x"), errInvalidTxnState)
	want("unknown topic", w.add("none", 0), errUnknownTopicOrPartition)
	want("end of nothing", w.end(3, true), errInvalidTxnState)
	want("add", w.add("t", 0), errNone)
	want("produce", w.write(9, "t", "a", "b"), errNone)
	see(0)
	want("commit", w.end(3, true), errNone)
	want("commit again", w.end(3, true), errNone)
	want("abort after the commit", w.end(3, false), errInvalidTxnState)
	see(3, "a", "b")
	want("add", w.add("t", 0, 1), errNone)
	want("produce", w.write(9, "t", "c"), errNone)
	if p := w.wire.produce("t", 0, batchOf("plain")); p.ErrorCode != errNone {
		t.Fatal(p.ErrorCode)
	}
	see(3, "a", "b")
	want("abort", w.end(3, false), errNone)
	see(6, "a", "b", "plain")

	// Another life of the id aborts what this one left open, and fences it.
	want("add", w.add("t", 0), errNone)
	want("produce", w.write(9, "t", "d"), errNone)
	other := &txnWire{wire: dial(t, b), id: "tx"}
	want("init of the next life", other.init(time.Minute), errNone)
	if other.producer != w.producer || other.epoch <= w.epoch {
		t.Errorf("next life is %d/%d after %d/%d", other.producer, other.epoch, w.producer, w.epoch)
	}
	want("fenced produce", w.write(9, "t", "e"), errInvalidProducerEpoch)
	want("fenced add", w.add("t", 0), errProducerFenced)
	want("fenced end", w.end(3, true), errProducerFenced)
	see(8, "a", "b", "plain")

	// At level 2 a produce takes its partition in by itself, and every end raises the epoch.
	before := *other
	want("produce", other.write(12, "t", "f"), errNone)
	want("commit", other.end(5, true), errNone)
	if other.epoch != before.epoch+1 {
		t.Errorf("epoch %d after %d", other.epoch, before.epoch)
	}
	now := *other
	other.epoch = before.epoch
	want("the same commit again", other.end(5, true), errNone)
	if other.epoch != now.epoch {
		t.Errorf("epoch %d, want %d", other.epoch, now.epoch)
	}
	late := before
	late.sequence = 1
	want("late produce of the ended transaction", late.write(12, "t", "late"), errInvalidProducerEpoch)
	want("abort of nothing", other.end(5, false), errNone)
	see(10, "a", "b", "plain", "f")
}

// TestTransactionRestart: what is ongoing goes on after a crash, what was decided is ended, what was aborted stays so.
func TestTransactionRestart(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	mem := vfs.NewMem()
	cfg.FS, cfg.Dir, cfg.Partitions = mem, "/queue", 1
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	create(t, b, "t", 1)
	w := &txnWire{wire: dial(t, b), id: "tx"}
	aborted := &txnWire{wire: w.wire, id: "aborted"}
	for _, x := range []*txnWire{w, aborted} {
		if x.init(time.Minute) != errNone || x.add("t", 0) != errNone || x.write(9, "t", x.id+"1") != errNone {
			t.Fatal("transaction not begun")
		}
	}
	if code := aborted.end(3, false); code != errNone {
		t.Fatal(code)
	}
	w.conn.Close()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b2 := open(t, cfg)
	w.wire = dial(t, b2)
	if values, stable := w.committed("t"); len(values) != 0 || stable != 0 {
		t.Errorf("committed %q, stable at %d", values, stable)
	}
	if code := w.write(9, "t", "tx2"); code != errNone {
		t.Errorf("produce after the restart: %d", code)
	}
	if code := w.end(3, true); code != errNone {
		t.Errorf("commit after the restart: %d", code)
	}
	if values, stable := w.committed("t"); !slices.Equal(values, []string{"tx1", "tx2"}) || stable != 5 {
		t.Errorf("committed %q, stable at %d", values, stable)
	}
}

// TestTransactionTimeout: a transaction nobody ends is aborted, and its producer learns of it.
func TestTransactionTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memBroker(t)
		create(t, b, "t", 1)
		w := &txnWire{wire: dial(t, b), id: "tx"}
		if w.init(10*time.Second) != errNone || w.add("t", 0) != errNone || w.write(9, "t", "a") != errNone {
			t.Fatal("transaction not begun")
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if values, stable := w.committed("t"); len(values) != 0 || stable != 2 {
			t.Errorf("committed %q, stable at %d", values, stable)
		}
		if code := w.end(3, true); code != errProducerFenced {
			t.Errorf("commit too late: code %d", code)
		}
	})
}

// TestTransactionOffsets: commits of a group count when the transaction commits, and not before.
func TestTransactionOffsets(t *testing.T) {
	t.Parallel()
	_, addr := listening(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("in"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for i := range 100 {
		cl.Produce(ctx, kgo.StringRecord(fmt.Sprint(i)), nil)
	}
	if err := cl.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(addr), kgo.TransactionalID("etl"), kgo.ConsumerGroup("etl"), kgo.ConsumeTopics("in"),
		kgo.DefaultProduceTopic("out"), kgo.AllowAutoTopicCreation(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	done := map[string]bool{}
	for turn := 0; len(done) < 100; turn++ {
		fetches := s.PollRecords(ctx, 10)
		if err := fetches.Err(); err != nil && !kerr.IsRetriable(err) {
			t.Fatal(err)
		}
		if err := s.Begin(); err != nil {
			t.Fatal(err)
		}
		var batch []string
		fetches.EachRecord(func(r *kgo.Record) {
			batch = append(batch, string(r.Value))
			s.Produce(ctx, kgo.StringRecord("out"+string(r.Value)), nil)
		})
		ok, err := s.End(ctx, turn%3 != 1) // every third is aborted and read again
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			for _, v := range batch {
				done[v] = true
			}
		}
	}
	reader, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	seen := map[string]int{}
	for len(seen) < 100 {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%d of 100 records", len(seen))
		}
		fetches.EachRecord(func(r *kgo.Record) { seen[string(r.Value)]++ })
	}
	for v, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", v, n)
		}
	}
}
