package broker

import (
	"context"
	"time"
)

// How often housekeeping looks at what. Ticks are multiples of houseTick.
const (
	houseTick      = 500 * time.Millisecond // commits of this process's members are durable within two of them
	diskEvery      = 2                      // ticks
	reopenEvery    = 10
	retentionEvery = 60
	expiryEvery    = 1200
)

// keepHouse does what nobody waits for, until ctx ends or the broker is closed.
func (b *Broker) keepHouse(ctx context.Context) {
	ticker := time.NewTicker(houseTick)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-b.done:
			return
		case <-ticker.C:
		}
		b.houseTick(n)
	}
}

func (b *Broker) houseTick(n int) {
	if err := b.flushMembers(); err != nil {
		b.log.Error("commits not written", "error", err)
	}
	if err := b.meta.maintain(); err != nil {
		b.log.Error("meta snapshot not written", "error", err)
	}
	b.checkpointDue()
	if n == 1 {
		b.txns.abortStray()
	}
	if n%diskEvery == 0 {
		b.checkDisk()
		b.txns.house(time.Now())
	}
	if n%reopenEvery == 0 {
		b.reopenPoisoned()
	}
	if n%retentionEvery == 0 {
		b.retain()
		b.keepBudget()
	}
	if n%expiryEvery == 0 {
		b.groups.expire(b.cfg.OffsetsRetention)
	}
}

// eachPartition calls fn for every partition that is in use.
func (b *Broker) eachPartition(fn func(p *partition)) {
	for _, t := range b.topics.all() {
		for _, p := range t.partitions() {
			if p.offline == nil && !p.deleted.Load() {
				fn(p)
			}
		}
	}
}

func (b *Broker) checkpointDue() {
	b.eachPartition(func(p *partition) {
		if !p.j.CheckpointDue() || p.j.Poisoned() != nil {
			return
		}
		if err := p.checkpoint(); err != nil {
			b.log.Error("checkpoint not written", "partition", p.dir, "error", err)
		}
	})
}

// reopenPoisoned tries to bring back journals whose disk failed a sync.
func (b *Broker) reopenPoisoned() {
	if b.meta.poisoned() {
		if err := b.meta.reopen(); err != nil {
			b.log.Error("meta journal not reopened", "error", err)
		}
	}
	b.eachPartition(func(p *partition) {
		if p.j.Poisoned() == nil {
			return
		}
		if err := p.reopen(); err != nil {
			b.log.Error("partition not reopened", "partition", p.dir, "error", err)
		}
	})
}

// Defaults of the disk floor.
const (
	diskFloorShare = 20 // one in twenty: 5 %
	diskFloorMost  = 5 << 30
)

// checkDisk refuses producers while free space is under the floor, before a write can fail.
func (b *Broker) checkDisk() {
	if b.cfg.DiskFloor < 0 {
		return
	}
	free, total, err := b.cfg.FS.Free(b.cfg.Dir)
	if err != nil {
		b.log.Warn("free space is unknown", "folder", b.cfg.Dir, "error", err)
		return
	}
	floor := b.floor(total)
	full := int64(free) < floor
	if full {
		b.keepBudget()
	}
	if b.full.Swap(full) == full {
		return
	}
	if full {
		b.log.Error("producers are refused: free disk space is under the floor", "folder", b.cfg.Dir, "free", free, "floor", floor)
		return
	}
	b.log.Info("producers are taken again", "folder", b.cfg.Dir, "free", free, "floor", floor)
}

// floor is the free space in bytes under which producers are refused, on a disk of total bytes.
func (b *Broker) floor(total uint64) int64 {
	switch {
	case b.cfg.DiskFloor < 0:
		return 0
	case b.cfg.DiskFloor > 0:
		return b.cfg.DiskFloor
	}
	return int64(min(total/diskFloorShare, diskFloorMost))
}
