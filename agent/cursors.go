package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/vfs"
)

// Bounds of the file cursors.
const (
	maxCursors    = 1024
	maxCursorFile = maxCursors * (2*input.MaxCursor + 1024)
)

// cursors are the places of inputs that know their own way back (journald): one JSON object in the file cursors, written whole.
type cursors struct {
	fs   vfs.FS
	name string

	mu    sync.Mutex // guards what follows
	m     map[string][]byte
	dirty bool
}

func openCursors(fsys vfs.FS, dir string) (*cursors, error) {
	c := &cursors{fs: fsys, name: filepath.Join(dir, "cursors"), m: map[string][]byte{}}
	f, err := fsys.Open(c.name)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open cursors: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxCursorFile))
	if err == nil {
		err = json.Unmarshal(b, &c.m)
	}
	if err != nil {
		return nil, fmt.Errorf("read cursors %s: %w", c.name, err)
	}
	return c, nil
}

func (c *cursors) get(name string) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.m[name])
}

func (c *cursors) set(name string, value []byte) {
	if len(value) > input.MaxCursor {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.m[name]; ok || len(c.m) < maxCursors {
		c.m[name] = bytes.Clone(value)
		c.dirty = true
	}
}

// flush writes the file when something changed.
func (c *cursors) flush() error {
	c.mu.Lock()
	if !c.dirty {
		c.mu.Unlock()
		return nil
	}
	b, err := json.Marshal(c.m)
	c.dirty = false
	c.mu.Unlock()
	if err == nil {
		err = vfs.WriteFileAtomic(c.fs, c.name, b)
	}
	if err != nil {
		c.mu.Lock()
		c.dirty = true
		c.mu.Unlock()
		return fmt.Errorf("write cursors: %w", err)
	}
	return nil
}

// run writes the file now and then until ctx ends.
func (c *cursors) run(ctx context.Context, every time.Duration, log *slog.Logger) {
	var told time.Time
	for sleep(ctx, max(every, 10*time.Millisecond)) {
		if err := c.flush(); err != nil && time.Since(told) > complainEvery {
			told = time.Now()
			log.Error("cursors not written, a kill now repeats more", "error", err)
		}
	}
}
