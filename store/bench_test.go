package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/vfs"
)

// corpus makes n documents of about 890 bytes in the shape Filebeat gives them: half access lines with parsed fields, half application
// lines; a random trace id on a quarter.
func corpus(n int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 1))
	docs := make([][]byte, n)
	levels := []string{"INFO", "INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"}
	for i := range docs {
		ts := time.UnixMilli(1_751_328_000_000 + int64(i)*17).UTC().Format("2006-01-02T15:04:05.000Z")
		host := rng.IntN(40)
		svc := rng.IntN(13)
		head := fmt.Sprintf(`{"@timestamp":"%s","@metadata":{"beat":"filebeat","type":"_doc","version":"8.19.0"},"agent":{"ephemeral_id":"5c1f3b1e-8d1c-4a7e-9f%02d-0e1f2a3b4c5d","id":"9b0a7e7a-3f0c-4a5d-8e%02d-1a2b3c4d5e6f","name":"host-%02d","type":"filebeat","version":"8.19.0"},"ecs":{"version":"8.0.0"},"host":{"name":"host-%02d","os":{"family":"debian","kernel":"6.1.0-18-amd64"}},"input":{"type":"filestream"},"log":{"file":{"path":"/var/log/svc-%d/app.log"},"offset":%d},"service":{"name":"svc-%d"}`,
			ts, host, host, host, host, svc, i*211, svc)
		if i%2 == 0 {
			ip := fmt.Sprintf("10.%d.%d.%d", rng.IntN(4), rng.IntN(120), rng.IntN(100))
			path := fmt.Sprintf("/api/v1/%s/%d", []string{"orders", "users", "stories", "items"}[rng.IntN(4)], rng.IntN(2000))
			status := []int{200, 200, 200, 200, 301, 404, 500}[rng.IntN(7)]
			size := rng.IntN(60000)
			docs[i] = fmt.Appendf(nil, `%s,"message":"%s - - [%s] \"GET %s HTTP/1.1\" %d %d","http":{"request":{"method":"GET"},"response":{"status_code":%d,"body":{"bytes":%d}},"version":"1.1"},"source":{"ip":"%s"},"url":{"path":"%s"},"event":{"dataset":"access","duration":%d}`,
				head, ip, ts, path, status, size, status, size, ip, path, rng.IntN(2_000_000))
		} else {
			docs[i] = fmt.Appendf(nil, `%s,"message":"Received block blk_%d of size %d from /10.251.%d.%d in %d ms, handler worker-%d finished request for tenant t%d without retries","log.level":"%s","process":{"pid":%d,"thread":{"name":"exec-%d"}},"event":{"dataset":"app"}`,
				head, rng.Int64N(1<<50), rng.IntN(67108864), rng.IntN(50), rng.IntN(200), rng.IntN(900), rng.IntN(32), rng.IntN(60), levels[rng.IntN(7)], 1000+rng.IntN(50), rng.IntN(20))
		}
		if i%4 == 1 {
			docs[i] = fmt.Appendf(docs[i], `,"trace":{"id":"%016x%016x"}`, rng.Uint64(), rng.Uint64())
		}
		docs[i] = append(docs[i], '}')
	}
	return docs
}

func cpuNow() time.Duration {
	var ru syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &ru)
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// BenchmarkIngest writes documents in batches of 2,000 to real files and reports documents per CPU second, seals and merges included.
func BenchmarkIngest(b *testing.B) {
	docs := corpus(100_000)
	bytes := 0
	for _, d := range docs {
		bytes += len(d)
	}
	for b.Loop() {
		dir := b.TempDir()
		s, err := Open(Config{Dir: dir, FS: vfs.OS()})
		if err != nil {
			b.Fatal(err)
		}
		w := s.For("bench")
		began, cpu := time.Now(), cpuNow()
		var seal time.Duration
		for from := 0; from < len(docs); from += 2000 {
			batch := bulk.Batch{}
			for _, d := range docs[from : from+2000] {
				batch.Ops = append(batch.Ops, bulk.Op{Action: bulk.Create, Index: "logs-app-default", Source: d})
			}
			if rej, err := w.Write(context.Background(), batch); err != nil || len(rej) > 0 {
				b.Fatal(err, rej)
			}
		}
		used, wall := cpuNow()-cpu, time.Since(began)
		head := s.Stats()
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms)
		sealCPU := cpuNow()
		if err := s.Flush(nil); err != nil {
			b.Fatal(err)
		}
		seal = cpuNow() - sealCPU
		if _, err := w.Write(context.Background(), bulk.Batch{Ops: []bulk.Op{{Action: bulk.Create, Index: "logs-app-default", Source: docs[0]}}}); err != nil {
			b.Fatal(err)
		}
		n := float64(len(docs))
		b.ReportMetric(n/used.Seconds(), "docs/cpu-s(write)")
		b.ReportMetric(n/(used+seal).Seconds(), "docs/cpu-s")
		b.ReportMetric(n/wall.Seconds(), "docs/s(write)")
		b.ReportMetric(float64(bytes)/n, "B/doc(raw)")
		b.ReportMetric(float64(head.JournalBytes)/n, "B/doc(journal)")
		b.ReportMetric(float64(s.Stats().SegmentBytes)/n, "B/doc(sealed)")
		if err := s.ForceMerge(context.Background(), nil, 1); err != nil {
			b.Fatal(err)
		}
		for _, h := range s.sorted() {
			for _, f := range h.parts.Load().segs {
				if os.Getenv("WEIR_SECTIONS") != "" {
					for k, v := range f.reader.Meta.Sections {
						b.Logf("%s %.2f B/doc", k, float64(v)/n)
					}
				}
			}
		}
		b.ReportMetric(float64(s.Stats().SegmentBytes)/n, "B/doc(merged)")
		b.ReportMetric(float64(head.HeadBytes)/n, "B/doc(head)")
		s.Close()
	}
}
