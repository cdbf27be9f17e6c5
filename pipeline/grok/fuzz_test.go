package grok

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// FuzzPatternLine runs any pattern on any line: no panic, positions in the line, the same with and without recognizers, and Explain
// agrees on whether it matches.
func FuzzPatternLine(f *testing.F) {
	for _, seed := range [][2]string{
		{"%{COMBINEDAPACHELOG}", combined}, {spring, "2025-03-04T09:00:00.581+09:00  INFO 1 --- [main] a.B : x"},
		{`(?<a>\d+)(?<b>[é-ü&&[^ê]]*?)\b(?i:x)?+`, "12éüX"}, {"%{IP:x:int}%{WORD:y=\\w{2}}", "10.0.0.1ab"}, {`(?<=a|bc)\k<x>(?<x>.)`, "abcx"}, {"(?m-i)a{2,3}+$", "aaa\n"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	o := DefaultOptions()
	o.LenientUTF8, o.KeepEmpty, o.Timeout = true, true, 300*time.Millisecond
	f.Fuzz(func(t *testing.T, pattern string, line []byte) {
		if len(pattern) > 300 || len(line) > 300 {
			return
		}
		p, err := Stock(true).Compile(pattern, o)
		if err != nil {
			_ = err.Error()
			return
		}
		m := p.NewMatcher()
		ok, err := m.Match(line)
		if err != nil {
			return
		}
		if ok {
			m.Each(func(_, from, to int) {
				if from < 0 || to < from || to > len(line) {
					t.Fatalf("%q on %q: capture %d..%d", pattern, line, from, to)
				}
			})
		}
		slow, err := Stock(true).compile(pattern, o, true)
		if err != nil {
			t.Fatal(err)
		}
		if ok2, err := slow.NewMatcher().Match(line); err == nil && ok2 != ok {
			t.Fatalf("%q on %q: %v, without recognizers %v", pattern, line, ok, ok2)
		}
		if miss := p.Explain(line); !miss.Gave && miss.Matched != ok && !bytes.ContainsRune(line, 0xFFFD) && validUTF8(line) {
			t.Fatalf("%q on %q: %v, explained %+v", pattern, line, ok, miss)
		}
	})
}

func FuzzParsePatternFile(f *testing.F) {
	f.Add([]byte("# x\nA a\nB %{A}\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		defs, err := ParsePatternFile(bytes.NewReader(text), "f")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f:") {
				t.Fatalf("error without file and line: %v", err)
			}
			return
		}
		set := Stock(false).With(defs)
		for name := range defs {
			_, _ = set.Compile("%{"+name+"}", DefaultOptions())
		}
	})
}

func FuzzReplaceAll(f *testing.F) {
	f.Add(`(\w+)=`, `\1: \k<x>\\`, []byte("a=b"))
	f.Fuzz(func(t *testing.T, expr, template string, text []byte) {
		if len(expr) > 200 || len(text) > 200 || len(template) > 50 {
			return
		}
		re, err := CompileRegexp(expr)
		if err != nil {
			return
		}
		_, _ = re.ReplaceAll(nil, text, template)
	})
}
