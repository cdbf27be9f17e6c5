package event

import (
	"math"
	"strconv"
)

// Kind is the type of a Value.
type Kind uint8

const (
	NilKind Kind = iota
	BoolKind
	IntKind    // int64
	FloatKind  // float64
	BigKind    // an integer past int64, or a number past float64: its digits
	StringKind // may hold invalid UTF-8, which becomes U+FFFD on output
	TimeKind   // ns since 1970 UTC
	MapKind    // keeps the order of insertion
	ListKind

	raw // JSON text that was not touched yet; never returned by Value.Kind
)

func (k Kind) String() string {
	return [...]string{"nil", "boolean", "integer", "float", "number", "string", "timestamp", "object", "list", "raw"}[k]
}

// Value is the value of a field. The zero Value is nil.
type Value struct {
	kind  Kind
	plain bool   // s is ASCII and needs no escape in JSON
	n     uint64 // Bool, Int, Float, Time
	s     string // String, Big, raw
	p     *node  // Map, List; of a String, the JSON text it was read from, when there is one
}

// node is the content of a Map (fields), a List (list) or the JSON text of a String (text).
type node struct {
	fields []field
	list   []Value
	text   string
}

// Bool makes a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: BoolKind, n: 1}
	}
	return Value{kind: BoolKind}
}

// Int makes an integer value.
func Int(i int64) Value { return Value{kind: IntKind, n: uint64(i)} }

// Float makes a float value.
func Float(f float64) Value { return Value{kind: FloatKind, n: math.Float64bits(f)} }

// String makes a string value. s must live as long as the batch.
func String(s string) Value { return Value{kind: StringKind, s: s} }

// Time makes a timestamp of ns nanoseconds since 1970 UTC.
func Time(ns int64) Value { return Value{kind: TimeKind, n: uint64(ns)} }

// Sub makes a string value of a piece of v's string; it keeps what is known about v's characters.
func (v Value) Sub(from, to int) Value {
	return Value{kind: StringKind, plain: v.plain, s: v.s[from:to]}
}

// Kind is the type of v; text not yet read counts as what it is.
func (v Value) Kind() Kind {
	if v.kind != raw {
		return v.kind
	}
	switch v.s[0] {
	case '{':
		return MapKind
	case '[':
		return ListKind
	case '"':
		return StringKind
	}
	return decodeNumber(v.s).kind
}

// IsNil reports whether v is null.
func (v Value) IsNil() bool { return v.kind == NilKind }

// Str is the string of a String, else "".
func (v Value) Str() string {
	if v.kind == StringKind {
		return v.s
	}
	return ""
}

// Int64 is the integer of an Int or a Time in ns, else 0.
func (v Value) Int64() int64 {
	if v.kind == IntKind || v.kind == TimeKind {
		return int64(v.n)
	}
	return 0
}

// Truth is the boolean of a Bool.
func (v Value) Truth() bool { return v.kind == BoolKind && v.n == 1 }

// Float64 is the number of an Int, a Float or a Big; ok is false for other kinds.
func (v Value) Float64() (f float64, ok bool) {
	switch v.kind {
	case IntKind:
		return float64(int64(v.n)), true
	case FloatKind:
		return math.Float64frombits(v.n), true
	case BigKind:
		f, _ = strconv.ParseFloat(v.s, 64)
		return f, true
	}
	return 0, false
}

// decodeNumber reads a valid JSON number. Integers past int64 keep their digits.
func decodeNumber(s string) Value {
	integer := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '.' || c == 'e' || c == 'E' {
			integer = false
			break
		}
	}
	if integer {
		if i, ok := parseInt(s); ok {
			return Int(i)
		}
		return Value{kind: BigKind, s: s}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Value{kind: BigKind, s: s}
	}
	return Float(f)
}

func parseInt(s string) (int64, bool) {
	if len(s) > 18 {
		i, err := strconv.ParseInt(s, 10, 64)
		return i, err == nil
	}
	neg := s[0] == '-'
	if neg {
		s = s[1:]
	}
	n := int64(0)
	for i := 0; i < len(s); i++ {
		n = n*10 + int64(s[i]-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// AppendText appends v as sprintf shows it: a list joined by commas, a map as JSON, floats as Java prints them, nil as nothing. dst must not
// be an open Buf of b.
func (b *Batch) AppendText(dst []byte, v Value) []byte {
	v = b.load(&v)
	switch v.Kind() {
	case NilKind:
		return dst
	case StringKind:
		return append(dst, v.s...)
	case ListKind:
		for i, el := range b.Elems(v) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = b.AppendText(dst, el)
		}
		return dst
	case TimeKind:
		return AppendISO(dst, int64(v.n))
	}
	return b.AppendJSON(dst, v)
}

// Text is v as AppendText shows it. A string is not copied.
func (b *Batch) Text(v Value) string {
	v = b.load(&v)
	switch v.Kind() {
	case StringKind:
		return v.s
	case ListKind: // its strings may be decoded into the arena while the text is made
		return b.KeepBytes(b.AppendText(make([]byte, 0, 256), v))
	}
	return b.Keep(b.AppendText(b.Buf(), v))
}

// AppendFloat appends f as Java's Double.toString prints it: at least one digit behind the point, 1.0E10 from 10^7 on and
// 1.0E-4 below 10^-3.
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if a := math.Abs(f); a == 0 || a >= 1e-3 && a < 1e7 {
		n := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[n:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var tmp [32]byte
	t := strconv.AppendFloat(tmp[:0], f, 'e', -1, 64)
	for i, c := range t {
		if c != 'e' {
			dst = append(dst, c)
			continue
		}
		if i == 1 || i == 2 && t[0] == '-' {
			dst = append(dst, ".0"...)
		}
		dst = append(dst, 'E')
		exp := t[i+1:]
		if exp[0] == '-' {
			dst = append(dst, '-')
		}
		exp = exp[1:]
		if exp[0] == '0' && len(exp) > 1 { // e-07
			exp = exp[1:]
		}
		return append(dst, exp...)
	}
	return dst
}

// JSON makes a value of text that is known to be valid JSON without line breaks between its tokens. s must live as long as the batch.
func JSON(s string) Value { return Value{kind: raw, s: s} }
