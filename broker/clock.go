package broker

import "time"

// Bounds of trust in the wall clock.
const (
	clockJump    = time.Hour      // so far ahead of the monotonic clock is a jump
	clockSuspect = 24 * time.Hour // after a jump nothing is deleted by age for so long
)

// clockGuard notices a wall clock that ran ahead, as after a virtual machine was resumed or a time server was wrong: deletion by age
// would take everything at once. It belongs to housekeeping.
type clockGuard struct {
	wall    time.Time
	mono    time.Duration
	suspect time.Duration // time left in which ages are not believed
}

// trusted takes the time by both clocks and says whether ages may be believed.
func (g *clockGuard) trusted(wall time.Time, mono time.Duration) bool {
	elapsed := mono - g.mono
	if !g.wall.IsZero() && wall.Sub(g.wall)-elapsed > clockJump {
		g.suspect = clockSuspect
	} else {
		g.suspect = max(0, g.suspect-elapsed)
	}
	g.wall, g.mono = wall, mono
	return g.suspect == 0
}
