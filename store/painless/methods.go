package painless

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// call is a method of a value.
func (f *frame) call(o any, name string, args []any, at int) (any, error) {
	var v any
	var ok bool
	var err error
	switch o := o.(type) {
	case string:
		v, ok, err = f.stringMethod(o, name, args, at)
	case *List:
		v, ok, err = f.listMethod(o, name, args, at)
	case *Map:
		v, ok, err = f.mapMethod(o, name, args, at)
	case Object:
		v, ok, err = o.Call(name, args)
	case int64, float64:
		v, ok = numberMethod(o, name, args)
	case bool:
		if name == "booleanValue" {
			v, ok = o, true
		}
	}
	if err != nil {
		return nil, err
	}
	if ok {
		return v, nil
	}
	switch {
	case name == "toString" && len(args) == 0:
		return Text(o), nil
	case name == "equals" && len(args) == 1:
		return Equal(o, args[0]), nil
	case name == "hashCode" && len(args) == 0:
		h := int32(0)
		for _, c := range Text(o) {
			h = 31*h + c
		}
		return int64(h), nil
	}
	return nil, f.fail(at, "illegal_argument_exception", "dynamic method [%s, %s/%d] not found", typeName(o), name, len(args))
}

func numberMethod(o any, name string, args []any) (any, bool) {
	x, _ := toFloat(o)
	n, whole := o.(int64)
	if !whole {
		n = int64(x)
	}
	switch name {
	case "intValue", "shortValue", "byteValue":
		return wrap(strings.TrimSuffix(name, "Value"), n), true
	case "longValue":
		return n, true
	case "doubleValue", "floatValue":
		return x, true
	case "isNaN":
		return x != x, true
	case "compareTo":
		if len(args) == 1 {
			if y, ok := toFloat(args[0]); ok {
				return int64(compare(x, y)), true
			}
		}
	}
	return nil, false
}

func compare(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

func textArg(args []any, i int) (string, bool) {
	if i >= len(args) {
		return "", false
	}
	s, ok := args[i].(string)
	return s, ok
}

func intArg(args []any, i int) (int, bool) {
	if i >= len(args) {
		return 0, false
	}
	n, ok := args[i].(int64)
	return int(n), ok
}

// stringMethod runs the methods of strings. Offsets count bytes in ASCII strings, else runes.
func (f *frame) stringMethod(s, name string, args []any, at int) (any, bool, error) {
	a, one := textArg(args, 0)
	switch name {
	case "length":
		return int64(runes(s)), true, nil
	case "isEmpty":
		return s == "", true, nil
	case "isBlank":
		return strings.TrimSpace(s) == "", true, nil
	case "toLowerCase":
		return strings.ToLower(s), true, f.charge(len(s))
	case "toUpperCase":
		return strings.ToUpper(s), true, f.charge(len(s))
	case "trim", "strip":
		return strings.TrimSpace(s), true, nil
	case "contains":
		return strings.Contains(s, a), one, nil
	case "startsWith":
		return strings.HasPrefix(s, a), one, nil
	case "endsWith":
		return strings.HasSuffix(s, a), one, nil
	case "equalsIgnoreCase":
		return strings.EqualFold(s, a), one, nil
	case "compareTo":
		return int64(strings.Compare(s, a)), one, nil
	case "concat":
		return s + a, one, f.charge(len(s) + len(a))
	case "indexOf":
		return indexOf(s, strings.Index(s, a)), one, nil
	case "lastIndexOf":
		return indexOf(s, strings.LastIndex(s, a)), one, nil
	case "replace":
		b, two := textArg(args, 1)
		if !one || !two {
			return nil, false, nil
		}
		n := len(s) + strings.Count(s, a)*max(0, len(b)-len(a))
		if err := f.charge(n); err != nil {
			return nil, true, err
		}
		return strings.ReplaceAll(s, a, b), true, nil
	case "splitOnToken":
		return f.split(s, a, one, args)
	case "substring":
		return f.substring(s, args, at)
	case "charAt":
		i, ok := intArg(args, 0)
		r := []rune(s)
		if !ok || i < 0 || i >= len(r) {
			return nil, true, f.fail(at, "string_index_out_of_bounds_exception", "index %v, length %d", args, len(r))
		}
		return string(r[i]), true, nil
	case "repeat":
		n, ok := intArg(args, 0)
		if !ok || n < 0 {
			return nil, false, nil
		}
		if len(s) > 0 && n > maxGrow/len(s) {
			n = maxGrow
			return nil, true, f.charge(maxGrow + 1)
		}
		return strings.Repeat(s, n), true, f.charge(n * len(s))
	}
	return nil, false, nil
}

func runes(s string) int { return utf8.RuneCountInString(s) }

func indexOf(s string, at int) any {
	if at < 0 {
		return int64(-1)
	}
	return int64(runes(s[:at]))
}

func (f *frame) split(s, sep string, ok bool, args []any) (any, bool, error) {
	if !ok || sep == "" {
		return nil, false, nil
	}
	limit := -1
	if n, given := intArg(args, 1); given && n > 0 {
		limit = n
	}
	out := &List{}
	for _, p := range strings.SplitN(s, sep, limit) {
		out.Items = append(out.Items, p)
	}
	return out, true, f.charge(len(out.Items))
}

func (f *frame) substring(s string, args []any, at int) (any, bool, error) {
	from, ok := intArg(args, 0)
	r := []rune(s)
	to := len(r)
	if len(args) > 1 {
		var two bool
		to, two = intArg(args, 1)
		ok = ok && two
	}
	if !ok {
		return nil, false, nil
	}
	if from < 0 || to > len(r) || from > to {
		return nil, true, f.fail(at, "string_index_out_of_bounds_exception", "begin %d, end %d, length %d", from, to, len(r))
	}
	return string(r[from:to]), true, nil
}

func (f *frame) listMethod(l *List, name string, args []any, at int) (any, bool, error) {
	switch name {
	case "size", "getLength":
		return int64(len(l.Items)), true, nil
	case "isEmpty":
		return len(l.Items) == 0, true, nil
	case "clear":
		l.Items = nil
		return nil, true, nil
	case "iterator", "stream":
		return nil, false, nil
	}
	if len(args) == 0 {
		return nil, false, nil
	}
	switch name {
	case "add":
		return f.listAdd(l, args, at)
	case "addAll":
		other, ok := args[0].(*List)
		if !ok {
			return nil, false, nil
		}
		l.Items = append(l.Items, other.Items...)
		return true, true, f.charge(len(other.Items))
	case "get":
		i, err := f.place(at, l, args[0], len(l.Items))
		if err != nil {
			return nil, true, err
		}
		return l.Items[i], true, nil
	case "set":
		i, err := f.place(at, l, args[0], len(l.Items))
		if err != nil || len(args) < 2 {
			return nil, err != nil, err
		}
		was := l.Items[i]
		l.Items[i] = args[1]
		return was, true, nil
	case "contains":
		return slices.ContainsFunc(l.Items, func(x any) bool { return Equal(x, args[0]) }), true, nil
	case "indexOf":
		return int64(slices.IndexFunc(l.Items, func(x any) bool { return Equal(x, args[0]) })), true, nil
	case "remove":
		return f.listRemove(l, args[0], at)
	case "join":
		if sep, ok := args[0].(string); ok {
			parts := make([]string, len(l.Items))
			for i, x := range l.Items {
				parts[i] = Text(x)
			}
			s := strings.Join(parts, sep)
			return s, true, f.charge(len(s))
		}
	}
	return nil, false, nil
}

func (f *frame) listAdd(l *List, args []any, at int) (any, bool, error) {
	if len(args) == 1 {
		l.Items = append(l.Items, args[0])
		return true, true, f.charge(1)
	}
	i, err := f.place(at, l, args[0], len(l.Items)+1)
	if err != nil {
		return nil, true, err
	}
	l.Items = slices.Insert(l.Items, i, args[1])
	return nil, true, f.charge(1)
}

// listRemove takes a place out when a number is given, else an element.
func (f *frame) listRemove(l *List, what any, at int) (any, bool, error) {
	if _, whole := what.(int64); whole {
		i, err := f.place(at, l, what, len(l.Items))
		if err != nil {
			return nil, true, err
		}
		was := l.Items[i]
		l.Items = slices.Delete(l.Items, i, i+1)
		return was, true, nil
	}
	i := slices.IndexFunc(l.Items, func(x any) bool { return Equal(x, what) })
	if i >= 0 {
		l.Items = slices.Delete(l.Items, i, i+1)
	}
	return i >= 0, true, nil
}

func (f *frame) mapMethod(m *Map, name string, args []any, at int) (any, bool, error) {
	switch name {
	case "size":
		return int64(m.Len()), true, nil
	case "isEmpty":
		return m.Len() == 0, true, nil
	case "clear":
		*m = Map{}
		return nil, true, nil
	case "keySet":
		l := &List{}
		for _, k := range m.keys {
			l.Items = append(l.Items, k)
		}
		return l, true, f.charge(m.Len())
	case "values":
		return &List{Items: slices.Clone(m.vals)}, true, f.charge(m.Len())
	case "entrySet":
		l := &List{}
		m.Each(func(k string, v any) { l.Items = append(l.Items, entry{k, v}) })
		return l, true, f.charge(m.Len())
	}
	if len(args) == 0 {
		return nil, false, nil
	}
	k := Text(args[0])
	switch name {
	case "get":
		v, _ := m.Get(k)
		return v, true, nil
	case "containsKey":
		_, ok := m.Get(k)
		return ok, true, nil
	case "containsValue":
		return slices.ContainsFunc(m.vals, func(x any) bool { return Equal(x, args[0]) }), true, nil
	case "remove":
		v, _ := m.Delete(k)
		return v, true, nil
	case "putAll":
		other, ok := args[0].(*Map)
		if ok {
			other.Each(m.Set)
		}
		return nil, ok, f.charge(1)
	}
	if len(args) < 2 {
		return nil, false, nil
	}
	switch name {
	case "put":
		was, _ := m.Get(k)
		m.Set(k, args[1])
		return was, true, f.charge(1)
	case "putIfAbsent":
		if was, ok := m.Get(k); ok && was != nil {
			return was, true, nil
		}
		m.Set(k, args[1])
		return nil, true, f.charge(1)
	case "getOrDefault":
		if v, ok := m.Get(k); ok {
			return v, true, nil
		}
		return args[1], true, nil
	}
	return nil, false, nil
}

// entry is an element of entrySet.
type entry struct {
	key string
	val any
}

func (e entry) Member(name string) (any, bool) {
	switch name {
	case "key":
		return e.key, true
	case "value":
		return e.val, true
	}
	return nil, false
}

func (e entry) Call(name string, _ []any) (any, bool, error) {
	switch name {
	case "getKey":
		return e.key, true, nil
	case "getValue":
		return e.val, true, nil
	}
	return nil, false, nil
}

// builder is a StringBuilder.
type builder struct {
	b *strings.Builder
	f *frame
}

func (b builder) Member(string) (any, bool) { return nil, false }

func (b builder) Call(name string, args []any) (any, bool, error) {
	switch {
	case name == "append" && len(args) == 1:
		s := Text(args[0])
		b.b.WriteString(s)
		return b, true, b.f.charge(len(s))
	case name == "toString":
		return b.b.String(), true, nil
	case name == "length":
		return int64(runes(b.b.String())), true, nil
	}
	return nil, false, nil
}

// exception is what throw takes.
type exception struct{ typ, reason string }

func (e exception) Member(name string) (any, bool) { return e.reason, name == "message" }
func (e exception) Call(name string, _ []any) (any, bool, error) {
	return e.reason, name == "getMessage", nil
}

// construct is new X(...).
type construct struct {
	typ  string
	args []expr
	at   int
}

// exceptions that scripts may throw.
var exceptions = map[string]string{"Exception": "exception", "IllegalArgumentException": "illegal_argument_exception", "IllegalStateException": "illegal_state_exception",
	"RuntimeException": "runtime_exception", "UnsupportedOperationException": "unsupported_operation_exception", "NullPointerException": "null_pointer_exception"}

func constructible(typ string) bool {
	return exceptions[typ] != "" || slices.Contains([]string{"ArrayList", "HashMap", "LinkedHashMap", "TreeMap", "StringBuilder", "LinkedList", "HashSet", "LinkedHashSet"}, typ)
}

func (c *construct) eval(f *frame) (any, error) {
	args, err := f.values(c.args)
	if err != nil {
		return nil, err
	}
	if typ := exceptions[c.typ]; typ != "" {
		reason := ""
		if len(args) > 0 {
			reason = Text(args[0])
		}
		return exception{typ, reason}, nil
	}
	var from any
	if len(args) > 0 {
		from = args[0]
	}
	switch c.typ {
	case "StringBuilder":
		b := builder{&strings.Builder{}, f}
		if s, ok := from.(string); ok {
			b.b.WriteString(s)
		}
		return b, nil
	case "HashMap", "LinkedHashMap", "TreeMap":
		m := NewMap()
		if src, ok := from.(*Map); ok {
			src.Each(m.Set)
		}
		return m, f.charge(m.Len())
	}
	l := &List{}
	if src, ok := from.(*List); ok {
		l.Items = slices.Clone(src.Items)
	}
	return l, f.charge(len(l.Items))
}

// parseWhole reads a decimal number as Java's parse methods do.
func parseWhole(s string, bits int) (any, error) {
	n, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		return nil, &Error{Type: "number_format_exception", Reason: `For input string: "` + s + `"`}
	}
	return n, nil
}
