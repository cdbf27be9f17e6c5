package grok

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scraps are pieces from which texts near the edges of the stock patterns are put together.
var scraps = []string{
	"0", "1", "9", "12", "25", "60", "59", "255", "256", "001", "2025", "-", "--", "+", ".", "..", ",", ":", "::", "/", "\\", `"`, `\"`, "'", "`", " ", "  ",
	"a", "f", "z", "_", "$", "é", "漢", "\xff", "T", "Z", "Jan", "jan", "Juni", "Mai", "März", "Dec", "INFO", "info", "Warn", "WARNING", "err", "ERRORS", "inf",
	"2025-03-04", "09:00:00", "09:00:60", "24:00:00", "9:1:5", ".581", ",5", "+09:00", "-0930", "+2500", "17/May/2015", "+0000", "Jun 14", "Jun  4", "15:16:01",
	"10.0.0.1", "1.2.3", "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "%eth0", "host", "a-b.c", "host.", "-x", "x@y.z", "/a/b", "/a?b=c", "/é", "?", "q=1|2",
	"o.h.e", "A.b$C", ".x", "a..b", "a.1b", "0x1F", "12345678-1234-1234-1234-123456789abc", "123e4567-e89b-12d3", "(", ")", "[", "]", "<init>", "#", "\t", "\n",
}

func randomText(r *rand.Rand, pieces int) []byte {
	var b []byte
	for range 1 + r.IntN(pieces) {
		b = append(b, scraps[r.IntN(len(scraps))]...)
	}
	return b
}

// sameResult compares two matchers on one text.
func sameResult(t *testing.T, a, b *Matcher, text []byte, what string) {
	t.Helper()
	ok1, err1 := a.Match(text)
	ok2, err2 := b.Match(text)
	if ok1 != ok2 || (err1 == nil) != (err2 == nil) {
		t.Fatalf("%s: %s on %q: %v %v and %v %v", what, a.p, text, ok1, err1, ok2, err2)
	}
	if !ok1 {
		return
	}
	if !slices.Equal(a.m.caps, b.m.caps) || a.m.from != b.m.from || a.m.to != b.m.to {
		t.Fatalf("%s: %s on %q: %d..%d %v and %d..%d %v", what, a.p, text, a.m.from, a.m.to, a.m.caps, b.m.from, b.m.to, b.m.caps)
	}
}

func TestRecognizersMatchTheirPatterns(t *testing.T) {
	t.Parallel()
	o := Options{NamedCapturesOnly: true, KeepEmpty: true, LenientUTF8: true}
	for name := range recognizers {
		for _, ecs := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, context := range []string{"%{X:v}", "^%{X:v}$", "%{X:v} (?<rest>.*)", "(?<pre>.*?)%{X:v}(?<post>\\S)", "(?<a>%{X}).(?<b>%{X})", "(?:%{X:v}\\W?)+(?<z>.)", "(?>%{X:v})x?(?<z>.?)", "(?<pre>.)%{X:v}[a-z0-9]"} {
					set := Stock(ecs)
					pattern := strings.ReplaceAll(context, "%{X", "%{"+name)
					fast, err := set.compile(pattern, o, false)
					if err != nil {
						t.Fatal(err)
					}
					slow, err := set.compile(pattern, o, true)
					if err != nil {
						t.Fatal(err)
					}
					r := rand.New(rand.NewPCG(7, 11))
					a, b := fast.NewMatcher(), slow.NewMatcher()
					for range 700 / testShare {
						sameResult(t, a, b, randomText(r, 8), name)
					}
				}
			})
		}
	}
}
