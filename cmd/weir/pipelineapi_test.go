package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline/fleet"
	"github.com/weirlog/weir/web/live"
)

// apiOf runs one pipeline of a file and serves the API over it.
func apiOf(t *testing.T, text string) (call func(method, path, body string) (int, map[string]any), file string) {
	t.Helper()
	n, file := fleetOf(t, text)
	mux := http.NewServeMux()
	mux.Handle("/weir/", pipelineAPI{n}.handler())
	n.logstashAPI(mux)
	return func(method, path, body string) (int, map[string]any) {
		t.Helper()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		var v map[string]any
		if err := json.NewDecoder(w.Body).Decode(&v); err != nil && err != io.EOF {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		return w.Code, v
	}, file
}

// fleetOf is a node that runs one pipeline of a file, and nothing else.
func fleetOf(t *testing.T, text string) (n *node, file string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "p.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config.DefaultWeir()
	cfg.Data = filepath.Join(dir, "data")
	n = &node{cfg: cfg, log: slog.New(slog.DiscardHandler), hub: live.NewHub()}
	fp, err := n.fleetPipeline(t.Context(), config.Pipeline{ID: "main", Path: file, ECS: "v8"})
	if err != nil {
		t.Fatal(err)
	}
	if n.fleet, err = fleet.Open(fleet.Config{Pipelines: []fleet.Pipeline{fp}, Log: n.log}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.fleet.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n, file
}

const apiConf = `input { heartbeat { interval => 3600 } }
filter { mutate { add_field => { "kind" => "one" } } }
output { pipeline { send_to => "nobody" ensure_delivery => false } }
`

func filesBody(t *testing.T, file, text string, more map[string]any) string {
	t.Helper()
	body := map[string]any{"files": []map[string]string{{"name": file, "text": text}}}
	for k, v := range more {
		body[k] = v
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPipelineAPI(t *testing.T) {
	t.Parallel()
	call, file := apiOf(t, apiConf)
	code, v := call("GET", "/weir/pipelines", "")
	first := v["pipelines"].([]any)[0].(map[string]any)
	if code != 200 || first["id"] != "main" || first["source"] != "files" || first["writable"] != true {
		t.Fatalf("list: %d %v", code, v)
	}
	code, v = call("GET", "/weir/pipelines/main", "")
	if code != 200 || v["files"].([]any)[0].(map[string]any)["text"] != apiConf {
		t.Fatalf("show: %d %v", code, v)
	}
	base := v["hash"]
	bad := strings.Replace(apiConf, "add_field", "add_feild", 1)
	_, v = call("POST", "/weir/pipelines/check", filesBody(t, file, bad, map[string]any{"id": "main"}))
	p := v["problems"].([]any)[0].(map[string]any)
	if v["ok"] != false || p["line"] != 2.0 || p["column"] != 19.0 || p["length"] != 9.0 || p["hint"] != "did you mean add_field?" || !strings.Contains(p["text"].(string), "add_feild") {
		t.Errorf("check: %v", v)
	}
	changed := strings.Replace(apiConf, "one", "two", 1)
	code, v = call("POST", "/weir/pipelines/main/preview", filesBody(t, file, changed, map[string]any{"sample": map[string]any{"lines": []string{"a", "b"}}}))
	if code != 200 || len(v["after"].([]any)) != 2 {
		t.Fatalf("preview: %d %v", code, v)
	}
	d := v["comparison"].(map[string]any)["differences"].([]any)
	if len(d) != 2 {
		t.Errorf("differences: %v", v["comparison"])
	}
	if code, v = call("POST", "/weir/pipelines/main/preview", filesBody(t, file, bad, map[string]any{"sample": map[string]any{"lines": []string{"a"}}})); code != 200 || v["after"] != nil || len(v["problems"].([]any)) != 1 {
		t.Errorf("preview of a broken text: %d %v", code, v)
	}
	if code, v = call("POST", "/weir/pipelines/main/apply", filesBody(t, file, bad, nil)); code != 422 || len(v["problems"].([]any)) != 1 {
		t.Errorf("apply of a broken text: %d %v", code, v)
	}
	if code, v = call("POST", "/weir/pipelines/main/apply", filesBody(t, file, changed, map[string]any{"base": base, "note": "two"})); code != 200 || v["how"] != "filters" {
		t.Fatalf("apply: %d %v", code, v)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != changed {
		t.Errorf("the file holds %s, %v", b, err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("the file's mode is %v, %v", st.Mode(), err)
	}
	if code, _ = call("POST", "/weir/pipelines/main/apply", filesBody(t, file, apiConf, map[string]any{"base": base})); code != 409 {
		t.Errorf("apply of an old text: %d", code)
	}
	if code, v = call("GET", "/weir/pipelines/main/history", ""); code != 200 || len(v["versions"].([]any)) != 2 {
		t.Errorf("history: %d %v", code, v)
	}
	if code, v = call("GET", "/weir/pipelines/main/history/1", ""); code != 200 || v["files"].([]any)[0].(map[string]any)["text"] != apiConf {
		t.Errorf("version 1: %d %v", code, v)
	}
	if code, v = call("POST", "/weir/pipelines/main/rollback", `{"version": 1}`); code != 200 || v["version"] != 3.0 {
		t.Errorf("rollback: %d %v", code, v)
	}
	for _, path := range []string{"/weir/pipelines/nobody", "/weir/pipelines/main/history/99", "/weir/pipelines/nobody/stats"} {
		if code, _ := call("GET", path, ""); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, v = call("POST", "/weir/pipelines/format", `{"text": "filter{mutate{id=>ab}}"}`); code != 200 || !strings.HasPrefix(v["text"].(string), "filter {\n") {
		t.Errorf("format: %d %v", code, v)
	}
	if code, v = call("GET", "/weir/pipelines/plugins", ""); code != 200 || len(v["filters"].([]any)) < 20 || len(v["patterns"].([]any)) < 300 {
		t.Errorf("plugins: %d", code)
	}
	if code, v = call("GET", "/weir/pipelines/main/stats", ""); code != 200 || v["reloads"].(map[string]any)["successes"] != 2.0 || v["reloads"].(map[string]any)["failures"] != 1.0 {
		t.Errorf("stats: %d %v", code, v["reloads"])
	}
	if code, _ = call("POST", "/weir/pipelines/check", `{`); code != 400 {
		t.Errorf("a broken body: %d", code)
	}
}
