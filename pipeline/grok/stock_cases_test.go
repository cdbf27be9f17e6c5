package grok

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected fields in testdata/stock.txt")

// TestStockNames holds the sets to the list of names.
func TestStockNames(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := map[bool]map[string]bool{false: {}, true: {}}
	for line := range strings.Lines(string(text)) {
		which, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if which == "#" {
			continue
		}
		want[true][name] = true
		want[false][name] = which == "both"
	}
	for _, ecs := range []bool{false, true} {
		count := 0
		for name, has := range want[ecs] {
			if _, ok := Stock(ecs).Definition(name); ok != has {
				t.Errorf("ecs=%v: %s is defined: %v, want %v", ecs, name, ok, has)
			}
			if has {
				count++
			}
		}
		if got := len(Stock(ecs).Names()); got != count {
			t.Errorf("ecs=%v: %d names, want %d", ecs, got, count)
		}
	}
}

// stockCase is one line of testdata/stock.txt: a text that a name must take whole, or must not.
type stockCase struct {
	name, text string
	bad        bool
	at         int // line of the file
}

var unescape = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\\`, `\`)

// TestStockCases runs testdata/stock.txt: "== NAME" begins the cases of a name, "+ text" is a text it takes whole, with the fields of
// the legacy and the ECS set on lines behind it, "- text" one it does not. In a text \t, \n and \\ are escapes.
func TestStockCases(t *testing.T) {
	t.Parallel()
	const file = "testdata/stock.txt"
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out strings.Builder
	var c stockCase
	want := map[bool]string{}
	cache := stockCache{}
	flush := func() {
		if c.text == "" || c.bad {
			return
		}
		for _, ecs := range []bool{false, true} {
			checkGood(t, cache, c, ecs, want[ecs], &out)
		}
		c.text = ""
		clear(want)
	}
	lines := bufio.NewScanner(f)
	for at := 1; lines.Scan(); at++ {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "  legacy: "); ok {
			want[false] = rest
			continue
		}
		if rest, ok := strings.CutPrefix(line, "  ecs:    "); ok {
			want[true] = rest
			continue
		}
		flush()
		out.WriteString(line + "\n")
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "==":
			c.name = rest
		case "+", "-":
			c = stockCase{c.name, rest, kind == "-", at}
			if c.bad {
				checkBad(t, cache, c)
			}
		}
	}
	flush()
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stockCache holds the patterns of the name at hand, which has several cases.
type stockCache map[string]*Pattern

func (cache stockCache) pattern(t *testing.T, c stockCase, ecs bool) *Pattern {
	t.Helper()
	key := fmt.Sprint(c.name, ecs)
	if p, ok := cache[key]; ok {
		return p
	}
	if _, ok := Stock(ecs).Definition(c.name); !ok {
		return nil
	}
	p, err := Stock(ecs).Compile(`\A%{`+c.name+`}\z`, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	cache[key] = p
	return p
}

func checkGood(t *testing.T, cache stockCache, c stockCase, ecs bool, want string, out *strings.Builder) {
	t.Helper()
	p := cache.pattern(t, c, ecs)
	if p == nil {
		return
	}
	got, ok := fields(t, p, unescape.Replace(c.text))
	if !ok {
		t.Errorf("stock.txt:%d: ecs=%v: %s does not take %q", c.at, ecs, c.name, c.text)
		return
	}
	got = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`).Replace(got)
	if got != want && !*update {
		t.Errorf("stock.txt:%d: ecs=%v: %s on %q\n got %s\nwant %s", c.at, ecs, c.name, c.text, got, want)
	}
	if got == "" {
		return
	}
	label := "  legacy: "
	if ecs {
		label = "  ecs:    "
	}
	out.WriteString(label + got + "\n")
}

func checkBad(t *testing.T, cache stockCache, c stockCase) {
	t.Helper()
	for _, ecs := range []bool{false, true} {
		if p := cache.pattern(t, c, ecs); p != nil {
			if got, ok := fields(t, p, unescape.Replace(c.text)); ok {
				t.Errorf("stock.txt:%d: ecs=%v: %s takes %q: %s", c.at, ecs, c.name, c.text, got)
			}
		}
	}
}
