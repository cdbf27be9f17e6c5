package store

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/segment"
)

// Bounds of merges. A document is written at most four times: journal, seal, small, cold.
const (
	smallRows   = 64 << 10 // a segment below is small
	smallCount  = 8        // so many small neighbours are merged
	smallTotal  = 250_000  // or fewer that have so many rows together
	coldAge     = time.Hour
	coldRows    = 4 << 20
	coldBytes   = 512 << 20
	coldSpan    = 24 * time.Hour
	purgeShare  = 5 // a segment with more than 1/purgeShare of its rows deleted is written anew
	levelSealed = 0
	levelSmall  = 1
	levelCold   = 2
)

// plan is a merge of neighbours.
type plan struct {
	from, to int // of the index's segments
	level    int
}

// choose picks the most useful merge of an index's segments, oldest first.
func choose(segs []*segmentFile, now time.Time) (plan, bool) {
	for from := 0; from < len(segs); { // damaged segments are left as they are; they part their neighbours
		to := from
		for to < len(segs) && segs[to].reader.Err() == nil {
			to++
		}
		if p, ok := chooseSound(segs[from:to], now); ok {
			return plan{p.from + from, p.to + from, p.level}, true
		}
		from = to + 1
	}
	return plan{}, false
}

func chooseSound(segs []*segmentFile, now time.Time) (plan, bool) {
	for i, s := range segs {
		if d := s.dead.Load().GetCardinality(); d > 0 && int(d)*purgeShare > s.reader.Rows() {
			return plan{i, i + 1, s.level}, true
		}
	}
	for i := 0; i < len(segs); i++ {
		rows, j := 0, i
		for j < len(segs) && segs[j].reader.Rows() < smallRows && segs[j].level < levelCold && rows < 4*smallTotal {
			rows += segs[j].reader.Rows()
			j++
		}
		if j-i >= smallCount || j-i > 1 && rows >= smallTotal {
			return plan{i, j, levelSmall}, true
		}
	}
	return chooseCold(segs, now)
}

// chooseCold finds the longest run of old neighbours that fits.
func chooseCold(segs []*segmentFile, now time.Time) (best plan, ok bool) {
	for i := 0; i < len(segs); i++ {
		var rows int
		var size, lo, hi int64
		j := i
		for ; j < len(segs); j++ {
			s := segs[j]
			m := &s.reader.Meta
			if s.level >= levelCold || now.Sub(time.UnixMilli(s.reader.Created)) < coldAge || rows+s.reader.Rows() > coldRows || size+s.bytes > coldBytes {
				break
			}
			if m.Timed {
				if j == i || hi == 0 {
					lo, hi = m.MinTime, m.MaxTime
				}
				if max(hi, m.MaxTime)-min(lo, m.MinTime) > int64(coldSpan) && j > i {
					break
				}
				lo, hi = min(lo, m.MinTime), max(hi, m.MaxTime)
			}
			rows += s.reader.Rows()
			size += s.bytes
		}
		if j-i >= 2 && j-i > best.to-best.from {
			best, ok = plan{i, j, levelCold}, true
		}
	}
	return best, ok
}

// merge carries a plan out. The caller holds ckpt and writes a checkpoint afterwards.
func (s *Store) merge(ix *index, p plan) error {
	old := slices.Clone(ix.parts.Load().segs[p.from:p.to])
	ins := make([]segment.Input, len(old))
	was := make([]*roaring.Bitmap, len(old))
	left := 0
	for i, f := range old {
		was[i] = f.dead.Load()
		ins[i] = segment.Input{R: f.reader, Drop: was[i]}
		left += f.reader.Rows() - int(was[i].GetCardinality())
	}
	var fresh *segmentFile
	var rows [][]int64
	if left > 0 {
		id := s.segIDs.Add(1)
		path := filepath.Join(ix.dir, segName(id))
		var size int64
		var err error
		h := segment.Header{Index: ix.uuid, ID: id, Level: p.level, Created: s.cfg.Now().UnixMilli()}
		if rows, size, err = segment.Merge(s.fs, path, h, ins); err != nil {
			return err
		}
		if fresh, err = s.openSegment(path, id, 0, p.level); err != nil {
			return err
		}
		s.stats.merged.Add(size)
	}
	s.swap(ix, old, fresh, rows, was)
	return nil
}

// swap puts a merged segment in the place of old ones, with the deletions that happened meanwhile.
func (s *Store) swap(ix *index, old []*segmentFile, fresh *segmentFile, rows [][]int64, was []*roaring.Bitmap) {
	s.commit.Lock()
	defer s.commit.Unlock()
	s.pub.Lock()
	defer s.pub.Unlock()
	if ix.gone {
		if fresh != nil {
			s.dropLocked(fresh)
		}
		return
	}
	var segs []*segmentFile
	for _, f := range ix.parts.Load().segs {
		k := slices.Index(old, f)
		if k < 0 {
			segs = append(segs, f)
			continue
		}
		if k == 0 && fresh != nil {
			segs = append(segs, fresh)
		}
		if fresh != nil {
			later := roaring.AndNot(f.dead.Load(), was[k]).ToArray()
			m := &mergedInto{fresh, rows[k]}
			if moved := m.translate(later); len(moved) > 0 {
				fresh.bury(moved)
			}
			f.into = m
		}
		s.dropLocked(f)
	}
	cur := ix.parts.Load()
	ix.parts.Store(&parts{segs: segs, frozen: cur.frozen, head: cur.head})
}
