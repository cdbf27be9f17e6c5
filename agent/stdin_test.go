package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/weirlog/weir/queue"
)

// stdinHarness is an agent that reads r and ends with it.
func stdinHarness(t testing.TB, r io.Reader, edit ...func(*Input)) *harness {
	in := DefaultInput("stdin")
	in.Listen = &Stdin{Reader: r}
	for _, f := range edit {
		f(&in)
	}
	return newHarness(t, func(c *Config) { c.Inputs, c.Finite = []Input{in}, true })
}

// runToEnd runs the agent until it ends by itself.
func (h *harness) runToEnd() {
	h.t.Helper()
	a, err := Open(h.cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := a.Run(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// TestStdin: lines come out in order however they are cut into reads, and ranges cover every byte once.
func TestStdin(t *testing.T) {
	t.Parallel()
	multiline := func(in *Input) {
		m := DefaultMultiline()
		m.Pattern = `^\s`
		in.Parsers = []Parser{{Multiline: &m}}
	}
	for _, tc := range []struct {
		name, text string
		edit       func(*Input)
		want       []string
	}{
		{"lines", "one\ntwo\r\n\nthree", func(*Input) {}, []string{"one", "two", "three"}},
		{"nothing", "", func(*Input) {}, nil},
		{"multiline", "one\n at\n at\ntwo\n at", multiline, []string{"one\n at\n at", "two\n at"}},
		{"ndjson", `{"a":{"b":"x"},"message":"hello"}` + "\n", func(in *Input) {
			in.Parsers = []Parser{{NDJSON: &NDJSON{OverwriteKeys: true}}}
		}, []string{"hello"}},
		{"excluded", "keep\nDEBUG no\nkeep 2\n", func(in *Input) { in.ExcludeLines = []string{"^DEBUG"} }, []string{"keep", "keep 2"}},
		{"utf-16le with a mark", "\xff\xfeh\x00i\x00\n\x00!\x00", func(in *Input) { in.Encoding = "utf-16le-bom" }, []string{"hi", "!"}},
		{"one byte of a mark", "\xff", func(in *Input) { in.Encoding = "utf-16le-bom" }, []string{"\uFFFD"}},
	} {
		for _, how := range []struct {
			name string
			by   func(io.Reader) io.Reader
		}{{"whole", func(r io.Reader) io.Reader { return r }}, {"bytes", iotest.OneByteReader}, {"with the end", iotest.DataErrReader}} {
			t.Run(tc.name+" "+how.name, func(t *testing.T) {
				t.Parallel()
				h := stdinHarness(t, how.by(strings.NewReader(tc.text)), tc.edit)
				h.runToEnd()
				if got := h.q.messages(); !slices.Equal(got, tc.want) {
					t.Fatalf("got %q, want %q", got, tc.want)
				}
				end := int64(0)
				for _, r := range h.q.records() {
					if r.Origin.From < end || r.Origin.To > int64(len(tc.text)) {
						t.Errorf("range %v after %d", r.Origin, end)
					}
					end = r.Origin.To
				}
			})
		}
	}
}

// TestStdinLong: of a line over the limit the beginning is kept, and its size and sum are told, also when it is longer than any buffer.
func TestStdinLong(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1001, 20_000, 300_000} {
		for _, ending := range []string{"\n", "\r\n", ""} {
			line := strings.Repeat("0123456789", n/10) + strings.Repeat("x", n%10)
			h := stdinHarness(t, strings.NewReader("a\n"+line+ending), func(in *Input) { in.MessageMaxBytes = 1000 })
			h.runToEnd()
			got := h.q.messages()
			if len(got) != 2 || got[0] != "a" || got[1] != line[:1000] {
				t.Fatalf("%d bytes: %d messages", n, len(got))
			}
			r := h.q.records()[1]
			sum := sha256.Sum256([]byte(line))
			if r.Origin.From != 2 || r.Origin.To != int64(2+len(line)+len(ending)) {
				t.Errorf("range %v", r.Origin)
			}
			if field(t, r.Value, "log.cut.sha256") != hex.EncodeToString(sum[:]) || field(t, r.Value, "log.cut.bytes") != fmt.Sprint(n) {
				t.Errorf("%d bytes, end %q: cut %s of %s", n, ending, field(t, r.Value, "log.cut.sha256"), field(t, r.Value, "log.cut.bytes"))
			}
		}
	}
}

// TestStdinAcknowledged: the agent ends only when the queue has everything, however often that refuses.
func TestStdinAcknowledged(t *testing.T) {
	t.Parallel()
	want, text := numbered("a", 0, 20_000)
	h := stdinHarness(t, strings.NewReader(text))
	h.q.fail = func(call int, _ []queue.Record) error {
		if call%3 != 0 {
			return io.ErrClosedPipe
		}
		return nil
	}
	h.runToEnd()
	if got := h.q.messages(); !slices.Equal(got, want) {
		t.Fatalf("%d messages, want %d", len(got), len(want))
	}
}

// TestStdinStopped: a stop while the input is silent ships what was read, the unfinished line too.
func TestStdinStopped(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer w.Close()
	h := stdinHarness(t, r)
	h.start()
	if _, err := w.Write([]byte("one\ntwo\nunfin")); err != nil {
		t.Fatal(err)
	}
	h.expect("one", "two")
	h.stop()
	if got := h.q.messages(); !slices.Equal(got, []string{"one", "two", "unfin"}) {
		t.Fatalf("%q", got)
	}
}

// TestStdinOnce: two inputs cannot share it.
func TestStdinOnce(t *testing.T) {
	t.Parallel()
	h := stdinHarness(t, &bytes.Buffer{})
	h.cfg.Inputs = append(h.cfg.Inputs, h.cfg.Inputs[0])
	if _, err := Open(h.cfg); err == nil || !strings.Contains(err.Error(), "second input") {
		t.Fatalf("%v", err)
	}
}

// FuzzStdin: reads that end anywhere change nothing, and no byte is in two records.
func FuzzStdin(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\n three"), 3)
	f.Add([]byte("\xff\xfeh\x00\n\x00"), 1)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		run := func(r io.Reader) []string {
			h := stdinHarness(t, r, func(in *Input) { in.MessageMaxBytes = 64 })
			h.cfg.RegistryFlush = time.Hour
			h.runToEnd()
			return h.q.messages()
		}
		whole := run(bytes.NewReader(text))
		if parts := run(&steps{text, max(step%97, 1)}); !slices.Equal(whole, parts) {
			t.Fatalf("whole %q, in parts %q", whole, parts)
		}
	})
}

// steps gives n bytes a read.
type steps struct {
	b []byte
	n int
}

func (s *steps) Read(b []byte) (int, error) {
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.b[:min(s.n, len(s.b))])
	s.b = s.b[n:]
	return n, nil
}
