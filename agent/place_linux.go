package agent

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const statMask = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_NLINK | unix.STATX_INO | unix.STATX_SIZE | unix.STATX_MTIME | unix.STATX_BTIME

// statPath asks about the file a path leads to; follow says whether a symbolic link at its end is followed.
func statPath(path string, follow bool) (fileStat, error) {
	flags := unix.AT_STATX_SYNC_AS_STAT
	if !follow {
		flags |= unix.AT_SYMLINK_NOFOLLOW
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, flags, statMask, &st); err != nil {
		return fileStat{}, &os.PathError{Op: "statx", Path: path, Err: err}
	}
	return fromStatx(&st), nil
}

// statFile asks about an open file.
func statFile(f *os.File) (fileStat, error) {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return fileStat{}, &os.PathError{Op: "statx", Path: f.Name(), Err: err}
	}
	return fromStatx(&st), nil
}

func fromStatx(st *unix.Statx_t) fileStat {
	out := fileStat{
		place: place{dev: unix.Mkdev(st.Dev_major, st.Dev_minor), ino: st.Ino},
		size:  int64(st.Size),
		mtime: time.Unix(st.Mtime.Sec, int64(st.Mtime.Nsec)),
		links: uint64(st.Nlink),
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		out.place.btime = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	}
	out.mode = os.FileMode(st.Mode & 0o777)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		out.mode |= os.ModeDir
	case unix.S_IFLNK:
		out.mode |= os.ModeSymlink
	default:
		out.mode |= os.ModeIrregular
	}
	return out
}

// openLog opens a log file for reading without blocking on pipes, following links.
func openLog(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// descriptorLimit raises the soft limit of descriptors to the hard one and returns it.
func descriptorLimit() int {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 1024
	}
	if lim.Cur < lim.Max {
		raised := unix.Rlimit{Cur: lim.Max, Max: lim.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			lim = raised
		}
	}
	return int(min(lim.Cur, 1<<20))
}
