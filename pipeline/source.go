package pipeline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/pipeline/spool"
	"github.com/weirlog/weir/queue"
)

// source is an input of the pipeline.
type source struct {
	in        input.Input
	index     int
	decorate  []*decoration // by worker
	stats     *pluginStats
	queue     *input.Kafka    // when it is one
	committer input.Committer // of what is read by position, a queue or a spool; nil for streams
	folder    string          // of the spool of a push input; "" for others
	spool     *spool.Spool    // of a push input, unless its queue is in memory
}

// decoration is the options type, tags and add_field of an input.
type decoration struct {
	typ    string
	common *plugin.Common
}

var typePath = event.MustPath("type")

func (d *decoration) apply(e *event.Event) {
	if d.typ != "" && !e.Has(typePath) {
		e.Set(typePath, event.String(d.typ))
	}
	d.common.Apply(e)
}

// sources builds all inputs.
func (c *compiler) sources(workers int) []*source {
	var l []*source
	for i, in := range c.inputs {
		if s := c.source(in, i, workers); s != nil {
			l = append(l, s)
		}
	}
	c.built = l
	return l
}

// source builds an input, with a decoration for each worker.
func (c *compiler) source(p *conf.Plugin, index, workers int) *source {
	spec := input.Find(p.Name)
	if spec == nil {
		var names []string
		for _, s := range input.Table() {
			names = append(names, s.Name)
		}
		c.unknown(p, "input", names, input.Known(p.Name))
		return nil
	}
	a := plugin.Read(p, append(slices.Clone(spec.Options), plugin.InputOptions...), c.errs)
	co := codec.New(a, &c.env, spec.Codec, codec.In)
	s := &source{index: index, stats: c.statsOf(p, a, "input"), in: spec.New(a, c.inEnv, co)}
	if s.queue, _ = s.in.(*input.Kafka); s.queue != nil {
		s.committer = s.queue
	}
	if spec.Push {
		s.folder = c.folder(a)
	}
	if _, joins := co.(codec.Joins); joins && s.queue != nil {
		a.Fail("codec", "join lines where the files are read", "codec multiline cannot join the records of a queue")
	}
	for range workers {
		d := &decoration{typ: a.String("type"), common: plugin.NewInputCommon(a)}
		s.decorate = append(s.decorate, d)
	}
	return s
}

// folder names the spool of a push input: its id, else its name and port. Lines of the configuration may move without its losing it.
func (c *compiler) folder(a *plugin.Args) string {
	name := a.Name
	if port := a.String("port"); port != "" {
		name += "-" + port
	}
	if a.Has("id") {
		name = strings.Map(func(r rune) rune {
			if r == '/' || r == '\\' || r < ' ' {
				return '_'
			}
			return r
		}, a.ID)
	}
	first := name
	for n := 2; slices.Contains(c.folders, name); n++ {
		name = fmt.Sprintf("%s-%d", first, n)
	}
	c.folders = append(c.folders, name)
	return name
}

// spools reports whether push inputs keep what they take on disk.
func (c *Config) spools() bool { return c.Data != "" && c.QueueType != "memory" }

// openSpools opens the journals of push inputs, and tells of those whose input is gone.
func (p *Pipeline) openSpools() error {
	if !p.cfg.spools() {
		return nil
	}
	dir := filepath.Join(p.cfg.Data, "spool")
	have := []string{}
	for _, s := range p.sources {
		if s.folder == "" {
			continue
		}
		sp, err := spool.Open(spool.Config{Dir: filepath.Join(dir, s.folder), Name: "spool/" + p.cfg.ID + "/" + s.folder, MaxBytes: p.cfg.QueueMaxBytes,
			Pool: p.cfg.Journals, Now: p.cfg.Now, Log: p.cfg.Log})
		if err != nil {
			return err
		}
		s.spool, s.committer = sp, spoolPlace{sp, p.cfg.ID}
		have = append(have, s.folder)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil // there is none
	}
	for _, e := range left {
		if e.IsDir() && !slices.Contains(have, e.Name()) {
			p.cfg.Log.Warn("spool without an input: what it holds is not read; give an input this id, or remove the folder", "pipeline", p.cfg.ID,
				"folder", filepath.Join(dir, e.Name()))
		}
	}
	return nil
}

// spoolPlace lets a spool be committed as a queue is.
type spoolPlace struct {
	s     *spool.Spool
	group string
}

func (c spoolPlace) Commit(_ context.Context, pos []queue.Position) error {
	for _, p := range pos {
		c.s.Commit(p.Offset)
	}
	return nil
}

func (c spoolPlace) Group() string { return c.group }

// run reads an input until it ends or ctx does.
func (p *Pipeline) run(ctx context.Context, s *source) error {
	if s.spool == nil {
		return s.in.Run(ctx, func(c input.Chunk) error { return p.feed(ctx, s, c.Records, c.Gap) })
	}
	from := s.spool.Start()
	known, err := p.start(ctx, s.in)
	if err != nil {
		return fmt.Errorf("ask for the position of the spool: %w", err)
	}
	for _, k := range known {
		if k.TopicID == s.spool.ID() {
			from = k.Offset
		}
	}
	read, stop := context.WithCancel(ctx)
	defer stop()
	taken := make(chan error, 1)
	go func() {
		err := s.in.Run(read, func(c input.Chunk) error { return s.spool.Put(read, c.Records) })
		s.spool.End()
		taken <- err
	}()
	err = s.spool.Run(ctx, from, func(recs []queue.Record, gap *queue.Gap) error { return p.feed(ctx, s, recs, gap) })
	stop()
	if in := <-taken; in != nil {
		return in
	}
	return err
}
