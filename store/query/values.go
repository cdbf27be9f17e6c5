package query

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

// numberSpan is the encoded values that equal what was written: one number, or all moments of a date like 2025-07.
func (p *planner) numberSpan(f *mapping.Field, text string) (span, error) {
	switch {
	case f.Type == mapping.Boolean:
		v, err := boolValue(text)
		return span{v, v}, err
	case f.Type.IsDate():
		lo, err := p.date(f, text, nil, nil, false)
		if err != nil {
			return span{}, err
		}
		hi, err := p.date(f, text, nil, nil, true)
		return span{lo, hi}, err
	}
	lo, err := numberBound(f, text, true)
	if err != nil {
		return span{}, err
	}
	hi, err := numberBound(f, text, false)
	return span{lo, hi}, err
}

func boolValue(text string) (int64, error) {
	switch text {
	case "true":
		return 1, nil
	case "false", "":
		return 0, nil
	}
	return 0, shardf("failed to create query: Can't parse boolean value [%s], expected [true] or [false]", text)
}

// date reads date math in the field's unit: milliseconds, or nanoseconds of date_nanos.
func (p *planner) date(f *mapping.Field, text string, format *mapping.DateFormat, loc *time.Location, roundUp bool) (int64, error) {
	if format == nil {
		format = f.Format
	}
	p.usesNow = p.usesNow || strings.HasPrefix(text, "now")
	ns, err := mapping.ParseDateMath(text, p.Now, format, loc, roundUp)
	if err != nil {
		if far, ok := farDate(text, format); ok {
			return far, nil
		}
		e := shardf("failed to create query: %s", err)
		e.Cause = &Error{Status: 400, Type: "parse_exception", Reason: err.Error()}
		return 0, e
	}
	if f.Type == mapping.DateNanos {
		return ns, nil
	}
	return floorDiv(ns, 1e6), nil
}

// farDate reads dates beyond what nanoseconds in 64 bits hold, the years 1678 to 2261, as the end of time on their side: the open ends
// that clients write, like 9999-12-31 or 9999999999999.
func farDate(text string, format *mapping.DateFormat) (int64, bool) {
	const lastMillis, firstYear, lastYear = math.MaxInt64 / 1_000_000, 1678, 2261
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > 4 {
		if _, err := format.Parse("0", false, nil); err != nil { // the format has no epoch_millis
			return 0, false
		}
		switch {
		case n > lastMillis:
			return math.MaxInt64, true
		case n < -lastMillis:
			return math.MinInt64, true
		}
		return 0, false
	}
	if len(text) < 4 {
		return 0, false
	}
	year, err := strconv.Atoi(text[:4])
	if err != nil || year >= firstYear && year <= lastYear {
		return 0, false
	}
	date, _, _ := strings.Cut(text, "||")
	if _, err := format.Parse("2000"+date[4:], false, nil); err != nil {
		return 0, false
	}
	if year > lastYear {
		return math.MaxInt64, true
	}
	return math.MinInt64, true
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// numberBound encodes a number as the lowest (low) or highest value of the field's type that is not below (above) it.
func numberBound(f *mapping.Field, text string, low bool) (int64, error) {
	text = strings.TrimSpace(text)
	x, err := strconv.ParseFloat(text, 64)
	if (err != nil && !math.IsInf(x, 0)) || math.IsNaN(x) || strings.ContainsAny(text, "_xXpP") {
		e := shardf("failed to create query: For input string: \"%s\"", text)
		e.Cause = &Error{Status: 400, Type: "number_format_exception", Reason: fmt.Sprintf("For input string: \"%s\"", text)}
		return 0, e
	}
	if f.Type.IsFloat() {
		if v, err := f.Number(text); err == nil {
			return v, nil
		}
		return SortableFloat(x), nil // beyond what the type holds: no value is as far out
	}
	if f.Type == mapping.UnsignedLong {
		return unsignedBound(text, x, low), nil
	}
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return v, nil
	}
	round := math.Floor
	if low {
		round = math.Ceil
	}
	return clampInt(round(x)), nil
}

func clampInt(x float64) int64 {
	switch {
	case x >= math.MaxInt64:
		return math.MaxInt64
	case x <= math.MinInt64:
		return math.MinInt64
	}
	return int64(x)
}

func unsignedBound(text string, x float64, low bool) int64 {
	const flip = math.MinInt64
	if v, err := strconv.ParseUint(text, 10, 64); err == nil {
		return int64(v) ^ flip
	}
	round := math.Floor
	if low {
		round = math.Ceil
	}
	switch x = round(x); {
	case x <= 0:
		return flip
	case x >= math.MaxUint64:
		return math.MaxInt64
	}
	return int64(uint64(x)) ^ flip
}

// keyword is a value as a keyword-like column holds it.
func (p *planner) keyword(f *mapping.Field, text string) ([]byte, error) {
	v, err := f.Term(text)
	if err != nil {
		return nil, shardf("failed to create query: %s", err)
	}
	return v, nil
}
