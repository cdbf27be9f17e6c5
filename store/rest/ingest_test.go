package rest

import (
	"strings"
	"testing"
)

func TestIngestPipelines(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{
		{"PUT", "/_ingest/pipeline/p", `{"description":"d","processors":[{"set":{"field":"at","value":"{{n}}-x"}},{"lowercase":{"field":"name","ignore_missing":true}},{"drop":{"if":"ctx.n == 13"}},{"rename":{"field":"old","target_field":"new.name","if":"ctx.containsKey('old')"}}]}`, 200, []string{`acknowledged`}},
		{"GET", "/_ingest/pipeline/p", ``, 200, []string{`{"p":{"description":"d"`}},
		{"GET", "/_ingest/pipeline/none", ``, 404, []string{`{}`}},
		{"PUT", "/a/_doc/1?pipeline=p", `{"n":1,"name":"BOB","old":true}`, 201, nil},
		{"GET", "/a/_source/1", ``, 200, []string{`{"n":1,"name":"bob","at":"1-x","new":{"name":true}}`}},
		{"PUT", "/a/_doc/2?pipeline=p", `{"n":13}`, 200, []string{`"result":"noop"`}},
		{"GET", "/a/_doc/2", ``, 404, nil},
		{"PUT", "/a/_doc/3?pipeline=none", `{"n":1}`, 400, []string{`pipeline with id [none] does not exist`}},
		{"POST", "/_bulk", "{\"index\":{\"_index\":\"a\",\"_id\":\"5\",\"pipeline\":\"p\"}}\n{\"n\":5}\n{\"index\":{\"_index\":\"a\",\"_id\":\"6\",\"pipeline\":\"none\"}}\n{\"n\":6}\n{\"index\":{\"_index\":\"a\",\"_id\":\"7\"}}\n{\"n\":7}\n", 200,
			[]string{`"errors":true`, `"_id":"6","status":400,"error":{"type":"illegal_argument_exception","reason":"pipeline with id [none] does not exist"}`}},
		{"GET", "/a/_mget", `{"ids":["5","7"]}`, 200, []string{`"_source":{"n":5,"at":"5-x"}`, `"_source":{"n":7}`}},
		{"PUT", "/b", `{"settings":{"default_pipeline":"p","final_pipeline":"f"}}`, 200, nil},
		{"PUT", "/_ingest/pipeline/f", `{"processors":[{"set":{"field":"final","value":true}}]}`, 200, nil},
		{"PUT", "/b/_doc/1", `{"n":1}`, 201, nil},
		{"GET", "/b/_source/1", ``, 200, []string{`{"n":1,"at":"1-x","final":true}`}},
		{"PUT", "/b/_doc/2?pipeline=_none", `{"n":1}`, 201, nil},
		{"GET", "/b/_source/2", ``, 200, []string{`{"n":1,"final":true}`}},
		{"DELETE", "/_ingest/pipeline/p", ``, 400, []string{`pipeline [p] cannot be deleted because it is the default pipeline for index [b]`}},
		{"DELETE", "/_ingest/pipeline/none", ``, 404, []string{`pipeline [none] is missing`}},
		{"POST", "/_reindex", `{"source":{"index":"a"},"dest":{"index":"c","pipeline":"f"}}`, 200, []string{`"created":3`}},
		{"GET", "/c/_source/7", ``, 200, []string{`"final":true`}},
		{"PUT", "/_ingest/pipeline/r", `{"processors":[{"reroute":{"destination":"elsewhere"}},{"fail":{"message":"not reached"}}]}`, 200, nil},
		{"PUT", "/a/_doc/9?pipeline=r", `{"n":9}`, 201, []string{`"_index":"elsewhere"`}},
	})
}

func TestIngestRefusals(t *testing.T) {
	t.Parallel()
	talk(t, newServer(t), []turn{
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"set":{"value":1,"tag":"t1"}}]}`, 400, []string{`"type":"parse_exception","reason":"[field] required property is missing","processor_type":"set","processor_tag":"t1","property_name":"field"`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"nonsense":{}}]}`, 400, []string{`No processor type exists with name [nonsense]`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"set":{"field":"a","value":1,"whatever":2}}]}`, 400, []string{`processor [set] doesn't support one or more provided configuration parameters [whatever]`}},
		{"PUT", "/_ingest/pipeline/x", `{}`, 400, []string{`[processors] required property is missing`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[],"what":1}`, 400, []string{`doesn't support one or more provided configuration parameters [what]`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"drop":{"if":"ctx.a +"}}]}`, 400, []string{`script_exception`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"gsub":{"field":"a","pattern":"(","replacement":""}}]}`, 400, []string{`Invalid regex pattern`}},
		{"PUT", "/_ingest/pipeline/x", `{"processors":[{"grok":{"field":"a","patterns":["%{IP:x}"]}}]}`, 400, []string{`[grok] is not available in this process`}},
		{"PUT", "/_ingest/pipeline/one", `{"processors":[{"pipeline":{"name":"two"}}]}`, 200, nil},
		{"PUT", "/_ingest/pipeline/two", `{"processors":[{"pipeline":{"name":"one"}}]}`, 200, nil},
		{"PUT", "/a/_doc/1?pipeline=one", `{"n":1}`, 400, []string{`Cycle detected for pipeline: one`}},
	})
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{
		{"POST", "/_ingest/pipeline/_simulate", `{"pipeline":{"processors":[{"set":{"field":"b","value":"{{a}}!"}}]},"docs":[{"_source":{"a":"x"}},{"_index":"i","_id":"7","_source":{}}]}`, 200,
			[]string{`{"docs":[{"doc":{"_index":"_index","_version":"-3","_id":"_id","_source":{"a":"x","b":"x!"},"_ingest":{"timestamp":"`, `{"doc":{"_index":"i","_version":"-3","_id":"7","_source":{"b":"!"}`}},
		{"POST", "/_ingest/pipeline/_simulate", `{"pipeline":{"processors":[{"fail":{"message":"no {{a}}"}}]},"docs":[{"_source":{"a":"x"}}]}`, 200, []string{`{"error":{"root_cause":[{"type":"fail_processor_exception","reason":"no x"}]`}},
		{"POST", "/_ingest/pipeline/_simulate?verbose", `{"pipeline":{"processors":[{"set":{"field":"b","value":1,"tag":"one"}},{"remove":{"field":"none","ignore_failure":true}},{"drop":{"if":"ctx.b == 2"}},{"fail":{"message":"m","on_failure":[{"set":{"field":"err","value":"{{_ingest.on_failure_message}}"}}]}}]},"docs":[{"_source":{}}]}`, 200,
			[]string{`"processor_type":"set","status":"success","tag":"one","doc":`, `"status":"error_ignored"`, `"status":"skipped"`, `"processor_type":"fail","status":"error","error":`, `"err":"m"`}},
		{"POST", "/_ingest/pipeline/_simulate", `{"pipeline":{"processors":[]}}`, 400, []string{`[docs] required property is missing`}},
		{"POST", "/_ingest/pipeline/nothere/_simulate", `{"docs":[{"_source":{}}]}`, 400, []string{`pipeline [nothere] does not exist`}},
		{"POST", "/_ingest/pipeline/_simulate", `{"pipeline":{"processors":[{"drop":{}}]},"docs":[{"_source":{}}]}`, 200, []string{`{"docs":[null]}`}},
	})
}

// TestDefaultPipelineOfTemplate: an index that a write makes takes its template's pipeline at once.
func TestDefaultPipelineOfTemplate(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	talk(t, srv, []turn{
		{"PUT", "/_ingest/pipeline/p", `{"processors":[{"set":{"field":"seen","value":true}}]}`, 200, nil},
		{"PUT", "/_index_template/t", `{"index_patterns":["app-*"],"template":{"settings":{"index.default_pipeline":"p"}}}`, 200, nil},
		{"PUT", "/app-1/_doc/1", `{"n":1}`, 201, nil},
		{"GET", "/app-1/_source/1", ``, 200, []string{`{"n":1,"seen":true}`}},
	})
	var b strings.Builder
	for range 3 {
		b.WriteString("{\"create\":{\"_index\":\"app-2\"}}\n{\"n\":1}\n")
	}
	do(t, srv, "POST", "/_bulk", b.String())
	talk(t, srv, []turn{{"POST", "/app-2/_count", `{"query":{"term":{"seen":true}}}`, 200, []string{`"count":3`}}})
}
