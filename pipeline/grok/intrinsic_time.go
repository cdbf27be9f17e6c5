package grok

// Recognizers of dates, times, levels and Java names.

func twoDigits(s string, at int) bool { return s[at]-'0' <= 9 && s[at+1]-'0' <= 9 }

// hms says that hh:mm:ss stands at at, in range. There must be eight bytes.
func hms(s string, at int) bool {
	s = s[at : at+8]
	return s[2] == ':' && s[5] == ':' && twoDigits(s, 0) && twoDigits(s, 3) && twoDigits(s, 6) &&
		(s[0] < '2' || s[0] == '2' && s[1] < '4') && s[3] < '6' && s[6] < '6'
}

// shortMonth says that an English month of three letters, the first a capital, stands at at. There must be three bytes.
func shortMonth(s string, at int) bool {
	switch s[at : at+3] {
	case "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec":
		return true
	}
	return false
}

// monthAhead says whether a month can begin at pos: 0 for perhaps.
func monthAhead(s string, pos int) int {
	if len(s)-pos < 2 {
		return noMatch
	}
	fits := false
	switch b := s[pos+1]; s[pos] | 0x20 {
	case 'j':
		fits = b == 'a' || b == 'u'
	case 'f', 's', 'd':
		fits = b == 'e'
	case 'm':
		fits = b == 'a' || b == 'r' || b >= 0x80
	case 'a':
		fits = b == 'p' || b == 'u'
	case 'o':
		fits = b == 'c' || b == 'k' || b == 't'
	case 'n':
		fits = b == 'o'
	}
	if !fits {
		return noMatch
	}
	return edgeBefore(s, pos)
}

func month(s string, pos int) int {
	if m := monthAhead(s, pos); m < 0 {
		return m
	}
	e := pos + 3
	if e > len(s) || !shortMonth(s, pos) {
		return unsure
	}
	if e < len(s) && (s[e] >= 0x80 || is(s[e], isWord)) {
		return unsure
	}
	return e
}

// digitsThen says that one or two digits and then c stand at pos.
func digitsThen(s string, pos int, c byte) bool {
	if pos >= len(s) || s[pos]-'0' > 9 {
		return false
	}
	if pos++; pos < len(s) && s[pos]-'0' <= 9 {
		pos++
	}
	return pos < len(s) && s[pos] == c
}

func clock(s string, pos int) int {
	if !digitsThen(s, pos, ':') {
		return noMatch
	}
	e := pos + 8
	if e > len(s) || !hms(s, pos) {
		return unsure
	}
	if e < len(s) && (s[e] == '.' || s[e] == ',' || s[e] == ':') {
		if f := skip(s, e+1, isDigit); f > e+1 {
			return f
		}
	}
	if e < len(s) && is(s[e], isDigit) {
		return unsure
	}
	return e
}

func syslogTime(s string, pos int) int { // Jun 14 15:16:01
	if m := monthAhead(s, pos); m < 0 {
		return m
	}
	if len(s)-pos < 15 || s[pos+3] != ' ' || !shortMonth(s, pos) {
		return unsure
	}
	p := pos + 4
	if s[p] == ' ' {
		p++
	}
	if s[p] < '1' || s[p] > '9' {
		return unsure
	}
	if is(s[p+1], isDigit) {
		if s[p] > '3' || s[p] == '3' && s[p+1] > '1' {
			return unsure
		}
		p++
	}
	p++
	if len(s)-p < 9 || s[p] != ' ' || !hms(s, p+1) {
		return unsure
	}
	p += 9
	if p < len(s) && (is(s[p], isDigit) || s[p] == ':' || s[p] == '.' || s[p] == ',') {
		return unsure
	}
	return p
}

func httpDate(s string, pos int) int { // 17/May/2015:10:05:03 +0000
	if !digitsThen(s, pos, '/') {
		return noMatch
	}
	if len(s)-pos < 23 {
		return unsure
	}
	d := s[pos:]
	if d[2] != '/' || d[6] != '/' || d[11] != ':' || d[20] != ' ' || !monthDay(d, 0) || !shortMonth(d, 3) {
		return unsure
	}
	if !twoDigits(d, 7) || !twoDigits(d, 9) || !hms(d, 12) {
		return unsure
	}
	p := pos + 21
	if s[p] == '+' || s[p] == '-' {
		p++
	}
	e := skip(s, p, isDigit)
	if e == p {
		return unsure
	}
	return e
}

// monthDay says that 01 to 31 stands at at.
func monthDay(s string, at int) bool {
	return twoDigits(s, at) && (s[at] < '3' || s[at] == '3' && s[at+1] < '2') && (s[at] > '0' || s[at+1] > '0')
}

func iso8601(s string, pos int) int { // 2025-03-04T09:00:00.581+09:00
	d := s[pos:]
	if len(d) < 8 || !twoDigits(d, 0) || d[2] != '-' && (!twoDigits(d, 2) || d[4] != '-') {
		return noMatch
	}
	if len(d) < 19 {
		return unsure
	}
	if d[4] != '-' || d[7] != '-' || d[10] != 'T' && d[10] != ' ' || !twoDigits(d, 0) || !twoDigits(d, 2) || !hms(d, 11) {
		return unsure
	}
	if !twoDigits(d, 5) || d[5] > '1' || d[5] == '1' && d[6] > '2' || d[5] == '0' && d[6] == '0' || !monthDay(d, 8) {
		return unsure
	}
	p := 19
	if p+1 < len(d) && (d[p] == '.' || d[p] == ',' || d[p] == ':') && d[p+1]-'0' <= 9 {
		p = skip(d, p+2, isDigit)
	}
	if p == len(d) {
		return pos + p
	}
	switch d[p] {
	case 'Z':
		return pos + p + 1
	case '+', '-':
		return zone(s, pos+p)
	}
	return pos + p
}

// zone is the end of +hh:mm or +hhmm.
func zone(s string, at int) int {
	if at+5 > len(s) || !twoDigits(s, at+1) || s[at+1] > '2' || s[at+1] == '2' && s[at+2] > '3' {
		return unsure
	}
	p := at + 3
	if s[p] == ':' {
		p++
	}
	if p+2 > len(s) || !twoDigits(s, p) || s[p] > '5' {
		return unsure
	}
	return p + 2
}

func logLevel(s string, pos int) int {
	if pos >= len(s) {
		return noMatch
	}
	switch s[pos] | 0x20 {
	case 'a', 'c', 'd', 'e', 'f', 'i', 'n', 's', 't', 'w':
	default:
		return noMatch
	}
	e := pos
	for e < len(s) && e < pos+8 && is(s[e], isLetter) {
		e++
	}
	switch s[pos:e] {
	case "INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL", "WARNING", "NOTICE",
		"info", "warn", "error", "debug", "trace", "fatal", "warning", "notice",
		"Info", "Warn", "Error", "Debug", "Trace", "Fatal", "Warning", "Notice":
		return e
	}
	return unsure
}

func javaClass(s string, pos int) int {
	end := noMatch
	for pos < len(s) && is(s[pos], isIdent) && !is(s[pos], isDigit) {
		pos = skip(s, pos, isIdent)
		end = pos
		if pos == len(s) || s[pos] != '.' {
			break
		}
		pos++
	}
	return end
}
