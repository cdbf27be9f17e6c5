package main

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

func newIndex() *cobra.Command {
	var f elasticFlags
	c := &cobra.Command{
		Use:   "index",
		Short: "List, measure, remove, verify and compact indices; look into segments",
		Example: `  weir index ls 'logs-*'
  weir index stats logs-app-default
  weir index rm old-logs
  weir index compact logs-app-default
  weir index dump data/store/idx/*/0000000000000001.seg`,
	}
	f.add(c)
	c.AddCommand(newIndexLs(&f), newIndexStats(&f), newIndexRm(&f), newIndexCompact(&f), newIndexVerify(), newIndexDump())
	return c
}

// catIndex is a row of _cat/indices.
type catIndex struct {
	Index   string `json:"index"`
	Health  string `json:"health"`
	Status  string `json:"status"`
	Docs    string `json:"docs.count"`
	Deleted string `json:"docs.deleted"`
	Bytes   string `json:"store.size"`
	Created string `json:"creation.date.string"`
}

func newIndexLs(f *elasticFlags) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "ls [PATTERN]", Short: "List indices with their documents and sizes", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/_cat/indices"
			if len(args) > 0 {
				path += "/" + escapePath(args[0])
			}
			var list []catIndex
			if err := f.get(cmd.Context(), path+"?format=json&bytes=b&s=index&expand_wildcards=all&h=index,health,status,docs.count,docs.deleted,store.size,creation.date.string", &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list)
			}
			rows := [][]string{{"INDEX", "HEALTH", "STATUS", "DOCUMENTS", "DELETED", "SIZE", "MADE"}}
			for _, i := range list {
				rows = append(rows, []string{i.Index, i.Health, i.Status, i.Docs, i.Deleted, sizeText(i.Bytes), strings.TrimSuffix(strings.Replace(i.Created, "T", " ", 1), ".000Z")})
			}
			return table(cmd.OutOrStdout(), rows)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// sizeText is a number of bytes, as text, for people.
func sizeText(s string) string {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return "-"
	}
	return bytesText(n)
}

func newIndexStats(f *elasticFlags) *cobra.Command {
	return &cobra.Command{
		Use: "stats [INDEX]", Short: "Print the counters of indices as JSON", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/_stats"
			if len(args) > 0 {
				path = "/" + escapePath(args[0]) + path
			}
			var v any
			if err := f.get(cmd.Context(), path, &v); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), v)
		},
	}
}

func newIndexRm(f *elasticFlags) *cobra.Command {
	var yes, stream bool
	c := &cobra.Command{
		Use: "rm INDEX...", Short: "Delete indices, or data streams with --stream", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range args {
				if strings.ContainsAny(a, "*,") && !yes {
					return usage("%q names many: add --yes to delete them all", a)
				}
			}
			for _, a := range args {
				path := "/" + escapePath(a)
				if stream {
					path = "/_data_stream" + path
				}
				if _, err := f.call(cmd.Context(), "DELETE", path, nil, ""); err != nil {
					return fmt.Errorf("delete %s: %w", a, err)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s deleted\n", a)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "delete what patterns name")
	c.Flags().BoolVar(&stream, "stream", false, "the names are data streams")
	return c
}

func newIndexCompact(f *elasticFlags) *cobra.Command {
	var segments int
	c := &cobra.Command{
		Use: "compact INDEX...", Short: "Merge the segments of indices and drop deleted documents", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, a := range args {
				before, err := f.bytes(cmd, a)
				if err != nil {
					return err
				}
				began := time.Now()
				if _, err := f.call(cmd.Context(), "POST", "/"+escapePath(a)+"/_forcemerge?max_num_segments="+strconv.Itoa(segments), nil, ""); err != nil {
					return fmt.Errorf("compact %s: %w", a, err)
				}
				after, err := f.bytes(cmd, a)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: %s -> %s in %s\n", a, bytesText(before), bytesText(after), time.Since(began).Round(time.Millisecond))
			}
			return nil
		},
	}
	c.Flags().IntVar(&segments, "segments", 1, "segments at most, per index")
	return c
}

// bytes is the size of what an expression names.
func (f *elasticFlags) bytes(cmd *cobra.Command, expr string) (int64, error) {
	var st struct {
		All struct {
			Primaries struct {
				Store struct {
					Bytes int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"primaries"`
		} `json:"_all"`
	}
	err := f.get(cmd.Context(), "/"+escapePath(expr)+"/_stats", &st)
	return st.All.Primaries.Store.Bytes, err
}

func newIndexVerify() *cobra.Command {
	var f dataFlags
	c := &cobra.Command{
		Use: "verify", Short: "Check every page and every document of every segment; no weir may run on the folder", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.locked(func(dir string) error {
				return verifySegments(cmd.OutOrStdout(), filepath.Join(dir, "store", "idx"), f.json)
			})
		},
	}
	f.add(c)
	return c
}

// verifySegments checks the segments below a folder.
func verifySegments(w io.Writer, root string, asJSON bool) error {
	all := []checked{}
	bad := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".seg") {
			return err
		}
		one := checked{Kind: "segment", Path: path}
		if info, err := d.Info(); err == nil {
			one.Bytes = info.Size()
		}
		if err := segment.Verify(vfs.OS(), path); err != nil {
			one.Bad = []string{err.Error()}
			bad++
			if !asJSON {
				fmt.Fprintf(w, "BAD   %s: %v\n", path, err)
			}
		}
		all = append(all, one)
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(w, all)
	} else {
		fmt.Fprintf(w, "%d segments: %d damaged\n", len(all), bad)
	}
	if err == nil && bad > 0 {
		err = &exitError{exitFailed, fmt.Errorf("%d of %d segments are damaged", bad, len(all))}
	}
	return err
}

func newIndexDump() *cobra.Command {
	var docs, asJSON bool
	c := &cobra.Command{
		Use: "dump FILE.seg...", Short: "Tell what segment files hold, by section and field, or their documents", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, path := range args {
				if docs {
					if err := dumpDocuments(cmd.OutOrStdout(), path); err != nil {
						return err
					}
					continue
				}
				d, err := segment.Describe(vfs.OS(), path)
				if err != nil {
					return err
				}
				if asJSON {
					err = printJSON(cmd.OutOrStdout(), d)
				} else {
					err = dumpSegment(cmd.OutOrStdout(), path, &d)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&docs, "docs", false, "print the documents, deleted ones included, as NDJSON")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func dumpSegment(w io.Writer, path string, d *segment.Description) error {
	fmt.Fprintf(w, "%s\nindex %x  segment %d  level %d  written %s\n", path, d.Header.Index, d.Header.ID, d.Header.Level, time.UnixMilli(d.Header.Created).Format(time.RFC3339))
	perDoc := 0.0
	if d.Header.Rows > 0 {
		perDoc = float64(d.Bytes) / float64(d.Header.Rows)
	}
	fmt.Fprintf(w, "%d documents  %s  %.1f B each  sequence numbers %d to %d", d.Header.Rows, bytesText(d.Bytes), perDoc, d.Meta.MinSeq, d.Meta.MaxSeq)
	if d.Meta.Timed {
		fmt.Fprintf(w, "  %s to %s", time.Unix(0, d.Meta.MinTime).UTC().Format(time.RFC3339), time.Unix(0, d.Meta.MaxTime).UTC().Format(time.RFC3339))
	}
	fmt.Fprintln(w)
	kinds := map[string]uint64{}
	rows := [][]string{{"SECTION", "BYTES", "SHARE"}}
	var order []string
	for _, s := range d.Sections {
		if _, ok := kinds[s.Kind]; !ok {
			order = append(order, s.Kind)
		}
		kinds[s.Kind] += s.Bytes
	}
	for _, k := range order {
		rows = append(rows, []string{k, strconv.FormatUint(kinds[k], 10), fmt.Sprintf("%.1f%%", 100*float64(kinds[k])/float64(max(d.Bytes, 1)))})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	rows = [][]string{{"FIELD", "COLUMN", "DOCUMENTS", "DISTINCT", "BYTES"}}
	for _, f := range d.Fields {
		rows = append(rows, []string{f.Path, f.Column, strconv.Itoa(f.Present), strconv.Itoa(f.Distinct), strconv.FormatUint(f.Bytes, 10)})
	}
	return table(w, rows)
}

func dumpDocuments(w io.Writer, path string) error {
	out := bufio.NewWriter(w)
	err := segment.EachDocument(vfs.OS(), path, func(_ int, _ string, source []byte) error {
		out.Write(source)
		return out.WriteByte('\n')
	})
	if ferr := out.Flush(); err == nil {
		err = ferr
	}
	return err
}
