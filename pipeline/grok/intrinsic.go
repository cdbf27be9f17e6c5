package grok

import "strings"

// recognizer returns where the first way of a stock pattern to match at pos ends. It knows the common form of the text; of another
// form it says unsure, and the pattern itself is run. noMatch is only said where the pattern cannot match in any form.
type recognizer func(s string, pos int) int

const (
	unsure  = -1
	noMatch = -2
)

// known is one row of the table of recognizers.
type known struct {
	end  recognizer
	only bool // where end finds a match the pattern has no other way to match

	// inner is the classes of the bytes that stand where any other way ends, inside the text that end took or, if such a byte comes
	// next, behind it.
	inner uint16
}

// recognizers are used for stock definitions only: a name that a user redefined runs as written. The tests compare each with the
// pattern it stands for.
var recognizers = map[string]known{
	"NUMBER":            {end: number, only: true},
	"BASE10NUM":         {end: number, only: true},
	"POSINT":            {end: posint, only: true},
	"NONNEGINT":         {end: nonnegint, only: true},
	"WORD":              {end: word, only: true},
	"UUID":              {end: uuid, only: true},
	"QS":                {end: quoted, only: true},
	"QUOTEDSTRING":      {end: quoted, only: true},
	"IPV4":              {end: ipv4, only: true},
	"IP":                {end: ip, only: true},
	"HOSTNAME":          {end: hostname, inner: isHost},
	"IPORHOST":          {end: ipOrHost, inner: isHost},
	"SYSLOGHOST":        {end: ipOrHost, inner: isHost},
	"HTTPDUSER":         {end: httpUser, inner: isUser},
	"URIPATH":           {end: uriPath, inner: isPath},
	"URIPATHPARAM":      {end: uriPathParam, inner: isPath | isQuery},
	"UNIXPATH":          {end: unixPath, inner: isUnix},
	"MONTH":             {end: month, only: true},
	"TIME":              {end: clock, inner: isTime},
	"TIMESTAMP_ISO8601": {end: iso8601, inner: isTime},
	"SYSLOGTIMESTAMP":   {end: syslogTime, only: true},
	"HTTPDATE":          {end: httpDate, inner: isDigit},
	"LOGLEVEL":          {end: logLevel, inner: isLetter},
	"JAVACLASS":         {end: javaClass, inner: isJava},
}

// Classes of bytes the recognizers ask for.
const (
	isDigit = 1 << iota
	isWord
	isHexDigit
	isLabel // of a host name
	isUser
	isIdent // of a Java name
	isPath  // of a URI path, / included
	isQuery // of a URI query
	isUnix  // of a Unix path, / included
	isLetter
	isHost // isLabel and the dot
	isTime // digits, signs, separators and Z
	isJava // isIdent and the dot
)

// bytesOf is the class bits of each byte. It is a constant in all but Go's terms.
var bytesOf = func() (t [256]uint16) {
	mark := func(bit uint16, lists ...string) {
		for _, l := range lists {
			for i := range len(l) {
				t[l[i]] |= bit
			}
		}
	}
	const digits, lower, upper = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	mark(isDigit, digits)
	mark(isHexDigit, digits, "abcdefABCDEF")
	mark(isLetter, lower, upper)
	mark(isWord|isUser|isIdent|isPath|isQuery|isUnix, digits, lower, upper, "_")
	mark(isLabel, digits, lower, upper, "-")
	mark(isUser, ".-")
	mark(isIdent, "$")
	mark(isPath, "/$.+!*'(){},~:;=@#%&-")
	mark(isQuery, "$.+!*'|(){},~@#%&/=:;?-[]<>")
	mark(isUnix, "/%!$@:.,+~-")
	mark(isHost, digits, lower, upper, "-.")
	mark(isTime, digits, ":.,+-Z")
	mark(isJava, digits, lower, upper, "_$.")
	return t
}()

// byteClass is the set of the bytes that have one of the bits.
func byteClass(class uint16) (s byteset) {
	for b, bits := range bytesOf {
		if bits&class != 0 {
			s.add(byte(b))
		}
	}
	return s
}

func is(c byte, class uint16) bool { return bytesOf[c]&class != 0 }

func skip(s string, at int, class uint16) int {
	for at < len(s) && bytesOf[s[at]]&class != 0 {
		at++
	}
	return at
}

// edgeBefore says whether a word can begin at pos: yes, no, or unsure when the byte before is no ASCII.
func edgeBefore(s string, pos int) int {
	if pos == 0 {
		return 0
	}
	switch c := s[pos-1]; {
	case c >= 0x80:
		return unsure
	case is(c, isWord):
		return noMatch
	}
	return 0
}

// wordRun is the end of a run of class that must stand between word edges.
func wordRun(s string, pos int, class uint16) int {
	e := skip(s, pos, class)
	if e == pos {
		return noMatch
	}
	if b := edgeBefore(s, pos); b < 0 {
		return b
	}
	if e < len(s) {
		if s[e] >= 0x80 {
			return unsure
		}
		if is(s[e], isWord) {
			return noMatch
		}
	}
	return e
}

func word(s string, pos int) int { return wordRun(s, pos, isWord) }

func nonnegint(s string, pos int) int { return wordRun(s, pos, isDigit) }

func posint(s string, pos int) int {
	if pos < len(s) && s[pos] == '0' {
		return noMatch
	}
	return wordRun(s, pos, isDigit)
}

func number(s string, pos int) int {
	if pos > 0 {
		if c := s[pos-1]; is(c, isDigit) || c == '.' || c == '+' || c == '-' {
			return noMatch
		}
	}
	p := pos
	if p < len(s) && (s[p] == '+' || s[p] == '-') {
		p++
	}
	e := skip(s, p, isDigit)
	if e+1 < len(s) && s[e] == '.' && is(s[e+1], isDigit) {
		return skip(s, e+2, isDigit)
	}
	if e == p {
		return noMatch
	}
	return e
}

func uuid(s string, pos int) int {
	const size = 36
	if len(s)-pos < size {
		return noMatch
	}
	for i := range size {
		c := s[pos+i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return noMatch
			}
		} else if !is(c, isHexDigit) {
			return noMatch
		}
	}
	return pos + size
}

func quoted(s string, pos int) int {
	if pos >= len(s) || pos > 0 && s[pos-1] == '\\' {
		return noMatch
	}
	q := s[pos]
	if q != '"' && q != '\'' && q != '`' {
		return noMatch
	}
	for at := pos + 1; at <= len(s); {
		end := strings.IndexByte(s[at:], q)
		if end < 0 {
			return noMatch
		}
		esc := strings.IndexByte(s[at:at+end], '\\')
		if esc < 0 {
			return at + end + 1
		}
		at += esc + 2
	}
	return noMatch
}

// octets is the end of an address of four numbers, without regard to what stands around it.
func octets(s string, pos int) int {
	for i := 0; ; i++ {
		e := pos
		v := 0
		for e < len(s) && s[e]-'0' <= 9 && e < pos+4 {
			v = v*10 + int(s[e]-'0')
			e++
		}
		if e == pos || e > pos+3 || v > 255 {
			return noMatch
		}
		if i == 3 {
			return e
		}
		if e == len(s) || s[e] != '.' {
			return noMatch
		}
		pos = e + 1
	}
}

func ipv4(s string, pos int) int {
	if pos > 0 && is(s[pos-1], isDigit) {
		return noMatch
	}
	return octets(s, pos)
}

// maybeIPv6 says whether an address with colons could begin at pos.
func maybeIPv6(s string, pos int) bool {
	for e := pos; e < len(s) && e <= pos+4; e++ {
		if s[e] == ':' {
			return true
		}
		if !is(s[e], isHexDigit) {
			return false
		}
	}
	return false
}

func ip(s string, pos int) int {
	if e := ipv4(s, pos); e >= 0 {
		return e
	}
	if maybeIPv6(s, pos) {
		return unsure
	}
	return noMatch
}

func hostname(s string, pos int) int {
	if pos >= len(s) || s[pos] == '-' || !is(s[pos], isLabel) {
		return noMatch
	}
	if b := edgeBefore(s, pos); b < 0 {
		return b
	}
	for {
		e := skip(s, pos, isLabel)
		if e-pos > 63 {
			return unsure
		}
		if e == len(s) || s[e] != '.' {
			return e
		}
		if e+1 == len(s) || s[e+1] == '-' || !is(s[e+1], isLabel) {
			return e + 1
		}
		pos = e + 1
	}
}

func ipOrHost(s string, pos int) int {
	if e := ipv4(s, pos); e >= 0 {
		return e
	}
	if maybeIPv6(s, pos) {
		return unsure
	}
	return hostname(s, pos)
}

// httpUser knows names that no @ can follow.
func httpUser(s string, pos int) int {
	e := skip(s, pos, isUser)
	if e == pos || e < len(s) && s[e] != ' ' {
		return unsure
	}
	return e
}

func uriPath(s string, pos int) int {
	if pos >= len(s) || s[pos] != '/' {
		return noMatch
	}
	return skip(s, pos, isPath)
}

func uriPathParam(s string, pos int) int {
	e := uriPath(s, pos)
	if e >= 0 && e < len(s) && s[e] == '?' {
		return skip(s, e+1, isQuery)
	}
	return e
}

func unixPath(s string, pos int) int {
	if pos >= len(s) || s[pos] != '/' {
		return noMatch
	}
	e := skip(s, pos, isUnix)
	if e < len(s) && s[e] >= 0x80 {
		return unsure
	}
	return e
}
