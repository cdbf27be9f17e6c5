package ruby

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// arith makes a method of an operator on int64s that reports overflow, on floats, and on big integers.
func arith(op string, small func(x, y int64) (int64, bool), float func(x, y float64) float64, large func(z, x, y *big.Int) *big.Int) *method {
	return &method{1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		x, xok := self.(int64)
		y, yok := a[0].(int64)
		if xok && yok {
			if z, ok := small(x, y); ok {
				return z
			}
		}
		if l, r := toBig(self), toBig(a[0]); l != nil && r != nil {
			vm.bits(op, l, r)
			return normal(large(new(big.Int), l, r))
		}
		l, _ := number(self)
		r, ok := number(a[0])
		if !ok {
			vm.raise("TypeError", "%s can't be coerced into %s", coerced(vm, a[0]), className(self))
		}
		return float(l, r)
	}}
}

func coerced(vm *VM, v Value) string {
	if v == nil || v == true || v == false {
		return vm.inspect(v)
	}
	return className(v)
}

// maxBits bounds big integers.
const maxBits = 1 << 16

func (vm *VM) bits(op string, x, y *big.Int) {
	n := x.BitLen() + y.BitLen()
	vm.work(n / 256)
	vm.alloc(n/8 + 32)
	if n > maxBits {
		vm.raise("RangeError", "integer too big for %s", op)
	}
}

func addInt(x, y int64) (int64, bool) {
	z := x + y
	return z, (z > x) == (y > 0)
}

func subInt(x, y int64) (int64, bool) {
	z := x - y
	return z, (z < x) == (y > 0)
}

func mulInt(x, y int64) (int64, bool) {
	if x == 0 || y == 0 {
		return 0, true
	}
	z := x * y
	return z, z/y == x && !(x == -1 && y == math.MinInt64) && !(y == -1 && x == math.MinInt64)
}

// floorDiv rounds down, as Ruby's integers do.
func floorDiv(x, y int64) int64 {
	q := x / y
	if (x%y != 0) && ((x < 0) != (y < 0)) {
		q--
	}
	return q
}

func floorMod(x, y float64) float64 {
	m := math.Mod(x, y)
	if m != 0 && (m < 0) != (y < 0) {
		m += y
	}
	return m
}

func bigFloorDiv(z, x, y *big.Int) *big.Int {
	m := new(big.Int)
	z.DivMod(x, y, m) // Euclidean: m is not negative
	if m.Sign() != 0 && y.Sign() < 0 {
		z.Sub(z, big.NewInt(1))
	}
	return z
}

func bigFloorMod(z, x, y *big.Int) *big.Int {
	q := bigFloorDiv(new(big.Int), x, y)
	return z.Sub(x, q.Mul(q, y))
}

// divisor guards a method against zero as a divisor of integers.
func divisor(m *method) *method {
	return &method{1, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
		if y := toBig(a[0]); y != nil && y.Sign() == 0 && kindOf(self) == kInt {
			vm.raise("ZeroDivisionError", "divided by 0")
		}
		return m.fn(vm, self, a, blk)
	}}
}

func order(test func(sign int) bool) *method {
	return &method{1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		x, xok := self.(int64)
		y, yok := a[0].(int64)
		if xok && yok {
			s := 0
			if x < y {
				s = -1
			} else if x > y {
				s = 1
			}
			return test(s)
		}
		if f, ok := a[0].(float64); ok && math.IsNaN(f) {
			return false
		}
		if f, ok := self.(float64); ok && math.IsNaN(f) {
			return false
		}
		s, ok := vm.compare(self, a[0])
		if !ok {
			vm.raise("ArgumentError", "comparison of %s with %s failed", className(self), coercedShort(vm, a[0]))
		}
		return test(s)
	}}
}

func coercedShort(vm *VM, v Value) string {
	switch kindOf(v) {
	case kNil, kBool, kInt, kFloat:
		return vm.inspect(v)
	}
	return className(v)
}

// numberMethods are what integers and floats share.
func numberMethods() methods {
	mod := divisor(arith("%", func(x, y int64) (int64, bool) { return x - floorDiv(x, y)*y, y != 0 }, floorMod, bigFloorMod))
	return methods{
		"+":      arith("+", addInt, func(x, y float64) float64 { return x + y }, (*big.Int).Add),
		"-":      arith("-", subInt, func(x, y float64) float64 { return x - y }, (*big.Int).Sub),
		"*":      arith("*", mulInt, func(x, y float64) float64 { return x * y }, (*big.Int).Mul),
		"/":      divisor(arith("/", func(x, y int64) (int64, bool) { return floorDiv(x, y), x != math.MinInt64 }, func(x, y float64) float64 { return x / y }, bigFloorDiv)),
		"%":      mod,
		"modulo": mod,
		"**":     {1, 1, power}, "pow": {1, 2, power},
		"<":   order(func(s int) bool { return s < 0 }),
		"<=":  order(func(s int) bool { return s <= 0 }),
		">":   order(func(s int) bool { return s > 0 }),
		">=":  order(func(s int) bool { return s >= 0 }),
		"-@":  {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.binary("*", self, int64(-1)) }},
		"+@":  {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"abs": {0, 0, absMethod}, "magnitude": {0, 0, absMethod},
		"zero?":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.order(self, int64(0)) == 0 }},
		"positive?": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.order(self, int64(0)) > 0 }},
		"negative?": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.order(self, int64(0)) < 0 }},
		"nonzero?": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			if vm.order(self, int64(0)) == 0 {
				return nil
			}
			return self
		}},
		"between?": {2, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.order(self, a[0]) >= 0 && vm.order(self, a[1]) <= 0
		}},
		"clamp":  {1, 2, clamp},
		"divmod": {1, 1, divmod},
		"div":    {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return divmod(vm, self, a, nil).(*Array).l[0] }},
		"fdiv": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			x, _ := number(self)
			y, _ := number(a[0])
			return x / y
		}},
		"to_i": {0, 0, toInteger}, "to_int": {0, 0, toInteger}, "truncate": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.rounded(self, a, math.Trunc) }},
		"to_f":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { f, _ := number(self); return f }},
		"to_r":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"to_d":     {0, 1, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"to_c":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"round":    {0, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.rounded(self, a, math.Round) }},
		"floor":    {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.rounded(self, a, math.Floor) }},
		"ceil":     {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.rounded(self, a, math.Ceil) }},
		"integer?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return kindOf(self) == kInt }},
		"finite?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			f, _ := number(self)
			return kindOf(self) == kInt || !math.IsInf(f, 0) && !math.IsNaN(f)
		}},
		"nan?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { f, _ := number(self); return math.IsNaN(f) }},
		"infinite?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			f, _ := number(self)
			switch {
			case kindOf(self) == kInt || !math.IsInf(f, 0):
				return nil
			case f > 0:
				return int64(1)
			}
			return int64(-1)
		}},
		"step": {1, 2, numStep},
	}
}

func floatMethods() methods {
	m := numberMethods()
	m["to_s"] = &method{0, 1, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(formatFloat(self.(float64))) }}
	return m
}

func intMethods() methods {
	m := numberMethods()
	for name, f := range map[string]*method{
		"to_s": {0, 1, intToS}, "inspect": {0, 1, intToS},
		"times": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			n := vm.integer(self)
			if blk == nil {
				return vm.waiting(vm.rangeList(&Range{int64(0), n, true}), self, "times", nil)
			}
			for i := int64(0); i < n; i++ {
				vm.yield1(blk, i)
			}
			return self
		}},
		"upto":       {1, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.run1(self, a[0], 1, blk) }},
		"downto":     {1, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.run1(self, a[0], -1, blk) }},
		"even?":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return toBig(self).Bit(0) == 0 }},
		"odd?":       {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return toBig(self).Bit(0) == 1 }},
		"succ":       {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.binary("+", self, int64(1)) }},
		"next":       {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.binary("+", self, int64(1)) }},
		"pred":       {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.binary("-", self, int64(1)) }},
		"chr":        {0, 1, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(vm.piece(self)) }},
		"ord":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"digits":     {0, 0, intDigits},
		"bit_length": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(toBig(self).BitLen()) }},
		"size":       {0, 0, func(*VM, Value, []Value, *Proc) Value { return int64(8) }},
		"gcd": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return normal(new(big.Int).GCD(nil, nil, new(big.Int).Abs(toBig(self)), new(big.Int).Abs(big.NewInt(vm.integer(a[0])))))
		}},
		"&": bitwise((*big.Int).And), "|": bitwise((*big.Int).Or), "^": bitwise((*big.Int).Xor),
		"~":  {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return normal(new(big.Int).Not(toBig(self))) }},
		"<<": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.shift(self, vm.count(a[0])) }},
		">>": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.shift(self, -vm.count(a[0])) }},
		"[]": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return normal(new(big.Int).And(toBig(vm.shift(self, -vm.count(a[0]))), big.NewInt(1)))
		}},
	} {
		m[name] = f
	}
	return m
}

func bitwise(op func(z, x, y *big.Int) *big.Int) *method {
	return &method{1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		y := toBig(a[0])
		if y == nil {
			vm.raise("TypeError", "%s can't be coerced into Integer", coerced(vm, a[0]))
		}
		return normal(op(new(big.Int), toBig(self), y))
	}}
}

func (vm *VM) shift(v Value, n int) Value {
	x := toBig(v)
	if n < 0 {
		return normal(new(big.Int).Rsh(x, uint(min(-n, maxBits))))
	}
	if x.BitLen()+n > maxBits {
		vm.raise("RangeError", "shift width too big")
	}
	return normal(new(big.Int).Lsh(x, uint(n)))
}

func (vm *VM) run1(self, to Value, step int64, blk *Proc) Value {
	from, end := vm.integer(self), vm.integer(to)
	if blk == nil {
		if step < 0 {
			from, end = end, from
		}
		l := vm.rangeList(&Range{lo: from, hi: end})
		if step < 0 {
			for i, k := 0, len(l)-1; i < k; i, k = i+1, k-1 {
				l[i], l[k] = l[k], l[i]
			}
		}
		return vm.waiting(l, vm.array(l), "each", nil)
	}
	for i := from; step > 0 && i <= end || step < 0 && i >= end; i += step {
		vm.yield1(blk, i)
	}
	return self
}

func numStep(vm *VM, self Value, a []Value, blk *Proc) Value {
	var by Value = int64(1)
	if len(a) > 1 {
		by = a[1]
	}
	sign := vm.order(by, int64(0))
	if sign == 0 {
		vm.raise("ArgumentError", "step can't be 0")
	}
	var out []Value
	for v := self; vm.order(v, a[0])*sign <= 0; v = vm.binary("+", v, by) {
		if blk != nil {
			vm.yield1(blk, v)
			continue
		}
		vm.alloc(16)
		out = append(out, v)
	}
	if blk == nil {
		return vm.array(out)
	}
	return self
}

func intToS(vm *VM, self Value, a []Value, _ *Proc) Value {
	base := 10
	if len(a) > 0 {
		if base = vm.count(a[0]); base < 2 || base > 36 {
			vm.raise("ArgumentError", "invalid radix %d", base)
		}
	}
	if n, ok := self.(int64); ok {
		return vm.str(strconv.FormatInt(n, base))
	}
	return vm.str(toBig(self).Text(base))
}

func intDigits(vm *VM, self Value, _ []Value, _ *Proc) Value {
	s := toBig(self).String()
	out := make([]Value, 0, len(s))
	for i := len(s) - 1; i >= 0 && s[i] != '-'; i-- {
		out = append(out, int64(s[i]-'0'))
	}
	return vm.array(out)
}

func power(vm *VM, self Value, a []Value, _ *Proc) Value {
	x, y := toBig(self), toBig(a[0])
	if x != nil && y != nil && y.Sign() >= 0 {
		if len(a) > 1 {
			m := toBig(a[1])
			if m == nil || m.Sign() == 0 {
				vm.raise("ZeroDivisionError", "divided by 0")
			}
			return normal(new(big.Int).Exp(x, y, m))
		}
		if bits := x.BitLen(); bits > 1 && (!y.IsInt64() || y.Int64() > int64(maxBits/bits)) {
			return math.Inf(x.Sign())
		}
		if x.BitLen() <= 1 && !y.IsInt64() {
			y = new(big.Int).And(y, big.NewInt(1))
		}
		return normal(new(big.Int).Exp(x, y, nil))
	}
	l, _ := number(self)
	r, ok := number(a[0])
	if !ok {
		vm.raise("TypeError", "%s can't be coerced into %s", coerced(vm, a[0]), className(self))
	}
	return math.Pow(l, r)
}

func absMethod(vm *VM, self Value, _ []Value, _ *Proc) Value {
	switch v := self.(type) {
	case float64:
		return math.Abs(v)
	case int64:
		if v >= 0 {
			return v
		}
	}
	return normal(new(big.Int).Abs(toBig(self)))
}

func clamp(vm *VM, self Value, a []Value, _ *Proc) Value {
	lo, hi := a[0], arg(a, 1)
	if r, ok := a[0].(*Range); ok {
		lo, hi = r.lo, r.hi
	}
	if lo != nil && vm.order(self, lo) < 0 {
		return lo
	}
	if hi != nil && vm.order(self, hi) > 0 {
		return hi
	}
	return self
}

func divmod(vm *VM, self Value, a []Value, _ *Proc) Value {
	x, y := toBig(self), toBig(a[0])
	if x != nil && y != nil {
		if y.Sign() == 0 {
			vm.raise("ZeroDivisionError", "divided by 0")
		}
		return vm.array([]Value{normal(bigFloorDiv(new(big.Int), x, y)), normal(bigFloorMod(new(big.Int), x, y))})
	}
	l, _ := number(self)
	r, ok := number(a[0])
	if !ok {
		vm.raise("TypeError", "%s can't be coerced into %s", coerced(vm, a[0]), className(self))
	}
	if r == 0 {
		vm.raise("ZeroDivisionError", "divided by 0")
	}
	return vm.array([]Value{vm.whole(math.Floor(l / r)), floorMod(l, r)})
}

// whole is a float without a fraction as an integer.
func (vm *VM) whole(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		vm.raise("FloatDomainError", "%s", formatFloat(f))
	}
	if math.Abs(f) < 1<<62 {
		return int64(f)
	}
	n, _ := big.NewFloat(f).Int(nil)
	return normal(n)
}

func toInteger(vm *VM, self Value, _ []Value, _ *Proc) Value {
	if f, ok := self.(float64); ok {
		return vm.whole(math.Trunc(f))
	}
	return self
}

// rounded is round, floor, ceil and truncate to a number of digits behind the point.
func (vm *VM) rounded(self Value, a []Value, f func(float64) float64) Value {
	digits := 0
	if len(a) > 0 {
		if _, opts := a[0].(*Hash); !opts {
			digits = vm.count(a[0])
		}
	}
	v, isFloat := self.(float64)
	switch {
	case !isFloat && digits >= 0:
		return self
	case digits > 15:
		return self
	case digits <= 0:
		if !isFloat {
			v, _ = number(self)
		}
		p := math.Pow(10, float64(-digits))
		return vm.whole(f(v/p) * p)
	}
	return roundDigits(v, digits, f)
}

// roundDigits rounds behind the point. A number is a half when the half itself is the nearest float, so that 0.285 rounds up.
func roundDigits(v float64, digits int, f func(float64) float64) float64 {
	p := math.Pow(10, float64(digits))
	x := v * p
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return v
	}
	r := f(x)
	switch {
	case f(0.5) == 1 && f(-0.5) == -1: // round
		if v > 0 && (r+0.5)/p <= v {
			r++
		} else if v < 0 && (r-0.5)/p >= v {
			r--
		}
	case f(-0.5) == -1: // floor
		if up := (r + 1) / p; up <= v {
			return up
		}
	}
	return r / p
}

// parseInteger is Integer(): the whole text must be a number.
func (vm *VM) parseInteger(a []Value) Value {
	base, quiet := 0, false
	for _, v := range a[1:] {
		switch v := v.(type) {
		case int64:
			base = int(max(0, min(36, v)))
		case *Hash:
			x, ok := v.get(vm, Sym("exception"))
			quiet = ok && !truthy(x)
		}
	}
	switch v := a[0].(type) {
	case int64, *big.Int:
		return v
	case float64:
		return vm.whole(math.Trunc(v))
	case *Str:
		s := strings.Trim(v.s, blanks)
		digits := strings.TrimLeft(s, "+-")
		if base == 0 && len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
			base = 8
		}
		if base != 0 {
			s = trimBase(s, base)
		}
		if len(s) < maxDigits && !strings.Contains(s, "__") && !strings.HasSuffix(s, "_") && !strings.HasPrefix(s, "_") {
			if base != 0 {
				s = strings.ReplaceAll(s, "_", "")
			}
			if n, ok := new(big.Int).SetString(s, base); ok {
				return normal(n)
			}
		}
		if quiet {
			return nil
		}
		vm.raise("ArgumentError", "invalid value for Integer(): %s", vm.inspect(v))
	case nil:
		if quiet {
			return nil
		}
		vm.raise("TypeError", "can't convert nil into Integer")
	}
	if quiet {
		return nil
	}
	vm.raise("TypeError", "can't convert %s into Integer", className(a[0]))
	return nil
}

// trimBase removes the prefix that says the base anyway.
func trimBase(s string, base int) string {
	sign := s[:len(s)-len(strings.TrimLeft(s, "+-"))]
	if p := map[int]string{16: "0x", 2: "0b", 8: "0o"}[base]; p != "" && len(s) > len(sign)+2 && strings.EqualFold(s[len(sign):len(sign)+2], p) {
		return sign + s[len(sign)+2:]
	}
	return s
}

func (vm *VM) parseFloat(a []Value) Value {
	quiet := false
	if h, ok := arg(a, 1).(*Hash); ok {
		x, ok := h.get(vm, Sym("exception"))
		quiet = ok && !truthy(x)
	}
	if f, ok := number(a[0]); ok {
		return f
	}
	if s, ok := a[0].(*Str); ok {
		t := strings.Trim(s.s, blanks)
		if t != "" && floatLen(t) == len(t) {
			return prefixFloat(t)
		}
		if quiet {
			return nil
		}
		vm.raise("ArgumentError", "invalid value for Float(): %s", vm.inspect(s))
	}
	if quiet {
		return nil
	}
	vm.raise("TypeError", "can't convert %s into Float", noun(a[0]))
	return nil
}

// format is sprintf: %d %i %u %f %s %p %x %X %o %b %e %E %g %G %c %% with flags, width, precision, and %<name>s, %{name}.
func (vm *VM) format(f string, args []Value) string {
	var out []byte
	next := 0
	for i := 0; i < len(f); i++ {
		if f[i] != '%' {
			out = append(out, f[i])
			continue
		}
		d := directive{prec: -1}
		i = d.read(vm, f, i+1, func() Value {
			if next >= len(args) {
				vm.raise("ArgumentError", "too few arguments")
			}
			next++
			return args[next-1]
		}, arg(args, 0))
		n := len(out)
		out = d.append(vm, out)
		vm.alloc(len(out) - n)
	}
	return string(out)
}

// directive is one % of a format.
type directive struct {
	flags       string
	width, prec int
	verb        byte
	v           Value
	named       bool
}

// maxWidth bounds width and precision.
const maxWidth = 10_000

// read reads the directive behind a percent sign and gives the place of its last byte.
func (d *directive) read(vm *VM, f string, i int, next func() Value, first Value) int {
	for ; ; i++ {
		if i >= len(f) {
			vm.raise("ArgumentError", "incomplete format specifier; use %%%% (double %%) instead")
		}
		switch c := f[i]; {
		case strings.IndexByte("-+ 0#", c) >= 0:
			d.flags += string(c)
		case c >= '1' && c <= '9' || c == '*' || c == '.':
			i = d.size(vm, f, i, next)
		case c == '<' || c == '{':
			end := strings.IndexByte(f[i:], map[byte]byte{'<': '>', '{': '}'}[c])
			if end < 0 {
				vm.raise("ArgumentError", "malformed name - unmatched parenthesis")
			}
			v, ok := vm.hash(first).get(vm, Sym(f[i+1:i+end]))
			if !ok {
				vm.raise("KeyError", "key%s not found", f[i:i+end+1])
			}
			d.v, d.named = v, true
			i += end
			if c == '{' {
				d.verb = 's'
				return i
			}
		default:
			d.verb = c
			if c != '%' && !d.named {
				d.v = next()
			}
			return i
		}
	}
}

func (d *directive) size(vm *VM, f string, i int, next func() Value) int {
	into := &d.width
	if f[i] == '.' {
		into = &d.prec
		d.prec = 0
		i++
	}
	if i < len(f) && f[i] == '*' {
		*into = max(-maxWidth, min(maxWidth, vm.count(next())))
		return i
	}
	for i < len(f) && f[i] >= '0' && f[i] <= '9' {
		*into = min(maxWidth, *into*10+int(f[i]-'0'))
		i++
	}
	return i - 1
}

func (d *directive) append(vm *VM, out []byte) []byte {
	if d.verb == '%' {
		return append(out, '%')
	}
	spec := "%" + d.flags
	if d.width != 0 {
		spec += strconv.Itoa(d.width)
	}
	prec := ""
	if d.prec >= 0 {
		prec = "." + strconv.Itoa(d.prec)
	}
	switch d.verb {
	case 'd', 'i', 'u':
		return fmt.Appendf(out, spec+prec+"d", toBig(vm.asInteger(d.v)))
	case 'x', 'X', 'o', 'b':
		return fmt.Appendf(out, spec+prec+string(d.verb), toBig(vm.asInteger(d.v)))
	case 'f', 'e', 'E', 'g', 'G':
		return fmt.Appendf(out, spec+prec+string(d.verb), vm.asFloat(d.v))
	case 's':
		spec = "%" + strings.ReplaceAll(spec[1:1+len(d.flags)], "0", "") + spec[1+len(d.flags):]
		return fmt.Appendf(out, spec+prec+"s", vm.show(d.v))
	case 'p':
		return fmt.Appendf(out, spec+prec+"s", vm.inspect(d.v))
	case 'c':
		if s, ok := d.v.(*Str); ok {
			return append(out, sub(s.s, 0, 1)...)
		}
		return append(out, vm.piece(d.v)...)
	}
	vm.raise("ArgumentError", "malformed format string - %%%c", d.verb)
	return nil
}

func (vm *VM) asInteger(v Value) Value {
	if f, ok := v.(float64); ok {
		return vm.whole(math.Floor(f))
	}
	return vm.parseInteger([]Value{v})
}

func (vm *VM) asFloat(v Value) float64 { return vm.parseFloat([]Value{v}).(float64) }
