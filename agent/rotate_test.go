package agent

import (
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// numbered are n lines with a prefix, and the text that holds them.
func numbered(prefix string, from, n int) (list []string, text string) {
	var b strings.Builder
	for i := from; i < from+n; i++ {
		line := fmt.Sprintf("%s line %06d", prefix, i)
		list = append(list, line)
		b.WriteString(line + "\n")
	}
	return list, b.String()
}

// bzipped are the lines 0 to 49 of "a" and 0 to 19 of "u", as the program bzip2 compresses them.
const bzipped = "QlpoOTFBWSZTWfa7ossAAWvZgHAQQAB/4CIlAgAwAMbIanqoD/ylTTTQBpqU/8qoBo0NBJqo0A9QA6zWpJve454287qqqqqqqqqq7AABkxVVcA" +
	"ADOJrUk4/W222222qrJIqqqqqq7kgFVVX2CQDszJJpXcu8mTSqVmTSqVmTSqVmTSqWgBaAFoAWUNcj5MkziZkk4kgGhIB8SAWCH4u5IpwoSHtd0WWA"

// zstd compresses a file and removes it.
func (h *harness) zstd(from, to string) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(from))
	if err != nil {
		h.t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err == nil {
		err = os.WriteFile(h.path(to), z.EncodeAll(b, nil), 0o644)
	}
	if err == nil {
		err = os.Remove(h.path(from))
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// bzip2 puts the compressed form of the lines of bzipped in the place of a file.
func (h *harness) bzip2(from, to string) {
	h.t.Helper()
	b, err := base64.StdEncoding.DecodeString(bzipped)
	if err == nil {
		err = os.WriteFile(h.path(to), b, 0o644)
	}
	if err == nil {
		err = os.Remove(h.path(from))
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// compressedWhileDown: what was not read is taken out of the compressed rotation, and nothing of it again.
func compressedWhileDown(name string, compress func(h *harness, from, to string)) func(h *harness) {
	return func(h *harness) {
		h.start()
		a, text := numbered("a", 0, 50)
		h.write("app.log", text)
		h.expect(a...)
		h.stop()
		u, text := numbered("u", 0, 20)
		h.write("app.log", text)
		compress(h, "app.log", name)
		h.write("app.log", "b\n")
		h.start()
		h.expect(append(append(a, u...), "b")...)
		h.stop()
		h.write("app.log", "c\n")
		h.start()
		h.expect(append(append(a, u...), "b", "c")...)
	}
}

// copyFile copies as logrotate's copytruncate does.
func (h *harness) copyFile(from, to string) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(from))
	if err == nil {
		err = os.WriteFile(h.path(to), b, 0o644)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) gzip(from, to string) {
	h.t.Helper()
	b, err := os.ReadFile(h.path(from))
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := os.Create(h.path(to))
	if err != nil {
		h.t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if _, err = z.Write(b); err == nil {
		err = z.Close()
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Remove(h.path(from))
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *harness) truncate(name string) {
	h.t.Helper()
	if err := os.Truncate(h.path(name), 0); err != nil {
		h.t.Fatal(err)
	}
}

func TestRotations(t *testing.T) {
	t.Parallel()
	for _, globs := range [][]string{{"*.log"}, {"*.log*"}} {
		for _, tc := range []struct {
			name string
			run  func(h *harness)
		}{
			{"rename while running", func(h *harness) {
				h.start()
				a, text := numbered("a", 0, 100)
				h.write("app.log", text)
				h.expect(a...)
				h.rename("app.log", "app.log.1")
				b, text := numbered("b", 0, 100)
				h.write("app.log.1", "late\n")
				h.write("app.log", text)
				h.expect(append(append(a, "late"), b...)...)
			}},
			{"rename twice while down", func(h *harness) {
				h.start()
				a, text := numbered("a", 0, 10)
				h.write("app.log", text)
				h.expect(a...)
				h.stop()
				h.write("app.log", "unread a\n")
				h.rename("app.log", "app.log.1")
				h.write("app.log", "b one\nb two\n")
				h.rename("app.log.1", "app.log.2")
				h.rename("app.log", "app.log.1")
				h.write("app.log", "c one\n")
				h.start()
				h.expect(append(a, "unread a", "b one", "b two", "c one")...)
			}},
			{"a rotation that a look missed", func(h *harness) {
				h.start()
				h.write("app.log", "a\n")
				h.expect("a")
				h.stop()
				h.rename("app.log", "app.log.2")
				h.write("app.log", "b one\nb two\n")
				hidden := filepath.Join(h.t.TempDir(), "hidden")
				if err := os.Rename(h.path("app.log"), hidden); err != nil {
					h.t.Fatal(err)
				}
				h.write("app.log", "c\n")
				h.start()
				h.expect("a", "c")
				if err := os.Rename(hidden, h.path("app.log.1")); err != nil {
					h.t.Fatal(err)
				}
				h.expect("a", "c", "b one", "b two")
			}},
			{"rename out of the globs", func(h *harness) {
				h.start()
				h.write("app.log", "one\n")
				h.expect("one")
				h.rename("app.log", "saved")
				h.write("saved", "two\n")
				h.expect("one", "two")
			}},
			{"copytruncate while running", func(h *harness) {
				h.start()
				a, text := numbered("a", 0, 50)
				h.write("app.log", text)
				h.expect(a...)
				h.copyFile("app.log", "app.log.1")
				h.truncate("app.log")
				b, text := numbered("b", 0, 70)
				h.write("app.log", text)
				h.expect(append(a, b...)...)
			}},
			{"copytruncate while down, unread bytes in the copy", func(h *harness) {
				h.start()
				a, text := numbered("a", 0, 50)
				h.write("app.log", text)
				h.expect(a...)
				h.stop()
				u, text := numbered("u", 0, 20)
				h.write("app.log", text)
				h.copyFile("app.log", "app.log.1")
				h.truncate("app.log")
				b, text := numbered("b", 0, 200)
				h.write("app.log", text)
				h.start()
				h.expect(append(append(a, u...), b...)...)
			}},
			{"renamed and compressed while down", compressedWhileDown("app.log.1.gz", (*harness).gzip)},
			{"compressed with zstd while down", compressedWhileDown("app.log.1.zst", (*harness).zstd)},
			{"compressed with bzip2 while down", compressedWhileDown("app.log.1.bz2", (*harness).bzip2)},
			{"compressed under another's ending", compressedWhileDown("app.log.1.gz", (*harness).zstd)},
			{"truncated without a copy", func(h *harness) {
				h.start()
				a, text := numbered("a", 0, 50)
				h.write("app.log", text)
				h.expect(a...)
				h.truncate("app.log")
				h.write("app.log", "new\n")
				h.expect(append(a, "new")...)
			}},
			{"removed and made again", func(h *harness) {
				h.start()
				h.write("app.log", "one\nunfinished")
				h.expect("one")
				if err := os.Remove(h.path("app.log")); err != nil {
					h.t.Fatal(err)
				}
				h.expect("one", "unfinished")
				h.write("app.log", "two\n")
				h.expect("one", "unfinished", "two")
			}},
		} {
			t.Run(tc.name+" "+globs[0], func(t *testing.T) {
				t.Parallel()
				h := newHarness(t)
				h.cfg.Inputs[0].Paths = []string{filepath.Join(h.dir, globs[0])}
				tc.run(h)
				h.stop()
				h.start()
				n := len(h.q.messages())
				h.write("other.log", "end\n")
				h.await("end", func() bool { return len(h.q.messages()) > n })
				if got := h.q.messages(); got[n] != "end" || len(got) != n+1 {
					t.Fatalf("after another start %q follow, want only %q", got[n:], "end")
				}
			})
		}
	}
}

// A rotation that was read and removed, and comes back from a backup, is history, also after a start.
func TestRestoredRotationIsHistory(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.start()
	h.write("app.log", "a\n")
	h.expect("a")
	h.rename("app.log", "app.log.1")
	h.write("app.log", "b\n")
	h.expect("a", "b")
	old, err := os.Stat(h.path("app.log.1"))
	if err == nil {
		err = os.Remove(h.path("app.log.1"))
	}
	if err != nil {
		t.Fatal(err)
	}
	h.await("end of the removed file", func() bool {
		h.a.mu.Lock()
		defer h.a.mu.Unlock()
		return len(h.a.sources) == 1
	})
	restore := func(name string) {
		h.write(name, "a\n")
		if err := os.Chtimes(h.path(name), old.ModTime(), old.ModTime()); err != nil {
			t.Fatal(err)
		}
	}
	h.stop()
	restore("app.log.2")
	h.start()
	h.write("app.log", "c\n")
	h.expect("a", "b", "c")
	h.rename("app.log", "app.log.1")
	h.write("app.log", "d\n")
	h.expect("a", "b", "c", "d")
}
