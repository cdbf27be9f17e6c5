package lumberjack

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zlib"
)

func u32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func window(n int) []byte { return cat([]byte("2W"), u32(n)) }

func event(seq int, s string) []byte { return cat([]byte("2J"), u32(seq), u32(len(s)), []byte(s)) }

func packed(b []byte) []byte {
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	w.Write(b)
	w.Close()
	return cat([]byte("2C"), u32(z.Len()), z.Bytes())
}

func pairs(seq int, kv ...string) []byte {
	b := cat([]byte("1D"), u32(seq), u32(len(kv)/2))
	for _, s := range kv {
		b = cat(b, u32(len(s)), []byte(s))
	}
	return b
}

// TestReader: what comes out of bytes. A batch is written as its events joined by blanks, then '@' and its last sequence.
func TestReader(t *testing.T) {
	t.Parallel()
	small := Limits{Window: 4, Frame: 64, Batch: 16}
	tests := []struct {
		name string
		in   []byte
		want []string
		err  string // what the error holds; "" is io.EOF
	}{
		{"nothing", nil, nil, ""},
		{"one", cat(window(1), event(1, `{"a":1}`)), []string{`{"a":1} @1`}, ""},
		{"two windows", cat(window(1), event(1, "{}"), window(1), event(1, "[]")), []string{"{} @1", "[] @1"}, ""},
		{"packed", cat(window(2), packed(cat(event(1, "a"), event(2, "b")))), []string{"a b @2"}, ""},
		{"packed with its window", packed(cat(window(2), event(1, "a"), event(2, "b"))), []string{"a b @2"}, ""},
		{"packed twice", cat(window(2), packed(event(1, "a")), packed(event(2, "b"))), []string{"a b @2"}, ""},
		{"packed then plain", cat(window(2), packed(event(1, "a")), event(2, "b"), window(1), event(1, "c")), []string{"a b @2", "c @1"}, ""},
		{"window before the last was full", cat(window(3), event(1, "a"), window(1), event(1, "b")), []string{"a @1", "b @1"}, ""},
		{"a window in parts", cat(window(3), event(1, strings.Repeat("x", 16)), event(2, "b"), event(3, "c")), []string{strings.Repeat("x", 16) + " @1", "b c @3"}, ""},
		{"version 1", cat([]byte("1W"), u32(1), pairs(7, "line", "tab\tquote\"", "file", "/x", "bad", "\xff")), []string{`{"message":"tab\tquote\"","file":"/x","bad":"` + "\ufffd" + `"} @7`}, ""},
		{"empty windows", cat(window(0), window(0), window(1), event(1, "a")), []string{"a @1"}, ""},
		{"empty event", cat(window(1), event(1, "")), []string{" @1"}, ""},

		{"not the protocol", []byte("GET / HTTP/1.1\r\n"), nil, "version 0x47"},
		{"unknown frame", []byte("2X"), nil, "frame type 0x58"},
		{"answer from a client", cat([]byte("2A"), u32(1)), nil, "frame type"},
		{"event without window", event(1, "a"), nil, "outside of a window"},
		{"one too many", cat(window(1), event(1, "a"), event(2, "b")), []string{"a @1"}, "outside of a window"},
		{"window too large", window(5), nil, "limit 4"},
		{"event too large", cat(window(1), []byte("2J"), u32(1), u32(65)), nil, "more than 64 bytes"},
		{"packed too large", cat(window(1), []byte("2C"), u32(65)), nil, "limit 64"},
		{"too many fields", cat(window(1), []byte("1D"), u32(1), u32(maxPairs+1)), nil, "fields"},
		{"packed in packed", cat(window(1), packed(packed(event(1, "a")))), nil, "in a compressed"},
		{"not zlib", cat(window(1), []byte("2C"), u32(4), []byte("abcd")), nil, "compressed frame"},
		{"junk behind the stream", cat(window(2), []byte("2C"), u32(len(packed(event(1, "a")))-6+3), packed(event(1, "a"))[6:], []byte("xyz"), event(2, "b")), nil, "behind the compressed"},
		{"no end of frames", bytes.Repeat(window(0), emptyFrames+1), nil, "without an event"},
		{"cut in a header", cat(window(1), []byte("2")), nil, "unexpected EOF"},
		{"cut in an event", cat(window(1), event(1, "abc")[:12]), nil, "unexpected EOF"},
		{"cut in a window", cat(window(2), event(1, "abc")), nil, "unexpected EOF"},
		{"cut in packed", cat(window(2), packed(event(1, "abc"))[:12]), nil, "unexpected EOF"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(bytes.NewReader(tc.in), small)
			if !slices.Equal(got, tc.want) {
				t.Errorf("batches %q, want %q", got, tc.want)
			}
			if tc.err == "" && !errors.Is(err, io.EOF) || tc.err != "" && (errors.Is(err, io.EOF) || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

func readAll(in io.Reader, lim Limits) (got []string, err error) {
	r := NewReader(in, lim)
	for {
		b, err := r.Next()
		if err != nil {
			return got, err
		}
		s := ""
		for i := range b.Len() {
			s += string(b.Event(i)) + " "
		}
		got = append(got, fmt.Sprintf("%s@%d", s, b.Last))
	}
}

// TestAnnounced: an event that is announced but not sent costs no memory.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	r := NewReader(bytes.NewReader(cat(window(1), []byte("2J"), u32(1), u32(defaultFrame), make([]byte, 1000))), Limits{})
	if _, err := r.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if c := cap(r.batch.data); c > roomBytes {
		t.Errorf("%d bytes held for 1000 received", c)
	}
}

// pipe is a server and a client on one connection.
func pipe(t *testing.T, cfg ServerConfig, level int) (*Server, *Client, chan error) {
	t.Helper()
	a, b := net.Pipe()
	s := NewServer(cfg)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context(), a) }()
	c, err := NewClient(b, ClientConfig{Level: level})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return s, c, ended
}

func TestClientAndServer(t *testing.T) {
	t.Parallel()
	for _, level := range []int{0, 3, 9} {
		var got []string
		s, c, ended := pipe(t, ServerConfig{Limits: Limits{Batch: 64}, Handle: func(_ context.Context, _ net.Addr, b *Batch) error {
			for i := range b.Len() {
				got = append(got, string(b.Event(i)))
			}
			return nil
		}}, level)
		var want []string
		var win [][]byte
		for i := range 100 {
			e := fmt.Sprintf(`{"n":%d,"s":%q}`, i, strings.Repeat("x", i))
			want, win = append(want, e), append(win, []byte(e))
		}
		for from := 0; from < 100; from += 50 {
			steps := 0
			sent := make(chan error, 1)
			go func() { sent <- c.Send(win[from : from+50]) }() // a pipe holds nothing: answers are read meanwhile
			n, err := c.Await(50, func(int) { steps++ })
			if err := errors.Join(err, <-sent); err != nil || n != 50 || steps < 2 {
				t.Fatalf("level %d: acked %d in %d steps, err %v", level, n, steps, err)
			}
		}
		c.Close()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("level %d: got %d events, want the %d sent", level, len(got), len(want))
		}
		if n := s.Counts(); n.Events != 100 || n.Garbage+n.Big+n.Failed+n.Idle != 0 {
			t.Errorf("counts %+v", n)
		}
	}
}

// TestKeepAlive: while events are being kept for long, the peer hears of it; what cannot be kept is not acknowledged.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fail := false
		s, c, ended := pipe(t, ServerConfig{Handle: func(context.Context, net.Addr, *Batch) error {
			time.Sleep(100 * time.Second)
			if fail {
				return errors.New("full")
			}
			return nil
		}}, 0)
		for _, fail = range []bool{false, true} {
			if err := c.Send([][]byte{[]byte("{}")}); err != nil {
				t.Fatal(err)
			}
			zeros := 0
			n, err := c.Await(1, func(acked int) {
				if acked == 0 {
					zeros++
				}
			})
			if zeros < 30 || (n == 1) == fail || (err == nil) == fail {
				t.Errorf("failing %v: acked %d after %d signs of life, err %v", fail, n, zeros, err)
			}
		}
		if err := <-ended; err == nil || s.Counts().Failed != 1 {
			t.Errorf("ended with %v, %+v", err, s.Counts())
		}
	})
}

// TestStop: a batch that is being kept when the server stops is acknowledged, and nothing is read behind it.
func TestStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		s := NewServer(ServerConfig{Handle: func(context.Context, net.Addr, *Batch) error {
			cancel()
			time.Sleep(10 * time.Second)
			return nil
		}})
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, a) }()
		c, _ := NewClient(b, ClientConfig{})
		if err := c.Send([][]byte{[]byte("{}")}); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Await(1, nil); n != 1 || err != nil {
			t.Errorf("acked %d, %v", n, err)
		}
		if err := <-ended; err != nil || s.Counts().Batches != 1 {
			t.Errorf("ended with %v, %+v", err, s.Counts())
		}
		c.Close()
	})
}

func TestIdlePeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		s := NewServer(ServerConfig{Handle: func(context.Context, net.Addr, *Batch) error { return nil }})
		began := time.Now()
		go b.Write([]byte("2"))
		if err := s.Serve(t.Context(), a); err == nil || s.Counts().Idle != 1 {
			t.Errorf("ended with %v, %+v", err, s.Counts())
		}
		if d := time.Since(began); d != defaultIdle {
			t.Errorf("after %v", d)
		}
		b.Close()
	})
}

// TestMemory: many peers with more than the server may hold all get through, and one that stops within an event only hurts itself.
func TestMemory(t *testing.T) {
	t.Parallel()
	var most, now atomic.Int64
	cfg := ServerConfig{Limits: Limits{Frame: 1 << 20, Batch: 1 << 20}, Memory: 1, Handle: func(_ context.Context, _ net.Addr, b *Batch) error {
		if n := now.Add(int64(b.Bytes())); n > most.Load() {
			most.Store(n)
		}
		now.Add(-int64(b.Bytes()))
		return nil
	}}
	s := NewServer(cfg)
	stuck, far := net.Pipe()
	go s.Serve(t.Context(), far)
	defer stuck.Close()
	stuck.Write(cat(window(1), []byte("2J"), u32(1), u32(500<<10), make([]byte, 400<<10)))
	big := []byte(strings.Repeat("x", 300<<10))
	var peers sync.WaitGroup
	for range 8 {
		a, b := net.Pipe()
		peers.Go(func() { s.Serve(t.Context(), a) })
		peers.Go(func() {
			c, _ := NewClient(b, ClientConfig{})
			defer c.Close()
			for range 4 {
				sent := make(chan error, 1)
				go func() { sent <- c.Send([][]byte{big, big, big}) }()
				if n, err := c.Await(3, nil); n != 3 || err != nil {
					t.Errorf("acked %d: %v", n, err)
					return
				}
				<-sent
			}
		})
	}
	peers.Wait()
	if n := s.Counts(); n.Events != 96 {
		t.Errorf("%+v", n)
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if s.memory.left < s.cfg.Memory-(1<<20) {
		t.Errorf("%d of %d left", s.memory.left, s.cfg.Memory)
	}
}

func TestClientRefuses(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"3A\x00\x00\x00\x01", "2W\x00\x00\x00\x01", "2A\x00\x00\x00\x03"} {
		a, b := net.Pipe()
		c, err := NewClient(a, ClientConfig{})
		if err != nil {
			t.Fatal(err)
		}
		go b.Write([]byte(answer))
		if n, err := c.Await(2, nil); n != 0 || err == nil {
			t.Errorf("%q: acked %d, err %v", answer, n, err)
		}
		c.Close()
		b.Close()
	}
	if _, err := NewClient(nil, ClientConfig{Level: 10}); err == nil {
		t.Error("level 10 is taken")
	}
}

// FuzzReader: any bytes end in an error, hold no more than the limits, and the events do not depend on how the bytes arrive.
func FuzzReader(f *testing.F) {
	f.Add(cat(window(2), packed(cat(event(1, "a"), event(2, "b")))))
	f.Add(cat([]byte("1W"), u32(1), pairs(7, "line", "x")))
	f.Add(cat(window(1), event(1, "{}"), window(2), event(1, "{}"), window(1)))
	f.Fuzz(func(t *testing.T, in []byte) {
		lim := Limits{Window: 16, Frame: 1 << 12, Batch: 1 << 10}
		whole, err := readAll(bytes.NewReader(in), lim)
		if err == nil {
			t.Fatal("no end")
		}
		bytewise, _ := readAll(oneByte{bytes.NewReader(in)}, lim)
		if !slices.Equal(whole, bytewise) {
			t.Errorf("%q byte by byte, %q at once", bytewise, whole)
		}
		for _, b := range whole {
			if len(b) > 2*(lim.Frame+lim.Batch) {
				t.Errorf("batch of %d bytes", len(b))
			}
		}
	})
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 1)]) }

func BenchmarkReader(b *testing.B) {
	e := []byte(`{"@timestamp":"2026-11-22T21:34:10.888Z","@metadata":{"beat":"filebeat","type":"_doc","version":"9.5.0"},"message":"` + strings.Repeat("GET /index.html 200 ", 10) + `","log":{"offset":123456,"file":{"path":"/var/log/nginx/access.log"}},"host":{"name":"vm"},"agent":{"id":"8d5a","name":"vm","type":"filebeat","version":"9.5.0"}}`)
	for _, level := range []int{0, 3} {
		var wire bytes.Buffer
		w := &Client{cfg: ClientConfig{Timeout: time.Second}, c: discard{&wire}}
		if level > 0 {
			w.z, _ = zlib.NewWriterLevel(nil, level)
		}
		w.Send(slices.Repeat([][]byte{e}, 2048))
		b.Run(fmt.Sprintf("zlib=%d", level), func(b *testing.B) {
			b.SetBytes(int64(2048 * len(e)))
			b.ReportAllocs()
			r := NewReader(&repeat{b: wire.Bytes()}, Limits{})
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2048*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

type repeat struct {
	b  []byte
	at int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.b[r.at:])
	r.at = (r.at + n) % len(r.b)
	return n, nil
}

// discard is a connection that only takes.
type discard struct{ w io.Writer }

func (d discard) Write(p []byte) (int, error)    { return d.w.Write(p) }
func (discard) Read([]byte) (int, error)         { return 0, io.EOF }
func (discard) Close() error                     { return nil }
func (discard) LocalAddr() net.Addr              { return nil }
func (discard) RemoteAddr() net.Addr             { return nil }
func (discard) SetDeadline(time.Time) error      { return nil }
func (discard) SetReadDeadline(time.Time) error  { return nil }
func (discard) SetWriteDeadline(time.Time) error { return nil }
