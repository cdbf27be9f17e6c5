package ruby

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
)

// Time is a Time, a LogStash::Timestamp, a DateTime or a Date.
type Time struct {
	t   time.Time
	typ timeType
}

type timeType uint8

const (
	plainTime timeType = iota
	stampTime
	dateTime
	dateOnly
)

func (t *Time) class() string {
	return [...]string{"Time", "LogStash::Timestamp", "DateTime", "Date"}[t.typ]
}

func (t *Time) show() string {
	switch t.typ {
	case stampTime:
		return string(event.AppendISO(nil, t.t.UnixNano()))
	case dateTime:
		return t.t.Format("2006-01-02T15:04:05-07:00")
	case dateOnly:
		return t.t.Format("2006-01-02")
	}
	if t.t.Location() == time.UTC {
		return t.t.Format("2006-01-02 15:04:05 UTC")
	}
	return t.t.Format("2006-01-02 15:04:05 -0700")
}

// iso prints with n digits of fraction.
func (t *Time) iso(n int) string {
	if t.typ == dateOnly {
		return t.show()
	}
	s := t.t.Format("2006-01-02T15:04:05")
	if n > 0 {
		s += "." + fraction(t.t, n)
	}
	if t.t.Location() == time.UTC && t.typ != dateTime {
		return s + "Z"
	}
	return s + t.t.Format("-07:00")
}

func fraction(t time.Time, n int) string {
	n = min(n, 100)
	s := strconv.Itoa(1e9 + t.Nanosecond())[1:]
	for len(s) < n {
		s += "0"
	}
	return s[:n]
}

// seconds is a number of seconds as a duration, within what a duration holds.
func (vm *VM) seconds(v Value) time.Duration {
	f, ok := number(v)
	if !ok {
		vm.raise("TypeError", "can't convert %s into an exact number", className(v))
	}
	if math.IsNaN(f) || math.Abs(f) > 9e9 {
		vm.raise("RangeError", "%s out of range of times", vm.show(v))
	}
	if n, ok := v.(int64); ok {
		return time.Duration(n) * time.Second
	}
	sec, frac := math.Modf(f)
	return time.Duration(sec)*time.Second + time.Duration(math.Round(frac*1e9))
}

func timeFn(f func(t *Time) Value) *method {
	return &method{0, 0, func(_ *VM, self Value, _ []Value, _ *Proc) Value { return f(self.(*Time)) }}
}

func inZone(loc *time.Location) *method {
	return &method{0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		t := self.(*Time)
		l := loc
		if len(a) > 0 && a[0] != nil {
			l = vm.zone(a[0])
		}
		return &Time{t.t.In(l), t.typ}
	}}
}

// zone is a zone given as "+09:00", "UTC" or a number of seconds.
func (vm *VM) zone(v Value) *time.Location {
	if s, ok := v.(*Str); ok {
		if s.s == "UTC" || s.s == "Z" {
			return time.UTC
		}
		if sec, ok := event.ParseOffset(s.s); ok && s.s != "" {
			return time.FixedZone("", sec)
		}
		vm.raise("ArgumentError", `"+HH:MM", "-HH:MM", "UTC" or "A".."I","K".."Z" expected for utc_offset: %s`, s.s)
	}
	return time.FixedZone("", int(vm.seconds(v)/time.Second))
}

func timeMethods() methods {
	unix := timeFn(func(t *Time) Value { return t.t.Unix() })
	utc := timeFn(func(t *Time) Value { return &Time{t.t.UTC(), t.typ} })
	usec := timeFn(func(t *Time) Value { return int64(t.t.Nanosecond() / 1000) })
	nsec := timeFn(func(t *Time) Value { return int64(t.t.Nanosecond()) })
	day := timeFn(func(t *Time) Value { return int64(t.t.Day()) })
	month := timeFn(func(t *Time) Value { return int64(t.t.Month()) })
	minute := timeFn(func(t *Time) Value { return int64(t.t.Minute()) })
	offset := timeFn(func(t *Time) Value { _, o := t.t.Zone(); return int64(o) })
	iso := &method{0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
		n := 0
		if len(a) > 0 {
			n = vm.positive(a[0])
		}
		return vm.str(self.(*Time).iso(n))
	}}
	stamp := &method{0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value {
		return vm.str(string(event.AppendISO(nil, self.(*Time).t.UnixNano())))
	}}
	m := methods{
		"to_i": unix, "tv_sec": unix,
		"to_f":        timeFn(func(t *Time) Value { return float64(t.t.UnixMicro()) / 1e6 }),
		"to_r":        timeFn(func(t *Time) Value { return float64(t.t.UnixMicro()) / 1e6 }),
		"to_time":     timeFn(func(t *Time) Value { return &Time{t: t.t} }),
		"time":        timeFn(func(t *Time) Value { return &Time{t: t.t} }),
		"to_date":     timeFn(func(t *Time) Value { return &Time{midnight(t.t), dateOnly} }),
		"to_datetime": timeFn(func(t *Time) Value { return &Time{t.t, dateTime} }),
		"year":        timeFn(func(t *Time) Value { return int64(t.t.Year()) }),
		"month":       month, "mon": month, "day": day, "mday": day,
		"hour": timeFn(func(t *Time) Value { return int64(t.t.Hour()) }),
		"min":  minute, "minute": minute,
		"sec": timeFn(func(t *Time) Value { return int64(t.t.Second()) }), "second": timeFn(func(t *Time) Value { return int64(t.t.Second()) }),
		"usec": usec, "tv_usec": usec, "nsec": nsec, "tv_nsec": nsec,
		"wday":       timeFn(func(t *Time) Value { return int64(t.t.Weekday()) }),
		"yday":       timeFn(func(t *Time) Value { return int64(t.t.YearDay()) }),
		"cweek":      timeFn(func(t *Time) Value { _, w := t.t.ISOWeek(); return int64(w) }),
		"cwyear":     timeFn(func(t *Time) Value { y, _ := t.t.ISOWeek(); return int64(y) }),
		"zone":       {0, 0, func(vm *VM, self Value, _ []Value, _ *Proc) Value { z, _ := self.(*Time).t.Zone(); return vm.str(z) }},
		"utc_offset": offset, "gmt_offset": offset, "gmtoff": offset,
		"utc": utc, "getutc": utc, "gmtime": utc, "getgm": utc,
		"localtime": inZone(time.Local), "getlocal": inZone(time.Local),
		"utc?":    timeFn(func(t *Time) Value { return t.t.Location() == time.UTC }),
		"iso8601": iso, "xmlschema": iso, "to_iso8601": stamp,
		"strftime": {1, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.str(vm.strftime(self.(*Time), vm.text(a[0])))
		}},
		"+": {1, 1, timePlus},
		"-": {1, 1, timeMinus},
		"<": order(func(s int) bool { return s < 0 }), "<=": order(func(s int) bool { return s <= 0 }),
		">": order(func(s int) bool { return s > 0 }), ">=": order(func(s int) bool { return s >= 0 }),
		"between?": {2, 2, func(vm *VM, self Value, a []Value, _ *Proc) Value {
			return vm.order(self, a[0]) >= 0 && vm.order(self, a[1]) <= 0
		}},
		"next_day": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return moveDays(vm, self, a, 1) }},
		"prev_day": {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return moveDays(vm, self, a, -1) }},
		"round":    {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return timeRound(vm, self, a, true) }},
		"floor":    {0, 1, func(vm *VM, self Value, a []Value, _ *Proc) Value { return timeRound(vm, self, a, false) }},
	}
	for i, name := range []string{"sunday?", "monday?", "tuesday?", "wednesday?", "thursday?", "friday?", "saturday?"} {
		m[name] = timeFn(func(t *Time) Value { return int(t.t.Weekday()) == i })
	}
	return m
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func (t *Time) days() bool { return t.typ == dateTime || t.typ == dateOnly }

func timePlus(vm *VM, self Value, a []Value, _ *Proc) Value {
	t := self.(*Time)
	if t.days() {
		return moveDays(vm, self, a, 1)
	}
	if kindOf(a[0]) == kTime {
		vm.raise("TypeError", "time + time?")
	}
	return &Time{t.t.Add(vm.seconds(a[0])), t.typ}
}

func timeMinus(vm *VM, self Value, a []Value, _ *Proc) Value {
	t := self.(*Time)
	if o, ok := a[0].(*Time); ok {
		d := t.t.Sub(o.t)
		if t.days() {
			return d.Hours() / 24
		}
		return float64(d) / 1e9
	}
	if t.days() {
		return moveDays(vm, self, a, -1)
	}
	return &Time{t.t.Add(-vm.seconds(a[0])), t.typ}
}

func moveDays(vm *VM, self Value, a []Value, sign float64) Value {
	t := self.(*Time)
	n := 1.0
	if len(a) > 0 {
		f, ok := number(a[0])
		if !ok || math.Abs(f) > 1e5 {
			vm.raise("TypeError", "expected numeric")
		}
		n = f
	}
	return &Time{t.t.Add(time.Duration(sign * n * 24 * float64(time.Hour))), t.typ}
}

func timeRound(vm *VM, self Value, a []Value, nearest bool) Value {
	t := self.(*Time)
	unit := time.Second
	if len(a) > 0 {
		for range min(9, vm.positive(a[0])) {
			unit /= 10
		}
	}
	ns := t.t.Truncate(unit)
	if nearest {
		ns = t.t.Round(unit)
	}
	return &Time{ns, t.typ}
}

// timeAt is Time.at: seconds, with microseconds or another unit behind them.
func timeAt(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if t, ok := a[0].(*Time); ok {
		return &Time{t: t.t.In(time.Local)}
	}
	d := vm.seconds(a[0])
	t := time.Unix(0, 0).Add(d)
	if len(a) > 1 {
		f, ok := number(a[1])
		unit := float64(time.Microsecond)
		if len(a) > 2 {
			unit = map[string]float64{"millisecond": 1e6, "usec": 1e3, "microsecond": 1e3, "nsec": 1, "nanosecond": 1}[vm.show(a[2])]
		}
		if ok && math.Abs(f*unit) < 1e18 {
			t = t.Add(time.Duration(f * unit))
		}
	}
	return &Time{t: t}
}

// timeNew is Time.new, Time.utc and Time.local with parts from the year down.
func timeNew(loc *time.Location) func(vm *VM, _ Value, a []Value, _ *Proc) Value {
	return func(vm *VM, _ Value, a []Value, _ *Proc) Value {
		if len(a) == 0 {
			return &Time{t: vm.env.Now().In(loc)}
		}
		p := [7]int{0, 1, 1}
		for i := range min(6, len(a)) {
			switch v := a[i].(type) {
			case nil:
			case *Str:
				p[i] = int(min(math.MaxInt32, vm.integer(prefixInt(v.s, 10))))
			case float64:
				p[i] = int(v)
				if i == 5 {
					p[6] = int((v - math.Floor(v)) * 1e9)
				}
			default:
				p[i] = vm.count(v)
			}
		}
		l := loc
		if len(a) > 6 && a[6] != nil {
			l = vm.zone(a[6])
		}
		if p[0] < -10000 || p[0] > 10000 || p[1] < 1 || p[1] > 12 || p[2] < 1 || p[2] > 31 || p[3] < 0 || p[3] > 24 || p[4] < 0 || p[4] > 59 || p[5] < 0 || p[5] > 60 {
			vm.raise("ArgumentError", "argument out of range")
		}
		return &Time{t: time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], p[6], l)}
	}
}

// layouts that Time.parse knows; parts that are missing are today's.
var layouts = []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999 Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 MST",
	"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
	"2006/01/02 15:04:05.999999999", "2006/01/02 15:04", "2006/01/02", "02/Jan/2006:15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 -0700",
	"Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 02 Jan 2006 15:04:05 MST", "Mon Jan _2 15:04:05 2006", "Mon Jan _2 15:04:05 -0700 2006", "Mon Jan _2 15:04:05 MST 2006",
	"2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05 -0700", "2 Jan 2006", "Jan 2 2006 15:04:05", "Jan 2, 2006 15:04:05", "Jan 2, 2006 3:04:05 PM", "Jan 2 2006",
	"02.01.2006 15:04:05", "02.01.2006", "20060102T150405Z0700", "20060102T150405Z07:00", "20060102T150405", "20060102150405", "20060102"}

// today are layouts whose date is missing, in part or whole.
var today = []string{"Jan _2 15:04:05", "Jan 2 15:04:05", "15:04:05.999999999", "15:04"}

func (vm *VM) parseTime(s string, typ timeType) Value {
	s = strings.TrimSpace(s)
	loc := time.Local
	if typ != plainTime {
		loc = time.UTC
	}
	vm.work(50)
	comma := strings.Replace(s, ",", ".", 1)
	for _, l := range layouts {
		for _, text := range [2]string{s, comma} {
			if t, err := time.ParseInLocation(l, text, loc); err == nil {
				return vm.parsed(t, typ)
			}
			if comma == s {
				break
			}
		}
	}
	now := vm.env.Now().In(loc)
	for _, l := range today {
		if t, err := time.ParseInLocation(l, s, loc); err == nil {
			month, day := now.Month(), now.Day()
			if l[0] == 'J' {
				month, day = t.Month(), t.Day()
			}
			return vm.parsed(time.Date(now.Year(), month, day, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc), typ)
		}
	}
	if typ == plainTime {
		vm.raise("ArgumentError", "no time information in %s", vm.inspectShort(newStr(s)))
	}
	vm.raise("Date::Error", "invalid date")
	return nil
}

func (vm *VM) parsed(t time.Time, typ timeType) Value {
	if typ == dateOnly {
		t = midnight(t)
	}
	if _, off := t.Zone(); off == 0 {
		t = t.UTC()
	}
	return &Time{t, typ}
}

// stampOf makes a LogStash::Timestamp of a Time, a text or nothing.
func (vm *VM) stampOf(v Value) Value {
	switch v := v.(type) {
	case nil:
		return &Time{vm.env.Now().UTC(), stampTime}
	case *Time:
		return &Time{v.t.UTC(), stampTime}
	case *Str:
		if ns, ok := event.ParseISO(v.s); ok {
			return &Time{time.Unix(0, ns).UTC(), stampTime}
		}
		vm.raise("ArgumentError", "invalid timestamp string: %s", v.s)
	}
	vm.raise("TypeError", "wrong argument type %s (expected Time)", className(v))
	return nil
}

func timeStatic() map[string]methods {
	parse := func(typ timeType) *method {
		return &method{1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.parseTime(vm.text(a[0]), typ) }}
	}
	strptime := func(typ timeType) *method {
		return &method{2, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.strptime(vm.text(a[0]), vm.text(a[1]), typ) }}
	}
	utc := &method{1, 7, timeNew(time.UTC)}
	local := &method{1, 7, timeNew(time.Local)}
	stamp := &method{0, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.stampOf(arg(a, 0)) }}
	dateNow := &method{0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return &Time{vm.env.Now(), dateTime} }}
	return map[string]methods{
		"Time": {"now": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return &Time{t: vm.env.Now().In(time.Local)} }},
			"at": {1, 3, timeAt}, "new": {0, 7, timeNew(time.Local)}, "utc": utc, "gm": utc, "local": local, "mktime": local,
			"parse": parse(plainTime), "iso8601": parse(plainTime), "xmlschema": parse(plainTime), "strptime": strptime(plainTime)},
		"DateTime": {"now": dateNow, "parse": parse(dateTime), "iso8601": parse(dateTime), "strptime": strptime(dateTime)},
		"Date": {"today": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value {
			return &Time{midnight(vm.env.Now().In(time.Local)), dateOnly}
		}},
			"parse": parse(dateOnly), "iso8601": parse(dateOnly), "strptime": strptime(dateOnly),
			"new": {0, 3, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
				t := timeNew(time.UTC)(vm, nil, a, nil).(*Time)
				return &Time{midnight(t.t), dateOnly}
			}}},
		"LogStash::Timestamp": {"new": stamp, "now": stamp, "coerce": stamp, "parse_iso8601": stamp, "at": {1, 3, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
			return &Time{timeAt(vm, nil, a, nil).(*Time).t.UTC(), stampTime}
		}}},
		"Process": {"clock_gettime": {1, 2, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return float64(vm.env.Now().UnixNano()) / 1e9 }}},
	}
}
