package conf

import (
	"fmt"
	"strings"
	"unicode"
)

// Error is a fault of a configuration, or with Warning set a remark.
type Error struct {
	File      string
	Line, Col int
	Msg       string
	Hint      string // what was probably meant, how to mend it; may be empty
	Source    string // the line it is about
	Warning   bool
}

// Error is file:line:column: message (hint).
func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Len is how many bytes at the column the message is about: the word or text that begins there, or one.
func (e *Error) Len() int {
	if e.Col < 1 || e.Col > len(e.Source) {
		return 1
	}
	s := e.Source[e.Col-1:]
	if s[0] == '"' || s[0] == '\'' {
		if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
			return i + 2
		}
	}
	n := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' })
	switch {
	case n < 0:
		return len(s)
	case n == 0:
		return 1
	}
	return n
}

// Detail is Error with the line and a caret below the column.
func (e *Error) Detail() string {
	kind := "error"
	if e.Warning {
		kind = "warning"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: %s: %s\n", e.File, e.Line, e.Col, kind, e.Msg)
	if e.Source != "" {
		line := strings.ReplaceAll(e.Source, "\t", " ")
		fmt.Fprintf(&b, "  %s\n  %s^\n", line, strings.Repeat(" ", max(0, e.Col-1)))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "  %s\n", e.Hint)
	}
	return b.String()
}

// Errors is all faults of a configuration, in order.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Faults is the errors that are not remarks.
func (e Errors) Faults() Errors {
	var f Errors
	for _, x := range e {
		if !x.Warning {
			f = append(f, x)
		}
	}
	return f
}

// ErrorAt makes an error at pos.
func ErrorAt(pos Pos, hint, format string, args ...any) *Error {
	return &Error{File: pos.File, Line: pos.Line, Col: pos.Col, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// Nearest is the one of names that is most like name, or "" when none is near: at most two letters added, left out, changed or
// swapped.
func Nearest(name string, names []string) string {
	best, at := "", 3
	for _, n := range names {
		if d := distance(name, n, at); d < at && 2*d <= len(name) {
			best, at = n, d
		}
	}
	return best
}

// distance is the Damerau-Levenshtein distance of a and b, or limit when it is not below.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var before []int
	prev := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev = prev, row
	}
	return min(prev[len(b)], limit)
}
