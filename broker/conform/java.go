package main

import (
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed Check.java
var checkJava string

// kafkaJars is the class path of Kafka's own clients and tools.
func kafkaJars(ctx context.Context, e *env) (string, error) {
	dir := filepath.Join(filepath.Dir(e.dir), "kafka")
	if found, _ := filepath.Glob(filepath.Join(dir, "kafka-clients-*.jar")); len(found) == 0 {
		_, err := e.command(ctx, "mvn", ".", nil, "mvn", "-q", "-f", "queue/kafka/real/pom.xml", "dependency:copy-dependencies",
			"-DincludeScope=runtime", "-DoutputDirectory="+dir)
		if err != nil {
			return "", absent("Kafka's jars: %v", err)
		}
	}
	return filepath.Join(dir, "*"), nil
}

// runJava runs a program against the Java clients: producer with every codec, consumer group, transactions, Admin; then Kafka's perf
// tools.
func runJava(ctx context.Context, e *env) error {
	jars, err := kafkaJars(ctx, e)
	if err != nil {
		return err
	}
	if _, err := exec.LookPath("javac"); err != nil {
		return absent("no Java compiler")
	}
	src, err := e.write(filepath.Join("java", "Check.java"), checkJava)
	if err != nil {
		return err
	}
	dir := filepath.Dir(src)
	if _, err := e.command(ctx, "javac", dir, nil, "javac", "-nowarn", "-cp", jars, "-d", dir, src); err != nil {
		return err
	}
	java := func(log string, args ...string) (string, error) {
		return e.command(ctx, log, dir, nil, "java", append([]string{"-Xmx256m", "-cp", jars + ":" + dir}, args...)...)
	}
	out, err := java("java", "Check", e.addr)
	if err != nil {
		return err
	}
	perf, err := java("java-perf-produce", "org.apache.kafka.tools.ProducerPerformance", "--topic", "perf", "--num-records", "200000", "--record-size", "200",
		"--throughput", "-1", "--producer-props", "bootstrap.servers="+e.addr, "acks=all", "linger.ms=5", "batch.size=262144")
	if err != nil {
		return err
	}
	if _, err := java("java-perf-consume", "org.apache.kafka.tools.ConsumerPerformance", "--topic", "perf", "--bootstrap-server", e.addr, "--messages", "200000",
		"--timeout", "20000"); err != nil {
		return err
	}
	e.note = fmt.Sprintf("%d checks; %s", strings.Count(out, "ok "), lastLine(perf))
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
