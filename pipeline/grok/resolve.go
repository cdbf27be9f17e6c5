package grok

import "fmt"

// resolver copies the parsed tree into one where every node has one place, and gives groups their numbers. Named groups win: once
// there is one, the unnamed do not capture. Several groups may share a name.
type resolver struct {
	text   string
	named  bool
	keep   bool         // unnamed groups are wanted (regular expressions)
	wanted map[int]bool // unnamed groups that something refers to
	names  []string     // name of each group, "" for an unnamed one
	types  []Type
	byName map[string][]int // groups of a name
	byNum  []int            // group of an unnamed group's number, -1 when it does not capture; [0] unused
	bodies map[int]*node    // unresolved body of a group, for calls
	nodes  int
	calls  []pendingCall
	refs   []*node
}

type pendingCall struct {
	to   *node // empty node to fill
	from *node // the call
}

// resolve returns the copied tree.
func (r *resolver) resolve(root *node) (out *node, err error) {
	defer func() {
		if f, ok := recover().(fault); ok {
			err = &Error{Pattern: r.text, Offset: f.at, Msg: f.msg}
		}
	}()
	r.byName, r.bodies, r.wanted = map[string][]int{}, map[int]*node{}, map[int]bool{}
	r.byNum = []int{-1}
	r.named = r.scan(root)
	out = r.copy(root)
	for len(r.calls) > 0 {
		c := r.calls[0]
		r.calls = r.calls[1:]
		r.call(c)
	}
	for _, n := range r.refs {
		n.groups = r.targets(n)
	}
	return out, nil
}

func (r *resolver) fail(n *node, format string, args ...any) {
	panic(fault{min(n.at, len(r.text)), fmt.Sprintf(format, args...)})
}

// scan reports whether a named group exists and notes which unnamed groups are referred to.
func (r *resolver) scan(n *node) bool {
	named := n.kind == kGroup && n.str != ""
	switch n.kind {
	case kBackref, kCall, kCond:
		if n.str == "" {
			r.wanted[n.min] = true
		}
	}
	for _, k := range n.kids {
		named = r.scan(k) || named
	}
	return named
}

func (r *resolver) copy(n *node) *node {
	if r.nodes++; r.nodes > maxNodes {
		r.fail(n, "pattern expands to more than %d elements", maxNodes)
	}
	if n.kind == kGroup {
		return r.copyGroup(n)
	}
	c := *n
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = r.copy(k)
	}
	switch n.kind {
	case kBackref, kCond:
		r.refs = append(r.refs, &c)
	case kCall:
		r.calls = append(r.calls, pendingCall{&c, n})
	}
	return &c
}

func (r *resolver) copyGroup(n *node) *node {
	if n.str == "" {
		num := len(r.byNum)
		r.byNum = append(r.byNum, -1)
		if r.named || !r.keep && !r.wanted[num] {
			return r.copy(n.kids[0])
		}
		r.byNum[num] = len(r.names)
	} else {
		r.byName[n.str] = append(r.byName[n.str], len(r.names))
	}
	c := *n
	c.group = len(r.names)
	r.names = append(r.names, n.str)
	r.types = append(r.types, n.typ)
	r.bodies[c.group] = n.kids[0]
	c.kids = []*node{r.copy(n.kids[0])}
	return &c
}

// call replaces \g<name> by a copy of the group it names. The copy's groups are new groups of the same names, its own result goes
// to the group itself.
func (r *resolver) call(c pendingCall) {
	g := r.targets(c.from)
	if len(g) != 1 {
		r.fail(c.from, `\g calls a name that several groups have`)
	}
	if r.contains(r.bodies[g[0]], c.from, g[0], 0) {
		r.fail(c.from, `\g calls itself: recursion is not supported`)
	}
	*c.to = node{kind: kGroup, group: g[0], str: c.from.str, typ: r.types[g[0]], kids: []*node{r.copy(r.bodies[g[0]])}}
}

// contains says that n holds a call which leads back to group.
func (r *resolver) contains(n, self *node, group, depth int) bool {
	if depth > maxDepth {
		return true
	}
	if n.kind == kCall {
		if n == self {
			return true
		}
		if g := r.targets(n); len(g) == 1 {
			return g[0] == group || r.contains(r.bodies[g[0]], self, group, depth+1)
		}
	}
	for _, k := range n.kids {
		if r.contains(k, self, group, depth) {
			return true
		}
	}
	return false
}

func (r *resolver) targets(n *node) []int {
	if n.str != "" {
		g := r.byName[n.str]
		if len(g) == 0 {
			r.fail(n, "group <%s> does not exist", n.str)
		}
		return g
	}
	if r.named {
		r.fail(n, "groups have names here, so numbers cannot refer to them")
	}
	if n.min >= len(r.byNum) || r.byNum[n.min] < 0 {
		r.fail(n, "group %d does not exist", n.min)
	}
	return []int{r.byNum[n.min]}
}
