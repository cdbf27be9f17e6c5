package vfs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// Op is a kind of operation that Fault counts.
type Op uint16

// The kinds; they can be ORed in a Rule.
const (
	OpOpen     Op = 1 << iota // opening an existing file
	OpCreate                  // opening that may make a file
	OpRead                    // Read, ReadAt, ReadDir, Map
	OpWrite                   // Write, WriteAt
	OpSync                    // File.Sync
	OpSyncDir                 // FS.SyncDir
	OpTruncate                // File.Truncate
	OpAllocate                // File.Allocate
	OpRename                  // FS.Rename
	OpRemove                  // FS.Remove, FS.RemoveAll
	OpMkdir                   // FS.MkdirAll
	OpStat                    // FS.Stat, File.Stat, FS.Free
	OpLock                    // FS.Lock

	OpAny     Op = 1<<iota - 1
	OpChanges    = OpCreate | OpWrite | OpSync | OpSyncDir | OpTruncate | OpAllocate | OpRename | OpRemove | OpMkdir
)

// ErrInjected is the error of a Rule that names none.
var ErrInjected = errors.New("injected fault")

// Rule makes operations fail.
type Rule struct {
	Op      Op     // kinds it looks at; 0 is OpAny
	Path    string // only names that contain it
	At      int    // fails the At-th operation that matches, from 1
	Forever bool   // and every matching one after it
	Err     error  // nil is ErrInjected
}

// Fault passes operations on to another FS and makes some of them fail. A failed write leaves its first half in the file. A failed
// sync over a Mem loses the unsynced sectors for good, as Linux does.
type Fault struct {
	fs    FS
	mu    sync.Mutex
	rules []Rule
	seen  []int // matches so far, per rule
	count map[Op]int
	fired int
}

// NewFault wraps fsys.
func NewFault(fsys FS, rules ...Rule) *Fault {
	return &Fault{fs: fsys, rules: rules, seen: make([]int, len(rules)), count: map[Op]int{}}
}

// SetRules replaces the rules and starts their counting anew.
func (f *Fault) SetRules(rules ...Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.seen, f.fired = rules, make([]int, len(rules)), 0
}

// Fired is how many operations were made to fail by the present rules.
func (f *Fault) Fired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// Count is how many operations of the kinds in op were asked for so far.
func (f *Fault) Count(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := 0
	for kind, n := range f.count {
		if kind&op != 0 {
			sum += n
		}
	}
	return sum
}

func (f *Fault) check(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count[op]++
	for i, r := range f.rules {
		if r.Op != 0 && r.Op&op == 0 || !strings.Contains(name, r.Path) {
			continue
		}
		f.seen[i]++
		if f.seen[i] != r.At && !(r.Forever && f.seen[i] > r.At) {
			continue
		}
		f.fired++
		err := r.Err
		if err == nil {
			err = ErrInjected
		}
		return &fs.PathError{Op: opNames[op], Path: name, Err: err}
	}
	return nil
}

var opNames = map[Op]string{
	OpOpen: "open", OpCreate: "create", OpRead: "read", OpWrite: "write", OpSync: "fdatasync", OpSyncDir: "syncdir",
	OpTruncate: "truncate", OpAllocate: "fallocate", OpRename: "rename", OpRemove: "remove", OpMkdir: "mkdir", OpStat: "stat",
	OpLock: "lock",
}

func (f *Fault) wrap(file File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return &faultFile{File: file, fault: f}, nil
}

func (f *Fault) Open(name string) (File, error) {
	if err := f.check(OpOpen, name); err != nil {
		return nil, err
	}
	return f.wrap(f.fs.Open(name))
}

func (f *Fault) Create(name string) (File, error) {
	if err := f.check(OpCreate, name); err != nil {
		return nil, err
	}
	return f.wrap(f.fs.Create(name))
}

func (f *Fault) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	op := OpOpen
	if flag&os.O_CREATE != 0 {
		op = OpCreate
	}
	if err := f.check(op, name); err != nil {
		return nil, err
	}
	return f.wrap(f.fs.OpenFile(name, flag, perm))
}

func (f *Fault) Rename(oldname, newname string) error {
	if err := f.check(OpRename, newname); err != nil {
		return err
	}
	return f.fs.Rename(oldname, newname)
}

func (f *Fault) Remove(name string) error {
	if err := f.check(OpRemove, name); err != nil {
		return err
	}
	return f.fs.Remove(name)
}

func (f *Fault) RemoveAll(name string) error {
	if err := f.check(OpRemove, name); err != nil {
		return err
	}
	return f.fs.RemoveAll(name)
}

func (f *Fault) MkdirAll(name string, perm fs.FileMode) error {
	if err := f.check(OpMkdir, name); err != nil {
		return err
	}
	return f.fs.MkdirAll(name, perm)
}

func (f *Fault) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.check(OpRead, name); err != nil {
		return nil, err
	}
	return f.fs.ReadDir(name)
}

func (f *Fault) Stat(name string) (fs.FileInfo, error) {
	if err := f.check(OpStat, name); err != nil {
		return nil, err
	}
	return f.fs.Stat(name)
}

func (f *Fault) SyncDir(dir string) error {
	if err := f.check(OpSyncDir, dir); err != nil {
		return err
	}
	return f.fs.SyncDir(dir)
}

func (f *Fault) Lock(name string) (io.Closer, error) {
	if err := f.check(OpLock, name); err != nil {
		return nil, err
	}
	return f.fs.Lock(name)
}

func (f *Fault) Free(dir string) (free, total uint64, err error) {
	if err := f.check(OpStat, dir); err != nil {
		return 0, 0, err
	}
	return f.fs.Free(dir)
}

func (f *Fault) Map(name string) (Mapping, error) {
	if err := f.check(OpRead, name); err != nil {
		return nil, err
	}
	return f.fs.Map(name)
}

// faultFile is a file whose operations Fault counts.
type faultFile struct {
	File
	fault *Fault
}

func (f *faultFile) Read(b []byte) (int, error) {
	if err := f.fault.check(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.File.Read(b)
}

func (f *faultFile) ReadAt(b []byte, off int64) (int, error) {
	if err := f.fault.check(OpRead, f.Name()); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, off)
}

func (f *faultFile) Write(b []byte) (int, error) {
	if err := f.fault.check(OpWrite, f.Name()); err != nil {
		n, werr := f.File.Write(b[:len(b)/2])
		return n, errors.Join(err, werr)
	}
	return f.File.Write(b)
}

func (f *faultFile) WriteAt(b []byte, off int64) (int, error) {
	if err := f.fault.check(OpWrite, f.Name()); err != nil {
		n, werr := f.File.WriteAt(b[:len(b)/2], off)
		return n, errors.Join(err, werr)
	}
	return f.File.WriteAt(b, off)
}

func (f *faultFile) Sync() error {
	if err := f.fault.check(OpSync, f.Name()); err != nil {
		if l, ok := f.File.(interface{ loseUnsynced() }); ok {
			l.loseUnsynced()
		}
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) Truncate(size int64) error {
	if err := f.fault.check(OpTruncate, f.Name()); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

func (f *faultFile) Allocate(off, n int64) error {
	if err := f.fault.check(OpAllocate, f.Name()); err != nil {
		return err
	}
	return f.File.Allocate(off, n)
}

func (f *faultFile) Stat() (fs.FileInfo, error) {
	if err := f.fault.check(OpStat, f.Name()); err != nil {
		return nil, err
	}
	return f.File.Stat()
}
