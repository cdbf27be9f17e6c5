package broker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
)

func testCodecs() *codecs { return newCodecs(journal.NewPool(journal.PoolConfig{Poison: true})) }

// noise is n bytes that do not get smaller.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// builtOf is a batch as Produce builds it.
func builtOf(value []byte) []byte {
	var b journal.Builder
	b.Reset(nil)
	b.Add(1, nil, value, nil)
	return b.Finish()
}

// TestPack: what is packed is a valid batch, smaller, and opens to the same records, whatever its size.
func TestPack(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		for _, size := range []int{2 << 10, 100_000, packChunk - 68, packChunk - 67, packChunk, packChunk + 1, packChunk + 20, 3*packChunk + 5} {
			in := builtOf(bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size])
			s, out := c.pack(codec, in)
			if s == nil {
				t.Fatalf("codec %d, %d bytes: not packed", codec, size)
			}
			if err := journal.Verify(out); err != nil {
				t.Fatal(err)
			}
			h, err := journal.ParseHeader(out)
			if err != nil || h.Codec() != codec || h.Count != 1 || len(out) > len(in)/8 {
				t.Fatalf("codec %d, %d bytes: packed to %d as %+v, %v", codec, size, len(out), h, err)
			}
			opened, got, err := c.open(codec, out[journal.HeaderSize:])
			if err != nil || !bytes.Equal(got, in[journal.HeaderSize:]) {
				t.Fatalf("codec %d, %d bytes: opens to %d bytes, %v", codec, size, len(got), err)
			}
			opened.Release()
			if codec == journal.CodecLZ4 {
				got, err := io.ReadAll(lz4.NewReader(bytes.NewReader(out[journal.HeaderSize:])))
				if err != nil || !bytes.Equal(got, in[journal.HeaderSize:]) {
					t.Fatalf("%d bytes: a reader of frames gets %d bytes, %v", size, len(got), err)
				}
			}
			s.Release()
		}
		for _, size := range []int{2 << 10, 100_000, 3 * packChunk} {
			if s, out := c.pack(codec, builtOf(noise(size))); s != nil {
				t.Errorf("codec %d: noise of %d bytes packed to %d", codec, size, len(out))
			}
		}
		half := append(bytes.Repeat([]byte("again "), 2*packChunk/6), noise(packChunk)...)
		s, out := c.pack(codec, builtOf(half))
		if s == nil {
			t.Fatalf("codec %d: a batch of which a third is noise is not packed", codec)
		}
		got, err := c.decompress(codec, out[journal.HeaderSize:])
		if err != nil || !bytes.Equal(got, builtOf(half)[journal.HeaderSize:]) {
			t.Errorf("codec %d: opens to %d bytes, %v", codec, len(got), err)
		}
		s.Release()
	}
	if n := c.pool.InUse(); n != 0 {
		t.Errorf("%d bytes of slabs not released", n)
	}
}

// TestOpenDamaged: every frame cut short is an error, and so is a lie about its size; no slab stays behind.
func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	in := builtOf([]byte(strings.Repeat("some words ", 300)))
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		s, out := c.pack(codec, in)
		block := bytes.Clone(out[journal.HeaderSize:])
		s.Release()
		for n := 1; n < len(block); n++ { // nothing at all opens to nothing, which is no record
			if codec == journal.CodecSnappy && n == xerialHeader {
				continue // no block at all
			}
			if s, got, err := c.open(codec, block[:n:n]); err == nil {
				t.Errorf("codec %d: the first %d of %d bytes open to %d", codec, n, len(block), len(got))
				s.Release()
			}
		}
	}
	lie, ok := c.appendLZ4(make([]byte, 0, 1<<20), in)
	if !ok {
		t.Fatal("no frame")
	}
	lie[6]++
	lie[lz4Header-1] = lz4Check(lie[4 : lz4Header-1])
	if _, _, err := c.open(journal.CodecLZ4, lie); err == nil {
		t.Error("a wrong content size is not noticed")
	}
	if n := c.pool.InUse(); n != 0 {
		t.Errorf("%d bytes of slabs not released", n)
	}
}

// FuzzOpen: any bytes open to a bounded size or to an error, without a slab left behind.
func FuzzOpen(f *testing.F) {
	c := testCodecs()
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		s, out := c.pack(codec, builtOf([]byte(strings.Repeat("some words ", 300))))
		f.Add(codec, bytes.Clone(out[journal.HeaderSize:]))
		s.Release()
	}
	f.Add(journal.CodecGzip, gzipped(f, batchOf("a"))[journal.HeaderSize:])
	f.Add(journal.CodecZstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 0})
	f.Fuzz(func(t *testing.T, codec int, block []byte) {
		s, out, err := c.open(codec, block)
		if err != nil {
			return
		}
		if len(out) > maxOpened {
			t.Fatalf("opened to %d bytes", len(out))
		}
		s.Release()
	})
}

// produceLines produces calls of lines that repeat each other and gives their values, in order.
func produceLines(t *testing.T, b *Broker, topic string, calls, lines int) []string {
	t.Helper()
	var want []string
	for i := range calls {
		recs := make([]queue.Record, lines)
		for k := range recs {
			v := fmt.Sprintf(`{"message":"line %d of call %d","agent":{"type":"filebeat","version":"9.5.0"},"ecs":{"version":"8.0.0"}}`, k, i)
			want = append(want, v)
			recs[k] = queue.Record{Topic: topic, Value: []byte(v), Time: time.UnixMilli(int64(1000*i + k))}
		}
		if err := b.Produce(context.Background(), recs); err != nil {
			t.Fatal(err)
		}
		for k := range recs {
			if recs[k].Offset != int64(i*lines+k) {
				t.Fatalf("record %d of call %d has offset %d", k, i, recs[k].Offset)
			}
		}
	}
	return want
}

// TestPackedIsRead: members and outsiders read compressed batches in order, from any offset, and times are found in them. A member's
// bytes live until the commit, whatever is read meanwhile.
func TestPackedIsRead(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const calls, lines = 12, 700
	for _, codec := range []string{"lz4", "snappy", "none"} {
		b := memBroker(t, func(c *Config) { c.Listen = []string{"127.0.0.1:0"} })
		tp := create(t, b, "t", 1, "compression.own", codec)
		want := produceLines(t, b, "t", calls, lines)
		size := tp.partition(0).j.Size()
		if packed := size < int64(len(want)*100/4); packed != (codec != "none") {
			t.Errorf("%s: %d bytes on disk", codec, size)
		}
		if offset, at, err := tp.partition(0).j.OffsetForTime(3333); err != nil || offset != 3*lines+333 || at != 3333 {
			t.Errorf("%s: time 3333 is at offset %d with time %d, %v", codec, offset, at, err)
		}
		m, err := b.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		var held []queue.Record
		for len(held) < len(want) {
			recs, err := m.Poll(ctx)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, recs...)
		}
		for i := range held {
			if string(held[i].Value) != want[i] || held[i].Offset != int64(i) {
				t.Fatalf("%s: record %d is %q at %d, want %q", codec, i, held[i].Value, held[i].Offset, want[i])
			}
		}
		if err := m.Commit(ctx, []queue.Position{{Topic: "t", Offset: int64(len(want))}}); err != nil {
			t.Fatal(err)
		}
		if n := m.(*member).held; n != 0 {
			t.Errorf("%s: %d bytes held after the commit", codec, n)
		}
		if err := m.Seek(ctx, []queue.Position{{Topic: "t", Offset: 777}}); err != nil {
			t.Fatal(err)
		}
		recs, err := m.Poll(ctx)
		if err != nil || len(recs) == 0 || recs[0].Offset != 777 || string(recs[0].Value) != want[777] {
			t.Errorf("%s: from offset 777 on %d records, %v", codec, len(recs), err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		checkClients(t, b.Addrs()[0].String(), "t", want)
	}
}

// checkClients reads a topic with franz-go and sarama.
func checkClients(t *testing.T, addr, topic string, want []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	n := 0
	for n < len(want) {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("franz-go: %v", err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if string(r.Value) != want[r.Offset] || r.Offset != int64(n) {
				t.Fatalf("franz-go: offset %d holds %q", r.Offset, r.Value)
			}
			n++
		})
	}
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V2_8_0_0
	sc, err := sarama.NewConsumer([]string{addr}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	pc, err := sc.ConsumePartition(topic, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for i := 5; i < len(want); i++ {
		select {
		case msg := <-pc.Messages():
			if string(msg.Value) != want[i] || msg.Offset != int64(i) {
				t.Fatalf("sarama: offset %d holds %q", msg.Offset, msg.Value)
			}
		case <-ctx.Done():
			t.Fatalf("sarama: %d of %d records", i, len(want))
		}
	}
}

// TestNoisePauses: what does not get smaller is kept as it is, and seldom tried.
func TestNoisePauses(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	tp := create(t, b, "t", 1)
	p := tp.partition(0)
	if err := b.Produce(context.Background(), []queue.Record{{Topic: "t", Value: noise(50_000)}}); err != nil {
		t.Fatal(err)
	}
	for n := int32(packPauses); n > 0; n-- {
		if p.tryPack() {
			t.Fatalf("tried with %d to go", n)
		}
	}
	if !p.tryPack() {
		t.Error("not tried again")
	}
	if p.j.Size() < 50_000 {
		t.Errorf("%d bytes on disk", p.j.Size())
	}
}
