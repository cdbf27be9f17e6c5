package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// memBroker is a broker on memory files without a port.
func memBroker(t testing.TB, change ...func(*Config)) *Broker {
	cfg := testConfig(t)
	cfg.FS, cfg.Dir, cfg.Partitions = vfs.NewMem(), "/queue", 1
	for _, f := range change {
		f(&cfg)
	}
	return open(t, cfg)
}

// wire is a client that says exactly what a test wants.
type wire struct {
	t    testing.TB
	conn net.Conn
	corr int32
}

// dial connects to b over a pipe.
func dial(t testing.TB, b *Broker) *wire {
	ours, theirs := net.Pipe()
	done := make(chan struct{})
	go func() { b.ServeConn(context.Background(), theirs); close(done) }()
	t.Cleanup(func() { ours.Close(); <-done })
	return &wire{t: t, conn: ours}
}

func (w *wire) send(req kmsg.Request) {
	w.t.Helper()
	w.corr++
	b := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, w.corr)
	w.conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := w.conn.Write(b); err != nil {
		w.t.Fatalf("send %T: %v", req, err)
	}
}

// body reads one frame and gives what follows the response header.
func (w *wire) body(flexible bool) []byte {
	w.t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(w.conn, size[:]); err != nil {
		w.t.Fatalf("no answer: %v", err)
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(w.conn, b); err != nil {
		w.t.Fatalf("answer cut short: %v", err)
	}
	if got := int32(binary.BigEndian.Uint32(b)); got != w.corr {
		w.t.Fatalf("correlation id %d, want %d", got, w.corr)
	}
	b = b[4:]
	if flexible {
		if b[0] != 0 {
			w.t.Fatalf("response header has %d tags", b[0])
		}
		b = b[1:]
	}
	return b
}

// call sends a request and reads its answer, which must be exactly one response of that kind.
func (w *wire) call(req kmsg.Request) kmsg.Response {
	w.t.Helper()
	w.send(req)
	resp := req.ResponseKind()
	b := w.body(resp.IsFlexible() && resp.Key() != apiVersionsKey)
	if err := resp.ReadFrom(b); err != nil {
		w.t.Fatalf("%T version %d: %v", resp, resp.GetVersion(), err)
	}
	if again := resp.AppendTo(nil); !bytes.Equal(again, b) {
		w.t.Fatalf("%T version %d: answer has other bytes than its fields\n got %x\nwant %x", resp, resp.GetVersion(), b, again)
	}
	return resp
}

// closed reports whether the broker hangs up without a further answer.
func (w *wire) closed() bool {
	w.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, err := w.conn.Read(make([]byte, 1))
	return err == io.EOF
}

// ask is call with the answer's type.
func ask[R kmsg.Response](w *wire, req kmsg.Request) R {
	w.t.Helper()
	return w.call(req).(R)
}

// batchOf encodes values as one batch.
func batchOf(values ...string) []byte {
	var e journal.Builder
	e.Reset(nil)
	for i, v := range values {
		e.Add(1_770_000_000_000+int64(i), []byte("k"), []byte(v), nil)
	}
	return e.Finish()
}

// recrc makes the CRC of a changed batch right.
func recrc(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32c(b[21:]))
	return b
}

// sequenced gives a batch a producer.
func sequenced(b []byte, id int64, epoch int16, sequence int32) []byte {
	binary.BigEndian.PutUint64(b[43:], uint64(id))
	binary.BigEndian.PutUint16(b[51:], uint16(epoch))
	binary.BigEndian.PutUint32(b[53:], uint32(sequence))
	return recrc(b)
}

func produceReq(version int16, topic string, partition int32, batch []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, -1, 1000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// produce sends a batch and gives the answer of its only partition.
func (w *wire) produce(topic string, partition int32, batch []byte) kmsg.ProduceResponseTopicPartition {
	w.t.Helper()
	return ask[*kmsg.ProduceResponse](w, produceReq(9, topic, partition, batch)).Topics[0].Partitions[0]
}

func fetchReq(version int16, topic string, offset int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.ReplicaID, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.SessionEpoch = version, -1, 0, 1, 1<<20, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = offset, 1<<20
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

func (w *wire) fetch(topic string, offset int64) kmsg.FetchResponseTopicPartition {
	w.t.Helper()
	return ask[*kmsg.FetchResponse](w, fetchReq(11, topic, offset)).Topics[0].Partitions[0]
}

// create makes a topic.
func create(t testing.TB, b *Broker, name string, partitions int32, configs ...string) *topic {
	t.Helper()
	set := map[string]string{}
	for i := 0; i < len(configs); i += 2 {
		set[configs[i]] = configs[i+1]
	}
	tp, terr := b.createTopic(newTopic{name: name, partitions: partitions, configs: set})
	if terr != nil {
		t.Fatalf("create topic %s: %v", name, terr)
	}
	return tp
}

// valuesOf decodes the values of batches.
func valuesOf(t testing.TB, b []byte) []string {
	t.Helper()
	var out []string
	for len(b) > 0 {
		h, err := journal.ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		it, err := journal.Records(b)
		if err != nil {
			t.Fatal(err)
		}
		var r journal.Record
		for it.Next(&r) {
			out = append(out, string(r.Value))
		}
		b = b[h.Size():]
	}
	return out
}
