// Package vfs is the seam between the durable parts and the files of the machine.
//
// FS and File are the few operations a log needs, with the two that ordinary file packages leave out: making a file's data
// durable (File.Sync) and making a directory's entries durable (FS.SyncDir). Three kinds exist: OS (the machine's files), Mem
// (memory, which can lose everything not synced, for crash tests) and Fault (wraps another FS and fails at the n-th operation).
//
// Rules that hold for all of them:
//   - a name created, renamed or removed is durable only after SyncDir of its directory;
//   - data is durable only after Sync returned nil, and a File whose Sync failed must never be synced again: the kernel marks the
//     pages clean, a second Sync reports success, and the bytes are not on the disk;
//   - ReadAt, WriteAt and Sync of one File may run at the same time from several goroutines.
package vfs

import (
	"errors"
	"io"
	"io/fs"
	"syscall"
)

// FS opens and names files. Names are paths as in package os. All methods may be called from any goroutine.
type FS interface {
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// Create opens a file for reading and writing, making it or cutting it to nothing.
	Create(name string) (File, error)
	// OpenFile takes the flags of os.OpenFile.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// Rename replaces newname; atomic, durable after SyncDir of the folder.
	Rename(oldname, newname string) error
	// Remove removes a file or an empty directory.
	Remove(name string) error
	// RemoveAll removes a tree; a name that does not exist is no error.
	RemoveAll(name string) error
	// MkdirAll makes a directory and its parents. They are durable after SyncDir of each parent: see MkdirDurable.
	MkdirAll(name string, perm fs.FileMode) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat follows symbolic links.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
	// Lock takes the exclusive lock of the file name, made when missing, and writes the process id into it. When another process
	// (or another holder in this one) has it, the error is a *LockedError. Closing gives the lock back; the file stays.
	Lock(name string) (io.Closer, error)
	// Free tells the bytes an unprivileged process may still write at dir, and the size of that filesystem.
	Free(dir string) (free, total uint64, err error)
	// Map maps a file for reading. The file must not shrink while mapped.
	Map(name string) (Mapping, error)
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Sync makes data and size durable (fdatasync where the system has it). After an error the file is lost: see the package comment.
	Sync() error
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
	// Allocate reserves space for [off, off+n) without changing the file's size, so that a later write inside does not run out of
	// space; it does nothing where the system or the filesystem cannot.
	Allocate(off, n int64) error
	// Forget drops clean cached pages of [off, off+n), so that the next read comes from the device. It is a hint.
	Forget(off, n int64) error
	Name() string
}

// Mapping is a read-only view of a whole file. On OS, touching Bytes after an I/O error of the device raises a memory fault, so
// readers run under debug.SetPanicOnFault.
type Mapping interface {
	Bytes() []byte // valid until Close; nil for an empty file
	Close() error
}

// LockedError tells who holds a lock.
type LockedError struct {
	Name string // the lock file
	PID  int    // the holder's process id, 0 when unknown
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return e.Name + " is locked by another process"
	}
	return e.Name + " is locked by process " + itoa(e.PID)
}

// IsFull reports whether err means that space, quota or inodes are used up.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
