package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
)

func newAgent() *cobra.Command {
	var f partFlags
	c := &cobra.Command{
		Use:   "agent",
		Short: "Ship log files: with a filebeat.yml to its output, with a weir.yml to its queue",
		Example: `  weir agent -c filebeat.yml
  weir agent -c weir.yml --queue kafka://a:9092`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.agent(cmd) },
	}
	f.add(c)
	c.Flags().StringVar(&f.queue, "queue", "", "kafka://host:port[,host:port], instead of what the file says")
	return c
}

func (f *partFlags) agent(cmd *cobra.Command) error {
	if f.config == "" {
		return usage("name the configuration with -c filebeat.yml or -c weir.yml")
	}
	text, err := os.ReadFile(f.config)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("read configuration: %w", err)}
	}
	if !config.IsFilebeat(f.config, text) {
		cfg, err := f.load()
		if err != nil {
			return err
		}
		return f.runNode(cmd, cfg, roles{agent: true})
	}
	fb, err := config.ReadFilebeat(f.config)
	if err != nil {
		return err
	}
	cfg := config.DefaultWeir()
	cfg.Data = filepath.Join(filepath.Dir(f.config), "data")
	if fb.PathData != "" {
		cfg.Data = fb.PathData
	}
	cfg.Agent, cfg.Warnings = fb.Agent, fb.Warnings
	cfg.Queue = ""
	f.override(&cfg)
	if cfg.Queue == "" {
		if err := outputQueue(&cfg, fb.Output); err != nil {
			return err
		}
	}
	return f.runNode(cmd, cfg, roles{agent: true})
}

// outputQueue turns an output section into the address of a queue; openQueue knows these schemes.
func outputQueue(cfg *config.Weir, out config.Output) error {
	cfg.Output = out
	switch out.Kind {
	case "":
		return &exitError{exitUsage, fmt.Errorf("the file enables no output: add output.kafka, output.elasticsearch, output.logstash, output.console or output.file")}
	case "kafka":
		if len(out.Hosts) == 0 {
			return &exitError{exitUsage, fmt.Errorf("%s: output.kafka has no hosts", out.Pos)}
		}
		cfg.Queue, cfg.QueueLogin = "kafka://"+joinHosts(out.Hosts), out.Login
	default:
		cfg.Queue = out.Kind
	}
	return nil
}

func joinHosts(hosts []string) string {
	s := ""
	for i, h := range hosts {
		if i > 0 {
			s += ","
		}
		s += h
	}
	return s
}
