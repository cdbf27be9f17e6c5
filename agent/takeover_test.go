package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTakeOver: the first record of each file is the next byte a Filebeat would have read, by every identity, rotated files too.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	data := t.TempDir()
	big := strings.Repeat("a line of the old days\n", 60)
	h.write("native.log", "old\nnew native\n")
	h.write("path.log", "old\nnew path\n")
	h.write("print.log", big+"new print\n")
	h.write("rotated.log", "old\nend of rotated\n")
	h.write("short.log", "from the beginning\n")
	place := func(name string) place {
		st, err := statPath(h.path(name), true)
		if err != nil {
			t.Fatal(err)
		}
		return st.place
	}
	entry := func(identity, value, name string, offset int) string {
		return fmt.Sprintf(`{"_key":"filestream::my-id::%s::%s","cursor":{"offset":%d},"meta":{"source":%q},"ttl":-1}`, identity, value, offset, h.path(name))
	}
	native := func(name string) string { p := place(name); return fmt.Sprintf("%d-%d", p.ino, p.dev) }
	sum := sha256.Sum256([]byte(big[:headBytes]))
	list := strings.Join([]string{
		entry("native", native("native.log"), "native.log", 4), entry("path", h.path("path.log"), "path.log", 4),
		entry("fingerprint", hex.EncodeToString(sum[:]), "print.log", len(big)), entry("native", native("rotated.log"), "rotated.log", 4),
		entry("native", native("short.log"), "short.log", 4000),
	}, ",")
	h.rename("rotated.log", "rotated.log.1")
	h.write("rotated.log", "start of the next\n")
	for name, text := range map[string]string{"meta.json": `{"version":"1"}`, "7.json": "[" + list + "]"} {
		name = filepath.Join(data, "registry", "filebeat", name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(data, "meta.json"), []byte(`{"uuid":"11111111-2222-3333-4444-555555555555"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(data, "filebeat.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	h.cfg.TakeOver = TakeOver{Data: data}
	if _, err := Open(h.cfg); err == nil || !strings.Contains(err.Error(), "a Filebeat runs") {
		t.Fatalf("opened beside a running Filebeat: %v", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	h.start()
	want := map[string]bool{"new native": true, "new path": true, "new print": true, "end of rotated": true, "start of the next": true, "from the beginning": true}
	h.await("what is new", func() bool { return len(h.q.messages()) >= len(want) })
	for _, m := range h.q.messages() {
		if !want[m] {
			t.Errorf("%q is shipped again", m)
		}
	}
	if id := field(t, h.q.records()[0].Value, "agent.id"); id != "11111111-2222-3333-4444-555555555555" {
		t.Errorf("agent.id %s", id)
	}
	h.stop()
	h.write("native.log", "later\n")
	h.start() // the own registry counts from here on
	h.await("the line behind", func() bool { return len(h.q.messages()) == len(want)+1 })
}
