package lines

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// cutAt runs text through a terminator as reads that end at the given places would: unfinished lines are looked at again.
func cutAt(t *Terminator, text []byte, places []int) (out []string) {
	pos, scanned := 0, 0
	for _, end := range append(places, len(text)) {
		if end < pos || end > len(text) {
			continue
		}
		for {
			n := t.Next(text[pos:end], max(scanned-pos, 0))
			if n < 0 {
				break
			}
			line, _ := t.Strip(text[pos : pos+n])
			out = append(out, string(line))
			pos += n
		}
		scanned = end
	}
	return append(out, string(text[pos:]))
}

func mustEncoding(t testing.TB, name string) *Encoding {
	t.Helper()
	e, err := FindEncoding(name)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTerminators(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		term, enc, in string
		want          []string
	}{
		{"auto", "plain", "a\nb\r\n\nc", []string{"a", "b", "", "c"}},
		{"auto", "plain", "a\rb\r\r\n", []string{"a\rb\r", ""}},
		{"line_feed", "plain", "a\r\nb\n", []string{"a\r", "b", ""}},
		{"carriage_return_line_feed", "plain", "a\nb\r\nc\r", []string{"a\nb", "c\r"}},
		{"carriage_return", "plain", "a\rb\n\r", []string{"a", "b\n", ""}},
		{"vertical_tab", "plain", "a\vb\v", []string{"a", "b", ""}},
		{"form_feed", "plain", "a\fb", []string{"a", "b"}},
		{"next_line", "utf-8", "a\u0085b", []string{"a", "b"}},
		{"line_separator", "utf-8", "a\u2028b", []string{"a", "b"}},
		{"paragraph_separator", "utf-8", "a\u2029b", []string{"a", "b"}},
		{"null_terminator", "plain", "a\x00b\x00", []string{"a", "b", ""}},
		{"auto", "utf-16le", "a\x00\n\x00\x00\nb\x00\r\x00\n\x00", []string{"a\x00", "\x00\nb\x00", ""}},
		{"auto", "utf-16be", "\x00a\x00\n\n\x00\x00b\x00\n", []string{"\x00a", "\n\x00\x00b", ""}},
		{"auto", "ebcdic-037", "\xc1\x25\xc2", []string{"\xc1", "\xc2"}},
	} {
		term, err := FindTerminator(tc.term, mustEncoding(t, tc.enc))
		if err != nil {
			t.Fatal(err)
		}
		for cut := 0; cut <= len(tc.in); cut++ {
			for cut2 := cut; cut2 <= len(tc.in); cut2++ {
				got := cutAt(&term, []byte(tc.in), []int{cut, cut2})
				if strings.Join(got, "|") != strings.Join(tc.want, "|") {
					t.Fatalf("%s %s %q cut at %d, %d: %q, want %q", tc.term, tc.enc, tc.in, cut, cut2, got, tc.want)
				}
			}
		}
	}
	if _, err := FindTerminator("crlf", mustEncoding(t, "plain")); err == nil {
		t.Error("an unknown terminator is accepted")
	}
	if _, err := FindTerminator("line_separator", mustEncoding(t, "windows-1252")); err == nil {
		t.Error("a terminator that the encoding cannot write is accepted")
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("a\nb\r\n"), uint8(0), 2, 3)
	f.Fuzz(func(t *testing.T, text []byte, which uint8, a, b int) {
		encs := [...]string{"plain", "utf-16le", "utf-16be"}
		term, err := FindTerminator(terminators[int(which)%len(terminators)].name, mustEncoding(t, encs[int(which)%len(encs)]))
		if err != nil {
			t.Skip()
		}
		if a < 0 || b < a {
			t.Skip()
		}
		whole, cut := cutAt(&term, text, nil), cutAt(&term, text, []int{a, b})
		if strings.Join(whole, "\x01") != strings.Join(cut, "\x01") {
			t.Fatalf("%q: %q, cut at %d and %d %q", text, whole, a, b, cut)
		}
	})
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ enc, in, want string }{
		{"euc-kr", "\xb7\xce\xb1\xd7", "로그"},
		{"cp949", "\xb7\xce\xb1\xd7 \x81\x41", "로그 갂"},
		{"uhc", "\xb0\xa1", "가"},
		{"ms949", "\xb0\xa1", "가"},
		{"ks_c_5601-1987", "\xb0\xa1", "가"},
		{"shift_jis", "\x83\x8d\x83\x4f", "ログ"},
		{"gbk", "\xc8\xd5\xd6\xbe", "日志"},
		{"gb18030", "\xc8\xd5\xd6\xbe", "日志"},
		{"big5", "\xa4\xe9", "日"},
		{"iso8859-15", "\xa4", "€"},
		{"windows1252", "\x80", "€"},
		{"koi8r", "\xcc", "л"},
		{"utf-16le", "a\x00\xac\x20", "a€"},
		{"ebcdic-1047", "\xc1", "A"},
		{"euc-kr", "a\xff b", "a\uFFFD b"},
		{"plain", "\xff", "\xff"},
	} {
		got, bad := mustEncoding(t, tc.enc).NewDecoder().Decode([]byte(tc.in))
		if string(got) != tc.want || bad != strings.Contains(tc.want, "\uFFFD") {
			t.Errorf("%s %x: %q, %t; want %q", tc.enc, tc.in, got, bad, tc.want)
		}
	}
	for name := range named {
		if _, err := FindTerminator("auto", mustEncoding(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := FindEncoding("klingon"); err == nil {
		t.Error("an unknown encoding is accepted")
	}
}

// TestCP949 goes both ways over all syllables of Hangul: the 2,350 of EUC-KR and the 8,822 that code page 949 adds.
func TestCP949(t *testing.T) {
	t.Parallel()
	e := mustEncoding(t, "cp949")
	d := e.NewDecoder()
	n, added := 0, 0
	for r := '가'; r <= '힣'; r++ {
		b, err := e.encode(string(r))
		if err != nil {
			t.Fatalf("%c: %v", r, err)
		}
		if bytes.IndexByte(b, '\n') >= 0 {
			t.Fatalf("%c holds a line feed: %x", r, b)
		}
		if got, _ := d.Decode(b); string(got) != string(r) {
			t.Fatalf("%c became %q", r, got)
		}
		n++
		if b[0] < 0xa1 || b[1] < 0xa1 {
			added++
		}
	}
	if n != 11172 || added != 8822 {
		t.Fatalf("%d syllables, %d of them beyond EUC-KR", n, added)
	}
}

func TestMarks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		enc, head string
		mark      int
		text      string
	}{
		{"plain", "\xef\xbb\xbfabc", 3, "abc"},
		{"utf-16-bom", "\xff\xfea\x00", 2, "a"},
		{"utf-16-bom", "\xfe\xff\x00a", 2, "a"},
		{"utf-16le-bom", "a\x00", 0, "a"},
		{"utf-16be-bom", "\xff\xfea\x00", 2, "a"},
		{"euc-kr", "\xef\xbb", 0, "鎰"},
	} {
		e := mustEncoding(t, tc.enc).Resolve([]byte(tc.head))
		n := e.Mark([]byte(tc.head))
		got, _ := e.NewDecoder().Decode([]byte(tc.head)[n:])
		if n != tc.mark || (tc.enc != "euc-kr" && string(got) != tc.text) {
			t.Errorf("%s %x: mark %d, text %q", tc.enc, tc.head, n, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("euc-kr", []byte("\xb0\xa1\xff"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		e, err := FindEncoding(name)
		if err != nil || e.Plain() {
			t.Skip()
		}
		if got, _ := e.NewDecoder().Decode(b); !utf8.Valid(got) {
			t.Fatalf("%s: %x became %x, which is no UTF-8", name, b, got)
		}
	})
}

func TestMatcherAgainstRegexp(t *testing.T) {
	t.Parallel()
	texts := []string{"", "[x", "\tat a.b(C.java:1)", "2026-11-22 x", "Caused by: y", "x [", "ERROR", "\xff", "  at", "abc\\", "2026-1"}
	for _, p := range []string{`^\[`, `^[[:space:]]`, `^\d{4}-\d{2}`, `^\d{4}-`, `(?i)error`, `at `, `^(\s+at|Caused by)`, `\\$`, `^$`, "\uFFFD", `[^x]`, `^abc`} {
		m, err := NewMatcher(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts {
			if got, want := m.Match([]byte(s)), m.re.MatchString(s); got != want {
				t.Errorf("%q in %q: %t, want %t", p, s, got, want)
			}
		}
	}
	for _, p := range []string{`^\[`, `^[[:space:]]`, `^\d{4}-`} {
		if m, _ := NewMatcher(p); m.prefix == nil {
			t.Errorf("%q is not tested byte by byte", p)
		}
	}
}

func FuzzMatcher(f *testing.F) {
	f.Add(`^\d{4}-`, []byte("2026-"))
	f.Fuzz(func(t *testing.T, pattern string, text []byte) {
		m, err := NewMatcher(pattern)
		if err != nil {
			t.Skip()
		}
		if got, want := m.Match(text), m.re.Match(text); got != want {
			t.Fatalf("%q in %q: %t, want %t", pattern, text, got, want)
		}
	})
}
