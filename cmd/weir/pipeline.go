package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/bulk/elastic"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/web/live"
)

// openPipelines compiles and opens every pipeline of the configuration; the mistakes of all are told at once.
func (n *node) openPipelines(ctx context.Context) error {
	var all conf.Errors
	for _, p := range n.cfg.Pipelines {
		cfg, err := n.pipelineConfig(ctx, p)
		if err != nil {
			return err
		}
		pl, err := pipeline.Open(cfg)
		var errs conf.Errors
		if errors.As(err, &errs) {
			all = append(all, errs...)
			continue
		}
		if err != nil {
			return fmt.Errorf("pipeline %s: %w", p.ID, err)
		}
		n.pipelines = append(n.pipelines, pl)
		n.add("pipeline", pl.Run)
	}
	if len(all) > 0 {
		return &confError{all}
	}
	return nil
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

// pipelineConfig is one entry of weir.yml as the pipeline wants it.
func (n *node) pipelineConfig(ctx context.Context, p config.Pipeline) (pipeline.Config, error) {
	cfg := pipeline.DefaultConfig()
	cfg.ID, cfg.Workers, cfg.BatchSize, cfg.ECS = p.ID, orInt(p.Workers, cfg.Workers), orInt(p.BatchSize, cfg.BatchSize), p.ECS
	cfg.Log = n.log.With("part", "pipeline", "pipeline", p.ID)
	cfg.Topic = n.cfg.Agent.Topic
	cfg.DeadLetters = n.queue
	cfg.Data = filepath.Join(n.cfg.Data, "pipeline", p.ID)
	cfg.Queue = func(addr string) (queue.Queue, error) { return n.queueAt(ctx, addr) }
	cfg.Writer = func(o pipeline.ESOptions) (bulk.Writer, error) {
		n.groupOf[p.ID] = o.Group
		return n.writer(o)
	}
	switch text, shipped := shippedPipeline(p); {
	case p.Text != "":
		cfg.Text = []pipeline.Source{{Name: p.Pos.String(), Text: p.Text}}
	case shipped:
		cfg.Text = []pipeline.Source{{Name: p.Path, Text: text}}
	default:
		files, err := confFiles(p.Path)
		if err != nil {
			return cfg, &exitError{exitUsage, fmt.Errorf("%s: %w", p.Pos, err)}
		}
		cfg.Files = files
	}
	return cfg, nil
}

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
	return n.kafka(ctx, addr)
}

// writer makes the writer of an elasticsearch output: our own store, or a cluster.
func (n *node) writer(o pipeline.ESOptions) (bulk.Writer, error) {
	own := len(o.Hosts) == 0 || len(o.Hosts) == 1 && n.store != nil && strings.TrimPrefix(o.Hosts[0], "http://") == strings.TrimPrefix(n.ready.Elasticsearch, "http://")
	if own && n.store != nil {
		n.groups[o.Group] = true
		return live.Tap(n.hub, labelledWriter{n.store.For(o.Group)}), nil
	}
	if o.CACert != "" || o.Insecure || o.Path != "" || o.Proxy != "" {
		return nil, errors.New("the elasticsearch output's options for certificates, path and proxy are not supported: leave them out")
	}
	hosts := o.Hosts
	if own {
		if n.cfg.Store.At == "embedded" {
			return nil, errors.New("no store in this process: give the elasticsearch output hosts, or name one with --store http://host:9200")
		}
		hosts = []string{n.cfg.Store.At}
	}
	w, err := elastic.New(elastic.Config{Hosts: withScheme(hosts, o.TLS), Username: o.User, Password: o.Password, APIKey: o.APIKey,
		NoCompression: o.Compression == 0 && len(o.Hosts) > 0, Log: n.log.With("part", "elasticsearch")})
	if err != nil {
		return nil, err
	}
	return live.Tap(n.hub, w), nil
}

func withScheme(hosts []string, tls bool) []string {
	out := make([]string, len(hosts))
	for i, h := range hosts {
		switch {
		case strings.Contains(h, "://"):
			out[i] = h
		case tls:
			out[i] = "https://" + h
		default:
			out[i] = "http://" + h
		}
	}
	return out
}

func newPipeline() *cobra.Command {
	var f partFlags
	var file, text string
	var workers int
	c := &cobra.Command{
		Use:   "pipeline",
		Short: "Run Logstash configurations",
		Long: `Runs a Logstash configuration. Without an input it reads standard input, without an output it prints events; it ends with
its input. With one worker (-w 1) and with many, events come out in the order they came in.`,
		Example: `  echo hello | weir pipeline -e 'filter { mutate { uppercase => ["message"] } } output { stdout { codec => json_lines } }'
  weir pipeline -f pipelines/ --queue kafka://a:9092 --store http://b:9200`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.pipeline(cmd, file, text, workers) },
	}
	f.add(c)
	f.addRemote(c)
	c.Flags().StringVarP(&file, "file", "f", "", "file, folder or glob of .conf files")
	c.Flags().StringVarP(&text, "execute", "e", "", "the configuration itself")
	c.Flags().IntVarP(&workers, "workers", "w", 0, "filter workers (default: cores)")
	c.MarkFlagsMutuallyExclusive("file", "execute")
	return c
}

// pipeline runs one configuration in the foreground: standard output belongs to its outputs, so no ready line is written.
func (f *partFlags) pipeline(cmd *cobra.Command, file, text string, workers int) error {
	if file == "" && text == "" {
		return usage("name a configuration with -f FILE, or give one with -e TEXT")
	}
	cfg := config.DefaultWeir()
	if f.config != "" {
		var err error
		if cfg, err = config.ReadWeir(f.config); err != nil {
			return err
		}
	}
	cfg.Log.Level = "warn"
	cfg.Queue, cfg.Store.At = "", "embedded"
	f.override(&cfg)
	n := &node{cfg: cfg, log: newLogger(cmd, cfg.Log), hub: live.NewHub(), groups: map[string]bool{}, groupOf: map[string]string{}}
	defer n.close()
	if cfg.Queue != "" {
		q, err := n.kafka(cmd.Context(), cfg.Queue)
		if err != nil {
			return &exitError{exitUnreachable, err}
		}
		n.queue = q
	}
	p := config.Pipeline{ID: "main", Path: file, Text: text, Workers: workers, ECS: "v8", Pos: config.Pos{File: "-e"}}
	pc, err := n.pipelineConfig(cmd.Context(), p)
	if err != nil {
		return err
	}
	if f.data == "" {
		pc.Data = "" // nothing is left behind unless a folder is named
	}
	pc.Stdin, pc.Stdout = cmd.InOrStdin(), cmd.OutOrStdout()
	pc.Text = append(pc.Text, missingEnds(pc)...)
	pl, err := pipeline.Open(pc)
	var errs conf.Errors
	if errors.As(err, &errs) {
		return &exitError{exitUsage, &confError{errs}}
	}
	if err != nil {
		return err
	}
	return pl.Run(cmd.Context())
}

// missingEnds adds standard input and output where a configuration names none, as Logstash does.
func missingEnds(cfg pipeline.Config) []pipeline.Source {
	has := map[string]bool{}
	texts := cfg.Text
	for _, name := range cfg.Files {
		if b, err := os.ReadFile(name); err == nil {
			texts = append(texts, pipeline.Source{Name: name, Text: string(b)})
		}
	}
	for _, t := range texts {
		f, _ := conf.Parse(t.Name, t.Text)
		if f == nil {
			return nil // its mistakes are told by Open
		}
		for _, s := range f.Sections {
			has[s.Kind] = true
		}
	}
	var add []pipeline.Source
	if !has["input"] {
		add = append(add, pipeline.Source{Name: "default input", Text: "input { stdin { } }"})
	}
	if !has["output"] {
		add = append(add, pipeline.Source{Name: "default output", Text: "output { stdout { codec => rubydebug } }"})
	}
	return add
}
