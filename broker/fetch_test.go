package broker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	big := strings.Repeat("x", 1000)
	for i := range 10 {
		w.produce("t", 0, batchOf(fmt.Sprint(i, big), fmt.Sprint(i, "b")))
	}
	one := len(batchOf("0"+big, "0b"))
	cases := []struct {
		name    string
		offset  int64
		most    int32 // of the partition
		total   int32
		code    int16
		batches int
	}{
		{"everything", 0, 1 << 20, 1 << 20, 0, 10},
		{"from inside a batch: the batch that holds it", 3, 1 << 20, 1 << 20, 0, 9},
		{"at the end", 20, 1 << 20, 1 << 20, 0, 0},
		{"past the end", 21, 1 << 20, 1 << 20, errOffsetOutOfRange, 0},
		{"before the start", -1, 1 << 20, 1 << 20, errOffsetOutOfRange, 0},
		{"first batch whole whatever the limit", 0, 1, 1, 0, 1},
		{"no limit at all", 0, 0, 0, 0, 1},
		{"two fit", 0, int32(2*one + 10), 1 << 20, 0, 2},
		{"two fit in the answer", 0, 1 << 20, int32(2*one + 10), 0, 2},
	}
	for _, c := range cases {
		req := fetchReq(11, "t", c.offset)
		req.MaxBytes, req.Topics[0].Partitions[0].PartitionMaxBytes = c.total, c.most
		got := ask[*kmsg.FetchResponse](w, req).Topics[0].Partitions[0]
		if got.ErrorCode != c.code || len(got.RecordBatches) != c.batches*one {
			t.Errorf("%s: code %d, %d bytes, want code %d, %d bytes", c.name, got.ErrorCode, len(got.RecordBatches), c.code, c.batches*one)
		}
		if c.code == 0 && (got.HighWatermark != 20 || got.LastStableOffset != 20) {
			t.Errorf("%s: high watermark %d", c.name, got.HighWatermark)
		}
		if got.RecordBatches == nil {
			t.Errorf("%s: records are null", c.name)
		}
	}
}

func TestFetchErrors(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	w.produce("t", 0, batchOf("a"))
	part := func(change func(*kmsg.FetchRequest, *kmsg.FetchRequestTopicPartition)) *kmsg.FetchResponse {
		req := fetchReq(12, "t", 0)
		change(req, &req.Topics[0].Partitions[0])
		return ask[*kmsg.FetchResponse](w, req)
	}
	code := func(r *kmsg.FetchResponse) int16 { return r.Topics[0].Partitions[0].ErrorCode }
	if c := code(part(func(_ *kmsg.FetchRequest, p *kmsg.FetchRequestTopicPartition) { p.CurrentLeaderEpoch = 1 })); c != errUnknownLeaderEpoch {
		t.Errorf("epoch of the future: code %d", c)
	}
	if c := code(part(func(_ *kmsg.FetchRequest, p *kmsg.FetchRequestTopicPartition) { p.Partition = 7 })); c != errUnknownTopicOrPartition {
		t.Errorf("unknown partition: code %d", c)
	}
	if c := code(part(func(r *kmsg.FetchRequest, _ *kmsg.FetchRequestTopicPartition) { r.Topics[0].Topic = "nope" })); c != errUnknownTopicOrPartition {
		t.Errorf("unknown topic: code %d", c)
	}
	if r := part(func(r *kmsg.FetchRequest, _ *kmsg.FetchRequestTopicPartition) { r.SessionID, r.SessionEpoch = 5, 3 }); r.ErrorCode != errFetchSessionID || len(r.Topics) != 0 {
		t.Errorf("unknown session: code %d, %d topics", r.ErrorCode, len(r.Topics))
	}
	if r := part(func(r *kmsg.FetchRequest, _ *kmsg.FetchRequestTopicPartition) { r.Topics = nil; r.MinBytes = 0 }); len(r.Topics) != 0 {
		t.Errorf("no topics asked, %d answered", len(r.Topics))
	}
}

// TestFetchWaits: a fetch at the end is answered by the next produce, by the deletion of the topic, or by time.
func TestFetchWaits(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	tp := create(t, b, "t", 2)
	w, other := dial(t, b), dial(t, b)
	req := fetchReq(11, "t", 0)
	req.MaxWaitMillis = 20_000
	more := req.Topics[0].Partitions[0]
	more.Partition = 1
	req.Topics[0].Partitions = append(req.Topics[0].Partitions, more)

	start := time.Now()
	w.send(req)
	other.produce("t", 1, batchOf("a"))
	resp := req.ResponseKind().(*kmsg.FetchResponse)
	if err := resp.ReadFrom(w.body(false)); err != nil {
		t.Fatal(err)
	}
	if got := valuesOf(t, resp.Topics[0].Partitions[1].RecordBatches); fmt.Sprint(got) != "[a]" {
		t.Errorf("fetched %v", got)
	}

	req.Topics[0].Partitions = req.Topics[0].Partitions[:1]
	w.send(req)
	if terr := b.deleteTopic(tp); terr != nil {
		t.Fatal(terr)
	}
	if err := resp.ReadFrom(w.body(false)); err != nil {
		t.Fatal(err)
	}
	if c := resp.Topics[0].Partitions[0].ErrorCode; c != errUnknownTopicOrPartition {
		t.Errorf("topic deleted meanwhile: code %d", c)
	}
	if d := time.Since(start); d > 15*time.Second {
		t.Errorf("the fetches waited for their time: %v", d)
	}

	create(t, b, "quiet", 1)
	req = fetchReq(11, "quiet", 0)
	req.MaxWaitMillis = 30
	start = time.Now()
	if got := ask[*kmsg.FetchResponse](w, req).Topics[0].Partitions[0]; got.ErrorCode != 0 || len(got.RecordBatches) != 0 {
		t.Errorf("quiet topic: code %d, %d bytes", got.ErrorCode, len(got.RecordBatches))
	}
	if d := time.Since(start); d < 25*time.Millisecond {
		t.Errorf("an empty fetch waited %v, want 30 ms", d)
	}
}

func TestListOffsets(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	const base = 1_770_000_000_000
	w.produce("t", 0, batchOf("a", "b", "c")) // times base, +1, +2
	w.produce("t", 0, batchOf("d"))           // time base again
	cases := []struct {
		name   string
		at     int64
		offset int64
		time   int64
	}{
		{"end", atEnd, 4, -1},
		{"start", atStart, 0, -1},
		{"local start", atLocalPart, 0, -1},
		{"largest time", atMaxTime, 2, base + 2},
		{"long ago", 0, 0, base},
		{"inside a batch", base + 1, 1, base + 1},
		{"later than all", base + 3, -1, -1},
	}
	for _, c := range cases {
		req := kmsg.NewPtrListOffsetsRequest()
		req.Version = 8
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Timestamp = c.at
		req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: "t", Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
		got := ask[*kmsg.ListOffsetsResponse](w, req).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.Offset != c.offset || got.Timestamp != c.time {
			t.Errorf("%s: code %d, offset %d, time %d, want %d and %d", c.name, got.ErrorCode, got.Offset, got.Timestamp, c.offset, c.time)
		}
	}
}

// TestFetchSessions: a session's answers tell only what is new; its partitions come, move and go; epochs are in order.
func TestFetchSessions(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	a, other := create(t, b, "a", 2), create(t, b, "other", 1)
	w := dial(t, b)
	session := func(id, epoch int32, forget []kmsg.FetchRequestForgottenTopic, topics ...kmsg.FetchRequestTopic) *kmsg.FetchResponse {
		t.Helper()
		req := kmsg.NewPtrFetchRequest()
		req.Version, req.MinBytes, req.MaxBytes, req.SessionID, req.SessionEpoch = 17, 1, 1<<20, id, epoch
		req.Topics, req.ForgottenTopics = topics, forget
		return ask[*kmsg.FetchResponse](w, req)
	}
	topic := func(tp *topic, offsets ...int64) kmsg.FetchRequestTopic {
		out := kmsg.NewFetchRequestTopic()
		out.TopicID = tp.id
		for n, at := range offsets {
			p := kmsg.NewFetchRequestTopicPartition()
			p.Partition, p.FetchOffset, p.PartitionMaxBytes = int32(n), at, 1<<20
			out.Partitions = append(out.Partitions, p)
		}
		return out
	}
	first := session(0, 0, nil, topic(a, 0, 0), topic(other, 0))
	id := first.SessionID
	if id == 0 || len(first.Topics) != 2 || len(first.Topics[0].Partitions) != 2 || first.Topics[0].TopicID != a.id {
		t.Fatalf("first answer: session %d, %d topics", id, len(first.Topics))
	}
	if r := session(id, 1, nil); r.ErrorCode != errNone || len(r.Topics) != 0 {
		t.Errorf("nothing new: code %d, %d topics", r.ErrorCode, len(r.Topics))
	}
	if r := session(id, 1, nil); r.ErrorCode != errFetchSessionEpoch {
		t.Errorf("an epoch again: code %d", r.ErrorCode)
	}
	w.produce("a", 1, batchOf("x"))
	r := session(id, 2, nil)
	if len(r.Topics) != 1 || len(r.Topics[0].Partitions) != 1 || r.Topics[0].Partitions[0].Partition != 1 || len(r.Topics[0].Partitions[0].RecordBatches) == 0 {
		t.Fatalf("one record: %+v", r.Topics)
	}
	moved := topic(a, 0, 1)
	moved.Partitions = moved.Partitions[1:]
	if r := session(id, 3, nil, moved); r.ErrorCode != errNone || len(r.Topics) != 0 {
		t.Errorf("after the place moved: code %d, %+v", r.ErrorCode, r.Topics)
	}
	w.produce("other", 0, batchOf("y"))
	if r := session(id, 4, []kmsg.FetchRequestForgottenTopic{{TopicID: other.id, Partitions: []int32{0}}}); len(r.Topics) != 0 {
		t.Errorf("a forgotten partition: %+v", r.Topics)
	}
	if r := session(id, -1, nil, topic(other, 0)); r.SessionID != 0 || len(r.Topics) != 1 {
		t.Errorf("closing: session %d, %d topics", r.SessionID, len(r.Topics))
	}
	if r := session(id, 5, nil); r.ErrorCode != errFetchSessionID {
		t.Errorf("a closed session: code %d", r.ErrorCode)
	}
	if r := session(0, -1, nil, topic(&topicWithout, 0)); r.Topics[0].Partitions[0].ErrorCode != errUnknownTopicID {
		t.Errorf("an id of no topic: code %d", r.Topics[0].Partitions[0].ErrorCode)
	}
}

// topicWithout has an id that no topic has.
var topicWithout = topic{id: topicID{1}}
