package xpath

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Value is the value of an expression: []*Node in document order, string, float64 or bool.
type Value = any

// maxSteps bounds an evaluation.
const maxSteps = 1_000_000

var errSteps = errors.New("XPath: more than a million steps")

// context is where an expression is evaluated.
type context struct {
	node   *Node
	pos    int // from 1
	size   int
	spaces map[string]string
	steps  *int
}

func (c *context) work(n int) {
	if *c.steps -= n; *c.steps < 0 {
		panic(errSteps)
	}
}

// Eval runs the expression at a node. spaces are the addresses of prefixes; those the document's root declares are known anyway.
func (x *Expr) Eval(n *Node, spaces map[string]string) (v Value, err error) {
	steps := maxSteps
	defer func() {
		if r := recover(); r != nil {
			if r != errSteps {
				panic(r)
			}
			v, err = nil, errSteps
		}
	}()
	return x.root.eval(&context{n, 1, 1, spaces, &steps}), nil
}

type expr interface{ eval(c *context) Value }

type (
	literal string
	number  float64
	binary  struct {
		op   string
		l, r expr
	}
	call struct {
		name string
		args []expr
	}
	location struct {
		from  expr // nil: the context's node
		steps []step
	}
	step struct {
		axis, prefix, test string
		preds              []expr
	}
)

func (l literal) eval(*context) Value { return string(l) }
func (n number) eval(*context) Value  { return float64(n) }

func (b *binary) eval(c *context) Value {
	c.work(1)
	switch b.op {
	case "or":
		return truth(b.l.eval(c)) || truth(b.r.eval(c))
	case "and":
		return truth(b.l.eval(c)) && truth(b.r.eval(c))
	}
	l, r := b.l.eval(c), b.r.eval(c)
	switch b.op {
	case "|":
		x, _ := l.([]*Node)
		y, _ := r.([]*Node)
		return ordered(append(slices.Clone(x), y...))
	case "=", "!=", "<", "<=", ">", ">=":
		return compare(c, b.op, l, r)
	}
	x, y := num(l), num(r)
	switch b.op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "div":
		return x / y
	}
	return math.Mod(x, y)
}

// compare holds for a set when it holds for one of its nodes.
func compare(c *context, op string, l, r Value) bool {
	if x, ok := l.([]*Node); ok {
		if _, isBool := r.(bool); !isBool {
			return slices.ContainsFunc(x, func(n *Node) bool { c.work(1); return compare(c, op, n.Text(), r) })
		}
	}
	if y, ok := r.([]*Node); ok {
		if _, isBool := l.(bool); !isBool {
			return slices.ContainsFunc(y, func(n *Node) bool { c.work(1); return compare(c, op, l, n.Text()) })
		}
	}
	if op == "=" || op == "!=" {
		return same(l, r) == (op == "=")
	}
	x, y := num(l), num(r)
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

func same(l, r Value) bool {
	_, lb := l.(bool)
	_, rb := r.(bool)
	_, ln := l.(float64)
	_, rn := r.(float64)
	switch {
	case lb || rb:
		return truth(l) == truth(r)
	case ln || rn:
		return num(l) == num(r)
	}
	return str(l) == str(r)
}

func truth(v Value) bool {
	switch v := v.(type) {
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	case []*Node:
		return len(v) > 0
	}
	return false
}

func num(v Value) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(str(v)), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func str(v Value) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		if math.IsNaN(v) {
			return "NaN"
		}
		if math.IsInf(v, 0) {
			return strings.TrimPrefix(strconv.FormatFloat(v, 'f', -1, 64), "+") + "inity"
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []*Node:
		if len(v) > 0 {
			return v[0].Text()
		}
	}
	return ""
}

// ordered is a set in document order.
func ordered(l []*Node) []*Node {
	slices.SortFunc(l, func(x, y *Node) int { return x.order - y.order })
	return slices.Compact(l)
}

func (l *location) eval(c *context) Value {
	set := []*Node{c.node}
	if l.from != nil {
		v := l.from.eval(c)
		nodes, ok := v.([]*Node)
		if !ok {
			return v
		}
		set = nodes
	}
	for i := range l.steps {
		if l.from != nil && i == 0 && l.steps[0].axis == "self" && len(l.steps[0].preds) > 0 { // predicates of a set count in the whole of it
			set = l.steps[0].keep(c, set)
			continue
		}
		var next []*Node
		for _, n := range set {
			next = append(next, l.steps[i].from(c, n)...)
		}
		if len(set) > 1 || l.steps[i].axis == "preceding-sibling" || l.steps[i].axis == "ancestor" {
			next = ordered(next)
		}
		set = next
	}
	return set
}

// from is the nodes a step leads to.
func (s *step) from(c *context, n *Node) []*Node {
	if s.axis == "root" {
		for n.Parent != nil {
			n = n.Parent
		}
		return []*Node{n}
	}
	var out []*Node
	for _, k := range s.axisNodes(c, n) {
		c.work(1)
		if s.fits(c, k) {
			out = append(out, k)
		}
	}
	return s.keep(c, out)
}

func (s *step) keep(c *context, set []*Node) []*Node {
	for _, p := range s.preds {
		var out []*Node
		for i, n := range set {
			v := p.eval(&context{n, i + 1, len(set), c.spaces, c.steps})
			if f, ok := v.(float64); ok && int(f) != i+1 || !ok && !truth(v) {
				continue
			}
			out = append(out, n)
		}
		set = out
	}
	return set
}

func (s *step) axisNodes(c *context, n *Node) []*Node {
	switch s.axis {
	case "child":
		return n.Children
	case "attribute":
		return n.Attrs
	case "self":
		return []*Node{n}
	case "parent":
		if n.Parent == nil {
			return nil
		}
		return []*Node{n.Parent}
	case "descendant":
		return descend(c, nil, n)
	case "descendant-or-self":
		return descend(c, []*Node{n}, n)
	case "ancestor", "ancestor-or-self":
		var out []*Node
		if s.axis == "ancestor-or-self" {
			out = append(out, n)
		}
		for p := n.Parent; p != nil; p = p.Parent {
			out = append(out, p)
		}
		return out
	}
	if n.Parent == nil || n.Kind == Attribute {
		return nil
	}
	i := slices.Index(n.Parent.Children, n)
	if s.axis == "following-sibling" {
		return n.Parent.Children[i+1:]
	}
	before := slices.Clone(n.Parent.Children[:i])
	slices.Reverse(before)
	return before
}

func descend(c *context, out []*Node, n *Node) []*Node {
	for _, k := range n.Children {
		c.work(1)
		out = descend(c, append(out, k), k)
	}
	return out
}

// fits reports whether a node passes the step's test.
func (s *step) fits(c *context, n *Node) bool {
	switch s.test {
	case "node()":
		return true
	case "text()":
		return n.Kind == Text
	}
	want := Element
	if s.axis == "attribute" {
		want = Attribute
	}
	if n.Kind != want || s.test != "*" && s.test != n.Name {
		return false
	}
	if s.prefix == "" {
		return s.test == "*" || n.Space == ""
	}
	url, ok := c.spaces[s.prefix]
	if !ok {
		url = n.space(s.prefix)
	}
	return url != "" && n.Space == url || url == "" && n.Prefix == s.prefix
}

// function is a builtin. Without arguments some take the context's node.
type function struct {
	min, max int
	f        func(c *context, a []Value) Value
}

func (f *call) eval(c *context) Value {
	c.work(1)
	a := make([]Value, 0, len(f.args)+1)
	for _, x := range f.args {
		a = append(a, x.eval(c))
	}
	if len(a) == 0 {
		a = append(a, []*Node{c.node})
	}
	return functions[f.name].f(c, a)
}

func text2(f func(a, b string) Value) function {
	return function{2, 2, func(_ *context, a []Value) Value { return f(str(a[0]), str(a[1])) }}
}

func float1(f func(float64) float64) function {
	return function{1, 1, func(_ *context, a []Value) Value { return f(num(a[0])) }}
}

var functions = map[string]function{
	"last":     {0, 0, func(c *context, _ []Value) Value { return float64(c.size) }},
	"position": {0, 0, func(c *context, _ []Value) Value { return float64(c.pos) }},
	"true":     {0, 0, func(*context, []Value) Value { return true }},
	"false":    {0, 0, func(*context, []Value) Value { return false }},
	"not":      {1, 1, func(_ *context, a []Value) Value { return !truth(a[0]) }},
	"boolean":  {1, 1, func(_ *context, a []Value) Value { return truth(a[0]) }},
	"number":   {0, 1, func(_ *context, a []Value) Value { return num(a[0]) }},
	"string":   {0, 1, func(_ *context, a []Value) Value { return str(a[0]) }},
	"count": {1, 1, func(_ *context, a []Value) Value {
		l, _ := a[0].([]*Node)
		return float64(len(l))
	}},
	"sum": {1, 1, func(_ *context, a []Value) Value {
		l, _ := a[0].([]*Node)
		f := 0.0
		for _, n := range l {
			f += num(n.Text())
		}
		return f
	}},
	"name":       {0, 1, func(_ *context, a []Value) Value { return nameOf(a[0], (*Node).QName) }},
	"local-name": {0, 1, func(_ *context, a []Value) Value { return nameOf(a[0], func(n *Node) string { return n.Name }) }},
	"concat": {2, 100, func(_ *context, a []Value) Value {
		s := ""
		for _, v := range a {
			s += str(v)
		}
		return s
	}},
	"starts-with": text2(func(a, b string) Value { return strings.HasPrefix(a, b) }),
	"contains":    text2(func(a, b string) Value { return strings.Contains(a, b) }),
	"substring-before": text2(func(a, b string) Value {
		s, _, ok := strings.Cut(a, b)
		if !ok {
			return ""
		}
		return s
	}),
	"substring-after": text2(func(a, b string) Value {
		_, s, _ := strings.Cut(a, b)
		return s
	}),
	"substring":       {2, 3, substring},
	"string-length":   {0, 1, func(_ *context, a []Value) Value { return float64(utf8.RuneCountInString(str(a[0]))) }},
	"normalize-space": {0, 1, func(_ *context, a []Value) Value { return strings.Join(strings.Fields(str(a[0])), " ") }},
	"translate":       {3, 3, translate},
	"floor":           float1(math.Floor),
	"ceiling":         float1(math.Ceil),
	"round":           float1(func(f float64) float64 { return math.Floor(f + 0.5) }),
}

func nameOf(v Value, of func(*Node) string) string {
	if l, ok := v.([]*Node); ok && len(l) > 0 {
		return of(l[0])
	}
	return ""
}

// substring counts characters from 1.
func substring(_ *context, a []Value) Value {
	s := []rune(str(a[0]))
	from := math.Floor(num(a[1]) + 0.5)
	to := math.Inf(1)
	if len(a) > 2 {
		to = from + math.Floor(num(a[2])+0.5)
	}
	var out []rune
	for i, r := range s {
		if p := float64(i + 1); p >= from && p < to {
			out = append(out, r)
		}
	}
	return string(out)
}

func translate(_ *context, a []Value) Value {
	from, to := []rune(str(a[1])), []rune(str(a[2]))
	return strings.Map(func(r rune) rune {
		switch i := slices.Index(from, r); {
		case i < 0:
			return r
		case i < len(to):
			return to[i]
		}
		return -1
	}, str(a[0]))
}

// FormatNumber prints a number as XPath does: without a fraction when it has none.
func FormatNumber(f float64) string { return str(f) }
