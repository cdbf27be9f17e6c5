package painless

import (
	"math"
	"strings"
)

// expr is an expression.
type expr interface {
	eval(f *frame) (any, error)
}

type literal struct{ v any }

func (l literal) eval(*frame) (any, error) { return l.v, nil }

// local is a declared variable by its number.
type local int

func (l local) eval(f *frame) (any, error) { return f.locals[l], nil }

// global is one of the names the caller gave.
type global struct {
	name string
	at   int
}

func (g *global) eval(f *frame) (any, error) {
	v, ok := f.env[g.name]
	if !ok {
		e := f.fail(g.at, "illegal_argument_exception", "cannot resolve symbol [%s]", g.name).(*Error)
		e.Compile = true
		return nil, e
	}
	return v, nil
}

func (f *frame) truth(e expr) (bool, error) {
	v, err := e.eval(f)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, f.fail(0, "class_cast_exception", "Cannot cast %s to boolean", typeName(v))
	}
	return b, nil
}

type listLiteral struct{ items []expr }

func (l *listLiteral) eval(f *frame) (any, error) {
	out := &List{Items: make([]any, 0, len(l.items))}
	for _, e := range l.items {
		v, err := e.eval(f)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, v)
	}
	return out, f.charge(len(l.items))
}

type mapLiteral struct{ keys, vals []expr }

func (l *mapLiteral) eval(f *frame) (any, error) {
	m := NewMap()
	for i, e := range l.keys {
		k, err := e.eval(f)
		if err != nil {
			return nil, err
		}
		v, err := l.vals[i].eval(f)
		if err != nil {
			return nil, err
		}
		m.Set(Text(k), v)
	}
	return m, f.charge(len(l.keys))
}

type choice struct{ cond, then, other expr }

func (c *choice) eval(f *frame) (any, error) {
	ok, err := f.truth(c.cond)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return c.then.eval(f)
	}
	return c.other.eval(f)
}

type elvis struct{ x, other expr }

func (e *elvis) eval(f *frame) (any, error) {
	v, err := e.x.eval(f)
	if err != nil || v != nil {
		return v, err
	}
	return e.other.eval(f)
}

type unary struct {
	op string
	x  expr
	at int
}

func (u *unary) eval(f *frame) (any, error) {
	v, err := u.x.eval(f)
	if err != nil {
		return nil, err
	}
	switch x := v.(type) {
	case bool:
		if u.op == "!" {
			return !x, nil
		}
	case int64:
		switch u.op {
		case "-":
			return -x, nil
		case "+":
			return x, nil
		case "~":
			return ^x, nil
		}
	case float64:
		switch u.op {
		case "-":
			return -x, nil
		case "+":
			return x, nil
		}
	}
	return nil, f.fail(u.at, "class_cast_exception", "Cannot apply [%s] operation to type [%s]", u.op, typeName(v))
}

type binary struct {
	op   string
	l, r expr
	at   int
}

func (b *binary) eval(f *frame) (any, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	if b.op == "&&" || b.op == "||" {
		x, err := f.truth(b.l)
		if err != nil || x == (b.op == "||") {
			return x, err
		}
		return boolAny(f.truth(b.r))
	}
	l, err := b.l.eval(f)
	if err != nil {
		return nil, err
	}
	r, err := b.r.eval(f)
	if err != nil {
		return nil, err
	}
	return f.operate(b.at, b.op, l, r)
}

func boolAny(b bool, err error) (any, error) { return b, err }

// operate applies a binary operator to values.
func (f *frame) operate(at int, op string, l, r any) (any, error) {
	switch op {
	case "==", "===":
		return Equal(l, r), nil
	case "!=", "!==":
		return !Equal(l, r), nil
	}
	_, ls := l.(string)
	_, rs := r.(string)
	if op == "+" && (ls || rs) {
		s := Text(l) + Text(r)
		return s, f.charge(len(s))
	}
	if x, ok := l.(bool); ok {
		if y, ok := r.(bool); ok {
			switch op {
			case "&":
				return x && y, nil
			case "|":
				return x || y, nil
			case "^":
				return x != y, nil
			}
		}
	}
	x, xok := l.(int64)
	y, yok := r.(int64)
	if xok && yok {
		return f.whole(at, op, x, y)
	}
	a, aok := toFloat(l)
	c, cok := toFloat(r)
	if !aok || !cok {
		if l == nil || r == nil {
			return nil, f.fail(at, "null_pointer_exception", "cannot apply [%s] to null", op)
		}
		return nil, f.fail(at, "class_cast_exception", "Cannot apply [%s] operation to types [%s] and [%s].", op, typeName(l), typeName(r))
	}
	switch op {
	case "+":
		return a + c, nil
	case "-":
		return a - c, nil
	case "*":
		return a * c, nil
	case "/":
		return a / c, nil
	case "%":
		return math.Mod(a, c), nil
	case "<":
		return a < c, nil
	case "<=":
		return a <= c, nil
	case ">":
		return a > c, nil
	case ">=":
		return a >= c, nil
	}
	return nil, f.fail(at, "class_cast_exception", "Cannot apply [%s] operation to types [%s] and [%s].", op, typeName(l), typeName(r))
}

// whole applies an operator to whole numbers.
func (f *frame) whole(at int, op string, x, y int64) (any, error) {
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/", "%":
		if y == 0 {
			return nil, f.fail(at, "arithmetic_exception", "/ by zero")
		}
		if op == "/" {
			return x / y, nil
		}
		return x % y, nil
	case "<":
		return x < y, nil
	case "<=":
		return x <= y, nil
	case ">":
		return x > y, nil
	case ">=":
		return x >= y, nil
	case "&":
		return x & y, nil
	case "|":
		return x | y, nil
	case "^":
		return x ^ y, nil
	case "<<":
		return x << (uint64(y) & 63), nil
	case ">>":
		return x >> (uint64(y) & 63), nil
	}
	return int64(uint64(x) >> (uint64(y) & 63)), nil
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

type instance struct {
	x   expr
	typ string
}

func (i *instance) eval(f *frame) (any, error) {
	v, err := i.x.eval(f)
	if err != nil {
		return nil, err
	}
	switch v.(type) {
	case nil:
		return false, nil
	case string:
		return i.typ == "String" || i.typ == "Object" || i.typ == "def", nil
	case int64:
		return strings.Contains(" Integer Long Number Object int long Short Byte def ", " "+i.typ+" "), nil
	case float64:
		return strings.Contains(" Double Float Number Object double float def ", " "+i.typ+" "), nil
	case bool:
		return i.typ == "Boolean" || i.typ == "boolean" || i.typ == "Object" || i.typ == "def", nil
	case *List:
		return strings.Contains(" List ArrayList Collection Iterable Object def ", " "+i.typ+" "), nil
	case *Map:
		return strings.Contains(" Map HashMap Object def ", " "+i.typ+" "), nil
	}
	return i.typ == "Object" || i.typ == "def", nil
}

type cast struct {
	typ string
	x   expr
	at  int
}

func (c *cast) eval(f *frame) (any, error) {
	v, err := c.x.eval(f)
	if err != nil || c.typ == "" || v == nil {
		return v, err
	}
	return f.cast(c.at, c.typ, v, true)
}

// cast changes a value's type; explicit casts may cut a number.
func (f *frame) cast(at int, typ string, v any, explicit bool) (any, error) {
	bad := func() error {
		return f.fail(at, "class_cast_exception", "Cannot cast from [%s] to [%s].", typeName(v), typ)
	}
	switch typ {
	case "boolean":
		if _, ok := v.(bool); !ok {
			return nil, bad()
		}
	case "String":
		if _, ok := v.(string); !ok {
			return nil, bad()
		}
	case "double", "float":
		x, ok := toFloat(v)
		if !ok {
			return nil, bad()
		}
		return x, nil
	case "int", "long", "short", "byte", "char":
		switch x := v.(type) {
		case int64:
			return wrap(typ, x), nil
		case float64:
			if explicit {
				return wrap(typ, int64(x)), nil
			}
			return nil, bad()
		case string:
			if typ == "char" && len([]rune(x)) == 1 {
				return x, nil
			}
		}
		return nil, bad()
	}
	return v, nil
}

func wrap(typ string, x int64) int64 {
	switch typ {
	case "int":
		return int64(int32(x))
	case "short":
		return int64(int16(x))
	case "byte":
		return int64(int8(x))
	}
	return x
}

// assign is = and its kin; op is the operator in front of it, "" for none.
type assign struct {
	to  expr
	op  string
	val expr
	at  int
}

func (a *assign) eval(f *frame) (any, error) {
	_, now, err := a.both(f)
	return now, err
}

func (a *assign) both(f *frame) (was, now any, err error) {
	if err := f.step(); err != nil {
		return nil, nil, err
	}
	if a.op != "" {
		if was, err = a.to.eval(f); err != nil {
			return nil, nil, err
		}
	}
	if now, err = a.val.eval(f); err != nil {
		return nil, nil, err
	}
	if a.op != "" {
		if now, err = f.operate(a.at, a.op, was, now); err != nil {
			return nil, nil, err
		}
	}
	return was, now, f.store(a.to, now, a.at)
}

// after is x++ and x--: the value from before.
type after struct{ assign }

func (a *after) eval(f *frame) (any, error) {
	was, _, err := a.both(f)
	return was, err
}

// store gives a place a value.
func (f *frame) store(to expr, v any, at int) error {
	var obj, key any
	var err error
	switch t := to.(type) {
	case local:
		f.locals[t] = v
		return nil
	case *member:
		obj, err = t.x.eval(f)
		key = t.name
	case *index:
		if obj, err = t.x.eval(f); err == nil {
			key, err = t.i.eval(f)
		}
	}
	if err != nil {
		return err
	}
	switch o := obj.(type) {
	case *Map:
		o.Set(Text(key), v)
		return f.charge(1)
	case *List:
		i, err := f.place(at, o, key, len(o.Items))
		if err == nil {
			o.Items[i] = v
		}
		return err
	case nil:
		return f.fail(at, "null_pointer_exception", "Cannot assign to a member of null")
	}
	return f.fail(at, "illegal_argument_exception", "Unable to set [%s] of [%s]", Text(key), typeName(obj))
}

// place is a list's index below n.
func (f *frame) place(at int, l *List, key any, n int) (int, error) {
	i, ok := key.(int64)
	if s, isText := key.(string); isText {
		if v, whole := number(s).(int64); whole && s != "" && digit(s[0]) {
			i, ok = v, true
		}
	}
	if !ok {
		return 0, f.fail(at, "class_cast_exception", "Cannot cast %s to int", typeName(key))
	}
	if i < 0 {
		i += int64(len(l.Items))
	}
	if i < 0 || i >= int64(n) {
		return 0, f.fail(at, "index_out_of_bounds_exception", "Index %d out of bounds for length %d", i, len(l.Items))
	}
	return int(i), nil
}

type member struct {
	x    expr
	name string
	safe bool
	at   int
}

func (m *member) eval(f *frame) (any, error) {
	o, err := m.x.eval(f)
	if err != nil {
		return nil, err
	}
	return f.memberOf(o, m.name, m.safe, m.at)
}

func (f *frame) memberOf(o any, name string, safe bool, at int) (any, error) {
	switch o := o.(type) {
	case *Map:
		v, _ := o.Get(name)
		return v, nil
	case nil:
		if safe {
			return nil, nil
		}
		return nil, f.fail(at, "null_pointer_exception", "cannot access method/field [%s] from a null def reference", name)
	case Object:
		if v, ok := o.Member(name); ok {
			return v, nil
		}
	case *List:
		if name == "length" {
			return int64(len(o.Items)), nil
		}
		if digit(name[0]) {
			i, err := f.place(at, o, name, len(o.Items))
			if err != nil {
				return nil, err
			}
			return o.Items[i], nil
		}
	}
	getter := "get" + strings.ToUpper(name[:1]) + name[1:]
	if v, err := f.call(o, getter, nil, at); err == nil {
		return v, nil
	}
	return nil, f.fail(at, "illegal_argument_exception", "dynamic getter [%s, %s] not found", typeName(o), name)
}

type index struct {
	x, i expr
	at   int
}

func (x *index) eval(f *frame) (any, error) {
	o, err := x.x.eval(f)
	if err != nil {
		return nil, err
	}
	k, err := x.i.eval(f)
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case *Map:
		v, _ := o.Get(Text(k))
		return v, nil
	case *List:
		i, err := f.place(x.at, o, k, len(o.Items))
		if err != nil {
			return nil, err
		}
		return o.Items[i], nil
	case Object:
		if v, ok := o.Member(Text(k)); ok {
			return v, nil
		}
		return nil, f.fail(x.at, "illegal_argument_exception", "No field found for [%s]", Text(k))
	case nil:
		return nil, f.fail(x.at, "null_pointer_exception", "cannot access an element of null")
	}
	return nil, f.fail(x.at, "class_cast_exception", "Attempting to address a non-array type [%s] as an array.", typeName(o))
}

type call struct {
	x    expr
	name string
	args []expr
	safe bool
	at   int
}

func (c *call) eval(f *frame) (any, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	o, err := c.x.eval(f)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if c.safe {
			return nil, nil
		}
		return nil, f.fail(c.at, "null_pointer_exception", "cannot access method/field [%s] from a null def reference", c.name)
	}
	args, err := f.values(c.args)
	if err != nil {
		return nil, err
	}
	return f.call(o, c.name, args, c.at)
}

func (f *frame) values(list []expr) ([]any, error) {
	out := make([]any, len(list))
	for i, e := range list {
		var err error
		if out[i], err = e.eval(f); err != nil {
			return nil, err
		}
	}
	return out, nil
}

type staticCall struct {
	fn   static
	args []expr
	at   int
}

func (s *staticCall) eval(f *frame) (any, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	args, err := f.values(s.args)
	if err != nil {
		return nil, err
	}
	v, err := s.fn.call(args)
	if err != nil {
		e, ok := err.(*Error)
		if !ok {
			e = &Error{Type: "illegal_argument_exception", Reason: err.Error()}
		}
		e.At, e.Script = s.at, near(f.script.text, s.at)
		return nil, e
	}
	return v, nil
}
