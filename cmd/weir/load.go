package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	weir "github.com/weirlog/weir"
	"github.com/weirlog/weir/config"
)

// loadWeir reads the named weir.yml, else ./weir.yml, else the shipped one.
func loadWeir(path string) (config.Weir, error) {
	if path != "" {
		return config.ReadWeir(path)
	}
	if _, err := os.Stat("weir.yml"); err == nil {
		return config.ReadWeir("weir.yml")
	}
	text, err := weir.Shipped.ReadFile("weir.yml")
	if err != nil {
		return config.Weir{}, err
	}
	return config.ParseWeir("weir.yml", text, os.LookupEnv)
}

// unpackShipped writes the shipped configuration into dir, leaving files that are there alone.
func unpackShipped(dir string) error {
	return fs.WalkDir(weir.Shipped, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, path)
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		if _, err := os.Stat(to); err == nil {
			return nil
		}
		text, err := weir.Shipped.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return fmt.Errorf("unpack the shipped configuration: %w", err)
		}
		return nil
	})
}

// shippedPipeline is the text of a pipeline of the shipped configuration when no such file exists beside weir.yml.
func shippedPipeline(p config.Pipeline) (string, bool) {
	if p.Path == "" {
		return "", false
	}
	if _, err := os.Stat(p.Path); err == nil {
		return "", false
	}
	text, err := weir.Shipped.ReadFile("pipelines/" + filepath.Base(p.Path))
	return string(text), err == nil
}

// newLogger writes the process' own log to standard error.
func newLogger(cmd *cobra.Command, cfg config.Log) *slog.Logger {
	level := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[cfg.Level]
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), opts))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), opts))
}
