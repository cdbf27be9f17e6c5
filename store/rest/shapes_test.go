package rest

import (
	"strings"
	"testing"
)

// TestFilebeatSetup: the calls of a Filebeat's setup and first batch, versions 7 and 8.
func TestFilebeatSetup(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"GET", "/", ``, 200, []string{`"number":"8.19.0"`}},
		{"GET", "/_license?human=false", ``, 200, []string{`"status":"active"`, `"type":"basic"`}},
		{"GET", "/_xpack", ``, 200, []string{`"ilm":{"available":true,"enabled":true}`}},
		{"GET", "/_ilm/policy/filebeat", ``, 404, nil},
		{"PUT", "/_ilm/policy/filebeat", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_age":"30d","max_primary_shard_size":"50gb"}}}}}}`, 200, nil},
		{"HEAD", "/_index_template/filebeat-8.19.0", ``, 404, nil},
		{"PUT", "/_index_template/filebeat-8.19.0", `{"data_stream":{},"index_patterns":["filebeat-8.19.0"],"priority":150,"template":{"mappings":{"_meta":{"beat":"filebeat","version":"8.19.0"},"date_detection":false,"dynamic_templates":[{"strings_as_keyword":{"mapping":{"ignore_above":1024,"type":"keyword"},"match_mapping_type":"string"}}],"properties":{"@timestamp":{"type":"date"},"message":{"type":"match_only_text"},"log":{"properties":{"offset":{"type":"long"}}}}},"settings":{"index":{"lifecycle":{"name":"filebeat"},"mapping":{"total_fields":{"limit":12500}},"max_docvalue_fields_search":200,"number_of_shards":1,"query":{"default_field":["message"]},"refresh_interval":"5s"}}}}`, 200, nil},
		{"GET", "/_data_stream/filebeat-8.19.0", ``, 404, nil},
		{"PUT", "/_data_stream/filebeat-8.19.0", ``, 200, nil},
		{"PUT", "/_ingest/pipeline/filebeat-8.19.0-nginx-access", `{"description":"d","processors":[{"set":{"field":"event.ingested","value":"{{_ingest.timestamp}}"}},{"rename":{"field":"message","target_field":"event.original","ignore_missing":true,"if":"ctx.event?.original == null"}}],"on_failure":[{"set":{"field":"error.message","value":"{{ _ingest.on_failure_message }}"}}]}`, 200, nil},
		{"GET", "/_ingest/pipeline/filebeat-8.19.0-nginx-access", ``, 200, nil},
		{"POST", "/_bulk", `{"create":{"_index":"filebeat-8.19.0","pipeline":"filebeat-8.19.0-nginx-access"}}` + "\n" + `{"@timestamp":"2026-11-22T01:02:03.000Z","message":"GET /","agent":{"name":"h","type":"filebeat"},"log":{"offset":10}}` + "\n", 200, []string{`"errors":false`, `"_index":".ds-filebeat-8.19.0-`, `"status":201`}},
		{"GET", "/filebeat-8.19.0/_search", `{"query":{"term":{"event.original":"GET /"}}}`, 200, []string{`"value":1`}},
		{"GET", "/filebeat-8.19.0/_ilm/explain", ``, 200, []string{`"policy":"filebeat"`}},

		{"GET", "/_alias/filebeat-7.17.28", ``, 404, nil},
		{"HEAD", "/filebeat-7.17.28", ``, 404, nil},
		{"PUT", "/%3Cfilebeat-7.17.28-%7Bnow%2Fd%7D-000001%3E", `{"aliases":{"filebeat-7.17.28":{"is_write_index":true}}}`, 200, []string{`"acknowledged":true`}},
		{"POST", "/_bulk", `{"create":{"_index":"filebeat-7.17.28"}}` + "\n" + `{"@timestamp":"2026-11-22T01:02:03.000Z","message":"x"}` + "\n", 200, []string{`"errors":false`}},
		{"GET", "/_alias/filebeat-7.17.28", ``, 200, []string{`"is_write_index":true`}},
	})
}

// TestLogstashSetup: the calls of Logstash's elasticsearch output.
func TestLogstashSetup(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"HEAD", "/", ``, 200, nil},
		{"GET", "/_license", ``, 200, []string{`"status":"active"`}},
		{"HEAD", "/_index_template/logstash", ``, 404, nil},
		{"PUT", "/_index_template/logstash", `{"index_patterns":["logstash-*"],"template":{"settings":{"index":{"mapping.total_fields.limit":10000,"refresh_interval":"5s","lifecycle":{"name":"logstash-policy","rollover_alias":"logstash"}}},"mappings":{"dynamic_templates":[{"message_field":{"path_match":"message","match_mapping_type":"string","mapping":{"type":"text","norms":false}}}],"properties":{"@timestamp":{"type":"date"},"geoip":{"dynamic":true,"properties":{"location":{"type":"geo_point"}}}}}},"priority":200,"version":80001}`, 200, nil},
		{"HEAD", "/logstash", ``, 404, nil},
		{"PUT", "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E", `{"aliases":{"logstash":{"is_write_index":true}}}`, 200, nil},
		{"GET", "/_ilm/policy/logstash-policy", ``, 404, nil},
		{"PUT", "/_ilm/policy/logstash-policy", `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_size":"50gb","max_age":"30d"}}}}}}`, 200, nil},
		{"POST", "/_bulk?filter_path=errors,items.*.error,items.*.status", `{"index":{"_id":null,"_index":"logstash","routing":null}}` + "\n" + `{"@timestamp":"2026-11-22T01:02:03.000Z","message":"x","@version":"1"}` + "\n", 200, []string{`{"errors":false,"items":[{"index":{"status":201}}]}`}},
		{"GET", "/_nodes/http", ``, 200, []string{`"publish_address"`}},
		{"POST", "/logstash/_rollover", ``, 200, []string{`-000002","rolled_over":true`, `"new_index":"logstash-20`}},
	})
}

// TestGrafanaQueries: the requests of Grafana's Elasticsearch data source.
func TestGrafanaQueries(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var b strings.Builder
	for _, d := range []string{`{"@timestamp":"2026-11-22T00:00:10Z","level":"error","took":12.5,"message":"disk full"}`, `{"@timestamp":"2026-11-22T00:00:40Z","level":"info","took":2.5,"message":"ok"}`, `{"@timestamp":"2026-11-22T00:01:50Z","level":"error","took":7.5,"message":"disk again"}`} {
		b.WriteString("{\"create\":{\"_index\":\"logs-g-x\"}}\n" + d + "\n")
	}
	do(t, srv, "POST", "/_bulk", b.String())
	header := `{"ignore_unavailable":true,"index":"logs-g-x,gone-2026.11.22","search_type":"query_then_fetch"}` + "\n"
	filter := `"query":{"bool":{"filter":[{"range":{"@timestamp":{"gte":1795305600000,"lte":1795305720000,"format":"epoch_millis"}}},{"query_string":{"analyze_wildcard":true,"query":"*"}}]}}`
	talk(t, srv, []turn{
		{"GET", "/", ``, 200, []string{`"number"`}},
		{"GET", "/logs-g-x/_mapping", ``, 200, []string{`"level":{"type":"keyword"`}},
		{"GET", "/logs-g-x/_field_caps?fields=*", ``, 200, []string{`"took"`}},
		{"POST", "/_msearch?max_concurrent_shard_requests=5", header + `{"size":0,` + filter + `,"aggs":{"2":{"date_histogram":{"field":"@timestamp","fixed_interval":"30000ms","min_doc_count":0,"extended_bounds":{"min":1795305600000,"max":1795305720000},"format":"epoch_millis"},"aggs":{"1":{"avg":{"field":"took"}}}}}}` + "\n", 200,
			[]string{`"buckets":[{"key_as_string":"1795305600000","key":1795305600000,"doc_count":1,"1":{"value":12.5}}`, `"key":1795305660000,"doc_count":0,"1":{"value":null}`, `"status":200`}},
		{"POST", "/_msearch", header + `{"size":0,` + filter + `,"aggs":{"3":{"terms":{"field":"level","size":10,"order":{"1":"desc"},"min_doc_count":1},"aggs":{"1":{"avg":{"field":"took"}}}}}}` + "\n", 200, []string{`"key":"error","doc_count":2,"1":{"value":10.0}`}},
		{"POST", "/_msearch", header + `{"size":0,` + filter + `,"aggs":{"3":{"terms":{"field":"level","size":10,"order":{"1[99.0]":"desc"}},"aggs":{"1":{"percentiles":{"field":"took","percents":["99.0"]}}}}}}` + "\n", 200, []string{`"99.0":`}},
		{"POST", "/_msearch", header + `{"size":500,` + filter + `,"sort":[{"@timestamp":{"order":"desc","unmapped_type":"boolean"}},{"_doc":{"order":"desc"}}],"script_fields":{},"docvalue_fields":["@timestamp"],"highlight":{"fields":{"*":{}},"pre_tags":["@HIGHLIGHT@"],"post_tags":["@/HIGHLIGHT@"],"fragment_size":2147483647}}` + "\n", 200, []string{`"disk again"`, `"sort":[1795305710000`}},
		{"POST", "/_msearch", `{"ignore_unavailable":true,"index":"gone-2026.11.22"}` + "\n" + `{"size":0,` + filter + `}` + "\n", 200, []string{`"total":{"value":0`}},
	})
}

// TestKibanaRequests: an asynchronous search as Kibana's Discover writes it.
func TestKibanaRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	do(t, srv, "POST", "/logs-k-x/_doc", `{"@timestamp":"2026-11-22T00:00:10Z","level":"error","message":"disk full"}`)
	talk(t, srv, []turn{
		{"POST", "/logs-k-*/_async_search?batched_reduce_size=64&ccs_minimize_roundtrips=true&wait_for_completion_timeout=5s&keep_on_completion=false&keep_alive=60000ms&ignore_unavailable=true&preference=1700000000000",
			`{"size":0,"track_total_hits":true,"runtime_mappings":{},"script_fields":{},"stored_fields":["*"],"_source":false,"fields":[{"field":"*","include_unmapped":"true"},{"field":"@timestamp","format":"strict_date_optional_time"}],"aggs":{"2":{"date_histogram":{"field":"@timestamp","calendar_interval":"1h","time_zone":"Asia/Seoul","min_doc_count":1}}},"query":{"bool":{"must":[],"filter":[{"range":{"@timestamp":{"format":"strict_date_optional_time","gte":"2026-11-21T00:00:00.000Z","lte":"2026-11-23T00:00:00.000Z"}}},{"match_phrase":{"level":"error"}}],"should":[],"must_not":[]}}}`, 200,
			[]string{`"is_running":false`, `"total":{"value":1,"relation":"eq"}`, `"key_as_string":"2026-11-22T09:00:00.000+09:00"`}},
	})
}
