package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// sampleFlags say which events a command takes: lines of a file, or records of a topic.
type sampleFlags struct {
	events, from, queue string
	n                   int
}

func (f *sampleFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.events, "events", "", "file of lines, - for standard input")
	fl.StringVar(&f.from, "from", "", "topic[:PLACE]: records of a topic, from newest (default), oldest, an offset, a time or -15m on")
	fl.StringVar(&f.queue, "queue", "kafka://127.0.0.1:9092", "kafka://host:port[,host:port] of the topic")
	fl.IntVarP(&f.n, "limit", "n", 20, "records of a topic")
	c.MarkFlagsMutuallyExclusive("events", "from")
}

func (f *sampleFlags) given() bool { return f.events != "" || f.from != "" }

// records reads the sample.
func (f *sampleFlags) records(cmd *cobra.Command) ([]queue.Record, error) {
	if f.from == "" {
		return readEvents(cmd, f.events)
	}
	topic, place, _ := strings.Cut(f.from, ":")
	cfg := kafka.DefaultConfig()
	cfg.Brokers = kafkaSeeds(f.queue)
	admin, err := kafka.OpenAdmin(cfg)
	if err != nil {
		return nil, &exitError{exitUnreachable, err}
	}
	defer admin.Close()
	recs, err := browse(cmd.Context(), admin, kafka.Browse{Topic: topic, From: place, Limit: f.n, ValueBytes: maxPipelineBody})
	if err != nil {
		return nil, &exitError{exitUnreachable, fmt.Errorf("read topic %s: %w", topic, err)}
	}
	return recs, nil
}

// maxEventLine is the longest line of a file of events, in bytes.
const maxEventLine = 10 << 20

func readEvents(cmd *cobra.Command, name string) ([]queue.Record, error) {
	in := cmd.InOrStdin()
	if name != "-" && name != "" {
		file, err := os.Open(name)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		defer file.Close()
		in = file
	}
	var recs []queue.Record
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxEventLine)
	for s.Scan() {
		if len(s.Bytes()) > 0 {
			recs = append(recs, queue.Record{Value: append([]byte(nil), s.Bytes()...), Time: time.Now()})
		}
	}
	return recs, s.Err()
}

func newPipelineTrace() *cobra.Command {
	var f sampleFlags
	var files []string
	var ecs string
	var asJSON, reach bool
	c := &cobra.Command{
		Use:   "trace",
		Short: "Show step by step what a configuration does to events",
		Long: `Runs lines (standard input, --events) or records of a topic (--from) through a configuration and shows what each filter added,
changed and removed, and what the outputs would write. Nothing is written. Filters that ask other services are left out unless --reach
is given.`,
		Example: `  tail -5 access.log | weir pipeline trace -f access.conf
  weir pipeline trace -f access.conf --from logs:-15m -n 3 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return usage("name a configuration with -f FILE")
			}
			recs, err := f.records(cmd)
			if err != nil {
				return err
			}
			cfg := traceConfig(files, ecs)
			cfg.Reach = reach
			traced, err := pipeline.Trace(cmd.Context(), cfg, recs)
			if err := confFaults(err); err != nil {
				return err
			}
			for i, t := range traced {
				if !asJSON {
					printTrace(cmd.OutOrStdout(), string(recs[i].Value), t)
				} else if err := json.NewEncoder(cmd.OutOrStdout()).Encode(t); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.add(c)
	c.Flags().StringSliceVarP(&files, "file", "f", nil, "configuration files")
	c.Flags().StringVar(&ecs, "ecs", "v8", "field names: disabled, v1 or v8")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object a record")
	c.Flags().BoolVar(&reach, "reach", false, "run filters that ask other services, too")
	return c
}

// printTrace shows one record's way.
func printTrace(w io.Writer, record string, t pipeline.Traced) {
	fmt.Fprintf(w, "record %d: %s\n", t.Record+1, clip(record, 200))
	for _, s := range t.Steps {
		fmt.Fprintf(w, "  %s %s", s.Place, s.Plugin)
		switch {
		case s.Skipped != "":
			fmt.Fprintf(w, "  (left out: %s)", s.Skipped)
		case s.Dropped:
			fmt.Fprint(w, "  (event dropped)")
		case s.SplitInto > 0:
			fmt.Fprintf(w, "  (made %d events)", s.SplitInto)
		}
		fmt.Fprintln(w)
		for _, c := range s.Added {
			fmt.Fprintf(w, "    + %s = %s\n", c.Field, clip(string(c.New), 200))
		}
		for _, c := range s.Changed {
			fmt.Fprintf(w, "    ~ %s = %s   was %s\n", c.Field, clip(string(c.New), 200), clip(string(c.Old), 200))
		}
		for _, c := range s.Removed {
			fmt.Fprintf(w, "    - %s   was %s\n", c.Field, clip(string(c.Old), 200))
		}
	}
	for _, o := range t.Outputs {
		fmt.Fprintf(w, "  => %s %s %s\n     %s\n", o.Plugin, o.Action, strings.TrimSpace(o.Index+" "+o.ID), strings.TrimRight(o.Document, "\n"))
	}
	if t.Rule != "" {
		fmt.Fprintf(w, "  => nothing: %s\n", t.Rule)
	}
	if t.Failure != "" {
		fmt.Fprintf(w, "  => dead letter: %s\n", t.Failure)
	}
}

// clip cuts a text to n bytes at most, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "..."
}
