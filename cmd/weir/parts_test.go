package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPartByPart runs every part in a process of its own: a filebeat.yml ships to the Kafka port, a .conf reads from there and writes
// to the Elasticsearch port. Both borders are then protocols, and every line still arrives once.
func TestPartByPart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broker := startWeir(t, append([]string{"broker", "--data", filepath.Join(dir, "b")}, freePorts...)...)
	st := startWeir(t, append([]string{"store", "--data", filepath.Join(dir, "s")}, freePorts...)...)
	var lines strings.Builder
	const n = 500
	for i := range n {
		fmt.Fprintf(&lines, "line a %d\n", i)
	}
	writeFiles(t, dir, map[string]string{
		"logs/a.log": lines.String(),
		"filebeat.yml": fmt.Sprintf(`
filebeat.inputs:
  - type: filestream
    id: a
    paths: [%q]
    fields: {team: core}
output.kafka:
  hosts: [%q]
  topic: shipped
`, filepath.Join(dir, "logs/*.log"), broker.Kafka),
		"p.conf": `
input { kafka { topics => ["shipped"] group_id => "g" codec => json } }
filter { grok { match => { "message" => "^line %{WORD:name} %{INT:number:int}" } } }
output { elasticsearch { data_stream => true data_stream_dataset => "numbers" } }
`})
	agent := startWeir(t, "agent", "-c", filepath.Join(dir, "filebeat.yml"), "--data", filepath.Join(dir, "a"), "--listen-monitor", "127.0.0.1:0")
	pipeline := exec.Command(weirBinary, "pipeline", "-f", filepath.Join(dir, "p.conf"), "--queue", "kafka://"+broker.Kafka, "--store", st.Elasticsearch)
	var said bytes.Buffer
	pipeline.Stderr = &said
	if err := pipeline.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipeline.Process.Kill() })
	waitFor(t, 60*time.Second, "all lines in the store", func() bool { return st.count(t) >= n })
	checkNumbers(t, st, map[string]int{"a": n})
	pipeline.Process.Signal(syscall.SIGTERM)
	if err := pipeline.Wait(); err != nil {
		t.Errorf("pipeline after SIGTERM: %v\n%s", err, said.String())
	}
	agent.stop(t)
	st.stop(t)
	broker.stop(t)
}

// TestRemoteStore: the UI over a store elsewhere reaches it only by its REST API, KQL included.
func TestRemoteStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	st := startWeir(t, append([]string{"store", "--data", filepath.Join(dir, "s")}, freePorts...)...)
	resp, err := http.Post(st.Elasticsearch+"/logs-far-default/_doc", "application/json", strings.NewReader(`{"@timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`","message":"from far away","log":{"level":"WARN"}}`))
	if err != nil || resp.StatusCode != http.StatusCreated {
		t.Fatalf("%v %v", resp, err)
	}
	ui := startWeir(t, append([]string{"store", "--store", st.Elasticsearch, "--data", filepath.Join(dir, "u")}, freePorts...)...)
	out, err := exec.Command(weirBinary, "search", "log.level: WARN", "-o", "raw", "--server", ui.UI).Output()
	if err != nil || string(out) != "from far away\n" {
		t.Errorf("search over the proxy: %q %v", out, err)
	}
	ui.stop(t)
	st.stop(t)
}

// TestInsecureListen: a port that is open to the network is told in the log, in the pages and in a series.
func TestInsecureListen(t *testing.T) {
	t.Parallel()
	args := append([]string{"store", "--data", t.TempDir(), "--insecure-listen"}, freePorts...)
	p := startWeir(t, append(args, "--listen-elasticsearch", "0.0.0.0:0")...)
	for url, want := range map[string]string{p.UI + "/weir/info": `"insecure":true`, p.Monitor + "/metrics": "weir_insecure_listeners 1", p.Monitor + "/readyz": "open to the network without login"} {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if body := readAll(t, resp); !strings.Contains(body, want) {
			t.Errorf("%s: no %s in %s", url, want, body[:min(len(body), 300)])
		}
		resp.Body.Close()
	}
	p.stop(t)
	if !strings.Contains(p.stderr.String(), "port is open to the network without login and encryption") {
		t.Errorf("log: %s", p.stderr)
	}
}
