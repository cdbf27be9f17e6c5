package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// watcher reads the kernel's reports on directories. A report on a known file wakes its lane at once; names that came or went are the
// keeper's.
type watcher struct {
	pending
	a   *Agent
	f   *os.File
	fd  int
	wds map[int32]*dir // guarded by Agent.mu

	cookie uint32 // of the last name a file was renamed from
	from   string
}

// watchMask is what is asked of a directory.
const watchMask = unix.IN_CREATE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_MODIFY | unix.IN_DELETE | unix.IN_ATTRIB |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// watchBuffer is how many bytes of reports are fetched at once.
const watchBuffer = 64 << 10

// blind are file systems that do not report what other machines change.
var blind = [...]int64{
	0x6969,     // NFS
	0xff534d42, // CIFS
	0xfe534d42, // SMB2
	0x65735546, // FUSE
	0x01021997, // 9p
	0x00c36400, // Ceph
}

func newWatcher(a *Agent) (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch directories: %w", os.NewSyscallError("inotify_init1", err))
	}
	return &watcher{a: a, fd: fd, f: os.NewFile(uintptr(fd), "inotify"), wds: map[int32]*dir{}}, nil
}

// add watches d, whose changes are reported from here on; false means that it must be polled. The caller has Agent.mu.
func (w *watcher) add(d *dir) bool {
	var st unix.Statfs_t
	if unix.Statfs(d.path, &st) == nil && slices.Contains(blind[:], int64(uint32(st.Type))) {
		return false
	}
	wd, err := unix.InotifyAddWatch(w.fd, d.path, watchMask)
	if err != nil {
		if errors.Is(err, unix.ENOSPC) {
			w.a.log.Warn("no directory watches left, polling", "path", d.path, "raise", "fs.inotify.max_user_watches")
		}
		return false
	}
	w.wds[int32(wd)] = d
	return true
}

// run takes reports until ctx ends.
func (w *watcher) run(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { w.f.Close() })
	defer stop()
	buf := make([]byte, watchBuffer)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			if ctx.Err() == nil {
				w.a.log.Error("directory watch ended, only rescans find changes", "error", err)
			}
			return
		}
		if w.reports(buf[:n]) {
			w.a.poke()
		}
		if !sleep(ctx, w.a.cfg.timing.drain) {
			return
		}
	}
}

// reports takes a buffer of reports apart, and says whether the keeper has something to do.
func (w *watcher) reports(b []byte) (poke bool) {
	w.a.mu.Lock()
	defer w.a.mu.Unlock()
	for len(b) >= unix.SizeofInotifyEvent {
		wd := int32(binary.NativeEndian.Uint32(b[unsafe.Offsetof(unix.InotifyEvent{}.Wd):]))
		mask := binary.NativeEndian.Uint32(b[unsafe.Offsetof(unix.InotifyEvent{}.Mask):])
		cookie := binary.NativeEndian.Uint32(b[unsafe.Offsetof(unix.InotifyEvent{}.Cookie):])
		size := int(binary.NativeEndian.Uint32(b[unsafe.Offsetof(unix.InotifyEvent{}.Len):]))
		b = b[unix.SizeofInotifyEvent:]
		if size > len(b) {
			return poke
		}
		name := b[:size]
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		b = b[size:]
		poke = w.reportLocked(wd, mask, cookie, name) || poke
	}
	return poke
}

// grewLocked wakes the source of a name.
func (d *dir) grewLocked(name string) {
	if s := d.files[name]; s != nil {
		s.atEOF = false
		s.chain.lane.wake(s)
	}
}

func (w *watcher) reportLocked(wd int32, mask, cookie uint32, name []byte) (poke bool) {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		w.a.stats.overflows.Add(1)
		w.noteAll()
		return true
	}
	d := w.wds[wd]
	if d == nil {
		return false
	}
	switch {
	case mask&unix.IN_IGNORED != 0:
		delete(w.wds, wd)
		d.watched = false
		d.next = time.Time{}
		w.noteTree()
		return true
	case mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF) != 0, mask&unix.IN_ISDIR != 0 && mask&^(unix.IN_ISDIR|unix.IN_ATTRIB) != 0:
		w.noteTree()
		return true
	case mask&unix.IN_MODIFY != 0:
		d.grewLocked(string(name))
		for _, l := range d.links[string(name)] {
			l.d.grewLocked(l.name)
		}
		return false
	case len(name) == 0:
		return false
	}
	for _, l := range d.links[string(name)] {
		w.note(l.d, l.name, "")
	}
	w.note(d, string(name), w.renamed(d, mask, cookie, string(name)))
	return true
}

// renamed pairs the two reports of a rename, which follow each other, and returns the path the file had at first.
func (w *watcher) renamed(d *dir, mask, cookie uint32, name string) (from string) {
	switch {
	case mask&unix.IN_MOVED_FROM != 0:
		w.cookie, w.from = cookie, w.origin(d, name)
	case mask&unix.IN_MOVED_TO != 0 && cookie == w.cookie:
		from = w.from
	}
	return from
}
