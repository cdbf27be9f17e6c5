package input

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// export is entries in the export format: a value with a line feed is written by its length.
func export(entries ...[][2]string) []byte {
	var b bytes.Buffer
	for _, e := range entries {
		for _, f := range e {
			if strings.Contains(f[1], "\n") {
				b.WriteString(f[0] + "\n")
				b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(f[1]))))
				b.WriteString(f[1] + "\n")
				continue
			}
			b.WriteString(f[0] + "=" + f[1] + "\n")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// fakeJournal is a program that notes how it was called, prints what it is given, waits for its input when follow says so, and
// complains.
func fakeJournal(t *testing.T, out []byte, follow bool) (prog, calls string) {
	t.Helper()
	dir := t.TempDir()
	prog, calls = filepath.Join(dir, "journalctl"), filepath.Join(dir, "calls")
	if err := os.WriteFile(filepath.Join(dir, "out"), out, 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\necho \"$@\" >> " + calls + "\ncat " + filepath.Join(dir, "out") + "\n"
	if follow {
		script += "exec sleep 600\n"
	} else {
		script += "echo broken >&2\nexit 1\n"
	}
	if err := os.WriteFile(prog, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return prog, calls
}

func TestJournald(t *testing.T) {
	t.Parallel()
	out := export(
		[][2]string{{"__CURSOR", "s=1"}, {"__REALTIME_TIMESTAMP", "1767610800000005"}, {"MESSAGE", "two\nlines"}, {"PRIORITY", "6"}, {"SYSLOG_IDENTIFIER", "app"}, {"_PID", "77"}, {"_COMM", "app"},
			{"_SYSTEMD_UNIT", "app.service"}, {"_HOSTNAME", "vm"}, {"CONTAINER_ID_FULL", "abc"}, {"_MY_Field", "x"}},
		[][2]string{{"__CURSOR", "s=2"}, {"__REALTIME_TIMESTAMP", "1767610801000000"}, {"MESSAGE", "second"}})
	c := DefaultJournald()
	var calls string
	c.Journalctl, calls = fakeJournal(t, out, true)
	c.Units, c.Identifiers, c.Transports, c.Facilities, c.Matches = []string{"app.service"}, []string{"app"}, []string{"stdout"}, []string{"3"}, []string{"_UID=0"}
	sink := newMemory()
	stop := run(t, c, sink)
	want := `{"@timestamp":"2026-01-05T11:00:00.000Z","message":"two\nlines","container":{"id":"abc"},"event":{"kind":"event"},"host":{"hostname":"vm"},"journald":{"custom":{"my_field":"x"},"pid":77,"process":{"name":"app"}},"log":{"syslog":{"appname":"app","priority":6}},"process":{"name":"app","pid":77},"syslog":{"identifier":"app","priority":6},"systemd":{"unit":"app.service"}}
{"@timestamp":"2026-01-05T11:00:01.000Z","message":"second","event":{"kind":"event"}}
`
	if got := show(sink.wait(t, 2)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	stop()
	args, _ := os.ReadFile(calls)
	if got := strings.TrimSpace(string(args)); got != "--utc --output=export --all --follow --quiet --no-pager --no-tail --unit=app.service --identifier=app --facility=3 _TRANSPORT=stdout _UID=0" {
		t.Errorf("called with %s", got)
	}
	if got := string(sink.Cursor("journald ")); got != "s=2" {
		t.Errorf("cursor %q", got)
	}
}

// TestJournaldRestart: a journalctl that ends is started again behind the last entry.
func TestJournaldRestart(t *testing.T) {
	t.Parallel()
	c := DefaultJournald()
	var calls string
	c.Journalctl, calls = fakeJournal(t, export([][2]string{{"__CURSOR", "s=9"}, {"MESSAGE", "m"}}), false)
	c.Backoff, c.MaxBackoff, c.Seek = time.Millisecond, 5*time.Millisecond, "tail"
	sink := newMemory()
	stop := run(t, c, sink)
	sink.wait(t, 2)
	stop()
	args, _ := os.ReadFile(calls)
	lines := strings.Split(strings.TrimSpace(string(args)), "\n")
	if len(lines) < 2 || !strings.Contains(lines[0], "--lines=0") || !strings.Contains(lines[1], "--after-cursor=s=9") || strings.Contains(lines[1], "--lines") {
		t.Errorf("calls %q", lines)
	}
}

func TestJournaldFaults(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"half a line":   "MESSAGE=x",
		"half an entry": "MESSAGE=x\n",
		"no length":     "MESSAGE\nabc",
		"no end":        "MESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00ab",
		"huge":          "MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		if _, _, err := readEntry(bufio.NewReader(strings.NewReader(in))); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := DefaultJournald()
	c.Seek, c.Matches, c.Facilities = "since", []string{"--follow", "x=1"}, []string{"24"}
	if errs := c.Validate(); len(errs) != 4 {
		t.Errorf("%v", errs)
	}
	c.Journalctl = "/nowhere/journalctl"
	if _, err := c.Open(nil); err == nil {
		t.Error("a program that is not there is found")
	}
}

// FuzzJournal: any bytes end, and entries render as JSON.
func FuzzJournal(f *testing.F) {
	f.Add(export([][2]string{{"__CURSOR", "s=1"}, {"MESSAGE", "two\nlines"}, {"PRIORITY", "6"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			e, _, err := readEntry(r)
			if err != nil {
				return
			}
			if !json.Valid(tree.AppendObject(nil, e.Fields)) {
				t.Errorf("%s", tree.AppendObject(nil, e.Fields))
			}
		}
	})
}
