package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// maxElements bounds the array elements and tags of a request. The largest broker has a few thousand partitions.
const maxElements = 100_000

// A layout says how a request is laid out, so that its lengths can be checked before anything is decoded: a decoder allocates by the
// lengths it reads, and counts down from a number of tags that no bytes stand behind. Fields are in their order, apart by spaces:
//
//	1 2 4 8 u   that many bytes; u is a 16-byte id
//	s b         a string, a byte string; null or not
//	{x}         an array of the field x
//	[x y ...]   an array of structs; in flexible versions tags end each, and the request
//	3+:x 1-4:x  the field x in these versions only
type layout string

var errLayout = errors.New("request is not laid out as its kind is")

// check walks a request's body. Bytes behind its last field are let pass, as clients of the future may send.
func (l layout) check(b []byte, version int16, flexible bool) error {
	if w := l.walk(b, version, flexible); w.bad {
		return fmt.Errorf("%w: after %d of %d bytes", errLayout, len(b)-len(w.b), len(b))
	}
	return nil
}

func (l layout) walk(b []byte, version int16, flexible bool) layoutWalk {
	w := layoutWalk{b: b, version: int(version), flexible: flexible}
	for rest := string(l); rest != "" && !w.bad; {
		rest = w.field(rest, true)
	}
	w.tags()
	return w
}

// layoutWalk is a walk over one request.
type layoutWalk struct {
	b        []byte
	version  int
	flexible bool
	elements int
	bad      bool
}

// field walks the first field of l, when it is there in this version and on is set, and gives the rest of l.
func (w *layoutWalk) field(l string, on bool) string {
	l = strings.TrimLeft(l, " ")
	if i := strings.IndexAny(l, ":[{ "); i > 0 && l[i] == ':' {
		on = on && inVersions(l[:i], w.version)
		l = l[i+1:]
	}
	switch l[0] {
	case '[', '{':
		return w.array(l, on)
	}
	if on {
		w.plain(l[0])
	}
	return strings.TrimLeft(l[1:], " ")
}

// inVersions reads "3+" and "1-4".
func inVersions(s string, version int) bool {
	low, high, more := 0, 0, false
	for i := range len(s) {
		switch c := s[i]; {
		case c == '+':
			return version >= low
		case c == '-':
			more = true
		case more:
			high = 10*high + int(c-'0')
		default:
			low = 10*low + int(c-'0')
		}
	}
	return version >= low && version <= high
}

func (w *layoutWalk) plain(kind byte) {
	switch kind {
	case 'u':
		w.skip(16)
	case 's':
		w.skip(w.length(2))
	case 'b':
		w.skip(w.length(4))
	default:
		w.skip(int(kind - '0'))
	}
}

func (w *layoutWalk) skip(n int) {
	if w.bad || n > len(w.b) {
		w.bad = true
		return
	}
	w.b = w.b[n:]
}

// length reads a length of width bytes, or a compact one; null counts as 0.
func (w *layoutWalk) length(width int) int {
	if w.flexible {
		n := w.uvarint()
		if n == 0 {
			return 0
		}
		return n - 1
	}
	if len(w.b) < width {
		w.bad = true
		return 0
	}
	n := 0
	if width == 2 {
		n = int(int16(binary.BigEndian.Uint16(w.b)))
	} else {
		n = int(int32(binary.BigEndian.Uint32(w.b)))
	}
	w.b = w.b[width:]
	if n < -1 {
		w.bad = true
	}
	return max(n, 0)
}

func (w *layoutWalk) uvarint() int {
	n, size := binary.Uvarint(w.b)
	if size <= 0 || n > 1<<31 {
		w.bad = true
		return 0
	}
	w.b = w.b[size:]
	return int(n)
}

// array walks the elements of an array whose layout begins l.
func (w *layoutWalk) array(l string, on bool) string {
	inner, rest := cutArray(l)
	if !on {
		return rest
	}
	n := w.length(4)
	if n > len(w.b) {
		w.bad = true
	}
	for ; n > 0 && !w.bad; n-- {
		if w.elements++; w.elements > maxElements {
			w.bad = true
			return rest
		}
		for f := inner; f != "" && !w.bad; {
			f = w.field(f, true)
		}
		if l[0] == '[' {
			w.tags()
		}
	}
	return rest
}

// cutArray gives what is inside of the bracket that begins l, and what follows it.
func cutArray(l string) (inner, rest string) {
	depth := 0
	for i := range len(l) {
		switch l[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return l[1:i], strings.TrimLeft(l[i+1:], " ")
			}
		}
	}
	return l[1:], ""
}

func (w *layoutWalk) tags() {
	if !w.flexible {
		return
	}
	for n := w.uvarint(); n > 0 && !w.bad; n-- {
		if w.elements++; w.elements > maxElements {
			w.bad = true
			return
		}
		w.uvarint()
		w.skip(w.uvarint())
	}
}
