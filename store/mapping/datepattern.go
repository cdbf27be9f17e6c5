package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// datePattern is a java.time pattern.
type datePattern struct {
	items   []dateItem
	lenient bool
}

// dateItem is a run of one pattern letter, a literal, or an optional part.
type dateItem struct {
	letter   byte // 0: literal or optional
	n        int
	literal  string
	optional *datePattern
	adjacent bool // a number follows without separator: exactly n digits
}

// patternLetters are the letters understood.
const patternLetters = "uyYMLdDHhkKmsSnAaEecwGzZXxVO"

func compileDate(s string, lenient bool) (*datePattern, error) {
	c := dateCompiler{s: s, lenient: lenient}
	p, err := c.list(0)
	if err == nil && c.i < len(s) {
		err = fmt.Errorf("Pattern has a ']' without '['")
	}
	return p, err
}

type dateCompiler struct {
	s       string
	i       int
	lenient bool
}

func (c *dateCompiler) list(depth int) (*datePattern, error) {
	p := &datePattern{lenient: c.lenient}
	for c.i < len(c.s) {
		ch := c.s[c.i]
		switch {
		case ch == ']':
			if depth == 0 {
				return p, nil
			}
			c.i++
			p.markAdjacent()
			return p, nil
		case ch == '[':
			c.i++
			if depth > 8 {
				return nil, fmt.Errorf("too many optional parts")
			}
			sub, err := c.list(depth + 1)
			if err != nil {
				return nil, err
			}
			p.items = append(p.items, dateItem{optional: sub})
		case ch == '\'':
			lit, err := c.quoted()
			if err != nil {
				return nil, err
			}
			p.items = append(p.items, dateItem{literal: lit})
		case ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z':
			if strings.IndexByte(patternLetters, ch) < 0 {
				return nil, fmt.Errorf("Unknown pattern letter: %c", ch)
			}
			n := 0
			for c.i < len(c.s) && c.s[c.i] == ch {
				c.i++
				n++
			}
			p.items = append(p.items, dateItem{letter: ch, n: n})
		default:
			p.items = append(p.items, dateItem{literal: string(ch)})
			c.i++
		}
	}
	if depth > 0 {
		return nil, fmt.Errorf("Pattern has a '[' without ']'")
	}
	p.markAdjacent()
	return p, nil
}

// quoted reads 'text' with ” for a quote.
func (c *dateCompiler) quoted() (string, error) {
	c.i++
	var b strings.Builder
	for c.i < len(c.s) {
		if c.s[c.i] == '\'' {
			if c.i+1 < len(c.s) && c.s[c.i+1] == '\'' {
				b.WriteByte('\'')
				c.i += 2
				continue
			}
			c.i++
			if b.Len() == 0 {
				return "'", nil
			}
			return b.String(), nil
		}
		b.WriteByte(c.s[c.i])
		c.i++
	}
	return "", fmt.Errorf("Pattern ends with an incomplete string literal: %s", c.s)
}

func (p *datePattern) markAdjacent() {
	for i := 0; i+1 < len(p.items); i++ {
		if p.items[i].numeric() && p.items[i+1].numeric() {
			p.items[i].adjacent = true
		}
	}
}

func (it *dateItem) numeric() bool {
	switch it.letter {
	case 'M', 'L', 'E', 'e', 'c':
		return it.n <= 2 && it.letter != 'E'
	case 'u', 'y', 'Y', 'd', 'D', 'H', 'h', 'k', 'K', 'm', 's', 'S', 'n', 'A', 'w':
		return true
	}
	return false
}

func (p *datePattern) parse(s string, roundUp bool, loc *time.Location) (int64, bool) {
	parts := newParts()
	rest, ok := p.match(s, &parts)
	if !ok || rest != "" {
		return 0, false
	}
	return parts.time(roundUp, loc)
}

// match takes the pattern from the front of s.
func (p *datePattern) match(s string, parts *dateParts) (string, bool) {
	for i := range p.items {
		it := &p.items[i]
		switch {
		case it.optional != nil:
			saved := *parts
			if rest, ok := it.optional.match(s, parts); ok {
				s = rest
			} else {
				*parts = saved
			}
		case it.letter == 0:
			if !strings.HasPrefix(s, it.literal) {
				return s, false
			}
			s = s[len(it.literal):]
		default:
			var ok bool
			if s, ok = it.match(s, parts); !ok {
				return s, false
			}
		}
	}
	return s, true
}

// match reads one letter run.
func (it *dateItem) match(s string, p *dateParts) (string, bool) {
	switch it.letter {
	case 'z', 'Z', 'X', 'x', 'V', 'O':
		z, n, ok := parseZone(s)
		if !ok {
			return s, false
		}
		p.zone = z
		return s[n:], true
	case 'M', 'L':
		if it.n >= 3 {
			return matchName(s, monthNames[:], &p.month)
		}
	case 'E', 'e', 'c':
		if it.letter == 'E' || it.n >= 3 {
			return matchName(s, dayNames[:], &p.weekday)
		}
	case 'a':
		if len(s) < 2 || s[1] != 'M' && s[1] != 'm' {
			return s, false
		}
		switch s[0] {
		case 'A', 'a':
			p.pm = 0
		case 'P', 'p':
			p.pm = 1
		default:
			return s, false
		}
		return s[2:], true
	case 'G':
		if strings.HasPrefix(s, "AD") {
			return s[2:], true
		}
		return s, false
	case 'S':
		r := isoReader{s: s}
		v, ok := r.fraction()
		if it.adjacent && r.i != it.n {
			return s, false
		}
		p.nano = v
		return s[r.i:], ok
	}
	return it.matchNumber(s, p)
}

func (it *dateItem) matchNumber(s string, p *dateParts) (string, bool) {
	lo, hi := it.n, it.n
	switch {
	case it.adjacent:
	case it.n == 1:
		hi = 19
	case (it.letter == 'u' || it.letter == 'y' || it.letter == 'Y') && it.n == 4:
		hi = 4
	}
	n, v := 0, 0
	for n < len(s) && n < hi && s[n]-'0' <= 9 {
		v = v*10 + int(s[n]-'0')
		n++
	}
	if n < lo || n == 0 {
		return s, false
	}
	if (it.letter == 'u' || it.letter == 'y') && it.n == 2 {
		v += 2000
	}
	p.setNumber(it.letter, v)
	return s[n:], true
}

func (p *dateParts) setNumber(letter byte, v int) {
	switch letter {
	case 'u', 'y':
		p.year = v
	case 'Y':
		p.weekYear = v
	case 'w':
		p.week = v
	case 'e', 'c':
		p.weekday = v
	case 'M', 'L':
		p.month = v
	case 'd':
		p.day = v
	case 'D':
		p.yday = v
	case 'H':
		p.hour = v
	case 'k':
		p.hour = v % 24
	case 'h', 'K':
		p.clock12 = v
	case 'm':
		p.min = v
	case 's':
		p.sec = v
	case 'n':
		p.nano = v
	case 'A':
		p.hour, p.min, p.sec, p.nano = v/3_600_000, v/60_000%60, v/1000%60, v%1000*1_000_000
	}
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// matchName reads a long or three-letter English name; into is set to its number from 1.
func matchName(s string, names []string, into *int) (string, bool) {
	for i, n := range names {
		if len(s) >= len(n) && strings.EqualFold(s[:len(n)], n) {
			*into = i + 1
			return s[len(n):], true
		}
	}
	for i, n := range names {
		if len(s) >= 3 && strings.EqualFold(s[:3], n[:3]) {
			*into = i + 1
			return s[3:], true
		}
	}
	return s, false
}

// append prints ns.
func (p *datePattern) append(dst []byte, ns int64, loc *time.Location) []byte {
	t := time.Unix(0, ns).In(loc)
	for i := range p.items {
		it := &p.items[i]
		switch {
		case it.optional != nil:
			dst = it.optional.append(dst, ns, loc)
		case it.letter == 0:
			dst = append(dst, it.literal...)
		default:
			dst = it.append(dst, t)
		}
	}
	return dst
}

func (it *dateItem) append(dst []byte, t time.Time) []byte {
	switch it.letter {
	case 'u', 'y':
		if it.n == 2 {
			return pad(dst, t.Year()%100, 2)
		}
		return pad(dst, t.Year(), it.n)
	case 'Y':
		y, _ := t.ISOWeek()
		return pad(dst, y, it.n)
	case 'w':
		_, w := t.ISOWeek()
		return pad(dst, w, it.n)
	case 'M', 'L':
		return appendName(dst, monthNames[:], int(t.Month()), it.n)
	case 'E', 'e', 'c':
		n := it.n
		if it.letter == 'E' && n < 3 {
			n = 3
		}
		return appendName(dst, dayNames[:], (int(t.Weekday())+6)%7+1, n)
	case 'S':
		return append(dst, fmt.Sprintf("%09d", t.Nanosecond())[:min(it.n, 9)]...)
	case 'a':
		if t.Hour() >= 12 {
			return append(dst, "PM"...)
		}
		return append(dst, "AM"...)
	case 'G':
		return append(dst, "AD"...)
	case 'z', 'V', 'O':
		return append(dst, zoneText(t)...)
	case 'Z', 'X', 'x':
		return it.appendOffset(dst, t)
	}
	return pad(dst, it.number(t), it.n)
}

func (it *dateItem) number(t time.Time) int {
	switch it.letter {
	case 'd':
		return t.Day()
	case 'D':
		return t.YearDay()
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	case 's':
		return t.Second()
	case 'n':
		return t.Nanosecond()
	}
	return t.Hour()*3_600_000 + t.Minute()*60_000 + t.Second()*1000 + t.Nanosecond()/1_000_000 // A
}

func appendName(dst []byte, names []string, i, n int) []byte {
	switch {
	case n >= 4:
		return append(dst, names[i-1]...)
	case n == 3:
		return append(dst, names[i-1][:3]...)
	}
	return pad(dst, i, n)
}

func zoneText(t time.Time) string {
	if name := t.Location().String(); name != "" {
		return name
	}
	return t.Format("-07:00")
}

func (it *dateItem) appendOffset(dst []byte, t time.Time) []byte {
	_, off := t.Zone()
	if off == 0 && it.letter == 'X' {
		return append(dst, 'Z')
	}
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	dst = pad(append(dst, sign), off/3600, 2)
	if it.n == 1 && it.letter != 'Z' && off%3600 == 0 {
		return dst
	}
	if it.letter != 'Z' && (it.n == 3 || it.n == 5) || it.letter == 'Z' && it.n == 5 {
		dst = append(dst, ':')
	}
	return pad(dst, off/60%60, 2)
}

func pad(dst []byte, v, n int) []byte {
	s := strconv.Itoa(v)
	for k := len(s); k < n; k++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}
