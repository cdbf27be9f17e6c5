package painless

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// Map is a map from strings that keeps the order of its keys.
type Map struct {
	keys []string
	vals []any
	at   map[string]int // nil while the map is small
}

// small is the size up to which a map is searched from the front.
const small = 16

// NewMap is an empty map.
func NewMap() *Map { return &Map{} }

// Len is the number of keys.
func (m *Map) Len() int { return len(m.keys) }

func (m *Map) find(k string) int {
	if m.at != nil {
		if i, ok := m.at[k]; ok {
			return i
		}
		return -1
	}
	return slices.Index(m.keys, k)
}

// Get is the value of a key.
func (m *Map) Get(k string) (any, bool) {
	if i := m.find(k); i >= 0 {
		return m.vals[i], true
	}
	return nil, false
}

// Set gives a key a value; a new key goes to the end.
func (m *Map) Set(k string, v any) {
	if i := m.find(k); i >= 0 {
		m.vals[i] = v
		return
	}
	m.keys, m.vals = append(m.keys, k), append(m.vals, v)
	switch {
	case m.at != nil:
		m.at[k] = len(m.keys) - 1
	case len(m.keys) > small:
		m.index()
	}
}

func (m *Map) index() {
	m.at = make(map[string]int, 2*len(m.keys))
	for i, k := range m.keys {
		m.at[k] = i
	}
}

// Delete takes a key out and gives its value.
func (m *Map) Delete(k string) (any, bool) {
	i := m.find(k)
	if i < 0 {
		return nil, false
	}
	v := m.vals[i]
	m.keys, m.vals = slices.Delete(m.keys, i, i+1), slices.Delete(m.vals, i, i+1)
	if m.at != nil {
		m.index()
	}
	return v, true
}

// Keys are the keys in order; the caller does not change them.
func (m *Map) Keys() []string { return m.keys }

// Each calls f for every key in order.
func (m *Map) Each(f func(k string, v any)) {
	for i, k := range m.keys {
		f(k, m.vals[i])
	}
}

// List is a list that can be changed.
type List struct{ Items []any }

// Bounds of a value that is walked: a script can put a list into itself.
const (
	maxNesting = 1000
	maxValues  = 1 << 20
)

// Check refuses a value that contains itself, or that is too deep or too large to print. What came from JSON and was not changed by a
// script needs no check.
func Check(v any) error {
	left := maxValues
	if !finite(v, maxNesting, &left) {
		return &Error{Type: "illegal_argument_exception", Reason: "Iterable object is self-referencing itself"}
	}
	return nil
}

func finite(v any, depth int, left *int) bool {
	if *left--; *left < 0 || depth == 0 {
		return false
	}
	switch v := v.(type) {
	case *Map:
		for _, x := range v.vals {
			if !finite(x, depth-1, left) {
				return false
			}
		}
	case *List:
		for _, x := range v.Items {
			if !finite(x, depth-1, left) {
				return false
			}
		}
	}
	return true
}

// Clone copies a value and all below it. The value has passed Check.
func Clone(v any) any {
	switch v := v.(type) {
	case *Map:
		out := &Map{keys: slices.Clone(v.keys), vals: make([]any, len(v.vals))}
		for i, x := range v.vals {
			out.vals[i] = Clone(x)
		}
		if len(out.keys) > small {
			out.index()
		}
		return out
	case *List:
		out := &List{Items: make([]any, len(v.Items))}
		for i, x := range v.Items {
			out.Items[i] = Clone(x)
		}
		return out
	}
	return v
}

// FromJSON makes a value of parsed JSON. Whole numbers beyond 64 bits become floating.
func FromJSON(v *fastjson.Value) any {
	switch v.Type() {
	case fastjson.TypeObject:
		m := NewMap()
		v.GetObject().Visit(func(k []byte, c *fastjson.Value) { m.Set(string(k), FromJSON(c)) })
		return m
	case fastjson.TypeArray:
		l := &List{}
		for _, c := range v.GetArray() {
			l.Items = append(l.Items, FromJSON(c))
		}
		return l
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeNumber:
		return number(string(v.MarshalTo(nil)))
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	}
	return nil
}

func number(text string) any {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return float64(0)
	}
	return f
}

// ParseJSON makes a value of JSON text.
func ParseJSON(b []byte) (any, error) {
	var p fastjson.Parser
	v, err := p.ParseBytes(b)
	if err != nil {
		return nil, err
	}
	return FromJSON(v), nil
}

// AppendJSON prints a value that has passed Check. Objects of the caller print as null.
func AppendJSON(dst []byte, v any) []byte {
	switch v := v.(type) {
	case *Map:
		dst = append(dst, '{')
		for i, k := range v.keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, k), ':')
			dst = AppendJSON(dst, v.vals[i])
		}
		return append(dst, '}')
	case *List:
		dst = append(dst, '[')
		for i, x := range v.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, x)
		}
		return append(dst, ']')
	case string:
		return appendString(dst, v)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(dst, "null"...)
		}
		return append(dst, javaDouble(v)...)
	case bool:
		return strconv.AppendBool(dst, v)
	}
	return append(dst, "null"...)
}

const hex = "0123456789abcdef"

// appendString prints s with the escapes JSON needs.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// javaDouble prints a number as Java's Double.toString does, but for the case of E.
func javaDouble(f float64) string {
	a := math.Abs(f)
	if a != 0 && (a < 1e-3 || a >= 1e7) {
		s := strconv.FormatFloat(f, 'E', -1, 64)
		mant, exp, _ := strings.Cut(s, "E")
		if !strings.Contains(mant, ".") {
			mant += ".0"
		}
		exp = strings.TrimPrefix(exp, "+")
		neg := strings.HasPrefix(exp, "-")
		exp = strings.TrimLeft(strings.TrimPrefix(exp, "-"), "0")
		if neg {
			exp = "-" + exp
		}
		return mant + "E" + exp
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Text is a value as a string holds it.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return javaDouble(v)
	case bool:
		return strconv.FormatBool(v)
	case *List:
		if Check(v) != nil {
			return "(this Collection)"
		}
		parts := make([]string, len(v.Items))
		for i, x := range v.Items {
			parts[i] = Text(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *Map:
		if Check(v) != nil {
			return "(this Map)"
		}
		parts := make([]string, len(v.keys))
		for i, k := range v.keys {
			parts[i] = k + "=" + Text(v.vals[i])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "object"
}

// Equal compares values; numbers by value. Values that contain themselves are equal only when they are the same.
func Equal(a, b any) bool {
	left := maxValues
	return equal(a, b, maxNesting, &left)
}

func equal(a, b any, depth int, left *int) bool {
	if *left--; *left < 0 || depth == 0 {
		return false
	}
	switch x := a.(type) {
	case int64:
		switch y := b.(type) {
		case int64:
			return x == y
		case float64:
			return float64(x) == y
		}
		return false
	case float64:
		switch y := b.(type) {
		case int64:
			return x == float64(y)
		case float64:
			return x == y
		}
		return false
	case *List:
		y, ok := b.(*List)
		return ok && slices.EqualFunc(x.Items, y.Items, func(p, q any) bool { return equal(p, q, depth-1, left) })
	case *Map:
		y, ok := b.(*Map)
		if !ok || len(x.keys) != len(y.keys) {
			return false
		}
		for i, k := range x.keys {
			if v, ok := y.Get(k); !ok || !equal(x.vals[i], v, depth-1, left) {
				return false
			}
		}
		return true
	case string, bool, nil:
		return a == b
	}
	return a == b
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "java.lang.String"
	case int64:
		return "java.lang.Long"
	case float64:
		return "java.lang.Double"
	case bool:
		return "java.lang.Boolean"
	case *List:
		return "java.util.ArrayList"
	case *Map:
		return "java.util.HashMap"
	}
	return "java.lang.Object"
}
