package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/codec"
	"github.com/weirlog/weir/journal"
)

func TestGarbage(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	frame := func(size int32, body ...byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(size)), body...)
	}
	cases := []struct {
		name string
		b    []byte
	}{
		{"HTTP", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")},
		{"TLS", []byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0}},
		{"length 0", frame(0, 0, 0, 0, 0)},
		{"length below a header", frame(7, 0, 0, 0, 0, 0, 0, 0)},
		{"negative length", frame(-1, 0, 0, 0, 0)},
		{"huge", frame(1<<31-1, 0, 0, 0, 9, 0, 0, 0, 1)},
		{"large for its kind", frame(maxFrame+1, 0, 3, 0, 5, 0, 0, 0, 1)},
		{"unknown key", frame(10, 0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff)},
		{"unknown version", frame(10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff)},
		{"client id past the end", frame(10, 0, 3, 0, 5, 0, 0, 0, 1, 0x7f, 0xff)},
		{"topics past the end", frame(14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := dial(t, b)
			go w.conn.Write(c.b) // the broker may hang up before it has read everything
			if !w.closed() {
				t.Error("the connection is still open")
			}
			if got := dial(t, b).produce("t", 0, batchOf("alive")); got.ErrorCode != 0 {
				t.Errorf("produce afterwards: code %d", got.ErrorCode)
			}
		})
	}
}

// TestHalfFrame: the length of a frame costs no memory, its bytes do.
func TestHalfFrame(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	w := dial(t, b)
	head := binary.BigEndian.AppendUint32(nil, maxProduceFrame)
	w.conn.Write(append(head, 0, 0, 0, 9, 0, 0, 0, 1))
	w.conn.Write(bytes.Repeat([]byte{1}, 1000))
	if used := b.inflight.used; used > maxProduceFrame {
		t.Errorf("%d bytes in flight", used)
	}
	w.conn.Close()
}

func TestApiVersionsOfTheFuture(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	w := dial(t, b)
	req := kmsg.NewPtrApiVersionsRequest()
	req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = 4, "test", "1"
	raw := kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
	binary.BigEndian.PutUint16(raw[6:], 77)
	w.corr = 1
	if _, err := w.conn.Write(raw); err != nil {
		t.Fatal(err)
	}
	resp := kmsg.NewPtrApiVersionsResponse() // version 0
	if err := resp.ReadFrom(w.body(false)); err != nil {
		t.Fatal(err)
	}
	if resp.ErrorCode != errUnsupportedVersion || len(resp.ApiKeys) != len(apiTable()) {
		t.Errorf("code %d with %d keys", resp.ErrorCode, len(resp.ApiKeys))
	}
	bad := kmsg.NewPtrApiVersionsRequest()
	bad.Version, bad.ClientSoftwareName, bad.ClientSoftwareVersion = 3, "no spaces please", "1"
	if resp := ask[*kmsg.ApiVersionsResponse](w, bad); resp.ErrorCode != errInvalidRequest {
		t.Errorf("odd software name: code %d", resp.ErrorCode)
	}
}

// TestPipelining: answers come in the order of the requests, whatever each waits for.
func TestPipelining(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	w := dial(t, b)
	wait := fetchReq(11, "t", 0)
	wait.MaxWaitMillis = 100
	go func() {
		for i, req := range []kmsg.Request{wait, produceReq(9, "t", 0, batchOf("a")), kmsg.NewPtrListGroupsRequest(), produceReq(9, "t", 0, batchOf("b"))} {
			w.conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(i+1)))
		}
	}()
	for i := range 4 {
		w.corr = int32(i + 1)
		w.conn.SetDeadline(time.Now().Add(30 * time.Second))
		w.body(false) // fails the test when the correlation id is another
	}
}

func TestAdvertise(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Listen, cfg.Advertise = []string{"127.0.0.1:0"}, "queue.example:19092"
	b := open(t, cfg)
	nc, err := net.Dial("tcp", b.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	w := &wire{t: t, conn: nc}
	got := ask[*kmsg.MetadataResponse](w, kmsg.NewPtrMetadataRequest()).Brokers[0]
	if got.Host != "queue.example" || got.Port != 19092 {
		t.Errorf("clients are told %s:%d", got.Host, got.Port)
	}
	_, addr := listening(t)
	plain, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	w = &wire{t: t, conn: plain}
	got = ask[*kmsg.MetadataResponse](w, kmsg.NewPtrMetadataRequest()).Brokers[0]
	if want := net.JoinHostPort(got.Host, itoa(got.Port)); want != addr {
		t.Errorf("clients are told %s, they connected to %s", want, addr)
	}
}

func itoa(n int32) string {
	var b [12]byte
	i := len(b)
	for ; n > 0; n /= 10 {
		i--
		b[i] = byte('0' + n%10)
	}
	return string(b[i:])
}

// TestRunEnds: Run returns when its context ends, with fetches and joins still waiting.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Listen = []string{"127.0.0.1:0"}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	create(t, b, "t", 1)
	nc, err := net.Dial("tcp", b.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	w := &wire{t: t, conn: nc}
	w.produce("t", 0, batchOf("a"))
	wait := fetchReq(11, "t", 1)
	wait.MaxWaitMillis = 60_000
	w.send(wait)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Run did not return")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzFrame(f *testing.F) {
	for _, req := range []kmsg.Request{kmsg.NewPtrMetadataRequest(), produceReq(9, "t", 0, batchOf("a")), fetchReq(12, "t", 0), kmsg.NewPtrJoinGroupRequest()} {
		f.Add(kmsg.NewRequestFormatter(kmsg.FormatterClientID("f")).AppendRequest(nil, req, 1))
	}
	cfg := testConfig(f)
	b := open(f, cfg)
	create(f, b, "t", 1)
	f.Fuzz(func(t *testing.T, in []byte) {
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		go func() { b.ServeConn(ctx, theirs); close(done) }()
		go func() {
			ours.Write(in)
			cancel() // ends what waits
		}()
		ours.SetReadDeadline(time.Now().Add(5 * time.Second))
		buf := make([]byte, 4096)
		for {
			if _, err := ours.Read(buf); err != nil {
				break
			}
		}
		ours.Close()
		<-done
	})
}

// FuzzBatch: what passes the check can be read back whole.
func FuzzBatch(f *testing.F) {
	f.Add(batchOf("a", "b"), true)
	f.Add(gzipped(f, batchOf("a")), false)
	cfg, err := parseTopicConfig(nil)
	if err != nil {
		f.Fatal(err)
	}
	c := codec.New(journal.NewPool(journal.PoolConfig{Poison: true}))
	f.Fuzz(func(t *testing.T, in []byte, fix bool) {
		b := bytes.Clone(in)
		if fix && len(b) > journal.HeaderSize {
			recrc(b)
		}
		h, bad := checkBatch(b, cfg, 9)
		if bad != nil {
			return
		}
		if h.Codec() != journal.CodecNone {
			out, err := c.Decompress(h.Codec(), b[journal.HeaderSize:])
			if err == nil && len(out) > codec.MaxOpened {
				t.Fatalf("opened to %d bytes", len(out))
			}
			return
		}
		it, err := journal.Records(b)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		var r journal.Record
		for it.Next(&r) {
			if r.Offset != n {
				t.Fatalf("record %d has offset %d", n, r.Offset)
			}
			n++
		}
		if it.Err() != nil || n != int64(h.Count) {
			t.Fatalf("%d of %d records, %v", n, h.Count, it.Err())
		}
	})
}
