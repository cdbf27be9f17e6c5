package ruby

import (
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
)

// composed directives.
var composed = map[byte]string{'F': "%Y-%m-%d", 'T': "%H:%M:%S", 'X': "%H:%M:%S", 'D': "%m/%d/%y", 'x': "%m/%d/%y", 'R': "%H:%M", 'r': "%I:%M:%S %p",
	'c': "%a %b %e %H:%M:%S %Y", 'v': "%e-%^b-%4Y", '+': "%a %b %e %H:%M:%S %Z %Y"}

// strftime prints a time by directives, with the flags - 0 _ ^ and a width.
func (vm *VM) strftime(t *Time, f string) string {
	var out []byte
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			out = append(out, f[i])
			continue
		}
		from := i
		i++
		pad, upper, colons, width := byte(0), false, 0, 0
	flags:
		for ; i < len(f); i++ {
			switch c := f[i]; {
			case c == '-' || c == '0' && width == 0 || c == '_':
				pad = c
			case c == '^' || c == '#':
				upper = true
			case c == ':':
				colons++
			case c >= '0' && c <= '9':
				width = min(1000, width*10+int(c-'0'))
			default:
				break flags
			}
		}
		if i == len(f) {
			out = append(out, f[from:]...)
			break
		}
		s, fill, n, ok := t.directive(f[i], colons, width)
		if c, whole := composed[f[i]]; whole {
			s, ok = vm.strftime(t, c), true
		}
		if !ok {
			out = append(out, f[from:i+1]...)
			continue
		}
		if upper {
			s = strings.ToUpper(s)
		}
		if f[i] != 'N' && f[i] != 'L' {
			s = padded(s, fill, n, pad, width)
		}
		vm.alloc(len(s))
		out = append(out, s...)
	}
	return string(out)
}

// padded fills s to its own or a given width.
func padded(s string, fill byte, n int, pad byte, width int) string {
	switch pad {
	case '-':
		return s
	case '0':
		fill = '0'
	case '_':
		fill = ' '
	}
	if width > 0 {
		n = width
	}
	if fill == 0 {
		fill = ' '
	}
	if k := n - len(s); k > 0 {
		return strings.Repeat(string(fill), k) + s
	}
	return s
}

// directive is the text of one directive, and what it is filled with to which width.
func (tm *Time) directive(c byte, colons, width int) (s string, fill byte, n int, ok bool) {
	t := tm.t
	num := func(v, n int, fill byte) (string, byte, int, bool) { return strconv.Itoa(v), fill, n, true }
	text := func(s string) (string, byte, int, bool) { return s, 0, 0, true }
	switch c {
	case 'Y':
		return num(t.Year(), 4, '0')
	case 'C':
		return num(t.Year()/100, 2, '0')
	case 'y':
		return num(t.Year()%100, 2, '0')
	case 'm':
		return num(int(t.Month()), 2, '0')
	case 'B':
		return text(t.Month().String())
	case 'b', 'h':
		return text(t.Month().String()[:3])
	case 'd':
		return num(t.Day(), 2, '0')
	case 'e':
		return num(t.Day(), 2, ' ')
	case 'j':
		return num(t.YearDay(), 3, '0')
	case 'A':
		return text(t.Weekday().String())
	case 'a':
		return text(t.Weekday().String()[:3])
	case 'u':
		return num((int(t.Weekday())+6)%7+1, 1, '0')
	case 'w':
		return num(int(t.Weekday()), 1, '0')
	case 'G':
		y, _ := t.ISOWeek()
		return num(y, 4, '0')
	case 'V':
		_, w := t.ISOWeek()
		return num(w, 2, '0')
	case 'U':
		return num((t.YearDay()+6-int(t.Weekday()))/7, 2, '0')
	case 'W':
		return num((t.YearDay()+6-(int(t.Weekday())+6)%7)/7, 2, '0')
	case 's':
		return num(int(t.Unix()), 1, '0')
	case 'Q':
		return num(int(t.UnixMilli()), 1, '0')
	case 'n':
		return text("\n")
	case 't':
		return text("\t")
	case '%':
		return text("%")
	}
	return tm.clock(c, colons, width)
}

// clock is directive for what is less than a day.
func (tm *Time) clock(c byte, colons, width int) (s string, fill byte, n int, ok bool) {
	t := tm.t
	num := func(v, n int, fill byte) (string, byte, int, bool) { return strconv.Itoa(v), fill, n, true }
	text := func(s string) (string, byte, int, bool) { return s, 0, 0, true }
	hour12 := (t.Hour()+11)%12 + 1
	switch c {
	case 'H':
		return num(t.Hour(), 2, '0')
	case 'k':
		return num(t.Hour(), 2, ' ')
	case 'I':
		return num(hour12, 2, '0')
	case 'l':
		return num(hour12, 2, ' ')
	case 'M':
		return num(t.Minute(), 2, '0')
	case 'S':
		return num(t.Second(), 2, '0')
	case 'L', 'N':
		digits := 9
		if c == 'L' {
			digits = 3
		}
		if width > 0 {
			digits = width
		}
		return text(fraction(t, digits))
	case 'p':
		return text(t.Format("PM"))
	case 'P':
		return text(t.Format("pm"))
	case 'z':
		return text(t.Format([]string{"-0700", "-07:00", "-07:00:00"}[min(colons, 2)]))
	case 'Z':
		if tm.typ == dateTime {
			return text(t.Format("-07:00"))
		}
		return text(t.Format("MST"))
	}
	return "", 0, 0, false
}

// reader reads a text by directives.
type reader struct {
	s                                string
	year, month, day, hour, min, sec int
	ns                               int
	pm                               int // 1 am, 2 pm
	epoch                            int64
	isEpoch                          bool
	loc                              *time.Location
}

func (vm *VM) strptime(s, f string, typ timeType) Value {
	now := vm.env.Now()
	r := &reader{s: s, year: now.Year(), month: 1, day: 1, loc: time.Local}
	if typ != plainTime {
		r.loc = time.UTC
	}
	vm.work(20 + len(f))
	if !r.read(f) || r.s != "" || r.month < 1 || r.month > 12 || r.day < 1 || r.day > event.DaysIn(int64(r.year), r.month) || r.hour > 24 || r.min > 59 || r.sec > 60 {
		if typ == plainTime {
			vm.raise("ArgumentError", "invalid date or strptime format - `%s' `%s'", s, f)
		}
		vm.raise("Date::Error", "invalid date")
	}
	if r.isEpoch {
		return &Time{time.Unix(r.epoch, int64(r.ns)).In(r.loc), typ}
	}
	if r.pm > 0 {
		r.hour = r.hour%12 + 12*(r.pm-1)
	}
	return vm.parsed(time.Date(r.year, time.Month(r.month), r.day, r.hour, r.min, r.sec, r.ns, r.loc), typ)
}

func (r *reader) read(f string) bool {
	for i := 0; i < len(f); i++ {
		switch {
		case f[i] == ' ':
			r.s = strings.TrimLeft(r.s, " \t")
		case f[i] != '%' || i+1 == len(f):
			if r.s == "" || r.s[0] != f[i] {
				return false
			}
			r.s = r.s[1:]
		default:
			i++
			for i+1 < len(f) && strings.IndexByte("-0_^:#", f[i]) >= 0 {
				i++
			}
			for i+1 < len(f) && f[i] >= '0' && f[i] <= '9' {
				i++
			}
			if c, ok := composed[f[i]]; ok {
				if !r.read(c) {
					return false
				}
			} else if !r.one(f[i]) {
				return false
			}
		}
	}
	return true
}

// number reads up to n digits.
func (r *reader) number(n int, into *int) bool {
	i := 0
	for i < len(r.s) && i < n && r.s[i] >= '0' && r.s[i] <= '9' {
		i++
	}
	if i == 0 {
		return false
	}
	*into, _ = strconv.Atoi(r.s[:i])
	r.s = r.s[i:]
	return true
}

// name reads a name of a list, whole or its first three letters, in any case.
func (r *reader) name(n int, of func(int) string, into *int) bool {
	for _, short := range []bool{false, true} {
		for i := range n {
			w := of(i)
			if short {
				w = w[:3]
			}
			if len(r.s) >= len(w) && strings.EqualFold(r.s[:len(w)], w) {
				*into = i
				r.s = r.s[len(w):]
				return true
			}
		}
	}
	return false
}

func (r *reader) one(c byte) bool {
	ignored := 0
	switch c {
	case 'Y':
		return r.number(4, &r.year)
	case 'y':
		ok := r.number(2, &r.year)
		r.year += 1900
		if r.year < 1969 {
			r.year += 100
		}
		return ok
	case 'm':
		return r.number(2, &r.month)
	case 'd', 'e':
		r.s = strings.TrimLeft(r.s, " ")
		return r.number(2, &r.day)
	case 'H', 'k', 'I', 'l':
		r.s = strings.TrimLeft(r.s, " ")
		return r.number(2, &r.hour)
	case 'M':
		return r.number(2, &r.min)
	case 'S':
		return r.number(2, &r.sec)
	case 'L', 'N':
		from := r.s
		if !r.number(9, &r.ns) {
			return false
		}
		for range 9 - (len(from) - len(r.s)) {
			r.ns *= 10
		}
		return true
	case 'b', 'B', 'h':
		ok := r.name(12, func(i int) string { return time.Month(i + 1).String() }, &r.month)
		r.month++
		return ok
	case 'a', 'A':
		return r.name(7, func(i int) string { return time.Weekday(i).String() }, &ignored)
	case 'p', 'P':
		ok := r.name(2, func(i int) string { return []string{"AM ", "PM "}[i][:2] + "" }, &r.pm)
		r.pm++
		return ok
	case 'j', 'u', 'w':
		return r.number(3, &ignored)
	case 'z', 'Z':
		return r.zone()
	case 's', 'Q':
		n := 0
		neg := strings.HasPrefix(r.s, "-")
		r.s = strings.TrimPrefix(r.s, "-")
		if !r.number(16, &n) {
			return false
		}
		r.epoch, r.isEpoch = int64(n), true
		if c == 'Q' {
			r.epoch, r.ns = int64(n)/1000, n%1000*1e6
		}
		if neg {
			r.epoch = -r.epoch
		}
		return true
	case '%':
		ok := strings.HasPrefix(r.s, "%")
		r.s = strings.TrimPrefix(r.s, "%")
		return ok
	}
	return false
}

func (r *reader) zone() bool {
	for _, u := range []string{"UTC", "GMT", "Z"} {
		if strings.HasPrefix(r.s, u) {
			r.s, r.loc = r.s[len(u):], time.UTC
			return true
		}
	}
	for _, n := range []int{6, 5, 3} {
		if len(r.s) >= n {
			if sec, ok := event.ParseOffset(r.s[:n]); ok {
				r.loc = time.FixedZone("", sec)
				r.s = r.s[n:]
				return true
			}
		}
	}
	return false
}
