package vfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestSameOnOSAndMem runs the same steps on both and compares what they say.
func TestSameOnOSAndMem(t *testing.T) {
	t.Parallel()
	osDir := t.TempDir()
	mem := NewMem()
	if err := mem.MkdirAll("/m", 0o750); err != nil {
		t.Fatal(err)
	}
	a := steps(t, OS(), osDir)
	b := steps(t, mem, "/m")
	if !slices.Equal(a, b) {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("step %d: OS says %q, Mem %q", i, a[i], b[i])
			}
		}
		t.Fatalf("%d and %d steps", len(a), len(b))
	}
}

func steps(t *testing.T, fsys FS, dir string) []string {
	var log []string
	say := func(format string, args ...any) { log = append(log, fmt.Sprintf(format, args...)) }
	verdict := func(err error) string {
		switch {
		case err == nil:
			return "ok"
		case errors.Is(err, fs.ErrNotExist):
			return "not there"
		case errors.Is(err, fs.ErrExist):
			return "there"
		case errors.Is(err, fs.ErrClosed):
			return "closed"
		case errors.Is(err, io.EOF):
			return "EOF"
		}
		return "error"
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := fsys.Open(at("a"))
	say("open: %s", verdict(err))
	_, err = fsys.Create(at("no/a"))
	say("create below nothing: %s", verdict(err))
	f, err := fsys.Create(at("a"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := f.Write([]byte("hello"))
	say("write: %d %s", n, verdict(err))
	n, err = f.WriteAt([]byte("X"), 9)
	say("write past the end: %d %s", n, verdict(err))
	b := make([]byte, 20)
	n, err = f.ReadAt(b, 0)
	say("read: %q %s", b[:n], verdict(err))
	n, err = f.ReadAt(b[:3], 1)
	say("read inside: %q %s", b[:n], verdict(err))
	n, err = f.ReadAt(b, 10)
	say("read at the end: %d %s", n, verdict(err))
	n, err = f.Read(b)
	say("read goes on: %q %s", b[:n], verdict(err))
	for _, size := range []int64{3, 600} {
		say("truncate: %s", verdict(f.Truncate(size)))
		fi, err := f.Stat()
		say("size: %d %s", fi.Size(), verdict(err))
		n, err = f.ReadAt(b[:6], 0)
		say("read: %q %s", b[:n], verdict(err))
	}
	say("allocate: %s", verdict(f.Allocate(600, 5000)))
	fi, err := f.Stat()
	say("size: %d %s", fi.Size(), verdict(err))
	say("sync: %s, forget: %s", verdict(f.Sync()), verdict(f.Forget(0, 100)))
	m, err := fsys.Map(at("a"))
	say("map: %d %s", len(m.Bytes()), verdict(err))
	say("unmap: %s", verdict(m.Close()))
	say("close: %s, again: %s", verdict(f.Close()), verdict(f.Close()))
	_, err = fsys.OpenFile(at("a"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	say("exclusive: %s", verdict(err))
	_, err = CreateExtent(fsys, at("a"), 100)
	say("extent over a file: %s", verdict(err))
	say("mkdir: %s", verdict(MkdirDurable(fsys, at("d/e/f"))))
	say("mkdir again: %s", verdict(MkdirDurable(fsys, at("d/e/f"))))
	say("mkdir through a file: %s", verdict(MkdirDurable(fsys, at("a/x"))))
	say("rename: %s", verdict(fsys.Rename(at("a"), at("d/b"))))
	say("rename nothing: %s", verdict(fsys.Rename(at("a"), at("d/b"))))
	say("remove a full directory: %s", verdict(fsys.Remove(at("d"))))
	say("atomic: %s", verdict(WriteFileAtomic(fsys, at("c"), []byte("content"))))
	got, err := ReadFile(fsys, at("c"))
	say("read file: %q %s", got, verdict(err))
	entries, err := fsys.ReadDir(dir)
	for _, e := range entries {
		say("entry %s %v", e.Name(), e.IsDir())
	}
	say("readdir: %s", verdict(err))
	_, err = fsys.Stat(at("d/zzz"))
	say("stat: %s", verdict(err))
	say("remove: %s", verdict(fsys.Remove(at("c"))))
	say("remove nothing: %s", verdict(fsys.Remove(at("c"))))
	say("remove all: %s", verdict(fsys.RemoveAll(at("d"))))
	say("remove all of nothing: %s", verdict(fsys.RemoveAll(at("d"))))
	l, err := fsys.Lock(at("lock"))
	say("lock: %s", verdict(err))
	_, err = fsys.Lock(at("lock"))
	var locked *LockedError
	say("second lock: %v by us %v", errors.As(err, &locked), locked != nil && locked.PID == os.Getpid())
	say("unlock: %s", verdict(l.Close()))
	l, err = fsys.Lock(at("lock"))
	say("lock: %s %s", verdict(err), verdict(l.Close()))
	free, total, err := fsys.Free(dir)
	say("free: %v %s", free > 0 && free <= total, verdict(err))
	return log
}

func write(t testing.TB, f File, b []byte, at int64) {
	t.Helper()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, fsys FS, name string) []byte {
	t.Helper()
	b, err := ReadFile(fsys, name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCrashKeepsWhatIsSynced(t *testing.T) {
	t.Parallel()
	m := NewMem()
	f, err := CreateExtent(m, "/f", 0)
	if err != nil {
		t.Fatal(err)
	}
	old := bytes.Repeat([]byte("o"), 3*sectorSize)
	fresh := bytes.Repeat([]byte("n"), 3*sectorSize)
	write(t, f, old, 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	write(t, f, fresh, sectorSize)
	seen := map[string]int{}
	for seed := range uint64(300) {
		got := content(t, m.CrashClone(rand.New(rand.NewPCG(seed, 0))), "/f")
		if !bytes.Equal(got[:sectorSize], old[:sectorSize]) {
			t.Fatal("a synced sector that was not written changed")
		}
		if n := len(got); n != 3*sectorSize && n != 4*sectorSize {
			t.Fatalf("size %d", n)
		}
		for s := sectorSize; s < len(got); s += sectorSize {
			kinds := bytes.Count(got[s:s+sectorSize], []byte("n"))
			switch kinds {
			case 0:
				seen["dropped"]++
			case sectorSize:
				seen["kept"]++
			default:
				seen["torn"]++
			}
		}
		if len(got) == 4*sectorSize && allZero(got[3*sectorSize:]) {
			seen["size without data"]++
		}
	}
	for _, what := range []string{"dropped", "kept", "torn", "size without data"} {
		if seen[what] == 0 {
			t.Errorf("never %s: %v", what, seen)
		}
	}
	if got := content(t, m.CrashClone(nil), "/f"); !bytes.Equal(got, old) {
		t.Fatal("the hardest crash kept what was not synced")
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		got := content(t, m.CrashClone(rand.New(rand.NewPCG(seed, 0))), "/f")
		if !bytes.Equal(got, append(bytes.Clone(old[:sectorSize]), fresh...)) {
			t.Fatal("a synced write was lost")
		}
	}
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

func TestCrashOfATruncate(t *testing.T) {
	t.Parallel()
	m := NewMem()
	f, err := CreateExtent(m, "/f", 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, bytes.Repeat([]byte("o"), 2000), 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(100); err != nil {
		t.Fatal(err)
	}
	if got := content(t, m.CrashClone(nil), "/f"); !bytes.Equal(got, bytes.Repeat([]byte("o"), 2000)) {
		t.Fatalf("%d bytes, %d of them as they were", len(got), bytes.Count(got, []byte("o")))
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, m.CrashClone(nil), "/f"); len(got) != 100 {
		t.Fatalf("%d bytes after the sync", len(got))
	}
}

func TestCrashOfNames(t *testing.T) {
	t.Parallel()
	m := NewMem()
	if err := WriteFileAtomic(m, "/f", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := writeSynced(m, "/new", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if err := m.Rename("/new", "/f"); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for seed := range uint64(100) {
		c := m.CrashClone(rand.New(rand.NewPCG(seed, 0)))
		seen[string(content(t, c, "/f"))] = true
	}
	if !seen["old"] || !seen["new"] || len(seen) != 2 {
		t.Fatalf("%v", seen)
	}
	if got := content(t, m.CrashClone(nil), "/f"); string(got) != "old" {
		t.Fatalf("%q", got)
	}
	if err := m.SyncDir("/"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, m.CrashClone(nil), "/f"); string(got) != "new" {
		t.Fatalf("%q", got)
	}
	if err := m.Remove("/f"); err != nil {
		t.Fatal(err)
	}
	if got := content(t, m.CrashClone(nil), "/f"); string(got) != "new" {
		t.Fatalf("a removal that was not synced took %q away", got)
	}
}

// TestWriteFileAtomic takes the power away after every operation: the name has its old content or the new one, and the new one once
// the call has returned nil.
func TestWriteFileAtomic(t *testing.T) {
	t.Parallel()
	for _, forever := range []bool{false, true} {
		for n := 1; ; n++ {
			m := NewMem()
			if err := WriteFileAtomic(m, "/f", []byte("old")); err != nil {
				t.Fatal(err)
			}
			fault := NewFault(m, Rule{At: n, Forever: forever})
			err := WriteFileAtomic(fault, "/f", []byte("new content"))
			for seed := range uint64(20) {
				got := string(content(t, m.CrashClone(rand.New(rand.NewPCG(seed, 0))), "/f"))
				if got != "new content" && (got != "old" || err == nil) {
					t.Fatalf("operation %d: %q, error %v", n, got, err)
				}
			}
			if fault.Fired() == 0 {
				if err != nil || n < 4 {
					t.Fatalf("%d operations, %v", n, err)
				}
				break
			}
			if err == nil {
				t.Fatalf("operation %d failed in silence", n)
			}
		}
	}
}

// TestMkdirDurable: whatever failed before, a call that returned nil made the folder durable.
func TestMkdirDurable(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		m := NewMem()
		fault := NewFault(m, Rule{At: n})
		err := MkdirDurable(fault, "/a/b/c")
		fired := fault.Fired() > 0
		if err != nil {
			err = MkdirDurable(fault, "/a/b/c")
		}
		if err != nil {
			t.Fatalf("operation %d: %v", n, err)
		}
		if _, err := m.CrashClone(nil).Stat("/a/b/c"); err != nil {
			t.Fatalf("operation %d: %v", n, err)
		}
		if !fired {
			return
		}
	}
}

// TestFailedSyncLies: as on Linux, the bytes of a failed sync read back, a second sync succeeds, and the disk does not have them.
func TestFailedSyncLies(t *testing.T) {
	t.Parallel()
	m := NewMem()
	fault := NewFault(m, Rule{Op: OpSync, At: 2})
	f, err := CreateExtent(fault, "/f", 0)
	if err != nil {
		t.Fatal(err)
	}
	write(t, f, []byte("data"), 0)
	if err := f.Sync(); !errors.Is(err, ErrInjected) {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, fault, "/f"); string(got) != "data" {
		t.Fatalf("read back %q", got)
	}
	if got := content(t, m.CrashClone(rand.New(rand.NewPCG(1, 1))), "/f"); !allZero(got) {
		t.Fatalf("the disk has %q", got)
	}
	if err := f.Forget(0, 100); err != nil {
		t.Fatal(err)
	}
	if got := content(t, fault, "/f"); !allZero(got) {
		t.Fatalf("after Forget the cache has %q", got)
	}
	write(t, f, []byte("again"), 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, m.CrashClone(nil), "/f"); string(got) != "again" {
		t.Fatalf("the disk has %q", got)
	}
}

func TestFaultRules(t *testing.T) {
	t.Parallel()
	fault := NewFault(NewMem(), Rule{Op: OpWrite, Path: "b", At: 2, Forever: true, Err: fs.ErrPermission})
	a, err := fault.Create("/a")
	if err != nil {
		t.Fatal(err)
	}
	b, err := fault.Create("/b")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, fs.ErrPermission, fs.ErrPermission} {
		if _, err := a.Write([]byte("12345678")); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Write([]byte("12345678")); !errors.Is(err, want) || want != nil && n != 4 {
			t.Fatalf("write %d: %d, %v", i, n, err)
		}
	}
	if fault.Fired() != 2 || fault.Count(OpWrite) != 6 || fault.Count(OpCreate) != 2 || fault.Count(OpAny) != 8 {
		t.Fatalf("fired %d, writes %d, all %d", fault.Fired(), fault.Count(OpWrite), fault.Count(OpAny))
	}
	fault.SetRules()
	if _, err := b.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
}

func TestLimitAndClock(t *testing.T) {
	t.Parallel()
	m := NewMem()
	now := time.Unix(5, 0)
	m.SetClock(func() time.Time { return now })
	m.SetLimit(100)
	f, err := m.Create("/f")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.WriteAt(make([]byte, 150), 0); n != 100 || !IsFull(err) {
		t.Fatal(n, err)
	}
	if err := f.Allocate(0, 101); !IsFull(err) {
		t.Fatal(err)
	}
	if free, total, _ := m.Free("/"); free != 0 || total != 100 {
		t.Fatal(free, total)
	}
	if err := f.Truncate(40); err != nil {
		t.Fatal(err)
	}
	if free, _, _ := m.Free("/"); free != 60 {
		t.Fatal(free)
	}
	if fi, _ := m.Stat("/f"); !fi.ModTime().Equal(now) {
		t.Fatal(fi.ModTime())
	}
	if err := m.Remove("/f"); err != nil {
		t.Fatal(err)
	}
	if free, _, _ := m.Free("/"); free != 100 {
		t.Fatal(free)
	}
}
