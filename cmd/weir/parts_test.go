package main

import (
	"bytes"
	"fmt"
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
