package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/timefmt"
)

// Template is a text with %{field}, %{+joda}, %{+%s}, %{{java.time}} or %{{TIME_NOW}} in it. It is immutable.
type Template struct {
	text  string
	parts []part
}

type part struct {
	lit    string // as written; what a missing field leaves
	path   *event.Path
	layout *timefmt.Layout
	kind   partKind
}

type partKind uint8

const (
	partText partKind = iota
	partField
	partDate
	partEpoch // %{+%s}
	partNow   // %{{TIME_NOW}}
)

// ParseTemplate compiles a text.
func ParseTemplate(s string) (*Template, error) {
	t := &Template{text: s}
	for s != "" {
		at := strings.Index(s, "%{")
		if at < 0 {
			break
		}
		end := closing(s[at:])
		if end < 0 {
			break
		}
		if at > 0 {
			t.parts = append(t.parts, part{lit: s[:at]})
		}
		whole := s[at : at+end]
		p, err := parsePart(whole)
		if err != nil {
			return nil, fmt.Errorf("template %q: %w", t.text, err)
		}
		t.parts = append(t.parts, p)
		s = s[at+end:]
	}
	if s != "" {
		t.parts = append(t.parts, part{lit: s})
	}
	return t, nil
}

// closing is the length of the %{...} or %{{...}} that s begins with, -1 when it does not end.
func closing(s string) int {
	if strings.HasPrefix(s, "%{{") {
		if i := strings.Index(s, "}}"); i >= 0 {
			return i + 2
		}
	}
	if i := strings.IndexByte(s, '}'); i >= 0 {
		return i + 1
	}
	return -1
}

func parsePart(whole string) (part, error) {
	p := part{lit: whole}
	inner := whole[2 : len(whole)-1]
	var err error
	switch {
	case strings.HasPrefix(inner, "{") && strings.HasSuffix(inner, "}"):
		inner = inner[1 : len(inner)-1]
		if inner == "TIME_NOW" {
			p.kind = partNow
			return p, nil
		}
		p.kind = partDate
		p.layout, err = timefmt.Compile(inner, timefmt.Java)
	case inner == "" || inner == "+%s":
		p.kind = partEpoch
	case inner[0] == '+':
		if inner == "+ISO8601" {
			return p, fmt.Errorf("%%{+ISO8601} is no pattern; write %%{{ISO8601}} letter by letter or use %%{@timestamp}")
		}
		p.kind = partDate
		p.layout, err = timefmt.Compile(inner[1:], timefmt.Joda)
	default:
		p.kind = partField
		p.path, err = event.ParsePath(inner)
	}
	return p, err
}

// String is the text as written.
func (t *Template) String() string { return t.text }

// Const reports whether the text is the same for every event.
func (t *Template) Const() bool {
	return len(t.parts) == 0 || len(t.parts) == 1 && t.parts[0].kind == partText
}

// UsesClock reports whether the text depends on the moment it is made.
func (t *Template) UsesClock() bool {
	for _, p := range t.parts {
		if p.kind == partNow {
			return true
		}
	}
	return false
}

// Append appends the text for e. A missing field leaves its %{name}, a missing @timestamp nothing.
func (t *Template) Append(dst []byte, e *event.Event) []byte {
	for i := range t.parts {
		p := &t.parts[i]
		switch p.kind {
		case partText:
			dst = append(dst, p.lit...)
		case partField:
			if v, ok := e.Get(p.path); ok && !v.IsNil() {
				dst = e.Batch().AppendText(dst, v)
			} else {
				dst = append(dst, p.lit...)
			}
		case partDate:
			if ns, ok := e.Timestamp(); ok {
				dst = p.layout.Append(dst, ns, time.UTC)
			}
		case partEpoch:
			if ns, ok := e.Timestamp(); ok {
				dst = strconv.AppendInt(dst, time.Unix(0, ns).Unix(), 10)
			}
		case partNow:
			dst = event.AppendISO(dst, time.Now().UnixNano())
		}
	}
	return dst
}

// Render is the text for e; it lives as long as the batch.
func (t *Template) Render(e *event.Event) string {
	if t.Const() {
		return t.text
	}
	if len(t.parts) == 1 && t.parts[0].kind == partField {
		if v, ok := e.Get(t.parts[0].path); ok && v.Kind() == event.StringKind {
			return v.Str()
		}
	}
	return e.Batch().Compose(func(dst []byte) []byte { return t.Append(dst, e) })
}

// Ref is a field reference that may hold %{}. It belongs to one goroutine.
type Ref struct {
	path *event.Path
	tpl  *Template
	last string
	seen *event.Path
}

// Path is the reference for e, nil when the text makes none.
func (r *Ref) Path(e *event.Event) *event.Path {
	if r.path != nil {
		return r.path
	}
	s := r.tpl.Render(e)
	if s == r.last && r.seen != nil {
		return r.seen
	}
	s = strings.Clone(s)
	p, err := event.ParsePath(s)
	if err != nil {
		return nil
	}
	r.last, r.seen = s, p
	return p
}

// Const is the reference when it is the same for every event, else nil.
func (r *Ref) Const() *event.Path { return r.path }

func (r *Ref) String() string { return r.tpl.text }
