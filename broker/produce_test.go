package broker

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/journal"
)

// edit changes a batch and makes its CRC right again.
func edit(b []byte, change func(b []byte)) []byte {
	change(b)
	return recrc(b)
}

// gzipped compresses the records of a batch.
func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out strings.Builder
	z := gzip.NewWriter(&out)
	z.Write(b[journal.HeaderSize:])
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b = append(b[:journal.HeaderSize:journal.HeaderSize], out.String()...)
	return edit(b, func(b []byte) {
		binary.BigEndian.PutUint32(b[8:], uint32(len(b)-12))
		b[22] |= journal.CodecGzip
	})
}

func TestProduceRefuses(t *testing.T) {
	t.Parallel()
	b := memBroker(t, func(c *Config) { c.AutoCreate = false })
	create(t, b, "t", 1, "max.message.bytes", "2000")
	create(t, b, "strict", 1, "message.timestamp.before.max.ms", "1000")
	w := dial(t, b)
	two := append(batchOf("a"), batchOf("b")...)
	cases := []struct {
		name      string
		topic     string
		partition int32
		version   int16
		batch     []byte
		want      int16
	}{
		{"good", "t", 0, 9, batchOf("a", "b"), 0},
		{"unknown topic", "nope", 0, 9, batchOf("a"), errUnknownTopicOrPartition},
		{"unknown partition", "t", 1, 9, batchOf("a"), errUnknownTopicOrPartition},
		{"negative partition", "t", -1, 9, batchOf("a"), errUnknownTopicOrPartition},
		{"a batch in version 2", "t", 0, 2, batchOf("a"), errCorruptMessage},
		{"nothing", "t", 0, 9, nil, errCorruptMessage},
		{"cut short", "t", 0, 9, batchOf("abcdef")[:70], errCorruptMessage},
		{"wrong CRC", "t", 0, 9, func() []byte { b := batchOf("a"); b[len(b)-1] ^= 1; return b }(), errCorruptMessage},
		{"wrong length", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[11]++ }), errCorruptMessage},
		{"two batches", "t", 0, 9, two, errInvalidRecord},
		{"magic 1", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[16] = 1 }), errInvalidRecord},
		{"base offset", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[7] = 5 }), errInvalidRecord},
		{"control bit", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[22] |= 0x20 }), errInvalidRecord},
		{"transactional bit", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[22] |= 0x10 }), errInvalidRecord},
		{"bit 15", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[21] |= 0x80 }), errInvalidRecord},
		{"count", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[60] = 2 }), errInvalidRecord},
		{"delta", "t", 0, 9, edit(batchOf("a", "b"), func(b []byte) { b[26] = 5; b[60] = 6 }), errInvalidRecord},
		{"record offset", "t", 0, 9, edit(batchOf("a", "b"), func(b []byte) { b[64] = 2 }), errInvalidRecord},
		{"record length", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[61] = 126 }), errInvalidRecord},
		{"codec 5", "t", 0, 9, edit(batchOf("a"), func(b []byte) { b[22] |= 5 }), errUnsupportedCompression},
		{"zstd before 7", "t", 0, 6, edit(batchOf("a"), func(b []byte) { b[22] |= journal.CodecZstd }), errUnsupportedCompression},
		{"gzip", "t", 0, 9, gzipped(t, batchOf("a", "b")), 0},
		{"too large", "t", 0, 9, batchOf(strings.Repeat("x", 3000)), errMessageTooLarge},
		{"too old", "strict", 0, 9, batchOf("a"), errInvalidTimestamp},
	}
	for _, c := range cases {
		got := ask[*kmsg.ProduceResponse](w, produceReq(c.version, c.topic, c.partition, c.batch)).Topics[0].Partitions[0]
		if got.ErrorCode != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got.ErrorCode, c.want)
		}
		if c.want != 0 && got.BaseOffset != -1 {
			t.Errorf("%s: refused with offset %d", c.name, got.BaseOffset)
		}
	}
	if end := b.topics.get("t").partition(0).j.End(); end != 4 {
		t.Errorf("end offset %d, want 4: only good batches are kept", end)
	}
	if got := valuesOf(t, w.fetch("t", 0).RecordBatches[:len(batchOf("a", "b"))]); fmt.Sprint(got) != "[a b]" {
		t.Errorf("fetched %v", got)
	}
}

func TestProduceAcks(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	for _, c := range []struct{ acks, want int16 }{{1, 0}, {-1, 0}, {2, errInvalidRequiredAcks}, {-2, errInvalidRequiredAcks}} {
		req := produceReq(9, "t", 0, batchOf("a"))
		req.Acks = c.acks
		if got := ask[*kmsg.ProduceResponse](w, req).Topics[0].Partitions[0].ErrorCode; got != c.want {
			t.Errorf("acks %d: code %d, want %d", c.acks, got, c.want)
		}
	}
	req := produceReq(9, "t", 0, batchOf("quiet"))
	req.Acks = 0
	w.send(req) // no answer; the next answer is the next request's
	if got := w.fetch("t", 2); len(valuesOf(t, got.RecordBatches)) != 1 || got.HighWatermark != 3 {
		t.Errorf("after acks 0: high watermark %d, records %q", got.HighWatermark, got.RecordBatches)
	}
	bad := produceReq(9, "t", 9, batchOf("a"))
	bad.Acks = 0
	w.send(bad)
	if !w.closed() {
		t.Error("a failed produce with acks 0 did not close the connection")
	}
}

func TestLogAppendTime(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1, "message.timestamp.type", "LogAppendTime")
	w := dial(t, b)
	before := time.Now().UnixMilli()
	got := w.produce("t", 0, batchOf("a", "b"))
	if got.ErrorCode != 0 || got.LogAppendTime < before {
		t.Fatalf("code %d, append time %d, want at least %d", got.ErrorCode, got.LogAppendTime, before)
	}
	records := w.fetch("t", 0).RecordBatches
	if err := journal.Verify(records); err != nil {
		t.Fatal(err)
	}
	it, err := journal.Records(records)
	if err != nil {
		t.Fatal(err)
	}
	var r journal.Record
	for it.Next(&r) {
		if r.Time != got.LogAppendTime {
			t.Errorf("record has time %d, want %d", r.Time, got.LogAppendTime)
		}
	}
}

// step is one batch of a producer and what becomes of it.
type step struct {
	name           string
	id             int64
	epoch          int16
	sequence       int32
	records        int
	code           int16
	offset         int64
	restartsBefore bool
}

func TestSequences(t *testing.T) {
	t.Parallel()
	steps := []step{
		{name: "first", id: 7, sequence: 0, records: 2, offset: 0},
		{name: "next", id: 7, sequence: 2, records: 1, offset: 2},
		{name: "repeat of the last", id: 7, sequence: 2, records: 1, offset: 2},
		{name: "repeat of the first", id: 7, sequence: 0, records: 2, offset: 0},
		{name: "gap", id: 7, sequence: 9, records: 1, code: errOutOfOrderSequence},
		{name: "another producer begins anywhere", id: 8, sequence: 40, records: 1, offset: 3},
		{name: "repeat with another length", id: 7, sequence: 2, records: 2, code: errDuplicateSequence},
		{name: "third", id: 7, sequence: 3, records: 1, offset: 4},
		{name: "fourth", id: 7, sequence: 4, records: 1, offset: 5},
		{name: "after a restart a repeat of the second", id: 7, sequence: 2, records: 1, offset: 2, restartsBefore: true},
		{name: "after a restart the next", id: 7, sequence: 5, records: 1, offset: 6},
		{name: "sixth", id: 7, sequence: 6, records: 1, offset: 7},
		{name: "older than five", id: 7, sequence: 0, records: 2, code: errDuplicateSequence},
		{name: "new epoch not at 0", id: 7, epoch: 1, sequence: 7, records: 1, code: errOutOfOrderSequence},
		{name: "new epoch", id: 7, epoch: 1, sequence: 0, records: 1, offset: 8},
		{name: "old epoch", id: 7, epoch: 0, sequence: 7, records: 1, code: errInvalidProducerEpoch},
		{name: "near the end", id: 9, sequence: 1<<31 - 2, records: 1, offset: 9},
		{name: "wraps inside a batch", id: 9, sequence: 1<<31 - 1, records: 2, offset: 10},
		{name: "after the wrap", id: 9, sequence: 1, records: 1, offset: 12},
		{name: "not idempotent", id: -1, epoch: -1, sequence: -1, records: 1, offset: 13},
	}
	cfg := testConfig(t)
	cfg.Partitions = 1
	b := open(t, cfg)
	create(t, b, "t", 1)
	w := dial(t, b)
	for _, s := range steps {
		if s.restartsBefore {
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			b = open(t, cfg)
			w = dial(t, b)
		}
		batch := sequenced(batchOf(make([]string, s.records)...), s.id, s.epoch, s.sequence)
		got := w.produce("t", 0, batch)
		if got.ErrorCode != s.code || s.code == 0 && got.BaseOffset != s.offset {
			t.Errorf("%s: code %d offset %d, want %d and %d", s.name, got.ErrorCode, got.BaseOffset, s.code, s.offset)
		}
	}
}

func TestProducerIDs(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	b := open(t, cfg)
	seen := map[int64]bool{}
	take := func(n int) {
		w := dial(t, b)
		for range n {
			r := ask[*kmsg.InitProducerIDResponse](w, kmsg.NewPtrInitProducerIDRequest())
			if r.ErrorCode != 0 || r.ProducerEpoch != 0 || seen[r.ProducerID] {
				t.Fatalf("code %d, id %d, epoch %d, given before: %v", r.ErrorCode, r.ProducerID, r.ProducerEpoch, seen[r.ProducerID])
			}
			seen[r.ProducerID] = true
		}
	}
	take(pidBlock + 5)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	take(5)
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID = kmsg.StringPtr("tx")
	if r := ask[*kmsg.InitProducerIDResponse](dial(t, b), req); r.ErrorCode != errInvalidTxnTimeout {
		t.Errorf("transactional id: code %d", r.ErrorCode)
	}
}

// TestCompressionType: batches are kept in the topic's codec, and come out with the same records.
func TestCompressionType(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	w := dial(t, b)
	value := strings.Repeat("again ", 200)
	for codec, word := range []string{"uncompressed", "gzip", "snappy", "lz4", "zstd"} {
		create(t, b, word, 1, "compression.type", word)
		for n, in := range [][]byte{batchOf(value), gzipped(t, batchOf(value))} {
			if r := w.produce(word, 0, in); r.ErrorCode != errNone {
				t.Fatalf("%s: code %d", word, r.ErrorCode)
			}
			got := w.fetch(word, int64(n)).RecordBatches
			h, err := journal.ParseHeader(got)
			if err != nil || h.Codec() != codec {
				t.Fatalf("%s: codec %d, %v", word, h.Codec(), err)
			}
			plain, err := b.codecs.Repack(got, codec, journal.CodecNone)
			if err != nil || !slices.Equal(valuesOf(t, plain), []string{value}) {
				t.Errorf("%s: other records, %v", word, err)
			}
		}
	}
}
