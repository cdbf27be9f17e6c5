package painless

import (
	"strconv"
	"strings"
)

// Compile reads a script.
func Compile(src string) (*Script, error) {
	if len(src) > MaxSource {
		return nil, compileError(src, 0, "Scripts may be no longer than %d characters.", MaxSource)
	}
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, toks: toks}
	p.push()
	s := &Script{text: src}
	for !p.is(tEnd, "") {
		st, err := p.statement()
		if err != nil {
			return nil, err
		}
		if st != nil {
			s.body = append(s.body, st)
		}
	}
	s.locals = p.most
	return s, nil
}

// parser turns tokens into statements; locals are numbered here.
type parser struct {
	src    string
	toks   []token
	i      int
	scopes []map[string]int
	next   int // number of the next local
	most   int
	depth  int
	loops  int
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) is(k kind, text string) bool {
	t := p.toks[p.i]
	return t.kind == k && (k == tEnd || t.text == text)
}

func (p *parser) op(text string) bool {
	if p.is(tOp, text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) word(text string) bool {
	if p.is(tName, text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) fail(format string, args ...any) error {
	return compileError(p.src, p.peek().at, format, args...)
}

func (p *parser) unexpected() error {
	if t := p.peek(); t.kind != tEnd {
		return p.fail("unexpected token ['%s'].", t.text)
	}
	return p.fail("unexpected end of script.")
}

func (p *parser) want(text string) error {
	if p.op(text) {
		return nil
	}
	t := p.peek()
	if t.kind == tEnd {
		return p.fail("unexpected end of script, was expecting ['%s'].", text)
	}
	return p.fail("unexpected token ['%s'] was expecting ['%s'].", t.text, text)
}

func (p *parser) push() { p.scopes = append(p.scopes, map[string]int{}) }

func (p *parser) pop() {
	p.next -= len(p.scopes[len(p.scopes)-1])
	p.scopes = p.scopes[:len(p.scopes)-1]
}

// declare numbers a local.
func (p *parser) declare(name string) (int, error) {
	for _, s := range p.scopes {
		if _, ok := s[name]; ok {
			return 0, p.fail("variable [%s] is already defined.", name)
		}
	}
	if p.next >= maxLocals {
		return 0, p.fail("too many variables.")
	}
	n := p.next
	p.scopes[len(p.scopes)-1][name] = n
	p.next++
	p.most = max(p.most, p.next)
	return n, nil
}

func (p *parser) lookup(name string) (int, bool) {
	for i := len(p.scopes) - 1; i >= 0; i-- {
		if n, ok := p.scopes[i][name]; ok {
			return n, true
		}
	}
	return 0, false
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > maxDepth {
		return p.fail("the script is nested too deeply.")
	}
	return nil
}

// types that a declaration or a cast may name.
var types = map[string]bool{"def": true, "int": true, "long": true, "short": true, "byte": true, "double": true, "float": true, "boolean": true, "char": true,
	"String": true, "Map": true, "List": true, "Object": true, "HashMap": true, "ArrayList": true, "Integer": true, "Long": true, "Double": true, "Float": true,
	"Boolean": true, "Number": true, "Collection": true, "Iterable": true, "StringBuilder": true}

// declaration tells whether a type and a name stand here, and how many tokens the type takes.
func (p *parser) declaration() (n int, ok bool) {
	if p.peek().kind != tName || !types[p.peek().text] {
		return 0, false
	}
	n = 1
	for p.i+n+1 < len(p.toks) && p.toks[p.i+n].text == "[" && p.toks[p.i+n+1].text == "]" {
		n += 2
	}
	return n, p.toks[p.i+n].kind == tName && p.toks[p.i+n].text != "instanceof"
}

func (p *parser) statement() (stmt, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.peek()
	if t.kind == tName {
		switch t.text {
		case "if":
			return p.ifStatement()
		case "for":
			return p.forStatement()
		case "while":
			return p.whileStatement()
		case "do":
			return p.doStatement()
		case "return", "break", "continue", "throw":
			return p.jump()
		case "try", "catch", "switch", "function":
			return nil, p.fail("[%s] is not supported.", t.text)
		}
	}
	if p.op(";") {
		return nil, nil
	}
	if p.is(tOp, "{") {
		return p.block()
	}
	st, err := p.simple()
	if err != nil {
		return nil, err
	}
	return st, p.endStatement()
}

// endStatement wants ; but at the end of a script or block.
func (p *parser) endStatement() error {
	if p.op(";") || p.is(tEnd, "") || p.is(tOp, "}") {
		return nil
	}
	return p.unexpected()
}

func (p *parser) block() (stmt, error) {
	if err := p.want("{"); err != nil {
		return nil, err
	}
	p.push()
	defer p.pop()
	b := &block{}
	for !p.op("}") {
		if p.is(tEnd, "") {
			return nil, p.unexpected()
		}
		st, err := p.statement()
		if err != nil {
			return nil, err
		}
		if st != nil {
			b.body = append(b.body, st)
		}
	}
	return b, nil
}

// body is a block or one statement.
func (p *parser) body() (stmt, error) {
	if p.is(tOp, "{") {
		return p.block()
	}
	p.push()
	defer p.pop()
	st, err := p.statement()
	if st == nil {
		st = &block{}
	}
	return st, err
}

// simple is a declaration or an expression.
func (p *parser) simple() (stmt, error) {
	if n, ok := p.declaration(); ok {
		kind := p.peek().text
		p.i += n
		b := &block{}
		for {
			t := p.peek()
			if t.kind != tName {
				return nil, p.unexpected()
			}
			p.i++
			var init expr = literal{zeroOf(kind)}
			if p.op("=") {
				var err error
				if init, err = p.expression(); err != nil {
					return nil, err
				}
			}
			slot, err := p.declare(t.text)
			if err != nil {
				return nil, err
			}
			b.body = append(b.body, &declare{slot, castOf(kind), init, t.at})
			if !p.op(",") {
				return b, nil
			}
		}
	}
	e, err := p.expression()
	return &run{e}, err
}

func zeroOf(kind string) any {
	switch kind {
	case "int", "long", "short", "byte", "char":
		return int64(0)
	case "double", "float":
		return float64(0)
	case "boolean":
		return false
	}
	return nil
}

// castOf is the cast that a declared type asks for: "" for none.
func castOf(kind string) string {
	switch kind {
	case "int", "long", "short", "byte", "double", "float", "boolean", "String", "char":
		return kind
	}
	return ""
}

func (p *parser) condition() (expr, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	e, err := p.expression()
	if err != nil {
		return nil, err
	}
	return e, p.want(")")
}

func (p *parser) ifStatement() (stmt, error) {
	p.i++
	cond, err := p.condition()
	if err != nil {
		return nil, err
	}
	s := &branch{cond: cond}
	if s.then, err = p.body(); err != nil {
		return nil, err
	}
	if p.word("else") {
		s.other, err = p.body()
	}
	return s, err
}

func (p *parser) loopBody() (stmt, error) {
	p.loops++
	defer func() { p.loops-- }()
	return p.body()
}

func (p *parser) whileStatement() (stmt, error) {
	p.i++
	cond, err := p.condition()
	if err != nil {
		return nil, err
	}
	body, err := p.loopBody()
	return &loop{cond: cond, body: body}, err
}

func (p *parser) doStatement() (stmt, error) {
	p.i++
	body, err := p.loopBody()
	if err != nil {
		return nil, err
	}
	if !p.word("while") {
		return nil, p.unexpected()
	}
	cond, err := p.condition()
	if err != nil {
		return nil, err
	}
	return &loop{cond: cond, body: body, after: true}, p.endStatement()
}

// forStatement reads for (init; cond; step), for (x : list) and for (x in list).
func (p *parser) forStatement() (stmt, error) {
	p.i++
	if err := p.want("("); err != nil {
		return nil, err
	}
	p.push()
	defer p.pop()
	if s, ok, err := p.each(); ok || err != nil {
		return s, err
	}
	l := &loop{}
	var err error
	if !p.op(";") {
		if l.init, err = p.simple(); err != nil {
			return nil, err
		}
		if err := p.want(";"); err != nil {
			return nil, err
		}
	}
	if !p.op(";") {
		if l.cond, err = p.expression(); err != nil {
			return nil, err
		}
		if err := p.want(";"); err != nil {
			return nil, err
		}
	}
	for !p.op(")") {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		l.step = append(l.step, e)
		if !p.op(",") && !p.is(tOp, ")") {
			return nil, p.unexpected()
		}
	}
	l.body, err = p.loopBody()
	return l, err
}

func (p *parser) each() (stmt, bool, error) {
	n, typed := p.declaration()
	if !typed {
		n = 0
	}
	name, sep := p.toks[p.i+n], p.toks[min(p.i+n+1, len(p.toks)-1)]
	if name.kind != tName || !(sep.kind == tOp && sep.text == ":" && typed || sep.kind == tName && sep.text == "in") {
		return nil, false, nil
	}
	p.i += n + 2
	over, err := p.expression()
	if err != nil {
		return nil, true, err
	}
	if err := p.want(")"); err != nil {
		return nil, true, err
	}
	slot, err := p.declare(name.text)
	if err != nil {
		return nil, true, err
	}
	body, err := p.loopBody()
	return &forEach{slot, over, body, name.at}, true, err
}

func (p *parser) jump() (stmt, error) {
	t := p.peek()
	p.i++
	switch t.text {
	case "return":
		r := &ret{}
		if !p.is(tOp, ";") && !p.is(tOp, "}") && !p.is(tEnd, "") {
			var err error
			if r.e, err = p.expression(); err != nil {
				return nil, err
			}
		}
		return r, p.endStatement()
	case "throw":
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		return &throw{e, t.at}, p.endStatement()
	}
	if p.loops == 0 {
		return nil, p.fail("[%s] outside of a loop.", t.text)
	}
	sig := sigBreak
	if t.text == "continue" {
		sig = sigContinue
	}
	return leave(sig), p.endStatement()
}

func (p *parser) expression() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	left, err := p.ternary()
	if err != nil {
		return nil, err
	}
	t := p.peek()
	if t.kind != tOp || !strings.HasSuffix(t.text, "=") || strings.Contains(" == != <= >= === !== ", " "+t.text+" ") {
		return left, nil
	}
	if !assignable(left) {
		return nil, p.fail("cannot assign a value to a non-assignable expression.")
	}
	p.i++
	right, err := p.expression()
	return &assign{left, strings.TrimSuffix(t.text, "="), right, t.at}, err
}

func assignable(e expr) bool {
	switch e.(type) {
	case local, *member, *index:
		return true
	}
	return false
}

func (p *parser) ternary() (expr, error) {
	c, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	switch {
	case p.op("?:"):
		other, err := p.expression()
		return &elvis{c, other}, err
	case p.op("?"):
		then, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.want(":"); err != nil {
			return nil, err
		}
		other, err := p.expression()
		return &choice{c, then, other}, err
	}
	return c, nil
}

// levels of binary operators, the weakest first.
var levels = [][]string{{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!=", "===", "!=="}, {"<", "<=", ">", ">="}, {"<<", ">>", ">>>"}, {"+", "-"}, {"*", "/", "%"}}

func (p *parser) binary(level int) (expr, error) {
	if level == len(levels) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		t := p.peek()
		if t.kind == tOp && (t.text == "=~" || t.text == "==~") {
			return nil, p.fail("Regexes are not supported.")
		}
		if level == 6 && t.kind == tName && t.text == "instanceof" {
			p.i++
			if n := p.peek(); n.kind != tName || !types[n.text] {
				return nil, p.unexpected()
			}
			left = &instance{left, p.peek().text}
			p.i++
			continue
		}
		found := false
		for _, op := range levels[level] {
			found = found || t.kind == tOp && t.text == op
		}
		if !found {
			return left, nil
		}
		p.i++
		var right expr
		if right, err = p.binary(level + 1); err == nil {
			left = &binary{t.text, left, right, t.at}
		}
	}
	return nil, err
}

func (p *parser) unary() (expr, error) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	t := p.peek()
	if t.kind == tOp {
		switch t.text {
		case "!", "-", "+", "~":
			p.i++
			x, err := p.unary()
			return &unary{t.text, x, t.at}, err
		case "++", "--":
			p.i++
			x, err := p.unary()
			if err == nil && !assignable(x) {
				err = p.fail("cannot assign a value to a non-assignable expression.")
			}
			return &assign{x, t.text[:1], literal{int64(1)}, t.at}, err
		case "(":
			if n := p.toks[p.i+1]; n.kind == tName && types[n.text] && p.toks[p.i+2].text == ")" && p.castFollows() {
				p.i += 3
				x, err := p.unary()
				return &cast{castOf(n.text), x, t.at}, err
			}
		case "/":
			return nil, p.fail("Regexes are not supported.")
		}
	}
	x, err := p.postfix()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == tOp && (t.text == "++" || t.text == "--") {
		if !assignable(x) {
			return nil, p.fail("cannot assign a value to a non-assignable expression.")
		}
		p.i++
		return &after{assign{x, t.text[:1], literal{int64(1)}, t.at}}, nil
	}
	return x, nil
}

// castFollows tells whether what stands behind "(type)" can be cast.
func (p *parser) castFollows() bool {
	t := p.toks[p.i+3]
	return t.kind == tName || t.kind == tNumber || t.kind == tString || t.kind == tOp && (t.text == "(" || t.text == "[" || t.text == "!")
}

func (p *parser) postfix() (expr, error) {
	x, err := p.primary()
	for err == nil {
		t := p.peek()
		switch {
		case p.op(".") || p.op("?."):
			n := p.peek()
			if n.kind != tName && n.kind != tNumber {
				return nil, p.unexpected()
			}
			p.i++
			safe := t.text == "?."
			if p.is(tOp, "(") {
				var args []expr
				if args, err = p.args(); err == nil {
					x = &call{x, n.text, args, safe, n.at}
				}
				continue
			}
			x = &member{x, n.text, safe, n.at}
		case p.op("["):
			var i expr
			if i, err = p.expression(); err == nil {
				err = p.want("]")
				x = &index{x, i, t.at}
			}
		default:
			return x, nil
		}
	}
	return nil, err
}

func (p *parser) args() ([]expr, error) {
	if err := p.want("("); err != nil {
		return nil, err
	}
	var list []expr
	for !p.op(")") {
		if p.is(tOp, "->") || p.peek().kind == tName && p.toks[p.i+1].text == "->" {
			return nil, p.fail("lambdas are not supported.")
		}
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if p.is(tOp, "->") || p.is(tOp, "::") {
			return nil, p.fail("lambdas are not supported.")
		}
		list = append(list, e)
		if !p.op(",") && !p.is(tOp, ")") {
			return nil, p.unexpected()
		}
	}
	return list, nil
}

func (p *parser) primary() (expr, error) {
	t := p.peek()
	switch t.kind {
	case tNumber:
		p.i++
		return p.number(t)
	case tString:
		p.i++
		return literal{t.text}, nil
	case tName:
		p.i++
		return p.name(t)
	case tOp:
		switch t.text {
		case "(":
			p.i++
			e, err := p.expression()
			if err != nil {
				return nil, err
			}
			return e, p.want(")")
		case "[":
			p.i++
			return p.collection()
		}
	}
	return nil, p.unexpected()
}

func (p *parser) number(t token) (expr, error) {
	text := t.text
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") {
		n, err := strconv.ParseInt(strings.TrimRight(text[2:], "lL"), 16, 64)
		if err != nil {
			return nil, compileError(p.src, t.at, "Invalid int constant [%s].", text)
		}
		return literal{n}, nil
	}
	last := text[len(text)-1] | 0x20
	if strings.ContainsAny(text, ".eE") || last == 'f' || last == 'd' {
		f, err := strconv.ParseFloat(strings.TrimRight(text, "fFdD"), 64)
		if err != nil {
			return nil, compileError(p.src, t.at, "Invalid double constant [%s].", text)
		}
		return literal{f}, nil
	}
	n, err := strconv.ParseInt(strings.TrimRight(text, "lL"), 10, 64)
	if err != nil {
		return nil, compileError(p.src, t.at, "Invalid int constant [%s].", text)
	}
	return literal{n}, nil
}

// name reads what begins with a word: a literal, new, a static call, a local, or one of the script's names.
func (p *parser) name(t token) (expr, error) {
	switch t.text {
	case "true":
		return literal{true}, nil
	case "false":
		return literal{false}, nil
	case "null":
		return literal{nil}, nil
	case "new":
		n := p.peek()
		if n.kind != tName {
			return nil, p.unexpected()
		}
		p.i++
		if p.is(tOp, "[") {
			return nil, p.fail("arrays are not supported; use a list.")
		}
		args, err := p.args()
		if err != nil {
			return nil, err
		}
		if !constructible(n.text) {
			return nil, compileError(p.src, n.at, "cannot resolve type [%s].", n.text)
		}
		return &construct{n.text, args, n.at}, nil
	}
	if slot, ok := p.lookup(t.text); ok {
		return local(slot), nil
	}
	if statics[t.text] != nil && p.is(tOp, ".") {
		p.i++
		n := p.peek()
		if n.kind != tName {
			return nil, p.unexpected()
		}
		p.i++
		if !p.is(tOp, "(") {
			v, ok := constants[t.text+"."+n.text]
			if !ok {
				return nil, compileError(p.src, n.at, "cannot resolve symbol [%s.%s].", t.text, n.text)
			}
			return literal{v}, nil
		}
		f, ok := statics[t.text][n.text]
		args, err := p.args()
		if err != nil {
			return nil, err
		}
		if !ok || f.args >= 0 && f.args != len(args) {
			return nil, compileError(p.src, n.at, "static method [%s, %s/%d] not found.", t.text, n.text, len(args))
		}
		return &staticCall{f, args, n.at}, nil
	}
	if p.is(tOp, "(") {
		return nil, compileError(p.src, t.at, "Unknown call [%s] with arguments.", t.text)
	}
	return &global{t.text, t.at}, nil
}

// collection reads [a, b], ['k': v] and [:].
func (p *parser) collection() (expr, error) {
	if p.op(":") {
		return &mapLiteral{}, p.want("]")
	}
	var list []expr
	m := &mapLiteral{}
	for !p.op("]") {
		e, err := p.expression()
		if err != nil {
			return nil, err
		}
		if p.op(":") {
			v, err := p.expression()
			if err != nil {
				return nil, err
			}
			m.keys, m.vals = append(m.keys, e), append(m.vals, v)
		} else {
			list = append(list, e)
		}
		if !p.op(",") && !p.is(tOp, "]") {
			return nil, p.unexpected()
		}
	}
	if len(m.keys) > 0 && len(list) > 0 {
		return nil, p.fail("a list and a map cannot be mixed.")
	}
	if len(m.keys) > 0 {
		return m, nil
	}
	return &listLiteral{list}, nil
}
