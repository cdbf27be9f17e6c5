package lines

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// Matcher is a regular expression over lines. Patterns that are an anchored run of literals and ASCII classes (^\[, ^\s, ^\d{4}-)
// are tested byte by byte; others that need a certain text are searched for it first.
type Matcher struct {
	re      *regexp.Regexp
	prefix  []byteSet // not nil: the pattern is exactly this, anchored at the beginning
	literal []byte    // every match holds it
}

// byteSet says which bytes may stand at one place.
type byteSet [256 / 64]uint64

func (s *byteSet) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

// maxPrefix bounds the places of a byte test.
const maxPrefix = 64

// NewMatcher compiles a pattern in Go's syntax.
func NewMatcher(pattern string) (*Matcher, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	m := &Matcher{re: re}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	tree = tree.Simplify()
	m.prefix = anchoredSets(tree)
	m.literal = needed(tree)
	return m, nil
}

// NewMatchers compiles a list; the error names the pattern.
func NewMatchers(patterns []string) ([]*Matcher, error) {
	var out []*Matcher
	for _, p := range patterns {
		m, err := NewMatcher(p)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", p, err)
		}
		out = append(out, m)
	}
	return out, nil
}

// Match reports whether the pattern is found in text.
func (m *Matcher) Match(text []byte) bool {
	if m.prefix != nil {
		if len(text) < len(m.prefix) {
			return false
		}
		for i := range m.prefix {
			if !m.prefix[i].has(text[i]) {
				return false
			}
		}
		return true
	}
	if m.literal != nil && !bytes.Contains(text, m.literal) {
		return false
	}
	return m.re.Match(text)
}

// Any reports whether one of the matchers finds its pattern in text.
func Any(list []*Matcher, text []byte) bool {
	for _, m := range list {
		if m.Match(text) {
			return true
		}
	}
	return false
}

// anchoredSets is the pattern as one set per byte behind the beginning of the text, nil when it is of another form.
func anchoredSets(re *syntax.Regexp) []byteSet {
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText {
		return nil
	}
	var sets []byteSet
	for _, sub := range re.Sub[1:] {
		var ok bool
		if sets, ok = appendSets(sets, sub); !ok || len(sets) > maxPrefix {
			return nil
		}
	}
	return sets
}

func appendSets(sets []byteSet, re *syntax.Regexp) ([]byteSet, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if !exact(re) {
			return nil, false
		}
		for _, b := range []byte(string(re.Rune)) {
			var s byteSet
			s.add(b)
			sets = append(sets, s)
		}
		return sets, true
	case syntax.OpCharClass:
		var s byteSet
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i+1] >= utf8.RuneSelf {
				return nil, false
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				s.add(byte(r))
			}
		}
		return append(sets, s), true
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			var ok bool
			if sets, ok = appendSets(sets, sub); !ok {
				return nil, false
			}
		}
		return sets, true
	}
	return nil, false
}

// needed is a text every match holds: the longest literal of a concatenation.
func needed(re *syntax.Regexp) []byte {
	switch re.Op {
	case syntax.OpLiteral:
		if exact(re) {
			return []byte(string(re.Rune))
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpConcat:
		var best []byte
		for _, sub := range re.Sub {
			if l := needed(sub); len(l) > len(best) {
				best = l
			}
		}
		return best
	}
	return nil
}

// exact reports whether a literal matches only its own bytes: U+FFFD also matches bytes that are no UTF-8.
func exact(re *syntax.Regexp) bool {
	return re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError)
}
