package event

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends the event as one line of JSON: @timestamp first, then @version, then the fields in order of arrival.
func (e *Event) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	if e.ts != noTime {
		dst = append(dst, `"@timestamp":"`...)
		dst = AppendISO(dst, e.ts)
		dst = append(dst, '"')
	}
	if v := e.top(&versionKey); v != nil {
		dst = comma(dst)
		dst = append(dst, `"@version":`...)
		dst = e.b.AppendJSON(dst, *v)
	}
	for i := range e.fields {
		f := &e.fields[i]
		if f.key.sum == versionKey.sum && f.key.s == versionKey.s {
			continue
		}
		dst = comma(dst)
		dst = f.key.appendJSON(dst)
		dst = e.b.AppendJSON(dst, f.v)
	}
	return append(dst, '}')
}

var versionKey = MakeKey("@version")

func comma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' || dst[len(dst)-1] == '[' {
		return dst
	}
	return append(dst, ',')
}

// AppendJSON appends v as JSON.
func (b *Batch) AppendJSON(dst []byte, v Value) []byte {
	switch v.kind {
	case raw:
		return append(dst, v.s...)
	case BoolKind:
		return strconv.AppendBool(dst, v.n == 1)
	case IntKind:
		return strconv.AppendInt(dst, int64(v.n), 10)
	case FloatKind:
		f := math.Float64frombits(v.n)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...)
		}
		return AppendFloat(dst, f)
	case BigKind:
		return append(dst, v.s...)
	case StringKind:
		if v.plain {
			dst = append(dst, '"')
			dst = append(dst, v.s...)
			return append(dst, '"')
		}
		if v.p != nil {
			return append(dst, v.p.text...)
		}
		return AppendString(dst, v.s)
	case TimeKind:
		dst = append(dst, '"')
		dst = AppendISO(dst, int64(v.n))
		return append(dst, '"')
	case MapKind:
		return b.appendMap(dst, v.p.fields)
	case ListKind:
		dst = append(dst, '[')
		for i, el := range v.p.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = b.AppendJSON(dst, el)
		}
		return append(dst, ']')
	}
	return append(dst, "null"...)
}

func (b *Batch) appendMap(dst []byte, fs []field) []byte {
	dst = append(dst, '{')
	for i := range fs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = fs[i].key.appendJSON(dst)
		dst = b.AppendJSON(dst, fs[i].v)
	}
	return append(dst, '}')
}

// AppendMetaJSON appends [@metadata] as a JSON object.
func (e *Event) AppendMetaJSON(dst []byte) []byte { return e.b.appendMap(dst, *e.metadata()) }

// AppendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	return append(appendEscaped(dst, s), '"')
}

// plainLen is the number of leading bytes that are ASCII and need no escape.
func plainLen(s string) int {
	p := Bytes(s)
	i := 0
	for i+8 <= len(p) {
		x := binary.LittleEndian.Uint64(p[i:])
		if (special(x)|x)&highs != 0 {
			break
		}
		i += 8
	}
	for i < len(p) && p[i] >= 0x20 && p[i] < 0x80 && p[i] != '"' && p[i] != '\\' {
		i++
	}
	return i
}

// appendEscaped copies runs of plain bytes at once; a run is ended by an escape or by a character past ASCII.
func appendEscaped(dst []byte, s string) []byte {
	for s != "" {
		if n := plainLen(s); n > 0 {
			dst = append(dst, s[:n]...)
			if s = s[n:]; s == "" {
				return dst
			}
		}
		if c := s[0]; c < utf8.RuneSelf {
			dst = appendEscape(dst, c)
			s = s[1:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, s[:n]...)
		}
		s = s[n:]
	}
	return dst
}

func appendEscape(dst []byte, c byte) []byte {
	const hexDigits = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
