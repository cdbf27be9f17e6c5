package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// codecs are the compressions that a client may have.
func codecs() []string { return []string{"none", "gzip", "snappy", "lz4", "zstd"} }

//go:embed check_confluent.py
var checkConfluent string

//go:embed check_kafka.py
var checkKafkaPython string

//go:embed check.js
var checkJS string

// runKcat produces and consumes with kcat: each codec, keys, headers, a group, a start by time.
func runKcat(ctx context.Context, e *env) error {
	if _, err := exec.LookPath("kcat"); err != nil {
		return absent("kcat is not installed (Debian: kcat)")
	}
	n := 0
	for _, codec := range codecs() {
		if codec == "zstd" {
			if out, _ := exec.CommandContext(ctx, "kcat", "-V").CombinedOutput(); !strings.Contains(string(out), "zstd") {
				continue
			}
		}
		script := fmt.Sprintf(`seq 1 5000 | sed 's/.*/k&:value &/' | kcat -P -q -b %[1]s -t kcat-%[2]s -K: -z %[2]s -X enable.idempotence=true -H h=1 &&
[ "$(kcat -C -q -e -b %[1]s -t kcat-%[2]s -o beginning | sort -u | wc -l)" = 5000 ] &&
[ "$(kcat -b %[1]s -q -e -G g-%[2]s -X auto.offset.reset=earliest kcat-%[2]s 2>/dev/null | wc -l)" = 5000 ] &&
[ "$(kcat -C -q -e -b %[1]s -t kcat-%[2]s -o s@1000 -c 5 -f '%%h|%%k\n' | grep -c '^h=1|k')" = 5 ]`, e.addr, codec)
		if _, err := e.command(ctx, "kcat-"+codec, e.dir, nil, "sh", "-c", script); err != nil {
			return err
		}
		n++
	}
	e.note = fmt.Sprintf("%d codecs, keys, headers, a group, a start by time", n)
	return nil
}

// python gives an interpreter of its own with a package in it.
func (e *env) python(ctx context.Context, pkg string) (string, error) {
	dir := filepath.Join(e.dir, "venv")
	py := filepath.Join(dir, "bin", "python")
	if _, err := os.Stat(py); err != nil {
		if _, err := e.command(ctx, "venv", e.dir, nil, "python3", "-m", "venv", dir); err != nil {
			return "", absent("Python: %v", err)
		}
	}
	if _, err := e.command(ctx, "pip-"+pkg, e.dir, nil, py, "-m", "pip", "install", "-q", pkg); err != nil {
		return "", absent("package %s: %v", pkg, err)
	}
	return py, nil
}

func (e *env) runPython(ctx context.Context, pkg, name, text string) error {
	py, err := e.python(ctx, pkg)
	if err != nil {
		return err
	}
	path, err := e.write(name, text)
	if err != nil {
		return err
	}
	out, err := e.command(ctx, pkg, e.dir, nil, py, path, e.addr)
	if err != nil {
		return err
	}
	e.note = lastLine(out)
	return nil
}

// runConfluentPython is librdkafka as Python programs use it.
func runConfluentPython(ctx context.Context, e *env) error {
	return e.runPython(ctx, "confluent-kafka", "check_confluent.py", checkConfluent)
}

// runKafkaPython is the client written in Python.
func runKafkaPython(ctx context.Context, e *env) error {
	return e.runPython(ctx, "kafka-python", "check_kafka.py", checkKafkaPython)
}

// runKafkaJS is the client written in JavaScript.
func runKafkaJS(ctx context.Context, e *env) error {
	dir := filepath.Join(e.dir, "js")
	path, err := e.write(filepath.Join("js", "check.js"), checkJS)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "kafkajs")); err != nil {
		if _, err := e.command(ctx, "npm", dir, nil, "npm", "install", "--no-audit", "--no-fund", "kafkajs@2.2.4"); err != nil {
			return absent("kafkajs: %v", err)
		}
	}
	out, err := e.command(ctx, "kafkajs", dir, []string{"KAFKAJS_NO_PARTITIONER_WARNING=1"}, "node", path, e.addr)
	if err != nil {
		return err
	}
	e.note = lastLine(out)
	return nil
}

// runRsyslog has rsyslog's omkafka write lines.
func runRsyslog(ctx context.Context, e *env) error {
	rsyslogd, err := exec.LookPath("rsyslogd")
	if err != nil {
		return absent("rsyslogd is not installed (Debian: rsyslog, rsyslog-kafka)")
	}
	input := filepath.Join(e.tmp, "input")
	conf := fmt.Sprintf(`global(workDirectory="%[1]s")
module(load="omkafka")
module(load="imfile")
input(type="imfile" File="%[2]s" Tag="t")
action(type="omkafka" broker=["%[3]s"] topic="rsyslog" confParam=["compression.codec=snappy"] template="RSYSLOG_FileFormat")
`, e.tmp, input, e.addr)
	path := filepath.Join(e.tmp, "rsyslog.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		return err
	}
	var lines strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	if err := os.WriteFile(input, []byte(lines.String()), 0o644); err != nil {
		return err
	}
	if out, err := e.command(ctx, "rsyslog-check", e.tmp, nil, rsyslogd, "-N1", "-f", path); err != nil {
		if strings.Contains(out, "omkafka") {
			return absent("omkafka is not installed (Debian: rsyslog-kafka)")
		}
		return err
	}
	script := fmt.Sprintf(`%s -n -f %s -i %s/pid & p=$!; i=0; while [ $i -lt 30 ]; do sleep 1; i=$((i+1)); done; kill $p; wait $p`, rsyslogd, path, e.tmp)
	if _, err := e.command(ctx, "rsyslog", e.tmp, nil, "sh", "-c", script); err != nil && ctx.Err() != nil {
		return err
	}
	n := int64(0)
	for _, t := range e.b.Topics() {
		if t.Name == "rsyslog" {
			n = t.In
		}
	}
	if n != 1000 {
		return fmt.Errorf("%d of 1000 lines came", n)
	}
	e.note = "1000 lines"
	return nil
}

// runSarama runs the functional tests of sarama that make sense on one node. They go through proxies on fixed ports, which toxiproxy
// makes.
func runSarama(ctx context.Context, e *env) error {
	toxi, err := exec.LookPath("toxiproxy-server")
	if err != nil {
		return absent("its functional tests need toxiproxy-server; the tests of package broker use sarama at five versions")
	}
	dir, err := copied(ctx, e, "github.com/IBM/sarama", "sarama")
	if err != nil {
		return err
	}
	if err := e.proxies(ctx, toxi); err != nil {
		return err
	}
	run := "TestFuncProducing|TestFuncMultiPartitionProduce|TestFuncConsumerGroup|TestFuncOffsetManager|TestVersionMatrix|TestFuncConsumerOffsetOutOfRange|TestConsumerHighWaterMarkOffset|TestFuncAdmin(Describe|List|Delete|Incremental)"
	return e.goTest(ctx, "sarama", dir, []string{"TOXIPROXY_ADDR=http://127.0.0.1:8474", "KAFKA_VERSION=4.1.0"}, "-tags=functional", "-timeout", "600s", "-run", run, ".")
}

// proxies starts toxiproxy with the five brokers that sarama's tests expect, all of them this one.
func (e *env) proxies(ctx context.Context, toxi string) error {
	var list []string
	for i := range 5 {
		list = append(list, fmt.Sprintf(`{"name":"kafka%d","listen":"127.0.0.1:%d","upstream":"%s"}`, i+1, 29091+i, e.addr))
	}
	path := filepath.Join(e.tmp, "proxies.json")
	if err := os.WriteFile(path, []byte("["+strings.Join(list, ",")+"]"), 0o644); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, toxi, "-config", path)
	return c.Start()
}
