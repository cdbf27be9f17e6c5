package grok

// kind names what a node of the pattern tree matches.
type kind uint8

const (
	kEmpty   kind = iota
	kLit          // the bytes of str
	kClass        // one character of set
	kSeq          // kids one after the other
	kAlt          // the first of kids that lets the rest match
	kRep          // kids[0], min to max times
	kGroup        // kids[0], remembered as group
	kAtomic       // kids[0], its first way only
	kLook         // kids[0] ahead of or behind this place; neg and behind
	kAssert       // a place, see assert
	kNamed        // kids[0], the expansion of the stock definition str
	kBackref      // what one of groups matched
	kCond         // kids[0] if groups[0] is set, else kids[1]
	kCall         // the group named str once more; gone after resolve
	kKeep         // \K: the match starts here
	kFail         // nothing
)

// assertion names a place in the text.
type assertion uint8

const (
	atLineStart assertion = iota
	atLineEnd
	atTextStart
	atTextEnd
	atTextEndNL // at the end or before a final newline
	atWordEdge
	notWordEdge
)

const unlimited = -1 // max of a repeat without bound

// node is one piece of a pattern. Nodes handed out by the parser may be shared between references to one definition; resolve copies
// the tree, and from there on a node belongs to one place.
type node struct {
	kind     kind
	assert   assertion
	lazy     bool // kRep: as few as possible
	poss     bool // kRep: never gives back
	neg      bool // kLook: must not match
	behind   bool // kLook: looks to the left
	fold     bool // kBackref: letter case does not matter
	sure     bool // kGroup: every successful match sets it, set by markSure
	min, max int
	group    int    // kGroup: index, set by resolve
	groups   []int  // kBackref, kCond
	str      string // kLit, kNamed; name of kGroup, kBackref, kCond, kCall before resolve
	typ      Type   // kGroup
	set      charset
	kids     []*node
	at       int   // offset in the text of the definition, for errors
	offsets  []int // kSeq: where each of kids starts in that text, as parsed
}

func lit(s string) *node      { return &node{kind: kLit, str: s} }
func class(s charset) *node   { return &node{kind: kClass, set: s} }
func seq(kids ...*node) *node { return &node{kind: kSeq, kids: kids} }
func alt(kids ...*node) *node { return &node{kind: kAlt, kids: kids} }
func place(a assertion) *node { return &node{kind: kAssert, assert: a} }
func repeat(n *node, lo, hi int) *node {
	return &node{kind: kRep, min: lo, max: hi, kids: []*node{n}}
}

// size counts the nodes of a tree, those of a repeat as often as it is unrolled.
func size(n *node) int {
	t := 1
	for _, k := range n.kids {
		t += size(k)
	}
	if n.kind != kRep || len(n.kids[0].kids) == 0 {
		return t
	}
	if copies := max(n.min, n.max, 1); copies*(t-1) <= unrollNodes {
		return 1 + copies*(t-1)
	}
	return t
}

// oneChar returns the set of characters of a node that matches exactly one.
func oneChar(n *node) (charset, bool) {
	switch {
	case n.kind == kClass:
		return n.set, true
	case n.kind == kLit && len(n.str) == 1 && n.str[0] < 0x80:
		return noChar.withRange(rune(n.str[0]), rune(n.str[0])), true
	}
	return charset{}, false
}
