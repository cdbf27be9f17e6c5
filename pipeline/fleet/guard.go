package fleet

import (
	"fmt"
	"time"

	"github.com/weirlog/weir/pipeline"
)

// A change of filters is taken back when it makes far more failures than the text before: over guardShare of the events, and over
// guardTimes as many as before, once guardEvents went through it, within guardTime.
const (
	guardEvery  = time.Second
	guardTime   = time.Minute
	guardEvents = 200
	guardShare  = 0.05
	guardTimes  = 3
)

// guard watches a change. The zero value watches nothing.
type guard struct {
	until  time.Time
	before []pipeline.Source
	rate   float64 // failures an event before
}

func newGuard(now time.Time, before []pipeline.Source, events, failed int64) guard {
	g := guard{until: now.Add(guardTime), before: before}
	if events > 0 {
		g.rate = float64(failed) / float64(events)
	}
	return g
}

// harmful reports whether a change with these figures should be taken back.
func (g *guard) harmful(events, failed int64) bool {
	rate := float64(failed) / float64(max(events, 1))
	return events >= guardEvents && rate > guardShare && rate > guardTimes*g.rate
}

// checkGuard takes a harmful change back.
func (u *unit) checkGuard() {
	u.mu.Lock()
	g, p, hash := u.guard, u.p, u.hash
	u.mu.Unlock()
	if g.before == nil || u.f.cfg.NoGuard {
		return
	}
	events, failed := p.Health()
	if u.f.cfg.Now().After(g.until) {
		u.mu.Lock()
		u.guard = guard{}
		u.mu.Unlock()
		return
	}
	if !g.harmful(events, failed) || !u.changing.TryLock() {
		return
	}
	defer u.changing.Unlock()
	u.mu.Lock()
	same := u.hash == hash
	u.guard = guard{}
	u.mu.Unlock()
	if !same {
		return
	}
	why := fmt.Errorf("change taken back: %d of %d events failed, before %.1f %%", failed, events, 100*g.rate)
	if err := p.Reload(u.with(g.before)); err != nil {
		u.f.cfg.Log.Error("change that fails often cannot be taken back", "pipeline", u.id, "failed", failed, "events", events, "err", err)
		return
	}
	u.f.cfg.Log.Warn("change fails often and is taken back", "pipeline", u.id, "failed", failed, "events", events, "rate_before", g.rate)
	u.mu.Lock()
	u.refused = hash + u.prints
	u.cfg, u.hash = u.with(g.before), hashOf(g.before)
	u.mu.Unlock()
	u.count(why)
	u.note(g.before, why.Error(), true)
}
