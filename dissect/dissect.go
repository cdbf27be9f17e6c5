// Package dissect takes texts apart at fixed delimiters: no regular expression, one pass, no allocation.
//
// A pattern is text with %{} in it. What stands between two of them is the delimiter that ends the first:
//
//	%{clientip} - %{user} [%{ts}] "%{verb} %{path}"
//
//	%{name}     the text goes to name
//	%{}         the text is skipped
//	%{?name}    skipped, but %{&name} may use it as its name
//	%{&name}    the text goes to the field named by %{?name}
//	%{+name}    the text is appended to name, behind the delimiter that stands before it
//	%{+name/2}  the same; parts are put together in the order of the numbers
//	%{name->}   the delimiter may be repeated
//
// A text that does not hold every delimiter in order does not match at all.
package dissect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is what happens to a piece.
type Kind uint8

const (
	Plain Kind = iota
	Skip
	Name   // %{?name}
	Value  // %{&name}
	Append // %{+name}
)

// Field is a %{} of a pattern.
type Field struct {
	Kind  Kind
	Key   string
	Order int    // of Append, -1 without
	Pad   bool   // %{name->}
	Delim string // behind it; "" at the end of the pattern
	lead  string // before it
}

// Pattern is a compiled pattern. It is immutable.
type Pattern struct {
	text   string
	prefix string
	fields []Field
	groups []group
}

// group is a key and the fields whose texts make its value.
type group struct {
	key   string
	parts []int
}

// Span is a piece of a text: bytes From to To.
type Span struct{ From, To int }

// Compile reads a pattern.
func Compile(pattern string) (*Pattern, error) {
	p := &Pattern{text: pattern}
	rest := pattern
	for {
		at := strings.Index(rest, "%{")
		if at < 0 {
			break
		}
		end := strings.IndexByte(rest[at:], '}')
		if end < 0 {
			return nil, fmt.Errorf("dissect pattern %q: %%{ without }", pattern)
		}
		if len(p.fields) == 0 {
			p.prefix = rest[:at]
		} else {
			last := &p.fields[len(p.fields)-1]
			if last.Delim = rest[:at]; at == 0 {
				return nil, fmt.Errorf("dissect pattern %q: no delimiter between %%{%s} and the next field", pattern, last.Key)
			}
		}
		f, err := parseField(rest[at+2 : at+end])
		if err != nil {
			return nil, fmt.Errorf("dissect pattern %q: %w", pattern, err)
		}
		if len(p.fields) > 0 {
			f.lead = rest[:at]
		}
		p.fields = append(p.fields, f)
		rest = rest[at+end+1:]
	}
	if len(p.fields) == 0 {
		return nil, fmt.Errorf("dissect pattern %q: there is no %%{field}", pattern)
	}
	p.fields[len(p.fields)-1].Delim = rest
	return p, p.group()
}

func parseField(s string) (Field, error) {
	f := Field{Order: -1}
	if t, ok := strings.CutSuffix(s, "->"); ok {
		f.Pad, s = true, t
	}
	if s == "" {
		f.Kind = Skip
		return f, nil
	}
	switch s[0] {
	case '?':
		f.Kind, s = Name, s[1:]
	case '&':
		f.Kind, s = Value, s[1:]
	case '+':
		f.Kind, s = Append, s[1:]
		if key, n, ok := strings.Cut(s, "/"); ok {
			order, err := strconv.Atoi(n)
			if err != nil || order < 0 {
				return f, fmt.Errorf("%q behind / is no number", n)
			}
			f.Order, s = order, key
		}
	}
	if s == "" {
		return f, fmt.Errorf("a name is missing in %%{}")
	}
	f.Key = s
	return f, nil
}

// group collects the fields that make one value.
func (p *Pattern) group() error {
	names := make(map[string]bool)
	for _, f := range p.fields {
		if f.Kind == Name {
			names[f.Key] = true
		}
	}
	for i, f := range p.fields {
		switch f.Kind {
		case Plain, Append:
			g := slices.IndexFunc(p.groups, func(g group) bool { return g.key == f.Key })
			switch {
			case g < 0:
				p.groups = append(p.groups, group{f.Key, []int{i}})
			case f.Kind == Append:
				p.groups[g].parts = append(p.groups[g].parts, i)
			default:
				p.groups[g].parts = []int{i} // a name twice: the last text counts
			}
		case Value:
			if !names[f.Key] {
				return fmt.Errorf("dissect pattern %q: %%{&%s} without %%{?%s}", p.text, f.Key, f.Key)
			}
		}
	}
	for _, g := range p.groups {
		slices.SortStableFunc(g.parts, func(a, b int) int { return p.fields[a].Order - p.fields[b].Order })
	}
	return nil
}

// joint stands before an appended part: the delimiter before it, or for the first field of the pattern the one behind it.
func (f *Field) joint() string {
	if f.lead != "" {
		return f.lead
	}
	return f.Delim
}

// String is the pattern.
func (p *Pattern) String() string { return p.text }

// Fields are the fields in order. The slice is the pattern's own.
func (p *Pattern) Fields() []Field { return p.fields }

// Match appends the piece of each field to dst; ok is false, and dst as it was, when s does not fit.
func (p *Pattern) Match(dst []Span, s string) (pieces []Span, ok bool) {
	if !strings.HasPrefix(s, p.prefix) {
		return dst, false
	}
	from, before := len(p.prefix), len(dst)
	for i := range p.fields {
		f := &p.fields[i]
		if f.Delim == "" {
			dst = append(dst, Span{from, len(s)})
			return dst, true
		}
		n := strings.Index(s[from:], f.Delim)
		if n < 0 {
			return dst[:before], false
		}
		dst = append(dst, Span{from, from + n})
		from += n + len(f.Delim)
		for f.Pad && strings.HasPrefix(s[from:], f.Delim) {
			from += len(f.Delim)
		}
	}
	return dst, true
}

// Each calls f with each key and its text, in order of first appearance; pieces are those of Match of s. Texts alias s unless they
// are put together of several.
func (p *Pattern) Each(s string, pieces []Span, f func(key, text string)) {
	text := func(i int) string { return s[pieces[i].From:pieces[i].To] }
	for _, g := range p.groups {
		if len(g.parts) == 1 {
			f(g.key, text(g.parts[0]))
			continue
		}
		var b strings.Builder
		for k, i := range g.parts {
			if k > 0 {
				b.WriteString(p.fields[i].joint())
			}
			b.WriteString(text(i))
		}
		f(g.key, b.String())
	}
	for i := range p.fields {
		if p.fields[i].Kind != Value {
			continue
		}
		k := slices.IndexFunc(p.fields, func(n Field) bool { return n.Kind == Name && n.Key == p.fields[i].Key })
		f(text(k), text(i))
	}
}
