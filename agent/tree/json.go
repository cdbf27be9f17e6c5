package tree

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// AppendText appends text as the inside of a JSON string: no HTML escaping. bad says that bytes which are no UTF-8 became U+FFFD.
func AppendText(b, text []byte) (out []byte, bad bool) {
	start, i := 0, 0
	for i < len(text) {
		i = plainRun(text, i)
		if i == len(text) {
			break
		}
		c := text[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRune(text[i:])
			if r != utf8.RuneError || n != 1 {
				i += n
				continue
			}
			b = append(b, text[start:i]...)
			b = append(b, "\uFFFD"...)
			i++
			start, bad = i, true
			continue
		}
		b = append(b, text[start:i]...)
		b = appendEscape(b, c)
		i++
		start = i
	}
	return append(b, text[start:]...), bad
}

// plainRun is the index from i on of the first byte that is not plain ASCII text: a control character, '"', '\\' or above 0x7F.
func plainRun(text []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		v := binary.LittleEndian.Uint64(text[i:])
		quote, slash := v^(ones*'"'), v^(ones*'\\')
		special := v | (v - ones*0x20) | (quote - ones) | (slash - ones)
		if special&highs != 0 {
			break
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return i
		}
	}
	return i
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// AppendQuoted appends s as a JSON string.
func AppendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	b, _ = AppendText(b, []byte(s))
	return append(b, '"')
}

// AppendValue appends any value made of the types that settings and parsers give: keys sorted, numbers as they are written.
func AppendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return AppendQuoted(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case uint64:
		return strconv.AppendUint(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case json.Number:
		return append(b, v...)
	case time.Time:
		return append(AppendTime(append(b, '"'), v), '"')
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendQuoted(b, s)
		}
		return append(b, ']')
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendValue(b, item)
		}
		return append(b, ']')
	case map[string]any:
		return AppendObject(b, v)
	}
	return AppendQuoted(b, fmt.Sprint(v))
}

func appendFloat(b []byte, f float64) []byte {
	out, err := json.Marshal(f)
	if err != nil { // not a number, infinite
		return append(b, "null"...)
	}
	return append(b, out...)
}

// AppendObject appends an object, its members sorted by key.
func AppendObject(b []byte, object map[string]any) []byte {
	return append(AppendMembers(append(b, '{'), object, false), '}')
}

// AppendMembers appends the members sorted by key; comma says that one precedes them.
func AppendMembers(b []byte, object map[string]any, comma bool) []byte {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(AppendQuoted(b, k), ':')
		b = AppendValue(b, object[k])
	}
	return b
}

// AppendTime appends t in UTC with milliseconds: 2026-11-22T21:34:10.888Z.
func AppendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
