package pipeline

import (
	"sync"
	"time"
)

// A meter keeps readings of the totals, flowEvery apart and flowKept of them: 24 hours.
const (
	flowEvery = 15 * time.Second
	flowKept  = 24 * 60 * 4
)

// reading is the totals at a moment.
type reading struct {
	at                               time.Time
	in, filtered, out, nanos, waited int64
}

// meter turns totals into rates over windows.
type meter struct {
	mu   sync.Mutex
	ring []reading // oldest first until it is full, then from next on
	next int
}

func (m *meter) note(r reading) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ring) < flowKept {
		m.ring = append(m.ring, r)
		return
	}
	m.ring[m.next] = r
	m.next = (m.next + 1) % flowKept
}

// before is the newest reading that is at least d old; false when there is none.
func (m *meter) before(now time.Time, d time.Duration) (reading, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := len(m.ring) - 1; i >= 0; i-- {
		if r := m.ring[(m.next+i)%len(m.ring)]; now.Sub(r.at) >= d {
			return r, true
		}
	}
	return reading{}, false
}

// Flow is a rate over windows of time; a window that is not over yet is absent.
type Flow struct {
	Current  *float64 `json:"current,omitempty"`
	Minute   *float64 `json:"last_1_minute,omitempty"`
	Minutes5 *float64 `json:"last_5_minutes,omitempty"`
	Minute15 *float64 `json:"last_15_minutes,omitempty"`
	Hour     *float64 `json:"last_1_hour,omitempty"`
	Day      *float64 `json:"last_24_hours,omitempty"`
	Lifetime float64  `json:"lifetime"`
}

// flow computes a rate over all windows: of is what is counted, divided by seconds times scale.
func (m *meter) flow(now reading, began time.Time, scale float64, of func(r reading) int64) Flow {
	per := func(from reading) float64 {
		return float64(of(now)-of(from)) / max(now.at.Sub(from.at), time.Millisecond).Seconds() * scale
	}
	f := Flow{Lifetime: per(reading{at: began})}
	for _, w := range []struct {
		d  time.Duration
		to **float64
	}{{flowEvery / 2, &f.Current}, {time.Minute, &f.Minute}, {5 * time.Minute, &f.Minutes5}, {15 * time.Minute, &f.Minute15}, {time.Hour, &f.Hour}, {24*time.Hour - flowEvery, &f.Day}} {
		if r, ok := m.before(now.at, w.d); ok {
			v := per(r)
			*w.to = &v
		}
	}
	return f
}

// totalsNow is the totals at this moment.
func (p *Pipeline) totalsNow() reading {
	t := &p.stats
	return reading{p.cfg.Now(), t.in.Load(), t.filtered.Load(), t.out.Load(), t.nanos.Load(), t.waited.Load()}
}
