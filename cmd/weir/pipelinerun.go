package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/fleet"
	"github.com/weirlog/weir/web/live"
)

// pipelineFlags are the flags of weir pipeline, by Logstash's names.
type pipelineFlags struct {
	partFlags
	file, text, settings, id, logLevel string
	workers, batch, delay              int
	reload, test                       bool
	ecs                                string
}

func newPipeline() *cobra.Command {
	var f pipelineFlags
	c := &cobra.Command{
		Use:   "pipeline",
		Short: "Run Logstash configurations",
		Long: `Runs Logstash configurations: one with -f or -e, or those of a settings folder (logstash.yml, pipelines.yml) with --path.settings.
With -f or -e a configuration without an input reads standard input, one without an output prints events; the command ends with its
inputs. With one worker (-w 1) and with many, events come out in the order they came in. SIGHUP reads changed files again.`,
		Example: `  echo hello | weir pipeline -e 'filter { mutate { uppercase => ["message"] } } output { stdout { codec => json_lines } }'
  weir pipeline -f pipelines/ --queue kafka://a:9092 --store http://b:9200
  weir pipeline --path.settings /etc/logstash`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.add(c)
	f.addRemote(c)
	fl := c.Flags()
	fl.StringVarP(&f.file, "file", "f", "", "file, folder or glob of .conf files")
	fl.StringVarP(&f.text, "execute", "e", "", "the configuration itself")
	fl.IntVarP(&f.workers, "workers", "w", 0, "filter workers (default: cores)")
	fl.IntVarP(&f.batch, "pipeline.batch.size", "b", 0, "records a worker takes at a time (default: 125)")
	fl.IntVarP(&f.delay, "pipeline.batch.delay", "u", 0, "accepted; a batch never waits to be filled")
	fl.StringVar(&f.id, "pipeline.id", "main", "name of the pipeline")
	fl.StringVar(&f.ecs, "pipeline.ecs_compatibility", "v8", "field names: disabled, v1 or v8")
	fl.BoolVarP(&f.reload, "config.reload.automatic", "r", false, "take over changed files while running")
	fl.BoolVarP(&f.test, "config.test_and_exit", "t", false, "check the configuration and exit")
	fl.StringVar(&f.settings, "path.settings", "", "folder with logstash.yml and pipelines.yml")
	fl.StringVar(&f.logLevel, "log.level", "", "error, warn, info or debug (default: warn)")
	c.MarkFlagsMutuallyExclusive("file", "execute")
	c.AddCommand(pipelineCommands()...)
	return c
}

// run runs pipelines in the foreground: standard output belongs to their outputs, so no ready line is written.
func (f *pipelineFlags) run(cmd *cobra.Command) error {
	cfg, given, err := f.load()
	if err != nil {
		return err
	}
	if f.test {
		return f.checkAll(cmd, cfg)
	}
	n := &node{cfg: cfg, log: newLogger(cmd, cfg.Log), hub: live.NewHub()}
	defer n.close()
	for _, w := range cfg.Warnings {
		n.log.Warn("setting without its usual effect", "place", w.Pos.String(), "setting", w.Key, "effect", w.Effect)
	}
	if cfg.Queue != "" {
		q, err := n.kafka(cmd.Context(), cfg.Queue)
		if err != nil {
			return &exitError{exitUnreachable, err}
		}
		n.queue = q
	}
	fc := fleet.Config{Log: n.log, Automatic: f.reload}
	for _, p := range cfg.Pipelines {
		fp, err := n.fleetPipeline(cmd.Context(), p)
		if err != nil {
			return err
		}
		if f.data == "" && !given {
			fp.Config.Data, fp.Dir = "", "" // nothing is left behind unless a folder is named
		}
		fp.Config.Stdin, fp.Config.Stdout = cmd.InOrStdin(), cmd.OutOrStdout()
		if f.file != "" || f.text != "" {
			fp.Texts = withEnds(fp.Texts)
			fp.Write = nil
		}
		fc.Pipelines = append(fc.Pipelines, fp)
		fc.Automatic, fc.Interval = fc.Automatic || p.Automatic, max(fc.Interval, p.Interval)
	}
	if err := n.openFleet(fc); err != nil {
		if _, ok := err.(*confError); ok {
			return &exitError{exitUsage, err}
		}
		return err
	}
	return n.parts[len(n.parts)-1].run(cmd.Context())
}

// load reads what the flags name; given says that a data folder is set.
func (f *pipelineFlags) load() (cfg config.Weir, given bool, err error) {
	cfg = config.DefaultWeir()
	if f.config != "" {
		if cfg, err = config.ReadWeir(f.config); err != nil {
			return cfg, false, err
		}
	}
	cfg.Log.Level = "warn"
	cfg.Queue, cfg.Store.At, cfg.Pipelines = "", "embedded", nil
	if f.settings != "" {
		l, err := config.ReadLogstash(f.settings)
		if err != nil {
			return cfg, false, err
		}
		cfg.Pipelines, cfg.Log, cfg.Warnings = l.Pipelines, l.Log, append(cfg.Warnings, l.Warnings...)
		if l.Data != "" {
			cfg.Data, given = filepath.Join(l.Data, "weir"), true
		}
	}
	f.override(&cfg)
	if f.logLevel != "" {
		cfg.Log.Level = f.logLevel
	}
	if f.file != "" || f.text != "" { // as in Logstash, they win over pipelines.yml
		cfg.Pipelines = []config.Pipeline{{ID: f.id, Path: f.file, Text: f.text, Workers: f.workers, BatchSize: f.batch, ECS: f.ecs, Pos: config.Pos{File: "-e"}}}
	}
	if len(cfg.Pipelines) == 0 {
		return cfg, false, usage("name a configuration with -f FILE, give one with -e TEXT, or name a folder with --path.settings DIR")
	}
	return cfg, given, nil
}

// checkAll is weir check for what would run.
func (f *pipelineFlags) checkAll(cmd *cobra.Command, cfg config.Weir) error {
	ok := true
	for _, p := range cfg.Pipelines {
		ok = checkPipeline(cmd, p) && ok
	}
	if !ok {
		return &exitError{exitUsage, nil}
	}
	return nil
}

// withEnds adds standard input and output where a configuration names none, as Logstash does.
func withEnds(texts func() ([]pipeline.Source, error)) func() ([]pipeline.Source, error) {
	return func() ([]pipeline.Source, error) {
		l, err := texts()
		if err != nil {
			return nil, err
		}
		return append(l, missingEnds(pipeline.Config{Text: l})...), nil
	}
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
