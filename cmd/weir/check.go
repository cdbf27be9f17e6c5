package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/bus"
)

func newCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Check configurations: every mistake of every file, with its place",
		Long: `Reads weir.yml, filebeat.yml, Logstash's .conf files, logstash.yml and pipelines.yml without running anything. Without a name it checks ./weir.yml and the
pipelines it names. Exit code 2: a file has mistakes.`,
		Example: "  weir check filebeat.yml pipelines/*.conf",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"weir.yml"}
			}
			bad := 0
			for _, name := range args {
				if !checkFile(cmd, name) {
					bad++
				}
			}
			if bad > 0 {
				return &exitError{exitUsage, nil}
			}
			return nil
		},
	}
}

// checkFile tells about one file; false when it has mistakes.
func checkFile(cmd *cobra.Command, name string) bool {
	text, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", name, err)
		return false
	}
	ext := filepath.Ext(name)
	switch base := filepath.Base(name); {
	case base == "logstash.yml" || base == "pipelines.yml":
		return checkLogstash(cmd, name)
	case ext != ".yml" && ext != ".yaml":
		cfg := pipeline.Config{Files: []string{name}}
		cfg.Text = missingEnds(cfg) // one file of several may hold filters alone
		return checkConf(cmd, cfg, name)
	case config.IsFilebeat(name, text):
		fb, err := config.ReadFilebeat(name)
		return tell(cmd, name, err, fb.Warnings, agentErrors(fb.Agent))
	}
	w, err := config.ReadWeir(name)
	ok := tell(cmd, name, err, w.Warnings, agentErrors(w.Agent))
	if err != nil {
		return ok
	}
	return checkPipelines(cmd, w.Pipelines) && ok
}

// agentErrors are what the agent says of inputs beyond their shape: patterns that do not compile, encodings it does not know.
func agentErrors(cfg agent.Config) []error {
	if len(cfg.Inputs) == 0 {
		return nil
	}
	return agent.CheckInputs(cfg)
}

// checkPipelines tells about each pipeline of a file, and about circles they send to each other in.
func checkPipelines(cmd *cobra.Command, list []config.Pipeline) bool {
	ok := true
	var links []bus.Links
	for _, p := range list {
		ok = checkPipeline(cmd, p) && ok
		if cfg, _, err := checkedConfig(p); err == nil {
			links = append(links, pipeline.LinksOf(cfg))
		}
	}
	if c := bus.Cycle(links); c != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "error: pipelines send to each other in a circle: %s\n", bus.Describe(c))
		return false
	}
	return ok
}

// checkedConfig is what a pipeline of a file runs, and what to call it.
func checkedConfig(p config.Pipeline) (cfg pipeline.Config, name string, err error) {
	cfg = pipeline.Config{ID: p.ID, ECS: p.ECS, Escapes: p.Escapes}
	switch text, shipped := shippedPipeline(p); {
	case p.Text != "":
		cfg.Text = []pipeline.Source{{Name: p.Pos.String(), Text: p.Text}}
		return cfg, p.Pos.String(), nil
	case shipped:
		cfg.Text = []pipeline.Source{{Name: p.Path, Text: text}}
		return cfg, p.Path, nil
	}
	cfg.Files, err = confFiles(p.Path)
	return cfg, strings.Join(cfg.Files, ", "), err
}

func checkPipeline(cmd *cobra.Command, p config.Pipeline) bool {
	cfg, name, err := checkedConfig(p)
	if err != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", p.Pos, err)
		return false
	}
	return checkConf(cmd, cfg, name)
}

// checkLogstash tells about a settings folder of Logstash by one of its files.
func checkLogstash(cmd *cobra.Command, name string) bool {
	l, err := config.ReadLogstash(filepath.Dir(name))
	return tell(cmd, name, err, l.Warnings, nil) && checkPipelines(cmd, l.Pipelines)
}

func checkConf(cmd *cobra.Command, cfg pipeline.Config, name string) bool {
	if cfg.ID == "" {
		cfg.ID = "check"
	}
	found := pipeline.Check(cfg)
	for _, e := range found {
		fmt.Fprint(cmd.ErrOrStderr(), e.Detail())
	}
	if len(found.Faults()) > 0 {
		return false
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", name)
	return true
}

// tell prints mistakes, then remarks, then that a file is fine.
func tell(cmd *cobra.Command, name string, err error, warnings []config.Warning, more []error) bool {
	for _, w := range warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", w)
	}
	var places config.Errors
	switch {
	case errors.As(err, &places):
		fmt.Fprint(cmd.ErrOrStderr(), places.Excerpt())
		return false
	case err != nil:
		fmt.Fprintln(cmd.ErrOrStderr(), err)
		return false
	}
	for _, e := range more {
		fmt.Fprintf(cmd.ErrOrStderr(), "error: %v\n", e)
	}
	if len(more) > 0 {
		return false
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: ok\n", name)
	return true
}
