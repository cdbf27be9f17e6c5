package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/queue/kafka"
)

func newTopics() *cobra.Command {
	var f queueFlags
	c := &cobra.Command{
		Use:   "topics",
		Short: "List, describe, make, change, read and write topics, of weir or of any Kafka",
		Example: `  weir topics list
  weir topics describe logs
  weir topics create orders --partitions 3 --config retention.ms=86400000
  weir topics consume logs --from -15m --contains ERROR
  weir topics produce orders < orders.ndjson`,
	}
	f.add(c)
	c.AddCommand(newTopicsList(&f), newTopicsDescribe(&f), newTopicsCreate(&f), newTopicsAlter(&f), newTopicsDelete(&f), newTopicsTrim(&f),
		newTopicsConsume(&f), newTopicsProduce(&f))
	return c
}

func newTopicsList(f *queueFlags) *cobra.Command {
	var internal bool
	c := &cobra.Command{
		Use: "list", Short: "List the topics", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				topics, err := a.Topics(ctx)
				if err != nil {
					return err
				}
				topics = slices.DeleteFunc(topics, func(t kafka.Topic) bool { return t.Internal && !internal })
				if f.json {
					return printJSON(cmd.OutOrStdout(), topics)
				}
				rows := [][]string{{"TOPIC", "PARTITIONS", "RECORDS", "SIZE", "OLDEST", "NEWEST", "GROUPS"}}
				for _, t := range topics {
					rows = append(rows, []string{t.Name, strconv.Itoa(t.Partitions), strconv.FormatInt(t.Records, 10), bytesText(t.Bytes), timeText(t.Oldest), timeText(t.Newest), groupsText(t.Groups)})
				}
				return table(cmd.OutOrStdout(), rows)
			})
		},
	}
	c.Flags().BoolVar(&internal, "internal", false, "list the broker's own topics, too")
	return c
}

// groupsText is the groups of a topic with their lag in records.
func groupsText(groups []kafka.TopicLag) string {
	if len(groups) == 0 {
		return "-"
	}
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = fmt.Sprintf("%s (%d behind)", g.Group, g.Lag)
	}
	return strings.Join(parts, ", ")
}

func newTopicsDescribe(f *queueFlags) *cobra.Command {
	return &cobra.Command{
		Use: "describe TOPIC...", Short: "Tell of topics: partitions, settings, groups", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				var all []kafka.TopicDetail
				for _, name := range args {
					t, err := a.Topic(ctx, name)
					if err != nil {
						return err
					}
					all = append(all, t)
				}
				if f.json {
					return printJSON(cmd.OutOrStdout(), all)
				}
				for _, t := range all {
					if err := describeTopic(cmd.OutOrStdout(), &t); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func describeTopic(w io.Writer, t *kafka.TopicDetail) error {
	fmt.Fprintf(w, "%s  id %s  %d partitions, %d replicas, %d records, %s\n", t.Name, t.ID, t.Partitions, t.Replicas, t.Records, bytesText(t.Bytes))
	fmt.Fprintf(w, "oldest %s, newest %s\n\n", timeText(t.Oldest), timeText(t.Newest))
	rows := [][]string{{"PARTITION", "LEADER", "START", "END", "SIZE", "ERROR"}}
	for _, p := range t.Parts {
		rows = append(rows, []string{strconv.Itoa(int(p.ID)), strconv.Itoa(int(p.Leader)), strconv.FormatInt(p.Low, 10), strconv.FormatInt(p.High, 10), bytesText(p.Bytes), p.Error})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	if len(t.Groups) > 0 {
		rows = [][]string{{"\nGROUP", "STATE", "MEMBERS", "BEHIND", "BEHIND BY"}}
		for _, g := range t.Groups {
			rows = append(rows, []string{g.Group, g.State, strconv.Itoa(g.Members), strconv.FormatInt(g.Lag, 10), lagText(g.LagMs)})
		}
		if err := table(w, rows); err != nil {
			return err
		}
	}
	rows = [][]string{{"\nSETTING", "VALUE", "FROM"}}
	for _, c := range t.Configs {
		rows = append(rows, []string{c.Name, c.Value, c.Source})
	}
	return table(w, rows)
}

func newTopicsCreate(f *queueFlags) *cobra.Command {
	var n kafka.NewTopic
	var configs []string
	c := &cobra.Command{
		Use: "create TOPIC", Short: "Make a topic", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := pairs("config", configs)
			if err != nil {
				return err
			}
			n.Name, n.Configs = args[0], set
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error { return a.CreateTopic(ctx, n) })
		},
	}
	c.Flags().Int32Var(&n.Partitions, "partitions", 0, "partitions; 0: the broker's default")
	c.Flags().Int16Var(&n.Replicas, "replicas", 0, "copies; 0: the cluster's default")
	c.Flags().StringArrayVar(&configs, "config", nil, "setting, as name=value; may be repeated")
	return c
}

func newTopicsAlter(f *queueFlags) *cobra.Command {
	var partitions int32
	var configs, unset []string
	c := &cobra.Command{
		Use: "alter TOPIC", Short: "Change settings, add partitions", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := pairs("config", configs)
			if err != nil {
				return err
			}
			if partitions == 0 && len(set) == 0 && len(unset) == 0 {
				return usage("nothing to change: give --partitions, --config or --unset")
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				if partitions > 0 {
					if err := a.AddPartitions(ctx, args[0], partitions); err != nil {
						return err
					}
				}
				if len(set) == 0 && len(unset) == 0 {
					return nil
				}
				return a.SetConfigs(ctx, args[0], set, unset)
			})
		},
	}
	c.Flags().Int32Var(&partitions, "partitions", 0, "grow to so many partitions; keys move to others by it")
	c.Flags().StringArrayVar(&configs, "config", nil, "setting, as name=value; may be repeated")
	c.Flags().StringArrayVar(&unset, "unset", nil, "setting that goes back to its default; may be repeated")
	return c
}

func newTopicsDelete(f *queueFlags) *cobra.Command {
	return &cobra.Command{
		Use: "delete TOPIC...", Short: "Delete topics with all their records", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				var errs []error
				for _, name := range args {
					errs = append(errs, a.DeleteTopic(ctx, name))
				}
				return errors.Join(errs...)
			})
		},
	}
}

func newTopicsTrim(f *queueFlags) *cobra.Command {
	var before string
	var offsets []string
	c := &cobra.Command{
		Use: "trim TOPIC", Short: "Delete the oldest records", Args: cobra.ExactArgs(1),
		Example: "  weir topics trim logs --before -2d\n  weir topics trim logs --offset 0=15000",
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := partitionOffsets(offsets)
			if err != nil {
				return err
			}
			if (before == "") == (len(at) == 0) {
				return usage("give either --before or --offset")
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				if before != "" {
					var err error
					if at, err = a.Places(ctx, args[0], before); err != nil {
						return usage("--before: %w", err)
					}
				}
				return a.Trim(ctx, args[0], at)
			})
		},
	}
	c.Flags().StringVar(&before, "before", "", "delete what is older: a time, an age such as -2d, or end for everything")
	c.Flags().StringArrayVar(&offsets, "offset", nil, "delete below an offset, as partition=offset; may be repeated")
	return c
}

// partitionOffsets reads partition=offset flags.
func partitionOffsets(list []string) (map[int32]int64, error) {
	out := map[int32]int64{}
	for _, s := range list {
		p, o, ok := strings.Cut(s, "=")
		n, err1 := strconv.ParseInt(p, 10, 32)
		at, err2 := strconv.ParseInt(o, 10, 64)
		if !ok || err1 != nil || err2 != nil {
			return nil, usage("--offset %q: want partition=offset", s)
		}
		out[int32(n)] = at
	}
	return out, nil
}

func newTopicsConsume(f *queueFlags) *cobra.Command {
	var q kafka.Browse
	var partitions []int32
	var count int
	var format string
	var follow bool
	c := &cobra.Command{
		Use: "consume TOPIC", Short: "Print messages, without a group", Args: cobra.ExactArgs(1),
		Example: "  weir topics consume logs -n 10\n  weir topics consume logs --from start -n 0 --format json\n  weir topics consume logs --follow --contains ERROR",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{"value", "line", "json"}, format) {
				return usage("--format %q: want value, line or json", format)
			}
			q.Topic, q.Partitions, q.ValueBytes = args[0], partitions, -1
			out := bufio.NewWriter(cmd.OutOrStdout())
			defer out.Flush()
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				if follow {
					return a.Follow(ctx, q, func(ms []kafka.Message) error { return printMessages(out, ms, format) })
				}
				return consume(ctx, a, q, count, func(ms []kafka.Message) error { return printMessages(out, ms, format) })
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&q.From, "from", "newest", "start, an offset, a time, an age such as -15m; newest is the last messages")
	fl.StringVar(&q.Until, "until", "", "end before an offset or a time")
	fl.Int32SliceVar(&partitions, "partition", nil, "partitions; all without it")
	fl.StringVar(&q.Key, "key", "", "only messages with this key")
	fl.StringVar(&q.Contains, "contains", "", "only messages that contain this")
	fl.IntVarP(&count, "count", "n", 100, "messages at most; 0: all")
	fl.StringVar(&format, "format", "value", "value, line (with partition, offset, time and key) or json")
	fl.BoolVar(&follow, "follow", false, "go on with what comes")
	return c
}

// consumePage is how many messages one call asks for.
const consumePage = 1000

// consume prints pages until count messages are printed or there are no more; 0 is all.
func consume(ctx context.Context, a *kafka.Admin, q kafka.Browse, count int, print func([]kafka.Message) error) error {
	newest := q.From == "newest" || q.From == "end"
	if newest && count == 0 {
		q.From, newest = "start", false
	}
	for printed := 0; ; {
		q.Limit = consumePage
		if count > 0 {
			q.Limit = min(consumePage, count-printed)
		}
		if newest {
			q.Limit = count
		}
		p, err := a.Browse(ctx, q)
		if err != nil {
			return err
		}
		if err := print(p.Messages); err != nil {
			return err
		}
		printed += len(p.Messages)
		if newest || p.End || count > 0 && printed >= count || maps.Equal(q.At, p.Next) {
			return nil
		}
		q.At = p.Next
	}
}

func printMessages(w *bufio.Writer, ms []kafka.Message, format string) error {
	for i := range ms {
		m := &ms[i]
		switch format {
		case "json":
			b, err := json.Marshal(m)
			if err != nil {
				return err
			}
			w.Write(b)
		case "line":
			fmt.Fprintf(w, "%d:%d %s %s %s", m.Partition, m.Offset, m.Time.Local().Format("2006-01-02T15:04:05.000Z07:00"), m.Key, m.Value)
		default:
			w.WriteString(m.Value)
		}
		w.WriteByte('\n')
	}
	return w.Flush()
}

func newTopicsProduce(f *queueFlags) *cobra.Command {
	var separator string
	var partition int32
	var headers []string
	c := &cobra.Command{
		Use: "produce TOPIC", Short: "Write one message for each line of standard input", Args: cobra.ExactArgs(1),
		Example: "  weir topics produce orders < orders.ndjson\n  echo 'customer-7:hello' | weir topics produce orders --key-separator :",
		RunE: func(cmd *cobra.Command, args []string) error {
			hs, err := pairs("header", headers)
			if err != nil {
				return err
			}
			proto := kafka.NewMessage{Headers: hs}
			if partition >= 0 {
				proto.Partition = &partition
			}
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				n, err := produceLines(ctx, a, args[0], cmd.InOrStdin(), proto, separator)
				fmt.Fprintf(cmd.ErrOrStderr(), "%d messages written\n", n)
				return err
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&separator, "key-separator", "", "what stands between key and value; without it lines have no key")
	fl.Int32Var(&partition, "partition", -1, "partition; -1: the key decides")
	fl.StringArrayVar(&headers, "header", nil, "header of every message, as name=value; may be repeated")
	return c
}

// produceStep and maxLine bound what is read at once.
const (
	produceStep = 1000
	maxLine     = 10 << 20
)

// produceLines writes lines and tells how many are durable.
func produceLines(ctx context.Context, a *kafka.Admin, topic string, in io.Reader, proto kafka.NewMessage, separator string) (int, error) {
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	var step []kafka.NewMessage
	written := 0
	flush := func() error {
		if err := a.ProduceAll(ctx, topic, step); err != nil {
			return err
		}
		written += len(step)
		step = step[:0]
		return nil
	}
	for sc.Scan() {
		m, line := proto, sc.Text()
		if separator != "" {
			key, value, ok := strings.Cut(line, separator)
			if !ok {
				return written, fmt.Errorf("line %d has no %q", written+len(step)+1, separator)
			}
			m.Key, line = &key, value
		}
		m.Value = &line
		if step = append(step, m); len(step) >= produceStep {
			if err := flush(); err != nil {
				return written, err
			}
		}
	}
	return written, errors.Join(sc.Err(), flush())
}
