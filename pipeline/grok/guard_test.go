package grok

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// evil are expressions that take a backtracking machine exponential or high polynomial time on their text.
var evil = []struct{ expr, unit, tail string }{
	{`^(a+)+$`, "a", "!"},
	{`^(a|aa)+$`, "a", "!"},
	{`^(?:a|a|b)*c`, "a", ""},
	{`(a*)*b`, "a", ""},
	{`(?:a*b*)*c`, "ab", ""},
	{`^(.*?,){11}P`, "1,", ""},
	{`.*.*.*=.*`, "x", ""},
	{`(x+x+)+y`, "x", ""},
	{`[a-z]+\d`, "a", ""},
	{`\s+$`, " ", "x"},
	{`"(?:[^"\\]|\\.)*"`, `\"`, ""},
	{`(?:\w+\s?)*:$`, "ab ", ""},
	{`(.*)(.*)(.*)(.*)[^x]$`, "x", ""},
}

// TestGuardKeepsTimeLinear times lines of 64 KiB: what a machine without the guard would not finish.
func TestGuardKeepsTimeLinear(t *testing.T) {
	for _, c := range evil {
		re, err := CompileRegexp(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		if !re.prog.settled && !strings.Contains(c.expr, "{") {
			t.Errorf("%s: the guard does not cover all of it", c.expr)
		}
		m := &machine{timeout: 20 * time.Second}
		m.init(re.prog)
		line := append(bytes.Repeat([]byte(c.unit), (64<<10)/testShare/len(c.unit)), c.tail...)
		start := time.Now()
		_, err = m.search(line, 0)
		if took := time.Since(start); took > 2*time.Second && !raceEnabled {
			t.Errorf("%s took %v on 64 KiB", c.expr, took)
		}
		if err != nil && re.prog.settled {
			t.Errorf("%s: %v", c.expr, err)
		}
	}
}

func BenchmarkEvil(b *testing.B) {
	for _, c := range evil {
		b.Run(c.expr, func(b *testing.B) {
			re, err := CompileRegexp(c.expr)
			if err != nil {
				b.Fatal(err)
			}
			line := append(bytes.Repeat([]byte(c.unit), (64<<10)/len(c.unit)), c.tail...)
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				re.Match(line)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.Timeout = time.Nanosecond
	p, err := Stock(true).Compile(`^(?:(?=a*b?)a|(?=a)aa)+$`, o)
	if err != nil {
		t.Fatal(err)
	}
	m := p.NewMatcher()
	if _, err := m.Match(append(bytes.Repeat([]byte("a"), 60_000), '!')); err != ErrTimeout {
		t.Errorf("got %v, want ErrTimeout", err)
	}
	if m.Guarded() != 1 {
		t.Errorf("guarded %d times, want once", m.Guarded())
	}
	if ok, err := m.Match([]byte("aaaa")); !ok || err != nil {
		t.Errorf("after a timeout: %v %v", ok, err)
	}
}

// TestStepLimit runs a pattern that the guard cannot help.
func TestStepLimit(t *testing.T) {
	t.Parallel()
	re, err := CompileRegexp(`^(a+)+\1\1b$`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := re.Find(nil, bytes.Repeat([]byte("a"), 40), 0); err != ErrTimeout {
		t.Errorf("got %v, want ErrTimeout", err)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	for _, c := range []struct {
		pattern string
		lines   [][]byte
	}{{"%{COMBINEDAPACHELOG}", apacheLines(50)}, {"%{SYSLOGLINE}", syslogLines(50)}, {spring, springLines(50)}, {"%{IP:a}.*%{WORD:b}!", syslogLines(50)}} {
		p, err := Stock(false).Compile(c.pattern, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		m := p.NewMatcher()
		sum := 0
		visit := func(_, from, to int) { sum += to - from }
		run := func() {
			for _, l := range c.lines {
				if ok, _ := m.Match(l); ok {
					m.Each(visit)
				}
			}
		}
		run()
		if n := testing.AllocsPerRun(10, run); n > 0 {
			t.Errorf("%s: %v allocations in 50 lines", c.pattern, n)
		}
	}
}
