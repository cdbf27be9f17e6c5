package journal

import (
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/vfs"
)

// TestWorkedExample compares the bytes in docs/format/journal.md with what a journal writes.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	clock := func() time.Time { return time.UnixMilli(1767225600000) } // 2026-01-01
	j := open(t, Config{FS: mem, Own: true, Now: clock})
	for _, p := range []string{"alpha", "beta"} {
		m, err := j.AppendPayload([]byte(p))
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Sync(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Checkpoint([]byte("sum")); err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../docs/format/journal.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{firstLog, "00000000000000000000.index", "00000000000000000000.timeindex", "00000000000000000002.state", checkpointName} {
		b, err := vfs.ReadFile(mem, "/j/"+name)
		if err != nil {
			t.Fatal(err)
		}
		if name == checkpointName {
			b = b[slotSize : slotSize+slotHeader]
		}
		if got := example(string(doc), name); got != hex.EncodeToString(b) {
			t.Errorf("%s: the document has\n%s\nthe file has\n%s", name, got, hex.EncodeToString(b))
		}
	}
}

var hexLine = regexp.MustCompile(`(?m)^[0-9a-f]{4}  ((?:[0-9a-f]{2} ?)+)`)

// example joins the dump below the heading that names a file.
func example(doc, name string) string {
	_, rest, _ := strings.Cut(doc, "`"+name+"`:\n")
	block, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(rest), "```"), "```")
	var b strings.Builder
	for _, m := range hexLine.FindAllStringSubmatch(block, -1) {
		b.WriteString(strings.ReplaceAll(m[1], " ", ""))
	}
	return b.String()
}
