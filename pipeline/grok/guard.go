package grok

import (
	"strings"
	"time"
)

// guard bounds the work of one match. After guardFactor*len+guardBase failures it remembers every (choice, place) the machine enters
// and does not enter one twice: what failed there fails again, because nothing but the place decides what happens. That bounds the
// rest of the match by choices x len. Inside look-arounds, atomic groups and counted loops, and with back references, a place does
// not decide; there maxSteps and the wall limit hold.
//
// For runs the remembered place is where the run ends, since that is where the rest of the pattern goes on. A greedy run marks all
// its possible ends when it starts: a later visit can come back only to ends that were tried already, for places never move left.
type guard struct {
	on       bool
	eager    bool // begin at the first failure, for tests
	steps    int  // failures, and a share of the bytes walked over again
	limit    int  // where extend is asked next
	size     int  // places: len + 1
	visited  []uint64
	runs     []run     // per state: the last run, or the last search
	deadline time.Time // zero until the guard is asked
	guarded  int64
}

type run struct{ from, to int32 }

func (g *guard) reset(n int) {
	g.on = false
	g.steps = 0
	g.limit = guardFactor*n + guardBase
	if g.eager {
		g.limit = 0
	}
	g.deadline = time.Time{}
	if cap(g.visited) > idleMemo {
		g.visited = nil
	}
}

// extend is asked when steps passes limit. The first time it switches the guard on; then it looks at the clock now and again, and
// where the guard cannot help at the number of steps.
func (m *machine) extend(n int) bool {
	g := &m.guard
	if g.deadline.IsZero() {
		g.deadline = time.Now().Add(m.timeout)
		g.guarded++
		g.begin(m.prog, n)
	}
	g.limit = g.steps + clockSteps
	if m.timeout > 0 && time.Now().After(g.deadline) {
		return false
	}
	return g.on && m.prog.settled || g.steps <= maxSteps
}

// begin takes the memory of the visited set, if the bound allows it.
func (g *guard) begin(p *program, n int) {
	words := (p.states*(n+1) + 63) / 64
	if !p.exact || words*8 > maxMemo || p.states == 0 {
		return
	}
	if cap(g.visited) < words {
		g.visited = make([]uint64, words)
	} else {
		g.visited = g.visited[:words]
		clear(g.visited)
	}
	if len(g.runs) != p.states {
		g.runs = make([]run, p.states)
	}
	for i := range g.runs {
		g.runs[i] = run{-1, -1}
	}
	g.size = n + 1
	g.on = true
}

// seen marks a state at a place and says whether it was marked before.
func (m *machine) seen(in *instr, pos int) bool {
	state := int(in.state)
	if state < 0 {
		return false
	}
	if in.loop >= 0 && m.registers[in.loop] == int32(pos) {
		state++
	}
	g := &m.guard
	k := state*g.size + pos
	bit := uint64(1) << (k & 63)
	old := g.visited[k>>6]
	g.visited[k>>6] = old | bit
	return old&bit != 0
}

// runEnd returns the end of a run, without walking again over text that a run of this instruction covered.
func (g *guard) runEnd(s string, pos int, in *instr) int {
	t := in.tab
	if in.state < 0 {
		for pos < len(s) && t[s[pos]] {
			pos++
		}
		return pos
	}
	r := &g.runs[in.state]
	if pos >= int(r.from) && pos < int(r.to) {
		return int(r.to)
	}
	at := pos
	for at < len(s) && t[s[at]] && at != int(r.from) {
		at++
	}
	if at == int(r.from) && at < int(r.to) {
		at = int(r.to)
	}
	*r = run{int32(pos), int32(at)}
	return at
}

// lazyEnd returns the first place from pos on where a lazy run can end: a byte that can follow, or one that ends the run.
func (m *machine) lazyEnd(s string, pos, most int, in *instr) int {
	edge, t := in.tab2, in.tab
	if edge == nil {
		return pos
	}
	if !m.on || in.state < 0 || in.max != noMax {
		for pos < most && !edge[s[pos]] && t[s[pos]] {
			pos++
		}
		return pos
	}
	r := &m.runs[in.state]
	if pos >= int(r.from) && pos <= int(r.to) {
		return int(r.to)
	}
	at := pos
	for at < most && !edge[s[at]] && t[s[at]] && at != int(r.from) {
		at++
	}
	if at == int(r.from) {
		at = int(r.to)
	}
	*r = run{int32(pos), int32(at)}
	return at
}

// greedySpan returns the ends of a greedy run that are to be tried.
func (m *machine) greedySpan(s string, pos int, in *instr, lo, most int) (int, int) {
	if in.max != noMax || in.state < 0 {
		hi := pos
		for hi < most && in.tab[s[hi]] {
			hi++
		}
		if in.state >= 0 && m.seen(in, pos) {
			return 1, 0
		}
		return lo, hi
	}
	end := m.runEnd(s, pos, in)
	hi := lo
	for hi <= end && !m.seen(in, hi) {
		hi++
	}
	return lo, hi - 1
}

// restEnd returns the last end of a .* that was not tried yet. Every .* reaches the end of the text, so only ends left of the
// leftmost start so far are new.
func (g *guard) restEnd(in *instr, pos, n int) int {
	if in.state < 0 {
		return n
	}
	r := &g.runs[in.state]
	hi := n
	if r.from >= 0 {
		hi = int(r.from) - 1
	}
	if r.from < 0 || pos < int(r.from) {
		r.from = int32(pos)
	}
	return hi
}

// seek returns the next place of the instruction's literal, -1 when there is none. With the guard on, text known to hold none is not
// searched again.
func (m *machine) seek(s string, pos int, in *instr) int {
	w := in.ext.str
	if !m.on || in.state < 0 {
		if j := strings.Index(s[pos:], w); j >= 0 {
			return pos + j
		}
		return -1
	}
	r := &m.runs[in.state]
	if pos >= int(r.from) && pos <= int(r.to) {
		return found(s, int(r.to))
	}
	most := len(s)
	if pos < int(r.from) {
		most = min(int(r.from)+len(w)-1, most)
	}
	to := len(s) + 1 // behind the text: there is none
	if j := strings.Index(s[pos:most], w); j >= 0 {
		to = pos + j
	} else if pos < int(r.from) {
		to = int(r.to)
	}
	*r = run{int32(pos), int32(to)}
	return found(s, to)
}

func found(s string, at int) int {
	if at > len(s) {
		return -1
	}
	return at
}
