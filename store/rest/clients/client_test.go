//go:build clients

package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	es8 "github.com/elastic/go-elasticsearch/v8"
	util8 "github.com/elastic/go-elasticsearch/v8/esutil"
	es9 "github.com/elastic/go-elasticsearch/v9"
	util9 "github.com/elastic/go-elasticsearch/v9/esutil"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/rest"
	"github.com/weirlog/weir/vfs"
)

// newServer is the REST API of an empty store in memory.
func newServer(t *testing.T) *httptest.Server {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.FS, cfg.Dir = vfs.NewMem(), "store"
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(rest.New(s, nil))
	t.Cleanup(func() {
		srv.Close()
		s.Close()
	})
	return srv
}

// The official clients, v8 and v9: their product check, their bulk indexer, a search.

func checkTotal(t *testing.T, status int, body io.ReadCloser, want int) {
	t.Helper()
	defer body.Close()
	var answer struct {
		Hits struct{ Total struct{ Value int } }
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil || status != 200 || answer.Hits.Total.Value != want {
		t.Fatalf("%d %+v %v, want %d hits", status, answer, err, want)
	}
}

const clientQuery = `{"query":{"bool":{"filter":[{"term":{"log.level":"ERROR"}},{"range":{"@timestamp":{"gte":"2026-11-22T00:00:00Z"}}}]}},"track_total_hits":true}`

func clientDoc(i int) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-22T14:02:%02d.000Z","log.level":%q,"message":"line %d"}`, i%60, []string{"INFO", "ERROR"}[i%2], i)
}

func TestOfficialClient8(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	c, err := es8.NewClient(es8.Config{Addresses: []string{srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := c.Info(); err != nil || r.IsError() {
		t.Fatalf("%v %v", r, err)
	}
	bi, err := util8.NewBulkIndexer(util8.BulkIndexerConfig{Client: c, Index: "logs-client-default", NumWorkers: 2, FlushBytes: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		err := bi.Add(t.Context(), util8.BulkIndexerItem{Action: "create", Body: strings.NewReader(clientDoc(i)),
			OnFailure: func(_ context.Context, _ util8.BulkIndexerItem, r util8.BulkIndexerResponseItem, err error) {
				t.Errorf("%+v %v", r, err)
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := bi.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := bi.Stats(); s.NumCreated != 500 || s.NumFailed != 0 {
		t.Fatalf("%+v", s)
	}
	r, err := c.Search(c.Search.WithIndex("logs-*"), c.Search.WithBody(strings.NewReader(clientQuery)))
	if err != nil {
		t.Fatal(err)
	}
	checkTotal(t, r.StatusCode, r.Body, 250)
}

func TestOfficialClient9(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	c, err := es9.NewClient(es9.Config{Addresses: []string{srv.URL}})
	if err != nil {
		t.Fatal(err)
	}
	bi, err := util9.NewBulkIndexer(util9.BulkIndexerConfig{Client: c, Index: "logs-client-default"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := bi.Add(t.Context(), util9.BulkIndexerItem{Action: "create", Body: strings.NewReader(clientDoc(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := bi.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := bi.Stats(); s.NumCreated != 100 || s.NumFailed != 0 {
		t.Fatalf("%+v", s)
	}
	r, err := c.Search(c.Search.WithIndex("logs-*"), c.Search.WithBody(strings.NewReader(clientQuery)))
	if err != nil {
		t.Fatal(err)
	}
	checkTotal(t, r.StatusCode, r.Body, 50)
}
