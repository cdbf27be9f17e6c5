package ruby

import (
	"slices"
	"strings"
)

// primary reads a value with the calls and indices behind it.
func (p *parser) primary() node {
	p.enter()
	defer func() { p.depth-- }()
	return p.postfix(p.atom())
}

// atom reads a value.
func (p *parser) atom() node {
	t := p.tok
	switch t.kind {
	case tokInt, tokFloat:
		return p.numberLit("")
	case tokString:
		return p.str()
	case tokSymbol:
		return p.symbolLit()
	case tokRegexp:
		return p.regexpLit()
	case tokWords, tokSymbols:
		p.advance()
		n := &arrayNode{}
		for _, w := range t.words {
			if t.kind == tokSymbols {
				n.elems = append(n.elems, &litNode{Sym(w)})
			} else {
				n.elems = append(n.elems, &strNode{w})
			}
		}
		return n
	case tokIvar:
		p.advance()
		p.state = true
		return &ivarNode{t.s}
	case tokGvar:
		p.advance()
		if c := t.s[1]; c != '~' && c != '!' && (c < '0' || c > '9') {
			p.state = true
		}
		return &gvarNode{t.s}
	case tokIdent:
		return p.name()
	case tokConst:
		return p.constant()
	case tokKeyword:
		return p.keyword()
	case tokOp:
		return p.bracket()
	}
	p.fail(t.pos, "a value expected, found %s", t.describe())
	return nil
}

// bracket reads ( ), [ ], { } and ->.
func (p *parser) bracket() node {
	t := p.tok
	switch t.s {
	case "(":
		return p.paren()
	case "[":
		p.advance()
		n := &arrayNode{p.args("]")}
		return n
	case "{":
		return p.hash()
	case "->":
		return p.arrow()
	case "::":
		p.advance()
		return p.constant()
	}
	p.fail(t.pos, "a value expected, found %s", t.describe())
	return nil
}

func (p *parser) paren() node {
	ternary, noDo := p.lex.ternary, p.noDo
	p.lex.ternary, p.noDo = 0, 0
	p.advance()
	n := p.stmts(func() bool { return p.op(")") })
	p.lex.ternary, p.noDo = ternary, noDo
	p.expectOp(")")
	return &seqNode{[]node{n}}
}

// name reads a local variable or the call of a function.
func (p *parser) name() node {
	t := p.tok
	if d, i, ok := p.scope.find(t.s); ok {
		p.advance()
		if !(p.op("(") && !p.tok.space) {
			return &localNode{d, i, t.s}
		}
	} else if n := p.numbered(t.s); n != nil {
		p.advance()
		return n
	} else {
		p.advance()
	}
	c := &callNode{name: t.s, pos: t.pos}
	p.callArgs(c)
	p.call(c)
	p.block(c)
	return c
}

// numbered makes _1 and _2 parameters of a block that has none of its own.
func (p *parser) numbered(name string) node {
	b := p.scope.block
	if b == nil || name != "_1" && name != "_2" || len(b.params) > 0 && b.params[0].name != "_1" {
		return nil
	}
	for i := len(b.params); i < int(name[1]-'0'); i++ {
		n := "_" + string(rune('1'+i))
		b.params = append(b.params, param{index: p.scope.declare(n), name: n})
	}
	_, i, _ := p.scope.find(name)
	return &localNode{0, i, name}
}

func (p *parser) constant() node {
	t := p.tok
	if t.kind != tokConst {
		p.fail(t.pos, "a constant expected, found %s", t.describe())
	}
	p.advance()
	if p.op("(") && !p.tok.space || p.tok.kind == tokString && p.tok.space {
		c := &callNode{name: t.s, pos: t.pos}
		p.callArgs(c)
		p.block(c)
		return p.call(c)
	}
	n := &constNode{t.s, t.pos}
	for p.op("::") {
		p.advance()
		if p.tok.kind == tokIdent {
			p.refs = append(p.refs, n)
			return p.method(n, false)
		}
		if p.tok.kind != tokConst {
			p.fail(p.tok.pos, "a constant expected, found %s", p.tok.describe())
		}
		n.name += "::" + p.tok.s
		p.advance()
	}
	if !p.op("=") && !p.op("||=") {
		p.refs = append(p.refs, n)
	}
	return n
}

// postfix reads .method, &.method, ::method and [index] behind a value.
func (p *parser) postfix(n node) node {
	for steps := 0; ; steps++ {
		if steps > 10*maxNesting {
			p.fail(p.tok.pos, "a chain of too many calls")
		}
		switch {
		case p.op(".") || p.op("&."):
			safe := p.tok.s == "&."
			p.advance()
			p.newlines()
			n = p.method(n, safe)
		case p.op("::"):
			p.advance()
			n = p.method(n, false)
		case p.op("[") && !p.tok.prefix:
			pos := p.tok.pos
			p.advance()
			n = p.call(&callNode{recv: n, name: "[]", args: p.args("]"), pos: pos})
		default:
			return n
		}
	}
}

// method reads the name behind a dot, with arguments and block.
func (p *parser) method(recv node, safe bool) node {
	t := p.tok
	c := &callNode{recv: recv, name: t.s, safe: safe, pos: t.pos}
	switch {
	case t.kind == tokIdent || t.kind == tokConst || t.kind == tokKeyword:
		p.advance()
	case t.kind == tokLabel: // a ? b.c: d
		p.fail(t.pos, "white space is missing in front of the colon")
	case p.op("("): // f.(x)
		c.name = "call"
	case t.kind == tokOp && slices.Contains([]string{"+", "-", "*", "/", "%", "==", "<", ">", "<<", "!", "<=", ">=", "&", "|"}, t.s):
		p.advance()
	default:
		p.fail(t.pos, "a method's name expected, found %s", t.describe())
	}
	p.callArgs(c)
	p.call(c)
	p.block(c)
	return c
}

// callArgs reads arguments in parentheses, or those of a command.
func (p *parser) callArgs(c *callNode) {
	switch {
	case p.op("(") && !p.tok.space:
		ternary, noDo := p.lex.ternary, p.noDo
		p.lex.ternary, p.noDo = 0, 0
		p.advance()
		p.argList(c, ")")
		p.lex.ternary, p.noDo = ternary, noDo
	case p.commandArgs():
		p.noDo++
		p.argList(c, "")
		p.noDo--
	}
}

// commandArgs reports whether a command's arguments begin here.
func (p *parser) commandArgs() bool {
	t := &p.tok
	if !t.space {
		return false
	}
	switch t.kind {
	case tokInt, tokFloat, tokString, tokSymbol, tokRegexp, tokWords, tokSymbols, tokIdent, tokConst, tokIvar, tokGvar, tokLabel:
		return true
	case tokKeyword:
		return slices.Contains([]string{"nil", "true", "false", "self", "not", "defined?", "case", "__method__"}, t.s)
	case tokOp:
		switch t.s {
		case "(", "->", "!":
			return t.s != "!" || t.prefix
		case "[", "-", "*", "&", "::", "**":
			return t.prefix
		}
	}
	return false
}

// args reads values up to the closing bracket, which is read too; pairs make a hash at the end.
func (p *parser) args(closing string) []node {
	c := &callNode{}
	ternary, noDo := p.lex.ternary, p.noDo
	p.lex.ternary, p.noDo = 0, 0
	p.argList(c, closing)
	p.lex.ternary, p.noDo = ternary, noDo
	return c.args
}

// argList reads arguments up to closing, or with none up to the end of the command.
func (p *parser) argList(c *callNode, closing string) {
	var pairs *hashNode
	for {
		if closing != "" {
			p.newlines()
			if p.acceptOp(closing) {
				return
			}
		}
		switch {
		case p.op("&") && p.tok.prefix:
			p.advance()
			c.pass = p.ternary()
		case p.op("*") && p.tok.prefix:
			p.advance()
			c.args = append(c.args, &splatNode{p.ternary()})
			c.splat = true
		case p.op("**") && p.tok.prefix:
			p.advance()
			pairs = c.pairs(pairs)
			pairs.pairs = append(pairs.pairs, pairNode{nil, p.ternary()})
		case p.tok.kind == tokLabel:
			k := &litNode{Sym(p.tok.s)}
			p.advance()
			p.newlines()
			pairs = c.pairs(pairs)
			pairs.pairs = append(pairs.pairs, pairNode{k, p.expr()})
		default:
			pairs = p.arg(c, pairs)
		}
		if closing == "" {
			if !p.acceptOp(",") {
				return
			}
			p.newlines()
			continue
		}
		p.newlines()
		if !p.op(closing) {
			p.expectOp(",")
		}
	}
}

// pairs is the hash that key => value arguments go to, the last argument.
func (c *callNode) pairs(h *hashNode) *hashNode {
	if h == nil {
		h = &hashNode{}
		c.args = append(c.args, h)
	}
	return h
}

func (p *parser) arg(c *callNode, pairs *hashNode) *hashNode {
	v := p.notExprArg()
	if !p.acceptOp("=>") {
		c.args = append(c.args, v)
		return pairs
	}
	p.newlines()
	pairs = c.pairs(pairs)
	pairs.pairs = append(pairs.pairs, pairNode{v, p.expr()})
	return pairs
}

func (p *parser) notExprArg() node {
	if p.acceptKw("not") {
		return &notNode{p.expr()}
	}
	return p.expr()
}

func (p *parser) hash() node {
	ternary, noDo := p.lex.ternary, p.noDo
	p.lex.ternary, p.noDo = 0, 0
	defer func() { p.lex.ternary, p.noDo = ternary, noDo }()
	p.advance()
	n := &hashNode{}
	for {
		p.newlines()
		if p.op("}") {
			p.lex.ternary = ternary
			p.advance()
			return n
		}
		switch {
		case p.op("**"):
			p.advance()
			n.pairs = append(n.pairs, pairNode{nil, p.expr()})
		case p.tok.kind == tokLabel:
			k := &litNode{Sym(p.tok.s)}
			p.advance()
			p.newlines()
			n.pairs = append(n.pairs, pairNode{k, p.expr()})
		default:
			k := p.expr()
			p.newlines()
			p.expectOp("=>")
			p.newlines()
			n.pairs = append(n.pairs, pairNode{k, p.expr()})
		}
		p.newlines()
		if !p.op("}") {
			p.expectOp(",")
		}
	}
}

// block reads { } or do ... end behind a call.
func (p *parser) block(c *callNode) {
	switch {
	case p.op("{"), p.kw("do") && p.noDo == 0:
		c.block = p.blockBody(nil)
	}
	if c.block != nil && c.pass != nil {
		p.fail(c.pos, "both a block and a block argument")
	}
}

// blockBody reads a block; params reads the parameters of an arrow, which stand in front of the bracket.
func (p *parser) blockBody(params func(*blockNode)) *blockNode {
	b := &blockNode{simple: -1, lambda: params != nil}
	p.inner()
	p.scope = &scope{up: p.scope, block: b}
	ternary, noDo := p.lex.ternary, p.noDo
	p.lex.ternary, p.noDo = 0, 0
	if params != nil {
		params(b)
	}
	brace := p.op("{")
	p.advance()
	switch {
	case params != nil:
	case p.op("|"):
		p.advance()
		p.blockParams(b)
	default:
		p.acceptOp("||")
	}
	if brace {
		b.body = p.stmts(func() bool { return p.op("}") })
	} else {
		b.body = p.rescueBody()
	}
	p.lex.ternary = ternary
	p.finish(b, noDo)
	if brace {
		p.expectOp("}")
	} else {
		p.expectKw("end")
	}
	return b
}

// inner marks the blocks around as holding a block.
func (p *parser) inner() {
	for s := p.scope; s != nil; s = s.up {
		if s.block != nil {
			s.block.inner = true
		}
	}
}

func (p *parser) finish(b *blockNode, noDo int) {
	b.size = len(p.scope.names)
	p.noDo = noDo
	p.scope = p.scope.up
	simple := true
	for i, pa := range b.params {
		simple = simple && pa.kind == paramPlain && pa.def == nil && pa.index == i
	}
	if simple {
		b.simple = len(b.params)
	}
}

// blockParams reads |a, (b, c), *d, e = 1; local| behind the first bar.
func (p *parser) blockParams(b *blockNode) {
	for !p.op("|") {
		b.params = append(b.params, p.param(true))
		if p.tok.kind == tokNewline { // ; and the block's own variables
			p.advance()
			for p.tok.kind == tokIdent {
				p.scope.declare(p.tok.s)
				p.advance()
				p.acceptOp(",")
			}
			break
		}
		if !p.acceptOp(",") {
			break
		}
		p.newlines()
	}
	p.expectOp("|")
}

// param reads one parameter. In a block a default ends before the bar.
func (p *parser) param(inBlock bool) param {
	t := p.tok
	switch {
	case p.op("*"), p.op("**"), p.op("&"):
		p.advance()
		kind := map[string]paramKind{"*": paramSplat, "**": paramKeys, "&": paramBlock}[t.s]
		name := t.s
		if p.tok.kind == tokIdent {
			name = p.tok.s
		}
		pa := param{kind: kind, index: p.scope.declare(name), name: name}
		if p.tok.kind == tokIdent {
			p.advance()
		}
		return pa
	case p.op("("):
		p.advance()
		pa := param{kind: paramSub}
		for !p.op(")") {
			pa.sub = append(pa.sub, p.param(inBlock))
			if !p.acceptOp(",") {
				break
			}
		}
		p.expectOp(")")
		return pa
	case t.kind == tokLabel:
		pa := param{kind: paramKey, index: p.scope.declare(t.s), name: t.s}
		p.advance()
		if !p.op(",") && !p.op(")") && !p.op("|") && p.tok.kind != tokNewline {
			pa.def = p.paramDefault(inBlock)
		}
		return pa
	case t.kind == tokIdent:
		pa := param{index: p.newParam(t), name: t.s}
		p.advance()
		if p.acceptOp("=") {
			pa.def = p.paramDefault(inBlock)
		}
		return pa
	}
	p.fail(t.pos, "a parameter expected, found %s", t.describe())
	return param{}
}

// newParam declares a parameter, which hides a variable of the same name around it.
func (p *parser) newParam(t token) int {
	if slices.Contains(p.scope.names, t.s) && t.s != "_" {
		p.fail(t.pos, "the parameter %s stands twice", t.s)
	}
	p.scope.names = append(p.scope.names, t.s)
	return len(p.scope.names) - 1
}

func (p *parser) paramDefault(inBlock bool) node {
	if inBlock {
		return p.binary(5) // tighter than the bar
	}
	return p.expr()
}

// arrow reads ->(a, b) { } and -> a { }.
func (p *parser) arrow() node {
	pos := p.tok.pos
	return &lambdaNode{p.blockBody(func(b *blockNode) {
		p.advance()
		paren := p.acceptOp("(")
		for p.tok.kind == tokIdent || p.op("*") || p.op("&") || p.op("(") || p.tok.kind == tokLabel {
			b.params = append(b.params, p.param(false))
			if !p.acceptOp(",") {
				break
			}
		}
		if paren {
			p.expectOp(")")
		}
		if !p.op("{") && !p.kw("do") {
			p.fail(pos, "-> without a block")
		}
	})}
}

func (p *parser) refuse(t token, what string) {
	p.fail(t.pos, "%s is not supported", what)
}

// keyword reads what begins with a word of the language.
func (p *parser) keyword() node {
	t := p.tok
	switch t.s {
	case "nil", "true", "false":
		p.advance()
		return &litNode{map[string]Value{"nil": nil, "true": true, "false": false}[t.s]}
	case "self":
		p.advance()
		return selfNode{}
	case "if", "unless":
		return p.ifExpr()
	case "while", "until":
		return p.whileExpr()
	case "case":
		return p.caseExpr()
	case "for":
		return p.forExpr()
	case "begin":
		return p.beginExpr()
	case "def":
		return p.def()
	case "next", "break", "return":
		return p.jump()
	case "retry":
		p.advance()
		return &jumpNode{kind: ctlRetry}
	case "yield":
		p.advance()
		c := &callNode{name: "yield", pos: t.pos}
		p.callArgs(c)
		return &yieldNode{c.args, t.pos}
	case "__method__":
		p.advance()
		return &litNode{}
	case "class", "module":
		p.refuse(t, "defining a "+t.s)
	}
	if strings.Contains(" alias undef BEGIN END redo super __FILE__ __LINE__ ", " "+t.s+" ") {
		p.refuse(t, t.s)
	}
	p.fail(t.pos, "unexpected %s", t.s)
	return nil
}

func (p *parser) then() {
	p.acceptKw("then")
	if p.tok.kind == tokNewline {
		p.newlines()
		p.acceptKw("then")
	}
}

// condition reads a condition, in which a do does not begin a block.
func (p *parser) condition() node {
	p.noDo++
	n := p.exprStmt()
	p.noDo--
	return n
}

func (p *parser) ifExpr() node {
	p.enter()
	defer func() { p.depth-- }()
	neg := p.tok.s == "unless"
	p.advance()
	n := &ifNode{cond: p.condition()}
	p.then()
	n.then = p.body("else", "elsif", "end")
	switch {
	case p.kw("elsif"):
		n.els = p.ifExpr()
		if neg {
			p.fail(p.tok.pos, "unless has no elsif")
		}
		return n
	case p.acceptKw("else"):
		n.els = p.body("end")
	}
	p.expectKw("end")
	if neg {
		n.then, n.els = n.els, n.then
	}
	return n
}

func (p *parser) whileExpr() node {
	neg := p.tok.s == "until"
	p.advance()
	n := &whileNode{cond: p.condition(), neg: neg}
	p.acceptKw("do")
	n.body = p.body("end")
	p.expectKw("end")
	return n
}

func (p *parser) forExpr() node {
	n := &forNode{pos: p.tok.pos}
	p.advance()
	m := &multiNode{splat: -1}
	for {
		pos := p.tok.pos
		m.targets = append(m.targets, p.target(p.atom(), pos))
		if !p.acceptOp(",") {
			break
		}
	}
	n.t = m
	if len(m.targets) == 1 {
		n.t = m.targets[0]
	}
	p.expectKw("in")
	n.list = p.condition()
	p.acceptKw("do")
	n.body = p.body("end")
	p.expectKw("end")
	return n
}

func (p *parser) caseExpr() node {
	p.enter()
	defer func() { p.depth-- }()
	n := &caseNode{pos: p.tok.pos}
	p.advance()
	if p.tok.kind != tokNewline && !p.kw("when") {
		n.x = p.exprStmt()
	}
	p.newlines()
	if p.kw("in") {
		p.refuse(p.tok, "case with patterns (in)")
	}
	for p.acceptKw("when") {
		var w whenNode
		p.noDo++
		w.vals = p.list()
		p.noDo--
		p.then()
		w.body = p.body("when", "else", "end")
		n.whens = append(n.whens, w)
	}
	if len(n.whens) == 0 {
		p.fail(p.tok.pos, "when expected, found %s", p.tok.describe())
	}
	if p.acceptKw("else") {
		n.els = p.body("end")
	}
	p.expectKw("end")
	return n
}

func (p *parser) beginExpr() node {
	p.advance()
	n := p.rescueBody()
	p.expectKw("end")
	if b, ok := n.(*beginNode); ok {
		return b
	}
	return &beginNode{body: n}
}

// rescueBody reads statements with rescue, else and ensure, up to end.
func (p *parser) rescueBody() node {
	pos := p.tok.pos
	body := p.body("rescue", "else", "ensure", "end")
	if p.kw("end") {
		return body
	}
	n := &beginNode{body: body, pos: pos}
	for p.acceptKw("rescue") {
		n.rescues = append(n.rescues, p.rescue())
	}
	if p.acceptKw("else") {
		n.els = p.body("ensure", "end")
	}
	if p.acceptKw("ensure") {
		n.ensure = p.body("end")
	}
	return n
}

func (p *parser) rescue() rescueNode {
	var r rescueNode
	for p.tok.kind == tokConst || p.op("*") {
		if p.acceptOp("*") {
			r.classes = append(r.classes, &splatNode{p.primary()})
		} else {
			r.classes = append(r.classes, p.primary())
		}
		if !p.acceptOp(",") {
			break
		}
		p.newlines()
	}
	if p.acceptOp("=>") {
		pos := p.tok.pos
		r.into = p.target(p.primary(), pos)
	}
	p.then()
	r.body = p.body("rescue", "else", "ensure", "end")
	return r
}

func (p *parser) jump() node {
	kind := map[string]ctl{"next": ctlNext, "break": ctlBreak, "return": ctlReturn}[p.tok.s]
	for s := p.scope; s != nil && s.block != nil; s = s.up {
		s.block.hasStop = s.block.hasStop || kind == ctlBreak
		s.block.hasNext = s.block.hasNext || kind == ctlNext
	}
	p.advance()
	n := &jumpNode{kind: kind}
	switch t := &p.tok; {
	case t.kind == tokNewline, t.kind == tokEOF, p.op("}"), p.op(")"), p.op(":"), p.op("]"):
		return n
	case t.kind == tokKeyword && slices.Contains([]string{"if", "unless", "end", "while", "until", "and", "or", "rescue", "else", "elsif", "when", "ensure"}, t.s):
		return n
	}
	n.v = p.rhs()
	return n
}

func (p *parser) def() node {
	p.advance()
	t := p.tok
	if t.kind != tokIdent && t.kind != tokConst {
		if p.kw("self") {
			p.refuse(t, "def self.name")
		}
		p.fail(t.pos, "a method's name expected, found %s", t.describe())
	}
	p.defs[t.s] = true
	b := &blockNode{simple: -1, lambda: true}
	up, depth := p.scope, p.noDo
	p.scope, p.noDo = &scope{}, 0
	p.inDef++
	defer func() { p.inDef-- }()
	p.advance()
	if p.acceptOp("(") {
		p.newlines()
		for !p.op(")") {
			b.params = append(b.params, p.param(false))
			p.newlines()
			if !p.acceptOp(",") {
				break
			}
			p.newlines()
		}
		p.expectOp(")")
	} else {
		for p.tok.kind != tokNewline && !p.op("=") {
			b.params = append(b.params, p.param(false))
			if !p.acceptOp(",") {
				break
			}
		}
	}
	if p.acceptOp("=") {
		p.newlines()
		b.body = p.stmt()
	} else {
		b.body = p.rescueBody()
		p.expectKw("end")
	}
	p.finish(b, depth)
	p.scope = up
	b.inner = true
	return &defNode{t.s, b}
}
