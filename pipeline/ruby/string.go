package ruby

import (
	"encoding/hex"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// charLen is the number of characters; a byte that belongs to none counts as one.
func charLen(s string) int { return utf8.RuneCountInString(s) }

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// byteAt is the byte at which character i begins; i is at most the number of characters.
func byteAt(s string, i int) int {
	if ascii(s) {
		return min(i, len(s))
	}
	at := 0
	for ; i > 0 && at < len(s); i-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}

// sub is n characters from character i on.
func sub(s string, i, n int) string {
	from := byteAt(s, i)
	return s[from : from+byteAt(s[from:], n)]
}

func chars(s string) []string {
	out := make([]string, 0, len(s))
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		out = append(out, s[i:i+n])
		i += n
	}
	return out
}

// strFn makes a method that turns a string into another.
func strFn(f func(string) string) *method {
	return &method{0, 1, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
		vm.work(len(self.(*Str).s) / 64)
		return vm.str(f(self.(*Str).s))
	}}
}

// bang makes the changing form of a method, which gives nil when nothing changes.
func bang(m *method) *method {
	return &method{m.min, m.max, func(vm *VM, self Value, a []Value, blk *Proc) Value {
		s := self.(*Str)
		vm.frozen(s.frozen, s)
		out := m.fn(vm, self, a, blk).(*Str).s
		if out == s.s {
			return nil
		}
		s.set(out)
		return s
	}}
}

const blanks = "\t\n\v\f\r \x00"

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + strings.ToLower(s[n:])
}

func swapcase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func chomp(s string) string {
	if strings.HasSuffix(s, "\r\n") {
		return s[:len(s)-2]
	}
	if n := len(s); n > 0 && (s[n-1] == '\n' || s[n-1] == '\r') {
		return s[:n-1]
	}
	return s
}

func chop(s string) string {
	if strings.HasSuffix(s, "\r\n") {
		return s[:len(s)-2]
	}
	_, n := utf8.DecodeLastRuneInString(s)
	return s[:len(s)-n]
}

func reverse(s string) string {
	c := chars(s)
	slices.Reverse(c)
	return strings.Join(c, "")
}

// stringMethods is the table of strings; the changing forms are made of the others.
func stringMethods() methods {
	m := union(stringTable1(), stringTable2(), stringTable3(), regexpStringMethods())
	for _, name := range []string{"upcase", "downcase", "capitalize", "swapcase", "strip", "lstrip", "rstrip", "chop", "reverse", "chomp", "tr", "delete", "squeeze",
		"delete_prefix", "delete_suffix", "gsub", "sub", "scrub", "encode", "succ"} {
		m[name+"!"] = bang(m[name])
	}
	return m
}

func stringTable1() methods {
	return methods{
		"length": {0, 0, strLen}, "size": {0, 0, strLen},
		"bytesize":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(self.(*Str).s)) }},
		"empty?":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Str).s == "" }},
		"upcase":     strFn(strings.ToUpper),
		"downcase":   strFn(strings.ToLower),
		"capitalize": strFn(capitalize),
		"swapcase":   strFn(swapcase),
		"strip":      strFn(func(s string) string { return strings.TrimRight(strings.TrimLeft(s, blanks), blanks) }),
		"lstrip":     strFn(func(s string) string { return strings.TrimLeft(s, blanks) }),
		"rstrip":     strFn(func(s string) string { return strings.TrimRight(s, blanks) }),
		"chop":       strFn(chop),
		"reverse":    strFn(reverse),
		"scrub": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			with := "\uFFFD"
			if len(a) > 0 {
				with = vm.text(a[0])
			}
			return vm.str(strings.ToValidUTF8(self.(*Str).s, with))
		}},
		"chomp":       {0, 1, strChomp},
		"chr":         {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(sub(self.(*Str).s, 0, 1)) }},
		"ord":         {0, 0, strOrd},
		"hex":         {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return prefixInt(self.(*Str).s, 16) }},
		"oct":         {0, 0, strOct},
		"to_i":        {0, 1, strToI},
		"to_f":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return prefixFloat(self.(*Str).s) }},
		"to_r":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return prefixFloat(self.(*Str).s) }},
		"to_c":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return prefixFloat(self.(*Str).s) }},
		"to_d":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return prefixFloat(self.(*Str).s) }},
		"to_s":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"to_str":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"to_sym":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return Sym(self.(*Str).s) }},
		"intern":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return Sym(self.(*Str).s) }},
		"start_with?": {0, -1, startWith},
		"end_with?":   {0, -1, endWith},
		"include?": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return strings.Contains(self.(*Str).s, vm.text(a[0]))
		}},
	}
}

func stringTable2() methods {
	return methods{
		"delete_prefix": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.str(strings.TrimPrefix(self.(*Str).s, vm.text(a[0])))
		}},
		"delete_suffix": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.str(strings.TrimSuffix(self.(*Str).s, vm.text(a[0])))
		}},
		"+":       {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.str(self.(*Str).s + vm.text(a[0])) }},
		"*":       {1, 1, strTimes},
		"%":       {1, 1, strFormat},
		"<<":      {1, 1, strPush},
		"concat":  {0, -1, strPush},
		"prepend": {0, -1, strPrepend},
		"insert":  {2, 2, strInsert},
		"replace": {1, 1, strReplace},
		"clear": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return strReplace(vm, self, []Value{newStr("")}, nil)
		}},
		"+@": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(self.(*Str).s) }},
		"-@": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return freeze(self) }},
		"<":  {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.order(self, a[0]) < 0 }},
		"<=": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.order(self, a[0]) <= 0 }},
		">":  {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.order(self, a[0]) > 0 }},
		">=": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.order(self, a[0]) >= 0 }},
		"between?": {2, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.order(self, a[0]) >= 0 && vm.order(self, a[1]) <= 0
		}},
		"casecmp": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return int64(strings.Compare(strings.ToLower(self.(*Str).s), strings.ToLower(vm.text(a[0]))))
		}},
		"casecmp?": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return strings.EqualFold(self.(*Str).s, vm.text(a[0]))
		}},
		"rjust":           {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value { return strPad(vm, self, a, 1, 0) }},
		"ljust":           {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value { return strPad(vm, self, a, 0, 1) }},
		"center":          {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value { return strPad(vm, self, a, 1, 1) }},
		"ascii_only?":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return ascii(self.(*Str).s) }},
		"valid_encoding?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return utf8.ValidString(self.(*Str).s) }},
		"force_encoding":  {1, 1, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
	}
}

func stringTable3() methods {
	return methods{
		"encoding":          {0, 0, func(*VM, Value, []Value, *Proc) Value { return &Class{"UTF-8"} }},
		"unicode_normalize": {0, 1, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"b":                 {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"encode":            {0, -1, strEncode},
		"bytes":             {0, 0, strBytes},
		"chars":             {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.strings(chars(self.(*Str).s)) }},
		"lines":             {0, 1, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.strings(lines(self.(*Str).s)) }},
		"each_line": {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.eachOf(self, "each_line", vm.strings(lines(self.(*Str).s)), blk)
		}},
		"each_char": {0, 0, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.eachOf(self, "each_char", vm.strings(chars(self.(*Str).s)), blk)
		}},
		"each_byte": {0, 0, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.eachOf(self, "each_byte", strBytes(vm, self, nil, nil).(*Array), blk)
		}},
		"getbyte": {1, 1, strGetbyte},
		"tr": {2, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.str(translate(self.(*Str).s, vm.text(a[0]), vm.text(a[1]), false))
		}},
		"tr_s": {2, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.str(translate(self.(*Str).s, vm.text(a[0]), vm.text(a[1]), true))
		}},
		"delete":  {1, -1, strDelete},
		"squeeze": {0, 1, strSqueeze},
		"count":   {1, -1, strCount},
		"unpack":  {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return vm.unpack(self.(*Str).s, vm.text(a[0])) }},
		"unpack1": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return arg(vm.unpack(self.(*Str).s, vm.text(a[0])).l, 0)
		}},
		"upto": {1, 2, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.eachOf(self, "upto", vm.array(vm.textRange(&Range{hi: a[0]}, self.(*Str).s)), blk)
		}},
		"sum":  {0, 1, strSum},
		"succ": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(succ(self.(*Str).s)) }},
		"next": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(succ(self.(*Str).s)) }},
	}
}

func strLen(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(charLen(self.(*Str).s)) }

func (vm *VM) strings(l []string) *Array {
	out := make([]Value, len(l))
	for i, s := range l {
		out[i] = vm.str(s)
	}
	return vm.array(out)
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return slices.DeleteFunc(strings.SplitAfter(s, "\n"), func(l string) bool { return l == "" })
}

func strChomp(vm *VM, self Value, a []Value, _ *Proc) Value {
	if len(a) > 0 {
		return vm.str(strings.TrimSuffix(self.(*Str).s, vm.text(a[0])))
	}
	return vm.str(chomp(self.(*Str).s))
}

func strOrd(vm *VM, self Value, _ []Value, _ *Proc) Value {
	if self.(*Str).s == "" {
		vm.raise("ArgumentError", "empty string")
	}
	r, _ := utf8.DecodeRuneInString(self.(*Str).s)
	return int64(r)
}

func strOct(_ *VM, self Value, _ []Value, _ *Proc) Value {
	s := strings.TrimLeft(self.(*Str).s, blanks)
	switch l := strings.ToLower(strings.TrimLeft(s, "+-")); {
	case strings.HasPrefix(l, "0x"):
		return prefixInt(s, 16)
	case strings.HasPrefix(l, "0b"):
		return prefixInt(s, 2)
	}
	return prefixInt(s, 8)
}

func strToI(vm *VM, self Value, a []Value, _ *Proc) Value {
	base := 10
	if len(a) > 0 {
		if base = vm.count(a[0]); base < 2 || base > 36 {
			vm.raise("ArgumentError", "invalid radix %d", base)
		}
	}
	vm.work(len(self.(*Str).s) / 64)
	return prefixInt(self.(*Str).s, base)
}

// maxDigits bounds numbers read of texts: past it, conversion would no longer be cheap.
const maxDigits = 5000

// prefixInt is the integer a text begins with, 0 when there is none.
func prefixInt(s string, base int) Value {
	s = strings.TrimLeft(s, blanks)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	if p := map[int]string{16: "0x", 2: "0b", 8: "0o"}[base]; p != "" && len(s) > 2 && strings.EqualFold(s[:2], p) {
		s = s[2:]
	}
	var digits []byte
	for i := 0; i < len(s) && len(digits) < maxDigits; i++ {
		c := s[i]
		if c == '_' && i > 0 && s[i-1] != '_' {
			continue
		}
		if v, err := strconv.ParseUint(string(c), 36, 8); err != nil || int(v) >= base {
			break
		}
		digits = append(digits, c)
	}
	if len(digits) == 0 {
		return int64(0)
	}
	if len(digits) <= 10 {
		n, _ := strconv.ParseInt(string(digits), base, 64)
		if neg {
			n = -n
		}
		return n
	}
	n, _ := new(big.Int).SetString(string(digits), base)
	if neg {
		n.Neg(n)
	}
	return normal(n)
}

// floatLen is the length of the decimal number s begins with.
func floatLen(s string) int {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '_' && i > from) {
			i++
		}
		return i > from
	}
	if !digits() {
		return 0
	}
	if i+1 < len(s) && s[i] == '.' && s[i+1] >= '0' && s[i+1] <= '9' {
		i++
		digits()
	}
	if end := i; i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		if !digits() {
			i = end
		}
	}
	return i
}

func prefixFloat(s string) float64 {
	s = strings.TrimLeft(s, blanks)
	if strings.HasPrefix(s, ".") && len(s) > 1 && s[1] >= '0' && s[1] <= '9' {
		s = "0" + s
	}
	f, _ := strconv.ParseFloat(strings.ReplaceAll(s[:floatLen(s)], "_", ""), 64)
	return f
}

func startWith(vm *VM, self Value, a []Value, _ *Proc) Value {
	for _, p := range a {
		if re, ok := p.(*Regexp); ok {
			if loc := vm.search(re, self.(*Str).s, 0); loc != nil && loc[0] == 0 {
				return true
			}
			continue
		}
		if strings.HasPrefix(self.(*Str).s, vm.text(p)) {
			return true
		}
	}
	return false
}

func endWith(vm *VM, self Value, a []Value, _ *Proc) Value {
	for _, p := range a {
		if strings.HasSuffix(self.(*Str).s, vm.text(p)) {
			return true
		}
	}
	return false
}

// repeat is s n times, within the budget.
func (vm *VM) repeat(s string, n int) string {
	if n <= 0 || s == "" {
		return ""
	}
	if len(s) > maxBytes/n {
		vm.alloc(maxBytes + 1)
	}
	vm.alloc(len(s) * n)
	return strings.Repeat(s, n)
}

func strTimes(vm *VM, self Value, a []Value, _ *Proc) Value {
	n := vm.count(a[0])
	if n < 0 {
		vm.raise("ArgumentError", "argument must be non-negative")
	}
	return newStr(vm.repeat(self.(*Str).s, n))
}

func strFormat(vm *VM, self Value, a []Value, _ *Proc) Value {
	args := []Value{a[0]}
	if l, ok := a[0].(*Array); ok {
		args = l.l
	}
	return vm.str(vm.format(self.(*Str).s, args))
}

// piece is what << takes: a string, or a character by its number.
func (vm *VM) piece(v Value) string {
	if n, ok := v.(int64); ok {
		if n < 0 || n > utf8.MaxRune {
			vm.raise("RangeError", "%d out of char range", n)
		}
		return string(rune(n))
	}
	return vm.text(v)
}

func strPush(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	for _, v := range a {
		p := vm.piece(v)
		vm.alloc(2 * len(p))
		s.push(p)
	}
	return s
}

func strPrepend(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	for _, v := range slices.Backward(a) {
		vm.alloc(len(s.s))
		s.set(vm.text(v) + s.s)
	}
	return s
}

func strInsert(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	n, i := charLen(s.s), vm.count(a[0])
	if i < 0 {
		i += n + 1
	}
	if i < 0 || i > n {
		vm.raise("IndexError", "index %s out of string", vm.show(a[0]))
	}
	at := byteAt(s.s, i)
	vm.alloc(len(s.s))
	s.set(s.s[:at] + vm.text(a[1]) + s.s[at:])
	return s
}

func strReplace(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	s.set(vm.text(a[0]))
	return s
}

// strPad fills up to a width on the left, the right or both sides.
func strPad(vm *VM, self Value, a []Value, left, right int) Value {
	s, with := self.(*Str).s, " "
	if len(a) > 1 {
		if with = vm.text(a[1]); with == "" {
			vm.raise("ArgumentError", "zero width padding")
		}
	}
	n := vm.count(a[0]) - charLen(s)
	if n <= 0 {
		return vm.str(s)
	}
	l := n * left / (left + right)
	fill := func(n int) string { return sub(vm.repeat(with, n/charLen(with)+1), 0, n) }
	return vm.str(fill(l) + s + fill(n-l))
}

// strEncode makes valid UTF-8: the only encoding texts have here.
func strEncode(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	with := "\uFFFD"
	if len(a) > 0 {
		if h, ok := a[len(a)-1].(*Hash); ok {
			if v, ok := h.get(vm, Sym("replace")); ok {
				with = vm.text(v)
			}
		}
	}
	return vm.str(strings.ToValidUTF8(s, with))
}

func strBytes(vm *VM, self Value, _ []Value, _ *Proc) Value {
	s := self.(*Str).s
	vm.alloc(16 * len(s))
	out := make([]Value, len(s))
	for i := range out {
		out[i] = int64(s[i])
	}
	return vm.array(out)
}

func strGetbyte(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	i, ok := place(vm.count(a[0]), len(s))
	if !ok {
		return nil
	}
	return int64(s[i])
}

func strSum(_ *VM, self Value, _ []Value, _ *Proc) Value {
	n := int64(0)
	for _, c := range []byte(self.(*Str).s) {
		n += int64(c)
	}
	return n & 0xffff
}

// charSet reads a set as tr, delete and count take it: a-z, a leading ^ for all others, backslash for itself.
func charSet(spec string) (list []rune, not bool) {
	r := []rune(spec)
	if len(r) > 1 && r[0] == '^' {
		not, r = true, r[1:]
	}
	for i := 0; i < len(r); i++ {
		switch {
		case r[i] == '\\' && i+1 < len(r):
			i++
			list = append(list, r[i])
		case i+2 < len(r) && r[i+1] == '-' && r[i+2] >= r[i]:
			for c := r[i]; c <= r[i+2] && len(list) < 1<<12; c++ {
				list = append(list, c)
			}
			i += 2
		default:
			list = append(list, r[i])
		}
	}
	return list, not
}

func inSet(r rune, list []rune, not bool) bool { return slices.Contains(list, r) != not }

func translate(s, from, to string, squeeze bool) string {
	f, not := charSet(from)
	t, _ := charSet(to)
	var b strings.Builder
	last := rune(-1)
	for _, r := range s {
		if !inSet(r, f, not) {
			b.WriteRune(r)
			last = -1
			continue
		}
		if len(t) == 0 {
			continue
		}
		i := len(t) - 1
		if !not {
			i = min(i, slices.Index(f, r))
		}
		if squeeze && t[i] == last {
			continue
		}
		last = t[i]
		b.WriteRune(t[i])
	}
	return b.String()
}

// inAll reports whether r is in every set.
func (vm *VM) inAll(a []Value) func(r rune) bool {
	type set struct {
		list []rune
		not  bool
	}
	var sets []set
	for _, v := range a {
		l, not := charSet(vm.text(v))
		sets = append(sets, set{l, not})
	}
	return func(r rune) bool {
		for _, s := range sets {
			if !inSet(r, s.list, s.not) {
				return false
			}
		}
		return true
	}
}

func strDelete(vm *VM, self Value, a []Value, _ *Proc) Value {
	in := vm.inAll(a)
	return vm.str(strings.Map(func(r rune) rune {
		if in(r) {
			return -1
		}
		return r
	}, self.(*Str).s))
}

func strSqueeze(vm *VM, self Value, a []Value, _ *Proc) Value {
	in := vm.inAll(a)
	last := rune(-1)
	return vm.str(strings.Map(func(r rune) rune {
		if r == last && in(r) {
			return -1
		}
		last = r
		return r
	}, self.(*Str).s))
}

func strCount(vm *VM, self Value, a []Value, _ *Proc) Value {
	in := vm.inAll(a)
	n := int64(0)
	for _, r := range self.(*Str).s {
		if in(r) {
			n++
		}
	}
	return n
}

// succ is the text behind s in the order of "a".."zz": the last letter or digit counts up and carries to the one before it.
func succ(s string) string {
	b := []byte(s)
	alnum := func(c byte) bool { return isWord(c) && c != '_' && c < utf8.RuneSelf }
	last := -1
	for i := len(b) - 1; i >= 0; i-- {
		c := b[i]
		if !alnum(c) {
			if last >= 0 && !slices.ContainsFunc(b[:i], func(c byte) bool { return alnum(c) }) {
				break
			}
			continue
		}
		last = i
		switch c {
		case 'z':
			b[i] = 'a'
		case 'Z':
			b[i] = 'A'
		case '9':
			b[i] = '0'
		default:
			b[i]++
			return string(b)
		}
	}
	if last < 0 {
		if len(b) == 0 {
			return ""
		}
		b[len(b)-1]++
		return string(b)
	}
	first := b[last]
	if first == '0' {
		first = '1'
	}
	return string(b[:last]) + string(first) + string(b[last:])
}

// unpack knows hexadecimal digits, bytes, texts, base64 and fixed-width integers.
func (vm *VM) unpack(s, format string) *Array {
	var out []Value
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c == ' ' {
			continue
		}
		from := i + 1
		for i+1 < len(format) && (format[i+1] == '*' || format[i+1] >= '0' && format[i+1] <= '9') {
			i++
		}
		out, s = vm.unpackOne(out, s, c, format[from:i+1])
	}
	return vm.array(out)
}

func (vm *VM) unpackOne(out []Value, s string, c byte, count string) ([]Value, string) {
	n, err := strconv.Atoi(count)
	star := count == "*"
	if err != nil {
		n = 1
	}
	vm.alloc(16 * len(s))
	size := map[byte]int{'C': 1, 'c': 1, 'n': 2, 'v': 2, 'N': 4, 'V': 4}[c]
	switch c {
	case 'H':
		h := hex.EncodeToString([]byte(s))
		if !star {
			h = h[:min(n, len(h))]
		}
		return append(out, vm.str(h)), s[min(len(s), (len(h)+1)/2):]
	case 'a', 'A':
		if star {
			n = len(s)
		}
		n = min(n, len(s))
		t := s[:n]
		if c == 'A' {
			t = strings.TrimRight(t, " \x00")
		}
		return append(out, vm.str(t)), s[n:]
	case 'm':
		return append(out, vm.str(decodeBase64(s))), ""
	case 'U':
		for i, r := range s {
			if !star && n == 0 {
				return out, s[i:]
			}
			n--
			out = append(out, int64(r))
		}
		return out, ""
	}
	if size == 0 {
		vm.raise("ArgumentError", "unpack knows the directives H a A m U C c n v N V, not %c", c)
	}
	for ; (star || n > 0) && len(s) >= size; n-- {
		v := int64(0)
		for k := range size {
			b := s[k]
			if c == 'v' || c == 'V' {
				b = s[size-1-k]
			}
			v = v<<8 | int64(b)
		}
		if c == 'c' {
			v = int64(int8(v))
		}
		out = append(out, v)
		s = s[size:]
	}
	return out, s
}
