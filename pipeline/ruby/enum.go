package ruby

import (
	"math/big"
	"slices"
)

// enumerate is the elements of a list, a range or an object (as pairs).
func (vm *VM) enumerate(v Value) []Value {
	switch v := v.(type) {
	case *Array:
		return v.l
	case *Hash:
		return vm.hashList(v)
	case *Range:
		return vm.rangeList(v)
	case nil:
		vm.noMethod(nil, "each")
	}
	vm.noMethod(v, "each")
	return nil
}

// hashList is the pairs of an object as lists.
func (vm *VM) hashList(h *Hash) []Value {
	out := make([]Value, len(h.e))
	for i := range h.e {
		out[i] = vm.array([]Value{h.e[i].k, h.e[i].v})
	}
	return out
}

func (vm *VM) rangeList(r *Range) []Value {
	if s, ok := r.lo.(*Str); ok {
		return vm.textRange(r, s.s)
	}
	lo := vm.integer(r.lo)
	if r.hi == nil {
		vm.raise("RangeError", "cannot convert endless range to an array")
	}
	hi := vm.integer(r.hi)
	if r.excl && !(kindOf(r.hi) == kFloat && float64(hi) != r.hi.(float64)) {
		hi--
	}
	if hi < lo {
		return nil
	}
	if n := hi - lo; n < 0 || n > maxBytes/16 {
		vm.alloc(maxBytes + 1)
	}
	vm.alloc(16 * int(hi-lo+1))
	out := make([]Value, 0, hi-lo+1)
	for i := lo; i <= hi; i++ {
		out = append(out, i)
	}
	return out
}

func (vm *VM) textRange(r *Range, s string) []Value {
	hi := vm.text(r.hi)
	var out []Value
	for len(s) <= len(hi) {
		if s == hi && r.excl {
			break
		}
		out = append(out, vm.str(s))
		if s == hi {
			break
		}
		s = succ(s)
	}
	return out
}

// waiting is what a method without its block gives: its elements, which know the method.
func (vm *VM) waiting(l []Value, recv Value, name string, a []Value) Value {
	out := vm.array(slices.Clone(l))
	out.op = &enumOp{recv, name, slices.Clone(a)}
	return out
}

// eachOf runs a block over a list made of recv.
func (vm *VM) eachOf(recv Value, name string, l *Array, blk *Proc) Value {
	if blk == nil {
		return vm.waiting(l.l, recv, name, nil)
	}
	for _, v := range l.l {
		vm.yield1(blk, v)
	}
	return recv
}

// walker makes a method that calls f for each element; without a block it waits for one.
func walker(name string, f func(vm *VM, l []Value, a []Value, blk *Proc) Value) *method {
	return &method{0, 2, func(vm *VM, self Value, a []Value, blk *Proc) Value {
		l := vm.enumerate(self)
		if blk == nil {
			return vm.waiting(l, self, name, a)
		}
		return f(vm, slices.Clone(l), a, blk)
	}}
}

// enumMethods are what lists, objects and ranges share.
func enumMethods() methods { return union(enumTable1(), enumTable2()) }

func enumTable1() methods {
	return methods{
		"map": walker("map", enumMap), "collect": walker("map", enumMap),
		"flat_map": walker("flat_map", enumFlatMap), "collect_concat": walker("flat_map", enumFlatMap),
		"select": walker("select", enumSelect), "filter": walker("select", enumSelect),
		"reject": walker("reject", enumReject),
		"filter_map": walker("filter_map", func(vm *VM, l []Value, _ []Value, blk *Proc) Value {
			var out []Value
			for _, v := range l {
				if r := vm.yield1(blk, v); truthy(r) {
					out = append(out, r)
				}
			}
			return vm.array(out)
		}),
		"find": walker("find", enumFind), "detect": walker("find", enumFind),
		"find_index": {0, 1, enumFindIndex},
		"partition": walker("partition", func(vm *VM, l []Value, _ []Value, blk *Proc) Value {
			var yes, no []Value
			for _, v := range l {
				if truthy(vm.yield1(blk, v)) {
					yes = append(yes, v)
				} else {
					no = append(no, v)
				}
			}
			return vm.array([]Value{vm.array(yes), vm.array(no)})
		}),
		"group_by": walker("group_by", enumGroupBy),
		"sort_by":  walker("sort_by", enumSortBy),
		"min_by":   walker("min_by", func(vm *VM, l []Value, _ []Value, blk *Proc) Value { return enumBest(vm, l, blk, -1) }),
		"max_by":   walker("max_by", func(vm *VM, l []Value, _ []Value, blk *Proc) Value { return enumBest(vm, l, blk, 1) }),
		"take_while": walker("take_while", func(vm *VM, l []Value, _ []Value, blk *Proc) Value {
			return vm.array(l[:runLength(vm, l, blk)])
		}),
		"drop_while": walker("drop_while", func(vm *VM, l []Value, _ []Value, blk *Proc) Value {
			return vm.array(l[runLength(vm, l, blk):])
		}),
		"each_with_index": {0, 0, enumEachWithIndex}, "with_index": {0, 1, enumWithIndex}, "each_index": {0, 0, enumEachIndex},
		"each_with_object": {1, 1, enumWithObject}, "with_object": {1, 1, enumWithObject},
		"each_entry": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.eachOf(self, "each", vm.array(vm.enumerate(self)), blk)
		}},
		"reverse_each": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			l := slices.Clone(vm.enumerate(self))
			slices.Reverse(l)
			return vm.eachOf(self, "reverse_each", vm.array(l), blk)
		}},
	}
}

func enumTable2() methods {
	return methods{
		"each_slice": {1, 1, enumSlices}, "each_cons": {1, 1, enumCons},
		"inject": {0, 2, enumInject}, "reduce": {0, 2, enumInject},
		"sum":   {0, 1, enumSum},
		"count": {0, 1, enumCount},
		"min":   {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return enumExtreme(vm, self, a, blk, -1) }},
		"max":   {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return enumExtreme(vm, self, a, blk, 1) }},
		"minmax": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.array([]Value{enumExtreme(vm, self, nil, blk, -1), enumExtreme(vm, self, nil, blk, 1)})
		}},
		"any?":     {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.hits(self, a, blk, 1) > 0 }},
		"all?":     {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.misses(self, a, blk) == 0 }},
		"none?":    {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.hits(self, a, blk, 1) == 0 }},
		"one?":     {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return vm.hits(self, a, blk, 2) == 1 }},
		"include?": {1, 1, enumInclude}, "member?": {1, 1, enumInclude},
		"to_a": {0, 0, enumToA}, "entries": {0, 0, enumToA}, "lazy": {0, 0, enumToA},
		"to_h":   {0, 0, enumToH},
		"to_set": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return vm.array(vm.uniq(vm.enumerate(self), nil)) }},
		"sort": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.array(vm.sorted(vm.enumerate(self), blk))
		}},
		"uniq": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.array(vm.uniq(vm.enumerate(self), blk))
		}},
		"tally": {0, 0, enumTally},
		"zip":   {0, -1, enumZip},
		"first": {0, 1, enumFirst},
		"take":  {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return enumFirst(vm, self, a, nil) }},
		"drop": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			l := vm.enumerate(self)
			return vm.array(slices.Clone(l[min(len(l), vm.positive(a[0])):]))
		}},
		"cycle": {1, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			vm.need(blk)
			for range vm.positive(a[0]) {
				for _, v := range vm.enumerate(self) {
					vm.yield1(blk, v)
				}
			}
			return nil
		}},
		"chunk_while": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return enumChunks(vm, self, blk, true) }},
		"slice_when":  {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return enumChunks(vm, self, blk, false) }},
	}
}

func (vm *VM) positive(v Value) int {
	n := vm.count(v)
	if n < 0 {
		vm.raise("ArgumentError", "negative number of elements")
	}
	return n
}

func enumMap(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	for i, v := range l {
		l[i] = vm.yield1(blk, v)
	}
	return vm.array(l)
}

func enumFlatMap(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	var out []Value
	for _, v := range l {
		r := vm.yield1(blk, v)
		if a, ok := r.(*Array); ok {
			vm.alloc(16 * len(a.l))
			out = append(out, a.l...)
		} else {
			out = append(out, r)
		}
	}
	return vm.array(out)
}

func enumSelect(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	return vm.array(slices.DeleteFunc(l, func(v Value) bool { return !truthy(vm.yield1(blk, v)) }))
}

func enumReject(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	return vm.array(slices.DeleteFunc(l, func(v Value) bool { return truthy(vm.yield1(blk, v)) }))
}

func enumFind(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	for _, v := range l {
		if truthy(vm.yield1(blk, v)) {
			return v
		}
	}
	return nil
}

func enumFindIndex(vm *VM, self Value, a []Value, blk *Proc) Value {
	for i, v := range slices.Clone(vm.enumerate(self)) {
		if len(a) > 0 && vm.equal(v, a[0]) || len(a) == 0 && blk != nil && truthy(vm.yield1(blk, v)) {
			return int64(i)
		}
	}
	return nil
}

func enumGroupBy(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	h := &Hash{}
	for _, v := range l {
		k := vm.yield1(blk, v)
		if g, ok := h.get(vm, k); ok {
			g.(*Array).l = append(g.(*Array).l, v)
			vm.alloc(16)
		} else {
			h.set(vm, k, vm.array([]Value{v}))
		}
	}
	return h
}

func enumTally(vm *VM, self Value, _ []Value, _ *Proc) Value {
	h := &Hash{}
	for _, v := range vm.enumerate(self) {
		n, _ := h.get(vm, v)
		i, _ := n.(int64)
		h.set(vm, v, i+1)
	}
	return h
}

func enumSortBy(vm *VM, l []Value, _ []Value, blk *Proc) Value {
	type item struct{ key, v Value }
	items := make([]item, len(l))
	for i, v := range l {
		items[i] = item{vm.yield1(blk, v), v}
	}
	slices.SortStableFunc(items, func(x, y item) int { return vm.order(x.key, y.key) })
	for i := range items {
		l[i] = items[i].v
	}
	return vm.array(l)
}

func enumBest(vm *VM, l []Value, blk *Proc, sign int) Value {
	var best, key Value
	for i, v := range l {
		k := vm.yield1(blk, v)
		if i == 0 || vm.order(k, key) == sign {
			best, key = v, k
		}
	}
	return best
}

func runLength(vm *VM, l []Value, blk *Proc) int {
	for i, v := range l {
		if !truthy(vm.yield1(blk, v)) {
			return i
		}
	}
	return len(l)
}

func enumEachWithIndex(vm *VM, self Value, _ []Value, blk *Proc) Value {
	if a, ok := self.(*Array); ok && a.op != nil && blk != nil {
		return enumWithIndex(vm, self, nil, blk)
	}
	l := slices.Clone(vm.enumerate(self))
	if blk == nil {
		for i, v := range l {
			l[i] = vm.array([]Value{v, int64(i)})
		}
		return vm.array(l)
	}
	for i, v := range l {
		vm.yield(blk, v, int64(i))
	}
	return self
}

// enumWithIndex gives the method that waits for a block one that also takes the number of the element.
func enumWithIndex(vm *VM, self Value, a []Value, blk *Proc) Value {
	i := int64(0)
	if len(a) > 0 && a[0] != nil {
		i = vm.integer(a[0])
	}
	l, ok := self.(*Array)
	if !ok || l.op == nil || blk == nil {
		out := slices.Clone(vm.enumerate(self))
		for k, v := range out {
			out[k] = vm.array([]Value{v, i + int64(k)})
		}
		if blk != nil {
			for _, p := range out {
				vm.yield(blk, p.(*Array).l...)
			}
			return self
		}
		return vm.array(out)
	}
	return vm.send(l.op.recv, l.op.name, l.op.args, &Proc{native: func(vm *VM, args []Value) Value {
		var v Value
		if len(args) == 1 {
			v = args[0]
		} else {
			v = vm.array(slices.Clone(args))
		}
		i++
		return vm.yield(blk, v, i-1)
	}})
}

func enumEachIndex(vm *VM, self Value, _ []Value, blk *Proc) Value {
	vm.need(blk)
	for i := range vm.enumerate(self) {
		vm.yield1(blk, int64(i))
	}
	return self
}

func enumWithObject(vm *VM, self Value, a []Value, blk *Proc) Value {
	vm.need(blk)
	memo := a[0]
	for _, v := range slices.Clone(vm.enumerate(self)) {
		vm.yield(blk, v, memo)
	}
	return memo
}

func enumSlices(vm *VM, self Value, a []Value, blk *Proc) Value {
	n := vm.count(a[0])
	if n <= 0 {
		vm.raise("ArgumentError", "invalid slice size")
	}
	var out []Value
	for c := range slices.Chunk(vm.enumerate(self), n) {
		out = append(out, vm.array(slices.Clone(c)))
	}
	return vm.eachOf(self, "each_slice", vm.array(out), blk)
}

func enumCons(vm *VM, self Value, a []Value, blk *Proc) Value {
	n := vm.count(a[0])
	if n <= 0 {
		vm.raise("ArgumentError", "invalid size")
	}
	l := vm.enumerate(self)
	var out []Value
	for i := 0; i+n <= len(l); i++ {
		out = append(out, vm.array(slices.Clone(l[i:i+n])))
	}
	return vm.eachOf(self, "each_cons", vm.array(out), blk)
}

func enumChunks(vm *VM, self Value, blk *Proc, join bool) Value {
	vm.need(blk)
	var out []Value
	var run []Value
	for i, v := range vm.enumerate(self) {
		if i > 0 && truthy(vm.yield(blk, run[len(run)-1], v)) != join {
			out = append(out, vm.array(run))
			run = nil
		}
		run = append(run, v)
	}
	if run != nil {
		out = append(out, vm.array(run))
	}
	return vm.array(out)
}

func enumInject(vm *VM, self Value, a []Value, blk *Proc) Value {
	l := slices.Clone(vm.enumerate(self))
	op := ""
	if n := len(a); n > 0 && blk == nil {
		op = vm.show(a[n-1])
		a = a[:n-1]
	} else if blk == nil {
		vm.need(blk)
	}
	var acc Value
	switch {
	case len(a) > 0:
		acc = a[0]
	case len(l) == 0:
		return nil
	default:
		acc, l = l[0], l[1:]
	}
	for _, v := range l {
		if op != "" {
			acc = vm.binary(op, acc, v)
		} else {
			acc = vm.yield(blk, acc, v)
		}
	}
	return acc
}

// enumSum adds floats with the correction of Kahan and Babuska, as Ruby does.
func enumSum(vm *VM, self Value, a []Value, blk *Proc) Value {
	var acc Value = int64(0)
	if len(a) > 0 {
		acc = a[0]
	}
	sum, lost, float := 0.0, 0.0, false
	for _, v := range slices.Clone(vm.enumerate(self)) {
		if blk != nil {
			v = vm.yield1(blk, v)
		}
		x, isNum := number(v)
		if _, f := v.(float64); isNum && (f || float) {
			if !float {
				if start, ok := number(acc); ok {
					sum, float = start, true
				}
			}
			if float {
				t := sum + x
				if abs(sum) >= abs(x) {
					lost += sum - t + x
				} else {
					lost += x - t + sum
				}
				sum = t
				continue
			}
		}
		if float {
			acc, float = sum+lost, false
			sum, lost = 0, 0
		}
		acc = vm.binary("+", acc, v)
	}
	if float {
		return sum + lost
	}
	return acc
}

func abs(f float64) float64 {
	if f < 0 {
		return -f
	}
	return f
}

// hits counts elements that a pattern, a block or their own truth accepts, up to most.
func (vm *VM) hits(self Value, a []Value, blk *Proc, most int) (n int) {
	for _, v := range vm.enumerate(self) {
		if vm.accepts(v, a, blk) {
			if n++; n == most {
				return n
			}
		}
	}
	return n
}

func (vm *VM) misses(self Value, a []Value, blk *Proc) int {
	for _, v := range vm.enumerate(self) {
		if !vm.accepts(v, a, blk) {
			return 1
		}
	}
	return 0
}

func (vm *VM) accepts(v Value, a []Value, blk *Proc) bool {
	vm.work(1)
	switch {
	case len(a) > 0:
		return vm.caseEqual(a[0], v)
	case blk != nil:
		return truthy(vm.yield1(blk, v))
	}
	return truthy(v)
}

func enumCount(vm *VM, self Value, a []Value, blk *Proc) Value {
	l := vm.enumerate(self)
	if len(a) == 0 && blk == nil {
		return int64(len(l))
	}
	n := int64(0)
	for _, v := range slices.Clone(l) {
		if len(a) > 0 && vm.equal(v, a[0]) || len(a) == 0 && truthy(vm.yield1(blk, v)) {
			n++
		}
	}
	return n
}

func enumExtreme(vm *VM, self Value, a []Value, blk *Proc, sign int) Value {
	l := vm.enumerate(self)
	if len(a) > 0 && a[0] != nil {
		l = vm.sorted(l, blk)
		if sign > 0 {
			slices.Reverse(l)
		}
		return vm.array(l[:min(len(l), vm.positive(a[0]))])
	}
	var best Value
	for i, v := range l {
		if i == 0 || vm.by(v, best, blk) == sign {
			best = v
		}
	}
	return best
}

// by compares with a block or by the order of values.
func (vm *VM) by(x, y Value, blk *Proc) int {
	if blk == nil {
		return vm.order(x, y)
	}
	r := vm.yield(blk, x, y)
	switch r := r.(type) {
	case int64:
		return sign3(int(max(-1, min(1, r))))
	case float64:
		return vm.order(r, int64(0))
	case *big.Int:
		return r.Sign()
	}
	vm.raise("ArgumentError", "comparison of %s with %s failed", className(x), className(y))
	return 0
}

func (vm *VM) sorted(l []Value, blk *Proc) []Value {
	l = slices.Clone(l)
	slices.SortStableFunc(l, func(x, y Value) int { return vm.by(x, y, blk) })
	return l
}

func (vm *VM) uniq(l []Value, blk *Proc) []Value {
	seen := make(map[hkey]bool, len(l))
	var out []Value
	for _, v := range l {
		key := v
		if blk != nil {
			key = vm.yield1(blk, v)
		}
		if k := vm.key(key); !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
		vm.alloc(32)
	}
	return out
}

func enumInclude(vm *VM, self Value, a []Value, _ *Proc) Value {
	if r, ok := self.(*Range); ok {
		return vm.covers(r, a[0])
	}
	for _, v := range vm.enumerate(self) {
		if vm.equal(v, a[0]) {
			return true
		}
	}
	return false
}

func enumToA(vm *VM, self Value, _ []Value, _ *Proc) Value {
	if a, ok := self.(*Array); ok && a.op == nil {
		return a
	}
	return vm.array(slices.Clone(vm.enumerate(self)))
}

func enumToH(vm *VM, self Value, _ []Value, blk *Proc) Value {
	h := &Hash{}
	for _, v := range vm.enumerate(self) {
		if blk != nil {
			v = vm.yield1(blk, v)
		}
		p, ok := v.(*Array)
		if !ok || len(p.l) != 2 {
			vm.raise("TypeError", "wrong element type %s (expected array of 2)", className(v))
		}
		h.set(vm, p.l[0], p.l[1])
	}
	return h
}

func enumZip(vm *VM, self Value, a []Value, blk *Proc) Value {
	var lists [][]Value
	for _, v := range a {
		lists = append(lists, vm.enumerate(v))
	}
	var out []Value
	for i, v := range vm.enumerate(self) {
		row := []Value{v}
		for _, l := range lists {
			row = append(row, arg(l, i))
		}
		out = append(out, vm.array(row))
	}
	if blk != nil {
		for _, row := range out {
			vm.yield(blk, row)
		}
		return nil
	}
	return vm.array(out)
}

func enumFirst(vm *VM, self Value, a []Value, _ *Proc) Value {
	if r, ok := self.(*Range); ok { // which may have no end
		self = vm.firstOf(r, a)
	}
	l := vm.enumerate(self)
	if len(a) == 0 {
		return arg(l, 0)
	}
	return vm.array(slices.Clone(l[:min(len(l), vm.positive(a[0]))]))
}

// firstOf cuts a range of integers to as many as are asked for.
func (vm *VM) firstOf(r *Range, a []Value) Value {
	lo, ok := r.lo.(int64)
	if !ok {
		return r
	}
	n := int64(1)
	if len(a) > 0 {
		n = int64(vm.positive(a[0]))
	}
	if hi, bounded := number(r.hi); bounded && hi < float64(lo+n) {
		return r
	}
	return &Range{lo: lo, hi: lo + n, excl: true}
}

func rangeMethods() methods {
	m := enumMethods()
	for name, f := range map[string]*method{
		"each": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			r := self.(*Range)
			if r.hi == nil && blk != nil {
				for i := vm.integer(r.lo); ; i++ {
					vm.yield1(blk, i)
				}
			}
			return vm.eachOf(self, "each", vm.array(vm.rangeList(r)), blk)
		}},
		"begin": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Range).lo }},
		"end":   {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Range).hi }},
		"last": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			if len(a) == 0 {
				return self.(*Range).hi
			}
			return arrLast(vm, vm.array(vm.rangeList(self.(*Range))), a, nil)
		}},
		"size":         {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(vm.rangeList(self.(*Range)))) }},
		"cover?":       {1, 1, enumInclude},
		"===":          {1, 1, enumInclude},
		"exclude_end?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Range).excl }},
		"step": {1, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			n := vm.integer(a[0])
			if n <= 0 {
				vm.raise("ArgumentError", "step can't be negative or 0")
			}
			var out []Value
			for i, v := range vm.rangeList(self.(*Range)) {
				if int64(i)%n == 0 {
					out = append(out, v)
				}
			}
			return vm.eachOf(self, "step", vm.array(out), blk)
		}},
	} {
		m[name] = f
	}
	return m
}

// covers reports whether a range holds a value.
func (vm *VM) covers(r *Range, v Value) bool {
	if r.lo != nil {
		if s, ok := vm.compare(r.lo, v); !ok || s > 0 {
			return false
		}
	}
	if r.hi == nil {
		return true
	}
	s, ok := vm.compare(v, r.hi)
	return ok && (s < 0 || s == 0 && !r.excl)
}
