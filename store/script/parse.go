package script

import (
	"fmt"
	"strconv"
	"strings"
)

// Compile reads a script that sees no document.
func Compile(src string) (*Script, error) { return compile(src, false) }

// CompileDoc reads a script that may say doc['field'].value, .values, .empty, .size(), [i] and doc.containsKey('field').
func CompileDoc(src string) (*Script, error) { return compile(src, true) }

func compile(src string, doc bool) (*Script, error) {
	if len(src) > maxSource {
		return nil, &Error{Compile: true, Reason: fmt.Sprintf("exceeded max allowed inline script size in bytes [%d] with size [%d]", maxSource, len(src))}
	}
	p := &parser{src: src, doc: doc}
	p.next()
	s := &Script{}
	for p.tok.kind != tokEnd {
		st, last, err := p.statement()
		if err != nil {
			return nil, err
		}
		s.statements = append(s.statements, st)
		if last && p.tok.kind != tokEnd {
			return nil, p.fail("unreachable statement")
		}
	}
	if len(s.statements) == 0 {
		return nil, p.fail("an empty script")
	}
	return s, nil
}

// tokKind is what a token is.
type tokKind uint8

const (
	tokEnd tokKind = iota
	tokNumber
	tokString
	tokName
	tokOp
	tokBad
)

type token struct {
	kind tokKind
	text string
	at   int
}

type parser struct {
	src   string
	i     int
	tok   token
	depth int
	doc   bool // doc is known
}

func (p *parser) fail(format string, args ...any) *Error {
	return &Error{Compile: true, Reason: fmt.Sprintf(format, args...), At: p.tok.at}
}

// operators, longest first.
var operators = []string{"===", "!==", "==", "!=", "<=", ">=", "&&", "||", "?:", "+", "-", "*", "/", "%", "<", ">", "!", "?", ":", "(", ")", "[", "]",
	",", ".", ";", "="}

func (p *parser) next() {
	for p.i < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.i]) >= 0 {
		p.i++
	}
	start := p.i
	p.tok = token{kind: tokEnd, at: start}
	if p.i == len(p.src) {
		return
	}
	c := p.src[p.i]
	switch {
	case digit(c) || c == '.' && p.i+1 < len(p.src) && digit(p.src[p.i+1]):
		p.number()
	case letter(c):
		for p.i < len(p.src) && (letter(p.src[p.i]) || digit(p.src[p.i])) {
			p.i++
		}
		p.tok = token{tokName, p.src[start:p.i], start}
	case c == '\'' || c == '"':
		p.str(c)
	default:
		for _, op := range operators {
			if strings.HasPrefix(p.src[p.i:], op) {
				p.i += len(op)
				p.tok = token{tokOp, op, start}
				return
			}
		}
		p.i++
		p.tok = token{tokBad, p.src[start:p.i], start}
	}
}

func digit(c byte) bool  { return '0' <= c && c <= '9' }
func letter(c byte) bool { return c == '_' || c == '$' || 'a' <= c|32 && c|32 <= 'z' }

func (p *parser) number() {
	start := p.i
	for p.i < len(p.src) && (digit(p.src[p.i]) || p.src[p.i] == '.' ||
		(p.src[p.i]|32 == 'e') && p.i+1 < len(p.src) && (digit(p.src[p.i+1]) || p.src[p.i+1] == '-') ||
		p.src[p.i] == '-' && p.src[p.i-1]|32 == 'e') {
		p.i++
	}
	p.tok = token{tokNumber, p.src[start:p.i], start}
	if p.i < len(p.src) && strings.IndexByte("lLfFdD", p.src[p.i]) >= 0 {
		p.i++
	}
}

func (p *parser) str(quote byte) {
	start := p.i
	var out []byte
	for p.i++; p.i < len(p.src); p.i++ {
		switch c := p.src[p.i]; {
		case c == '\\' && p.i+1 < len(p.src):
			p.i++
			out = append(out, p.src[p.i])
		case c == quote:
			p.i++
			p.tok = token{tokString, string(out), start}
			return
		default:
			out = append(out, c)
		}
	}
	p.tok = token{tokBad, "an unclosed string", start}
}

func (p *parser) op(text string) bool {
	if p.tok.kind == tokOp && p.tok.text == text {
		p.next()
		return true
	}
	return false
}

func (p *parser) want(text string) error {
	if !p.op(text) {
		return p.fail("unexpected token [%s], expected [%s]", p.tok.text, text)
	}
	return nil
}

// statement reads "def x = e;", "return e;" or "e".
func (p *parser) statement() (st statement, last bool, err error) {
	if p.tok.kind == tokName {
		switch p.tok.text {
		case "return":
			p.next()
			last = true
		case "def", "double", "float", "int", "long", "boolean", "String":
			p.next()
			if p.tok.kind != tokName {
				return st, false, p.fail("a name must follow a type")
			}
			st.name = p.tok.text
			p.next()
			if err := p.want("="); err != nil {
				return st, false, err
			}
		case "if", "for", "while", "do", "try", "throw", "new", "break", "continue":
			return st, false, p.fail("[%s] is not supported", p.tok.text)
		}
	}
	if st.expr, err = p.expr(); err != nil {
		return st, false, err
	}
	if !p.op(";") && p.tok.kind != tokEnd {
		return st, false, p.fail("unexpected token [%s]", p.tok.text)
	}
	return st, last, nil
}

// levels are the binary operators from weakest to strongest.
var levels = [][]string{{"||"}, {"&&"}, {"==", "!=", "===", "!=="}, {"<", "<=", ">", ">="}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) expr() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	cond, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.op("?:") {
		other, err := p.expr()
		return elvis{cond, other}, err
	}
	if !p.op("?") {
		return cond, nil
	}
	then, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.want(":"); err != nil {
		return nil, err
	}
	other, err := p.expr()
	return choice{cond, then, other}, err
}

func (p *parser) binary(level int) (node, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		op := ""
		for _, o := range levels[level] {
			if p.tok.kind == tokOp && p.tok.text == o {
				op = o
			}
		}
		if op == "" {
			return left, nil
		}
		p.next()
		var right node
		if right, err = p.binary(level + 1); err == nil {
			left = binary{op, left, right}
		}
	}
	return nil, err
}

func (p *parser) unary() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	for _, o := range []string{"-", "+", "!"} {
		if p.op(o) {
			x, err := p.unary()
			return unary{o, x}, err
		}
	}
	return p.primary()
}

func (p *parser) primary() (node, error) {
	t := p.tok
	switch t.kind {
	case tokNumber:
		p.next()
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, &Error{Compile: true, Reason: "bad number [" + t.text + "]", At: t.at}
		}
		return literal{f}, nil
	case tokString:
		p.next()
		return literal{t.text}, nil
	case tokName:
		p.next()
		return p.name(t)
	}
	switch {
	case p.op("("):
		if p.tok.kind == tokName && (p.tok.text == "double" || p.tok.text == "long" || p.tok.text == "int") { // a cast
			cast := p.tok.text
			p.next()
			if err := p.want(")"); err != nil {
				return nil, err
			}
			x, err := p.unary()
			return call{"cast." + cast, []node{x}}, err
		}
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		return e, p.want(")")
	case p.op("["):
		return p.list()
	}
	return nil, p.fail("unexpected token [%s]", t.text)
}

func (p *parser) list() (node, error) {
	var items []node
	for !p.op("]") {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		items = append(items, e)
		if !p.op(",") {
			return list{items}, p.want("]")
		}
	}
	return list{items}, nil
}

// name reads what begins with a name: a constant, a variable, params.x, params['x'], Math.f(...).
func (p *parser) name(t token) (node, error) {
	switch t.text {
	case "true":
		return literal{true}, nil
	case "false":
		return literal{false}, nil
	case "null":
		return literal{nil}, nil
	case "params":
		return p.param()
	case "doc":
		if p.doc {
			return p.document()
		}
		return nil, &Error{Compile: true, Reason: "[doc] is not supported here", At: t.at}
	case "ctx":
		return nil, &Error{Compile: true, Reason: "[" + t.text + "] is not supported here", At: t.at}
	}
	if p.tok.kind == tokOp && p.tok.text == "(" {
		p.next()
		return p.call(t.text, t.at)
	}
	if !p.op(".") {
		return variable(t.text), nil
	}
	if p.tok.kind != tokName {
		return nil, p.fail("a name must follow [.]")
	}
	full := t.text + "." + p.tok.text
	p.next()
	if !p.op("(") {
		if c, ok := constants[full]; ok {
			return literal{c}, nil
		}
		return variable(full), nil
	}
	return p.call(full, t.at)
}

// call reads the arguments of a function behind its opening parenthesis.
func (p *parser) call(full string, at int) (node, error) {
	var args []node
	for !p.op(")") {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		args = append(args, e)
		if !p.op(",") {
			if err := p.want(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	n, ok := functions[full]
	if !ok || n.args != len(args) {
		return nil, &Error{Compile: true, Reason: fmt.Sprintf("method [%s/%d] not found", full, len(args)), At: at}
	}
	return call{full, args}, nil
}

func (p *parser) param() (node, error) {
	switch {
	case p.op("."):
		name := p.tok.text
		if p.tok.kind != tokName {
			return nil, p.fail("a name must follow [params.]")
		}
		p.next()
		return variable(name), nil
	case p.op("["):
		name := p.tok.text
		if p.tok.kind != tokString {
			return nil, p.fail("a string must follow [params[]")
		}
		p.next()
		return variable(name), p.want("]")
	}
	return nil, p.fail("[params] needs a name")
}

// document reads what stands behind doc: ['field'] with .value, .values, .empty, .size(), .length or [i], or .containsKey('field').
func (p *parser) document() (node, error) {
	if p.op(".") {
		if p.tok.text != "containsKey" {
			return nil, p.fail("[doc.%s] is not supported", p.tok.text)
		}
		p.next()
		if err := p.want("("); err != nil {
			return nil, err
		}
		field, err := p.field()
		if err != nil {
			return nil, err
		}
		return docValue{field: field, what: "containsKey"}, p.want(")")
	}
	if err := p.want("["); err != nil {
		return nil, err
	}
	field, err := p.field()
	if err != nil {
		return nil, err
	}
	if err := p.want("]"); err != nil {
		return nil, err
	}
	if p.op("[") {
		index, err := p.expr()
		if err != nil {
			return nil, err
		}
		return docValue{field: field, what: "get", index: index}, p.want("]")
	}
	if err := p.want("."); err != nil {
		return nil, err
	}
	what := p.tok.text
	p.next()
	switch what {
	case "value", "values", "empty", "length":
		return p.instant(docValue{field: field, what: what})
	case "size", "isEmpty", "getValue":
		if err := p.want("("); err != nil {
			return nil, err
		}
		return docValue{field: field, what: map[string]string{"size": "length", "isEmpty": "empty", "getValue": "value"}[what]}, p.want(")")
	case "get":
		if err := p.want("("); err != nil {
			return nil, err
		}
		index, err := p.expr()
		if err != nil {
			return nil, err
		}
		return docValue{field: field, what: "get", index: index}, p.want(")")
	}
	return nil, p.fail("[doc['%s'].%s] is not supported", field, what)
}

// instant takes the ways to the epoch milliseconds that a date's value is already: .millis, .getMillis(), .toInstant().toEpochMilli().
func (p *parser) instant(n node) (node, error) {
	for p.op(".") {
		switch name := p.tok.text; name {
		case "millis":
			p.next()
		case "getMillis", "toInstant", "toEpochMilli":
			p.next()
			if err := p.want("("); err != nil {
				return nil, err
			}
			if err := p.want(")"); err != nil {
				return nil, err
			}
		default:
			return nil, p.fail("method [%s] of a value is not supported", name)
		}
	}
	return n, nil
}

// field reads a field's name in quotes.
func (p *parser) field() (string, error) {
	name := p.tok.text
	if p.tok.kind != tokString {
		return "", p.fail("a string must follow [doc[]")
	}
	p.next()
	return name, nil
}
