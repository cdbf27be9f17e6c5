package input

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/lumberjack"
)

// counting is a Sink that counts bytes of payload.
type counting struct{ bytes, events atomic.Int64 }

func (c *counting) Push(_ context.Context, b *Batch, acked func()) error {
	n := int64(0)
	for i := range b.Events {
		n += b.Events[i].Bytes
	}
	c.events.Add(int64(len(b.Events)))
	c.bytes.Add(n)
	if acked != nil {
		acked()
	}
	return nil
}

func (c *counting) Deliver(ctx context.Context, b *Batch) error { return c.Push(ctx, b, nil) }
func (c *counting) Cursor(string) []byte                        { return nil }

// cpuSeconds is user and system time of the process.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}

// measure runs an input and a sender, which is part of what is measured, and reports CPU seconds a GiB of payload.
func measure(b *testing.B, c Config, sender func(n int)) {
	b.Helper()
	in, err := c.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	sink := &counting{}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- in.Run(ctx, sink) }()
	began := cpuSeconds()
	b.ResetTimer()
	sender(b.N)
	for sink.events.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.SetBytes(sink.bytes.Load() / int64(b.N))
	b.ReportMetric((cpuSeconds()-began)/float64(sink.bytes.Load())*(1<<30), "cpu-s/GiB")
	cancel()
	<-ended
}

func benchLine() string {
	return `10.1.2.3 - - [22/Nov/2026:21:34:10 +0000] "GET /shop/cart?id=12345 HTTP/1.1" 200 5316 "https://shop.test/" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0" 0.012`
}

// BenchmarkStreams is lines over TCP, as they are and as syslog.
func BenchmarkStreams(b *testing.B) {
	line := benchLine() + "\n"
	b.Run("tcp", func(b *testing.B) {
		c := DefaultTCP()
		var addr func() string
		c.Bind, addr = bound()
		measure(b, c, func(n int) { flood(b, addr(), line, n) })
	})
	b.Run("syslog", func(b *testing.B) {
		c := DefaultSyslog()
		c.TCP = DefaultTCP()
		var addr func() string
		c.TCP.Bind, addr = bound()
		measure(b, c, func(n int) { flood(b, addr(), "<13>Oct 11 22:14:15 web-01 nginx[77]: "+line, n) })
	})
}

// flood writes a line n times.
func flood(b *testing.B, addr, line string, n int) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	const block = 256
	text := strings.Repeat(line, block)
	for ; n > 0; n -= block {
		if _, err := conn.Write([]byte(text[:len(line)*min(n, block)])); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBeats is events of a Filebeat in windows of 2,048, compressed as Filebeat does.
func BenchmarkBeats(b *testing.B) {
	e := fmt.Appendf(nil, `{"@timestamp":"2026-11-22T21:34:10.888Z","@metadata":{"beat":"filebeat","type":"_doc","version":"9.5.0"},"message":%q,"log":{"offset":123456,"file":{"path":"/var/log/nginx/access.log"}},"input":{"type":"filestream"},"ecs":{"version":"8.0.0"},"host":{"name":"vm"},"agent":{"id":"8d5a","name":"vm","type":"filebeat","version":"9.5.0"}}`, benchLine())
	window := make([][]byte, 2048)
	for i := range window {
		window[i] = e
	}
	for _, level := range []int{0, 3} {
		b.Run(fmt.Sprintf("zlib=%d", level), func(b *testing.B) {
			c := DefaultBeats()
			var addr func() string
			c.Bind, addr = bound()
			measure(b, c, func(n int) {
				conn, err := net.Dial("tcp", addr())
				if err != nil {
					b.Fatal(err)
				}
				cl, _ := lumberjack.NewClient(conn, lumberjack.ClientConfig{Level: level})
				defer cl.Close()
				for ; n > 0; n -= len(window) {
					w := window[:min(n, len(window))]
					if err := cl.Send(w); err != nil {
						b.Fatal(err)
					}
					if _, err := cl.Await(len(w), nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
