package agg

import "time"

// rounder finds the interval of a time. Times are milliseconds since the epoch. It remembers the last interval, since neighbouring rows
// mostly share it.
type rounder struct {
	unit     string // of a calendar interval, "" for fixed
	fixed    int64  // ms
	zone     *time.Location
	offset   int64
	lo, hi   int64 // the last interval
	constant bool  // the zone has one offset always
	shift    int64 // that offset, ms
}

func (s *dateHistogram) rounder() *rounder {
	r := &rounder{unit: s.calendar, fixed: s.fixed.Milliseconds(), zone: s.zone, offset: s.offset, lo: 1, hi: 0}
	if r.zone == nil {
		r.zone = time.UTC
	}
	r.shift, r.constant = constantOffset(r.zone)
	return r
}

// constantOffset tells whether a zone never changes its offset. Region names count as changing.
func constantOffset(zone *time.Location) (ms int64, ok bool) {
	start, end := time.Unix(0, 0).In(zone).ZoneBounds()
	_, sec := time.Unix(0, 0).In(zone).Zone()
	return int64(sec) * 1000, start.IsZero() && end.IsZero()
}

// floor is the start of the interval that holds ms.
func (r *rounder) floor(ms int64) int64 {
	if r.lo <= ms && ms < r.hi {
		return r.lo
	}
	start := r.start(ms-r.offset) + r.offset
	r.lo, r.hi = start, r.next(start)
	return start
}

// next is the start of the interval behind the one that starts at start.
func (r *rounder) next(start int64) int64 {
	at := start - r.offset
	if r.unit == "" && r.constant {
		return start + r.fixed
	}
	if r.unit == "" {
		// A change of the zone's offset makes an interval shorter or longer: step into the next one and round.
		for step := r.fixed; ; step += r.fixed {
			if n := r.start(at + step); n > at {
				return n + r.offset
			}
		}
	}
	t := time.UnixMilli(at).In(r.zone)
	y, m, d := t.Date()
	switch r.unit {
	case "second":
		return start + 1000
	case "minute", "hour":
		step := int64(60_000)
		if r.unit == "hour" {
			step = 3_600_000
		}
		return start + step
	case "day":
		t = dayStart(y, m, d+1, r.zone)
	case "week":
		t = dayStart(y, m, d+7, r.zone)
	case "month":
		t = dayStart(y, m+1, 1, r.zone)
	case "quarter":
		t = dayStart(y, m+3, 1, r.zone)
	default:
		t = dayStart(y+1, 1, 1, r.zone)
	}
	return t.UnixMilli() + r.offset
}

// dayStart is the first moment of a day; where the clock jumps over midnight it is the moment of the jump.
func dayStart(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if t.Hour() != 0 || t.Minute() != 0 {
		if start, _ := t.ZoneBounds(); !start.IsZero() && start.After(t.Add(-3*time.Hour)) {
			return start
		}
		if _, end := t.ZoneBounds(); !end.IsZero() && end.Before(t.Add(3*time.Hour)) {
			return end
		}
	}
	return t
}

// start rounds down without the offset.
func (r *rounder) start(ms int64) int64 {
	if r.unit == "" {
		return r.startFixed(ms)
	}
	t := time.UnixMilli(ms).In(r.zone)
	y, m, d := t.Date()
	switch r.unit {
	case "second":
		return floorDiv(ms, 1000) * 1000
	case "minute", "hour":
		_, sec := t.Zone()
		step := int64(60_000)
		if r.unit == "hour" {
			step = 3_600_000
		}
		shift := int64(sec) * 1000
		return floorDiv(ms+shift, step)*step - shift
	case "day":
	case "week":
		d -= (int(t.Weekday()) + 6) % 7
	case "month":
		d = 1
	case "quarter":
		m, d = m-(m-1)%3, 1
	default:
		m, d = 1, 1
	}
	return dayStart(y, m, d, r.zone).UnixMilli()
}

// startFixed rounds local time down to a multiple of the interval.
func (r *rounder) startFixed(ms int64) int64 {
	shift := r.shift
	if !r.constant {
		_, sec := time.UnixMilli(ms).In(r.zone).Zone()
		shift = int64(sec) * 1000
	}
	local := floorDiv(ms+shift, r.fixed) * r.fixed
	if r.constant {
		return local - shift
	}
	_, sec := time.UnixMilli(local - shift).In(r.zone).Zone()
	if back := local - int64(sec)*1000; back <= ms {
		return back
	}
	return local - shift
}
