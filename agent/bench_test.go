package agent

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
)

// discard takes everything and keeps nothing.
type discard struct{ records, bytes atomic.Int64 }

func (d *discard) Produce(_ context.Context, recs []queue.Record) error {
	n := 0
	for i := range recs {
		n += len(recs[i].Value)
	}
	d.bytes.Add(int64(n))
	d.records.Add(int64(len(recs)))
	return nil
}

func (d *discard) Join(context.Context, string, ...string) (queue.Member, error) {
	return nil, queue.ErrClosed
}

// accessLog writes a file of at least size bytes of access-log lines of about 200 bytes and returns its size and lines.
func accessLog(tb testing.TB, path string, size int) (bytes int64, lines int64) {
	tb.Helper()
	var b strings.Builder
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "10.0.%d.%d - - [22/Nov/2026:21:34:%02d +0000] \"GET /api/v1/stories/%d?page=%d&sort=newest HTTP/1.1\" 200 %d "+
			"\"https://example.com/stories\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36\"\n",
			i%256, i*7%256, i%60, i*31, i%9, 1000+i%5000)
	}
	block := []byte(b.String())
	per := int64(strings.Count(b.String(), "\n"))
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	for bytes < int64(size) {
		n, err := f.Write(block)
		if err != nil {
			tb.Fatal(err)
		}
		bytes, lines = bytes+int64(n), lines+per
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return bytes, lines
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkShip reads a file to a queue that discards: CPU seconds per GiB of log, lines per second, allocations per line.
func BenchmarkShip(b *testing.B) {
	h := newHarness(b)
	d := &discard{}
	h.cfg.Queue = d
	size, lines := accessLog(b, h.path("access.log"), 256<<20)
	b.SetBytes(size)
	var cpu time.Duration
	var allocs uint64
	for b.Loop() {
		h.cfg.Dir = b.TempDir()
		d.records.Store(0)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := cpuTime()
		h.start()
		for d.records.Load() < lines {
			time.Sleep(time.Millisecond)
		}
		h.stop()
		cpu += cpuTime() - start
		runtime.ReadMemStats(&after)
		allocs += after.Mallocs - before.Mallocs
	}
	total := float64(b.N)
	b.ReportMetric(cpu.Seconds()/total/float64(size)*(1<<30), "cpu-s/GiB")
	b.ReportMetric(float64(lines)*total/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(float64(allocs)/total/float64(lines), "allocs/line")
	b.ReportMetric(float64(d.bytes.Load())/total/float64(lines), "value-B/line")
}

// BenchmarkLatency is the time from a write to a quiet file to its record in the queue.
func BenchmarkLatency(b *testing.B) {
	h := newHarness(b)
	h.cfg.timing = defaultTiming()
	got := make(chan struct{}, 1)
	h.q.fail = func(int, []queue.Record) error { got <- struct{}{}; return nil }
	h.write("app.log", "first\n")
	h.start()
	<-got
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		h.write("app.log", "one more line in a quiet file\n")
		<-got
		all = append(all, time.Since(start))
		time.Sleep(6 * time.Millisecond) // quiet again
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-us")
}
