package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// question is asked of the embedded store and of a real cluster.
type question struct {
	method, path, body string
	keep               string // what of the answers is compared: the names of members at the top, comma separated; "" is the status only
	needs              string // a module of the real node: painless, ingest, reindex
}

// clusterData is what both hold.
func clusterData() string {
	var b strings.Builder
	levels := []string{"INFO", "ERROR", "WARN"}
	for i := range 60 {
		fmt.Fprintf(&b, "{\"index\":{\"_index\":\"cmp\",\"_id\":\"%d\"}}\n{\"@timestamp\":\"2026-11-22T%02d:%02d:00.000Z\",\"n\":%d,\"half\":%d.5,\"level\":%q,\"message\":\"received block %d from host-%d\",\"ip\":\"10.0.0.%d\",\"tags\":[\"t%d\",\"t%d\"]}\n",
			i, i/10, i%10*6, i, i, levels[i%3], i%7, i%5, i, i%2, i%3)
	}
	return b.String()
}

const clusterIndex = `{"mappings":{"properties":{"@timestamp":{"type":"date"},"n":{"type":"long"},"half":{"type":"double"},"level":{"type":"keyword"},"message":{"type":"text"},"ip":{"type":"ip"},"tags":{"type":"keyword"}}}}`

// clusterQuestions are asked in order; sizes and sorts make the answers one of a kind.
var clusterQuestions = []question{
	{"POST", "/cmp/_search", `{"size":5,"sort":["n"],"query":{"term":{"level":"ERROR"}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":5,"sort":[{"@timestamp":"desc"},{"n":"desc"}],"query":{"match_phrase":{"message":"received block"}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"sort":["n"],"query":{"range":{"@timestamp":{"gte":"2026-11-22T03:00:00Z","lt":"2026-11-22||/d+4h"}}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"sort":["n"],"query":{"query_string":{"query":"level:(WARN OR INFO) AND n:[10 TO 20}"}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"sort":["n"],"query":{"bool":{"should":[{"term":{"n":1}},{"prefix":{"level":"ER"}},{"wildcard":{"tags":"t?"}}],"minimum_should_match":2,"must_not":[{"ids":{"values":["2"]}}]}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"sort":["n"],"query":{"term":{"ip":"10.0.0.0/28"}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"sort":["n"],"query":{"regexp":{"level":"(ERR|WA).*"}}}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":2,"sort":["n"],"query":{"exists":{"field":"tags"}},"_source":["n","level"],"fields":["half","@timestamp"],"docvalue_fields":[{"field":"@timestamp","format":"epoch_millis"}]}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":2,"sort":["n"],"query":{"match":{"message":"block"}},"highlight":{"fields":{"message":{}}},"version":true,"seq_no_primary_term":true}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":4,"sort":[{"level":"asc"},{"n":"desc"}],"search_after":["ERROR",40]}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":3,"collapse":{"field":"level"},"sort":["n"]}`, "hits", ""},
	{"POST", "/cmp/_search", `{"size":0,"aggs":{"l":{"terms":{"field":"level"},"aggs":{"a":{"avg":{"field":"n"}},"s":{"stats":{"field":"half"}}}}}}`, "aggregations", ""},
	{"POST", "/cmp/_search", `{"size":0,"aggs":{"h":{"date_histogram":{"field":"@timestamp","calendar_interval":"1h","time_zone":"+09:00","min_doc_count":0},"aggs":{"c":{"cardinality":{"field":"tags"}},"d":{"derivative":{"buckets_path":"_count"}}}}}}`, "aggregations", ""},
	{"POST", "/cmp/_search", `{"size":0,"aggs":{"h":{"histogram":{"field":"n","interval":20}},"r":{"range":{"field":"n","ranges":[{"to":10},{"from":10,"to":50},{"from":50}]}},"m":{"missing":{"field":"none"}},"f":{"filters":{"filters":{"e":{"term":{"level":"ERROR"}},"o":{"term":{"level":"INFO"}}}}}}}`, "aggregations", ""},
	{"POST", "/cmp/_search", `{"size":0,"aggs":{"c":{"composite":{"size":4,"sources":[{"l":{"terms":{"field":"level"}}},{"t":{"terms":{"field":"tags"}}}]}},"p":{"percentile_ranks":{"field":"n","values":[30]}},"v":{"value_count":{"field":"level"}},"x":{"extended_stats":{"field":"n"}}}}`, "aggregations", ""},
	{"POST", "/cmp/_search", `{"size":0,"aggs":{"t":{"top_hits":{"size":1,"sort":[{"n":"desc"}],"_source":["n"]}},"g":{"global":{},"aggs":{"m":{"max":{"field":"n"}}}}},"query":{"term":{"level":"WARN"}}}`, "aggregations", ""},
	{"POST", "/cmp/_count", `{"query":{"term":{"tags":"t1"}}}`, "count", ""},
	{"GET", "/cmp/_doc/7", ``, "_id,found,_source,_version", ""},
	{"GET", "/cmp/_doc/none", ``, "_id,found", ""},
	{"GET", "/cmp/_mget", `{"ids":["1","none"]}`, "docs", ""},
	{"GET", "/cmp/_mapping", ``, "cmp", ""},
	{"POST", "/cmp/_update/1", `{"doc":{"n":1}}`, "result,_version", ""},
	{"POST", "/cmp/_update/1?refresh=true", `{"script":{"source":"ctx._source.n += params.d; ctx._source.tags.add('x')","lang":"painless","params":{"d":5}}}`, "result,_version", "painless"},
	{"GET", "/cmp/_source/1", ``, "n,tags", "painless"},
	{"POST", "/cmp/_update/none", `{"doc":{"n":1}}`, "error,status", ""},
	{"PUT", "/cmp/_doc/8?if_seq_no=999&if_primary_term=1", `{"n":1}`, "status", ""},
	{"PUT", "/cmp/_create/8", `{"n":1}`, "status", ""},
	{"PUT", "/cmp/_doc/x", `{"n":"not a number"}`, "status", ""},
	{"POST", "/none/_search", `{}`, "status", ""},
	{"GET", "/none*/_search", ``, "timed_out", ""},
	{"POST", "/cmp/_search", `{"query":{"nonsense":{}}}`, "status", ""},
	{"POST", "/cmp/_search", `{"from":10000,"size":10}`, "status", ""},
	{"POST", "/cmp/_search", `{"sort":["message"]}`, "status", ""},
	{"POST", "/cmp/_search", `{"size":-1}`, "status", ""},
	{"POST", "/cmp/_search?scroll=1m", `{"size":0}`, "status", ""},
	{"POST", "/_search/scroll", `{"scroll_id":"nonsense"}`, "status", ""},
	{"PUT", "/cmp", ``, "status", ""},
	{"PUT", "/BAD", ``, "status", ""},
	{"PUT", "/_ingest/pipeline/p", `{"processors":[{"set":{"field":"at","value":"{{n}}"}},{"uppercase":{"field":"level"}},{"remove":{"field":"message","if":"ctx.n > 5"}}]}`, "acknowledged", "ingest"},
	{"POST", "/_ingest/pipeline/p/_simulate", `{"docs":[{"_source":{"n":7,"level":"a","message":"m"}},{"_source":{"n":1,"level":"b","message":"m"}}]}`, "", "ingest"},
	{"PUT", "/cmp/_doc/p1?pipeline=p&refresh=true", `{"n":7,"level":"debug","message":"m"}`, "result", "ingest"},
	{"GET", "/cmp/_source/p1", ``, "n,level,at", "ingest"},
	{"PUT", "/_ingest/pipeline/bad", `{"processors":[{"set":{"value":1}}]}`, "status", "ingest"},
	{"POST", "/_reindex?refresh=true", `{"source":{"index":"cmp","query":{"range":{"n":{"lt":30}}}},"dest":{"index":"cmp2"},"script":{"source":"ctx._source.remove('message')"}}`, "total,created,updated,deleted,version_conflicts,noops,failures", "reindex"},
	{"POST", "/cmp2/_update_by_query?refresh=true", `{"query":{"term":{"level.keyword":"WARN"}},"script":{"source":"ctx._source.n = -1"}}`, "total,updated,noops,failures", "reindex"},
	{"POST", "/cmp2/_delete_by_query?refresh=true", `{"query":{"term":{"n":-1}}}`, "total,deleted,failures", "reindex"},
	{"POST", "/cmp2/_delete_by_query", `{}`, "status", "reindex"},
	{"POST", "/cmp2/_count", ``, "count", "reindex"},
	{"POST", "/_aliases", `{"actions":[{"add":{"index":"cmp","alias":"al","filter":{"term":{"level":"ERROR"}}}},{"add":{"index":"cmp2","alias":"al2","is_write_index":true}}]}`, "acknowledged", "reindex"},
	{"POST", "/al/_count", ``, "count", "reindex"},
	{"GET", "/_alias/al", ``, "cmp", "reindex"},
	{"GET", "/_alias/none", ``, "error,status", ""},
	{"PUT", "/_index_template/t", `{"index_patterns":["tm-*"],"template":{"settings":{"number_of_replicas":0},"mappings":{"properties":{"k":{"type":"keyword"}}}}}`, "acknowledged", ""},
	{"PUT", "/tm-1/_doc/1", `{"k":"x","free":"text"}`, "result", ""},
	{"GET", "/tm-1/_mapping", ``, "tm-1", ""},
	{"GET", "/cmp/_field_caps?fields=level,n,message", ``, "fields", ""},
	{"POST", "/_analyze", `{"analyzer":"standard","text":"Foo BAR-42 über"}`, "tokens", ""},
	{"POST", "/cmp/_validate/query", `{"query":{"term":{"n":1}}}`, "valid", ""},
	{"POST", "/cmp/_validate/query", `{"query":{"nonsense":{}}}`, "valid", ""},
	{"POST", "/_bulk", "{\"index\":{\"_index\":\"cmp\"}}\n{\"n\":\"bad\"}\n{\"delete\":{\"_index\":\"cmp\",\"_id\":\"gone\"}}\n{\"create\":{\"_index\":\"cmp\",\"_id\":\"1\"}}\n{}\n", "errors", ""},
	{"POST", "/_bulk", "{\"nonsense\":{}}\n{}\n", "status", ""},
	{"DELETE", "/cmp2", ``, "acknowledged", "reindex"},
	{"DELETE", "/cmp2", ``, "status", "reindex"},
}

// clusterDiffers names the questions a real OpenSearch answers otherwise, and why.
var clusterDiffers = map[string]string{
	"/cmp/_field_caps?fields=level,n,message ": "Elasticsearch 8 tells metadata_field, OpenSearch does not",
}

// modules are what the real node can: a node without modules, as one from its bare artifact, has neither scripts, processors nor by query.
func modules(t *testing.T, at string) map[string]bool {
	t.Helper()
	has := map[string]bool{"": true}
	status, _ := request(t, at, "POST", "/_scripts/painless/_execute", `{"script":{"source":"1"}}`)
	has["painless"] = status == 200
	status, _ = request(t, at, "PUT", "/_ingest/pipeline/probe", `{"processors":[{"set":{"field":"a","value":1}}]}`)
	has["ingest"] = status == 200 && has["painless"]
	status, _ = request(t, at, "POST", "/_reindex", `{}`)
	has["reindex"] = status != 405 && has["painless"]
	return has
}

// TestClusterAnswers asks a real cluster, named by WEIR_ELASTICSEARCH, and the embedded store the same; `make test-opensearch` starts one.
func TestClusterAnswers(t *testing.T) {
	real := os.Getenv("WEIR_ELASTICSEARCH")
	if real == "" {
		t.Skip("no real cluster: WEIR_ELASTICSEARCH=http://host:port, or make test-opensearch")
	}
	ours := newServer(t).URL
	for _, at := range []string{ours, real} {
		for _, old := range []string{"cmp", "cmp2", "tm-1"} {
			request(t, at, "DELETE", "/"+old, "")
		}
		if status, b := request(t, at, "PUT", "/cmp", clusterIndex); status != 200 {
			t.Fatalf("%s: %d %s", at, status, b)
		}
		if status, b := request(t, at, "POST", "/_bulk?refresh=true", clusterData()); status != 200 || strings.Contains(string(b), `"errors":true`) {
			t.Fatalf("%s: %d %.300s", at, status, b)
		}
	}
	has := modules(t, real)
	for _, q := range clusterQuestions {
		if !has[q.needs] {
			t.Logf("%s %s is not asked: the real node has no module for it (%s)", q.method, q.path, q.needs)
			continue
		}
		s1, b1 := request(t, ours, q.method, q.path, q.body)
		s2, b2 := request(t, real, q.method, q.path, q.body)
		request(t, real, "POST", "/_refresh", "")
		same := s1 == s2 && reflect.DeepEqual(compared(b1, q.keep), compared(b2, q.keep))
		why, listed := clusterDiffers[q.path+" "+q.body]
		switch {
		case same && listed:
			t.Errorf("%s %s %s: answers agree, but a difference is listed: %s", q.method, q.path, q.body, why)
		case !same && !listed:
			t.Errorf("%s %s %s\n ours %d %v\n real %d %v", q.method, q.path, q.body, s1, compared(b1, q.keep), s2, compared(b2, q.keep))
		}
	}
}

func request(t *testing.T, at, method, path, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, at+path, strings.NewReader(body))
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
	return resp.StatusCode, b
}

// compared is what of an answer has to be the same, as a text: members by name, without what differs from node to node.
func compared(b []byte, keep string) string {
	var v any
	if json.Unmarshal(b, &v) != nil {
		return string(b)
	}
	m, ok := v.(map[string]any)
	if !ok || keep == "" {
		return ""
	}
	out := map[string]any{}
	for _, k := range strings.Split(keep, ",") {
		out[k] = plain(m[k])
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text))
}

// plain takes out what no two clusters share: ids of indices, times, places.
func plain(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if slices.Contains([]string{"index_uuid", "_seq_no", "_primary_term", "took", "uuid", "timestamp", "root_cause", "shard"}, k) {
				delete(x, k)
				continue
			}
			x[k] = plain(e)
		}
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	}
	return v
}
