package vfs

import (
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sectorSize is the unit in which a disk writes: a crash keeps or loses whole sectors, and may tear one.
const sectorSize = 512

// Mem is a file system in memory that knows what is durable. CrashClone returns what a power loss at this moment may leave.
// It is a tool of tests: safe for concurrent use, not fast.
type Mem struct {
	mu    sync.Mutex
	root  *memNode
	limit int64 // bytes that files may hold together; 0 is unbounded
	used  int64
	locks map[string]bool
	now   func() time.Time
}

// memNode is a file or a directory.
type memNode struct {
	dir bool
	mod time.Time

	// Directory: entries as programs see them, as the disk has them, and the steps between the two.
	names   map[string]*memNode
	durable map[string]*memNode
	pending []dirChange

	// File: content as programs see it. disk holds, for each sector that differs or may differ on the disk, what the disk has.
	// lost are sectors of a failed sync: no later sync of the same bytes makes them durable, as on Linux.
	data     []byte
	disk     map[int64][]byte
	diskSize int64
	lost     map[int64]bool
}

// dirChange is one atomic change of a directory: the names to set (nil removes).
type dirChange map[string]*memNode

// NewMem returns an empty file system with the directory "/"; relative names are below it.
func NewMem() *Mem {
	m := &Mem{locks: map[string]bool{}, now: time.Now}
	m.root = m.newDir()
	return m
}

// SetLimit bounds the bytes that all files hold together; past it writes fail with ENOSPC. 0 lifts the bound.
func (m *Mem) SetLimit(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.limit = bytes
}

// SetClock replaces the clock that modification times come from.
func (m *Mem) SetClock(now func() time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

func (m *Mem) newDir() *memNode {
	return &memNode{dir: true, mod: m.now(), names: map[string]*memNode{}, durable: map[string]*memNode{}}
}

func (m *Mem) newFile() *memNode {
	return &memNode{mod: m.now(), disk: map[int64][]byte{}, lost: map[int64]bool{}}
}

func (n *memNode) change(c dirChange) {
	n.pending = append(n.pending, c)
	applyChange(n.names, c)
}

func applyChange(names map[string]*memNode, c dirChange) {
	for name, node := range c {
		if node == nil {
			delete(names, name)
			continue
		}
		names[name] = node
	}
}

func split(name string) []string {
	name = strings.Trim(filepath.ToSlash(filepath.Clean(name)), "/")
	if name == "" || name == "." {
		return nil
	}
	return strings.Split(name, "/")
}

func (m *Mem) walkLocked(parts []string) *memNode {
	n := m.root
	for _, p := range parts {
		if n = n.names[p]; n == nil {
			return nil
		}
	}
	return n
}

// parentLocked finds the directory of name and its last element.
func (m *Mem) parentLocked(op, name string) (*memNode, string, error) {
	parts := split(name)
	if len(parts) == 0 {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	dir := m.walkLocked(parts[:len(parts)-1])
	if dir == nil || !dir.dir {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return dir, parts[len(parts)-1], nil
}

func (m *Mem) Open(name string) (File, error)   { return m.OpenFile(name, os.O_RDONLY, 0) }
func (m *Mem) Create(name string) (File, error) { return m.OpenFile(name, createFlags, filePerm) }

const createFlags = os.O_RDWR | os.O_CREATE | os.O_TRUNC

func (m *Mem) OpenFile(name string, flag int, _ fs.FileMode) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parentLocked("open", name)
	if err != nil {
		return nil, err
	}
	n := dir.names[base]
	switch {
	case n == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case n == nil:
		n = m.newFile()
		dir.change(dirChange{base: n})
	case flag&os.O_EXCL != 0 && flag&os.O_CREATE != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case n.dir:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	case flag&os.O_TRUNC != 0:
		m.truncateLocked(n, 0)
	}
	return &memFile{m: m, n: n, name: name, flag: flag}, nil
}

func (m *Mem) Rename(oldname, newname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, oldBase, err := m.parentLocked("rename", oldname)
	if err != nil {
		return err
	}
	to, newBase, err := m.parentLocked("rename", newname)
	if err != nil {
		return err
	}
	n := from.names[oldBase]
	if n == nil {
		return &fs.PathError{Op: "rename", Path: oldname, Err: fs.ErrNotExist}
	}
	if from == to {
		if oldBase != newBase {
			from.change(dirChange{oldBase: nil, newBase: n})
		}
		return nil
	}
	to.change(dirChange{newBase: n})
	from.change(dirChange{oldBase: nil})
	return nil
}

func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parentLocked("remove", name)
	if err != nil {
		return err
	}
	n := dir.names[base]
	if n == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if n.dir && len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	dir.change(dirChange{base: nil})
	m.used -= n.bytes()
	return nil
}

func (m *Mem) RemoveAll(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir, base, err := m.parentLocked("removeall", name)
	if err != nil || dir.names[base] == nil {
		return nil
	}
	m.used -= dir.names[base].bytes()
	dir.change(dirChange{base: nil})
	return nil
}

// bytes sums the sizes of the files below n.
func (n *memNode) bytes() int64 {
	sum := int64(len(n.data))
	for _, c := range n.names {
		sum += c.bytes()
	}
	return sum
}

func (m *Mem) MkdirAll(name string, _ fs.FileMode) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.root
	for _, p := range split(name) {
		c := n.names[p]
		if c == nil {
			c = m.newDir()
			n.change(dirChange{p: c})
		}
		if !c.dir {
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
		n = c
	}
	return nil
}

func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.walkLocked(split(name))
	if n == nil || !n.dir {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var out []fs.DirEntry
	for base, c := range n.names {
		out = append(out, fs.FileInfoToDirEntry(c.info(base)))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.walkLocked(split(name))
	if n == nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return n.info(filepath.Base(name)), nil
}

func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.walkLocked(split(dir))
	if n == nil || !n.dir {
		return &fs.PathError{Op: "syncdir", Path: dir, Err: fs.ErrNotExist}
	}
	for _, c := range n.pending {
		applyChange(n.durable, c)
	}
	n.pending = nil
	return nil
}

type memLock struct {
	m    *Mem
	name string
}

func (l memLock) Close() error {
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.locks, l.name)
	return nil
}

func (m *Mem) Lock(name string) (io.Closer, error) {
	f, err := m.OpenFile(name, os.O_RDWR|os.O_CREATE, filePerm)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := filepath.Clean(name)
	if m.locks[key] {
		return nil, &LockedError{Name: name, PID: os.Getpid()}
	}
	m.locks[key] = true
	return memLock{m, key}, nil
}

// memSpace is the size that an unbounded Mem claims to have.
const memSpace = 1 << 40

func (m *Mem) Free(string) (free, total uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.limit == 0 {
		return uint64(memSpace - m.used), memSpace, nil
	}
	return uint64(max(0, m.limit-m.used)), uint64(m.limit), nil
}

type memMapping struct{ b []byte }

func (p *memMapping) Bytes() []byte { return p.b }
func (p *memMapping) Close() error  { p.b = nil; return nil }

func (m *Mem) Map(name string) (Mapping, error) {
	b, err := ReadFile(m, name)
	if err != nil {
		return nil, err
	}
	return &memMapping{b}, nil
}

// CrashClone returns the file system as a power loss now may leave it. Everything synced is in it. What is not synced is decided by
// rng: each 512-byte sector is kept, dropped or torn, a size may be there without its data, and each directory keeps a prefix of its
// unsynced changes. A nil rng drops everything that is not synced. m goes on unharmed.
func (m *Mem) CrashClone(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Mem{limit: m.limit, locks: map[string]bool{}, now: m.now}
	c.root = m.root.crash(rng, map[*memNode]*memNode{})
	c.used = c.root.bytes()
	return c
}

func (n *memNode) crash(rng *rand.Rand, done map[*memNode]*memNode) *memNode {
	if c := done[n]; c != nil {
		return c
	}
	c := &memNode{dir: n.dir, mod: n.mod}
	done[n] = c
	if !n.dir {
		c.data = n.crashData(rng)
		c.diskSize = int64(len(c.data))
		c.disk, c.lost = map[int64][]byte{}, map[int64]bool{}
		return c
	}
	left := map[string]*memNode{}
	for name, child := range n.durable {
		left[name] = child
	}
	if rng != nil {
		for _, change := range n.pending[:rng.IntN(len(n.pending)+1)] {
			applyChange(left, change)
		}
	}
	c.names, c.durable = map[string]*memNode{}, map[string]*memNode{}
	for _, name := range sortedNames(left) { // in order, so that a seed repeats
		child := left[name].crash(rng, done)
		c.names[name], c.durable[name] = child, child
	}
	return c
}

func sortedNames(names map[string]*memNode) []string {
	out := make([]string, 0, len(names))
	for name := range names {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (n *memNode) crashData(rng *rand.Rand) []byte {
	size := n.diskSize
	if rng != nil && rng.IntN(2) == 0 {
		size = int64(len(n.data))
	}
	out := make([]byte, size)
	copy(out, n.data)
	for s := int64(0); s*sectorSize < size; s++ {
		old, dirty := n.disk[s]
		if !dirty {
			continue
		}
		at := out[s*sectorSize : min(size, (s+1)*sectorSize)]
		keep := 0
		if rng != nil && !n.lost[s] {
			switch rng.IntN(5) {
			case 0, 1:
				keep = len(at)
			case 2:
				keep = rng.IntN(len(at) + 1)
			}
		}
		copy(at[keep:], old[keep:])
	}
	return out
}
