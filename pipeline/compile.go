package pipeline

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/pipeline/plugin"
)

// texts is a configuration as it was read, for the excerpts of messages.
type texts []Source

// show gives messages the line they are about.
func (t texts) show(errs conf.Errors) {
	for _, e := range errs {
		if e.Source != "" || e.Line < 1 {
			continue
		}
		i := slices.IndexFunc(t, func(s Source) bool { return s.Name == e.File })
		if i < 0 {
			continue
		}
		if lines := strings.SplitN(t[i].Text, "\n", e.Line+1); len(lines) >= e.Line {
			e.Source = strings.TrimRight(lines[e.Line-1], "\r")
		}
	}
}

// load reads, parses and joins the configuration.
func load(cfg *Config) (*conf.File, texts, conf.Errors) {
	var files []*conf.File
	var errs conf.Errors
	sources := slices.Clone(cfg.Text)
	for i, name := range cfg.Files {
		b, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, conf.ErrorAt(conf.Pos{File: name, Line: 1, Col: 1}, "", "%v", err))
			continue
		}
		sources = slices.Insert(sources, min(i, len(sources)), Source{Name: name, Text: string(b)})
	}
	for _, s := range sources {
		f, e := conf.Parse(s.Name, s.Text)
		files = append(files, f)
		errs = append(errs, e...)
	}
	all := conf.Join(files...)
	if len(errs) == 0 {
		errs = append(errs, conf.Expand(all, cfg.Lookup, cfg.Escapes)...)
	}
	texts(sources).show(errs)
	if cfg.Replay != nil {
		all = cfg.Replay.rewrite(all)
	}
	return all, sources, errs
}

// place is file:line of a plugin, with the file's base name: what rules and figures show.
func place(p conf.Pos) string { return fmt.Sprintf("%s:%d", filepath.Base(p.File), p.Line) }

// program is what one worker runs. It belongs to the worker's goroutine.
type program struct {
	codecs  []input.Decoder // by input
	filters []node
	outputs []node
	failed  *bool // set by conditions that failed
}

// node is a step, a branch or an emit.
type node interface{}

type step struct {
	f       filter.Filter
	common  *plugin.Common
	own     bool // the filter applies common itself
	reaches bool // it asks somebody outside, or waits
	stats   *pluginStats
	rule    string // what the ledger says of events it drops
}

type branch struct {
	arms  []arm
	place string
}

type arm struct {
	cond cond // nil for else
	body []node
}

type emit struct {
	r     output.Renderer
	index int // of the output
	stats *pluginStats
}

// compiler builds programs. The first one reports faults; the others are made of the same text.
type compiler struct {
	cfg    *Config
	errs   *conf.Errors
	env    plugin.Env
	inEnv  *input.Env
	outEnv *output.Env

	shared  map[*conf.Plugin]filter.Filter
	stats   map[*conf.Plugin]*pluginStats
	inputs  []*conf.Plugin
	outputs []*conf.Plugin
	built   []*source
	folders []string // of spools

	gen       *generation // that is built
	before    *generation // whose filters may be taken over; nil at a start
	checkOnly bool        // nothing is opened
}

func newCompiler(cfg *Config, f *conf.File, errs *conf.Errors) *compiler {
	c := &compiler{cfg: cfg, errs: errs, shared: make(map[*conf.Plugin]filter.Filter), stats: make(map[*conf.Plugin]*pluginStats)}
	c.env = plugin.Env{ECS: cfg.ECS != "disabled", Log: cfg.Log, Now: cfg.Now}
	c.inEnv = &input.Env{Env: c.env, Queue: cfg.Queue, Topic: cfg.Topic, Stdin: cfg.Stdin, Bus: cfg.Bus, Plaintext: cfg.Plaintext, Data: cfg.Data}
	c.outEnv = &output.Env{Env: c.env, Queue: cfg.Queue, Topic: cfg.Topic, Stdout: cfg.Stdout, Bus: cfg.Bus, Pipeline: cfg.ID}
	for _, s := range f.Sections {
		switch s.Kind {
		case "input":
			s.Plugins(func(p *conf.Plugin) { c.inputs = append(c.inputs, p) })
			for _, st := range s.Body {
				if x, ok := st.(*conf.If); ok {
					c.fail(x.Pos, "write conditions in the filter section", "a condition in the input section has nothing to look at")
				}
			}
		case "output":
			s.Plugins(func(p *conf.Plugin) { c.outputs = append(c.outputs, p) })
		}
	}
	return c
}

func (c *compiler) fail(pos conf.Pos, hint, format string, args ...any) {
	*c.errs = append(*c.errs, conf.ErrorAt(pos, hint, format, args...))
}

// program compiles the configuration for one worker.
func (c *compiler) program(f *conf.File) *program {
	p := &program{failed: new(bool)}
	for _, in := range c.inputs {
		p.codecs = append(p.codecs, c.inputCodec(in))
	}
	outs := 0
	cc := &condCompiler{errs: c.errs, failed: p.failed}
	for _, s := range f.Sections {
		switch s.Kind {
		case "filter":
			p.filters = append(p.filters, c.body(s.Body, cc, c.filter)...)
		case "output":
			p.outputs = append(p.outputs, c.body(s.Body, cc, func(pl *conf.Plugin) node {
				outs++
				return c.output(pl, outs-1)
			})...)
		}
	}
	return p
}

func (c *compiler) body(body []conf.Stmt, cc *condCompiler, build func(*conf.Plugin) node) []node {
	var nodes []node
	for _, st := range body {
		switch st := st.(type) {
		case *conf.Plugin:
			if n := build(st); n != nil {
				nodes = append(nodes, n)
			}
		case *conf.If:
			b := &branch{place: place(st.Pos)}
			for _, br := range st.Branches {
				a := arm{body: c.body(br.Body, cc, build)}
				if br.Cond != nil {
					a.cond = cc.compile(br.Cond)
				}
				b.arms = append(b.arms, a)
			}
			nodes = append(nodes, b)
		}
	}
	return nodes
}

// unknown reports a plugin that is not there.
func (c *compiler) unknown(p *conf.Plugin, kind string, names []string, known bool) {
	hint := ""
	if n := conf.Nearest(p.Name, names); n != "" {
		hint = "did you mean " + n + "?"
	}
	if known && hint == "" {
		c.fail(p.Pos, "supported: "+strings.Join(names, ", "), "%s %s is not supported", kind, p.Name)
		return
	}
	c.fail(p.Pos, hint, "unknown %s %q", kind, p.Name)
}

func (c *compiler) filter(p *conf.Plugin) node {
	spec := filter.Find(p.Name)
	if spec == nil {
		var names []string
		for _, s := range filter.Table() {
			names = append(names, s.Name)
		}
		if why := filter.WhyMissing(p.Name); why != "" {
			c.fail(p.Pos, why, "filter %s is not supported", p.Name)
			return nil
		}
		c.unknown(p, "filter", names, false)
		return nil
	}
	a := plugin.Read(p, append(slices.Clone(spec.Options), plugin.FilterOptions...), c.errs)
	st := &step{common: plugin.NewCommon(a), own: spec.OwnCommon, reaches: spec.Reaches, stats: c.statsOf(p, a, "filter"), rule: place(p.Pos) + " " + p.Name}
	if f, ok := c.shared[p]; ok {
		st.f = f
		return st
	}
	text := ""
	if spec.Shared || spec.Ordered {
		text = printed("filter", []*conf.Plugin{p})[0]
		st.f = c.takeOver(text)
	}
	if st.f == nil {
		st.f = c.guard(p, func() filter.Filter { return spec.New(a, &c.env) })
	}
	if pf, ok := st.f.(filter.PatternFigurer); ok {
		st.stats.figurers = append(st.stats.figurers, pf)
	}
	c.keep(p, st.f, text)
	c.noteFiles(a, spec.Options)
	return st
}

// noteFiles remembers the files that options name.
func (c *compiler) noteFiles(a *plugin.Args, opts []plugin.Option) {
	if c.gen == nil || len(c.gen.programs) > 0 {
		return
	}
	for _, o := range opts {
		if o.Kind == plugin.Path && a.Has(o.Name) {
			c.gen.files = append(c.gen.files, a.String(o.Name))
		}
		if o.Name == "patterns_dir" {
			for _, dir := range a.Strings(o.Name) {
				names, _ := filepath.Glob(filepath.Join(dir, "*")) // a bad pattern has no files
				c.gen.files = append(c.gen.files, names...)
			}
		}
	}
}

// keep notes what a filter of the generation that is built needs later.
func (c *compiler) keep(p *conf.Plugin, f filter.Filter, text string) {
	if text != "" && f != nil {
		c.shared[p] = f
		if c.gen != nil {
			c.gen.kept = append(c.gen.kept, keptFilter{text: text, f: f})
		}
	}
	if c.gen == nil {
		return
	}
	if cl, ok := f.(io.Closer); ok {
		c.gen.closers = append(c.gen.closers, cl)
	}
	if _, ok := f.(filter.Flusher); ok {
		c.gen.flushes = true
	}
}

// workers is how many can run the filters: one when a filter needs every event in order.
func (c *compiler) workers(f *conf.File) int {
	for _, p := range filters(f) {
		spec := filter.Find(p.Name)
		if spec == nil {
			continue
		}
		var ignored conf.Errors // reported when the filter is built
		if spec.Ordered || spec.OrderedIf != nil && spec.OrderedIf(plugin.Read(p, append(slices.Clone(spec.Options), plugin.FilterOptions...), &ignored)) {
			if c.cfg.Workers > 1 {
				c.warn(p.Pos, "", "%s needs events in order: the filters of this pipeline run in one worker", p.Name)
			}
			return 1
		}
	}
	return c.cfg.Workers
}

// guard keeps a constructor that was handed faulty options from ending the process; the fault itself is reported already.
func (c *compiler) guard(p *conf.Plugin, build func() filter.Filter) (f filter.Filter) {
	before := len(c.errs.Faults())
	defer func() {
		if r := recover(); r != nil {
			if len(c.errs.Faults()) == before {
				c.fail(p.Pos, "", "%s cannot be built: %v", p.Name, r)
			}
			f = nil
		}
	}()
	return build()
}

// inputCodec is how the records of an input become events.
func (c *compiler) inputCodec(p *conf.Plugin) input.Decoder {
	spec := input.Find(p.Name)
	if spec == nil {
		return nil
	}
	var ignored conf.Errors // reported by inputs
	a := plugin.Read(p, append(slices.Clone(spec.Options), plugin.InputOptions...), &ignored)
	co := codec.New(a, &c.env, spec.Codec, codec.In)
	if spec.Decode != nil {
		return spec.Decode(a, &c.env, co)
	}
	return byCodec{co}
}

func (c *compiler) output(p *conf.Plugin, index int) node {
	spec := output.Find(p.Name)
	if spec == nil {
		var names []string
		for _, s := range output.Table() {
			names = append(names, s.Name)
		}
		c.unknown(p, "output", names, output.Known(p.Name))
		return nil
	}
	a := c.outputArgs(p, spec)
	co := codec.New(a, &c.env, spec.Codec, codec.Out)
	return &emit{r: spec.New(a, c.outEnv, co), index: index, stats: c.statsOf(p, a, "output")}
}

func (c *compiler) outputArgs(p *conf.Plugin, spec *output.Spec) *plugin.Args {
	return plugin.Read(p, append(slices.Clone(spec.Options), plugin.OutputOptions...), c.errs)
}
