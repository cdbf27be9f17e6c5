package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

// empty tells whether the head has no rows.
func (h *head) empty() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.rows == 0
}

// freeze puts a new head in the place of the index's and returns the old one, which nobody appends to any more. mark is what must be
// synced before its rows are all decided.
func (s *Store) freeze(ix *index) (h *head, mark journal.Mark) {
	s.commit.Lock()
	defer s.commit.Unlock()
	s.pub.Lock()
	defer s.pub.Unlock()
	p := ix.parts.Load()
	if len(p.frozen) > 0 { // an earlier seal of it failed
		return p.frozen[0], s.last
	}
	if p.head.empty() || ix.gone {
		return nil, mark
	}
	h = p.head
	h.sealAt = s.jr.End()
	ix.parts.Store(&parts{segs: p.segs, frozen: []*head{h}, head: newHead(ix.uuid)})
	return h, s.last
}

// seal turns the head of an index into a segment. The caller holds ckpt and writes a checkpoint afterwards. did is false when there
// was nothing to seal.
func (s *Store) seal(ix *index) (did bool, err error) {
	h, mark := s.freeze(ix)
	if h == nil {
		return false, nil
	}
	if err := s.settle(&inflight{}, mark); err != nil {
		s.cfg.Log.Warn("sealing goes on behind a failed sync", "index", ix.name(), "error", err)
	}
	began := s.cfg.Now()
	seg, err := s.writeHead(ix, h)
	if err != nil {
		return false, err
	}
	s.commit.Lock()
	s.pub.Lock()
	p := ix.parts.Load()
	next := &parts{segs: p.segs, head: p.head}
	switch {
	case ix.gone:
		if seg != nil {
			s.dropLocked(seg)
		}
	case seg != nil:
		dead := h.dead.Clone()
		seg.dead.Store(dead)
		seg.dirty = !dead.IsEmpty()
		h.into = seg
		next.segs = append(slices.Clone(p.segs), seg)
		fallthrough
	default:
		ix.parts.Store(next)
		ix.sealed = max(ix.sealed, h.sealAt)
	}
	s.pub.Unlock()
	s.commit.Unlock()
	s.headBytes.Add(-h.counted.Swap(0))
	s.stats.sealed.Add(1)
	if seg != nil {
		s.cfg.Log.Debug("head sealed", "index", ix.name(), "rows", seg.reader.Rows(), "bytes", seg.bytes, "took", s.cfg.Now().Sub(began))
	}
	return true, nil
}

// writeHead writes a frozen head as a segment. nil: all its rows are dead.
func (s *Store) writeHead(ix *index, h *head) (*segmentFile, error) {
	if h.allDead() {
		return nil, nil
	}
	if err := vfs.MkdirDurable(s.fs, ix.dir); err != nil {
		return nil, fmt.Errorf("seal index %s: %w", ix.name(), err)
	}
	id := s.segIDs.Add(1)
	path := filepath.Join(ix.dir, segName(id))
	meta := segment.Meta{MinSeq: h.seqs[0], MaxSeq: h.seqs[len(h.seqs)-1], SrcBytes: h.bytes}
	if h.minTime <= h.maxTime {
		meta.MinTime, meta.MaxTime, meta.Timed = h.minTime, h.maxTime, true
	}
	b, err := segment.Create(s.fs, path, segment.Header{Index: ix.uuid, ID: id, Rows: int(h.rows), Created: s.cfg.Now().UnixMilli()}, meta)
	if err != nil {
		return nil, err
	}
	if err := h.write(b); err != nil {
		return nil, b.Abandon(err)
	}
	if _, err := b.Finish(); err != nil {
		return nil, err
	}
	return s.openSegment(path, id, 0, 0)
}

func (h *head) allDead() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.dead.GetCardinality() == uint64(h.rows)
}

// write gives the columns and documents of a frozen head to a builder.
func (h *head) write(b *segment.Builder) error {
	b.Numbers(colSeq, mapping.Other, nil, h.seqs)
	b.Numbers(colVersion, mapping.Other, nil, h.version)
	var refs []segment.RefColumn
	for _, c := range append([]*column{h.ids, h.ignored, h.routing, h.origin[0], h.origin[1], h.origin[2], h.origin[3]}, h.columns...) {
		if c != nil && c.len() > 0 && c.kind != mapping.Words {
			c.write(b, h.rows, nil)
			if c.field != nil {
				refs = append(refs, segment.RefColumn{Path: c.path, Type: c.field.Type, First: c.firsts()})
			}
		}
	}
	for _, c := range h.columns { // behind the columns that they may refer to
		if c.kind == mapping.Words && c.len() > 0 {
			c.write(b, h.rows, refs)
		}
	}
	view := newHeadView(h, h.rows, roaring.New())
	d := segment.Documents{Row: h.shape, Num: func(_, f int) int {
		if f >= len(h.fields) || h.fields[f][0] == nil {
			return -1
		}
		return b.Column(h.fields[f][0].path)
	}}
	for i := range h.shapes.refs {
		d.Shapes = append(d.Shapes, h.shapes.value(uint32(i)))
	}
	d.Rest = func(r int) []byte {
		if h.rest[r] == 0 {
			return nil
		}
		return bytesOf(h.restMem.chunks, h.rest[r])
	}
	d.Whole = func(r int) ([]byte, error) { return view.AppendSource(nil, r) }
	return d.Write(b)
}

// firsts reads the first value of rows that ascend.
func (c *column) firsts() func(row uint32) ([]byte, int64, bool) {
	at, last := 0, uint32(0)
	return func(row uint32) ([]byte, int64, bool) {
		i := int(row)
		if c.sparse {
			if row < last { // a new pass
				at = 0
			}
			last = row
			for at < len(c.rows) && c.rows[at] < row {
				at++
			}
			if at == len(c.rows) || c.rows[at] != row {
				return nil, 0, false
			}
			i = at
		} else if i >= c.len() {
			return nil, 0, false
		}
		if c.kind == mapping.Numbers {
			return nil, c.nums[i], true
		}
		return c.dict.value(c.ords[i]), 0, true
	}
}

// write gives one column to a builder; refs are what texts may refer to.
func (c *column) write(b *segment.Builder, rows uint32, refs []segment.RefColumn) {
	t := mapping.Other
	if c.field != nil {
		t = c.field.Type
	}
	var at []uint32
	if c.sparse {
		at = c.rows
	}
	switch c.kind {
	case mapping.Numbers:
		b.Numbers(c.path, t, at, c.nums)
	case mapping.Values:
		dict, order := sortedDict(c.dict)
		ords := make([]uint32, len(c.ords))
		for i, o := range c.ords {
			ords[i] = order[o]
		}
		dict, ords = segment.Used(dict, ords)
		b.Values(c.path, t, at, ords, dict)
	case mapping.Words:
		terms, order := sortedDict(&c.tokens.dict)
		back := make([]uint32, len(order))
		for o, k := range order {
			back[k] = uint32(o)
		}
		var list []uint32
		b.Text(c.path, t, segment.Text{Rows: at, N: len(c.texts), Refs: refs, Words: c.scored(), At: func(i int) []byte { return bytesOf(c.heap.chunks, c.texts[i]) }, Terms: terms,
			Postings: func(term int) []uint32 {
				list = c.tokens.rows(list[:0], back[term], rows)
				return list
			}})
	}
}

// scored is the number of words of a column whose texts are scored by their length.
func (c *column) scored() int64 {
	if c.field == nil || c.field.Type != mapping.Text {
		return 0
	}
	return c.words
}

// sortedDict is the values of a dictionary in order, and the place of each ordinal's value in it.
func sortedDict(d *dict) (values [][]byte, order []uint32) {
	keys := make([]sortKey, len(d.refs))
	for i := range keys {
		keys[i] = sortKey{prefix(d.value(uint32(i))), uint32(i)}
	}
	slices.SortFunc(keys, func(a, b sortKey) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(d.value(a.ord), d.value(b.ord))
	})
	order = make([]uint32, len(keys))
	values = make([][]byte, len(keys))
	for k := range keys {
		order[keys[k].ord] = uint32(k)
		values[k] = d.value(keys[k].ord)
	}
	return values, order
}

// sortKey is a value of a dictionary with its first bytes, which decide most comparisons without a look at the value.
type sortKey struct {
	prefix uint64
	ord    uint32
}

// prefix is the first eight bytes of v as a number that orders as they do; a short value is filled with zeros.
func prefix(v []byte) uint64 {
	if len(v) >= 8 {
		return binary.BigEndian.Uint64(v)
	}
	var b [8]byte
	copy(b[:], v)
	return binary.BigEndian.Uint64(b[:])
}

// note measures a head after a write and asks for sealing when it is time. The caller holds commit.
func (s *Store) note(h *head) {
	n := h.memory()
	total := s.headBytes.Add(n - h.counted.Swap(n))
	if int(h.rows) >= s.cfg.HeadDocs || n >= s.cfg.HeadBytes || total >= s.cfg.HeadMemory {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}

// Waiting for memory: how often a writer looks, and how long it waits before it is refused.
const (
	memoryPoll = 5 * time.Millisecond
	memoryWait = 30 * time.Second
)

// waitForMemory holds writes back while heads take more than 1.5 times what they may; above 2 times they are refused.
func (s *Store) waitForMemory(ctx context.Context) error {
	limit := s.cfg.HeadMemory
	if s.headBytes.Load() <= limit+limit/2 {
		return nil
	}
	end := time.NewTimer(memoryWait)
	defer end.Stop()
	tick := time.NewTicker(memoryPoll)
	defer tick.Stop()
	for {
		n := s.headBytes.Load()
		switch {
		case n <= limit+limit/2:
			return nil
		case n > 2*limit || s.running.Load() == 0:
			return errorf(429, "es_rejected_execution_exception", "rejected execution: memory tables take %d bytes, the limit is %d", n, limit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return errorf(429, "es_rejected_execution_exception", "rejected execution: memory tables take %d bytes, the limit is %d", n, limit)
		case <-tick.C:
		}
	}
}
