package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// integer bounds by type
func intBounds(t Type) (lo, hi int64) {
	switch t {
	case Integer:
		return math.MinInt32, math.MaxInt32
	case Short:
		return math.MinInt16, math.MaxInt16
	case Byte:
		return math.MinInt8, math.MaxInt8
	}
	return math.MinInt64, math.MaxInt64
}

// Number encodes a value of a Numbers field as its column holds it. text is the value without quotes; for dates it is read by the
// field's format in UTC.
func (f *Field) Number(text string) (int64, error) {
	switch f.Type {
	case Long, Integer, Short, Byte:
		return f.integer(text)
	case UnsignedLong:
		return f.unsigned(text)
	case Double, Float, HalfFloat, ScaledFloat:
		return f.float(text)
	case Boolean:
		switch text {
		case "true":
			return 1, nil
		case "false", "":
			return 0, nil
		}
		return 0, fmt.Errorf("Failed to parse value [%s] as only [true] or [false] are allowed.", text)
	case Date, DateNanos:
		ns, err := f.Format.Parse(text, false, time.UTC)
		if err != nil {
			return 0, err
		}
		return f.Time(ns), nil
	}
	return 0, fmt.Errorf("field [%s] of type [%s] has no numbers", f.Path, f.TypeName)
}

// Time is the column value of an instant in epoch nanoseconds, for date fields: finer than the type is cut.
func (f *Field) Time(ns int64) int64 {
	if f.Type == DateNanos {
		return ns
	}
	ms := ns / 1_000_000
	if ns%1_000_000 < 0 {
		ms--
	}
	return ms
}

// Nanos is the instant of a column value of a date field.
func (f *Field) Nanos(v int64) int64 {
	if f.Type == DateNanos {
		return v
	}
	return v * 1_000_000
}

func (f *Field) integer(text string) (int64, error) {
	lo, hi := intBounds(f.Type)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] == '+' {
		d, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || !decimal(text) {
			return 0, fmt.Errorf("For input string: \"%s\"", text)
		}
		if d >= 1<<63 || d < -(1<<63) {
			return 0, fmt.Errorf("Value [%s] is out of range for a %s", text, f.Type)
		}
		if d != math.Trunc(d) && !f.Coerce {
			return 0, fmt.Errorf("Value [%s] has a decimal part", text)
		}
		n = int64(d)
	}
	if n < lo || n > hi {
		return 0, fmt.Errorf("Value [%s] is out of range for a %s", text, f.Type)
	}
	return n, nil
}

func (f *Field) unsigned(text string) (int64, error) {
	u, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		d, ferr := strconv.ParseFloat(text, 64)
		if ferr != nil || !decimal(text) || d < 0 || d >= 1<<64 || d != math.Trunc(d) {
			return 0, fmt.Errorf("For input string: \"%s\"", text)
		}
		u = uint64(d)
	}
	return int64(u ^ 1<<63), nil
}

// decimal keeps out what ParseFloat takes and JSON numbers are not: hex, underscores, inf, nan.
func decimal(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c-'0' > 9 && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return false
		}
	}
	return s != ""
}

func (f *Field) float(text string) (int64, error) {
	if !decimal(text) {
		return 0, fmt.Errorf("For input string: \"%s\"", text)
	}
	bits := 64
	if f.Type == Float || f.Type == HalfFloat {
		bits = 32
	}
	d, err := strconv.ParseFloat(text, bits)
	if err != nil {
		if strings.Contains(err.Error(), "range") {
			return 0, fmt.Errorf("[%s] supports only finite values, but got [%s]", f.Type, text)
		}
		return 0, fmt.Errorf("For input string: \"%s\"", text)
	}
	switch f.Type {
	case HalfFloat:
		if d = half(d); math.IsInf(d, 0) {
			return 0, fmt.Errorf("[half_float] supports only finite values, but got [%s]", text)
		}
	case ScaledFloat:
		d = math.Round(d*f.ScalingFactor) / f.ScalingFactor
	}
	return Sortable(d), nil
}

// half rounds to the nearest number of 11 significant bits with an exponent of a half float.
func half(d float64) float64 {
	if d == 0 {
		return d
	}
	_, e := math.Frexp(d)
	ulp := math.Ldexp(1, max(e-11, -24))
	d = math.RoundToEven(d/ulp) * ulp
	if math.Abs(d) > 65504 {
		return math.Inf(1)
	}
	return d
}

// AppendNumber prints a column value as JSON: dates by the field's format, quoted.
func (f *Field) AppendNumber(dst []byte, v int64) []byte {
	switch f.Type {
	case UnsignedLong:
		return strconv.AppendUint(dst, uint64(v)^1<<63, 10)
	case Double, ScaledFloat, Float, HalfFloat:
		return AppendFloat(dst, Unsortable(v), f.Type)
	case Boolean:
		return strconv.AppendBool(dst, v != 0)
	case Date, DateNanos:
		dst = append(dst, '"')
		return append(f.Format.Append(dst, f.Nanos(v), time.UTC), '"')
	}
	return strconv.AppendInt(dst, v, 10)
}

// AppendFloat prints the shortest decimal that reads back as the same value of the type: 0.5, 12, 1.0E10 as Java does not; exponents
// only outside 1e-6 to 1e21.
func AppendFloat(dst []byte, d float64, t Type) []byte {
	bits := 64
	if t == Float || t == HalfFloat {
		bits = 32
	}
	abs := math.Abs(d)
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, d, 'e', -1, bits)
	}
	return strconv.AppendFloat(dst, d, 'f', -1, bits)
}

// Sortable maps a float64 to an int64 that sorts alike: query.SortableFloat, which this package cannot import.
func Sortable(f float64) int64 {
	b := int64(math.Float64bits(f))
	return b ^ int64(uint64(b>>63)>>1)
}

// Unsortable is the inverse of Sortable.
func Unsortable(v int64) float64 {
	return math.Float64frombits(uint64(v ^ int64(uint64(v>>63)>>1)))
}
