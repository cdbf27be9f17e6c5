package alert

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxShape bounds what is looked at of a message, in bytes.
const maxShape = 512

// Shape is a message without what changes from one to the next: words with a digit in them, and what stands between quotes, become a
// star; stars in a row are one. Only the first line counts.
func Shape(message string) string {
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	if len(message) > maxShape {
		message = message[:maxShape]
		for len(message) > 0 && !utf8.ValidString(message[len(message)-1:]) && !utf8.RuneStart(message[len(message)-1]) {
			message = message[:len(message)-1]
		}
	}
	var out []string
	for _, word := range strings.FieldsFunc(unquoted(message), func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;=()[]{}<>|", r) }) {
		if strings.ContainsFunc(word, unicode.IsDigit) {
			word = "*"
		}
		if word == "*" && len(out) > 0 && out[len(out)-1] == "*" {
			continue
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

// unquoted replaces what stands between two quotes of one kind.
func unquoted(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, `"'`)
		if i < 0 || i > 0 && s[i] == '\'' && s[i-1] != ' ' { // an apostrophe
			if i < 0 {
				i = len(s) - 1
			}
			b.WriteString(s[:i+1])
			s = s[i+1:]
			continue
		}
		j := strings.IndexByte(s[i+1:], s[i])
		if j < 0 {
			b.WriteString(s)
			break
		}
		b.WriteString(s[:i] + "*")
		s = s[i+1+j+1:]
	}
	return b.String()
}
