package grok

import "strings"

// simplify rewrites a resolved tree into a smaller one that matches the same in the same order.
func simplify(n *node) *node {
	for i, k := range n.kids {
		n.kids[i] = simplify(k)
	}
	switch n.kind {
	case kClass:
		if c, ok := n.set.one(); ok {
			return lit(string(rune(c)))
		}
		if n.set.empty() {
			return &node{kind: kFail}
		}
	case kSeq:
		return simplifySeq(n)
	case kAlt:
		return simplifyAlt(n)
	case kRep:
		return simplifyRep(n)
	}
	return n
}

// simplifySeq flattens sequences and joins neighbouring literals.
func simplifySeq(n *node) *node {
	var out []*node
	var add func(kids []*node)
	add = func(kids []*node) {
		for _, k := range kids {
			last := len(out) - 1
			switch {
			case k.kind == kSeq:
				add(k.kids)
			case k.kind == kEmpty:
			case k.kind == kLit && last >= 0 && out[last].kind == kLit:
				out[last] = lit(out[last].str + k.str)
			default:
				out = append(out, k)
			}
		}
	}
	add(n.kids)
	switch len(out) {
	case 0:
		return &node{kind: kEmpty}
	case 1:
		return out[0]
	}
	n.kids = out
	return n
}

// simplifyAlt flattens alternatives, turns neighbours of one character into a class and takes out common beginnings.
func simplifyAlt(n *node) *node {
	var flat []*node
	for _, k := range n.kids {
		if k.kind == kAlt {
			flat = append(flat, k.kids...)
		} else {
			flat = append(flat, k)
		}
	}
	out := flat[:0:0]
	for _, k := range flat {
		if s, ok := oneChar(k); ok && len(out) > 0 {
			if t, ok := oneChar(out[len(out)-1]); ok {
				out[len(out)-1] = class(s.or(t))
				continue
			}
		}
		out = append(out, k)
	}
	n.kids = factor(unrollHeads(out))
	if len(n.kids) == 1 {
		return n.kids[0]
	}
	return n
}

// simplifyRep removes repeats that do nothing and joins nested greedy ones: (?:x+)+ is x+.
func simplifyRep(n *node) *node {
	in := n.kids[0]
	switch {
	case n.min == 1 && n.max == 1 && !n.poss, in.kind == kEmpty:
		return in
	case n.max == 0:
		return &node{kind: kEmpty}
	case in.kind != kRep || in.lazy || n.lazy || in.poss || n.poss:
		return n
	case in.max == unlimited && in.min <= 1 && n.min <= 1 && (n.max == unlimited || n.max == 1):
		return repeat(in.kids[0], min(in.min, n.min), unlimited)
	}
	return n
}

func head(n *node) *node {
	if n.kind == kSeq {
		return n.kids[0]
	}
	return n
}

func tail(n *node) *node {
	if n.kind != kSeq {
		return &node{kind: kEmpty}
	}
	if len(n.kids) == 2 {
		return n.kids[1]
	}
	return seq(n.kids[1:]...)
}

// sameHead says that a and b are equal and have one way to match at a place, so that alternatives beginning with them can share it.
func sameHead(a, b *node) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case kLit:
		return a.str == b.str
	case kClass:
		return a.set.equal(b.set)
	case kRep:
		return a.min == b.min && a.max == b.max && a.lazy == b.lazy && a.poss == b.poss &&
			a.kids[0].kind == kClass && sameHead(a.kids[0], b.kids[0])
	}
	return false
}

// factor turns xA|xB into x(?:A|B) for neighbours. That keeps the order in which ways are tried only if x has one way to match where
// it leads on to A or B.
func factor(alts []*node) []*node {
	var out []*node
	for i := 0; i < len(alts); {
		h := head(alts[i])
		j := i + 1
		if h.kind == kLit {
			n := 0
			if n, j = sharedPrefix(alts, i); n > 0 {
				rests := make([]*node, 0, j-i)
				for _, a := range alts[i:j] {
					rests = append(rests, dropPrefix(a, n))
				}
				out = append(out, simplify(seq(lit(h.str[:n]), alt(rests...))))
				i = j
				continue
			}
			j = i + 1
		}
		if h.kind == kClass || oneWay(alts[i]) {
			for j < len(alts) && sameHead(h, head(alts[j])) && (h.kind == kClass || oneWay(alts[j])) {
				j++
			}
		}
		if j == i+1 {
			out = append(out, alts[i])
		} else {
			tails := make([]*node, 0, j-i)
			for _, a := range alts[i:j] {
				tails = append(tails, tail(a))
			}
			out = append(out, simplify(seq(h, alt(tails...))))
		}
		i = j
	}
	return out
}

// sharedPrefix returns the length of the literal prefix that the alternatives from i share, and where they end; 0 when there are
// fewer than two.
func sharedPrefix(alts []*node, i int) (int, int) {
	n := len(head(alts[i]).str)
	j := i + 1
	for ; j < len(alts) && head(alts[j]).kind == kLit; j++ {
		a, b := head(alts[i]).str[:n], head(alts[j]).str
		k := 0
		for k < len(a) && k < len(b) && a[k] == b[k] {
			k++
		}
		if k == 0 {
			break
		}
		n = k
	}
	if j == i+1 {
		return 0, j
	}
	return n, j
}

func dropPrefix(n *node, count int) *node {
	h := head(n)
	if count == len(h.str) {
		return tail(n)
	}
	return simplifySeq(seq(lit(strings.Clone(h.str[count:])), tail(n)))
}

// oneWay says that an alternative begins with a run of a class whose end what follows decides.
func oneWay(n *node) bool {
	h := head(n)
	if n.kind != kSeq || h.kind != kRep || h.lazy || h.kids[0].kind != kClass {
		return false
	}
	f := first(n.kids[1])
	return !f.empty && f.bytes.and(h.kids[0].set.leads()).empty()
}

// unrollHeads writes X{k}Y as X X{k-1} Y where a neighbour begins with the same X, so that factor can share it.
func unrollHeads(alts []*node) []*node {
	for i := range alts {
		h := head(alts[i])
		if h.kind != kRep || h.min != h.max || h.min < 1 || h.kids[0].kind != kSeq || h.kids[0].kids[0].kind != kRep {
			continue
		}
		b := h.kids[0]
		if !(i > 0 && beginsWith(alts[i-1], b)) && !(i+1 < len(alts) && beginsWith(alts[i+1], b)) {
			continue
		}
		kids := append([]*node{}, b.kids...)
		if h.min > 1 {
			kids = append(kids, repeat(b, h.min-1, h.min-1))
		}
		if alts[i].kind == kSeq {
			kids = append(kids, alts[i].kids[1:]...)
		}
		alts[i] = simplifySeq(seq(kids...))
	}
	return alts
}

// beginsWith says that an alternative's first elements, or the body of its first repeat, are those of b.
func beginsWith(n, b *node) bool {
	if h := head(n); h.kind == kRep && h.min == h.max && h.min >= 1 && h.kids[0].kind == kSeq {
		n = h.kids[0]
	}
	if n.kind != kSeq || len(n.kids) < len(b.kids) {
		return false
	}
	for i, k := range b.kids {
		if !sameHead(k, n.kids[i]) {
			return false
		}
	}
	return true
}
