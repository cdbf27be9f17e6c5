package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newAudit() *cobra.Command {
	var server, since, source string
	var asJSON bool
	c := &cobra.Command{
		Use:   "audit",
		Short: "Account for every byte the agents read: indexed, dropped by rule, dead-lettered, in flight, or missing",
		Long: `Compares what agents announced on the topic weir-ledger with what the store has, range by range. Exit code 1 when bytes are
missing. What the agents read within the last seconds may not be announced yet.`,
		Example: `  weir audit
  weir audit --since 1h --json | jq '.groups[].total'`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := askAudit(cmd.Context(), server, since, source)
			if err != nil {
				return err
			}
			var r auditReport
			if err := json.Unmarshal(body, &r); err != nil {
				return fmt.Errorf("the server's answer is not what this command knows: %w", err)
			}
			if asJSON {
				cmd.OutOrStdout().Write(body)
			} else {
				printAudit(cmd.OutOrStdout(), &r)
			}
			for _, g := range r.Groups {
				if g.Total.Missing > 0 {
					return &exitError{exitFailed, nil}
				}
			}
			return nil
		},
	}
	def := os.Getenv("WEIR_SERVER")
	if def == "" {
		def = "http://127.0.0.1:5601"
	}
	c.Flags().StringVar(&server, "server", def, "address of the UI server (or WEIR_SERVER)")
	c.Flags().StringVar(&since, "since", "", "only sources that were read within this time: 90m, 24h")
	c.Flags().StringVar(&source, "source", "", "only the source with this id")
	c.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

// maxReport bounds the answer of the server.
const maxReport = 256 << 20

func askAudit(ctx context.Context, server, since, source string) ([]byte, error) {
	q := url.Values{}
	if since != "" {
		q.Set("since", since)
	}
	if source != "" {
		q.Set("source", source)
	}
	req, err := http.NewRequestWithContext(ctx, "GET", strings.TrimSuffix(server, "/")+"/weir/audit?"+q.Encode(), nil)
	if err != nil {
		return nil, usage("--server %q: %w", server, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, unreachable(ctx, server, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReport))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, serverError(resp.StatusCode, body)
	}
	return body, nil
}

func printAudit(w io.Writer, r *auditReport) {
	for _, g := range r.Groups {
		t := &g.Total
		agents := map[string]bool{}
		for i := range g.Sources {
			agents[g.Sources[i].Agent] = true
		}
		fmt.Fprintf(w, "group %s: %d sources of %d agents", g.Group, len(g.Sources), len(agents))
		if !g.Until.IsZero() {
			fmt.Fprintf(w, ", complete until %s", g.Until.Local().Format("2006-01-02 15:04:05"))
		}
		fmt.Fprintf(w, "\nread %s bytes = indexed %s + dropped by rule %s + merged %s + dead-lettered %s + lost %s + in flight %s + missing %s\n",
			grouped(t.Read), grouped(t.Indexed), grouped(t.Dropped), grouped(t.Merged), grouped(t.Dead), grouped(t.Lost), grouped(t.Flight), grouped(t.Missing))
		if t.Repeats > 0 {
			fmt.Fprintf(w, "repeats dropped: %s\n", grouped(t.Repeats))
		}
		for _, rule := range slices.Sorted(maps.Keys(t.Rules)) {
			fmt.Fprintf(w, "dropped by the agents' rule %s: %s bytes\n", printable(rule), grouped(t.Rules[rule]))
		}
		for i := range g.Sources {
			l := &g.Sources[i]
			for _, gap := range l.Gaps {
				fmt.Fprintf(w, "MISSING %s:%s bytes %s to %s (source %s)\n", printable(l.Host), printable(l.Path), grouped(gap[0]), grouped(gap[1]), l.Source)
			}
			if l.Lost > 0 {
				fmt.Fprintf(w, "LOST %s:%s %s bytes: %s before they could be read (source %s)\n", printable(l.Host), printable(l.Path), grouped(l.Lost), l.End, l.Source)
			}
		}
	}
	if len(r.Groups) == 0 {
		fmt.Fprintln(w, "no pipeline of this server writes to its own store: there is nothing to compare with")
	}
	if r.Malformed > 0 {
		fmt.Fprintf(w, "%d records of the topic weir-ledger are no manifests\n", r.Malformed)
	}
}

// grouped writes a number with commas between thousands.
func grouped(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
