package conf

import (
	"strings"
	"unicode/utf8"
)

// comment is a comment met between two tokens.
type comment struct {
	text string
	line int
	own  bool // nothing but white space before it on its line
}

// scanner holds the text and the place in it. Which token may come next depends on what was read before (a slash begins a regular
// expression only behind =~), so the parser asks for what it expects.
type scanner struct {
	file string
	src  string
	i    int

	line      int // of i
	lineStart int // offset of its first byte
	fresh     bool
	pending   []comment
}

func newScanner(file, src string) *scanner {
	return &scanner{file: file, src: src, line: 1, fresh: true}
}

func (s *scanner) pos() Pos {
	return Pos{s.file, s.line, utf8.RuneCountInString(s.src[s.lineStart:s.i]) + 1}
}

func (s *scanner) eof() bool { return s.i >= len(s.src) }

func (s *scanner) peek() byte {
	if s.eof() {
		return 0
	}
	return s.src[s.i]
}

func (s *scanner) has(prefix string) bool { return strings.HasPrefix(s.src[s.i:], prefix) }

// move steps to offset to, counting lines.
func (s *scanner) move(to int) {
	for ; s.i < to; s.i++ {
		if s.src[s.i] == '\n' {
			s.line++
			s.lineStart = s.i + 1
		}
	}
}

// space steps over white space and collects comments.
func (s *scanner) space() {
	for !s.eof() {
		switch c := s.src[s.i]; {
		case c == '\n':
			s.i++
			s.line++
			s.lineStart = s.i
			s.fresh = true
		case c == ' ' || c == '\t' || c == '\r':
			s.i++
		case c == '#':
			end := strings.IndexByte(s.src[s.i:], '\n')
			if end < 0 {
				end = len(s.src) - s.i
			}
			text := strings.TrimRight(s.src[s.i:s.i+end], " \t\r")
			s.pending = append(s.pending, comment{text, s.line, s.fresh})
			s.i += end
		default:
			s.fresh = false
			return
		}
	}
}

// lead takes the comments collected so far.
func (s *scanner) lead() []string {
	var lines []string
	for _, c := range s.pending {
		lines = append(lines, c.text)
	}
	s.pending = s.pending[:0]
	return lines
}

// trail takes the comment that ends line, if there is one.
func (s *scanner) trail(line int) string {
	s.space()
	if len(s.pending) == 0 || s.pending[0].own || s.pending[0].line != line {
		return ""
	}
	text := s.pending[0].text
	s.pending = append(s.pending[:0], s.pending[1:]...)
	return text
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// name reads [A-Za-z0-9_-]+, or returns "".
func (s *scanner) name() string {
	from := s.i
	for !s.eof() && (isLetter(s.src[s.i]) || isDigit(s.src[s.i]) || s.src[s.i] == '-') {
		s.i++
	}
	return s.src[from:s.i]
}

// quoted reads a string. ok is false when it never ends.
func (s *scanner) quoted() (text string, quote byte, ok bool) {
	quote = s.src[s.i]
	for j := s.i + 1; j < len(s.src); j++ {
		switch s.src[j] {
		case '\\':
			j++
		case quote:
			text = s.src[s.i+1 : j]
			s.move(j + 1)
			return text, quote, true
		}
	}
	return "", quote, false
}

// number reads -?[0-9]+(\.[0-9]*)?, or returns "".
func (s *scanner) number() string {
	j := s.i
	if j < len(s.src) && s.src[j] == '-' {
		j++
	}
	from := j
	for j < len(s.src) && isDigit(s.src[j]) {
		j++
	}
	if j == from {
		return ""
	}
	if j < len(s.src) && s.src[j] == '.' {
		j++
		for j < len(s.src) && isDigit(s.src[j]) {
			j++
		}
	}
	text := s.src[s.i:j]
	s.i = j
	return text
}

// sourceLine is line n of the text.
func (s *scanner) sourceLine(n int) string {
	lines := strings.SplitN(s.src, "\n", n+1)
	if n > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[n-1], "\r")
}
