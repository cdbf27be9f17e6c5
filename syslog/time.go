package syslog

import (
	"bytes"
	"time"
)

// time3164 reads the time at the beginning of b and returns its length, 0 when there is none.
func (m *Message) time3164(b []byte, o Options) int {
	t, n := rfc3339(b)
	if n == 0 {
		t, n = bsd(b, o)
	}
	if n == 0 {
		return 0
	}
	m.Time, m.TimeText = t, bytes.TrimSuffix(b[:n], []byte(":"))
	return n
}

// fields of a time being read.
type fields struct {
	year, month, day, hour, min, sec, ns int
}

func (f *fields) in(zone *time.Location) time.Time {
	return time.Date(f.year, time.Month(f.month), f.day, f.hour, f.min, f.sec, f.ns, zone)
}

func (f *fields) valid() bool {
	return f.month >= 1 && f.month <= 12 && f.day >= 1 && f.day <= 31 && f.hour <= 23 && f.min <= 59 && f.sec <= 60
}

// two reads two digits.
func two(b []byte) int {
	if len(b) < 2 || b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return 1 << 20
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// clock reads hh:mm:ss with a fraction behind a point or comma, and returns its length, 0 when there is none.
func (f *fields) clock(b []byte) int {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0
	}
	f.hour, f.min, f.sec = two(b), two(b[3:]), two(b[6:])
	n := 8
	if len(b) > 9 && (b[8] == '.' || b[8] == ',') && '0' <= b[9] && b[9] <= '9' {
		scale := 100_000_000
		for n++; n < len(b) && '0' <= b[n] && b[n] <= '9'; n++ {
			f.ns += int(b[n]-'0') * scale
			scale /= 10
		}
	}
	return n
}

// rfc3339 reads "2006-01-02T15:04:05.999999999Z07:00" at the beginning of b, which ends there or with a blank or a colon.
func rfc3339(b []byte) (time.Time, int) {
	if len(b) < 20 || b[4] != '-' || b[7] != '-' || b[10] != 'T' && b[10] != 't' {
		return time.Time{}, 0
	}
	f := fields{year: two(b)*100 + two(b[2:]), month: two(b[5:]), day: two(b[8:])}
	n := f.clock(b[11:])
	if n == 0 || !f.valid() || f.year > 9999 {
		return time.Time{}, 0
	}
	n += 11
	zone, z := offset(b[n:])
	n += z
	if z == 0 || n < len(b) && b[n] != ' ' && b[n] != ':' {
		return time.Time{}, 0
	}
	if n < len(b) && b[n] == ':' {
		n++
	}
	return f.in(zone), n
}

// offset reads Z, +09:00 or +0900.
func offset(b []byte) (*time.Location, int) {
	if len(b) == 0 {
		return nil, 0
	}
	if b[0] == 'Z' || b[0] == 'z' {
		return time.UTC, 1
	}
	if b[0] != '+' && b[0] != '-' || len(b) < 5 {
		return nil, 0
	}
	h, m, n := two(b[1:]), two(b[3:]), 5
	if b[3] == ':' {
		m, n = two(b[4:]), 6
	}
	if h > 23 || m > 59 {
		return nil, 0
	}
	secs := h*3600 + m*60
	if secs == 0 {
		return time.UTC, n
	}
	if b[0] == '-' {
		secs = -secs
	}
	return time.FixedZone("", secs), n
}

// bsd reads "Oct 11 22:14:15", with a one-digit day behind one or two blanks, perhaps a year before the clock or behind it, a
// fraction, and a colon behind it all.
func bsd(b []byte, o Options) (time.Time, int) {
	if len(b) < 14 || b[3] != ' ' {
		return time.Time{}, 0
	}
	f := fields{month: month(b)}
	at := 4
	if b[at] == ' ' || b[at] == '0' {
		at++
	}
	var digits int
	if f.day, digits = number(b[at:], 2); digits == 0 {
		return time.Time{}, 0
	}
	at += digits
	if at >= len(b) || b[at] != ' ' {
		return time.Time{}, 0
	}
	at++
	if y, d := number(b[at:], 4); d == 4 && len(b) > at+4 && b[at+4] == ' ' {
		f.year = y
		at += 5
	}
	n := f.clock(b[at:])
	if n == 0 || !f.valid() {
		return time.Time{}, 0
	}
	at += n
	if y, d := number(b[min(at+1, len(b)):], 4); f.year == 0 && d == 4 && y >= 1970 && b[at] == ' ' && (len(b) == at+5 || b[at+5] == ' ' || b[at+5] == ':') {
		f.year = y
		at += 5
	}
	switch {
	case at < len(b) && b[at] == ':':
		at++
	case at < len(b) && b[at] != ' ':
		return time.Time{}, 0
	}
	zone := o.Zone
	if zone == nil {
		zone = time.Local
	}
	if f.year > 0 {
		return f.in(zone), at
	}
	return f.nearest(zone, o.Now), at
}

// nearest is the time in the year that brings it nearest to now. The 29th of February only is in leap years.
func (f *fields) nearest(zone *time.Location, now time.Time) time.Time {
	var best time.Time
	var least time.Duration
	this := now.In(zone).Year()
	for y := this - 1; y <= this+1; y++ {
		f.year = y
		t := f.in(zone)
		if t.Day() != f.day && f.sec < 60 {
			continue
		}
		if d := t.Sub(now).Abs(); best.IsZero() || d < least {
			best, least = t, d
		}
	}
	if best.IsZero() {
		f.year = this
		best = f.in(zone)
	}
	return best
}

func month(b []byte) int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	c := [3]byte{b[0] | 0x20, b[1] | 0x20, b[2] | 0x20}
	for i := 0; i < len(names); i += 3 {
		if c[0] == names[i] && c[1] == names[i+1] && c[2] == names[i+2] {
			return i/3 + 1
		}
	}
	return 0
}
