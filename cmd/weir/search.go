package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// pageRows is how many rows one request asks for.
const pageRows = 1000

func newSearch() *cobra.Command {
	var f clientFlags
	c := &cobra.Command{
		Use:   "search [KQL]",
		Short: "Print the rows a query finds, newest first",
		Example: `  weir search 'log.level: ERROR and service.name: api' --since 1h
  weir search 'Deadlock' -n 0 -o json | jq .trace.id`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.search(cmd, strings.Join(args, " "))
		},
	}
	f.add(c, "15m", 100)
	c.Flags().Lookup("limit").Usage = "rows at most; 0: all"
	return c
}

func (f *clientFlags) search(cmd *cobra.Command, query string) error {
	out := newPrinter(cmd.OutOrStdout(), f.output)
	printed, cursor := 0, ""
	for {
		size := pageRows
		if f.limit > 0 {
			size = min(size, f.limit-printed)
		}
		p, err := f.explore(cmd.Context(), query, cursor, size)
		if err != nil {
			return err
		}
		for _, r := range p.rows {
			out.row(r)
		}
		printed += len(p.rows)
		if cursor == "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d hits, %d ms\n", p.total, p.tookMS)
		}
		if err := out.w.Flush(); err != nil {
			return &exitError{exitFailed, nil} // the reader of our output left
		}
		if cursor = p.cursor; cursor == "" || f.limit > 0 && printed >= f.limit {
			return nil
		}
	}
}
