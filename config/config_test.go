package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/agent/input"
)

func env(name string) (string, bool) {
	v, ok := map[string]string{"EN": "yes", "HOSTS": "k1:9092,k2:9092", "DIR": "/var/log"}[name]
	return v, ok
}

const stockFilebeat = `
filebeat.inputs:
- type: filestream
  id: my-filestream-id
  enabled: true
  paths:
    - ${DIR}/*.log
  parsers:
    - multiline:
        type: pattern
        pattern: '^\d{4}-'
        negate: true
        match: after
        timeout: 3
  prospector.scanner.exclude_files: ['\.gz$']
  close.on_state_change.inactive: 1h
  fields:
    service: mvc
    deep.key: 1
  fields_under_root: ${EN:false}
  file_identity.fingerprint: ~
- type: log
  enabled: false
  paths: [/var/log/old.log]
filebeat.config.modules:
  path: modules.d/*.yml
  reload.enabled: false
setup.template.settings:
  index.number_of_shards: 1
setup.kibana:
output.kafka:
  hosts: ["${HOSTS}"]
  topic: app-logs
  required_acks: 1
  compression: gzip
processors:
  - add_host_metadata:
      when.not.contains.tags: forwarded
  - add_cloud_metadata: ~
  - drop_event.when.equals.log.level: debug
logging.level: info
`

func TestStockFilebeat(t *testing.T) {
	t.Parallel()
	fb, err := ParseFilebeat("filebeat.yml", []byte(stockFilebeat), env)
	if err != nil {
		t.Fatal(err)
	}
	if len(fb.Agent.Inputs) != 1 {
		t.Fatalf("%d inputs, want the enabled one", len(fb.Agent.Inputs))
	}
	in := fb.Agent.Inputs[0]
	if in.Paths[0] != "/var/log/*.log" || !in.FieldsUnderRoot || in.CloseInactive != time.Hour || in.ExcludeFiles[0] != `\.gz$` || in.MessageMaxBytes != agent.DefaultMessageMaxBytes || in.Place != "filebeat.yml:3" {
		t.Errorf("input = %+v", in)
	}
	if m := in.Parsers[0].Multiline; m == nil || m.Pattern != `^\d{4}-` || !m.Negate || m.Timeout != 3*time.Second || m.MaxLines != 500 {
		t.Errorf("multiline = %+v", m)
	}
	if deep, _ := in.Fields["deep"].(map[string]any); deep["key"] != int64(1) {
		t.Errorf("fields = %v", in.Fields)
	}
	if fb.Output.Kind != "kafka" || fb.Output.Topic != "app-logs" || fb.Agent.Topic != "app-logs" || len(fb.Output.Hosts) != 1 {
		t.Errorf("output = %+v", fb.Output)
	}
	if len(fb.Agent.Processors) != 2 {
		t.Fatalf("processors = %+v", fb.Agent.Processors)
	}
	when := fb.Agent.Processors[1].When["equals"].(map[string]any)
	if when["log.level"] != "debug" {
		t.Errorf("when = %v", fb.Agent.Processors[1].When)
	}
	var keys []string
	for _, w := range fb.Warnings {
		keys = append(keys, w.Key)
	}
	if got := strings.Join(keys, " "); got != "setup processors[1].add_cloud_metadata output.kafka.required_acks" {
		t.Errorf("warnings for %s", got)
	}
}

func TestWeir(t *testing.T) {
	t.Parallel()
	w, err := ParseWeir("/etc/weir/weir.yml", []byte(`
data: state
listen: {ui: "127.0.0.1:0"}
queue: kafka://a:9092,b:9092
store:
  at: embedded
  head.memory: 64MiB
  retention.max_age: 14d
agent:
  inputs:
    - paths: [logs/*.log, /abs/x.log]
      fields.service: a
broker: {partitions: 3, segment.bytes: 1MiB}
pipelines:
  - pipeline.id: main
    path.config: pipelines/spring.conf
    pipeline.workers: 2
    pipeline.batch: {size: 250, delay: 10}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	if w.Data != "/etc/weir/state" || w.Listen.UI != "127.0.0.1:0" || w.Listen.Kafka != "127.0.0.1:9092" || w.Queue != "kafka://a:9092,b:9092" || w.Store.HeadMemory != 64<<20 || w.Store.RetentionAge != 14*24*time.Hour {
		t.Errorf("%+v", w)
	}
	if in := w.Agent.Inputs[0]; in.Paths[0] != "/etc/weir/logs/*.log" || in.Paths[1] != "/abs/x.log" || in.MessageMaxBytes != 1<<20 {
		t.Errorf("input = %+v", in)
	}
	if p := w.Pipelines[0]; p.ID != "main" || p.Path != "/etc/weir/pipelines/spring.conf" || p.Workers != 2 || p.BatchSize != 250 || p.Delay != 10*time.Millisecond {
		t.Errorf("pipeline = %+v", p)
	}
	if w.Broker.Partitions != 3 || w.Broker.SegmentBytes != 1<<20 {
		t.Errorf("broker = %+v", w.Broker)
	}
}

// TestMistakes: every mistake of a file at once, each with its place and what was meant.
func TestMistakes(t *testing.T) {
	t.Parallel()
	_, err := ParseWeir("weir.yml", []byte("data: d\nlistne: {}\nbroker:\n  partitions: many\n  auto.create: perhaps\nagent:\n  inputs:\n    - pahts: [x]\n      type: filestrem\npipelines:\n  - pipeline.id: x\nlog.level: ${NOWHERE}\nlog.format: texd\n"), env)
	errs, ok := err.(Errors)
	if !ok {
		t.Fatalf("err = %v", err)
	}
	got := errs.Error()
	for _, want := range []string{
		`weir.yml:2:1: unknown setting listne (did you mean "listen"?)`,
		`weir.yml:4:15: broker.partitions: "many" is not a whole number`,
		`weir.yml:5:16: broker.auto.create: "perhaps" is neither true nor false`,
		`weir.yml:8:7: unknown setting agent.inputs[0].pahts (did you mean "paths"?)`,
		`weir.yml:9:13: agent.inputs[0].type: "filestrem" is not known (did you mean "filestream"?)`,
		`weir.yml:8:7: agent.inputs[0] has no paths (add paths:)`,
		`weir.yml:11:5: a pipeline needs either path.config or config.string`,
		`variable NOWHERE is not set (set it, or give a default: ${NOWHERE:value})`,
		`weir.yml:13:13: log.format: "texd" is not known (did you mean "text"?)`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if ex := errs[0].Excerpt(); !strings.Contains(errs.Excerpt(), "^^^^^^ did you mean \"listen\"?") {
		t.Errorf("excerpt = %s", ex)
	}
}

func TestNotYAML(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a: [1", "a: b: c", "\tx: 1", "- a\n- b", "data: {a: 1}", "data: 1\ndata: 2"} {
		if _, err := ParseWeir("weir.yml", []byte(text), env); err == nil {
			t.Errorf("%q was accepted", text)
		} else if !strings.HasPrefix(err.Error(), "weir.yml") {
			t.Errorf("%q: %v has no place", text, err)
		}
	}
	if _, err := ParseWeir("weir.yml", nil, env); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"output.kafka.hosts: [x]\noutput.elasticsearch.hosts: [y]":                   "two outputs are enabled",
		"output.kafka: {hosts: [x], kerberos.enabled: true}":                         "output.kafka.kerberos is not supported",
		"output.redis.hosts: [x]":                                                    "output.redis is not supported",
		"output.logstash: {hosts: [x], compression_level: 11}":                       "compression level 11",
		"output.logstash: {hosts: [x], ssl.verification_mode: some}":                 `"some" is not known`,
		"filebeat.inputs: [{type: tcp}]":                                             "has no host",
		"filebeat.inputs: [{type: syslog, host: x}]":                                 "needs one of protocol.udp",
		"filebeat.inputs: [{type: http_endpoint, program: x}]":                       "program is not supported",
		"filebeat.inputs: [{type: unix, path: x, mode: '9'}]":                        "is no mode",
		"filebeat.inputs: [{type: aws-s3}]":                                          `"aws-s3" is not known`,
		"processors: [{if: {equals: {a: b}}, than: []}]":                             "unknown setting than beside if",
		"filebeat.inputs: [{paths: [x], parsers: [{syslog: {}}, {multiline: {}}]}]":  "syslog must be the last parser",
		"filebeat.inputs: [{paths: [x], message_max_bytes: big}]":                    "is not a size",
		"filebeat.inputs: [{paths: [x], close.on_state_change.inactive: sometimes}]": "is not a time",
	} {
		_, err := ParseFilebeat("filebeat.yml", []byte(text), env)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestListenerInputs: the keys of inputs that are no files.
func TestListenerInputs(t *testing.T) {
	t.Parallel()
	fb, err := ParseFilebeat("/etc/f/filebeat.yml", []byte(`
filebeat.inputs:
  - {type: tcp, host: "localhost:9000", framing: rfc6587, max_message_size: 1MiB, ssl: {enabled: true, certificate: c.pem, key: /k.pem}, tags: [a]}
  - {type: syslog, format: auto, protocol.udp.host: "127.0.0.1:514", timezone: "+09:00"}
  - {type: beats, host: "127.0.0.1:5044", ssl.enabled: false}
  - {type: journald, seek: cursor, cursor_seek_fallback: tail, include_matches.match: [A=b]}
  - {type: otlp, grpc.enabled: false}
  - {type: kafka, hosts: [h], topics: [t], group_id: g, sasl.mechanism: SCRAM-SHA-512}
  - {type: udp, host: "x:1", enabled: false}
  - {type: stdin, encoding: euc-kr, max_bytes: 1KiB, exclude_lines: [x], multiline: {pattern: a}, parsers: [{ndjson: {}}]}
output.logstash: {hosts: ["h:5044"], loadbalance: true, backoff.init: 2s}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	in := fb.Agent.Inputs
	if len(in) != 7 {
		t.Fatalf("%d inputs", len(in))
	}
	if s := in[6]; s.Encoding != "euc-kr" || s.MessageMaxBytes != 1<<10 || len(s.Parsers) != 2 || len(s.ExcludeLines) != 1 {
		t.Errorf("stdin %+v", s)
	} else if _, ok := s.Listen.(*agent.Stdin); !ok {
		t.Errorf("stdin listens by %T", s.Listen)
	}
	tcp := in[0].Listen.(*input.TCPConfig)
	if tcp.Framing != "rfc6587" || tcp.MaxMessage != 1<<20 || tcp.TLS == nil || tcp.TLS.Certificate != "/etc/f/c.pem" || tcp.TLS.Key != "/k.pem" || in[0].Tags[0] != "a" {
		t.Errorf("tcp %+v %+v", tcp, tcp.TLS)
	}
	if s := in[1].Listen.(*input.SyslogConfig); s.UDP == nil || s.UDP.Address != "127.0.0.1:514" || s.Format != "auto" || s.Timezone != "+09:00" {
		t.Errorf("syslog %+v", s)
	}
	if b := in[2].Listen.(*input.BeatsConfig); b.TLS != nil {
		t.Errorf("beats %+v", b)
	}
	if j := in[3].Listen.(*input.JournaldConfig); j.Seek != "tail" || len(j.Matches) != 1 {
		t.Errorf("journald %+v", j)
	}
	if o := in[4].Listen.(*input.OTLPConfig); o.GRPC != nil || o.HTTP.Address != "127.0.0.1:4318" {
		t.Errorf("otlp %+v", o)
	}
	if k := in[5].Listen.(*input.KafkaConfig); k.Group != "g" || k.Mechanism != "SCRAM-SHA-512" {
		t.Errorf("kafka %+v", k)
	}
	if o := fb.Output; o.Kind != "logstash" || !o.Logstash.LoadBalance || fb.Agent.BackoffInit != 2*time.Second {
		t.Errorf("output %+v", o)
	}
}

// TestAliases: aliases may not blow a file up.
func TestAliases(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	if _, err := ParseWeir("weir.yml", []byte(b.String()), env); err == nil || !strings.Contains(err.Error(), "aliases make more than") {
		t.Errorf("err = %.200v", err)
	}
}

// TestNoModules: a file that names no folder of modules has none, wherever it stands.
func TestNoModules(t *testing.T) {
	t.Parallel()
	if _, err := ParseFilebeat(filepath.Join(t.TempDir(), "filebeat.yml"), []byte("filebeat.inputs: [{paths: [x]}]\noutput.discard: {}"), env); err != nil {
		t.Error(err)
	}
}

func FuzzParseFilebeat(f *testing.F) {
	f.Add(stockFilebeat)
	f.Add("a: &x {b: c}\nd: *x\n<<: *x")
	f.Fuzz(func(t *testing.T, text string) {
		ParseFilebeat("filebeat.yml", []byte(text), env)
		ParseWeir("weir.yml", []byte(text), env)
	})
}

// TestReference: docs/reference/weir.md tells of every setting of weir.yml, and of no other.
func TestReference(t *testing.T) {
	t.Parallel()
	text := []byte("agent: {inputs: [{paths: [x], parsers: [{multiline: {}}, {ndjson: {}}, {container: {}}, {include_message: {}}]}, {type: log, paths: [x], json: {}}]}\npipelines: [{path.config: x}]\nstore: {at: embedded}\nqueue: {at: embedded, tls: {certificate: a}}\nbroker: {tls: {certificate: a, key: b}, sasl: {users: [{name: a, password: b}]}, topics: [{name: x}]}")
	f := newFile("weir.yml", text, env)
	if _, err := parseWeir(f, text); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/reference/weir.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(doc), -1) {
		told[m[1]] = true
	}
	for key := range f.keys {
		if strings.HasPrefix(key, "agent.inputs[]") {
			continue // docs/reference/filebeat.md
		}
		leaf := true
		for other := range f.keys {
			leaf = leaf && !strings.HasPrefix(other, key+".") && !strings.HasPrefix(other, key+"[]")
		}
		if leaf && !told[key] {
			t.Errorf("docs/reference/weir.md does not tell of %s", key)
		}
	}
	for key := range told {
		if !f.keys[key] && !strings.HasPrefix(key, "agent.inputs") {
			t.Errorf("docs/reference/weir.md tells of %s, which is not read", key)
		}
	}
}

// TestKeystore: what is written is read again, secrets fill variables, and a damaged file is told.
func TestKeystore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := Keystore{"PASS": "s3cret:x", "EMPTY": ""}.Text()
	if err != nil {
		t.Fatal(err)
	}
	if k, err := ParseKeystore(text); err != nil || k["PASS"] != "s3cret:x" || strings.Join(k.Names(), ",") != "EMPTY,PASS" {
		t.Fatalf("%v, %v", k, err)
	}
	for _, bad := range []string{"", "v2abc", "v1abc", string(text[:len(text)-4]) + "AAAA"} {
		if _, err := ParseKeystore([]byte(bad)); err == nil {
			t.Errorf("%.20q is accepted", bad)
		}
	}
	write(t, filepath.Join(dir, "data", "filebeat.keystore"), string(text))
	fb, err := ParseFilebeat(filepath.Join(dir, "filebeat.yml"), []byte("output.elasticsearch: {hosts: [x], password: '${PASS}'}"), env)
	if err != nil || fb.Output.Password != "s3cret:x" {
		t.Errorf("%q, %v", fb.Output.Password, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestConfigDirs: further inputs and modules come from their folders.
func TestConfigDirs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "inputs.d", "a.yml"), "- type: filestream\n  id: a\n  paths: [/var/log/a.log]\n- type: log\n  enabled: false\n  paths: [x]\n")
	write(t, filepath.Join(dir, "modules.d", "nginx.yml"), "- module: nginx\n  access: {enabled: true}\n  error: {enabled: true, var.paths: [/srv/error.log]}\n  ingress_controller: {enabled: false}\n")
	write(t, filepath.Join(dir, "modules.d", "x.yml.disabled"), "- module: x\n")
	fb, err := ParseFilebeat(filepath.Join(dir, "filebeat.yml"), []byte(`
filebeat.config:
  inputs: {enabled: true, path: inputs.d/*.yml, reload.enabled: true}
  modules: {path: "${path.config}/modules.d/*.yml", reload.enabled: false}
filebeat.modules: [{module: system, syslog: {enabled: true}}]
output.kafka.hosts: [x]
`), env)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, in := range fb.Agent.Inputs {
		event, _ := in.Fields["event"].(map[string]any)
		got = append(got, fmt.Sprint(in.Type, " ", in.Paths[len(in.Paths)-1], " ", event["dataset"], " ", len(in.Parsers)))
	}
	want := "log /var/log/syslog* system.syslog 1\nfilestream /var/log/a.log <nil> 0\nlog /var/log/httpd/access_log* nginx.access 0\nlog /srv/error.log nginx.error 1"
	if want = strings.Replace(want, "/var/log/httpd/access_log*", "/var/log/nginx/access.log*", 1); strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestReport: each setting has its fate, in the order of the file.
func TestReport(t *testing.T) {
	t.Parallel()
	report, err := ReportFilebeat("filebeat.yml", []byte(`filebeat.inputs:
  - type: filestream
    paths: [x]
    buffer_size: 1
    nonsense: 1
processors:
  - add_cloud_metadata: ~
  - if: {equals: {a: b}}
    then: [{drop_event: {}}]
    else: {add_tags: {tags: [x]}}
  - script: {lang: javascript}
setup.template.enabled: false
output.redis: {hosts: [x]}
`), env)
	if err == nil {
		t.Error("the file is accepted")
	}
	var got []string
	for _, m := range report {
		got = append(got, fmt.Sprintf("%d %s %s", m.Pos.Line, m.Fate, m.Key))
	}
	for _, want := range []string{
		"2 honoured filebeat.inputs[0].type", "4 accepted filebeat.inputs[0].buffer_size", "5 ignored filebeat.inputs[0].nonsense",
		"7 ignored processors[0].add_cloud_metadata", "8 honoured processors[1].if", "9 honoured processors[1].then[0].drop_event",
		"11 refused processors[2].script", "12 ignored setup", "13 refused output.redis",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, strings.Join(got, "\n"))
		}
	}
}

func FuzzFilebeat(f *testing.F) {
	f.Add("filebeat.inputs:\n- type: log\n  paths: [/x]\n  multiline.pattern: ^a\nprocessors:\n- if: {equals: {a: b}}\n  then: [{drop_event: }]\noutput.kafka.hosts: ${H:x}\n")
	f.Add("filebeat: {modules: [{module: nginx, access: {enabled: true, var.paths: [a]}}], registry.path: x}\noutput.console: ~")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "config") { // it may name files of this machine
			return
		}
		if _, err := ReportFilebeat("filebeat.yml", []byte(text), env); err != nil && err.Error() == "" {
			t.Error("an error without text")
		}
	})
}

func FuzzKeystore(f *testing.F) {
	text, _ := Keystore{"a": "b"}.Text()
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		if k, err := ParseKeystore(text); err == nil && k == nil {
			t.Error("no keystore and no error")
		}
	})
}
