package journal

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
)

// readAhead is how much more than asked a cold read takes in one go, to hold what lies between an index entry and the batch.
const readAhead = indexInterval

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

// Read gives whole batches below the durable end, the first being the one that contains from, and more while they fit in max bytes;
// the first is whole whatever max says. One call may give less than there is: go on at Span.Next. At the durable end the span is
// empty. ErrOutOfRange below Start and past the durable end; *Hole where bytes are bad.
func (j *Journal) Read(from int64, max int) (Span, error) {
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
		s := r.span(from, j.durable, max)
		j.mu.Unlock()
		return s, nil
	}
	if h := j.holeLocked(from); h != nil {
		j.mu.Unlock()
		return Span{}, h
	}
	p, err := j.placeLocked(from)
	j.mu.Unlock()
	if err != nil {
		return Span{}, err
	}
	defer j.letGo(p.file)
	return j.readCold(p, from, max)
}

// span cuts the batches from the one with offset from on out of a run.
func (r *run) span(from, durable int64, max int) Span {
	b := r.slab.b[r.from:r.to:r.to]
	begin, first, next := -1, r.base, r.base
	at := 0
	for at < len(b) && next < durable {
		h, err := ParseHeader(b[at:])
		if err != nil || begin >= 0 && at+h.Size()-begin > max {
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

// place says where to look for an offset.
type place struct {
	e     *extent
	file  *sharedFile
	pos   int64 // start of a batch at or before the one wanted
	size  int64 // bytes of the extent that may be read
	limit int64 // offsets of the extent end here
	holes []Hole
}

// placeLocked finds the extent of offset and holds its file.
func (j *Journal) placeLocked(offset int64) (place, error) {
	i := sort.Search(len(j.extents), func(i int) bool { return j.extents[i].base > offset }) - 1
	if i < 0 {
		return place{}, &Hole{From: j.start, To: j.extents[0].base, Extent: j.extents[0].base}
	}
	e := j.extents[i]
	file, err := e.openLocked(j.cfg.FS)
	if err != nil {
		return place{}, err
	}
	p := place{e: e, file: file, size: e.size, limit: e.end, holes: slices.Clone(j.holes)}
	if i == len(j.extents)-1 {
		p.size, p.limit = e.synced, j.durable
	}
	if e.index != nil {
		p.pos = e.index.seek(offset - e.base)
		return p, nil
	}
	x, err := loadIndex(j.cfg.FS, e, e.size)
	if err != nil {
		x, err = buildIndex(file.f, e.base, e.size, j.holes)
	}
	if err != nil {
		file.releaseLocked()
		return place{}, err
	}
	e.index = x
	p.pos = x.seek(offset - e.base)
	return p, nil
}

func (j *Journal) letGo(f *sharedFile) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f.releaseLocked()
}

// readCold reads batches from a file.
func (j *Journal) readCold(p place, from int64, max int) (Span, error) {
	h, pos, err := j.locate(p, from)
	if err != nil {
		return Span{}, err
	}
	n := min(int64(max), p.size-pos)
	n = max64(n, int64(h.Size()))
	slab := j.pool.Slab(int(n))
	got, err := readAt(p.file.f, slab.Bytes(), pos)
	if err != nil {
		slab.Release()
		return Span{}, fmt.Errorf("read %s: %w", p.e.name(), err)
	}
	b := slab.Bytes()[:got]
	size, next, err := wholeBatches(b, h.BaseOffset, p.limit)
	if size == 0 {
		slab.Release()
		return Span{}, j.rotten(p, h.BaseOffset, pos, err)
	}
	return Span{From: h.BaseOffset, Next: next, b: b[:size:size], slab: slab}, nil
}

// max64 is max where a parameter hides it.
func max64(a, b int64) int64 { return max(a, b) }

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

// locate walks from p.pos to the batch that contains from.
func (j *Journal) locate(p place, from int64) (Header, int64, error) {
	s := newScanner(p.file.f, p.pos, p.size)
	for retried := false; ; {
		h, err := s.header()
		if err == nil && h.BaseOffset <= from && from < h.Next() {
			return h, s.pos, nil
		}
		if err == nil && h.BaseOffset <= from {
			s.skip(&h)
			continue
		}
		if i := slices.IndexFunc(p.holes, func(o Hole) bool { return o.Extent == p.e.base && o.Pos == s.pos && o.PosEnd > o.Pos }); i >= 0 {
			s.pos = p.holes[i].PosEnd
			continue
		}
		if !retried && p.pos > 0 { // a wrong index
			retried, s.pos = true, 0
			continue
		}
		if err != nil && !isBad(err) && !errors.Is(err, io.EOF) {
			return h, 0, fmt.Errorf("read %s: %w", p.e.name(), err)
		}
		return h, 0, j.rotten(p, from, s.pos, err)
	}
}

// rotten describes bad bytes found by a read: a hole from offset want, at pos, to the next batch that is good.
func (j *Journal) rotten(p place, want, pos int64, cause error) error {
	hole := &Hole{From: want, To: p.limit, Extent: p.e.base, Pos: pos, PosEnd: p.size}
	s := newScanner(p.file.f, pos, p.size)
	h, err := s.header()
	if err != nil && !isBad(err) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", p.e.name(), err)
	}
	next, found, err := s.search(&h, want, p.limit)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.e.name(), err)
	}
	if found && next.BaseOffset > want {
		hole.To, hole.PosEnd = next.BaseOffset, s.pos
	}
	j.cfg.Log.Error("bad bytes read", "file", p.e.name(), "at", pos, "from", hole.From, "to", hole.To, "error", cause)
	return hole
}
