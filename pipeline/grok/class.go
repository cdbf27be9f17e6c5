package grok

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	digitChars = ranges('0', '9')
	wordChars  = ranges('0', '9', 'A', 'Z', '_', '_', 'a', 'z')
	spaceChars = ranges('\t', '\r', ' ', ' ')
	hexChars   = ranges('0', '9', 'A', 'F', 'a', 'f')
)

// shorthand reads \d \w \s \h, their negations, and \p{...}; false leaves the place unmoved.
func (p *parser) shorthand() (charset, bool) {
	c := p.text[p.at+1]
	var s charset
	switch c | 32 {
	case 'd':
		s = digitChars
	case 'w':
		s = wordChars
	case 's':
		s = spaceChars
	case 'h':
		s = hexChars
	case 'p':
		return p.property(), true
	default:
		return s, false
	}
	p.at += 2
	if c&32 == 0 {
		s = s.not()
	}
	return s, true
}

// property reads \p{Name}, \p{^Name} and \P{Name}: a POSIX name, a general category or a script.
func (p *parser) property() charset {
	start := p.at
	neg := p.text[p.at+1] == 'P'
	body := p.text[p.at+2:]
	end := strings.IndexByte(body, '}')
	if !strings.HasPrefix(body, "{") || end < 0 {
		p.fail(start, `\p needs a name in braces`)
	}
	name := body[1:end]
	p.at += 2 + end + 1
	if strings.HasPrefix(name, "^") {
		neg, name = !neg, name[1:]
	}
	s, ok := propertySet(name)
	if !ok {
		p.fail(start, `\p{%s} is not a known property`, name)
	}
	if neg {
		return s.not()
	}
	return s
}

func propertySet(name string) (charset, bool) {
	plain := strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
	if s, ok := posixSet(plain); ok {
		return s, true
	}
	for _, tables := range []map[string]*unicode.RangeTable{unicode.Categories, unicode.Scripts, unicode.Properties} {
		for n, t := range tables {
			if strings.EqualFold(strings.ReplaceAll(n, "_", ""), plain) {
				return fromTable(t), true
			}
		}
	}
	return charset{}, false
}

// posixSet returns the set of [[:name:]].
func posixSet(name string) (charset, bool) {
	letters := func() charset {
		return fromTable(unicode.Letter).or(fromTable(unicode.Nl)).or(fromTable(unicode.Other_Alphabetic))
	}
	switch name {
	case "alpha":
		return letters(), true
	case "digit":
		return fromTable(unicode.Nd), true
	case "alnum":
		return letters().or(fromTable(unicode.Nd)), true
	case "upper":
		return fromTable(unicode.Upper).or(fromTable(unicode.Other_Uppercase)), true
	case "lower":
		return fromTable(unicode.Lower).or(fromTable(unicode.Other_Lowercase)), true
	case "space":
		return fromTable(unicode.White_Space), true
	case "blank":
		return fromTable(unicode.Zs).or(ranges('\t', '\t')), true
	case "cntrl":
		return fromTable(unicode.Cc), true
	case "punct":
		return fromTable(unicode.P).or(ranges('$', '$', '+', '+', '<', '>', '^', '^', '`', '`', '|', '|', '~', '~')), true
	case "graph":
		return graphic(), true
	case "print":
		return graphic().or(fromTable(unicode.Zs)), true
	case "xdigit":
		return hexChars, true
	case "word":
		return fromTable(unicode.Letter).or(fromTable(unicode.Mark)).or(fromTable(unicode.Nd)).or(fromTable(unicode.Pc)), true
	case "ascii":
		return ranges(0, 0x7F), true
	case "any":
		return anyChar, true
	}
	return charset{}, false
}

func graphic() charset {
	hidden := fromTable(unicode.White_Space).or(fromTable(unicode.Cc)).or(fromTable(unicode.Cs))
	return hidden.not()
}

// bracket reads a class from its [ to its ].
func (p *parser) bracket() charset {
	start := p.at
	if p.depth++; p.depth > maxNest {
		p.fail(start, "classes nest deeper than %d", maxNest)
	}
	defer func() { p.depth-- }()
	p.at++
	neg := p.accept("^")
	s := p.members(start)
	if p.flags.fold {
		s = s.folded()
	}
	if neg {
		return s.not()
	}
	return s
}

// members reads the inside of a class and its closing bracket. && binds weakest: what stands left of it is intersected with
// everything right of it.
func (p *parser) members(start int) charset {
	s := noChar
	for first := true; ; first = false {
		switch {
		case !p.more():
			p.fail(start, "this [ is not closed")
		case p.looking("]") && (!first || !strings.Contains(p.rest()[1:], "]")):
			if first {
				p.fail(start, "this class is empty")
			}
			p.at++
			return s
		case p.accept("&&"):
			return s.and(p.members(start))
		case p.looking("[:"):
			if q, ok := p.posix(); ok {
				s = s.or(q)
				continue
			}
			s = s.or(p.bracket())
		case p.looking("["):
			s = s.or(p.bracket())
		case p.looking("%{") && p.lib != nil && p.lib.isReference(p.rest()):
			p.fail(p.at, "a reference to a pattern cannot stand inside [...]")
		default:
			s = s.or(p.member())
		}
	}
}

// posix reads [:name:] or [:^name:] if there is one.
func (p *parser) posix() (charset, bool) {
	name, _, ok := strings.Cut(p.rest()[2:], ":]")
	if !ok {
		return charset{}, false
	}
	bare := strings.TrimPrefix(name, "^")
	s, ok := posixSet(bare)
	if !ok {
		return charset{}, false
	}
	p.at += len(name) + 4
	if bare != name {
		s = s.not()
	}
	return s, true
}

// member reads one character, shorthand or range.
func (p *parser) member() charset {
	start := p.at
	lo, s, single := p.classChar()
	if !single {
		return s
	}
	if p.looking("-") && !p.looking("-]") && !p.looking("-[") && !p.looking("-&&") && p.at+1 < len(p.text) {
		back := p.at
		p.at++
		hi, s, single := p.classChar()
		if !single { // [a-\d]: the dash is itself
			return s.or(ranges(lo, lo, '-', '-'))
		}
		if hi < lo {
			p.fail(back, "the range %q to %q is upside down", lo, hi)
		}
		_ = start
		return ranges(lo, hi)
	}
	return ranges(lo, lo)
}

// classChar reads one character of a class; single is false when it was a shorthand for several.
func (p *parser) classChar() (r rune, s charset, single bool) {
	if p.text[p.at] != '\\' {
		r, w := utf8.DecodeRuneInString(p.rest())
		p.at += w
		return r, s, true
	}
	if p.at+1 >= len(p.text) {
		p.fail(p.at, "pattern ends in a backslash")
	}
	if s, ok := p.shorthand(); ok {
		return 0, s, false
	}
	switch c := p.text[p.at+1]; c {
	case 'b':
		p.at += 2
		return '\b', s, true
	case 'R', 'X':
		p.fail(p.at, `\%c cannot stand inside [...]`, c)
	case 'x':
		if b, ok := p.rawByte(); ok {
			p.fail(p.at-4, `\x%02X is a part of a character; write \u%04X`, b, b)
		}
	}
	return p.charEscape(), s, true
}
