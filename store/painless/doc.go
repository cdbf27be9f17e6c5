// Package painless runs scripts in the language of that name, which change documents: updates, copies and updates by query, ingest
// pipelines.
//
// A script is statements over values that JSON has, and a few more: null, booleans, whole numbers (int64), floating ones (float64),
// strings, *List, *Map, and Objects, which the caller brings (doc, for one). It may declare locals, branch, loop, and call the methods
// of strings, lists, maps, Math and the number classes. There are no classes, no lambdas, no regular expressions and no own functions:
// such a script does not compile. A run ends after MaxSteps steps.
//
// Compile gives a Script, which is immutable and safe for concurrent use; Run executes it over named values. Maps and lists are
// changed in place, as a script that sets ctx._source.a expects.
package painless

import "fmt"

// Bounds of a script.
const (
	MaxSource = 65535     // bytes
	MaxSteps  = 1_000_000 // of one run
	maxDepth  = 100       // nesting of expressions and blocks
	maxLocals = 1000
	maxGrow   = 16 << 20 // bytes of a string, elements of a list, that one run may make
)

// Error is a script that does not compile or failed.
type Error struct {
	Compile bool
	Type    string // of the cause, as Elasticsearch names it: null_pointer_exception
	Reason  string
	At      int    // byte offset into the script
	Script  string // the script's text, at most 200 bytes around At
}

func (e *Error) Error() string {
	kind := "runtime error"
	if e.Compile {
		kind = "compile error"
	}
	return fmt.Sprintf("%s at %d: %s", kind, e.At, e.Reason)
}

// Object is a value that the caller brings.
type Object interface {
	// Member is obj.name and obj['name']; ok is false when there is none.
	Member(name string) (v any, ok bool)
	// Call is obj.name(args).
	Call(name string, args []any) (v any, ok bool, err error)
}

// Script is a compiled script.
type Script struct {
	text   string
	body   []stmt
	locals int
}

// String is the script's text.
func (s *Script) String() string { return s.text }

// Run executes the script; env are its names (ctx, params, doc). The result is that of return, or of the last expression.
func (s *Script) Run(env map[string]any) (any, error) {
	f := &frame{env: env, locals: make([]any, s.locals), script: s, grow: maxGrow}
	for _, st := range s.body {
		sig, err := st.exec(f)
		if err != nil {
			return nil, err
		}
		if sig == sigReturn {
			break
		}
	}
	return f.result, nil
}

// Truth is a result as a condition's.
func Truth(v any) (bool, error) {
	b, ok := v.(bool)
	if !ok {
		return false, &Error{Type: "class_cast_exception", Reason: "Cannot cast " + typeName(v) + " to boolean"}
	}
	return b, nil
}
