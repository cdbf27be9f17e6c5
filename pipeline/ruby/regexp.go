package ruby

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
)

// maxPatterns bounds the expressions kept that were made while running.
const maxPatterns = 200

// regexp compiles an expression made while running.
func (vm *VM) regexp(source, flags string) *Regexp {
	key := [2]string{source, flags}
	if re, ok := vm.res[key]; ok {
		return re
	}
	vm.work(100 + len(source))
	re, err := compileRegexp(strings.Clone(source), flags)
	if err != nil {
		vm.raise("RegexpError", "%v: /%s/", err, source)
	}
	if len(vm.res) >= maxPatterns {
		clear(vm.res)
	}
	key[0] = re.source
	vm.res[key] = re
	return re
}

// pattern is an argument that is an expression, or a text that stands for itself.
func (vm *VM) pattern(v Value) *Regexp {
	if re, ok := v.(*Regexp); ok {
		return re
	}
	return vm.regexp(grok.QuoteRegexp(vm.text(v)), "")
}

// search finds the first match from byte at on and remembers it as $~.
func (vm *VM) search(re *Regexp, s string, at int) []int {
	vm.work(1 + (len(s)-at)/32)
	loc, err := re.re.Find(nil, event.Bytes(s), at)
	if err != nil {
		panic(&exceeded{"a regular expression took too long"})
	}
	if loc == nil {
		vm.match = nil
		return nil
	}
	vm.match = &Match{re, s, loc}
	return loc
}

func regexpStringMethods() methods {
	return methods{
		"=~": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			re, ok := a[0].(*Regexp)
			if !ok {
				vm.raise("TypeError", "wrong argument type %s (expected Regexp)", className(a[0]))
			}
			return matchAt(vm, re, self.(*Str).s)
		}},
		"match": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			vm.search(vm.asRegexp(a[0]), self.(*Str).s, byteAt(self.(*Str).s, vm.offset(a, 1)))
			return vm.lastMatch()
		}},
		"match?": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			old := vm.match
			hit := vm.search(vm.asRegexp(a[0]), self.(*Str).s, 0) != nil
			vm.match = old
			return hit
		}},
		"scan": {1, 1, strScan},
		"gsub": {1, 2, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.substitute(self.(*Str).s, a, blk, true)
		}},
		"sub": {1, 2, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return vm.substitute(self.(*Str).s, a, blk, false)
		}},
		"split":      {0, 2, strSplit},
		"partition":  {1, 1, strPartition},
		"rpartition": {1, 1, strRpartition},
		"index":      {1, 2, strIndex},
		"rindex":     {1, 2, strRindex},
		"[]":         {1, 2, strAt}, "slice": {1, 2, strAt}, "byteslice": {1, 2, strByteslice},
		"[]=":    {2, 3, strSetAt},
		"slice!": {1, 2, strCut},
	}
}

// asRegexp is match's argument: a text is read as an expression there.
func (vm *VM) asRegexp(v Value) *Regexp {
	if re, ok := v.(*Regexp); ok {
		return re
	}
	return vm.regexp(vm.text(v), "")
}

func (vm *VM) offset(a []Value, i int) int {
	if i < len(a) {
		return max(0, vm.count(a[i]))
	}
	return 0
}

func (vm *VM) lastMatch() Value {
	if vm.match == nil {
		return nil
	}
	return vm.match
}

func matchAt(vm *VM, re *Regexp, s string) Value {
	loc := vm.search(re, s, 0)
	if loc == nil {
		return nil
	}
	return int64(charLen(s[:loc[0]]))
}

// each calls f for every match; f gives false to stop.
func (vm *VM) each(re *Regexp, s string, f func(loc []int) bool) {
	for at := 0; at <= len(s); {
		loc := vm.search(re, s, at)
		if loc == nil {
			return
		}
		m := vm.match
		if !f(loc) {
			return
		}
		vm.match = m
		if at = loc[1]; loc[1] == loc[0] {
			if at >= len(s) {
				return
			}
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
		}
	}
}

func strScan(vm *VM, self Value, a []Value, blk *Proc) Value {
	s := self.(*Str).s
	var out []Value
	vm.each(vm.pattern(a[0]), s, func(loc []int) bool {
		m := vm.match
		var v Value
		if len(loc) == 2 {
			v = vm.str(s[loc[0]:loc[1]])
		} else {
			groups := make([]Value, 0, len(loc)/2-1)
			for i := 1; i < len(loc)/2; i++ {
				groups = append(groups, m.group(i))
			}
			v = vm.array(groups)
		}
		if blk != nil {
			vm.yield(blk, v)
		} else {
			out = append(out, v)
		}
		return true
	})
	if blk != nil {
		return self
	}
	return vm.array(out)
}

// substitute is gsub and sub: with a text, an object or a block.
func (vm *VM) substitute(s string, a []Value, blk *Proc, all bool) Value {
	if len(a) < 2 && blk == nil {
		vm.raise("ArgumentError", "wrong number of arguments (given 1, expected 2)")
	}
	if old, ok := a[0].(*Str); ok && len(a) == 2 && old.s != "" {
		if with, ok := a[1].(*Str); ok && !strings.Contains(with.s, `\`) { // a plain text for a plain text
			vm.work(len(s) / 64)
			n := 1
			if all {
				n = -1
			}
			if len(with.s) > len(old.s) && all {
				vm.alloc(strings.Count(s, old.s) * len(with.s))
			}
			return vm.str(strings.Replace(s, old.s, with.s, n))
		}
	}
	re := vm.pattern(a[0])
	var out []byte
	done := 0
	vm.each(re, s, func(loc []int) bool {
		out = append(out, s[done:loc[0]]...)
		n := len(out)
		out = vm.replacement(out, re, s, loc, a, blk)
		vm.alloc(len(out) - n)
		done = loc[1]
		return all
	})
	if done == 0 && out == nil {
		return vm.str(s)
	}
	return vm.str(string(append(out, s[done:]...)))
}

func (vm *VM) replacement(out []byte, re *Regexp, s string, loc []int, a []Value, blk *Proc) []byte {
	if len(a) < 2 {
		return append(out, vm.show(vm.yield1(blk, vm.str(s[loc[0]:loc[1]])))...)
	}
	if h, ok := a[1].(*Hash); ok {
		return append(out, vm.show(h.at(vm, newStr(s[loc[0]:loc[1]])))...)
	}
	return re.re.Expand(out, event.Bytes(s), loc, vm.text(a[1]))
}

func strSplit(vm *VM, self Value, a []Value, blk *Proc) Value {
	s := self.(*Str).s
	limit := 0
	if len(a) > 1 {
		limit = vm.count(a[1])
	}
	vm.work(len(s) / 32)
	var parts []string
	switch sep := arg(a, 0).(type) {
	case nil:
		parts = splitBlank(s, limit)
	case *Str:
		switch {
		case sep.s == " ":
			parts = splitBlank(s, limit)
		case sep.s == "" && limit > 0:
			parts = chars(s)
			if len(parts) > limit {
				parts = append(parts[:limit-1:limit-1], strings.Join(parts[limit-1:], ""))
			}
		case sep.s == "":
			parts = chars(s)
		case limit > 0:
			parts = strings.SplitN(s, sep.s, limit)
		default:
			parts = strings.Split(s, sep.s)
		}
	default:
		parts = vm.splitRegexp(vm.pattern(sep), s, limit)
	}
	if s == "" {
		parts = nil
	}
	for limit == 0 && len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := vm.strings(parts)
	if blk != nil {
		for _, v := range out.l {
			vm.yield1(blk, v)
		}
		return self
	}
	return out
}

// splitBlank splits at runs of white space and forgets those in front.
func splitBlank(s string, limit int) []string {
	s = strings.TrimLeft(s, blanks)
	var parts []string
	for s != "" {
		if limit > 0 && len(parts) == limit-1 {
			return append(parts, s)
		}
		i := strings.IndexAny(s, "\t\n\v\f\r ")
		if i < 0 {
			return append(parts, s)
		}
		parts = append(parts, s[:i])
		if s = strings.TrimLeft(s[i:], blanks); s == "" && limit != 0 {
			parts = append(parts, "")
		}
	}
	return parts
}

// splitRegexp splits at matches; what groups took is put between the pieces.
func (vm *VM) splitRegexp(re *Regexp, s string, limit int) []string {
	var parts []string
	done := 0
	vm.each(re, s, func(loc []int) bool {
		if limit > 0 && len(parts) >= limit-1 {
			return false
		}
		if loc[1] == loc[0] && (loc[0] >= len(s) || loc[0] == done && loc[0] == 0) {
			return loc[0] < len(s)
		}
		parts = append(parts, s[done:loc[0]])
		for i := 2; i+1 < len(loc); i += 2 {
			if loc[i] >= 0 {
				parts = append(parts, s[loc[i]:loc[i+1]])
			}
		}
		done = loc[1]
		return true
	})
	return append(parts, s[done:])
}

func strPartition(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	loc := vm.search(vm.pattern(a[0]), s, 0)
	if loc == nil {
		return vm.strings([]string{s, "", ""})
	}
	return vm.strings([]string{s[:loc[0]], s[loc[0]:loc[1]], s[loc[1]:]})
}

func strRpartition(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	loc := vm.lastOf(vm.pattern(a[0]), s, len(s))
	if loc == nil {
		return vm.strings([]string{"", "", s})
	}
	return vm.strings([]string{s[:loc[0]], s[loc[0]:loc[1]], s[loc[1]:]})
}

// lastOf finds the match that begins last, at most at byte most.
func (vm *VM) lastOf(re *Regexp, s string, most int) []int {
	var last []int
	var m *Match
	for at := 0; at <= most; {
		loc := vm.search(re, s, at)
		if loc == nil || loc[0] > most {
			break
		}
		last, m = loc, vm.match
		_, n := utf8.DecodeRuneInString(s[loc[0]:])
		at = loc[0] + max(1, n)
	}
	vm.match = m
	return last
}

func strIndex(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	from := 0
	if len(a) > 1 {
		i := vm.count(a[1])
		n := charLen(s)
		if i < 0 {
			i += n
		}
		if i < 0 || i > n {
			return nil
		}
		from = byteAt(s, i)
	}
	if re, ok := a[0].(*Regexp); ok {
		loc := vm.search(re, s, from)
		if loc == nil {
			return nil
		}
		return int64(charLen(s[:loc[0]]))
	}
	i := strings.Index(s[from:], vm.text(a[0]))
	if i < 0 {
		return nil
	}
	return int64(charLen(s[:from+i]))
}

func strRindex(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	most := len(s)
	if len(a) > 1 {
		i := vm.count(a[1])
		if i < 0 {
			i += charLen(s)
		}
		if i < 0 {
			return nil
		}
		most = byteAt(s, i)
	}
	if re, ok := a[0].(*Regexp); ok {
		loc := vm.lastOf(re, s, most)
		if loc == nil {
			return nil
		}
		return int64(charLen(s[:loc[0]]))
	}
	t := vm.text(a[0])
	i := strings.LastIndex(s[:min(len(s), most+len(t))], t)
	if i < 0 {
		return nil
	}
	return int64(charLen(s[:i]))
}

// where is the bytes that s[...] means; ok is false when there are none.
func (vm *VM) where(s string, a []Value) (from, to int, ok bool) {
	switch v := a[0].(type) {
	case *Str:
		i := strings.Index(s, v.s)
		return i, i + len(v.s), i >= 0
	case *Regexp:
		loc := vm.search(v, s, 0)
		if loc == nil {
			return 0, 0, false
		}
		g := 0
		if len(a) > 1 {
			g = vm.match.number(vm, a[1])
		}
		if 2*g+1 >= len(loc) || g < 0 || loc[2*g] < 0 {
			return 0, 0, false
		}
		return loc[2*g], loc[2*g+1], true
	case *Range:
		i, n, ok := vm.span(v, charLen(s))
		if !ok {
			return 0, 0, false
		}
		from = byteAt(s, i)
		return from, from + byteAt(s[from:], n), true
	}
	n := charLen(s)
	i := vm.count(a[0])
	if len(a) > 1 {
		length := vm.count(a[1])
		if i < 0 {
			i += n
		}
		if i < 0 || i > n || length < 0 {
			return 0, 0, false
		}
		from = byteAt(s, i)
		return from, from + byteAt(s[from:], min(length, n-i)), true
	}
	i, ok = place(i, n)
	if !ok {
		return 0, 0, false
	}
	from = byteAt(s, i)
	return from, from + byteAt(s[from:], 1), true
}

func strAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	from, to, ok := vm.where(s, a)
	if !ok {
		return nil
	}
	return vm.str(s[from:to])
}

func strByteslice(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str).s
	if r, ok := a[0].(*Range); ok {
		from, n, ok := vm.span(r, len(s))
		if !ok {
			return nil
		}
		return vm.str(s[from : from+n])
	}
	n := 1
	if len(a) > 1 {
		n = vm.count(a[1])
	}
	i := vm.count(a[0])
	if i < 0 {
		i += len(s)
	}
	if i < 0 || i > len(s) || n < 0 || i == len(s) && len(a) == 1 {
		return nil
	}
	return vm.str(s[i:min(len(s), i+n)])
}

func strSetAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	last := len(a) - 1
	from, to, ok := vm.where(s.s, a[:last])
	if !ok {
		vm.raise("IndexError", "index %s out of string", vm.inspectShort(a[0]))
	}
	vm.alloc(len(s.s))
	s.set(s.s[:from] + vm.text(a[last]) + s.s[to:])
	return a[last]
}

func strCut(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Str)
	vm.frozen(s.frozen, s)
	from, to, ok := vm.where(s.s, a)
	if !ok {
		return nil
	}
	cut := vm.str(s.s[from:to])
	vm.alloc(len(s.s))
	s.set(s.s[:from] + s.s[to:])
	return cut
}

// number is the number of a group given by number or name.
func (m *Match) number(vm *VM, v Value) int {
	switch v := v.(type) {
	case *Str:
		return m.named(vm, v.s)
	case Sym:
		return m.named(vm, string(v))
	}
	i := vm.count(v)
	if i < 0 {
		i += len(m.loc) / 2
	}
	return i
}

func (m *Match) named(vm *VM, name string) int {
	g := m.re.re.GroupIndex(name)
	if g == 0 {
		vm.raise("IndexError", "undefined group name reference: %s", name)
	}
	return g
}

func regexpMethods() methods {
	return methods{
		"=~": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			if a[0] == nil {
				vm.match = nil
				return nil
			}
			return matchAt(vm, self.(*Regexp), vm.symText(a[0]))
		}},
		"match": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			if a[0] == nil {
				vm.match = nil
				return nil
			}
			vm.search(self.(*Regexp), vm.symText(a[0]), vm.offset(a, 1))
			return vm.lastMatch()
		}},
		"match?": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			if a[0] == nil {
				return false
			}
			old := vm.match
			hit := vm.search(self.(*Regexp), vm.symText(a[0]), 0) != nil
			vm.match = old
			return hit
		}},
		"source":  {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(self.(*Regexp).source) }},
		"options": {0, 0, reOptions},
		"names":   {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.strings(groupNames(self.(*Regexp))) }},
	}
}

func (vm *VM) symText(v Value) string {
	if s, ok := v.(Sym); ok {
		return string(s)
	}
	return vm.text(v)
}

func reOptions(_ *VM, self Value, _ []Value, _ *Proc) Value {
	n := int64(0)
	for i, c := range "ixm" {
		if strings.ContainsRune(self.(*Regexp).flags, c) {
			n |= 1 << i
		}
	}
	return n
}

func groupNames(re *Regexp) []string {
	var names []string
	for _, n := range re.re.GroupNames() {
		if n != "" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

func matchMethods() methods {
	return methods{
		"[]": {1, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			m := self.(*Match)
			if r, ok := a[0].(*Range); ok {
				return arrAt(vm, m.list(vm, 0), []Value{r}, nil)
			}
			if len(a) == 2 {
				return arrAt(vm, m.list(vm, 0), a, nil)
			}
			return m.group(m.number(vm, a[0]))
		}},
		"captures": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Match).list(vm, 1) }},
		"to_a":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Match).list(vm, 0) }},
		"names":    {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.strings(groupNames(self.(*Match).re)) }},
		"named_captures": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			m, h := self.(*Match), &Hash{}
			for _, n := range groupNames(m.re) {
				h.setName(vm, n, m.group(m.named(vm, n)))
			}
			return h
		}},
		"pre_match":  {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { m := self.(*Match); return vm.str(m.s[:m.loc[0]]) }},
		"post_match": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { m := self.(*Match); return vm.str(m.s[m.loc[1]:]) }},
		"string":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.str(self.(*Match).s) }},
		"size":       {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(self.(*Match).loc) / 2) }},
		"length":     {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(self.(*Match).loc) / 2) }},
		"begin":      {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return self.(*Match).edge(vm, a[0], 0) }},
		"end":        {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return self.(*Match).edge(vm, a[0], 1) }},
		"values_at": {0, -1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			m := self.(*Match)
			out := make([]Value, 0, len(a))
			for _, v := range a {
				out = append(out, m.group(m.number(vm, v)))
			}
			return vm.array(out)
		}},
	}
}

func (m *Match) list(vm *VM, from int) *Array {
	var out []Value
	for i := from; i < len(m.loc)/2; i++ {
		out = append(out, m.group(i))
	}
	return vm.array(out)
}

func (m *Match) edge(vm *VM, v Value, k int) Value {
	g := m.number(vm, v)
	if g < 0 || 2*g+1 >= len(m.loc) {
		vm.raise("IndexError", "index %d out of matches", g)
	}
	if m.loc[2*g] < 0 {
		return nil
	}
	return int64(charLen(m.s[:m.loc[2*g+k]]))
}
