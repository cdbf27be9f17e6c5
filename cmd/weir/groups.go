package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

func newGroups() *cobra.Command {
	var f queueFlags
	c := &cobra.Command{
		Use:   "groups",
		Short: "List and describe consumer groups, with lag in records and seconds; move and delete them",
		Example: `  weir groups list
  weir groups describe weir-spring
  weir groups reset billing --topic orders --to -2h --yes`,
	}
	f.add(c)
	c.AddCommand(newGroupsList(&f), newGroupsDescribe(&f), newGroupsReset(&f), newGroupsDelete(&f))
	return c
}

func newGroupsList(f *queueFlags) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the groups", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				groups, err := a.Groups(ctx)
				if err != nil {
					return err
				}
				if f.json {
					return printJSON(cmd.OutOrStdout(), groups)
				}
				rows := [][]string{{"GROUP", "STATE", "MEMBERS", "BEHIND", "BEHIND BY"}}
				for _, g := range groups {
					rows = append(rows, []string{g.Name, g.State, strconv.Itoa(g.Members), strconv.FormatInt(g.Lag, 10), lagText(g.LagMs)})
				}
				return table(cmd.OutOrStdout(), rows)
			})
		},
	}
}

func newGroupsDescribe(f *queueFlags) *cobra.Command {
	return &cobra.Command{
		Use: "describe GROUP...", Short: "Tell of groups: members, places, lag", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				var all []kafka.GroupDetail
				for _, name := range args {
					g, err := a.Group(ctx, name)
					if err != nil {
						return err
					}
					all = append(all, g)
				}
				if f.json {
					return printJSON(cmd.OutOrStdout(), all)
				}
				for i := range all {
					if err := describeGroup(cmd.OutOrStdout(), &all[i]); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func describeGroup(w io.Writer, g *kafka.GroupDetail) error {
	fmt.Fprintf(w, "%s  %s, %d members, %d records behind, %s\n\n", g.Name, g.State, g.Members, g.Lag, lagText(g.LagMs))
	rows := [][]string{{"TOPIC", "PARTITION", "COMMITTED", "END", "BEHIND", "BEHIND BY", "MEMBER"}}
	for _, o := range g.Offsets {
		committed := strconv.FormatInt(o.Committed, 10)
		if o.Committed < 0 {
			committed = "-"
		}
		rows = append(rows, []string{o.Topic, strconv.Itoa(int(o.Partition)), committed, strconv.FormatInt(o.High, 10), strconv.FormatInt(o.Lag, 10), lagText(o.LagMs), o.Member})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	if len(g.MemberList) == 0 {
		return nil
	}
	rows = [][]string{{"\nMEMBER", "CLIENT", "HOST", "PARTITIONS"}}
	for _, m := range g.MemberList {
		n := 0
		for _, ps := range m.Partitions {
			n += len(ps)
		}
		rows = append(rows, []string{m.ID, m.ClientID, m.Host, strconv.Itoa(n)})
	}
	return table(w, rows)
}

func newGroupsReset(f *queueFlags) *cobra.Command {
	var r kafka.Reset
	var yes bool
	c := &cobra.Command{
		Use: "reset GROUP", Short: "Move a group that has no members; shows what would move without --yes", Args: cobra.ExactArgs(1),
		Example: "  weir groups reset billing --to start\n  weir groups reset billing --topic orders --to 2026-03-01T08:00:00Z --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.DryRun = !yes
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				moves, err := a.Reset(ctx, args[0], r)
				if err != nil {
					return kept(args[0], err)
				}
				if f.json {
					return printJSON(cmd.OutOrStdout(), moves)
				}
				rows := [][]string{{"TOPIC", "PARTITION", "FROM", "TO"}}
				for _, m := range moves {
					from := strconv.FormatInt(m.From, 10)
					if m.From < 0 {
						from = "-"
					}
					rows = append(rows, []string{m.Topic, strconv.Itoa(int(m.Partition)), from, strconv.FormatInt(m.To, 10)})
				}
				if err := table(cmd.OutOrStdout(), rows); err != nil || yes {
					return err
				}
				fmt.Fprintln(cmd.ErrOrStderr(), "nothing was moved; add --yes to do it")
				return nil
			})
		},
	}
	fl := c.Flags()
	fl.StringVar(&r.To, "to", "", "start, end, an offset, a time or an age such as -2h")
	fl.StringArrayVar(&r.Topics, "topic", nil, "topic; may be repeated; without it all that the group has read")
	fl.BoolVar(&yes, "yes", false, "do it")
	c.MarkFlagRequired("to")
	return c
}

// kept says more of a refusal: the store's own places of a pipeline are moved in another way.
func kept(group string, err error) error {
	if errors.Is(err, queue.ErrDenied) {
		return fmt.Errorf("%w\nThe places of a pipeline that writes into weir's own store are kept with its documents: if %s is such a group, read the topic again into another index with `weir pipeline replay`", err, group)
	}
	return err
}

func newGroupsDelete(f *queueFlags) *cobra.Command {
	return &cobra.Command{
		Use: "delete GROUP...", Short: "Forget groups without members, and their places", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd, func(ctx context.Context, a *kafka.Admin) error {
				var errs []error
				for _, name := range args {
					if err := a.DeleteGroup(ctx, name); err != nil {
						errs = append(errs, kept(name, err))
					}
				}
				return errors.Join(errs...)
			})
		},
	}
}
