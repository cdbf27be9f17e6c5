package ruby

import (
	"math/big"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

// Event is an event of the pipeline as a value.
type Event struct {
	e     *event.Event
	given bool // was handed to the block for new events
}

// maxPaths bounds the field references kept that were made while running.
const maxPaths = 10_000

func (vm *VM) path(v Value) *event.Path {
	s := vm.text(v)
	if p, ok := vm.paths[s]; ok {
		return p
	}
	s = strings.Clone(s)
	p, err := event.ParsePath(s)
	if err != nil {
		vm.raise("RuntimeError", "Invalid FieldReference: `%s`", s)
	}
	if len(vm.paths) >= maxPaths {
		clear(vm.paths)
	}
	vm.paths[s] = p
	return p
}

// wrap is the one value for an event.
func (vm *VM) wrap(e *event.Event) *Event {
	w, ok := vm.conv[e]
	if !ok {
		w = &Event{e: e}
		vm.conv[e] = w
	}
	return w
}

func (e *Event) show() string {
	b := e.e.Batch()
	out := ""
	if ns, ok := e.e.Timestamp(); ok {
		out = string(event.AppendISO(nil, ns))
	}
	for _, name := range []string{"host", "message"} {
		v, ok := e.e.Get(event.Field(name))
		text := "%{" + name + "}"
		if ok && !v.IsNil() {
			text = b.Text(v)
		}
		out += " " + text
	}
	return out
}

func (e *Event) clone(vm *VM) *Event {
	vm.alloc(4096)
	b := e.e.Batch()
	c := b.Clone(e.e)
	b.Detach(c)
	return vm.wrap(c)
}

// toValue is a field's value as the language sees it. Texts are copied when the program keeps values from event to event.
func (vm *VM) toValue(b *event.Batch, v event.Value) Value {
	vm.work(1)
	switch v.Kind() {
	case event.BoolKind:
		return v.Truth()
	case event.IntKind:
		return v.Int64()
	case event.FloatKind:
		f, _ := v.Float64()
		return f
	case event.BigKind:
		if n, ok := new(big.Int).SetString(b.Text(v), 10); ok {
			return n
		}
		f, _ := v.Float64()
		return f
	case event.StringKind:
		vm.alloc(32)
		return &Str{s: vm.own(v.Str())}
	case event.TimeKind:
		return &Time{time.Unix(0, v.Int64()).UTC(), stampTime}
	case event.MapKind:
		h := newHash(b.Len(v))
		for k, el := range b.Each(v) {
			h.set(vm, &Str{s: vm.own(k), frozen: true}, vm.toValue(b, el))
		}
		return h
	case event.ListKind:
		elems := b.Elems(v)
		out := make([]Value, 0, len(elems))
		for _, el := range elems {
			out = append(out, vm.toValue(b, el))
		}
		return vm.array(out)
	}
	return nil
}

// own is a text that lives as long as the program may need it.
func (vm *VM) own(s string) string {
	if vm.prog.state {
		vm.alloc(len(s))
		return strings.Clone(s)
	}
	return s
}

// toField is a value as a field of an event.
func (vm *VM) toField(b *event.Batch, v Value, depth int) event.Value {
	vm.work(1)
	if depth > event.MaxDepth {
		vm.raise("ArgumentError", "nested deeper than %d levels", event.MaxDepth)
	}
	switch v := v.(type) {
	case nil:
		return event.Value{}
	case bool:
		return event.Bool(v)
	case int64:
		return event.Int(v)
	case *big.Int:
		return event.JSON(v.String())
	case float64:
		return event.Float(v)
	case *Str:
		return event.String(v.s)
	case Sym:
		return event.String(string(v))
	case *Time:
		if v.days() {
			break
		}
		return event.Time(v.t.UnixNano())
	case *Array:
		l := b.NewList(len(v.l))
		for _, el := range v.l {
			b.Append(l, vm.toField(b, el, depth+1))
		}
		return l
	case *Hash:
		m := b.NewMap()
		for _, p := range v.e {
			b.Put(m, vm.show(p.k), vm.toField(b, p.v, depth+1))
		}
		return m
	}
	vm.raise("TypeError", "a field cannot hold a value of class %s", className(v))
	return event.Value{}
}

func eventMethods() methods {
	return methods{
		"get": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			e := self.(*Event).e
			v, ok := e.Get(vm.path(a[0]))
			if !ok {
				return nil
			}
			return vm.toValue(e.Batch(), v)
		}},
		"set": {2, 2, eventSet},
		"remove": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			e := self.(*Event).e
			v, ok := e.Delete(vm.path(a[0]))
			if !ok {
				return nil
			}
			return vm.toValue(e.Batch(), v)
		}},
		"include?": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return self.(*Event).e.Has(vm.path(a[0])) }},
		"tag": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			self.(*Event).e.Tag(vm.text(a[0]))
			return nil
		}},
		"cancel": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			self.(*Event).e.Cancel()
			return true
		}},
		"uncancel": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			self.(*Event).e.Uncancel()
			return true
		}},
		"cancelled?":            {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Event).e.Cancelled() }},
		"to_hash":               {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Event).hash(vm) }},
		"to_h":                  {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { return self.(*Event).hash(vm) }},
		"to_hash_with_metadata": {0, 0, eventWithMeta},
		"to_json": {0, -1, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
			return vm.str(string(self.(*Event).e.AppendJSON(nil)))
		}},
		"sprintf": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			t, err := plugin.ParseTemplate(vm.text(a[0]))
			if err != nil {
				vm.raise("RuntimeError", "%v", err)
			}
			return vm.str(string(t.Append(nil, self.(*Event).e)))
		}},
		"timestamp": {0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value {
			ns, ok := self.(*Event).e.Timestamp()
			if !ok {
				return nil
			}
			return &Time{time.Unix(0, ns).UTC(), stampTime}
		}},
		"timestamp=": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return eventSet(vm, self, []Value{newStr("@timestamp"), a[0]}, nil)
		}},
		"append":    {1, 1, eventAppend},
		"overwrite": {1, 1, eventOverwrite},
	}
}

func eventSet(vm *VM, self Value, a []Value, _ *Proc) Value {
	e := self.(*Event).e
	p := vm.path(a[0])
	if t, ok := a[1].(*Time); p.IsTimestamp() && (!ok || t.typ != stampTime) {
		vm.raise("TypeError", "wrong argument type %s (expected LogStash::Timestamp)", noun(a[1]))
	}
	if err := e.Set(p, vm.toField(e.Batch(), a[1], 0)); err != nil {
		vm.raise("RuntimeError", "%v", err)
	}
	return a[1]
}

// hash is all fields but @metadata.
func (e *Event) hash(vm *VM) *Hash {
	h := newHash(8)
	b := e.e.Batch()
	if ns, ok := e.e.Timestamp(); ok {
		h.setName(vm, "@timestamp", &Time{time.Unix(0, ns).UTC(), stampTime})
	}
	e.e.Fields(func(k string, v event.Value) bool {
		h.setName(vm, vm.own(k), vm.toValue(b, v))
		return true
	})
	return h
}

var metadataPath = event.MustPath("[@metadata]")

func eventWithMeta(vm *VM, self Value, _ []Value, _ *Proc) Value {
	e := self.(*Event)
	h := e.hash(vm)
	v, _ := e.e.Get(metadataPath)
	if m := vm.toValue(e.e.Batch(), v); len(m.(*Hash).e) > 0 {
		h.setName(vm, "@metadata", m)
	}
	return h
}

func (vm *VM) event(v Value) *Event {
	e, ok := v.(*Event)
	if !ok {
		vm.raise("TypeError", "wrong argument type %s (expected LogStash::Event)", noun(v))
	}
	return e
}

// eventAppend adds the fields of another event: a field both have becomes a list, objects are merged.
func eventAppend(vm *VM, self Value, a []Value, _ *Proc) Value {
	e, o := self.(*Event).e, vm.event(a[0]).e
	b := e.Batch()
	o.Fields(func(k string, v event.Value) bool {
		p := event.Field(k)
		if k == "@version" {
			return true
		}
		old, ok := e.Get(p)
		if !ok {
			e.Set(p, b.Copy(v))
			return true
		}
		e.Set(p, mergeFields(b, old, v))
		return true
	})
	return self
}

func mergeFields(b *event.Batch, old, v event.Value) event.Value {
	if old.Kind() == event.MapKind && v.Kind() == event.MapKind {
		m := b.Open(b.Copy(old))
		for k, el := range b.Each(v) {
			if was, ok := b.Field(m, k); ok {
				el = mergeFields(b, was, el)
			}
			b.Put(m, k, el)
		}
		return m
	}
	l := b.NewList(2)
	for _, x := range []event.Value{old, v} {
		if x.Kind() != event.ListKind {
			b.Append(l, x)
			continue
		}
		for _, el := range b.Elems(x) {
			b.Append(l, el)
		}
	}
	return l
}

func eventOverwrite(vm *VM, self Value, a []Value, _ *Proc) Value {
	e, o := self.(*Event).e, vm.event(a[0]).e
	for _, name := range e.Names() {
		e.Delete(event.MustPath("[" + name + "]"))
	}
	b := e.Batch()
	o.Fields(func(k string, v event.Value) bool {
		e.Set(event.Field(k), b.Copy(v))
		return true
	})
	if ns, ok := o.Timestamp(); ok {
		e.SetTimestamp(ns)
	}
	return self
}

// newEvent is LogStash::Event.new.
func newEvent(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if vm.batch == nil {
		vm.raise("RuntimeError", "no event can be made outside of code")
	}
	vm.alloc(4096)
	e := vm.batch.New(vm.ref)
	vm.batch.Detach(e)
	e.SetTimestamp(vm.env.Now().UnixMilli() * 1e6)
	e.AddField("@version", event.String("1"))
	if len(a) > 0 && a[0] != nil {
		for _, p := range vm.hash(a[0]).e {
			vm.initField(e, vm.show(p.k), p.v)
		}
	}
	return vm.wrap(e)
}

func (vm *VM) initField(e *event.Event, name string, v Value) {
	b := e.Batch()
	switch name {
	case "@timestamp":
		switch t := v.(type) {
		case *Time:
			e.SetTimestamp(t.t.UnixNano())
			return
		case *Str:
			if ns, ok := event.ParseISO(t.s); ok {
				e.SetTimestamp(ns)
				return
			}
		}
		e.AddField("_@timestamp", vm.toField(b, v, 0))
		e.Tag("_timestampparsefailure")
	case "@metadata":
		if h, ok := v.(*Hash); ok {
			e.Set(metadataPath, vm.toField(b, h, 0))
		}
	default:
		e.Set(event.Field(name), vm.toField(b, v, 0))
	}
}

// giveEvent is new_event_block.call and yield in a filter's code.
func (vm *VM) giveEvent(v Value) {
	e := vm.event(v)
	if vm.emit == nil {
		vm.raise("RuntimeError", "no event can be handed on here")
	}
	if e.given {
		return
	}
	e.given = true
	vm.emit(e.e)
}

// Fill sets the members of an object as fields of e.
func (p *Program) Fill(e *event.Event, object Value) (exc *Exception) {
	vm := p.vm
	vm.steps, vm.bytes, vm.depth = maxSteps, maxBytes, 0
	defer func() {
		if x := recover(); x != nil {
			exc = p.exception(x)
		}
	}()
	for _, m := range object.(*Hash).e {
		vm.initField(e, vm.show(m.k), m.v)
	}
	return nil
}

// Meta is what an aggregate's code knows of its map: task_id, creation_timestamp and lastevent_timestamp.
func Meta(id string, began, seen time.Time) Value {
	return &Obj{name: "map_meta", attrs: map[string]Value{"task_id": newStr(id), "creation_timestamp": &Time{t: began}, "lastevent_timestamp": &Time{t: seen}}}
}
