package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
	"github.com/weirlog/weir/web/live"
)

// replayFlags are the flags of weir pipeline replay.
type replayFlags struct {
	queueFlags
	file, topic, from, to, index, store, ecs string
	workers                                  int
}

func newPipelineReplay() *cobra.Command {
	var f replayFlags
	c := &cobra.Command{
		Use:   "replay",
		Short: "Run records of a topic once more, by a changed configuration, into another index",
		Long: `Reads a topic from a place or time to another, under a group of its own, runs the filters of a configuration over the records
and writes the documents into an index. The pipelines that read the topic are not touched. Doing it twice makes no document twice.`,
		Example: `  weir pipeline replay -f changed.conf --topic logs --from -1h --index logs-again
  weir pipeline replay -f changed.conf --topic logs --from 2026-11-22T10:00:00Z --to 2026-11-22T11:00:00Z --index logs-again --store http://es:9200`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.file == "" || f.topic == "" || f.index == "" {
				return usage("name the configuration with -f, the topic with --topic and the index with --index")
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error { return f.run(ctx, cmd, a) })
		},
	}
	f.queueFlags.add(c)
	fl := c.Flags()
	fl.StringVarP(&f.file, "file", "f", "", "file, folder or glob of .conf files")
	fl.StringVar(&f.topic, "topic", "", "topic to read")
	fl.StringVar(&f.from, "from", "oldest", "first record: oldest, an offset, a time or -15m")
	fl.StringVar(&f.to, "to", "newest", "where to end, exclusive: newest, an offset, a time or -1m")
	fl.StringVar(&f.index, "index", "", "index of the documents")
	fl.StringVar(&f.store, "store", "http://127.0.0.1:9200", "http://host:port of weir, Elasticsearch or OpenSearch")
	fl.StringVar(&f.ecs, "ecs", "v8", "field names: disabled, v1 or v8")
	fl.IntVarP(&f.workers, "workers", "w", 0, "filter workers (default: cores)")
	return c
}

func (f *replayFlags) run(ctx context.Context, cmd *cobra.Command, a *kafka.Admin) error {
	r := &pipeline.Replay{Topic: f.topic, Index: f.index}
	var err error
	if r.From, err = a.Places(ctx, f.topic, f.from); err != nil {
		return fmt.Errorf("place %s of topic %s: %w", f.from, f.topic, err)
	}
	if r.To, err = a.Places(ctx, f.topic, f.to); err != nil {
		return fmt.Errorf("place %s of topic %s: %w", f.to, f.topic, err)
	}
	id := make([]byte, 6)
	rand.Read(id)
	r.Group = "weir-replay-" + hex.EncodeToString(id)
	files, err := confFiles(f.file)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	kc, err := kafkaConfig(f.queue, f.login())
	if err != nil {
		return err
	}
	q, err := kafka.Open(ctx, kc)
	if err != nil {
		return &exitError{exitUnreachable, err}
	}
	defer q.Close()
	log := newLogger(cmd, config.Log{Level: "warn", Format: "text"})
	n := &node{cfg: config.DefaultWeir(), log: log, hub: live.NewHub(), queue: q}
	n.cfg.Store.At = f.store
	cfg := n.pipelineConfig(ctx, config.Pipeline{ID: "replay", ECS: f.ecs, Workers: f.workers})
	cfg.Files, cfg.Data, cfg.Replay = files, "", r
	cfg.Queue = func(string) (queue.Queue, error) { return q, nil }
	cfg.Writer = func(o pipeline.ESOptions) (bulk.Writer, error) { return n.writer(ctx, o) }
	p, err := pipeline.Open(cfg)
	if err := confFaults(err); err != nil {
		return err
	}
	err = p.Run(ctx)
	if gone := a.DeleteGroup(context.WithoutCancel(ctx), r.Group); gone != nil && !errors.Is(gone, queue.ErrUnknownTopic) {
		log.Warn("the group of the replay stays", "group", r.Group, "err", gone)
	}
	s := p.Stats()
	fmt.Fprintf(cmd.OutOrStdout(), "read %d of %d records, wrote %d documents into %s, dropped %d, dead letters %d\n", s.Events.In, r.Records(), s.Write.Documents, f.index,
		s.Events.Dropped, s.Dead.Records)
	return err
}
