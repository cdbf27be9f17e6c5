package main

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// weirCommand runs a command in this process and gives its exit code and output.
func weirCommand(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

// TestPipelineLive: a running pipeline is listed and changed by SIGHUP; its dead letters are shown and put back; its topic is run
// again, by another text, into another index.
func TestPipelineLive(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := func(kind, number string) string {
		return `input { kafka { topics => ["logs"] codec => json } }
filter {
  grok { match => { "message" => "^%{NOTSPACE:n} %{WORD:name}" } }
  mutate { add_field => { "kind" => "` + kind + `" } ` + number + ` }
}
output { elasticsearch { index => "strict" action => "index" } }`
	}
	writeFiles(t, dir, map[string]string{
		"weir.yml":    "agent.inputs: [{paths: [logs/*.log]}]\npipelines: [{path.config: p.conf}]\n",
		"p.conf":      text("first", ""),
		"replay.conf": text("again", `replace => { "n" => "7" }`),
		"logs/.keep":  "",
	})
	p := startWeir(t, append([]string{"up", "-c", filepath.Join(dir, "weir.yml"), "--data", filepath.Join(dir, "data")}, freePorts...)...)
	req, _ := http.NewRequest("PUT", p.Elasticsearch+"/strict", strings.NewReader(`{"mappings":{"properties":{"n":{"type":"long"}}}}`))
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	writeFiles(t, dir, map[string]string{"logs/a.log": "1 first\n", "logs/b.log": "many second\n"})
	docs := func(index, query string, want int) func() bool {
		return func() bool {
			var answer struct{ Count int }
			p.search(t, "/"+index+"/_count", query, &answer)
			return answer.Count == want
		}
	}
	kindIs := func(kind string) string { return `{"query":{"match":{"kind":"` + kind + `"}}}` }
	waitFor(t, 60*time.Second, "the first document", docs("strict", kindIs("first"), 1))
	dead := func(args ...string) (int, string) {
		return weirCommand(t, append([]string{"pipeline", "dead", "--queue", p.Kafka}, args...)...)
	}

	writeFiles(t, dir, map[string]string{"p.conf": text("second", "")})
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, 60*time.Second, "the changed text", func() bool {
		code, out := weirCommand(t, "pipeline", "ls", "--server", p.UI)
		if code != 0 {
			t.Fatalf("ls: %d %s", code, out)
		}
		return strings.Contains(out, "1 ok, 0 failed") && strings.Contains(out, "running")
	})
	writeFiles(t, dir, map[string]string{"logs/c.log": "3 third\n"})
	waitFor(t, 60*time.Second, "a document of the changed text", docs("strict", kindIs("second"), 1))

	waitFor(t, 60*time.Second, "a dead letter", func() bool { _, out := dead("ls"); return strings.Contains(out, "rejected") })
	_, out := dead("ls")
	place := strings.Fields(strings.Split(out, "\n")[1])[0]
	if code, out := dead("show", place); code != 0 || !strings.Contains(out, "many second") || !strings.Contains(out, `"status": 400`) {
		t.Errorf("dead show: %d %s", code, out)
	}
	if code, out := dead("replay", "--dry-run"); code != 0 || !strings.Contains(out, "1 records would be put into logs") {
		t.Errorf("dead replay --dry-run: %d %s", code, out)
	}
	if code, out := dead("replay"); code != 0 || !strings.Contains(out, "1 records put into logs") {
		t.Errorf("dead replay: %d %s", code, out)
	}
	waitFor(t, 60*time.Second, "a second dead letter", func() bool { _, out := dead("ls"); return strings.Count(out, "rejected") == 2 })
	if code, out := dead("show", "0@99"); code != 1 {
		t.Errorf("dead show of nothing: %d %s", code, out)
	}

	for range 2 { // the second time makes no document twice
		code, out := weirCommand(t, "pipeline", "replay", "-f", filepath.Join(dir, "replay.conf"), "--topic", "logs", "--index", "again", "--queue", p.Kafka, "--store", p.Elasticsearch)
		if code != 0 || !strings.Contains(out, "read 4 of 4 records, wrote 4 documents into again, dropped 0, dead letters 0") {
			t.Fatalf("replay: %d %s", code, out)
		}
	}
	waitFor(t, 30*time.Second, "the replayed documents", docs("again", kindIs("again"), 4))
	p.stop(t)
}
