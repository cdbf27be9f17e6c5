package ruby

import (
	"slices"
	"strings"
)

// exec runs a statement.
func exec(n node, f *frame) (Value, ctl) {
	if s, ok := n.(stmt); ok {
		return s.exec(f)
	}
	return n.eval(f), ctlNone
}

// inline is the value of a statement inside of an expression; a jump out of it unwinds.
func inline(s stmt, f *frame) Value {
	v, c := s.exec(f)
	if c != ctlNone {
		panic(&unwind{kind: c, v: v, home: f.home})
	}
	return v
}

func (n *litNode) eval(*frame) Value   { return n.v }
func (n *strNode) eval(f *frame) Value { return f.vm.str(n.s) }
func (selfNode) eval(*frame) Value     { return selfObj }

func (n *dstrNode) eval(f *frame) Value {
	var buf [256]byte
	dst := buf[:0]
	for _, p := range n.parts {
		if s, ok := p.(*strNode); ok {
			dst = append(dst, s.s...)
			continue
		}
		dst = append(dst, f.vm.show(p.eval(f))...)
	}
	if n.symbol {
		return Sym(dst)
	}
	return f.vm.str(string(dst))
}

func (n *dregexpNode) eval(f *frame) Value {
	src := f.vm.show(n.parts.eval(f))
	if n.re == nil || n.last != src {
		f.vm.pos = n.pos
		n.re, n.last = f.vm.regexp(src, n.flags), strings.Clone(src)
	}
	return n.re
}

func (n *arrayNode) eval(f *frame) Value {
	return f.vm.array(evalList(n.elems, f, make([]Value, 0, len(n.elems))))
}

// evalList appends values; splats give their elements.
func evalList(l []node, f *frame, out []Value) []Value {
	for _, n := range l {
		if s, ok := n.(*splatNode); ok {
			more := f.vm.toList(s.x.eval(f))
			f.vm.alloc(16 * len(more))
			out = append(out, more...)
			continue
		}
		out = append(out, n.eval(f))
	}
	return out
}

// toList is what a splat makes of a value.
func (vm *VM) toList(v Value) []Value {
	switch v := v.(type) {
	case nil:
		return nil
	case *Array:
		return v.l
	case *Hash:
		return vm.hashList(v)
	case *Range:
		return vm.rangeList(v)
	}
	return []Value{v}
}

func (n *splatNode) eval(f *frame) Value { return f.vm.array(slices.Clone(f.vm.toList(n.x.eval(f)))) }

func (n *hashNode) eval(f *frame) Value {
	h := newHash(len(n.pairs))
	f.vm.alloc(48)
	for _, p := range n.pairs {
		if p.k == nil {
			if more, ok := p.v.eval(f).(*Hash); ok {
				for _, e := range more.e {
					h.set(f.vm, e.k, e.v)
				}
			}
			continue
		}
		k := p.k.eval(f)
		h.set(f.vm, k, p.v.eval(f))
	}
	return h
}

func (n *rangeNode) eval(f *frame) Value {
	r := &Range{lo: n.lo.eval(f), excl: n.excl}
	if n.hi != nil {
		r.hi = n.hi.eval(f)
	}
	if r.hi != nil {
		if _, ok := f.vm.compare(r.lo, r.hi); !ok {
			f.vm.raise("ArgumentError", "bad value for range")
		}
	}
	return r
}

func (n *localNode) frame(f *frame) *frame {
	for d := n.depth; d > 0; d-- {
		f = f.up
	}
	return f
}

func (n *localNode) eval(f *frame) Value        { return n.frame(f).vars[n.index] }
func (n *localNode) assign(f *frame, v Value)   { n.frame(f).vars[n.index] = v }
func (n *ivarNode) eval(f *frame) Value         { return f.vm.ivars[n.name] }
func (n *ivarNode) assign(f *frame, v Value)    { f.vm.ivars[n.name] = v }
func (n *gvarNode) assign(f *frame, v Value)    { f.vm.gvars[n.name] = v }
func (n *constTarget) eval(f *frame) Value      { return f.vm.consts[n.name] }
func (n *constTarget) assign(f *frame, v Value) { f.vm.consts[n.name] = v }

// gvarNode also reads $~, $! and $1.
func (n *gvarNode) eval(f *frame) Value {
	switch c := n.name[1]; {
	case c == '~':
		if f.vm.match == nil {
			return nil
		}
		return f.vm.match
	case c == '!':
		if f.vm.rescued == nil {
			return nil
		}
		return f.vm.rescued
	case c >= '0' && c <= '9':
		if f.vm.match == nil {
			return nil
		}
		i := 0
		for _, d := range n.name[1:] {
			i = min(i*10+int(d-'0'), 1000)
		}
		return f.vm.match.group(i)
	}
	return f.vm.gvars[n.name]
}

func (n *constNode) eval(f *frame) Value {
	if v, ok := f.vm.consts[n.name]; ok {
		return v
	}
	return f.vm.lib.consts[n.name]
}

// constTarget sets a constant.
type constTarget struct{ name string }

// indexTarget is a[i].
type indexTarget struct {
	recv node
	args []node
	set  *callNode
	get  *callNode
}

func (n *indexTarget) eval(f *frame) Value { return n.get.eval(f) }

func (n *indexTarget) assign(f *frame, v Value) {
	recv := n.recv.eval(f)
	args := append(evalList(n.args, f, nil), v)
	n.set.on(f, recv, args, nil)
}

// attrTarget is a.name.
type attrTarget struct {
	recv node
	safe bool
	set  *callNode
	get  *callNode
}

func (n *attrTarget) eval(f *frame) Value { return n.get.eval(f) }

func (n *attrTarget) assign(f *frame, v Value) {
	recv := n.recv.eval(f)
	if recv == nil && n.safe {
		return
	}
	n.set.on(f, recv, []Value{v}, nil)
}

func (n *asgnNode) eval(f *frame) Value {
	v := n.v.eval(f)
	n.t.assign(f, v)
	return v
}

func (n *opAsgnNode) eval(f *frame) Value {
	f.vm.work(1)
	var old Value
	if it, ok := n.t.(*indexTarget); ok { // the receiver is looked at once
		return it.update(f, n)
	}
	old = n.t.eval(f)
	v, set := n.next(f, old)
	if set {
		n.t.assign(f, v)
	}
	return v
}

// next is the new value; set is false when the old one stays.
func (n *opAsgnNode) next(f *frame, old Value) (v Value, set bool) {
	switch n.op {
	case "||":
		if truthy(old) {
			return old, false
		}
		return n.v.eval(f), true
	case "&&":
		if !truthy(old) {
			return old, false
		}
		return n.v.eval(f), true
	}
	r := n.v.eval(f)
	f.vm.pos = n.pos
	return f.vm.binary(n.op, old, r), true
}

func (n *indexTarget) update(f *frame, op *opAsgnNode) Value {
	recv := n.recv.eval(f)
	args := evalList(n.args, f, nil)
	old := n.get.on(f, recv, args, nil)
	v, set := op.next(f, old)
	if set {
		n.set.on(f, recv, append(slices.Clone(args), v), nil)
	}
	return v
}

func (n *multiNode) eval(f *frame) Value {
	v := n.v.eval(f)
	n.assign(f, v)
	return v
}

func (n *multiNode) assign(f *frame, v Value) {
	vals := []Value{v}
	if a, ok := v.(*Array); ok {
		vals = slices.Clone(a.l)
	}
	after := len(n.targets) - n.splat - 1
	for i, t := range n.targets {
		switch {
		case i == n.splat:
			k := max(0, len(vals)-after)
			t.assign(f, f.vm.array(slices.Clone(vals[:k])))
			vals = vals[k:]
		case len(vals) == 0:
			t.assign(f, nil)
		default:
			t.assign(f, vals[0])
			vals = vals[1:]
		}
	}
}

func (n *notNode) eval(f *frame) Value { return !truthy(n.x.eval(f)) }
func (n *andNode) eval(f *frame) Value { return inline(n, f) }
func (n *orNode) eval(f *frame) Value  { return inline(n, f) }

func (n *andNode) exec(f *frame) (Value, ctl) {
	if v := n.l.eval(f); !truthy(v) {
		return v, ctlNone
	}
	return exec(n.r, f)
}

func (n *orNode) exec(f *frame) (Value, ctl) {
	if v := n.l.eval(f); truthy(v) {
		return v, ctlNone
	}
	return exec(n.r, f)
}

func (n *definedNode) eval(f *frame) Value {
	word := "expression"
	switch x := n.x.(type) {
	case *localNode:
		word = "local-variable"
	case *ivarNode:
		if _, ok := f.vm.ivars[x.name]; !ok {
			return nil
		}
		word = "instance-variable"
	case *gvarNode:
		if x.eval(f) == nil {
			return nil
		}
		word = "global-variable"
	case *constNode:
		word = "constant"
	case *callNode:
		if x.recv == nil && f.vm.defs[x.name] == nil && f.vm.lib.functions[x.name] == nil {
			return nil
		}
		word = "method"
	}
	return newStr(word)
}

func (n *ifNode) eval(f *frame) Value { return inline(n, f) }

func (n *ifNode) exec(f *frame) (Value, ctl) {
	arm := n.els
	if truthy(n.cond.eval(f)) {
		arm = n.then
	}
	if arm == nil {
		return nil, ctlNone
	}
	return exec(arm, f)
}

func (n *seqNode) eval(f *frame) Value { return inline(n, f) }

func (n *seqNode) exec(f *frame) (v Value, c ctl) {
	for _, s := range n.list {
		if v, c = exec(s, f); c != ctlNone {
			return v, c
		}
	}
	return v, ctlNone
}

func (n *caseNode) eval(f *frame) Value { return inline(n, f) }

func (n *caseNode) exec(f *frame) (Value, ctl) {
	var x Value
	if n.x != nil {
		x = n.x.eval(f)
	}
	for i := range n.whens {
		if n.hit(f, &n.whens[i], x) {
			return exec(n.whens[i].body, f)
		}
	}
	if n.els == nil {
		return nil, ctlNone
	}
	return exec(n.els, f)
}

func (n *caseNode) hit(f *frame, w *whenNode, x Value) bool {
	for _, v := range w.vals {
		if s, ok := v.(*splatNode); ok {
			for _, el := range f.vm.toList(s.x.eval(f)) {
				if n.x == nil && truthy(el) || n.x != nil && f.vm.caseEqual(el, x) {
					return true
				}
			}
			continue
		}
		el := v.eval(f)
		f.vm.pos = n.pos
		if n.x == nil && truthy(el) || n.x != nil && f.vm.caseEqual(el, x) {
			return true
		}
	}
	return false
}

func (n *whileNode) eval(f *frame) Value { return inline(n, f) }

func (n *whileNode) exec(f *frame) (Value, ctl) {
	for first := n.post; first || truthy(n.cond.eval(f)) != n.neg; first = false {
		f.vm.work(1)
		v, c := loopBody(n.body, f)
		switch c {
		case ctlBreak:
			return v, ctlNone
		case ctlReturn, ctlRetry:
			return v, c
		}
	}
	return nil, ctlNone
}

// loopBody runs a body whose next and break may stand inside of an expression.
func loopBody(body node, f *frame) (v Value, c ctl) {
	depth := f.vm.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *unwind:
			if r.b != nil || r.kind == ctlReturn || r.kind == ctlRetry {
				panic(r)
			}
			f.vm.depth = depth
			v, c = r.v, r.kind
		default:
			panic(r)
		}
	}()
	return exec(body, f)
}

func (n *forNode) eval(f *frame) Value { return inline(n, f) }

func (n *forNode) exec(f *frame) (Value, ctl) {
	list := n.list.eval(f)
	f.vm.pos = n.pos
	for _, v := range slices.Clone(f.vm.enumerate(list)) {
		f.vm.work(1)
		n.t.assign(f, v)
		v, c := loopBody(n.body, f)
		switch c {
		case ctlBreak:
			return v, ctlNone
		case ctlReturn, ctlRetry:
			return v, c
		}
	}
	return list, ctlNone
}

func (n *jumpNode) eval(f *frame) Value { return inline(n, f) }

func (n *jumpNode) exec(f *frame) (Value, ctl) {
	if n.v == nil {
		return nil, n.kind
	}
	return n.v.eval(f), n.kind
}

func (n *defNode) eval(f *frame) Value {
	f.vm.defs[n.name] = &Proc{b: n.b, lambda: true}
	return Sym(n.name)
}

func (n *lambdaNode) eval(f *frame) Value {
	f.vm.alloc(64)
	return &Proc{b: n.b, f: f, lambda: true}
}

func (n *yieldNode) eval(f *frame) Value {
	f.vm.pos = n.pos
	if f.block == nil {
		f.vm.raise("LocalJumpError", "no block given (yield)")
	}
	return f.vm.yield(f.block, evalList(n.args, f, nil)...)
}
