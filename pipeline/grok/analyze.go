package grok

import "unicode/utf8"

// opening is what a node can begin with.
type opening struct {
	bytes  byteset
	empty  bool // it can match nothing
	assert bool // ... but then only after an assertion that may fail
}

// first computes the opening of a node.
func first(n *node) opening {
	switch n.kind {
	case kLit:
		var s byteset
		s.add(n.str[0])
		return opening{bytes: s}
	case kClass:
		return opening{bytes: n.set.leads()}
	case kSeq:
		return firstOfSeq(n.kids)
	case kAlt:
		return firstOfAlt(n.kids)
	case kRep:
		o := first(n.kids[0])
		if n.min == 0 {
			return opening{bytes: o.bytes, empty: true}
		}
		return o
	case kGroup, kAtomic, kNamed:
		return first(n.kids[0])
	case kCond:
		o := firstOfAlt(n.kids)
		o.assert = o.assert || o.empty
		return o
	case kBackref:
		return opening{bytes: byteset{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}, empty: true, assert: true}
	case kFail:
		return opening{}
	case kEmpty, kKeep:
		return opening{empty: true}
	}
	return opening{empty: true, assert: true} // kLook, kAssert
}

func firstOfSeq(kids []*node) opening {
	o := opening{empty: true}
	for _, k := range kids {
		f := first(k)
		o.bytes = o.bytes.or(f.bytes)
		if !f.empty {
			return opening{bytes: o.bytes}
		}
		o.assert = o.assert || f.assert
	}
	return o
}

func firstOfAlt(kids []*node) opening {
	var o opening
	plain := false
	for _, k := range kids {
		f := first(k)
		o.bytes = o.bytes.or(f.bytes)
		if f.empty {
			o.empty = true
			plain = plain || !f.assert
		}
	}
	o.assert = o.empty && !plain
	return o
}

// follow is what can come behind a place in the pattern.
type follow struct {
	bytes  byteset
	accept bool // the whole pattern, or the enclosing atomic or look group, can end here at once
	maybe  bool // the same, if an assertion holds
}

// any says that the next byte decides nothing.
func (f follow) any() bool { return f.accept || f.maybe }

// ends says that what follows accepts everything, so that the first way to get here is the result.
func (f follow) ends() bool { return f.accept && f.bytes.empty() && !f.maybe }

// before is what can come behind a place in front of n, when f follows n.
func (f follow) before(n *node) follow {
	o := first(n)
	switch {
	case !o.empty:
		return follow{bytes: o.bytes}
	case o.assert:
		return follow{bytes: o.bytes.or(f.bytes), maybe: f.any()}
	}
	return follow{bytes: o.bytes.or(f.bytes), accept: f.accept, maybe: f.maybe}
}

// width returns the number of characters of everything n matches, if that is one number.
func width(n *node) (int, bool) {
	switch n.kind {
	case kLit:
		return utf8.RuneCountInString(n.str), true
	case kClass:
		return 1, true
	case kSeq:
		t := 0
		for _, k := range n.kids {
			w, ok := width(k)
			if !ok {
				return 0, false
			}
			t += w
		}
		return t, true
	case kRep:
		w, ok := width(n.kids[0])
		return w * n.min, ok && n.min == n.max
	case kGroup, kAtomic, kNamed:
		return width(n.kids[0])
	case kAlt, kCond:
		w, ok := width(n.kids[0])
		for _, k := range n.kids[1:] {
			if v, same := width(k); !same || v != w {
				return 0, false
			}
		}
		return w, ok
	case kBackref:
		return 0, false
	}
	return 0, true
}

// required returns the longest literal that every match contains.
func required(n *node) string {
	switch n.kind {
	case kLit:
		return n.str
	case kSeq:
		best := ""
		for _, k := range n.kids {
			if s := required(k); len(s) > len(best) {
				best = s
			}
		}
		return best
	case kGroup, kAtomic, kNamed:
		return required(n.kids[0])
	case kRep:
		if n.min > 0 {
			return required(n.kids[0])
		}
	}
	return ""
}

// markSure marks the groups that need no undo on the way back: whatever way a match takes, it sets them or clears them. That holds
// outside of loops; the compiler adds the clearing where a way leads past a group.
func markSure(n *node) {
	switch {
	case n.kind == kRep && (n.max != 1 || n.poss), n.kind == kLook && n.neg:
		return
	case n.kind == kGroup:
		n.sure = true
	}
	for _, k := range n.kids {
		markSure(k)
	}
}

// refers says that what a group holds decides how the rest matches.
func refers(n *node) bool {
	if n.kind == kBackref || n.kind == kCond {
		return true
	}
	for _, k := range n.kids {
		if refers(k) {
			return true
		}
	}
	return false
}

// sureGroups appends the slots of the ends of the sure groups in n.
func sureGroups(dst []int, n *node) []int {
	if n.kind == kGroup && n.sure {
		dst = append(dst, 2*n.group+1)
	}
	for _, k := range n.kids {
		dst = sureGroups(dst, k)
	}
	return dst
}

// entry returns the first thing that n does: what stands behind groups, names and the beginnings of sequences.
func entry(n *node) *node {
	for n != nil {
		switch n.kind {
		case kGroup, kNamed, kAtomic:
			n = n.kids[0]
		case kSeq:
			if len(n.kids) == 0 {
				return nil
			}
			n = n.kids[0]
		default:
			return n
		}
	}
	return nil
}

// lead returns the literal that every match of n begins with.
func lead(n *node) string {
	if n = entry(n); n != nil && n.kind == kLit {
		return n.str
	}
	return ""
}

// anchors tells where a match can start: at the start of the text only, or at the start of a line only.
func anchors(n *node) (text, line bool) {
	n = entry(n)
	switch {
	case n == nil:
		return false, false
	case n.kind == kAssert:
		return n.assert == atTextStart, n.assert == atLineStart
	case n.kind == kRep: // .* from the first place has seen all there is
		all := n.kids[0].kind == kClass && n.kids[0].set.equal(anyChar)
		return all && n.min == 0 && n.max == unlimited && !n.poss, false
	}
	return false, false
}
