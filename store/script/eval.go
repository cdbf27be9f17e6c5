package script

import "math"

type literal struct{ v Value }

func (l literal) eval(map[string]Value) (Value, error) { return l.v, nil }

type variable string

func (v variable) eval(env map[string]Value) (Value, error) {
	x, ok := env[string(v)]
	if !ok {
		return nil, runtimef("variable [%s] is not defined", string(v))
	}
	return x, nil
}

type list struct{ items []node }

func (l list) eval(env map[string]Value) (Value, error) {
	out := make([]float64, 0, len(l.items))
	for _, n := range l.items {
		v, err := n.eval(env)
		if err != nil {
			return nil, err
		}
		f, err := Number(v)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

type unary struct {
	op string
	x  node
}

func (u unary) eval(env map[string]Value) (Value, error) {
	v, err := u.x.eval(env)
	if err != nil {
		return nil, err
	}
	if u.op == "!" {
		b, ok := v.(bool)
		if !ok {
			return nil, runtimef("cannot cast from [%s] to [boolean]", typeName(v))
		}
		return !b, nil
	}
	f, err := number(v)
	if u.op == "-" {
		f = -f
	}
	return f, err
}

// number is a value that arithmetic takes.
func number(v Value) (float64, error) {
	f, ok := v.(float64)
	if !ok {
		return 0, runtimef("cannot use [%s] as a number", typeName(v))
	}
	return f, nil
}

type binary struct {
	op   string
	l, r node
}

func (b binary) eval(env map[string]Value) (Value, error) {
	l, err := b.l.eval(env)
	if err != nil {
		return nil, err
	}
	if b.op == "&&" || b.op == "||" {
		return b.logic(l, env)
	}
	r, err := b.r.eval(env)
	if err != nil {
		return nil, err
	}
	switch b.op {
	case "==", "===":
		return equal(l, r), nil
	case "!=", "!==":
		return !equal(l, r), nil
	case "+":
		if s, ok := l.(string); ok {
			if t, ok := r.(string); ok {
				return s + t, nil
			}
		}
	}
	x, err := number(l)
	if err != nil {
		return nil, err
	}
	y, err := number(r)
	if err != nil {
		return nil, err
	}
	return arithmetic(b.op, x, y), nil
}

func (b binary) logic(l Value, env map[string]Value) (Value, error) {
	x, ok := l.(bool)
	if !ok {
		return nil, runtimef("cannot cast from [%s] to [boolean]", typeName(l))
	}
	if x == (b.op == "||") {
		return x, nil
	}
	r, err := b.r.eval(env)
	if err != nil {
		return nil, err
	}
	if y, ok := r.(bool); ok {
		return y, nil
	}
	return nil, runtimef("cannot cast from [%s] to [boolean]", typeName(r))
}

func equal(l, r Value) bool {
	switch l := l.(type) {
	case []float64:
		return false
	case float64:
		f, ok := r.(float64)
		return ok && f == l
	}
	if _, isList := r.([]float64); isList {
		return false
	}
	return l == r
}

func arithmetic(op string, x, y float64) Value {
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "%":
		return math.Mod(x, y)
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	}
	return x >= y
}

// choice is c ? a : b.
type choice struct{ cond, then, other node }

func (c choice) eval(env map[string]Value) (Value, error) {
	v, err := c.cond.eval(env)
	if err != nil {
		return nil, err
	}
	b, ok := v.(bool)
	if !ok {
		return nil, runtimef("cannot cast from [%s] to [boolean]", typeName(v))
	}
	if b {
		return c.then.eval(env)
	}
	return c.other.eval(env)
}

// elvis is a ?: b.
type elvis struct{ x, other node }

func (e elvis) eval(env map[string]Value) (Value, error) {
	v, err := e.x.eval(env)
	if err != nil || v != nil {
		return v, err
	}
	return e.other.eval(env)
}

// call is a function with its arguments.
type call struct {
	name string
	args []node
}

func (c call) eval(env map[string]Value) (Value, error) {
	args := make([]Value, len(c.args))
	for i, n := range c.args {
		var err error
		if args[i], err = n.eval(env); err != nil {
			return nil, err
		}
	}
	if f, ok := functions[c.name]; ok {
		return f.call(args)
	}
	x, err := number(args[0])
	if c.name != "cast.double" {
		x = math.Trunc(x)
	}
	return x, err
}

// docValue is doc['field'] with what is asked of it.
type docValue struct {
	field, what string
	index       node // of get
}

func (d docValue) eval(env map[string]Value) (Value, error) {
	doc, ok := env["doc"].(Doc)
	if !ok {
		return nil, runtimef("[doc] is not supported here")
	}
	vs, known := doc(d.field)
	if d.what == "containsKey" {
		return known, nil
	}
	if !known {
		return nil, runtimef("No field found for [%s] in mapping", d.field)
	}
	switch d.what {
	case "empty":
		return len(vs) == 0, nil
	case "length":
		return float64(len(vs)), nil
	case "values":
		out := make([]float64, 0, len(vs))
		for _, v := range vs {
			f, err := number(v)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
		return out, nil
	}
	at := 0.0
	if d.index != nil {
		v, err := d.index.eval(env)
		if err != nil {
			return nil, err
		}
		if at, err = number(v); err != nil {
			return nil, err
		}
	}
	if at < 0 || at >= float64(len(vs)) {
		return nil, runtimef("A document doesn't have a value for a field! Use doc[<field>].size()==0 to check if a document is missing a field!")
	}
	return vs[int(at)], nil
}
