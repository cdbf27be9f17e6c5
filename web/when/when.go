// Package when reads one end of a time range, as the time picker, dashboards and rules write it, and chooses how fine a chart of it is.
package when

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Resolve turns one end of a time range into an instant: RFC 3339, epoch milliseconds, or Elasticsearch's date math from now
// ("now", "now-15m", "now-1d/d"). up rounds "/d" to the unit's last millisecond, as the upper end of a range does.
func Resolve(expr string, now time.Time, loc *time.Location, up bool) (time.Time, error) {
	expr = strings.TrimSpace(expr)
	if ms, err := strconv.ParseInt(expr, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, expr); err == nil {
		return t, nil
	}
	rest, ok := strings.CutPrefix(expr, "now")
	if !ok {
		return time.Time{}, fmt.Errorf("time %q: want RFC 3339, epoch milliseconds or date math such as now-15m", expr)
	}
	t := now.In(loc)
	for rest != "" {
		var err error
		if t, rest, err = step(t, rest, up); err != nil {
			return time.Time{}, fmt.Errorf("time %q: %w", expr, err)
		}
	}
	return t, nil
}

// step applies one "+3h", "-1d" or "/w" and returns what follows.
func step(t time.Time, s string, up bool) (time.Time, string, error) {
	op := s[0]
	if op != '+' && op != '-' && op != '/' {
		return t, "", fmt.Errorf("want +, - or / at %q", s)
	}
	i := 1
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == len(s) || i > 10 {
		return t, "", fmt.Errorf("want a number and a unit at %q", s)
	}
	unit := s[i]
	if op == '/' {
		if i != 1 {
			return t, "", fmt.Errorf("want a unit behind / at %q", s)
		}
		floor, ok := floorTo(t, unit)
		if !ok {
			return t, "", fmt.Errorf("unknown unit %q", unit)
		}
		if up {
			next, _ := addUnits(floor, 1, unit)
			floor = next.Add(-time.Millisecond)
		}
		return floor, s[2:], nil
	}
	n := 1
	if i > 1 {
		n, _ = strconv.Atoi(s[1:i])
	}
	if op == '-' {
		n = -n
	}
	t, ok := addUnits(t, n, unit)
	if !ok {
		return t, "", fmt.Errorf("unknown unit %q", unit)
	}
	return t, s[i+1:], nil
}

func addUnits(t time.Time, n int, unit byte) (time.Time, bool) {
	switch unit {
	case 'y':
		return t.AddDate(n, 0, 0), true
	case 'M':
		return t.AddDate(0, n, 0), true
	case 'w':
		return t.AddDate(0, 0, 7*n), true
	case 'd':
		return t.AddDate(0, 0, n), true
	case 'h', 'H':
		return t.Add(time.Duration(n) * time.Hour), true
	case 'm':
		return t.Add(time.Duration(n) * time.Minute), true
	case 's':
		return t.Add(time.Duration(n) * time.Second), true
	}
	return t, false
}

func floorTo(t time.Time, unit byte) (time.Time, bool) {
	y, mo, d := t.Date()
	switch unit {
	case 'y':
		return time.Date(y, 1, 1, 0, 0, 0, 0, t.Location()), true
	case 'M':
		return time.Date(y, mo, 1, 0, 0, 0, 0, t.Location()), true
	case 'w':
		return time.Date(y, mo, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location()), true
	case 'd':
		return time.Date(y, mo, d, 0, 0, 0, 0, t.Location()), true
	case 'h', 'H':
		return time.Date(y, mo, d, t.Hour(), 0, 0, 0, t.Location()), true
	case 'm':
		return time.Date(y, mo, d, t.Hour(), t.Minute(), 0, 0, t.Location()), true
	case 's':
		return t.Truncate(time.Second), true
	}
	return t, false
}

// MaxBars is the most bars a histogram has.
const MaxBars = 120

// intervals are the steps a histogram may have, in milliseconds; from one day on they are calendar days.
var intervals = []int64{10, 50, 100, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
	3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000}

// Interval is the smallest step, in milliseconds, that cuts the range into at most bars bars.
func Interval(from, to time.Time, bars int64) int64 {
	span := to.Sub(from).Milliseconds()
	for _, i := range intervals {
		if span/i < bars {
			return i
		}
	}
	return (span/bars/86_400_000 + 1) * 86_400_000
}
