package config

import (
	"fmt"
	"path/filepath"
	"time"
)

// Pipeline is one entry of pipelines, by the names of Logstash's pipelines.yml.
type Pipeline struct {
	ID        string
	Path      string // path.config: file, folder or glob
	Text      string // config.string
	Workers   int    // 0: cores
	BatchSize int
	Delay     time.Duration
	ECS       string // disabled, v1, v8
	Escapes   bool   // config.support_escapes
	QueueType string // queue.type of push inputs: persisted, memory; "" is persisted
	QueueMax  int64  // queue.max_bytes; 0 is the default
	// Automatic is config.reload.automatic: the text is looked at every Interval. One entry that says so says it for all.
	Automatic bool
	Interval  time.Duration
	Pos       Pos
}

// bindPipeline reads an entry of pipelines, in weir.yml or pipelines.yml. What it does not set stays as in defaults.
func bindPipeline(f *file, n *Node, i int, defaults Pipeline, warnings *[]Warning) Pipeline {
	b := f.bind(n, fmt.Sprintf("pipelines[%d]", i))
	p := defaults
	p.ID, p.Pos = fmt.Sprintf("main-%d", i), n.Pos
	if i == 0 {
		p.ID = "main"
	}
	p.bind(b, warnings)
	b.done()
	if (p.Path == "") == (p.Text == "") {
		f.fail(n.Pos, 1, "", "a pipeline needs either path.config or config.string")
	}
	p.Path = besideFile(f, p.Path)
	return p
}

// besideFile makes a path relative to the folder of the file that names it.
func besideFile(f *file, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.name), path)
}

// bind reads the settings a pipeline has; logstash.yml has them at its top, for all pipelines.
func (p *Pipeline) bind(b *binder, warnings *[]Warning) {
	pl := b.sub("pipeline")
	pl.str("id", &p.ID)
	pl.integer("workers", &p.Workers)
	pl.oneOf("ecs_compatibility", &p.ECS, "disabled", "v1", "v8")
	pl.ignore("ordered")
	for key, effect := range map[string]string{"unsafe_shutdown": "what is in flight always has its time to finish", "separate_logs": "there is one log",
		"plugin_classloaders": "there are no Java plugins", "output.workers": "documents are handed over in order", "reloadable": "every pipeline can be changed"} {
		pl.warn(key, effect, warnings)
	}
	batch := pl.sub("batch")
	batch.integer("size", &p.BatchSize)
	ms := int(p.Delay.Milliseconds())
	batch.integer("delay", &ms)
	p.Delay = time.Duration(ms) * time.Millisecond
	batch.ignore("metrics")
	batch.done()
	pl.ignore("buffer")
	pl.done()
	path := b.sub("path")
	path.str("config", &p.Path)
	for key, effect := range map[string]string{"queue": "spools are in the data folder", "dead_letter_queue": "dead letters go to the topic weir-dead-letters"} {
		path.warn(key, effect, warnings)
	}
	if b.path != "" {
		path.done()
	}
	p.bindConfig(b.sub("config"), warnings)
	p.bindQueue(b.sub("queue"), warnings)
	if b.has("dead_letter_queue") {
		b.warn("dead_letter_queue", "records that fail always go to the topic weir-dead-letters", warnings)
	}
}

func (p *Pipeline) bindConfig(b *binder, warnings *[]Warning) {
	b.str("string", &p.Text)
	b.boolean("support_escapes", &p.Escapes)
	b.warn("debug", "weir check and weir pipeline trace show what was understood", warnings)
	b.warn("test_and_exit", "use weir check", warnings)
	r := b.sub("reload")
	r.boolean("automatic", &p.Automatic)
	r.duration("interval", &p.Interval)
	r.done()
	ref := b.sub("field_reference")
	if style := ""; ref.has("escape_style") {
		ref.str("escape_style", &style)
		if style != "none" {
			b.f.fail(ref.keyPos("escape_style"), len("escape_style"), "", "config.field_reference.escape_style: %q is not supported", style)
		}
	}
	ref.done()
	b.done()
}

func (p *Pipeline) bindQueue(b *binder, warnings *[]Warning) {
	b.oneOf("type", &p.QueueType, "persisted", "memory")
	b.size("max_bytes", &p.QueueMax)
	if b.has("max_bytes") && p.QueueMax < 1<<20 {
		b.f.fail(b.get("max_bytes").Pos, 1, "at least 1mb", "%s is %d bytes", b.name("max_bytes"), p.QueueMax)
	}
	b.ignore("page_capacity", "max_events", "checkpoint", "compression")
	b.warn("drain", "what is spooled is read after the next start", warnings)
	b.done()
}
