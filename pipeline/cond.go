package pipeline

import (
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/grok"
)

// cond is a compiled condition.
type cond func(e *event.Event) bool

// condCompiler turns conditions into closures. failed is set by a comparison that makes no sense for an event's values: it counts as
// false, and who asked looks at the flag.
type condCompiler struct {
	errs   *conf.Errors
	failed *bool
}

func (c *condCompiler) fail(pos conf.Pos, hint, format string, args ...any) {
	*c.errs = append(*c.errs, conf.ErrorAt(pos, hint, format, args...))
}

func (c *condCompiler) compile(x conf.Expr) cond {
	switch x := x.(type) {
	case *conf.Paren:
		return c.compile(x.X)
	case *conf.Not:
		f := c.compile(x.X)
		return func(e *event.Event) bool { return !f(e) }
	case *conf.Logic:
		return c.logic(x)
	case *conf.Truth:
		return c.truth(x)
	case *conf.Compare:
		return c.compare(x)
	}
	return func(*event.Event) bool { return false }
}

func (c *condCompiler) logic(x *conf.Logic) cond {
	l, r := c.compile(x.L), c.compile(x.R)
	switch x.Op {
	case "and":
		return func(e *event.Event) bool { return l(e) && r(e) }
	case "or":
		return func(e *event.Event) bool { return l(e) || r(e) }
	case "xor":
		return func(e *event.Event) bool { return l(e) != r(e) }
	}
	return func(e *event.Event) bool { return !(l(e) && r(e)) } // nand
}

// operand is one side of a comparison: a field, or a constant.
type operand struct {
	path *event.Path
	v    event.Value
	list []operand
	none bool
}

// get is the operand's value for e; ok is false for a missing field.
func (o *operand) get(e *event.Event) (event.Value, bool) {
	if o.path == nil {
		return o.v, true
	}
	return e.Get(o.path)
}

func (c *condCompiler) operand(v conf.Value) operand {
	switch v := v.(type) {
	case *conf.Selector:
		p, err := event.ParsePath(v.Text)
		if err != nil {
			c.fail(v.Pos, "", "%v", err)
		}
		return operand{path: p, none: err != nil}
	case *conf.String:
		return operand{v: event.String(v.Text)}
	case *conf.Number:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return operand{v: event.Int(n)}
		}
		f, _ := strconv.ParseFloat(v.Text, 64)
		return operand{v: event.Float(f)}
	case *conf.Array:
		o := operand{list: []operand{}}
		for _, it := range v.Items {
			o.list = append(o.list, c.operand(it.Value))
		}
		return o
	}
	c.fail(v.At(), "", "this cannot stand in a condition")
	return operand{none: true}
}

// truth: a value is true when it is there, not nil, and its text is neither "" nor "false".
func (c *condCompiler) truth(x *conf.Truth) cond {
	if r, ok := x.X.(*conf.Regexp); ok {
		c.fail(r.Pos, "write [field] =~ /.../", "a regular expression alone")
	}
	o := c.operand(x.X)
	return func(e *event.Event) bool {
		v, ok := o.get(e)
		if !ok {
			return false
		}
		switch v.Kind() {
		case event.NilKind:
			return false
		case event.BoolKind:
			return v.Truth()
		case event.StringKind:
			return v.Str() != "" && v.Str() != "false"
		}
		return true
	}
}

func (c *condCompiler) compare(x *conf.Compare) cond {
	switch x.Op {
	case "=~", "!~":
		return c.match(x)
	case "in", "not in":
		f := c.in(x)
		if x.Op == "in" {
			return f
		}
		return func(e *event.Event) bool { return !f(e) }
	}
	l, r := c.operand(x.L), c.operand(x.R)
	switch x.Op {
	case "==":
		return equal(l, r)
	case "!=":
		f := equal(l, r)
		return func(e *event.Event) bool { return !f(e) }
	}
	return c.order(x.Op, l, r)
}

// equal compares strictly by type; two missing fields are equal.
func equal(l, r operand) cond {
	if l.path != nil && r.path == nil && r.list == nil && r.v.Kind() == event.StringKind {
		text := r.v.Str()
		return func(e *event.Event) bool {
			v, ok := e.Get(l.path)
			return ok && v.Kind() == event.StringKind && v.Str() == text
		}
	}
	return func(e *event.Event) bool {
		if l.list != nil || r.list != nil {
			return sameList(e, l, r)
		}
		a, _ := l.get(e)
		b, _ := r.get(e)
		return same(e.Batch(), a, b)
	}
}

func same(b *event.Batch, x, y event.Value) bool {
	if x.Kind() != y.Kind() {
		return false
	}
	switch x.Kind() {
	case event.NilKind:
		return true
	case event.StringKind:
		return x.Str() == y.Str()
	case event.IntKind, event.TimeKind:
		return x.Int64() == y.Int64()
	case event.BoolKind:
		return x.Truth() == y.Truth()
	case event.FloatKind, event.BigKind:
		f, _ := x.Float64()
		g, _ := y.Float64()
		return f == g
	case event.ListKind:
		m, n := b.Elems(x), b.Elems(y)
		if len(m) != len(n) {
			return false
		}
		for i := range m {
			if !same(b, m[i], n[i]) {
				return false
			}
		}
		return true
	}
	if b.Len(x) != b.Len(y) {
		return false
	}
	for k, v := range b.Each(x) {
		if w, ok := b.Field(y, k); !ok || !same(b, v, w) {
			return false
		}
	}
	return true
}

// sameList compares a list literal.
func sameList(e *event.Event, l, r operand) bool {
	if l.list == nil {
		l, r = r, l
	}
	b := e.Batch()
	if r.list != nil {
		if len(l.list) != len(r.list) {
			return false
		}
		for i := range l.list {
			x, _ := l.list[i].get(e)
			y, _ := r.list[i].get(e)
			if !same(b, x, y) {
				return false
			}
		}
		return true
	}
	v, ok := r.get(e)
	if !ok || v.Kind() != event.ListKind || b.Len(v) != len(l.list) {
		return false
	}
	for i, el := range b.Elems(v) {
		if x, _ := l.list[i].get(e); !same(b, x, el) {
			return false
		}
	}
	return true
}

// order is < <= > >=, between numbers or between texts. Anything else is a failed condition.
func (c *condCompiler) order(op string, l, r operand) cond {
	accept := map[string][3]bool{"<": {true, false, false}, "<=": {true, true, false}, ">": {false, false, true}, ">=": {false, true, true}}[op]
	failed := c.failed
	return func(e *event.Event) bool {
		a, _ := l.get(e)
		b, _ := r.get(e)
		sign, ok := compareValues(a, b)
		if !ok {
			*failed = true
			return false
		}
		return accept[sign+1]
	}
}

func compareValues(a, b event.Value) (sign int, ok bool) {
	if a.Kind() == event.StringKind && b.Kind() == event.StringKind {
		return strings.Compare(a.Str(), b.Str()), true
	}
	if a.Kind() == b.Kind() && (a.Kind() == event.IntKind || a.Kind() == event.TimeKind) {
		return order(a.Int64(), b.Int64()), true
	}
	x, ok1 := a.Float64()
	y, ok2 := b.Float64()
	return order(x, y), ok1 && ok2
}

func order[T int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// match is =~ and !~; on anything but a string =~ is false.
func (c *condCompiler) match(x *conf.Compare) cond {
	o := c.operand(x.L)
	text := ""
	switch r := x.R.(type) {
	case *conf.Regexp:
		text = r.Text
	case *conf.String:
		text = r.Text
	}
	re, err := grok.CompileRegexp(text)
	if err != nil {
		c.fail(x.R.At(), "", "regular expression: %v", err)
		return func(*event.Event) bool { return false }
	}
	want := x.Op == "=~"
	return func(e *event.Event) bool {
		v, ok := o.get(e)
		hit := ok && v.Kind() == event.StringKind && re.Match(event.Bytes(v.Str()))
		return hit == want
	}
}

// in: two strings are a part and a whole, a list holds members. A literal list is compared as text.
func (c *condCompiler) in(x *conf.Compare) cond {
	l, r := c.operand(x.L), c.operand(x.R)
	if r.list != nil {
		return inLiteral(l, r.list)
	}
	return func(e *event.Event) bool {
		part, ok1 := l.get(e)
		whole, ok2 := r.get(e)
		if !ok1 || !ok2 {
			return false
		}
		switch whole.Kind() {
		case event.StringKind:
			return part.Kind() == event.StringKind && strings.Contains(whole.Str(), part.Str())
		case event.ListKind:
			b := e.Batch()
			for _, el := range b.Elems(whole) {
				if same(b, part, el) {
					return true
				}
			}
			return false
		}
		return same(e.Batch(), part, whole)
	}
}

func inLiteral(l operand, list []operand) cond {
	return func(e *event.Event) bool {
		part, ok := l.get(e)
		if !ok {
			return false
		}
		b := e.Batch()
		text := b.Text(part)
		for i := range list {
			if v, ok := list[i].get(e); ok && b.Text(v) == text {
				return true
			}
		}
		return false
	}
}
