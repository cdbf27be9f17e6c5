package timefmt

import (
	"strconv"
	"time"
)

// Append prints ns, nanoseconds since 1970 UTC, in loc.
func (l *Layout) Append(dst []byte, ns int64, loc *time.Location) []byte {
	t := time.Unix(0, ns).In(loc)
	for i := range l.steps {
		dst = l.steps[i].append(dst, t)
	}
	return dst
}

func (st *step) append(dst []byte, t time.Time) []byte {
	switch st.kind {
	case literal:
		return append(dst, st.text...)
	case year:
		return digits(dst, t.Year(), st.count)
	case year2:
		return digits(dst, t.Year()%100, 2)
	case weekYear:
		y, _ := t.ISOWeek()
		if st.count == 2 {
			y %= 100
		}
		return digits(dst, y, st.count)
	case monthNum:
		return digits(dst, int(t.Month()), st.count)
	case monthText:
		return text(dst, months[t.Month()-1], st.count)
	case day:
		return digits(dst, t.Day(), st.count)
	case dayOfYear:
		return digits(dst, t.YearDay(), st.count)
	case weekOfYear:
		_, w := t.ISOWeek()
		return digits(dst, w, st.count)
	case dowNum:
		return digits(dst, dow(t), st.count)
	case dowText:
		return text(dst, days[dow(t)-1], st.count)
	case quarter:
		return digits(dst, (int(t.Month())+2)/3, st.count)
	case era:
		return append(dst, "AD"...)
	}
	return st.appendClock(dst, t)
}

// dow is 1 for Monday to 7 for Sunday.
func dow(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func (st *step) appendClock(dst []byte, t time.Time) []byte {
	switch st.kind {
	case halfDay:
		if t.Hour() < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case hour24:
		return digits(dst, t.Hour(), st.count)
	case hour24one:
		return digits(dst, (t.Hour()+23)%24+1, st.count)
	case hour12:
		return digits(dst, t.Hour()%12, st.count)
	case hour12one:
		return digits(dst, (t.Hour()+11)%12+1, st.count)
	case minute:
		return digits(dst, t.Minute(), st.count)
	case second:
		return digits(dst, t.Second(), st.count)
	case fraction:
		n := t.Nanosecond()
		for i := st.count; i < 9; i++ {
			n /= 10
		}
		return digits(dst, n, st.count)
	case nano:
		return digits(dst, t.Nanosecond(), st.count)
	case milliOfDay:
		return digits(dst, (t.Hour()*3600+t.Minute()*60+t.Second())*1000+t.Nanosecond()/1e6, st.count)
	case offset:
		return st.appendOffset(dst, t)
	}
	name, _ := t.Zone()
	if st.count >= 2 || name == "" {
		name = t.Location().String()
	}
	return append(dst, name...)
}

func (st *step) appendOffset(dst []byte, t time.Time) []byte {
	_, off := t.Zone()
	if st.z && off == 0 {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	dst = digits(append(dst, sign), off/3600, 2)
	if st.z && st.count == 1 && off%3600 == 0 {
		return dst
	}
	if st.colon {
		dst = append(dst, ':')
	}
	return digits(dst, off/60%60, 2)
}

func digits(dst []byte, n, width int) []byte {
	from := len(dst)
	dst = strconv.AppendInt(dst, int64(n), 10)
	for missing := width - (len(dst) - from); missing > 0; missing-- {
		dst = append(dst, 0)
		copy(dst[from+1:], dst[from:])
		dst[from] = '0'
	}
	return dst
}

// text is a name whole with four letters of pattern or more, else its first three letters.
func text(dst []byte, name string, count int) []byte {
	if count >= 4 {
		return append(dst, name...)
	}
	return append(dst, name[:3]...)
}
