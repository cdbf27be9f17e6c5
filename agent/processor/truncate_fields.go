package processor

import (
	"errors"
	"unicode/utf8"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

func compileTruncate(args arguments) (run, error) {
	fields, err := args.list("fields")
	if err != nil {
		return nil, err
	}
	bytes, err1 := args.number("max_bytes", 0)
	chars, err2 := args.number("max_characters", 0)
	missingOK, strict, err3 := args.flags()
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if (bytes > 0) == (chars > 0) {
		return nil, errors.New("want one of max_bytes and max_characters")
	}
	var changes []change
	for _, field := range fields {
		changes = append(changes, func(ev *tree.Event) error {
			v, ok := ev.Get(field)
			s, isText := v.(string)
			if !ok || !isText {
				return missing(field, missingOK)
			}
			limit := bytes
			if chars > 0 {
				limit = endOfRunes(s, chars)
			}
			if len(s) > limit {
				put(ev, field, string(lines.CutText([]byte(s), limit)))
				tree.AddFlag(ev.Fields, "truncated")
			}
			return nil
		})
	}
	return allOrNone(strict, changes), nil
}

// endOfRunes is the length of the first n characters of s.
func endOfRunes(s string, n int) int {
	end := 0
	for ; n > 0 && end < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return end
}
