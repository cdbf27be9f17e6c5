package query

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Kind is the type of a JSON value.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// maxJSONDepth bounds the nesting of a request body.
const maxJSONDepth = 500

// Node is a JSON value of a request, with its place for error messages. Keys keep their order; a repeated key is an error.
type Node struct {
	Kind Kind
	Off  int     // byte offset in the body
	Str  string  // the string, or the literal of a number or boolean
	Keys []Key   // of an object, parallel to Vals
	Vals []*Node // of an object or array
	text string  // the whole body
}

// Key is a member name.
type Key struct {
	Name string
	Off  int
}

// Raw is the value's text.
func (n *Node) Raw() string {
	p := jsonParser{text: n.text, i: n.Off}
	if _, err := p.value(0); err != nil {
		return ""
	}
	return n.text[n.Off:p.i]
}

// Get is the member of that name, nil when absent or when n is no object.
func (n *Node) Get(name string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	for i, k := range n.Keys {
		if k.Name == name {
			return n.Vals[i]
		}
	}
	return nil
}

// Text is a scalar as text; ok is false for null, arrays and objects.
func (n *Node) Text() (s string, ok bool) {
	switch n.Kind {
	case Bool, Number, String:
		return n.Str, true
	}
	return "", false
}

// Float is a number, or a string that holds one.
func (n *Node) Float() (f float64, ok bool) {
	if n.Kind != Number && n.Kind != String {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Str, 64)
	return f, err == nil
}

// Int is a whole number, or a string that holds one.
func (n *Node) Int() (v int, ok bool) {
	f, ok := n.Float()
	return int(f), ok && f == float64(int(f))
}

// Bool is a boolean, or the strings "true" and "false".
func (n *Node) Bool() (v, ok bool) {
	if n.Kind != Bool && n.Kind != String {
		return false, false
	}
	return n.Str == "true", n.Str == "true" || n.Str == "false"
}

// Errorf is a parsing_exception at the value.
func (n *Node) Errorf(format string, args ...any) *Error {
	return parsingError(n.text, n.Off, format, args...)
}

// KeyErrorf is a parsing_exception at member i.
func (n *Node) KeyErrorf(i int, format string, args ...any) *Error {
	return parsingError(n.text, n.Keys[i].Off, format, args...)
}

func parsingError(text string, off int, format string, args ...any) *Error {
	e := badf(format, args...)
	e.Type = "parsing_exception"
	e.Line, e.Col = lineCol(text, off)
	return e
}

func lineCol(text string, off int) (line, col int) {
	off = min(off, len(text))
	line = 1 + strings.Count(text[:off], "\n")
	return line, off - strings.LastIndexByte(text[:off], '\n')
}

// token is the name of a value's first token in Elasticsearch's messages.
func (k Kind) token() string {
	return [...]string{"VALUE_NULL", "VALUE_BOOLEAN", "VALUE_NUMBER", "VALUE_STRING", "START_ARRAY", "START_OBJECT"}[k]
}

// ParseJSON reads one JSON value; nothing but white space may follow it.
func ParseJSON(text string) (*Node, error) {
	p := jsonParser{text: text}
	n, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.i < len(text) {
		return nil, p.fail("unexpected text after the end of the body")
	}
	return n, nil
}

type jsonParser struct {
	text string
	i    int
}

func (p *jsonParser) fail(format string, args ...any) *Error {
	e := parsingError(p.text, p.i, format, args...)
	e.Type = "x_content_parse_exception"
	return e
}

func (p *jsonParser) space() {
	for p.i < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.i]) >= 0 {
		p.i++
	}
}

func (p *jsonParser) value(depth int) (*Node, error) {
	p.space()
	if p.i == len(p.text) {
		return nil, p.fail("unexpected end of input")
	}
	if depth > maxJSONDepth {
		return nil, p.fail("nesting deeper than %d", maxJSONDepth)
	}
	n := &Node{Off: p.i, text: p.text}
	switch c := p.text[p.i]; {
	case c == '{':
		return n, p.object(n, depth)
	case c == '[':
		return n, p.array(n, depth)
	case c == '"':
		n.Kind = String
		var err error
		n.Str, err = p.str()
		return n, err
	case c == '-' || '0' <= c && c <= '9':
		n.Kind = Number
		return n, p.number(n)
	}
	for _, w := range []struct {
		word string
		kind Kind
	}{{"true", Bool}, {"false", Bool}, {"null", Null}} {
		if strings.HasPrefix(p.text[p.i:], w.word) {
			p.i += len(w.word)
			n.Kind, n.Str = w.kind, w.word
			return n, nil
		}
	}
	return nil, p.fail("unexpected character (%q)", p.text[p.i:p.i+1])
}

func (p *jsonParser) object(n *Node, depth int) error {
	n.Kind = Object
	p.i++
	for {
		if p.space(); p.i < len(p.text) && p.text[p.i] == '}' && len(n.Keys) == 0 {
			p.i++
			return nil
		}
		if p.i == len(p.text) || p.text[p.i] != '"' {
			return p.fail("expected a field name in double quotes")
		}
		k := Key{Off: p.i}
		var err error
		if k.Name, err = p.str(); err != nil {
			return err
		}
		if n.Get(k.Name) != nil {
			return p.fail("Duplicate field '%s'", k.Name)
		}
		if p.space(); p.i == len(p.text) || p.text[p.i] != ':' {
			return p.fail("expected ':' after field name [%s]", k.Name)
		}
		p.i++
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Keys, n.Vals = append(n.Keys, k), append(n.Vals, v)
		if done, err := p.next('}'); done || err != nil {
			return err
		}
	}
}

func (p *jsonParser) array(n *Node, depth int) error {
	n.Kind = Array
	p.i++
	if p.space(); p.i < len(p.text) && p.text[p.i] == ']' {
		p.i++
		return nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		n.Vals = append(n.Vals, v)
		if done, err := p.next(']'); done || err != nil {
			return err
		}
	}
}

// next steps over a comma, or over end.
func (p *jsonParser) next(end byte) (done bool, err error) {
	p.space()
	if p.i < len(p.text) && (p.text[p.i] == ',' || p.text[p.i] == end) {
		p.i++
		return p.text[p.i-1] == end, nil
	}
	return false, p.fail("expected ',' or '%c'", end)
}

func (p *jsonParser) number(n *Node) error {
	start := p.i
	digits := func() bool {
		from := p.i
		for p.i < len(p.text) && '0' <= p.text[p.i] && p.text[p.i] <= '9' {
			p.i++
		}
		return p.i > from
	}
	sign := func(set string) bool {
		if p.i < len(p.text) && strings.IndexByte(set, p.text[p.i]) >= 0 {
			p.i++
			return true
		}
		return false
	}
	sign("-")
	whole := p.i
	ok := digits() && (p.text[whole] != '0' || p.i == whole+1)
	if ok && sign(".") {
		ok = digits()
	}
	if ok && sign("eE") {
		sign("+-")
		ok = digits()
	}
	if n.Str = p.text[start:p.i]; !ok {
		p.i = start
		return p.fail("bad number")
	}
	return nil
}

func (p *jsonParser) str() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.text) && p.text[p.i] != '"' && p.text[p.i] != '\\' {
		if p.text[p.i] < ' ' {
			return "", p.fail("control character in a string")
		}
		p.i++
	}
	if p.i < len(p.text) && p.text[p.i] == '"' {
		p.i++
		return p.text[start : p.i-1], nil
	}
	buf := []byte(p.text[start:p.i])
	for p.i < len(p.text) {
		switch c := p.text[p.i]; {
		case c == '"':
			p.i++
			return string(buf), nil
		case c < ' ':
			return "", p.fail("control character in a string")
		case c != '\\':
			buf = append(buf, c)
			p.i++
		default:
			var err error
			if buf, err = p.escape(buf); err != nil {
				return "", err
			}
		}
	}
	return "", p.fail("unexpected end of input in a string")
}

func (p *jsonParser) escape(buf []byte) ([]byte, error) {
	if p.i+1 == len(p.text) {
		return nil, p.fail("unexpected end of input in a string")
	}
	c := p.text[p.i+1]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		p.i += 2
		return append(buf, "\"\\/\b\f\n\r\t"[i]), nil
	}
	r, ok := p.unicode(p.i)
	if c != 'u' || !ok {
		return nil, p.fail("bad escape")
	}
	p.i += 6
	if utf16.IsSurrogate(r) {
		low, ok := p.unicode(p.i)
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			p.i += 6
			return utf8.AppendRune(buf, pair), nil
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(buf, r), nil
}

// unicode reads \uXXXX at i.
func (p *jsonParser) unicode(i int) (rune, bool) {
	if i+6 > len(p.text) || p.text[i] != '\\' || p.text[i+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(p.text[i+2:i+6], 16, 32)
	return rune(v), err == nil
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
