package output

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/weirlog/weir/queue"
)

// FileConfig is where events go as lines of JSON.
type FileConfig struct {
	// Path is the folder; it is made.
	Path string
	// Filename begins the names: filebeat-20261122.ndjson, filebeat-20261122-1.ndjson ...
	Filename string
	// RotateEvery is the size in bytes after which the next file is begun.
	RotateEvery int64
	// Files is how many are kept, the one being written included.
	Files int
	// Permissions of new files.
	Permissions fs.FileMode
	// RotateOnStartup begins a new file at every start; else the newest is continued.
	RotateOnStartup bool
}

// DefaultFile lacks the path.
func DefaultFile() FileConfig {
	return FileConfig{Filename: "filebeat", RotateEvery: 10 << 20, Files: 7, Permissions: 0o600, RotateOnStartup: true}
}

// Validate returns everything that is wrong with c.
func (c *FileConfig) Validate() []error {
	var errs []error
	if c.Path == "" {
		errs = append(errs, errors.New("file: path is missing"))
	}
	if c.Filename == "" || filepath.Base(c.Filename) != c.Filename {
		errs = append(errs, fmt.Errorf("file: filename %q is no name", c.Filename))
	}
	if c.RotateEvery <= 0 {
		errs = append(errs, fmt.Errorf("file: rotate_every_kb %d is not positive", c.RotateEvery>>10))
	}
	if c.Files < 2 || c.Files > 1024 {
		errs = append(errs, fmt.Errorf("file: number_of_files %d is not between 2 and 1024", c.Files))
	}
	return errs
}

// File writes records as lines into files that follow one another. A record is acknowledged when it is written, not when it is synced:
// what a crash of the machine takes with it is the file system's choice.
type File struct {
	cfg   FileConfig
	names *regexp.Regexp
	now   func() time.Time

	mu   sync.Mutex // guards what follows
	f    *os.File
	size int64
	day  string
}

// OpenFile makes the folder and opens the first file.
func OpenFile(cfg FileConfig) (*File, error) { return openFile(cfg, time.Now) }

func openFile(cfg FileConfig, now func() time.Time) (*File, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if err := os.MkdirAll(cfg.Path, 0o755); err != nil {
		return nil, fmt.Errorf("open output.file: %w", err)
	}
	f := &File{cfg: cfg, names: regexp.MustCompile(`^` + regexp.QuoteMeta(cfg.Filename) + `-(\d{8})(?:-(\d+))?\.ndjson$`), now: now}
	if err := f.open(!cfg.RotateOnStartup); err != nil {
		return nil, err
	}
	return f, nil
}

// Produce appends the records as lines.
func (f *File) Produce(_ context.Context, recs []queue.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var buf bytes.Buffer
	for i := range recs {
		buf.Write(recs[i].Value)
		buf.WriteByte('\n')
	}
	err := f.write(buf.Bytes())
	if err == nil {
		return nil
	}
	failed := make([]int, len(recs))
	for i := range failed {
		failed[i] = i
	}
	return &queue.ProduceError{Failed: failed, Err: err}
}

// write appends to the file, or to the next one when it is full or of yesterday. Of a write that failed nothing stays.
func (f *File) write(b []byte) error {
	if f.f == nil || f.size > 0 && f.size+int64(len(b)) > f.cfg.RotateEvery || f.day != f.now().Format("20060102") {
		if err := f.open(false); err != nil {
			return err
		}
	}
	n, err := f.f.Write(b)
	if err != nil {
		err = errors.Join(fmt.Errorf("output.file: %w", err), f.f.Truncate(f.size))
		return err
	}
	f.size += int64(n)
	return nil
}

// written is a file of the output.
type written struct {
	name  string
	day   string
	index int
}

// list are the files of the output, oldest first.
func (f *File) list() ([]written, error) {
	entries, err := os.ReadDir(f.cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("output.file: %w", err)
	}
	var out []written
	for _, e := range entries {
		if m := f.names.FindStringSubmatch(e.Name()); m != nil {
			index, _ := strconv.Atoi(m[2])
			out = append(out, written{e.Name(), m[1], index})
		}
	}
	slices.SortFunc(out, func(a, b written) int {
		if a.day != b.day {
			return int(int64(number(a.day)) - int64(number(b.day)))
		}
		return a.index - b.index
	})
	return out, nil
}

func number(day string) int { n, _ := strconv.Atoi(day); return n }

// open begins the next file, or continues the newest of today, and removes those that are too many.
func (f *File) open(again bool) error {
	list, err := f.list()
	if err != nil {
		return err
	}
	day := f.now().Format("20060102")
	name := f.cfg.Filename + "-" + day + ".ndjson"
	for _, w := range list { // the last of today decides
		if w.day == day && again {
			name = w.name
		} else if w.day == day {
			name = fmt.Sprintf("%s-%s-%d.ndjson", f.cfg.Filename, day, w.index+1)
		}
	}
	next, err := os.OpenFile(filepath.Join(f.cfg.Path, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, f.cfg.Permissions)
	if err != nil {
		return fmt.Errorf("output.file: %w", err)
	}
	st, err := next.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("output.file: %w", err), next.Close())
	}
	if f.f != nil {
		err = f.f.Close()
	}
	f.f, f.size, f.day = next, st.Size(), day
	for i := 0; i < len(list)-f.cfg.Files+1; i++ {
		if list[i].name != name {
			err = errors.Join(err, os.Remove(filepath.Join(f.cfg.Path, list[i].name)))
		}
	}
	return err
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Close()
}
