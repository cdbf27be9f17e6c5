package grok

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// charset is a set of characters: ASCII as a bit set, the rest as sorted, disjoint, non-adjacent ranges.
type charset struct {
	ascii [2]uint64
	high  []span // all in [0x80, 0x10FFFF]
}

type span struct{ lo, hi rune }

var (
	noChar  = charset{}
	anyChar = charset{ascii: [2]uint64{^uint64(0), ^uint64(0)}, high: []span{{0x80, unicode.MaxRune}}}
)

func ranges(pairs ...rune) charset {
	var s charset
	for i := 0; i+1 < len(pairs); i += 2 {
		s = s.withRange(pairs[i], pairs[i+1])
	}
	return s
}

func (s charset) withRange(lo, hi rune) charset {
	for r := lo; r <= hi && r < 0x80; r++ {
		s.ascii[r>>6] |= 1 << (r & 63)
	}
	if hi >= 0x80 {
		s.high = normal(append(slices.Clone(s.high), span{max(lo, 0x80), hi}))
	}
	return s
}

func normal(l []span) []span {
	slices.SortFunc(l, func(a, b span) int { return int(a.lo - b.lo) })
	out := l[:0]
	for _, r := range l {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s charset) or(o charset) charset {
	r := charset{ascii: [2]uint64{s.ascii[0] | o.ascii[0], s.ascii[1] | o.ascii[1]}}
	if len(s.high)+len(o.high) > 0 {
		r.high = normal(append(slices.Clone(s.high), o.high...))
	}
	return r
}

func (s charset) not() charset {
	r := charset{ascii: [2]uint64{^s.ascii[0], ^s.ascii[1]}}
	at := rune(0x80)
	for _, h := range s.high {
		if h.lo > at {
			r.high = append(r.high, span{at, h.lo - 1})
		}
		at = h.hi + 1
	}
	if at <= unicode.MaxRune {
		r.high = append(r.high, span{at, unicode.MaxRune})
	}
	return r
}

func (s charset) and(o charset) charset { return s.not().or(o.not()).not() }

func (s charset) has(r rune) bool {
	if r < 0x80 {
		return s.ascii[r>>6]&(1<<(r&63)) != 0
	}
	_, ok := slices.BinarySearchFunc(s.high, r, func(h span, r rune) int {
		switch {
		case h.hi < r:
			return -1
		case h.lo > r:
			return 1
		}
		return 0
	})
	return ok
}

func (s charset) equal(o charset) bool { return s.ascii == o.ascii && slices.Equal(s.high, o.high) }

func (s charset) empty() bool { return s.ascii == [2]uint64{} && len(s.high) == 0 }

// narrow says that every member is one byte long, so that the set works on bytes alone.
func (s charset) narrow() bool { return len(s.high) == 0 }

// full says that every character past ASCII is a member.
func (s charset) full() bool {
	return len(s.high) == 1 && s.high[0] == span{0x80, unicode.MaxRune}
}

// one returns the only member of a set of one ASCII character.
func (s charset) one() (byte, bool) {
	if !s.narrow() {
		return 0, false
	}
	found := -1
	for c := range 128 {
		if s.has(rune(c)) {
			if found >= 0 {
				return 0, false
			}
			found = c
		}
	}
	return byte(max(found, 0)), found >= 0
}

// folded adds the other cases of every member.
func (s charset) folded() charset {
	out := s
	add := func(r rune) {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if !out.has(f) {
				out = out.withRange(f, f)
			}
		}
	}
	for c := range rune(128) {
		if s.has(c) {
			add(c)
		}
	}
	if s.full() {
		return out
	}
	for _, h := range s.high {
		for r := h.lo; r <= min(h.hi, 0x1FFFF); r++ { // no script past the Supplementary Multilingual Plane has cases
			add(r)
		}
	}
	return out
}

// fromTable turns a Unicode table into a set.
func fromTable(t *unicode.RangeTable) charset {
	var s charset
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			s = s.appendRange(lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			s = s.appendRange(r, r)
		}
	}
	for _, r := range t.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range t.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	s.high = normal(s.high)
	return s
}

// appendRange is withRange without the final normalisation.
func (s charset) appendRange(lo, hi rune) charset {
	for r := lo; r <= hi && r < 0x80; r++ {
		s.ascii[r>>6] |= 1 << (r & 63)
	}
	if hi >= 0x80 {
		s.high = append(s.high, span{max(lo, 0x80), hi})
	}
	return s
}

// byteset is a set of bytes: what can stand first in a match, or what can follow one.
type byteset [4]uint64

func (s *byteset) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *byteset) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }
func (s byteset) empty() bool      { return s == byteset{} }

func (s byteset) or(o byteset) byteset {
	return byteset{s[0] | o[0], s[1] | o[1], s[2] | o[2], s[3] | o[3]}
}

func (s byteset) and(o byteset) byteset {
	return byteset{s[0] & o[0], s[1] & o[1], s[2] & o[2], s[3] & o[3]}
}

// leads returns the bytes a member of s can begin with. Bytes that are no valid UTF-8 count as U+FFFD.
func (s charset) leads() byteset {
	b := byteset{s.ascii[0], s.ascii[1]}
	if s.full() || s.has(utf8.RuneError) {
		b[2], b[3] = ^uint64(0), ^uint64(0)
		return b
	}
	var buf [utf8.UTFMax]byte
	for _, h := range s.high {
		lo, hi := h.lo, h.hi
		utf8.EncodeRune(buf[:], clampSurrogate(lo, 0xE000))
		first := buf[0]
		utf8.EncodeRune(buf[:], clampSurrogate(hi, 0xD7FF))
		for c := int(first); c <= int(buf[0]); c++ {
			b.add(byte(c))
		}
	}
	return b
}

func clampSurrogate(r, to rune) rune {
	if r >= 0xD800 && r <= 0xDFFF {
		return to
	}
	return r
}
