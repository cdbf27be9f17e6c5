package event

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unsafe"
)

// Key is the name of a field, or of an element of a list, with a sum that tells most names apart in one comparison. Names need no
// table and no lock this way, and events can move between pipelines.
type Key struct {
	sum uint64
	s   string
}

var tagsKey = MakeKey("tags")

// needsEscape is the bit of a sum that says that the name cannot be written to JSON as it is.
const needsEscape = 1 << 63

// MakeKey prepares a name. s must live as long as the batch.
func MakeKey(s string) Key { return makeKey(s, plainLen(s) == len(s)) }

// makeKey is MakeKey for a name of which is known whether it is ASCII without need of an escape.
func makeKey(s string, plain bool) Key {
	n := len(s)
	sum := uint64(n) << 56
	p := unsafe.Slice(unsafe.StringData(s), n)
	switch {
	case n >= 8:
		sum ^= binary.LittleEndian.Uint64(p) ^ binary.LittleEndian.Uint64(p[n-8:])*0x9e3779b97f4a7c15
	case n >= 4:
		sum ^= uint64(binary.LittleEndian.Uint32(p)) ^ uint64(binary.LittleEndian.Uint32(p[n-4:]))<<24
	default:
		for i, c := range p {
			sum ^= uint64(c) << (8 * i)
		}
	}
	if sum &^= needsEscape; !plain {
		sum |= needsEscape
	}
	return Key{sum, s}
}

// bit is one of 64, by name: a set of names may hold a name only when its bit is set in the set's mask.
func (k *Key) bit() uint64 { return 1 << (k.sum * 0x9e3779b97f4a7c15 >> 58) }

// appendJSON appends "name":
func (k *Key) appendJSON(dst []byte) []byte {
	if k.sum&needsEscape != 0 {
		return append(AppendString(dst, k.s), ':')
	}
	n := len(dst) + len(k.s) + 3
	if n > cap(dst) {
		dst = slices.Grow(dst, len(k.s)+3)
	}
	at := len(dst)
	dst = dst[:n]
	dst[at] = '"'
	copy(dst[at+1:], k.s)
	dst[n-2], dst[n-1] = '"', ':'
	return dst
}

// index reads the key as a place in a list of n; -1 is the last element.
func (k *Key) index(n int) (int, bool) {
	i, err := strconv.Atoi(k.s)
	if err != nil {
		return 0, false
	}
	if i < 0 {
		i += n
	}
	return i, i >= 0 && i < n
}

const (
	rootField   = iota
	rootMeta    // [@metadata][...]
	rootAllMeta // [@metadata]
	rootTime    // @timestamp
)

// Path is a compiled field reference. It is immutable.
type Path struct {
	text string
	root int
	keys []Key
}

// String is the reference as it was written.
func (p *Path) String() string { return p.text }

// Name is the last name of the path.
func (p *Path) Name() string {
	switch p.root {
	case rootTime:
		return "@timestamp"
	case rootAllMeta:
		return "@metadata"
	}
	return p.keys[len(p.keys)-1].s
}

// Same reports whether p and q lead to the same place, however they are written.
func (p *Path) Same(q *Path) bool { return p.root == q.root && slices.Equal(p.Names(), q.Names()) }

// IsTimestamp reports whether p is @timestamp.
func (p *Path) IsTimestamp() bool { return p.root == rootTime }

// IsMetadata reports whether p is [@metadata] or below it.
func (p *Path) IsMetadata() bool { return p.root == rootMeta || p.root == rootAllMeta }

// Top is the name of the top-level field p leads into.
func (p *Path) Top() string {
	switch p.root {
	case rootTime:
		return "@timestamp"
	case rootField:
		return p.keys[0].s
	}
	return "@metadata"
}

// Child is the path of a field below p.
func (p *Path) Child(name string) *Path {
	c := &Path{text: "[" + p.text + "][" + name + "]", root: p.root}
	if strings.HasPrefix(p.text, "[") {
		c.text = p.text + "[" + name + "]"
	}
	if p.root == rootAllMeta {
		c.root = rootMeta
	}
	c.keys = append(append(c.keys, p.keys...), MakeKey(name))
	return c
}

// ParsePath reads a field reference: name, or [a][b][0]. A name without brackets is one top-level field, dots included;
// [[a][b]] is [a][b].
func ParsePath(s string) (*Path, error) {
	p := &Path{text: s}
	switch {
	case s == "":
		return nil, fmt.Errorf("field reference is empty")
	case s[0] == '[':
		names, err := splitBrackets(s)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			p.keys = append(p.keys, MakeKey(n))
		}
	case strings.ContainsAny(s, "[],"):
		return nil, fmt.Errorf("field reference %q: brackets must enclose every name: [a][b]", s)
	default:
		p.keys = []Key{MakeKey(s)}
	}
	switch p.keys[0].s {
	case "@timestamp":
		if len(p.keys) > 1 {
			return nil, fmt.Errorf("field reference %q: @timestamp has no fields below it", s)
		}
		p.root = rootTime
	case "@metadata":
		p.keys = p.keys[1:]
		p.root = rootMeta
		if len(p.keys) == 0 {
			p.root = rootAllMeta
		}
	}
	return p, nil
}

// Mask is a set of bits of the top-level name p is; ok is false when p is no top-level field. See Event.Free.
func (p *Path) Mask() (bits uint64, ok bool) {
	if p.root != rootField || len(p.keys) != 1 {
		return 0, false
	}
	return p.keys[0].bit(), true
}

// MustPath is ParsePath for references in the program's own text.
func MustPath(s string) *Path {
	p, err := ParsePath(s)
	if err != nil {
		panic(err)
	}
	return p
}

func splitBrackets(s string) ([]string, error) {
	inner := s
	for strings.HasPrefix(inner, "[[") && strings.HasSuffix(inner, "]]") {
		inner = inner[1 : len(inner)-1]
	}
	var names []string
	for rest := inner; rest != ""; {
		if rest[0] != '[' {
			return nil, fmt.Errorf("field reference %q: text outside of brackets", s)
		}
		end := strings.IndexAny(rest[1:], "[],")
		if end < 0 || rest[1+end] != ']' {
			return nil, fmt.Errorf("field reference %q: a bracket is not closed", s)
		}
		if end == 0 {
			return nil, fmt.Errorf("field reference %q: empty brackets", s)
		}
		names = append(names, rest[1:1+end])
		rest = rest[2+end:]
	}
	return names, nil
}

// Names are the names of the path in order.
func (p *Path) Names() []string {
	var names []string
	switch p.root {
	case rootTime:
		return []string{"@timestamp"}
	case rootMeta, rootAllMeta:
		names = append(names, "@metadata")
	}
	for _, k := range p.keys {
		names = append(names, k.s)
	}
	return names
}

// Field is the path of a top-level field with any name.
func Field(name string) *Path {
	return &Path{text: name, keys: []Key{MakeKey(name)}}
}
