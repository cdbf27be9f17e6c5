package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLogstashFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("logstash.yml", `
node.name: box
path.data: /var/lib/logstash
pipeline.workers: 3
pipeline.batch.size: 250
pipeline.ecs_compatibility: disabled
config.reload.automatic: true
config.reload.interval: 5s
queue.type: persisted
queue.max_bytes: 64mb
dead_letter_queue.enable: true
api.http.port: 9700-9799
log.level: trace
xpack.monitoring.enabled: false
`)
	write("pipelines.yml", `
- pipeline.id: a
  path.config: "conf.d/*.conf"
  pipeline.workers: 1
- pipeline.id: b
  config.string: "input { } output { }"
  queue.type: memory
`)
	l, err := ReadLogstash(dir)
	if err != nil {
		t.Fatal(err)
	}
	if l.Node != "box" || l.Data != "/var/lib/logstash" || l.Monitor != "127.0.0.1:9700" || l.Log.Level != "debug" || len(l.Pipelines) != 2 {
		t.Fatalf("%+v", l)
	}
	a, b := l.Pipelines[0], l.Pipelines[1]
	if a.ID != "a" || a.Path != filepath.Join(dir, "conf.d/*.conf") || a.Workers != 1 || a.BatchSize != 250 || a.ECS != "disabled" || !a.Automatic ||
		a.Interval != 5*time.Second || a.QueueType != "persisted" || a.QueueMax != 64e6 {
		t.Errorf("a is %+v", a)
	}
	if b.ID != "b" || b.Text == "" || b.Workers != 3 || b.QueueType != "memory" {
		t.Errorf("b is %+v", b)
	}
	var told []string
	for _, w := range l.Warnings {
		told = append(told, w.Key)
	}
	if strings.Join(told, " ") != "dead_letter_queue xpack" {
		t.Errorf("warnings about %q", told)
	}
}

func TestLogstashFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"pipeline.wrokers: 3":                          `unknown setting pipeline.wrokers (did you mean "workers"?)`,
		"queue.type: memroy":                           `did you mean "memory"?`,
		"path.plugins: /x":                             "path.plugins is not supported",
		"api.auth.type: basic":                         "api.auth.type is not supported",
		"queue.max_bytes: 5":                           "at least 1mb",
		"config.field_reference.escape_style: percent": "is not supported",
		"pipelines: []":                                "unknown setting pipelines",
	} {
		if _, err := ParseLogstash("logstash.yml", []byte(text), env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"pipeline.id: a": "must be a list of pipelines",
		"- pipeline.id: a\n  path.config: x\n- pipeline.id: a\n  path.config: y": "two pipelines are called a",
		"- pipeline.id: a": "either path.config or config.string",
	} {
		var l Logstash
		if err := l.ParsePipelines("pipelines.yml", []byte(text), env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	var l Logstash
	if err := l.ParsePipelines("pipelines.yml", []byte("# - pipeline.id: a\n"), env); err != nil {
		t.Errorf("a file of comments: %v", err)
	}
}
