package grok

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads one pattern or definition. References to other definitions are resolved by lib, which is nil for plain regular
// expressions.
type parser struct {
	text   string
	at     int
	depth  int // nesting of groups and classes
	flags  flags
	lib    *expander
	names  bool // a named group has been seen
	groups int  // unnamed groups seen, those of nested definitions not counted
}

type flags struct {
	fold   bool // (?i)
	spaced bool // (?x)
	dotAll bool // (?m)
}

// fault is a parse error in flight; parse turns it into an *Error.
type fault struct {
	at  int
	msg string
}

func (p *parser) fail(at int, format string, args ...any) {
	panic(fault{at, fmt.Sprintf(format, args...)})
}

// parse reads the whole text.
func (p *parser) parse() (n *node, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case fault:
			err = &Error{Pattern: p.text, Offset: f.at, Msg: f.msg}
		case *Error:
			err = f
		default:
			panic(f)
		}
	}()
	if len(p.text) > maxPattern {
		p.fail(0, "pattern has %d bytes, the limit is %d", len(p.text), maxPattern)
	}
	if !utf8.ValidString(p.text) {
		p.fail(0, "pattern is not valid UTF-8")
	}
	n = p.alternatives()
	if p.more() {
		p.fail(p.at, "unmatched )")
	}
	return n, nil
}

func (p *parser) more() bool            { return p.at < len(p.text) }
func (p *parser) rest() string          { return p.text[p.at:] }
func (p *parser) looking(s string) bool { return strings.HasPrefix(p.text[p.at:], s) }
func (p *parser) accept(s string) bool {
	if p.looking(s) {
		p.at += len(s)
		return true
	}
	return false
}

// alternatives reads up to the end of the enclosing group. Options switched inside end with it.
func (p *parser) alternatives() *node {
	saved := p.flags
	defer func() { p.flags = saved }()
	if p.depth++; p.depth > maxNest {
		p.fail(p.at, "groups nest deeper than %d", maxNest)
	}
	defer func() { p.depth-- }()
	list := []*node{p.sequence()}
	for p.accept("|") {
		list = append(list, p.sequence())
	}
	if len(list) == 1 {
		return list[0]
	}
	return alt(list...)
}

func (p *parser) sequence() *node {
	n := seq()
	for p.more() && !p.looking("|") && !p.looking(")") {
		start := p.at
		a := p.atom()
		if a == nil {
			continue
		}
		for p.more() {
			q := p.quantifier(a)
			if q == nil {
				break
			}
			a = q
		}
		n.kids = append(n.kids, a)
		n.offsets = append(n.offsets, start)
	}
	return n
}

// quantifier reads one quantifier behind a; nil when there is none. Ruby takes a + behind {n,m} as a second quantifier, not as
// "possessive", and a brace that is no quantifier as itself.
func (p *parser) quantifier(a *node) *node {
	r := repeat(a, 0, unlimited)
	r.at = p.at
	brace := false
	switch p.text[p.at] {
	case '*':
	case '+':
		r.min = 1
	case '?':
		r.max = 1
	case '{':
		n, ok := p.bounds(r)
		if !ok {
			return nil
		}
		brace = true
		p.at += n - 1
	default:
		return nil
	}
	p.at++
	if a.kind == kAssert || a.kind == kKeep {
		r.kids[0] = seq(a) // allowed, useless, and harmless
	}
	switch {
	case p.accept("?"):
		r.lazy = true
	case !brace && p.accept("+"):
		r.poss = true
	}
	return r
}

// bounds reads {n}, {n,}, {,m} or {n,m} and returns its length.
func (p *parser) bounds(r *node) (int, bool) {
	end := strings.IndexByte(p.rest(), '}')
	if end < 0 {
		return 0, false
	}
	lo, hi, ranged := strings.Cut(p.rest()[1:end], ",")
	if lo == "" && hi == "" {
		return 0, false
	}
	num := func(s string, empty int) (int, bool) {
		if s == "" {
			return empty, true
		}
		for i := range len(s) {
			if s[i] < '0' || s[i] > '9' {
				return 0, false
			}
		}
		v, err := strconv.Atoi(s)
		if err != nil || v > maxRepeat {
			p.fail(p.at, "repeat count %s is larger than %d", s, maxRepeat)
		}
		return v, true
	}
	var ok1, ok2 bool
	r.min, ok1 = num(lo, 0)
	r.max, ok2 = num(hi, unlimited)
	if !ok1 || !ok2 {
		return 0, false
	}
	if !ranged {
		r.max = r.min
	}
	if r.max != unlimited && r.max < r.min {
		p.fail(p.at, "repeat {%d,%d} is upside down", r.min, r.max)
	}
	return end + 1, true
}

// atom reads one element; nil for a comment or ignored space.
func (p *parser) atom() *node {
	switch c := p.text[p.at]; c {
	case '(':
		return p.group()
	case '[':
		return class(p.bracket())
	case '.':
		p.at++
		if p.flags.dotAll {
			return class(anyChar)
		}
		return class(ranges('\n', '\n').not())
	case '^':
		p.at++
		return place(atLineStart)
	case '$':
		p.at++
		return place(atLineEnd)
	case '\\':
		return p.escape()
	case '*', '+', '?':
		p.fail(p.at, "nothing in front of %q to repeat", c)
	case '%':
		if n := p.reference(); n != nil {
			return n
		}
	case ' ', '\t', '\n', '\r', '\f', '\v':
		if p.flags.spaced {
			p.at++
			return nil
		}
	case '#':
		if p.flags.spaced {
			p.skipLine()
			return nil
		}
	}
	r, w := utf8.DecodeRuneInString(p.rest())
	p.at += w
	return p.char(r)
}

func (p *parser) skipLine() {
	for p.more() && p.text[p.at] != '\n' {
		p.at++
	}
}

// char is the node of one literal character under the current options.
func (p *parser) char(r rune) *node {
	if p.flags.fold {
		s := noChar.withRange(r, r).folded()
		if c, ok := s.one(); ok {
			return lit(string(rune(c)))
		}
		return class(s)
	}
	return lit(string(r))
}

// escape reads a backslash and what it stands for outside of a class.
func (p *parser) escape() *node {
	start := p.at
	if p.at+1 >= len(p.text) {
		p.fail(start, "pattern ends in a backslash")
	}
	c := p.text[p.at+1]
	if s, ok := p.shorthand(); ok {
		return class(s)
	}
	if a, ok := placeEscapes[c]; ok {
		p.at += 2
		return place(a)
	}
	switch c {
	case 'R':
		p.at += 2
		return lineBreak()
	case 'K':
		p.at += 2
		return &node{kind: kKeep, at: start}
	case 'k', 'g':
		return p.namedRef(c == 'g')
	case 'X', 'G', 'y', 'Y', 'O', 'N':
		p.fail(start, `\%c is not supported`, c)
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if n := p.numberedRef(); n != nil {
			return n
		}
	case 'x':
		if b, ok := p.rawByte(); ok {
			return lit(string([]byte{b}))
		}
	}
	return p.char(p.charEscape())
}

var placeEscapes = map[byte]assertion{
	'A': atTextStart, 'z': atTextEnd, 'Z': atTextEndNL, 'b': atWordEdge, 'B': notWordEdge,
}

func lineBreak() *node {
	one := class(ranges('\n', '\r', 0x85, 0x85, 0x2028, 0x2029))
	return &node{kind: kAtomic, kids: []*node{alt(lit("\r\n"), one)}}
}

// numberedRef reads \1 to \99. A number past the groups seen is octal or itself in Oniguruma; here it is an error unless the
// pattern is a back reference, because it nearly always is a slip.
func (p *parser) numberedRef() *node {
	start := p.at
	end := p.at + 1
	for end < len(p.text) && end < p.at+3 && p.text[end] >= '0' && p.text[end] <= '9' {
		end++
	}
	num, _ := strconv.Atoi(p.text[p.at+1 : end])
	p.at = end
	return &node{kind: kBackref, min: num, fold: p.flags.fold, at: start}
}

// namedRef reads \k<name>, \k'name', \k<1>, \k<-1> and the calls \g<name>, \g<1>.
func (p *parser) namedRef(call bool) *node {
	start := p.at
	p.at += 2
	closing := map[byte]byte{'<': '>', '\'': '\''}
	if !p.more() || closing[p.text[p.at]] == 0 {
		p.fail(start, "a name in <> is expected")
	}
	end := strings.IndexByte(p.text[p.at+1:], closing[p.text[p.at]])
	if end <= 0 {
		p.fail(start, "the name has no end")
	}
	name := p.text[p.at+1 : p.at+1+end]
	p.at += end + 2
	n := &node{kind: kBackref, str: name, fold: p.flags.fold, at: start}
	if call {
		n.kind = kCall
	}
	if num, err := strconv.Atoi(name); err == nil {
		n.str = ""
		if num < 0 {
			num += p.groups + 1
		}
		if num < 1 {
			p.fail(start, "group %s does not exist", name)
		}
		n.min = num
	}
	return n
}

// rawByte reads \xHH of 80 and above: a byte of an encoded character.
func (p *parser) rawByte() (byte, bool) {
	if p.at+4 > len(p.text) {
		return 0, false
	}
	v, err := strconv.ParseUint(p.text[p.at+2:p.at+4], 16, 8)
	if err != nil || v < 0x80 {
		return 0, false
	}
	p.at += 4
	return byte(v), true
}

// charEscape reads an escape that stands for one character, in and out of classes.
func (p *parser) charEscape() rune {
	start := p.at
	c := p.text[p.at+1]
	if r, ok := simpleEscapes[c]; ok {
		p.at += 2
		return r
	}
	switch c {
	case 'x', 'u':
		return p.hexEscape(c)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		return p.octalEscape()
	case 'c':
		if p.at+2 < len(p.text) && p.text[p.at+2] < 0x80 {
			p.at += 3
			return rune(p.text[p.at-1] & 0x1F)
		}
		p.fail(start, `\c lacks its letter`)
	case 'C', 'M':
		p.fail(start, `\%c is not supported`, c)
	}
	r, w := utf8.DecodeRuneInString(p.text[p.at+1:])
	p.at += 1 + w
	return r
}

var simpleEscapes = map[byte]rune{'n': '\n', 't': '\t', 'r': '\r', 'f': '\f', 'v': '\v', 'a': 7, 'e': 27}

func (p *parser) hexEscape(c byte) rune {
	start := p.at
	p.at += 2
	width := 2
	if c == 'u' {
		width = 4
	}
	end := p.at
	if p.accept("{") {
		end = strings.IndexByte(p.rest(), '}')
		if end < 0 {
			p.fail(start, "the brace is not closed")
		}
		end += p.at
	} else {
		for end < len(p.text) && end < p.at+width && isHex(p.text[end]) {
			end++
		}
	}
	v, err := strconv.ParseUint(p.text[p.at:end], 16, 32)
	if err != nil || v > unicode.MaxRune || c == 'u' && end-p.at < 1 {
		p.fail(start, `\%c needs hex digits`, c)
	}
	p.at = end
	p.accept("}")
	return rune(v)
}

func (p *parser) octalEscape() rune {
	v := rune(0)
	p.at++
	for i := 0; i < 3 && p.more() && p.text[p.at] >= '0' && p.text[p.at] <= '7'; i++ {
		v = v*8 + rune(p.text[p.at]-'0')
		p.at++
	}
	return v
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'f'
}
