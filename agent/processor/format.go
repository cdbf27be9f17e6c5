package processor

import (
	"fmt"
	"strings"

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
}

// ParseFormat reads a format string. A date (%{+yyyy.MM.dd}) is refused: what it names must be constant for a file.
func ParseFormat(s string) (Format, error) {
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
		p, err := parseFormatField(s[i+2 : i+end])
		if err != nil {
			return f, fmt.Errorf("format string %q: %w", whole, err)
		}
		f.parts = append(f.parts, p)
		s = s[i+end+1:]
	}
	return f, nil
}

func parseFormatField(s string) (formatPart, error) {
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
func (f *Format) Text(t map[string]any) (s string, missing bool) {
	var b strings.Builder
	for _, p := range f.parts {
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
