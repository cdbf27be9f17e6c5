package ruby

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/weirlog/weir/event"
)

// Program is the sources of one filter, which share methods, @variables and constants. It belongs to one goroutine.
type Program struct {
	Name   string
	vm     *VM
	lib    *library
	state  bool // keeps values from event to event
	writes bool
	srcs   []string
	bases  []int // position of each source: that of a call tells where it is
}

// Code is one source of a Program, such as the option code of a filter.
type Code struct {
	prog *Program
	proc *Proc
}

// maxSource bounds a source.
const maxSource = 1 << 20

// New makes an empty program.
func New(name string, env Env) *Program {
	p := &Program{Name: name, lib: newLibrary()}
	p.vm = &VM{prog: p, lib: p.lib, env: env, defs: map[string]*Proc{}, ivars: map[string]Value{}, gvars: map[string]Value{}, consts: map[string]Value{},
		conv: map[*event.Event]*Event{}, res: map[[2]string]*Regexp{}, paths: map[string]*event.Path{}}
	return p
}

// Source is a text to compile, with the parameters it is called with.
type Source struct {
	Text   string
	Params []string
	// Keeps: what a parameter refers to lives on between calls.
	Keeps bool
	// Init: the source runs once, before the others.
	Init bool
}

// Compile compiles sources that may use each other's methods; every fault is reported. On faults no code is returned.
func (p *Program) Compile(srcs ...Source) ([]*Code, [][]*Error) {
	faults := make([][]*Error, len(srcs))
	parsers := make([]*parser, len(srcs))
	out := make([]*Code, len(srcs))
	defs, consts, bad := map[string]bool{}, map[string]bool{}, false
	for i, s := range srcs {
		parsers[i] = &parser{lib: p.lib, defs: defs, consts: consts, base: p.base(), init: s.Init}
		p.srcs, p.bases = append(p.srcs, s.Text), append(p.bases, parsers[i].base)
		var body *blockNode
		body, faults[i] = parsers[i].source(s)
		out[i] = &Code{prog: p, proc: &Proc{b: body, lambda: true}}
		p.state = p.state || parsers[i].state || s.Keeps
		p.writes = p.writes || parsers[i].writes
		bad = bad || len(faults[i]) > 0
	}
	for i, s := range srcs {
		if len(faults[i]) == 0 {
			faults[i] = parsers[i].check(s.Text)
			bad = bad || len(faults[i]) > 0
		}
	}
	if bad {
		return nil, faults
	}
	return out, faults
}

// Writes reports whether running the code changes what a later run sees, so that the order of events matters.
func (p *Program) Writes() bool { return p.writes }

// source parses a whole text as the body of a method.
func (p *parser) source(s Source) (b *blockNode, errs []*Error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *syntax:
			errs = append(errs, p.at(s.Text, r))
		default:
			panic(r)
		}
		for _, f := range p.faults {
			errs = append(errs, p.at(s.Text, f))
		}
		slices.SortStableFunc(errs, func(x, y *Error) int { return x.Offset - y.Offset })
	}()
	if len(s.Text) > maxSource {
		return nil, []*Error{{Line: 1, Column: 1, Msg: "the code is longer than 1 MiB"}}
	}
	p.scope = &scope{}
	b = &blockNode{simple: -1, inner: true, lambda: true}
	for _, name := range s.Params {
		b.params = append(b.params, param{index: p.scope.declare(name), name: name})
	}
	b.simple = len(b.params)
	p.open(s.Text)
	b.body = p.rescueTop()
	if p.tok.kind != tokEOF {
		p.fail(p.tok.pos, "unexpected %s", p.tok.describe())
	}
	b.size = len(p.scope.names)
	return b, nil
}

// rescueTop reads a whole text; rescue may stand in it, for it is a method's body.
func (p *parser) rescueTop() node {
	pos := p.tok.pos
	body := p.body("rescue", "ensure", "else", "end", "elsif", "when")
	if !p.kw("rescue") && !p.kw("ensure") {
		return body
	}
	n := &beginNode{body: body, pos: pos}
	for p.acceptKw("rescue") {
		n.rescues = append(n.rescues, p.rescue())
	}
	if p.acceptKw("ensure") {
		n.ensure = p.body("end")
	}
	return n
}

func (p *parser) at(src string, s *syntax) *Error {
	off := max(0, min(s.at-p.base, len(src)))
	line, col := lineCol(src, off)
	return &Error{Offset: off, Line: line, Column: col, Msg: s.msg}
}

// lineCol is the line of a byte and the character in it, from 1.
func lineCol(src string, off int) (line, col int) {
	before := src[:min(off, len(src))]
	start := strings.LastIndexByte(before, '\n') + 1
	return strings.Count(before, "\n") + 1, charLen(before[start:]) + 1
}

// base is where the positions of the next source begin.
func (p *Program) base() int {
	if n := len(p.srcs); n > 0 {
		return p.bases[n-1] + len(p.srcs[n-1]) + 1
	}
	return 0
}

// lineCol is the place of a position, in the source it lies in.
func (p *Program) lineCol(pos int) (line, col int) {
	for i := len(p.srcs) - 1; i >= 0; i-- {
		if pos >= p.bases[i] {
			return lineCol(p.srcs[i], pos-p.bases[i])
		}
	}
	return 1, 1
}

// check reports calls and constants that there are not.
func (p *parser) check(src string) []*Error {
	var errs []*Error
	for _, c := range p.calls {
		if msg := p.unknown(c); msg != "" {
			errs = append(errs, p.at(src, &syntax{c.pos, msg}))
		}
	}
	for _, r := range p.refs {
		if p.lib.consts[r.name] == nil && !p.consts[r.name] {
			errs = append(errs, p.at(src, &syntax{r.pos, r.name + " is not supported (supported: " + strings.Join(p.constants(), " ") + ")"}))
		}
	}
	slices.SortStableFunc(errs, func(x, y *Error) int { return x.Offset - y.Offset })
	return errs
}

func (p *parser) constants() []string {
	var names []string
	for n := range p.lib.static {
		if parents[n] == "" && n != "Exception" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// unknown says why a call cannot work, "" when it can.
func (p *parser) unknown(c *callNode) string {
	if c.recv == nil {
		if p.defs[c.name] || p.lib.functions[c.name] != nil {
			return ""
		}
		return fmt.Sprintf("%q is neither a variable nor a supported method (supported: %s)", c.name, p.lib.about(p.lib.functions))
	}
	if k, ok := c.recv.(*constNode); ok && !p.consts[k.name] {
		if p.lib.consts[k.name] == nil {
			return "" // the constant is reported
		}
		if _, class := p.lib.consts[k.name].(*Class); class {
			if t := p.lib.static[k.name]; t[c.name] == nil && p.lib.any[c.name] == nil {
				return fmt.Sprintf("%q is not supported (supported: %s)", k.name+"."+c.name, p.lib.about(t))
			}
			return ""
		}
	}
	if l, ok := c.recv.(*localNode); ok && l.name == "event" && l.depth == 0 {
		if t := p.lib.tables[kEvent]; t[c.name] == nil && p.lib.any[c.name] == nil {
			hint := ""
			if c.name == "[]" || c.name == "[]=" {
				hint = "; use event.get and event.set"
			}
			return fmt.Sprintf("an event has no method %q%s (supported: %s)", c.name, hint, "clone "+p.lib.about(t))
		}
		return ""
	}
	if p.lib.names[c.name] || p.defs[c.name] {
		return ""
	}
	return fmt.Sprintf("the method %q is not supported", c.name)
}

// Exception is what a run ended with.
type Exception struct {
	Class, Message string
	Line, Column   int // in the source that ran
	Limit          bool
}

func (e *Exception) Error() string {
	return fmt.Sprintf("%s: %s (line %d)", e.Class, e.Message, e.Line)
}

// Run is one call of a code.
type Run struct {
	Batch *event.Batch
	Ref   uint32             // record that events made by the code belong to
	Emit  func(*event.Event) // takes events that the code hands on
}

// Call runs the code. Values the arguments refer to live as the caller says; the result dies with the batch.
func (c *Code) Call(r Run, args ...Value) (v Value, exc *Exception) {
	return c.prog.call(c.proc, r, args)
}

// Method is a method that a source defined, nil when there is none.
func (p *Program) Method(name string) *Code {
	proc, ok := p.vm.defs[name]
	if !ok {
		return nil
	}
	return &Code{p, proc}
}

// NewEvents stands for the block that takes new events, as an argument of Call.
type NewEvents struct{}

var givesEvents = &Proc{native: func(vm *VM, a []Value) Value {
	for _, v := range a {
		vm.giveEvent(v)
	}
	return nil
}}

func (p *Program) call(proc *Proc, r Run, args []Value) (v Value, exc *Exception) {
	vm := p.vm
	vm.steps, vm.bytes, vm.depth = maxSteps, maxBytes, 0
	vm.match, vm.rescued = nil, nil
	vm.batch, vm.ref, vm.emit = r.Batch, r.Ref, r.Emit
	clear(vm.conv)
	defer func() {
		if x := recover(); x != nil {
			v, exc = nil, p.exception(x)
		}
		vm.batch, vm.emit = nil, nil
	}()
	var blk *Proc
	if r.Emit != nil {
		blk = givesEvents
	}
	for i, a := range args {
		switch a := a.(type) {
		case *event.Event:
			args[i] = vm.wrap(a)
		case NewEvents:
			args[i] = givesEvents
		}
	}
	return vm.invoke(proc, args, blk), nil
}

// exception turns a panic into an Exception; a fault of the interpreter itself stays a panic.
func (p *Program) exception(x any) *Exception {
	e := &Exception{}
	pos := p.vm.pos
	switch x := x.(type) {
	case *raised:
		e.Class, e.Message, pos = x.exc.class, x.exc.msg, x.exc.pos
	case *exceeded:
		e.Class, e.Message, e.Limit = "LimitExceeded", x.what, true
	case *unwind:
		e.Class, e.Message = "LocalJumpError", "unexpected jump"
	case runtime.Error:
		panic(x)
	default:
		panic(x)
	}
	e.Line, e.Column = p.lineCol(pos)
	return e
}

// Events is the events that a script's filter method gave back.
func (p *Program) Events(v Value) (events []*event.Event, ok bool) {
	switch v := v.(type) {
	case nil:
		return nil, true
	case *Event:
		return []*event.Event{v.e}, true
	case *Array:
		for _, el := range v.l {
			e, ok := el.(*Event)
			if !ok {
				return nil, false
			}
			events = append(events, e.e)
		}
		return events, true
	}
	return nil, false
}

// Object makes an object of Go values: string, int64, float64, bool, []any, nil, by name and in order.
func Object(names []string, values map[string]any) Value {
	vm := &VM{steps: maxSteps, bytes: maxBytes}
	h := &Hash{}
	for _, n := range names {
		h.set(vm, &Str{s: n, frozen: true}, fromGo(values[n]))
	}
	return h
}

func fromGo(v any) Value {
	switch v := v.(type) {
	case string:
		return newStr(v)
	case []any:
		l := make([]Value, 0, len(v))
		for _, el := range v {
			l = append(l, fromGo(el))
		}
		return &Array{l: l}
	}
	return v
}
