// Package ruby runs the part of the Ruby language that pipeline configurations use: the code of the filters ruby and aggregate.
//
// A Program is the sources of one filter. Compile reads them into trees (lex.go, parse.go, primary.go) and refuses what is not
// there with its place: methods, constants and syntax; so a source that compiles fails only as Ruby's would. Call runs a method's body
// over the values of value.go:
//
//	p := ruby.New("my.conf:12", env)
//	code, faults := p.Compile(ruby.Source{Text: `event.set("n", event.get("a").to_i + 1)`, Params: []string{"event"}})
//	_, exc := code[0].Call(ruby.Run{Batch: b, Ref: e.Ref}, e)
//
// The evaluator walks the tree (eval.go, call.go). A statement tells how it was left (next, break, return); inside of expressions and
// across builtins the same travels as a panic, and so do exceptions (exception.go). Builtins are tables by kind of value (library.go):
// string.go, regexp.go, array.go, enum.go, hash.go, number.go, time.go, event.go, net.go, stdlib.go, object.go.
//
// Nothing outside of the process can be reached: no files, no sockets, no processes, no reflection. A call takes at most a million
// steps, 16 MiB of values and 150 nested calls; past them it ends with an Exception that no rescue sees. Regular expressions are those of
// pipeline/grok, whose time is linear in the text.
//
// Differences from Ruby: texts are UTF-8 and bytes that are not count as characters; rationals are floats; a text taken from an event
// is a copy. A Program belongs to one goroutine.
//
// The package is larger than others because the methods of all kinds of values share one form of them and one VM; nothing of that is of
// use elsewhere.
package ruby
