package event

// AppendISO appends ns since 1970 UTC as 2006-01-02T15:04:05.000Z with 3, 6 or 9 digits of fraction.
func AppendISO(dst []byte, ns int64) []byte {
	sec, frac := floorDiv(ns, 1e9)
	days, rest := floorDiv(sec, 86400)
	y, m, d := Civil(days)
	dst = append(dst, byte('0'+y/1000), byte('0'+y/100%10))
	dst = append(two(dst, int(y%100)), '-')
	dst = append(two(dst, m), '-')
	dst = append(two(dst, d), 'T')
	dst = append(two(dst, int(rest/3600)), ':')
	dst = append(two(dst, int(rest/60%60)), ':')
	dst = append(two(dst, int(rest%60)), '.')
	return append(appendFraction(dst, int(frac)), 'Z')
}

func two(dst []byte, n int) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

func appendFraction(dst []byte, ns int) []byte {
	n := 9
	switch {
	case ns%1e6 == 0:
		ns, n = ns/1e6, 3
	case ns%1e3 == 0:
		ns, n = ns/1e3, 6
	}
	var d [9]byte
	for i := n - 1; i >= 0; i-- {
		d[i] = byte('0' + ns%10)
		ns /= 10
	}
	return append(dst, d[:n]...)
}

func floorDiv(a, b int64) (q, r int64) {
	q, r = a/b, a%b
	if r < 0 {
		return q - 1, r + b
	}
	return q, r
}

// Civil is the Gregorian date of a day since 1970-01-01.
func Civil(days int64) (year int64, month, day int) {
	// Eras of 400 years that begin on 1 March, so that the leap day is the last of its year.
	era, doe := floorDiv(days+719468, 146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	month = int(mp + 3)
	year = yoe + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, int(doy-(153*mp+2)/5) + 1
}

// Days is the day since 1970-01-01 of a Gregorian date.
func Days(year int64, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era, yoe := floorDiv(year, 400)
	doy := (153*(int64(month)-3)+2)/5 + int64(day) - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

// DaysIn is the number of days of a month.
func DaysIn(year int64, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// ParseISO reads YYYY-MM-DD['T'| ]HH:mm[:ss[(.|,)f{1,9}]](Z|±hh[:]mm)? into ns since 1970 UTC. Without an offset it is UTC.
// Years run from 1678 to 2261, what an int64 of nanoseconds holds.
func ParseISO(s string) (ns int64, ok bool) {
	if len(s) < 16 || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != ' ' || s[13] != ':' {
		return 0, false
	}
	y, ok1 := num(s[0:4])
	mo, ok2 := num(s[5:7])
	d, ok3 := num(s[8:10])
	h, ok4 := num(s[11:13])
	mi, ok5 := num(s[14:16])
	if !(ok1 && ok2 && ok3 && ok4 && ok5) || y < 1678 || y > 2261 || mo < 1 || mo > 12 || d < 1 || d > DaysIn(int64(y), mo) || h > 23 || mi > 59 {
		return 0, false
	}
	sec, frac, rest, ok := parseSeconds(s[16:])
	if !ok {
		return 0, false
	}
	off, ok := ParseOffset(rest)
	if !ok {
		return 0, false
	}
	t := Days(int64(y), mo, d)*86400 + int64(h*3600+mi*60+sec-off)
	return t*1e9 + int64(frac), true
}

func parseSeconds(s string) (sec, frac int, rest string, ok bool) {
	if s == "" || s[0] != ':' {
		return 0, 0, s, true
	}
	if len(s) < 3 {
		return 0, 0, "", false
	}
	sec, ok = num(s[1:3])
	if !ok || sec > 60 {
		return 0, 0, "", false
	}
	s = s[3:]
	if s == "" || s[0] != '.' && s[0] != ',' {
		return sec, 0, s, true
	}
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 1 || n > 10 {
		return 0, 0, "", false
	}
	frac, _ = num(s[1:n])
	for i := n; i < 10; i++ {
		frac *= 10
	}
	return sec, frac, s[n:], true
}

// ParseOffset reads "", Z, ±hh, ±hhmm or ±hh:mm into seconds east of Greenwich.
func ParseOffset(s string) (sec int, ok bool) {
	if s == "" || s == "Z" || s == "z" {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' || len(s) < 3 {
		return 0, false
	}
	h, ok := num(s[1:3])
	if !ok || h > 18 {
		return 0, false
	}
	m := 0
	if rest := s[3:]; rest != "" {
		if rest[0] == ':' {
			rest = rest[1:]
		}
		if len(rest) != 2 {
			return 0, false
		}
		if m, ok = num(rest); !ok || m > 59 {
			return 0, false
		}
	}
	sec = h*3600 + m*60
	if s[0] == '-' {
		sec = -sec
	}
	return sec, true
}

// num reads up to nine digits.
func num(s string) (int, bool) {
	n := 0
	for i := 0; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int(c)
	}
	return n, true
}
