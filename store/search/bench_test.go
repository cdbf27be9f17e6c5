package search_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/query"
)

// benchDocs is the size of the benchmark's index: several zones per segment, seconds to write.
const benchDocs = 200_000

// benchStore is an index of log documents over a day, in segments.
func benchStore(b *testing.B) *store.Store {
	cfg := store.DefaultConfig()
	cfg.Dir, cfg.Log, cfg.HeadDocs = b.TempDir(), slog.New(slog.DiscardHandler), 50_000
	s, err := store.Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	r := rand.New(rand.NewPCG(1, 2))
	paths := []string{"/", "/api/orders", "/api/users", "/api/items", "/login", "/static/app.js"}
	var ops []store.Op
	for i := range benchDocs {
		status := []int{200, 200, 200, 200, 200, 200, 301, 404, 500, 503}[r.IntN(10)]
		level := "INFO"
		if status >= 500 {
			level = "ERROR"
		}
		msg := fmt.Sprintf("GET %s/%d HTTP/1.1 %d took %d ms", paths[r.IntN(len(paths))], r.IntN(1000), status, r.IntN(900))
		if r.IntN(20) == 0 {
			msg = fmt.Sprintf("Received block blk_%d of size %d from 10.251.%d.%d", r.Int64(), r.IntN(1<<26), r.IntN(256), r.IntN(256))
		}
		ops = append(ops, store.NewOp(bulk.Op{Action: bulk.Create, Index: "logs-bench-default", Source: fmt.Appendf(nil,
			`{"@timestamp":%d,"message":%q,"log":{"level":"%s"},"service":{"name":"svc-%d"},"host":{"name":"h%d"},"http":{"response":{"status_code":%d}},"event":{"duration":%d},"trace":{"id":"%016x%016x"}}`,
			1795000000000+int64(i)*432, msg, level, r.IntN(13), r.IntN(40), status, r.IntN(900), r.Uint64(), r.Uint64())}))
		if len(ops) == 2000 || i == benchDocs-1 {
			if _, err := s.Apply(context.Background(), ops); err != nil {
				b.Fatal(err)
			}
			ops = ops[:0]
			if i%50_000 >= 48_000 {
				if err := s.Flush(nil); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	if err := s.Flush(nil); err != nil {
		b.Fatal(err)
	}
	return s
}

func BenchmarkSearch(b *testing.B) {
	s := benchStore(b)
	for _, c := range []struct{ name, body string }{
		{"count all", `{"size":0,"track_total_hits":true}`},
		{"count word", `{"size":0,"track_total_hits":true,"query":{"match":{"message":"GET"}}}`},
		{"count term", `{"size":0,"track_total_hits":true,"query":{"term":{"log.level":"ERROR"}}}`},
		{"count range", `{"size":0,"track_total_hits":true,"query":{"range":{"http.response.status_code":{"gte":400}}}}`},
		{"count phrase", `{"size":0,"track_total_hits":true,"query":{"match_phrase":{"message":"Received block"}}}`},
		{"count prefix", `{"size":0,"track_total_hits":true,"query":{"prefix":{"message":"blk"}}}`},
		{"count regexp", `{"size":0,"track_total_hits":true,"query":{"regexp":{"message":"rec.*ed"}}}`},
		{"count wildcard", `{"size":0,"track_total_hits":true,"query":{"wildcard":{"service.name":"svc-1*"}}}`},
		{"rare word", `{"query":{"match":{"message":"blk_nowhere"}}}`},
		{"newest 50", `{"size":50,"sort":[{"@timestamp":"desc"}]}`},
		{"newest 500 with a word", `{"size":500,"sort":[{"@timestamp":"desc"}],"query":{"match":{"message":"block"}}}`},
		{"newest 50 in 15 m", `{"size":50,"sort":[{"@timestamp":"desc"}],"query":{"range":{"@timestamp":{"gte":1795050000000,"lt":1795050900000}}}}`},
		{"histogram 1 h", `{"size":0,"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"1h"}}}}`},
		{"histogram 5 m of ERROR", `{"size":0,"query":{"term":{"log.level":"ERROR"}},"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"5m"}}}}`},
		{"histogram 30 m by service", `{"size":0,"aggs":{"a":{"date_histogram":{"field":"@timestamp","fixed_interval":"30m"},"aggs":{"s":{"terms":{"field":"service.name"}}}}}}`},
		{"top 10 status", `{"size":0,"aggs":{"a":{"terms":{"field":"http.response.status_code"}}}}`},
		{"top 10 host", `{"size":0,"aggs":{"a":{"terms":{"field":"host.name"}}}}`},
		{"top 10 trace", `{"size":0,"aggs":{"a":{"terms":{"field":"trace.id"}}}}`},
		{"cardinality of trace", `{"size":0,"aggs":{"a":{"cardinality":{"field":"trace.id"}}}}`},
		{"avg and p99 by service", `{"size":0,"aggs":{"a":{"terms":{"field":"service.name"},"aggs":{"v":{"avg":{"field":"event.duration"}},"p":{"percentiles":{"field":"event.duration","percents":[99]}}}}}}`},
		{"free text", `{"size":50,"sort":[{"@timestamp":"desc"}],"query":{"kql":{"query":"block and log.level:INFO"}}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			req, err := query.ParseRequest(c.body)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Search(context.Background(), "logs-bench-default", store.ResolveOptions{}, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPredicate(b *testing.B) {
	doc := []byte(`{"@timestamp":"2026-11-22T14:02:11.318Z","message":"GET /api/orders/8812 HTTP/1.1 500 took 120 ms","log":{"level":"ERROR"},"service":{"name":"svc-1"},"host":{"name":"h1"},"http":{"response":{"status_code":500}},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"}}`)
	for _, text := range []string{"log.level:ERROR", "log.level:ERROR and message:orders and http.response.status_code>=500", `"took 120"`} {
		b.Run(text, func(b *testing.B) {
			q, err := query.KQLQuery(text)
			if err != nil {
				b.Fatal(err)
			}
			p, err := query.NewPredicate(q, nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				if !p.Match(doc) {
					b.Fatal("no match")
				}
			}
		})
	}
}

// BenchmarkFetch reads 500 documents the way log viewers ask for them.
func BenchmarkFetch(b *testing.B) {
	s := benchStore(b)
	for _, c := range []struct{ name, body string }{
		{"source", `{"size":500,"sort":[{"@timestamp":"desc"}]}`},
		{"fields and highlight", `{"size":500,"sort":[{"@timestamp":"desc"}],"_source":false,"fields":[{"field":"*","include_unmapped":true}],"query":{"match":{"message":"GET"}},"highlight":{"fields":{"*":{}},"fragment_size":2147483647}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			req, err := query.ParseRequest(c.body)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Search(context.Background(), "logs-bench-default", store.ResolveOptions{}, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
