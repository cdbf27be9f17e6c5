package conf

import "strings"

// conditional reads if ... { } else if ... { } else { }; the word if is read already.
func (p *parser) conditional(pos Pos, lead []string) Stmt {
	st := &If{Pos: pos, Lead: lead}
	for {
		b := &Branch{Pos: pos}
		p.space()
		b.Cond = p.condition()
		p.space()
		if p.peek() != '{' {
			if b.Cond != nil {
				p.errorAt(p.pos(), "", "{ missing behind the condition, found %s", p.found())
			}
			p.skipTo('{')
			if p.peek() != '{' {
				return nil
			}
		}
		b.Body, b.End = p.block("if")
		st.Branches = append(st.Branches, b)
		more := p.elseBranch(st, &pos)
		if !more {
			return st
		}
	}
}

// elseBranch reads else or else if behind a branch; more says that a condition follows.
func (p *parser) elseBranch(st *If, pos *Pos) (more bool) {
	st.Trail = p.trail(p.line)
	from, line, start := p.i, p.line, p.lineStart
	*pos = p.pos()
	switch p.name() {
	case "else":
	case "elsif", "elseif", "elif":
		p.errorAt(*pos, "write else if", "unknown word %s", p.src[from:p.i])
		return true
	default:
		p.i, p.line, p.lineStart = from, line, start
		return false
	}
	lead := p.lead()
	p.space()
	from = p.i
	if p.name() == "if" {
		return true
	}
	p.i = from
	if p.peek() != '{' {
		p.errorAt(p.pos(), "", "{ missing behind else, found %s", p.found())
		p.skipTo('{')
		if p.peek() != '{' {
			return false
		}
	}
	b := &Branch{Pos: *pos, Lead: lead}
	b.Body, b.End = p.block("else")
	st.Branches = append(st.Branches, b)
	st.Trail = p.trail(p.line)
	return false
}

// term is an operand of a chain of and, or, xor, nand.
type term struct {
	op  string // before x; "" for the first
	pos Pos
	x   Expr
}

// condition reads a chain. and binds tighter than or; xor and nand must not stand beside another operator.
func (p *parser) condition() Expr {
	defer func() { p.depth-- }()
	if !p.enter() {
		return nil
	}
	var terms []term
	op, opPos := "", p.pos()
	for {
		p.space()
		x := p.expression()
		if x == nil {
			return nil
		}
		terms = append(terms, term{op, opPos, x})
		p.space()
		from := p.i
		opPos = p.pos()
		switch op = p.name(); op {
		case "and", "or", "xor", "nand":
			continue
		}
		p.i = from
		if p.has("&&") || p.has("||") {
			p.errorAt(opPos, "write and, or", "unknown operator %s", p.src[p.i:p.i+2])
			return nil
		}
		return p.bind(terms)
	}
}

func (p *parser) bind(terms []term) Expr {
	for _, t := range terms[1:] {
		if (t.op == "xor" || t.op == "nand") && len(terms) > 2 {
			p.errorAt(t.pos, "use parentheses", "%s beside another operator", t.op)
			return nil
		}
	}
	// First join what and binds, then the rest from the left.
	var ors []term
	for _, t := range terms {
		if t.op == "and" {
			last := &ors[len(ors)-1]
			last.x = &Logic{t.pos, "and", last.x, t.x}
		} else {
			ors = append(ors, t)
		}
	}
	x := ors[0].x
	for _, t := range ors[1:] {
		x = &Logic{t.pos, t.op, x, t.x}
	}
	return x
}

func (p *parser) expression() Expr {
	pos := p.pos()
	switch p.peek() {
	case '(':
		p.i++
		x := p.condition()
		p.space()
		if x == nil {
			return nil
		}
		if p.peek() != ')' {
			p.errorAt(pos, "every ( needs a )", "the ( that begins here is never closed")
			return nil
		}
		p.i++
		return &Paren{pos, x}
	case '!':
		p.i++
		p.space()
		if p.peek() != '(' && p.peek() != '[' {
			p.errorAt(pos, "write ! before a parenthesis or a field: !([a] == 1), ![a]", "! before %s", p.found())
			return nil
		}
		if p.peek() == '(' {
			if x := p.expression(); x != nil {
				return &Not{pos, x}
			}
			return nil
		}
		if v := p.operand(); v != nil {
			return &Not{pos, &Truth{v}}
		}
		return nil
	}
	l := p.operand()
	if l == nil {
		return nil
	}
	return p.comparison(l)
}

var operators = []string{"==", "!=", "<=", ">=", "=~", "!~", "<", ">"}

func (p *parser) comparison(l Value) Expr {
	p.space()
	pos := p.pos()
	op := p.operator()
	switch op {
	case "":
		return &Truth{l}
	case "=":
		p.errorAt(pos, "write ==", "= where an operator should be")
		op = "=="
	}
	p.space()
	var r Value
	if op == "=~" || op == "!~" {
		r = p.pattern()
	} else {
		r = p.operand()
	}
	if r == nil {
		return nil
	}
	return &Compare{pos, op, l, r}
}

// operator reads a comparison operator, "" when none follows.
func (p *parser) operator() string {
	for _, op := range operators {
		if p.has(op) {
			p.i += len(op)
			return op
		}
	}
	if p.peek() == '=' {
		p.i++
		return "="
	}
	from, line, start := p.i, p.line, p.lineStart
	switch p.name() {
	case "in":
		return "in"
	case "not":
		p.space()
		if p.name() == "in" {
			return "not in"
		}
	}
	p.i, p.line, p.lineStart = from, line, start
	return ""
}

// pattern reads the right side of =~.
func (p *parser) pattern() Value {
	pos := p.pos()
	if p.peek() != '/' {
		if c := p.peek(); c == '"' || c == '\'' {
			return p.value()
		}
		p.errorAt(pos, "write it as /.../", "regular expression missing, found %s", p.found())
		return nil
	}
	for j := p.i + 1; j < len(p.src); j++ {
		switch p.src[j] {
		case '\\':
			j++
		case '/':
			text := p.src[p.i+1 : j]
			p.move(j + 1)
			return &Regexp{pos, text}
		}
	}
	p.errorAt(pos, "", "the regular expression that begins here never ends")
	p.i = len(p.src)
	return nil
}

// operand reads a string, a number, a selector, a list or a regular expression.
func (p *parser) operand() Value {
	pos := p.pos()
	switch c := p.peek(); {
	case c == '"' || c == '\'' || c == '-' || isDigit(c):
		return p.value()
	case c == '/':
		return p.pattern()
	case c == '[':
		if sel := p.selector(); sel != nil {
			return sel
		}
		return p.array()
	case isLetter(c):
		w := p.name()
		hint := "a field is written [" + w + "], a text \"" + w + "\""
		if w == "true" || w == "false" {
			hint = `there are no boolean literals: test the field alone, if [f] or if ![f], or compare with the text "` + w + `"`
		}
		p.errorAt(pos, hint, "word %s in a condition", w)
		return &String{pos, w, '"'}
	}
	p.errorAt(pos, "", "a field, text, number or list should stand here, found %s", p.found())
	return nil
}

// selector reads [a][b]; nil without a move when the brackets hold a list.
func (p *parser) selector() Value {
	pos, j := p.pos(), p.i
	for j < len(p.src) && p.src[j] == '[' {
		end := strings.IndexAny(p.src[j+1:], "],[\"'\n")
		if end < 0 || p.src[j+1+end] != ']' || strings.TrimSpace(p.src[j+1:j+1+end]) == "" {
			return nil
		}
		j += end + 2
	}
	text := p.src[p.i:j]
	if isList(text) {
		return nil
	}
	p.i = j
	return &Selector{pos, text}
}

// isList reports whether a single pair of brackets holds a number: [5] on the right of in is a list.
func isList(text string) bool {
	if strings.Count(text, "[") != 1 {
		return false
	}
	inner := strings.TrimSpace(text[1 : len(text)-1])
	s := newScanner("", inner)
	return s.number() != "" && s.eof()
}
