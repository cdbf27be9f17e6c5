package lines

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// collector is a sink that keeps what it gets and accounts for the bytes.
type collector struct {
	msgs  []string
	spans []Span
	last  []Message
}

func (c *collector) Emit(m *Message) {
	text := string(m.Text)
	if names := m.Flags.AppendNames(nil); len(names) > 0 {
		text += " " + strings.Join(names, ",")
	}
	if m.Stream != NoStream {
		text = m.Stream.String() + ": " + text
	}
	c.msgs = append(c.msgs, text)
	c.spans = append(append(c.spans, m.Merged...), m.Span)
	c.last = append(c.last, *m)
}

func (c *collector) Drop(s Span, rule string) {
	c.msgs = append(c.msgs, "dropped by "+rule)
	c.spans = append(c.spans, s)
}

// feed pushes lines, each with its line feed, and returns the joiner.
func feed(spec *Spec, c *collector, list ...string) *Joiner {
	j := spec.NewJoiner(&Scratch{}, c)
	pos := int64(0)
	for i, l := range list {
		n := int64(len(l) + 1)
		j.Push(&Message{Text: []byte(l), Offset: pos, Span: Span{Ref: 1, From: pos, To: pos + n}, Read: time.Unix(int64(i), 0)})
		pos += n
	}
	return j
}

// covered checks that the spans are all bytes below size, each once.
func (c *collector) covered(t *testing.T, size int64) {
	t.Helper()
	spans := slices.Clone(c.spans)
	slices.SortFunc(spans, func(a, b Span) int { return int(a.From - b.From) })
	pos := int64(0)
	for _, s := range spans {
		if s.From != pos {
			t.Fatalf("spans %v: at %d, want %d", spans, s.From, pos)
		}
		pos = s.To
	}
	if pos != size {
		t.Fatalf("spans end at %d, want %d", pos, size)
	}
}

func size(list []string) (n int64) {
	for _, l := range list {
		n += int64(len(l) + 1)
	}
	return n
}

func TestMultiline(t *testing.T) {
	t.Parallel()
	base := Multiline{Type: "pattern", Match: "after", MaxLines: 500, Timeout: 5 * time.Second}
	with := func(edit func(*Multiline)) Multiline { m := base; edit(&m); return m }
	for _, tc := range []struct {
		name     string
		conf     Multiline
		in, want []string
	}{
		{"after: stack trace", with(func(m *Multiline) { m.Pattern = `^\s` }),
			[]string{"a", " 1", " 2", "b", "c", " 3"}, []string{"a\n 1\n 2 multiline", "b", "c\n 3 multiline"}},
		{"after, negated: a date starts an event", with(func(m *Multiline) { m.Pattern, m.Negate = `^\d`, true }),
			[]string{"x", "1 a", "b", "2 c"}, []string{"x", "1 a\nb multiline", "2 c"}},
		{"before: trailing backslash", with(func(m *Multiline) { m.Pattern, m.Match = `\\$`, "before" }),
			[]string{`a\`, `b\`, "c", "d"}, []string{"a\\\nb\\\nc multiline", "d"}},
		{"before, negated: up to an end marker", with(func(m *Multiline) { m.Pattern, m.Match, m.Negate = `;$`, "before", true }),
			[]string{"a", "b;", "c;", "d"}, []string{"a\nb; multiline", "c;", "d"}},
		{"flush pattern", with(func(m *Multiline) { m.Pattern, m.Negate, m.FlushPattern = `^start`, true, `^end` }),
			[]string{"start 1", "a", "end", "b", "start 2"}, []string{"start 1\na\nend multiline", "b", "start 2"}},
		{"count", with(func(m *Multiline) { m.Type, m.CountLines = "count", 2 }),
			[]string{"a", "b", "c", "d", "e"}, []string{"a\nb multiline", "c\nd multiline", "e"}},
		{"while", with(func(m *Multiline) { m.Type, m.Pattern = "while_pattern", `^{` }),
			[]string{"{a", "{b", "c", "d", "{e"}, []string{"{a\n{b multiline", "c", "d", "{e"}},
		{"while, negated", with(func(m *Multiline) { m.Type, m.Pattern, m.Negate = "while_pattern", `^{`, true }),
			[]string{"a", "b", "{c", "d"}, []string{"a\nb multiline", "{c", "d"}},
		{"max lines", with(func(m *Multiline) { m.Pattern, m.MaxLines = `^\s`, 2 }),
			[]string{"a", " 1", " 2", " 3", "b"}, []string{"a\n 1 truncated,multiline", "b"}},
		{"skip newline", with(func(m *Multiline) { m.Pattern, m.SkipNewline = `^\s`, true }),
			[]string{"a", " 1", "b"}, []string{"a 1 multiline", "b"}},
		{"empty lines stay", with(func(m *Multiline) { m.Pattern, m.Negate = `^\d`, true }),
			[]string{"1", "", "x"}, []string{"1\n\nx multiline"}},
		{"limit", with(func(m *Multiline) { m.Pattern = `^\s` }),
			[]string{"a", " " + strings.Repeat("x", 99), " y", "b"}, []string{"a\n " + strings.Repeat("x", 61) + " truncated,multiline", "b"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			spec := NewSpec(64)
			if err := spec.Multiline(tc.conf); err != nil {
				t.Fatal(err)
			}
			var c collector
			j := feed(spec, &c, tc.in...)
			j.Flush()
			if !slices.Equal(c.msgs, tc.want) {
				t.Fatalf("%q, want %q", c.msgs, tc.want)
			}
			c.covered(t, size(tc.in))
		})
	}
}

// TestMultilineAgainstNaive compares with a joiner that sees all lines at once.
func TestMultilineAgainstNaive(t *testing.T) {
	t.Parallel()
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 3))
		conf := Multiline{Pattern: "^a", Negate: rng.IntN(2) == 0, Match: [...]string{"after", "before"}[rng.IntN(2)]}
		if rng.IntN(3) == 0 {
			conf.FlushPattern = "z$"
		}
		var in []string
		for range rng.IntN(30) {
			in = append(in, [...]string{"a", "b", "az", "bz", ""}[rng.IntN(5)])
		}
		spec := NewSpec(1 << 20)
		if err := spec.Multiline(conf); err != nil {
			t.Fatal(err)
		}
		var c collector
		j := feed(spec, &c, in...)
		j.Flush()
		for i := range c.msgs {
			c.msgs[i] = strings.TrimSuffix(c.msgs[i], " multiline")
		}
		if want := naive(conf, in); !slices.Equal(c.msgs, want) {
			t.Fatalf("seed %d: %+v %q: %q, want %q", seed, conf, in, c.msgs, want)
		}
		c.covered(t, size(in))
	}
}

func naive(conf Multiline, in []string) (out []string) {
	re := regexp.MustCompile(conf.Pattern)
	fresh := true
	for i, l := range in {
		var joins bool
		if conf.Match == "after" {
			joins = re.MatchString(l) != conf.Negate
		} else if i > 0 {
			joins = re.MatchString(in[i-1]) != conf.Negate
		}
		ends := conf.FlushPattern != "" && regexp.MustCompile(conf.FlushPattern).MatchString(l)
		if !fresh && (joins || ends) {
			out[len(out)-1] += "\n" + l
			fresh = ends
			continue
		}
		out = append(out, l)
		fresh = false
	}
	return out
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	spec := NewSpec(1 << 10)
	if err := spec.Multiline(Multiline{Pattern: `^\s`, Match: "after", Timeout: 5 * time.Second}); err != nil {
		t.Fatal(err)
	}
	var c collector
	j := feed(spec, &c, "a", " b")
	if low := j.Low(1, 5); low != 0 || j.Held() == 0 {
		t.Fatalf("low %d, held %d", low, j.Held())
	}
	j.Due(time.Unix(5, 0))
	if len(c.msgs) != 0 {
		t.Fatalf("flushed early: %q", c.msgs)
	}
	j.Due(time.Unix(6, 0))
	if !slices.Equal(c.msgs, []string{"a\n b multiline"}) || j.Held() != 0 || j.Low(1, 5) != 5 {
		t.Fatalf("%q, held %d, low %d", c.msgs, j.Held(), j.Low(1, 5))
	}
}

func TestContainer(t *testing.T) {
	t.Parallel()
	const at = "2017-10-12T13:32:21.232861448Z"
	cri := func(stream, tag, text string) string { return at + " " + stream + " " + tag + " " + text }
	docker := func(stream, text string) string {
		return fmt.Sprintf(`{"log":%q,"stream":%q,"time":%q}`, text, stream, at)
	}
	for _, tc := range []struct {
		name, stream string
		in, want     []string
	}{
		{"cri", "all", []string{cri("stdout", "F", "one"), cri("stderr", "F", "two"), cri("stdout", "F", "")},
			[]string{"stdout: one", "stderr: two", "stdout: "}},
		{"parts of two streams", "all", []string{cri("stdout", "P", "out-"), cri("stderr", "F", "err"), cri("stdout", "P:x", "mid-"), cri("stdout", "F", "end")},
			[]string{"stderr: err", "stdout: out-mid-end"}},
		{"only stderr", "stderr", []string{cri("stdout", "F", "no"), cri("stderr", "F", "yes")}, []string{"dropped by stream", "stderr: yes"}},
		{"docker", "all", []string{docker("stdout", "a\n"), docker("stdout", "part "), docker("stderr", "e\r\n"), docker("stdout", "rest\n")},
			[]string{"stdout: a", "stderr: e", "stdout: part rest"}},
		{"a part without end", "all", []string{docker("stdout", "part")}, []string{"stdout: part partial"}},
		{"not of a runtime", "all", []string{"hello", `{"a":1}`, cri("stdin", "F", "x")}, []string{"hello", `{"a":1}`, cri("stdin", "F", "x")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			spec := NewSpec(1 << 10)
			if err := spec.Container(tc.stream, "auto"); err != nil {
				t.Fatal(err)
			}
			var c collector
			j := feed(spec, &c, tc.in...)
			j.Flush()
			if !slices.Equal(c.msgs, tc.want) {
				t.Fatalf("%q, want %q", c.msgs, tc.want)
			}
			c.covered(t, size(tc.in))
		})
	}
}

// TestInterleavedStreams: events of two streams through container and multiline; every byte is accounted for once.
func TestInterleavedStreams(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 9))
		spec := NewSpec(1 << 10)
		err := spec.Container("all", "cri")
		if err == nil {
			err = spec.Multiline(Multiline{Pattern: `^\s`, Match: "after", MaxLines: 500})
		}
		if err != nil {
			t.Fatal(err)
		}
		var in []string
		for range rng.IntN(40) {
			in = append(in, "2017-10-12T13:32:21Z "+[...]string{"stdout", "stderr"}[rng.IntN(2)]+" "+[...]string{"P", "F"}[rng.IntN(2)]+" "+[...]string{"x", " y"}[rng.IntN(2)])
		}
		var c collector
		j := feed(spec, &c, in...)
		end := size(in)
		low := j.Low(1, end)
		for _, m := range c.last {
			if m.Span.From >= m.Span.To {
				t.Fatalf("seed %d: empty range %+v", seed, m.Span)
			}
		}
		var open int64
		for _, s := range c.spans {
			open += s.Len()
		}
		if open < low {
			t.Fatalf("seed %d: low is %d, but only %d bytes went out", seed, low, open)
		}
		j.Flush()
		if j.Held() != 0 || j.Low(1, end) != end {
			t.Fatalf("seed %d: held %d after the flush", seed, j.Held())
		}
		c.covered(t, end)
	}
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	spec := NewSpec(1 << 10)
	if err := spec.NDJSON(NDJSON{MessageKey: "msg"}); err != nil {
		t.Fatal(err)
	}
	var c collector
	feed(spec, &c, `{"msg":"hi","n":12345678901234567890,"f":1.0}`, `{"x":1}`, `nope`, `{"msg":3}`)
	if !slices.Equal(c.msgs, []string{"hi", "", "nope", ""}) {
		t.Fatalf("%q", c.msgs)
	}
	if got := fmt.Sprintf("%v %v", c.last[0].JSON["n"], c.last[0].JSON["f"]); got != "12345678901234567890 1.0" {
		t.Errorf("numbers became %s", got)
	}
	for i, want := range []string{"", "Key 'msg' not found", "Error decoding JSON: ", "Value of key 'msg' is not a string"} {
		if got := c.last[i].Fault; !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("line %d: fault %q, want %q", i, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	f, err := NewFilter([]string{"^ERR", "^WARN"}, []string{"DBG"})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"ERR x": "", "INFO": "include_lines", "ERR DBG": "exclude_lines", "": "empty"} {
		if got := f.Rule(&Message{Text: []byte(text)}); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzContainer(f *testing.F) {
	f.Add([]byte("2017-10-12T13:32:21Z stdout P x\n{\"log\":\"a\\n\",\"stream\":\"stderr\",\"time\":\"2017-10-12T13:32:21Z\"}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		spec := NewSpec(1 << 10)
		if err := spec.Container("all", "auto"); err != nil {
			t.Fatal(err)
		}
		if err := spec.NDJSON(NDJSON{}); err != nil {
			t.Fatal(err)
		}
		var c collector
		list := strings.Split(string(text), "\n")
		feed(spec, &c, list...).Flush()
		c.covered(t, size(list))
	})
}
