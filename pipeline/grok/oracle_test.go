package grok

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// randomExpr writes a random expression over a small alphabet. Groups and back references are numbered, so names do not get in the way.
type randomExpr struct {
	r      *rand.Rand
	b      strings.Builder
	groups int
	wide   bool // characters past ASCII too
	refs   bool // back references and conditionals
	behind bool // inside a look-behind: fixed width only
}

func (e *randomExpr) pick(l ...string) { e.b.WriteString(l[e.r.IntN(len(l))]) }

func (e *randomExpr) alternatives(depth int) {
	for i := range 1 + e.r.IntN(3) {
		if i > 0 {
			e.b.WriteByte('|')
		}
		for range e.r.IntN(4) {
			e.element(depth)
		}
	}
}

func (e *randomExpr) element(depth int) {
	before := e.b.Len()
	e.atom(depth)
	if e.b.Len() == before || e.behind {
		return
	}
	if e.r.IntN(5) < 2 {
		e.pick("*", "+", "?", "*?", "+?", "??", "*+", "?+", "++", "{2}", "{1,3}", "{0,2}?", "{2,}", "{9,12}", "{3,10}?", "{,2}")
	}
}

func (e *randomExpr) atom(depth int) {
	n := e.r.IntN(20)
	if depth <= 0 {
		n = e.r.IntN(10)
	}
	switch {
	case n < 6:
		e.pick("a", "b", "c", "ab", "bc", " ", "a", "b")
		if e.wide {
			e.pick("", "é", "漢")
		}
	case n < 9:
		e.pick("[ab]", "[^a]", ".", "\\w", "\\s", "[a-c]", "\\d", "[^ \"]")
		if e.wide {
			e.pick("", "[[:alpha:]]", "[é-ü]", "[^é]", "\\p{Han}")
		}
	case n == 9:
		e.pick("\\b", "^", "$", "\\B", "\\z")
	case n < 14:
		if e.behind {
			return
		}
		e.groups++
		e.wrap("(", depth)
	case n < 16:
		e.wrap("(?:", depth)
	case n == 16:
		e.wrap("(?>", depth)
	case n == 17:
		if e.behind {
			return
		}
		e.b.WriteString([]string{"(?=", "(?!"}[e.r.IntN(2)])
		e.alternatives(depth - 1)
		e.b.WriteByte(')')
	case n == 18:
		was := e.behind
		e.behind = true
		e.b.WriteString([]string{"(?<=", "(?<!"}[e.r.IntN(2)])
		for range 1 + e.r.IntN(2) {
			e.atom(0)
		}
		e.b.WriteByte(')')
		e.behind = was
	case e.refs && e.groups > 0 && !e.behind:
		fmt.Fprintf(&e.b, "\\%d", 1+e.r.IntN(e.groups))
	}
}

func (e *randomExpr) wrap(open string, depth int) {
	e.b.WriteString(open)
	e.alternatives(depth - 1)
	e.b.WriteByte(')')
}

func randomSubject(r *rand.Rand, wide bool) string {
	pieces := []string{"a", "b", "c", "ab", " ", "aa", "bc", "a", "\"", "1", "\n"}
	if wide {
		pieces = append(pieces, "é", "漢", "ü")
	}
	var b strings.Builder
	for range r.IntN(14) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// oracle finds the first match by walking the parsed tree.
func oracle(tree *node, groups int, s string) (loc []int, ok bool, gave bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != ErrTimeout {
				panic(r)
			}
			gave = true
		}
	}()
	w := &walker{s: s, caps: make([]int32, 2*groups), limit: 5000}
	for at := 0; at <= len(s); at++ {
		if at < len(s) && !utf8.RuneStart(s[at]) {
			continue
		}
		for i := range w.caps {
			w.caps[i] = -1
		}
		w.kept = -1
		end := 0
		if w.match(tree, at, func(e int) bool { end = e; return true }) {
			loc = append(loc, at, end)
			for i := 0; i < len(w.caps); i += 2 {
				from, to := int(w.caps[i]), int(w.caps[i+1])
				if to < 0 {
					from = -1
				}
				loc = append(loc, from, to)
			}
			return loc, true, false
		}
	}
	return nil, false, false
}

// compareWithOracle runs one expression on one text in all ways the package has.
func compareWithOracle(t *testing.T, expr string, re *Regexp, tree *node, s string) {
	t.Helper()
	want, ok, gave := oracle(tree, re.NumGroups(), s)
	if gave {
		return
	}
	for _, eager := range []bool{false, true} {
		m := &machine{}
		m.init(re.prog)
		m.eager = eager
		got, err := m.search([]byte(s), 0)
		if err != nil {
			t.Fatalf("%q on %q: %v", expr, s, err)
		}
		if got != ok {
			t.Fatalf("%q on %q, eager %v: match %v, want %v %v", expr, s, eager, got, ok, want)
		}
		if !got {
			continue
		}
		loc := []int{m.from, m.to}
		for i := 0; i < len(m.caps); i += 2 {
			from, to := int(m.caps[i]), int(m.caps[i+1])
			if to < 0 || from < 0 {
				from, to = -1, -1
			}
			loc = append(loc, from, to)
		}
		if !slices.Equal(loc, want) {
			t.Fatalf("%q on %q, eager %v: got %v, want %v", expr, s, eager, loc, want)
		}
	}
}

func parsedTree(expr string) (*node, error) {
	ps := &parser{text: expr}
	tree, err := ps.parse()
	if err != nil {
		return nil, err
	}
	r := &resolver{text: expr, keep: true}
	return r.resolve(tree)
}

// TestMachineAgreesWithWalk compares the machine, with the guard late and at once, with the plain walk over the tree.
func TestMachineAgreesWithWalk(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, kind := range []struct {
		name       string
		wide, refs bool
	}{{"ascii", false, false}, {"wide", true, false}, {"references", false, true}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 3))
			for range oracleRounds / testShare {
				e := &randomExpr{r: r, wide: kind.wide, refs: kind.refs}
				e.alternatives(3)
				expr := e.b.String()
				tree, err := parsedTree(expr)
				if err != nil {
					continue
				}
				re, err := CompileRegexp(expr)
				if err != nil {
					continue
				}
				for range 12 {
					compareWithOracle(t, expr, re, tree, randomSubject(r, kind.wide))
				}
			}
		})
	}
}

const oracleRounds = 600 // expressions of each kind
