package grok

import (
	"strconv"
	"time"
)

// Type is what a capture's text is converted to.
type Type uint8

const (
	String Type = iota
	Int         // ToInt
	Float       // ToFloat
)

// Capture is one field a pattern fills. Several groups of a pattern may fill the same field.
type Capture struct {
	Name string // as written: "clientip", "[source][ip]", "log.level"
	Type Type
}

// Options of Compile. DefaultOptions gives Logstash's.
type Options struct {
	NamedCapturesOnly bool          // false: %{NAME} without a field captures under NAME
	KeepEmpty         bool          // empty captures count; without it Group and Each pass over them
	LenientUTF8       bool          // false: text that is not valid UTF-8 does not match
	Timeout           time.Duration // wall limit of one match, looked at every few thousand steps; 0 = none
}

// DefaultOptions returns named captures only, empty ones dropped, and a limit of 30 s.
func DefaultOptions() Options {
	return Options{NamedCapturesOnly: true, Timeout: 30 * time.Second}
}

// Pattern is a compiled grok pattern, immutable and safe for concurrent use.
type Pattern struct {
	text     string
	opts     Options
	prog     *program
	captures []Capture
	groups   [][]int32 // groups that fill each capture, in the pattern's order
	lints    []Lint
	set      *Set // where Explain finds the definitions again
}

// Compile reads a pattern. The error is an *Error.
func (s *Set) Compile(pattern string, o Options) (*Pattern, error) {
	return s.compile(pattern, o, false)
}

// compile without recognizers, when generic is set, is what the tests compare with.
func (s *Set) compile(pattern string, o Options, generic bool) (*Pattern, error) {
	x := s.expander(o)
	tree, r, err := x.expand(pattern)
	if err != nil {
		return nil, err
	}
	if at, ok := lazyEnd(tree); ok {
		x.lints = append(x.lints, Lint{at, "a lazy pattern at the end, as %{DATA} is, always matches nothing; %{GREEDYDATA} takes the rest"})
	}
	p := &Pattern{text: pattern, opts: o, lints: x.lints, set: s}
	p.collect(r)
	if p.prog, err = compile(pattern, simplify(tree), len(r.names), generic); err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Set) expander(o Options) *expander {
	return &expander{set: s, inline: map[string]string{}, opts: o, trees: map[string]*node{}}
}

// expand parses a pattern with all it refers to, and numbers its groups.
func (x *expander) expand(pattern string) (*node, *resolver, error) {
	ps := &parser{text: pattern, lib: x, flags: flags{dotAll: true}}
	tree, err := ps.parse()
	if err != nil {
		return nil, nil, err
	}
	r := &resolver{text: pattern}
	if tree, err = r.resolve(tree); err != nil {
		return nil, nil, err
	}
	return tree, r, nil
}

// collect gathers the groups of each field, fields in order of first appearance.
func (p *Pattern) collect(r *resolver) {
	index := map[string]int{}
	for g, name := range r.names {
		if name == "" {
			continue
		}
		i, ok := index[name]
		if !ok {
			i = len(p.captures)
			index[name] = i
			p.captures = append(p.captures, Capture{Name: name, Type: r.types[g]})
			p.groups = append(p.groups, nil)
		}
		if p.captures[i].Type == String {
			p.captures[i].Type = r.types[g]
		}
		p.groups[i] = append(p.groups[i], int32(g))
	}
}

// String returns the pattern as it was written.
func (p *Pattern) String() string { return p.text }

// Captures lists the fields in order of first appearance. The slice is the Pattern's own.
func (p *Pattern) Captures() []Capture { return p.captures }

// Groups is the number of groups that fill capture i.
func (p *Pattern) Groups(i int) int { return len(p.groups[i]) }

// Lints returns remarks on the pattern.
func (p *Pattern) Lints() []Lint { return p.lints }

// Matcher matches one Pattern. It belongs to one goroutine and is reused from line to line.
type Matcher struct {
	p *Pattern
	m machine
}

// NewMatcher returns a Matcher.
func (p *Pattern) NewMatcher() *Matcher {
	m := &Matcher{p: p}
	m.m.init(p.prog)
	m.m.timeout = p.opts.Timeout
	return m
}

// Match searches b. Positions given by Group and Each are those of the last successful Match and refer to its b.
func (m *Matcher) Match(b []byte) (bool, error) {
	ok, err := m.m.search(b, 0)
	return m.decided(b, ok, err)
}

// matchKnown is Match of a text that holds the pattern's literal.
func (m *Matcher) matchKnown(b []byte, s string) (bool, error) {
	ok, err := m.m.searchFrom(s, 0, 0)
	return m.decided(b, ok, err)
}

func (m *Matcher) decided(b []byte, ok bool, err error) (bool, error) {
	if ok && !m.p.opts.LenientUTF8 && !validUTF8(b) {
		return false, nil
	}
	return ok, err
}

// Group returns the place of capture i's last occurrence; ok is false when it took no part or, without KeepEmpty, is empty.
func (m *Matcher) Group(i int) (from, to int, ok bool) {
	groups := m.p.groups[i]
	for k := len(groups) - 1; k >= 0; k-- {
		if from, to, ok = m.group(groups[k]); ok {
			return from, to, true
		}
	}
	return 0, 0, false
}

// Each calls f for every occurrence that counts: captures in order, occurrences of one capture in the pattern's order.
func (m *Matcher) Each(f func(i, from, to int)) {
	for i, groups := range m.p.groups {
		for _, g := range groups {
			if from, to, ok := m.group(g); ok {
				f(i, from, to)
			}
		}
	}
}

func (m *Matcher) group(g int32) (from, to int, ok bool) {
	from, to = int(m.m.caps[2*g]), int(m.m.caps[2*g+1])
	return from, to, to >= 0 && from >= 0 && (to > from || m.p.opts.KeepEmpty)
}

// Span returns the place of the whole match.
func (m *Matcher) Span() (from, to int) { return m.m.from, m.m.to }

// Guarded counts the matches of this Matcher that ran long enough for the guard to step in.
func (m *Matcher) Guarded() int64 { return m.m.guarded }

// ToInt converts as Ruby's to_i: an optional sign and leading digits, else 0. Past int64 it stops at the largest value.
func ToInt(b []byte) int64 {
	at := skipSpace(b)
	from := at
	if at < len(b) && (b[at] == '+' || b[at] == '-') {
		at++
	}
	for at < len(b) && b[at]-'0' <= 9 {
		at++
	}
	v, _ := strconv.ParseInt(string(b[from:at]), 10, 64) // keeps the nearest value when out of range
	return v
}

// ToFloat converts as Ruby's to_f: the longest decimal prefix, else 0.
func ToFloat(b []byte) float64 {
	from := skipSpace(b)
	at := from
	if at < len(b) && (b[at] == '+' || b[at] == '-') {
		at++
	}
	digits := func() bool {
		start := at
		for at < len(b) && b[at]-'0' <= 9 {
			at++
		}
		return at > start
	}
	if !digits() {
		return 0
	}
	if at+1 < len(b) && b[at] == '.' && b[at+1]-'0' <= 9 {
		at++
		digits()
	}
	if end := at; at < len(b) && b[at]|32 == 'e' {
		at++
		if at < len(b) && (b[at] == '+' || b[at] == '-') {
			at++
		}
		if !digits() {
			at = end
		}
	}
	v, _ := strconv.ParseFloat(string(b[from:at]), 64)
	return v
}

func skipSpace(b []byte) int {
	at := 0
	for at < len(b) && (b[at] == ' ' || b[at] >= '\t' && b[at] <= '\r') {
		at++
	}
	return at
}
