package ruby

import (
	"math/big"
	"math/rand/v2"
	"strings"
)

func anyMethods() methods {
	return methods{
		"nil?":         {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self == nil }},
		"is_a?":        {1, 1, isAMethod},
		"kind_of?":     {1, 1, isAMethod},
		"instance_of?": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return className(self) == vm.show(a[0]) }},
		"respond_to?": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.find(self, kindOf(self), vm.show(a[0])) != nil
		}},
		"to_s":    {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(vm.show(self)) }},
		"inspect": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(vm.inspect(self)) }},
		"==":      {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.equal(self, a[0]) }},
		"eql?":    {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.same(self, a[0], true, 0) }},
		"equal?":  {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return self == a[0] }},
		"===":     {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.caseEqual(self, a[0]) }},
		"=~":      {1, 1, func(*VM, Value, []Value, *Proc) Value { return nil }},
		"!":       {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return !truthy(self) }},
		"<=>": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			if s, ok := vm.compare(self, a[0]); ok {
				return int64(s)
			}
			return nil
		}},
		"dup":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.dup(self) }},
		"clone":   {0, 1, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.dup(self) }},
		"freeze":  {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return freeze(self) }},
		"itself":  {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"frozen?": {0, 0, isFrozen},
		"class":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return &Class{className(self)} }},
		"name": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			if c, ok := self.(*Class); ok {
				return vm.str(c.name)
			}
			vm.noMethod(self, "name")
			return nil
		}},
		"hash":        {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(murmur(vm.inspect(self))) }},
		"object_id":   {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(murmur(vm.inspect(self))) }},
		"to_json":     {0, -1, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(vm.toJSON(self)) }},
		"send":        {1, -1, sendMethod},
		"public_send": {1, -1, sendMethod},
		"tap": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			vm.need(blk)
			vm.yield(blk, self)
			return self
		}},
		"then":                  {0, 0, thenMethod},
		"yield_self":            {0, 0, thenMethod},
		"instance_variable_get": {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.ivars[vm.show(a[0])] }},
	}
}

// murmur is a hash of a text: FNV-1a, cut to 62 bits.
func murmur(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h >> 2
}

func isAMethod(vm *VM, self Value, a []Value, _ *Proc) Value {
	c, ok := a[0].(*Class)
	if !ok {
		vm.raise("TypeError", "class or module required")
	}
	return isA(self, c.name)
}

func isFrozen(_ *VM, self Value, _ []Value, _ *Proc) Value {
	switch v := self.(type) {
	case *Str:
		return v.frozen
	case *Array:
		return v.frozen
	case *Hash:
		return v.frozen
	}
	return true
}

func sendMethod(vm *VM, self Value, a []Value, blk *Proc) Value {
	return vm.send(self, vm.show(a[0]), append([]Value(nil), a[1:]...), blk)
}

func thenMethod(vm *VM, self Value, _ []Value, blk *Proc) Value {
	vm.need(blk)
	return vm.yield(blk, self)
}

func nilMethods() methods {
	return methods{
		"to_s": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return vm.str("") }},
		"to_a": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return vm.array(nil) }},
		"to_h": {0, 0, func(*VM, Value, []Value, *Proc) Value { return &Hash{} }},
		"to_i": {0, 0, func(*VM, Value, []Value, *Proc) Value { return int64(0) }},
		"to_f": {0, 0, func(*VM, Value, []Value, *Proc) Value { return float64(0) }},
		"&":    {1, 1, func(*VM, Value, []Value, *Proc) Value { return false }},
		"|":    {1, 1, func(_ *VM, _ Value, a []Value, _ *Proc) Value { return truthy(a[0]) }},
	}
}

func boolMethods() methods {
	return methods{
		"&": {1, 1, func(_ *VM, self Value, a []Value, _ *Proc) Value { return self == true && truthy(a[0]) }},
		"|": {1, 1, func(_ *VM, self Value, a []Value, _ *Proc) Value { return self == true || truthy(a[0]) }},
		"^": {1, 1, func(_ *VM, self Value, a []Value, _ *Proc) Value { return (self == true) != truthy(a[0]) }},
	}
}

func symbolMethods() methods {
	return methods{
		"to_sym":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"to_proc":  {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return &Proc{sym: string(self.(Sym))} }},
		"length":   {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(charLen(string(self.(Sym)))) }},
		"size":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(charLen(string(self.(Sym)))) }},
		"upcase":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return Sym(strings.ToUpper(string(self.(Sym)))) }},
		"downcase": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return Sym(strings.ToLower(string(self.(Sym)))) }},
		"start_with?": {1, -1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return startWith(vm, vm.str(string(self.(Sym))), a, nil)
		}},
		"end_with?": {1, -1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return endWith(vm, vm.str(string(self.(Sym))), a, nil)
		}},
		"empty?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(Sym) == "" }},
	}
}

func procMethods() methods {
	call := &method{0, -1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		return vm.yield(self.(*Proc), append([]Value(nil), a...)...)
	}}
	return methods{"call": call, "()": call, "yield": call, "[]": call, "===": call,
		"to_proc": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"lambda?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Proc).lambda }},
		"arity": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			if p := self.(*Proc); p.b != nil {
				return int64(len(p.b.params))
			}
			return int64(-1)
		}},
	}
}

// objMethods are those of the logger and of map_meta.
func objMethods() methods {
	m := methods{}
	for _, name := range []string{"task_id", "creation_timestamp", "lastevent_timestamp"} {
		m[name] = &method{0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Obj).attrs[name] }}
	}
	for _, level := range []string{"debug", "info", "warn", "error", "fatal", "trace"} {
		m[level] = &method{0, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			vm.log(level, vm.show(arg(a, 0)))
			return true
		}}
		m[level+"?"] = &method{0, 0, func(*VM, Value, []Value, *Proc) Value { return level != "debug" && level != "trace" }}
	}
	return m
}

// logged bounds a text that goes to the log.
const logged = 1000

func (vm *VM) log(level, text string) {
	if len(text) > logged {
		text = text[:logged] + " ..."
	}
	l := vm.env.Log.With("script", vm.prog.Name)
	switch level {
	case "debug", "trace":
		l.Debug(text)
	case "info":
		l.Info(text)
	case "warn":
		l.Warn(text)
	default:
		l.Error(text)
	}
}

func functions() methods {
	print := &method{0, -1, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
		for _, v := range a {
			vm.log("info", vm.show(v))
		}
		return nil
	}}
	ignore := &method{0, 1, func(*VM, Value, []Value, *Proc) Value { return nil }}
	format := &method{1, -1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(vm.format(vm.text(a[0]), a[1:])) }}
	return methods{
		"raise": {0, 3, raiseFunc}, "fail": {0, 3, raiseFunc},
		"puts": print, "print": print, "p": print, "pp": print,
		"format": format, "sprintf": format,
		// a script's tests, which do not run with it
		"test": ignore, "parameters": ignore, "in_event": ignore, "expect": ignore,
		"require": {1, 1, func(*VM, Value, []Value, *Proc) Value { return false }},
		"logger":  {0, 0, func(*VM, Value, []Value, *Proc) Value { return loggerObj }},
		"proc": {0, 0, func(vm *VM, _ Value, _ []Value, blk *Proc) Value {
			vm.need(blk)
			return blk
		}},
		"lambda":       {0, 0, func(*VM, Value, []Value, *Proc) Value { return nil }}, // call.go makes it
		"block_given?": {0, 0, func(*VM, Value, []Value, *Proc) Value { return nil }},
		"loop": {0, 0, func(vm *VM, _ Value, _ []Value, blk *Proc) Value {
			vm.need(blk)
			for {
				vm.yield(blk)
			}
		}},
		"rand":    {0, 1, randMethod},
		"Integer": {1, 3, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.parseInteger(a) }},
		"Float":   {1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.parseFloat(a) }},
		"String":  {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(vm.show(a[0])) }},
		"Array": {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
			if l, ok := a[0].(*Array); ok {
				return l
			}
			return vm.array(append([]Value(nil), vm.toList(a[0])...))
		}},
		"Hash": {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
			if a[0] == nil {
				return &Hash{}
			}
			return vm.hash(a[0])
		}},
		"BigDecimal": {1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.parseFloat(a[:1]) }},
	}
}

var loggerObj = &Obj{name: "Logger"}

func randMethod(vm *VM, _ Value, a []Value, _ *Proc) Value {
	switch v := arg(a, 0).(type) {
	case int64:
		if v != 0 {
			return rand.Int64N(max(v, -v, 1))
		}
	case float64:
		return rand.Float64() * v
	case *Range:
		lo, hi := vm.integer(v.lo), vm.integer(v.hi)
		if v.excl {
			hi--
		}
		if hi < lo {
			return nil
		}
		n := new(big.Int).Sub(big.NewInt(hi), big.NewInt(lo))
		if !n.IsInt64() || n.Int64() == 1<<63-1 {
			vm.raise("RangeError", "range too large")
		}
		return lo + rand.Int64N(n.Int64()+1)
	}
	return rand.Float64()
}
