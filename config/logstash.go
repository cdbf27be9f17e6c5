package config

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Logstash is a settings folder of Logstash: logstash.yml and pipelines.yml.
type Logstash struct {
	Node      string // node.name
	Data      string // path.data; "" when not set
	Monitor   string // api.http.host and port; "" when api.enabled is false
	Log       Log
	Pipelines []Pipeline // of pipelines.yml, or the one of logstash.yml
	Defaults  Pipeline   // what pipelines without settings of their own get
	Warnings  []Warning
}

const defaultMonitor = "127.0.0.1:9600"

// ReadLogstash reads the settings folder dir. Files that are not there set nothing.
func ReadLogstash(dir string) (Logstash, error) {
	name := filepath.Join(dir, "logstash.yml")
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Logstash{}, err
	}
	l, err := ParseLogstash(name, text, os.LookupEnv)
	if err != nil || len(l.Pipelines) > 0 {
		return l, err
	}
	name = filepath.Join(dir, "pipelines.yml")
	text, err = os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil {
		err = l.ParsePipelines(name, text, os.LookupEnv)
	}
	return l, err
}

// ParseLogstash reads the text of a logstash.yml.
func ParseLogstash(path string, text []byte, env func(string) (string, bool)) (Logstash, error) {
	l := Logstash{Monitor: defaultMonitor, Log: Log{Level: "info", Format: "text"}, Defaults: Pipeline{ID: "main", ECS: "v8"}}
	f := newFile(path, text, env)
	root := f.parse(text)
	if root == nil {
		return l, f.errs
	}
	b := f.bind(root, "")
	node := b.sub("node")
	node.str("name", &l.Node)
	node.done()
	l.bindPaths(f, b)
	l.Defaults.bind(b, &l.Warnings)
	l.Defaults.Path = besideFile(f, l.Defaults.Path)
	l.bindAPI(b)
	log := b.sub("log")
	log.oneOf("level", &l.Log.Level, "fatal", "error", "warn", "info", "debug", "trace")
	switch l.Log.Level {
	case "fatal":
		l.Log.Level = "error"
	case "trace":
		l.Log.Level = "debug"
	}
	format := "plain"
	log.oneOf("format", &format, "plain", "json")
	if format == "json" {
		l.Log.Format = "json"
	}
	log.done()
	for _, key := range []string{"xpack", "monitoring", "modules", "cloud", "telemetry", "slowlog", "allow_superuser", "var"} {
		b.warn(key, "not used here", &l.Warnings)
	}
	b.done()
	if p := l.Defaults; p.Path != "" || p.Text != "" {
		p.Pos = Pos{File: path, Line: 1, Col: 1}
		l.Pipelines = []Pipeline{p}
		l.Defaults.Path, l.Defaults.Text = "", ""
	}
	if len(f.errs) > 0 {
		return l, f.errs
	}
	return l, nil
}

func (l *Logstash) bindPaths(f *file, b *binder) {
	p := b.sub("path")
	p.str("data", &l.Data)
	l.Data = besideFile(f, l.Data)
	p.warn("logs", "the log goes to standard error", &l.Warnings)
	p.refuse("plugins", "plugins written in Ruby cannot be loaded")
	p.ignore("settings")
}

// bindAPI reads api.*, and http.* of older versions.
func (l *Logstash) bindAPI(b *binder) {
	host, port, enabled := "127.0.0.1", "9600", true
	bind := func(h *binder) {
		h.str("host", &host)
		h.str("port", &port)
		h.done()
	}
	bind(b.sub("http"))
	api := b.sub("api")
	api.boolean("enabled", &enabled)
	bind(api.sub("http"))
	api.ignore("environment")
	api.refuse("ssl", "the port of the figures has no TLS")
	auth := api.sub("auth")
	kind := "none"
	auth.str("type", &kind)
	if kind != "none" {
		auth.refuse("type", "the port of the figures has no login; keep it on loopback")
	}
	auth.ignore("basic")
	auth.done()
	api.done()
	first, _, _ := strings.Cut(port, "-")
	l.Monitor = net.JoinHostPort(host, first)
	if !enabled {
		l.Monitor = ""
	}
}

// ParsePipelines reads the text of a pipelines.yml.
func (l *Logstash) ParsePipelines(path string, text []byte, env func(string) (string, bool)) error {
	f := newFile(path, text, env)
	root := f.parse(text)
	switch {
	case root == nil:
		return f.errs
	case root.Kind == Map && len(root.Keys) == 0: // nothing but comments
		return nil
	case root.Kind != List:
		f.fail(root.Pos, 1, "begin each pipeline with a dash", "the file must be a list of pipelines")
		return f.errs
	}
	seen := map[string]bool{}
	for i, n := range root.List {
		p := bindPipeline(f, n, i, l.Defaults, &l.Warnings)
		if seen[p.ID] {
			f.fail(n.Pos, 1, "", "two pipelines are called %s", p.ID)
		}
		seen[p.ID] = true
		l.Pipelines = append(l.Pipelines, p)
	}
	if len(f.errs) > 0 {
		return f.errs
	}
	return nil
}
