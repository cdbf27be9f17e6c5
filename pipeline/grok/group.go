package grok

import "strings"

// group reads a parenthesis and what it means; nil for a comment.
func (p *parser) group() *node {
	start := p.at
	p.at++
	if !p.accept("?") {
		p.groups++
		number := p.groups
		return &node{kind: kGroup, min: number, kids: []*node{p.closed(start)}, at: start}
	}
	switch {
	case p.accept(":"):
		return p.closed(start)
	case p.accept(">"):
		return &node{kind: kAtomic, kids: []*node{p.closed(start)}}
	case p.accept("="):
		return p.look(start, false, false)
	case p.accept("!"):
		return p.look(start, true, false)
	case p.accept("<="):
		return p.look(start, false, true)
	case p.accept("<!"):
		return p.look(start, true, true)
	case p.accept("#"):
		return p.comment(start)
	case p.accept("<"):
		return p.namedGroup(start, ">")
	case p.accept("'"):
		return p.namedGroup(start, "'")
	case p.accept("("):
		return p.conditional(start)
	case p.looking("~"):
		p.fail(start, "the absence operator (?~) is not supported")
	case p.looking("P"):
		p.fail(start, "(?P<name>) is not Ruby syntax; write (?<name>)")
	}
	return p.options(start)
}

// closed reads a group's inside and its closing parenthesis.
func (p *parser) closed(start int) *node {
	n := p.alternatives()
	if !p.accept(")") {
		p.fail(start, "this ( is not closed")
	}
	return n
}

func (p *parser) look(start int, neg, behind bool) *node {
	return &node{kind: kLook, neg: neg, behind: behind, kids: []*node{p.closed(start)}, at: start}
}

func (p *parser) comment(start int) *node {
	end := strings.IndexByte(p.rest(), ')')
	if end < 0 {
		p.fail(start, "this comment is not closed")
	}
	p.at += end + 1
	return nil
}

// namedGroup reads (?<name>...). A name may hold brackets, @, - and ?, as field references do.
func (p *parser) namedGroup(start int, closing string) *node {
	name, _, ok := strings.Cut(p.rest(), closing)
	if !ok || name == "" || strings.ContainsAny(name, "()") {
		p.fail(start, "the group name is empty or has no end")
	}
	p.at += len(name) + 1
	p.names = true
	return &node{kind: kGroup, str: name, kids: []*node{p.closed(start)}, at: start}
}

// conditional reads (?(1)yes|no), (?(<name>)yes|no) after the second parenthesis.
func (p *parser) conditional(start int) *node {
	ref, _, ok := strings.Cut(p.rest(), ")")
	if !ok {
		p.fail(start, "the condition is not closed")
	}
	p.at += len(ref) + 1
	n := &node{kind: kCond, at: start}
	num := 0
	for _, c := range []byte(ref) {
		if c < '0' || c > '9' {
			num = -1
			break
		}
		num = min(num*10+int(c-'0'), maxRepeat)
	}
	switch {
	case num > 0:
		n.min = num
	case len(ref) > 2 && (ref[0] == '<' && ref[len(ref)-1] == '>' || ref[0] == '\'' && ref[len(ref)-1] == '\''):
		n.str = ref[1 : len(ref)-1]
	default:
		p.fail(start, "the condition (%s) is not a group", ref)
	}
	body := p.closed(start)
	switch {
	case body.kind != kAlt:
		n.kids = []*node{body, seq()}
	case len(body.kids) == 2:
		n.kids = body.kids
	default:
		p.fail(start, "a condition has at most two branches")
	}
	return n
}

// options reads (?imx-imx) and (?imx-imx:...). Without a colon they hold, and bind alternatives, to the end of the enclosing group.
func (p *parser) options(start int) *node {
	f, on := p.flags, true
	for ; p.more(); p.at++ {
		switch p.text[p.at] {
		case '-':
			on = false
		case 'i':
			f.fold = on
		case 'm':
			f.dotAll = on
		case 'x':
			f.spaced = on
		case 'a', 'd', 'u':
			p.fail(p.at, "the option %q is not supported", p.text[p.at])
		case ')':
			p.at++
			return p.with(f, p.alternatives)
		case ':':
			p.at++
			return p.with(f, func() *node { return p.closed(start) })
		default:
			p.fail(p.at, "unknown option %q", p.text[p.at])
		}
	}
	p.fail(start, "this ( is not closed")
	return nil
}

func (p *parser) with(f flags, read func() *node) *node {
	saved := p.flags
	p.flags = f
	n := read()
	p.flags = saved
	return n
}
