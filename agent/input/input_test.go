package input

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/lumberjack"
	"github.com/weirlog/weir/syslog"
)

// memory is a Sink that keeps what it is given. It is durable when open says so.
type memory struct {
	mu      sync.Mutex
	events  []Event
	streams map[string]bool
	cursors map[string][]byte
	more    chan struct{} // one pending signal of news

	shut chan struct{} // while it is not closed, nothing is durable; nil is durable at once
	stop chan struct{} // closed: ErrStopped
}

func newMemory() *memory {
	return &memory{streams: map[string]bool{}, cursors: map[string][]byte{}, more: make(chan struct{}, 1), stop: make(chan struct{})}
}

func (m *memory) Push(ctx context.Context, b *Batch, acked func()) error {
	if m.shut != nil {
		select {
		case <-m.shut:
		case <-ctx.Done():
			return ctx.Err()
		case <-m.stop:
			return ErrStopped
		}
	}
	m.mu.Lock()
	m.events = append(m.events, b.Events...)
	m.streams[b.Stream] = true
	if b.Cursor != nil {
		m.cursors[b.Stream] = b.Cursor
	}
	m.mu.Unlock()
	select {
	case m.more <- struct{}{}:
	default:
	}
	if acked != nil {
		acked()
	}
	return nil
}

func (m *memory) Deliver(ctx context.Context, b *Batch) error { return m.Push(ctx, b, nil) }

func (m *memory) Cursor(stream string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[stream]
}

// wait returns the first n events, with what they are rendered as JSON.
func (m *memory) wait(t *testing.T, n int) []Event {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		m.mu.Lock()
		got := m.events
		m.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-m.more:
		case <-deadline:
			t.Fatalf("%d events of %d: %s", len(got), n, show(got))
		}
	}
}

// show is events as one JSON object a line; fields of the current time are left out.
func show(events []Event) string {
	s := ""
	for i := range events {
		s += showOne(&events[i]) + "\n"
	}
	return s
}

func showOne(e *Event) string {
	if e.Raw != nil {
		return "raw " + string(e.Raw)
	}
	b := []byte{'{'}
	if !e.At.IsZero() {
		b = tree.AppendTime(append(b, `"@timestamp":"`...), e.At)
		b = append(b, `",`...)
	}
	if e.Message != nil {
		b = tree.AppendValue(append(b, `"message":`...), string(e.Message))
	}
	b = tree.AppendMembers(b, e.Fields, b[len(b)-1] != '{' && b[len(b)-1] != ',')
	b = append(b, '}')
	if len(e.Flags) > 0 {
		b = append(b, " "+strings.Join(e.Flags, ",")...)
	}
	return string(b)
}

// run starts an input on a free port and stops it with the test; done is closed when it has ended.
func run(t *testing.T, c Config, sink Sink) (stop func()) {
	t.Helper()
	if errs := c.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	in, err := c.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx, sink) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

// bound is a Bind to a free port of loopback, and its address when it is known.
func bound() (Bind, func() string) {
	addr := make(chan string, 1)
	return Bind{Address: "127.0.0.1:0", Bound: func(a net.Addr) { addr <- a.String() }}, func() string { return <-addr }
}

func send(t *testing.T, network, addr, text string) {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestTCP(t *testing.T) {
	t.Parallel()
	c := DefaultTCP()
	var addr func() string
	c.Bind, addr = bound()
	c.MaxMessage = 20
	sink := newMemory()
	stop := run(t, c, sink)
	conn, err := net.Dial("tcp", addr())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "first\r\nsecond 둘\n\n%s\nhalf", strings.Repeat("x", 30))
	peer := conn.LocalAddr().String()
	src := `,"log":{"source":{"address":"` + peer + `"}}}`
	want := `{"message":"first"` + src + "\n" + `{"message":"second 둘"` + src + "\n" + `{"message":"` + strings.Repeat("x", 20) + `"` + src + " truncated\n"
	if got := show(sink.wait(t, 3)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	conn.Close()
	if got := sink.wait(t, 4)[3]; string(got.Message) != "half" || got.Bytes != 4 {
		t.Errorf("the last message: %s, %d bytes", got.Message, got.Bytes)
	}
	stop()
	if len(sink.streams) != 1 {
		t.Errorf("streams %v", sink.streams)
	}
}

// TestTCPFlood: more than one batch, in order, all of it.
func TestTCPFlood(t *testing.T) {
	t.Parallel()
	c := DefaultTCP()
	var addr func() string
	c.Bind, addr = bound()
	sink := newMemory()
	run(t, c, sink)
	const n = 20000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "line %d\n", i)
	}
	send(t, "tcp", addr(), text.String())
	total := int64(0)
	for i, e := range sink.wait(t, n)[:n] {
		if want := fmt.Sprintf("line %d", i); string(e.Message) != want {
			t.Fatalf("event %d is %s", i, e.Message)
		}
		total += e.Bytes
	}
	if total != int64(text.Len()) {
		t.Errorf("%d bytes accounted of %d", total, text.Len())
	}
}

func TestUDP(t *testing.T) {
	t.Parallel()
	c := DefaultUDP()
	var addr func() string
	c.Bind, addr = bound()
	c.MaxMessage = 10
	sink := newMemory()
	run(t, c, sink)
	to := addr()
	for i, text := range []string{"one\n", "0123456789abc"} {
		send(t, "udp", to, text)
		e := sink.wait(t, i+1)[i]
		if string(e.Message) != text[:min(len(text)-1, 10)] && i == 0 || e.Bytes != int64(min(len(text), 11)) || i == 1 && len(e.Flags) != 1 {
			t.Errorf("%q, %d bytes, flags %v", e.Message, e.Bytes, e.Flags)
		}
	}
}

func TestUnix(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"stream", "datagram"} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			c := DefaultUnix()
			c.Path, c.SocketType, c.Mode = filepath.Join(t.TempDir(), "s"), typ, 0o600
			network := map[string]string{"stream": "unix", "datagram": "unixgram"}[typ]
			left, err := net.Listen("unix", c.Path) // as a killed process leaves it
			if err != nil {
				t.Fatal(err)
			}
			left.(*net.UnixListener).SetUnlinkOnClose(false)
			left.Close()
			sink := newMemory()
			stop := run(t, c, sink)
			if fi, err := os.Stat(c.Path); err != nil || fi.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", fi, err)
			}
			send(t, network, c.Path, "hello\n")
			if got := show(sink.wait(t, 1)); got != `{"message":"hello"}`+"\n" {
				t.Errorf("%s", got)
			}
			stop()
			if _, err := os.Stat(c.Path); err == nil {
				t.Error("the socket is left behind")
			}
		})
	}
}

func TestSyslog(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	tests := []struct{ format, in, want string }{
		{"rfc3164", "<13>Dec 31 23:59:59 vm1 app[77]: hello", `{"@timestamp":"2025-12-31T14:59:59.000Z","message":"hello","event":{"severity":5},"hostname":"vm1","log":{"source":{"address":"P"}},"process":{"pid":77,"program":"app"},"syslog":{"facility":1,"facility_label":"user-level","priority":13,"severity_label":"Notice"}}`},
		{"rfc3164", "no syslog", `{"message":"no syslog","log":{"source":{"address":"P"}}}`},
		{"auto", `<165>1 2026-01-05T11:00:00Z h myproc 8710 ID1 [a@1 x="1"] text`, `{"@timestamp":"2026-01-05T11:00:00.000Z","message":"text","event":{"severity":5},"hostname":"h","log":{"source":{"address":"P"}},"process":{"entity_id":"8710","name":"myproc"},"syslog":{"data":{"a@1":{"x":"1"}},"facility":20,"facility_label":"local4","msgid":"ID1","priority":165,"severity_label":"Notice","version":1}}`},
		{"auto", "<13>Jan  5 01:02:03 h p: x", `{"@timestamp":"2026-01-04T16:02:03.000Z","message":"x","event":{"severity":5},"hostname":"h","log":{"source":{"address":"P"}},"process":{"program":"p"},"syslog":{"facility":1,"facility_label":"user-level","priority":13,"severity_label":"Notice"}}`},
	}
	for _, tc := range tests {
		for _, network := range []string{"tcp", "udp"} {
			c := DefaultSyslog()
			c.Format, c.Timezone, c.now = tc.format, "+09:00", func() time.Time { return now }
			var addr func() string
			if network == "tcp" {
				c.TCP = DefaultTCP()
				c.TCP.Framing = "rfc6587"
				c.TCP.Bind, addr = bound()
			} else {
				c.UDP = DefaultUDP()
				c.UDP.Bind, addr = bound()
			}
			sink := newMemory()
			stop := run(t, c, sink)
			text := tc.in
			if network == "tcp" {
				text = fmt.Sprintf("%d %s", len(text), text)
			}
			send(t, network, addr(), text)
			e := sink.wait(t, 1)[0]
			e.Fields = tree.Clone(e.Fields)
			if l, ok := tree.Get(e.Fields, "log.source.address"); ok && strings.HasPrefix(l.(string), "127.0.0.1:") {
				tree.Set(e.Fields, "log.source.address", "P")
			}
			if got := showOne(&e); got != tc.want {
				t.Errorf("%s %s\n got %s\nwant %s", network, tc.format, got, tc.want)
			}
			stop()
		}
	}
}

func TestBeats(t *testing.T) {
	t.Parallel()
	c := DefaultBeats()
	var addr func() string
	c.Bind, addr = bound()
	c.KeepAlive = 5 * time.Millisecond
	sink := newMemory()
	sink.shut = make(chan struct{})
	run(t, c, sink)
	conn, err := net.Dial("tcp", addr())
	if err != nil {
		t.Fatal(err)
	}
	cl, err := lumberjack.NewClient(conn, lumberjack.ClientConfig{Level: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	events := []string{`{"@timestamp":"2026-01-05T11:00:00.000Z","agent":{"id":"a1"},"log":{"file":{"path":"/x"}},"message":"m"}`, `[1]`, `{"broken`}
	if err := cl.Send([][]byte{[]byte(events[0]), []byte(events[1]), []byte(events[2])}); err != nil {
		t.Fatal(err)
	}
	zeros := 0
	n, err := cl.Await(3, func(acked int) {
		if zeros++; zeros == 3 {
			close(sink.shut) // it was not acknowledged before it was durable
		}
	})
	if n != 3 || err != nil {
		t.Fatalf("acked %d: %v", n, err)
	}
	got := sink.wait(t, 3)
	if string(got[0].Raw) != events[0] || got[0].Key != "a1\x00/x" || got[0].At.Hour() != 11 {
		t.Errorf("%+v", got[0])
	}
	for i := 1; i < 3; i++ {
		if string(got[i].Message) != events[i] || got[i].Fields["error"] == nil {
			t.Errorf("%+v", got[i])
		}
	}
}

// TestBeatsStopped: events that did not become durable are not acknowledged.
func TestBeatsStopped(t *testing.T) {
	t.Parallel()
	c := DefaultBeats()
	var addr func() string
	c.Bind, addr = bound()
	sink := newMemory()
	sink.shut = make(chan struct{})
	run(t, c, sink)
	conn, err := net.Dial("tcp", addr())
	if err != nil {
		t.Fatal(err)
	}
	cl, _ := lumberjack.NewClient(conn, lumberjack.ClientConfig{})
	defer cl.Close()
	if err := cl.Send([][]byte{[]byte("{}")}); err != nil {
		t.Fatal(err)
	}
	close(sink.stop)
	if n, err := cl.Await(1, nil); n != 0 || err == nil {
		t.Errorf("acked %d: %v", n, err)
	}
}

func TestBind(t *testing.T) {
	t.Parallel()
	open := DefaultTCP()
	open.Address = "0.0.0.0:1"
	if errs := open.Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "security.plaintext") {
		t.Errorf("beyond loopback: %v", errs)
	}
	open.Permit()
	if errs := open.Validate(); len(errs) != 0 {
		t.Errorf("permitted: %v", errs)
	}
	sys := DefaultSyslog()
	sys.UDP = DefaultUDP()
	sys.UDP.Address = ":514"
	if errs := sys.Validate(); len(errs) != 1 {
		t.Errorf("syslog beyond loopback: %v", errs)
	}
	sys.Permit()
	if errs := sys.Validate(); len(errs) != 0 {
		t.Errorf("permitted: %v", errs)
	}
	b := DefaultBeats()
	b.Address, b.TLS = "10.0.0.1:5044", &listen.TLS{}
	if errs := b.Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "certificate") {
		t.Errorf("TLS without a certificate: %v", errs)
	}
	faulty := DefaultTCP()
	faulty.Framing, faulty.MaxMessage, faulty.Network = "x", 0, "ip"
	if errs := faulty.Validate(); len(errs) != 4 {
		t.Errorf("%v", errs)
	}
}

// FuzzSyslogShape: any text makes an event that renders as JSON.
func FuzzSyslogShape(f *testing.F) {
	f.Add([]byte("<13>Dec 31 23:59:59 vm1 app[77]: hello"))
	f.Add([]byte(`<165>1 2026-01-05T11:00:00Z h myproc 8710 ID1 [a@1 x="1"] text`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := Event{Message: b}
		o := syslog.Options{Zone: time.UTC}
		shapeSyslog(&e, newPriorities(), o, time.Unix(1.8e9, 0))
		if e.Message == nil && b != nil {
			t.Error("no message")
		}
		if !json.Valid(tree.AppendObject(nil, e.Fields)) {
			t.Errorf("%s", tree.AppendObject(nil, e.Fields))
		}
	})
}
