package xpath

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Expr is a compiled expression. It is immutable.
type Expr struct {
	text string
	root expr
}

// String is the expression as it was written.
func (x *Expr) String() string { return x.text }

// maxNesting bounds the depth of an expression.
const maxNesting = 50

type parser struct {
	src   string
	i     int
	depth int
}

type fault struct {
	at  int
	msg string
}

func (p *parser) fail(format string, args ...any) { panic(&fault{p.i, fmt.Sprintf(format, args...)}) }

// Compile reads an expression.
func Compile(text string) (x *Expr, err error) {
	p := &parser{src: text}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*fault)
			if !ok {
				panic(r)
			}
			x, err = nil, fmt.Errorf("XPath, column %d: %s", utf8.RuneCountInString(text[:min(f.at, len(text))])+1, f.msg)
		}
	}()
	root := p.binary(0)
	p.space()
	if p.i < len(p.src) {
		p.fail("unexpected %q", p.src[p.i:])
	}
	return &Expr{text, root}, nil
}

func (p *parser) space() {
	for p.i < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.i]) >= 0 {
		p.i++
	}
}

func (p *parser) peek(s string) bool {
	p.space()
	return strings.HasPrefix(p.src[p.i:], s)
}

func (p *parser) accept(s string) bool {
	if !p.peek(s) {
		return false
	}
	p.i += len(s)
	return true
}

func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.fail("%s expected", s)
	}
}

// operators by level, the loosest first; words need a border behind them.
var operators = [][]string{{"or"}, {"and"}, {"!=", "="}, {"<=", ">=", "<", ">"}, {"+", "-"}, {"*", "div", "mod"}}

func (p *parser) operator(level int) string {
	p.space()
	for _, op := range operators[level] {
		if !strings.HasPrefix(p.src[p.i:], op) {
			continue
		}
		if end := p.i + len(op); op[0] >= 'a' && end < len(p.src) && nameByte(p.src[end]) {
			continue
		}
		p.i += len(op)
		return op
	}
	return ""
}

func (p *parser) binary(level int) expr {
	if p.depth++; p.depth > maxNesting*8 {
		p.fail("nested too deep")
	}
	defer func() { p.depth-- }()
	if level == len(operators) {
		return p.unary()
	}
	l := p.binary(level + 1)
	for op := p.operator(level); op != ""; op = p.operator(level) {
		l = &binary{op, l, p.binary(level + 1)}
	}
	return l
}

func (p *parser) unary() expr {
	if p.accept("-") {
		return &binary{"-", number(0), p.unary()}
	}
	l := p.path()
	for p.accept("|") {
		l = &binary{"|", l, p.path()}
	}
	return l
}

// path reads a location, or a value with steps behind it.
func (p *parser) path() expr {
	var from expr
	steps := []step{}
	switch {
	case p.accept("//"):
		steps = append(steps, step{axis: "root"}, step{axis: "descendant-or-self", test: "node()"}, p.step())
	case p.accept("/"):
		steps = append(steps, step{axis: "root"})
		if p.space(); p.i < len(p.src) && (nameByte(p.src[p.i]) || strings.IndexByte("@.*", p.src[p.i]) >= 0) {
			steps = append(steps, p.step())
		}
	default:
		if from = p.value(); from == nil {
			steps = append(steps, p.step())
		}
	}
	for {
		switch {
		case p.accept("//"):
			steps = append(steps, step{axis: "descendant-or-self", test: "node()"}, p.step())
		case p.accept("/"):
			steps = append(steps, p.step())
		case len(steps) == 0:
			return from
		default:
			return &location{from, steps}
		}
	}
}

// value reads a text, a number, a function or something in parentheses; nil when a step begins here.
func (p *parser) value() expr {
	p.space()
	if p.i >= len(p.src) {
		p.fail("something is missing at the end")
	}
	var v expr
	switch c := p.src[p.i]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(p.src[p.i+1:], c)
		if end < 0 {
			p.fail("the text does not end")
		}
		v = literal(p.src[p.i+1 : p.i+1+end])
		p.i += end + 2
	case c >= '0' && c <= '9' || c == '.' && p.i+1 < len(p.src) && p.src[p.i+1] >= '0' && p.src[p.i+1] <= '9':
		from := p.i
		for p.i < len(p.src) && (p.src[p.i] >= '0' && p.src[p.i] <= '9' || p.src[p.i] == '.') {
			p.i++
		}
		f, err := strconv.ParseFloat(p.src[from:p.i], 64)
		if err != nil {
			p.fail("%s is not a number", p.src[from:p.i])
		}
		v = number(f)
	case c == '(':
		p.i++
		v = p.binary(0)
		p.expect(")")
	default:
		if v = p.function(); v == nil {
			return nil
		}
	}
	if preds := p.predicates(); len(preds) > 0 {
		return &location{v, []step{{axis: "self", test: "node()", preds: preds}}}
	}
	return v
}

func nameByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

func (p *parser) name() string {
	from := p.i
	for p.i < len(p.src) && nameByte(p.src[p.i]) {
		p.i++
	}
	return p.src[from:p.i]
}

// function reads a call; the names of node tests are none.
func (p *parser) function() expr {
	from := p.i
	name := p.name()
	if name == "" || !p.peek("(") || name == "text" || name == "node" || name == "comment" || name == "processing-instruction" {
		p.i = from
		return nil
	}
	f, ok := functions[name]
	if !ok {
		p.i = from
		p.fail("function %s is not supported", name)
	}
	p.expect("(")
	c := &call{name: name}
	for !p.accept(")") {
		if len(c.args) > 0 {
			p.expect(",")
		}
		c.args = append(c.args, p.binary(0))
	}
	if n := len(c.args); n < f.min || n > f.max {
		p.i = from
		p.fail("function %s takes %d to %d arguments", name, f.min, f.max)
	}
	return c
}

var axes = []string{"child", "descendant", "descendant-or-self", "parent", "ancestor", "ancestor-or-self", "self", "attribute", "following-sibling", "preceding-sibling"}

func (p *parser) step() step {
	s := step{axis: "child"}
	p.space()
	switch {
	case p.accept(".."):
		return step{axis: "parent", test: "node()"}
	case p.accept("."):
		return step{axis: "self", test: "node()"}
	case p.accept("@"):
		s.axis = "attribute"
	}
	p.space()
	if p.accept("*") {
		s.test = "*"
	} else {
		p.test(&s)
	}
	s.preds = p.predicates()
	return s
}

// test reads [axis::][prefix:]name, or a kind of node.
func (p *parser) test(s *step) {
	from := p.i
	name := p.name()
	if name == "" {
		p.fail("a name is missing")
	}
	if p.accept("::") {
		if !slices.Contains(axes, name) {
			p.i = from
			p.fail("axis %s is not supported", name)
		}
		s.axis = name
		p.space()
		if p.accept("*") {
			s.test = "*"
			return
		}
		name = p.name()
	}
	switch {
	case (name == "text" || name == "node") && p.peek("("):
		p.expect("(")
		p.expect(")")
		s.test = name + "()"
	case p.i < len(p.src) && p.src[p.i] == ':':
		p.i++
		s.prefix = name
		if p.accept("*") {
			s.test = "*"
		} else {
			s.test = p.name()
		}
	default:
		s.test = name
	}
	if s.test == "" {
		p.fail("a name is missing")
	}
}

func (p *parser) predicates() []expr {
	var l []expr
	for p.accept("[") {
		l = append(l, p.binary(0))
		p.expect("]")
	}
	return l
}
