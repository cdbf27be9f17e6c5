package input

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var fileOptions = []plugin.Option{
	{Name: "path", Kind: plugin.Array, Required: true, Doc: "Files to read, as absolute paths or globs; ** stands for any folders."},
	{Name: "exclude", Kind: plugin.Array, Doc: "Names of files to leave out, as globs."},
	{Name: "mode", Enum: []string{"tail", "read"}, Default: "tail", Doc: "Whether files grow, or are whole."},
	{Name: "start_position", Enum: []string{"beginning", "end"}, Default: "end", Doc: "Where a file not seen before is begun, in mode tail."},
	{Name: "sincedb_path", Doc: "File that remembers how far files were read; /dev/null remembers nothing."},
	{Name: "stat_interval", Kind: plugin.Number, Default: "1", Doc: "Seconds between looks at the files."},
	{Name: "discover_interval", Kind: plugin.Number, Default: "15", Doc: "Looks at the files between looks for new ones."},
	{Name: "exit_after_read", Kind: plugin.Boolean, Default: "false", Doc: "In mode read: whether the input ends when all files are read."},
	{Name: "ignore_older", Kind: plugin.Number, Doc: "Seconds after the last change from which a file is not begun."},
	{Name: "max_open_files", Kind: plugin.Number, Default: "4095", Doc: "Most files read at once."},
	{Name: "delimiter", Enum: []string{"\n", `\n`}, Default: "\n", Doc: "What ends a line."},
	{Name: "file_completed_action", Enum: []string{"log", "delete", "log_and_delete"}, Default: "log", Doc: "In mode read: only log is known; files are never deleted."},
	{Name: "file_completed_log_path", Unread: "files that were read are in the log"},
	{Name: "check_archive_validity", Kind: plugin.Boolean, Unread: "archives are not read"},
	{Name: "close_older", Unread: "files are closed when they are gone"}, {Name: "sincedb_write_interval", Unread: "positions are written once a second"},
	{Name: "sincedb_clean_after", Unread: "files that are gone are forgotten after 30 days"}, {Name: "file_chunk_count", Kind: plugin.Number, Unread: "files take turns"},
	{Name: "file_chunk_size", Kind: plugin.Number, Unread: "files take turns"}, {Name: "file_sort_by", Unread: "files are read by name"},
	{Name: "file_sort_direction", Unread: "files are read by name"},
}

// File reads files line by line and remembers how far their lines were settled: a restart begins there. Each incarnation of a file
// is a source of the ledger, so a store that keeps ranges with its documents drops what is read twice.
type File struct {
	paths, exclude []string
	read, exit     bool
	fromStart      bool
	every          time.Duration
	discover       int
	ignore         time.Duration
	maxOpen        int
	c              codec.Codec
	env            *Env
	db             *sincedb
	open           map[string]*tailed
	ecs            bool
}

func newFile(a *plugin.Args, env *Env, c codec.Codec) Input {
	f := &File{paths: a.Strings("path"), exclude: a.Strings("exclude"), read: a.String("mode") == "read", exit: a.Bool("exit_after_read"),
		fromStart: a.String("start_position") == "beginning", every: a.Seconds("stat_interval"), discover: max(1, a.Int("discover_interval")),
		ignore: a.Seconds("ignore_older"), maxOpen: a.Int("max_open_files"), c: c, env: env, open: make(map[string]*tailed), ecs: a.ECS(&env.Env)}
	for _, t := range a.Texts("path") {
		if !filepath.IsAbs(t.Text) {
			a.FailAt(t.Pos, "", "path %q is not absolute", t.Text)
		}
		if _, err := filepath.Match(strings.ReplaceAll(t.Text, "**", "*"), ""); err != nil {
			a.FailAt(t.Pos, "", "path %q: %v", t.Text, err)
		}
	}
	if strings.Contains(a.String("file_completed_action"), "delete") {
		a.Fail("file_completed_action", `write "log"`, "files are never deleted")
	}
	if f.every < 10*time.Millisecond {
		a.Fail("stat_interval", "", "stat_interval is below 0.01 seconds")
	}
	path := a.String("sincedb_path")
	if path == "" && env.Data != "" {
		path = filepath.Join(env.Data, "sincedb", fileName(f.paths))
	}
	if path == "" {
		a.Warn("path", "write sincedb_path", "positions in the files are forgotten when the process ends")
	}
	if path == "/dev/null" {
		path = ""
	}
	f.db = &sincedb{path: path, log: env.Log}
	return f
}

// Run looks at the files again and again.
func (f *File) Run(ctx context.Context, emit func(Chunk) error) error {
	if err := f.db.load(); err != nil {
		return err
	}
	defer f.closeAll()
	first := true
	for round := 0; ; round++ {
		if round%f.discover == 0 {
			if err := f.look(first); err != nil {
				return err
			}
			first = false
		}
		more, err := f.turn(ctx, emit)
		if err != nil || ctx.Err() != nil {
			return err
		}
		f.db.save(false)
		if f.read && f.exit && !more && round%f.discover == 0 {
			return f.finish(ctx, emit)
		}
		if !more && !wait(ctx, f.every) {
			return nil
		}
	}
}

// look begins files that match and are not open.
func (f *File) look(first bool) error {
	var names []string
	for _, p := range f.paths {
		l, err := expand(p)
		if err != nil {
			return fmt.Errorf("path %s: %w", p, err)
		}
		names = append(names, l...)
	}
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if f.open[n] != nil || len(f.open) >= f.maxOpen || f.excluded(n) {
			continue
		}
		if err := f.begin(n, first); err != nil && !errors.Is(err, fs.ErrNotExist) {
			f.env.Log.Warn("file cannot be read", "path", n, "err", err)
		}
	}
	return nil
}

func (f *File) excluded(name string) bool {
	return slices.ContainsFunc(f.exclude, func(x string) bool {
		ok, _ := filepath.Match(x, filepath.Base(name))
		return ok
	})
}

// begin opens a file where it was left, or where start_position says. Files that appear later are read whole.
func (f *File) begin(name string, first bool) error {
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() {
		return err
	}
	t, err := openTailed(name, f.c)
	if err != nil {
		return err
	}
	e, known := f.db.find(name, t.f)
	switch {
	case known:
	case f.ignore > 0 && f.env.Now().Sub(st.ModTime()) > f.ignore:
		return t.close()
	case first && !f.read && !f.fromStart:
		e = f.db.add(name, t.f, ledger.NewSource(f.env.Now()), st.Size())
	default:
		e = f.db.add(name, t.f, ledger.NewSource(f.env.Now()), 0)
	}
	f.open[name] = t
	return t.seek(e)
}

// turn reads some of each file; more says that a file has more.
func (f *File) turn(ctx context.Context, emit func(Chunk) error) (more bool, err error) {
	for _, name := range sortedKeys(f.open) {
		t := f.open[name]
		recs, err := t.lines(f.env.Now())
		if err != nil {
			f.env.Log.Warn("file cannot be read", "path", name, "err", err)
		}
		if len(recs) > 0 {
			if emit(Chunk{Records: recs}) != nil {
				return false, nil
			}
			more = true
			continue
		}
		err = f.changed(name, t, func() error { return emit(Chunk{Records: t.rest(f.env.Now())}) })
		if err != nil && ctx.Err() == nil {
			f.env.Log.Warn("file cannot be read", "path", name, "err", err)
		}
		if ctx.Err() != nil {
			return false, nil
		}
	}
	return more, nil
}

// changed looks whether a file that was read to its end was rotated, cut or removed. A file that is gone is read to its end first,
// rest emits its last line when that has no end.
func (f *File) changed(name string, t *tailed, rest func() error) error {
	now, err := os.Stat(name)
	was, err2 := t.f.Stat() // behind the look at the name: nobody writes to a file that was rotated before
	if err2 != nil {
		return err2
	}
	switch {
	case err == nil && os.SameFile(now, was) && now.Size() >= t.read:
		return nil
	case err == nil && os.SameFile(now, was):
		f.env.Log.Info("file was cut", "path", name, "was", t.read, "is", now.Size())
		t.reset()
		return t.seek(f.db.add(name, t.f, ledger.NewSource(f.env.Now()), 0))
	}
	if was.Size() > t.read {
		return nil // written to after the last look
	}
	if len(t.partial) > 0 || t.joiner != nil {
		if err := rest(); err != nil {
			return err
		}
	}
	delete(f.open, name)
	if err := t.close(); err != nil {
		return err
	}
	if err == nil { // another file has the name
		f.db.forget(name)
		return f.begin(name, false)
	}
	return nil
}

// finish emits lines without an end when everything was read.
func (f *File) finish(_ context.Context, emit func(Chunk) error) error {
	for _, name := range sortedKeys(f.open) {
		if recs := f.open[name].rest(f.env.Now()); len(recs) > 0 {
			if emit(Chunk{Records: recs}) != nil {
				return nil
			}
		}
	}
	return nil
}

func sortedKeys(m map[string]*tailed) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (f *File) closeAll() {
	for _, t := range f.open {
		t.close()
	}
}

// Settled notes that records are where they belong. Any goroutine may call it.
func (f *File) Settled(recs []queue.Record) {
	for i := range recs {
		f.db.settled(&recs[i])
	}
}

// Close writes the positions down.
func (f *File) Close() error { return f.db.save(true) }

var (
	filePath   = event.MustPath("[log][file][path]")
	legacyPath = event.MustPath("path")
)

// Decorate sets the path of the file.
func (f *File) Decorate(e *event.Event, r *queue.Record) {
	p := legacyPath
	if f.ecs {
		p = filePath
	}
	if !e.Has(p) {
		e.Set(p, event.String(string(r.Key)))
	}
}

// expand finds the files of a glob; ** stands for any number of folders.
func expand(pattern string) ([]string, error) {
	head, tail, deep := strings.Cut(pattern, "**")
	if !deep {
		return filepath.Glob(pattern)
	}
	var names []string
	tail = strings.TrimPrefix(tail, "/")
	roots, err := filepath.Glob(strings.TrimSuffix(head, "/"))
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if ok, _ := filepath.Match(tail, filepath.Base(p)); ok {
					names = append(names, p)
				}
			}
			return nil // what cannot be listed is left out
		})
		if err != nil {
			return nil, err
		}
	}
	return names, nil
}
