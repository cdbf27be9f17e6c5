package grok

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// forget drops the choices from frame h on and keeps what restores groups and registers.
func forget(st []frame, h int) []frame {
	j := h
	for i := h; i < len(st); i++ {
		if st[i].kind == fUndo || st[i].kind == fUndoReg {
			st[j] = st[i]
			j++
		}
	}
	return st[:j]
}

// unwind drops the frames from h on and restores what they say.
func (m *machine) unwind(st []frame, h int) []frame {
	for i := len(st) - 1; i >= h; i-- {
		switch f := &st[i]; f.kind {
		case fUndo:
			m.caps[f.pc] = f.pos
		case fUndoReg:
			m.registers[f.pc] = f.pos
		}
	}
	return st[:h]
}

// wideAt returns the length of the character at pos if it is of the set, else 0.
func wideAt(s string, pos int, in *instr) int {
	if pos >= len(s) || !in.tab[s[pos]] {
		return 0
	}
	if s[pos] < utf8.RuneSelf {
		return 1
	}
	r, w := utf8.DecodeRuneInString(s[pos:])
	if in.neg || in.ext.set.has(r) {
		return w
	}
	return 0
}

// runWide runs over characters of a set and returns the end, and the end of the shortest run allowed.
func runWide(s string, pos int, in *instr) (end, lo int, ok bool) {
	lo = pos
	for count := int32(0); count < in.max; count++ {
		if count == in.min {
			lo = pos
		}
		if pos < len(s) && s[pos] < utf8.RuneSelf && in.tab[s[pos]] {
			pos++
			continue
		}
		w := wideAt(s, pos, in)
		if w == 0 {
			return pos, lo, count >= in.min
		}
		pos += w
	}
	if in.min == in.max {
		lo = pos
	}
	return pos, lo, true
}

// back returns the place count characters before pos.
func back(s string, pos, count int) (int, bool) {
	for ; count > 0; count-- {
		if pos == 0 {
			return 0, false
		}
		_, w := utf8.DecodeLastRuneInString(s[:pos])
		pos -= w
	}
	return pos, true
}

// holds evaluates an assertion.
func holds(s string, pos int, a assertion) bool {
	switch a {
	case atLineStart:
		return pos == 0 || s[pos-1] == '\n' && pos < len(s) // a final newline begins no further line
	case atLineEnd:
		return pos == len(s) || s[pos] == '\n'
	case atTextStart:
		return pos == 0
	case atTextEnd:
		return pos == len(s)
	case atTextEndNL:
		return pos == len(s) || pos == len(s)-1 && s[pos] == '\n'
	case atWordEdge:
		return wordBefore(s, pos) != wordAfter(s, pos)
	}
	return wordBefore(s, pos) == wordAfter(s, pos)
}

func wordBefore(s string, pos int) bool {
	if pos == 0 {
		return false
	}
	if c := s[pos-1]; c < utf8.RuneSelf {
		return isWordByte(c)
	}
	r, _ := utf8.DecodeLastRuneInString(s[:pos])
	return isWordRune(r)
}

func wordAfter(s string, pos int) bool {
	if pos == len(s) {
		return false
	}
	if c := s[pos]; c < utf8.RuneSelf {
		return isWordByte(c)
	}
	r, _ := utf8.DecodeRuneInString(s[pos:])
	return isWordRune(r)
}

func isWordByte(c byte) bool { return wordChars.ascii[c>>6]&(1<<(c&63)) != 0 }

func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.Is(unicode.Nd, r) || unicode.Is(unicode.Pc, r)
}

// lazyNext moves the end of a lazy run on. A frame that has no further place gets pos -1.
func (m *machine) lazyNext(s string, f *frame, in *instr) (int, bool) {
	q, e, t := int(f.pos), int(f.aux), in.tab
	if edge := in.tab2; edge != nil {
		q = m.lazyEnd(s, q, e, in)
		if q < len(s) && !edge[s[q]] || q == len(s) && !in.atEnd {
			return 0, false
		}
	}
	if m.on && in.max == noMax && m.seen(in, q) {
		return 0, false
	}
	f.pos = -1
	if q < e && t[s[q]] {
		f.pos = int32(q + 1)
	}
	return q, true
}

// countLoop decides about another round of a counted loop.
func (m *machine) countLoop(st []frame, in *instr, s string, pos int) ([]frame, int, bool) {
	reg := in.state
	count := m.registers[reg]
	var body, out bool
	if pos < len(s) {
		body = in.tab == nil || in.tab[s[pos]]
		out = in.tab2 == nil || in.tab2[s[pos]]
	} else {
		body, out = in.tab == nil, in.tab2 == nil
	}
	body = body && (in.max == unlimited || count < in.max)
	out = out && count >= in.min
	switch {
	case !body && !out:
		return st, 0, false
	case !body:
		return st, int(in.y), true
	case out && in.lazy:
		// the round is taken on the way back, where the count is this one again
		st = append(st, frame{kind: fUndoReg, pc: reg, pos: count})
		st = append(st, frame{kind: fBranch, pc: in.x, pos: int32(pos)})
		st = append(st, frame{kind: fUndoReg, pc: reg, pos: count + 1})
		return st, int(in.y), true
	case out:
		st = append(st, frame{kind: fBranch, pc: in.y, pos: int32(pos)})
	}
	st = append(st, frame{kind: fUndoReg, pc: reg, pos: count})
	m.registers[reg] = count + 1
	return st, int(in.x), true
}

// backref compares with the text of the last of the groups that is set.
func (m *machine) backref(s string, pos int, in *instr) (int, bool) {
	for i := len(in.ext.groups) - 1; i >= 0; i-- {
		g := in.ext.groups[i]
		from, to := int(m.caps[2*g]), int(m.caps[2*g+1])
		if from < 0 || to < from {
			continue
		}
		want := s[from:to]
		if in.neg {
			return foldedPrefix(s, pos, want)
		}
		return pos + len(want), strings.HasPrefix(s[pos:], want)
	}
	return 0, false
}

// foldedPrefix compares character by character without regard to case.
func foldedPrefix(s string, pos int, want string) (int, bool) {
	for len(want) > 0 {
		a, w := utf8.DecodeRuneInString(want)
		b, v := utf8.DecodeRuneInString(s[pos:])
		if v == 0 || a != b && !strings.EqualFold(want[:w], s[pos:pos+v]) {
			return 0, false
		}
		want = want[w:]
		pos += v
	}
	return pos, true
}
