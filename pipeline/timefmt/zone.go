package timefmt

import (
	"fmt"
	"time"

	"github.com/weirlog/weir/event"
)

// Zone turns local time into UTC and remembers the offset of the last hour asked for. It belongs to one goroutine.
type Zone struct {
	loc  *time.Location
	utc  bool
	hour int64 // local hour since 1970 that off holds for
	off  int
	ok   bool
}

// NewZone makes a Zone for loc.
func NewZone(loc *time.Location) *Zone { return &Zone{loc: loc, utc: loc == time.UTC} }

// Offset is the offset east of Greenwich, in seconds, of a local time in seconds since 1970.
func (z *Zone) Offset(local int64) int {
	if z.utc {
		return 0
	}
	h := local / 3600
	if z.ok && h == z.hour {
		return z.off
	}
	off := z.compute(local)
	// An hour in which the offset changes is not remembered.
	z.hour, z.off = h, off
	z.ok = z.compute(h*3600) == off && z.compute(h*3600+3599) == off
	return off
}

func (z *Zone) compute(local int64) int {
	t := time.Unix(local, 0).UTC()
	_, off := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, z.loc).Zone()
	return off
}

// LoadZone finds a zone by name (Asia/Seoul) or offset (+09:00).
func LoadZone(name string) (*time.Location, error) {
	if off, ok := event.ParseOffset(name); ok && name != "" {
		return time.FixedZone(name, off), nil
	}
	if off, ok := abbreviation(name); ok {
		if off == 0 {
			return time.UTC, nil
		}
		return time.FixedZone(name, off), nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" {
		return nil, fmt.Errorf("unknown time zone %q (Area/City or +hh:mm)", name)
	}
	return loc, nil
}
