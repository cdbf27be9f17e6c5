package event

import "unsafe"

// shape is the members of the records that came last, in order. Records of one source look alike: their names are recognized by one
// comparison, and so are whole objects that are the same from record to record, which need not be read again.
type shape []known

// known is the member at one place. All its memory is its own.
type known struct {
	head   string // "name":
	key    Key
	raw    []byte // an object or list that stood there, as text
	keys   int    // names in raw
	misses uint8  // records in a row with another name here
	varies uint8  // records in a row with another object here
	rest   uint8  // records until the object is looked at again
}

const (
	shapeMembers = 64  // places that are remembered
	shapeRaw     = 512 // bytes of an object that are remembered
	forget       = 8   // misses in a row until something else is remembered
	restFor      = 255 // records a place that varies is left alone
)

// member reads the name of member n. Of a record, known is what is remembered of this place, when its name is the same.
func (s *scanner) member(n int) (k Key, g *known, err error) {
	if s.top == nil || s.depth != 1 || n >= shapeMembers {
		k, err = s.key()
		return k, nil, err
	}
	if n < len(s.b.shape) {
		g = &s.b.shape[n]
		if h := g.head; len(s.p)-s.i >= len(h) && unsafe.String(&s.p[s.i], len(h)) == h {
			s.i += len(h)
			s.keys++
			g.misses = 0
			return g.key, g, nil
		}
	}
	from := s.i
	if k, err = s.key(); err != nil {
		return k, nil, err
	}
	return k, s.learn(n, g, k, from), nil
}

// learn remembers a name that was written without escapes and white space.
func (s *scanner) learn(n int, g *known, k Key, from int) *known {
	if s.i-from != len(k.s)+3 || k.sum&needsEscape != 0 {
		return nil
	}
	if g == nil {
		if n != len(s.b.shape) {
			return nil
		}
		s.b.shape = append(s.b.shape, known{})
		g = &s.b.shape[n]
	} else if g.misses++; g.misses < forget {
		return nil
	}
	head := string(s.p[from:s.i])
	*g = known{head: head, key: Key{k.sum, head[1 : len(head)-2]}, raw: g.raw[:0]}
	return g
}

// memberValue is value, but for an object that is the one remembered.
func (s *scanner) memberValue(g *known) (Value, error) {
	if g == nil || s.i >= len(s.p) || s.p[s.i] != '{' && s.p[s.i] != '[' {
		return s.value()
	}
	if n := len(g.raw); n > 0 && len(s.p)-s.i >= n && string(s.p[s.i:s.i+n]) == string(g.raw) {
		v := Value{kind: raw, s: s.str(s.i, s.i+n)}
		s.i += n
		s.keys += g.keys
		g.varies = 0
		return v, nil
	}
	keys := s.keys
	v, err := s.value()
	if err == nil && v.kind == raw {
		g.remember(v.s, s.keys-keys)
	}
	return v, err
}

// remember keeps an object for the next record, unless this place is another one each time.
func (g *known) remember(text string, keys int) {
	switch {
	case g.rest > 0:
		g.rest--
	case len(text) > shapeRaw:
		g.rest = restFor
	default:
		if g.varies++; g.varies > forget {
			g.varies, g.rest, g.raw = 0, restFor, g.raw[:0]
			return
		}
		g.raw, g.keys = append(g.raw[:0], text...), keys
	}
}
