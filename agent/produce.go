package agent

import (
	"errors"
	"time"

	"github.com/weirlog/weir/queue"
)

// complainEvery bounds how often a failing queue is told of.
const complainEvery = time.Minute

// produceFailed counts a failure and tells of it now and then.
func (a *Agent) produceFailed(err error) {
	a.stats.retries.Add(1)
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	p := &a.produce
	if !p.failing {
		p.failing, p.since = true, now
	}
	p.lastErr = err.Error()
	if now.Sub(p.lastWarn) < complainEvery {
		return
	}
	p.lastWarn = now
	if errors.Is(err, queue.ErrDenied) {
		a.log.Error("queue refuses records: the agent may not write to the topic", "topic", a.cfg.Topic, "error", err)
		return
	}
	a.log.Warn("records not taken, trying again", "since", p.since, "error", err)
}

// produceWorked notes that the queue takes records.
func (a *Agent) produceWorked() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := &a.produce; p.failing {
		a.log.Info("queue takes records again", "after", time.Since(p.since).Round(time.Millisecond))
		*p = produceState{lastWarn: p.lastWarn}
	}
}

// tooLarge gives up a record that cannot be made small enough: its fields alone are over the queue's limit.
func (a *Agent) tooLarge(r *queue.Record, limit int) {
	a.stats.tooLarge.Add(1)
	a.stats.drop("too_large", r.Origin.Len())
	a.log.Error("record dropped, its fields alone are over the queue's limit", "bytes", len(r.Value), "limit", limit, "source",
		r.Origin.Source.String(), "from", r.Origin.From)
}
