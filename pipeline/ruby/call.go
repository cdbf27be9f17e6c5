package ruby

func (n *callNode) eval(f *frame) Value {
	var recv Value
	if n.recv != nil {
		recv = n.recv.eval(f)
		if n.safe && recv == nil {
			return nil
		}
	}
	args := n.pooled
	n.pooled = nil
	if n.args != nil {
		if n.splat {
			args = evalList(n.args, f, args[:0])
		} else {
			args = args[:0]
			for _, a := range n.args {
				args = append(args, a.eval(f))
			}
		}
	}
	v := n.on(f, recv, args, n.blockOf(f))
	n.pooled = args
	return v
}

// blockOf is the block that is passed on, nil when there is none.
func (n *callNode) blockOf(f *frame) *Proc {
	if n.block != nil {
		f.vm.alloc(64)
		return &Proc{b: n.block, f: f}
	}
	if n.pass == nil {
		return nil
	}
	switch v := n.pass.eval(f).(type) {
	case nil:
		return nil
	case *Proc:
		return v
	case Sym:
		return &Proc{sym: string(v)}
	default:
		f.vm.pos = n.pos
		f.vm.raise("TypeError", "wrong argument type %s (expected Proc)", className(v))
	}
	return nil
}

// on calls the method on a receiver.
func (n *callNode) on(f *frame, recv Value, args []Value, blk *Proc) Value {
	vm := f.vm
	vm.pos = n.pos
	if n.block != nil && n.block.hasStop {
		return n.stoppable(f, recv, args, blk)
	}
	return n.dispatch(vm, f, recv, args, blk)
}

// stoppable is dispatch of a call whose block may break out of it.
func (n *callNode) stoppable(f *frame, recv Value, args []Value, blk *Proc) (v Value) {
	depth := f.vm.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *unwind:
			if r.kind != ctlBreak || r.b != n.block && r.b != nil {
				panic(r)
			}
			f.vm.depth = depth
			v = r.v
		default:
			panic(r)
		}
	}()
	return n.dispatch(f.vm, f, recv, args, blk)
}

func (n *callNode) dispatch(vm *VM, f *frame, recv Value, args []Value, blk *Proc) Value {
	if n.recv == nil {
		return n.function(vm, f, args, blk)
	}
	k := kindOf(recv)
	m := n.m
	if k != n.kind || k == kClass {
		m = vm.find(recv, k, n.name)
		n.kind, n.m = k, m
	}
	if m == nil {
		if p, ok := vm.defs[n.name]; ok && recv == selfObj {
			return vm.invoke(p, args, blk)
		}
		vm.noMethod(recv, n.name)
	}
	return vm.apply(m, recv, args, blk)
}

// function calls a method without receiver: one of the source, or a builtin.
func (n *callNode) function(vm *VM, f *frame, args []Value, blk *Proc) Value {
	if p, ok := vm.defs[n.name]; ok {
		return vm.invoke(p, args, blk)
	}
	switch n.name {
	case "block_given?":
		return f.block != nil
	case "lambda":
		if blk == nil {
			vm.raise("ArgumentError", "tried to create Proc object without a block")
		}
		return &Proc{b: blk.b, f: blk.f, lambda: true}
	}
	m := vm.lib.functions[n.name]
	if m == nil {
		vm.raise("NameError", "undefined local variable or method `%s'", n.name)
	}
	return vm.apply(m, selfObj, args, blk)
}
