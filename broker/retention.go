package broker

import (
	"slices"
	"time"

	"github.com/weirlog/weir/journal"
)

// retain removes what topics no longer keep. What a pinning group has not read outlives its age, when the topic says so; the bound in
// bytes is explicit and holds for everybody.
func (b *Broker) retain() {
	ages := b.clock.trusted(time.Now().Round(0), time.Since(b.opened)) // Round drops the monotonic reading
	if !ages {
		b.log.Warn("nothing is deleted by age: the clock ran ahead", "left", b.clock.suspect)
	}
	b.eachPartition(func(p *partition) {
		if p.j.Poisoned() != nil {
			return
		}
		cfg := p.topic.config.Load()
		if !cfg.remove {
			return
		}
		if ages && cfg.retention >= 0 {
			pin := int64(-1)
			if cfg.keepUnread {
				pin = b.pin(p)
			}
			b.retainPartition(p, journal.Retention{Age: max(cfg.retention, time.Nanosecond), Pin: pin})
		}
		if cfg.retentionBytes >= 0 {
			b.retainPartition(p, journal.Retention{Bytes: max(cfg.retentionBytes, 1), Pin: -1})
		}
	})
}

func (b *Broker) retainPartition(p *partition, r journal.Retention) {
	gone, err := p.j.Retain(r)
	if err != nil {
		b.log.Error("old records not removed", "partition", p.dir, "error", err)
		return
	}
	if gone.Extents == 0 {
		return
	}
	b.log.Info("old records removed", "topic", p.topic.name, "partition", p.n, "from", gone.From, "to", gone.To, "bytes", gone.Bytes)
	b.countUnread(p, gone.From, gone.To)
}

// countUnread tells of removed records that a pinning group had not read.
func (b *Broker) countUnread(p *partition, from, to int64) {
	for _, name := range b.pinning() {
		if read, ok := b.readUpTo(name, p, from); ok && read < to {
			lost := to - max(read, from)
			b.counters.unread.Add(lost)
			b.log.Warn("records removed unread", "group", name, "topic", p.topic.name, "partition", p.n, "records", lost)
		}
	}
}

// pinning names the groups whose unread records are kept: those that a member of weir's own was in, and those of the configuration.
func (b *Broker) pinning() []string {
	names := slices.Clone(b.cfg.Pins)
	for _, g := range b.groups.all() {
		g.mu.Lock()
		if g.pins && g.state != groupDead {
			names = append(names, g.name)
		}
		g.mu.Unlock()
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// pin is the least offset that a pinning group has yet to read; -1 without one. A group pins the topics that it has committed or reads.
func (b *Broker) pin(p *partition) int64 {
	pin := int64(-1)
	for _, name := range b.pinning() {
		if read, ok := b.readUpTo(name, p, p.j.Start()); ok && (pin < 0 || read < pin) {
			pin = read
		}
	}
	return pin
}

// readUpTo is the next offset that a group has to read: its commit, or start when it reads the topic and has none. false when it has
// nothing to do with the partition.
func (b *Broker) readUpTo(group string, p *partition, start int64) (int64, bool) {
	if o, ok := b.meta.committed(group, place{p.topic.id, p.n}); ok {
		return o.Offset, true
	}
	g := b.groups.find(group)
	return start, g != nil && g.subscribed(p.topic.name)
}
