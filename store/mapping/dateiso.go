package mapping

import "time"

// parseISO reads yyyy[-MM[-dd[T[HH[:mm[:ss[(.|,)fraction]]]][zone]]]]. strict wants full widths and T; else one digit will do and the
// year may have fewer digits.
func parseISO(s string, strict, roundUp bool, loc *time.Location) (int64, bool) {
	if ns, ok := parseISOFull(s); ok {
		return ns, true
	}
	p := newParts()
	r := isoReader{s: s, strict: strict}
	if !r.date(&p) {
		return 0, false
	}
	if r.i == len(s) {
		return p.time(roundUp, loc)
	}
	if s[r.i] != 'T' {
		return 0, false
	}
	r.i++
	if !r.clock(&p) {
		return 0, false
	}
	if r.i < len(s) {
		z, n, ok := parseZone(s[r.i:])
		if !ok || n != len(s)-r.i {
			return 0, false
		}
		p.zone = z
	}
	return p.time(roundUp, loc)
}

// parseISOFull is the form nearly every log has: yyyy-MM-ddTHH:mm:ss[.S{1,9}]Z.
func parseISOFull(s string) (int64, bool) {
	if len(s) < 20 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[len(s)-1] != 'Z' {
		return 0, false
	}
	y, ok1 := digits4(s)
	mo, ok2 := digits2(s[5:])
	d, ok3 := digits2(s[8:])
	h, ok4 := digits2(s[11:])
	mi, ok5 := digits2(s[14:])
	sec, ok6 := digits2(s[17:])
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || y < 1678 || y > 2261 || mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 23 || mi > 59 || sec > 59 {
		return 0, false
	}
	nano := 0
	if len(s) > 20 {
		frac := s[20 : len(s)-1]
		if s[19] != '.' && s[19] != ',' || len(frac) == 0 || len(frac) > 9 {
			return 0, false
		}
		for i := 0; i < 9; i++ {
			nano *= 10
			if i < len(frac) {
				c := frac[i] - '0'
				if c > 9 {
					return 0, false
				}
				nano += int(c)
			}
		}
	} else if s[19] != 'Z' {
		return 0, false
	}
	return daysFromCivil(y, mo, d)*86_400_000_000_000 + int64(h*3600+mi*60+sec)*1_000_000_000 + int64(nano), true
}

func digits2(s string) (int, bool) {
	a, b := s[0]-'0', s[1]-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

func digits4(s string) (int, bool) {
	a, ok := digits2(s)
	b, ok2 := digits2(s[2:])
	return a*100 + b, ok && ok2
}

// isoReader walks an ISO text.
type isoReader struct {
	s      string
	i      int
	strict bool
}

// num reads up to max digits; strict wants exactly max.
func (r *isoReader) num(max int) (int, bool) {
	n, v := 0, 0
	for r.i < len(r.s) && n < max && r.s[r.i]-'0' <= 9 {
		v = v*10 + int(r.s[r.i]-'0')
		r.i++
		n++
	}
	return v, n == max || n > 0 && !r.strict
}

func (r *isoReader) byte(c byte) bool {
	if r.i < len(r.s) && r.s[r.i] == c {
		r.i++
		return true
	}
	return false
}

func (r *isoReader) date(p *dateParts) (ok bool) {
	if p.year, ok = r.num(4); !ok {
		return false
	}
	if r.byte('-') {
		if p.month, ok = r.num(2); !ok {
			return false
		}
		if r.byte('-') {
			if p.day, ok = r.num(2); !ok {
				return false
			}
		}
	}
	return true
}

func (r *isoReader) clock(p *dateParts) (ok bool) {
	if r.i == len(r.s) {
		return !r.strict
	}
	if p.hour, ok = r.num(2); !ok {
		return false
	}
	if !r.byte(':') {
		return true
	}
	if p.min, ok = r.num(2); !ok {
		return false
	}
	if !r.byte(':') {
		return true
	}
	if p.sec, ok = r.num(2); !ok {
		return false
	}
	if r.byte('.') || r.byte(',') {
		p.nano, ok = r.fraction()
	}
	return ok
}

// fraction reads 1 to 9 digits as nanoseconds.
func (r *isoReader) fraction() (int, bool) {
	n, v := 0, 0
	for r.i < len(r.s) && r.s[r.i]-'0' <= 9 {
		if n == 9 {
			return 0, false
		}
		v = v*10 + int(r.s[r.i]-'0')
		r.i++
		n++
	}
	for k := n; k < 9; k++ {
		v *= 10
	}
	return v, n > 0
}

// parseZone reads Z, ±HH, ±HHmm, ±HH:mm, ±HH:mm:ss, UTC, GMT or a region name; n is what it took.
func parseZone(s string) (loc *time.Location, n int, ok bool) {
	if s == "" {
		return nil, 0, false
	}
	if s[0] == 'Z' {
		return time.UTC, 1, true
	}
	if s[0] == '+' || s[0] == '-' {
		return parseOffset(s)
	}
	n = 0
	for n < len(s) && (s[n] >= 'A' && s[n] <= 'Z' || s[n] >= 'a' && s[n] <= 'z' || s[n] == '/' || s[n] == '_' || n > 0 && (s[n] == '-' || s[n] == '+' || s[n]-'0' <= 9)) {
		n++
	}
	name := s[:n]
	if name == "" || name == "Local" || name == "local" {
		return nil, 0, false
	}
	if name == "UTC" || name == "GMT" || name == "UT" {
		return time.UTC, n, true
	}
	loc, err := time.LoadLocation(name)
	return loc, n, err == nil
}

func parseOffset(s string) (*time.Location, int, bool) {
	r := isoReader{s: s, i: 1, strict: true}
	h, ok := r.num(2)
	if !ok {
		return nil, 0, false
	}
	m, sec := 0, 0
	colon := r.byte(':')
	if colon || r.i+1 < len(s) && s[r.i]-'0' <= 9 && s[r.i+1]-'0' <= 9 {
		if m, ok = r.num(2); !ok {
			return nil, 0, false
		}
		if colon && r.byte(':') {
			if sec, ok = r.num(2); !ok {
				return nil, 0, false
			}
		}
	}
	if h > 18 || m > 59 || sec > 59 {
		return nil, 0, false
	}
	off := h*3600 + m*60 + sec
	if s[0] == '-' {
		off = -off
	}
	if off == 0 {
		return time.UTC, r.i, true
	}
	return time.FixedZone("", off), r.i, true
}

// ParseZone reads the time_zone parameter of queries: an offset or a region name.
func ParseZone(s string) (*time.Location, error) {
	loc, n, ok := parseZone(s)
	if !ok || n != len(s) {
		return nil, illegalf("Unknown time-zone ID: %s", s)
	}
	return loc, nil
}
