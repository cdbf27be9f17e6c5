package rest

import (
	"strings"
	"testing"
)

// TestNodeAndCluster: what clients, dashboards and people ask about a node and its indices.
func TestNodeAndCluster(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 9)
	talk(t, srv, []turn{
		{"PUT", "/b", `{"settings":{"number_of_replicas":1,"number_of_shards":2},"aliases":{"al":{"routing":"x","is_write_index":true}}}`, 200, nil},
		{"POST", "/a/_flush", ``, 200, nil},
		{"GET", "/_nodes", ``, 200, []string{`"_nodes":{"total":1,"successful":1,"failed":0}`, `"publish_address":"`, `"processors":[{"type":"append"}`}},
		{"GET", "/_nodes/http", ``, 200, []string{`"http":{`}},
		{"GET", "/_nodes/_all/nonsense", ``, 400, []string{`unrecognized metric: [nonsense]`}},
		{"GET", "/_nodes/stats", ``, 200, []string{`"indices":{`, `"docs":{"count":9`, `"fs":{`, `"ingest":{"total":{"count":0`}},
		{"GET", "/_nodes/stats/fs", ``, 200, []string{`"fs":{`}},
		{"GET", "/_nodes/stats/nonsense", ``, 400, []string{`unrecognized metric: [nonsense]`}},
		{"GET", "/_nodes/usage", ``, 200, []string{`"rest_actions"`}},
		{"GET", "/_nodes/hot_threads", ``, 200, []string{`goroutine`}},
		{"GET", "/_cluster/stats", ``, 200, []string{`"status":"yellow"`, `"docs":{"count":9,"deleted":0}`, `"field_types":[{"name":"long","count":2,"index_count":1}]`}},
		{"GET", "/_cluster/state", ``, 200, []string{`"cluster_uuid":"`, `"metadata":{`, `"routing_table":{`, `"master_node":"`}},
		{"GET", "/_cluster/state/metadata/a", ``, 200, []string{`"indices":{"a":{"state":"open"`}},
		{"GET", "/_cluster/state/nonsense", ``, 400, []string{`unrecognized metric: [nonsense]`}},
		{"GET", "/_cluster/pending_tasks", ``, 200, []string{`{"tasks":[]}`}},
		{"GET", "/_cluster/allocation/explain", ``, 200, []string{`"index":"b","shard":0,"primary":false,"current_state":"unassigned"`}},
		{"POST", "/_cluster/reroute", ``, 200, nil},
		{"PUT", "/_cluster/settings", `{"persistent":{"cluster.routing.allocation.enable":"all","cluster":{"max_shards_per_node":5}},"transient":{"logger.level":"info"}}`, 200,
			[]string{`"persistent":{"cluster":{"max_shards_per_node":"5","routing":{"allocation":{"enable":"all"}}}}`}},
		{"GET", "/_cluster/settings?flat_settings", ``, 200, []string{`"persistent":{"cluster.max_shards_per_node":"5","cluster.routing.allocation.enable":"all"},"transient":{"logger.level":"info"}`}},
		{"PUT", "/_cluster/settings", `{"persistent":{"cluster.max_shards_per_node":null}}`, 200, []string{`"persistent":{"cluster":{"routing"`}},
		{"PUT", "/_cluster/settings", `{"persistent":{"search.nonsense":1}}`, 400, []string{`persistent setting [search.nonsense], not recognized`}},
		{"GET", "/_health_report", ``, 200, []string{`"indicators":{`}},
		{"GET", "/_security/_authenticate", ``, 200, []string{`"username":"_anonymous"`}},
		{"GET", "/_remote/info", ``, 200, []string{`{}`}},
		{"GET", "/_segments", ``, 200, []string{`"a":{"shards":{"0":[{`, `"_0":{"generation":`, `"num_docs":9`}},
		{"GET", "/a/_recovery", ``, 200, []string{`"stage":"DONE"`, `"type":"EMPTY_STORE"`}},
		{"GET", "/_shard_stores", ``, 200, []string{`"indices":{"b"`}},
		{"GET", "/a/_search_shards", ``, 200, []string{`"shards":[[{"state":"STARTED"`}},
		{"POST", "/_cache/clear", ``, 200, []string{`"_shards":{`}},
		{"POST", "/a/_disk_usage", ``, 400, []string{`[run_expensive_tasks] must be set to [true]`}},
		{"POST", "/a/_disk_usage?run_expensive_tasks=true", ``, 200, []string{`"a":{"store_size_in_bytes":`, `"fields":{`, `"n":{"total_in_bytes":`}},
		{"GET", "/_stats/docs,store", ``, 200, []string{`"primaries":{"docs":{"count":9`}},
		{"GET", "/_stats/dcos", ``, 400, []string{`unrecognized metric: [dcos] -> did you mean [docs]?`}},
		{"GET", "/_stats?level=cluster", ``, 200, []string{`"search":{"fetch_total"`}},
		{"GET", "/_resolve/index/*", ``, 200, []string{`{"name":"b","aliases":["al"],"attributes":["open"]}`, `"aliases":[{"name":"al","indices":["b"]}]`}},
		{"GET", "/_resolve/cluster/*", ``, 200, []string{`"(local)":{"connected":true`}},
	})
}

func TestCat(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 9)
	talk(t, srv, []turn{
		{"PUT", "/b", `{"settings":{"number_of_replicas":1},"aliases":{"al":{"routing":"x","is_write_index":true,"filter":{"term":{"n":1}}}}}`, 200, nil},
		{"PUT", "/_index_template/t", `{"index_patterns":["x-*"],"priority":7,"composed_of":["c"],"ignore_missing_component_templates":["c"]}`, 200, nil},
		{"PUT", "/_component_template/c", `{"template":{"settings":{"number_of_shards":2}}}`, 200, nil},
		{"PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"r"}}`, 200, nil},
		{"PUT", "/_snapshot/r/s?wait_for_completion=true", ``, 200, nil},
		{"POST", "/b/_close", ``, 200, nil},
		{"GET", "/_cat/aliases?h=alias,index,filter,routing.index,is_write_index", ``, 200, nil},
		{"GET", "/_cat/templates?h=name,index_patterns,order", ``, 200, []string{"t [x-*] 7\n"}},
		{"GET", "/_cat/component_templates?v&h=name,settings_count,included_in", ``, 200, []string{"c                 1 [t]\n"}},
		{"GET", "/_cat/shards/a?h=index,shard,prirep,state,docs", ``, 200, []string{"a 0 p STARTED 9\n"}},
		{"GET", "/_cat/nodes?h=master,node.role", ``, 200, []string{"* dim\n"}},
		{"GET", "/_cat/allocation?format=json&h=shards", ``, 200, []string{`[{"shards":"1"}`}},
		{"GET", "/_cat/master?h=id", ``, 200, nil},
		{"GET", "/_cat/plugins?v", ``, 200, []string{"name component version\n"}},
		{"GET", "/_cat/repositories", ``, 200, []string{"r fs\n"}},
		{"GET", "/_cat/snapshots/r?h=id,status,successful_shards", ``, 200, []string{"s SUCCESS "}},
		{"GET", "/_cat/thread_pool?h=name,active", ``, 200, []string{"search 0\nwrite  0\n"}},
		{"GET", "/_cat/recovery/a?h=index,stage", ``, 200, []string{"a done\n"}},
		{"GET", "/_cat/tasks?help", ``, 200, []string{"task_id"}},
		{"GET", "/_cat/segments/a?h=index,docs.count", ``, 200, []string{"a 9\n"}},
		{"GET", "/_cat/indices/b?expand_wildcards=all&h=status,index,docs.count", ``, 200, []string{"close b \n"}},
	})
	_, list := do(t, srv, "GET", "/_cat", "")
	if !strings.HasPrefix(list, "=^.^=\n/_cat/aliases\n") || !strings.Contains(list, "/_cat/shards/{index}\n") {
		t.Errorf("%s", list)
	}
}

func TestAnalyze(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"POST", "/_analyze", `{"text":"Foo bar-42"}`, 200, []string{`{"tokens":[{"token":"foo","start_offset":0,"end_offset":3,"type":"<ALPHANUM>","position":0},{"token":"bar","start_offset":4,"end_offset":7,"type":"<ALPHANUM>","position":1},{"token":"42","start_offset":8,"end_offset":10,"type":"<NUM>","position":2}]}`}},
		{"POST", "/_analyze", `{"analyzer":"whitespace","text":"é𝄞 B"}`, 200, []string{`{"token":"B","start_offset":4,"end_offset":5,"type":"word","position":1}`}},
		{"POST", "/_analyze", `{"analyzer":"cjk","text":"데이터"}`, 200, []string{`"token":"데이","start_offset":0,"end_offset":2,"type":"<DOUBLE>"`, `"token":"이터"`}},
		{"POST", "/_analyze", `{"analyzer":"nonsense","text":"x"}`, 400, []string{`failed to find global analyzer [nonsense]`}},
		{"POST", "/_analyze", `{"tokenizer":"standard","text":"x"}`, 400, []string{`[tokenizer] of _analyze is not supported`}},
		{"POST", "/_analyze", `{}`, 400, []string{`text is missing`}},
		{"PUT", "/a", `{"mappings":{"properties":{"e":{"type":"text","analyzer":"english"},"k":{"type":"keyword"},"n":{"type":"long"}}}}`, 200, nil},
		{"GET", "/a/_analyze", `{"field":"e","text":["running"]}`, 200, []string{`"token":"run"`}},
		{"GET", "/a/_analyze", `{"field":"k","text":"Two Words"}`, 200, []string{`"token":"Two Words"`}},
		{"GET", "/a/_analyze", `{"field":"n","text":"1"}`, 400, []string{`Can't process field [n]`}},
		{"PUT", "/own", `{"settings":{"analysis":{"analyzer":{"mine":{"tokenizer":"whitespace","filter":["lowercase","reverse"]},"default":{"type":"keyword"}}}},"mappings":{"properties":{"m":{"type":"text","analyzer":"mine"}}}}`, 200, nil},
		{"GET", "/own/_analyze", `{"analyzer":"mine","text":"Ab cD"}`, 200, []string{`"token":"ba","start_offset":0,"end_offset":2`, `"token":"dc"`}},
		{"GET", "/own/_analyze", `{"field":"m","text":"Ab"}`, 200, []string{`"token":"ba"`}},
		{"GET", "/own/_analyze", `{"text":"A b"}`, 200, []string{`"token":"A b"`}},
		{"GET", "/_analyze", `{"analyzer":"mine","text":"x"}`, 400, []string{`failed to find global analyzer [mine]`}},
		{"PUT", "/own/_mapping", `{"properties":{"x":{"type":"text","analyzer":"other"}}}`, 400, []string{`analyzer [other] has not been configured in mappings`}},
		{"GET", "/_analyze?text=a&explain", ``, 400, []string{`unrecognized parameter: [explain]`}},
		{"GET", "/_analyze", `{"explain":true,"text":"a"}`, 200, []string{`{"detail":{"custom_analyzer":false,"analyzer":{"name":"standard","tokens":[`}},
	})
}
