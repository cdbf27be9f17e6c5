// Package grok matches log lines against grok patterns and Ruby-style regular expressions.
//
// A Set is a library of named patterns: the stock set of one field-name mode, overlaid with a user's definitions. Set.Compile turns
// a pattern such as
//
//	%{IPORHOST:client} %{WORD:verb} %{NUMBER:bytes:int}
//
// into a Pattern, and Pattern.NewMatcher gives a Matcher, which holds the scratch memory of one goroutine. Matching allocates
// nothing once the scratch has grown to the size the lines need. CompileRegexp compiles the same dialect without references to
// named patterns, for conditions and replacements.
//
// The dialect is Oniguruma's with Ruby syntax: in a grok pattern the dot takes newlines, ^ and $ work per line, \h is a hex digit,
// \w \d \s are ASCII while [[:alnum:]], \b and (?i) follow Unicode. What the engine does not know is refused with the column.
//
// How a match runs:
//
//	expand    %{NAME} becomes the tree of its definition (expand.go, parse.go, group.go, class.go, resolve.go)
//	simplify  literals merge, one-byte alternatives become classes, common prefixes are shared (simplify.go)
//	compile   first and follow sets decide choices by one byte where they can (analyze.go, compile.go, repeat.go, start.go)
//	run       a backtracking machine over bytes with an explicit, reused stack (run.go, backtrack.go)
//	known     stock names of a common form are recognized by Go code in front of their patterns (intrinsic.go, intrinsic_time.go)
//	guard     when a line costs far more steps than it has bytes, visited states are remembered and never entered twice, so that
//	          time stays linear in the line (guard.go)
//
// A List tries several patterns on one line (list.go). Explain searches once more by a plain walk over the tree and tells how far a
// line came (walk.go, explain.go); the tests hold the machine to the same walk. The stock definitions are in patterns: what both
// modes share in common, the rest in legacy and ecs-v1.
//
// Invariants: a Set and a Pattern are immutable and safe for concurrent use, a Matcher is not. Positions are byte offsets and always
// stand at the start of a UTF-8 character. Every bound (pattern bytes, tree nodes, stack frames, memo bytes, steps) is a constant in
// limits.go; a match that reaches one ends with ErrTimeout, never with a wrong answer.
package grok
