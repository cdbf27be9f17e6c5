package rest

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestByQuery(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 30)
	talk(t, srv, []turn{
		{"POST", "/a/_update_by_query?scroll_size=7", `{"query":{"term":{"g":1}},"script":{"source":"if (ctx._source.n == 4) { ctx.op = 'noop' } else if (ctx._source.n == 7) { ctx.op = 'delete' } else { ctx._source.n += params.by }","params":{"by":100}}}`, 200,
			[]string{`"timed_out":false,"total":10,"updated":8,"deleted":1,"batches":2,"version_conflicts":0,"noops":1,"retries":{"bulk":0,"search":0}`, `"requests_per_second":-1.0`, `"failures":[]`}},
		{"GET", "/a/_count", `{"query":{"range":{"n":{"gte":100}}}}`, 200, []string{`"count":8`}},
		{"POST", "/a/_delete_by_query", `{"query":{"range":{"n":{"gte":100}}},"max_docs":3}`, 200, []string{`"total":3,"deleted":3,"batches":1`}},
		{"GET", "/a/_count", ``, 200, []string{`"count":26`}},
		{"POST", "/a/_delete_by_query", `{}`, 400, []string{`Validation Failed: 1: query is missing;`}},
		{"POST", "/a/_update_by_query?conflicts=maybe", ``, 400, []string{`conflicts may only be \"proceed\" or \"abort\" but was [maybe]`}},
		{"POST", "/a/_update_by_query?requests_per_second=0", ``, 400, []string{`requests_per_second must be a float greater than 0. Use -1 to disable throttling.`}},
		{"POST", "/a/_update_by_query", `{"script":{"source":"ctx._source.n = ctx.none.x"}}`, 400, []string{`script_exception`, `"reason":"runtime error"`, `null_pointer_exception`}},
		{"POST", "/nowhere/_delete_by_query", `{"query":{"match_all":{}}}`, 404, []string{`index_not_found_exception`}},
		{"POST", "/a/_delete_by_query?slices=3", `{"query":{"match_all":{}}}`, 200, []string{`"total":26,"deleted":26`, `"slices":[{`}},
		{"GET", "/a/_count", ``, 200, []string{`"count":0`}},
	})
}

func TestReindex(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 20)
	talk(t, srv, []turn{
		{"PUT", "/a/_doc/r?routing=x", `{"n":100,"g":9}`, 201, nil},
		{"POST", "/_reindex", `{"source":{"index":"a","size":6,"query":{"range":{"n":{"gte":10}}}},"dest":{"index":"b"}}`, 200, []string{`"total":11,"updated":0,"created":11,"deleted":0,"batches":2`}},
		{"POST", "/b/_search", `{"query":{"ids":{"values":["r"]}}}`, 200, []string{`"_routing":"x"`}},
		{"POST", "/_reindex", `{"source":{"index":"a"},"dest":{"index":"b","op_type":"create"}}`, 409, []string{`"version_conflicts":11`, `version_conflict_engine_exception`}},
		{"POST", "/_reindex", `{"conflicts":"proceed","source":{"index":"a"},"dest":{"index":"b","op_type":"create"}}`, 200, []string{`"created":0`, `"version_conflicts":21`, `"failures":[]`}},
		{"POST", "/_reindex", `{"source":{"index":["a"]},"dest":{"index":"c"},"script":{"source":"ctx._index = 'c-' + ctx._source.g; ctx._id = 'x' + ctx._id; ctx._source.remove('n')"}}`, 200, []string{`"created":21`}},
		{"GET", "/c-1/_doc/x1", ``, 200, []string{`"_source":{"g":1}`}},
		{"POST", "/_reindex", `{"source":{"index":"a"},"dest":{"index":"a"}}`, 400, []string{`reindex cannot write into an index its reading from [a]`}},
		{"POST", "/_reindex", `{"source":{"index":"a"}}`, 400, []string{`index must be specified`}},
		{"POST", "/_reindex", `{"source":{"index":"a","remote":{"host":"http://other:9200"}},"dest":{"index":"z"}}`, 400, []string{`[http://other:9200] not whitelisted in reindex.remote.whitelist`}},
		{"POST", "/_reindex", `{"source":{"index":"a","_source":false},"dest":{"index":"z"}}`, 400, []string{`_source:false is not supported in this context`}},
	})
}

// waitTask polls a background task until it has ended and gives its answer.
func waitTask(t *testing.T, srv *httptest.Server, started string) string {
	t.Helper()
	var task struct{ Task string }
	if err := json.Unmarshal([]byte(started), &task); err != nil || task.Task == "" {
		t.Fatalf("no task in %s", started)
	}
	status, out := do(t, srv, "GET", "/_tasks/"+task.Task+"?wait_for_completion=true&timeout=20s", "")
	if status != 200 || !strings.Contains(out, `"completed":true`) {
		t.Fatalf("%d %s", status, out)
	}
	return out
}

// TestBackgroundTask: a slowed run can be seen, sped up, cancelled, and its answer is kept in the index too.
func TestBackgroundTask(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 40)
	_, out := do(t, srv, "POST", "/_reindex?wait_for_completion=false&requests_per_second=1", `{"source":{"index":"a","size":10},"dest":{"index":"b"}}`)
	var task struct{ Task string }
	if err := json.Unmarshal([]byte(out), &task); err != nil {
		t.Fatal(out)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		if _, list := do(t, srv, "GET", "/_tasks?actions=*reindex&detailed", ""); strings.Contains(list, `"created":10`) {
			if !strings.Contains(list, `"description":"reindex from [a] to [b]"`) || !strings.Contains(list, `"requests_per_second":1.0`) {
				t.Errorf("task list: %s", list)
			}
			break
		} else if time.Now().After(end) {
			t.Fatalf("the first batch is not told: %s", list)
		}
	}
	talk(t, srv, []turn{{"POST", "/_reindex/" + task.Task + "/_rethrottle?requests_per_second=-1", ``, 200, []string{task.Task}}})
	if done := waitTask(t, srv, out); !strings.Contains(done, `"created":40`) {
		t.Errorf("answer: %s", done)
	}
	_, out = do(t, srv, "POST", "/b/_delete_by_query?wait_for_completion=false&requests_per_second=1&scroll_size=5", `{"query":{"match_all":{}}}`)
	if err := json.Unmarshal([]byte(out), &task); err != nil {
		t.Fatal(out)
	}
	talk(t, srv, []turn{{"POST", "/_tasks/" + task.Task + "/_cancel", ``, 200, nil}})
	if done := waitTask(t, srv, out); !strings.Contains(done, `"canceled":"by user request"`) {
		t.Errorf("answer: %s", done)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		if status, doc := do(t, srv, "GET", "/.tasks/_doc/"+task.Task, ""); status == 200 {
			if !strings.Contains(doc, `"completed":true`) {
				t.Errorf("kept: %s", doc)
			}
			break
		} else if time.Now().After(end) {
			t.Fatalf("the answer is not kept: %d %s", status, doc)
		}
	}
}

func TestScriptedUpdates(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"PUT", "/a/_doc/1", `{"n":1,"tags":["x"]}`, 201, nil},
		{"POST", "/a/_update/1", `{"script":{"source":"ctx._source.n += params.n; ctx._source.tags.add('y')","params":{"n":4}}}`, 200, []string{`"result":"updated"`, `"_version":2`}},
		{"GET", "/a/_source/1", ``, 200, []string{`{"n":5,"tags":["x","y"]}`}},
		{"POST", "/a/_update/1", `{"script":"ctx.op = 'none'"}`, 200, []string{`"result":"noop"`}},
		{"POST", "/a/_update/2", `{"script":"ctx._source.n++","upsert":{"n":1}}`, 201, []string{`"result":"created"`}},
		{"POST", "/a/_update/2", `{"script":"ctx._source.n++","upsert":{"n":1}}`, 200, []string{`"result":"updated"`}},
		{"POST", "/a/_update/3", `{"scripted_upsert":true,"script":"ctx._source.n = ctx.op == 'create' ? 7 : 8","upsert":{}}`, 201, nil},
		{"GET", "/a/_mget", `{"ids":["2","3"]}`, 200, []string{`"n":2`, `"n":7`}},
		{"POST", "/a/_update/3", `{"script":"ctx.op = 'delete'"}`, 200, []string{`"result":"deleted"`}},
		{"GET", "/a/_doc/3", ``, 404, nil},
		{"POST", "/a/_update/none", `{"script":"ctx.op = 'delete'"}`, 404, []string{`document_missing_exception`}},
		{"POST", "/a/_update/1", `{"script":{"source":"x +"}}`, 400, []string{`"type":"script_exception","reason":"compile error"`, `"lang":"painless"`}},
		{"POST", "/a/_update/1", `{"script":{"lang":"groovy","source":"1"}}`, 400, []string{`script_lang not supported [groovy]`}},
		{"PUT", "/_scripts/bump", `{"script":{"lang":"painless","source":"ctx._source.n = 50"}}`, 200, []string{`acknowledged`}},
		{"POST", "/a/_update/1", `{"script":{"id":"bump"}}`, 200, []string{`"result":"updated"`}},
		{"GET", "/_scripts/bump", ``, 200, []string{`{"_id":"bump","found":true,"script":{"lang":"painless","source":"ctx._source.n = 50"}}`}},
		{"DELETE", "/_scripts/bump", ``, 200, nil},
		{"GET", "/_scripts/bump", ``, 404, []string{`"found":false`}},
		{"POST", "/a/_update/1", `{"script":{"id":"bump"}}`, 404, []string{`unable to find script [bump] in cluster state`}},
		{"POST", "/_scripts/painless/_execute", `{"script":{"source":"params.a * 2","params":{"a":21}}}`, 200, []string{`{"result":"42"}`}},
	})
}

func TestSearchTemplates(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 9)
	talk(t, srv, []turn{
		{"POST", "/a/_search/template", `{"source":{"query":{"term":{"g":"{{g}}"}},"size":"{{size}}{{^size}}2{{/size}}"},"params":{"g":1}}`, 200, []string{`"total":{"value":3,"relation":"eq"}`}},
		{"POST", "/_render/template", `{"source":"{\"query\":{\"terms\":{\"g\":{{#toJson}}list{{/toJson}}}},\"note\":\"{{q}}\"}","params":{"list":[1,"a\"b"],"q":"say \"hi\""}}`, 200,
			[]string{`{"template_output":{"query":{"terms":{"g":[1,"a\"b"]}},"note":"say \"hi\""}}`}},
		{"PUT", "/_scripts/t", `{"script":{"lang":"mustache","source":{"query":{"term":{"g":"{{g}}"}}}}}`, 200, nil},
		{"POST", "/a/_search/template", `{"id":"t","params":{"g":2}}`, 200, []string{`"value":3`}},
		{"POST", "/_msearch/template", "{\"index\":\"a\"}\n{\"id\":\"t\",\"params\":{\"g\":0}}\n{\"index\":\"a\"}\n{\"id\":\"none\"}\n", 200, []string{`"value":3`, `unable to find script [none]`}},
		{"POST", "/a/_search/template", `{"source":"{{#x}"}`, 400, []string{`general_script_exception`}},
		{"GET", "/a/_validate/query?explain", `{"query":{"term":{"g":1}}}`, 200, []string{`"valid":true`, `"index":"a"`}},
		{"GET", "/a/_validate/query?explain", `{"query":{"nonsense":{}}}`, 200, []string{`"valid":false,"error":"org.elasticsearch.common.ParsingException: unknown query [nonsense]`}},
		{"GET", "/a/_validate/query", `{"nonsense":1}`, 200, []string{`"valid":false`}},
		{"GET", "/a/_explain/1", `{"query":{"term":{"g":1}}}`, 200, []string{`"matched":true,"explanation":{"value":1`}},
		{"GET", "/a/_explain/2", `{"query":{"term":{"g":1}}}`, 200, []string{`"matched":false`}},
		{"GET", "/a/_explain/77", `{"query":{"term":{"g":1}}}`, 404, []string{`"matched":false`}},
	})
}

func TestTermsEnum(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{{"PUT", "/a", `{"mappings":{"properties":{"k":{"type":"keyword"},"t":{"type":"text"}}}}`, 200, nil}})
	for i := range 30 {
		do(t, srv, "PUT", fmt.Sprintf("/a/_doc/%d", i), fmt.Sprintf(`{"k":"Val-%02d","t":"x"}`, i))
		if i == 15 {
			do(t, srv, "POST", "/a/_flush", "")
		}
	}
	talk(t, srv, []turn{
		{"POST", "/a/_terms_enum", `{"field":"k","string":"Val-1","size":3}`, 200, []string{`"terms":["Val-10","Val-11","Val-12"],"complete":true`}},
		{"POST", "/a/_terms_enum", `{"field":"k","string":"val-2","case_insensitive":true,"search_after":"Val-28"}`, 200, []string{`"terms":["Val-29"]`}},
		{"POST", "/a/_terms_enum", `{"field":"none"}`, 200, []string{`"terms":[],"complete":true`}},
		{"POST", "/a/_terms_enum", `{"string":"x"}`, 400, []string{`field cannot be null`}},
		{"POST", "/a/_terms_enum", `{"field":"t"}`, 400, []string{`not supported`}},
	})
}
