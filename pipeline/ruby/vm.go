package ruby

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/weirlog/weir/event"
)

// Bounds of one run.
const (
	maxSteps = 1_000_000
	maxBytes = 16 << 20
	maxCalls = 150 // depth of calls and blocks
)

// VM runs a program. It belongs to one goroutine.
type VM struct {
	prog *Program
	lib  *library
	env  Env

	defs   map[string]*Proc
	ivars  map[string]Value
	gvars  map[string]Value
	consts map[string]Value

	steps, bytes int // what is left
	depth        int
	pos          int // of the call at hand
	match        *Match
	rescued      *Exc // $!
	free         []*frame

	batch *event.Batch
	ref   uint32                  // record that made events come from
	emit  func(*event.Event)      // takes events a script yields
	conv  map[*event.Event]*Event // one object for an event
	res   map[[2]string]*Regexp   // expressions made while running
	paths map[string]*event.Path  // field references
}

// Env is what a program may know of the world.
type Env struct {
	Log *slog.Logger
	Now func() time.Time
	// Getenv and Hostname answer ENV[] and Socket.gethostname.
	Getenv   func(string) string
	Hostname string
}

// frame is the local variables of a running body.
type frame struct {
	vm    *VM
	vars  []Value
	up    *frame // the frame the block was written in
	home  *frame // the method's or lambda's, which return leaves
	block *Proc  // of yield
}

// raised is a panic that rescue can catch.
type raised struct{ exc *Exc }

// exceeded is a panic that it cannot.
type exceeded struct{ what string }

// unwind leaves blocks and methods from inside of expressions and builtins.
type unwind struct {
	kind ctl
	v    Value
	home *frame // of a return
	b    *blockNode
}

func (vm *VM) raise(class, format string, args ...any) {
	panic(&raised{&Exc{class: class, msg: fmt.Sprintf(format, args...), pos: vm.pos}})
}

// work takes n steps off the budget.
func (vm *VM) work(n int) {
	if vm.steps -= n; vm.steps < 0 {
		panic(&exceeded{fmt.Sprintf("more than %d steps", maxSteps)})
	}
}

// alloc takes n bytes off the budget.
func (vm *VM) alloc(n int) {
	if vm.bytes -= n; vm.bytes < 0 {
		panic(&exceeded{fmt.Sprintf("more than %d MiB of values made", maxBytes>>20)})
	}
}

func (vm *VM) str(s string) *Str {
	vm.alloc(len(s) + 32)
	return &Str{s: s}
}

func (vm *VM) array(l []Value) *Array {
	vm.alloc(16*len(l) + 32)
	return &Array{l: l}
}

func (vm *VM) push(n int) {
	if vm.depth += n; vm.depth > maxCalls {
		vm.depth = 0
		panic(&exceeded{fmt.Sprintf("calls nested deeper than %d", maxCalls)})
	}
}

// frame makes a frame; one whose block holds no other is used again.
func (vm *VM) frame(b *blockNode, up *frame) *frame {
	if n := len(vm.free); n > 0 && !b.inner {
		f := vm.free[n-1]
		vm.free = vm.free[:n-1]
		if cap(f.vars) < b.size {
			f.vars = make([]Value, b.size)
		}
		f.vars = f.vars[:b.size]
		clear(f.vars)
		f.up, f.home, f.block = up, nil, nil
		return f
	}
	return &frame{vm: vm, vars: make([]Value, b.size), up: up}
}

func (vm *VM) done(b *blockNode, f *frame) {
	if !b.inner && len(vm.free) < 64 {
		vm.free = append(vm.free, f)
	}
}

// yield1 calls a block with one value.
func (vm *VM) yield1(p *Proc, v Value) Value {
	if p.native == nil && p.sym == "" && p.b.simple == 1 && !p.lambda {
		f := vm.frame(p.b, p.f)
		f.vars[0] = v
		return vm.run(p, f)
	}
	return vm.yield(p, v)
}

// yield calls a block. Of a list as the only argument, a block with several parameters takes the elements.
func (vm *VM) yield(p *Proc, args ...Value) Value {
	switch {
	case p.native != nil:
		return p.native(vm, args)
	case p.sym != "":
		if len(args) == 0 {
			vm.raise("ArgumentError", "no receiver given")
		}
		return vm.send(args[0], p.sym, args[1:], nil)
	}
	f := vm.frame(p.b, p.f)
	if p.lambda {
		vm.bindStrict(p.b, f, args, nil)
	} else {
		vm.bind(p.b, f, args)
	}
	return vm.run(p, f)
}

// run runs the body of a block whose parameters are bound.
func (vm *VM) run(p *Proc, f *frame) Value {
	vm.work(1)
	vm.push(1)
	if p.lambda {
		return vm.runLambda(p, f)
	}
	if p.f != nil {
		f.home, f.block = p.f.home, p.f.block
	}
	var v Value
	var c ctl
	if p.b.hasNext {
		v, c = blockBody(p.b, f)
	} else {
		v, c = exec(p.b.body, f)
	}
	vm.depth--
	switch c {
	case ctlBreak:
		panic(&unwind{kind: ctlBreak, v: v, b: p.b})
	case ctlReturn:
		panic(&unwind{kind: ctlReturn, v: v, home: f.home})
	case ctlRetry:
		vm.raise("LocalJumpError", "retry outside of rescue")
	}
	vm.done(p.b, f)
	return v
}

// blockBody is exec of a body whose next may stand inside of an expression.
func blockBody(b *blockNode, f *frame) (v Value, c ctl) {
	depth := f.vm.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *unwind:
			if r.b != nil || r.kind != ctlNext {
				panic(r)
			}
			f.vm.depth = depth
			v, c = r.v, r.kind
		default:
			panic(r)
		}
	}()
	return exec(b.body, f)
}

// runLambda runs a body that return and break leave.
func (vm *VM) runLambda(p *Proc, f *frame) (v Value) {
	depth := vm.depth
	f.home = f
	if p.f != nil && f.block == nil {
		f.block = p.f.block
	}
	defer func() {
		vm.depth = depth - 1
		switch r := recover().(type) {
		case nil:
		case *unwind:
			if r.kind == ctlReturn && r.home != f || r.kind == ctlBreak && r.b != nil && r.b != p.b {
				panic(r)
			}
			v = r.v
		default:
			panic(r)
		}
	}()
	v, _ = exec(p.b.body, f)
	return v
}

// invoke calls a method that the source defines.
func (vm *VM) invoke(p *Proc, args []Value, blk *Proc) Value {
	f := vm.frame(p.b, nil)
	f.block = blk
	vm.bindStrict(p.b, f, args, blk)
	vm.work(1)
	vm.push(1)
	return vm.runLambda(p, f)
}

// find is the method of a value.
func (vm *VM) find(recv Value, k kind, name string) *method {
	if k == kClass {
		if m := vm.lib.static[recv.(*Class).name][name]; m != nil {
			return m
		}
	}
	if m := vm.lib.tables[k][name]; m != nil {
		return m
	}
	return vm.lib.any[name]
}

// send calls a method by name.
func (vm *VM) send(recv Value, name string, args []Value, blk *Proc) Value {
	m := vm.find(recv, kindOf(recv), name)
	if m == nil {
		if p, ok := vm.defs[name]; ok {
			return vm.invoke(p, args, blk)
		}
		vm.noMethod(recv, name)
	}
	return vm.apply(m, recv, args, blk)
}

func (vm *VM) noMethod(recv Value, name string) {
	what := vm.inspectShort(recv)
	switch c := recv.(type) {
	case nil, bool:
	case *Class:
		what = c.name + ":Class"
	default:
		what += ":" + className(recv)
	}
	vm.raise("NoMethodError", "undefined method `%s' for %s", name, what)
}

func (vm *VM) inspectShort(v Value) string {
	s := vm.inspect(v)
	if v == nil || v == true || v == false {
		s += ":" + className(v)
	}
	if len(s) > 65 {
		s = s[:65]
	}
	return s
}

// apply calls a builtin after a look at the number of its arguments.
func (vm *VM) apply(m *method, recv Value, args []Value, blk *Proc) Value {
	vm.work(1)
	if n := len(args); n < m.min || m.max >= 0 && n > m.max {
		want := fmt.Sprint(m.min)
		if m.max < 0 {
			want += "+"
		} else if m.max != m.min {
			want = fmt.Sprintf("%d..%d", m.min, m.max)
		}
		vm.raise("ArgumentError", "wrong number of arguments (given %d, expected %s)", n, want)
	}
	return m.fn(vm, recv, args, blk)
}

// bind gives a block its arguments: missing ones are nil, too many are dropped.
func (vm *VM) bind(b *blockNode, f *frame, args []Value) {
	if len(args) == 1 && (b.simple > 1 || b.simple < 0 && (len(b.params) > 1 || len(b.params) == 1 && b.params[0].kind == paramSub)) {
		if a, ok := args[0].(*Array); ok {
			if b.simple >= 0 || b.params[0].kind != paramSub || len(b.params) > 1 {
				args = a.l
			}
		}
	}
	if b.simple >= 0 {
		copy(f.vars[:b.simple], args)
		return
	}
	vm.bindParams(b.params, f, args, nil)
}

// bindStrict gives a method its arguments and raises when their number is wrong.
func (vm *VM) bindStrict(b *blockNode, f *frame, args []Value, blk *Proc) {
	least, most := 0, 0
	for _, pa := range b.params {
		switch pa.kind {
		case paramPlain, paramSub:
			most++
			if pa.def == nil {
				least++
			}
		case paramSplat:
			most = 1 << 30
		case paramKey, paramKeys:
			most++
		}
	}
	if n := len(args); n < least || n > most {
		want := fmt.Sprint(least)
		if most != least {
			want += "+"
		}
		vm.raise("ArgumentError", "wrong number of arguments (given %d, expected %s)", n, want)
	}
	if b.simple >= 0 {
		copy(f.vars[:b.simple], args)
		return
	}
	vm.bindParams(b.params, f, args, blk)
}

// bindParams binds parameters of every kind, those behind a splat from the end.
func (vm *VM) bindParams(params []param, f *frame, args []Value, blk *Proc) {
	args, keys := takeKeys(params, args)
	need, after := 0, 0
	splat := slices.IndexFunc(params, func(p param) bool { return p.kind == paramSplat })
	for i, pa := range params {
		if pa.kind == paramPlain && pa.def == nil || pa.kind == paramSub {
			need++
			if splat >= 0 && i > splat {
				after++
			}
		}
	}
	spare := max(0, len(args)-need)
	next := func() Value {
		if len(args) == 0 {
			return nil
		}
		v := args[0]
		args = args[1:]
		return v
	}
	for i := range params {
		pa := &params[i]
		switch pa.kind {
		case paramPlain:
			if pa.def != nil && spare == 0 {
				f.vars[pa.index] = pa.def.eval(f)
				continue
			}
			if pa.def != nil {
				spare--
			}
			f.vars[pa.index] = next()
		case paramSub:
			v := next()
			if a, ok := v.(*Array); ok {
				vm.bindParams(pa.sub, f, a.l, nil)
			} else {
				vm.bindParams(pa.sub, f, []Value{v}, nil)
			}
		case paramSplat:
			n := max(0, len(args)-after)
			f.vars[pa.index] = vm.array(slices.Clone(args[:n]))
			args = args[n:]
		case paramKey:
			v, ok := keys.delete(vm, Sym(pa.name))
			if !ok {
				if pa.def == nil {
					vm.raise("ArgumentError", "missing keyword: :%s", pa.name)
				}
				v = pa.def.eval(f)
			}
			f.vars[pa.index] = v
		case paramKeys:
			f.vars[pa.index] = keys
		case paramBlock:
			if blk != nil {
				f.vars[pa.index] = blk
			}
		}
	}
}

// takeKeys splits keyword arguments off the end.
func takeKeys(params []param, args []Value) ([]Value, *Hash) {
	keys := &Hash{}
	if !slices.ContainsFunc(params, func(p param) bool { return p.kind == paramKey || p.kind == paramKeys }) || len(args) == 0 {
		return args, keys
	}
	if h, ok := args[len(args)-1].(*Hash); ok {
		keys.e = slices.Clone(h.e)
		args = args[:len(args)-1]
	}
	return args, keys
}
