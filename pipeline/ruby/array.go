package ruby

import (
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
)

func arrayMethods() methods {
	m := union(enumMethods(), arrayTable1(), arrayTable2())
	for _, name := range []string{"map", "collect", "uniq", "compact", "flatten", "sort", "sort_by", "reverse", "shuffle", "rotate"} {
		m[name+"!"] = arrBang(name, m[name])
	}
	return m
}

func arrayTable1() methods {
	return methods{
		"each":   {0, 0, arrEach},
		"length": {0, 0, arrLen}, "size": {0, 0, arrLen},
		"empty?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return len(self.(*Array).l) == 0 }},
		"[]":     {1, 2, arrAt}, "slice": {1, 2, arrAt}, "[]=": {2, 3, arrSetAt},
		"at":    {1, 1, arrAt},
		"fetch": {1, 2, arrFetch},
		"dig":   {1, -1, dig},
		"values_at": {0, -1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			out := make([]Value, 0, len(a))
			for _, i := range a {
				out = append(out, arrAt(vm, self, []Value{i}, nil))
			}
			return vm.array(out)
		}},
		"last": {0, 1, arrLast},
		"push": {0, -1, arrPush}, "append": {0, -1, arrPush}, "<<": {1, 1, arrPush},
		"pop": {0, 1, arrPop}, "shift": {0, 1, arrShift}, "unshift": {0, -1, arrUnshift}, "prepend": {0, -1, arrUnshift},
		"insert": {1, -1, arrInsert},
		"concat": {0, -1, arrConcat},
		"delete": {1, 1, arrDelete}, "delete_at": {1, 1, arrDeleteAt}, "slice!": {1, 2, arrCut},
		"delete_if": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { vm.keep(self, blk, false); return self }},
		"keep_if":   {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { vm.keep(self, blk, true); return self }},
		"reject!":   {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return vm.orNil(self, vm.keep(self, blk, false)) }},
		"select!":   {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return vm.orNil(self, vm.keep(self, blk, true)) }},
		"filter!":   {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return vm.orNil(self, vm.keep(self, blk, true)) }},
		"clear":     {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.become(self, nil) }},
		"replace": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.become(self, slices.Clone(vm.list(a[0])))
		}},
		"compact": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.array(compact(self.(*Array).l)) }},
		"flatten": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.array(vm.flatten(nil, self.(*Array).l, vm.levels(a), 0))
		}},
	}
}

func arrayTable2() methods {
	return methods{
		"reverse": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			l := slices.Clone(self.(*Array).l)
			slices.Reverse(l)
			return vm.array(l)
		}},
		"rotate": {0, 1, arrRotate},
		"join":   {0, 1, arrJoin},
		"index":  {0, 1, enumFindIndex},
		"rindex": {0, 1, arrRindex},
		"+": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.array(append(slices.Clone(self.(*Array).l), vm.list(a[0])...))
		}},
		"-": {1, 1, arrMinus}, "difference": {1, 1, arrMinus},
		"&": {1, 1, arrAnd}, "intersection": {1, 1, arrAnd},
		"|": {1, 1, arrOr}, "union": {1, 1, arrOr},
		"intersect?": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return len(arrAnd(vm, self, a, nil).(*Array).l) > 0
		}},
		"*":           {1, 1, arrTimes},
		"transpose":   {0, 0, arrTranspose},
		"assoc":       {1, 1, arrAssoc},
		"sample":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return sample(self.(*Array).l) }},
		"shuffle":     {0, 0, arrShuffle},
		"pack":        {1, 1, arrPack},
		"to_ary":      {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"product":     {1, 1, arrProduct},
		"combination": {1, 1, arrCombination},
		"next":        {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return arg(self.(*Array).l, 0) }},
	}
}

// arrBang makes the changing form of a method. uniq!, compact! and flatten! give nil when nothing changes.
func arrBang(name string, m *method) *method {
	return &method{m.min, m.max, func(vm *VM, self Value, a []Value, blk *Proc) Value {
		s := self.(*Array)
		if blk == nil && (name == "map" || name == "collect" || name == "sort_by") {
			return vm.waiting(s.l, self, name+"!", a)
		}
		l := m.fn(vm, self, a, blk).(*Array).l
		same := len(l) == len(s.l)
		vm.become(self, l)
		if same && (name == "uniq" || name == "compact") {
			return nil
		}
		return self
	}}
}

func (vm *VM) become(self Value, l []Value) Value {
	a := self.(*Array)
	vm.frozen(a.frozen, a)
	a.l = l
	return a
}

func (vm *VM) orNil(v Value, changed bool) Value {
	if changed {
		return v
	}
	return nil
}

// keep removes the elements that the block does not say want to.
func (vm *VM) keep(self Value, blk *Proc, want bool) (changed bool) {
	vm.need(blk)
	a := self.(*Array)
	var out []Value
	for _, v := range slices.Clone(a.l) {
		if truthy(vm.yield1(blk, v)) == want {
			out = append(out, v)
		}
	}
	changed = len(out) != len(a.l)
	vm.become(self, out)
	return changed
}

// arrEach also sees elements that the block appends.
func arrEach(vm *VM, self Value, _ []Value, blk *Proc) Value {
	a := self.(*Array)
	if blk == nil {
		return vm.waiting(a.l, self, "each", nil)
	}
	for i := 0; i < len(a.l); i++ {
		vm.yield1(blk, a.l[i])
	}
	return self
}

func arrLen(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(self.(*Array).l)) }

func arrAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	l := self.(*Array).l
	if r, ok := a[0].(*Range); ok {
		from, n, ok := vm.span(r, len(l))
		if !ok {
			return nil
		}
		return vm.array(slices.Clone(l[from : from+n]))
	}
	i := vm.count(a[0])
	if len(a) == 2 {
		n := vm.count(a[1])
		if i < 0 {
			i += len(l)
		}
		if i < 0 || i > len(l) || n < 0 {
			return nil
		}
		return vm.array(slices.Clone(l[i:min(len(l), i+n)]))
	}
	i, ok := place(i, len(l))
	if !ok {
		return nil
	}
	return l[i]
}

func arrSetAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	last := len(a) - 1
	from, n := 0, 1
	r, isRange := a[0].(*Range)
	if isRange {
		var ok bool
		if from, n, ok = vm.span(r, len(s.l)); !ok {
			vm.raise("RangeError", "%s out of range", vm.inspect(r))
		}
	} else {
		from = vm.count(a[0])
		if from < 0 {
			from += len(s.l)
		}
		if from < 0 {
			vm.raise("IndexError", "index %d too small for array", from-len(s.l))
		}
		if len(a) == 3 {
			n = vm.positive(a[1])
		}
	}
	if grow := from - len(s.l); grow > 0 {
		vm.alloc(16 * grow)
		s.l = append(s.l, make([]Value, grow)...)
	}
	vals := []Value{a[last]}
	if v, ok := a[last].(*Array); ok && (isRange || len(a) == 3) {
		vals = v.l
	}
	vm.alloc(16 * len(vals))
	s.l = slices.Replace(s.l, from, min(len(s.l), from+n), vals...)
	return a[last]
}

func arrFetch(vm *VM, self Value, a []Value, blk *Proc) Value {
	l := self.(*Array).l
	if i, ok := place(vm.count(a[0]), len(l)); ok {
		return l[i]
	}
	switch {
	case blk != nil:
		return vm.yield1(blk, a[0])
	case len(a) > 1:
		return a[1]
	}
	vm.raise("IndexError", "index %s outside of array bounds: %d...%d", vm.show(a[0]), -len(l), len(l))
	return nil
}

// dig follows names and numbers into lists and objects.
func dig(vm *VM, self Value, a []Value, _ *Proc) Value {
	v := self
	for _, k := range a {
		switch x := v.(type) {
		case nil:
			return nil
		case *Hash:
			v = x.at(vm, k)
		case *Array:
			v = arrAt(vm, x, []Value{k}, nil)
		default:
			vm.raise("TypeError", "%s does not have #dig method", className(v))
		}
	}
	return v
}

func arrLast(vm *VM, self Value, a []Value, _ *Proc) Value {
	l := self.(*Array).l
	if len(a) > 0 {
		return vm.array(slices.Clone(l[len(l)-min(len(l), vm.positive(a[0])):]))
	}
	if len(l) == 0 {
		return nil
	}
	return l[len(l)-1]
}

func arrPush(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	vm.alloc(24 * len(a))
	s.l = append(s.l, a...)
	return s
}

func arrPop(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	if len(a) > 0 {
		n := min(len(s.l), vm.positive(a[0]))
		out := vm.array(slices.Clone(s.l[len(s.l)-n:]))
		s.l = s.l[:len(s.l)-n]
		return out
	}
	v := arrLast(vm, self, nil, nil)
	s.l = s.l[:max(0, len(s.l)-1)]
	return v
}

func arrShift(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	if len(a) > 0 {
		n := min(len(s.l), vm.positive(a[0]))
		out := vm.array(slices.Clone(s.l[:n]))
		s.l = s.l[n:]
		return out
	}
	if len(s.l) == 0 {
		return nil
	}
	v := s.l[0]
	s.l = s.l[1:]
	return v
}

func arrUnshift(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	vm.alloc(16 * len(a))
	vm.work(len(s.l) / 16)
	s.l = slices.Insert(s.l, 0, a...)
	return s
}

func arrInsert(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	i := vm.count(a[0])
	if i < 0 {
		i += len(s.l) + 1
	}
	if i < 0 {
		vm.raise("IndexError", "index %s too small for array", vm.show(a[0]))
	}
	if grow := i - len(s.l); grow > 0 {
		vm.alloc(16 * grow)
		s.l = append(s.l, make([]Value, grow)...)
	}
	vm.alloc(16 * len(a))
	vm.work(len(s.l) / 16)
	s.l = slices.Insert(s.l, i, a[1:]...)
	return s
}

func arrConcat(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	for _, v := range a {
		l := vm.list(v)
		vm.alloc(24 * len(l))
		s.l = append(s.l, l...)
	}
	return s
}

func arrDelete(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	n := len(s.l)
	s.l = slices.DeleteFunc(s.l, func(v Value) bool { return vm.equal(v, a[0]) })
	if len(s.l) == n {
		return nil
	}
	return a[0]
}

func arrDeleteAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	i, ok := place(vm.count(a[0]), len(s.l))
	if !ok {
		return nil
	}
	v := s.l[i]
	s.l = slices.Delete(s.l, i, i+1)
	return v
}

func arrCut(vm *VM, self Value, a []Value, _ *Proc) Value {
	s := self.(*Array)
	vm.frozen(s.frozen, s)
	_, isRange := a[0].(*Range)
	if !isRange && len(a) == 1 {
		return arrDeleteAt(vm, self, a, nil)
	}
	cut, ok := arrAt(vm, self, a, nil).(*Array)
	if !ok {
		return nil
	}
	from := 0
	if isRange {
		from, _, _ = vm.span(a[0].(*Range), len(s.l))
	} else if from = vm.count(a[0]); from < 0 {
		from += len(s.l)
	}
	s.l = slices.Delete(s.l, from, from+len(cut.l))
	return cut
}

func compact(l []Value) []Value {
	return slices.DeleteFunc(slices.Clone(l), func(v Value) bool { return v == nil })
}

func (vm *VM) levels(a []Value) int {
	if len(a) == 0 || a[0] == nil {
		return -1
	}
	return vm.count(a[0])
}

func (vm *VM) flatten(out, l []Value, levels, depth int) []Value {
	if depth > maxNesting {
		vm.raise("ArgumentError", "tried to flatten recursive array")
	}
	for _, v := range l {
		vm.alloc(16)
		if a, ok := v.(*Array); ok && levels != 0 {
			out = vm.flatten(out, a.l, levels-1, depth+1)
		} else {
			out = append(out, v)
		}
	}
	return out
}

func arrRotate(vm *VM, self Value, a []Value, _ *Proc) Value {
	l := self.(*Array).l
	n := 1
	if len(a) > 0 {
		n = vm.count(a[0])
	}
	if len(l) == 0 {
		return vm.array(nil)
	}
	n = (n%len(l) + len(l)) % len(l)
	return vm.array(append(slices.Clone(l[n:]), l[:n]...))
}

func arrJoin(vm *VM, self Value, a []Value, _ *Proc) Value {
	sep := ""
	if len(a) > 0 && a[0] != nil {
		sep = vm.text(a[0])
	}
	return newStr(string(vm.join(nil, self.(*Array).l, sep, 0)))
}

func (vm *VM) join(dst []byte, l []Value, sep string, depth int) []byte {
	if depth > maxNesting {
		vm.raise("ArgumentError", "recursive array join")
	}
	for i, v := range l {
		n := len(dst)
		if i > 0 {
			dst = append(dst, sep...)
		}
		if a, ok := v.(*Array); ok {
			dst = vm.join(dst, a.l, sep, depth+1)
			continue
		}
		dst = append(dst, vm.show(v)...)
		vm.alloc(len(dst) - n + 1)
	}
	return dst
}

func arrRindex(vm *VM, self Value, a []Value, blk *Proc) Value {
	for i, v := range slices.Backward(slices.Clone(self.(*Array).l)) {
		if len(a) > 0 && vm.equal(v, a[0]) || len(a) == 0 && blk != nil && truthy(vm.yield1(blk, v)) {
			return int64(i)
		}
	}
	return nil
}

// keys is the elements of a list as a set.
func (vm *VM) keys(l []Value) map[hkey]bool {
	vm.alloc(48 * len(l))
	set := make(map[hkey]bool, len(l))
	for _, v := range l {
		set[vm.key(v)] = true
	}
	return set
}

func arrMinus(vm *VM, self Value, a []Value, _ *Proc) Value {
	set := vm.keys(vm.list(a[0]))
	return vm.array(slices.DeleteFunc(slices.Clone(self.(*Array).l), func(v Value) bool { return set[vm.key(v)] }))
}

func arrAnd(vm *VM, self Value, a []Value, _ *Proc) Value {
	set := vm.keys(vm.list(a[0]))
	return vm.array(slices.DeleteFunc(vm.uniq(self.(*Array).l, nil), func(v Value) bool { return !set[vm.key(v)] }))
}

func arrOr(vm *VM, self Value, a []Value, _ *Proc) Value {
	return vm.array(vm.uniq(append(slices.Clone(self.(*Array).l), vm.list(a[0])...), nil))
}

func arrTimes(vm *VM, self Value, a []Value, _ *Proc) Value {
	if _, ok := a[0].(*Str); ok {
		return arrJoin(vm, self, a, nil)
	}
	l := self.(*Array).l
	n := vm.positive(a[0])
	if n > 0 && len(l) > maxBytes/16/n {
		vm.alloc(maxBytes + 1)
	}
	return vm.array(slices.Repeat(l, n))
}

func arrTranspose(vm *VM, self Value, _ []Value, _ *Proc) Value {
	var out []Value
	for i, row := range self.(*Array).l {
		l := vm.list(row)
		if i == 0 {
			for range l {
				out = append(out, vm.array(nil))
			}
		}
		if len(l) != len(out) {
			vm.raise("IndexError", "element size differs (%d should be %d)", len(l), len(out))
		}
		for k, v := range l {
			vm.alloc(16)
			out[k].(*Array).l = append(out[k].(*Array).l, v)
		}
	}
	return vm.array(out)
}

func arrAssoc(vm *VM, self Value, a []Value, _ *Proc) Value {
	for _, v := range self.(*Array).l {
		if p, ok := v.(*Array); ok && len(p.l) > 0 && vm.equal(p.l[0], a[0]) {
			return p
		}
	}
	return nil
}

func sample(l []Value) Value {
	if len(l) == 0 {
		return nil
	}
	return l[rand.IntN(len(l))]
}

func arrShuffle(vm *VM, self Value, _ []Value, _ *Proc) Value {
	l := slices.Clone(self.(*Array).l)
	rand.Shuffle(len(l), func(i, k int) { l[i], l[k] = l[k], l[i] })
	return vm.array(l)
}

func arrProduct(vm *VM, self Value, a []Value, _ *Proc) Value {
	var out []Value
	for _, x := range self.(*Array).l {
		for _, y := range vm.list(a[0]) {
			out = append(out, vm.array([]Value{x, y}))
		}
	}
	return vm.array(out)
}

func arrCombination(vm *VM, self Value, a []Value, blk *Proc) Value {
	l, n := self.(*Array).l, vm.positive(a[0])
	var out []Value
	var pick func(from int, have []Value)
	pick = func(from int, have []Value) {
		if len(have) == n {
			out = append(out, vm.array(slices.Clone(have)))
			return
		}
		for i := from; i < len(l); i++ {
			vm.work(1)
			pick(i+1, append(have, l[i]))
		}
	}
	if n <= maxNesting {
		pick(0, nil)
	}
	return vm.eachOf(self, "combination", vm.array(out), blk)
}

// arrPack knows bytes, characters, hexadecimal digits and base64.
func arrPack(vm *VM, self Value, a []Value, _ *Proc) Value {
	l := self.(*Array).l
	var out []byte
	switch f := strings.TrimRight(vm.text(a[0]), "*0123456789"); f {
	case "C", "c":
		for _, v := range l {
			out = append(out, byte(vm.integer(v)))
		}
	case "U":
		for _, v := range l {
			out = append(out, vm.piece(vm.integer(v))...)
		}
	case "m":
		return vm.str(base64.StdEncoding.EncodeToString([]byte(vm.text(arg(l, 0)))))
	case "H":
		return vm.str(string(unhex(vm.text(arg(l, 0)))))
	case "a", "A":
		return vm.str(vm.text(arg(l, 0)))
	default:
		vm.raise("ArgumentError", "pack knows the directives C c U m H a A, not %s", f)
	}
	return vm.str(string(out))
}

func unhex(s string) []byte {
	out := make([]byte, 0, len(s)/2+1)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' {
			c = c&7 + 9
		}
		if i%2 == 0 {
			out = append(out, c<<4)
		} else {
			out[len(out)-1] |= c & 15
		}
	}
	return out
}
