package ruby

import "strings"

// parents of the exceptions there are.
var parents = map[string]string{"StandardError": "Exception", "ArgumentError": "StandardError", "TypeError": "StandardError", "NameError": "StandardError",
	"NoMethodError": "NameError", "ZeroDivisionError": "StandardError", "RuntimeError": "StandardError", "IndexError": "StandardError", "KeyError": "IndexError",
	"StopIteration": "IndexError", "RangeError": "StandardError", "FloatDomainError": "RangeError", "FrozenError": "RuntimeError", "RegexpError": "StandardError",
	"LocalJumpError": "StandardError", "EncodingError": "StandardError", "Encoding::UndefinedConversionError": "EncodingError", "IOError": "StandardError",
	"Encoding::InvalidByteSequenceError": "EncodingError", "JSON::JSONError": "StandardError", "JSON::ParserError": "JSON::JSONError", "Date::Error": "ArgumentError",
	"JSON::GeneratorError": "JSON::JSONError", "IPAddr::Error": "ArgumentError", "IPAddr::InvalidAddressError": "IPAddr::Error", "URI::Error": "StandardError",
	"IPAddr::AddressFamilyError": "IPAddr::Error", "URI::InvalidURIError": "URI::Error", "Timeout::Error": "RuntimeError", "NotImplementedError": "Exception",
	"SecurityError": "Exception", "LogStash::Json::ParserError": "StandardError", "Exception": ""}

// isException reports whether an exception is of a class.
func isException(class, of string) bool {
	for ; class != ""; class = parents[class] {
		if class == of {
			return true
		}
	}
	return false
}

func (n *beginNode) eval(f *frame) Value { return inline(n, f) }

func (n *beginNode) exec(f *frame) (v Value, c ctl) {
	if n.ensure != nil {
		defer n.finally(f, &v, &c)
	}
	for {
		if v, c = n.attempt(f); c != ctlRetry || len(n.rescues) == 0 {
			return v, c
		}
		f.vm.work(10)
	}
}

// finally runs the ensure part, on the way of a panic too.
func (n *beginNode) finally(f *frame, v *Value, c *ctl) {
	r := recover()
	if _, over := r.(*exceeded); over {
		panic(r)
	}
	if w, left := exec(n.ensure, f); left != ctlNone {
		*v, *c = w, left
		return
	}
	if r != nil {
		panic(r)
	}
}

// attempt runs the body and what rescues it.
func (n *beginNode) attempt(f *frame) (v Value, c ctl) {
	exc, v, c := n.guarded(f)
	switch {
	case exc != nil:
		return n.rescue(f, exc)
	case n.els != nil && c == ctlNone:
		return exec(n.els, f)
	}
	return v, c
}

// guarded runs the body; exc is what it raised.
func (n *beginNode) guarded(f *frame) (exc *Exc, v Value, c ctl) {
	if len(n.rescues) == 0 {
		v, c = exec(n.body, f)
		return nil, v, c
	}
	depth := f.vm.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *raised:
			if !n.catches(f, r.exc) {
				panic(r)
			}
			f.vm.depth = depth
			exc, v, c = r.exc, nil, ctlNone
		default:
			panic(r)
		}
	}()
	v, c = exec(n.body, f)
	return nil, v, c
}

func (n *beginNode) catches(f *frame, exc *Exc) bool { return n.clause(f, exc) != nil }

// clause is the rescue that takes an exception.
func (n *beginNode) clause(f *frame, exc *Exc) *rescueNode {
	for i := range n.rescues {
		r := &n.rescues[i]
		if len(r.classes) == 0 && isException(exc.class, "StandardError") {
			return r
		}
		for _, v := range evalList(r.classes, f, nil) {
			if c, ok := v.(*Class); ok && isException(exc.class, c.name) {
				return r
			}
		}
	}
	return nil
}

func (n *beginNode) rescue(f *frame, exc *Exc) (Value, ctl) {
	r := n.clause(f, exc)
	old := f.vm.rescued
	f.vm.rescued = exc
	if r.into != nil {
		r.into.assign(f, exc)
	}
	v, c := exec(r.body, f)
	f.vm.rescued = old
	return v, c
}

// raiseFunc is raise: "text", Class, Class and text, or an exception.
func raiseFunc(vm *VM, _ Value, a []Value, _ *Proc) Value {
	class, msg := "RuntimeError", "unhandled exception"
	switch len(a) {
	case 0:
		if vm.rescued != nil {
			panic(&raised{vm.rescued})
		}
	default:
		switch v := a[0].(type) {
		case *Str:
			msg = v.s
		case *Exc:
			class, msg = v.class, v.msg
		case *Class:
			class, msg = v.name, v.name
		default:
			vm.raise("TypeError", "exception class/object expected")
		}
		if len(a) > 1 {
			msg = vm.show(a[1])
		}
	}
	if _, ok := parents[class]; !ok {
		vm.raise("TypeError", "exception class/object expected")
	}
	panic(&raised{&Exc{class: class, msg: strings.Clone(msg), pos: vm.pos}})
}

func excMethods() methods {
	return methods{
		"message": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(self.(*Exc).msg) }},
		"full_message": {0, -1, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return vm.str(self.(*Exc).msg + " (" + self.(*Exc).class + ")")
		}},
		"backtrace": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return vm.array([]Value{vm.str(vm.place(self.(*Exc).pos))})
		}},
		"cause": {0, 0, func(*VM, Value, []Value, *Proc) Value { return nil }},
	}
}

// place is a position as file:line of a backtrace.
func (vm *VM) place(pos int) string {
	line, _ := vm.prog.lineCol(pos)
	return vm.prog.Name + ":" + vm.show(int64(line))
}
