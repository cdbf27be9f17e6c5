package config

import (
	"fmt"
	"strings"
)

// Pos is a place in a file; Line and Col count from 1, Col in characters.
type Pos struct {
	File      string
	Line, Col int
}

func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is one mistake in a file.
type Error struct {
	Pos  Pos
	Msg  string // what is wrong
	Hint string // what was probably meant, or how to mend it; may be empty
	Text string // the line it stands in
	Len  int    // characters to underline, at least 1
}

// Error is one line: place, what is wrong, hint.
func (e *Error) Error() string {
	s := e.Pos.String() + ": " + e.Msg
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

// Excerpt is the error as a person reads it: place, line and caret.
func (e *Error) Excerpt() string {
	var b strings.Builder
	fmt.Fprintf(&b, "error: %s\n", e.Msg)
	if e.Pos.Line == 0 {
		fmt.Fprintf(&b, "  --> %s\n", e.Pos)
		if e.Hint != "" {
			fmt.Fprintf(&b, "   = %s\n", e.Hint)
		}
		return b.String()
	}
	num := fmt.Sprint(e.Pos.Line)
	pad := strings.Repeat(" ", len(num))
	fmt.Fprintf(&b, "%s--> %s\n%s |\n%s | %s\n%s | %s%s", pad, e.Pos, pad, num, e.Text, pad, caretPad(e.Text, e.Pos.Col), strings.Repeat("^", max(1, e.Len)))
	if e.Hint != "" {
		b.WriteString(" " + e.Hint)
	}
	b.WriteByte('\n')
	return b.String()
}

// caretPad is the white space that puts a caret under column col, with the line's own tabs.
func caretPad(text string, col int) string {
	var b strings.Builder
	i := 1
	for _, r := range text {
		if i >= col {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
		i++
	}
	for ; i < col; i++ {
		b.WriteByte(' ')
	}
	return b.String()
}

// Errors are all mistakes of a reading, in order of place.
type Errors []*Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Excerpt joins the excerpts.
func (e Errors) Excerpt() string {
	parts := make([]string, len(e))
	for i, err := range e {
		parts[i] = err.Excerpt()
	}
	return strings.Join(parts, "\n")
}

// nearest is the candidate within two edits of word, or "".
func nearest(word string, candidates []string) string {
	best, dist := "", 3
	for _, c := range candidates {
		if d := edits(word, c); d < dist && d < max(len(word), 2) {
			best, dist = c, d
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance (optimal string alignment).
func edits(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
