package grok

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Miss tells how far a pattern came on a line that it does not match.
type Miss struct {
	Matched  bool   // it does match; the rest is empty
	Start    int    // where the attempt that came furthest began
	Furthest int    // the byte that no way of the pattern could take
	Expected string // what would have been taken there
	Name     string // the innermost definition that failed there, "" for the pattern itself
	Prefix   string // the longest beginning of the pattern that matches
	Gave     bool   // the search was given up for its cost; the rest tells of what was tried
}

// Explain searches b again, in a slow way that keeps account. Use it for a few lines, not for each.
func (p *Pattern) Explain(b []byte) Miss {
	x := p.set.expander(p.opts)
	x.names = true
	tree, r, err := x.expand(p.text)
	if err != nil { // it compiled before
		return Miss{Gave: true}
	}
	e := &explanation{walker: walker{s: string(b), caps: make([]int32, 2*len(r.names)), kept: -1, limit: walkSteps}, tree: tree, elements: -1}
	e.fail = e.note
	e.search()
	return e.result(p.text)
}

// explanation is a search that remembers the furthest failure.
type explanation struct {
	walker
	tree     *node
	miss     Miss
	start    int
	seen     bool
	elements int // elements of the pattern's outermost sequence that matched
}

func (e *explanation) search() {
	defer func() {
		if r := recover(); r != nil {
			if r != ErrTimeout { //nolint:errorlint // the walker panics with this very value
				panic(r)
			}
			e.miss.Gave = true
		}
	}()
	for e.start = 0; e.start <= len(e.s); e.start++ {
		if e.start > 0 && e.start < len(e.s) && !utf8.RuneStart(e.s[e.start]) {
			continue
		}
		for i := range e.caps {
			e.caps[i] = -1
		}
		e.names = e.names[:0]
		if e.elementsFrom(0, e.start) {
			e.miss = Miss{Matched: true}
			return
		}
	}
}

// elementsFrom matches the outermost sequence and keeps account of how many of its elements did.
func (e *explanation) elementsFrom(i, pos int) bool {
	if e.tree.kind != kSeq {
		return e.match(e.tree, pos, func(int) bool { return true })
	}
	if i > e.elements && (!e.seen || pos-e.start >= e.miss.Furthest-e.miss.Start) {
		e.elements = i
	}
	if i == len(e.tree.kids) {
		return true
	}
	return e.match(e.tree.kids[i], pos, func(end int) bool { return e.elementsFrom(i+1, end) })
}

// note remembers the last failure at the furthest place: what fails earlier there is mostly something optional.
func (e *explanation) note(pos int, n *node) {
	if n.kind == kLit { // a literal fails behind the part of it that fits
		k := 0
		for k < len(n.str) && pos+k < len(e.s) && e.s[pos+k] == n.str[k] {
			k++
		}
		pos += k
	}
	if e.seen && pos-e.start < e.miss.Furthest-e.miss.Start {
		return // an attempt that took more of the line tells more than one that began further right
	}
	e.seen = true
	e.miss.Start, e.miss.Furthest, e.miss.Expected = e.start, pos, describe(n)
	e.miss.Name = ""
	if len(e.names) > 0 {
		e.miss.Name = e.names[len(e.names)-1]
	}
}

func (e *explanation) result(text string) Miss {
	if e.miss.Matched || e.tree.kind != kSeq || e.elements <= 0 {
		return e.miss
	}
	e.miss.Prefix = text
	if e.elements < len(e.tree.offsets) {
		e.miss.Prefix = text[:e.tree.offsets[e.elements]]
	}
	return e.miss
}

// describe tells what a node takes.
func describe(n *node) string {
	switch n.kind {
	case kLit:
		return fmt.Sprintf("%q", n.str)
	case kClass:
		return n.set.String()
	case kAssert:
		return [...]string{"start of a line", "end of the line", "start of the text", "end of the text", "end of the text", "edge of a word", "inside of a word or outside of words"}[n.assert]
	case kLook:
		if n.neg {
			return "anything but what a negative look finds"
		}
		return "what a look finds"
	case kBackref:
		return "the text of an earlier group"
	}
	return "nothing"
}

// String renders a set as a class.
func (s charset) String() string {
	for _, c := range []struct {
		set  charset
		name string
	}{{anyChar, "any character"}, {digitChars, "a digit"}, {wordChars, "a word character"}, {spaceChars, "white space"}, {spaceChars.not(), "anything but white space"}, {hexChars, "a hex digit"}} {
		if s.equal(c.set) {
			return c.name
		}
	}
	if out := s.not(); s.full() && !out.full() {
		return "anything but " + out.members()
	}
	return "one of " + s.members()
}

func (s charset) members() string {
	var b strings.Builder
	for c := rune(0); c < 0x80; c++ {
		if !s.has(c) {
			continue
		}
		end := c
		for end+1 < 0x80 && s.has(end+1) {
			end++
		}
		fmt.Fprintf(&b, "%s", strings.Trim(fmt.Sprintf("%q", c), "'"))
		if end > c+1 {
			fmt.Fprintf(&b, "-%s", strings.Trim(fmt.Sprintf("%q", end), "'"))
			c = end
		}
		if b.Len() > maxExpectLen {
			return b.String() + "…"
		}
	}
	if len(s.high) > 0 {
		fmt.Fprintf(&b, "%c…", s.high[0].lo)
	}
	return b.String()
}
