package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"

	"github.com/weirlog/weir/web/live"
)

// maxFrame bounds one frame of live tail.
const maxFrame = 64 << 20

func newTail() *cobra.Command {
	var f clientFlags
	follow := true
	c := &cobra.Command{
		Use:   "tail [KQL]",
		Short: "Print the last rows a query finds, and follow what arrives",
		Example: `  weir tail
  weir tail 'service.name: stories and log.level: (WARN or ERROR)'
  weir tail -f=false -n 20 -o raw`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return f.tail(cmd, strings.Join(args, " "), follow)
		},
	}
	f.add(c, "1d", 20)
	c.Flags().BoolVarP(&follow, "follow", "f", true, "go on with what arrives")
	return c
}

func (f *clientFlags) tail(cmd *cobra.Command, query string, follow bool) error {
	out := newPrinter(cmd.OutOrStdout(), f.output)
	if !follow {
		p, err := f.explore(cmd.Context(), query, "", min(max(f.limit, 1), pageRows))
		if err != nil {
			return err
		}
		slices.Reverse(p.rows)
		for _, r := range p.rows {
			out.row(r)
		}
		return out.w.Flush()
	}
	if _, err := f.explore(cmd.Context(), query, "", 1); err != nil { // says what is wrong with the query better than a closed socket
		return err
	}
	return f.follow(cmd.Context(), cmd, query, out)
}

func (f *clientFlags) follow(ctx context.Context, cmd *cobra.Command, query string, out *printer) error {
	q := url.Values{"index": {f.index}, "query": {query}, "lang": {f.lang}, "source": {"true"}}
	conn, _, err := websocket.Dial(ctx, strings.TrimSuffix(f.server, "/")+"/weir/tail?"+q.Encode(), nil)
	if err != nil {
		return unreachable(ctx, f.server, err)
	}
	defer conn.CloseNow()
	conn.SetReadLimit(maxFrame)
	for {
		_, b, err := conn.Read(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("live tail ended: %w", err)
		}
		var m struct {
			Rows    []live.Row `json:"rows"`
			Skipped uint64     `json:"skipped"`
			Unseen  uint64     `json:"unseen"`
			History bool       `json:"history"`
		}
		if err := json.Unmarshal(b, &m); err != nil {
			return fmt.Errorf("the server's frame is not what this command knows: %w", err)
		}
		if m.History && len(m.Rows) > f.limit {
			m.Rows = m.Rows[len(m.Rows)-f.limit:]
		}
		for _, r := range m.Rows {
			out.row(r)
		}
		if n := m.Skipped + m.Unseen; n > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%d rows not shown: they came faster than this terminal\n", n)
		}
		if err := out.w.Flush(); err != nil {
			return nil
		}
	}
}
