package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/web/live"
)

// clientFlags are the flags of commands that ask a running weir.
type clientFlags struct {
	server, index, since, output, lang string
	limit                              int
}

func (f *clientFlags) add(c *cobra.Command, since string, limit int) {
	server := os.Getenv("WEIR_SERVER")
	if server == "" {
		server = "http://127.0.0.1:5601"
	}
	fl := c.Flags()
	fl.StringVar(&f.server, "server", server, "address of the UI server (or WEIR_SERVER)")
	fl.StringVar(&f.index, "index", "logs-*", "index, data stream or pattern")
	fl.StringVar(&f.since, "since", since, "how far back: 15m, 2h, 1d, or a date")
	fl.IntVarP(&f.limit, "limit", "n", limit, "rows at most")
	fl.StringVarP(&f.output, "output", "o", "line", "line, raw (the message as it was) or json (the document)")
	fl.StringVar(&f.lang, "lang", "kql", "kql or lucene")
	c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"line", "raw", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (f *clientFlags) check() error {
	switch f.output {
	case "line", "raw", "json":
	default:
		return usage("--output %q: want line, raw or json", f.output)
	}
	if f.limit < 0 {
		return usage("--limit %d: want 0 or more", f.limit)
	}
	if f.lang != "kql" && f.lang != "lucene" {
		return usage("--lang %q: want kql or lucene", f.lang)
	}
	return nil
}

// from is --since as the start of a time range: "15m" is "now-15m".
func (f *clientFlags) from() string {
	if f.since != "" && f.since[0] >= '0' && f.since[0] <= '9' && !strings.ContainsAny(f.since, "-T:") {
		return "now-" + f.since
	}
	return f.since
}

// frame is one line of an explore answer.
type frame struct {
	Parsed *struct {
		Error *struct {
			Message string `json:"message"`
			At      int    `json:"at"`
		} `json:"error"`
	} `json:"parsed"`
	Hits *struct {
		Rows   []live.Row `json:"rows"`
		Cursor *string    `json:"cursor"`
	} `json:"hits"`
	Done *struct {
		TookMS int64 `json:"took_ms"`
		Total  int64 `json:"total"`
	} `json:"done"`
	Error *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

// page is what one search request gave.
type page struct {
	rows   []live.Row
	cursor string
	total  int64
	tookMS int64
}

// explore asks for one page of rows, newest first.
func (f *clientFlags) explore(ctx context.Context, query, cursor string, size int) (page, error) {
	body, err := json.Marshal(map[string]any{"index": f.index, "query": query, "lang": f.lang, "from": f.from(), "to": "now+1h", "size": size, "cursor": cursor, "source": true})
	if err != nil {
		return page{}, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", strings.TrimSuffix(f.server, "/")+"/weir/explore", bytes.NewReader(body))
	if err != nil {
		return page{}, usage("--server %q: %w", f.server, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return page{}, unreachable(ctx, f.server, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return page{}, serverError(resp.StatusCode, b)
	}
	return readFrames(resp.Body, query)
}

func unreachable(ctx context.Context, server string, err error) error {
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, nil}
	}
	return &exitError{exitUnreachable, fmt.Errorf("no weir answers at %s (start it with `weir up`, or name it with --server): %w", server, err)}
}

func serverError(status int, body []byte) error {
	var e struct {
		Error struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) == nil && e.Error.Reason != "" {
		return fmt.Errorf("the server answers %d: %s", status, e.Error.Reason)
	}
	return fmt.Errorf("the server answers %d", status)
}

func readFrames(r io.Reader, query string) (page, error) {
	var p page
	in := bufio.NewReaderSize(r, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var f frame
			if err := json.Unmarshal(line, &f); err != nil {
				return p, fmt.Errorf("the server's answer is not what this command knows: %w", err)
			}
			switch {
			case f.Error != nil:
				return p, fmt.Errorf("search: %s", f.Error.Reason)
			case f.Parsed != nil && f.Parsed.Error != nil:
				return p, usage("%s\n  %s\n  %s^", f.Parsed.Error.Message, query, strings.Repeat(" ", f.Parsed.Error.At))
			case f.Hits != nil:
				p.rows = f.Hits.Rows
				if f.Hits.Cursor != nil {
					p.cursor = *f.Hits.Cursor
				}
			case f.Done != nil:
				p.total, p.tookMS = f.Done.Total, f.Done.TookMS
			}
		}
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return p, fmt.Errorf("read answer: %w", err)
		}
	}
}

// printer writes rows to standard output.
type printer struct {
	w      *bufio.Writer
	format string
	colour bool
}

func newPrinter(w io.Writer, format string) *printer {
	f, ok := w.(*os.File)
	colour := false
	if ok && os.Getenv("NO_COLOR") == "" {
		info, err := f.Stat()
		colour = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return &printer{w: bufio.NewWriter(w), format: format, colour: colour}
}

var levelColours = map[string]string{"ERROR": "31", "FATAL": "35", "WARN": "33", "INFO": "34", "DEBUG": "90", "TRACE": "90"}

func (p *printer) row(r live.Row) {
	switch p.format {
	case "json":
		p.w.Write(r.Doc)
		p.w.WriteByte('\n')
	case "raw":
		p.w.WriteString(printable(r.Message))
		if r.Stack != "" {
			p.w.WriteString("\n" + printable(r.Stack))
		}
		p.w.WriteByte('\n')
	default:
		p.line(r)
	}
}

// line is "14:02:11.318 ERROR mvc  o.h.e.jdbc  message", with the further lines below.
func (p *printer) line(r live.Row) {
	when := r.TS
	if r.T != 0 {
		when = time.UnixMilli(r.T).Local().Format("15:04:05.000")
	}
	level := fmt.Sprintf("%-5s", r.Level)
	if p.colour {
		when = "\x1b[2m" + when + "\x1b[0m"
		if c := levelColours[r.Level]; c != "" {
			level = "\x1b[" + c + "m" + level + "\x1b[0m"
		}
	}
	fmt.Fprintf(p.w, "%s %s %s  %s  %s\n", when, level, printable(r.Service), printable(r.Logger), printable(r.Message))
	if r.Stack == "" {
		return
	}
	if !p.colour { // piped: unfolded
		p.w.WriteString(printable(r.Stack) + "\n")
		return
	}
	lines := strings.Split(r.Stack, "\n")
	for _, l := range lines {
		if strings.HasPrefix(l, "Caused by:") {
			fmt.Fprintf(p.w, "             %s\n", printable(l))
		}
	}
	fmt.Fprintf(p.w, "             \x1b[2m⤷ %d more lines\x1b[0m\n", len(lines))
}

// printable replaces control bytes but newline and tab, so that no escape of a log reaches the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}
