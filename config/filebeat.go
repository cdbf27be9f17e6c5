package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirlog/weir/agent"
)

// Filebeat is what a filebeat.yml says.
type Filebeat struct {
	Agent  agent.Config
	Output Output
	// PathData is path.data: where a Filebeat keeps its registry.
	PathData string
	Warnings []Warning
}

// IsFilebeat tells a filebeat.yml from a weir.yml: by its name, else by its sections.
func IsFilebeat(path string, text []byte) bool {
	if strings.Contains(filepath.Base(path), "filebeat") {
		return true
	}
	root := newFile(path, text, os.LookupEnv).parse(text)
	return root != nil && (root.get("filebeat") != nil || root.get("output") != nil)
}

// ReadFilebeat reads a filebeat.yml. The error is Errors when the file can be opened.
func ReadFilebeat(path string) (Filebeat, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Filebeat{}, fmt.Errorf("read configuration: %w", err)
	}
	return ParseFilebeat(path, text, os.LookupEnv)
}

// ParseFilebeat reads the text of a filebeat.yml; env looks up variables.
func ParseFilebeat(path string, text []byte, env func(string) (string, bool)) (Filebeat, error) {
	fb := Filebeat{Agent: agent.DefaultConfig()}
	f := newFile(path, text, func(name string) (string, bool) {
		if name == "path.data" || name == "path.home" || name == "path.config" || name == "path.logs" {
			return filepath.Join(filepath.Dir(path), strings.TrimPrefix(name, "path.")), true
		}
		return env(name)
	})
	root := f.parse(text)
	if root == nil {
		return fb, f.errs
	}
	b := f.bind(root, "")
	fb.bindTop(b)
	fb.bindFilebeat(b.sub("filebeat"))
	for i, n := range b.list("processors") {
		fb.Agent.Processors = append(fb.Agent.Processors, bindProcessor(f, n, fmt.Sprintf("processors[%d]", i), &fb.Warnings)...)
	}
	fb.bindOutput(b.sub("output"))
	b.done()
	if len(f.errs) > 0 {
		return fb, f.errs
	}
	return fb, nil
}

// bindTop reads the settings every Beat has.
func (fb *Filebeat) bindTop(b *binder) {
	b.str("name", &fb.Agent.Name)
	b.strs("tags", &fb.Agent.Tags)
	b.plain("fields", &fb.Agent.Fields)
	b.boolean("fields_under_root", &fb.Agent.FieldsUnderRoot)
	p := b.sub("path")
	p.str("data", &fb.PathData)
	p.ignore("home", "config", "logs")
	p.done()
	b.ignore("max_procs", "logging", "monitoring", "instrumentation", "seccomp", "features", "registry_file", "spool_size", "http", "timestamp")
	b.warn("setup", "templates, dashboards and ILM policies are not installed by the agent", &fb.Warnings)
	b.warn("queue", "agent.memory in weir.yml bounds the agent's buffers, in bytes", &fb.Warnings)
	b.refuse("cloud", "give the address in output.elasticsearch.hosts")
	b.refuse("keystore", "give secrets by environment variables")
}

func (fb *Filebeat) bindFilebeat(b *binder) {
	inputs := b.list("inputs")
	inputs = append(inputs, b.list("prospectors")...)
	for i, n := range inputs {
		in := bindInput(b.f, n, fmt.Sprintf("filebeat.inputs[%d]", i), agent.DefaultMessageMaxBytes, &fb.Warnings)
		if in != nil {
			fb.Agent.Inputs = append(fb.Agent.Inputs, *in)
		}
	}
	reg := b.sub("registry")
	reg.duration("flush", &fb.Agent.RegistryFlush)
	reg.warn("path", "weir keeps its own registry in its data folder", &fb.Warnings)
	reg.ignore("file_permissions", "cleanup_interval", "migrate_file", "backend")
	reg.done()
	b.duration("shutdown_timeout", &fb.Agent.ShutdownTimeout)
	b.ignore("overwrite_pipelines")
	b.refuse("modules", "name the files as filestream inputs")
	b.refuse("autodiscover", "name the files as container inputs")
	fb.bindConfigDirs(b.sub("config"))
	b.done()
}

// bindConfigDirs reads filebeat.config.inputs and .modules: folders of further inputs. A stock file names them and leaves them empty.
func (fb *Filebeat) bindConfigDirs(b *binder) {
	for _, kind := range []string{"inputs", "modules"} {
		c := b.sub(kind)
		enabled := kind == "modules"
		c.boolean("enabled", &enabled)
		var glob string
		c.str("path", &glob)
		c.ignore("reload")
		c.done()
		if glob == "" {
			continue
		}
		if !filepath.IsAbs(glob) {
			glob = filepath.Join(filepath.Dir(b.f.name), glob)
		}
		if files, _ := filepath.Glob(glob); enabled && len(files) > 0 {
			b.f.fail(b.keyPos(kind), len(kind), "copy the inputs into filebeat.inputs", "filebeat.config.%s is not supported, and %s matches %d files", kind, glob, len(files))
		}
	}
	b.done()
}
