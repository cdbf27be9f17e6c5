package query

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"
)

// regexpQuery is regexp.
type regexpQuery struct {
	base
	field, value string
	fold         bool
	flags        string
}

func parseRegexp(d *decoder, name string, n *Node) (Query, error) {
	q := &regexpQuery{flags: "ALL"}
	var err error
	q.field, err = q.base.field(name, n, "value", func(key string, v *Node) (bool, error) {
		switch key {
		case "value":
			return scalar(name, key, v, &q.value)
		case "case_insensitive":
			return flag(name, key, v, &q.fold)
		case "flags":
			return scalar(name, key, v, &q.flags)
		case "flags_value", "max_determinized_states", "rewrite":
			var s string
			return scalar(name, key, v, &s)
		}
		return false, nil
	})
	return q, err
}

func (q *regexpQuery) plan(p *planner) (node, error) {
	n, err := p.regexp(q.field, q.value, q.flags, q.fold)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// regexp matches whole values by Lucene's regular expressions.
func (p *planner) regexp(field, text, flags string, fold bool) (node, error) {
	if n := utf8.RuneCountInString(text); n > maxRegexp {
		return nil, badf("The length of regex [%d] used in the Regexp Query request has exceeded the allowed maximum of [%d]. "+
			"This maximum can be set by changing the [index.max_regex_length] index level setting.", n, maxRegexp)
	}
	match, err := CompileRegexp(text, flags, fold)
	if err != nil {
		return nil, err
	}
	return p.fitting(field, pattern{query: "regexp", prefix: literalPrefix(text, fold), match: match})
}

// literalPrefix is the plain text a regular expression starts with, up to the last character that a following ? or * may undo.
func literalPrefix(text string, fold bool) string {
	if fold || strings.ContainsAny(text, "|&~") {
		return ""
	}
	end := strings.IndexAny(text, `.?+*|{}[]()"\#@&<>~`)
	if end < 0 {
		return text
	}
	if strings.IndexByte("?*{+", text[end]) >= 0 && end > 0 {
		_, n := utf8.DecodeLastRuneInString(text[:end])
		end -= n
	}
	return text[:end]
}

// CompileRegexp makes a test from a regular expression in Lucene's syntax, which is always anchored: | ( ) [ ] . ? + * {n,m}, and by
// flags ~ (COMPLEMENT), & (INTERSECTION), <n-m> (INTERVAL), # (EMPTY), @ (ANYSTRING). ^ and $ are plain characters. ~ and & are taken
// at the top level only.
func CompileRegexp(text, flags string, fold bool) (func(v []byte) bool, error) {
	c := &regexpCompiler{text: text, fold: fold, flags: regexpFlags(flags)}
	match, err := c.intersection()
	if err != nil {
		return nil, err
	}
	return match, nil
}

type regexpCompiler struct {
	text  string
	i     int
	fold  bool
	flags string // of "~&<#@", those that are operators
	depth int
}

func regexpFlags(flags string) string {
	on := ""
	for _, f := range strings.Split(strings.ToUpper(flags), "|") {
		switch strings.TrimSpace(f) {
		case "ALL", "":
			return "~&<#@"
		case "COMPLEMENT":
			on += "~"
		case "INTERSECTION":
			on += "&"
		case "INTERVAL":
			on += "<"
		case "EMPTY":
			on += "#"
		case "ANYSTRING":
			on += "@"
		}
	}
	return on
}

func (c *regexpCompiler) fail(format string, args ...any) *Error {
	return badf("failed to parse regexp [%s]: %s", c.text, fmt.Sprintf(format, args...))
}

func (c *regexpCompiler) operator(b byte) bool { return strings.IndexByte(c.flags, b) >= 0 }

// intersection reads a & b & ~c at the top level.
func (c *regexpCompiler) intersection() (func(v []byte) bool, error) {
	var all []func([]byte) bool
	for {
		m, err := c.side()
		if err != nil {
			return nil, err
		}
		all = append(all, m)
		if c.i == len(c.text) {
			break
		}
		c.i++ // the &
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return func(v []byte) bool {
		for _, m := range all {
			if !m(v) {
				return false
			}
		}
		return true
	}, nil
}

// side reads up to the next & of the top level, or the end.
func (c *regexpCompiler) side() (func(v []byte) bool, error) {
	negate := false
	whole := c.text[c.i:]
	if strings.HasPrefix(whole, "~(") && c.operator('~') {
		negate = true
		c.i++
	}
	expr, err := c.union(negate)
	if err != nil {
		return nil, err
	}
	if c.i < len(c.text) && c.text[c.i] != '&' {
		if negate {
			return nil, c.fail("~ is supported before a group that is a whole side of & only")
		}
		return nil, c.fail("unexpected %q at %d", c.text[c.i], c.i)
	}
	opts := "(?s)"
	if c.fold {
		opts = "(?is)"
	}
	re, err := regexp.Compile(opts + `\A(?:` + expr + `)\z`)
	if err != nil {
		return nil, c.fail("%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	match := re.Match
	if lit, alone := requiredLiteral(opts + expr); alone {
		match = func(v []byte) bool { return bytes.Contains(v, lit) }
	} else if len(lit) > 0 {
		match = func(v []byte) bool { return bytes.Contains(v, lit) && re.Match(v) }
	}
	if negate {
		return func(v []byte) bool { return !match(v) }, nil
	}
	return match, nil
}

// requiredLiteral is the longest text that every match holds, nil when none is known; alone tells that the expression is that text
// with anything around it.
func requiredLiteral(expr string) (lit []byte, alone bool) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, false
	}
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	for _, p := range parts {
		if p.Op == syntax.OpLiteral && p.Flags&syntax.FoldCase == 0 {
			if text := []byte(string(p.Rune)); len(text) > len(lit) {
				lit = text
			}
		}
	}
	anything := func(p *syntax.Regexp) bool { return p.Op == syntax.OpStar && p.Sub[0].Op == syntax.OpAnyChar }
	alone = len(parts) == 3 && len(lit) > 0 && utf8.Valid(lit) && anything(parts[0]) && parts[1].Op == syntax.OpLiteral && anything(parts[2])
	return lit, alone
}

// union translates a|b|c up to the end, a closing parenthesis or a top-level &. one stops after the first atom.
func (c *regexpCompiler) union(one bool) (string, error) {
	var out strings.Builder
	for c.i < len(c.text) {
		switch b := c.text[c.i]; {
		case b == ')':
			if c.depth == 0 {
				return "", c.fail("unbalanced )")
			}
			return out.String(), nil
		case b == '&' && c.operator('&'):
			if c.depth > 0 {
				return "", c.fail("& inside a group is not supported")
			}
			return out.String(), nil
		case b == '|':
			out.WriteByte('|')
			c.i++
		case strings.IndexByte("?+*", b) >= 0:
			if out.Len() == 0 {
				return "", c.fail("nothing to repeat at %d", c.i)
			}
			// Repeating a repetition (a**, a+?) is wrapped: RE2 would read it as lazy.
			expr := out.String()
			c.i++
			if last := expr[len(expr)-1]; strings.IndexByte("?+*}", last) >= 0 && !strings.HasSuffix(expr, `\`+string(last)) {
				return "", c.fail("a repetition of a repetition needs parentheses")
			}
			out.WriteByte(b)
		case b == '{':
			if err := c.repeat(&out); err != nil {
				return "", err
			}
		default:
			if err := c.atom(&out); err != nil {
				return "", err
			}
			if one {
				return out.String(), nil
			}
		}
	}
	return out.String(), nil
}

// repeat translates {n}, {n,} and {n,m}.
func (c *regexpCompiler) repeat(out *strings.Builder) error {
	end := strings.IndexByte(c.text[c.i:], '}')
	if end < 0 || out.Len() == 0 {
		return c.fail("bad {} at %d", c.i)
	}
	spec := c.text[c.i+1 : c.i+end]
	lo, hi, _ := strings.Cut(spec, ",")
	n, err := strconv.Atoi(lo)
	if err != nil || n > 1000 {
		return c.fail("bad {%s}", spec)
	}
	if hi != "" {
		if m, err := strconv.Atoi(hi); err != nil || m > 1000 || m < n {
			return c.fail("bad {%s}", spec)
		}
	}
	out.WriteString("{" + spec + "}")
	c.i += end + 1
	return nil
}

func (c *regexpCompiler) atom(out *strings.Builder) error {
	b := c.text[c.i]
	switch {
	case b == '(':
		c.i++
		c.depth++
		if c.depth > 100 {
			return c.fail("groups nested too deep")
		}
		inner, err := c.union(false)
		if err != nil {
			return err
		}
		if c.i == len(c.text) {
			return c.fail("missing )")
		}
		c.depth--
		c.i++
		out.WriteString("(?:" + inner + ")")
		return nil
	case b == '[':
		return c.class(out)
	case b == '"':
		end := strings.IndexByte(c.text[c.i+1:], '"')
		if end < 0 {
			return c.fail("missing \"")
		}
		out.WriteString("(?:" + regexp.QuoteMeta(c.text[c.i+1:c.i+1+end]) + ")")
		c.i += end + 2
		return nil
	case b == '\\':
		return c.escaped(out)
	case b == '.':
		out.WriteByte('.')
	case b == '@' && c.operator('@'):
		out.WriteString("(?:.*)")
	case b == '#' && c.operator('#'):
		out.WriteString(`[^\x00-\x{10FFFF}]`)
	case b == '<' && c.operator('<'):
		return c.interval(out)
	case b == '~' && c.operator('~'):
		return c.fail("~ is supported at the start of a side of & only, before a group")
	default:
		_, n := utf8.DecodeRuneInString(c.text[c.i:])
		out.WriteString(regexp.QuoteMeta(c.text[c.i : c.i+n]))
		c.i += n
		return nil
	}
	c.i++
	return nil
}

func (c *regexpCompiler) escaped(out *strings.Builder) error {
	if c.i+1 == len(c.text) {
		return c.fail("a backslash at the end")
	}
	_, n := utf8.DecodeRuneInString(c.text[c.i+1:])
	lit := c.text[c.i+1 : c.i+1+n]
	c.i += 1 + n
	if strings.Contains("dDwWsS", lit) {
		out.WriteString(`\` + lit)
		return nil
	}
	out.WriteString(regexp.QuoteMeta(lit))
	return nil
}

// class translates [a-z], [^abc].
func (c *regexpCompiler) class(out *strings.Builder) error {
	i := c.i + 1
	out.WriteByte('[')
	if i < len(c.text) && c.text[i] == '^' {
		out.WriteByte('^')
		i++
	}
	empty := true
	for ; i < len(c.text) && (c.text[i] != ']' || empty); empty = false {
		switch b := c.text[i]; {
		case b == '\\' && i+1 < len(c.text):
			_, n := utf8.DecodeRuneInString(c.text[i+1:])
			lit := c.text[i+1 : i+1+n]
			if strings.Contains("dDwWsS", lit) {
				out.WriteString(`\` + lit)
			} else {
				out.WriteString(quoteClass(lit))
			}
			i += 1 + n
		case b == '-':
			out.WriteByte('-')
			i++
		default:
			_, n := utf8.DecodeRuneInString(c.text[i:])
			out.WriteString(quoteClass(c.text[i : i+n]))
			i += n
		}
	}
	if i >= len(c.text) {
		return c.fail("missing ]")
	}
	out.WriteByte(']')
	c.i = i + 1
	return nil
}

func quoteClass(lit string) string {
	if strings.ContainsAny(lit, `\]^-[&~:`) {
		return `\` + lit
	}
	return lit
}

// interval translates <n-m>: a number in the range, with leading zeros when both ends have the same length.
func (c *regexpCompiler) interval(out *strings.Builder) error {
	end := strings.IndexByte(c.text[c.i:], '>')
	if end < 0 {
		return c.fail("missing >")
	}
	a, b, ok := strings.Cut(c.text[c.i+1:c.i+end], "-")
	lo, err1 := strconv.ParseUint(a, 10, 32)
	hi, err2 := strconv.ParseUint(b, 10, 32)
	if !ok || err1 != nil || err2 != nil {
		return c.fail("bad interval %s", c.text[c.i:c.i+end+1])
	}
	if lo > hi {
		a, b, lo, hi = b, a, hi, lo
	}
	var parts []string
	if len(a) == len(b) {
		parts = digitRange(a, b)
	} else {
		parts = numberRange(lo, hi)
	}
	out.WriteString("(?:" + strings.Join(parts, "|") + ")")
	c.i += end + 1
	return nil
}

// numberRange lists patterns that together match the numbers from lo to hi, with any leading zeros.
func numberRange(lo, hi uint64) []string {
	var out []string
	for lo <= hi {
		text := strconv.FormatUint(lo, 10)
		last := strings.Repeat("9", len(text))
		if max, _ := strconv.ParseUint(last, 10, 64); max > hi {
			last = strconv.FormatUint(hi, 10)
		}
		for _, p := range digitRange(text, last) {
			out = append(out, "0*"+p)
		}
		end, _ := strconv.ParseUint(last, 10, 64)
		lo = end + 1
	}
	return out
}

// digitRange lists patterns that together match the digit strings from lo to hi, which are equally long.
func digitRange(lo, hi string) []string {
	if lo == "" {
		return []string{""}
	}
	if lo[0] == hi[0] {
		return prefixed(lo[:1], digitRange(lo[1:], hi[1:]))
	}
	n := len(lo) - 1
	out := prefixed(lo[:1], digitRange(lo[1:], strings.Repeat("9", n)))
	if hi[0]-lo[0] > 1 {
		mid := fmt.Sprintf("[%c-%c]", lo[0]+1, hi[0]-1)
		if n > 0 {
			mid += fmt.Sprintf("[0-9]{%d}", n)
		}
		out = append(out, mid)
	}
	return append(out, prefixed(hi[:1], digitRange(strings.Repeat("0", n), hi[1:]))...)
}

func prefixed(p string, list []string) []string {
	for i := range list {
		list[i] = p + list[i]
	}
	return list
}
