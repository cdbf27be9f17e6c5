package config

import (
	"fmt"

	"github.com/weirlog/weir/agent"
)

// fileset is one kind of log of a module: what weir takes over is where its files are, how lines join, and what they are called.
type fileset struct {
	paths     []string
	multiline *agent.Multiline
	json      bool
}

// dated begins a message with a date, as most servers' logs do.
func dated(pattern string) *agent.Multiline {
	m := agent.DefaultMultiline()
	m.Pattern, m.Negate = pattern, true
	return &m
}

// modules are the modules whose input half is known, with the paths of Linux packages.
func modules() map[string]map[string]fileset {
	return map[string]map[string]fileset{
		"apache": {"access": {paths: []string{"/var/log/apache2/access.log*", "/var/log/apache2/other_vhosts_access.log*", "/var/log/httpd/access_log*"}},
			"error": {paths: []string{"/var/log/apache2/error.log*", "/var/log/httpd/error_log*"}}},
		"nginx": {"access": {paths: []string{"/var/log/nginx/access.log*"}}, "error": {paths: []string{"/var/log/nginx/error.log*"}, multiline: dated(`^\d{4}\/\d{2}\/\d{2} `)}},
		"system": {"syslog": {paths: []string{"/var/log/messages*", "/var/log/syslog*"}, multiline: &agent.Multiline{Type: "pattern", Pattern: `^\s`, Match: "after", MaxLines: 500}},
			"auth": {paths: []string{"/var/log/auth.log*", "/var/log/secure*"}, multiline: &agent.Multiline{Type: "pattern", Pattern: `^\s`, Match: "after", MaxLines: 500}}},
		"mysql": {"error": {paths: []string{"/var/log/mysql/error.log*", "/var/log/mysqld.log*"}, multiline: dated(`^([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{6})`)},
			"slowlog": {paths: []string{"/var/log/mysql/*-slow.log*", "/var/lib/mysql/*-slow.log"}, multiline: dated(`^(# User@Host: |# Time: )`)}},
		"postgresql": {"log": {paths: []string{"/var/log/postgresql/postgresql-*-*.log*"}, multiline: dated(`^\d{4}-\d{2}-\d{2} `)}},
		"mongodb":    {"log": {paths: []string{"/var/log/mongodb/mongodb.log*", "/var/log/mongodb/mongod.log*"}}},
		"redis":      {"log": {paths: []string{"/var/log/redis/redis-server.log*", "/var/log/redis/redis.log*"}}},
		"kafka":      {"log": {paths: []string{"/opt/kafka*/logs/controller.log*", "/opt/kafka*/logs/server.log*", "/opt/kafka*/logs/state-change.log*"}, multiline: dated(`^\[`)}},
		"haproxy":    {"log": {paths: []string{"/var/log/haproxy.log*"}}},
		"logstash": {"log": {paths: []string{"/var/log/logstash/logstash-plain*.log"}, multiline: dated(`^\[[0-9]{4}-[0-9]{2}-[0-9]{2}`)},
			"slowlog": {paths: []string{"/var/log/logstash/logstash-slowlog-plain*.log"}}},
		"elasticsearch": {"server": {paths: []string{"/var/log/elasticsearch/*_server.json"}, json: true}, "deprecation": {paths: []string{"/var/log/elasticsearch/*_deprecation.json"}, json: true}},
		"auditd":        {"log": {paths: []string{"/var/log/audit/audit.log*"}}},
		"traefik":       {"access": {paths: []string{"/var/log/traefik/access.log*"}}},
	}
}

// bindModule reads one entry of filebeat.modules or of a file of modules.d: module, and filesets with enabled, var.paths and input.
func bindModule(f *file, n *Node, path string, warnings *[]Warning) []agent.Input {
	b := f.bind(n, path)
	var name string
	enabled := true
	b.str("module", &name)
	b.boolean("enabled", &enabled)
	sets, known := modules()[name]
	if !known {
		if enabled {
			*warnings = append(*warnings, Warning{b.keyPos("module"), path, fmt.Sprintf("module %q is not known: name its files as filestream inputs", name)})
		}
		return nil
	}
	var out []agent.Input
	for _, k := range n.Keys {
		if k.Name == "module" || k.Name == "enabled" {
			continue
		}
		set, ok := sets[k.Name]
		s := b.sub(k.Name)
		on := false
		s.boolean("enabled", &on)
		v := s.sub("var")
		paths := set.paths
		v.strs("paths", &paths)
		for _, other := range v.n.Keys {
			if other.Name != "paths" {
				v.warn(other.Name, "only the files of a module are taken over", warnings)
			}
		}
		s.ignore("input")
		s.done()
		if !ok && on {
			*warnings = append(*warnings, Warning{k.Pos, b.name(k.Name), "fileset is not known"})
		}
		if !ok || !on || !enabled {
			continue
		}
		in := agent.DefaultInput("log")
		in.Paths, in.Place, in.Symlinks = paths, fmt.Sprintf("%s:%d", f.name, k.Pos.Line), true
		in.ExcludeFiles, in.ServiceType = []string{`\.gz$`}, name
		in.Fields, in.FieldsUnderRoot = map[string]any{
			"event":   map[string]any{"module": name, "dataset": name + "." + k.Name},
			"fileset": map[string]any{"name": k.Name},
		}, true
		if set.multiline != nil {
			in.Parsers = append(in.Parsers, agent.Parser{Multiline: set.multiline})
		}
		if set.json {
			in.JSON = &agent.NDJSON{OverwriteKeys: true, AddErrorKey: true}
		}
		out = append(out, in)
	}
	if len(out) > 0 {
		*warnings = append(*warnings, Warning{b.keyPos("module"), path, "lines are shipped with event.module and event.dataset; parsing them is a pipeline's work"})
	}
	return out
}
