package processor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// Format is a format string: text with %{[a.b]} or %{[a.b]:default}.
type Format struct {
	parts []formatPart
}

// formatPart is a text, or a field with what stands for it when it is missing.
type formatPart struct {
	text     string
	field    string
	fallback string
	hasElse  bool
	layout   string // of a date, in Go's form
}

// ParseFormat reads a format string. A date (%{+yyyy.MM.dd}) is refused: what it names must be constant for a file.
func ParseFormat(s string) (Format, error) { return parseFormat(s, false) }

// ParseDated reads a format string that may hold dates.
func ParseDated(s string) (Format, error) { return parseFormat(s, true) }

func parseFormat(s string, dates bool) (Format, error) {
	var f Format
	whole := s
	for s != "" {
		i := strings.Index(s, "%{")
		if i < 0 {
			f.parts = append(f.parts, formatPart{text: s})
			break
		}
		if i > 0 {
			f.parts = append(f.parts, formatPart{text: s[:i]})
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			return f, fmt.Errorf("format string %q: no closing brace", whole)
		}
		p, err := parseFormatField(s[i+2:i+end], dates)
		if err != nil {
			return f, fmt.Errorf("format string %q: %w", whole, err)
		}
		f.parts = append(f.parts, p)
		s = s[i+end+1:]
	}
	return f, nil
}

func parseFormatField(s string, dates bool) (formatPart, error) {
	if date, ok := strings.CutPrefix(s, "+"); ok && dates {
		layout, err := goLayout(date)
		return formatPart{layout: layout}, err
	}
	if strings.HasPrefix(s, "+") {
		return formatPart{}, fmt.Errorf("%%{%s}: dates are not supported here", s)
	}
	name, rest, ok := strings.Cut(strings.TrimPrefix(s, "["), "]")
	if !strings.HasPrefix(s, "[") || !ok || name == "" {
		return formatPart{}, fmt.Errorf("%%{%s}: want %%{[field]} or %%{[field]:default}", s)
	}
	p := formatPart{field: strings.ReplaceAll(name, "][", ".")}
	if rest != "" {
		if p.fallback, p.hasElse = strings.CutPrefix(rest, ":"); !p.hasElse {
			return formatPart{}, fmt.Errorf("%%{%s}: unexpected %q", s, rest)
		}
	}
	return p, nil
}

// Text fills the fields in from t; missing says that one without a default is not there.
func (f *Format) Text(t map[string]any) (s string, missing bool) { return f.TextAt(t, time.Time{}) }

// Dated reports whether the string holds a date.
func (f *Format) Dated() bool {
	return slices.ContainsFunc(f.parts, func(p formatPart) bool { return p.layout != "" })
}

// TextAt is Text for an event of that time; dates are in UTC.
func (f *Format) TextAt(t map[string]any, at time.Time) (s string, missing bool) {
	var b strings.Builder
	for _, p := range f.parts {
		if p.layout != "" {
			b.WriteString(at.UTC().Format(p.layout))
			continue
		}
		if p.field == "" {
			b.WriteString(p.text)
			continue
		}
		v, ok := tree.Get(t, p.field)
		switch {
		case ok:
			b.WriteString(tree.Text(v))
		case p.hasElse:
			b.WriteString(p.fallback)
		default:
			missing = true
		}
	}
	return b.String(), missing
}

// dateParts are the letters of a date in a format string, longest first.
var dateParts = [...]struct{ in, out string }{
	{"yyyy", "2006"}, {"YYYY", "2006"}, {"xxxx", "2006"}, {"yy", "06"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"dd", "02"},
	{"EEEE", "Monday"}, {"EEE", "Mon"}, {"HH", "15"}, {"mm", "04"}, {"ss", "05"}, {"SSS", "000"}, {"ZZ", "-07:00"}, {"Z", "-0700"},
	{"DDD", "002"},
}

// goLayout is a date pattern (yyyy.MM.dd) in Go's form.
func goLayout(pattern string) (string, error) {
	var b strings.Builder
next:
	for pattern != "" {
		for _, p := range dateParts {
			if rest, ok := strings.CutPrefix(pattern, p.in); ok {
				b.WriteString(p.out)
				pattern = rest
				continue next
			}
		}
		if c := pattern[0]; c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return "", fmt.Errorf("date pattern: %q is not supported", pattern)
		}
		b.WriteByte(pattern[0])
		pattern = pattern[1:]
	}
	return b.String(), nil
}
