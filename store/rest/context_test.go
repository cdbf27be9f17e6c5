package rest

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
)

// fill writes n documents {"n":i,"g":i%3} into an index.
func fill(t *testing.T, srv *httptest.Server, index string, n int) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":%q,\"_id\":\"%d\"}}\n{\"n\":%d,\"g\":%d}\n", index, i, i, i%3)
	}
	if status, out := do(t, srv, "POST", "/_bulk", b.String()); status != 200 || strings.Contains(out, `"errors":true`) {
		t.Fatalf("bulk: %d %.300s", status, out)
	}
}

// page is what tests read of a search's answer.
type page struct {
	ScrollID string `json:"_scroll_id"`
	PIT      string `json:"pit_id"`
	Hits     struct {
		Total struct{ Value int }
		Hits  []struct {
			ID   string `json:"_id"`
			Sort []any
		}
	}
	Aggregations map[string]any
}

func ask(t *testing.T, srv *httptest.Server, method, path, body string) page {
	t.Helper()
	status, out := do(t, srv, method, path, body)
	var p page
	if err := json.Unmarshal([]byte(out), &p); err != nil || status != 200 {
		t.Fatalf("%s %s: %d %s %v", method, path, status, out, err)
	}
	return p
}

// TestScrollSeesOneMoment: pages hold every document of the first moment once, whatever is written meanwhile, for each kind of order.
func TestScrollSeesOneMoment(t *testing.T) {
	t.Parallel()
	for _, sort := range []string{`[]`, `["_doc"]`, `[{"g":"desc"}]`, `[{"n":"asc"}]`, `["_score"]`} {
		t.Run(sort, func(t *testing.T) {
			t.Parallel()
			srv := newServer(t)
			fill(t, srv, "a", 95)
			p := ask(t, srv, "POST", "/a/_search?scroll=1m", `{"size":20,"sort":`+sort+`,"aggs":{"m":{"max":{"field":"n"}}}}`)
			if p.Aggregations == nil {
				t.Error("no aggregations on the first page")
			}
			seen := map[string]int{}
			for pages := 0; len(p.Hits.Hits) > 0; pages++ {
				if p.Hits.Total.Value != 95 || pages > 5 {
					t.Fatalf("page %d: total %d", pages, p.Hits.Total.Value)
				}
				for _, h := range p.Hits.Hits {
					seen[h.ID]++
				}
				do(t, srv, "DELETE", fmt.Sprintf("/a/_doc/%d", pages), "")
				do(t, srv, "PUT", fmt.Sprintf("/a/_doc/new%d", pages), `{"n":1000}`)
				do(t, srv, "POST", "/a/_flush", "")
				p = ask(t, srv, "POST", "/_search/scroll", `{"scroll":"1m","scroll_id":"`+p.ScrollID+`"}`)
			}
			for i := range 95 {
				if id := fmt.Sprint(i); seen[id] != 1 {
					t.Errorf("document %s seen %d times", id, seen[id])
				}
			}
			talk(t, srv, []turn{
				{"DELETE", "/_search/scroll", `{"scroll_id":["` + p.ScrollID + `"]}`, 200, []string{`{"succeeded":true,"num_freed":1}`}},
				{"DELETE", "/_search/scroll", `{"scroll_id":"` + p.ScrollID + `"}`, 404, []string{`"num_freed":0`}},
				{"POST", "/_search/scroll", `{"scroll_id":"` + p.ScrollID + `"}`, 404, []string{`"type":"search_context_missing_exception","reason":"No search context found for id [`, `"shard":-1`}},
			})
		})
	}
}

func TestScrollRefusals(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 3)
	talk(t, srv, []turn{
		{"POST", "/a/_search?scroll=1m", `{"size":0}`, 400, []string{`Validation Failed: 1: [size] cannot be [0] in a scroll context;`}},
		{"POST", "/a/_search?scroll=1m", `{"from":1}`, 400, []string{`using [from] is not allowed in a scroll context`}},
		{"POST", "/a/_search?scroll=1m", `{"track_total_hits":false}`, 400, []string{`disabling [track_total_hits] is not allowed in a scroll context`}},
		{"POST", "/a/_search?scroll=1m", `{"collapse":{"field":"g"}}`, 400, []string{"cannot use `collapse` in a scroll context"}},
		{"POST", "/a/_search?scroll=2d", ``, 400, []string{`Keep alive for request (2d) is too large. It must be less than (1d).`}},
		{"POST", "/_search/scroll", `{"scroll_id":"no"}`, 400, []string{`Cannot parse scroll id`}},
		{"POST", "/_search/scroll", `{}`, 400, []string{`scrollId is missing`}},
		{"POST", "/a/_pit", ``, 400, []string{`[keep_alive] is required`}},
		{"POST", "/nowhere/_pit?keep_alive=1m", ``, 404, []string{`index_not_found_exception`}},
		{"POST", "/a/_search", `{"pit":{"id":"x"}}`, 400, []string{`[indices] cannot be used with point in time`}},
		{"GET", "/_async_search/none", ``, 404, []string{`"type":"resource_not_found_exception","reason":"none"`}},
	})
}

// TestPIT: search_after over a point in time, in slices, gives every document once.
func TestPIT(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 60)
	var opened struct{ ID string }
	status, out := do(t, srv, "POST", "/a/_pit?keep_alive=1m", "")
	if err := json.Unmarshal([]byte(out), &opened); err != nil || status != 200 || opened.ID == "" {
		t.Fatalf("%d %s", status, out)
	}
	fill(t, srv, "a", 90)
	seen := map[string]int{}
	for slice := range 3 {
		after := ""
		for {
			p := ask(t, srv, "POST", "/_search", fmt.Sprintf(`{"size":7,"pit":{"id":%q,"keep_alive":"1m"},"slice":{"id":%d,"max":3},"sort":[{"g":"asc"}]%s}`, opened.ID, slice, after))
			if p.PIT != opened.ID {
				t.Fatalf("pit_id %q", p.PIT)
			}
			if len(p.Hits.Hits) == 0 {
				break
			}
			for _, h := range p.Hits.Hits {
				seen[h.ID]++
			}
			last := p.Hits.Hits[len(p.Hits.Hits)-1].Sort
			if len(last) != 2 {
				t.Fatalf("sort values %v, want the tie-breaker too", last)
			}
			b, _ := json.Marshal(last)
			after = `,"search_after":` + string(b)
		}
	}
	for i := range 90 {
		want := 1
		if i >= 60 {
			want = 0
		}
		if seen[fmt.Sprint(i)] != want {
			t.Errorf("document %d seen %d times, want %d", i, seen[fmt.Sprint(i)], want)
		}
	}
	talk(t, srv, []turn{
		{"DELETE", "/_pit", `{"id":"` + opened.ID + `"}`, 200, []string{`{"succeeded":true,"num_freed":1}`}},
		{"POST", "/_search", `{"pit":{"id":"` + opened.ID + `"}}`, 404, []string{`search_context_missing_exception`}},
	})
}

// TestSlicesFitAcrossRequests: slices of scrolls opened at different states of the segments are disjoint and complete.
func TestSlicesFitAcrossRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 50)
	seen := map[string]int{}
	for slice := range 4 {
		p := ask(t, srv, "POST", "/a/_search?scroll=1m", fmt.Sprintf(`{"size":100,"slice":{"id":%d,"max":4}}`, slice))
		for _, h := range p.Hits.Hits {
			seen[h.ID]++
		}
		do(t, srv, "POST", "/a/_flush", "")
		do(t, srv, "POST", "/a/_forcemerge?max_num_segments=1", "")
	}
	if len(seen) != 50 {
		t.Errorf("%d documents, want 50", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("document %s in %d slices", id, n)
		}
	}
}

func TestAsyncSearch(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 10)
	status, out := do(t, srv, "POST", "/a/_async_search?keep_on_completion=true&wait_for_completion_timeout=5s", `{"query":{"term":{"g":1}}}`)
	var a struct {
		ID        string
		IsRunning bool `json:"is_running"`
		Response  page
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil || status != 200 || a.ID == "" || a.IsRunning || a.Response.Hits.Total.Value != 3 {
		t.Fatalf("%d %s %v", status, out, err)
	}
	talk(t, srv, []turn{
		{"GET", "/_async_search/" + a.ID, ``, 200, []string{`"is_partial":false,"is_running":false`, `"total":{"value":3,"relation":"eq"}`}},
		{"GET", "/_async_search/status/" + a.ID, ``, 200, []string{`"completion_status":200`, `"_shards":{"total":1`}},
		{"DELETE", "/_async_search/" + a.ID, ``, 200, []string{`{"acknowledged":true}`}},
		{"GET", "/_async_search/" + a.ID, ``, 404, []string{`resource_not_found_exception`}},
		{"POST", "/a/_async_search", `{"query":{"nonsense":{}}}`, 400, []string{`unknown query [nonsense]`}},
		{"POST", "/nowhere/_async_search", `{}`, 404, []string{`"is_running":false`, `"type":"index_not_found_exception"`}},
	})
	if _, out := do(t, srv, "POST", "/a/_async_search?wait_for_completion_timeout=5s", `{}`); strings.Contains(out, `"id":`) {
		t.Errorf("an answer that is not kept has an id: %s", out)
	}
}

func TestTasks(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{
		{"GET", "/_tasks", ``, 200, []string{`{"nodes":{}}`}},
		{"GET", "/_tasks/elsewhere:1", ``, 404, []string{`task [elsewhere:1] belongs to the node [elsewhere] which isn't part of the cluster and there is no record of the task`}},
		{"GET", "/_tasks/nonsense", ``, 400, []string{`malformed task id nonsense`}},
		{"POST", "/_tasks/_cancel?actions=*", ``, 200, []string{`{"nodes":{}}`}},
	})
}
