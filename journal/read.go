package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"

	"github.com/weirlog/weir/vfs"
)

// Span is a row of whole batches in memory. Release it; its bytes are then no longer yours.
type Span struct {
	From int64 // base offset of the first batch
	Next int64 // offset after the last
	b    []byte
	slab *Slab
}

// Bytes are whole batches, CRC checked, not to be changed. They are valid until Release.
func (s Span) Bytes() []byte { return s.b }

// Release gives the bytes back; once.
func (s Span) Release() {
	if s.slab != nil {
		s.slab.Release()
	}
}

// Read gives whole batches below the durable end, the first being the one that contains from, and more while they fit in limit bytes;
// the first is whole whatever limit says. One call may give less than there is: go on at Span.Next. At the durable end the span is
// empty. ErrOutOfRange below Start and past the durable end; *Hole where bytes are bad.
func (j *Journal) Read(from int64, limit int) (Span, error) {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return Span{}, ErrClosed
	}
	if from < j.start || from > j.durable {
		err := fmt.Errorf("%w: %d is not in [%d, %d]", ErrOutOfRange, from, j.start, j.durable)
		j.mu.Unlock()
		return Span{}, err
	}
	if from == j.durable {
		j.mu.Unlock()
		return Span{From: from, Next: from}, nil
	}
	if r := j.tail.find(from); r != nil {
		s := r.span(from, j.durable, limit)
		j.tailReads++
		j.mu.Unlock()
		j.lastUse.Store(j.pool.clock.Add(1))
		return s, nil
	}
	if h := j.holeLocked(from); h != nil {
		j.mu.Unlock()
		return Span{}, h
	}
	j.fileReads++
	p, err := j.placeLocked(from)
	j.mu.Unlock()
	if err != nil {
		return Span{}, err
	}
	s, err := j.readCold(p, from, limit)
	if err != nil && from < j.Start() { // it was trimmed meanwhile
		return Span{}, fmt.Errorf("%w: %d is below the start", ErrOutOfRange, from)
	}
	return s, err
}

// span cuts the batches from the one with offset from on out of a run.
func (r *run) span(from, durable int64, limit int) Span {
	b := r.slab.b[r.from:r.to:r.to]
	begin, first, next := -1, r.base, r.base
	at := 0
	for at < len(b) && next < durable {
		h, err := ParseHeader(b[at:])
		if err != nil || begin >= 0 && at+h.Size()-begin > limit {
			break
		}
		next = h.Next()
		if begin < 0 && from < next {
			begin, first = at, h.BaseOffset
		}
		at += h.Size()
	}
	r.slab.Retain()
	return Span{From: first, Next: next, b: b[begin:at:at], slab: r.slab}
}

func (j *Journal) holeLocked(offset int64) *Hole {
	i := slices.IndexFunc(j.holes, func(h Hole) bool { return h.From <= offset && offset < h.To })
	if i < 0 {
		return nil
	}
	h := j.holes[i]
	return &h
}

func asHole(err error) *Hole {
	var h *Hole
	if errors.As(err, &h) {
		return h
	}
	return nil
}

// place says where an offset is, as of one moment.
type place struct {
	e     *extent
	x     *index // nil: not loaded
	size  int64  // bytes of the extent that may be read
	limit int64  // offsets of the extent end here
}

// placeLocked finds the extent of offset.
func (j *Journal) placeLocked(offset int64) (place, error) {
	i := sort.Search(len(j.extents), func(i int) bool { return j.extents[i].base > offset }) - 1
	if i < 0 {
		return place{}, &Hole{From: j.start, To: j.extents[0].base, Extent: j.extents[0].base}
	}
	return j.placeInLocked(i), nil
}

func (j *Journal) placeInLocked(i int) place {
	e := j.extents[i]
	j.tick++
	e.used = j.tick
	p := place{e: e, size: e.size, limit: e.end}
	if i == len(j.extents)-1 {
		p.size, p.limit = e.synced, j.durable
	} else {
		p.x = e.index
	}
	return p
}

// readCold reads batches from a file.
func (j *Journal) readCold(p place, from int64, limit int) (Span, error) {
	file, err := j.pool.files.use(j.cfg.FS, p.e)
	if err != nil {
		return Span{}, err
	}
	defer j.pool.files.done(file)
	begin, err := j.seek(p, file.f, from)
	if err != nil {
		return Span{}, err
	}
	h, pos, err := j.locate(p, file.f, begin, from)
	if err != nil {
		return Span{}, err
	}
	n := max(min(int64(limit), p.size-pos), int64(h.Size()))
	slab := j.pool.Slab(int(n))
	got, err := readAt(file.f, slab.Bytes(), pos)
	if err != nil {
		slab.Release()
		return Span{}, fmt.Errorf("read %s: %w", p.e.name(), err)
	}
	b := slab.Bytes()[:got]
	size, next, err := wholeBatches(b, h.BaseOffset, p.limit)
	if size == 0 {
		slab.Release()
		return Span{}, j.rotten(p, file.f, begin, from, err)
	}
	return Span{From: h.BaseOffset, Next: next, b: b[:size:size], slab: slab}, nil
}

// seek asks the index for a place at or before the batch that contains offset.
func (j *Journal) seek(p place, f vfs.File, offset int64) (indexEntry, error) {
	if p.x == nil {
		j.mu.Lock()
		if p.e == j.active() {
			defer j.mu.Unlock()
			return p.e.index.seek(offset - p.e.base), nil
		}
		p.x = p.e.index
		j.mu.Unlock()
	}
	if p.x == nil {
		x, err := j.sealedIndex(p, f)
		if err != nil {
			return indexEntry{}, err
		}
		p.x = x
	}
	return p.x.seek(offset - p.e.base), nil
}

// maxIndexes bounds the indexes of sealed extents that a journal keeps in memory: some 100 KiB each.
const maxIndexes = 64

// sealedIndex loads the index of a sealed extent, or makes it anew when it is missing or cannot be true.
func (j *Journal) sealedIndex(p place, f vfs.File) (*index, error) {
	x, err := loadIndex(j.cfg.FS, p.e, p.size)
	if err == nil {
		err = x.complete(f, p)
	}
	if err != nil {
		x, err = buildIndex(f, p.e.base, p.size, p.limit)
	}
	if err != nil {
		return nil, fmt.Errorf("index of %s: %w", p.e.name(), err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if p.e.index == nil && p.e != j.active() {
		p.e.index = x
		j.indexes++
		j.shrinkIndexesLocked()
	}
	return x, nil
}

// shrinkIndexesLocked forgets the index used longest ago while there are too many.
func (j *Journal) shrinkIndexesLocked() {
	for j.indexes > maxIndexes {
		var oldest *extent
		for _, e := range j.extents[:len(j.extents)-1] {
			if e.index != nil && (oldest == nil || e.used < oldest.used) {
				oldest = e
			}
		}
		if oldest == nil {
			return
		}
		oldest.index = nil
		j.indexes--
	}
}

// locate walks over headers from an index entry to the batch that contains from. Where they make no sense it goes the careful way.
func (j *Journal) locate(p place, f vfs.File, begin indexEntry, from int64) (Header, int64, error) {
	s := newScanner(f, int64(begin.pos), p.size)
	s.window = walkWindow
	for want := int64(-1); ; {
		h, err := s.header()
		if err == nil && want < 0 && begin.starts(p.e.base, &h) {
			want = h.BaseOffset
		}
		if err != nil && !isBad(err) && !errors.Is(err, io.EOF) {
			return h, 0, fmt.Errorf("read %s: %w", p.e.name(), err)
		}
		if err != nil || h.BaseOffset != want || h.BaseOffset > from {
			return j.locateCareful(p, f, begin, from)
		}
		if want = h.Next(); from < want {
			return h, s.pos, nil
		}
		s.skip(&h)
	}
}

// locateCareful is locate with every CRC checked, over bad bytes to the next good batch. When from lies in what is bad, the error is a
// *Hole.
func (j *Journal) locateCareful(p place, f vfs.File, begin indexEntry, from int64) (Header, int64, error) {
	s := newScanner(f, int64(begin.pos), p.size)
	want := p.e.base
	if h, _, err := s.batch(); err == nil && begin.starts(p.e.base, &h) {
		want = h.BaseOffset
	} else {
		s.pos = 0 // the index may be wrong
	}
	for {
		h, _, err := s.batch()
		if err != nil && !isBad(err) && !errors.Is(err, io.EOF) {
			return h, 0, fmt.Errorf("read %s: %w", p.e.name(), err)
		}
		if err != nil || h.BaseOffset != want {
			bad, pos := h, s.pos
			hole := &Hole{From: want, To: p.limit, Extent: p.e.base, Pos: pos, PosEnd: p.size}
			next, found, err := s.search(&bad, want, p.limit)
			if err != nil {
				return h, 0, fmt.Errorf("read %s: %w", p.e.name(), err)
			}
			if found {
				hole.To, hole.PosEnd = next.BaseOffset, s.pos
			}
			if from < hole.To {
				return h, 0, hole
			}
			want = hole.To
			if !found {
				return h, 0, hole
			}
			continue
		}
		if want = h.Next(); from < want {
			return h, s.pos, nil
		}
		s.skip(&h)
	}
}

// rotten describes the bad bytes that a read of offset from met.
func (j *Journal) rotten(p place, f vfs.File, begin indexEntry, from int64, cause error) error {
	_, _, err := j.locateCareful(p, f, begin, from)
	hole := asHole(err)
	if hole == nil {
		return fmt.Errorf("read %s at offset %d: %w", p.e.name(), from, errors.Join(cause, err))
	}
	j.cfg.Log.Error("bad bytes read", "file", p.e.name(), "at", hole.Pos, "from", hole.From, "to", hole.To, "error", cause)
	return hole
}

// wholeBatches measures the batches at the start of b that are whole, in order, right by their CRC and below limit; err says why it
// ended before the end of b.
func wholeBatches(b []byte, want, limit int64) (size int, next int64, err error) {
	next = want
	for size < len(b) && next < limit {
		h, err := ParseHeader(b[size:])
		if err == nil && h.Size() > len(b)-size {
			err = ErrShort
		}
		if err == nil && h.BaseOffset != next {
			err = fmt.Errorf("%w: offset %d, want %d", ErrCorrupt, h.BaseOffset, next)
		}
		if err == nil {
			err = verifyCRC(&h, b[size:size+h.Size()])
		}
		if err != nil {
			return size, next, err
		}
		size += h.Size()
		next = h.Next()
	}
	return size, next, nil
}

// Cut drops the batches that begin at or behind before.
func (s Span) Cut(before int64) Span {
	if s.Next <= before {
		return s
	}
	n := 0
	next := s.From
	for n < len(s.b) {
		h, err := ParseHeader(s.b[n:])
		if err != nil || h.BaseOffset >= before {
			break
		}
		n += h.Size()
		next = h.Next()
	}
	s.b, s.Next = s.b[:n], next
	return s
}
