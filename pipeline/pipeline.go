package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// Pipeline is one compiled configuration.
type Pipeline struct {
	cfg         Config
	sources     []*source
	outs        []outputState
	writers     []*docWriter
	deadLetters queue.Queue
	stats       totals
	meter       meter
	began       time.Time
	poison      bool // tests find strings that outlive their batch

	slots  chan struct{} // one for each batch in flight
	pool   pool
	order  chan *batch // every batch that was read, in order
	work   chan *batch
	memory *budget

	genMu   sync.Mutex
	gen     *generation // of batches read from now on
	clock   *source     // of batches that filters fill by the clock
	workers int
	links   bus.Links
}

// outputState is an output's part that is not a worker's. sink is nil for outputs of documents.
type outputState struct {
	sink  output.Sink
	stats *pluginStats
}

// Open compiles the configuration and connects its outputs. An error of the configuration is a conf.Errors.
func Open(cfg Config) (*Pipeline, error) {
	cfg = cfg.withDefaults()
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	f, sources, errs := load(&cfg)
	if len(errs.Faults()) > 0 {
		return nil, errs.Faults()
	}
	p := &Pipeline{cfg: cfg, began: cfg.Now(), memory: newBudget(cfg.Memory), clock: &source{}}
	c := newCompiler(&p.cfg, f, &errs)
	c.inEnv.Start = p.start
	p.compile(c, f)
	sources.show(errs)
	if faults := errs.Faults(); len(faults) > 0 {
		return nil, faults
	}
	for _, w := range errs {
		cfg.Log.Warn("configuration", "pipeline", cfg.ID, "at", fmt.Sprintf("%s:%d:%d", w.File, w.Line, w.Col), "remark", w.Msg, "hint", w.Hint)
	}
	err := p.connect(c)
	if err == nil {
		err = p.openSpools()
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.prepare()
	return p, nil
}

// compile builds the sources and the first generation.
func (p *Pipeline) compile(c *compiler, f *conf.File) {
	p.workers = c.workers(f)
	p.sources, p.links = c.sources(p.workers), c.links()
	p.gen = c.generation(f, p.workers)
}

func filters(f *conf.File) []*conf.Plugin {
	var l []*conf.Plugin
	for _, s := range f.Sections {
		if s.Kind == "filter" {
			s.Plugins(func(pl *conf.Plugin) { l = append(l, pl) })
		}
	}
	return l
}

// connect opens the outputs.
func (p *Pipeline) connect(c *compiler) error {
	for i, pl := range c.outputs {
		spec := output.Find(pl.Name)
		a := c.outputArgs(pl, spec)
		o := outputState{stats: c.stats[pl]}
		var err error
		if spec.Sink == nil {
			err = p.addWriter(output.ReadESOptions(a), i)
		} else if o.sink, err = spec.Sink(a, c.outEnv); err == nil && len(c.errs.Faults()) > 0 {
			err = c.errs.Faults()
		}
		if err != nil {
			return fmt.Errorf("open output %s (%s): %w", pl.Name, place(pl.Pos), err)
		}
		p.outs = append(p.outs, o)
	}
	return p.findDeadLetters()
}

// addWriter makes a writer for an output, or shares the one of an output with equal options.
func (p *Pipeline) addWriter(o ESOptions, index int) error {
	o.Group = p.group()
	key := o.Key()
	if len(o.Hosts) == 0 || p.cfg.OwnStore != nil && p.cfg.OwnStore(o) {
		key = "own store" // it keeps positions and ranges under the group once
	}
	for _, w := range p.writers {
		if w.key == key {
			w.outputs = append(w.outputs, index)
			return p.prepareStore(o)
		}
	}
	if p.cfg.Writer == nil {
		return errors.New("no store is configured")
	}
	w, err := p.cfg.Writer(o)
	if err != nil {
		return err
	}
	p.writers = append(p.writers, &docWriter{w: w, key: key, outputs: []int{index}})
	return nil
}

// prepareStore puts what another output of the same store wants there: its template and alias.
func (p *Pipeline) prepareStore(o ESOptions) error {
	if o.Template == nil && o.Rollover == nil {
		return nil
	}
	_, err := p.cfg.Writer(o)
	return err
}

// group is the name positions are kept under: the consumer group of the first queue that is read, or the pipeline's id.
func (p *Pipeline) group() string {
	for _, s := range p.sources {
		if s.queue != nil {
			return s.queue.Group()
		}
	}
	return p.cfg.ID // also of spools
}

func (p *Pipeline) findDeadLetters() error {
	p.deadLetters = p.cfg.DeadLetters
	if p.deadLetters != nil {
		return nil
	}
	for _, s := range p.sources {
		if s.queue == nil {
			continue
		}
		q, err := p.cfg.Queue(s.queue.Addr())
		if err != nil {
			return fmt.Errorf("connect to queue %s: %w", s.queue.Addr(), err)
		}
		p.deadLetters = q
		return nil
	}
	return nil
}

// start is where a queue is read from: the lowest position among the writers, for partitions all of them know.
func (p *Pipeline) start(ctx context.Context, _ input.Input) ([]queue.Position, error) {
	var low []queue.Position
	for i, w := range p.writers {
		pos, err := w.w.Positions(ctx)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			low = slices.Clone(pos)
			continue
		}
		low = slices.DeleteFunc(low, func(l queue.Position) bool {
			return !slices.ContainsFunc(pos, func(q queue.Position) bool { return samePartition(l, q) })
		})
		for k := range low {
			for _, q := range pos {
				if samePartition(low[k], q) {
					low[k].Offset = min(low[k].Offset, q.Offset)
				}
			}
		}
	}
	return low, nil
}

func samePartition(a, b queue.Position) bool {
	return a.Partition == b.Partition && a.TopicID == b.TopicID && a.Topic == b.Topic
}

// Run reads, filters and writes until ctx ends or every input is at its end, then lets what is in flight finish for up to 30 s. It
// may be called once.
func (p *Pipeline) Run(ctx context.Context) error {
	drain, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(drainTime, stop)
		context.AfterFunc(drain, func() { t.Stop() })
	})()

	var workers sync.WaitGroup
	for i := range p.workers {
		workers.Go(func() { (&worker{p: p, n: i}).run() })
	}
	gathered := make(chan error, 1)
	go func() { gathered <- (&gatherer{p: p}).run(drain) }()

	err := p.read(ctx)
	close(p.work)
	workers.Wait()
	p.flushLast(drain)
	close(p.order)
	err = errors.Join(err, <-gathered)
	return errors.Join(err, p.close())
}

// prepare makes room for the batches: two a worker, and as many as fill a Write.
func (p *Pipeline) prepare() {
	n := 2*p.workers + min(writeDocuments/p.cfg.BatchSize, maxGathered) + 1
	p.slots, p.order, p.work = make(chan struct{}, n), make(chan *batch, n), make(chan *batch)
}

// read runs the inputs until all are at their end. When one fails the others stop.
func (p *Pipeline) read(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(p.sources))
	var inputs sync.WaitGroup
	for i, s := range p.sources {
		inputs.Go(func() {
			errs[i] = p.run(ctx, s)
			if errs[i] != nil {
				p.cfg.Log.Error("input ends", "pipeline", p.cfg.ID, "input", s.stats.name, "at", s.stats.place, "err", errs[i])
				stop()
			}
		})
	}
	over := make(chan struct{})
	var clock sync.WaitGroup
	clock.Go(func() { p.tick(ctx, over) })
	inputs.Wait()
	close(over)
	clock.Wait()
	return errors.Join(errs...)
}

// Close gives back what Open took. It is for a pipeline that is not run: Run does it at its end.
func (p *Pipeline) Close() error { return p.close() }

// close leaves the groups, after the last commit, and closes spools, filters and outputs.
func (p *Pipeline) close() error {
	var errs []error
	for _, s := range p.sources {
		if c, ok := s.in.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
		if s.spool != nil {
			errs = append(errs, s.spool.Close())
		}
	}
	return errors.Join(append(errs, p.current().discard(nil), p.closeSinks())...)
}

func (p *Pipeline) closeSinks() error {
	var errs []error
	for _, o := range p.outs {
		if o.sink != nil {
			errs = append(errs, o.sink.Close())
		}
	}
	return errors.Join(errs...)
}
