package search

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/weirlog/weir/store/query"
)

// TestMemory: a search that would take more than there is ends with an error, and gives back what it took.
func TestMemory(t *testing.T) {
	t.Parallel()
	var docs []string
	for i := range 2000 {
		docs = append(docs, fmt.Sprintf(`{"k":"value %d","n":%d}`, i, i))
	}
	ix := index(t, "many", `{"properties":{"k":{"type":"keyword"},"n":{"type":"long"}}}`, docs, 3)
	for _, body := range []string{
		`{"size":0,"aggs":{"a":{"terms":{"field":"k"}}}}`,
		`{"size":0,"aggs":{"a":{"terms":{"field":"n"},"aggs":{"s":{"sum":{"field":"n"}}}}}}`,
		`{"size":0,"aggs":{"a":{"histogram":{"field":"n","interval":1},"aggs":{"c":{"cardinality":{"field":"k"}}}}}}`,
	} {
		req, err := query.ParseRequest(body)
		if err != nil {
			t.Fatal(err)
		}
		for limit, refused := range map[int64]bool{10_000: true, 100 << 20: false} {
			pool := query.NewPool(limit)
			_, err := Run(context.Background(), []Index{ix}, req, Options{Now: now, Workers: 2, Memory: pool})
			var e *query.Error
			if refused != (errors.As(err, &e) && e.Status == 429 && e.Type == "circuit_breaking_exception") {
				t.Errorf("%s with %d bytes: %v", body, limit, err)
			}
			if pool.Used() != 0 || refused != (pool.Trips() == 1) {
				t.Errorf("%s with %d bytes: %d bytes are still held, %d refusals", body, limit, pool.Used(), pool.Trips())
			}
		}
	}
}
