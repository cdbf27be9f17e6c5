package ruby

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokNewline
	tokInt
	tokFloat
	tokString
	tokSymbol
	tokRegexp
	tokWords   // %w[]
	tokSymbols // %i[]
	tokIdent
	tokConst
	tokIvar
	tokGvar
	tokLabel // name: of a hash or a keyword argument
	tokKeyword
	tokOp
)

// token is a word of the source. s is its text, or what it stands for.
type token struct {
	kind   tokenKind
	s      string
	parts  []strPart // string, symbol, regexp
	words  []string
	pos    int  // byte in the source
	space  bool // white space in front
	prefix bool // an operator that begins a value: unary minus, splat, block argument, index without receiver
}

// strPart is a piece of a string literal: text, or the code of a #{}.
type strPart struct {
	lit  string
	code string
	pos  int // of code
	eval bool
}

// state says what the token before makes possible.
type state uint8

const (
	stateBegin state = iota // a value is expected
	stateArg                // behind a name that may be a command: white space decides
	stateEnd                // behind a value
)

// lexer cuts source into tokens on demand: what a slash or a bracket means depends on the token before and on the local variables.
type lexer struct {
	src     string
	base    int // position of src in the whole
	i       int
	state   state
	prev    token
	isLocal func(string) bool
	ternary int // open ? of ?: which a label must not eat
	heredoc int // end of the heredoc bodies that begin behind this line, 0 when there are none
}

var keywords = map[string]state{"alias": stateBegin, "and": stateBegin, "begin": stateBegin, "BEGIN": stateBegin, "break": stateBegin, "case": stateBegin,
	"class": stateBegin, "def": stateBegin, "defined?": stateArg, "do": stateBegin, "else": stateBegin, "elsif": stateBegin, "end": stateEnd, "END": stateBegin,
	"ensure": stateBegin, "false": stateEnd, "for": stateBegin, "if": stateBegin, "in": stateBegin, "module": stateBegin, "next": stateBegin, "nil": stateEnd,
	"not": stateBegin, "or": stateBegin, "redo": stateEnd, "rescue": stateBegin, "retry": stateEnd, "return": stateBegin, "self": stateEnd, "super": stateArg,
	"then": stateBegin, "true": stateEnd, "undef": stateBegin, "unless": stateBegin, "until": stateBegin, "when": stateBegin, "while": stateBegin,
	"yield": stateArg, "__method__": stateEnd, "__FILE__": stateEnd, "__LINE__": stateEnd}

// operators, longest first within a first byte.
var operators = []string{"**=", "<=>", "===", "...", "<<=", ">>=", "&&=", "||=", "**", "==", "!=", ">=", "<=", "&&", "||", "=~", "!~", "..", "::", "+=", "-=", "*=",
	"/=", "%=", "|=", "&=", "^=", "<<", ">>", "->", "=>", "&.", "+", "-", "*", "/", "%", "=", "<", ">", "!", "&", "|", "^", "~", "?", ":", ",", ".", "(", ")",
	"[", "]", "{", "}"}

func (l *lexer) fail(at int, format string, args ...any) {
	panic(syntaxError(l.base+at, format, args...))
}

func (l *lexer) at(k int) byte {
	if l.i+k < len(l.src) {
		return l.src[l.i+k]
	}
	return 0
}

// next is the next token.
func (l *lexer) next() token {
	space, newline := l.skip()
	if newline {
		t := token{kind: tokNewline, pos: l.base + l.i, space: true}
		l.state, l.prev = stateBegin, t
		return t
	}
	t := token{pos: l.base + l.i, space: space}
	if l.i >= len(l.src) {
		l.prev = t
		return t
	}
	l.scan(&t)
	l.prev = t
	return t
}

// skip passes white space and comments. A line break counts unless the next line begins with a dot.
func (l *lexer) skip() (space, newline bool) {
	for l.i < len(l.src) {
		switch c := l.src[l.i]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.i++
		case c == '\\' && l.at(1) == '\n':
			l.i += 2
		case c == '\\' && l.at(1) == '\r' && l.at(2) == '\n':
			l.i += 3
		case c == '#':
			l.comment()
		case c == '\n':
			l.i++
			if l.heredoc > 0 {
				l.i, l.heredoc = l.heredoc, 0
			}
			l.blockComment()
			newline = !l.continued()
			if newline {
				l.skip()
				return true, true
			}
		case c == ';':
			l.i++
			return true, true
		default:
			return space, false
		}
		space = true
	}
	return space, false
}

func (l *lexer) comment() {
	for l.i < len(l.src) && l.src[l.i] != '\n' {
		l.i++
	}
}

// blockComment passes =begin ... =end, which stand at the start of a line.
func (l *lexer) blockComment() {
	for strings.HasPrefix(l.src[l.i:], "=begin") {
		end := strings.Index(l.src[l.i:], "\n=end")
		if end < 0 {
			l.fail(l.i, "=begin without =end")
		}
		l.i += end + 5
		l.comment()
		if l.i < len(l.src) {
			l.i++
		}
	}
}

// continued reports whether the next line goes on with .method or &.method.
func (l *lexer) continued() bool {
	for j := l.i; j < len(l.src); j++ {
		switch l.src[j] {
		case ' ', '\t', '\r', '\n':
		case '#':
			for j < len(l.src) && l.src[j] != '\n' {
				j++
			}
		case '.':
			return !strings.HasPrefix(l.src[j:], "..")
		case '&':
			return strings.HasPrefix(l.src[j:], "&.")
		default:
			return false
		}
	}
	return false
}

func (l *lexer) scan(t *token) {
	c := l.src[l.i]
	switch {
	case c >= '0' && c <= '9':
		l.number(t)
	case isIdent(c) || c >= utf8.RuneSelf:
		l.word(t)
	case c == '"' || c == '`':
		if c == '`' {
			l.fail(l.i, "commands in backticks are not supported")
		}
		l.i++
		t.kind = tokString
		t.parts = l.quoted('"', 0, true)
		l.label(t)
	case c == '\'':
		l.i++
		t.kind = tokString
		t.parts = l.quoted('\'', 0, false)
		l.label(t)
	case c == '@':
		l.variable(t, tokIvar)
	case c == '$':
		l.global(t)
	case c == '/' && l.value():
		l.i++
		t.kind, t.parts = tokRegexp, l.regexp('/', 0)
		t.s = l.flags()
		l.state = stateEnd
	case c == '%' && l.value() && l.percent(t):
	case c == ':' && l.symbol(t):
	case c == '?' && l.value() && l.char(t):
	case c == '<' && l.value() && l.here(t):
	default:
		l.operator(t)
	}
}

// value reports whether a value may begin here: always behind an operator, behind a command's name when only the front is spaced.
func (l *lexer) value() bool {
	if l.state != stateArg {
		return l.state == stateBegin
	}
	spaced := l.i > 0 && (l.src[l.i-1] == ' ' || l.src[l.i-1] == '\t')
	n := l.at(1)
	return spaced && n != ' ' && n != '\t' && n != '\n' && n != '='
}

func isIdent(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isWord(c byte) bool { return isIdent(c) || c >= '0' && c <= '9' || c >= utf8.RuneSelf }

func (l *lexer) ident() string {
	from := l.i
	for l.i < len(l.src) && isWord(l.src[l.i]) {
		l.i++
	}
	return l.src[from:l.i]
}

func (l *lexer) word(t *token) {
	dot := l.prev.kind == tokOp && (l.prev.s == "." || l.prev.s == "&.")
	method := dot || l.prev.kind == tokKeyword && l.prev.s == "def"
	t.s = l.ident()
	if n := l.at(0); (n == '?' || n == '!') && l.at(1) != '=' || (n == '?' || n == '!') && strings.HasPrefix(l.src[l.i+1:], "==") {
		if !(n == '?' && l.at(1) == ':' && l.at(2) == ':') {
			t.s += string(n)
			l.i++
		}
	}
	if l.isLabel(method) {
		l.i++
		t.kind = tokLabel
		l.state = stateBegin
		return
	}
	if st, ok := keywords[t.s]; ok && !dot {
		t.kind = tokKeyword
		l.state = st
		return
	}
	t.kind = tokIdent
	if c := t.s[0]; c >= 'A' && c <= 'Z' {
		t.kind = tokConst
	}
	l.state = stateArg
	if !method && (l.isLocal(t.s) || t.kind == tokConst && l.at(0) != '(' && !l.stringFollows()) {
		l.state = stateEnd
	}
}

// stringFollows reports a quote behind white space: Integer "12".
func (l *lexer) stringFollows() bool { return l.at(0) == ' ' && (l.at(1) == '"' || l.at(1) == '\'') }

// isLabel reports name: in front of a value.
func (l *lexer) isLabel(method bool) bool {
	if l.at(0) != ':' || l.at(1) == ':' || method || l.state == stateEnd {
		return false
	}
	if l.ternary > 0 {
		return l.prev.kind == tokOp && (l.prev.s == "," || l.prev.s == "(" || l.prev.s == "{" || l.prev.s == "|")
	}
	return true
}

// label makes "name": of a string where a hash's key may stand.
func (l *lexer) label(t *token) {
	key := l.prev.kind == tokOp && (l.prev.s == "," || l.prev.s == "(" || l.prev.s == "{") || l.prev.kind == tokNewline && l.ternary == 0
	if l.at(0) == ':' && l.at(1) != ':' && key && len(t.parts) <= 1 && (len(t.parts) == 0 || !t.parts[0].eval) {
		l.i++
		t.kind = tokLabel
		if len(t.parts) == 1 {
			t.s = t.parts[0].lit
		}
		l.state = stateBegin
		return
	}
	l.state = stateEnd
}

func (l *lexer) variable(t *token, kind tokenKind) {
	from := l.i
	l.i++
	if l.at(0) == '@' {
		l.fail(from, "class variables (@@) are not supported; use @name")
	}
	if l.ident() == "" {
		l.fail(from, "a name is missing behind @")
	}
	t.kind, t.s = kind, l.src[from:l.i]
	l.state = stateEnd
}

func (l *lexer) global(t *token) {
	from := l.i
	l.i++
	switch c := l.at(0); {
	case c >= '0' && c <= '9':
		for l.at(0) >= '0' && l.at(0) <= '9' {
			l.i++
		}
	case c == '~' || c == '!':
		l.i++
	case isIdent(c):
		l.ident()
	default:
		l.fail(from, "the variable $%c is not supported", rune(c))
	}
	t.kind, t.s = tokGvar, l.src[from:l.i]
	l.state = stateEnd
}

func (l *lexer) number(t *token) {
	from := l.i
	l.state = stateEnd
	t.kind = tokInt
	if l.src[l.i] == '0' && strings.IndexByte("xXbBoO", l.at(1)) >= 0 && l.at(1) != 0 {
		l.i += 2
		l.ident()
		t.s = strings.ReplaceAll(l.src[from:l.i], "_", "")
		return
	}
	digits := func() {
		for c := l.at(0); c >= '0' && c <= '9' || c == '_'; c = l.at(0) {
			l.i++
		}
	}
	digits()
	if l.at(0) == '.' && l.at(1) >= '0' && l.at(1) <= '9' {
		t.kind = tokFloat
		l.i++
		digits()
	}
	if c := l.at(0); c == 'e' || c == 'E' {
		k := 1
		if l.at(1) == '-' || l.at(1) == '+' {
			k = 2
		}
		if n := l.at(k); n >= '0' && n <= '9' {
			t.kind = tokFloat
			l.i += k
			digits()
		}
	}
	t.s = strings.ReplaceAll(l.src[from:l.i], "_", "")
	if isIdent(l.at(0)) {
		l.fail(from, "%q is not a number", l.src[from:l.i+1])
	}
}

// symbol reads :name, :"text" and :+; a lone colon is left alone.
func (l *lexer) symbol(t *token) bool {
	n := l.at(1)
	if n == ':' || l.state == stateEnd || l.state == stateArg && !t.space && l.prev.kind != tokOp {
		return false
	}
	t.kind = tokSymbol
	switch {
	case n == '"' || n == '\'':
		l.i += 2
		t.parts = l.quoted(n, 0, n == '"')
	case isIdent(n) || n >= utf8.RuneSelf:
		l.i++
		t.s = l.ident()
		if c := l.at(0); (c == '?' || c == '!' || c == '=') && l.at(1) != '=' && l.at(1) != '>' && l.at(1) != '~' {
			t.s += string(c)
			l.i++
		}
		t.parts = []strPart{{lit: t.s}}
	default:
		op := ""
		for _, o := range []string{"<=>", "===", "[]=", "==", "=~", "**", "<<", ">>", "<=", ">=", "[]", "!=", "+", "-", "*", "/", "%", "<", ">", "!", "&", "|", "^"} {
			if strings.HasPrefix(l.src[l.i+1:], o) {
				op = o
				break
			}
		}
		if op == "" {
			return false
		}
		l.i += 1 + len(op)
		t.parts = []strPart{{lit: op}}
	}
	l.state = stateEnd
	return true
}

// char reads ?x.
func (l *lexer) char(t *token) bool {
	n := l.at(1)
	if n <= ' ' || n >= utf8.RuneSelf || isWord(n) && isWord(l.at(2)) {
		return false
	}
	t.kind, t.parts = tokString, []strPart{{lit: string(rune(n))}}
	l.i += 2
	l.state = stateEnd
	return true
}

func (l *lexer) operator(t *token) {
	t.kind = tokOp
	for _, o := range operators {
		if strings.HasPrefix(l.src[l.i:], o) {
			t.s = o
			break
		}
	}
	if t.s == "" {
		r, _ := utf8.DecodeRuneInString(l.src[l.i:])
		l.fail(l.i, "unexpected character %q", r)
	}
	t.prefix = l.value()
	switch t.s {
	case "[":
		t.prefix = l.state == stateBegin || l.state == stateArg && t.space
	case "(":
		t.prefix = l.state == stateBegin || l.state == stateArg && t.space
	}
	l.i += len(t.s)
	l.state = stateBegin
	if t.s == ")" || t.s == "]" || t.s == "}" {
		l.state = stateEnd
	}
	if t.s == "." || t.s == "&." {
		l.state = stateArg
	}
}

// percent reads %w[] %i[] %q() %Q() %() %r{}.
func (l *lexer) percent(t *token) bool {
	kind, open := byte('Q'), l.at(1)
	skip := 2
	if isIdent(open) {
		kind, open = open, l.at(2)
		skip = 3
	}
	if open <= ' ' || isWord(open) || strings.IndexByte("wWiIqQr", kind) < 0 {
		return false
	}
	l.i += skip
	closing := closer(open)
	nest := open
	if closing == open {
		nest = 0
	}
	l.state = stateEnd
	switch kind {
	case 'w', 'W', 'i', 'I':
		t.kind = tokWords
		if kind == 'i' || kind == 'I' {
			t.kind = tokSymbols
		}
		for _, p := range l.quoted(closing, nest, false) {
			t.words = strings.Fields(p.lit)
		}
	case 'r':
		t.kind, t.parts = tokRegexp, l.regexp(closing, nest)
		t.s = l.flags()
		l.state = stateEnd
	default:
		t.kind, t.parts = tokString, l.quoted(closing, nest, kind == 'Q')
	}
	return true
}

func closer(open byte) byte {
	switch open {
	case '(':
		return ')'
	case '[':
		return ']'
	case '{':
		return '}'
	case '<':
		return '>'
	}
	return open
}

func (l *lexer) flags() string {
	from := l.i
	for l.i < len(l.src) && strings.IndexByte("imxounse", l.src[l.i]) >= 0 {
		l.i++
	}
	return l.src[from:l.i]
}

// quoted reads up to the closing byte, which nest opens again. With interp, escapes and #{} are read.
func (l *lexer) quoted(closing, nest byte, interp bool) []strPart {
	start := l.i
	var parts []strPart
	var lit []byte
	depth := 0
	for ; ; l.i++ {
		if l.i >= len(l.src) {
			l.fail(start-1, "the string that begins here does not end")
		}
		c := l.src[l.i]
		switch {
		case c == closing && depth == 0:
			l.i++
			if len(lit) > 0 || len(parts) == 0 {
				parts = append(parts, strPart{lit: string(lit)})
			}
			return parts
		case c == closing:
			depth--
		case nest != 0 && c == nest:
			depth++
		case c == '\\' && interp:
			l.i++
			lit = l.escape(lit)
			continue
		case c == '\\' && (l.at(1) == closing || l.at(1) == '\\'):
			l.i++
			c = l.src[l.i]
		case c == '#' && interp && l.at(1) == '{':
			if len(lit) > 0 {
				parts = append(parts, strPart{lit: string(lit)})
				lit = nil
			}
			parts = append(parts, l.code())
			continue
		}
		lit = append(lit, c)
	}
}

// code reads #{...}; i is left at the closing brace.
func (l *lexer) code() strPart {
	start := l.i
	l.i += 2
	from := l.i
	depth := 0
	for ; l.i < len(l.src); l.i++ {
		switch c := l.src[l.i]; c {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return strPart{code: l.src[from:l.i], pos: l.base + from, eval: true}
			}
			depth--
		case '"', '\'':
			l.i++
			l.quoted(c, 0, c == '"')
			l.i--
		}
	}
	l.fail(start, "#{ without }")
	return strPart{}
}

// escape reads what follows a backslash in a string with double quotes; i is left at its last byte.
func (l *lexer) escape(lit []byte) []byte {
	switch c := l.at(0); c {
	case 'n':
		return append(lit, '\n')
	case 't':
		return append(lit, '\t')
	case 'r':
		return append(lit, '\r')
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, k := 0, 0
		for ; k < 3 && l.at(k) >= '0' && l.at(k) <= '7'; k++ {
			n = n*8 + int(l.at(k)-'0')
		}
		l.i += k - 1
		return append(lit, byte(n))
	case 'e':
		return append(lit, 27)
	case 's':
		return append(lit, ' ')
	case 'a':
		return append(lit, 7)
	case 'b':
		return append(lit, 8)
	case 'f':
		return append(lit, 12)
	case 'v':
		return append(lit, 11)
	case '\n':
		return lit
	case 'x':
		return l.hex(lit, 2, false)
	case 'u':
		if l.at(1) == '{' {
			end := strings.IndexByte(l.src[l.i:], '}')
			if end < 0 {
				l.fail(l.i, `\u{ without }`)
			}
			for _, w := range strings.Fields(l.src[l.i+2 : l.i+end]) {
				n, err := strconv.ParseUint(w, 16, 21)
				if err != nil {
					l.fail(l.i, `\u{%s} is no character`, w)
				}
				lit = utf8.AppendRune(lit, rune(n))
			}
			l.i += end
			return lit
		}
		return l.hex(lit, 4, true)
	case 0:
		return lit
	default:
		return append(lit, c)
	}
}

func (l *lexer) hex(lit []byte, n int, char bool) []byte {
	k := 0
	for k < n && strings.IndexByte("0123456789abcdefABCDEF", l.at(1+k)) >= 0 && l.at(1+k) != 0 {
		k++
	}
	if k == 0 || char && k < n {
		l.fail(l.i, "hexadecimal digits are missing")
	}
	v, _ := strconv.ParseUint(l.src[l.i+1:l.i+1+k], 16, 32)
	l.i += k
	if char {
		return utf8.AppendRune(lit, rune(v))
	}
	return append(lit, byte(v))
}

// regexp reads up to the closing byte; escapes stay, that of the closing byte is dropped.
func (l *lexer) regexp(closing, nest byte) []strPart {
	start := l.i
	var parts []strPart
	var lit []byte
	depth := 0
	for ; ; l.i++ {
		if l.i >= len(l.src) {
			l.fail(start-1, "the regular expression that begins here does not end")
		}
		c := l.src[l.i]
		switch {
		case c == closing && depth == 0:
			l.i++
			if len(lit) > 0 || len(parts) == 0 {
				parts = append(parts, strPart{lit: string(lit)})
			}
			return parts
		case c == closing:
			depth--
		case nest != 0 && c == nest:
			depth++
		case c == '\\':
			l.i++
			if n := l.at(0); n != closing || nest != 0 {
				lit = append(lit, '\\')
			}
			if l.i >= len(l.src) {
				continue
			}
			c = l.src[l.i]
		case c == '#' && l.at(1) == '{':
			if len(lit) > 0 {
				parts = append(parts, strPart{lit: string(lit)})
				lit = nil
			}
			parts = append(parts, l.code())
			continue
		}
		lit = append(lit, c)
	}
}

// here reads <<~WORD, <<-WORD and <<WORD, with the word in quotes or without; the text follows the line.
func (l *lexer) here(t *token) bool {
	j := l.i + 2
	if l.at(1) != '<' {
		return false
	}
	mode := byte(0)
	if c := l.at(2); c == '~' || c == '-' {
		mode = c
		j++
	}
	quote := byte(0)
	if j < len(l.src) && (l.src[j] == '"' || l.src[j] == '\'') {
		quote = l.src[j]
		j++
	}
	from := j
	for j < len(l.src) && isWord(l.src[j]) {
		j++
	}
	word := l.src[from:j]
	if word == "" || quote == 0 && (word[0] < 'A' || word[0] > 'Z') {
		return false
	}
	if quote != 0 {
		if j >= len(l.src) || l.src[j] != quote {
			return false
		}
		j++
	}
	start := l.i
	l.i = j
	t.kind = tokString
	t.parts = l.hereBody(start, word, mode, quote != '\'')
	l.state = stateEnd
	return true
}

func (l *lexer) hereBody(start int, word string, mode byte, interp bool) []strPart {
	from := l.heredoc
	if from == 0 {
		n := strings.IndexByte(l.src[l.i:], '\n')
		if n < 0 {
			l.fail(start, "the text of the heredoc is missing")
		}
		from = l.i + n + 1
	}
	end, next := -1, 0
	for at := from; at < len(l.src); {
		line, _, _ := strings.Cut(l.src[at:], "\n")
		next = min(at+len(line)+1, len(l.src))
		if w := strings.TrimSuffix(line, "\r"); w == word || mode != 0 && strings.TrimLeft(w, " \t") == word {
			end = at
			break
		}
		at = next
	}
	if end < 0 {
		l.fail(start, "the heredoc does not end with %s", word)
	}
	l.heredoc = next
	body := l.src[from:end]
	if mode == '~' {
		body = dedent(body)
	}
	if !interp {
		return []strPart{{lit: body}}
	}
	in := lexer{src: body + "\x00", base: l.base + from, isLocal: l.isLocal}
	return in.quoted(0, 0, true)
}

// dedent removes the indentation that all lines share.
func dedent(s string) string {
	lines := strings.SplitAfter(s, "\n")
	least := -1
	for _, ln := range lines {
		if t := strings.TrimLeft(ln, " \t"); t != "" && t != "\n" {
			if n := len(ln) - len(t); least < 0 || n < least {
				least = n
			}
		}
	}
	for i, ln := range lines {
		k := 0
		for k < least && k < len(ln) && (ln[k] == ' ' || ln[k] == '\t') {
			k++
		}
		lines[i] = ln[k:]
	}
	return strings.Join(lines, "")
}
