package ruby

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/pipeline/grok"
)

// Error is a fault of a source, with its place.
type Error struct {
	Offset       int // byte
	Line, Column int // from 1
	Msg          string
}

func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Msg) }

// syntax is how the parser leaves from any depth; Compile turns it into an Error.
type syntax struct {
	at  int
	msg string
}

func syntaxError(at int, format string, args ...any) *syntax {
	return &syntax{at, fmt.Sprintf(format, args...)}
}

// scope is the local variables of a body. Blocks see those of the bodies around them.
type scope struct {
	names []string
	up    *scope // nil in a method
	block *blockNode
}

func (s *scope) find(name string) (depth, index int, ok bool) {
	for ; s != nil; s = s.up {
		if i := slices.Index(s.names, name); i >= 0 {
			return depth, i, true
		}
		depth++
	}
	return 0, 0, false
}

func (s *scope) declare(name string) int {
	if i := slices.Index(s.names, name); i >= 0 {
		return i
	}
	s.names = append(s.names, name)
	return len(s.names) - 1
}

// parser reads a source into nodes.
type parser struct {
	lib    *library
	base   int // position of the source
	lex    *lexer
	tok    token
	scope  *scope
	noDo   int // a do belongs to a loop around
	depth  int
	faults []*syntax
	defs   map[string]bool // methods the source defines
	consts map[string]bool // constants it sets
	calls  []*callNode
	refs   []*constNode
	state  bool // uses what outlives a call: @x, $x, constants
	writes bool // and changes it
	init   bool // the source runs once
	inDef  int
}

// maxNesting bounds the depth of the tree, and with it the stack of parser and evaluator.
const maxNesting = 200

func (p *parser) open(src string) {
	p.lex = &lexer{src: src, base: p.base, isLocal: p.isLocal}
	p.advance()
}

func (p *parser) isLocal(name string) bool {
	_, _, ok := p.scope.find(name)
	return ok
}

func (p *parser) advance() { p.tok = p.lex.next() }

func (p *parser) fail(at int, format string, args ...any) { panic(syntaxError(at, format, args...)) }

func (p *parser) op(s string) bool { return p.tok.kind == tokOp && p.tok.s == s }

func (p *parser) kw(s string) bool { return p.tok.kind == tokKeyword && p.tok.s == s }

func (p *parser) acceptOp(s string) bool {
	if p.op(s) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) acceptKw(s string) bool {
	if p.kw(s) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) expectOp(s string) {
	if !p.acceptOp(s) {
		p.fail(p.tok.pos, "%s expected, found %s", s, p.tok.describe())
	}
}

func (p *parser) expectKw(s string) {
	if !p.acceptKw(s) {
		p.fail(p.tok.pos, "%s expected, found %s", s, p.tok.describe())
	}
}

func (t *token) describe() string {
	switch t.kind {
	case tokEOF:
		return "the end"
	case tokNewline:
		return "the end of the line"
	case tokString:
		return "a string"
	case tokRegexp:
		return "a regular expression"
	}
	return strconv.Quote(t.s)
}

func (p *parser) newlines() {
	for p.tok.kind == tokNewline {
		p.advance()
	}
}

func (p *parser) enter() {
	p.depth++
	if p.depth > maxNesting {
		p.fail(p.tok.pos, "nested deeper than %d levels", maxNesting)
	}
}

// body reads statements up to one of the keywords, which stays.
func (p *parser) body(ends ...string) node {
	noDo := p.noDo
	p.noDo = 0
	n := p.stmts(func() bool { return p.tok.kind == tokKeyword && slices.Contains(ends, p.tok.s) })
	p.noDo = noDo
	return n
}

func (p *parser) stmts(end func() bool) node {
	p.enter()
	defer func() { p.depth-- }()
	var list []node
	for {
		p.newlines()
		if end() || p.tok.kind == tokEOF {
			break
		}
		list = append(list, p.stmt())
		if !end() && p.tok.kind != tokNewline && p.tok.kind != tokEOF {
			p.fail(p.tok.pos, "unexpected %s", p.tok.describe())
		}
	}
	switch len(list) {
	case 0:
		return &litNode{}
	case 1:
		return list[0]
	}
	return &seqNode{list}
}

// stmt reads a statement with its modifiers.
func (p *parser) stmt() node {
	n := p.exprStmt()
	for p.tok.kind == tokKeyword {
		switch p.tok.s {
		case "if":
			p.advance()
			n = &ifNode{p.exprStmt(), n, nil}
		case "unless":
			p.advance()
			n = &ifNode{p.exprStmt(), nil, n}
		case "while", "until":
			neg := p.tok.s == "until"
			p.advance()
			b, post := n.(*beginNode)
			n = &whileNode{p.exprStmt(), n, neg, post && len(b.rescues) == 0}
		case "rescue":
			pos := p.tok.pos
			p.advance()
			n = &beginNode{body: n, rescues: []rescueNode{{body: p.exprStmt()}}, pos: pos}
		default:
			return n
		}
	}
	return n
}

// exprStmt reads expressions joined by and, or; and multiple assignments.
func (p *parser) exprStmt() node {
	l := p.notExpr()
	for p.kw("and") || p.kw("or") {
		and := p.tok.s == "and"
		p.advance()
		p.newlines()
		r := p.notExpr()
		if and {
			l = &andNode{l, r}
		} else {
			l = &orNode{l, r}
		}
	}
	return l
}

func (p *parser) notExpr() node {
	if p.acceptKw("not") {
		p.enter()
		defer func() { p.depth-- }()
		return &notNode{p.notExpr()}
	}
	if p.op("*") && p.tok.prefix {
		return p.multi(nil)
	}
	n := p.expr()
	if !p.op(",") {
		return n
	}
	if a, ok := n.(*asgnNode); ok {
		p.advance()
		a.v = &arrayNode{append([]node{a.v}, p.list()...)}
		return a
	}
	if _, ok := n.(target); ok || isVarCall(n) || isPlace(n) {
		return p.multi(n)
	}
	return n
}

// isVarCall reports a bare name, which is a variable when it is assigned to.
func isVarCall(n node) bool {
	c, ok := n.(*callNode)
	return ok && c.recv == nil && len(c.args) == 0 && c.block == nil
}

// isPlace reports an element or an attribute.
func isPlace(n node) bool {
	c, ok := n.(*callNode)
	return ok && c.recv != nil && c.block == nil && (c.name == "[]" || len(c.args) == 0 && isIdent(c.name[0]))
}

// multi reads the rest of a, b = ...; first is what was read already, nil at a splat.
func (p *parser) multi(first node) node {
	m := &multiNode{splat: -1}
	pos := p.tok.pos
	if first != nil {
		m.targets = append(m.targets, p.target(first, pos))
		p.expectOp(",")
	}
	p.targets(m)
	p.expectOp("=")
	p.newlines()
	m.v = p.rhs()
	return m
}

// targets reads targets up to something else.
func (p *parser) targets(m *multiNode) {
	for {
		switch {
		case p.op("*"):
			p.advance()
			m.splat = len(m.targets)
			if p.op(",") || p.op("=") || p.op(")") {
				m.targets = append(m.targets, &localNode{0, p.scope.declare("*"), "*"})
			} else {
				m.targets = append(m.targets, p.target(p.primary(), p.tok.pos))
			}
		case p.op("("):
			p.advance()
			sub := &multiNode{splat: -1}
			p.targets(sub)
			p.expectOp(")")
			m.targets = append(m.targets, sub)
		case p.op("=") || p.op(")"):
			return
		default:
			pos := p.tok.pos
			m.targets = append(m.targets, p.target(p.primary(), pos))
		}
		if !p.acceptOp(",") {
			return
		}
	}
}

// rhs reads the right side of an assignment: several values make a list.
func (p *parser) rhs() node {
	if p.op("*") {
		return &arrayNode{p.list()}
	}
	v := p.expr()
	if !p.op(",") {
		return v
	}
	p.advance()
	return &arrayNode{append([]node{v}, p.list()...)}
}

func (p *parser) list() []node {
	var l []node
	for {
		p.newlines()
		if p.acceptOp("*") {
			l = append(l, &splatNode{p.expr()})
		} else {
			l = append(l, p.expr())
		}
		if !p.acceptOp(",") {
			return l
		}
	}
}

// target makes what was read something to assign to.
func (p *parser) target(n node, pos int) target {
	if c, ok := n.(*callNode); ok && c.recv != nil {
		p.wrote(c.recv)
	}
	p.wrote(n)
	if c, ok := n.(*callNode); ok {
		switch {
		case isVarCall(n):
			p.dropCall(c)
			return p.local(c.name)
		case c.name == "[]" && c.block == nil && !c.safe:
			p.dropCall(c)
			return &indexTarget{c.recv, c.args, p.call(&callNode{name: "[]=", recv: c.recv, pos: c.pos}), c}
		case c.recv != nil && len(c.args) == 0 && c.block == nil:
			p.dropCall(c)
			return &attrTarget{c.recv, c.safe, p.call(&callNode{name: c.name + "=", recv: c.recv, pos: c.pos}), c}
		}
	}
	if c, ok := n.(*constNode); ok {
		if strings.Contains(c.name, "::") {
			p.fail(pos, "%s cannot be set", c.name)
		}
		p.consts[c.name] = true
		p.state = true
		return &constTarget{c.name}
	}
	if g, ok := n.(*gvarNode); ok && (g.name == "$~" || g.name == "$!" || g.name[1] <= '9') {
		p.fail(pos, "%s cannot be set", g.name)
	}
	if t, ok := n.(target); ok {
		return t
	}
	p.fail(pos, "this cannot be assigned to")
	return nil
}

// wrote notes that what outlives a call is changed.
func (p *parser) wrote(n node) {
	if p.init && p.inDef == 0 {
		return
	}
	for {
		switch x := n.(type) {
		case *ivarNode, *gvarNode:
			p.writes = true
			return
		case *callNode:
			if x.recv == nil {
				return
			}
			n = x.recv
		default:
			return
		}
	}
}

// mutators are methods that change their receiver; those that end in ! do too.
var mutators = []string{"<<", "push", "append", "pop", "shift", "unshift", "prepend", "insert", "concat", "delete", "delete_at", "delete_if", "keep_if", "clear",
	"replace", "store", "update", "[]="}

// local finds or makes a local variable.
func (p *parser) local(name string) *localNode {
	if d, i, ok := p.scope.find(name); ok {
		return &localNode{d, i, name}
	}
	return &localNode{0, p.scope.declare(name), name}
}

func (p *parser) call(c *callNode) *callNode {
	if c.recv != nil && (slices.Contains(mutators, c.name) || strings.HasSuffix(c.name, "!")) {
		p.wrote(c.recv)
	}
	p.calls = append(p.calls, c)
	return c
}

func (p *parser) dropCall(c *callNode) {
	if i := slices.Index(p.calls, c); i >= 0 {
		p.calls = slices.Delete(p.calls, i, i+1)
	}
}

// expr reads one expression: an assignment, or a ternary.
func (p *parser) expr() node {
	p.enter()
	defer func() { p.depth-- }()
	pos := p.tok.pos
	l := p.ternary()
	if p.tok.kind != tokOp {
		return l
	}
	switch op := p.tok.s; op {
	case "=":
		t := p.target(l, pos)
		p.advance()
		p.newlines()
		var v node
		if p.op("*") {
			v = &arrayNode{p.list()}
		} else {
			v = p.expr()
		}
		if p.kw("rescue") {
			p.advance()
			v = &beginNode{body: v, rescues: []rescueNode{{body: p.expr()}}, pos: pos}
		}
		return &asgnNode{t, v}
	case "+=", "-=", "*=", "/=", "%=", "**=", "|=", "&=", "^=", "<<=", ">>=", "||=", "&&=":
		t := p.target(l, pos)
		opPos := p.tok.pos
		p.advance()
		p.newlines()
		return &opAsgnNode{t: t, op: op[:len(op)-1], v: p.expr(), pos: opPos}
	}
	return l
}

func (p *parser) ternary() node {
	c := p.rangeExpr()
	if !p.op("?") {
		return c
	}
	p.advance()
	p.lex.ternary++
	p.newlines()
	then := p.expr()
	p.newlines()
	p.lex.ternary--
	p.expectOp(":")
	p.newlines()
	return &ifNode{c, then, p.expr()}
}

func (p *parser) rangeExpr() node {
	l := p.binary(0)
	if !p.op("..") && !p.op("...") {
		return l
	}
	excl := p.tok.s == "..."
	p.advance()
	n := &rangeNode{lo: l, excl: excl}
	if !p.op(")") && !p.op("]") && p.tok.kind != tokNewline && p.tok.kind != tokEOF && !p.kw("then") {
		n.hi = p.binary(0)
	}
	return n
}

// levels of binary operators, the loosest first.
var levels = []struct {
	ops   []string
	right bool
}{
	{ops: []string{"||"}}, {ops: []string{"&&"}}, {ops: []string{"<=>", "==", "===", "!=", "=~", "!~"}}, {ops: []string{"<", "<=", ">", ">="}},
	{ops: []string{"|", "^"}}, {ops: []string{"&"}}, {ops: []string{"<<", ">>"}}, {ops: []string{"+", "-"}}, {ops: []string{"*", "/", "%"}},
}

func (p *parser) binary(level int) node {
	if level == len(levels) {
		return p.unary()
	}
	l := p.binary(level + 1)
	for p.tok.kind == tokOp && slices.Contains(levels[level].ops, p.tok.s) {
		op, pos := p.tok.s, p.tok.pos
		p.advance()
		p.newlines()
		r := p.operand(level)
		switch op {
		case "||":
			l = &orNode{l, r}
		case "&&":
			l = &andNode{l, r}
		case "!=":
			l = &notNode{p.call(&callNode{recv: l, name: "==", args: []node{r}, pos: pos})}
		case "!~":
			l = &notNode{p.call(&callNode{recv: l, name: "=~", args: []node{r}, pos: pos})}
		default:
			l = p.call(&callNode{recv: l, name: op, args: []node{r}, pos: pos})
		}
	}
	return l
}

// operand is the right side of a binary operator; behind && and || an assignment or a jump may stand.
func (p *parser) operand(level int) node {
	n := p.binary(level + 1)
	if level <= 1 && p.op("=") {
		pos := p.tok.pos
		t := p.target(n, pos)
		p.advance()
		return &asgnNode{t, p.expr()}
	}
	return n
}

func (p *parser) unary() node {
	pos := p.tok.pos
	switch {
	case p.op("!"):
		p.advance()
		p.enter()
		defer func() { p.depth-- }()
		return &notNode{p.unary()}
	case p.op("-"):
		p.advance()
		p.enter()
		defer func() { p.depth-- }()
		if (p.tok.kind == tokInt || p.tok.kind == tokFloat) && !p.tok.space {
			neg := p.numberLit("-")
			return p.power(p.postfix(neg))
		}
		return p.call(&callNode{recv: p.unary(), name: "-@", pos: pos})
	case p.op("+"):
		p.advance()
		return p.unary()
	case p.op("~"):
		p.advance()
		return p.call(&callNode{recv: p.unary(), name: "~", pos: pos})
	case p.op("&"):
		p.fail(pos, "a block argument may only stand in a call")
	case p.op(".."), p.op("..."):
		p.fail(pos, "a range needs a beginning")
	case p.acceptKw("defined?"):
		return p.defined()
	}
	return p.power(p.primary())
}

func (p *parser) power(base node) node {
	if !p.op("**") {
		return base
	}
	pos := p.tok.pos
	p.advance()
	p.newlines()
	return p.call(&callNode{recv: base, name: "**", args: []node{p.unary()}, pos: pos})
}

func (p *parser) defined() node {
	paren := p.acceptOp("(")
	x := p.unary()
	if paren {
		p.expectOp(")")
	}
	if isVarCall(x) {
		p.dropCall(x.(*callNode))
	}
	return &definedNode{x}
}

func (p *parser) numberLit(sign string) node {
	t := p.tok
	p.advance()
	if t.kind == tokFloat {
		v, err := strconv.ParseFloat(sign+t.s, 64)
		if err != nil && v == 0 {
			p.fail(t.pos, "%q is not a number", t.s)
		}
		return &litNode{v}
	}
	if len(t.s) > 1 && t.s[0] == '0' && t.s[1] >= '0' && t.s[1] <= '9' {
		t.s = "0o" + t.s[1:]
	}
	n, ok := new(big.Int).SetString(sign+t.s, 0)
	if !ok {
		p.fail(t.pos, "%q is not a number", t.s)
	}
	return &litNode{normal(n)}
}

// strParts makes nodes of a string with code in it.
func (p *parser) strParts(parts []strPart) []node {
	var out []node
	for _, s := range parts {
		if s.eval {
			out = append(out, p.embedded(s))
		} else if s.lit != "" || len(parts) == 1 {
			out = append(out, &strNode{s.lit})
		}
	}
	return out
}

// embedded reads the code of a #{}.
func (p *parser) embedded(s strPart) node {
	lex, tok, noDo := p.lex, p.tok, p.noDo
	p.lex = &lexer{src: s.code, base: s.pos, isLocal: p.isLocal}
	p.noDo = 0
	p.advance()
	n := p.stmts(func() bool { return false })
	p.lex, p.tok, p.noDo = lex, tok, noDo
	return n
}

// str reads string literals; those side by side are one.
func (p *parser) str() node {
	parts := p.tok.parts
	p.advance()
	for p.tok.kind == tokString {
		parts = append(slices.Clone(parts), p.tok.parts...)
		p.advance()
	}
	nodes := p.strParts(parts)
	if len(nodes) == 1 {
		if s, ok := nodes[0].(*strNode); ok {
			return s
		}
	}
	return &dstrNode{parts: nodes}
}

func (p *parser) symbolLit() node {
	parts := p.tok.parts
	p.advance()
	nodes := p.strParts(parts)
	if len(nodes) == 1 {
		if s, ok := nodes[0].(*strNode); ok {
			return &litNode{Sym(s.s)}
		}
	}
	return &dstrNode{parts: nodes, symbol: true}
}

func (p *parser) regexpLit() node {
	t := p.tok
	p.advance()
	nodes := p.strParts(t.parts)
	if len(nodes) == 1 {
		if s, ok := nodes[0].(*strNode); ok {
			re, err := compileRegexp(s.s, t.s)
			if err != nil {
				at := t.pos
				if ge, ok := err.(*grok.Error); ok {
					at += 1 + ge.Offset
				}
				p.faults = append(p.faults, syntaxError(at, "regular expression: %v", err))
				return &litNode{}
			}
			return &litNode{re}
		}
	}
	return &dregexpNode{parts: &dstrNode{parts: nodes}, flags: t.s, pos: t.pos}
}
