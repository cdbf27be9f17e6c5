package lifecycle

import (
	"encoding/json"
	"strings"
)

func cut(s string) (before, after string, ok bool) { return strings.Cut(s, "/") }

// encode prints a state; it has only texts and numbers.
func encode(st State) string {
	b, err := json.Marshal(st)
	if err != nil {
		return ""
	}
	return string(b)
}
