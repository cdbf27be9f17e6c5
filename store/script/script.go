// Package script runs the small scripts of requests: the part of Painless that aggregations over buckets use.
//
// A script is expressions: numbers, strings, booleans, null, lists, params.x and bare names, + - * / %, comparisons, && || !, ?: and
// calls of Math and MovingFunctions; it may declare locals (def x = ...;) and end with return. There are no loops, classes, lambdas or
// regular expressions: such a script does not compile.
package script

import (
	"fmt"
	"math"
)

// Bounds of a script.
const (
	maxSource = 65535 // bytes
	maxDepth  = 100   // nesting of an expression
)

// Value is float64, string, bool, []float64 or nil; in an environment also a Doc.
type Value any

// Doc gives the values of a field of the document at hand; ok is false for a field that is not mapped. It stands in an environment under
// the name "doc".
type Doc func(field string) (values []Value, ok bool)

// Error is a script that does not compile or cannot be run.
type Error struct {
	Compile bool
	Reason  string
	At      int // byte offset
}

func (e *Error) Error() string {
	if e.Compile {
		return fmt.Sprintf("compile error at %d: %s", e.At, e.Reason)
	}
	return "runtime error: " + e.Reason
}

// Script is a compiled script. It is immutable and safe for concurrent use.
type Script struct {
	statements []statement
}

// statement is an expression; name is the local it defines, "" for none.
type statement struct {
	name string
	expr node
}

// node is a part of an expression.
type node interface {
	eval(env map[string]Value) (Value, error)
}

// Run evaluates the script: the value of its last statement. env holds params ("params.x" is env["x"]) and bare names; it is not
// changed.
func (s *Script) Run(env map[string]Value) (Value, error) {
	if len(s.statements) > 1 {
		local := make(map[string]Value, len(env)+len(s.statements))
		for k, v := range env {
			local[k] = v
		}
		env = local
	}
	var last Value
	for _, st := range s.statements {
		v, err := st.expr.eval(env)
		if err != nil {
			return nil, err
		}
		if st.name != "" {
			env[st.name] = v
		}
		last = v
	}
	return last, nil
}

// Number is the result of a script as a number; null is NaN.
func Number(v Value) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case nil:
		return math.NaN(), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	return 0, runtimef("cannot cast from [%s] to [double]", typeName(v))
}

func runtimef(format string, args ...any) *Error { return &Error{Reason: fmt.Sprintf(format, args...)} }

func typeName(v Value) string {
	switch v.(type) {
	case float64:
		return "double"
	case string:
		return "java.lang.String"
	case bool:
		return "boolean"
	case []float64:
		return "double[]"
	}
	return "null"
}
