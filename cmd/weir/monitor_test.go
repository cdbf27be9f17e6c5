package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLogstashAPI asks the monitor's port as Logstash's users and their tools do.
func TestLogstashAPI(t *testing.T) {
	t.Parallel()
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"errors":false,"items":[]}`) }))
	t.Cleanup(cluster.Close) // behind the pipeline's end
	call, _ := apiOf(t, `input { generator { count => 10 lines => ["a 1", "b"] } tcp { port => 0 id => "push" } }
filter { grok { id => "words" match => { "message" => "%{WORD:word} %{INT:n}" } } }
output { elasticsearch { id => "es" hosts => "`+cluster.URL+`" } }`)
	at := func(v any, path string) any {
		for _, k := range strings.Split(path, "/") {
			switch x := v.(type) {
			case map[string]any:
				v = x[k]
			case []any:
				if len(x) == 0 {
					return nil
				}
				v = x[0].(map[string]any)[k]
			default:
				return nil
			}
		}
		return v
	}
	for path, wants := range map[string][]string{
		"/":                {"host", "version", "http_address", "id", "name", "ephemeral_id", "status", "pipeline/workers", "pipeline/batch_size", "pipeline/batch_delay"},
		"/_node":           {"pipelines/main/workers", "pipelines/main/hash", "os/available_processors", "jvm/pid", "jvm/mem/heap_max_in_bytes"},
		"/_node/pipelines": {"pipelines/main/batch_size", "pipelines/main/config_reload_interval"},
		"/_node/plugins":   {"total", "plugins/name"},
		"/_node/logging":   {"loggers"},
		"/_node/stats":     {"jvm/mem/heap_used_in_bytes", "jvm/mem/heap_used_percent", "jvm/threads/count", "jvm/gc/collectors/old/collection_count", "jvm/uptime_in_millis", "process/open_file_descriptors", "process/cpu/total_in_millis", "events/in", "events/filtered", "events/out", "events/duration_in_millis", "flow/input_throughput/lifetime", "reloads/successes", "pipelines/main/events/in"},
		"/_node/stats/jvm": {"jvm/mem/heap_used_in_bytes"},
		"/_node/stats/pipelines/main": {"pipelines/main/events/queue_push_duration_in_millis", "pipelines/main/plugins/inputs/events/out", "pipelines/main/plugins/filters/id", "pipelines/main/plugins/filters/patterns/hits",
			"pipelines/main/plugins/filters/flow/worker_millis_per_event/lifetime", "pipelines/main/plugins/outputs/documents/successes", "pipelines/main/plugins/outputs/bulk_requests/failures",
			"pipelines/main/queue/type", "pipelines/main/queue/max_queue_size_in_bytes", "pipelines/main/reloads/failures", "pipelines/main/dead_letter_queue/queue_size_in_bytes", "pipelines/main/hash",
			"pipelines/main/flow/worker_concurrency/lifetime", "pipelines/main/flow/queue_backpressure/lifetime"},
		"/_health_report": {"status", "indicators/pipelines/indicators/main/status"},
	} {
		code, v := call("GET", path, "")
		if code != 200 {
			t.Errorf("%s: %d", path, code)
		}
		for _, w := range wants {
			if at(v, w) == nil {
				t.Errorf("%s has no %s: %v", path, w, v)
			}
		}
	}
	if _, v := call("GET", "/_node/stats/pipelines/main", ""); at(v, "pipelines/main/queue/type") != "persisted" {
		t.Errorf("queue %v", at(v, "pipelines/main/queue"))
	}
	for _, path := range []string{"/_node/nothing", "/_node/stats/nothing", "/_node/stats/pipelines/nobody", "/_node/pipelines/nobody"} {
		if code, v := call("GET", path, ""); code != http.StatusNotFound || v["status"] != 404.0 {
			t.Errorf("%s: %d %v", path, code, v)
		}
	}
	w := httptest.NewRecorder()
	hotThreads(w, httptest.NewRequest("GET", "/_node/hot_threads", nil))
	if !strings.Contains(w.Body.String(), "Hot threads at") || !strings.Contains(w.Body.String(), "goroutine profile") {
		t.Errorf("hot threads: %s", w.Body)
	}
}
