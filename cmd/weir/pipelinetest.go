package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/testfile"
	"github.com/weirlog/weir/queue"
)

// testFlags are the flags of weir pipeline test.
type testFlags struct {
	sampleFlags
	update, watch, verbose bool
	ecs                    string
}

func newPipelineTest() *cobra.Command {
	var f testFlags
	c := &cobra.Command{
		Use:   "test FILE|FOLDER...",
		Short: "Run the tests beside configurations, or show what one does to events",
		Long: `Runs the cases of NAME.test files: lines in, events out of the filters of NAME.conf beside it. Of a folder all are run, of a
NAME.conf those of its NAME.test. Nothing is read or written by inputs and outputs. Exit code 1: events differ.

With --events or --from a configuration is run on those lines or records, and every filter's changes are shown.

A NAME.test:

  now: 2026-11-22T12:00:00Z        settings: now, ecs, env (NAME=value)
  -- hello.in --                   lines, as the first input reads them
  2026-11-22 10:00:00 INFO hello
  -- hello.out --                  events; @timestamp, @version and the like only when written
  {"level":"INFO","message":"hello"}`,
		Example: `  weir pipeline test pipelines/
  weir pipeline test -update access.conf
  weir pipeline test access.conf --events lines.txt
  weir pipeline test access.conf --from logs -n 20`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.given() {
				return f.show(cmd, args)
			}
			return f.run(cmd, args)
		},
	}
	f.add(c)
	fl := c.Flags()
	fl.BoolVar(&f.update, "update", false, "write the events that come out into the test files")
	fl.BoolVar(&f.watch, "watch", false, "run again whenever a file changes")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "show the steps of cases that fail")
	fl.StringVar(&f.ecs, "ecs", "v8", "field names: disabled, v1 or v8")
	return c
}

// show traces sampled events through configurations.
func (f *testFlags) show(cmd *cobra.Command, args []string) error {
	recs, err := f.records(cmd)
	if err != nil {
		return err
	}
	cfg := traceConfig(args, f.ecs)
	traced, err := pipeline.Trace(cmd.Context(), cfg, recs)
	if err := confFaults(err); err != nil {
		return err
	}
	for i, t := range traced {
		printTrace(cmd.OutOrStdout(), string(recs[i].Value), t)
	}
	return nil
}

// confFaults tells faults of a configuration with their places.
func confFaults(err error) error {
	var errs conf.Errors
	if errors.As(err, &errs) {
		return &exitError{exitUsage, &confError{errs}}
	}
	return err
}

// traceConfig is configuration files as they are traced; sections that are missing are added.
func traceConfig(files []string, ecs string) pipeline.Config {
	cfg := pipeline.DefaultConfig()
	cfg.Files, cfg.ECS, cfg.Provenance, cfg.Log = files, ecs, false, slog.New(slog.DiscardHandler)
	cfg.Text = missingEnds(cfg)
	return cfg
}

func (f *testFlags) run(cmd *cobra.Command, args []string) error {
	for {
		files, err := testFiles(args)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		failed, total := 0, 0
		for _, name := range files {
			bad, n, err := f.runFile(cmd, name)
			if err != nil {
				fmt.Fprintln(cmd.OutOrStdout(), err)
				bad, n = bad+1, n+1
			}
			failed, total = failed+bad, total+n
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d cases, %d failed\n", total, failed)
		if !f.watch {
			if failed > 0 {
				return &exitError{exitFailed, nil}
			}
			return nil
		}
		if !waitForChange(cmd.Context(), args) {
			return nil
		}
	}
}

// testFiles finds the test files of names: themselves, those beside .conf files, those below folders.
func testFiles(names []string) ([]string, error) {
	var l []string
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() && filepath.Ext(path) == ".test" {
					l = append(l, path)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		case filepath.Ext(name) == ".test":
			l = append(l, name)
		default:
			beside := strings.TrimSuffix(name, filepath.Ext(name)) + ".test"
			if _, err := os.Stat(beside); err != nil {
				return nil, fmt.Errorf("%s has no test file %s; show what it does with --events FILE", name, beside)
			}
			l = append(l, beside)
		}
	}
	slices.Sort(l)
	l = slices.Compact(l)
	if len(l) == 0 {
		return nil, fmt.Errorf("no .test file in %s", strings.Join(names, ", "))
	}
	return l, nil
}

// runFile runs the cases of a file and tells of those that fail.
func (f *testFlags) runFile(cmd *cobra.Command, name string) (failed, total int, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	tf, err := testfile.Parse(name, text)
	if err != nil {
		return 0, 0, err
	}
	cfg := f.caseConfig(name, tf)
	for _, c := range tf.Cases() {
		total++
		var recs []queue.Record
		for _, l := range c.In {
			recs = append(recs, queue.Record{Value: []byte(l), Time: cfg.Now()})
		}
		traced, err := pipeline.Trace(cmd.Context(), cfg, recs)
		if err := confFaults(err); err != nil {
			return 0, total, err
		}
		var events []string
		for _, t := range traced {
			events = append(events, t.Events...)
		}
		diffs, err := c.Compare(events)
		if f.update && (err != nil || len(diffs) > 0) {
			tf.Expect(c, events)
			continue
		}
		if err != nil {
			return failed, total, fmt.Errorf("%s: %w", name, err)
		}
		if len(diffs) > 0 {
			failed++
			f.tell(cmd, name, c, diffs, traced)
		}
	}
	if out := tf.Format(); f.update && !bytes.Equal(out, text) {
		return failed, total, os.WriteFile(name, out, 0o644)
	}
	return failed, total, nil
}

// caseConfig is what a test file runs.
func (f *testFlags) caseConfig(name string, tf *testfile.File) pipeline.Config {
	cfg := traceConfig(nil, f.ecs)
	if tf.Conf != "" {
		cfg.Text = []pipeline.Source{{Name: name, Text: tf.Conf}}
	} else {
		cfg.Text, cfg.Files = nil, []string{strings.TrimSuffix(name, ".test") + ".conf"}
	}
	cfg.Text = append(cfg.Text, missingEnds(cfg)...)
	cfg.FiltersOnly = true
	if tf.ECS != "" {
		cfg.ECS = tf.ECS
	}
	cfg.Now = tf.Clock
	cfg.Lookup = func(key string) (string, bool) {
		if v, ok := tf.Env[key]; ok {
			return v, true
		}
		return os.LookupEnv(key)
	}
	return cfg
}

func (f *testFlags) tell(cmd *cobra.Command, name string, c testfile.Case, diffs []testfile.Difference, traced []pipeline.Traced) {
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "FAIL %s %s\n", name, c.Name)
	for _, d := range diffs {
		fmt.Fprintf(w, "  %s\n", d)
	}
	if !f.verbose {
		return
	}
	for i, t := range traced {
		printTrace(w, c.In[i], t)
	}
}

// waitForChange returns true when a file of names, or beside them, changed; false when ctx ended.
func waitForChange(ctx context.Context, names []string) bool {
	look := func() string {
		s := ""
		for _, n := range names {
			dir := n
			if info, err := os.Stat(n); err == nil && !info.IsDir() {
				dir = filepath.Dir(n)
			}
			filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return nil
				}
				if info, err := d.Info(); err == nil {
					s += fmt.Sprintf("%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
				}
				return nil
			})
		}
		return s
	}
	before := look()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if look() != before {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}
