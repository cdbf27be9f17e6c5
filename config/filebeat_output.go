package config

import (
	"encoding/base64"
	"io/fs"
	"strconv"
	"strings"

	"github.com/weirlog/weir/agent/output"
	"github.com/weirlog/weir/listen"
)

// Output is the enabled output.
type Output struct {
	Kind  string // kafka, elasticsearch, logstash, console, file, discard; "" when there is none
	Hosts []string
	Topic string
	Pos   Pos
	// File is output.file.
	File     output.FileConfig
	Pretty   bool // output.console
	Index    string
	Username string
	Password string
	Protocol string
	// APIKey of output.elasticsearch, as base64(id:key).
	APIKey string
	// TLS of output.elasticsearch.
	TLS *listen.TLS
	// Login of output.kafka.
	Login QueueLogin
	// Logstash is output.logstash.
	Logstash output.LogstashConfig
}

// refusedOutputs are those that cannot be enabled, with what to do instead.
var refusedOutputs = map[string]string{"redis": "write to kafka or elasticsearch"}

func (fb *Filebeat) bindOutput(b *binder) {
	for _, kind := range []string{"kafka", "elasticsearch", "logstash", "console", "file", "discard"} {
		if !b.has(kind) {
			continue
		}
		o := b.sub(kind)
		enabled := true
		o.boolean("enabled", &enabled)
		out := Output{Kind: kind, Pos: b.keyPos(kind), Topic: fb.Agent.Topic, Protocol: "http"}
		out.bind(o, &fb.Warnings)
		if kind != "console" && kind != "file" {
			fb.bindBackoff(o.sub("backoff"))
		}
		o.done()
		if !enabled {
			continue
		}
		if fb.Output.Kind != "" {
			b.f.fail(out.Pos, len(kind), "set enabled: false on one", "two outputs are enabled: %s and %s", fb.Output.Kind, kind)
		}
		fb.Output = out
	}
	for kind, why := range refusedOutputs {
		if n := b.get(kind); n != nil && n.Kind == Map {
			on := n.get("enabled")
			if on == nil || on.Text != "false" {
				b.refuse(kind, why)
			}
		}
	}
	if fb.Output.Topic != "" {
		fb.Agent.Topic = fb.Output.Topic
	}
	b.done()
}

func (o *Output) bind(b *binder, warnings *[]Warning) {
	switch o.Kind {
	case "kafka":
		b.strs("hosts", &o.Hosts)
		b.str("topic", &o.Topic)
		var acks string
		b.str("required_acks", &acks)
		if acks != "" && acks != "-1" {
			*warnings = append(*warnings, Warning{b.keyPos("required_acks"), "output.kafka.required_acks", "always -1 here: acknowledged means on disk"})
		}
		b.ignore("compression", "compression_level", "max_message_bytes", "version", "worker", "bulk_max_size", "bulk_flush_frequency", "channel_buffer_size", "max_retries", "broker_timeout", "keep_alive", "metadata",
			"partition", "client_id", "timeout", "codec")
		for _, k := range []string{"kerberos", "topics", "key", "headers"} {
			b.refuse(k, "leave it out, or produce to weir's own queue")
		}
		o.Login.Mechanism = "PLAIN"
		b.str("username", &o.Login.User)
		b.str("password", &o.Login.Password)
		sasl := b.sub("sasl")
		sasl.oneOf("mechanism", &o.Login.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
		sasl.done()
		o.Login.TLS = bindTLS(b.sub("ssl"), warnings)
	case "elasticsearch":
		b.strs("hosts", &o.Hosts)
		b.oneOf("protocol", &o.Protocol, "http", "https")
		b.str("username", &o.Username)
		b.str("password", &o.Password)
		b.str("index", &o.Index)
		b.ignore("worker", "workers", "preset", "ilm", "allow_older_versions", "max_retries", "bulk_max_size", "compression_level", "escape_html", "timeout", "loadbalance")
		b.str("api_key", &o.APIKey)
		if strings.Contains(o.APIKey, ":") { // id:key
			o.APIKey = base64.StdEncoding.EncodeToString([]byte(o.APIKey))
		}
		o.TLS = bindTLS(b.sub("ssl"), warnings)
		for _, k := range []string{"path", "parameters", "headers", "indices", "pipeline", "pipelines", "proxy_url", "non_indexable_policy"} {
			b.refuse(k, "leave it out")
		}
	case "logstash":
		o.bindLogstash(b, warnings)
	case "file":
		o.bindFile(b)
	case "console":
		b.boolean("pretty", &o.Pretty)
		b.ignore("bulk_max_size")
		bindCodec(b.sub("codec"), &o.Pretty)
	}
}

func (o *Output) bindFile(b *binder) {
	c := output.DefaultFile()
	b.str("path", &c.Path)
	b.str("filename", &c.Filename)
	kb, mode := int(c.RotateEvery>>10), ""
	b.integer("rotate_every_kb", &kb)
	c.RotateEvery = int64(kb) << 10
	b.integer("number_of_files", &c.Files)
	b.str("permissions", &mode)
	if n, err := strconv.ParseUint(mode, 8, 32); mode != "" && (err != nil || n > 0o777) {
		b.f.fail(b.get("permissions").Pos, len(mode), `write it as "0600"`, "%s: %q is no mode", b.name("permissions"), mode)
	} else if mode != "" {
		c.Permissions = fs.FileMode(n)
	}
	b.boolean("rotate_on_startup", &c.RotateOnStartup)
	pretty := false
	bindCodec(b.sub("codec"), &pretty)
	if pretty {
		b.f.fail(b.keyPos("codec"), len("codec"), "", "%s: lines of a file are not spread over several", b.name("codec.json.pretty"))
	}
	o.File = c
	for _, err := range c.Validate() {
		b.f.fail(o.Pos, len("file"), "", "output.%v", err)
	}
}

// bindCodec reads codec.json; format strings are refused.
func bindCodec(b *binder, pretty *bool) {
	j := b.sub("json")
	j.boolean("pretty", pretty)
	j.ignore("escape_html")
	j.done()
	b.refuse("format", "events are written as JSON")
	b.done()
}

// bindBackoff reads the pauses after a failure; the agent keeps them for all outputs.
func (fb *Filebeat) bindBackoff(b *binder) {
	b.duration("init", &fb.Agent.BackoffInit)
	b.duration("max", &fb.Agent.BackoffMax)
	b.done()
}

func (o *Output) bindLogstash(b *binder, warnings *[]Warning) {
	c := output.DefaultLogstash()
	b.strs("hosts", &c.Hosts)
	b.boolean("loadbalance", &c.LoadBalance)
	b.integer("worker", &c.Workers)
	b.integer("workers", &c.Workers)
	b.integer("bulk_max_size", &c.BulkMax)
	b.integer("pipelining", &c.Pipelining)
	b.boolean("slow_start", &c.SlowStart)
	b.duration("ttl", &c.TTL)
	b.integer("compression_level", &c.Level)
	b.duration("timeout", &c.Timeout)
	b.str("index", &c.Index)
	b.boolean("escape_html", &c.EscapeHTML)
	c.TLS = bindTLS(b.sub("ssl"), warnings)
	b.ignore("max_retries", "queue")
	for _, k := range []string{"proxy_url", "proxy_use_local_resolver"} {
		b.refuse(k, "connections are made directly")
	}
	o.Hosts, o.Logstash = c.Hosts, c
	for _, err := range c.Validate() {
		b.f.fail(o.Pos, len("logstash"), "", "output.%v", err)
	}
}
