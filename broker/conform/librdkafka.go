package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

const librdkafkaURL = "https://github.com/confluentinc/librdkafka"

// librdkafkaKnown are the tests that fail for a reason which docs/reference/kafka.md gives.
func librdkafkaKnown() []string {
	return []string{"0081_admin"}
}

// ansi is what colours a terminal.
var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// librdkafkaRow is one row of the summary.
var librdkafkaRow = regexp.MustCompile(`(?m)^\| (\d\S+) +\| +(PASSED|FAILED|SKIPPED) `)

// runLibrdkafka builds librdkafka and runs its test suite.
func runLibrdkafka(ctx context.Context, e *env) error {
	dir := filepath.Join(e.dir, "librdkafka")
	if _, err := os.Stat(dir); err != nil {
		if _, err := e.command(ctx, "librdkafka-clone", e.dir, nil, "git", "clone", "-q", "--depth", "1", librdkafkaURL, dir); err != nil {
			return absent("%s: %v", librdkafkaURL, err)
		}
	}
	tests := filepath.Join(dir, "tests")
	if _, err := os.Stat(filepath.Join(tests, "test-runner")); err != nil {
		script := fmt.Sprintf("./configure --disable-gssapi --disable-curl && make -j%d libs && make -j%d -C tests build", runtime.NumCPU(), runtime.NumCPU())
		if _, err := e.command(ctx, "librdkafka-build", dir, nil, "sh", "-c", script); err != nil {
			return absent("it does not build: %v", err)
		}
	}
	if err := os.WriteFile(filepath.Join(tests, "test.conf"), []byte("metadata.broker.list="+e.addr+"\n"), 0o644); err != nil {
		return err
	}
	vars := []string{"LD_LIBRARY_PATH=../src:../src-cpp", "TEST_KAFKA_VERSION=3.9.0", "CI=true", "BROKERS=" + e.addr}
	if kafka, err := kafkaScripts(ctx, e); err == nil {
		vars = append(vars, "KAFKA_PATH="+kafka)
	}
	out, err := e.command(ctx, "librdkafka", tests, vars, "./test-runner", "-L", "-Q", "-p4", "-E")
	n := map[string]int{}
	var failed []string
	for _, m := range librdkafkaRow.FindAllStringSubmatch(ansi.ReplaceAllString(out, ""), -1) {
		n[m[2]]++
		if m[2] == "FAILED" && !slices.Contains(librdkafkaKnown(), m[1]) {
			failed = append(failed, m[1])
		}
	}
	e.note = fmt.Sprintf("%d passed, %d skipped, %d failed", n["PASSED"], n["SKIPPED"], n["FAILED"])
	switch {
	case n["PASSED"] == 0:
		return fmt.Errorf("no result: %w", err)
	case len(failed) > 0:
		return fmt.Errorf("%s: %s", e.note, strings.Join(failed, " "))
	}
	return nil
}

// kafkaScripts makes a folder with Kafka's command line tools, as the suite calls them.
func kafkaScripts(ctx context.Context, e *env) (string, error) {
	jars, err := kafkaJars(ctx, e)
	if err != nil {
		return "", err
	}
	for name, class := range map[string]string{
		"kafka-topics.sh": "org.apache.kafka.tools.TopicCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand", "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
	} {
		path, err := e.write(filepath.Join("kafka", "bin", name), fmt.Sprintf("#!/bin/sh\nexec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '%s' %s \"$@\"\n", jars, class))
		if err != nil {
			return "", err
		}
		if err := os.Chmod(path, 0o755); err != nil {
			return "", err
		}
	}
	return filepath.Join(e.dir, "kafka"), nil
}
