package mapping

import (
	"bytes"
	"fmt"
	"strings"
	"unsafe"

	"github.com/valyala/fastjson/fastfloat"
)

// token is what kind of scalar a value is.
type token uint8

const (
	tokString token = iota
	tokNumber
	tokBool
)

// fieldValue reads the value of a key that has a field.
func (s *Scanner) fieldValue(f *Field, depth int) error {
	s.once(f)
	from := s.i
	switch {
	case f.Type == Other || f.Type == Binary || !f.Index && !f.DocValues:
		return s.keepValue(depth)
	case f.Type == GeoPoint || f.Type == Flattened:
		return s.special(f, depth)
	case s.b[s.i] == '[':
		return s.fieldArray(f, depth)
	case s.b[s.i] == '{':
		return s.objectForField(f, depth)
	case s.b[s.i] == 'n':
		if err := s.literal("null"); err != nil {
			return err
		}
		s.shape(ShapeNull)
		return s.nullValue(f)
	}
	it, ok, err := s.fieldScalar(f)
	if err != nil {
		return err
	}
	s.leaf(f, ShapeLeaf, it, ok, from)
	return nil
}

// once notes that the document has a value of f; a document that spells a field twice is kept whole, because its values could not be
// told apart when it is printed.
func (s *Scanner) once(f *Field) {
	if s.muted > 0 {
		s.whole = s.whole || s.seen[f.Num] == s.doc
		s.inside[f.Num] = s.doc
		return
	}
	s.whole = s.whole || s.seen[f.Num] == s.doc || s.inside[f.Num] == s.doc
	s.seen[f.Num] = s.doc
}

// leaf puts a value of f into the shape, or the bytes from from on into the rest.
func (s *Scanner) leaf(f *Field, code byte, it ShapeItem, ok bool, from int) {
	if s.muted > 0 {
		return
	}
	if !ok || f.Copied {
		s.out.Shapes = append(s.out.Shapes, ShapeVerbatim)
		s.verbatim(s.b[from:s.i])
		return
	}
	it.Code, it.Field = code, f.Num
	s.out.Shapes = AppendShape(s.out.Shapes, it)
}

// fieldArray reads an array of scalars of f.
func (s *Scanner) fieldArray(f *Field, depth int) error {
	from := s.i
	first, n, ok, err := s.fieldElements(f, depth)
	if err != nil {
		return err
	}
	if n == 0 {
		s.shape(ShapeArray)
		s.shape(ShapeArrayEnd)
		return nil
	}
	s.leaf(f, ShapeLeaves, first, ok, from)
	return nil
}

// fieldElements reads the elements; ok tells that all are spelled as the first.
func (s *Scanner) fieldElements(f *Field, depth int) (first ShapeItem, n int, ok bool, err error) {
	if depth >= MaxDepth {
		return first, 0, false, s.fail("The depth of the document exceeds the allowed maximum of [%d]", MaxDepth)
	}
	s.i++
	ok = true
	for {
		s.space()
		if s.i >= len(s.b) {
			return first, n, false, s.fail("Unexpected end-of-input: expected close marker for Array")
		}
		if s.b[s.i] == ']' && n == 0 {
			s.i++
			return first, 0, true, nil
		}
		it, good, err := s.fieldElement(f, depth)
		if err != nil {
			return first, n, false, err
		}
		if n == 0 {
			first = it
		}
		ok = ok && good && it.Form == first.Form && it.Offset == first.Offset
		n++
		s.space()
		if s.i >= len(s.b) || s.b[s.i] != ',' && s.b[s.i] != ']' {
			return first, n, false, s.fail("Unexpected character: was expecting comma to separate Array entries")
		}
		s.i++
		if s.b[s.i-1] == ']' {
			return first, n, ok, nil
		}
	}
}

func (s *Scanner) fieldElement(f *Field, depth int) (it ShapeItem, ok bool, err error) {
	switch s.b[s.i] {
	case '[':
		_, _, _, err = s.fieldElements(f, depth+1)
		return it, false, err
	case '{':
		s.muted++
		err = s.objectForField(f, depth)
		s.muted--
		return it, false, err
	case 'n':
		if err = s.literal("null"); err == nil {
			err = s.nullValue(f)
		}
		return it, false, err
	}
	return s.fieldScalar(f)
}

// nullValue adds what the mapping says null stands for.
func (s *Scanner) nullValue(f *Field) error {
	if f.NullValue == nil {
		return nil
	}
	_, _, err := s.addScalar(f, f.NullValue, tokString)
	return err
}

// objectForField is an object where the mapping has a concrete field.
func (s *Scanner) objectForField(f *Field, depth int) error {
	if !s.tolerant(f) {
		return s.malformed(f, "an object", fmt.Errorf("Expected a concrete value but found START_OBJECT"))
	}
	s.ignore(f.Path)
	return s.keepValue(depth)
}

// tolerant tells whether a bad value of f is ignored rather than refused.
func (s *Scanner) tolerant(f *Field) bool {
	if f.IgnoreMalformed {
		return true
	}
	return s.lim.IgnoreMalformed && f.Path != "@timestamp" && f.Param("ignore_malformed") == nil
}

// malformed is the refusal of a value.
func (s *Scanner) malformed(f *Field, preview string, cause error) *Error {
	if len(preview) > 50 {
		preview = preview[:50]
	}
	return &Error{Status: 400, Type: "document_parsing_exception",
		Reason: fmt.Sprintf("%s failed to parse field [%s] of type [%s] in document with id '%s'. Preview of field's value: '%s'", s.at(), f.Path, f.TypeName, s.id, preview),
		Cause:  &Error{Type: "illegal_argument_exception", Reason: cause.Error()}}
}

// fieldScalar reads a string, number or boolean and adds it to f, its multi-fields and what it is copied to. ok is false when the
// value cannot be printed from the column.
func (s *Scanner) fieldScalar(f *Field) (it ShapeItem, ok bool, err error) {
	var text []byte
	tok := tokNumber
	switch c := s.b[s.i]; {
	case c == '"':
		tok = tokString
		text, err = s.text()
	case c == 't':
		tok, text = tokBool, litTrue
		err = s.literal("true")
	case c == 'f':
		tok, text = tokBool, litFalse
		err = s.literal("false")
	default:
		text, err = s.number()
	}
	if err != nil {
		return it, false, err
	}
	it, ok, err = s.addScalar(f, text, tok)
	if err != nil {
		return it, false, err
	}
	for _, m := range f.Multi {
		if _, _, err = s.addScalar(m, text, tok); err != nil {
			return it, false, err
		}
	}
	for _, to := range f.CopyTo {
		if t := s.m.Field(to); t != nil {
			if _, _, err = s.addScalar(t, text, tok); err != nil {
				return it, false, err
			}
		}
	}
	return it, ok, nil
}

var (
	litTrue  = []byte("true")
	litFalse = []byte("false")
)

// addScalar adds one value to one field.
func (s *Scanner) addScalar(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	switch f.Type {
	case Keyword, Wildcard:
		return s.addKeyword(f, text, tok)
	case Text, MatchOnlyText:
		s.add(f, Value{Bytes: text})
		return textForm(tok), true, nil
	case ConstantKeyword:
		return s.addConstant(f, text, tok)
	case Long, Integer, Short, Byte, UnsignedLong, Double, Float, HalfFloat, ScaledFloat, Boolean:
		return s.addNumber(f, text, tok)
	case Date, DateNanos:
		return s.addDate(f, text, tok)
	case IP, Version:
		return s.addTerm(f, text, tok)
	}
	return it, false, nil
}

func textForm(tok token) ShapeItem {
	if tok == tokString {
		return ShapeItem{Form: FormNative}
	}
	return ShapeItem{Form: FormRaw}
}

func (s *Scanner) addKeyword(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	if f.IgnoreAbove > 0 && len(text) > f.IgnoreAbove && utf16Length(text) > f.IgnoreAbove {
		s.ignore(f.Path)
		return it, false, nil
	}
	norm := text
	if f.Normalizer != "" {
		norm = f.Normalize(text)
	}
	s.add(f, Value{Bytes: norm})
	return textForm(tok), f.Normalizer == "" || bytes.Equal(norm, text), nil
}

// utf16Length is the length Java gives a string.
func utf16Length(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x80 || c >= 0xC0 {
			n++
		}
		if c >= 0xF0 {
			n++
		}
	}
	return n
}

func (s *Scanner) addConstant(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	switch {
	case f.Constant == nil:
		s.missing = append(s.missing, Missing{Path: f.Path, Type: "constant", Value: string(text)})
	case !bytes.Equal(f.Constant, text):
		return it, false, s.malformed(f, string(text), fmt.Errorf("[constant_keyword] field [%s] only accepts values that are equal to the value defined in the mappings [%s], but got [%s]", f.Path, f.Constant, text))
	}
	s.add(f, Value{Bytes: text})
	return textForm(tok), true, nil
}

func (s *Scanner) addTerm(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	b, err := f.Term(str(text))
	if err != nil {
		return s.bad(f, text, err)
	}
	s.add(f, Value{Bytes: s.out.keep(b)})
	return ShapeItem{Form: FormNative}, tok == tokString && f.TermText(b) == str(text), nil
}

// bad refuses a value or names it in _ignored.
func (s *Scanner) bad(f *Field, text []byte, cause error) (it ShapeItem, ok bool, err error) {
	if s.tolerant(f) {
		s.ignore(f.Path)
		return it, false, nil
	}
	return it, false, s.malformed(f, string(text), cause)
}

func (s *Scanner) addNumber(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	if tok == tokString {
		it.Form = FormQuoted
		if f.Type != Boolean && !f.Coerce && f.Type != UnsignedLong {
			return s.bad(f, text, fmt.Errorf("%s value passed as String", f.Type))
		}
	}
	if f.Type == Boolean {
		if tok == tokNumber {
			return s.bad(f, text, fmt.Errorf("Failed to parse value [%s] as only [true] or [false] are allowed.", text))
		}
	} else if tok == tokBool {
		return s.bad(f, text, fmt.Errorf("For input string: \"%s\"", text))
	}
	if f.Type >= Long && f.Type <= Byte {
		if n, plain := plainInt(text); plain {
			if lo, hi := intBounds(f.Type); n < lo || n > hi {
				return s.bad(f, text, fmt.Errorf("Value [%s] is out of range for a %s", text, f.Type))
			}
			s.add(f, Value{Num: n})
			return it, true, nil
		}
	}
	if f.Type == Double {
		if n, plain := plainFloat(text); plain {
			s.add(f, Value{Num: n})
			s.tmp = AppendFloat(s.tmp[:0], Unsortable(n), Double)
			return it, bytes.Equal(s.tmp, text), nil
		}
	}
	if len(text) == 0 {
		if f.Type == Boolean {
			s.add(f, Value{Num: 0})
			return it, false, nil
		}
		return s.bad(f, text, fmt.Errorf("For input string: \"\""))
	}
	n, err := f.Number(str(text))
	if err != nil {
		return s.bad(f, text, err)
	}
	s.add(f, Value{Num: n})
	s.tmp = f.AppendNumber(s.tmp[:0], n)
	return it, bytes.Equal(s.tmp, text), nil
}

// plainInt reads an integer of up to 18 digits that prints as it is written.
func plainInt(b []byte) (int64, bool) {
	neg := false
	if len(b) > 1 && b[0] == '-' {
		neg, b = true, b[1:]
	}
	if len(b) == 0 || len(b) > 18 || b[0] == '0' && (len(b) > 1 || neg) {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// plainFloat reads a decimal without exponent and at most 15 digits, which the quick parser reads exactly.
func plainFloat(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 16 || bytes.IndexByte(b, 'e') >= 0 || bytes.IndexByte(b, 'E') >= 0 || b[0]-'0' > 9 && b[0] != '-' {
		return 0, false
	}
	d, err := fastfloat.Parse(str(b))
	if err != nil {
		return 0, false
	}
	return Sortable(d), true
}

func (s *Scanner) addDate(f *Field, text []byte, tok token) (it ShapeItem, ok bool, err error) {
	if tok == tokBool {
		return s.bad(f, text, fmt.Errorf("failed to parse date field [%s] with format [%s]", text, f.Format.Spec))
	}
	t := str(text)
	if tok == tokString && f.Format.alts[0].iso == isoStrict {
		if ns, full := parseISOFull(t); full {
			digits := max(len(t)-21, 0)
			s.add(f, Value{Num: f.Time(ns)})
			it.Form = FormISO + Form(digits)
			return it, (digits <= 3 || f.Type == DateNanos) && (digits == 0 || t[19] == '.'), nil
		}
	}
	ns, err := f.Format.Parse(t, false, nil)
	if err != nil {
		return s.bad(f, text, err)
	}
	v := f.Time(ns)
	s.add(f, Value{Num: v})
	it = dateForm(t, tok)
	if it.Form == FormNative {
		return it, false, nil
	}
	s.tmp = AppendLeaf(s.tmp[:0], f.Type, it, v, nil)
	if tok == tokString {
		return it, len(s.tmp) > 2 && string(s.tmp[1:len(s.tmp)-1]) == t, nil
	}
	return it, string(s.tmp) == t, nil
}

// dateForm guesses how a date is spelled; the caller prints it to see.
func dateForm(t string, tok token) (it ShapeItem) {
	if tok == tokNumber {
		it.Form = FormMillis
		return it
	}
	if len(t) > 0 && strings.IndexByte(t, '-') <= 0 {
		it.Form = FormMillisQ
		return it
	}
	if len(t) < 25 || t[len(t)-3] != ':' {
		return it
	}
	sign := t[len(t)-6]
	h, ok1 := digits2(t[len(t)-5:])
	m, ok2 := digits2(t[len(t)-2:])
	digits := max(len(t)-26, 0)
	if sign != '+' && sign != '-' || !ok1 || !ok2 || digits > 9 {
		return it
	}
	it.Form, it.Offset = FormISOZone+Form(digits), h*60+m
	if sign == '-' {
		it.Offset = -it.Offset
	}
	return it
}

// str looks at bytes as a string without copying; the result lives no longer than b.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
