package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/journal"
)

// compactKeys bounds the keys that one pass over a partition remembers, 40 bytes each; with more, the pass ends at the record that would
// be one too many, and the next goes on from there.
const compactKeys = 1 << 20

// keyHash tells keys apart: two keys of the same 128 bits will not be met.
type keyHash [2]uint64

// compactor makes one pass over a partition: of each key the last record stays, in the extents that are sealed, stable and old enough.
type compactor struct {
	b      *Broker
	p      *partition
	last   map[keyHash]int64 // offset of the last record of each key, in what the pass looks at
	end    int64             // the pass looks at what lies below
	graves time.Duration     // how long a record without a value, which deletes its key, stays
	now    time.Time
}

// compactEvery is how often partitions are looked at.
const compactEvery = 15 * time.Second

// keepCompact compacts until ctx ends. It has a goroutine of its own, since a pass may take long.
func (b *Broker) keepCompact(ctx context.Context) {
	ticker := time.NewTicker(compactEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.done:
			return
		case <-ticker.C:
		}
		b.compact(ctx)
	}
}

// compact passes over the partitions of compacted topics that have enough to gain.
func (b *Broker) compact(ctx context.Context) {
	b.eachPartition(func(p *partition) {
		cfg := p.topic.config.Load()
		if !cfg.compact || p.j.Poisoned() != nil || ctx.Err() != nil {
			return
		}
		saved, err := b.compactPartition(ctx, p, cfg, time.Now())
		switch {
		case ctx.Err() != nil || p.deleted.Load() || errors.Is(err, journal.ErrClosed):
		case err != nil:
			b.log.Error("partition not compacted", "partition", p.dir, "error", err)
		case saved > 0:
			b.log.Info("partition compacted", "partition", p.dir, "bytes_saved", saved)
		}
	})
}

func (b *Broker) compactPartition(ctx context.Context, p *partition, cfg *topicConfig, now time.Time) (saved int64, err error) {
	if err := b.sealOld(p, cfg, now); err != nil {
		return 0, err
	}
	extents := cleanable(p, cfg, now)
	var dirty, total int64
	for _, e := range extents {
		total += e.Bytes
		if e.End > p.cleaned {
			dirty += e.Bytes
		}
	}
	if dirty == 0 || float64(dirty) < cfg.dirtyRatio*float64(total) {
		return 0, nil
	}
	c := &compactor{b: b, p: p, last: map[keyHash]int64{}, end: extents[len(extents)-1].End, graves: cfg.graves, now: now}
	if err := c.index(); err != nil {
		return 0, err
	}
	for _, e := range extents {
		if e.Base >= c.end {
			break
		}
		n, err := p.j.Rewrite(ctx, e.Base, func(h journal.Header, batch []byte) ([]byte, error) { return c.batch(&h, batch, e.Appended) })
		if saved += n; err != nil {
			return saved, err
		}
	}
	p.cleaned = c.end
	return saved, nil
}

// sealOld closes an active extent whose last record is older than segment.ms: only what is sealed is compacted.
func (b *Broker) sealOld(p *partition, cfg *topicConfig, now time.Time) error {
	for _, e := range p.j.Extents() {
		if e.Active && e.Bytes > 0 && now.Sub(e.Appended) > cfg.segmentAge {
			return p.j.Roll()
		}
	}
	return nil
}

// cleanable lists the extents that a pass may look at: sealed, below the last stable offset, not younger than min.compaction.lag.ms.
func cleanable(p *partition, cfg *topicConfig, now time.Time) []journal.ExtentInfo {
	var out []journal.ExtentInfo
	stable := p.stable()
	for _, e := range p.j.Extents() {
		if e.Active || e.End > stable || now.Sub(e.Appended) < cfg.compactLag {
			break
		}
		out = append(out, e)
	}
	return out
}

// index finds the last record of each key.
func (c *compactor) index() error {
	end := c.end
	err := c.p.j.ReplayBatches(c.p.j.Start(), func(h journal.Header, batch []byte) error {
		if h.BaseOffset >= c.end || !c.counts(&h) {
			return nil
		}
		return c.records(&h, batch, func(r *journal.Record, _ []byte) {
			if r.Key == nil || r.Offset >= end {
				return
			}
			k := keyHash(hash128(r.Key))
			if _, known := c.last[k]; !known && len(c.last) >= compactKeys {
				end = r.Offset
				return
			}
			c.last[k] = r.Offset
		})
	})
	c.end = end
	if err != nil {
		return fmt.Errorf("read %s: %w", c.p.dir, err)
	}
	return nil
}

func hash128(b []byte) keyHash {
	h := xxh3.Hash128(b)
	return keyHash{h.Hi, h.Lo}
}

// counts reports whether the records of a batch are records: those of aborted transactions and markers are not.
func (c *compactor) counts(h *journal.Header) bool {
	return h.Attributes&journal.AttrControl == 0 && !c.aborted(h)
}

func (c *compactor) aborted(h *journal.Header) bool {
	if h.Attributes&journal.AttrTransactional == 0 {
		return false
	}
	for _, a := range c.p.abortedIn(h.BaseOffset, h.Next()) {
		if a.producer == h.ProducerID && a.first <= h.BaseOffset {
			return true
		}
	}
	return false
}

// records calls fn for each record of a batch with its encoded form, length and all.
func (c *compactor) records(h *journal.Header, batch []byte, fn func(r *journal.Record, raw []byte)) error {
	block := batch[journal.HeaderSize:]
	if h.Codec() != journal.CodecNone && len(block) > 0 {
		s, opened, err := c.b.codecs.Open(h.Codec(), block)
		if err != nil {
			return fmt.Errorf("batch at offset %d: %w", h.BaseOffset, err)
		}
		defer s.Release()
		block = opened
	}
	it := journal.RecordsIn(*h, block)
	var r journal.Record
	for it.Next(&r) {
		size, n := binary.Varint(block)
		raw := block[:n+int(size)]
		fn(&r, raw)
		block = block[len(raw):]
	}
	return it.Err()
}

// batch gives what is left of a batch of an extent that was last appended to at some time.
func (c *compactor) batch(h *journal.Header, batch []byte, appended time.Time) ([]byte, error) {
	switch {
	case h.BaseOffset >= c.end, h.Attributes&journal.AttrControl != 0:
		return batch, nil
	case h.Count == 0, c.aborted(h):
		return nil, nil
	}
	left := append(make([]byte, 0, len(batch)), batch[:journal.HeaderSize]...)
	kept, all := 0, 0
	err := c.records(h, batch, func(r *journal.Record, raw []byte) {
		all++
		if c.keep(r, appended) {
			left = append(left, raw...)
			kept++
		}
	})
	switch {
	case err != nil:
		return batch, nil // what cannot be opened stays as it is, and is told when it is read
	case kept == all:
		return batch, nil
	case kept == 0:
		return nil, nil
	}
	binary.BigEndian.PutUint32(left[57:], uint32(kept))
	journal.SetCodec(left, journal.CodecNone)
	if h.Codec() == journal.CodecNone {
		return left, nil
	}
	return c.b.codecs.Repack(left, journal.CodecNone, h.Codec())
}

// keep says whether a record stays: the last of its key, unless it deletes the key and did so long enough ago. Records without a key,
// which came before the topic was compacted, go.
func (c *compactor) keep(r *journal.Record, appended time.Time) bool {
	switch {
	case r.Offset >= c.end:
		return true
	case r.Key == nil:
		return false
	case c.last[hash128(r.Key)] != r.Offset:
		return false
	}
	return r.Value != nil || c.graves == math.MaxInt64 || c.now.Sub(appended) < c.graves
}
