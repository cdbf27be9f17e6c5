package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/vfs"
)

// Folder keeps a repository's files below a folder.
type Folder struct {
	fs  vfs.FS
	dir string
}

// NewFolder makes the folder when it is missing.
func NewFolder(fsys vfs.FS, dir string) (*Folder, error) {
	if err := vfs.MkdirDurable(fsys, dir); err != nil {
		return nil, fmt.Errorf("repository folder %s: %w", dir, err)
	}
	return &Folder{fsys, dir}, nil
}

func (f *Folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Put implements Files.
func (f *Folder) Put(_ context.Context, name string, data []byte) error {
	if d := path.Dir(name); d != "." {
		if err := vfs.MkdirDurable(f.fs, f.path(d)); err != nil {
			return err
		}
	}
	return vfs.WriteFileAtomic(f.fs, f.path(name), data)
}

// Get implements Files.
func (f *Folder) Get(_ context.Context, name string) (io.ReadCloser, error) {
	m, err := f.fs.Map(f.path(name))
	if err != nil {
		return nil, err
	}
	return &mapped{bytes.NewReader(m.Bytes()), m}, nil
}

// mapped reads a mapped file.
type mapped struct {
	*bytes.Reader
	m vfs.Mapping
}

func (m *mapped) Close() error { return m.m.Close() }

// List implements Files.
func (f *Folder) List(_ context.Context, prefix string) ([]string, error) {
	var out []string
	base := ""
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		base = prefix[:i]
	}
	var walk func(dir string) error
	walk = func(dir string) error {
		list, err := f.fs.ReadDir(f.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, e := range list {
			name := path.Join(dir, e.Name())
			if e.IsDir() {
				if strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(prefix, name+"/") {
					if err := walk(name); err != nil {
						return err
					}
				}
				continue
			}
			if strings.HasPrefix(name, prefix) && !strings.HasSuffix(name, vfs.TempSuffix) {
				out = append(out, name)
			}
		}
		return nil
	}
	if err := walk(base); err != nil {
		return nil, err
	}
	slices.Sort(out)
	return out, nil
}

// Remove implements Files.
func (f *Folder) Remove(_ context.Context, names ...string) error {
	for _, n := range names {
		if err := f.fs.Remove(f.path(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
