package ruby

import (
	"math/big"
	"slices"
)

// Hash is an object: pairs in the order they came in.
type Hash struct {
	e      []pair
	index  map[hkey]int // of e; nil while there are few
	def    Value
	proc   *Proc // makes the default
	frozen bool
}

type pair struct {
	key  hkey
	k, v Value
}

// hkey is a key as Go compares it. Lists and objects are keyed by their text.
type hkey struct {
	kind kind
	n    int64
	f    float64
	s    string
}

// hashFew is how many keys are found faster by looking at each.
const hashFew = 8

func (vm *VM) key(v Value) hkey {
	switch v := v.(type) {
	case nil:
		return hkey{kind: kNil}
	case bool:
		if v {
			return hkey{kind: kBool, n: 1}
		}
		return hkey{kind: kBool}
	case int64:
		return hkey{kind: kInt, n: v}
	case *big.Int:
		return hkey{kind: kInt, s: v.String()}
	case float64:
		return hkey{kind: kFloat, f: v}
	case *Str:
		return hkey{kind: kString, s: v.s}
	case Sym:
		return hkey{kind: kSymbol, s: string(v)}
	case *Time:
		return hkey{kind: kTime, n: v.t.UnixNano()}
	}
	return hkey{kind: kindOf(v), s: vm.inspect(v)}
}

func newHash(n int) *Hash { return &Hash{e: make([]pair, 0, n)} }

func (h *Hash) find(k *hkey) int {
	if len(h.e) <= hashFew {
		for i := range h.e {
			if h.e[i].key == *k {
				return i
			}
		}
		return -1
	}
	if h.index == nil {
		h.index = make(map[hkey]int, len(h.e))
		for i := range h.e {
			h.index[h.e[i].key] = i
		}
	}
	if i, ok := h.index[*k]; ok {
		return i
	}
	return -1
}

// get is the value of a key, without defaults.
func (h *Hash) get(vm *VM, k Value) (Value, bool) {
	key := vm.key(k)
	if i := h.find(&key); i >= 0 {
		return h.e[i].v, true
	}
	return nil, false
}

// at is the value of a key, or the default.
func (h *Hash) at(vm *VM, k Value) Value {
	if v, ok := h.get(vm, k); ok {
		return v
	}
	if h.proc != nil {
		return vm.yield(h.proc, h, k)
	}
	return h.def
}

// set keeps a copy of a string as key, as Ruby does.
func (h *Hash) set(vm *VM, k, v Value) {
	key := vm.key(k)
	if i := h.find(&key); i >= 0 {
		h.e[i].v = v
		return
	}
	if s, ok := k.(*Str); ok && !s.frozen {
		k = &Str{s: s.s, frozen: true}
	}
	vm.alloc(64)
	h.e = append(h.e, pair{key, k, v})
	if h.index != nil {
		h.index[key] = len(h.e) - 1
	}
}

// setName is set of a string key.
func (h *Hash) setName(vm *VM, name string, v Value) { h.set(vm, &Str{s: name, frozen: true}, v) }

func (h *Hash) delete(vm *VM, k Value) (Value, bool) {
	key := vm.key(k)
	i := h.find(&key)
	if i < 0 {
		return nil, false
	}
	v := h.e[i].v
	if i == len(h.e)-1 {
		delete(h.index, key)
	} else {
		vm.work(len(h.e) / 8)
		h.index = nil
	}
	h.e = slices.Delete(h.e, i, i+1)
	return v, true
}

// replace takes over the pairs of another.
func (h *Hash) replace(e []pair) { h.e, h.index = e, nil }

// pairs is a copy that may be walked over while the hash changes.
func (h *Hash) pairs(vm *VM) []pair {
	vm.alloc(len(h.e) * 8)
	return slices.Clone(h.e)
}
