package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// exportKeep is how long a point in time waits for the next page, or for an export that goes on.
const exportKeep = "1h"

// exporter writes the documents of an index as NDJSON.
type exporter struct {
	elasticFlags
	index, query, output, fields string
	page                         int
	bulk, goOn, quiet            bool
	limit                        int64

	state exportState
}

// exportState is what an export needs to go on; it stands beside the output file.
type exportState struct {
	PIT   string            `json:"pit"`
	After []json.RawMessage `json:"after"`
	Docs  int64             `json:"docs"`
	Bytes int64             `json:"bytes"` // of the output file that are whole pages
}

func newExport() *cobra.Command {
	e := &exporter{}
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the documents of indices as NDJSON, to a file or standard output",
		Long: `Write the documents of indices as NDJSON: one line each, or with --bulk an action line in front, which weir import and _bulk
take with ids and routing. It reads a point in time, so what is written meanwhile is not in it. An export to a file that was
cut short goes on with --resume within an hour.`,
		Example: `  weir export --index 'logs-*' -o logs.ndjson
  weir export --index app --query '{"range":{"@timestamp":{"gte":"now-1d"}}}' | zstd > day.ndjson.zst
  weir export --index app --bulk | weir import --index copy`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return e.run(cmd) },
	}
	e.add(c)
	fl := c.Flags()
	fl.StringVar(&e.index, "index", "", "index, data stream, alias or pattern")
	fl.StringVar(&e.query, "query", "", "query of the REST API as JSON, or KQL")
	fl.StringVarP(&e.output, "output", "o", "-", "file, - is standard output")
	fl.StringVar(&e.fields, "fields", "", "fields of the documents, comma separated; none: whole documents")
	fl.IntVar(&e.page, "page", 2000, "documents per request")
	fl.Int64VarP(&e.limit, "limit", "n", 0, "documents at most, 0: all")
	fl.BoolVar(&e.bulk, "bulk", false, "an action line with index, id and routing in front of each document")
	fl.BoolVar(&e.goOn, "resume", false, "go on where the output file ends")
	fl.BoolVar(&e.quiet, "quiet", false, "tell nothing of the progress")
	c.MarkFlagRequired("index")
	return c
}

// statePath is beside the output.
func (e *exporter) statePath() string { return e.output + ".export" }

func (e *exporter) run(cmd *cobra.Command) error {
	if e.page < 1 || e.page > 10000 {
		return usage("--page %d: want 1 to 10000", e.page)
	}
	query, err := queryOf(e.query)
	if err != nil {
		return err
	}
	out, err := e.open(cmd)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	err = e.pages(cmd.Context(), w, query, newProgress(cmd.ErrOrStderr(), e.quiet, "documents written"))
	if ferr := w.Flush(); err == nil {
		err = ferr
	}
	if e.output != "-" {
		if cerr := out.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return err
	}
	e.call(context.WithoutCancel(cmd.Context()), "DELETE", "/_pit", mustJSON(map[string]string{"id": e.state.PIT}), "application/json") // it would end by itself
	if e.output != "-" {
		os.Remove(e.statePath())
	}
	return nil
}

// open opens the output; with --resume at the end of the last whole page.
func (e *exporter) open(cmd *cobra.Command) (io.WriteCloser, error) {
	if e.output == "-" {
		if e.goOn {
			return nil, usage("--resume needs --output FILE")
		}
		return nopCloser{cmd.OutOrStdout()}, nil
	}
	if !e.goOn {
		if _, err := os.Stat(e.output); err == nil {
			return nil, usage("%s exists: remove it, or go on with --resume", e.output)
		}
		return os.Create(e.output)
	}
	b, err := os.ReadFile(e.statePath())
	if err != nil {
		return nil, usage("nothing to go on with: %w", err)
	}
	if err := json.Unmarshal(b, &e.state); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.statePath(), err)
	}
	f, err := os.OpenFile(e.output, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(e.state.Bytes); err == nil {
		_, err = f.Seek(e.state.Bytes, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// queryOf is --query as JSON: an object as it is, any other text as KQL.
func queryOf(text string) (json.RawMessage, error) {
	switch text = strings.TrimSpace(text); {
	case text == "":
		return json.RawMessage(`{"match_all":{}}`), nil
	case text[0] == '{':
		if !json.Valid([]byte(text)) {
			return nil, usage("--query is not JSON: %s", text)
		}
		return json.RawMessage(text), nil
	}
	return mustJSON(map[string]any{"kql": map[string]string{"query": text}}), nil
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("weir: own value is not JSON: " + err.Error()) // maps of texts only
	}
	return b
}

// exportHit is a hit as far as an export reads it.
type exportHit struct {
	Index   string            `json:"_index"`
	ID      string            `json:"_id"`
	Routing string            `json:"_routing"`
	Source  json.RawMessage   `json:"_source"`
	Sort    []json.RawMessage `json:"sort"`
}

// pages asks for page after page and writes them.
func (e *exporter) pages(ctx context.Context, w *bufio.Writer, query json.RawMessage, p *progress) error {
	if e.state.PIT == "" {
		b, err := e.call(ctx, "POST", "/"+escapePath(e.index)+"/_pit?keep_alive="+exportKeep, nil, "")
		if err != nil {
			return err
		}
		var pit struct{ ID string }
		if err := json.Unmarshal(b, &pit); err != nil || pit.ID == "" {
			return fmt.Errorf("the server opens no point in time: %s", b)
		}
		e.state.PIT = pit.ID
	}
	p.done = e.state.Docs
	for {
		hits, total, err := e.next(ctx, query)
		if err != nil {
			return err
		}
		if total > 0 {
			p.total = total
			if e.limit > 0 {
				p.total = min(p.total, e.limit)
			}
		}
		for i := range hits {
			if e.limit > 0 && e.state.Docs >= e.limit {
				hits = nil
				break
			}
			n, err := e.write(w, &hits[i])
			if err != nil {
				return err
			}
			e.state.Docs++
			e.state.Bytes += int64(n)
		}
		if len(hits) == 0 {
			p.end()
			return nil
		}
		e.state.After = hits[len(hits)-1].Sort
		p.add(int64(len(hits)))
		if err := e.keep(w); err != nil {
			return err
		}
	}
}

// next asks for the page behind the last.
func (e *exporter) next(ctx context.Context, query json.RawMessage) ([]exportHit, int64, error) {
	body := map[string]any{"size": e.page, "query": query, "pit": map[string]string{"id": e.state.PIT, "keep_alive": exportKeep}, "sort": []any{map[string]string{"_shard_doc": "asc"}}, "track_total_hits": e.state.After == nil}
	if e.state.After != nil {
		body["search_after"] = e.state.After
	}
	if e.fields != "" {
		body["_source"] = strings.Split(e.fields, ",")
	}
	var b []byte
	var err error
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		if b, err = e.call(ctx, "POST", "/_search", mustJSON(body), "application/json"); !busyAnswer(err) {
			break
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, 0, &exitError{exitInterrupted, nil}
		}
	}
	if err != nil {
		return nil, 0, err
	}
	var resp struct {
		PIT    string `json:"pit_id"`
		Shards struct {
			Failed int `json:"failed"`
		} `json:"_shards"`
		Hits struct {
			Total struct{ Value int64 }
			Hits  []exportHit
		}
	}
	if err := json.Unmarshal(b, &resp); err != nil {
		return nil, 0, fmt.Errorf("the server's answer is not what this command knows: %w", err)
	}
	if resp.Shards.Failed > 0 {
		return nil, 0, fmt.Errorf("%d shards do not answer: an export would leave their documents out", resp.Shards.Failed)
	}
	if resp.PIT != "" {
		e.state.PIT = resp.PIT
	}
	return resp.Hits.Hits, resp.Hits.Total.Value, nil
}

// write prints one document.
func (e *exporter) write(w *bufio.Writer, h *exportHit) (n int, err error) {
	if e.bulk {
		meta := map[string]string{"_index": h.Index, "_id": h.ID}
		if h.Routing != "" {
			meta["routing"] = h.Routing
		}
		line := append(mustJSON(map[string]any{"index": meta}), '\n')
		if n, err = w.Write(line); err != nil {
			return n, err
		}
	}
	src := h.Source
	if bytes.IndexByte(src, '\n') >= 0 {
		var buf bytes.Buffer
		if err := json.Compact(&buf, src); err != nil {
			return n, err
		}
		src = buf.Bytes()
	}
	m, err := w.Write(src)
	if err == nil {
		err = w.WriteByte('\n')
	}
	return n + m + 1, err
}

// keep notes how far the output file is whole.
func (e *exporter) keep(w *bufio.Writer) error {
	if e.output == "-" {
		return nil
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return os.WriteFile(e.statePath(), mustJSON(e.state), 0o600)
}

// progress tells on a terminal or in a log how far a copy is.
type progress struct {
	w     io.Writer
	what  string
	quiet bool
	began time.Time
	last  time.Time
	done  int64
	total int64 // 0: not known
	first int64
}

func newProgress(w io.Writer, quiet bool, what string) *progress {
	now := time.Now()
	return &progress{w: w, what: what, quiet: quiet, began: now, last: now}
}

// progressEvery is the pace of reports.
const progressEvery = 2 * time.Second

func (p *progress) add(n int64) {
	p.done += n
	if now := time.Now(); !p.quiet && now.Sub(p.last) >= progressEvery {
		p.last = now
		p.tell("")
	}
}

func (p *progress) end() {
	if !p.quiet {
		p.tell(", done")
	}
}

func (p *progress) tell(suffix string) {
	of := ""
	if p.total > 0 {
		of = fmt.Sprintf(" of %d (%d%%)", p.total, 100*p.done/p.total)
	}
	rate := float64(p.done-p.first) / max(time.Since(p.began).Seconds(), 0.001)
	fmt.Fprintf(p.w, "%d%s %s, %.0f/s%s\n", p.done, of, p.what, rate, suffix)
}
