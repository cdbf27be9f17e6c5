package grok

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// frameKind names what a frame on the backtrack stack does when it is reached again.
type frameKind uint8

const (
	fBranch   frameKind = iota // continue at pc, pos
	fAlt                       // the next alternative of list aux of the opAlt at pc
	fGreedy                    // end the run of the opGreedy at pc before pos, not below aux
	fLazy                      // end the run of the opLazy at pc at pos or behind, not above aux
	fRestBack                  // the ext.str before pos, not below aux
	fSeek                      // the next ext.str from pos on
	fUndo                      // caps[pc] was pos
	fUndoReg                   // registers[pc] was pos
	fMark                      // an atomic group or look-ahead began; the mark before was aux
	fLookNot                   // a negative look began: it did not match, so continue at pc, pos
	fLookEnd                   // as fMark, for a positive look whose origin is pos
)

// frame is 16 bytes.
type frame struct {
	kind frameKind
	next uint8
	pc   int32
	pos  int32
	aux  int32
}

// machine runs one program. Its slices are scratch that lives from match to match.
type machine struct {
	prog      *program
	caps      []int32 // start and end per group, -1 = not set
	registers []int32 // counters and marked places
	stack     []frame
	from, to  int // the match
	kept      int // place of \K, -1 = none
	streak    int // matches in a row; long ones are not tested for the literal first
	timeout   time.Duration
	guard
}

func (m *machine) init(p *program) {
	m.prog = p
	m.caps = make([]int32, p.slots)
	m.registers = make([]int32, p.counters)
	m.stack = make([]frame, 0, 64)
}

// search finds the first match that starts at or behind at.
func (m *machine) search(b []byte, at int) (bool, error) {
	p := m.prog
	if len(b) > math.MaxInt32-1 {
		return false, ErrTimeout
	}
	s := unsafe.String(unsafe.SliceData(b), len(b)) // reads only, for the call
	streak := m.streak
	m.streak = 0
	if p.literal != "" && streak < trustStreak && !strings.Contains(s[at:], p.literal) {
		return false, nil
	}
	return m.searchFrom(s, at, streak)
}

// searchFrom is search where the literal is known to be there, or not worth looking for.
func (m *machine) searchFrom(s string, at, streak int) (bool, error) {
	p := m.prog
	for i := range m.caps {
		m.caps[i] = -1
	}
	m.guard.reset(len(s))
	for at <= len(s) {
		if at = m.start(s, at); at < 0 {
			return false, nil
		}
		m.kept = -1
		end := m.run(s, at)
		if end >= 0 {
			m.from, m.to = at, end
			if m.kept >= 0 {
				m.from = m.kept
			}
			m.streak = streak + 1
			return true, nil
		}
		if end == runStopped {
			return false, ErrTimeout
		}
		if p.atText {
			return false, nil
		}
		for _, slot := range p.unsure {
			m.caps[slot] = -1
		}
		at++
		for at < len(s) && !utf8.RuneStart(s[at]) {
			at++
		}
	}
	return false, nil
}

// start returns the first place from at on where a match can start, -1 when there is none.
func (m *machine) start(s string, at int) int {
	p := m.prog
	switch {
	case p.atText:
		if at > 0 && m.prog.code[0].op == opPlace {
			return -1
		}
	case p.prefix != "":
		j := strings.Index(s[at:], p.prefix)
		if j < 0 {
			return -1
		}
		return at + j
	case p.atLine && at > 0 && s[at-1] != '\n':
		j := strings.IndexByte(s[at:], '\n')
		if j < 0 {
			return -1
		}
		at += j + 1
	case p.start != nil:
		t := p.start
		for ; at+startBytes <= len(s); at++ {
			if t[s[at]]&1 != 0 && t[s[at+1]]&2 != 0 && t[s[at+2]]&4 != 0 {
				return at
			}
		}
		return m.startShort(s, at)
	}
	return at
}

// startShort looks at the last bytes of a text, where a match can be shorter than a startTable looks.
func (m *machine) startShort(s string, at int) int {
	t, shortest := m.prog.start, m.prog.shortest
	for ; at+shortest <= len(s); at++ {
		fits := true
		for i := range shortest {
			fits = fits && t[s[at+i]]&(1<<i) != 0
		}
		if fits {
			return at
		}
	}
	return -1
}

const (
	runFailed  = -1
	runStopped = -2
)

// run matches at one place and returns the end of the match. It is one function because its loop keeps the machine's state in
// registers: split into one function per instruction it ran at a third of the speed.
func (m *machine) run(s string, start int) int {
	code := m.prog.code
	caps := m.caps
	st := m.stack[:0]
	n := len(s)
	pos := start
	pc := 0
	mark := int32(-1)
	for {
		in := &code[pc]
		switch in.op {
		case opByte:
			if pos < n && s[pos] == in.c {
				pos++
				pc++
				continue
			}
		case opString:
			w := in.ext.str
			if e := pos + len(w); e <= n && s[pos:e] == w {
				pos = e
				pc++
				continue
			}
		case opClass:
			if pos < n && in.tab[s[pos]] {
				pos++
				pc++
				continue
			}
		case opClassWide:
			if pos < n && s[pos] < utf8.RuneSelf {
				if !in.tab[s[pos]] {
					goto fail
				}
				pos++
				pc++
				continue
			}
			if w := wideAt(s, pos, in); w > 0 {
				pos += w
				pc++
				continue
			}
		case opRun:
			from := pos
			t := in.tab
			if m.on {
				pos = m.runEnd(s, pos, in)
			} else {
				for pos < n && t[s[pos]] {
					pos++
				}
			}
			if pos-from >= int(in.min) && !(m.on && m.seen(in, pos)) {
				pc++
				continue
			}
		case opRunTo:
			from := pos
			if m.on {
				pos = m.runEnd(s, pos, in)
			} else if j := strings.IndexByte(s[pos:], in.c); j >= 0 {
				pos += j
			} else {
				pos = n
			}
			if pos-from >= int(in.min) && !(m.on && m.seen(in, pos)) {
				pc++
				continue
			}
		case opRunToEither:
			from := pos
			if m.on {
				pos = m.runEnd(s, pos, in)
			} else {
				pos = runToEither(s, pos, in)
			}
			if pos-from >= int(in.min) && !(m.on && m.seen(in, pos)) {
				pc++
				continue
			}
		case opRunMax:
			from := pos
			e := min(pos+int(in.max), n)
			t := in.tab
			for pos < e && t[s[pos]] {
				pos++
			}
			if pos-from >= int(in.min) {
				pc++
				continue
			}
		case opRunWide:
			if e, _, ok := runWide(s, pos, in); ok {
				pos = e
				pc++
				continue
			}
		case opGreedy, opGreedyWide:
			lo, hi := 0, 0
			if in.op == opGreedy {
				e := min(pos+int(in.max), n)
				lo = pos + int(in.min)
				hi = pos
				if m.on {
					lo, hi = m.greedySpan(s, pos, in, lo, e)
				} else {
					t := in.tab
					for hi < e && t[s[hi]] {
						hi++
					}
				}
			} else {
				var ok bool
				if hi, lo, ok = runWide(s, pos, in); !ok || m.on && m.seen(in, pos) {
					goto fail
				}
			}
			if f := in.tab2; f != nil {
				if hi == n && !in.atEnd {
					hi--
				}
				for hi >= lo && hi < n && !f[s[hi]] {
					hi--
				}
			}
			if hi < lo {
				goto fail
			}
			if hi > lo {
				st = append(st, frame{kind: fGreedy, pc: int32(pc), pos: int32(hi), aux: int32(lo)})
			}
			pos = hi
			pc++
			continue
		case opLazy:
			e := min(pos+int(in.max), n)
			lo := pos + int(in.min)
			if lo > e || m.on && in.max != noMax && m.seen(in, pos) {
				goto fail
			}
			t := in.tab
			for pos < lo && t[s[pos]] {
				pos++
			}
			if pos < lo {
				goto fail
			}
			if f := in.tab2; f != nil {
				pos = m.lazyEnd(s, pos, e, in)
				if pos < n && !f[s[pos]] || pos == n && !in.atEnd {
					goto fail
				}
			}
			if m.on && in.max == noMax && m.seen(in, pos) {
				goto fail
			}
			if pos < e && t[s[pos]] {
				st = append(st, frame{kind: fLazy, pc: int32(pc), pos: int32(pos + 1), aux: int32(e)})
			}
			pc++
			continue
		case opRest:
			pos = n
			pc++
			continue
		case opRestBack:
			hi := n
			if m.on {
				if hi = m.restEnd(in, pos, n); hi < pos {
					goto fail
				}
			}
			j := strings.LastIndex(s[pos:min(hi+len(in.ext.str), n)], in.ext.str)
			if j < 0 {
				goto fail
			}
			if j > 0 {
				st = append(st, frame{kind: fRestBack, pc: int32(pc), pos: int32(pos + j), aux: int32(pos)})
			}
			pos += j
			pc++
			continue
		case opSeek:
			j := m.seek(s, pos, in)
			if j < 0 || m.on && m.seen(in, j) {
				goto fail
			}
			st = append(st, frame{kind: fSeek, pc: int32(pc), pos: int32(j + 1)})
			pos = j
			pc++
			continue
		case opSplit:
			var body, out bool
			if pos < n {
				c := s[pos]
				body = in.tab == nil || in.tab[c]
				out = in.tab2 == nil || in.tab2[c]
			} else {
				body = in.tab == nil
				out = in.tab2 == nil
			}
			if m.on && m.seen(in, pos) {
				goto fail
			}
			switch {
			case body && out:
				if len(st) > maxFrames {
					goto fail
				}
				if in.lazy {
					st = append(st, frame{kind: fBranch, pc: in.x, pos: int32(pos)})
					pc = int(in.y)
				} else {
					st = append(st, frame{kind: fBranch, pc: in.y, pos: int32(pos)})
					pc = int(in.x)
				}
				continue
			case body:
				pc = int(in.x)
				continue
			case out:
				pc = int(in.y)
				continue
			}
		case opAlt:
			a := in.ext.alts
			which := a.list[256]
			if pos < n {
				which = a.list[s[pos]]
			}
			l := a.lists[which]
			if len(l) == 0 {
				goto fail
			}
			if len(l) > 1 {
				if m.on && m.seen(in, pos) || len(st) > maxFrames {
					goto fail
				}
				st = append(st, frame{kind: fAlt, pc: int32(pc), pos: int32(pos), aux: int32(which), next: 1})
			}
			pc = int(l[0])
			continue
		case opJump:
			pc = int(in.x)
			continue
		case opSave:
			if len(st) > 0 {
				st = append(st, frame{kind: fUndo, pc: in.x, pos: caps[in.x]})
			}
			caps[in.x] = int32(pos)
			pc++
			continue
		case opSaveSure:
			caps[in.x] = int32(pos)
			pc++
			continue
		case opClear:
			for _, slot := range in.ext.groups {
				caps[slot] = -1
			}
			pc++
			continue
		case opSaveByteSave:
			if pos < n && s[pos] == in.c {
				caps[in.x] = int32(pos)
				pos++
				caps[in.y] = int32(pos)
				pc += 3
				continue
			}
		case opSaveByte:
			if pos < n && s[pos] == in.c {
				caps[in.x] = int32(pos)
				pos++
				pc += 2
				continue
			}
		case opByteSave:
			if pos < n && s[pos] == in.c {
				pos++
				caps[in.x] = int32(pos)
				pc += 2
				continue
			}
		case opNamed:
			e := in.ext.known(s, pos)
			switch {
			case e >= 0 && !(in.tab != nil && e < n && in.tab[s[e]]):
				if !in.neg {
					st = append(st, frame{kind: fBranch, pc: int32(pc + 1), pos: int32(pos)})
				}
				if in.min >= 0 {
					caps[in.min] = int32(pos)
					caps[in.min+1] = int32(e)
				}
				pos = e
				pc = int(in.x)
				continue
			case e != noMatch:
				pc++
				continue
			}
		case opAtomic:
			st = append(st, frame{kind: fMark, aux: mark})
			mark = int32(len(st) - 1)
			pc++
			continue
		case opAtomicEnd:
			h := mark
			mark = st[h].aux
			st = forget(st, int(h))
			pc++
			continue
		case opLook:
			p0, ok := back(s, pos, int(in.x))
			if !ok {
				if in.neg {
					pc = int(in.y)
					continue
				}
				goto fail
			}
			kind := fLookEnd
			if in.neg {
				kind = fLookNot
			}
			st = append(st, frame{kind: kind, pc: in.y, pos: int32(pos), aux: mark})
			mark = int32(len(st) - 1)
			pos = p0
			pc++
			continue
		case opLookEnd:
			h := int(mark)
			if in.lazy && pos != int(st[h].pos) { // behind: must end where it was asked
				goto fail
			}
			pos = int(st[h].pos)
			mark = st[h].aux
			if in.neg {
				st = m.unwind(st, h)
				goto fail
			}
			st = forget(st, h)
			pc++
			continue
		case opPrev:
			if (pos > 0 && in.tab[s[pos-1]]) != in.neg {
				pc++
				continue
			}
		case opNext:
			if (pos < n && in.tab[s[pos]]) != in.neg {
				pc++
				continue
			}
		case opPlace:
			if holds(s, pos, assertion(in.c)) {
				pc++
				continue
			}
		case opCount:
			st = append(st, frame{kind: fUndoReg, pc: in.x, pos: m.registers[in.x]})
			m.registers[in.x] = 0
			pc++
			continue
		case opCountLoop:
			var ok bool
			if st, pc, ok = m.countLoop(st, in, s, pos); ok {
				continue
			}
		case opMark:
			st = append(st, frame{kind: fUndoReg, pc: in.x, pos: m.registers[in.x]})
			m.registers[in.x] = int32(pos)
			pc++
			continue
		case opMoved:
			if m.registers[in.min] != int32(pos) {
				pc = int(in.x)
			} else {
				pc = int(in.y)
			}
			continue
		case opBackref:
			if e, ok := m.backref(s, pos, in); ok {
				pos = e
				pc++
				continue
			}
		case opIf:
			g := in.ext.groups[len(in.ext.groups)-1]
			if caps[2*g+1] >= 0 {
				pc++
			} else {
				pc = int(in.x)
			}
			continue
		case opKeep:
			m.kept = pos
			pc++
			continue
		case opMatch:
			m.stack = m.keepStack(st)
			return pos
		}
	fail:
		m.steps++
		if m.steps > m.limit && !m.extend(n) || len(st) > maxFrames {
			m.stack = m.keepStack(st)
			return runStopped
		}
	back:
		for {
			k := len(st) - 1
			if k < 0 {
				m.steps += (pos - start) >> 3
				m.stack = st
				return runFailed
			}
			f := &st[k]
			switch f.kind {
			case fBranch:
				m.steps += max(pos-int(f.pos), 0) >> 3
				pc, pos = int(f.pc), int(f.pos)
				st = st[:k]
				break back
			case fAlt:
				l := code[f.pc].ext.alts.lists[f.aux]
				pc, pos = int(l[f.next]), int(f.pos)
				if f.next++; int(f.next) == len(l) {
					st = st[:k]
				}
				break back
			case fGreedy:
				in := &code[f.pc]
				q, lo := int(f.pos)-1, int(f.aux)
				if t := in.tab2; t != nil {
					for q >= lo && !t[s[q]] {
						q--
					}
				}
				if q <= lo {
					st = st[:k]
					if q < lo {
						continue
					}
				} else {
					f.pos = int32(q)
				}
				pc, pos = int(f.pc)+1, q
				break back
			case fLazy:
				var ok bool
				if pos, ok = m.lazyNext(s, f, &code[f.pc]); !ok {
					st = st[:k]
					continue
				}
				pc = int(f.pc) + 1
				if f.pos < 0 {
					st = st[:k]
				}
				break back
			case fRestBack:
				w := code[f.pc].ext.str
				lo := int(f.aux)
				j := strings.LastIndex(s[lo:min(int(f.pos)+len(w)-1, n)], w)
				if j < 0 {
					st = st[:k]
					continue
				}
				pos = lo + j
				pc = int(f.pc) + 1
				f.pos = int32(pos)
				break back
			case fSeek:
				in := &code[f.pc]
				j := -1
				if int(f.pos) <= n {
					j = m.seek(s, int(f.pos), in)
				}
				if j < 0 || m.on && m.seen(in, j) {
					st = st[:k]
					continue
				}
				pos = j
				pc = int(f.pc) + 1
				f.pos = int32(j + 1)
				break back
			case fUndo:
				caps[f.pc] = f.pos
				st = st[:k]
			case fUndoReg:
				m.registers[f.pc] = f.pos
				st = st[:k]
			case fMark, fLookEnd:
				mark = f.aux
				st = st[:k]
			case fLookNot:
				mark = f.aux
				pc, pos = int(f.pc), int(f.pos)
				st = st[:k]
				break back
			}
		}
	}
}

// keepStack empties the stack and gives one that has grown large back to the collector.
func (m *machine) keepStack(st []frame) []frame {
	if cap(st) > idleFrames {
		return make([]frame, 0, 64)
	}
	return st[:0]
}

// runToEither returns the end of a run of all but two bytes. Short runs are faster byte by byte.
func runToEither(s string, pos int, in *instr) int {
	e := min(pos+16, len(s))
	t := in.tab
	for pos < e && t[s[pos]] {
		pos++
	}
	if pos < e || pos == len(s) {
		return pos
	}
	e = len(s)
	if j := strings.IndexByte(s[pos:], in.c); j >= 0 {
		e = pos + j
	}
	if j := strings.IndexByte(s[pos:e], in.c2); j >= 0 {
		e = pos + j
	}
	return e
}

// validUTF8 is utf8.Valid with a faster way over ASCII.
func validUTF8(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 32 {
		w := binary.LittleEndian.Uint64(b) | binary.LittleEndian.Uint64(b[8:]) |
			binary.LittleEndian.Uint64(b[16:]) | binary.LittleEndian.Uint64(b[24:])
		if w&high != 0 {
			return utf8.Valid(b)
		}
		b = b[32:]
	}
	return utf8.Valid(b)
}
