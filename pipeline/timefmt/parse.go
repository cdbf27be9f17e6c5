package timefmt

import (
	"time"

	"github.com/weirlog/weir/event"
)

// Years that int64 nanoseconds since 1970 can hold whole.
const minYear, maxYear = 1678, 2261

// parts is what a pattern read.
type parts struct {
	year, month, day, doy        int
	hour, minute, second, nanos  int
	hasYear, hasMonth, hasOffset bool
	half                         int // 1 AM, 2 PM
	offset                       int // seconds east
	zone                         *time.Location
	dow                          int // 1 Monday, 0 none
}

// Parse reads s whole. Without an offset in the text the time is in zone. A missing year is the one of now, but of a January seen in
// December the next and of a December seen in January the last; missing smaller parts are the smallest.
func (l *Layout) Parse(s string, zone *Zone, now func() time.Time) (ns int64, ok bool) {
	p := parts{month: 1, day: 1}
	i := 0
	for k := range l.steps {
		if i, ok = l.steps[k].parse(s, i, &p, now); !ok {
			return 0, false
		}
	}
	if i != len(s) {
		return 0, false
	}
	return p.instant(zone, now)
}

func (p *parts) instant(zone *Zone, now func() time.Time) (int64, bool) {
	if !p.hasYear {
		p.year = guessYear(p.month, p.hasMonth, now())
	}
	if p.half == 2 && p.hour < 12 {
		p.hour += 12
	}
	if p.year < minYear || p.year > maxYear || p.month < 1 || p.month > 12 || p.day < 1 || p.day > event.DaysIn(int64(p.year), p.month) {
		return 0, false
	}
	if p.hour > 23 || p.minute > 59 || p.second > 59 {
		return 0, false
	}
	d := event.Days(int64(p.year), p.month, p.day)
	if p.doy > 0 {
		d = event.Days(int64(p.year), 1, 1) + int64(p.doy) - 1
	}
	local := d*86400 + int64(p.hour*3600+p.minute*60+p.second)
	switch {
	case p.hasOffset:
		local -= int64(p.offset)
	case p.zone != nil:
		local -= int64(NewZone(p.zone).Offset(local))
	default:
		local -= int64(zone.Offset(local))
	}
	return local*1e9 + int64(p.nanos), true
}

func guessYear(month int, has bool, now time.Time) int {
	y := now.Year()
	switch {
	case !has:
	case now.Month() == time.January && month == 12:
		return y - 1
	case now.Month() == time.December && month == 1:
		return y + 1
	}
	return y
}

// parse reads one step at i and returns the place behind it.
func (st *step) parse(s string, i int, p *parts, now func() time.Time) (int, bool) {
	switch st.kind {
	case literal:
		if len(s)-i < len(st.text) || s[i:i+len(st.text)] != st.text {
			return i, false
		}
		return i + len(st.text), true
	case monthText:
		n, end := name(s, i, months[:])
		p.month, p.hasMonth = n, true
		return end, n > 0
	case dowText:
		n, end := name(s, i, days[:])
		p.dow = n
		return end, n > 0
	case halfDay:
		return p.readHalf(s, i)
	case offset:
		return p.readOffset(s, i)
	case zoneName:
		return p.readZone(s, i)
	case era:
		return i + 2, len(s) >= i+2 && fold(s[i:i+2], "AD")
	case fraction:
		return p.readFraction(s, i, st.max)
	}
	return st.parseNumber(s, i, p, now)
}

func (st *step) parseNumber(s string, i int, p *parts, now func() time.Time) (int, bool) {
	n, end := 0, i
	for end < len(s) && end-i < st.max && s[end]-'0' <= 9 {
		n = n*10 + int(s[end]-'0')
		end++
	}
	if end == i {
		return i, false
	}
	ok := true
	switch st.kind {
	case year, weekYear:
		p.year, p.hasYear = n, true
	case year2:
		if end-i == 2 {
			n = pivot(n, now().Year())
		}
		p.year, p.hasYear = n, true
	case monthNum:
		p.month, p.hasMonth = n, true
	case day:
		p.day = n
	case dayOfYear:
		p.doy, ok = n, n >= 1 && n <= 366
	case hour24:
		p.hour = n
	case hour24one:
		p.hour, ok = n%24, n >= 1 && n <= 24
	case hour12:
		p.hour, ok = n, n <= 11
	case hour12one:
		p.hour, ok = n%12, n >= 1 && n <= 12
	case minute:
		p.minute = n
	case second:
		p.second = n
	case nano:
		p.nanos = n
	case weekOfYear, dowNum, quarter, milliOfDay:
		// Read and not used: the date comes from the other parts.
	}
	return end, ok
}

// pivot is the year of two digits within 50 years of thirty years ago.
func pivot(n, thisYear int) int {
	low := thisYear - 30 - 50
	y := low - low%100 + n
	if y < low {
		y += 100
	}
	return y
}

func (p *parts) readFraction(s string, i, most int) (int, bool) {
	n, end := 0, i
	for end < len(s) && end-i < most && s[end]-'0' <= 9 {
		n = n*10 + int(s[end]-'0')
		end++
	}
	if end == i {
		return i, false
	}
	for k := end - i; k < 9; k++ {
		n *= 10
	}
	p.nanos = n
	return end, true
}

func (p *parts) readHalf(s string, i int) (int, bool) {
	if len(s) < i+2 {
		return i, false
	}
	switch {
	case fold(s[i:i+2], "AM"):
		p.half = 1
	case fold(s[i:i+2], "PM"):
		p.half = 2
	default:
		return i, false
	}
	return i + 2, true
}

// readOffset reads Z or ±hh[[:]mm].
func (p *parts) readOffset(s string, i int) (int, bool) {
	if i >= len(s) {
		return i, false
	}
	end := i + 1
	if s[i] == '+' || s[i] == '-' {
		for end < len(s) && end-i < 6 && (s[end]-'0' <= 9 || s[end] == ':' && end-i == 3) {
			end++
		}
		if end-i == 6 && s[i+3] != ':' {
			end = i + 5
		}
	}
	off, ok := event.ParseOffset(s[i:end])
	p.offset, p.hasOffset = off, true
	return end, ok
}

// readZone reads a zone by abbreviation or by its name in the database.
func (p *parts) readZone(s string, i int) (int, bool) {
	end := i
	for end < len(s) {
		c := s[end]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c == '/' || c == '_' || end > i && (c-'0' <= 9 || c == '+' || c == '-') {
			end++
			continue
		}
		break
	}
	if off, ok := abbreviation(s[i:end]); ok {
		p.offset, p.hasOffset = off, true
		return end, true
	}
	if end == i {
		return p.readOffset(s, i)
	}
	loc, err := time.LoadLocation(s[i:end])
	if err != nil || s[i:end] == "Local" {
		return i, false
	}
	p.zone = loc
	return end, true
}

// abbreviation is the offset of the names Joda knows.
func abbreviation(s string) (int, bool) {
	switch s {
	case "UTC", "GMT", "Z", "UT":
		return 0, true
	case "EST":
		return -5 * 3600, true
	case "EDT", "CDT", "CST", "MST", "MDT", "PST", "PDT":
		base := map[byte]int{'E': -5, 'C': -6, 'M': -7, 'P': -8}[s[0]]
		if s[1] == 'D' {
			base++
		}
		return base * 3600, true
	}
	return 0, false
}

// name finds a month or day by its whole name or first three letters, any case, at i.
func name(s string, i int, names []string) (n, end int) {
	if len(s) < i+3 {
		return 0, i
	}
	for k, full := range names {
		if !fold(s[i:i+3], full[:3]) {
			continue
		}
		if len(s) >= i+len(full) && fold(s[i:i+len(full)], full) {
			return k + 1, i + len(full)
		}
		return k + 1, i + 3
	}
	return 0, i
}

// fold compares ASCII letters without case; a and b are of one length.
func fold(a, b string) bool {
	for i := 0; i < len(a); i++ {
		if a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
}
