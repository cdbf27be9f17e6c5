package grok

// heads is what can stand at the first offsets of a match: the bytes at each, and the lengths a match can have. Bit i of lengths is
// length i, the last bit is "that or longer".
type heads struct {
	bytes   [startBytes]byteset
	lengths uint8
}

const allLengths = 1<<startBytes - 1

// headsOf computes the heads of a node. They may hold more than can be, never less.
func headsOf(n *node) heads {
	switch n.kind {
	case kLit:
		return litHeads(n.str)
	case kClass:
		if n.set.narrow() {
			return heads{bytes: [startBytes]byteset{n.set.leads()}, lengths: 2}
		}
		return wideHeads(n.set)
	case kSeq:
		h := heads{lengths: 1}
		for _, k := range n.kids {
			h = h.then(k)
		}
		return h
	case kAlt, kCond:
		var h heads
		for _, k := range n.kids {
			h = h.or(headsOf(k))
		}
		return h
	case kRep:
		return repHeads(n)
	case kGroup, kAtomic, kNamed:
		return headsOf(n.kids[0])
	case kBackref:
		return anyHeads()
	case kFail:
		return heads{}
	}
	return heads{lengths: 1}
}

func litHeads(s string) heads {
	var h heads
	for i := range min(len(s), startBytes) {
		h.bytes[i].add(s[i])
	}
	h.lengths = 1 << min(len(s), startBytes)
	return h
}

// wideHeads is the heads of one character of one to four bytes.
func wideHeads(s charset) heads {
	h := heads{lengths: 2 | 4 | 8}
	h.bytes[0] = s.leads()
	for i := 1; i < startBytes; i++ {
		h.bytes[i] = byteset{2: ^uint64(0)}
	}
	return h
}

func anyHeads() heads {
	h := heads{lengths: allLengths | 1<<startBytes}
	for i := range h.bytes {
		h.bytes[i] = byteset{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	}
	return h
}

func repHeads(n *node) heads {
	h := heads{lengths: 1}
	body := headsOf(n.kids[0])
	for i := range startBytes {
		if n.max != unlimited && i >= n.max {
			break
		}
		longer := h.join(body)
		if i >= n.min {
			longer = longer.or(h)
		}
		h = longer
	}
	return h
}

func (h heads) or(o heads) heads {
	for i := range h.bytes {
		h.bytes[i] = h.bytes[i].or(o.bytes[i])
	}
	h.lengths |= o.lengths
	return h
}

// then is h with k behind it.
func (h heads) then(k *node) heads {
	if h.lengths&allLengths == 0 {
		return h
	}
	return h.join(headsOf(k))
}

func (h heads) join(o heads) heads {
	out := heads{bytes: h.bytes, lengths: h.lengths &^ allLengths}
	for l := range startBytes {
		if h.lengths&(1<<l) == 0 {
			continue
		}
		for i := l; i < startBytes; i++ {
			out.bytes[i] = out.bytes[i].or(o.bytes[i-l])
		}
		for m := 0; m <= startBytes; m++ {
			if o.lengths&(1<<m) != 0 {
				out.lengths |= 1 << min(l+m, startBytes)
			}
		}
	}
	return out
}

// newStartTable returns the table of a pattern and the length of its shortest match up to startBytes. A pattern that can match
// nothing has no table. What can come behind a short match is not known, so offsets past the shortest take any byte.
func newStartTable(root *node) (*startTable, int) {
	h := headsOf(root)
	shortest := 0
	for shortest < startBytes && h.lengths&(1<<shortest) == 0 {
		shortest++
	}
	if shortest == 0 || h.lengths == 0 {
		return nil, 0
	}
	t := new(startTable)
	for b := range 256 {
		for i := range startBytes {
			if i >= shortest || h.bytes[i].has(byte(b)) {
				t[b] |= 1 << i
			}
		}
	}
	return t, shortest
}
