package pipeline

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/filter"
)

// ErrRestart says that a configuration cannot be taken over between two batches: inputs, outputs or settings changed, or a filter
// that holds events back. The pipeline must end and begin anew.
var ErrRestart = errors.New("the change needs a restart of the pipeline")

// generation is what one text of a pipeline was compiled to. Every batch goes through the one it was read under.
type generation struct {
	hash            string
	inputs, outputs []string   // the plugins as printed: what a reload cannot change
	programs        []*program // by worker
	plugins         []*pluginStats
	kept            []keptFilter // what a reload may take over
	closers         []io.Closer
	files           []string // that options name: patterns, dictionaries, scripts
	flushes         bool     // a filter makes events by the clock

	refs           int // batches in flight, and one while it is the current one; guarded by Pipeline.genMu
	events, failed atomic.Int64
}

// keptFilter is a filter whose state is worth more than its configuration.
type keptFilter struct {
	text string // as printed
	f    filter.Filter
	used bool // by the next generation
}

// printed is plugins as text, which tells whether a change touched them.
func printed(kind string, list []*conf.Plugin) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = conf.Print(&conf.File{Sections: []*conf.Section{{Kind: kind, Body: []conf.Stmt{p}}}})
	}
	return out
}

// generation compiles programs for all workers. Faults are in c.errs; only the first program reports them.
func (c *compiler) generation(f *conf.File, workers int) *generation {
	g := &generation{hash: fmt.Sprintf("%016x", xxh3.HashString(conf.Print(f))), inputs: printed("input", c.inputs), outputs: printed("output", c.outputs), refs: 1}
	c.gen = g
	g.programs = append(g.programs, c.program(f))
	c.check(f)
	if len(c.errs.Faults()) > 0 {
		return g
	}
	told := c.errs
	c.errs = &conf.Errors{}
	for range workers - 1 {
		g.programs = append(g.programs, c.program(f))
	}
	c.errs = told
	for _, list := range [][]*conf.Plugin{c.inputs, filters(f), c.outputs} {
		for _, pl := range list {
			g.plugins = append(g.plugins, c.stats[pl])
		}
	}
	return g
}

// takeOver gives the instance of an equal filter of the generation before, nil when there is none.
func (c *compiler) takeOver(text string) filter.Filter {
	if c.before == nil {
		return nil
	}
	i := slices.IndexFunc(c.before.kept, func(k keptFilter) bool { return k.text == text && !k.used })
	if i < 0 {
		return nil
	}
	c.before.kept[i].used = true
	return c.before.kept[i].f
}

// holdsBack reports whether g has a filter with events in it that nobody took over.
func (g *generation) holdsBack() bool {
	return slices.ContainsFunc(g.kept, func(k keptFilter) bool {
		_, flushes := k.f.(filter.Flusher)
		return flushes && !k.used
	})
}

// discard closes what was built for a generation that is not used, or not any more; what the other one has stays open.
func (g *generation) discard(other *generation) error {
	var errs []error
	for _, c := range g.closers {
		if other == nil || !slices.Contains(other.closers, c) {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// enter is the generation of a batch that was just read.
func (p *Pipeline) enter() *generation {
	p.genMu.Lock()
	defer p.genMu.Unlock()
	p.gen.refs++
	return p.gen
}

// leave is called when a batch is settled. The last batch of a generation that was replaced closes it.
func (p *Pipeline) leave(g *generation) {
	p.genMu.Lock()
	g.refs--
	last, now := g.refs == 0, p.gen
	p.genMu.Unlock()
	if last {
		if err := g.discard(now); err != nil {
			p.cfg.Log.Warn("filters of the configuration before cannot be closed", "pipeline", p.cfg.ID, "err", err)
		}
	}
}

// current is the generation new batches get.
func (p *Pipeline) current() *generation {
	p.genMu.Lock()
	defer p.genMu.Unlock()
	return p.gen
}

// Reload lets every batch read from now on go through the filters of cfg. Connections, places and the state of filters that count
// stay. ErrRestart: cfg differs in more than filters; any other error is one of the text. Either way the pipeline goes on as it was.
func (p *Pipeline) Reload(cfg Config) error {
	cfg = cfg.withDefaults()
	if cfg.ECS != p.cfg.ECS || cfg.Escapes != p.cfg.Escapes || cfg.BatchSize != p.cfg.BatchSize || cfg.Workers != p.cfg.Workers {
		return ErrRestart
	}
	f, sources, errs := load(&cfg)
	if len(errs.Faults()) > 0 {
		return errs.Faults()
	}
	before := p.current()
	for i := range before.kept {
		before.kept[i].used = false
	}
	c := newCompiler(&cfg, f, &errs)
	c.inEnv.Start, c.before = p.start, before
	c.checkOnly = true
	workers := c.workers(f)
	if workers != len(before.programs) {
		return ErrRestart
	}
	c.sources(workers)
	c.keepStats(p, before)
	g := c.generation(f, workers)
	sources.show(errs)
	faults := errs.Faults()
	if len(faults) == 0 && slices.Equal(g.inputs, before.inputs) && slices.Equal(g.outputs, before.outputs) && !before.holdsBack() {
		p.genMu.Lock()
		p.gen = g
		p.genMu.Unlock()
		p.leave(before)
		return nil
	}
	err := g.discard(before)
	if len(faults) > 0 {
		return faults
	}
	return errors.Join(ErrRestart, err)
}

// keepStats lets unchanged inputs and outputs count on.
func (c *compiler) keepStats(p *Pipeline, before *generation) {
	old := map[string][]*pluginStats{}
	for _, s := range before.plugins {
		if s.kind != "filter" {
			old[s.kind] = append(old[s.kind], s)
		}
	}
	for kind, list := range map[string][]*conf.Plugin{"input": c.inputs, "output": c.outputs} {
		for i, pl := range list {
			if i < len(old[kind]) && old[kind][i].name == pl.Name {
				c.stats[pl] = old[kind][i]
			}
		}
	}
}

// Health is how many events went through filters of the current text, counted at each filter, and how many of them failed there.
func (p *Pipeline) Health() (events, failed int64) {
	g := p.current()
	return g.events.Load(), g.failed.Load()
}

// Files is what the configuration reads besides its own text: patterns, dictionaries, scripts.
func (p *Pipeline) Files() []string { return p.current().files }

// Topics is the topics of queues that are read.
func (p *Pipeline) Topics() []string {
	var l []string
	for _, s := range p.sources {
		if s.queue != nil {
			l = append(l, s.queue.Topics()...)
		}
	}
	return l
}
