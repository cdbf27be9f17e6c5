package mapping

import (
	"fmt"
	"strings"
	"time"
)

// ParseDateMath reads a date with arithmetic: now-15m/d, 2025-07||/M, or a plain date of the format. Roundings and parts left out go
// down, with roundUp to the last nanosecond of the unit. loc (nil: UTC) is the zone of dates without one and of roundings.
func ParseDateMath(expr string, now time.Time, f *DateFormat, loc *time.Location, roundUp bool) (int64, error) {
	if loc == nil {
		loc = time.UTC
	}
	var t time.Time
	var math string
	switch {
	case strings.HasPrefix(expr, "now"):
		t, math = now.In(loc), expr[3:]
	default:
		date, rest, found := strings.Cut(expr, "||")
		ns, err := f.Parse(date, roundUp && rest == "", loc)
		if err != nil {
			return 0, err
		}
		if !found || rest == "" {
			return ns, nil
		}
		t, math = time.Unix(0, ns).In(loc), rest
	}
	t, err := dateMath(t, math, roundUp)
	if err != nil {
		return 0, err
	}
	return t.UnixNano(), nil
}

// dateMath applies +1d, -2h, /M ... from left to right.
func dateMath(t time.Time, s string, roundUp bool) (time.Time, error) {
	full := s
	for s != "" {
		op := s[0]
		s = s[1:]
		n, digits := 0, 0
		for digits < len(s) && s[digits]-'0' <= 9 && digits < 9 {
			n = n*10 + int(s[digits]-'0')
			digits++
		}
		if digits == 0 {
			n = 1
		}
		s = s[digits:]
		if s == "" || op != '+' && op != '-' && op != '/' {
			return t, fmt.Errorf("operator not supported for date math [%s]", full)
		}
		unit := s[0]
		s = s[1:]
		var err error
		switch op {
		case '/':
			if digits > 0 && n != 1 {
				return t, fmt.Errorf("rounding `/` can only be used on single unit types [%s]", full)
			}
			t, err = roundDate(t, unit, roundUp)
		case '-':
			t, err = addDate(t, -n, unit)
		default:
			t, err = addDate(t, n, unit)
		}
		if err != nil {
			return t, fmt.Errorf("%w for date math [%s]", err, full)
		}
	}
	return t, nil
}

func addDate(t time.Time, n int, unit byte) (time.Time, error) {
	switch unit {
	case 'y':
		return addMonths(t, 12*n), nil
	case 'M':
		return addMonths(t, n), nil
	case 'w':
		return t.AddDate(0, 0, 7*n), nil
	case 'd':
		return t.AddDate(0, 0, n), nil
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour), nil
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), nil
	case 's':
		return t.Add(time.Duration(n) * time.Second), nil
	}
	return t, fmt.Errorf("unit [%c] not supported", unit)
}

// addMonths keeps the day within the month: 31 January + 1 month is the last of February.
func addMonths(t time.Time, n int) time.Time {
	total := t.Year()*12 + int(t.Month()) - 1 + n
	y, m := total/12, total%12+1
	d := min(t.Day(), daysIn(y, m))
	return time.Date(y, time.Month(m), d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
}

func roundDate(t time.Time, unit byte, up bool) (time.Time, error) {
	y, m, d := t.Date()
	loc := t.Location()
	var low, next time.Time
	switch unit {
	case 'y':
		low, next = time.Date(y, 1, 1, 0, 0, 0, 0, loc), time.Date(y+1, 1, 1, 0, 0, 0, 0, loc)
	case 'M':
		low, next = time.Date(y, m, 1, 0, 0, 0, 0, loc), time.Date(y, m+1, 1, 0, 0, 0, 0, loc)
	case 'w':
		back := (int(t.Weekday()) + 6) % 7
		low, next = time.Date(y, m, d-back, 0, 0, 0, 0, loc), time.Date(y, m, d-back+7, 0, 0, 0, 0, loc)
	case 'd':
		low, next = time.Date(y, m, d, 0, 0, 0, 0, loc), time.Date(y, m, d+1, 0, 0, 0, 0, loc)
	case 'h', 'H':
		low = t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		next = low.Add(time.Hour)
	case 'm':
		low = t.Add(-time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond()))
		next = low.Add(time.Minute)
	case 's':
		low = t.Add(-time.Duration(t.Nanosecond()))
		next = low.Add(time.Second)
	default:
		return t, fmt.Errorf("unit [%c] not supported", unit)
	}
	if up {
		return next.Add(-1), nil
	}
	return low, nil
}
