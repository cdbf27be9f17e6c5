package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of a KQL text.
const (
	MaxKQL      = 32 << 10
	maxKQLDepth = 64
)

// kqlOp is what a kqlNode is.
type kqlOp uint8

const (
	kqlAll    kqlOp = iota // empty text
	kqlAnd                 // kids
	kqlOr                  // kids
	kqlNot                 // one kid
	kqlIs                  // field, value
	kqlText                // value in any field
	kqlRange               // field, cmp, value
	kqlNested              // field is the path, one kid
)

// kqlNode is a part of a parsed text.
type kqlNode struct {
	op    kqlOp
	kids  []*kqlNode
	field kqlLiteral
	cmp   string // gt gte lt lte
	value kqlLiteral
}

// kqlLiteral is a quoted or unquoted word, or several. Wildcards are stars that stood unquoted and unescaped.
type kqlLiteral struct {
	text   string // without escapes
	quoted bool
	stars  []int // byte offsets of wildcards in text
	raw    string
}

// wild tells whether the literal has a wildcard.
func (l *kqlLiteral) wild() bool { return len(l.stars) > 0 }

// any tells whether it is a lone star.
func (l *kqlLiteral) any() bool { return l.text == "*" && l.wild() }

// pattern is the literal for a wildcard query: what is no wildcard is escaped.
func (l *kqlLiteral) pattern(escape func(s string) string) string {
	var out strings.Builder
	from := 0
	for _, s := range l.stars {
		out.WriteString(escape(l.text[from:s]))
		out.WriteByte('*')
		from = s + 1
	}
	out.WriteString(escape(l.text[from:]))
	return out.String()
}

// KQLToken is a part of the text, for colouring. Offsets count UTF-16 units.
type KQLToken struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Kind string `json:"kind"` // field operator value keyword paren text
}

// KQLHint tells how a text was read that KQL proper refuses or that may mean something else.
type KQLHint struct {
	Code string `json:"code"` // "kql-implicit-and" ...
	Text string `json:"text"` // the reading
	From int    `json:"from"`
	To   int    `json:"to"`
}

// KQLError is a text that cannot be read.
type KQLError struct {
	Message  string `json:"message"`
	At       int    `json:"at"`
	Expected string `json:"expected"` // "a value"
	Fix      string `json:"fix"`      // the whole text corrected, "" when none is known
}

func (e *KQLError) Error() string {
	return fmt.Sprintf("%s at %d: expected %s", e.Message, e.At, e.Expected)
}

// kqlParser reads KQL by recursive descent. Offsets are bytes until the end.
type kqlParser struct {
	text   string
	i      int
	depth  int
	tokens []KQLToken
	hints  []KQLHint
	path   []string // of the nested queries around
}

// parse reads a text; the tokens and hints found before an error are kept in p.
func (p *kqlParser) parse() (*kqlNode, *KQLError) {
	if len(p.text) > MaxKQL {
		return nil, &KQLError{Message: fmt.Sprintf("the query is longer than %d bytes", MaxKQL), Expected: "a shorter query"}
	}
	p.space()
	if p.i == len(p.text) {
		return &kqlNode{op: kqlAll}, nil
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(p.text) {
		return nil, p.unexpected()
	}
	return n, nil
}

func (p *kqlParser) unexpected() *KQLError {
	c, _ := utf8.DecodeRuneInString(p.text[p.i:])
	fix := ""
	if c == ')' || c == '}' {
		fix = p.text[:p.i] + p.text[p.i+1:]
	}
	return &KQLError{Message: fmt.Sprintf("unexpected %q", string(c)), At: p.i, Expected: `"and", "or" or the end`, Fix: fix}
}

// fail is an error where the parser stands.
func (p *kqlParser) fail(at int, message, expected, fix string) *KQLError {
	return &KQLError{Message: message, At: at, Expected: expected, Fix: fix}
}

func (p *kqlParser) token(from, to int, kind string) {
	if from < to {
		p.tokens = append(p.tokens, KQLToken{from, to, kind})
	}
}

func (p *kqlParser) hint(code string, from, to int, text string) {
	p.hints = append(p.hints, KQLHint{code, text, from, to})
}

// kqlSpace is the length of a blank at i: space, tab, CR, LF, U+00A0.
func kqlSpace(s string, i int) int {
	if i < 0 || i >= len(s) {
		return 0
	}
	switch s[i] {
	case ' ', '\t', '\r', '\n':
		return 1
	case 0xC2:
		if i+1 < len(s) && s[i+1] == 0xA0 {
			return 2
		}
	}
	return 0
}

func (p *kqlParser) space() {
	for n := kqlSpace(p.text, p.i); n > 0; n = kqlSpace(p.text, p.i) {
		p.i += n
	}
}

// skipSpace is the offset behind the blanks at i.
func skipSpace(s string, i int) int {
	for n := kqlSpace(s, i); n > 0; n = kqlSpace(s, i) {
		i += n
	}
	return i
}

// keyword tells whether "and" or "or" stands at i behind blanks, with a blank or "(" behind it; it answers the offsets of the word.
func (p *kqlParser) keyword(i int, word string) (from, to int, ok bool) {
	from = skipSpace(p.text, i)
	to = from + len(word)
	if from == i && !(i > 0 && (p.text[i-1] == ')' || p.text[i-1] == '"' || p.text[i-1] == '}')) || to > len(p.text) ||
		!strings.EqualFold(p.text[from:to], word) {
		return 0, 0, false
	}
	return from, to, kqlSpace(p.text, to) > 0 || to < len(p.text) && p.text[to] == '('
}

// not tells whether "not" stands at i with a blank or "(" behind it.
func (p *kqlParser) not(i int) bool {
	to := i + 3
	return to <= len(p.text) && strings.EqualFold(p.text[i:to], "not") && (kqlSpace(p.text, to) > 0 || to < len(p.text) && p.text[to] == '(')
}

// or reads operands joined by "or".
func (p *kqlParser) or() (*kqlNode, *KQLError) {
	if p.depth++; p.depth > maxKQLDepth {
		return nil, p.fail(p.i, fmt.Sprintf("nested deeper than %d", maxKQLDepth), "fewer parentheses", "")
	}
	defer func() { p.depth-- }()
	return p.chain("or", kqlOr, func() (*kqlNode, *KQLError) {
		return p.chain("and", kqlAnd, p.operand)
	})
}

// chain reads sub { word sub }. Operands of "and" that nothing joins are joined too: that is the reading of what KQL proper refuses.
func (p *kqlParser) chain(word string, op kqlOp, sub func() (*kqlNode, *KQLError)) (*kqlNode, *KQLError) {
	first, err := sub()
	if err != nil {
		return nil, err
	}
	kids := []*kqlNode{first}
	for {
		from, to, ok := p.keyword(p.i, word)
		switch {
		case ok:
			p.token(from, to, "keyword")
			p.i = to
			p.space()
		case op == kqlAnd && p.implicit():
		default:
			if len(kids) == 1 {
				return first, nil
			}
			return &kqlNode{op: op, kids: kids}, nil
		}
		next, err := sub()
		if err != nil {
			return nil, err
		}
		kids = append(kids, next)
	}
}

// implicit tells whether another operand follows without a keyword, and steps to it.
func (p *kqlParser) implicit() bool {
	at := skipSpace(p.text, p.i)
	if at == p.i || at == len(p.text) || strings.IndexByte(")}:<>", p.text[at]) >= 0 {
		return false
	}
	if _, _, or := p.keyword(p.i, "or"); or {
		return false
	}
	end := at
	for end < len(p.text) && kqlSpace(p.text, end) == 0 {
		end++
	}
	p.hint("kql-implicit-and", p.i, end, strings.TrimSpace(p.text[:p.i])+" and "+p.text[at:])
	p.i = at
	return true
}

// operand reads not?, a group, a nested query or an expression.
func (p *kqlParser) operand() (*kqlNode, *KQLError) {
	if p.not(p.i) {
		p.token(p.i, p.i+3, "keyword")
		p.i += 3
		if p.space(); p.i == len(p.text) {
			return nil, p.fail(p.i, "nothing to negate", "a field, a value or a group", `"`+strings.TrimSpace(p.text)+`"`)
		}
		if p.depth++; p.depth > maxKQLDepth {
			return nil, p.fail(p.i, fmt.Sprintf("nested deeper than %d", maxKQLDepth), "fewer negations", "")
		}
		defer func() { p.depth-- }()
		n, err := p.operand()
		if err != nil {
			return nil, err
		}
		return &kqlNode{op: kqlNot, kids: []*kqlNode{n}}, nil
	}
	if p.i < len(p.text) && p.text[p.i] == '(' {
		return p.group(p.or)
	}
	return p.expression()
}

// group reads "(" inner ")".
func (p *kqlParser) group(inner func() (*kqlNode, *KQLError)) (*kqlNode, *KQLError) {
	open := p.i
	p.token(open, open+1, "paren")
	p.i++
	if p.space(); p.i == len(p.text) {
		return nil, p.fail(p.i, "an empty group", "a field or a value", strings.TrimSpace(p.text[:open]))
	}
	if p.text[p.i] == ')' {
		return nil, p.fail(p.i, "an empty group", "a field or a value", "")
	}
	n, err := inner()
	if err != nil {
		return nil, err
	}
	if p.space(); p.i == len(p.text) || p.text[p.i] != ')' {
		fix := ""
		if p.i == len(p.text) {
			fix = p.text + ")"
		}
		return nil, p.fail(p.i, "a group is not closed", `")"`, fix)
	}
	p.token(p.i, p.i+1, "paren")
	p.i++
	return n, nil
}

// expression reads field: value, field > value, or a value for any field.
func (p *kqlParser) expression() (*kqlNode, *KQLError) {
	start := p.i
	lit, err := p.literal(false)
	if err != nil {
		return nil, err
	}
	end := p.i
	at := skipSpace(p.text, end)
	if at == len(p.text) || strings.IndexByte(":<>", p.text[at]) < 0 {
		p.freeText(start, end, &lit)
		return &kqlNode{op: kqlText, value: lit}, nil
	}
	p.token(start, end, "field")
	p.i = at
	if p.text[at] == ':' {
		p.token(at, at+1, "operator")
		p.i++
		p.space()
		return p.fieldValue(lit)
	}
	return p.comparison(lit)
}

// freeText marks text that stands in no field, and hints at what looks like an operator.
func (p *kqlParser) freeText(start, end int, lit *kqlLiteral) {
	p.token(start, end, "text")
	if lit.quoted {
		return
	}
	words := strings.FieldsFunc(lit.text, func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0", r) })
	if len(words) == 0 {
		return
	}
	last := strings.ToLower(words[len(words)-1])
	first := strings.ToLower(words[0])
	switch {
	case len(words) > 1 && (last == "and" || last == "or" || last == "not"):
		p.hint("kql-trailing-keyword", end-len(last), end, lit.text)
	case len(words) > 1 && (first == "and" || first == "or"):
		p.hint("kql-leading-keyword", start, start+len(first), lit.text)
	case lit.text[0] == '-' && len(lit.text) > 1:
		p.hint("kql-minus", start, end, lit.text)
	case lit.text[0] == '+' && len(lit.text) > 1:
		p.hint("kql-plus", start, end, lit.text)
	}
}

func (p *kqlParser) comparison(field kqlLiteral) (*kqlNode, *KQLError) {
	from := p.i
	n := &kqlNode{op: kqlRange, field: field, cmp: "gt"}
	if p.text[p.i] == '<' {
		n.cmp = "lt"
	}
	p.i++
	if p.i < len(p.text) && p.text[p.i] == '=' {
		n.cmp += "e"
		p.i++
	}
	p.token(from, p.i, "operator")
	p.space()
	at := p.i
	if at == len(p.text) {
		return nil, p.fail(at, "a comparison without a value", "a value", p.text[:from]+":*")
	}
	var err *KQLError
	if n.value, err = p.literal(true); err != nil {
		return nil, err
	}
	p.token(at, p.i, "value")
	return n, nil
}

// fieldValue reads what may stand behind a field's colon.
func (p *kqlParser) fieldValue(field kqlLiteral) (*kqlNode, *KQLError) {
	if p.i == len(p.text) {
		return nil, p.fail(p.i, "a field without a value", "a value", strings.TrimRight(p.text, " \t\r\n")+"*")
	}
	switch p.text[p.i] {
	case '{':
		return p.nested(field)
	case '(':
		return p.group(func() (*kqlNode, *KQLError) { return p.list(field) })
	case '<', '>':
		p.hint("kql-colon-comparison", p.i-1, p.i+1, field.raw+" "+p.text[p.i:])
		return p.comparison(field)
	}
	return p.is(field)
}

func (p *kqlParser) is(field kqlLiteral) (*kqlNode, *KQLError) {
	at := p.i
	v, err := p.literal(true)
	if err != nil {
		return nil, err
	}
	p.token(at, p.i, "value")
	return &kqlNode{op: kqlIs, field: field, value: v}, nil
}

func (p *kqlParser) nested(field kqlLiteral) (*kqlNode, *KQLError) {
	open := p.i
	p.token(open, open+1, "paren")
	p.i++
	p.space()
	p.path = append(p.path, field.text)
	if p.i == len(p.text) {
		return nil, p.fail(p.i, "an empty nested query", "a field", "")
	}
	inner, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.space(); p.i == len(p.text) || p.text[p.i] != '}' {
		fix := ""
		if p.i == len(p.text) {
			fix = p.text + "}"
		}
		return nil, p.fail(p.i, "a nested query is not closed", `"}"`, fix)
	}
	p.token(p.i, p.i+1, "paren")
	p.i++
	p.path = p.path[:len(p.path)-1]
	return &kqlNode{op: kqlNested, field: field, kids: []*kqlNode{inner}}, nil
}

// list reads values joined by or, and, not for one field.
func (p *kqlParser) list(field kqlLiteral) (*kqlNode, *KQLError) {
	if p.depth++; p.depth > maxKQLDepth {
		return nil, p.fail(p.i, fmt.Sprintf("nested deeper than %d", maxKQLDepth), "fewer parentheses", "")
	}
	defer func() { p.depth-- }()
	return p.chain("or", kqlOr, func() (*kqlNode, *KQLError) {
		return p.chain("and", kqlAnd, func() (*kqlNode, *KQLError) { return p.listItem(field) })
	})
}

func (p *kqlParser) listItem(field kqlLiteral) (*kqlNode, *KQLError) {
	if p.not(p.i) {
		p.token(p.i, p.i+3, "keyword")
		p.i += 3
		p.space()
		n, err := p.listItem(field)
		if err != nil {
			return nil, err
		}
		return &kqlNode{op: kqlNot, kids: []*kqlNode{n}}, nil
	}
	if p.i < len(p.text) && p.text[p.i] == '(' {
		return p.group(func() (*kqlNode, *KQLError) { return p.list(field) })
	}
	return p.is(field)
}

// literal reads a quoted or unquoted literal. value tells that it stands behind a field, where a later colon has another meaning.
func (p *kqlParser) literal(value bool) (kqlLiteral, *KQLError) {
	if p.i < len(p.text) && p.text[p.i] == '"' {
		return p.quoted()
	}
	start := p.i
	lit := p.unquoted(value)
	if lit.text != "" {
		return lit, nil
	}
	if p.i == len(p.text) {
		return lit, p.fail(p.i, "nothing there", "a value", "")
	}
	fix := ""
	if !strings.Contains(p.text, `"`) {
		fix = p.text[:start] + strconv.Quote(strings.TrimSpace(p.text[start:]))
	}
	c, _ := utf8.DecodeRuneInString(p.text[p.i:])
	return lit, p.fail(p.i, fmt.Sprintf("unexpected %q", string(c)), "a field or a value", fix)
}

func (p *kqlParser) quoted() (kqlLiteral, *KQLError) {
	start := p.i
	lit := kqlLiteral{quoted: true}
	var out []byte
	for i := start + 1; i < len(p.text); {
		switch c := p.text[i]; {
		case c == '"':
			lit.text, lit.raw = string(out), p.text[start:i+1]
			p.i = i + 1
			return lit, nil
		case c == '\\' && i+1 < len(p.text):
			r, n, known := kqlEscape(p.text, i)
			if known {
				out = append(out, r...)
			} else {
				out = append(out, p.text[i:i+n]...)
			}
			i += n
		default:
			out = append(out, c)
			i++
		}
	}
	return lit, p.fail(start, "a quote is not closed", `a closing "`, p.text+`"`)
}

// kqlEscape reads the escape at i: what it stands for and its length. known is false for escapes that are none: they stay as they are.
func kqlEscape(s string, i int) (r string, n int, known bool) {
	rest := s[i+1:]
	for _, e := range []struct{ word, text string }{{"t", "\t"}, {"r", "\r"}, {"n", "\n"}} {
		if strings.HasPrefix(rest, e.word) {
			if len(rest) >= 3 && strings.EqualFold(rest[:3], "not") {
				break
			}
			return e.text, 2, true
		}
	}
	for _, w := range []string{"and", "not", "or"} {
		if len(rest) >= len(w) && strings.EqualFold(rest[:len(w)], w) {
			return rest[:len(w)], 1 + len(w), true
		}
	}
	if rest[0] == 'u' && len(rest) >= 5 {
		if v, err := strconv.ParseUint(rest[1:5], 16, 32); err == nil {
			return string(rune(v)), 6, true
		}
	}
	if strings.IndexByte(`\():<>"*{} `, rest[0]) >= 0 {
		return rest[:1], 2, true
	}
	_, size := utf8.DecodeRuneInString(rest)
	return "", 1 + size, false
}

// unquoted reads words up to a special character or a keyword. In a value a colon or comparison belongs to the first word; in a later
// word it makes that word the field of a next expression.
func (p *kqlParser) unquoted(value bool) kqlLiteral {
	start := p.i
	var out []byte
	var stars []int
	word, wordOut := start, 0 // where the word being read begins, in the text and in out
	i := start
scan:
	for i < len(p.text) {
		if n := kqlSpace(p.text, i); n > 0 {
			_, _, or := p.keyword(i, "or")
			_, _, and := p.keyword(i, "and")
			next := skipSpace(p.text, i)
			if or || and || p.not(next) || next == len(p.text) {
				break
			}
			out = append(out, p.text[i:next]...)
			i = next
			word, wordOut = i, len(out)
			continue
		}
		c := p.text[i]
		switch {
		case c == '\\' && i+1 < len(p.text):
			r, n, known := kqlEscape(p.text, i)
			if known {
				out = append(out, r...)
			} else {
				p.hint("kql-backslash", i, i+n, p.text[i:i+n])
				out = append(out, p.text[i:i+n]...)
			}
			i += n
			continue
		case c == '*':
			stars = append(stars, len(out))
		case c == ':' && value && word == start && i > start:
			p.hint("kql-colon-in-value", i, i+1, p.text[start:i+1])
		case strings.IndexByte(`():<>"{}\`, c) >= 0:
			if value && strings.IndexByte(":<>", c) >= 0 && word > start { // the word before it is a field
				out, i = out[:wordOut], word
				for len(stars) > 0 && stars[len(stars)-1] >= wordOut {
					stars = stars[:len(stars)-1]
				}
			}
			break scan
		}
		out = append(out, c)
		i++
	}
	for i > start && (strings.IndexByte(" \t\r\n", p.text[i-1]) >= 0 || strings.HasSuffix(p.text[start:i], "\u00a0")) && !escapedAt(p.text, start, i-1) {
		_, n := utf8.DecodeLastRuneInString(p.text[start:i])
		i -= n
	}
	p.i = i
	text := string(out)
	if trimmed := strings.TrimRight(text, " \t\r\n\u00a0"); i < len(p.text) || trimmed != text {
		if !escapedAt(p.text, start, i-1) {
			text = trimmed
		}
	}
	return kqlLiteral{text: text, stars: stars, raw: p.text[start:i]}
}

// escapedAt tells whether the byte at i has a backslash before it that is not itself escaped.
func escapedAt(s string, start, i int) bool {
	n := 0
	for j := i - 1; j >= start && s[j] == '\\'; j-- {
		n++
	}
	return n%2 == 1
}
