package grok

import (
	"fmt"
	"slices"
)

// compiler turns a tree into a program.
type compiler struct {
	p       *program
	text    string
	tables  map[byteset]*byteTable
	clears  []clearing
	choices int   // choice points emitted so far
	hidden  int   // > 0: inside a look-around, atomic group or counted loop, where a place does not determine what happens
	inLoop  int32 // register of the innermost loop whose rounds may take nothing, -1 outside
	generic bool
}

// compile makes the program of a simplified tree; generic leaves hand-written recognizers out.
func compile(text string, root *node, groups int, generic bool) (p *program, err error) {
	defer func() {
		if f, ok := recover().(fault); ok {
			p, err = nil, &Error{Pattern: text, Offset: min(f.at, len(text)), Msg: f.msg}
		}
	}()
	p = &program{slots: 2 * groups, exact: true, settled: true}
	c := &compiler{p: p, text: text, tables: map[byteset]*byteTable{}, generic: generic, inLoop: -1}
	if !refers(root) {
		markSure(root)
	}
	p.start, p.shortest = newStartTable(root)
	p.atText, p.atLine = anchors(root)
	p.literal = required(root)
	p.prefix = lead(root)
	c.node(root, nil, follow{accept: true})
	c.emit(instr{op: opMatch})
	c.emitClears()
	p.unsure = unsureSlots(p)
	fuse(p.code)
	return p, nil
}

// clearing is a way past groups: instruction at leads to it by y, and it goes on at back.
type clearing struct {
	at, back int32
	slots    []int
}

// pastGroups makes the way out of the opSplit at clear the groups of what it leaves out. The clearing stands behind the program, so
// that the way in costs nothing.
func (c *compiler) pastGroups(at int, body *node) {
	if slots := sureGroups(nil, body); len(slots) > 0 {
		c.clears = append(c.clears, clearing{int32(at), c.p.code[at].y, slots})
	}
}

func (c *compiler) emitClears() {
	for _, k := range c.clears {
		c.p.code[k.at].y = c.here()
		c.emit(instr{op: opClear, ext: &extra{groups: k.slots}})
		c.emit(instr{op: opJump, x: k.back})
	}
}

func unsureSlots(p *program) []int32 {
	var out []int32
	for i := range p.code {
		if in := &p.code[i]; in.op == opSave && !slices.Contains(out, in.x) {
			out = append(out, in.x)
		}
	}
	return out
}

// fuse joins neighbouring instructions into one that does the work of both; those it covers stay for jumps into them.
func fuse(code []instr) {
	for i := 0; i+1 < len(code); i++ {
		a, b := &code[i], &code[i+1]
		switch {
		case a.op == opSaveSure && b.op == opByte && i+2 < len(code) && code[i+2].op == opSaveSure:
			a.op, a.c, a.y = opSaveByteSave, b.c, code[i+2].x
		case a.op == opSaveSure && b.op == opByte:
			a.op, a.c = opSaveByte, b.c
		case a.op == opByte && b.op == opSaveSure:
			a.op, a.x = opByteSave, b.x
		}
	}
}

func (c *compiler) emit(in instr) int {
	if len(c.p.code) >= maxProgram {
		panic(fault{0, fmt.Sprintf("pattern compiles to more than %d instructions", maxProgram)})
	}
	in.state, in.loop = -1, c.inLoop
	switch in.op {
	case opGreedy, opLazy, opGreedyWide, opRestBack, opSeek, opSplit, opAlt, opNamed, opRun, opRunTo, opRunToEither, opCountLoop:
		if in.op < opRun || in.op > opRunMax {
			c.choices++
		}
		if c.hidden == 0 && in.op != opCountLoop {
			in.state = int32(c.p.states)
			c.p.states++
			if c.inLoop >= 0 {
				c.p.states++
			}
		} else if in.op < opRun || in.op > opRunMax {
			c.p.settled = false
		}
	}
	c.p.code = append(c.p.code, in)
	return len(c.p.code) - 1
}

func (c *compiler) here() int32 { return int32(len(c.p.code)) }

// table returns the shared table of a set.
func (c *compiler) table(s byteset) *byteTable {
	if t, ok := c.tables[s]; ok {
		return t
	}
	t := new(byteTable)
	for b := range 256 {
		t[b] = s.has(byte(b))
	}
	c.tables[s] = t
	return t
}

// filter returns the table of the bytes that can follow, nil when all can.
func (c *compiler) filter(f follow) *byteTable {
	if f.any() {
		return nil
	}
	return c.table(f.bytes)
}

// edges is filter for runs over wide characters: it also keeps the place off the middle of a character.
func (c *compiler) edges(f follow) *byteTable {
	s := byteset{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	if !f.any() {
		s = f.bytes
	}
	s[2] = 0 // 80..BF, the bytes that continue a character
	return c.table(s)
}

// node emits code for n. next is the node behind it, for a look at its first literal; f is what can follow.
func (c *compiler) node(n, next *node, f follow) {
	switch n.kind {
	case kEmpty:
	case kLit:
		c.literal(n.str)
	case kClass:
		c.class(n.set)
	case kSeq:
		c.seq(n.kids, next, f)
	case kAlt:
		c.alt(n.kids, next, f)
	case kRep:
		c.repeat(n, next, f)
	case kGroup:
		c.group(n, next, f)
	case kAtomic:
		c.atomic(n.kids[0])
	case kLook:
		c.look(n, next, f)
	case kAssert:
		c.emit(instr{op: opPlace, c: byte(n.assert)})
	case kNamed:
		if !c.named(n, -1, next, f) {
			c.node(n.kids[0], next, f)
		}
	case kBackref:
		c.p.exact = false
		c.choices++
		c.emit(instr{op: opBackref, neg: n.fold, ext: &extra{groups: n.groups}})
	case kCond:
		c.cond(n, next, f)
	case kKeep:
		c.emit(instr{op: opKeep})
	case kFail:
		c.emit(instr{op: opFail})
	default:
		panic(fault{n.at, "pattern element cannot be compiled"})
	}
}

func (c *compiler) literal(s string) {
	if len(s) == 1 {
		c.emit(instr{op: opByte, c: s[0]})
		return
	}
	c.emit(instr{op: opString, ext: &extra{str: s}})
}

func (c *compiler) class(s charset) {
	if s.narrow() {
		c.emit(instr{op: opClass, tab: c.table(s.leads())})
		return
	}
	c.emit(instr{op: opClassWide, tab: c.table(s.leads()), neg: s.full(), ext: &extra{set: s}})
}

func (c *compiler) seq(kids []*node, next *node, f follow) {
	after := make([]follow, len(kids))
	for i := len(kids) - 1; i >= 0; i-- {
		after[i] = f
		f = f.before(kids[i])
	}
	for i, k := range kids {
		behind := next
		if i+1 < len(kids) {
			behind = kids[i+1]
		}
		c.node(k, behind, after[i])
	}
}

func (c *compiler) group(n, next *node, f follow) {
	op := opSave
	if n.sure {
		op = opSaveSure
		if k := n.kids[0]; k.kind == kNamed && c.named(k, int32(2*n.group), next, f) {
			return
		}
	}
	c.emit(instr{op: op, x: int32(2 * n.group)})
	c.node(n.kids[0], next, f)
	c.emit(instr{op: op, x: int32(2*n.group + 1)})
}

// atomic leaves out the bracketing instructions when there is nothing to forget.
func (c *compiler) atomic(body *node) {
	before := c.choices
	at := c.emit(instr{op: opAtomic})
	c.hidden++
	c.node(body, nil, follow{accept: true})
	c.hidden--
	if c.choices == before {
		c.p.code[at] = instr{op: opJump, x: int32(at + 1), state: -1}
		return
	}
	c.emit(instr{op: opAtomicEnd})
}

// named emits the hand-written recognizer of a stock pattern, if there is one, in front of the pattern itself. With slot it is also
// the group around it. Where what follows cannot begin with a byte that another way of the pattern would leave over, the first way
// is the only one.
func (c *compiler) named(n *node, slot int32, next *node, f follow) bool {
	known, ok := recognizers[n.str]
	if !ok || c.generic {
		return false
	}
	in := instr{op: opNamed, neg: known.only, min: slot, ext: &extra{known: known.end}}
	if inner := byteClass(known.inner); !known.only && !f.any() && inner.and(f.bytes).empty() {
		in.neg = true
		in.tab = c.table(inner)
	}
	at := c.emit(in)
	if slot >= 0 {
		c.emit(instr{op: opSaveSure, x: slot})
	}
	c.node(n.kids[0], next, f)
	if slot >= 0 {
		c.emit(instr{op: opSaveSure, x: slot + 1})
	}
	c.p.code[at].x = c.here()
	return true
}

func (c *compiler) cond(n, next *node, f follow) {
	c.p.exact = false
	at := c.emit(instr{op: opIf, ext: &extra{groups: n.groups}})
	c.node(n.kids[0], next, f)
	out := c.emit(instr{op: opJump})
	c.p.code[at].x = c.here()
	c.node(n.kids[1], next, f)
	c.p.code[out].x = c.here()
}

func (c *compiler) alt(kids []*node, next *node, f follow) {
	at := c.emit(instr{op: opAlt})
	starts := make([]int32, len(kids))
	var jumps []int
	for i, k := range kids {
		starts[i] = c.here()
		c.clearOthers(kids, i)
		c.node(k, next, f)
		if i+1 < len(kids) {
			jumps = append(jumps, c.emit(instr{op: opJump}))
		}
	}
	for _, j := range jumps {
		c.p.code[j].x = c.here()
	}
	c.p.code[at].ext = &extra{alts: newDispatch(kids, starts, f)}
}

// clearOthers clears the groups of the other alternatives, which a failed try may have set.
func (c *compiler) clearOthers(kids []*node, i int) {
	var slots []int
	for j, k := range kids {
		if j != i {
			slots = sureGroups(slots, k)
		}
	}
	if len(slots) > 0 {
		c.emit(instr{op: opClear, ext: &extra{groups: slots}})
	}
}

func newDispatch(kids []*node, starts []int32, f follow) *dispatch {
	d := &dispatch{}
	opens := make([]opening, len(kids))
	for i, k := range kids {
		opens[i] = first(k)
		if opens[i].empty {
			opens[i].bytes = opens[i].bytes.or(f.bytes)
		}
	}
	for b := range 257 {
		var l []int32
		for i, o := range opens {
			if b < 256 && o.bytes.has(byte(b)) || o.empty && (b == 256 || f.any()) {
				l = append(l, starts[i])
			}
		}
		at := slices.IndexFunc(d.lists, func(m []int32) bool { return slices.Equal(l, m) })
		if at < 0 {
			at = len(d.lists)
			d.lists = append(d.lists, l)
		}
		d.list[b] = uint16(at)
	}
	return d
}

// look emits a look-around. One of a single ASCII character needs no bracketing; a look-behind with alternatives of several widths
// becomes several look-behinds.
func (c *compiler) look(n, next *node, f follow) {
	body := n.kids[0]
	if s, ok := oneChar(body); ok && s.narrow() {
		op := opNext
		if n.behind {
			op = opPrev
		}
		c.emit(instr{op: op, neg: n.neg, tab: c.table(s.leads())})
		return
	}
	back := 0
	if n.behind {
		w, ok := width(body)
		if !ok && body.kind == kAlt {
			c.node(splitBehind(n), next, f)
			return
		}
		if !ok {
			panic(fault{n.at, "a look-behind must have a fixed width"})
		}
		back = w
	}
	at := c.emit(instr{op: opLook, neg: n.neg, lazy: n.behind, x: int32(back)})
	c.hidden++
	c.node(body, nil, follow{accept: true})
	c.hidden--
	c.emit(instr{op: opLookEnd, neg: n.neg})
	c.p.code[at].y = c.here()
}

func splitBehind(n *node) *node {
	var looks []*node
	for _, k := range n.kids[0].kids {
		looks = append(looks, &node{kind: kLook, neg: n.neg, behind: true, kids: []*node{k}, at: n.at})
	}
	if n.neg {
		return seq(looks...)
	}
	return alt(looks...)
}
