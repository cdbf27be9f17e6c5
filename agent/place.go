package agent

import (
	"os"
	"time"
)

// place says which file of the machine something is: device and inode, and the birth time in Unix nanoseconds where the file system
// has one (0: unknown), which tells an inode that was given out again.
type place struct {
	dev, ino uint64
	btime    int64
}

// inode is the part of a place that is always known.
type inode struct{ dev, ino uint64 }

func (p place) inode() inode { return inode{p.dev, p.ino} }

// reused reports whether p and o, of the same inode, are different files.
func (p place) reused(o place) bool { return p.btime != 0 && o.btime != 0 && p.btime != o.btime }

// fileStat is what is asked of a file.
type fileStat struct {
	place place
	size  int64
	mtime time.Time
	mode  os.FileMode
	links uint64
}

func (s *fileStat) regular() bool { return s.mode.IsRegular() }
