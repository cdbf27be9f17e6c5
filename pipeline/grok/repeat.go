package grok

// repeat emits code for a quantified node.
func (c *compiler) repeat(n, next *node, f follow) {
	body := n.kids[0]
	s, single := oneChar(body)
	if n.poss {
		plain := *n
		plain.poss = false
		if single && !n.lazy {
			c.run(s, n)
		} else {
			c.atomic(&plain)
		}
		return
	}
	switch {
	case n.max == 0:
	case single && n.min == n.max:
		c.run(s, n)
	case single && !n.lazy:
		c.greedy(s, n, next, f)
	case single && c.lazySpan(s, n, next, f):
	default:
		c.loop(n, next, f)
	}
}

// run emits a repeat that never gives back.
func (c *compiler) run(s charset, n *node) {
	in := instr{op: opRunMax, min: int32(n.min), max: int32(n.max), tab: c.table(s.leads())}
	if n.max == unlimited {
		in.max = noMax
	}
	switch {
	case !s.narrow() && !(s.full() && n.max == unlimited && n.min <= 1):
		in.op = opRunWide
		in.neg = s.full()
		in.ext = &extra{set: s}
	case n.max == unlimited:
		in.op = opRun
		if out := s.not(); out.narrow() {
			if b, ok := out.one(); ok {
				in.op, in.c = opRunTo, b
			} else if b, b2, ok := out.two(); ok {
				in.op, in.c, in.c2 = opRunToEither, b, b2
			}
		}
	}
	c.emit(in)
}

// two returns the members of a set of two ASCII characters.
func (s charset) two() (byte, byte, bool) {
	var l []byte
	for b := range byte(128) {
		if s.has(rune(b)) {
			l = append(l, b)
		}
	}
	if len(l) != 2 {
		return 0, 0, false
	}
	return l[0], l[1], true
}

// greedy emits a greedy repeat of one character.
func (c *compiler) greedy(s charset, n, next *node, f follow) {
	all := s.equal(anyChar) && n.max == unlimited
	switch {
	case all && n.min == 0 && f.ends():
		c.emit(instr{op: opRest})
	case f.ends() || c.decided(s, n, next, f):
		c.run(s, n)
	case all && n.min == 0 && lead(next) != "" && !f.any():
		c.emit(instr{op: opRestBack, ext: &extra{str: lead(next)}})
	default:
		in := instr{op: opGreedy, min: int32(n.min), max: int32(n.max), tab: c.table(s.leads()), tab2: c.filter(f), atEnd: f.any()}
		if n.max == unlimited {
			in.max = noMax
		}
		if !s.narrow() {
			in.tab2 = c.edges(f)
			if !s.full() || n.max != unlimited || n.min > 1 {
				in.op = opGreedyWide
				in.neg = s.full()
				in.ext = &extra{set: s}
			}
		}
		c.emit(in)
	}
}

// decided says that giving back cannot help: what follows cannot begin with a character of the repeat.
func (c *compiler) decided(s charset, n, next *node, f follow) bool {
	if s.leads().and(f.bytes).empty() && !f.maybe {
		return true
	}
	if next = entry(next); next == nil || n.max != unlimited {
		return false
	}
	switch next.kind {
	case kAssert: // a place inside a word is no edge
		return next.assert == atWordEdge && n.min >= 1 && s.and(wordChars).equal(s)
	case kLook:
		t, ok := oneChar(next.kids[0])
		return ok && next.neg && !next.behind && s.and(t).equal(s)
	}
	return false
}

// lazySpan emits a lazy repeat of one character, if it can be done without a loop.
func (c *compiler) lazySpan(s charset, n, next *node, f follow) bool {
	if s.leads().and(f.bytes).empty() && !f.any() { // it must run to the end of the class anyway
		c.run(s, n)
		return true
	}
	unbounded := n.max == unlimited && n.min <= 1
	if s.equal(anyChar) && n.max == unlimited && n.min == 0 && lead(next) != "" && !f.any() {
		c.emit(instr{op: opSeek, ext: &extra{str: lead(next)}})
		return true
	}
	if !s.narrow() && !(s.full() && unbounded) {
		return false
	}
	in := instr{op: opLazy, min: int32(n.min), max: int32(n.max), tab: c.table(s.leads()), tab2: c.filter(f), atEnd: f.any()}
	if n.max == unlimited {
		in.max = noMax
	}
	if !s.narrow() {
		in.tab2 = c.edges(f)
	}
	c.emit(in)
	return true
}

// loop emits a repeat of anything: unrolled where that is small, else with a counter.
func (c *compiler) loop(n, next *node, f follow) {
	body := n.kids[0]
	o := first(body)
	inner := follow{bytes: f.bytes.or(o.bytes), accept: f.accept, maybe: f.maybe}
	extra := n.max - n.min
	if counts(n) {
		c.counted(n, o, inner, f)
		return
	}
	for i := range n.min {
		last := i == n.min-1
		switch {
		case last && n.max == n.min:
			c.node(body, next, f)
		case last:
			c.node(body, nil, inner)
		default:
			c.node(body, nil, inner.before(body))
		}
	}
	switch {
	case n.max == unlimited:
		c.star(body, n.lazy, o, inner, f)
	case extra > 0:
		c.options(body, next, n.lazy, extra, o, inner, f)
	}
}

// counts says that a repeat is run with a counter instead of copies of its body.
func counts(n *node) bool {
	copies := max(n.min, n.max)
	return copies > 1 && copies*size(n.kids[0]) > unrollNodes || endsEmpty(n)
}

// endsEmpty says that a round of a counted repeat which takes nothing ends it, as in Oniguruma: the ways to place empty rounds among
// many are too many to try.
func endsEmpty(n *node) bool {
	return max(n.min, n.max) > emptyRounds && first(n.kids[0]).empty
}

// split emits a choice between a body that begins with o and leaving, with f behind.
func (c *compiler) split(lazy bool, o opening, f follow) int {
	in := instr{op: opSplit, lazy: lazy, tab2: c.filter(f)}
	if !o.empty {
		in.tab = c.table(o.bytes)
	}
	at := c.emit(in)
	c.p.code[at].x = c.here()
	return at
}

// options emits up to count copies of body, each optional.
func (c *compiler) options(body, next *node, lazy bool, count int, o opening, inner, f follow) {
	var splits []int
	for i := range count {
		splits = append(splits, c.split(lazy, o, f))
		if i == count-1 {
			c.node(body, next, f)
		} else {
			c.node(body, nil, inner)
		}
	}
	for _, s := range splits {
		c.p.code[s].y = c.here()
		c.pastGroups(s, body)
	}
}

// star emits body any number of times. A round that matches nothing ends the loop.
func (c *compiler) star(body *node, lazy bool, o opening, inner, f follow) {
	at := c.split(lazy, o, f)
	if !o.empty {
		c.node(body, nil, inner)
		c.emit(instr{op: opJump, x: int32(at)})
		c.p.code[at].y = c.here()
		return
	}
	reg, outer := c.counter(), c.inLoop
	c.inLoop = reg
	if outer >= 0 { // two such loops around a place: the place and one register do not determine what happens
		c.hidden++
	}
	c.emit(instr{op: opMark, x: reg})
	c.node(body, nil, inner)
	end := c.emit(instr{op: opMoved, x: int32(at), min: reg})
	if outer >= 0 {
		c.hidden--
	}
	c.inLoop = outer
	c.p.code[at].y = c.here()
	c.p.code[end].y = c.here()
}

func (c *compiler) counter() int32 {
	c.p.counters++
	return int32(c.p.counters - 1)
}

// counted emits a bounded loop that counts its rounds, and a loop without bound behind it if there is none.
func (c *compiler) counted(n *node, o opening, inner, f follow) {
	out := f
	most := n.max
	if most == unlimited {
		most, out = n.min, inner
	}
	reg := c.counter()
	c.emit(instr{op: opCount, x: reg})
	in := instr{op: opCountLoop, lazy: n.lazy, min: int32(n.min), max: int32(most), tab2: c.filter(out)}
	if !o.empty {
		in.tab = c.table(o.bytes)
	}
	at := c.emit(in)
	c.p.code[at].state = reg
	c.p.code[at].x = c.here()
	c.hidden++
	end := -1
	if endsEmpty(n) {
		pos := c.counter()
		c.emit(instr{op: opMark, x: pos})
		c.node(n.kids[0], nil, inner)
		end = c.emit(instr{op: opMoved, x: int32(at), min: pos})
	} else {
		c.node(n.kids[0], nil, inner)
		c.emit(instr{op: opJump, x: int32(at)})
	}
	c.hidden--
	c.p.code[at].y = c.here()
	if end >= 0 {
		c.p.code[end].y = c.here()
	}
	if n.max == unlimited {
		c.star(n.kids[0], n.lazy, o, inner, f)
	}
}
