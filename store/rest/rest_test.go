package rest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirlog/weir/store"
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
	h := New(s, nil)
	srv := httptest.NewServer(h)
	t.Cleanup(func() {
		srv.Close()
		h.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// do sends a request and gives status and body.
func do(t *testing.T, srv *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Header.Get("X-Elastic-Product") != "Elasticsearch" {
		t.Errorf("%s %s: no product header", method, path)
	}
	return resp.StatusCode, string(b)
}

// turn is one request of a conversation and what its answer must hold.
type turn struct {
	method, path, body string
	status             int
	want               []string
}

func talk(t *testing.T, srv *httptest.Server, steps []turn) {
	t.Helper()
	for _, s := range steps {
		status, body := do(t, srv, s.method, s.path, s.body)
		if status != s.status {
			t.Errorf("%s %s: %d, want %d: %s", s.method, s.path, status, s.status, body)
		}
		for _, w := range s.want {
			if !strings.Contains(body, w) {
				t.Errorf("%s %s: no %s in %s", s.method, s.path, w, body)
			}
		}
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"PUT", "/a/_doc/1", `{"x":1,"s":"two words"}`, 201, []string{`"_index":"a","_id":"1","_version":1,"result":"created"`, `"_seq_no":0,"_primary_term":1`}},
		{"PUT", "/a/_doc/1", `{"x":2,"s":"two words"}`, 200, []string{`"_version":2,"result":"updated"`}},
		{"PUT", "/a/_create/1", `{"x":3}`, 409, []string{`version_conflict_engine_exception`, `[1]: version conflict, document already exists (current version [2])`}},
		{"GET", "/a/_doc/1", "", 200, []string{`"found":true,"_source":{"x":2,"s":"two words"}`}},
		{"GET", "/a/_doc/1?_source_includes=s", "", 200, []string{`"_source":{"s":"two words"}}`}},
		{"GET", "/a/_source/1", "", 200, []string{`{"x":2,"s":"two words"}`}},
		{"HEAD", "/a/_doc/1", "", 200, nil},
		{"GET", "/a/_doc/none", "", 404, []string{`"_id":"none","found":false`}},
		{"POST", "/a/_update/1", `{"doc":{"x":5}}`, 200, []string{`"result":"updated"`}},
		{"POST", "/a/_update/1", `{"doc":{"x":5}}`, 200, []string{`"result":"noop"`}},
		{"POST", "/a/_doc?refresh=true", `{"x":9}`, 201, []string{`"forced_refresh":true`}},
		{"GET", "/a/_mget", `{"ids":["1","none"]}`, 200, []string{`"x":5`, `"found":false`}},
		{"DELETE", "/a/_doc/1", "", 200, []string{`"result":"deleted"`}},
		{"DELETE", "/a/_doc/1", "", 404, []string{`"result":"not_found"`}},
		{"PUT", "/a/_doc/2", `{"x":"not a number"}`, 400, []string{`document_parsing_exception`, `failed to parse field [x] of type [long]`}},
		{"PUT", "/a/_doc/2", ``, 400, []string{`request body is required`}},
		{"GET", "/nowhere/_doc/1", "", 404, []string{`index_not_found_exception`, `no such index [nowhere]`}},
	})
}

func TestBulk(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	body := `{"index":{"_index":"a","_id":"1"}}
{"x":1}
{"create":{"_index":"a","_id":"1"}}
{"x":2}
{"create":{}}
{"x":"bad"}
{"update":{"_id":"1"}}
{"doc":{"y":1}}
{"delete":{"_id":"none"}}
`
	status, out := do(t, srv, "POST", "/a/_bulk", body)
	var answer struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Result string
			Error  *struct{ Type, Reason string }
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || status != 200 || !answer.Errors || len(answer.Items) != 5 {
		t.Fatalf("%d %s %v", status, out, err)
	}
	for i, want := range []struct {
		action string
		status int
	}{{"index", 201}, {"create", 409}, {"create", 400}, {"update", 200}, {"delete", 404}} {
		if it, ok := answer.Items[i][want.action]; !ok || it.Status != want.status {
			t.Errorf("item %d: %+v, want %s %d", i, answer.Items[i], want.action, want.status)
		}
	}
	talk(t, srv, []turn{
		{"POST", "/_bulk", "{\"create\":{\"_id\":\"1\"}}\n{}\n", 400, []string{"index is missing"}},
		{"POST", "/_bulk", "{\"create\"\n{}\n", 400, []string{"Malformed action/metadata line [1]"}},
		{"POST", "/_bulk", "{\"destroy\":{\"_index\":\"a\"}}\n", 400, []string{"expected field [create], [delete], [index] or [update] but found [destroy]"}},
		{"POST", "/_bulk", "{}\n", 400, []string{"Malformed action/metadata line [1], expected FIELD_NAME but found [END_OBJECT]"}},
		{"POST", "/_bulk", "", 400, []string{"request body is required"}},
		{"POST", "/a/_bulk?pipelin=x", "{}\n", 400, []string{"unrecognized parameter: [pipelin] -> did you mean [pipeline]?"}},
		{"POST", "/a/_bulk?filter_path=errors,items.*.status", "{\"index\":{\"_id\":\"7\"}}\n{\"x\":1}\n", 200, []string{`{"errors":false,"items":[{"index":{"status":201}}]}`}},
	})
}

func TestGzip(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf)
	fmt.Fprint(zw, "{\"create\":{\"_index\":\"z\"}}\n{\"x\":1}\n")
	zw.Close()
	req, _ := http.NewRequest("POST", srv.URL+"/_bulk", &buf)
	req.Header.Set("Content-Type", "application/x-ndjson")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
}

func TestSearchAndCount(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var b strings.Builder
	for i := range 30 {
		fmt.Fprintf(&b, "{\"create\":{\"_index\":\"logs-app-default\"}}\n{\"@timestamp\":\"2026-11-22T14:02:%02d.000Z\",\"message\":\"line %d failed\",\"log\":{\"level\":%q},\"n\":%d}\n", i, i, []string{"INFO", "ERROR"}[i%2], i)
	}
	talk(t, srv, []turn{
		{"POST", "/_bulk", b.String(), 200, []string{`"errors":false`}},
		{"GET", "/logs-*/_count", "", 200, []string{`"count":30`}},
		{"POST", "/logs-*/_count", `{"query":{"term":{"log.level":"ERROR"}}}`, 200, []string{`"count":15`}},
		{"POST", "/logs-*/_search?size=1&sort=@timestamp:desc", `{"query":{"match":{"message":"failed"}}}`, 200, []string{`"total":{"value":30,"relation":"eq"}`, `"n":29`}},
		{"GET", "/logs-*/_search?q=log.level:ERROR&size=0&rest_total_hits_as_int=true", "", 200, []string{`"total":15`}},
		{"POST", "/logs-*/_search", `{"size":0,"aggs":{"l":{"terms":{"field":"log.level"}},"t":{"date_histogram":{"field":"@timestamp","fixed_interval":"10s"}},"a":{"avg":{"field":"n"}}}}`, 200,
			[]string{`"key":"ERROR","doc_count":15`, `"doc_count":10`, `"a":{"value":14.5}`}},
		{"POST", "/_msearch", "{\"index\":\"logs-*\"}\n{\"size\":0}\n{\"index\":\"nowhere\"}\n{}\n", 200, []string{`"status":200`, `"status":404`, `index_not_found_exception`}},
		{"GET", "/logs-*/_field_caps?fields=log.*,n", "", 200, []string{`"log.level":{"keyword":{"type":"keyword"`}},
		{"POST", "/logs-*/_search", `{"query":{"matsch":{}}}`, 400, []string{`unknown query [matsch] did you mean [match]?`}},
		{"POST", "/logs-*/_search", `{"from":9999,"size":10}`, 400, []string{`Result window is too large`}},
		{"POST", "/nowhere/_search", `{}`, 404, []string{`no such index [nowhere]`}},
		{"POST", "/nowhere/_search?ignore_unavailable=true", `{}`, 200, []string{`"hits":[]`}},
		{"POST", "/_kql/parse", `{"text":"log.level: ERROR and n >= 3","cursor":0,"index":"logs-*"}`, 200, []string{`"kind":"field"`, `"dsl":{`, `"error":null`}},
		{"POST", "/_kql/parse", `{"text":"log.level:","cursor":10}`, 200, []string{`"message":`}},
	})
}

func TestAdministration(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"GET", "/", "", 200, []string{`"number":"8.19.0"`, `"tagline":"You Know, for Search"`, `"cluster_uuid":"`}},
		{"GET", "/_license", "", 200, []string{`"status":"active"`}},
		{"PUT", "/idx", `{"settings":{"number_of_replicas":1},"mappings":{"properties":{"k":{"type":"keyword"},"d":{"type":"date"}}},"aliases":{"al":{}}}`, 200, []string{`"acknowledged":true,"shards_acknowledged":true,"index":"idx"`}},
		{"PUT", "/idx", `{}`, 400, []string{`resource_already_exists_exception`}},
		{"PUT", "/Upper", `{}`, 400, []string{`invalid_index_name_exception`}},
		{"GET", "/idx", "", 200, []string{`"aliases":{"al":{}}`, `"k":{"type":"keyword"}`, `"number_of_replicas":"1"`}},
		{"HEAD", "/idx", "", 200, nil},
		{"HEAD", "/none", "", 404, nil},
		{"PUT", "/idx/_mapping", `{"properties":{"n":{"type":"long"}}}`, 200, []string{`"acknowledged":true`}},
		{"PUT", "/idx/_mapping", `{"properties":{"k":{"type":"long"}}}`, 400, []string{`mapper [k] cannot be changed from type [keyword] to [long]`}},
		{"GET", "/idx/_mapping", "", 200, []string{`"n":{"type":"long"}`}},
		{"GET", "/idx/_mapping/field/k", "", 200, []string{`"full_name":"k"`}},
		{"GET", "/idx/_settings?flat_settings=true", "", 200, []string{`"index.number_of_replicas":"1"`}},
		{"GET", "/_cat/indices?v&h=health,index,docs.count", "", 200, []string{"health index docs.count\n", "yellow idx"}},
		{"GET", "/_cat/indices?format=json", "", 200, []string{`"index":"idx"`}},
		{"GET", "/_cat/health", "", 200, []string{"weir yellow 1 1"}},
		{"GET", "/_cluster/health", "", 200, []string{`"status":"yellow"`, `"number_of_nodes":1`}},
		{"GET", "/al/_alias", "", 200, []string{`"idx":{"aliases":{"al":{}}}`}},
		{"GET", "/_alias/none", "", 404, []string{`alias [none] missing`}},
		{"POST", "/_aliases", `{"actions":[{"add":{"index":"idx","alias":"b"}},{"remove":{"index":"idx","alias":"al"}}]}`, 200, []string{`"acknowledged":true`}},
		{"GET", "/_alias", "", 200, []string{`{"idx":{"aliases":{"b":{}}}}`}},
		{"PUT", "/_index_template/t", `{"index_patterns":["tt-*"],"data_stream":{},"template":{"mappings":{"properties":{"host":{"type":"ip"}}}}}`, 200, []string{`true`}},
		{"GET", "/_index_template/t", "", 200, []string{`"index_templates":[{"name":"t","index_template":{`}},
		{"HEAD", "/_index_template/none", "", 404, nil},
		{"PUT", "/_data_stream/tt-a", "", 200, []string{`true`}},
		{"GET", "/_data_stream/tt-a", "", 200, []string{`"generation":1`, `"index_name":".ds-tt-a-`}},
		{"POST", "/tt-a/_rollover", `{"conditions":{"max_docs":5}}`, 200, []string{`"rolled_over":false`, `"[max_docs: 5]":false`}},
		{"POST", "/tt-a/_rollover", "", 200, []string{`"rolled_over":true`, `-000002"`}},
		{"POST", "/tt-a/_rollover", `{"conditions":{"max_moons":5}}`, 400, []string{`unknown rollover condition [max_moons]`}},
		{"DELETE", "/_data_stream/tt-a", "", 200, []string{`true`}},
		{"DELETE", "/_index_template/t", "", 200, []string{`true`}},
		{"GET", "/_resolve/index/*", "", 200, []string{`"name":"idx"`, `"aliases":[{`}},
		{"POST", "/idx/_refresh", "", 200, []string{`"_shards"`}},
		{"POST", "/idx/_flush", "", 200, []string{`"_shards"`}},
		{"GET", "/idx/_stats", "", 200, []string{`"_all":{"primaries":{"docs":{"count":0,"deleted":0`}},
		{"DELETE", "/idx", "", 200, []string{`"acknowledged":true`}},
		{"DELETE", "/idx", "", 404, []string{`index_not_found_exception`}},
		{"GET", "/_nothing", "", 400, []string{`no handler found for uri [/_nothing] and method [GET]`}},
		{"DELETE", "/_license", "", 405, []string{`Incorrect HTTP method`}},
		{"GET", "/_cluster/health?levle=x", "", 400, []string{`did you mean [level]?`}},
		{"GET", "/?pretty", "", 200, []string{"{\n  \"name\""}},
	})
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{"": apiVersion, "Elastic-filebeat/9.5.0 (linux)": "9.5.0", "Elastic-filebeat/7.17.28": apiVersion, "Elastic-filebeat/x": apiVersion} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := versionFor(r); got != want {
			t.Errorf("%q: %s, want %s", agent, got, want)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	req, _ := http.NewRequest("POST", srv.URL+"/_search", strings.NewReader("<x/>"))
	req.Header.Set("Content-Type", "text/xml")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusNotAcceptable {
		t.Errorf("text/xml: %v %v", resp, err)
	}
	req, _ = http.NewRequest("GET", srv.URL+"/", nil)
	req.Header.Set("Accept", "application/vnd.elasticsearch+json;compatible-with=9")
	resp, err = http.DefaultClient.Do(req)
	if err != nil || resp.Header.Get("Content-Type") != "application/vnd.elasticsearch+json;compatible-with=9" {
		t.Errorf("compatible-with: %v %v", resp, err)
	}
}

func TestFilterPath(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	do(t, srv, "PUT", "/a/_doc/1", `{"x":{"y":1,"z":2}}`)
	for path, want := range map[string]string{
		"/a/_search?filter_path=hits.total.value":        `{"hits":{"total":{"value":1}}}`,
		"/a/_search?filter_path=hits.hits._source.x.y":   `{"hits":{"hits":[{"_source":{"x":{"y":1}}}]}}`,
		"/a/_search?filter_path=**.z":                    `{"hits":{"hits":[{"_source":{"x":{"z":2}}}]}}`,
		"/a/_search?filter_path=hits.total,-**.relation": `{"hits":{"total":{"value":1}}}`,
		"/a/_search?filter_path=nothing":                 `{}`,
		"/a/_count?filter_path=c*":                       `{"count":1}`,
	} {
		if _, got := do(t, srv, "GET", path, ""); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func FuzzSplitBulk(f *testing.F) {
	f.Add([]byte("{\"index\":{\"_index\":\"a\"}}\n{\"x\":1}\n"), "")
	f.Add([]byte("{\"delete\":{\"_id\":1}}"), "b")
	f.Fuzz(func(t *testing.T, body []byte, index string) {
		ops, err := splitBulk(body, index, "")
		if err == nil && len(ops) == 0 {
			t.Fatal("no operations and no error")
		}
	})
}
