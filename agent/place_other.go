//go:build !linux

package agent

import (
	"os"
	"syscall"
)

// statPath asks about the file a path leads to; follow says whether a symbolic link at its end is followed.
func statPath(path string, follow bool) (fileStat, error) {
	stat := os.Stat
	if !follow {
		stat = os.Lstat
	}
	fi, err := stat(path)
	if err != nil {
		return fileStat{}, err
	}
	return fromInfo(fi), nil
}

// statFile asks about an open file.
func statFile(f *os.File) (fileStat, error) {
	fi, err := f.Stat()
	if err != nil {
		return fileStat{}, err
	}
	return fromInfo(fi), nil
}

func fromInfo(fi os.FileInfo) fileStat {
	out := fileStat{size: fi.Size(), mtime: fi.ModTime(), mode: fi.Mode(), links: 1}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		out.place = place{dev: uint64(st.Dev), ino: uint64(st.Ino)}
		out.links = uint64(st.Nlink)
	}
	return out
}

// openLog opens a log file for reading without blocking on pipes, following links.
func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// descriptorLimit is a limit every system grants.
func descriptorLimit() int { return 1024 }
