package ruby

import "math"

// integer is v as an int64, the way arguments are converted.
func (vm *VM) integer(v Value) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		if math.IsNaN(v) || math.Abs(v) >= 1<<63 {
			vm.raise("FloatDomainError", "%s", formatFloat(v))
		}
		return int64(v)
	case nil:
		vm.raise("TypeError", "no implicit conversion from nil to integer")
	}
	if kindOf(v) == kInt {
		vm.raise("RangeError", "bignum too big to convert into `long'")
	}
	vm.raise("TypeError", "no implicit conversion of %s into Integer", className(v))
	return 0
}

// count is a number of things, bounded so that it fits an int everywhere.
func (vm *VM) count(v Value) int {
	n := vm.integer(v)
	return int(max(-1<<31, min(1<<31, n)))
}

// text is v as a string argument.
func (vm *VM) text(v Value) string {
	if s, ok := v.(*Str); ok {
		return s.s
	}
	name := className(v)
	switch v := v.(type) {
	case nil:
		name = "nil"
	case bool:
		name = vm.show(v)
	}
	vm.raise("TypeError", "no implicit conversion of %s into String", name)
	return ""
}

// list is v as a list argument.
func (vm *VM) list(v Value) []Value {
	if a, ok := v.(*Array); ok {
		return a.l
	}
	vm.raise("TypeError", "no implicit conversion of %s into Array", noun(v))
	return nil
}

func (vm *VM) hash(v Value) *Hash {
	if h, ok := v.(*Hash); ok {
		return h
	}
	vm.raise("TypeError", "no implicit conversion of %s into Hash", noun(v))
	return nil
}

func noun(v Value) string {
	if v == nil {
		return "nil"
	}
	return className(v)
}

// arg is argument i, or nil.
func arg(a []Value, i int) Value {
	if i < len(a) {
		return a[i]
	}
	return nil
}

// need raises when a block is missing.
func (vm *VM) need(blk *Proc) {
	if blk == nil {
		vm.raise("LocalJumpError", "no block given")
	}
}

// order is compare, or an error.
func (vm *VM) order(a, b Value) int {
	s, ok := vm.compare(a, b)
	if !ok {
		vm.raise("ArgumentError", "comparison of %s with %s failed", className(a), vm.inspectShort(b))
	}
	return s
}

// span turns a range into a start and a length within n; ok is false when it begins outside.
func (vm *VM) span(r *Range, n int) (from, length int, ok bool) {
	if r.lo != nil {
		from = vm.count(r.lo)
	}
	to := n
	if r.hi != nil {
		to = vm.count(r.hi)
		if to < 0 {
			to += n
		}
		if !r.excl {
			to++
		}
	}
	if from < 0 {
		from += n
	}
	if from < 0 || from > n {
		return 0, 0, false
	}
	return from, max(0, min(to, n)-from), true
}

// place of an element: negative counts from the end.
func place(i, n int) (int, bool) {
	if i < 0 {
		i += n
	}
	return i, i >= 0 && i < n
}

func (vm *VM) frozen(frozen bool, v Value) {
	if frozen {
		vm.raise("FrozenError", "can't modify frozen %s: %s", className(v), vm.inspectShort(v))
	}
}

// binary calls an operator.
func (vm *VM) binary(op string, l, r Value) Value { return vm.send(l, op, []Value{r}, nil) }

// caseEqual is pattern === v.
func (vm *VM) caseEqual(pattern, v Value) bool {
	switch p := pattern.(type) {
	case *Class:
		return isA(v, p.name)
	case *Regexp:
		switch s := v.(type) {
		case *Str:
			return vm.search(p, s.s, 0) != nil
		case Sym:
			return vm.search(p, string(s), 0) != nil
		}
		return false
	case *Range:
		return vm.covers(p, v)
	case *Proc:
		return truthy(vm.yield(p, v))
	}
	return vm.equal(pattern, v)
}

// isA reports whether v is of a class, by the classes of Ruby that there are.
func isA(v Value, class string) bool {
	switch class {
	case "Object", "BasicObject", "Kernel":
		return true
	case "Comparable":
		switch kindOf(v) {
		case kInt, kFloat, kString, kTime:
			return true
		}
		return false
	case "Enumerable":
		k := kindOf(v)
		return k == kArray || k == kHash || k == kRange
	case "Numeric":
		k := kindOf(v)
		return k == kInt || k == kFloat
	case "Fixnum":
		class = "Integer"
	case "Date":
		class = "DateTime"
	case "Class", "Module":
		return kindOf(v) == kClass
	}
	if e, ok := v.(*Exc); ok {
		return isException(e.class, class)
	}
	return className(v) == class || class == "DateTime" && className(v) == "Date"
}

// freeze makes strings, lists and objects unchangeable.
func freeze(v Value) Value {
	switch v := v.(type) {
	case *Str:
		v.frozen = true
	case *Array:
		v.frozen = true
	case *Hash:
		v.frozen = true
	}
	return v
}

// dup is a shallow copy.
func (vm *VM) dup(v Value) Value {
	switch v := v.(type) {
	case *Str:
		return vm.str(v.s)
	case *Array:
		return vm.array(append([]Value(nil), v.l...))
	case *Hash:
		return &Hash{e: v.pairs(vm), def: v.def, proc: v.proc}
	case *Event:
		return v.clone(vm)
	}
	return v
}
