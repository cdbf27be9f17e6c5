package vfs

import (
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// memFile is one opening of a file of a Mem.
type memFile struct {
	m      *Mem
	n      *memNode
	name   string
	flag   int
	pos    int64
	closed bool
}

func (f *memFile) Name() string { return f.name }

func (f *memFile) errLocked(op string) error {
	if f.closed {
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	}
	return nil
}

func (f *memFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.errLocked("close"); err != nil {
		return err
	}
	f.closed = true
	return nil
}

func (f *memFile) Read(b []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	n, err := f.readLocked(b, f.pos)
	f.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (f *memFile) ReadAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.readLocked(b, off)
}

func (f *memFile) readLocked(b []byte, off int64) (int, error) {
	if err := f.errLocked("read"); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: fs.ErrInvalid}
	}
	if off >= int64(len(f.n.data)) {
		if len(b) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(b, f.n.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(b []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.flag&os.O_APPEND != 0 {
		f.pos = int64(len(f.n.data))
	}
	n, err := f.writeLocked(b, f.pos)
	f.pos += int64(n)
	return n, err
}

func (f *memFile) WriteAt(b []byte, off int64) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	return f.writeLocked(b, off)
}

func (f *memFile) writeLocked(b []byte, off int64) (int, error) {
	if err := f.errLocked("write"); err != nil {
		return 0, err
	}
	if f.flag&(os.O_WRONLY|os.O_RDWR) == 0 || off < 0 {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: syscall.EBADF}
	}
	var full error
	if grow := off + int64(len(b)) - int64(len(f.n.data)); f.m.limit > 0 && grow > 0 && f.m.used+grow > f.m.limit {
		fit := max(0, int64(len(b))-(f.m.used+grow-f.m.limit))
		b, full = b[:fit], &fs.PathError{Op: "write", Path: f.name, Err: syscall.ENOSPC}
	}
	if len(b) > 0 {
		f.m.resizeLocked(f.n, max(int64(len(f.n.data)), off+int64(len(b))))
		f.n.markDirty(off, off+int64(len(b)))
		copy(f.n.data[off:], b)
		f.n.mod = f.m.now()
	}
	return len(b), full
}

// markDirty notes what the disk holds of the sectors touching [from, to) before they change.
func (n *memNode) markDirty(from, to int64) {
	for s := from / sectorSize; s*sectorSize < to; s++ {
		delete(n.lost, s)
		if n.disk[s] != nil {
			continue
		}
		old := make([]byte, sectorSize)
		if at := s * sectorSize; at < int64(len(n.data)) {
			copy(old, n.data[at:])
		}
		n.disk[s] = old
	}
}

// resizeLocked changes the length; bytes that appear are zero.
func (m *Mem) resizeLocked(n *memNode, size int64) {
	m.used += size - int64(len(n.data))
	if size <= int64(len(n.data)) {
		n.data = n.data[:size]
		return
	}
	old := len(n.data)
	if int64(cap(n.data)) < size {
		grown := make([]byte, old, max(size, 2*int64(old)))
		copy(grown, n.data)
		n.data = grown
	}
	n.data = n.data[:size]
	clear(n.data[old:])
}

func (m *Mem) truncateLocked(n *memNode, size int64) {
	n.markDirty(min(size, int64(len(n.data))), max(size, int64(len(n.data))))
	m.resizeLocked(n, size)
	n.mod = m.now()
}

func (f *memFile) Truncate(size int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.errLocked("truncate"); err != nil {
		return err
	}
	if size < 0 {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: fs.ErrInvalid}
	}
	f.m.truncateLocked(f.n, size)
	return nil
}

func (f *memFile) Sync() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.errLocked("fdatasync"); err != nil {
		return err
	}
	for s := range f.n.disk {
		if !f.n.lost[s] {
			delete(f.n.disk, s)
		}
	}
	f.n.diskSize = int64(len(f.n.data))
	return nil
}

// loseUnsynced is what the kernel does at a failed sync: everything counts as written, nothing is. Fault calls it.
func (f *memFile) loseUnsynced() {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	for s := range f.n.disk {
		f.n.lost[s] = true
	}
}

// Forget shows what the disk has in place of sectors that a failed sync lost.
func (f *memFile) Forget(off, n int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	for s := range f.n.lost {
		at := s * sectorSize
		if at+sectorSize <= off || at >= off+n {
			continue
		}
		if at < int64(len(f.n.data)) {
			copy(f.n.data[at:], f.n.disk[s])
		}
		delete(f.n.disk, s)
		delete(f.n.lost, s)
	}
	return nil
}

// Allocate fails when the bytes past the file's end would not fit; the reservation itself is not kept.
func (f *memFile) Allocate(off, n int64) error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.errLocked("fallocate"); err != nil {
		return err
	}
	if grow := off + n - int64(len(f.n.data)); f.m.limit > 0 && grow > 0 && f.m.used+grow > f.m.limit {
		return &fs.PathError{Op: "fallocate", Path: f.name, Err: syscall.ENOSPC}
	}
	return nil
}

func (f *memFile) Stat() (fs.FileInfo, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if err := f.errLocked("stat"); err != nil {
		return nil, err
	}
	return f.n.info(f.name), nil
}

// memInfo is a FileInfo as of the moment it was asked for.
type memInfo struct {
	name string
	size int64
	mod  time.Time
	dir  bool
}

func (n *memNode) info(name string) memInfo {
	return memInfo{name: base(name), size: int64(len(n.data)), mod: n.mod, dir: n.dir}
}

func base(name string) string {
	parts := split(name)
	if len(parts) == 0 {
		return "/"
	}
	return parts[len(parts)-1]
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return i.mod }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | dirPerm
	}
	return filePerm
}
