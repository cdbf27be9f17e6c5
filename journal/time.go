package journal

import (
	"sort"

	"github.com/weirlog/weir/vfs"
)

// OffsetForTime gives the first record at or after the time ts, in milliseconds, and its time; -1, -1 when there is none. A compressed
// batch that nobody can open answers with its first offset and its maximum timestamp. Damaged batches are stepped over.
func (j *Journal) OffsetForTime(ts int64) (offset, time int64, err error) {
	for at := j.Start(); ; {
		h, found, err := j.batchForTime(ts, at)
		if err == nil && !found {
			return -1, -1, nil
		}
		var next int64
		if err == nil {
			offset, time, next, err = j.recordForTime(h, ts)
		}
		start := j.Start()
		switch {
		case err != nil && start > at: // trimmed meanwhile
			at = start
		case err != nil:
			return -1, -1, err
		case offset >= 0:
			return offset, time, nil
		default:
			at = max(next, start)
		}
	}
}

// OffsetOfMaxTime gives the first record with the largest time of all that are kept, and that time; -1, -1 when the journal is empty. In
// a compressed batch that nobody can open it is the first offset.
func (j *Journal) OffsetOfMaxTime() (offset, time int64, err error) {
	for {
		start := j.Start()
		offset, time, err = j.offsetOfMaxTime(start)
		if j.Start() == start { // else a trim came between
			return offset, time, err
		}
	}
}

func (j *Journal) offsetOfMaxTime(start int64) (offset, time int64, err error) {
	time, found, err := j.maxTime(start)
	if err != nil || !found {
		return -1, -1, err
	}
	offset, at, err := j.OffsetForTime(time)
	if err != nil || offset >= 0 {
		return offset, at, err
	}
	// The time is that of a record below the start, in the batch that the start lies in.
	time, found, next, err := j.maxTimeInBatch(start)
	if err != nil {
		return -1, -1, err
	}
	if rest, more, err := j.maxTime(next); err != nil {
		return -1, -1, err
	} else if more && (!found || rest > time) {
		time, found = rest, true
	}
	if !found {
		return -1, -1, nil
	}
	return j.OffsetForTime(time)
}

// maxTimeInBatch looks at the records from start on of the batch that contains it; next is the offset after that batch.
func (j *Journal) maxTimeInBatch(start int64) (time int64, found bool, next int64, err error) {
	span, err := j.Read(start, 1)
	if hole := asHole(err); hole != nil {
		return 0, false, hole.To, nil
	}
	if err != nil || span.Next == start {
		return 0, false, start, err
	}
	defer span.Release()
	it, err := Records(span.Bytes())
	if err != nil { // compressed: left out
		return 0, false, span.Next, nil
	}
	for r := (Record{}); it.Next(&r); {
		if r.Offset >= start && (!found || r.Time > time) {
			time, found = r.Time, true
		}
	}
	return time, found, span.Next, nil
}

// maxTime asks the indexes of the extents with offsets from start on.
func (j *Journal) maxTime(start int64) (time int64, found bool, err error) {
	for _, p := range j.places(start) {
		x, err := j.indexOf(p)
		if err != nil {
			return 0, false, err
		}
		largest, any := x.maxTime, x.any
		if any && p.e.base+int64(x.maxRel) < start { // the batch that has it may be below the start
			if largest, any, err = j.scanMaxTime(p, x.seek(start-p.e.base), start); err != nil {
				return 0, false, err
			}
		}
		if any && (!found || largest > time) {
			time, found = largest, true
		}
	}
	return time, found, nil
}

// scanMaxTime looks at the headers of the batches of one extent that hold offsets from at on.
func (j *Journal) scanMaxTime(p place, begin indexEntry, at int64) (time int64, found bool, err error) {
	file, err := j.pool.files.use(j.cfg.FS, p.e)
	if err != nil {
		return 0, false, err
	}
	defer j.pool.files.done(file)
	err = eachHeader(file.f, p, begin, at, func(h *Header) bool {
		if !found || h.MaxTime > time {
			time, found = h.MaxTime, true
		}
		return true
	})
	return time, found, err
}

// places are the extents with offsets from at on.
func (j *Journal) places(at int64) []place {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []place
	for i := range j.extents {
		if p := j.placeInLocked(i); p.limit > at {
			out = append(out, p)
		}
	}
	return out
}

// indexOf is the index of an extent; of the active one a copy.
func (j *Journal) indexOf(p place) (*index, error) {
	if p.x != nil {
		return p.x, nil
	}
	j.mu.Lock()
	if x := p.e.index; x != nil {
		c := *x
		c.entries, c.times = x.entries[:len(x.entries):len(x.entries)], x.times[:len(x.times):len(x.times)]
		j.mu.Unlock()
		return &c, nil
	}
	j.mu.Unlock()
	file, err := j.pool.files.use(j.cfg.FS, p.e)
	if err != nil {
		return nil, err
	}
	defer j.pool.files.done(file)
	return j.sealedIndex(p, file.f)
}

// batchForTime finds the first batch with a maximum timestamp of at least ts among those that hold offsets from at on.
func (j *Journal) batchForTime(ts, at int64) (Header, bool, error) {
	for _, p := range j.places(at) {
		x, err := j.indexOf(p)
		if err != nil {
			return Header{}, false, err
		}
		if !x.any || x.maxTime < ts {
			continue
		}
		file, err := j.pool.files.use(j.cfg.FS, p.e)
		if err != nil {
			return Header{}, false, err
		}
		h, found, err := scanForTime(file.f, p, x.before(ts, at-p.e.base), ts, at)
		j.pool.files.done(file)
		if err != nil || found {
			return h, found, err
		}
	}
	return Header{}, false, nil
}

// before gives an entry below which no batch with offsets from rel on has the time ts.
func (x *index) before(ts, rel int64) indexEntry {
	i := sort.Search(len(x.times), func(i int) bool { return x.times[i].time >= ts })
	if i > 0 {
		rel = max(rel, int64(x.times[i-1].rel))
	}
	return x.seek(rel)
}

// scanForTime finds the first batch with a maximum timestamp of at least ts.
func scanForTime(f vfs.File, p place, begin indexEntry, ts, at int64) (first Header, found bool, err error) {
	err = eachHeader(f, p, begin, at, func(h *Header) bool {
		if h.MaxTime >= ts {
			first, found = *h, true
		}
		return !found
	})
	return first, found, err
}

// eachHeader walks over headers from an index entry on, over bad bytes to the next good batch, and shows fn those of batches that hold
// offsets from at on, until it returns false.
func eachHeader(f vfs.File, p place, begin indexEntry, at int64, fn func(h *Header) bool) error {
	s := newScanner(f, int64(begin.pos), p.size)
	want := p.e.base
	if h, err := s.header(); err == nil && begin.starts(p.e.base, &h) {
		want = h.BaseOffset
	} else {
		s.pos = 0 // the index may be wrong
	}
	for want < p.limit && s.pos < p.size {
		h, err := s.header()
		if err == nil && h.BaseOffset != want {
			err = ErrCorrupt
		}
		if isBad(err) {
			found := false
			if h, found, err = s.search(&h, want, p.limit); err == nil && !found {
				return nil
			}
		}
		if err != nil {
			return ignoreEOF(err)
		}
		if want = h.Next(); want > at && h.BaseOffset < p.limit && !fn(&h) {
			return nil
		}
		s.skip(&h)
	}
	return nil
}

// recordForTime finds the first record of a batch at or after ts; offset -1 when it has none, and next tells where to look on.
func (j *Journal) recordForTime(h Header, ts int64) (offset, time, next int64, err error) {
	span, err := j.Read(max(h.BaseOffset, j.Start()), 1)
	if hole := asHole(err); hole != nil {
		return -1, -1, hole.To, nil
	}
	if err != nil {
		return -1, -1, 0, err
	}
	defer span.Release()
	if h, err = ParseHeader(span.Bytes()); err != nil { // another batch when the one looked for was trimmed meanwhile
		return -1, -1, 0, err
	}
	b := span.Bytes()[:h.Size()]
	block := b[HeaderSize:]
	if h.Codec() != CodecNone {
		if j.cfg.Decompress == nil {
			return max(h.BaseOffset, j.Start()), h.MaxTime, 0, nil
		}
		if block, err = j.cfg.Decompress(h.Codec(), block); err != nil {
			return -1, -1, h.Next(), nil
		}
	}
	start := j.Start()
	it := RecordsIn(h, block)
	for r := (Record{}); it.Next(&r); {
		if r.Time >= ts && r.Offset >= start {
			return r.Offset, r.Time, 0, nil
		}
	}
	return -1, -1, h.Next(), nil
}
