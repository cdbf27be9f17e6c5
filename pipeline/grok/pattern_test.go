package grok

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestExpand(t *testing.T) {
	t.Parallel()
	set := Stock(false).With(map[string]string{"ID": `[A-Z]{3}\d+`, "PAIR": `%{WORD:k}=%{WORD:v}`, "NUMBER": `N\d`})
	for _, c := range []struct{ pattern, line, want string }{
		{`%{ID:id} %{INT:n:int}`, "ABC12 -5", "id=ABC12 | n=-5:int"},
		{`%{PAIR};%{PAIR}`, "a=1;b=2", "k=a | k=b | v=1 | v=2"},
		{`%{NUMBER:n}`, "x N7", "n=N7"},
		{`%{WORD - a comment}x?`, "ab", ""},
		{`%{WORD:w - a comment}`, "ab", "w=ab"},
		{`%{HEX:h=\h{2}}-%{HEX:i}`, "ff-0a", "h=ff | i=0a"},
		{`%{WORD:[a][b]} %{WORD:@x.y-z}`, "p q", "[a][b]=p | @x.y-z=q"},
		{`%{NUMBERS}?%{INT:x:float}`, "", "error: column 1: pattern NUMBERS is not defined; did you mean NUMBER?"},
		{`(?<[a][b]>\d+)(x)`, "12x", "[a][b]=12"},
		{`%{BASE10NUM:f:float}`, "1.50", "f=1.5:float"},
		{`%{BASE10NUM:f:number}`, "1.50", "f=1.50"},
		{`100%{`, "100%{", ""},
		{`%{A}`, "", "error: pattern A -> B, column 1: definition refers to itself: A -> B -> A"},
		{`%{BAD}`, "", "error: pattern BAD, column 2: this ( is not closed"},
		{`[%{WORD}]`, "", "error: column 2: a reference to a pattern cannot stand inside [...]"},
	} {
		p, err := set.With(map[string]string{"A": "%{B}", "B": "%{A}", "BAD": "a(b"}).Compile(c.pattern, DefaultOptions())
		if err != nil {
			if got := "error: " + err.Error(); got != c.want {
				t.Errorf("%s: got %s, want %s", c.pattern, got, c.want)
			}
			continue
		}
		if got, ok := fields(t, p, c.line); !ok || got != c.want {
			t.Errorf("%s on %q: got %q %v, want %q", c.pattern, c.line, got, ok, c.want)
		}
	}
}

func TestCaptureOptions(t *testing.T) {
	t.Parallel()
	p, err := Stock(false).Compile(`%{WORD} (?<e>)%{IP}`, Options{KeepEmpty: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := fields(t, p, "host 10.0.0.1"); got != "WORD=host | e= | IP=10.0.0.1" {
		t.Errorf("got %s", got)
	}
	p, _ = Stock(false).Compile(`(?<a>x)|(?<a>y)|(?<b>z)`, DefaultOptions())
	m := p.NewMatcher()
	for line, want := range map[string]int{"x": 0, "y": 0, "z": 1} {
		if ok, _ := m.Match([]byte(line)); !ok {
			t.Fatalf("%s does not match", line)
		}
		for i := range p.Captures() {
			if _, _, ok := m.Group(i); ok != (i == want) {
				t.Errorf("%s: capture %d is set: %v", line, i, ok)
			}
		}
	}
}

func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	line := []byte("caf\xe9 open")
	for _, lenient := range []bool{false, true} {
		o := DefaultOptions()
		o.LenientUTF8 = lenient
		p, err := Stock(false).Compile(`%{NOTSPACE:a} %{WORD:b}`, o)
		if err != nil {
			t.Fatal(err)
		}
		if ok, _ := p.NewMatcher().Match(line); ok != lenient {
			t.Errorf("lenient %v: match is %v", lenient, ok)
		}
	}
}

func TestNestedRepeatsStaySmall(t *testing.T) {
	t.Parallel()
	re, err := CompileRegexp(`(?:(?:(?:(?:(?:(?:ab|c){20}d){20}e){20}f){20}g){20}h){20}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(re.prog.code); n > 2000 {
		t.Errorf("%d instructions", n)
	}
	if _, err := CompileRegexp(strings.Repeat("(?:[a-c]x|d){30}", 900)); err == nil || !strings.Contains(err.Error(), "instructions") {
		t.Errorf("got %v", err)
	}
}

// TestSharedUse runs one Pattern and one Regexp from several goroutines.
func TestSharedUse(t *testing.T) {
	t.Parallel()
	p, err := Stock(true).Compile("%{COMBINEDAPACHELOG}", DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	re, err := CompileRegexp(`(\d+) (\w+)`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m := p.NewMatcher()
			for _, l := range apacheLines(200) {
				if ok, err := m.Match(l); !ok || err != nil {
					t.Errorf("%q: %v %v", l, ok, err)
					return
				}
				if re.FindSubmatchIndex([]byte("a 12 b")) == nil {
					t.Error("no match")
				}
			}
		})
	}
	wg.Wait()
}

func TestLints(t *testing.T) {
	t.Parallel()
	p, err := Stock(false).Compile(`%{WORD:w} %{INT:n:integer}`, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if q, err := Stock(false).Compile(`%{WORD:w}: %{DATA:m}`, DefaultOptions()); err != nil || len(q.Lints()) != 1 || q.Lints()[0].Offset != 11 {
		t.Errorf("got %v %v", q.Lints(), err)
	}
	if l := p.Lints(); len(l) != 1 || l[0].Offset != 10 || !strings.Contains(l[0].Msg, "integer") {
		t.Errorf("got %v", l)
	}
}

func TestConversions(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{"": 0, "12": 12, "-7x": -7, "+3": 3, " 4": 4, "x": 0, "1_0": 1, "99999999999999999999": 1<<63 - 1, "1.9": 1} {
		if got := ToInt([]byte(in)); got != want {
			t.Errorf("ToInt(%q) = %d, want %d", in, got, want)
		}
	}
	for in, want := range map[string]float64{"": 0, "1.5": 1.5, "-2e3x": -2000, "1e": 1, "1.": 1, ".5": 0, "x": 0, "3.14.15": 3.14} {
		if got := ToFloat([]byte(in)); got != want {
			t.Errorf("ToFloat(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestLoadDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.pat", "# mine\n\n  ONE  \\d\r\nTWO %{ONE}%{ONE} \n")
	write("b.pat", "ONE [1-9]\n")
	write("c.txt", "broken\n")
	if err := os.Mkdir(filepath.Join(dir, "d.pat"), 0o700); err != nil {
		t.Fatal(err)
	}
	defs, err := LoadDir(dir, "*.pat")
	if err != nil || len(defs) != 2 || defs["ONE"] != "[1-9]" || defs["TWO"] != "%{ONE}%{ONE} " {
		t.Errorf("got %q %v", defs, err)
	}
	if _, err := LoadDir(dir, ""); err == nil || !strings.HasSuffix(err.Error(), `c.txt:1: name "broken" has no pattern`) {
		t.Errorf("got %v", err)
	}
	if _, err := LoadDir(filepath.Join(dir, "none"), "*"); !os.IsNotExist(unwrapAll(err)) {
		t.Errorf("got %v", err)
	}
}

func unwrapAll(err error) error {
	for {
		u, ok := err.(interface{ Unwrap() error })
		if !ok || u.Unwrap() == nil {
			return err
		}
		if os.IsNotExist(err) {
			return err
		}
		err = u.Unwrap()
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, line string
		furthest      int
		expected      string
		name, prefix  string
	}{
		{`%{IP:ip} %{WORD:verb} %{INT:n}`, "10.0.0.1 GET x", 13, "a digit", "INT", "%{IP:ip} %{WORD:verb} "},
		{`status=%{INT:n}`, "state=5", 4, `"u"`, "", "stat"},
		{`^%{LOGLEVEL:l}: %{GREEDYDATA:m}`, "INFO message", 4, `":"`, "", "^%{LOGLEVEL:l}"},
	} {
		p, err := Stock(true).Compile(c.pattern, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		got := p.Explain([]byte(c.line))
		if got.Matched || got.Furthest != c.furthest || got.Expected != c.expected || got.Name != c.name || got.Prefix != c.prefix {
			t.Errorf("%s on %q: got %+v", c.pattern, c.line, got)
		}
	}
	p, _ := Stock(true).Compile("%{WORD}", DefaultOptions())
	if !p.Explain([]byte("x")).Matched {
		t.Error("a match is explained as a miss")
	}
}

func TestNamesAreSorted(t *testing.T) {
	t.Parallel()
	names := Stock(false).With(map[string]string{"AAA": "a", "WORD": "w"}).Names()
	if !slices.IsSorted(names) || names[0] != "AAA" || len(names) != len(Stock(false).Names())+1 {
		t.Errorf("%d names, first %s", len(names), names[0])
	}
}
