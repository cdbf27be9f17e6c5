package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/weirlog/weir/agent"
)

// Filebeat is what a filebeat.yml says.
type Filebeat struct {
	Agent  agent.Config
	Output Output
	// PathData is path.data; Registry is filebeat.registry.path, "" when it is not set: where a Filebeat keeps its registry.
	PathData, Registry string
	Warnings           []Warning

	toldKeystore bool
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
	return parseFilebeat(path, text, env, nil)
}

func parseFilebeat(path string, text []byte, env func(string) (string, bool), report *[]Mention) (Filebeat, error) {
	fb := Filebeat{Agent: agent.DefaultConfig()}
	f := newFile(path, text, fb.lookup(path, text, env))
	f.lenient, f.report = &fb.Warnings, report
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
	fb.Agent.TakeOver = agent.TakeOver{Data: fb.PathData, Registry: fb.Registry}
	if fb.Registry != "" && !filepath.IsAbs(fb.Registry) {
		fb.Agent.TakeOver.Registry = filepath.Join(fb.PathData, fb.Registry)
	}
	fb.bindOutput(b.sub("output"))
	b.done()
	if len(f.errs) > 0 {
		return fb, f.errs
	}
	return fb, nil
}

// lookup finds variables: the paths of the file, the environment, then the keystore beside it.
func (fb *Filebeat) lookup(path string, text []byte, env func(string) (string, bool)) func(string) (string, bool) {
	dirs := map[string]string{"path.home": filepath.Dir(path), "path.config": filepath.Dir(path)}
	// what the file itself says of its paths is read first, with the environment alone
	first := newFile(path, text, func(name string) (string, bool) {
		if v, ok := env(name); ok {
			return v, true
		}
		if dir, ok := dirs[name]; ok {
			return dir, true
		}
		return "", strings.Contains(name, ".")
	})
	keystore := ""
	if root := first.parse(text); root != nil {
		b := first.bind(root, "")
		p := b.sub("path")
		for _, key := range [...]string{"home", "config", "data", "logs"} {
			if dir := ""; p.has(key) {
				p.str(key, &dir)
				dirs["path."+key] = dir
			}
		}
		b.sub("keystore").str("path", &keystore)
	}
	for _, key := range [...]string{"data", "logs"} {
		if dirs["path."+key] == "" {
			dirs["path."+key] = filepath.Join(dirs["path.home"], key)
		}
	}
	if fb.PathData = dirs["path.data"]; keystore == "" {
		keystore = filepath.Join(fb.PathData, "filebeat.keystore")
	}
	secrets := sync.OnceValues(func() (Keystore, error) { return ReadKeystore(keystore) })
	return func(name string) (string, bool) {
		if dir, ok := dirs[name]; ok {
			return dir, true
		}
		if v, ok := env(name); ok {
			return v, true
		}
		k, err := secrets()
		if err != nil && !fb.toldKeystore {
			fb.toldKeystore = true
			fb.Warnings = append(fb.Warnings, Warning{Pos{File: path}, "keystore", err.Error()})
		}
		v, ok := k[name]
		return v, ok
	}
}

// bindTop reads the settings every Beat has.
func (fb *Filebeat) bindTop(b *binder) {
	b.str("name", &fb.Agent.Name)
	b.strs("tags", &fb.Agent.Tags)
	b.plain("fields", &fb.Agent.Fields)
	b.boolean("fields_under_root", &fb.Agent.FieldsUnderRoot)
	p := b.sub("path")
	p.ignore("home", "config", "data", "logs")
	p.done()
	b.ignore("max_procs", "logging", "monitoring", "instrumentation", "seccomp", "features", "registry_file", "spool_size", "http", "timestamp")
	b.warn("setup", "templates, dashboards and ILM policies are not installed by the agent", &fb.Warnings)
	b.warn("queue", "agent.memory in weir.yml bounds the agent's buffers, in bytes", &fb.Warnings)
	b.refuse("cloud", "give the address in output.elasticsearch.hosts")
	b.sub("keystore").ignore("path")
	for _, prefix := range [...]string{"xpack", "setup.kibana"} {
		b.ignore(prefix)
	}
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
	reg.str("path", &fb.Registry)
	reg.ignore("file_permissions", "cleanup_interval", "migrate_file", "backend")
	reg.done()
	b.duration("shutdown_timeout", &fb.Agent.ShutdownTimeout)
	b.ignore("overwrite_pipelines")
	for i, n := range b.list("modules") {
		fb.Agent.Inputs = append(fb.Agent.Inputs, bindModule(b.f, n, fmt.Sprintf("filebeat.modules[%d]", i), &fb.Warnings)...)
	}
	b.refuse("autodiscover", "name the files as container inputs")
	fb.bindConfigDirs(b.sub("config"))
	b.done()
}

// maxConfigFiles bounds the files of filebeat.config.inputs and .modules.
const maxConfigFiles = 1000

// bindConfigDirs reads filebeat.config.inputs and .modules: files that hold lists of inputs or of modules.
func (fb *Filebeat) bindConfigDirs(b *binder) {
	for _, kind := range []string{"inputs", "modules"} {
		c := b.sub(kind)
		enabled := b.has(kind)
		c.boolean("enabled", &enabled)
		var glob string
		c.str("path", &glob)
		r := c.sub("reload")
		reload := false
		r.boolean("enabled", &reload)
		r.ignore("period")
		r.done()
		if reload {
			fb.Warnings = append(fb.Warnings, Warning{c.keyPos("reload"), c.name("reload"), "changed files are read when weir starts"})
		}
		c.done()
		if glob == "" || !enabled {
			continue
		}
		if !filepath.IsAbs(glob) {
			glob = filepath.Join(filepath.Dir(b.f.name), glob)
		}
		files, err := filepath.Glob(glob)
		if err != nil || len(files) > maxConfigFiles {
			b.f.fail(b.keyPos(kind), len(kind), "", "filebeat.config.%s.path: %s is no pattern, or matches more than %d files", kind, glob, maxConfigFiles)
			continue
		}
		for _, name := range files {
			fb.bindConfigFile(b.f, name, kind)
		}
	}
	b.done()
}

// bindConfigFile reads one file of further inputs or modules.
func (fb *Filebeat) bindConfigFile(parent *file, name, kind string) {
	text, err := os.ReadFile(name)
	if err != nil {
		parent.fail(Pos{File: name}, 1, "", "read %s: %v", name, err)
		return
	}
	f := newFile(name, text, parent.env)
	f.lenient, f.report = parent.lenient, parent.report
	root := f.parse(text)
	if root != nil && root.Kind != List && len(root.Keys) > 0 {
		f.fail(root.Pos, 1, "begin each entry with a dash", "%s must be a list of %s", name, kind)
	} else if root != nil {
		for i, n := range root.List {
			path := fmt.Sprintf("%s[%d]", kind, i)
			if kind == "modules" {
				fb.Agent.Inputs = append(fb.Agent.Inputs, bindModule(f, n, path, &fb.Warnings)...)
			} else if in := bindInput(f, n, path, agent.DefaultMessageMaxBytes, &fb.Warnings); in != nil {
				fb.Agent.Inputs = append(fb.Agent.Inputs, *in)
			}
		}
	}
	parent.errs = append(parent.errs, f.errs...)
}
