// Package event is the model of a log event inside a pipeline: ordered fields that are read lazily from the JSON they came in as,
// field paths, timestamps, and JSON out.
//
// An Event lives in a Batch. Its strings alias the batch's arena or the bytes of the record it was decoded from; both stay valid
// until Batch.Reset. What has to live longer is copied by its keeper. A Batch, its events and their values belong to one goroutine
// at a time.
//
// A JSON object is split one level at a time: an untouched object, list, number or escaped string stays text (kind raw) and is
// copied to the output byte for byte. Raw text is valid JSON, valid UTF-8, free of duplicate keys and of line breaks between
// tokens: Decode sees to it once.
package event

import "slices"

// NoRecord is the Ref of events that no record led to (made by a timer).
const NoRecord = ^uint32(0)

// noTime marks a missing @timestamp.
const noTime = -1 << 63

// Event is one event of a Batch.
type Event struct {
	// Ref is the index of the record this event came from, among the records its batch was made of.
	Ref uint32

	b         *Batch
	fields    []field
	meta      []field // below [@metadata]; never serialised
	metaText  Value   // [@metadata] as it came in, until it is looked at
	mask      uint64  // bits of the names of fields, of some that were removed too
	ts        int64   // @timestamp in ns since 1970 UTC, or noTime
	cancelled bool
}

// field is one cache line: 24 bytes of key, 40 of value.
type field struct {
	key Key
	v   Value
}

// Batch is the batch e lives in.
func (e *Event) Batch() *Batch { return e.b }

// Cancel drops the event: no later filter and no output sees it.
func (e *Event) Cancel() { e.cancelled = true }

// Uncancel takes a Cancel of the same filter back.
func (e *Event) Uncancel() { e.cancelled = false }

// Cancelled reports whether the event was dropped.
func (e *Event) Cancelled() bool { return e.cancelled }

// Timestamp is @timestamp in nanoseconds since 1970 UTC; ok is false when it was removed.
func (e *Event) Timestamp() (ns int64, ok bool) { return e.ts, e.ts != noTime }

// SetTimestamp sets @timestamp, in nanoseconds since 1970 UTC.
func (e *Event) SetTimestamp(ns int64) { e.ts = ns }

// Get returns the value at p. Numbers come decoded; maps and lists may still be text, which Batch.Elems and Batch.Each read.
func (e *Event) Get(p *Path) (Value, bool) {
	switch p.root {
	case rootTime:
		if e.ts == noTime {
			return Value{}, false
		}
		return Time(e.ts), true
	case rootAllMeta:
		return Value{kind: MapKind, p: &node{fields: *e.metadata()}}, true
	}
	v := e.find(p)
	if v == nil {
		return Value{}, false
	}
	return e.b.load(v), true
}

// Has reports whether there is a value at p, nil included.
func (e *Event) Has(p *Path) bool {
	switch p.root {
	case rootTime:
		return e.ts != noTime
	case rootAllMeta:
		return true
	}
	return e.find(p) != nil
}

// find returns the place of the value at p, or nil. The pointer dies with the next Set or Delete.
func (e *Event) find(p *Path) *Value {
	var v *Value
	if p.root == rootMeta {
		v = lookup(*e.metadata(), &p.keys[0])
	} else {
		v = e.top(&p.keys[0])
	}
	for i := 1; i < len(p.keys) && v != nil; i++ {
		v = e.b.child(v, &p.keys[i])
	}
	return v
}

// top finds a top-level field.
func (e *Event) top(k *Key) *Value {
	if e.mask&k.bit() == 0 {
		return nil
	}
	return lookup(e.fields, k)
}

// addTop appends a top-level field with a nil value.
func (e *Event) addTop(k Key) *Value {
	e.mask |= k.bit()
	return e.b.add(&e.fields, k)
}

func lookup(fs []field, k *Key) *Value {
	for i := range fs {
		if fs[i].key.sum == k.sum && fs[i].key.s == k.s {
			return &fs[i].v
		}
	}
	return nil
}

// Set puts v at p, making maps on the way. It fails when the way leads through a scalar, past the front of a list, or when a list
// is addressed by name; @timestamp takes a Time only.
func (e *Event) Set(p *Path, v Value) error {
	switch p.root {
	case rootTime:
		if v.kind != TimeKind {
			return &SetError{Path: p.text, Why: "@timestamp takes a timestamp, not " + v.Kind().String()}
		}
		e.ts = int64(v.n)
		return nil
	case rootAllMeta:
		return e.setMeta(p, v)
	}
	return e.setIn(p, v)
}

// SetNew is Set where nothing is; where something is, it stays and is returned.
func (e *Event) SetNew(p *Path, v Value) (old Value, there bool) {
	if p.root == rootField && len(p.keys) == 1 {
		at := e.top(&p.keys[0])
		if at == nil {
			*e.addTop(p.keys[0]) = v
			return Value{}, false
		}
		return e.b.load(at), true
	}
	if old, there = e.Get(p); !there {
		e.Set(p, v)
	}
	return old, there
}

// Free reports that none of the top-level fields whose Path.Mask is in mask is there. It may say no although it is so.
func (e *Event) Free(mask uint64) bool { return e.mask&mask == 0 }

// AddPath appends a top-level field that Free says is not there.
func (e *Event) AddPath(p *Path, v Value) { *e.addTop(p.keys[0]) = v }

func (e *Event) setMeta(p *Path, v Value) error {
	if v.Kind() != MapKind {
		return &SetError{Path: p.text, Why: "[@metadata] takes an object"}
	}
	e.meta, e.metaText = e.meta[:0], v
	return nil
}

// metadata is the fields of [@metadata].
func (e *Event) metadata() *[]field {
	if e.metaText.kind != NilKind {
		v := e.metaText
		e.metaText = Value{}
		for k, el := range e.b.Each(v) {
			e.meta = append(e.meta, field{MakeKey(k), el})
		}
	}
	return &e.meta
}

func (e *Event) setIn(p *Path, v Value) error {
	at := e.slot(p)
	for i := 1; i < len(p.keys); i++ {
		next, err := e.b.grow(at, &p.keys[i], i+1 < len(p.keys))
		if err != nil {
			return &SetError{Path: p.text, Why: err.Error()}
		}
		at = next
	}
	*at = v
	return nil
}

// slot finds or makes the place of p's first name.
func (e *Event) slot(p *Path) *Value {
	k := &p.keys[0]
	var at *Value
	if p.root == rootMeta {
		meta := e.metadata()
		if at = lookup(*meta, k); at == nil {
			at = e.b.add(meta, *k)
		}
	} else if at = e.top(k); at == nil {
		at = e.addTop(*k)
	}
	return at
}

// Delete removes the value at p and returns it.
func (e *Event) Delete(p *Path) (Value, bool) {
	switch p.root {
	case rootTime:
		ns, ok := e.Timestamp()
		e.ts = noTime
		return Time(ns), ok
	case rootAllMeta:
		v := Value{kind: MapKind, p: &node{fields: slices.Clone(*e.metadata())}}
		e.meta = e.meta[:0]
		return v, true
	case rootMeta:
		return e.deleteIn(e.metadata(), p)
	}
	return e.deleteIn(&e.fields, p)
}

func (e *Event) deleteIn(fs *[]field, p *Path) (Value, bool) {
	last := len(p.keys) - 1
	if last == 0 {
		return e.b.cut(fs, &p.keys[0])
	}
	v := lookup(*fs, &p.keys[0])
	for i := 1; i < last && v != nil; i++ {
		v = e.b.child(v, &p.keys[i])
	}
	if v == nil || !e.b.expand(v) {
		return Value{}, false
	}
	k := &p.keys[last]
	if v.kind == MapKind {
		return e.b.cut(&v.p.fields, k)
	}
	i, ok := k.index(len(v.p.list))
	if !ok {
		return Value{}, false
	}
	old := v.p.list[i]
	v.p.list = slices.Delete(v.p.list, i, i+1)
	return old, true
}

// Fields calls f for each top-level field in order of arrival, without @timestamp and [@metadata].
func (e *Event) Fields(f func(key string, v Value) bool) {
	for i := range e.fields {
		if !f(e.fields[i].key.s, e.b.load(&e.fields[i].v)) {
			return
		}
	}
}

// Names returns the names of the top-level fields, @timestamp first.
func (e *Event) Names() []string {
	names := make([]string, 0, len(e.fields)+1)
	if e.ts != noTime {
		names = append(names, "@timestamp")
	}
	for i := range e.fields {
		names = append(names, e.fields[i].key.s)
	}
	return names
}

// Tag appends a tag unless the event has it.
func (e *Event) Tag(tag string) { e.tag(tag, false) }

// AddTag appends a tag, also a second time.
func (e *Event) AddTag(tag string) { e.tag(tag, true) }

func (e *Event) tag(tag string, again bool) {
	v := e.top(&tagsKey)
	if v == nil {
		l := e.b.NewList(4)
		l.p.list = append(l.p.list, String(tag))
		*e.addTop(tagsKey) = l
		return
	}
	if e.b.load(v).Kind() != ListKind {
		one := *v
		*v = e.b.NewList(4)
		if k := one.Kind(); k != NilKind {
			v.p.list = append(v.p.list, one)
		}
	}
	e.b.expand(v)
	if !again && e.hasTag(v, tag) {
		return
	}
	v.p.list = append(v.p.list, String(tag))
}

// HasTag reports whether tags holds tag.
func (e *Event) HasTag(tag string) bool {
	v := e.top(&tagsKey)
	return v != nil && e.hasTag(v, tag)
}

func (e *Event) hasTag(v *Value, tag string) bool {
	for _, el := range e.b.Elems(e.b.load(v)) {
		if el.kind == StringKind && el.s == tag {
			return true
		}
	}
	return false
}

// RemoveTag removes every occurrence of a tag.
func (e *Event) RemoveTag(tag string) {
	v := e.top(&tagsKey)
	if v == nil || !e.hasTag(v, tag) {
		return
	}
	if !e.b.expand(v) { // a single tag as a string
		e.b.cut(&e.fields, &tagsKey)
		return
	}
	v.p.list = slices.DeleteFunc(v.p.list, func(el Value) bool { return e.b.load(&el).s == tag })
}

// SetError says why a value cannot be put at a path.
type SetError struct {
	Path string
	Why  string
}

func (e *SetError) Error() string { return "set " + e.Path + ": " + e.Why }
