package grok

import (
	"fmt"
	"slices"
	"strings"
)

// expander finds the definitions that %{NAME} refers to and reads each once.
type expander struct {
	set    *Set
	inline map[string]string // %{NAME=pattern}
	opts   Options
	trees  map[string]*node
	chain  []string // definitions being read, outermost first
	lints  []Lint
	names  bool // every definition keeps its name in the tree, not only those with a recognizer
}

// Lint is a remark on a pattern that works, but perhaps not as its author thinks.
type Lint struct {
	Offset int
	Msg    string
}

// ref is a taken-apart %{NAME:field:type=inline rest}.
type ref struct {
	name, field, typ, inline string
	hasInline                bool
	size                     int // bytes up to and with the closing brace
}

// A name holds the bytes of the range A-z and digits, so [ \ ] ^ _ and the backtick too.
func isNameChar(r rune) bool { return r >= 'A' && r <= 'z' || r >= '0' && r <= '9' }

func isFieldChar(r rune) bool {
	return isNameChar(r) || r == '@' || r == '[' || r == ']' || r == ':' || r == '.' || r == '-'
}

// lazyEnd finds a lazy repeat, which may take nothing, at the end of a pattern.
func lazyEnd(root *node) (offset int, ok bool) {
	if root.kind != kSeq || len(root.kids) == 0 || len(root.offsets) != len(root.kids) {
		return 0, false
	}
	last := len(root.kids) - 1
	n := root.kids[last]
	for n.kind == kGroup || n.kind == kNamed || n.kind == kSeq && len(n.kids) > 0 {
		n = n.kids[len(n.kids)-1]
	}
	return root.offsets[last], n.kind == kRep && n.lazy && n.min == 0
}

// splitRef reads a reference at the start of s. What stands between the field and the brace has no meaning.
func splitRef(s string) (ref, bool) {
	var r ref
	if !strings.HasPrefix(s, "%{") {
		return r, false
	}
	at := 2
	run := func(ok func(rune) bool) string {
		from := at
		for at < len(s) && ok(rune(s[at])) {
			at++
		}
		return s[from:at]
	}
	if r.name = run(isNameChar); r.name == "" {
		return r, false
	}
	if at+1 < len(s) && s[at] == ':' && isFieldChar(rune(s[at+1])) {
		at++
		parts := strings.SplitN(run(isFieldChar), ":", 3)
		r.field = parts[0]
		if len(parts) > 1 {
			r.typ, _, _ = strings.Cut(strings.Join(parts[1:], ":"), ":")
		}
	}
	if at < len(s) && s[at] == '=' {
		if n := inlineLen(s[at+1:]); n > 0 {
			r.inline, r.hasInline = s[at+1:at+1+n], true
			at += 1 + n
		}
	}
	end := strings.IndexByte(s[at:], '}')
	if end < 0 {
		return r, false
	}
	r.size = at + end + 1
	return r, true
}

// inlineLen returns the length of an inline definition: up to the brace that closes the reference.
func inlineLen(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return 0
}

func (x *expander) isReference(s string) bool {
	_, ok := splitRef(s)
	return ok
}

// reference reads %{...} if one stands here.
func (p *parser) reference() *node {
	if p.lib == nil {
		return nil
	}
	r, ok := splitRef(p.rest())
	if !ok {
		return nil
	}
	start := p.at
	p.at += r.size
	if r.hasInline {
		p.lib.inline[r.name] = r.inline
		delete(p.lib.trees, r.name)
	}
	body := p.lib.tree(p, r.name, start)
	field := r.field
	if field == "" {
		if p.lib.opts.NamedCapturesOnly {
			return body
		}
		field = r.name
	}
	n := &node{kind: kGroup, str: field, kids: []*node{body}, at: start}
	switch r.typ {
	case "", "string":
	case "int":
		n.typ = Int
	case "float":
		n.typ = Float
	default:
		p.lib.lint(start, "type %q of %%{%s:%s:%s} is ignored; int and float are known", r.typ, r.name, r.field, r.typ)
	}
	p.names = true
	return n
}

func (x *expander) lint(at int, format string, args ...any) {
	if len(x.chain) == 0 {
		x.lints = append(x.lints, Lint{at, fmt.Sprintf(format, args...)})
	}
}

// tree returns the tree of a definition.
func (x *expander) tree(p *parser, name string, at int) *node {
	if n, ok := x.trees[name]; ok {
		return n
	}
	if i := slices.Index(x.chain, name); i >= 0 {
		p.fail(at, "definition refers to itself: %s", strings.Join(append(slices.Clone(x.chain[i:]), name), " -> "))
	}
	if len(x.chain) >= maxDepth {
		p.fail(at, "references nest deeper than %d", maxDepth)
	}
	text, inline := x.inline[name]
	stock := false
	if !inline {
		var ok bool
		if text, stock, ok = x.set.lookup(name); !ok {
			p.fail(at, "pattern %s is not defined%s", name, x.suggest(name))
		}
	}
	x.chain = append(x.chain, name)
	sub := &parser{text: text, lib: x, flags: flags{dotAll: true}}
	n, err := sub.parse()
	if err != nil {
		e := err.(*Error)
		if len(e.Chain) == 0 {
			e.Chain = slices.Clone(x.chain)
		}
		panic(e)
	}
	x.chain = x.chain[:len(x.chain)-1]
	if _, known := recognizers[name]; known && stock || x.names {
		n = &node{kind: kNamed, str: name, kids: []*node{n}}
	}
	x.trees[name] = n
	return n
}

// suggest names the closest definition.
func (x *expander) suggest(name string) string {
	best, dist := "", didYouMean+1
	for _, n := range x.set.Names() {
		if d := editDistance(strings.ToUpper(name), n, dist); d < dist {
			best, dist = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// editDistance counts the letters to insert, delete or replace; limit or more is reported as limit.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return min(row[len(b)], limit)
}
