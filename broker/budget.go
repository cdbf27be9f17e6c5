package broker

import (
	"slices"

	"github.com/weirlog/weir/journal"
)

// Defaults of the disk budget: a tenth of the disk, but not less than budgetLeast.
const (
	budgetShare = 10
	budgetLeast = 1 << 30
)

// victim is an extent that may go.
type victim struct {
	p *partition
	e journal.ExtentInfo
}

// keepBudget removes extents, oldest first, whatever their topic, while the queue is over its budget or free space is under the floor:
// first those that every pinning group has read; then, only under the floor and only when the configuration says so, unread ones.
func (b *Broker) keepBudget() {
	if b.cfg.DiskBudget < 0 {
		return
	}
	free, total, err := b.cfg.FS.Free(b.cfg.Dir)
	if err != nil {
		return // told by checkDisk
	}
	budget := b.cfg.DiskBudget
	if budget == 0 {
		budget = max(int64(total/budgetShare), budgetLeast)
	}
	under := b.floor(total) - int64(free)
	over := max(b.usedBytes()-budget, under)
	if over <= 0 {
		return
	}
	gone := b.drop(b.victims(true), over)
	if under > gone && b.cfg.DropOldest {
		b.drop(b.victims(false), under-gone)
	}
}

func (b *Broker) usedBytes() int64 {
	var sum int64
	b.eachPartition(func(p *partition) { sum += p.j.Size() })
	return sum
}

// victims lists the extents that may go, oldest first. With read, only those that every pinning group has read; the active one of a
// partition then too, when a group pins it.
func (b *Broker) victims(read bool) []victim {
	var out []victim
	b.eachPartition(func(p *partition) {
		if p.j.Poisoned() != nil || !p.topic.config.Load().remove {
			return
		}
		pin := int64(-1)
		if read {
			pin = b.pin(p)
		}
		for _, e := range p.j.Extents() {
			if e.Bytes == 0 || pin >= 0 && e.End > pin || e.Active && pin < 0 {
				break
			}
			out = append(out, victim{p, e})
		}
	})
	slices.SortStableFunc(out, func(a, b victim) int { return a.e.Appended.Compare(b.e.Appended) })
	return out
}

// drop removes extents until so many bytes are gone, and says how many are.
func (b *Broker) drop(victims []victim, bytes int64) int64 {
	var gone int64
	for _, v := range victims {
		if gone >= bytes {
			break
		}
		if v.e.Active {
			if err := v.p.j.Roll(); err != nil {
				b.log.Error("extent not closed", "partition", v.p.dir, "error", err)
				continue
			}
		}
		start := v.p.j.Start()
		if _, err := v.p.j.Trim(v.e.End); err != nil {
			b.log.Error("old records not removed", "partition", v.p.dir, "error", err)
			continue
		}
		gone += v.e.Bytes
		b.log.Info("records removed for space", "topic", v.p.topic.name, "partition", v.p.n, "from", start, "to", v.e.End, "bytes", v.e.Bytes)
		b.countUnread(v.p, start, v.e.End)
	}
	return gone
}
