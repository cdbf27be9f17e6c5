package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestBuilderAndIterator(t *testing.T) {
	t.Parallel()
	records := []Record{
		{Time: 1000, Key: []byte("key"), Value: []byte("value")},
		{Time: 990, Key: nil, Value: []byte{}},
		{Time: math.MaxInt64 / 2, Key: []byte{}, Value: nil},
		{Time: -5, Value: bytes.Repeat([]byte("long"), 5000), Headers: []RecordHeader{{"a", []byte("b")}, {"", nil}, {"a", []byte{}}}},
		{Time: 1000, Headers: []RecordHeader{{"weir", []byte{1, 2, 3}}}},
	}
	var e Builder
	e.Reset([]byte("before"))
	if got := e.Finish(); string(got) != "before" {
		t.Fatalf("an empty batch: %q", got)
	}
	e.Reset([]byte("before"))
	for i, r := range records {
		n := e.Len()
		e.Add(r.Time, r.Key, r.Value, r.Headers)
		if e.Len()-n > RecordSize(r.Key, r.Value, r.Headers) {
			t.Fatalf("record %d takes %d bytes, bound %d", i, e.Len()-n, RecordSize(r.Key, r.Value, r.Headers))
		}
	}
	b := e.Finish()[len("before"):]
	if err := Verify(b); err != nil || e.Len() != len(b) || e.Count() != len(records) {
		t.Fatal(err)
	}
	stamp(b, 77, 3)
	h, err := ParseHeader(b)
	if err != nil || h.BaseOffset != 77 || h.Next() != 82 || h.LeaderEpoch != 3 || h.MaxTime != math.MaxInt64/2 || h.ProducerID != -1 {
		t.Fatalf("%+v, %v", h, err)
	}
	it, err := Records(b)
	if err != nil {
		t.Fatal(err)
	}
	var r Record
	for i := range records {
		if !it.Next(&r) {
			t.Fatalf("record %d: %v", i, it.Err())
		}
		want := records[i]
		want.Offset = 77 + int64(i)
		if len(r.Headers) == 0 {
			r.Headers = nil
		}
		if !reflect.DeepEqual(r, want) {
			t.Fatalf("record %d: %+v, want %+v", i, r, want)
		}
	}
	if it.Next(&r) || it.Err() != nil {
		t.Fatal("a record too many", it.Err())
	}
}

// TestAgainstKmsg compares with the codec that the broker's clients use.
func TestAgainstKmsg(t *testing.T) {
	t.Parallel()
	b := batchOf("kmsg", 7)
	stamp(b, 1234, 9)
	var want kmsg.RecordBatch
	if err := want.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	got := kmsg.RecordBatch{
		FirstOffset: h.BaseOffset, Length: h.Length, PartitionLeaderEpoch: h.LeaderEpoch, Magic: h.Magic, CRC: int32(h.CRC),
		Attributes: h.Attributes, LastOffsetDelta: h.LastOffsetDelta, FirstTimestamp: h.BaseTime, MaxTimestamp: h.MaxTime,
		ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch, FirstSequence: h.BaseSequence, NumRecords: h.Count, Records: b[HeaderSize:],
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	it, err := Records(b)
	if err != nil {
		t.Fatal(err)
	}
	block := want.Records
	for r := (Record{}); it.Next(&r); {
		size, n := binary.Varint(block)
		var k kmsg.Record
		if err := k.ReadFrom(block[:n+int(size)]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(k.Key, r.Key) || !bytes.Equal(k.Value, r.Value) || k.TimestampDelta64 != r.Time-h.BaseTime || int64(k.OffsetDelta) != r.Offset-h.BaseOffset {
			t.Fatalf("%+v, kmsg %+v", r, k)
		}
		block = block[n+int(size):]
	}
	if it.Err() != nil || len(block) > 0 {
		t.Fatal(it.Err(), len(block))
	}
}

func TestSetLogAppendTime(t *testing.T) {
	t.Parallel()
	b := batchOf("t", 3)
	SetLogAppendTime(b, 5555)
	if err := Verify(b); err != nil {
		t.Fatal(err)
	}
	it, err := Records(b)
	if err != nil {
		t.Fatal(err)
	}
	for r := (Record{}); it.Next(&r); {
		if r.Time != 5555 {
			t.Fatalf("time %d", r.Time)
		}
	}
}

func TestPayloadLayout(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 50, 63, 64, 127, 128, 8190, 8200, 1 << 20, 1<<20 + 7} {
		for _, synced := range []uint64{0, 127, 128, 1 << 40} {
			p := make([]byte, n)
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			l := layPayload(n, synced)
			b := make([]byte, l.total)
			for i := range b {
				b[i] = 0xDD
			}
			l.encode(b, p, 42)
			if err := Verify(b); err != nil {
				t.Fatal(err)
			}
			s, got, err := splitPayload(b)
			if err != nil || s != int64(synced) || !bytes.Equal(got, p) {
				t.Fatalf("%d bytes, synced %d: %d, %v", n, synced, s, err)
			}
			if l.total > n+payloadOverhead {
				t.Fatalf("%d bytes take %d, bound %d", n, l.total, n+payloadOverhead)
			}
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	j := open(t, Config{Dir: t.TempDir()})
	good := batchOf("g", 2)
	cases := map[string]struct {
		b    []byte
		want error
	}{
		"nothing":         {nil, ErrShort},
		"half a header":   {good[:30], ErrShort},
		"half a batch":    {good[:len(good)-1], ErrShort},
		"one and a half":  {append(bytes.Clone(good), good[:70]...), ErrShort},
		"magic 1":         {edit(good, 16, 1), ErrCorrupt},
		"negative length": {edit(good, 8, 0x80), ErrCorrupt},
		"negative delta":  {edit(good, 23, 0x80), ErrCorrupt},
		"negative count":  {edit(good, 57, 0x80), ErrCorrupt},
	}
	for name, c := range cases {
		if _, err := j.Append(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := j.AppendPayload(make([]byte, MaxBatch)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if m := mustAppend(t, j, good); m.Base != 0 || m.End != 2 {
		t.Errorf("%+v", m)
	}
}

func edit(b []byte, at int, v byte) []byte {
	c := bytes.Clone(b)
	c[at] = v
	return c
}
