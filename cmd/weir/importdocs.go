package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/zeebo/xxh3"
)

// documentImport writes NDJSON documents into an index.
type documentImport struct {
	elasticFlags
	index, pipeline string
	batchDocs       int
	batchBytes      int
	newIDs, quiet   bool
	restart         bool
	rejected        int64
	rejects         *os.File
	errOut          io.Writer
	progress        *progress
}

// Bounds of an import.
const (
	importLine  = 100 << 20 // bytes of a line
	importDocs  = 2000
	importBytes = 5 << 20
)

func (d *documentImport) addFlags(c *cobra.Command) {
	d.add(c)
	fl := c.Flags()
	fl.StringVar(&d.index, "index", "", "index or data stream that NDJSON documents go to; lines of _bulk keep their own")
	fl.StringVar(&d.pipeline, "pipeline", "", "ingest pipeline for documents")
	fl.IntVar(&d.batchDocs, "batch", importDocs, "documents per request")
	fl.BoolVar(&d.newIDs, "new-ids", false, "let the server choose ids: an import that is repeated writes everything again")
	fl.BoolVar(&d.restart, "restart", false, "begin at the start of files that were imported in part")
	fl.BoolVar(&d.quiet, "quiet", false, "tell nothing of the progress")
}

// documentSuffixes are of files that hold documents.
var documentSuffixes = []string{".ndjson", ".jsonl", ".json", ".bulk"}

// own parts the files that hold documents from the others: NDJSON when an index is named or its lines are those of _bulk, and standard
// input, which is also meant when no file is named.
func (d *documentImport) own(names []string) (others, docs []string, err error) {
	if len(names) == 0 {
		return nil, []string{"-"}, nil
	}
	for _, n := range names {
		switch {
		case n == "-":
			docs = append(docs, n)
		case !slices.Contains(documentSuffixes, strings.ToLower(filepath.Ext(n))):
			others = append(others, n)
		default:
			first, err := firstLine(n)
			if err != nil {
				return nil, nil, usage("import: %w", err)
			}
			if _, action := bulkAction(first); d.index != "" || action {
				docs = append(docs, n)
			} else {
				others = append(others, n)
			}
		}
	}
	return others, docs, nil
}

func firstLine(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	line, _, err := readLine(bufio.NewReader(f))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return line, err
}

// importState is how far a file is in; it stands beside the file.
type importState struct {
	Bytes int64  `json:"bytes"`
	Docs  int64  `json:"docs"`
	Index string `json:"index"`
}

// files imports the named files in turn; - is standard input. An import that was cut short goes on: a document that is in already is met
// again by its id, which is made of the file's name and the place in it.
func (d *documentImport) files(cmd *cobra.Command, names []string) error {
	if d.batchBytes = importBytes; d.batchDocs < 1 {
		return usage("--batch %d: want 1 or more", d.batchDocs)
	}
	d.errOut = cmd.ErrOrStderr()
	d.progress = newProgress(d.errOut, d.quiet, "documents in")
	defer func() {
		if d.rejects != nil {
			d.rejects.Close()
		}
	}()
	for _, name := range names {
		if err := d.file(cmd, name); err != nil {
			return fmt.Errorf("import %s: %w", name, err)
		}
	}
	d.progress.end()
	if d.rejected > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d documents were refused; they are in %s with their reasons", d.rejected, d.rejects.Name())}
	}
	return nil
}

func (d *documentImport) file(cmd *cobra.Command, name string) error {
	if name == "-" {
		return d.read(cmd.Context(), cmd.InOrStdin(), "stdin", 0, func(importState) error { return nil })
	}
	f, err := os.Open(name)
	if err != nil {
		return usage("%w", err)
	}
	defer f.Close()
	var st importState
	statePath := name + ".import"
	if b, err := os.ReadFile(statePath); err == nil && !d.restart {
		if err := json.Unmarshal(b, &st); err != nil {
			return fmt.Errorf("read %s: %w", statePath, err)
		}
		if st.Index != d.index {
			return usage("%s was being imported into %q: go on there, or begin anew with --restart", name, st.Index)
		}
		if _, err := f.Seek(st.Bytes, io.SeekStart); err != nil {
			return err
		}
		fmt.Fprintf(d.errOut, "%s: going on at byte %d\n", name, st.Bytes)
	}
	err = d.read(cmd.Context(), f, filepath.Base(name), st.Bytes, func(now importState) error {
		now.Index = d.index
		return os.WriteFile(statePath, mustJSON(now), 0o600)
	})
	if err == nil {
		os.Remove(statePath)
	}
	return err
}

// pending is a document on its way.
type pending struct {
	action []byte // its action line
	doc    []byte // nil for a delete
	at     int64
}

// read cuts lines into documents and sends them in batches; keep is told of each batch that is in.
func (d *documentImport) read(ctx context.Context, in io.Reader, name string, at int64, keep func(importState) error) error {
	r := bufio.NewReaderSize(in, 1<<20)
	var batch []pending
	size := 0
	docs := int64(0)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := d.send(ctx, batch); err != nil {
			return err
		}
		docs += int64(len(batch))
		d.progress.add(int64(len(batch)))
		batch, size = batch[:0], 0
		return keep(importState{Bytes: at, Docs: docs})
	}
	for {
		line, n, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		start := at
		at += n
		if len(line) > 0 {
			p, used, perr := d.document(r, line, name, start)
			if perr != nil {
				return fmt.Errorf("byte %d: %w", start, perr)
			}
			at += used
			batch = append(batch, p)
			size += len(p.action) + len(p.doc)
		}
		if len(batch) >= d.batchDocs || size >= d.batchBytes || err != nil {
			if ferr := flush(); ferr != nil {
				return ferr
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readLine reads a line without its end; n counts the end.
func readLine(r *bufio.Reader) (line []byte, n int64, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		n += int64(len(part))
		if len(line) > importLine {
			return nil, n, fmt.Errorf("a line is longer than %d bytes", importLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), n, err
		}
	}
}

// document is what a line stands for: a document, or an action of _bulk with the line behind it.
func (d *documentImport) document(r *bufio.Reader, line []byte, name string, at int64) (p pending, used int64, err error) {
	if action, ok := bulkAction(line); ok {
		p = pending{action: line, at: at}
		if d.index != "" {
			if p.action, err = withIndex(line, d.index); err != nil {
				return p, 0, err
			}
		}
		if action == "delete" {
			return p, 0, nil
		}
		doc, n, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) || len(doc) == 0 {
			return p, n, fmt.Errorf("an action without a document behind it")
		}
		p.doc = doc
		return p, n, nil
	}
	if line[0] != '{' || !json.Valid(line) {
		return p, 0, fmt.Errorf("the line is no JSON object: %.60s", line)
	}
	if d.index == "" {
		return p, 0, usage("documents need --index")
	}
	meta := map[string]string{"_index": d.index}
	if !d.newIDs {
		meta["_id"] = placeID(name, at)
	}
	return pending{action: mustJSON(map[string]any{"create": meta}), doc: line, at: at}, 0, nil
}

// placeID is an id made of a document's place.
func placeID(name string, at int64) string {
	h := xxh3.HashString128(fmt.Sprintf("%s\x00%d", name, at)).Bytes()
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// bulkAction tells whether a line is an action of _bulk: one key, an action's name, with an object of metadata.
func bulkAction(line []byte) (string, bool) {
	var m map[string]json.RawMessage
	if len(line) > 4<<10 || json.Unmarshal(line, &m) != nil || len(m) != 1 {
		return "", false
	}
	for k, v := range m {
		var meta map[string]any
		if (k == "index" || k == "create" || k == "delete" || k == "update") && json.Unmarshal(v, &meta) == nil {
			for f := range meta {
				if f[0] != '_' && f != "routing" && f != "version" && f != "version_type" && f != "pipeline" && f != "if_seq_no" && f != "if_primary_term" && f != "require_alias" && f != "retry_on_conflict" {
					return "", false
				}
			}
			return k, true
		}
	}
	return "", false
}

// withIndex sends an action elsewhere.
func withIndex(line []byte, index string) ([]byte, error) {
	var m map[string]map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, err
	}
	for _, meta := range m {
		meta["_index"] = index
	}
	return json.Marshal(m)
}

// send writes a batch; what the server is too busy for is sent again, what it refuses is put aside.
func (d *documentImport) send(ctx context.Context, batch []pending) error {
	path := "/_bulk?filter_path=items.*.status,items.*.error"
	if d.pipeline != "" {
		path += "&pipeline=" + escapePath(d.pipeline)
	}
	for wait := time.Second; len(batch) > 0; wait = min(2*wait, 30*time.Second) {
		var body []byte
		for _, p := range batch {
			body = append(append(body, p.action...), '\n')
			if p.doc != nil {
				body = append(append(body, p.doc...), '\n')
			}
		}
		b, err := d.call(ctx, "POST", path, body, "application/x-ndjson")
		if err != nil && !busyAnswer(err) {
			return err
		}
		if err == nil {
			if batch, err = d.settle(batch, b); err != nil {
				return err
			}
			if len(batch) == 0 {
				return nil
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return &exitError{exitInterrupted, nil}
		}
	}
	return nil
}

// settle reads the answer to a batch and gives what is to be sent again.
func (d *documentImport) settle(batch []pending, answer []byte) (again []pending, err error) {
	var resp struct {
		Items []map[string]struct {
			Status int             `json:"status"`
			Error  json.RawMessage `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(answer, &resp); err != nil || len(resp.Items) != len(batch) {
		return nil, fmt.Errorf("the server's answer is not what this command knows: %.200s", answer)
	}
	for i, item := range resp.Items {
		for action, it := range item {
			switch {
			case it.Status < 300, it.Status == 409 && action == "create", it.Status == 404 && action == "delete":
			case it.Status == 429 || it.Status >= 500:
				again = append(again, batch[i])
			default:
				if err := d.reject(&batch[i], it.Error); err != nil {
					return nil, err
				}
			}
		}
	}
	return again, nil
}

// rejectsFile is where refused documents go.
const rejectsFile = "import-rejected.ndjson"

func (d *documentImport) reject(p *pending, why json.RawMessage) error {
	if d.rejects == nil {
		var err error
		if d.rejects, err = os.OpenFile(rejectsFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
			return err
		}
	}
	d.rejected++
	doc := p.doc
	if doc == nil {
		doc = []byte("null")
	}
	_, err := fmt.Fprintf(d.rejects, `{"at":%d,"error":%s,"action":%s,"document":%s}`+"\n", p.at, why, p.action, doc)
	return err
}
