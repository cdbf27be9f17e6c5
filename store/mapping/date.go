package mapping

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// DateFormat reads and prints dates by a `||` list of java.time patterns and Elasticsearch's names. It is immutable.
type DateFormat struct {
	Spec string
	alts []dateAlt
}

// dateAlt is one of the list: a number since the epoch, ISO by hand, or a pattern.
type dateAlt struct {
	name string
	unit int64 // epoch_millis, epoch_second: nanoseconds of the unit; else 0
	iso  isoKind
	pat  *datePattern
}

type isoKind uint8

const (
	notISO isoKind = iota
	isoStrict
	isoLenient
)

var (
	defaultDate  = mustFormat("strict_date_optional_time||epoch_millis")
	defaultNanos = mustFormat("strict_date_optional_time_nanos||epoch_millis")
)

// DefaultDateFormat is the format of date fields that name none.
func DefaultDateFormat() *DateFormat { return defaultDate }

func mustFormat(s string) *DateFormat {
	f, err := ParseDateFormat(s)
	if err != nil {
		panic(err)
	}
	return f
}

// ParseDateFormat reads a format: alternatives between `||`, an `8` in front (as in old mappings) is dropped.
func ParseDateFormat(spec string) (*DateFormat, error) {
	f := &DateFormat{Spec: spec}
	for _, s := range strings.Split(spec, "||") {
		s = strings.TrimPrefix(strings.TrimSpace(s), "8")
		if s == "" {
			return nil, illegalf("Invalid format: [%s]: No date pattern provided", spec)
		}
		a, err := parseAlt(s)
		if err != nil {
			return nil, illegalf("Invalid format: [%s]: %v", s, err)
		}
		f.alts = append(f.alts, a)
	}
	return f, nil
}

func parseAlt(s string) (dateAlt, error) {
	a := dateAlt{name: s}
	switch s {
	case "epoch_millis":
		a.unit = int64(time.Millisecond)
		return a, nil
	case "epoch_second":
		a.unit = int64(time.Second)
		return a, nil
	case "strict_date_optional_time", "strict_date_optional_time_nanos":
		a.iso = isoStrict
	case "date_optional_time", "iso8601":
		a.iso = isoLenient
	}
	text := s
	lenient := false
	if p, ok := builtinDates[s]; ok {
		text = p
	} else if p, ok := builtinDates[strings.TrimPrefix(s, "strict_")]; ok {
		text = p
	}
	lenient = a.iso == isoLenient
	var err error
	a.pat, err = compileDate(text, lenient)
	return a, err
}

// builtinDates are the names without "strict_". The strict forms are the same patterns: widths are checked in both.
var builtinDates = map[string]string{
	"strict_date_optional_time":        "uuuu-MM-dd'T'HH:mm:ss.SSSXXX",
	"strict_date_optional_time_nanos":  "uuuu-MM-dd'T'HH:mm:ss.SSSSSSSSSXXX",
	"date_optional_time":               "uuuu-MM-dd'T'HH:mm:ss.SSSXXX",
	"iso8601":                          "uuuu-MM-dd'T'HH:mm:ss.SSSXXX",
	"basic_date":                       "uuuuMMdd",
	"basic_date_time":                  "uuuuMMdd'T'HHmmss.SSSXX",
	"basic_date_time_no_millis":        "uuuuMMdd'T'HHmmssXX",
	"basic_ordinal_date":               "uuuuDDD",
	"basic_time":                       "HHmmss.SSSXX",
	"basic_time_no_millis":             "HHmmssXX",
	"basic_t_time":                     "'T'HHmmss.SSSXX",
	"basic_t_time_no_millis":           "'T'HHmmssXX",
	"date":                             "uuuu-MM-dd",
	"date_hour":                        "uuuu-MM-dd'T'HH",
	"date_hour_minute":                 "uuuu-MM-dd'T'HH:mm",
	"date_hour_minute_second":          "uuuu-MM-dd'T'HH:mm:ss",
	"date_hour_minute_second_fraction": "uuuu-MM-dd'T'HH:mm:ss.SSS",
	"date_hour_minute_second_millis":   "uuuu-MM-dd'T'HH:mm:ss.SSS",
	"date_time":                        "uuuu-MM-dd'T'HH:mm:ss.SSSXXX",
	"date_time_no_millis":              "uuuu-MM-dd'T'HH:mm:ssXXX",
	"hour":                             "HH",
	"hour_minute":                      "HH:mm",
	"hour_minute_second":               "HH:mm:ss",
	"hour_minute_second_fraction":      "HH:mm:ss.SSS",
	"hour_minute_second_millis":        "HH:mm:ss.SSS",
	"ordinal_date":                     "uuuu-DDD",
	"ordinal_date_time":                "uuuu-DDD'T'HH:mm:ss.SSSXXX",
	"time":                             "HH:mm:ss.SSSXXX",
	"time_no_millis":                   "HH:mm:ssXXX",
	"t_time":                           "'T'HH:mm:ss.SSSXXX",
	"t_time_no_millis":                 "'T'HH:mm:ssXXX",
	"year":                             "uuuu",
	"year_month":                       "uuuu-MM",
	"year_month_day":                   "uuuu-MM-dd",
	"rfc1123":                          "EEE, d MMM yyyy HH:mm:ss XX",
}

// Parse reads s as nanoseconds since the epoch. Parts that the text leaves out are the lowest values, with roundUp the highest. loc is
// the zone of texts without one; nil is UTC.
func (f *DateFormat) Parse(s string, roundUp bool, loc *time.Location) (int64, error) {
	if loc == nil {
		loc = time.UTC
	}
	for i := range f.alts {
		if ns, ok := f.alts[i].parse(s, roundUp, loc); ok {
			return ns, nil
		}
	}
	return 0, fmt.Errorf("failed to parse date field [%s] with format [%s]", s, f.Spec)
}

func (a *dateAlt) parse(s string, roundUp bool, loc *time.Location) (int64, bool) {
	switch {
	case a.unit != 0:
		return parseEpoch(s, a.unit, roundUp)
	case a.iso != notISO:
		return parseISO(s, a.iso == isoStrict, roundUp, loc)
	}
	return a.pat.parse(s, roundUp, loc)
}

// Format prints ns by the first of the list. loc nil is UTC.
func (f *DateFormat) Format(ns int64, loc *time.Location) string {
	return string(f.Append(nil, ns, loc))
}

// Append appends what Format prints.
func (f *DateFormat) Append(dst []byte, ns int64, loc *time.Location) []byte {
	if loc == nil {
		loc = time.UTC
	}
	a := &f.alts[0]
	if a.unit != 0 {
		q := ns / a.unit
		if ns%a.unit < 0 {
			q--
		}
		dst = strconv.AppendInt(dst, q, 10)
		if a.unit == int64(time.Second) {
			if r := ns - q*a.unit; r != 0 {
				frac := fmt.Sprintf("%09d", r)
				dst = append(append(dst, '.'), strings.TrimRight(frac, "0")...)
			}
		}
		return dst
	}
	return a.pat.append(dst, ns, loc)
}

// parseEpoch reads a decimal number of units.
func parseEpoch(s string, unit int64, roundUp bool) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(s) == 0 || s[0] == '+' {
		return 0, false
	}
	if n > math.MaxInt64/unit-1 || n < math.MinInt64/unit+1 {
		return 0, false
	}
	ns := n * unit
	if frac == "" && !strings.HasSuffix(s, ".") {
		if roundUp {
			ns += unit - 1
		}
		return ns, true
	}
	var sub int64
	step := unit
	for i := 0; i < len(frac); i++ {
		if frac[i] < '0' || frac[i] > '9' {
			return 0, false
		}
		step /= 10
		sub += int64(frac[i]-'0') * step
	}
	if len(frac) == 0 {
		return 0, false
	}
	if s[0] == '-' {
		return ns - sub, true
	}
	return ns + sub, true
}

// dateParts is a date under construction; -1 where the text said nothing.
type dateParts struct {
	year, month, day, yday       int
	hour, min, sec, nano         int
	zone                         *time.Location
	fracDigits                   int
	pm                           int // 0 am, 1 pm
	clock12                      int
	epoch                        int64
	weekYear, week, weekday, era int
}

func newParts() dateParts {
	return dateParts{year: -1, month: -1, day: -1, yday: -1, hour: -1, min: -1, sec: -1, nano: -1, pm: -1, clock12: -1, weekYear: -1, week: -1, weekday: -1}
}

// time puts the parts together; ok is false when they name no instant that nanoseconds can hold.
func (p *dateParts) time(roundUp bool, loc *time.Location) (int64, bool) {
	if p.zone != nil {
		loc = p.zone
	}
	if p.clock12 >= 0 && p.hour < 0 {
		p.hour = p.clock12 % 12
		if p.pm == 1 {
			p.hour += 12
		}
	}
	fill := func(v, low, high int) int {
		if v >= 0 {
			return v
		}
		if roundUp {
			return high
		}
		return low
	}
	if p.year == -1 && p.weekYear >= 0 {
		return p.weekTime(roundUp, loc)
	}
	year := p.year
	if year == -1 {
		year = 1970
		if p.month < 0 && p.day < 0 {
			p.month, p.day = 1, 1
		}
	}
	if year < 1678 || year > 2261 {
		return 0, false
	}
	month := fill(p.month, 1, 12)
	if p.yday > 0 {
		t := time.Date(year, 1, p.yday, 0, 0, 0, 0, time.UTC)
		if t.Year() != year {
			return 0, false
		}
		month, p.day = int(t.Month()), t.Day()
	}
	last := daysIn(year, month)
	day := fill(p.day, 1, last)
	if month < 1 || month > 12 || day < 1 || day > last {
		return 0, false
	}
	hour, min, sec := fill(p.hour, 0, 23), fill(p.min, 0, 59), fill(p.sec, 0, 59)
	nano := fill(p.nano, 0, 999_999_999)
	if hour == 24 && min == 0 && sec == 0 && nano == 0 {
		return time.Date(year, time.Month(month), day+1, 0, 0, 0, 0, loc).UnixNano(), true
	}
	if hour > 23 || min > 59 || sec > 59 {
		return 0, false
	}
	if loc == time.UTC {
		return daysFromCivil(year, month, day)*86_400_000_000_000 + int64(hour*3600+min*60+sec)*1_000_000_000 + int64(nano), true
	}
	return time.Date(year, time.Month(month), day, hour, min, sec, nano, loc).UnixNano(), true
}

// weekTime is the time of ISO week parts.
func (p *dateParts) weekTime(roundUp bool, loc *time.Location) (int64, bool) {
	week, wd := p.week, p.weekday
	if week < 1 || week > 53 || p.weekYear < 1678 || p.weekYear > 2261 {
		return 0, false
	}
	if wd < 1 {
		wd = 1
		if roundUp {
			wd = 7
		}
	}
	jan4 := time.Date(p.weekYear, 1, 4, 0, 0, 0, 0, time.UTC)
	monday := jan4.AddDate(0, 0, -(int(jan4.Weekday())+6)%7)
	d := monday.AddDate(0, 0, (week-1)*7+wd-1)
	q := *p
	q.weekYear, q.year, q.month, q.day, q.yday = -1, d.Year(), int(d.Month()), d.Day(), -1
	return q.time(roundUp, loc)
}

func daysIn(year, month int) int {
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

// daysFromCivil is the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar.
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}

// civil is the date of a number of days since 1970-01-01.
func civil(days int64) (y, m, d int) {
	days += 719468
	era := days / 146097
	if days < 0 && days%146097 != 0 {
		era--
	}
	doe := int(days - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = (mp+2)%12 + 1
	y = yoe + int(era)*400
	if m <= 2 {
		y++
	}
	return y, m, d
}
