//go:build unix

package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

const chainConf = `
	input { kafka { topics => ["logs"] codec => json } }
	filter {
		grok { match => { "message" => "%{COMBINEDAPACHELOG}" } ecs_compatibility => disabled }
		date { match => ["timestamp", "dd/MMM/yyyy:HH:mm:ss Z"] }
		mutate { convert => { "bytes" => "integer" "response" => "integer" } }
	}
	output { elasticsearch { index => "access-%{+yyyy.MM.dd}" } }`

// filebeatLine is an access line as Filebeat ships it: 760 bytes.
func filebeatLine(i int) []byte {
	return fmt.Appendf(nil, `{"@timestamp":"2026-11-22T10:00:00.123Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.9.0"},"log":{"offset":%d,"file":{"path":"/var/log/apache2/access.log"}},"message":"83.149.9.%d - - [17/May/2015:10:%02d:%02d +0000] \"GET /presentations/images/kibana-search.png HTTP/1.1\" 200 %d \"http://semicomplete.com/presentations/logstash-monitorama-2013/\" \"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36\"","input":{"type":"filestream"},"ecs":{"version":"8.0.0"},"host":{"name":"server-a"},"agent":{"type":"filebeat","version":"8.9.0","ephemeral_id":"8a1b9c3e-1f3a-4a40-9d5f-3d4d1c1f7a55","id":"c2f4a5b6-7d8e-4f90-a1b2-c3d4e5f60718","name":"server-a"}}`,
		i*237, i%250, i/60%60, i%60, 1000+i)
}

// BenchmarkChain is what a core does for an event, from the record's bytes to the documents of a Write: JSON, grok, date, convert,
// index name, JSON, origin.
func BenchmarkChain(b *testing.B) {
	benchmarkChain(b, chainConf, false)
}

// BenchmarkChainProvenance adds the fields of weir's own queue.
func BenchmarkChainProvenance(b *testing.B) {
	benchmarkChain(b, chainConf, true)
}

// BenchmarkPassThrough has no filters.
func BenchmarkPassThrough(b *testing.B) {
	benchmarkChain(b, `input { kafka { topics => ["logs"] codec => json } } output { elasticsearch { } }`, false)
}

func benchmarkChain(b *testing.B, text string, provenance bool) {
	cfg := testConfig(text, "", &bytes.Buffer{})
	cfg.Workers = 1
	cfg.Provenance = provenance
	cfg.Queue = func(string) (queue.Queue, error) { return newMemQueue(), nil }
	cfg.Writer = func(ESOptions) (bulk.Writer, error) { return nullWriter{}, nil }
	p, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	w := &worker{p: p, prog: p.current().programs[0]}
	g := &gatherer{p: p}
	src := ledger.NewSource(testNow)
	var recs []queue.Record
	size := 0
	for i := range cfg.BatchSize {
		v := filebeatLine(i)
		size += len(v)
		recs = append(recs, queue.Record{Topic: "logs", Offset: int64(i), Time: testNow, Value: v, Origin: ledger.Range{Source: src, From: int64(i), To: int64(i) + 1}})
	}
	bt := newBatch(len(p.outs), false)
	bt.gen = p.current()
	b.SetBytes(int64(size / len(recs)))
	b.ReportAllocs()
	b.ResetTimer()
	started := cpuTime()
	n := 0
	for ; n < b.N; n += len(recs) {
		bt.load(p.sources[0], recs, nil)
		w.b = bt
		w.process()
		g.pend = append(g.pend[:0], bt)
		if err := g.write(context.Background(), p.writers[0], g.ends()); err != nil {
			b.Fatal(err)
		}
		bt.reset()
	}
	b.ReportMetric(float64(n)/(cpuTime()-started).Seconds(), "events/cpu-s")
}

// nullWriter takes documents and forgets them.
type nullWriter struct{}

func (nullWriter) Write(context.Context, bulk.Batch) ([]bulk.Rejected, error) { return nil, nil }

func (nullWriter) Positions(context.Context) ([]queue.Position, error) { return nil, nil }

// cpuTime is what the process has used, which other processes of the machine do not change.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
