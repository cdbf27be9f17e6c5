package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/fleet"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// openPipelines compiles and opens every pipeline of the configuration; the mistakes of all are told at once.
func (n *node) openPipelines(ctx context.Context) error {
	cfg := fleet.Config{Log: n.log.With("part", "pipeline")}
	for _, p := range n.cfg.Pipelines {
		fp, err := n.fleetPipeline(ctx, p)
		if err != nil {
			return err
		}
		cfg.Pipelines = append(cfg.Pipelines, fp)
		cfg.Automatic = cfg.Automatic || p.Automatic
		cfg.Interval = max(cfg.Interval, p.Interval)
	}
	return n.openFleet(cfg)
}

// openFleet opens pipelines and lets SIGHUP take over texts that changed.
func (n *node) openFleet(cfg fleet.Config) error {
	f, err := fleet.Open(cfg)
	var errs conf.Errors
	if errors.As(err, &errs) {
		return &confError{errs}
	}
	if err != nil {
		return err
	}
	n.fleet = f
	n.add("pipeline", func(ctx context.Context) error {
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		over := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-hangup:
					f.Reload()
				case <-over:
					return
				}
			}
		}()
		err := f.Run(ctx)
		close(over)
		<-done
		return err
	})
	return nil
}

// pipelineStats is the figures of each pipeline, by name, in the order of the configuration.
func (n *node) pipelineStats() iter.Seq2[string, pipeline.Stats] {
	return func(yield func(string, pipeline.Stats) bool) {
		if n.fleet == nil {
			return
		}
		for _, id := range n.fleet.Pipelines() {
			if s, err := n.fleet.Stats(id); err == nil && !yield(id, s) {
				return
			}
		}
	}
}

// confError prints the mistakes of pipeline configurations with their lines.
type confError struct{ errs conf.Errors }

func (e *confError) Error() string {
	var b strings.Builder
	for _, x := range e.errs {
		b.WriteString(x.Detail())
	}
	return strings.TrimRight(b.String(), "\n")
}

// fleetPipeline is one entry of weir.yml as a pipeline that can change.
func (n *node) fleetPipeline(ctx context.Context, p config.Pipeline) (fleet.Pipeline, error) {
	cfg := n.pipelineConfig(ctx, p)
	fp := fleet.Pipeline{Config: cfg, Dir: cfg.Data}
	switch text, shipped := shippedPipeline(p); {
	case p.Text != "":
		fp.Origin, fp.Texts = "inline", fixedText(p.Pos.String(), p.Text)
	case shipped:
		fp.Origin, fp.Texts = "shipped", fixedText(p.Path, text)
	default:
		if _, err := confFiles(p.Path); err != nil {
			return fp, &exitError{exitUsage, fmt.Errorf("%s: %w", p.Pos, err)}
		}
		fp.Origin, fp.Write = "files", writeTexts
		fp.Texts = func() ([]pipeline.Source, error) { return readTexts(p.Path) }
	}
	return fp, nil
}

func fixedText(name, text string) func() ([]pipeline.Source, error) {
	return func() ([]pipeline.Source, error) { return []pipeline.Source{{Name: name, Text: text}}, nil }
}

// readTexts reads the files of a path.config.
func readTexts(path string) ([]pipeline.Source, error) {
	files, err := confFiles(path)
	if err != nil {
		return nil, err
	}
	texts := make([]pipeline.Source, len(files))
	for i, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts[i] = pipeline.Source{Name: name, Text: string(b)}
	}
	return texts, nil
}

// writeTexts puts changed texts into their files, which keep their permissions.
func writeTexts(texts []pipeline.Source) error {
	for _, t := range texts {
		name, err := filepath.EvalSymlinks(t.Name)
		if err != nil {
			return err
		}
		old, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if string(old) == t.Text {
			continue
		}
		info, err := os.Stat(name)
		if err == nil {
			err = vfs.WriteFileAtomic(vfs.OS(), name, []byte(t.Text))
		}
		if err == nil {
			err = os.Chmod(name, info.Mode().Perm())
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// pipelineConfig is one entry of weir.yml as the pipeline wants it, but for its text.
func (n *node) pipelineConfig(ctx context.Context, p config.Pipeline) pipeline.Config {
	cfg := pipeline.DefaultConfig()
	cfg.ID, cfg.Workers, cfg.BatchSize, cfg.ECS = p.ID, orInt(p.Workers, cfg.Workers), orInt(p.BatchSize, cfg.BatchSize), p.ECS
	cfg.BatchDelay, cfg.Escapes, cfg.QueueType, cfg.QueueMaxBytes = p.Delay, p.Escapes, p.QueueType, p.QueueMax
	cfg.Log = n.log.With("part", "pipeline", "pipeline", p.ID)
	cfg.Topic, cfg.Plaintext = n.cfg.Agent.Topic, n.cfg.Plaintext
	cfg.DeadLetters = n.queue
	cfg.Data = filepath.Join(n.cfg.Data, "pipeline", p.ID)
	cfg.Queue = func(addr string) (queue.Queue, error) { return n.queueAt(ctx, addr) }
	cfg.Writer = func(o pipeline.ESOptions) (bulk.Writer, error) {
		n.groups.note(p.ID, o.Group)
		return n.writer(ctx, o)
	}
	cfg.OwnStore = n.ownStore
	return cfg
}

// groups remembers as which group each pipeline reads, and whose positions our own store keeps. Pipelines that change call it while
// others look.
type groups struct {
	mu      sync.Mutex
	byName  map[string]string // of a pipeline
	inStore []string
}

func (g *groups) note(pipeline, group string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.byName == nil {
		g.byName = map[string]string{}
	}
	g.byName[pipeline] = group
}

func (g *groups) of(pipeline string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byName[pipeline]
}

func (g *groups) keep(group string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Contains(g.inStore, group) {
		g.inStore = append(g.inStore, group)
	}
}

func (g *groups) list() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.inStore)
}

func (g *groups) own(group string) bool { return slices.Contains(g.list(), group) }

func orInt(v, def int) int {
	if v > 0 {
		return v
	}
	return def
}

// confFiles are the files of a path.config: a file, the *.conf of a folder, or a glob, in alphabetical order.
func confFiles(path string) ([]string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "*.conf")
	} else if err == nil {
		return []string{path}, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files, err := filepath.Glob(path)
	if err != nil {
		return nil, fmt.Errorf("path %s: %w", path, err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no configuration file matches %s", path)
	}
	slices.Sort(files)
	return files, nil
}

// queueAt is weir's own queue for "" and for our own address, else a Kafka.
func (n *node) queueAt(ctx context.Context, addr string) (queue.Queue, error) {
	if addr == "" || n.ready.Kafka != "" && addr == n.ready.Kafka {
		if n.queue == nil {
			return nil, errors.New("no queue in this process: name one with bootstrap_servers, or with --queue kafka://host:9092")
		}
		return n.queue, nil
	}
	return n.kafkas.at(addr, func() (queue.Queue, error) { return n.kafka(ctx, addr) })
}

// kafkas is one connection for each address of a Kafka, however often pipelines begin anew.
type kafkas struct {
	mu   sync.Mutex
	open map[string]queue.Queue
}

func (k *kafkas) at(addr string, open func() (queue.Queue, error)) (queue.Queue, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if q, ok := k.open[addr]; ok {
		return q, nil
	}
	q, err := open()
	if err != nil {
		return nil, err
	}
	if k.open == nil {
		k.open = map[string]queue.Queue{}
	}
	k.open[addr] = q
	return q, nil
}
