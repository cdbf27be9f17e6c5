// Package timefmt reads and prints times by the patterns of Logstash's users: Joda's letters (date filter, %{+yyyy.MM.dd}) and those
// of java.time (%{{yyyy.MM.dd}}).
//
// A Layout is a pattern compiled to a short list of steps; reading and printing allocate nothing. Names are English.
package timefmt

import (
	"fmt"
	"strings"
	_ "time/tzdata" // zones by name also where the machine has no database of them
)

// Language is the dialect of a pattern.
type Language uint8

const (
	Joda Language = iota
	Java          // java.time
)

type kind uint8

const (
	literal kind = iota
	year
	year2 // two digits
	weekYear
	monthNum
	monthText
	day
	dayOfYear
	weekOfYear
	dowNum
	dowText
	halfDay
	hour24     // H 0-23
	hour24one  // k 1-24
	hour12     // K 0-11
	hour12one  // h 1-12
	minute     //
	second     //
	fraction   // S
	nano       // n of java.time
	milliOfDay // A of java.time
	offset     // Z, x, X
	zoneName   // z, ZZZ, VV
	era
	quarter
)

type step struct {
	kind  kind
	text  string // literal
	count int    // letters
	max   int    // digits to read at most
	colon bool   // offset is printed +hh:mm
	z     bool   // offset zero is printed as Z
}

// Layout is a compiled pattern. It is immutable.
type Layout struct {
	text  string
	steps []step
}

// String is the pattern.
func (l *Layout) String() string { return l.text }

// Compile reads a pattern.
func Compile(pattern string, lang Language) (*Layout, error) {
	l := &Layout{text: pattern}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, n, err := quoted(pattern[i:])
			if err != nil {
				return nil, fmt.Errorf("date format %q: %w", pattern, err)
			}
			l.literal(text)
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			s, ok := letter(c, n, lang)
			if !ok {
				return nil, fmt.Errorf("date format %q: letter %s at column %d has no meaning", pattern, pattern[i:i+n], i+1)
			}
			l.steps = append(l.steps, s)
			i += n
		default:
			l.literal(pattern[i : i+1])
			i++
		}
	}
	l.limitDigits()
	return l, nil
}

func (l *Layout) literal(text string) {
	if n := len(l.steps); n > 0 && l.steps[n-1].kind == literal {
		l.steps[n-1].text += text
		return
	}
	l.steps = append(l.steps, step{kind: literal, text: text})
}

// quoted reads a literal in quotes; two quotes are one.
func quoted(s string) (text string, n int, err error) {
	if strings.HasPrefix(s, "''") {
		return "'", 2, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, nil
	}
	return "", 0, fmt.Errorf("a quote is not closed")
}

// letter is the meaning of n times c.
func letter(c byte, n int, lang Language) (step, bool) {
	s := step{count: n, max: 2}
	switch c {
	case 'y', 'u', 'Y':
		s.kind, s.max = year, 9
		if n == 2 {
			s.kind = year2
		}
		if c == 'Y' && lang == Java {
			s.kind = weekYear
		}
		return s, c != 'u' || lang == Java
	case 'x':
		if lang == Java {
			s.kind, s.colon = offset, n == 3 || n == 5
			return s, true
		}
		s.kind, s.max = weekYear, 9
		return s, true
	case 'M', 'L':
		s.kind = monthNum
		if n > 2 {
			s.kind = monthText
		}
		return s, c == 'M' || lang == Java
	case 'E':
		s.kind = dowText
		return s, true
	case 'e':
		s.kind = dowNum
		if lang == Java && n > 2 {
			s.kind = dowText
		}
		return s, true
	case 'S':
		s.kind, s.max = fraction, n
		return s, n <= 9
	case 'D':
		s.kind, s.max = dayOfYear, 3
		return s, true
	case 'Z':
		s.kind, s.colon = offset, n == 2
		if n == 3 && lang == Joda {
			s.kind = zoneName
		}
		return s, true
	case 'X':
		s.kind, s.colon, s.z = offset, n == 3, true
		return s, lang == Java
	case 'V', 'n', 'A', 'Q':
		s.kind = map[byte]kind{'V': zoneName, 'n': nano, 'A': milliOfDay, 'Q': quarter}[c]
		return s, lang == Java
	}
	k, ok := map[byte]kind{'d': day, 'H': hour24, 'k': hour24one, 'K': hour12, 'h': hour12one, 'm': minute, 's': second, 'a': halfDay,
		'w': weekOfYear, 'z': zoneName, 'G': era}[c]
	s.kind = k
	return s, ok
}

// numeric reports whether the step reads digits.
func (s *step) numeric() bool {
	switch s.kind {
	case literal, monthText, dowText, halfDay, offset, zoneName, era:
		return false
	}
	return true
}

// limitDigits makes numbers that touch another number as wide as their letters: yyyyMMdd.
func (l *Layout) limitDigits() {
	for i := range l.steps {
		s := &l.steps[i]
		if s.numeric() && i+1 < len(l.steps) && l.steps[i+1].numeric() {
			s.max = s.count
		}
	}
}

var (
	months = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	days   = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)
