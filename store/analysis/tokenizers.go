package analysis

import (
	"unicode"
	"unicode/utf8"
)

// splitLetters keeps runs of letters.
func splitLetters(text []byte, f func(p piece)) { splitRuns(text, unicode.IsLetter, f) }

// splitSpace keeps runs without white space.
func splitSpace(text []byte, f func(p piece)) {
	splitRuns(text, func(r rune) bool { return !unicode.IsSpace(r) }, f)
}

// splitNothing keeps the text whole.
func splitNothing(text []byte, f func(p piece)) {
	if len(text) > 0 {
		f(piece{0, len(text), kindWord})
	}
}

// splitRuns keeps the longest runs of characters that in accepts.
func splitRuns(text []byte, in func(r rune) bool, f func(p piece)) {
	start := -1
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case !in(r):
			if start >= 0 {
				cutWide(text, piece{start, i, kindWord}, f)
				start = -1
			}
		case start < 0:
			start = i
		}
		i += n
	}
	if start >= 0 {
		cutWide(text, piece{start, len(text), kindWord}, f)
	}
}
