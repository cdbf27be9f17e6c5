package mapping

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of one document.
const (
	MaxDepth        = 100    // nesting of objects and arrays the scanner follows
	maxArrayObjects = 20_000 // objects in the arrays of one document
	maxKeys         = 100_000
	maxLevelSlots   = 4096 // keys of one object that a scanner remembers
	maxLevels       = 8192 // objects a scanner remembers
)

// Value is one value of one field of a document.
type Value struct {
	Field *Field
	Num   int64  // Numbers; free for the caller's use otherwise
	Bytes []byte // Values and Words; valid as long as the document's bytes and the Docs
}

// Doc is one scanned document: ranges of the slices of its Docs.
type Doc struct {
	Values  [2]int32
	Shape   [2]int32
	Rest    [2]int32
	Ignored [2]int32
}

// Docs gathers scanned documents.
type Docs struct {
	Docs    []Doc
	Values  []Value
	Shapes  []byte
	Rest    []byte   // pieces of no field, each uvarint length and bytes, in the order the shape asks for them
	Ignored []string // paths of fields whose value was ignored
	arena   []byte   // decoded strings; full chunks stay referenced by the values
}

// Reset empties d for reuse; values handed out before are void.
func (d *Docs) Reset() {
	clear(d.Values)
	d.Docs, d.Values, d.Shapes, d.Rest, d.Ignored = d.Docs[:0], d.Values[:0], d.Shapes[:0], d.Rest[:0], d.Ignored[:0]
	d.arena = d.arena[:0]
}

const arenaChunk = 64 << 10

// room makes sure that n bytes can be appended to the arena without moving it.
func (d *Docs) room(n int) {
	if cap(d.arena)-len(d.arena) < n {
		d.arena = make([]byte, 0, max(arenaChunk, n))
	}
}

// keep copies b into the arena.
func (d *Docs) keep(b []byte) []byte {
	d.room(len(b))
	at := len(d.arena)
	d.arena = append(d.arena, b...)
	return d.arena[at:len(d.arena):len(d.arena)]
}

// Scanner reads documents under one mapping. It learns the order of keys from one document to the next, so one that keeps coming
// costs a comparison per key. It is for one goroutine.
type Scanner struct {
	m      *Mapping
	lim    Limits
	root   *level
	levels int

	b       []byte
	i       int
	out     *Docs
	id      string
	seen    []uint64 // by field number: the last document that had the field as a leaf
	inside  []uint64 // by field number: the last document that had it inside an array of objects
	doc     uint64
	objSeq  uint64 // objects read so far
	final   bool
	whole   bool // the document goes whole into Rest
	muted   int  // > 0: inside a value that goes whole into Rest
	objects int
	keys    int
	ignored int // first of this document
	missing []Missing
	tmp     []byte
}

// level is an object as documents have it.
type level struct {
	node    *Node  // nil: the mapping has no such object
	path    string // of the object
	near    *Node  // the nearest object of the mapping
	dynamic Dynamic
	keep    bool // everything below stays in the document only
	slots   []slot
	index   map[string]int32
}

// slot is a key of a level.
type slot struct {
	key   []byte // as it stands between the quotes
	front []byte // the same with the closing quote and a colon, which nearly always follow at once
	enc   []byte // its piece of the shape
	path  string
	field *Field
	sub   *level // objects, and keys the mapping has not
	num   int32  // its place in the level; -1: the level does not remember it
	next  int32  // the slot that followed last time
	other int32  // the slot that followed before next did
	known bool   // field or object of the mapping
	over  bool   // the mapping has no room for it
	obj   uint64 // the last object that had the key
	quick *quick // nil: the field's values take the general way
}

// NewScanner makes a scanner for documents of an index with m and lim.
func NewScanner(m *Mapping, lim Limits) *Scanner {
	s := &Scanner{m: m, lim: lim, seen: make([]uint64, len(m.fields)), inside: make([]uint64, len(m.fields))}
	s.root = s.newLevel(m.root, "", m.root, DynamicTrue)
	return s
}

// Mapping is the mapping the scanner works under.
func (s *Scanner) Mapping() *Mapping { return s.m }

func (s *Scanner) newLevel(n *Node, path string, near *Node, dyn Dynamic) *level {
	s.levels++
	l := &level{node: n, path: path, near: near, dynamic: dyn, index: map[string]int32{}}
	if n != nil {
		if n.Dynamic != Inherit {
			l.dynamic = n.Dynamic
		}
		l.keep = !n.Enabled || n.Nested
	}
	return l
}

// Scan appends the document in src to out. When the mapping lacks fields, missing names them and nothing is appended: Extend it and
// scan again with a scanner of the new mapping, or with final, which leaves them in the document only. id is for error texts.
func (s *Scanner) Scan(src []byte, id string, final bool, out *Docs) (missing []Missing, err error) {
	if s.levels > maxLevels {
		s.levels = 0
		s.root = s.newLevel(s.m.root, "", s.m.root, DynamicTrue)
	}
	s.b, s.i, s.out, s.id = src, 0, out, id
	s.doc++
	s.final = final
	s.whole, s.muted, s.objects, s.keys, s.missing = false, 0, 0, 0, s.missing[:0]
	d := Doc{Values: [2]int32{int32(len(out.Values))}, Shape: [2]int32{int32(len(out.Shapes))}, Rest: [2]int32{int32(len(out.Rest))}, Ignored: [2]int32{int32(len(out.Ignored))}}
	s.ignored = len(out.Ignored)
	s.space()
	if s.i >= len(src) || src[s.i] != '{' {
		err = s.fail("not an object")
	} else if err = s.object(s.root, 0); err == nil {
		if s.space(); s.i != len(src) {
			err = s.fail("Found unrecognized data after the document")
		}
	}
	if err != nil || len(s.missing) > 0 && !final {
		out.Values, out.Shapes, out.Rest, out.Ignored = out.Values[:d.Values[0]], out.Shapes[:d.Shape[0]], out.Rest[:d.Rest[0]], out.Ignored[:d.Ignored[0]]
		return s.missing, err
	}
	if s.whole {
		out.Shapes = append(out.Shapes[:d.Shape[0]], ShapeVerbatim)
		out.Rest = out.Rest[:d.Rest[0]]
		s.verbatim(src)
	}
	d.Values[1], d.Shape[1], d.Rest[1], d.Ignored[1] = int32(len(out.Values)), int32(len(out.Shapes)), int32(len(out.Rest)), int32(len(out.Ignored))
	out.Docs = append(out.Docs, d)
	return nil, nil
}

// fail is a refusal of the document as malformed JSON or beyond a bound.
func (s *Scanner) fail(format string, args ...any) *Error {
	return &Error{Status: 400, Type: "document_parsing_exception", Reason: s.at() + " failed to parse",
		Cause: &Error{Type: "x_content_parse_exception", Reason: s.at() + " " + fmt.Sprintf(format, args...)}}
}

// at is [line:column] of where the scanner stands.
func (s *Scanner) at() string {
	upto := s.b[:min(s.i, len(s.b))]
	line := bytes.Count(upto, []byte{'\n'}) + 1
	col := len(upto) - bytes.LastIndexByte(upto, '\n')
	return "[" + strconv.Itoa(line) + ":" + strconv.Itoa(col) + "]"
}

func (s *Scanner) space() {
	for s.i < len(s.b) {
		if c := s.b[s.i]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		s.i++
	}
}

// object reads the members of an object; the scanner stands on its brace.
func (s *Scanner) object(l *level, depth int) error {
	if depth >= MaxDepth {
		return s.fail("The depth of the document exceeds the allowed maximum of [%d]", MaxDepth)
	}
	s.i++
	s.shape(ShapeOpen)
	s.space()
	if s.i < len(s.b) && s.b[s.i] == '}' {
		s.i++
		s.shape(ShapeClose)
		return nil
	}
	s.objSeq++
	obj := s.objSeq
	guess, other := int32(0), int32(0)
	var prev *slot
	for {
		s.space()
		sl, err := s.key(l, guess, other, obj)
		if err != nil {
			return err
		}
		if prev != nil && sl.num >= 0 && prev.next != sl.num {
			prev.next, prev.other = sl.num, prev.next
		}
		guess, other, prev = sl.next, sl.other, sl
		if err := s.member(sl, depth); err != nil {
			return err
		}
		s.space()
		if s.i >= len(s.b) {
			return s.fail("Unexpected end-of-input: expected close marker for Object")
		}
		c := s.b[s.i]
		s.i++
		if c == '}' {
			break
		}
		if c != ',' {
			s.i--
			return s.fail("Unexpected character ('%c'): was expecting comma to separate Object entries", c)
		}
	}
	s.shape(ShapeClose)
	return nil
}

// key reads a key and its colon and finds its slot: the guessed one nearly always, or the other.
func (s *Scanner) key(l *level, guess, other int32, obj uint64) (*slot, error) {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return nil, s.fail("Unexpected character: was expecting double-quote to start field name")
	}
	if s.keys++; s.keys > maxKeys {
		return nil, s.fail("The number of keys of the document exceeds the allowed maximum of [%d]", maxKeys)
	}
	s.i++
	for range 2 {
		if int(guess) < len(l.slots) {
			g := &l.slots[guess]
			if end := s.i + len(g.front); end <= len(s.b) && string(s.b[s.i:end]) == string(g.front) {
				s.i = end
				return g, s.behindKey(g, obj)
			}
		}
		guess = other
	}
	raw, esc, err := s.str()
	if err != nil {
		return nil, err
	}
	var sl *slot
	if i, ok := l.index[string(raw)]; ok {
		sl = &l.slots[i]
	} else if sl, err = s.newSlot(l, raw, esc); err != nil {
		return nil, err
	}
	if sl.obj == obj {
		return nil, s.fail("Duplicate field '%s'", sl.key)
	}
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != ':' {
		return nil, s.fail("Unexpected character: was expecting a colon to separate field name and value")
	}
	s.i++
	return sl, s.behindKey(sl, obj)
}

// behindKey notes a key whose colon was read.
func (s *Scanner) behindKey(sl *slot, obj uint64) error {
	if sl.obj == obj {
		s.i-- // the fault is before the colon
		return s.fail("Duplicate field '%s'", sl.key)
	}
	sl.obj = obj
	s.space()
	if s.muted == 0 {
		s.out.Shapes = append(s.out.Shapes, sl.enc...)
	}
	return nil
}

// newSlot resolves a key that is seen for the first time.
func (s *Scanner) newSlot(l *level, raw []byte, esc bool) (*slot, error) {
	name := string(raw)
	if esc {
		b, err := unescape(nil, raw)
		if err != nil {
			return nil, s.fail("%v", err)
		}
		name = string(b)
	}
	name = strings.ToValidUTF8(name, "\uFFFD")
	enc := AppendString(nil, name)
	enc = enc[1 : len(enc)-1]
	front := append(append([]byte(nil), raw...), '"', ':')
	sl := slot{num: -1, key: front[:len(raw):len(raw)], front: front, path: join(l.path, name)}
	sl.enc = append(appendUvarint([]byte{ShapeKey}, uint64(len(enc))), enc...)
	if err := s.resolve(l, name, &sl); err != nil {
		return nil, err
	}
	if len(l.slots) >= maxLevelSlots {
		return &sl, nil
	}
	sl.num, sl.next = int32(len(l.slots)), int32(len(l.slots))+1
	sl.other = sl.next
	if len(l.slots) == cap(l.slots) { // pointers into the old array live no longer than this call chain needs
		l.slots = append(make([]slot, 0, 2*len(l.slots)+8), l.slots...)
	}
	l.slots = append(l.slots, sl)
	l.index[string(sl.key)] = int32(len(l.slots) - 1)
	return &l.slots[len(l.slots)-1], nil
}

// resolve finds what the mapping has for a key.
func (s *Scanner) resolve(l *level, name string, sl *slot) error {
	if l.keep {
		sl.sub = s.newLevel(nil, sl.path, l.near, DynamicFalse)
		sl.sub.keep = true
		return nil
	}
	if name == "" || strings.TrimSpace(name) == "" || l.node != nil && l.node.Subobjects && strings.Contains(name, ".") && emptyPart(name) {
		if s.lim.IgnoreMalformed {
			sl.sub = s.newLevel(nil, sl.path, l.near, DynamicFalse)
			sl.sub.keep = true
			return nil
		}
		return s.fail("field name cannot be an empty string or contain only whitespace: [%s]", name)
	}
	n, near, dyn := l.node, l.near, l.dynamic
	rest := name
	for n != nil {
		if c, ok := n.children[rest]; ok {
			return s.resolved(c, near, dyn, sl)
		}
		part, tail, dotted := strings.Cut(rest, ".")
		if !dotted || !n.Subobjects {
			break
		}
		c := n.children[part]
		if c.field != nil && c.field.Type == Flattened {
			break
		}
		if c.node == nil {
			break
		}
		n, near, rest = c.node, c.node, tail
		if n.Dynamic != Inherit {
			dyn = n.Dynamic
		}
		if !n.Enabled || n.Nested {
			sl.known = true
			sl.sub = s.newLevel(n, sl.path, n, dyn)
			return nil
		}
	}
	sl.sub = s.newLevel(nil, sl.path, near, dyn)
	return nil
}

func emptyPart(name string) bool {
	return name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, "..")
}

func (s *Scanner) resolved(c child, near *Node, dyn Dynamic, sl *slot) error {
	sl.known = true
	if c.node != nil {
		sl.sub = s.newLevel(c.node, sl.path, c.node, dyn)
		return nil
	}
	sl.field, sl.quick = c.field, newQuick(c.field)
	if c.field.Type == Alias {
		return &Error{Status: 400, Type: "document_parsing_exception", Reason: s.at() + " Cannot write to a field alias [" + c.field.Path + "]."}
	}
	return nil
}

// member reads the value of a key.
func (s *Scanner) member(sl *slot, depth int) error {
	if s.i >= len(s.b) {
		return s.fail("Unexpected end-of-input within/between Object entries")
	}
	if sl.field != nil {
		if sl.quick != nil && s.b[s.i] == '"' && s.muted == 0 {
			return s.quickString(sl.field, sl.quick)
		}
		return s.fieldValue(sl.field, depth)
	}
	if sl.sub.keep {
		return s.keepValue(depth)
	}
	switch s.b[s.i] {
	case '{':
		if !sl.known {
			if stop, err := s.newObject(sl, depth); stop || err != nil {
				return err
			}
		}
		return s.object(sl.sub, depth+1)
	case '[':
		return s.array(sl, depth)
	case 'n':
		if err := s.literal("null"); err != nil {
			return err
		}
		s.shape(ShapeNull)
		return nil
	}
	if sl.known {
		return s.scalarForObject(sl, depth)
	}
	return s.unmapped(sl, depth)
}

// scalarForObject is a value where the mapping has an object.
func (s *Scanner) scalarForObject(sl *slot, depth int) error {
	if !s.lim.IgnoreMalformed {
		return &Error{Status: 400, Type: "document_parsing_exception",
			Reason: s.at() + " object mapping for [" + sl.path + "] tried to parse field [" + lastPart(sl.path) + "] as object, but found a concrete value"}
	}
	s.ignore(sl.path)
	return s.keepValue(depth)
}

// newObject decides about an object the mapping has not: stop when it was read here.
func (s *Scanner) newObject(sl *slot, depth int) (stop bool, err error) {
	switch sl.sub.dynamic {
	case DynamicStrict:
		return true, s.strict(sl)
	case DynamicFalse:
		return true, s.keepValue(depth)
	}
	for i := range s.m.opts.templates {
		t := &s.m.opts.templates[i]
		if len(t.matchType) > 0 && oneOf(t.matchType, "object") && t.matches(sl.path, "object") {
			s.missing = append(s.missing, Missing{Path: sl.path, Parent: sl.sub.near.Path, Type: "object"})
			return true, s.keepValue(depth)
		}
	}
	return false, nil
}

func (s *Scanner) strict(sl *slot) *Error {
	within := sl.sub.near.Path
	if within == "" {
		within = "_doc"
	}
	return &Error{Status: 400, Type: "strict_dynamic_mapping_exception",
		Reason: s.at() + " mapping set to strict, dynamic introduction of [" + lastPart(sl.path) + "] within [" + within + "] is not allowed"}
}

// unmapped is a scalar whose key has no field.
func (s *Scanner) unmapped(sl *slot, depth int) error {
	switch sl.sub.dynamic {
	case DynamicStrict:
		return s.strict(sl)
	case DynamicTrue:
		if !sl.over {
			typ, err := s.jsonType()
			if err != nil {
				return err
			}
			s.missing = append(s.missing, Missing{Path: sl.path, Parent: sl.sub.near.Path, Type: typ})
		}
		sl.over = s.final
		s.ignore(sl.path) // stands only when the document is scanned as final
	}
	return s.keepValue(depth)
}

// array is an array where the mapping has an object or nothing.
func (s *Scanner) array(sl *slot, depth int) error {
	from := s.i
	mark := s.hush()
	defer s.unhush()
	s.i++
	n := 0
	for {
		s.space()
		if s.i >= len(s.b) {
			return s.fail("Unexpected end-of-input: expected close marker for Array")
		}
		if s.b[s.i] == ']' && n == 0 {
			break
		}
		n++
		if err := s.element(sl, depth); err != nil {
			return err
		}
		s.space()
		if s.i < len(s.b) && s.b[s.i] == ',' {
			s.i++
			continue
		}
		if s.i >= len(s.b) || s.b[s.i] != ']' {
			return s.fail("Unexpected character: was expecting comma to separate Array entries")
		}
		break
	}
	s.i++
	s.rewind(mark)
	if n == 0 {
		s.shapeUnder(1, ShapeArray, ShapeArrayEnd)
		return nil
	}
	s.shapeUnder(1, ShapeVerbatim)
	s.verbatimUnder(1, s.b[from:s.i])
	return nil
}

// element is one element of an array that is no field's.
func (s *Scanner) element(sl *slot, depth int) error {
	if depth >= MaxDepth {
		return s.fail("The depth of the document exceeds the allowed maximum of [%d]", MaxDepth)
	}
	switch s.b[s.i] {
	case '{':
		if s.objects++; s.objects > maxArrayObjects {
			return s.fail("The number of objects in arrays exceeds the allowed maximum of [%d]", maxArrayObjects)
		}
		return s.member(sl, depth)
	case '[':
		return s.array(sl, depth+1)
	case 'n':
		return s.literal("null")
	}
	if sl.known {
		return s.scalarForObject(sl, depth)
	}
	return s.unmapped(sl, depth)
}

// mark is a place in the shape and the rest to go back to.
type mark struct{ shape, rest int }

// hush stops shape and rest from growing until unhush.
func (s *Scanner) hush() mark {
	s.muted++
	return mark{len(s.out.Shapes), len(s.out.Rest)}
}

func (s *Scanner) unhush() { s.muted-- }

func (s *Scanner) rewind(m mark) {
	s.out.Shapes, s.out.Rest = s.out.Shapes[:m.shape], s.out.Rest[:m.rest]
}

func (s *Scanner) shape(c byte) {
	if s.muted == 0 {
		s.out.Shapes = append(s.out.Shapes, c)
	}
}

// shapeUnder adds to the shape while the caller itself has muted n times.
func (s *Scanner) shapeUnder(n int, c ...byte) {
	if s.muted == n {
		s.out.Shapes = append(s.out.Shapes, c...)
	}
}

func (s *Scanner) verbatimUnder(n int, raw []byte) {
	if s.muted == n {
		s.verbatim(raw)
	}
}

// verbatim puts a value into the rest, white space and escapes normalised.
func (s *Scanner) verbatim(raw []byte) {
	s.tmp = AppendCompact(s.tmp[:0], raw)
	s.out.Rest = append(appendUvarint(s.out.Rest, uint64(len(s.tmp))), s.tmp...)
}

// keepValue checks a value and leaves it in the document only.
func (s *Scanner) keepValue(depth int) error {
	from := s.i
	if err := s.skip(depth); err != nil {
		return err
	}
	if s.muted == 0 {
		s.out.Shapes = append(s.out.Shapes, ShapeVerbatim)
		s.verbatim(s.b[from:s.i])
	}
	return nil
}

// ignore names a field in _ignored.
func (s *Scanner) ignore(path string) {
	for _, p := range s.out.Ignored[s.ignored:] {
		if p == path {
			return
		}
	}
	s.out.Ignored = append(s.out.Ignored, path)
}

func (s *Scanner) add(f *Field, v Value) {
	v.Field = f
	s.out.Values = append(s.out.Values, v)
}
