package ruby

import "slices"

func hashMethods() methods { return union(enumMethods(), hashTable1(), hashTable2()) }

func hashTable1() methods {
	return methods{
		"each": {0, 0, hashEach}, "each_pair": {0, 0, hashEach},
		"each_key": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.eachOf(self, "each_key", hashKeys(vm, self, nil, nil).(*Array), blk)
		}},
		"each_value": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.eachOf(self, "each_value", hashValues(vm, self, nil, nil).(*Array), blk)
		}},
		"keys":   {0, 0, hashKeys},
		"values": {0, 0, hashValues},
		"length": {0, 0, hashLen}, "size": {0, 0, hashLen},
		"empty?": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return len(self.(*Hash).e) == 0 }},
		"[]":     {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return self.(*Hash).at(vm, a[0]) }},
		"[]=":    {2, 2, hashSet}, "store": {2, 2, hashSet},
		"key?": {1, 1, hashHas}, "has_key?": {1, 1, hashHas}, "include?": {1, 1, hashHas}, "member?": {1, 1, hashHas},
		"value?": {1, 1, hashHasValue}, "has_value?": {1, 1, hashHasValue},
		"key":       {1, 1, hashKey},
		"fetch":     {1, 2, hashFetch},
		"dig":       {1, -1, dig},
		"values_at": {0, -1, hashValuesAt}, "fetch_values": {0, -1, hashValuesAt},
		"delete": {1, 1, hashDelete},
		"delete_if": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			hashKeep(vm, self, blk, false)
			return self
		}},
		"keep_if": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			hashKeep(vm, self, blk, true)
			return self
		}},
		"reject!": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.orNil(self, hashKeep(vm, self, blk, false))
		}},
		"select!": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.orNil(self, hashKeep(vm, self, blk, true))
		}},
		"filter!": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.orNil(self, hashKeep(vm, self, blk, true))
		}},
		"select": {0, 0, hashSelect}, "filter": {0, 0, hashSelect},
		"reject": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return hashFilter(vm, self, "reject", blk, false)
		}},
		"merge": {0, -1, hashMerge}, "merge!": {0, -1, hashUpdate}, "update": {0, -1, hashUpdate},
		"transform_values": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value { return vm.transform(self, &Hash{}, blk, false) }},
		"transform_values!": {0, 0, func(vm *VM, self Value, _ []Value, blk *Proc) Value {
			return vm.transform(self, self.(*Hash), blk, false)
		}},
		"transform_keys": {0, 1, hashTransformKeys},
		"transform_keys!": {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			vm.frozen(self.(*Hash).frozen, self)
			self.(*Hash).replace(hashTransformKeys(vm, self, a, blk).(*Hash).e)
			return self
		}},
	}
}

func hashTable2() methods {
	return methods{
		"invert": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			out := &Hash{}
			for _, p := range self.(*Hash).pairs(vm) {
				out.set(vm, p.v, p.k)
			}
			return out
		}},
		"slice":  {0, -1, hashSlice},
		"except": {0, -1, hashExcept},
		"compact": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return &Hash{e: slices.DeleteFunc(self.(*Hash).pairs(vm), nilValue)}
		}},
		"compact!": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			h := self.(*Hash)
			n := len(h.e)
			h.replace(slices.DeleteFunc(h.pairs(vm), nilValue))
			return vm.orNil(h, len(h.e) != n)
		}},
		"clear": {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			vm.frozen(self.(*Hash).frozen, self)
			self.(*Hash).replace(nil)
			return self
		}},
		"replace": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			self.(*Hash).replace(vm.hash(a[0]).pairs(vm))
			return self
		}},
		"shift":   {0, 0, hashShift},
		"to_h":    {0, 0, hashToH},
		"to_hash": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self }},
		"default": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Hash).def }},
		"default=": {1, 1, func(_ *VM, self Value, a []Value, _ *Proc) Value {
			self.(*Hash).def = a[0]
			return a[0]
		}},
		"sum":  {0, 1, enumSum},
		"any?": {0, 1, hashAny},
		"all?": {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			return hashCount(vm, self, a, blk) == len(self.(*Hash).e)
		}},
		"none?": {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return hashCount(vm, self, a, blk) == 0 }},
		"count": {0, 1, func(vm *VM, self Value, a []Value, blk *Proc) Value { return int64(hashCount(vm, self, a, blk)) }},
		"find":  {0, 0, hashFind}, "detect": {0, 0, hashFind},
		"map": {0, 0, hashMap}, "collect": {0, 0, hashMap},
		"filter_map": {0, 0, func(vm *VM, self Value, a []Value, blk *Proc) Value {
			l := hashMap(vm, self, a, blk).(*Array).l
			return vm.array(slices.DeleteFunc(l, func(v Value) bool { return !truthy(v) }))
		}},
	}
}

func nilValue(p pair) bool { return p.v == nil }

func hashEach(vm *VM, self Value, _ []Value, blk *Proc) Value {
	h := self.(*Hash)
	if blk == nil {
		return vm.waiting(vm.hashList(h), self, "each", nil)
	}
	for _, p := range h.pairs(vm) {
		vm.yieldPair(blk, p)
	}
	return self
}

// yieldPair calls a block with key and value; a block with one parameter takes them as a list.
func (vm *VM) yieldPair(blk *Proc, p pair) Value {
	if blk.b != nil && (blk.b.simple > 1 || blk.lambda) {
		return vm.yield(blk, p.k, p.v)
	}
	return vm.yield(blk, vm.array([]Value{p.k, p.v}))
}

func hashMap(vm *VM, self Value, _ []Value, blk *Proc) Value {
	h := self.(*Hash)
	if blk == nil {
		return vm.waiting(vm.hashList(h), self, "map", nil)
	}
	out := make([]Value, 0, len(h.e))
	for _, p := range h.pairs(vm) {
		out = append(out, vm.yieldPair(blk, p))
	}
	return vm.array(out)
}

func hashFind(vm *VM, self Value, _ []Value, blk *Proc) Value {
	vm.need(blk)
	for _, p := range self.(*Hash).pairs(vm) {
		if truthy(vm.yieldPair(blk, p)) {
			return vm.array([]Value{p.k, p.v})
		}
	}
	return nil
}

func hashKeys(vm *VM, self Value, _ []Value, _ *Proc) Value {
	h := self.(*Hash)
	out := make([]Value, len(h.e))
	for i := range h.e {
		out[i] = h.e[i].k
	}
	return vm.array(out)
}

func hashValues(vm *VM, self Value, _ []Value, _ *Proc) Value {
	h := self.(*Hash)
	out := make([]Value, len(h.e))
	for i := range h.e {
		out[i] = h.e[i].v
	}
	return vm.array(out)
}

func hashLen(_ *VM, self Value, _ []Value, _ *Proc) Value { return int64(len(self.(*Hash).e)) }

func hashSet(vm *VM, self Value, a []Value, _ *Proc) Value {
	h := self.(*Hash)
	vm.frozen(h.frozen, h)
	h.set(vm, a[0], a[1])
	return a[1]
}

func hashHas(vm *VM, self Value, a []Value, _ *Proc) Value {
	_, ok := self.(*Hash).get(vm, a[0])
	return ok
}

func hashHasValue(vm *VM, self Value, a []Value, _ *Proc) Value {
	return slices.ContainsFunc(self.(*Hash).e, func(p pair) bool { return vm.equal(p.v, a[0]) })
}

func hashKey(vm *VM, self Value, a []Value, _ *Proc) Value {
	for _, p := range self.(*Hash).e {
		if vm.equal(p.v, a[0]) {
			return p.k
		}
	}
	return nil
}

func hashFetch(vm *VM, self Value, a []Value, blk *Proc) Value {
	if v, ok := self.(*Hash).get(vm, a[0]); ok {
		return v
	}
	switch {
	case blk != nil:
		return vm.yield1(blk, a[0])
	case len(a) > 1:
		return a[1]
	}
	vm.raise("KeyError", "key not found: %s", vm.inspectShort(a[0]))
	return nil
}

func hashValuesAt(vm *VM, self Value, a []Value, _ *Proc) Value {
	out := make([]Value, 0, len(a))
	for _, k := range a {
		out = append(out, self.(*Hash).at(vm, k))
	}
	return vm.array(out)
}

func hashDelete(vm *VM, self Value, a []Value, blk *Proc) Value {
	h := self.(*Hash)
	vm.frozen(h.frozen, h)
	v, ok := h.delete(vm, a[0])
	if !ok && blk != nil {
		return vm.yield1(blk, a[0])
	}
	return v
}

// hashKeep removes the pairs that the block does not say want to.
func hashKeep(vm *VM, self Value, blk *Proc, want bool) (changed bool) {
	vm.need(blk)
	h := self.(*Hash)
	vm.frozen(h.frozen, h)
	n := len(h.e)
	h.replace(slices.DeleteFunc(h.pairs(vm), func(p pair) bool { return truthy(vm.yieldPair(blk, p)) != want }))
	return len(h.e) != n
}

func hashSelect(vm *VM, self Value, _ []Value, blk *Proc) Value {
	return hashFilter(vm, self, "select", blk, true)
}

func hashFilter(vm *VM, self Value, name string, blk *Proc, want bool) Value {
	h := self.(*Hash)
	if blk == nil {
		return vm.waiting(vm.hashList(h), self, name, nil)
	}
	return &Hash{e: slices.DeleteFunc(h.pairs(vm), func(p pair) bool { return truthy(vm.yieldPair(blk, p)) != want })}
}

func hashMerge(vm *VM, self Value, a []Value, blk *Proc) Value {
	h := self.(*Hash)
	return hashUpdate(vm, &Hash{e: h.pairs(vm), def: h.def, proc: h.proc}, a, blk)
}

func hashUpdate(vm *VM, self Value, a []Value, blk *Proc) Value {
	h := self.(*Hash)
	vm.frozen(h.frozen, h)
	for _, v := range a {
		for _, p := range vm.hash(v).pairs(vm) {
			if old, ok := h.get(vm, p.k); ok && blk != nil {
				p.v = vm.yield(blk, p.k, old, p.v)
			}
			h.set(vm, p.k, p.v)
		}
	}
	return h
}

// transform puts the block's values into out.
func (vm *VM) transform(self Value, out *Hash, blk *Proc, _ bool) Value {
	vm.need(blk)
	vm.frozen(out.frozen, out)
	for _, p := range self.(*Hash).pairs(vm) {
		out.set(vm, p.k, vm.yield1(blk, p.v))
	}
	return out
}

func hashTransformKeys(vm *VM, self Value, a []Value, blk *Proc) Value {
	out := &Hash{}
	for _, p := range self.(*Hash).pairs(vm) {
		k := p.k
		if len(a) > 0 {
			if n, ok := vm.hash(a[0]).get(vm, k); ok {
				k = n
			} else if blk != nil {
				k = vm.yield1(blk, k)
			}
		} else {
			vm.need(blk)
			k = vm.yield1(blk, k)
		}
		out.set(vm, k, p.v)
	}
	return out
}

func hashSlice(vm *VM, self Value, a []Value, _ *Proc) Value {
	out := &Hash{}
	for _, k := range a {
		if v, ok := self.(*Hash).get(vm, k); ok {
			out.set(vm, k, v)
		}
	}
	return out
}

func hashExcept(vm *VM, self Value, a []Value, _ *Proc) Value {
	set := vm.keys(a)
	return &Hash{e: slices.DeleteFunc(self.(*Hash).pairs(vm), func(p pair) bool { return set[p.key] })}
}

func hashShift(vm *VM, self Value, _ []Value, _ *Proc) Value {
	h := self.(*Hash)
	if len(h.e) == 0 {
		return nil
	}
	p := h.e[0]
	h.delete(vm, p.k)
	return vm.array([]Value{p.k, p.v})
}

func hashToH(vm *VM, self Value, _ []Value, blk *Proc) Value {
	if blk == nil {
		return self
	}
	return enumToH(vm, hashMap(vm, self, nil, blk), nil, nil)
}

func hashAny(vm *VM, self Value, a []Value, blk *Proc) Value {
	h := self.(*Hash)
	if len(a) == 0 && blk == nil {
		return len(h.e) > 0
	}
	return hashCount(vm, self, a, blk) > 0
}

// hashCount counts the pairs that a pattern or a block accepts.
func hashCount(vm *VM, self Value, a []Value, blk *Proc) int {
	h := self.(*Hash)
	n := 0
	for _, p := range h.pairs(vm) {
		switch {
		case len(a) > 0:
			if !vm.caseEqual(a[0], vm.array([]Value{p.k, p.v})) {
				continue
			}
		case blk != nil && !truthy(vm.yieldPair(blk, p)):
			continue
		}
		n++
	}
	return n
}
