package event

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"unsafe"
)

const (
	arenaChunk  = 64 << 10 // bytes a chunk of the arena
	eventChunk  = 64       // events a chunk
	nodeChunk   = 64       // maps and lists a chunk
	slabFields  = 1024     // fields a slab: 64 KiB
	fieldsFirst = 24       // fields an event has room for before it grows
	maxPad      = 10_000   // how far a list is padded with nil when an element behind its end is set
)

// Batch holds events and all memory behind them. Reset gives the memory to the next batch.
type Batch struct {
	// Events are the events of the batch in order, cancelled ones included. Filters append with New.
	Events []*Event

	chunks [][]Event
	used   int

	arena [][]byte // chunks; the last one is filled
	free  [][]byte // chunks to use again
	slabs [][]field
	spare [][]field
	nodes [][]node
	node  int // nodes in use
	sums  []uint64
	shape shape

	scratch []byte // of Compose
	poison  bool
}

// NewBatch makes an empty batch. With poison, memory is overwritten at Reset, so that tests find strings that outlive their batch.
func NewBatch(poison bool) *Batch { return &Batch{poison: poison} }

// Reset forgets all events. Every string of the batch is invalid from here on.
func (b *Batch) Reset() {
	b.Events = b.Events[:0]
	b.used, b.node = 0, 0
	for _, c := range b.arena {
		if b.poison {
			c = c[:cap(c)]
			for i := range c {
				c[i] = 0xDB
			}
		}
		b.free = append(b.free, c[:0])
	}
	b.arena = b.arena[:0]
	b.spare = append(b.spare, b.slabs...)
	b.slabs = b.slabs[:0]
	for i := range b.spare {
		b.spare[i] = b.spare[i][:0]
	}
}

// New appends an empty event made of record ref.
func (b *Batch) New(ref uint32) *Event {
	c := b.used / eventChunk
	if c == len(b.chunks) {
		b.chunks = append(b.chunks, make([]Event, eventChunk))
	}
	e := &b.chunks[c][b.used%eventChunk]
	b.used++
	*e = Event{Ref: ref, b: b, ts: noTime, fields: b.room(fieldsFirst), meta: e.meta[:0]}
	b.Events = append(b.Events, e)
	return e
}

// Clone appends a deep copy of e.
func (b *Batch) Clone(e *Event) *Event {
	c := b.New(e.Ref)
	c.ts = e.ts
	for _, f := range e.fields {
		*c.addTop(f.key) = b.Copy(f.v)
	}
	for _, f := range *e.metadata() {
		c.meta = append(c.meta, field{f.key, b.Copy(f.v)})
	}
	return c
}

// Detach takes e, which New or Clone appended last, out of Events again: it lives on unseen until Attach.
func (b *Batch) Detach(e *Event) {
	if n := len(b.Events) - 1; n >= 0 && b.Events[n] == e {
		b.Events = b.Events[:n]
	}
}

// Attach appends an event that Detach took out.
func (b *Batch) Attach(e *Event) { b.Events = append(b.Events, e) }

// Copy returns a value that shares nothing that can change with v.
func (b *Batch) Copy(v Value) Value {
	switch v.kind {
	case MapKind:
		m := b.NewMap()
		for _, f := range v.p.fields {
			*b.add(&m.p.fields, f.key) = b.Copy(f.v)
		}
		return m
	case ListKind:
		l := b.NewList(len(v.p.list))
		for _, el := range v.p.list {
			l.p.list = append(l.p.list, b.Copy(el))
		}
		return l
	}
	return v
}

// Import copies v, a value of another batch, with all its bytes.
func (b *Batch) Import(from *Batch, v Value) Value {
	switch v.kind {
	case MapKind:
		m := b.NewMap()
		for _, f := range v.p.fields {
			*b.add(&m.p.fields, MakeKey(b.KeepString(f.key.s))) = b.Import(from, f.v)
		}
		return m
	case ListKind:
		l := b.NewList(len(v.p.list))
		for _, el := range v.p.list {
			l.p.list = append(l.p.list, b.Import(from, el))
		}
		return l
	}
	if v.kind == StringKind {
		v.p = nil
	}
	v.s = b.KeepString(v.s)
	return v
}

// ImportEvent appends a copy of an event of another batch, with all its bytes.
func (b *Batch) ImportEvent(e *Event, ref uint32) *Event {
	c := b.New(ref)
	c.ts = e.ts
	for _, f := range e.fields {
		*c.addTop(MakeKey(b.KeepString(f.key.s))) = b.Import(e.b, f.v)
	}
	for _, f := range *e.metadata() {
		c.meta = append(c.meta, field{MakeKey(b.KeepString(f.key.s)), b.Import(e.b, f.v)})
	}
	return c
}

// Buf returns an empty slice at the free end of the arena to append to; Keep makes a string of it. Only one may be open at a time.
func (b *Batch) Buf() []byte {
	if n := len(b.arena); n > 0 {
		c := b.arena[n-1]
		if cap(c)-len(c) >= 256 {
			return c[len(c):len(c):cap(c)]
		}
	}
	return b.chunk()
}

func (b *Batch) chunk() []byte {
	var c []byte
	if n := len(b.free); n > 0 {
		c, b.free = b.free[n-1], b.free[:n-1]
	} else {
		c = make([]byte, 0, arenaChunk)
	}
	b.arena = append(b.arena, c)
	return c
}

// Keep ends what Buf began. When the bytes outgrew the arena they are on the heap already and stay there.
func (b *Batch) Keep(p []byte) string {
	if len(p) == 0 {
		return ""
	}
	c := &b.arena[len(b.arena)-1]
	end := (*c)[len(*c):cap(*c)]
	if len(end) >= len(p) && unsafe.SliceData(end) == unsafe.SliceData(p) {
		*c = (*c)[:len(*c)+len(p)]
	}
	return unsafe.String(unsafe.SliceData(p), len(p))
}

// Compose makes a string with f, apart from the arena, which f may use.
func (b *Batch) Compose(f func(dst []byte) []byte) string {
	b.scratch = f(b.scratch[:0])
	return b.KeepBytes(b.scratch)
}

// KeepString copies s into the arena.
func (b *Batch) KeepString(s string) string { return b.Keep(append(b.Buf(), s...)) }

// KeepBytes copies p into the arena.
func (b *Batch) KeepBytes(p []byte) string { return b.Keep(append(b.Buf(), p...)) }

// room returns an empty field slice with space for n fields.
func (b *Batch) room(n int) []field {
	if n > slabFields {
		return make([]field, 0, n)
	}
	i := len(b.slabs) - 1
	if i < 0 || cap(b.slabs[i])-len(b.slabs[i]) < n {
		if k := len(b.spare); k > 0 {
			b.slabs = append(b.slabs, b.spare[k-1])
			b.spare = b.spare[:k-1]
		} else {
			b.slabs = append(b.slabs, make([]field, 0, slabFields))
		}
		i++
	}
	s := b.slabs[i]
	from := len(s)
	b.slabs[i] = s[:from+n]
	return s[from : from : from+n]
}

// add appends a field with a nil value and returns its place.
func (b *Batch) add(fs *[]field, k Key) *Value {
	if len(*fs) == cap(*fs) {
		*fs = append(b.room(max(4, 2*cap(*fs))), *fs...)
	}
	*fs = append(*fs, field{key: k})
	return &(*fs)[len(*fs)-1].v
}

// cut removes a field.
func (b *Batch) cut(fs *[]field, k *Key) (Value, bool) {
	for i := range *fs {
		if f := &(*fs)[i]; f.key.sum == k.sum && f.key.s == k.s {
			v := b.load(&f.v)
			*fs = slices.Delete(*fs, i, i+1)
			return v, true
		}
	}
	return Value{}, false
}

// NewMap makes an empty object.
func (b *Batch) NewMap() Value { return Value{kind: MapKind, p: b.newNode()} }

// NewList makes an empty list with room for n values.
func (b *Batch) NewList(n int) Value { return b.list(make([]Value, 0, n)) }

func (b *Batch) list(elems []Value) Value {
	n := b.newNode()
	n.list = elems
	return Value{kind: ListKind, p: n}
}

func (b *Batch) newNode() *node {
	c := b.node / nodeChunk
	if c == len(b.nodes) {
		b.nodes = append(b.nodes, make([]node, nodeChunk))
	}
	n := &b.nodes[c][b.node%nodeChunk]
	b.node++
	*n = node{list: n.list[:0]}
	return n
}

// ListOf makes a list that owns elems.
func (b *Batch) ListOf(elems ...Value) Value { return b.list(elems) }

// Put sets a field of the object m, which must not be text: NewMap, or a value that came through Open.
func (b *Batch) Put(m Value, key string, v Value) {
	k := MakeKey(key)
	at := lookup(m.p.fields, &k)
	if at == nil {
		at = b.add(&m.p.fields, k)
	}
	*at = v
}

// Append appends to the list l, which must not be text.
func (b *Batch) Append(l Value, v Value) { l.p.list = append(l.p.list, v) }

// Open returns v with its first level read, so that Put and Append work on it.
func (b *Batch) Open(v Value) Value {
	b.expand(&v)
	return v
}

// Field returns a field of an object.
func (b *Batch) Field(m Value, key string) (Value, bool) {
	k := MakeKey(key)
	if m.Kind() != MapKind || !b.expand(&m) {
		return Value{}, false
	}
	v := lookup(m.p.fields, &k)
	if v == nil {
		return Value{}, false
	}
	return b.load(v), true
}

// Elems returns the elements of a list, or nil for other kinds. Elements may be text; Load reads them.
func (b *Batch) Elems(v Value) []Value {
	if v.Kind() != ListKind || !b.expand(&v) {
		return nil
	}
	for i := range v.p.list {
		v.p.list[i] = b.load(&v.p.list[i])
	}
	return v.p.list
}

// Each runs over the fields of an object in order.
func (b *Batch) Each(v Value) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != MapKind || !b.expand(&v) {
			return
		}
		for i := range v.p.fields {
			if !yield(v.p.fields[i].key.s, b.load(&v.p.fields[i].v)) {
				return
			}
		}
	}
}

// Len is the number of fields of a map or elements of a list.
func (b *Batch) Len(v Value) int {
	if !b.expand(&v) {
		return 0
	}
	return len(v.p.fields) + len(v.p.list)
}

// load reads the scalar at v. Escaped strings are decoded in place; numbers are not, so that their digits survive.
func (b *Batch) load(v *Value) Value {
	if v.kind != raw {
		return *v
	}
	switch v.s[0] {
	case '"':
		text := b.newNode()
		text.text = v.s
		*v = Value{kind: StringKind, s: b.unescape(v.s[1 : len(v.s)-1]), p: text}
		return *v
	case '{', '[':
		return *v
	}
	return decodeNumber(v.s)
}

// expand reads one level of an object or list that is still text. It reports whether v is a map or a list.
func (b *Batch) expand(v *Value) bool {
	switch v.kind {
	case MapKind, ListKind:
		return true
	case raw:
	default:
		return false
	}
	switch v.s[0] {
	case '{':
		m := b.newNode()
		sc := scanner{b: b, p: Bytes(v.s)}
		sc.object(&m.fields) // cannot fail: raw text is valid
		*v = Value{kind: MapKind, p: m}
		return true
	case '[':
		l := b.newNode()
		sc := scanner{b: b, p: Bytes(v.s)}
		sc.list(&l.list)
		*v = Value{kind: ListKind, p: l}
		return true
	}
	return false
}

// child finds a field or element below v.
func (b *Batch) child(v *Value, k *Key) *Value {
	if !b.expand(v) {
		return nil
	}
	if v.kind == MapKind {
		return lookup(v.p.fields, k)
	}
	if i, ok := k.index(len(v.p.list)); ok {
		return &v.p.list[i]
	}
	return nil
}

var (
	errScalar = errors.New("the way leads through a value that is neither object nor list")
	errIndex  = errors.New("a list takes a number from -length to 9999 as index")
)

// grow finds or makes the child k of v; a made one is an object when more of the path follows.
func (b *Batch) grow(v *Value, k *Key, more bool) (*Value, error) {
	if v.kind == NilKind {
		*v = b.NewMap()
	}
	if !b.expand(v) {
		return nil, errScalar
	}
	var at *Value
	if v.kind == MapKind {
		if at = lookup(v.p.fields, k); at != nil {
			return at, nil
		}
		at = b.add(&v.p.fields, *k)
	} else {
		n := len(v.p.list)
		if i, ok := k.index(n); ok {
			return &v.p.list[i], nil
		}
		i, err := strconv.Atoi(k.s)
		if err != nil || i < 0 || i >= maxPad {
			return nil, errIndex
		}
		for len(v.p.list) <= i {
			v.p.list = append(v.p.list, Value{})
		}
		at = &v.p.list[i]
	}
	if more {
		*at = b.NewMap()
	}
	return at, nil
}
