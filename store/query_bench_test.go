package store

import (
	"context"
	"testing"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store/query"
)

// BenchmarkSearch runs queries over 200,000 documents in one segment.
func BenchmarkSearch(b *testing.B) {
	docs := corpus(200_000)
	s, err := Open(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	w := s.For("bench")
	for from := 0; from < len(docs); from += 2000 {
		batch := bulk.Batch{}
		for _, d := range docs[from : from+2000] {
			batch.Ops = append(batch.Ops, bulk.Op{Action: bulk.Create, Index: "logs-app-default", Source: d})
		}
		if _, err := w.Write(context.Background(), batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(nil); err != nil {
		b.Fatal(err)
	}
	for _, q := range []struct{ name, body string }{
		{"newest50", `{"size":50,"sort":[{"@timestamp":"desc"}]}`},
		{"count-word", `{"size":0,"track_total_hits":true,"query":{"match":{"message":"get"}}}`},
		{"no-such-word", `{"size":0,"query":{"match":{"message":"nosuchword"}}}`},
		{"phrase", `{"size":0,"track_total_hits":true,"query":{"match_phrase":{"message":"Received block"}}}`},
		{"level-error", `{"size":0,"track_total_hits":true,"query":{"term":{"log.level":"ERROR"}}}`},
		{"status>=400", `{"size":0,"track_total_hits":true,"query":{"range":{"http.response.status_code":{"gte":400}}}}`},
		{"histogram", `{"size":0,"aggs":{"h":{"date_histogram":{"field":"@timestamp","fixed_interval":"1m"}}}}`},
		{"terms-path", `{"size":0,"aggs":{"t":{"terms":{"field":"url.path"}}}}`},
		{"terms-service-avg", `{"size":0,"aggs":{"t":{"terms":{"field":"service.name"},"aggs":{"a":{"avg":{"field":"event.duration"}}}}}}`},
		{"newest500-word", `{"size":500,"sort":[{"@timestamp":"desc"}],"query":{"match":{"message":"block"}}}`},
		{"trace", `{"size":10,"query":{"term":{"trace.id":"00000000000000000000000000000000"}}}`},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				req, err := query.ParseRequest(q.body)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Search(context.Background(), "logs-*", ResolveOptions{}, req); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
