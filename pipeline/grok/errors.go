package grok

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTimeout is returned by a match that exceeded its wall limit or one of the engine's bounds on work and memory.
var ErrTimeout = errors.New("grok: match exceeded its limit")

// Error tells what is wrong with a pattern and where.
type Error struct {
	Pattern string   // text of the pattern or definition that holds the fault
	Chain   []string // names of the definitions that lead to it, outermost first; empty for the pattern itself
	Offset  int      // byte offset of the fault in Pattern
	Msg     string
}

// Column is the 1-based character position of the fault in Pattern.
func (e *Error) Column() int {
	return len([]rune(e.Pattern[:min(e.Offset, len(e.Pattern))])) + 1
}

func (e *Error) Error() string {
	if len(e.Chain) > 0 {
		return fmt.Sprintf("pattern %s, column %d: %s", strings.Join(e.Chain, " -> "), e.Column(), e.Msg)
	}
	return fmt.Sprintf("column %d: %s", e.Column(), e.Msg)
}
