package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/cmd/weir/demo"
	"github.com/weirlog/weir/config"
)

func newDemo() *cobra.Command {
	var f partFlags
	var rate, burst int
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run everything on three services that write logs: a REST API, notifications, stories",
		Long: `Writes log files of three Spring Boot services below the data folder and runs the whole flow on them, with the shipped
weir.yml and pipelines/spring.conf (unpacked beside them; edit them and start again). Open the UI and press Live.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.demo(cmd, rate, burst) },
	}
	f.add(c)
	c.Flags().IntVar(&rate, "rate", 50, "log events per second, all services together")
	c.Flags().IntVar(&burst, "burst", 2000, "events at once, every half minute")
	return c
}

func (f *partFlags) demo(cmd *cobra.Command, rate, burst int) error {
	if f.data == "" {
		f.data = "demo"
	}
	dir, err := absolute(f.data)
	if err != nil {
		return err
	}
	logs := filepath.Join(dir, "logs")
	player, err := demo.Open(demo.Config{Dir: logs, Rate: rate, Burst: burst, Seed: uint64(os.Getpid())})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if f.config == "" {
		if err := unpackShipped(dir); err != nil {
			return err
		}
		f.config = filepath.Join(dir, "weir.yml")
	}
	text, err := os.ReadFile(f.config)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	cfg, err := config.ParseWeir(f.config, text, func(name string) (string, bool) {
		if name == "WEIR_LOGS" {
			return logs, true
		}
		return os.LookupEnv(name)
	})
	if err != nil {
		return err
	}
	f.override(&cfg)
	cfg.Data = filepath.Join(dir, "data")
	r := allRoles
	r.demo = true
	n, err := newNode(cmd.Context(), cfg, r, f.insecure, newLogger(cmd, cfg.Log))
	if err != nil {
		return err
	}
	n.add("services", func(ctx context.Context) error { return player.Run(ctx) })
	fmt.Fprintf(cmd.ErrOrStderr(), "three services write to %s; the UI is on %s\n", logs, n.ready.UI)
	return n.run(cmd.Context(), cmd.OutOrStdout())
}
