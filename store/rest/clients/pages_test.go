//go:build clients

package clients

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	es9 "github.com/elastic/go-elasticsearch/v9"
	"github.com/opensearch-project/opensearch-go/v4"
	"github.com/opensearch-project/opensearch-go/v4/opensearchapi"
)

// fill writes n documents over the official client.
func fill(t *testing.T, c *es9.Client, n int) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"a\",\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i)
	}
	r, err := c.Bulk(strings.NewReader(b.String()))
	if err != nil || r.IsError() {
		t.Fatalf("%v %v", r, err)
	}
	r.Body.Close()
}

// answer is what pages are read from.
type answer struct {
	ID       string
	ScrollID string `json:"_scroll_id"`
	Hits     struct {
		Hits []struct{ Sort []any }
	}
}

func read(t *testing.T, body io.ReadCloser, status int) (a answer) {
	t.Helper()
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&a); err != nil || status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	return a
}

// TestPages: scroll, clear scroll, and a point in time with search_after, by the official client.
func TestPages(t *testing.T) {
	t.Parallel()
	c, err := es9.NewClient(es9.Config{Addresses: []string{newServer(t).URL}})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, c, 250)
	r, err := c.Search(c.Search.WithIndex("a"), c.Search.WithSize(100), c.Search.WithScroll(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	page, n := read(t, r.Body, r.StatusCode), 0
	for len(page.Hits.Hits) > 0 {
		n += len(page.Hits.Hits)
		if r, err = c.Scroll(c.Scroll.WithScrollID(page.ScrollID), c.Scroll.WithScroll(time.Minute)); err != nil {
			t.Fatal(err)
		}
		page = read(t, r.Body, r.StatusCode)
	}
	if r, err = c.ClearScroll(c.ClearScroll.WithScrollID(page.ScrollID)); err != nil || r.IsError() || n != 250 {
		t.Errorf("%d documents scrolled, %v %v", n, r, err)
	}
	if r, err = c.OpenPointInTime([]string{"a"}, time.Minute); err != nil {
		t.Fatal(err)
	}
	pit := read(t, r.Body, r.StatusCode).ID
	n = 0
	for after := ""; ; {
		body := fmt.Sprintf(`{"size":90,"pit":{"id":%q,"keep_alive":"1m"},"sort":[{"n":"desc"}]%s}`, pit, after)
		if r, err = c.Search(c.Search.WithBody(strings.NewReader(body))); err != nil {
			t.Fatal(err)
		}
		page := read(t, r.Body, r.StatusCode)
		if len(page.Hits.Hits) == 0 {
			break
		}
		n += len(page.Hits.Hits)
		last, err := json.Marshal(page.Hits.Hits[len(page.Hits.Hits)-1].Sort)
		if err != nil {
			t.Fatal(err)
		}
		after = `,"search_after":` + string(last)
	}
	if r, err = c.ClosePointInTime(strings.NewReader(fmt.Sprintf(`{"id":%q}`, pit))); err != nil || r.IsError() || n != 250 {
		t.Errorf("%d documents of the point in time, %v %v", n, r, err)
	}
}

// TestOpenSearchClient: OpenSearch's own Go client.
func TestOpenSearchClient(t *testing.T) {
	t.Parallel()
	c, err := opensearchapi.NewClient(opensearchapi.Config{Client: opensearch.Config{Addresses: []string{newServer(t).URL}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if info, err := c.Info(ctx, nil); err != nil || info.Version.Number == "" {
		t.Fatalf("%+v %v", info, err)
	}
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"a\",\"_id\":\"%d\"}}\n{\"n\":%d}\n", i, i)
	}
	bulk, err := c.Bulk(ctx, opensearchapi.BulkReq{Body: strings.NewReader(b.String())})
	if err != nil || bulk.Errors || len(bulk.Items) != 60 {
		t.Fatalf("%+v %v", bulk, err)
	}
	s, err := c.Search(ctx, &opensearchapi.SearchReq{Indices: []string{"a"}, Body: strings.NewReader(`{"query":{"range":{"n":{"gte":50}}}}`)})
	if err != nil || s.Hits.Total.Value != 10 {
		t.Errorf("%+v %v", s, err)
	}
	pit, err := c.PointInTime.Create(ctx, opensearchapi.PointInTimeCreateReq{Indices: []string{"a"}, Params: opensearchapi.PointInTimeCreateParams{KeepAlive: time.Minute}})
	if err != nil || pit.PitID == "" {
		t.Fatalf("%+v %v", pit, err)
	}
	if _, err := c.PointInTime.Delete(ctx, opensearchapi.PointInTimeDeleteReq{PitID: []string{pit.PitID}}); err != nil {
		t.Error(err)
	}
	if _, err := c.Document.Get(ctx, opensearchapi.DocumentGetReq{Index: "a", DocumentID: "7"}); err != nil {
		t.Error(err)
	}
}
