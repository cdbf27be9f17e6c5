//go:build peers

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// These tests let other people's programs ship to the real binary, and count what arrives. `make peers` finds the programs; one that
// is not there skips its test and says so.
//
//	WEIR_RSYSLOGD   rsyslogd, with WEIR_RSYSLOG_MODULES its folder of modules
//	WEIR_FILEBEAT   a Filebeat of any version
//	WEIR_OTEL       a Python with OpenTelemetry's SDK and its OTLP exporters for HTTP and gRPC
//	logger          of util-linux, from PATH

const peersConf = `
input {
  kafka { topics => ["logs", "peers"] group_id => "peers" codec => json }
}
output { elasticsearch { index => "peers" } }
`

// peer is the program a variable or PATH names; without it the test is skipped.
func peer(t *testing.T, variable, name string) string {
	t.Helper()
	p := os.Getenv(variable)
	if p == "" {
		p = name
	}
	p, err := exec.LookPath(p)
	if err != nil {
		t.Skipf("%s cannot be had: %v (set %s)", name, err, variable)
	}
	return p
}

// startPeers runs all of weir with agent inputs, and a pipeline that writes what comes to the index peers.
func startPeers(t *testing.T, dir, inputs string) *process {
	t.Helper()
	writeFiles(t, dir, map[string]string{
		"p.conf":   peersConf,
		"weir.yml": "agent.inputs:\n" + inputs + "pipelines: [{path.config: p.conf}]\n",
	})
	return startWeir(t, append([]string{"up", "-c", filepath.Join(dir, "weir.yml"), "--data", filepath.Join(dir, "data")}, freePorts...)...)
}

// background runs a program until the test ends; what it said is shown when the test fails.
func background(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said.String())
		}
	})
}

// expect waits until an index holds n documents that match a query, and no more.
func (p *process) expect(t *testing.T, index, query string, n int64) {
	t.Helper()
	var answer struct{ Count int64 }
	waitFor(t, 90*time.Second, fmt.Sprintf("%d documents of %s", n, query), func() bool {
		p.search(t, "/"+index+"/_count?ignore_unavailable=true", query, &answer)
		return answer.Count >= n
	})
	time.Sleep(500 * time.Millisecond) // nothing tells that no more will come
	p.search(t, "/"+index+"/_count?ignore_unavailable=true", query, &answer)
	if answer.Count != n {
		t.Errorf("%d documents of %s, want %d", answer.Count, query, n)
	}
}

func match(field, text string) string {
	return fmt.Sprintf(`{"query":{"bool":{"filter":[{"match_phrase":{%q:%q}}]}}}`, field, text)
}

// TestPeerLogger: logger of util-linux, over UDP and TCP, in both syntaxes.
func TestPeerLogger(t *testing.T) {
	t.Parallel()
	logger := peer(t, "WEIR_LOGGER", "logger")
	dir := t.TempDir()
	udp, tcp := freePort(t, "udp"), freePort(t, "tcp")
	p := startPeers(t, dir, fmt.Sprintf("  - {type: syslog, format: auto, protocol.udp.host: %q}\n  - {type: syslog, format: auto, protocol.tcp: {host: %q, framing: rfc6587}}\n", udp, tcp))
	const n = 50
	for kind, args := range map[string][]string{
		"udpnew": {"--udp", "--rfc5424", "--port", portOf(udp)}, "udpold": {"--udp", "--rfc3164", "--port", portOf(udp)},
		"tcpnew": {"--tcp", "--rfc5424", "--port", portOf(tcp)}, "tcpcount": {"--tcp", "--rfc5424", "--octet-count", "--port", portOf(tcp)}, "tcpold": {"--tcp", "--rfc3164", "--port", portOf(tcp)},
	} {
		var lines strings.Builder
		for i := range n {
			fmt.Fprintf(&lines, "%s message %d\n", kind, i)
		}
		cmd := exec.Command(logger, append(args, "--server", "127.0.0.1", "--tag", "tag-"+kind, "--priority", "local0.warning")...)
		cmd.Stdin = strings.NewReader(lines.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", kind, err, out)
		}
		p.expect(t, "peers", match("message", kind+" message"), n)
	}
	p.expect(t, "peers", match("syslog.severity_label", "Warning"), 5*n)
	p.expect(t, "peers", match("syslog.facility_label", "local0"), 5*n)
	p.stop(t)
}

// portOf is the port of an address.
func portOf(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

// TestPeerRsyslog: omfwd over UDP and TCP, omkafka to the broker, omelasticsearch to the store.
func TestPeerRsyslog(t *testing.T) {
	t.Parallel()
	rsyslogd, logger := peer(t, "WEIR_RSYSLOGD", "rsyslogd"), peer(t, "WEIR_LOGGER", "logger")
	dir := t.TempDir()
	udp, tcp := freePort(t, "udp"), freePort(t, "tcp")
	p := startPeers(t, dir, fmt.Sprintf("  - {type: syslog, format: auto, protocol.udp.host: %q}\n  - {type: syslog, format: auto, protocol.tcp: {host: %q, framing: rfc6587}}\n", udp, tcp))
	modules := os.Getenv("WEIR_RSYSLOG_MODULES")
	has := func(name string) bool {
		if modules == "" {
			modules = "/usr/lib/x86_64-linux-gnu/rsyslog"
		}
		_, err := os.Stat(filepath.Join(modules, name+".so"))
		if err != nil {
			t.Logf("rsyslog's module %s cannot be had: that way is not tried", name)
		}
		return err == nil
	}
	conf := fmt.Sprintf(`
global(workDirectory=%q)
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket=%q RateLimit.Interval="0")
template(name="json" type="list") {
  constant(value="{\"@timestamp\":\"") property(name="timereported" dateFormat="rfc3339")
  constant(value="\",\"by\":\"") property(name="programname" format="json")
  constant(value="\",\"way\":\"direct\",\"message\":\"") property(name="msg" format="json" position.from="2")
  constant(value="\"}")
}
action(type="omfwd" target="127.0.0.1" port="%s" protocol="udp" template="RSYSLOG_ForwardFormat")
action(type="omfwd" target="127.0.0.1" port="%s" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
`, dir, filepath.Join(dir, "sock"), portOf(udp), portOf(tcp))
	ways := 2
	kafka, es := has("omkafka"), has("omelasticsearch")
	if kafka {
		ways++
		conf += fmt.Sprintf("module(load=\"omkafka\")\naction(type=\"omkafka\" broker=%q topic=\"peers\" template=\"json\")\n", p.Kafka)
	}
	if es {
		conf += fmt.Sprintf("module(load=\"omelasticsearch\")\naction(type=\"omelasticsearch\" server=\"127.0.0.1\" serverport=%q searchIndex=\"direct\" searchType=\"\" bulkmode=\"on\" template=\"json\")\n",
			portOf(strings.TrimPrefix(p.Elasticsearch, "http://")))
	}
	writeFiles(t, dir, map[string]string{"rsyslog.conf": conf})
	args := []string{"-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid"), "-M", modules}
	background(t, nil, rsyslogd, args...)
	sock := filepath.Join(dir, "sock")
	waitFor(t, 20*time.Second, "rsyslog's socket", func() bool { _, err := os.Stat(sock); return err == nil })
	const n = 300
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "relayed message %d\n", i)
	}
	cmd := exec.Command(logger, "--socket", sock, "--tag", "relay")
	cmd.Stdin = strings.NewReader(lines.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("logger: %v %s", err, out)
	}
	p.expect(t, "peers", match("message", "relayed message"), int64(ways*n))
	if es {
		p.expect(t, "direct", match("message", "relayed message"), n)
	}
	p.stop(t)
}

const otelScript = `
import logging, sys
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
if sys.argv[1] == "http":
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    exporter = OTLPLogExporter(endpoint="http://" + sys.argv[2] + "/v1/logs")
else:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    exporter = OTLPLogExporter(endpoint="http://" + sys.argv[2], insecure=True)
provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
log = logging.getLogger("peer")
log.addHandler(LoggingHandler(logger_provider=provider))
log.setLevel(logging.INFO)
for i in range(int(sys.argv[3])):
    log.warning("%s record %d", "otel" + sys.argv[1], i)
try:
    raise ValueError("broken")
except ValueError:
    log.exception("otel" + sys.argv[1] + " failure")
provider.shutdown()
`

// TestPeerOTLP: OpenTelemetry's own exporters, HTTP and gRPC.
func TestPeerOTLP(t *testing.T) {
	t.Parallel()
	python := peer(t, "WEIR_OTEL", "python3")
	if out, err := exec.Command(python, "-c", "import opentelemetry.exporter.otlp.proto.http._log_exporter, opentelemetry.exporter.otlp.proto.grpc._log_exporter").CombinedOutput(); err != nil {
		t.Skipf("OpenTelemetry's exporters cannot be had: %v %s (set WEIR_OTEL)", err, out)
	}
	dir := t.TempDir()
	web, grpc := freePort(t, "tcp"), freePort(t, "tcp")
	p := startPeers(t, dir, fmt.Sprintf("  - {type: otlp, http.host: %q, grpc.host: %q}\n", web, grpc))
	writeFiles(t, dir, map[string]string{"otel.py": otelScript})
	const n = 1000
	for kind, addr := range map[string]string{"http": web, "grpc": grpc} {
		if out, err := exec.Command(python, filepath.Join(dir, "otel.py"), kind, addr, fmt.Sprint(n)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", kind, err, out)
		}
		p.expect(t, "peers", match("message", "otel"+kind+" record"), n)
		p.expect(t, "peers", match("message", "otel"+kind+" failure"), 1)
	}
	p.expect(t, "peers", match("service.name", "shop"), 2*n+2)
	p.expect(t, "peers", match("error.type", "ValueError"), 2)
	p.stop(t)
}

// TestPeerFilebeat: a real Filebeat ships to the Beats input, to the Kafka port and to the Elasticsearch port.
func TestPeerFilebeat(t *testing.T) {
	t.Parallel()
	filebeat := peer(t, "WEIR_FILEBEAT", "filebeat")
	dir := t.TempDir()
	beats := freePort(t, "tcp")
	p := startPeers(t, dir, fmt.Sprintf("  - {type: beats, host: %q}\n", beats))
	const n = 5000
	for kind, output := range map[string]string{
		"beats": fmt.Sprintf("output.logstash.hosts: [%q]", beats),
		"kafka": fmt.Sprintf("output.kafka: {hosts: [%q], topic: peers}", p.Kafka),
		"index": fmt.Sprintf("output.elasticsearch: {hosts: [%q], index: direct}\nsetup: {ilm.enabled: false, template: {enabled: false, name: direct, pattern: direct}}", p.Elasticsearch),
	} {
		var lines strings.Builder
		for i := range n {
			fmt.Fprintf(&lines, "by%s line %d\n", kind, i)
		}
		home := filepath.Join(dir, kind)
		writeFiles(t, home, map[string]string{
			"app.log":      lines.String(),
			"filebeat.yml": fmt.Sprintf("filebeat.inputs: [{type: filestream, id: %s, paths: [%q]}]\n%s\nlogging.level: warning\n", kind, filepath.Join(home, "app.log"), output),
		})
		background(t, nil, filebeat, "-e", "-c", filepath.Join(home, "filebeat.yml"), "--path.home", home, "--strict.perms=false")
		index := "peers"
		if kind == "index" {
			index = "direct"
		}
		p.expect(t, index, match("message", "by"+kind+" line"), n)
	}
	p.expect(t, "peers", match("agent.type", "filebeat"), 2*n)
	p.stop(t)
}
