package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// freePort is an address of loopback that was free a moment ago.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket(network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen(network, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestListeners: one agent ships a file over Beats' protocol to another, which hears everything else too; each message arrives once.
func TestListeners(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tcp, beats, web, otlp, grpc := freePort(t, "tcp"), freePort(t, "tcp"), freePort(t, "tcp"), freePort(t, "tcp"), freePort(t, "tcp")
	udp, sys := freePort(t, "udp"), freePort(t, "udp")
	_, webPort, _ := net.SplitHostPort(web)
	var lines strings.Builder
	const n = 3000
	for i := range n {
		fmt.Fprintf(&lines, "file line %d\n", i)
	}
	writeFiles(t, dir, map[string]string{
		"logs/a.log": lines.String(),
		"near/filebeat.yml": fmt.Sprintf(`
filebeat.inputs:
  - {type: filestream, id: a, paths: [%q], tags: [near]}
output.logstash:
  hosts: [%q]
  bulk_max_size: 256
  backoff: {init: 50ms, max: 200ms}
`, filepath.Join(dir, "logs/*.log"), beats),
		"far/filebeat.yml": fmt.Sprintf(`
filebeat.inputs:
  - {type: tcp, host: %q}
  - {type: udp, host: %q}
  - {type: syslog, protocol.udp.host: %q}
  - {type: http_endpoint, listen_port: %s, prefix: "."}
  - {type: otlp, http.host: %q, grpc.host: %q}
  - {type: beats, host: %q, tags: [far]}
output.file: {path: %q}
`, tcp, udp, sys, webPort, otlp, grpc, beats, filepath.Join(dir, "out"))})
	near := startWeir(t, "agent", "-c", filepath.Join(dir, "near/filebeat.yml"), "--listen-monitor", "127.0.0.1:0")
	far := startWeir(t, "agent", "-c", filepath.Join(dir, "far/filebeat.yml"), "--listen-monitor", "127.0.0.1:0")
	for _, m := range []struct{ network, addr, text string }{
		{"tcp", tcp, "tcp one\ntcp two\n"}, {"udp", udp, "udp one"}, {"udp", sys, "<13>Oct 11 22:14:15 vm app[7]: syslog one"},
	} {
		waitFor(t, 20*time.Second, m.network+" port", func() bool {
			c, err := net.Dial(m.network, m.addr)
			if err != nil {
				return false
			}
			defer c.Close()
			_, err = c.Write([]byte(m.text))
			return err == nil
		})
	}
	post(t, web, "/", `{"message":"http one"}`)
	post(t, otlp, "/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"otlp one"}}]}]}]}`)

	var events map[string]map[string]any
	waitFor(t, 60*time.Second, "all messages", func() bool {
		events = readOutput(t, filepath.Join(dir, "out"))
		return len(events) >= n+6
	})
	for message, want := range map[string]string{"tcp two": "tcp", "udp one": "udp", "syslog one": "syslog", "http one": "http_endpoint", "otlp one": "otlp", "file line 7": "filestream"} {
		e := events[message]
		if in, _ := e["input"].(map[string]any); in["type"] != want {
			t.Errorf("%s: %v", message, e)
		}
	}
	line, _ := json.Marshal(events["file line 7"]) // the near agent's event, with the far one's tag
	for _, part := range []string{`"tags":["near","far"]`, `/logs/a.log"`, `"beat":"filebeat"`} {
		if !strings.Contains(string(line), part) {
			t.Errorf("%s is not in %s", part, line)
		}
	}
	near.stop(t)
	far.stop(t)
}

// TestPushPipeline: a pipeline hears Beats, HTTP and syslog, keeps what it took on disk before it answers, and hands it on over HTTP
// and to a file.
func TestPushPipeline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	beats, web, sys := freePort(t, "tcp"), freePort(t, "tcp"), freePort(t, "tcp")
	port := func(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }
	var mu sync.Mutex
	var posted []string
	site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		posted = append(posted, string(b))
		mu.Unlock()
	}))
	defer site.Close()
	writeFiles(t, dir, map[string]string{
		"logs/a.log": "file line\n",
		"filebeat.yml": fmt.Sprintf("filebeat.inputs: [{type: filestream, id: a, paths: [%q]}]\noutput.logstash: {hosts: [%q], backoff.init: 50ms}\n",
			filepath.Join(dir, "logs/*.log"), beats),
		"p.conf": fmt.Sprintf(`
input {
  beats { port => %s }
  http { port => %s }
  syslog { port => %s }
}
filter { mutate { add_field => { "seen" => "%%{message}" } } }
output {
  file { path => %q }
  http { url => %q http_method => "post" }
}`, port(beats), port(web), port(sys), filepath.Join(dir, "out/events.ndjson"), site.URL)})
	pipeline := exec.Command(weirBinary, "pipeline", "-f", filepath.Join(dir, "p.conf"), "--data", filepath.Join(dir, "p"))
	var said bytes.Buffer
	pipeline.Stderr = &said
	if err := pipeline.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipeline.Process.Kill() })
	agent := startWeir(t, "agent", "-c", filepath.Join(dir, "filebeat.yml"), "--data", filepath.Join(dir, "a"), "--listen-monitor", "127.0.0.1:0")
	for _, addr := range []string{web, sys} {
		waitFor(t, 30*time.Second, "port "+addr, func() bool {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
	}
	post(t, web, "/", `{"message":"http line"}`)
	c, err := net.Dial("tcp", sys)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "<13>Oct 11 22:14:15 vm app[7]: syslog line\n")
	c.Close()
	var events map[string]map[string]any
	waitFor(t, 60*time.Second, "three events", func() bool {
		events = readOutput(t, filepath.Join(dir, "out"))
		mu.Lock()
		defer mu.Unlock()
		return len(events) == 3 && len(posted) == 3
	})
	for message, want := range map[string]string{"file line": `"tags":["beats_input_codec_plain_applied"]`, "http line": `"method":"POST"`, "syslog line": `"severity":{"code":5`} {
		b, _ := json.Marshal(events[message])
		if !strings.Contains(string(b), want) || !strings.Contains(string(b), `"seen":"`+message) {
			t.Errorf("%s: %s", message, b)
		}
	}
	pipeline.Process.Signal(syscall.SIGTERM)
	if err := pipeline.Wait(); err != nil {
		t.Errorf("pipeline after SIGTERM: %v\n%s", err, said.String())
	}
	agent.stop(t)
}

func post(t *testing.T, addr, path, body string) {
	t.Helper()
	resp, err := http.Post("http://"+addr+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s%s: %s", addr, path, resp.Status)
	}
}

// readOutput is the events of output.file by message; one that is there twice is an error.
func readOutput(t *testing.T, dir string) map[string]map[string]any {
	t.Helper()
	events := map[string]map[string]any{}
	files, _ := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var e map[string]any
			if json.Unmarshal([]byte(line), &e) != nil {
				continue // being written
			}
			m, _ := e["message"].(string)
			if events[m] != nil {
				t.Fatalf("%q arrived twice", m)
			}
			events[m] = e
		}
	}
	return events
}
