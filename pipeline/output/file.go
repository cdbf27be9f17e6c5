package output

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

var fileOptions = []plugin.Option{
	{Name: "path", Required: true, Doc: "File to write; may hold %{field} behind its first folder."},
	{Name: "gzip", Kind: plugin.Boolean, Default: "false", Doc: "Whether what is written is compressed."},
	{Name: "flush_interval", Kind: plugin.Number, Unread: "files are written after every batch"},
	{Name: "create_if_deleted", Kind: plugin.Boolean, Default: "true", Unread: "a file that is gone is made again when it is opened next"},
	{Name: "dir_mode", Default: "0750", Doc: "Permissions of folders that are made."},
	{Name: "file_mode", Default: "0640", Doc: "Permissions of files that are made."},
	{Name: "filename_failure", Default: "_filepath_failures", Doc: "File, in the first folder, of events whose path leads out of it."},
	{Name: "write_behavior", Enum: []string{"append", "overwrite"}, Default: "append", Doc: "What happens to a file that exists."},
	{Name: "stale_cleanup_interval", Kind: plugin.Number, Unread: "the file longest unused is closed when too many are open"},
	{Name: "message_format", Obsolete: "use codec => line { format => ... }"},
}

// openFilesMax is the number of files kept open.
const openFilesMax = 64

// fileRenderer finds the path of an event.
type fileRenderer struct {
	c       codec.Codec
	path    *plugin.Template
	root    string // events may not lead out of it
	failure string
}

func newFile(a *plugin.Args, _ *Env, c codec.Codec) Renderer {
	text := a.String("path")
	r := &fileRenderer{c: c, path: a.Template(plugin.Text{Pos: a.At("path"), Text: text})}
	fixed, _, varies := strings.Cut(text, "%{")
	r.root = filepath.Dir(fixed)
	if strings.HasSuffix(fixed, "/") {
		r.root = filepath.Clean(fixed)
	}
	if varies && (r.root == "/" || r.root == ".") {
		a.Fail("path", `write "/folder/%{field}"`, "the path must begin with a folder without %%{}")
	}
	r.failure = filepath.Join(r.root, a.String("filename_failure"))
	return r
}

func (r *fileRenderer) Render(dst *Buf, e *event.Event) {
	p := r.path.Render(e)
	if !r.path.Const() {
		p = filepath.Clean(p)
		if rel, err := filepath.Rel(r.root, p); err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
			p = r.failure
		}
	}
	put(dst, e, Item{Target: p}, func(b []byte) []byte { return r.c.Encode(b, e) })
}

// fileSink appends to files.
type fileSink struct {
	gzip              bool
	flags             int
	dirMode, fileMode os.FileMode
	files             map[string]*os.File
	order             []string // least recently used first
	opened            map[string]bool
}

func openFiles(a *plugin.Args, _ *Env) (Sink, error) {
	s := &fileSink{gzip: a.Bool("gzip"), files: make(map[string]*os.File), opened: make(map[string]bool)}
	s.flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if a.String("write_behavior") == "overwrite" {
		s.flags |= os.O_TRUNC
	}
	s.dirMode, s.fileMode = mode(a, "dir_mode"), mode(a, "file_mode")
	return s, nil
}

func mode(a *plugin.Args, option string) os.FileMode {
	n, err := strconv.ParseUint(a.String(option), 8, 32)
	if err != nil {
		a.Fail(option, `write it in octal: "0640"`, "%s %q is no mode", option, a.String(option))
	}
	return os.FileMode(n)
}

// Write appends the items, neighbours of one file at once.
func (s *fileSink) Write(_ context.Context, b *Buf) error {
	for i := 0; i < len(b.Items); {
		j := i + 1
		for j < len(b.Items) && b.Items[j].Target == b.Items[i].Target {
			j++
		}
		if err := s.append(b.Items[i].Target, b.Data[b.Items[i].From:b.Items[j-1].To]); err != nil {
			return err
		}
		b.Items = b.Items[:copy(b.Items, b.Items[j:])] // a repeated call begins behind what is written
	}
	return nil
}

func (s *fileSink) append(path string, data []byte) error {
	f, err := s.open(path)
	if err != nil {
		return err
	}
	var w io.Writer = f
	if s.gzip {
		z := gzip.NewWriter(f)
		defer z.Close()
		w = z
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func (s *fileSink) open(path string) (*os.File, error) {
	if f, ok := s.files[path]; ok {
		return f, nil
	}
	if len(s.files) >= openFilesMax {
		s.files[s.order[0]].Close()
		delete(s.files, s.order[0])
		s.order = s.order[1:]
	}
	if err := os.MkdirAll(filepath.Dir(path), s.dirMode); err != nil {
		return nil, fmt.Errorf("make folder of %s: %w", path, err)
	}
	flags := s.flags
	if s.opened[path] {
		flags &^= os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, s.fileMode)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	path = strings.Clone(path)
	if s.flags&os.O_TRUNC != 0 {
		s.opened[path] = true
	}
	s.files[path] = f
	s.order = append(s.order, path)
	return f, nil
}

func (s *fileSink) Close() error {
	var first error
	for p, f := range s.files {
		if err := f.Close(); err != nil && first == nil {
			first = fmt.Errorf("close %s: %w", p, err)
		}
	}
	return first
}
