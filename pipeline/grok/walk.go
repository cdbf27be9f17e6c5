package grok

import (
	"strings"
	"unicode/utf8"
)

// walker matches a tree directly, the slow and plain way: every choice is a function call. It explains misses, and the tests hold the
// machine to it.
type walker struct {
	s     string
	caps  []int32
	steps int
	depth int
	names []string               // definitions that are being matched
	fail  func(pos int, n *node) // told of everything that did not match
	kept  int
	limit int // steps
}

const (
	walkSteps = 1_000_000
	walkDepth = 20_000
)

type rest func(pos int) bool // matches what follows

// match matches n at pos and then what follows. A panic with errWalk ends a walk that exceeds its bounds.
func (w *walker) match(n *node, pos int, k rest) bool {
	w.steps++
	w.depth++
	defer func() { w.depth-- }()
	if w.steps > w.limit || w.depth > walkDepth {
		panic(ErrTimeout)
	}
	switch n.kind {
	case kEmpty:
		return k(pos)
	case kLit:
		if strings.HasPrefix(w.s[pos:], n.str) {
			return k(pos + len(n.str))
		}
	case kClass:
		if pos < len(w.s) {
			if r, size := utf8.DecodeRuneInString(w.s[pos:]); n.set.has(r) {
				return k(pos + size)
			}
		}
	case kSeq:
		return w.seq(n.kids, pos, k)
	case kAlt:
		for _, kid := range n.kids {
			if w.match(kid, pos, k) {
				return true
			}
		}
		return false
	case kRep:
		return w.repeat(n, pos, k)
	case kGroup:
		return w.group(n, pos, k)
	case kNamed:
		return w.named(n, pos, k)
	case kAtomic:
		return w.atomic(n.kids[0], pos, k)
	case kLook:
		return w.look(n, pos, k)
	case kAssert:
		if holds(w.s, pos, n.assert) {
			return k(pos)
		}
	case kBackref:
		if e, ok := w.backref(n, pos); ok {
			return k(e)
		}
	case kCond:
		if g := n.groups[len(n.groups)-1]; w.caps[2*g+1] >= 0 {
			return w.match(n.kids[0], pos, k)
		}
		return w.match(n.kids[1], pos, k)
	case kKeep:
		w.kept = pos
		return k(pos)
	}
	w.missed(pos, n)
	return false
}

func (w *walker) missed(pos int, n *node) {
	if w.fail != nil {
		w.fail(pos, n)
	}
}

func (w *walker) seq(kids []*node, pos int, k rest) bool {
	if len(kids) == 0 {
		return k(pos)
	}
	return w.match(kids[0], pos, func(e int) bool { return w.seq(kids[1:], e, k) })
}

func (w *walker) group(n *node, pos int, k rest) bool {
	old := [2]int32{w.caps[2*n.group], w.caps[2*n.group+1]}
	w.caps[2*n.group] = int32(pos)
	ok := w.match(n.kids[0], pos, func(e int) bool {
		before := w.caps[2*n.group+1]
		w.caps[2*n.group+1] = int32(e)
		if k(e) {
			return true
		}
		w.caps[2*n.group+1] = before
		return false
	})
	if !ok {
		w.caps[2*n.group], w.caps[2*n.group+1] = old[0], old[1]
	}
	return ok
}

func (w *walker) named(n *node, pos int, k rest) bool {
	w.names = append(w.names, n.str)
	ok := w.match(n.kids[0], pos, func(e int) bool {
		w.names = w.names[:len(w.names)-1]
		if k(e) {
			return true
		}
		w.names = append(w.names, n.str)
		return false
	})
	if !ok {
		w.names = w.names[:len(w.names)-1]
	}
	return ok
}

func (w *walker) atomic(body *node, pos int, k rest) bool {
	saved := append([]int32(nil), w.caps...)
	end := -1
	if w.match(body, pos, func(e int) bool { end = e; return true }) && k(end) {
		return true
	}
	copy(w.caps, saved)
	return false
}

func (w *walker) look(n *node, pos int, k rest) bool {
	saved := append([]int32(nil), w.caps...)
	names, fail := len(w.names), w.fail
	if n.neg {
		w.fail = nil // what a negative look lacks is no reason for a miss
	}
	ok := false
	if !n.behind {
		ok = w.match(n.kids[0], pos, func(int) bool { return true })
	} else {
		for at := pos; at >= 0 && !ok; at-- {
			if at == len(w.s) || utf8.RuneStart(w.s[at]) {
				ok = w.match(n.kids[0], at, func(e int) bool { return e == pos })
			}
		}
	}
	w.names, w.fail = w.names[:names], fail
	if ok == n.neg {
		copy(w.caps, saved)
		w.missed(pos, n)
		return false
	}
	if n.neg {
		copy(w.caps, saved)
	}
	if k(pos) {
		return true
	}
	copy(w.caps, saved)
	return false
}

func (w *walker) repeat(n *node, pos int, k rest) bool {
	if n.poss {
		plain := *n
		plain.poss = false
		return w.atomic(&plain, pos, k)
	}
	if n.max == unlimited && endsEmpty(n) {
		head, more := repeat(n.kids[0], n.min, n.min), repeat(n.kids[0], 0, unlimited)
		head.lazy, more.lazy = n.lazy, n.lazy
		return w.round(head, 0, pos, func(e int) bool { return w.round(more, 0, e, k) })
	}
	return w.round(n, 0, pos, k)
}

// round matches from round count on. In a repeat without bound, or with a large one, a round that takes nothing is the
// last.
func (w *walker) round(n *node, count, pos int, k rest) bool {
	again := func() bool {
		if n.max != unlimited && count >= n.max {
			return false
		}
		return w.match(n.kids[0], pos, func(e int) bool {
			if e == pos && (n.max == unlimited && count >= n.min || n.max != unlimited && endsEmpty(n)) {
				return k(e)
			}
			return w.round(n, count+1, e, k)
		})
	}
	if count < n.min {
		return again()
	}
	if n.lazy {
		return k(pos) || again()
	}
	return again() || k(pos)
}

func (w *walker) backref(n *node, pos int) (int, bool) {
	for i := len(n.groups) - 1; i >= 0; i-- {
		from, to := int(w.caps[2*n.groups[i]]), int(w.caps[2*n.groups[i]+1])
		if from < 0 || to < from {
			continue
		}
		if n.fold {
			return foldedPrefix(w.s, pos, w.s[from:to])
		}
		return pos + to - from, strings.HasPrefix(w.s[pos:], w.s[from:to])
	}
	return 0, false
}
