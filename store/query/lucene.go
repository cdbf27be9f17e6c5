package query

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// luceneNode is a part of a query in Lucene's classic syntax.
type luceneNode struct {
	occur  byte // '+' must, '-' must not, 0 should
	field  string
	kids   []*luceneNode // a group
	op     luceneOp
	text   string // words, a phrase's text, a pattern
	slop   string // of a phrase, or the fuzziness of a word
	boost  float32
	lo, hi string // range; "*" is open
	exLo   bool
	exHi   bool
	bare   bool // the word stood without a field of its own
	mod    byte // the + - or NOT before it
}

// luceneOp is what a luceneNode is.
type luceneOp uint8

const (
	luceneGroup luceneOp = iota
	luceneWord
	lucenePhrase
	luceneFuzzy
	lucenePrefix
	luceneWildcard
	luceneRegexp
	luceneRange
	luceneExists
	luceneAll
)

// maxLuceneDepth bounds parentheses.
const maxLuceneDepth = 100

// luceneParser reads AND OR NOT && || ! + - ( ) field: "phrase"~2 word~1 ^2 [a TO b} >= /re/ * ? and escapes. Operators take effect from
// left to right, without precedence: each decides what the clauses beside it are.
type luceneParser struct {
	text  string
	i     int
	and   bool // default_operator
	depth int
	count int
}

// parseLucene reads a query; nil means that nothing was written.
func parseLucene(text string, and bool) (*luceneNode, error) {
	p := &luceneParser{text: text, and: and}
	n, err := p.clauses("")
	if err != nil {
		return nil, err
	}
	if p.i < len(p.text) {
		return nil, p.fail("unexpected %q", p.text[p.i:p.i+1])
	}
	return n, nil
}

func (p *luceneParser) fail(format string, args ...any) *Error {
	e := shardf("Failed to parse query [%s]", p.text)
	e.Cause = badf("Cannot parse '"+strings.ReplaceAll(p.text, "%", "%%")+"': "+format, args...)
	e.Cause.Type = "parse_exception"
	return e
}

func (p *luceneParser) space() {
	for p.i < len(p.text) {
		r, n := utf8.DecodeRuneInString(p.text[p.i:])
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' && r != 0x3000 {
			return
		}
		p.i += n
	}
}

// word tells whether a keyword stands here, alone.
func (p *luceneParser) word(w string) bool {
	rest := p.text[p.i:]
	if !strings.HasPrefix(rest, w) {
		return false
	}
	rest = rest[len(w):]
	return rest == "" || strings.IndexByte(" \t\r\n(\"", rest[0]) >= 0 || w == "&&" || w == "||"
}

// conjunction reads AND, OR or nothing.
func (p *luceneParser) conjunction() string {
	p.space()
	for _, w := range []string{"AND", "&&", "OR", "||"} {
		if p.word(w) {
			p.i += len(w)
			if w == "AND" || w == "&&" {
				return "AND"
			}
			return "OR"
		}
	}
	return ""
}

// modifier reads NOT, !, + or -.
func (p *luceneParser) modifier() byte {
	p.space()
	if p.word("NOT") {
		p.i += 3
		p.space()
		return '-'
	}
	if p.i < len(p.text) {
		switch c := p.text[p.i]; c {
		case '!':
			p.i++
			p.space()
			return '-'
		case '+', '-':
			p.i++
			return c
		}
	}
	return 0
}

// clauses reads to the end or to a closing parenthesis.
func (p *luceneParser) clauses(field string) (*luceneNode, error) {
	g := &luceneNode{op: luceneGroup, boost: 1}
	for {
		conj := p.conjunction()
		if conj != "" && len(g.kids) == 0 {
			return nil, p.fail("an operator at the start")
		}
		if p.i == len(p.text) || p.text[p.i] == ')' {
			if conj != "" {
				return nil, p.fail("an operator at the end")
			}
			return g, nil
		}
		mod := p.modifier()
		if p.space(); p.i == len(p.text) {
			return nil, p.fail("an operator at the end")
		}
		n, err := p.clause(field)
		if err != nil {
			return nil, err
		}
		if p.count++; p.count > maxClauses {
			return nil, tooManyClauses()
		}
		if k := len(g.kids); k > 0 && conj == "" && mod == 0 && g.kids[k-1].joins(n) {
			g.kids[k-1].text += " " + n.text
			continue
		}
		p.occur(g, n, conj, mod)
	}
}

// joins tells whether the words of n continue those before it: words that no operator separates are analysed as one text.
func (k *luceneNode) joins(n *luceneNode) bool {
	return k.op == luceneWord && n.op == luceneWord && k.bare && n.bare && k.boost == 1 && n.boost == 1 && k.mod == 0
}

// occur decides what a clause is, and what the one before it becomes: AND makes both required; OR, where AND is the default, frees
// the one before.
func (p *luceneParser) occur(g, n *luceneNode, conj string, mod byte) {
	if k := len(g.kids); k > 0 {
		prev := g.kids[k-1]
		switch {
		case conj == "AND" && prev.occur == 0:
			prev.occur = '+'
		case conj == "OR" && p.and && prev.occur == '+':
			prev.occur = 0
		}
	}
	n.mod = mod
	switch {
	case mod != 0:
		n.occur = mod
	case p.and && conj != "OR", conj == "AND":
		n.occur = '+'
	}
	g.kids = append(g.kids, n)
}

// clause reads one operand.
func (p *luceneParser) clause(field string) (*luceneNode, error) {
	bare := true
	if name, ok := p.fieldName(); ok {
		field, bare = name, false
	}
	n, err := p.operand(field)
	if err != nil {
		return nil, err
	}
	n.bare = bare
	if p.i < len(p.text) && p.text[p.i] == '^' {
		p.i++
		start := p.i
		for p.i < len(p.text) && strings.IndexByte("0123456789.", p.text[p.i]) >= 0 {
			p.i++
		}
		b, err := strconv.ParseFloat(p.text[start:p.i], 32)
		if err != nil {
			return nil, p.fail("a number must follow ^")
		}
		n.boost = float32(b)
	}
	return n, nil
}

// fieldName reads "name:" when it stands here.
func (p *luceneParser) fieldName() (string, bool) {
	i, name := p.i, []byte(nil)
	for i < len(p.text) {
		c := p.text[i]
		switch {
		case c == '\\' && i+1 < len(p.text):
			i++
			name = append(name, p.text[i])
		case c == ':':
			if len(name) == 0 {
				return "", false
			}
			p.i = i + 1
			p.space()
			return string(name), true
		case strings.IndexByte(" \t\r\n()\"[]{}^~/<>=!&|", c) >= 0:
			return "", false
		default:
			name = append(name, c)
		}
		i++
	}
	return "", false
}

func (p *luceneParser) operand(field string) (*luceneNode, error) {
	n := &luceneNode{field: field, boost: 1}
	if p.i == len(p.text) {
		return nil, p.fail("a value must follow the field")
	}
	switch c := p.text[p.i]; c {
	case '(':
		if p.depth++; p.depth > maxLuceneDepth {
			return nil, p.fail("parentheses nested too deep")
		}
		p.i++
		g, err := p.clauses(field)
		if err != nil {
			return nil, err
		}
		if p.i == len(p.text) {
			return nil, p.fail("a closing parenthesis is missing")
		}
		p.i++
		p.depth--
		return g, nil
	case '"':
		return n, p.phrase(n)
	case '[', '{':
		return n, p.ranges(n)
	case '/':
		return n, p.regexp(n)
	case '<', '>':
		return n, p.compare(n)
	case ')', ']', '}', '^', ':':
		return nil, p.fail("unexpected %q", string(c))
	}
	return n, p.term(n)
}

func (p *luceneParser) phrase(n *luceneNode) error {
	n.op = lucenePhrase
	text, err := p.quoted()
	if err != nil {
		return err
	}
	n.text = text
	if p.i < len(p.text) && p.text[p.i] == '~' {
		p.i++
		n.slop = p.digits()
	}
	return nil
}

func (p *luceneParser) quoted() (string, error) {
	var out []byte
	for p.i++; p.i < len(p.text); p.i++ {
		switch c := p.text[p.i]; {
		case c == '\\' && p.i+1 < len(p.text):
			p.i++
			out = append(out, p.text[p.i])
		case c == '"':
			p.i++
			return string(out), nil
		default:
			out = append(out, c)
		}
	}
	return "", p.fail("a closing quote is missing")
}

func (p *luceneParser) digits() string {
	start := p.i
	for p.i < len(p.text) && strings.IndexByte("0123456789.", p.text[p.i]) >= 0 {
		p.i++
	}
	return p.text[start:p.i]
}

// ranges reads [a TO b], {a TO b} and mixtures.
func (p *luceneParser) ranges(n *luceneNode) error {
	n.op, n.exLo = luceneRange, p.text[p.i] == '{'
	p.i++
	var err error
	if n.lo, err = p.rangeEnd(); err != nil {
		return err
	}
	if p.space(); !p.word("TO") {
		return p.fail("TO is missing in a range")
	}
	p.i += 2
	if n.hi, err = p.rangeEnd(); err != nil {
		return err
	}
	if p.space(); p.i == len(p.text) || p.text[p.i] != ']' && p.text[p.i] != '}' {
		return p.fail("a closing bracket is missing")
	}
	n.exHi = p.text[p.i] == '}'
	p.i++
	return nil
}

func (p *luceneParser) rangeEnd() (string, error) {
	p.space()
	if p.i < len(p.text) && p.text[p.i] == '"' {
		return p.quoted()
	}
	var out []byte
	for ; p.i < len(p.text) && strings.IndexByte(" \t]}", p.text[p.i]) < 0; p.i++ {
		if p.text[p.i] == '\\' && p.i+1 < len(p.text) {
			p.i++
		}
		out = append(out, p.text[p.i])
	}
	if len(out) == 0 {
		return "", p.fail("an end of a range is missing")
	}
	return string(out), nil
}

// compare reads >=5 and the like.
func (p *luceneParser) compare(n *luceneNode) error {
	n.op, n.lo, n.hi = luceneRange, "*", "*"
	c := p.text[p.i]
	p.i++
	open := true
	if p.i < len(p.text) && p.text[p.i] == '=' {
		p.i++
		open = false
	}
	p.space()
	var v string
	var err error
	if p.i < len(p.text) && p.text[p.i] == '"' {
		v, err = p.quoted()
	} else {
		v, _, err = p.bareText()
	}
	if err != nil {
		return err
	}
	if v == "" {
		return p.fail("a value must follow %q", string(c))
	}
	if c == '>' {
		n.lo, n.exLo = v, open
	} else {
		n.hi, n.exHi = v, open
	}
	return nil
}

func (p *luceneParser) regexp(n *luceneNode) error {
	n.op = luceneRegexp
	var out []byte
	for p.i++; p.i < len(p.text); p.i++ {
		switch c := p.text[p.i]; {
		case c == '\\' && p.i+1 < len(p.text) && p.text[p.i+1] == '/':
			p.i++
			out = append(out, '/')
		case c == '/':
			p.i++
			n.text = string(out)
			return nil
		default:
			out = append(out, c)
		}
	}
	return p.fail("a closing / is missing")
}

// term reads a word, and tells a plain one from a prefix, a wildcard and a fuzzy one.
func (p *luceneParser) term(n *luceneNode) error {
	start := p.i
	text, patterned, err := p.bareText()
	if err != nil {
		return err
	}
	if p.i == start {
		return p.fail("unexpected %q", p.text[p.i:p.i+1])
	}
	raw := p.text[start:p.i]
	n.op, n.text = luceneWord, text
	switch {
	case raw == "*" && n.field == "", raw == "*" && n.field == "*":
		n.op = luceneAll
	case raw == "*":
		n.op = luceneExists
	case n.field == "_exists_":
		n.op, n.field = luceneExists, text
	case patterned:
		n.op, n.text = luceneWildcard, raw
		if strings.HasSuffix(raw, "*") && !strings.ContainsAny(strings.TrimSuffix(raw, "*"), `*?\`) {
			n.op, n.text = lucenePrefix, strings.TrimSuffix(raw, "*")
		}
	}
	if p.i < len(p.text) && p.text[p.i] == '~' {
		p.i++
		n.slop = p.digits()
		if n.slop == "" {
			n.slop = "AUTO"
		}
		if n.op == luceneWord {
			n.op = luceneFuzzy
		}
	}
	return nil
}

// bareText reads a word with its escapes resolved; patterned tells that it holds * or ? that are not escaped.
func (p *luceneParser) bareText() (text string, patterned bool, err error) {
	var out []byte
	for start := p.i; p.i < len(p.text); p.i++ {
		c := p.text[p.i]
		switch {
		case c == '\\':
			if p.i+1 == len(p.text) {
				return "", false, p.fail("an escape at the end")
			}
			p.i++
			out = append(out, p.text[p.i])
			continue
		case c == '*' || c == '?':
			patterned = true
		case strings.IndexByte(" \t\r\n()\"[]{}^~:", c) >= 0:
			return string(out), patterned, nil
		case (c == '!' || c == '/') && p.i == start:
			return string(out), patterned, nil
		case c >= utf8.RuneSelf && strings.HasPrefix(p.text[p.i:], "\u3000"):
			return string(out), patterned, nil
		}
		out = append(out, c)
	}
	return string(out), patterned, nil
}
