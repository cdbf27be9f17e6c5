package mapping

import "encoding/binary"

// Codes of a shape, the skeleton of a document: what AppendDocument needs besides the values of fields and the rest.
const (
	ShapeKey      byte = 1 // uvarint length, the key as it is printed between quotes
	ShapeOpen     byte = 2 // {
	ShapeClose    byte = 3 // }
	ShapeArray    byte = 4 // [
	ShapeArrayEnd byte = 5 // ]
	ShapeLeaf     byte = 6 // uvarint field, form: the field's next value
	ShapeLeaves   byte = 7 // uvarint field, form: an array of all the field's values
	ShapeVerbatim byte = 8 // the next piece of the rest
	ShapeNull     byte = 9 // null
)

// Form says how a value is spelled.
type Form byte

const (
	FormNative  Form = 0  // text as a string, numbers and booleans as literals
	FormQuoted  Form = 1  // a number or boolean as a string
	FormRaw     Form = 2  // the bytes of a keyword without quotes: it was a number or boolean
	FormMillis  Form = 3  // a date as epoch milliseconds
	FormMillisQ Form = 4  // the same as a string
	FormISO     Form = 16 // + digits of the fraction, 0 to 9: yyyy-MM-ddTHH:mm:ss[.S]Z; of a date at most 3
	FormISOZone Form = 32 // the same with ±HH:mm; an i16 of minutes follows, big-endian
)

func appendUvarint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// ShapeItem is one step of a shape.
type ShapeItem struct {
	Code   byte
	Key    []byte // ShapeKey
	Field  int    // ShapeLeaf, ShapeLeaves
	Form   Form
	Offset int // minutes, FormISOZone
}

// NextShape reads one step from the front of a shape; ok is false at its end and where it is damaged.
func NextShape(b []byte) (it ShapeItem, rest []byte, ok bool) {
	if len(b) == 0 {
		return it, nil, false
	}
	it.Code = b[0]
	b = b[1:]
	switch it.Code {
	case ShapeKey:
		n, k := binary.Uvarint(b)
		if k <= 0 || n > uint64(len(b)-k) {
			return it, nil, false
		}
		it.Key = b[k : k+int(n)]
		return it, b[k+int(n):], true
	case ShapeLeaf, ShapeLeaves:
		n, k := binary.Uvarint(b)
		if k <= 0 || n > 1<<20 || k >= len(b) {
			return it, nil, false
		}
		it.Field, it.Form = int(n), Form(b[k])
		b = b[k+1:]
		if it.Form >= FormISOZone {
			if len(b) < 2 {
				return it, nil, false
			}
			it.Offset = int(int16(binary.BigEndian.Uint16(b)))
			b = b[2:]
		}
		return it, b, true
	case ShapeOpen, ShapeClose, ShapeArray, ShapeArrayEnd, ShapeVerbatim, ShapeNull:
		return it, b, true
	}
	return it, nil, false
}

// AppendShape appends one step.
func AppendShape(b []byte, it ShapeItem) []byte {
	b = append(b, it.Code)
	switch it.Code {
	case ShapeKey:
		b = appendUvarint(b, uint64(len(it.Key)))
		b = append(b, it.Key...)
	case ShapeLeaf, ShapeLeaves:
		b = append(appendUvarint(b, uint64(it.Field)), byte(it.Form))
		if it.Form >= FormISOZone {
			b = binary.BigEndian.AppendUint16(b, uint16(int16(it.Offset)))
		}
	}
	return b
}

// Renumber rewrites the field numbers of a shape; ok is false when it is damaged.
func Renumber(dst, shape []byte, num func(int) int) (out []byte, ok bool) {
	for len(shape) > 0 {
		var it ShapeItem
		if it, shape, ok = NextShape(shape); !ok {
			return dst, false
		}
		if it.Code == ShapeLeaf || it.Code == ShapeLeaves {
			if it.Field = num(it.Field); it.Field < 0 {
				return dst, false
			}
		}
		dst = AppendShape(dst, it)
	}
	return dst, true
}

// AppendLeaf prints a value of a field of type t in its form: n for Numbers, b for Values and Words.
func AppendLeaf(dst []byte, t Type, it ShapeItem, n int64, b []byte) []byte {
	switch it.Form {
	case FormRaw:
		return append(dst, b...)
	case FormMillis, FormMillisQ:
		if t == DateNanos {
			n /= 1_000_000
		}
		if it.Form == FormMillisQ {
			return append(appendInt(append(dst, '"'), n), '"')
		}
		return appendInt(dst, n)
	}
	if it.Form >= FormISO {
		if t != DateNanos {
			n *= 1_000_000
		}
		return appendISO(dst, n, it)
	}
	if it.Form == FormQuoted {
		dst = append(dst, '"')
	}
	switch t.Kind() {
	case Numbers:
		dst = appendPlainNumber(dst, t, n)
	default:
		switch t {
		case IP:
			return AppendString(dst, IPText(b))
		case Version:
			return AppendString(dst, VersionText(b))
		}
		return AppendString(dst, b)
	}
	if it.Form == FormQuoted {
		dst = append(dst, '"')
	}
	return dst
}

func appendPlainNumber(dst []byte, t Type, n int64) []byte {
	f := Field{Type: t}
	if t.IsDate() {
		return appendInt(dst, n)
	}
	return f.AppendNumber(dst, n)
}

func appendInt(dst []byte, n int64) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	var tmp [20]byte
	i := len(tmp)
	u := uint64(n)
	for {
		i--
		tmp[i] = byte('0' + u%10)
		if u /= 10; u == 0 {
			break
		}
	}
	return append(dst, tmp[i:]...)
}

// appendISO prints an instant with the fraction digits and the offset of it.
func appendISO(dst []byte, ns int64, it ShapeItem) []byte {
	digits := int(it.Form - FormISO)
	if it.Form >= FormISOZone {
		digits = int(it.Form - FormISOZone)
		ns += int64(it.Offset) * 60_000_000_000
	}
	sec, frac := ns/1_000_000_000, ns%1_000_000_000
	if frac < 0 {
		sec--
		frac += 1_000_000_000
	}
	days, day := sec/86400, sec%86400
	if day < 0 {
		days--
		day += 86400
	}
	y, m, d := civil(days)
	dst = append(append2(append2(dst, '"', y/100), 0, y%100), '-')
	dst = append2(append(append2(dst, 0, m), '-'), 0, d)
	dst = append2(append(dst, 'T'), 0, int(day/3600))
	dst = append2(append(dst, ':'), 0, int(day/60%60))
	dst = append2(append(dst, ':'), 0, int(day%60))
	if digits > 0 {
		dst = append(dst, '.')
		for p := int64(100_000_000); digits > 0 && p > 0; digits-- {
			dst = append(dst, byte('0'+frac/p%10))
			p /= 10
		}
	}
	if it.Form < FormISOZone {
		return append(dst, 'Z', '"')
	}
	off, sign := it.Offset, byte('+')
	if off < 0 {
		off, sign = -off, '-'
	}
	dst = append2(dst, sign, off/60)
	return append(append2(append(dst, ':'), 0, off%60), '"')
}

// append2 appends lead (unless 0) and two digits.
func append2(dst []byte, lead byte, v int) []byte {
	if lead != 0 {
		dst = append(dst, lead)
	}
	return append(dst, byte('0'+v/10%10), byte('0'+v%10))
}

// Row gives the values of one document to AppendDocument.
type Row interface {
	// Next is the next value of a field in document order.
	Next(field int) (t Type, n int64, b []byte, ok bool)
	// More tells whether Next would have one.
	More(field int) bool
}

// AppendDocument prints a document from its shape, its values and its rest; ok is false when they do not fit together.
func AppendDocument(dst, shape, rest []byte, row Row) (out []byte, ok bool) {
	base := len(dst)
	for len(shape) > 0 {
		var it ShapeItem
		if it, shape, ok = NextShape(shape); !ok {
			return dst, false
		}
		switch it.Code {
		case ShapeKey:
			dst = append(append(append(comma(dst, base), '"'), it.Key...), '"', ':')
			continue
		case ShapeOpen:
			dst = append(comma(dst, base), '{')
			continue
		case ShapeArray:
			dst = append(comma(dst, base), '[')
			continue
		case ShapeClose:
			dst = append(dst, '}')
			continue
		case ShapeArrayEnd:
			dst = append(dst, ']')
			continue
		}
		dst = comma(dst, base)
		if dst, rest, ok = appendStep(dst, it, rest, row); !ok {
			return dst, false
		}
	}
	return dst, true
}

// comma separates what follows from what was, unless it is the first of its object or array, or a value behind its key.
func comma(dst []byte, base int) []byte {
	if len(dst) == base {
		return dst
	}
	switch dst[len(dst)-1] {
	case '{', '[', ':':
		return dst
	}
	return append(dst, ',')
}

func appendStep(dst []byte, it ShapeItem, rest []byte, row Row) (out, left []byte, ok bool) {
	switch it.Code {
	case ShapeNull:
		return append(dst, "null"...), rest, true
	case ShapeVerbatim:
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return dst, rest, false
		}
		return append(dst, rest[k:k+int(n)]...), rest[k+int(n):], true
	case ShapeLeaf:
		t, n, b, ok := row.Next(it.Field)
		if !ok {
			return dst, rest, false
		}
		return AppendLeaf(dst, t, it, n, b), rest, true
	}
	dst = append(dst, '[')
	for first := true; row.More(it.Field); first = false {
		if !first {
			dst = append(dst, ',')
		}
		t, n, b, ok := row.Next(it.Field)
		if !ok {
			return dst, rest, false
		}
		dst = AppendLeaf(dst, t, it, n, b)
	}
	return append(dst, ']'), rest, true
}
