package mapping

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads the rest of a string behind its opening quote; raw is what stands between the quotes.
func (s *Scanner) str() (raw []byte, esc bool, err error) {
	from := s.i
	for {
		n, c := plainRun(s.b[s.i:])
		s.i += n
		switch {
		case s.i >= len(s.b):
			return nil, false, s.fail("Unexpected end-of-input in a string")
		case c == '"':
			raw = s.b[from:s.i]
			s.i++
			return raw, esc, nil
		case c == '\\':
			esc = true
			s.i = min(s.i+2, len(s.b))
		default:
			return nil, false, s.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainRun is the number of bytes before the first quote, backslash or control character, and that byte.
func plainRun(b []byte) (int, byte) {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q := w ^ ones*'"'
		bs := w ^ ones*'\\'
		if (q-ones)&^q&highs|(bs-ones)&^bs&highs|(w-ones*0x20)&^w&highs != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c < 0x20 || c == '"' || c == '\\' {
			return i, c
		}
	}
	return i, 0
}

// text reads a string and decodes it: a slice of the document, or of the arena when it has escapes or invalid UTF-8.
func (s *Scanner) text() ([]byte, error) {
	s.i++
	raw, esc, err := s.str()
	if err != nil {
		return nil, err
	}
	if !esc && utf8.Valid(raw) {
		return raw, nil
	}
	s.out.room(3 * len(raw))
	at := len(s.out.arena)
	b, err := unescape(s.out.arena, raw)
	if err != nil {
		return nil, s.fail("%v", err)
	}
	if !utf8.Valid(b[at:]) {
		return bytes.ToValidUTF8(b[at:], []byte("\uFFFD")), nil
	}
	s.out.arena = b
	return b[at:len(b):len(b)], nil
}

var errEscape = errors.New("Unrecognized character escape")

// unescape appends the characters of a JSON string's inside; lone surrogates become U+FFFD.
func unescape(dst, raw []byte) ([]byte, error) {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' {
			n := bytes.IndexByte(raw[i:], '\\')
			if n < 0 {
				n = len(raw) - i
			}
			dst = append(dst, raw[i:i+n]...)
			i += n - 1
			continue
		}
		if i++; i >= len(raw) {
			return dst, errEscape
		}
		switch raw[i] {
		case '"', '\\', '/':
			dst = append(dst, raw[i])
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, n := hexRune(raw[i+1:])
			if n == 0 {
				return dst, errEscape
			}
			i += n
			if utf16.IsSurrogate(r) {
				r2, n2 := rune(0), 0
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					r2, n2 = hexRune(raw[i+3:])
				}
				if d := utf16.DecodeRune(r, r2); n2 > 0 && d != utf8.RuneError {
					r = d
					i += 2 + n2
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, errEscape
		}
	}
	return dst, nil
}

// hexRune reads four hexadecimal digits; n is 0 when there are none.
func hexRune(b []byte) (r rune, n int) {
	if len(b) < 4 {
		return 0, 0
	}
	for _, c := range b[:4] {
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, 0
		}
		r = r<<4 | rune(c)
	}
	return r, 4
}

// number reads a JSON number.
func (s *Scanner) number() ([]byte, error) {
	from := s.i
	b := s.b
	i := from
	if i < len(b) && b[i] == '-' {
		i++
	}
	lead := i
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	good := i > lead && (b[lead] != '0' || i == lead+1)
	if good && i < len(b) && b[i] == '.' {
		frac := i + 1
		for i = frac; i < len(b) && b[i]-'0' <= 9; i++ {
		}
		good = i > frac
	}
	if good && i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exp := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		good = i > exp
	}
	if !good {
		s.i = i
		return nil, s.fail("Unexpected character: expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	s.i = i
	return b[from:i], nil
}

func (s *Scanner) literal(word string) error {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.fail("Unrecognized token: was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	s.i += len(word)
	return nil
}

// skip steps over a value, checking it.
func (s *Scanner) skip(depth int) error {
	if s.i >= len(s.b) {
		return s.fail("Unexpected end-of-input: expected a value")
	}
	if depth >= MaxDepth {
		return s.fail("The depth of the document exceeds the allowed maximum of [%d]", MaxDepth)
	}
	switch s.b[s.i] {
	case '"':
		s.i++
		raw, esc, err := s.str()
		if err == nil && esc {
			if _, uerr := unescape(s.tmp[:0], raw); uerr != nil {
				return s.fail("%v", uerr)
			}
		}
		return err
	case '{':
		return s.skipMembers(depth, '}')
	case '[':
		return s.skipMembers(depth, ']')
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	}
	_, err := s.number()
	return err
}

// skipMembers steps over an object or array.
func (s *Scanner) skipMembers(depth int, end byte) error {
	s.i++
	s.space()
	if s.i < len(s.b) && s.b[s.i] == end {
		s.i++
		return nil
	}
	for {
		s.space()
		if end == '}' {
			if s.i >= len(s.b) || s.b[s.i] != '"' {
				return s.fail("Unexpected character: was expecting double-quote to start field name")
			}
			if err := s.skip(depth); err != nil {
				return err
			}
			s.space()
			if s.i >= len(s.b) || s.b[s.i] != ':' {
				return s.fail("Unexpected character: was expecting a colon to separate field name and value")
			}
			s.i++
			s.space()
		}
		if err := s.skip(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.i >= len(s.b) || s.b[s.i] != ',' && s.b[s.i] != end {
			return s.fail("Unexpected character: was expecting comma to separate entries")
		}
		s.i++
		if s.b[s.i-1] == end {
			return nil
		}
	}
}

// jsonType is the type dynamic mapping gives the scalar the scanner stands on; the scanner does not move.
func (s *Scanner) jsonType() (string, error) {
	at := s.i
	defer func() { s.i = at }()
	switch s.b[s.i] {
	case '"':
		s.i++
		raw, _, err := s.str()
		if err != nil {
			return "", err
		}
		return s.stringType(string(raw)), nil
	case 't', 'f':
		return "boolean", nil
	}
	raw, err := s.number()
	if err != nil {
		return "", err
	}
	if bytes.IndexAny(raw, ".eE") >= 0 {
		return "double", nil
	}
	return "long", nil
}

// stringType looks into a string for a date or a number.
func (s *Scanner) stringType(text string) string {
	o := &s.m.opts
	if o.dateDetection && len(text) > 0 && text[0]-'0' <= 9 {
		for _, f := range o.dateFormats {
			if _, err := f.Parse(text, false, nil); err == nil {
				return "date"
			}
		}
	}
	if o.numericDetection {
		if _, ok := plainInt([]byte(text)); ok {
			return "long"
		}
		if _, ok := plainFloat([]byte(text)); ok {
			return "double"
		}
	}
	return "string"
}

// AppendCompact appends a valid JSON text without white space outside strings, with strings in the form AppendString gives them.
func AppendCompact(dst, raw []byte) []byte {
	var tmp []byte
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch c {
		case ' ', '\n', '\t', '\r':
			continue
		case '"':
			n, esc := 0, false
			for n = i + 1; n < len(raw) && raw[n] != '"'; n++ {
				if raw[n] == '\\' {
					n++
					esc = true
				}
			}
			n = min(n, len(raw))
			in := raw[i+1 : n]
			if esc || !utf8.Valid(in) {
				var err error
				if tmp, err = unescape(tmp[:0], in); err == nil {
					in = bytes.ToValidUTF8(tmp, []byte("\uFFFD"))
				}
				dst = AppendString(dst, in)
			} else {
				dst = append(append(append(dst, '"'), in...), '"')
			}
			i = n
			continue
		}
		dst = append(dst, c)
	}
	return dst
}
