package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// TempSuffix ends the names of half-written files. Whoever owns a folder may remove them at start.
const TempSuffix = ".tmp"

// filePerm and dirPerm keep data from other users.
const (
	filePerm fs.FileMode = 0o640
	dirPerm  fs.FileMode = 0o750
)

// WriteFileAtomic puts b under name so that after a crash at any instant the name has its old content or b, never a mixture, and
// when it has returned nil, b: write a temporary file in the same folder, sync it, rename it, sync the folder.
func WriteFileAtomic(fsys FS, name string, b []byte) error {
	tmp := name + TempSuffix
	if err := writeSynced(fsys, tmp, b); err != nil {
		return errors.Join(err, removeIfThere(fsys, tmp))
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return errors.Join(err, removeIfThere(fsys, tmp))
	}
	return fsys.SyncDir(filepath.Dir(name))
}

func writeSynced(fsys FS, name string, b []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func removeIfThere(fsys FS, name string) error {
	if err := fsys.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// CreateExtent makes a new empty file, reserves its first bytes and makes its name durable. A file of that name is an error.
// When it fails, the name may or may not be there.
func CreateExtent(fsys FS, name string, reserve int64) (File, error) {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, filePerm)
	if err != nil {
		return nil, err
	}
	err = f.Allocate(0, reserve)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = fsys.SyncDir(filepath.Dir(name))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// MkdirDurable makes dir and its missing parents, each durable before the one below it is made. So where dir exists, all above it are
// durable and only its own name may not be, which this settles too; a parent that may not be opened then counts as settled.
func MkdirDurable(fsys FS, dir string) error {
	dir = filepath.Clean(dir)
	parent := filepath.Dir(dir)
	if parent == dir {
		return nil
	}
	fi, err := fsys.Stat(dir)
	switch {
	case err == nil && !fi.IsDir():
		return fmt.Errorf("make %s: it is not a directory", dir)
	case err == nil:
		if err := fsys.SyncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := MkdirDurable(fsys, parent); err != nil {
		return err
	}
	if err := fsys.MkdirAll(dir, dirPerm); err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}

// ReadFile reads a whole file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, fi.Size())
	n, err := readFullAt(f, b)
	return b[:n], err
}

// readFullAt reads from the file's start until b is full or the file ends.
func readFullAt(f File, b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m, err := f.ReadAt(b[n:], int64(n))
		n += m
		if err != nil {
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			return n, err
		}
	}
	return n, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
