package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// writeFiles puts texts into a folder.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBadInput: what no parser likes goes on, tagged, and harms nothing else.
func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Repeat("x", 10<<20)
	writeFiles(t, dir, map[string]string{
		"weir.yml": "agent.inputs: [{paths: [logs/*.log]}]\npipelines: [{path.config: p.conf}]\n",
		"p.conf": `input { kafka { topics => ["logs"] codec => json } }
filter { if [message] =~ /^\{/ { json { source => "message" target => "parsed" } } }
output { elasticsearch { data_stream => true data_stream_dataset => "bad" } }`,
		"logs/utf8.log":  "before\nbad \xff\xfe bytes\nafter\n",
		"logs/nul.log":   "nul \x00 inside\n",
		"logs/empty.log": "",
		"logs/json.log":  "{\"ok\":1}\n{\"ok\":\n{not json}\n",
		"logs/long.log":  long + "\nshort\n",
		"logs/crlf.log":  "one\r\ntwo\r\n",
	})
	p := startWeir(t, append([]string{"up", "-c", filepath.Join(dir, "weir.yml"), "--data", filepath.Join(dir, "data")}, freePorts...)...)
	const lines = 3 + 1 + 3 + 2 + 2
	waitFor(t, 60*time.Second, "all lines as documents", func() bool { return p.count(t) >= lines })
	var answer struct {
		Hits struct {
			Hits []struct {
				Source struct {
					Message string
					Tags    []string
					Parsed  map[string]any
					Log     struct{ Flags []string }
				} `json:"_source"`
			}
		}
	}
	p.search(t, "/logs-bad-default/_search", `{"size":100}`, &answer)
	found := map[string]bool{}
	failed := 0
	for _, h := range answer.Hits.Hits {
		m := h.Source.Message
		found[m[:min(len(m), 40)]] = true
		for _, tag := range h.Source.Tags {
			if tag == "_jsonparsefailure" {
				failed++
			}
		}
		if len(m) > 1<<20 {
			t.Errorf("a message of %d bytes was not cut", len(m))
		}
	}
	for _, want := range []string{"before", "bad \uFFFD\uFFFD bytes", "after", "nul \x00 inside", "one", "two", "short", long[:40], "{\"ok\":", "{not json}"} {
		if !found[want] {
			t.Errorf("no document with message %q", want)
		}
	}
	if len(answer.Hits.Hits) != lines || failed != 2 {
		t.Errorf("%d documents, %d tagged _jsonparsefailure; want %d and 2", len(answer.Hits.Hits), failed, lines)
	}
	p.stop(t)
}

// TestRejected: a document that the mapping refuses is refused alone, counted, and kept in the dead-letter topic.
func TestRejected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"weir.yml": "agent.inputs: [{paths: [logs/*.log]}]\npipelines: [{path.config: p.conf}]\n",
		"p.conf": `input { kafka { topics => ["logs"] codec => json } }
filter { grok { match => { "message" => "^%{NOTSPACE:n} %{WORD:name}" } } }
output { elasticsearch { index => "strict" action => "index" } }`,
	})
	p := startWeir(t, append([]string{"up", "-c", filepath.Join(dir, "weir.yml"), "--data", filepath.Join(dir, "data")}, freePorts...)...)
	req, _ := http.NewRequest("PUT", p.Elasticsearch+"/strict", strings.NewReader(`{"mappings":{"properties":{"n":{"type":"long"}}}}`))
	req.Header.Set("Content-Type", "application/json")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	writeFiles(t, dir, map[string]string{"logs/a.log": "1 first\nmany second\n3 third\n"})
	waitFor(t, 60*time.Second, "the good documents", func() bool {
		var answer struct{ Count int }
		p.search(t, "/strict/_count", "{}", &answer)
		return answer.Count == 2
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(p.Kafka), kgo.ConsumeTopics("weir-dead-letters"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var dead []*kgo.Record
	for len(dead) == 0 && ctx.Err() == nil {
		dead = append(dead, cl.PollFetches(ctx).Records()...)
	}
	if len(dead) != 1 || !strings.Contains(string(dead[0].Value), "many second") {
		t.Fatalf("dead letters: %v", dead)
	}
	about := ""
	for _, h := range dead[0].Headers {
		if h.Key == "weir-dl" {
			about = string(h.Value)
		}
	}
	if !strings.Contains(about, "rejected") || !strings.Contains(about, "400") {
		t.Errorf("header weir-dl = %s", about)
	}
	var flow struct {
		Ledger struct{ Dead, Indexed, Unexplained int }
	}
	waitFor(t, 30*time.Second, "the account to settle", func() bool {
		resp, err := http.Get(p.UI + "/weir/flow")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&flow); err != nil {
			t.Fatal(err)
		}
		return flow.Ledger.Indexed == 2 && flow.Ledger.Dead == 1 && flow.Ledger.Unexplained == 0
	})
	p.stop(t)
}

// TestClients: search and tail print rows of a running weir, and the series are those of the golden list.
func TestClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config, logs := numbered(t, dir)
	writeFiles(t, logs, map[string]string{"a.log": "line a 1 hello\nline a 2 goodbye\n"})
	p := startWeir(t, append([]string{"up", "-c", config, "--data", filepath.Join(dir, "data")}, freePorts...)...)
	waitFor(t, 60*time.Second, "two documents", func() bool { return p.count(t) == 2 })
	weir := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(weirBinary, append(args, "--server", p.UI)...).Output()
		if err != nil {
			t.Fatalf("weir %v: %v", args, err)
		}
		return string(out)
	}
	if out := weir("search", "number >= 2", "-o", "raw", "--since", "1d"); out != "line a 2 goodbye\n" {
		t.Errorf("search -o raw: %q", out)
	}
	if out := weir("search", "hello", "--since", "1d", "-o", "json"); !strings.Contains(out, `"number":1`) || strings.Count(out, "\n") != 1 {
		t.Errorf("search -o json: %q", out)
	}
	if out := weir("tail", "-f=false", "-n", "1"); !strings.Contains(out, "line a 2 goodbye") || strings.Count(out, "\n") != 1 {
		t.Errorf("tail: %q", out)
	}
	if err := exec.Command(weirBinary, "search", "level:", "--server", p.UI).Run(); err == nil || err.(*exec.ExitError).ExitCode() != exitUsage {
		t.Errorf("a query that cannot be read: %v", err)
	}
	tail := exec.Command(weirBinary, "tail", "number: 3", "-o", "raw", "--server", p.UI)
	out, err := tail.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	defer tail.Process.Kill()
	got := make(chan string, 1)
	go func() {
		b := make([]byte, 64)
		n, _ := out.Read(b)
		got <- string(b[:n])
	}()
	deadline := time.After(60 * time.Second)
	f, err := os.OpenFile(filepath.Join(logs, "a.log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, "line a 3 followed")
	select {
	case line := <-got:
		if line != "line a 3 followed\n" {
			t.Errorf("live: %q", line)
		}
	case <-deadline:
		t.Error("the new line did not come to live tail")
	}
	checkSeries(t, p)
	p.stop(t)
}

// checkSeries compares the names of /metrics with testdata/series.golden.
func checkSeries(t *testing.T, p *process) {
	t.Helper()
	resp, err := http.Get(p.Monitor + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var names []string
	for _, l := range strings.Split(readAll(t, resp), "\n") {
		if f := strings.Fields(l); len(f) > 2 && f[0] == "#" && f[1] == "TYPE" && strings.HasPrefix(f[2], "weir_") {
			names = append(names, f[2]+" "+f[3])
		}
	}
	got := strings.Join(names, "\n") + "\n"
	want, err := os.ReadFile("testdata/series.golden")
	if err != nil || got != string(want) {
		t.Errorf("series differ from testdata/series.golden (%v):\n%s", err, got)
	}
}
