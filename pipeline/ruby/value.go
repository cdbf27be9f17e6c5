package ruby

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/weirlog/weir/pipeline/grok"
)

// Value is a value of the language:
//
//	nil bool int64 *big.Int float64 Sym *Str *Array *Hash *Range *Regexp *Match *Proc *Time *Event *Class *Exc *Net *Obj
type Value = any

// Sym is a symbol.
type Sym string

// Str is a string, which may change. A string that grows by << keeps room behind its end.
type Str struct {
	s      string
	buf    []byte // s is its beginning, when it is not nil
	frozen bool
}

func (s *Str) set(v string) { s.s, s.buf = v, nil }

// push appends in place. Bytes that were handed out stay as they are: the buffer only grows.
func (s *Str) push(v string) {
	if s.buf == nil {
		s.buf = append(make([]byte, 0, 2*(len(s.s)+len(v))+16), s.s...)
	}
	s.buf = append(s.buf, v...)
	s.s = unsafe.String(unsafe.SliceData(s.buf), len(s.buf))
}

// Array is a list.
type Array struct {
	l      []Value
	frozen bool
	op     *enumOp // set on what a method without its block gives
}

// enumOp is the method that waits for a block: map.with_index { } calls it.
type enumOp struct {
	recv Value
	name string
	args []Value
}

// Range is lo..hi; a nil hi has no end.
type Range struct {
	lo, hi Value
	excl   bool
}

// Regexp is a regular expression of pipeline/grok's engine: its time is linear in the text.
type Regexp struct {
	re     *grok.Regexp
	source string
	flags  string
}

// compileRegexp compiles a literal. Of the flags i, m and x count; o, u and n say what holds anyway.
func compileRegexp(source, flags string) (*Regexp, error) {
	set := ""
	for _, c := range "mix" {
		if strings.ContainsRune(flags, c) {
			set += string(c)
		}
	}
	expr := source
	if set != "" {
		expr = "(?" + set + ")" + source
	}
	re, err := grok.CompileRegexp(expr)
	if err != nil {
		if ge, ok := err.(*grok.Error); ok {
			e := *ge
			e.Offset = max(0, e.Offset-(len(expr)-len(source)))
			return nil, &e
		}
		return nil, err
	}
	return &Regexp{re, source, set}, nil
}

// Match is where an expression matched.
type Match struct {
	re  *Regexp
	s   string
	loc []int
}

// group is the text of a group, nil when it took no part.
func (m *Match) group(i int) Value {
	if i < 0 {
		i += len(m.loc) / 2
	}
	if i < 0 || 2*i+1 >= len(m.loc) || m.loc[2*i] < 0 {
		return nil
	}
	return newStr(m.s[m.loc[2*i]:m.loc[2*i+1]])
}

// Proc is a block, a lambda or a method as a value.
type Proc struct {
	b      *blockNode
	f      *frame // where it was made
	lambda bool
	native func(vm *VM, args []Value) Value
	sym    string // of &:name
}

// Class is a class or a module by name.
type Class struct{ name string }

// Obj is a thing that is only called: the logger, self, the block for new events.
type Obj struct {
	name  string
	attrs map[string]Value
}

// Exc is an exception.
type Exc struct {
	class string
	msg   string
	pos   int // of the call that raised it
}

// kind tells which methods a value has.
type kind uint8

const (
	kNone kind = iota
	kNil
	kBool
	kInt
	kFloat
	kString
	kSymbol
	kArray
	kHash
	kRange
	kRegexp
	kMatch
	kProc
	kTime
	kEvent
	kClass
	kExc
	kNet
	kObj
	kinds
)

func kindOf(v Value) kind {
	switch v := v.(type) {
	case nil:
		return kNil
	case bool:
		return kBool
	case int64, *big.Int:
		return kInt
	case float64:
		return kFloat
	case *Str:
		return kString
	case Sym:
		return kSymbol
	case *Array:
		return kArray
	case *Hash:
		return kHash
	case *Range:
		return kRange
	case *Regexp:
		return kRegexp
	case *Match:
		return kMatch
	case *Proc:
		return kProc
	case *Time:
		return kTime
	case *Event:
		return kEvent
	case *Class:
		return kClass
	case *Exc:
		return kExc
	case *Net:
		return kNet
	case *Obj:
		_ = v
		return kObj
	}
	return kNone
}

// className is the name of a value's class.
func className(v Value) string {
	switch v := v.(type) {
	case bool:
		if v {
			return "TrueClass"
		}
		return "FalseClass"
	case *Class:
		if slices.Contains(modules, v.name) {
			return "Module"
		}
		return "Class"
	case *Exc:
		return v.class
	case *Time:
		return v.class()
	case *Obj:
		return v.name
	}
	return [...]string{"", "NilClass", "", "Integer", "Float", "String", "Symbol", "Array", "Hash", "Range", "Regexp", "MatchData", "Proc", "Time", "LogStash::Event",
		"Class", "", "IPAddr", ""}[kindOf(v)]
}

func newStr(s string) *Str { return &Str{s: s} }

func truthy(v Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	}
	return true
}

// normal is n as an int64 when it fits.
func normal(n *big.Int) Value {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

func toBig(v Value) *big.Int {
	switch v := v.(type) {
	case int64:
		return big.NewInt(v)
	case *big.Int:
		return v
	}
	return nil
}

// number is v as a float.
func number(v Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case *big.Int:
		f, _ := new(big.Float).SetInt(v).Float64()
		return f, true
	}
	return 0, false
}

// formatFloat prints a float as Ruby does: exponents below 10^-4 and from 10^15 on.
func formatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e15) {
		s := strconv.FormatFloat(f, 'e', -1, 64)
		mant, exp, _ := strings.Cut(s, "e")
		if !strings.Contains(mant, ".") {
			mant += ".0"
		}
		return mant + "e" + exp
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// show is to_s.
func (vm *VM) show(v Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return v.String()
	case float64:
		return formatFloat(v)
	case *Str:
		return v.s
	case Sym:
		return string(v)
	case *Range:
		return vm.show(v.lo) + v.dots() + vm.show(v.hi)
	case *Regexp:
		return v.show()
	case *Match:
		return vm.show(v.group(0))
	case *Time:
		return v.show()
	case *Event:
		return v.show()
	case *Class:
		return v.name
	case *Exc:
		return v.msg
	case *Net:
		return v.show()
	}
	return vm.inspect(v)
}

func (r *Range) dots() string {
	if r.excl {
		return "..."
	}
	return ".."
}

// show prints the expression so that it keeps its flags inside of another one.
func (r *Regexp) show() string {
	off := ""
	for _, c := range "mix" {
		if !strings.ContainsRune(r.flags, c) {
			off += string(c)
		}
	}
	if off != "" {
		off = "-" + off
	}
	return "(?" + r.flags + off + ":" + r.source + ")"
}

// inspect prints v as the source of a literal.
func (vm *VM) inspect(v Value) string {
	return string(vm.appendInspect(nil, v, 0))
}

func (vm *VM) appendInspect(dst []byte, v Value, depth int) []byte {
	if depth > maxNesting {
		vm.raise("ArgumentError", "nested too deep to be shown")
	}
	vm.work(1)
	switch v := v.(type) {
	case nil:
		return append(dst, "nil"...)
	case *Str:
		return appendQuoted(dst, v.s)
	case Sym:
		if symbolPlain(string(v)) {
			return append(append(dst, ':'), v...)
		}
		return appendQuoted(append(dst, ':'), string(v))
	case *Array:
		dst = append(dst, '[')
		for i, el := range v.l {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = vm.appendInspect(dst, el, depth+1)
		}
		return append(dst, ']')
	case *Hash:
		if len(v.e) == 0 {
			return append(dst, "{}"...)
		}
		dst = append(dst, '{')
		for i := range v.e {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(vm.appendInspect(dst, v.e[i].k, depth+1), "=>"...)
			dst = vm.appendInspect(dst, v.e[i].v, depth+1)
		}
		return append(dst, '}')
	case *Range:
		dst = vm.appendInspect(dst, v.lo, depth+1)
		dst = append(dst, v.dots()...)
		return vm.appendInspect(dst, v.hi, depth+1)
	case *Regexp:
		return append(append(append(append(dst, '/'), v.source...), '/'), v.flags...)
	case *Match:
		return append(appendQuoted(append(dst, "#<MatchData "...), vm.show(v.group(0))), '>')
	case *Exc:
		return append(dst, "#<"+v.class+": "+v.msg+">"...)
	case *Proc:
		return append(dst, "#<Proc>"...)
	case *Net:
		return append(dst, "#<IPAddr: "+v.show()+">"...)
	case *Obj:
		return append(dst, "#<"+v.name+">"...)
	}
	return append(dst, vm.show(v)...)
}

// symbolPlain reports a symbol that needs no quotes.
func symbolPlain(s string) bool {
	if s == "" {
		return false
	}
	if !isIdent(s[0]) && s[0] < utf8.RuneSelf {
		return strings.Contains(" + - * / % ** == != < > <= >= <=> << >> [] []= ! =~ & | ^ === ", " "+s+" ")
	}
	for i := 1; i < len(s); i++ {
		if !isWord(s[i]) && !(i == len(s)-1 && (s[i] == '?' || s[i] == '!' || s[i] == '=')) {
			return false
		}
	}
	return true
}

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '#' && i+1 < len(s) && (s[i+1] == '{' || s[i+1] == '$' || s[i+1] == '@'):
			dst = append(dst, '\\', '#')
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == 27:
			dst = append(dst, '\\', 'e')
		case c == 0:
			dst = append(dst, '\\', '0')
		case c >= 7 && c <= 12:
			dst = append(dst, '\\', "abtnvf"[c-7])
		case c < ' ' || c == 127:
			dst = append(dst, '\\', 'x', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, '\\', 'x', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
			} else {
				dst = append(dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		i++
	}
	return append(dst, '"')
}

// equal is ==.
func (vm *VM) equal(a, b Value) bool { return vm.same(a, b, false, 0) }

// same compares; strict tells 1 from 1.0, as keys of hashes do.
func (vm *VM) same(a, b Value, strict bool, depth int) bool {
	if depth > maxNesting {
		vm.raise("ArgumentError", "nested too deep to be compared")
	}
	vm.work(1)
	switch x := a.(type) {
	case int64:
		if y, ok := b.(int64); ok {
			return x == y
		}
		y, ok := b.(float64)
		return ok && !strict && float64(x) == y
	case float64:
		if y, ok := b.(float64); ok {
			return x == y
		}
		y, ok := number(b)
		return ok && !strict && x == y
	case *big.Int:
		if y, ok := b.(*big.Int); ok {
			return x.Cmp(y) == 0
		}
		y, ok := b.(float64)
		f, _ := number(x)
		return ok && !strict && f == y
	case *Str:
		y, ok := b.(*Str)
		return ok && x.s == y.s
	case *Array, *Hash:
		return vm.sameParts(a, b, strict, depth)
	case *Range:
		y, ok := b.(*Range)
		return ok && x.excl == y.excl && vm.same(x.lo, y.lo, strict, depth+1) && vm.same(x.hi, y.hi, strict, depth+1)
	case *Regexp:
		y, ok := b.(*Regexp)
		return ok && x.source == y.source && x.flags == y.flags
	case *Time:
		y, ok := b.(*Time)
		return ok && x.t.Equal(y.t)
	case *Class:
		y, ok := b.(*Class)
		return ok && x.name == y.name
	case *Net:
		y, ok := b.(*Net)
		return ok && x.p == y.p
	case *Event:
		y, ok := b.(*Event)
		return ok && x.e == y.e
	}
	return a == b
}

// sameParts compares lists and objects.
func (vm *VM) sameParts(a, b Value, strict bool, depth int) bool {
	switch x := a.(type) {
	case *Array:
		y, ok := b.(*Array)
		if !ok || len(x.l) != len(y.l) {
			return false
		}
		for i := range x.l {
			if !vm.same(x.l[i], y.l[i], strict, depth+1) {
				return false
			}
		}
		return true
	case *Hash:
		y, ok := b.(*Hash)
		if !ok || len(x.e) != len(y.e) {
			return false
		}
		for i := range x.e {
			v, ok := y.get(vm, x.e[i].k)
			if !ok || !vm.same(x.e[i].v, v, strict, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// compare is <=>; ok is false when the values have no order.
func (vm *VM) compare(a, b Value) (sign int, ok bool) {
	vm.work(1)
	switch x := a.(type) {
	case *Str:
		if y, ok := b.(*Str); ok {
			return strings.Compare(x.s, y.s), true
		}
		return 0, false
	case Sym:
		y, ok := b.(Sym)
		return strings.Compare(string(x), string(y)), ok
	case *Time:
		y, ok := b.(*Time)
		if !ok {
			return 0, false
		}
		return x.t.Compare(y.t), true
	case *Array:
		y, ok := b.(*Array)
		if !ok {
			return 0, false
		}
		for i := 0; i < len(x.l) && i < len(y.l); i++ {
			if s, ok := vm.compare(x.l[i], y.l[i]); s != 0 || !ok {
				return s, ok
			}
		}
		return sign3(len(x.l) - len(y.l)), true
	}
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			switch {
			case x < y:
				return -1, true
			case x > y:
				return 1, true
			}
			return 0, true
		}
	}
	if x, y := toBig(a), toBig(b); x != nil && y != nil {
		return x.Cmp(y), true
	}
	x, ok1 := number(a)
	y, ok2 := number(b)
	if !ok1 || !ok2 || math.IsNaN(x) || math.IsNaN(y) {
		return 0, a == nil && b == nil
	}
	switch {
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, true
}

func sign3(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
