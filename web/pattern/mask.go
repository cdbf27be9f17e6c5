package pattern

import "strings"

// maxTokens is how many tokens of a message are looked at; what follows is one wildcard.
const maxTokens = 64

// maxBytes is how much of a message is looked at: its first line, at most so long.
const maxBytes = 4096

// Wildcard stands in a template where messages differ.
const Wildcard = "<*>"

// token is a word of a message: what stands for it in a template, and the text in front of it that separates it from the one before.
type token struct {
	text string
	gap  string
}

// tokens cuts a message into words at blanks and at the signs around values, such as = : , ( ) [ ]. Words that hold digits in a way
// that names, numbers, addresses, times, hexadecimal texts or paths do become wildcards.
func tokens(message string, out []token) []token {
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i]
	}
	if len(message) > maxBytes {
		message = message[:maxBytes]
	}
	at := 0
	for at < len(message) {
		from := at
		for at < len(message) && separator(message[at]) {
			at++
		}
		gap := message[from:at]
		from = at
		for at < len(message) && !separator(message[at]) {
			at++
		}
		if from == at {
			if gap != "" {
				out = append(out, token{"", gap})
			}
			break
		}
		text := message[from:at]
		if len(out) == maxTokens-1 && at < len(message) {
			return append(out, token{Wildcard, gap})
		}
		if varies(text) {
			text = Wildcard
		}
		out = append(out, token{text, gap})
	}
	return near(out)
}

// near makes wildcards of the names of days and months in a date, and of the units behind a number.
func near(words []token) []token {
	for i := len(words) - 1; i >= 0; i-- {
		after := i+1 < len(words) && words[i+1].text == Wildcard
		before := i > 0 && words[i-1].text == Wildcard
		if t := words[i].text; after && calendar(t) || before && unit(t) {
			words[i].text = Wildcard
		}
	}
	return words
}

// calendar says that a word is the name of a day or month.
func calendar(w string) bool {
	switch w {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

// unit says that a word measures the number in front of it.
func unit(w string) bool {
	switch w {
	case "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "bytes", "ns", "us", "µs", "ms", "s", "min", "h":
		return true
	}
	return false
}

func separator(c byte) bool {
	return c == ' ' || c == '\t' || c == '=' || c == ',' || c == '(' || c == ')' || c == '[' || c == ']' || c == '"' || c == '\'' || c == ';' || c == '{' || c == '}' || c == '|' || c == '<' || c == '>'
}

// varies says that a word is a value: it has a digit, or is an address of a file or of a host.
func varies(word string) bool {
	digits, hex, letters := 0, 0, 0
	slashes := 0
	for i := range len(word) {
		switch c := word[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
			letters++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80:
			letters++
		case c == '/':
			slashes++
		}
	}
	return digits > 0 || slashes > 1 || slashes == 1 && word[0] == '/' && len(word) > 1
}
