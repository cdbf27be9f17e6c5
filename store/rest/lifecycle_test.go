package rest

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"PUT", "/_ilm/policy/p", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_docs":5}}},"delete":{"min_age":"1d","actions":{"delete":{}}}}}}`, 200, []string{`acknowledged`}},
		{"GET", "/_ilm/policy/p", ``, 200, []string{`{"p":{"version":1,"modified_date":"`, `"policy":{"phases":{"hot"`, `"in_use_by":{"indices":[],"data_streams":[],"composable_templates":[]}`}},
		{"PUT", "/_ilm/policy/p", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_age":"7d"}}}}}}`, 200, nil},
		{"GET", "/_ilm/policy", ``, 200, []string{`"version":2`}},
		{"GET", "/_ilm/policy/none", ``, 404, []string{`Lifecycle policy not found: none`}},
		{"PUT", "/_ilm/policy/bad", `{"policy":{"phases":{"tepid":{}}}}`, 400, []string{`Timeseries lifecycle does not support phase [tepid]`}},
		{"PUT", "/_ilm/policy/bad", `{"policy":{"phases":{"delete":{"actions":{"rollover":{}}}}}}`, 400, []string{`invalid action [rollover] defined in phase [delete]`}},
		{"PUT", "/_ilm/policy/bad", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_size":"big"}}}}}}`, 400, []string{`failed to parse setting [max_size] with value [big] as a size in bytes`}},
		{"GET", "/_ilm/status", ``, 200, []string{`{"operation_mode":"RUNNING"}`}},
		{"POST", "/_ilm/stop", ``, 200, nil},
		{"GET", "/_ilm/status", ``, 200, []string{`{"operation_mode":"STOPPED"}`}},
		{"POST", "/_ilm/start", ``, 200, nil},
		{"PUT", "/a", `{"settings":{"index.lifecycle.name":"p"}}`, 200, nil},
		{"GET", "/a/_ilm/explain", ``, 200, []string{`"index":"a","managed":true,"policy":"p"`, `"phase":"new"`}},
		{"DELETE", "/_ilm/policy/p", ``, 400, []string{`Cannot delete policy [p]. It is in use by one or more indices: [a]`}},
		{"POST", "/_ilm/move/a", `{"current_step":{"phase":"new","action":"complete","name":"complete"},"next_step":{"phase":"hot"}}`, 200, nil},
		{"GET", "/a/_ilm/explain", ``, 200, []string{`"phase":"hot"`, `"phase_definition":{"actions":{"rollover":{"max_age":"7d"}}}`}},
		{"POST", "/_ilm/move/a", `{"current_step":{"phase":"warm"},"next_step":{"phase":"hot"}}`, 400, []string{`is not on current step`}},
		{"POST", "/a/_ilm/retry", ``, 400, []string{`that has not encountered an error`}},
		{"POST", "/a/_ilm/remove", ``, 200, []string{`{"has_failures":false,"failed_indexes":[]}`}},
		{"GET", "/a/_ilm/explain", ``, 200, []string{`{"indices":{"a":{"index":"a","managed":false}}}`}},
		{"GET", "/a/_settings", ``, 200, nil},
		{"DELETE", "/_ilm/policy/p", ``, 200, nil},
	})
}

func TestStreamLifecycles(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{
		{"PUT", "/_index_template/t", `{"index_patterns":["ev-*"],"data_stream":{},"template":{"lifecycle":{"data_retention":"7d"}}}`, 200, nil},
		{"POST", "/ev-1/_doc", `{"@timestamp":"2026-11-22T00:00:00Z"}`, 201, nil},
		{"GET", "/_data_stream/ev-1", ``, 200, []string{`"lifecycle":{"enabled":true,"data_retention":"7d"`, `"next_generation_managed_by":"Data stream lifecycle"`}},
		{"GET", "/_data_stream/ev-1/_lifecycle", ``, 200, []string{`{"data_streams":[{"name":"ev-1","lifecycle":{"enabled":true,"data_retention":"7d"`}},
		{"PUT", "/_data_stream/ev-1/_lifecycle", `{"data_retention":"30d"}`, 200, nil},
		{"GET", "/_data_stream/ev-1/_lifecycle", ``, 200, []string{`"data_retention":"30d"`}},
		{"PUT", "/_data_stream/ev-1/_lifecycle", `{"data_retention":"soon"}`, 400, nil},
		{"PUT", "/_data_stream/none/_lifecycle", `{}`, 404, nil},
		{"GET", "/ev-1/_lifecycle/explain", ``, 200, []string{`"managed_by_lifecycle":true`}},
		{"DELETE", "/_data_stream/ev-1/_lifecycle", ``, 200, nil},
		{"GET", "/_data_stream/ev-1/_lifecycle", ``, 200, []string{`"enabled":false`}},
		{"GET", "/_data_stream/ev-1/_stats", ``, 200, []string{`"data_stream_count":1,"backing_indices":1`, `"maximum_timestamp":1795305600000`}},
		{"POST", "/ev-1/_rollover", ``, 200, []string{`"rolled_over":true`}},
	})
	_, out := do(t, srv, "GET", "/_data_stream/ev-1", "")
	var ds struct {
		Streams []struct {
			Indices []struct {
				Name string `json:"index_name"`
			}
		} `json:"data_streams"`
	}
	if err := json.Unmarshal([]byte(out), &ds); err != nil || len(ds.Streams[0].Indices) != 2 {
		t.Fatal(out)
	}
	first, write := ds.Streams[0].Indices[0].Name, ds.Streams[0].Indices[1].Name
	talk(t, srv, []turn{
		{"POST", "/_data_stream/_modify", `{"actions":[{"remove_backing_index":{"data_stream":"ev-1","index":"` + write + `"}}]}`, 400, []string{`because it is the write index`}},
		{"POST", "/_data_stream/_modify", `{"actions":[{"remove_backing_index":{"data_stream":"ev-1","index":"` + first + `"}}]}`, 200, nil},
		{"POST", "/ev-1/_count", ``, 200, []string{`"count":0`}},
		{"POST", "/_data_stream/_modify", `{"actions":[{"add_backing_index":{"data_stream":"ev-1","index":"` + first + `"}}]}`, 200, nil},
		{"POST", "/ev-1/_count", ``, 200, []string{`"count":1`}},
		{"PUT", "/old-1", `{"mappings":{"properties":{"@timestamp":{"type":"date"}}},"aliases":{"ev-old":{"is_write_index":true}}}`, 200, nil},
		{"POST", "/_data_stream/_migrate/ev-old", ``, 200, nil},
		{"GET", "/_data_stream/ev-old", ``, 200, []string{`"index_name":"old-1"`}},
	})
}

func TestSimulateTemplates(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"PUT", "/_component_template/c", `{"template":{"settings":{"number_of_shards":2},"mappings":{"properties":{"a":{"type":"keyword"}}}}}`, 200, nil},
		{"PUT", "/_index_template/t", `{"index_patterns":["x-*"],"priority":10,"composed_of":["c"],"template":{"aliases":{"al":{}}}}`, 200, nil},
		{"PUT", "/_index_template/u", `{"index_patterns":["x-y*"],"priority":5}`, 200, nil},
		{"POST", "/_index_template/_simulate_index/x-y1", ``, 200, []string{`{"template":{"settings":{"index":{"number_of_shards":"2"}},"mappings":{"properties":{"a":{"type":"keyword"}}},"aliases":{"al":{}}},"overlapping":[{"name":"u","index_patterns":["x-y*"]}]}`}},
		{"POST", "/_index_template/_simulate/t", ``, 200, []string{`"number_of_shards":"2"`, `"name":"u"`}},
		{"POST", "/_index_template/_simulate", `{"index_patterns":["q-*"],"template":{"settings":{"number_of_replicas":3}}}`, 200, []string{`"number_of_replicas":"3"`, `"overlapping":[]`}},
		{"POST", "/_index_template/_simulate/none", ``, 400, []string{`unable to simulate template [none] that does not exist`}},
		{"HEAD", "/x-y1", ``, 404, nil},
	})
}

func TestResizeAndBlocks(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{{"PUT", "/a", `{"settings":{"number_of_shards":4},"mappings":{"properties":{"n":{"type":"integer"}}}}`, 200, nil}})
	fill(t, srv, "a", 25)
	talk(t, srv, []turn{
		{"PUT", "/a/_doc/r?routing=q", `{"n":7}`, 201, nil},
		{"POST", "/a/_clone/b", ``, 500, []string{`must be read-only to resize index. use \"index.blocks.write=true\"`}},
		{"PUT", "/a/_block/write", ``, 200, []string{`{"acknowledged":true,"shards_acknowledged":true,"indices":[{"name":"a","blocked":true}]}`}},
		{"PUT", "/a/_doc/x", `{"n":1}`, 403, []string{`index [a] blocked by: [FORBIDDEN/8/index write (api)];`}},
		{"POST", "/a/_clone/b", `{"aliases":{"al":{}}}`, 200, []string{`"index":"b"`}},
		{"GET", "/al/_count", ``, 200, []string{`"count":26`}},
		{"PUT", "/b/_doc/x", `{"n":1}`, 201, nil},
		{"GET", "/b/_mapping", ``, 200, []string{`"n":{"type":"integer"}`}},
		{"POST", "/a/_shrink/c", `{"settings":{"number_of_shards":3}}`, 400, []string{`the number of source shards [4] must be a multiple of [3]`}},
		{"POST", "/a/_shrink/c", `{"settings":{"number_of_shards":2}}`, 200, nil},
		{"GET", "/c/_settings", ``, 200, []string{`"number_of_shards":"2"`}},
		{"POST", "/a/_split/d", `{"settings":{"number_of_shards":6}}`, 400, []string{`the number of source shards [4] must be a factor of [6]`}},
		{"POST", "/a/_split/d", `{"settings":{"number_of_shards":8}}`, 200, nil},
		{"POST", "/a/_clone/b", ``, 400, []string{`resource_already_exists_exception`}},
		{"PUT", "/b/_block/read", ``, 200, nil},
		{"GET", "/b/_search", ``, 403, []string{`FORBIDDEN/7/index read (api)`}},
		{"PUT", "/b/_block/nonsense", ``, 400, []string{`No block found with name nonsense`}},
		{"PUT", "/b/_settings", `{"index.blocks.read":null}`, 200, nil},
		{"PUT", "/b/_block/read_only", ``, 200, nil},
		{"DELETE", "/b", ``, 403, []string{`FORBIDDEN/5/index read-only (api)`}},
		{"PUT", "/b/_settings", `{"index.blocks.read_only":false}`, 200, nil},
		{"DELETE", "/b", ``, 200, nil},
	})
	if _, out := do(t, srv, "GET", "/c/_doc/r", ""); !strings.Contains(out, `"n":7`) {
		t.Errorf("routed document: %s", out)
	}
}
