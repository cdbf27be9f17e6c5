package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// deadFlags choose dead letters.
type deadFlags struct {
	queueFlags
	reason, pipeline, from, until, contains, topic string
	n                                              int
	dry                                            bool
}

// letter is a dead letter and its place in the topic.
type letter struct {
	Partition int32               `json:"partition"`
	Offset    int64               `json:"offset"`
	Dead      pipeline.DeadLetter `json:"dead"`
	Value     string              `json:"value"`
	rec       queue.Record
}

func newPipelineDead() *cobra.Command {
	var f deadFlags
	c := &cobra.Command{
		Use:   "dead",
		Short: "List, show and replay records that could not be processed",
		Example: `  weir pipeline dead ls --reason rejected
  weir pipeline dead show 0@17
  weir pipeline dead replay --reason rejected --dry-run`,
	}
	f.queueFlags.add(c)
	fl := c.PersistentFlags()
	fl.StringVar(&f.reason, "reason", "", "only those with this reason: codec, panic, oversize, rejected")
	fl.StringVar(&f.pipeline, "pipeline", "", "only those of this pipeline")
	fl.StringVar(&f.contains, "contains", "", "only those whose value contains this text")
	fl.StringVar(&f.from, "from", "oldest", "first one: oldest, an offset, a time or -15m")
	fl.StringVar(&f.until, "until", "", "where to end: an offset, a time or -1m")
	fl.IntVarP(&f.n, "limit", "n", 1000, "letters at most")
	c.AddCommand(&cobra.Command{Use: "ls", Short: "List dead letters, oldest first", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return f.list(cmd) }})
	c.AddCommand(&cobra.Command{Use: "show PLACE", Short: "Show one, by PARTITION@OFFSET or OFFSET: why it failed, and the record as it was", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.show(cmd, args[0]) }})
	replay := &cobra.Command{Use: "replay", Short: "Put the records back into their topics", Args: cobra.NoArgs,
		Long: `Puts the original records back into the topics they came from, with the header weir-replay, so that the pipelines read them again.
Records that were pushed into a pipeline (tcp, http ...) came from no topic: name one with --topic. The dead letters stay where they are.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.replay(cmd) }}
	replay.Flags().StringVar(&f.topic, "topic", "", "topic to put them into, instead of their own")
	replay.Flags().BoolVar(&f.dry, "dry-run", false, "only say what would be done")
	c.AddCommand(replay)
	return c
}

// letters reads the chosen dead letters.
func (f *deadFlags) letters(ctx context.Context, a *kafka.Admin) ([]letter, error) {
	q := kafka.Browse{Topic: pipeline.DeadLettersTopic, From: f.from, Until: f.until, Contains: f.contains, Limit: maxSample, ValueBytes: maxPipelineBody}
	var l []letter
	for {
		page, err := a.Browse(ctx, q)
		if errors.Is(err, queue.ErrUnknownTopic) {
			return nil, nil // nothing ever failed
		}
		if err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		for _, m := range page.Messages {
			x, err := letterOf(m)
			if err != nil {
				return nil, err
			}
			if f.reason != "" && x.Dead.Reason != f.reason || f.pipeline != "" && x.Dead.Pipeline != f.pipeline {
				continue
			}
			if l = append(l, x); len(l) >= f.n {
				return l, nil
			}
		}
		if page.End || len(page.Messages) == 0 {
			return l, nil
		}
		q.At = page.Next
	}
}

func letterOf(m kafka.Message) (letter, error) {
	r := queue.Record{Topic: m.Topic, Value: []byte(m.Value), Key: []byte(m.Key), Time: m.Time}
	if m.ValueKind == "base64" {
		b, err := base64.StdEncoding.DecodeString(m.Value)
		if err != nil {
			return letter{}, err
		}
		r.Value = b
	}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, queue.Header{Key: h.Key, Value: []byte(h.Value)})
	}
	d, _ := pipeline.ParseDeadLetter(&r)
	return letter{m.Partition, m.Offset, d, m.Value, r}, nil
}

func (f *deadFlags) list(cmd *cobra.Command) error {
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		l, err := f.letters(ctx, a)
		if err != nil {
			return err
		}
		if f.json {
			if l == nil {
				l = []letter{}
			}
			return printJSON(cmd.OutOrStdout(), l)
		}
		rows := [][]string{{"PLACE", "TIME", "PIPELINE", "REASON", "FROM", "WHY"}}
		for _, x := range l {
			rows = append(rows, []string{fmt.Sprintf("%d@%d", x.Partition, x.Offset), x.Dead.Time, x.Dead.Pipeline, x.Dead.Reason,
				fmt.Sprintf("%s-%d@%d", x.Dead.Topic, x.Dead.Partition, x.Dead.Offset), clip(strings.ReplaceAll(x.Dead.Why, "\n", " "), 100)})
		}
		return table(cmd.OutOrStdout(), rows)
	})
}

// placeFlag reads PARTITION@OFFSET or OFFSET.
func placeFlag(s string) (partition int32, offset int64, err error) {
	p, o, both := strings.Cut(s, "@")
	if !both {
		p, o = "0", s
	}
	n, err := strconv.ParseInt(p, 10, 32)
	if err == nil {
		offset, err = strconv.ParseInt(o, 10, 64)
	}
	if err != nil {
		return 0, 0, usage("%q: want PARTITION@OFFSET or OFFSET", s)
	}
	return int32(n), offset, nil
}

func (f *deadFlags) show(cmd *cobra.Command, place string) error {
	if _, _, err := placeFlag(place); err != nil {
		return err
	}
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		x, err := oneLetter(ctx, a, place)
		if err != nil {
			return err
		}
		if f.json {
			return printJSON(cmd.OutOrStdout(), x)
		}
		w := cmd.OutOrStdout()
		if err := printJSON(w, x.Dead); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", x.Value)
		return err
	})
}

func (f *deadFlags) replay(cmd *cobra.Command) error {
	return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
		l, err := f.letters(ctx, a)
		if err != nil {
			return err
		}
		byTopic := map[string][]kafka.NewMessage{}
		var order []string
		for _, x := range l {
			topic := f.topic
			if topic == "" {
				topic = x.Dead.Topic
			}
			if topic == "" || strings.HasPrefix(topic, "spool/") {
				return fmt.Errorf("dead letter %d@%d came from no topic (%q): name one with --topic", x.Partition, x.Offset, x.Dead.Topic)
			}
			if byTopic[topic] == nil {
				order = append(order, topic)
			}
			byTopic[topic] = append(byTopic[topic], x.again())
		}
		for _, topic := range order {
			verb := "would be put"
			if !f.dry {
				if err := a.ProduceAll(ctx, topic, byTopic[topic]); err != nil {
					return err
				}
				verb = "put"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d records %s into %s\n", len(byTopic[topic]), verb, topic)
		}
		if len(order) == 0 {
			fmt.Fprintln(cmd.OutOrStdout(), "no dead letters")
		}
		return nil
	})
}
