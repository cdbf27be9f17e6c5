package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
)

// partFlags are the flags of every command that runs parts.
type partFlags struct {
	listenFlags
	config, data, queue, store, profile string
}

func (f *partFlags) add(c *cobra.Command) {
	f.listenFlags.add(c)
	fl := c.Flags()
	fl.StringVarP(&f.config, "config", "c", "", "weir.yml (default: ./weir.yml, else the shipped one)")
	fl.StringVar(&f.data, "data", "", "folder of everything durable (default: data)")
	fl.StringVar(&f.profile, "cpu-profile", "", "write a CPU profile to this file")
	fl.MarkHidden("cpu-profile")
}

// addRemote adds the flags of commands that use a queue or store elsewhere.
func (f *partFlags) addRemote(c *cobra.Command) {
	c.Flags().StringVar(&f.queue, "queue", "", "kafka://host:port[,host:port]")
	c.Flags().StringVar(&f.store, "store", "", "http://host:port of an Elasticsearch, OpenSearch or weir")
}

// load reads the configuration and puts the flags over it.
func (f *partFlags) load() (config.Weir, error) {
	cfg, err := loadWeir(f.config)
	if err != nil {
		return cfg, err
	}
	f.override(&cfg)
	return cfg, nil
}

func (f *partFlags) override(cfg *config.Weir) {
	f.apply(&cfg.Listen)
	if f.data != "" {
		cfg.Data = f.data
	}
	if f.queue != "" {
		cfg.Queue = f.queue
	}
	if f.store != "" {
		cfg.Store.At = f.store
	}
}

// runNode opens a node and runs it until it ends.
func (f *partFlags) runNode(cmd *cobra.Command, cfg config.Weir, r roles) error {
	if f.profile != "" {
		out, err := os.Create(f.profile)
		if err != nil {
			return fmt.Errorf("CPU profile: %w", err)
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	n, err := newNode(cmd.Context(), cfg, r, f.insecure, newLogger(cmd, cfg.Log))
	if err != nil {
		return err
	}
	return n.run(cmd.Context(), cmd.OutOrStdout())
}

func newUp() *cobra.Command {
	var f partFlags
	c := &cobra.Command{
		Use:   "up",
		Short: "Run everything in one process: agent, broker, pipelines, store, UI",
		Long: `Runs every part. When all are ready, one JSON line on standard output names the addresses; everything else goes to
standard error. SIGTERM drains and ends with code 0.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.load()
			if err != nil {
				return err
			}
			r := allRoles
			r.agent, r.pipelines = len(cfg.Agent.Inputs) > 0, len(cfg.Pipelines) > 0
			return f.runNode(cmd, cfg, r)
		},
	}
	f.add(c)
	f.addRemote(c)
	return c
}

func newBroker() *cobra.Command {
	var f partFlags
	c := &cobra.Command{
		Use:   "broker",
		Short: "Run the queue alone: a durable Kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.load()
			if err != nil {
				return err
			}
			cfg.Queue = "embedded"
			return f.runNode(cmd, cfg, roles{broker: true})
		},
	}
	f.add(c)
	return c
}

func newStore() *cobra.Command {
	var f partFlags
	c := &cobra.Command{
		Use:   "store",
		Short: "Run the store and the UI; with store: http://... the UI over a real cluster",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := f.load()
			if err != nil {
				return err
			}
			return f.runNode(cmd, cfg, roles{store: true, ui: true})
		},
	}
	f.add(c)
	c.Flags().StringVar(&f.store, "store", "", "http://host:port of a real Elasticsearch or OpenSearch: only the UI runs here")
	return c
}

// kafkaSeeds are the hosts of kafka://a:9092,b:9092.
func kafkaSeeds(addr string) []string {
	return strings.Split(strings.TrimSuffix(strings.TrimPrefix(addr, "kafka://"), "/"), ",")
}

// absolute makes a path independent of the working folder.
func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("path %s: %w", path, err)
	}
	return abs, nil
}
