package painless

import (
	"fmt"
	"strings"
)

// kind of a token.
type kind uint8

const (
	tEnd kind = iota
	tName
	tNumber
	tString
	tOp
)

type token struct {
	kind kind
	text string // of a string: its value
	at   int
}

// operators, the longest first.
var operators = []string{">>>=", "<<=", ">>=", ">>>", "===", "!==", "==~", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "?:", "?.", "->", "::", "=~",
	"+", "-", "*", "/", "%", "=", "<", ">", "!", "~", "&", "|", "^", "?", ":", ".", ",", ";", "(", ")", "[", "]", "{", "}"}

func lex(src string) ([]token, error) {
	var out []token
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case strings.HasPrefix(src[i:], "//"):
			if n := strings.IndexByte(src[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(src)
			}
		case strings.HasPrefix(src[i:], "/*"):
			n := strings.Index(src[i+2:], "*/")
			if n < 0 {
				return nil, compileError(src, i, "unexpected character [/*].")
			}
			i += n + 4
		case letter(c):
			from := i
			for i < len(src) && (letter(src[i]) || digit(src[i])) {
				i++
			}
			out = append(out, token{tName, src[from:i], from})
		case digit(c) || c == '.' && i+1 < len(src) && digit(src[i+1]):
			from := i
			i = scanNumber(src, i)
			out = append(out, token{tNumber, src[from:i], from})
		case c == '\'' || c == '"':
			s, n, ok := scanString(src[i:])
			if !ok {
				return nil, compileError(src, i, "unexpected character [%s].", src[i:min(len(src), i+20)])
			}
			out = append(out, token{tString, s, i})
			i += n
		default:
			op := operatorAt(src[i:])
			if op == "" {
				return nil, compileError(src, i, "unexpected character [%s].", string([]rune(src[i:])[0]))
			}
			out = append(out, token{tOp, op, i})
			i += len(op)
		}
	}
	end := token{tEnd, "", len(src)}
	return append(out, end, end, end, end), nil // the parser looks three tokens ahead
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func operatorAt(s string) string {
	for _, op := range operators {
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

func scanNumber(src string, i int) int {
	if strings.HasPrefix(src[i:], "0x") || strings.HasPrefix(src[i:], "0X") {
		i += 2
		for i < len(src) && (digit(src[i]) || letter(src[i])) {
			i++
		}
		return i
	}
	for i < len(src) {
		c := src[i]
		switch {
		case digit(c):
		case c == '.' && i+1 < len(src) && digit(src[i+1]):
		case (c == 'e' || c == 'E') && i+1 < len(src) && (digit(src[i+1]) || (src[i+1] == '-' || src[i+1] == '+') && i+2 < len(src) && digit(src[i+2])):
			i++
		case strings.IndexByte("lLfFdD", c) >= 0:
			return i + 1
		default:
			return i
		}
		i++
	}
	return i
}

// scanString reads a quoted string: only the quote and the backslash are escaped.
func scanString(s string) (value string, n int, ok bool) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			return b.String(), i + 1, true
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'r':
				b.WriteByte('\r')
			case quote, '\\', '\'', '"':
				b.WriteByte(s[i])
			default:
				return "", 0, false
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}

func compileError(src string, at int, format string, args ...any) *Error {
	return &Error{Compile: true, Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...), At: at, Script: near(src, at)}
}

// near is the part of a script around an offset.
func near(src string, at int) string {
	const reach = 100
	return src[max(0, at-reach):min(len(src), at+reach)]
}
