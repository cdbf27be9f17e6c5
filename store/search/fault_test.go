//go:build unix

package search

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestGuarded reads a mapped page whose file was cut off: the kernel answers with a fault.
func TestGuarded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 8192), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := unix.Mmap(int(f.Fd()), 0, 8192, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(b) }()
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	var sum byte
	if err := guarded(func() { sum += b[5000] }); err == nil {
		t.Error("no error for a page that is gone")
	}
	if err := guarded(func() {}); err != nil {
		t.Error(err)
	}
	want := errors.New("other")
	defer func() {
		if recover() != want {
			t.Error("another panic was swallowed")
		}
	}()
	_ = guarded(func() { panic(want) })
	_ = sum
}
