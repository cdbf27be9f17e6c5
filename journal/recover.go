package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/vfs"
)

const (
	quarantineDir = "quarantine"
	sectorSize    = 512
	maxOffsetStep = 1 << 40 // a batch found behind bad bytes is not this far ahead
)

// Recovery tells what Open found and did.
type Recovery struct {
	Clean     bool  // the journal had been closed
	Scanned   int64 // bytes of batches read and checked
	TailCut   int64 // bytes of a torn tail that were cut off, never acknowledged
	TailSaved string
	Holes     []Hole // all known holes, old and new
}

// Hole is a range of offsets that cannot be read: bad bytes with good batches behind them. As an error, it is what Read says there.
type Hole struct {
	From   int64 `json:"from"`
	To     int64 `json:"to"` // exclusive
	Torn   bool  `json:"torn,omitempty"`
	Extent int64 `json:"extent"` // base of the file
	Pos    int64 `json:"pos"`    // bad bytes [Pos, PosEnd) of it
	PosEnd int64 `json:"posEnd"`
}

func (h *Hole) Error() string {
	kind := "damaged"
	if h.Torn {
		kind = "torn"
	}
	return fmt.Sprintf("offsets %d to %d are %s: file %020d.log, bytes %d to %d", h.From, h.To, kind, h.Extent, h.Pos, h.PosEnd)
}

// DamageError is why a journal of our own payloads does not open: acknowledged bytes are bad.
type DamageError struct {
	File string
	Pos  int64 // of the first bad byte
	Want int64 // the offset that should be there
	Why  string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d (offset %d): %s", e.File, e.Pos, e.Want, e.Why)
}

// recovering is the state of a scan.
type recovering struct {
	*Journal
	want    int64 // offset of the next batch
	floor   int64 // what the checkpoint says was durable
	bad     *suspect
	cutFrom int64 // torn tail of the last extent, -1 when none
}

// suspect is the first bad place in a journal of our own payloads: damage when a later payload proves that it had been durable.
type suspect struct {
	e    *extent
	pos  int64
	want int64
}

// recover makes the state of the journal from its files. Nobody else uses the journal yet.
func (j *Journal) recover() error {
	if err := vfs.MkdirDurable(j.cfg.FS, j.cfg.Dir); err != nil {
		return err
	}
	body, found, err := j.loadCheckpoint()
	if err != nil {
		return err
	}
	if err := j.findExtents(); err != nil {
		return err
	}
	if found {
		j.start, j.epochs, j.holes = body.Start, body.Epochs, body.Holes
		j.recovery.Clean = j.ckpt.clean
	}
	if len(j.extents) == 0 {
		if err := j.beginAt(body.End, found && body.End > body.Start); err != nil {
			return err
		}
	}
	r := &recovering{Journal: j, cutFrom: -1, floor: body.End}
	if err := r.scan(body, found); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	j.recovery.Holes = slices.Clone(j.holes)
	return j.loadState(j.durable)
}

// beginAt makes the first extent of a journal that has none. lost tells that there should have been some.
func (j *Journal) beginAt(offset int64, lost bool) error {
	if lost && j.cfg.Own {
		return &DamageError{File: j.cfg.Dir, Want: j.start, Why: "the checkpoint names extents, none is there"}
	}
	e, err := j.createExtent(offset)
	if err != nil {
		return err
	}
	j.extents = []*extent{e}
	if lost {
		j.addHole(Hole{From: j.start, To: offset, Extent: j.start})
	}
	return nil
}

// findExtents lists the extents and removes half-written files.
func (j *Journal) findExtents() error {
	entries, err := j.cfg.FS.ReadDir(j.cfg.Dir)
	if err != nil {
		return err
	}
	for _, d := range entries {
		if strings.HasSuffix(d.Name(), vfs.TempSuffix) {
			if err := j.cfg.FS.Remove(filepath.Join(j.cfg.Dir, d.Name())); err != nil {
				return err
			}
		}
		base, ok := parseName(d.Name(), logSuffix)
		if !ok {
			continue
		}
		fi, err := j.cfg.FS.Stat(filepath.Join(j.cfg.Dir, d.Name()))
		if err != nil {
			return err
		}
		j.extents = append(j.extents, &extent{dir: j.cfg.Dir, base: base, size: fi.Size(), first: fi.ModTime(), appended: fi.ModTime()})
	}
	slices.SortFunc(j.extents, func(a, b *extent) int { return int(min(1, max(-1, a.base-b.base))) })
	for i, e := range j.extents {
		e.end, e.synced = e.base, e.size
		if i+1 < len(j.extents) {
			e.end = j.extents[i+1].base
		}
	}
	return nil
}

// scan checks what the checkpoint does not vouch for: the bytes behind its position, all of the extents after it, everything when
// there is no checkpoint.
func (r *recovering) scan(body checkpointBody, found bool) error {
	if err := r.settleActive(); err != nil {
		return err
	}
	from, pos := 0, int64(0)
	r.want = r.extents[0].base
	if i := slices.IndexFunc(r.extents, func(e *extent) bool { return e.base == body.Extent }); found && i >= 0 {
		if r.extents[i].size >= body.Position {
			from, pos, r.want = i, body.Position, body.End
		} else {
			from, r.want = i, body.Extent
		}
	}
	if !found {
		r.start = r.extents[0].base
	}
	for i := from; i < len(r.extents); i++ {
		e := r.extents[i]
		if pos == 0 && e.base > r.want {
			if err := r.missing(r.extents[max(0, i-1)], e.base); err != nil {
				return err
			}
		}
		if err := r.scanExtent(e, pos, i+1 == len(r.extents)); err != nil {
			return fmt.Errorf("scan %s: %w", e.name(), err)
		}
		pos = 0
	}
	return nil
}

// settleActive makes the page cache tell the truth about the last extent: after a failed sync in a life before, the cache may hold
// bytes that the disk does not.
func (r *recovering) settleActive() error {
	e := r.active()
	file, err := e.openLocked(r.cfg.FS)
	if err != nil {
		return err
	}
	defer file.releaseLocked()
	if r.recovery.Clean {
		return nil
	}
	if err := file.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", e.name(), err)
	}
	return file.f.Forget(0, e.size)
}

// missing handles offsets between the end of extent e and the base of the next: rolls sync before they go on, so they were durable.
func (r *recovering) missing(e *extent, to int64) error {
	if r.cfg.Own {
		return &DamageError{File: e.name(), Pos: e.size, Want: r.want, Why: fmt.Sprintf("batches up to offset %d are missing", to)}
	}
	r.addHole(Hole{From: r.want, To: to, Extent: e.base, Pos: e.size, PosEnd: e.size})
	r.want = to
	return nil
}

// scanExtent checks e from byte pos on.
func (r *recovering) scanExtent(e *extent, pos int64, last bool) error {
	file, err := e.openLocked(r.cfg.FS)
	if err != nil {
		return err
	}
	defer file.releaseLocked()
	if err := r.indexBefore(e, file.f, pos); err != nil {
		return err
	}
	limit := int64(math.MaxInt64)
	if !last {
		limit = e.end
	}
	s := newScanner(file.f, pos, e.size)
	for {
		h, b, err := s.batch()
		switch {
		case errors.Is(err, io.EOF), err == nil && h.BaseOffset >= limit:
			return r.endExtent(e, s.pos, last)
		case isBad(err), err == nil && h.BaseOffset != r.want:
			more, err := r.badBytes(e, s, &h, limit, last)
			if err != nil || !more {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := r.goodBatch(e, s.pos, &h, b); err != nil {
			return err
		}
		s.skip(&h)
	}
}

// indexBefore loads the index for the part of e that is not scanned.
func (r *recovering) indexBefore(e *extent, f vfs.File, pos int64) error {
	e.index = &index{}
	if pos == 0 {
		return nil
	}
	x, err := loadIndex(r.cfg.FS, e, e.size)
	if err == nil {
		x.cut(pos)
		e.index = x
		return nil
	}
	if !errors.Is(err, errBadIndex) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.index, err = buildIndex(f, e.base, pos, r.holes)
	return err
}

// goodBatch takes a valid batch into account.
func (r *recovering) goodBatch(e *extent, pos int64, h *Header, b []byte) error {
	if r.bad != nil {
		synced, _, err := splitPayload(b)
		if err == nil && synced > r.bad.want {
			return &DamageError{File: r.bad.e.name(), Pos: r.bad.pos, Want: r.bad.want, Why: "a later payload says it had been synced"}
		}
	}
	e.index.note(h, e.base, pos)
	r.want = h.Next()
	r.recovery.Scanned += int64(h.Size())
	return nil
}

// badBytes decides about bytes at s.pos that are not the batch with the offset wanted. more tells whether the scan goes on in e.
func (r *recovering) badBytes(e *extent, s *scanner, h *Header, limit int64, last bool) (more bool, err error) {
	pos := s.pos
	next, found, err := s.search(h, r.want, limit)
	if err != nil {
		return false, err
	}
	if r.cfg.Own && last && r.ckpt.clean {
		return false, &DamageError{File: e.name(), Pos: pos, Want: r.want, Why: "bad bytes after a clean stop"}
	}
	if !found {
		return false, r.endExtent(e, pos, last)
	}
	if r.cfg.Own {
		if r.bad == nil {
			r.bad = &suspect{e, pos, r.want}
		}
		r.want = next.BaseOffset
		return true, nil
	}
	torn, err := hasZeroSector(s.f, pos, s.pos)
	if err != nil {
		return false, err
	}
	r.addHole(Hole{From: r.want, To: next.BaseOffset, Torn: torn, Extent: e.base, Pos: pos, PosEnd: s.pos})
	r.want = next.BaseOffset
	return true, nil
}

// endExtent notes where the batches of e end. What follows there is dead in a sealed extent and a torn tail in the last.
func (r *recovering) endExtent(e *extent, pos int64, last bool) error {
	fileSize := e.size
	e.size, e.synced = pos, pos
	if last {
		e.end = r.want
		if fileSize > pos {
			r.cutFrom = pos
			r.recovery.TailCut = fileSize - pos
		}
		return nil
	}
	if r.want < e.end {
		return r.missing(e, e.end)
	}
	return nil
}

// search finds the next valid batch behind the bad one at s.pos and leaves s there. Where the bad batch's own header makes sense,
// what it says comes first, so that a batch inside a record is not taken for one of ours.
func (s *scanner) search(bad *Header, want, limit int64) (Header, bool, error) {
	begin := s.pos
	if bad.Magic == 2 && bad.BaseOffset == want && int64(bad.Size()) <= s.limit-begin && bad.Length >= minLength {
		s.pos = begin + int64(bad.Size())
		if s.pos == s.limit {
			s.pos = begin
			return Header{}, false, nil
		}
		if h, ok, err := s.candidate(want, limit); ok || err != nil {
			return h, ok, err
		}
	}
	for s.pos = begin + 1; s.pos+HeaderSize <= s.limit; s.pos++ {
		b, err := s.peek(HeaderSize)
		if err != nil {
			return Header{}, false, err
		}
		if len(b) < HeaderSize {
			break
		}
		if b[16] != 2 || b[0] != 0 {
			continue
		}
		if h, ok, err := s.candidate(want, limit); ok || err != nil {
			return h, ok, err
		}
	}
	s.pos = begin
	return Header{}, false, nil
}

func (s *scanner) candidate(want, limit int64) (Header, bool, error) {
	h, err := s.header()
	if err == nil && (h.BaseOffset < want || h.BaseOffset-want > maxOffsetStep || h.BaseOffset >= limit) {
		return h, false, nil
	}
	if err == nil {
		h, _, err = s.batch()
	}
	if err == nil {
		return h, true, nil
	}
	if isBad(err) || errors.Is(err, io.EOF) {
		return h, false, nil
	}
	return h, false, err
}

// hasZeroSector tells whether a whole sector of [from, to) is zero: a write that never reached the disk.
func hasZeroSector(f vfs.File, from, to int64) (bool, error) {
	var b [sectorSize]byte
	for at := (from + sectorSize - 1) / sectorSize * sectorSize; at+sectorSize <= to; at += sectorSize {
		n, err := readAt(f, b[:], at)
		if err != nil {
			return false, err
		}
		if n == sectorSize && allZero(b[:]) {
			return true, nil
		}
	}
	return false, nil
}

func allZero(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c != 0 })
}

// finish cuts the torn tail and puts the journal at its durable end.
func (r *recovering) finish() error {
	j := r.Journal
	e := j.active()
	if r.bad != nil {
		if r.bad.e != e {
			return &DamageError{File: r.bad.e.name(), Pos: r.bad.pos, Want: r.bad.want, Why: "a later extent exists"}
		}
		r.recovery.TailCut += e.size - r.bad.pos
		r.cutFrom, r.want = r.bad.pos, r.bad.want
		e.size, e.synced, e.end = r.bad.pos, r.bad.pos, r.bad.want
		e.index, r.bad = &index{}, nil
		x, err := buildIndex(e.file.f, e.base, e.size, nil)
		if err != nil {
			return err
		}
		e.index = x
	}
	if r.cutFrom >= 0 {
		if err := j.cutTail(e, r.cutFrom); err != nil {
			return err
		}
	}
	j.durable, j.reserved = r.want, e.size
	if r.want < r.floor {
		if err := r.belowFloor(e); err != nil {
			return err
		}
	}
	j.start = min(max(j.start, j.extents[0].base), j.durable)
	j.noteEpoch()
	return nil
}

// belowFloor handles an end before the one that the checkpoint says was durable: offsets are never given twice.
func (r *recovering) belowFloor(e *extent) error {
	if r.cfg.Own {
		return &DamageError{File: e.name(), Pos: e.size, Want: r.want, Why: fmt.Sprintf("the checkpoint says that offset %d was durable", r.floor)}
	}
	r.addHole(Hole{From: r.want, To: r.floor, Extent: e.base, Pos: e.size, PosEnd: e.size})
	next, err := r.createExtent(r.floor)
	if err != nil {
		return err
	}
	e.end = r.floor
	r.extents = append(r.extents, next)
	r.durable, r.reserved = r.floor, minReserve
	return nil
}

func (j *Journal) noteEpoch() {
	if n := len(j.epochs); j.cfg.LeaderEpoch > 0 && (n == 0 || j.epochs[n-1].Epoch < j.cfg.LeaderEpoch) {
		j.epochs = append(j.epochs, epochStart{j.cfg.LeaderEpoch, j.durable})
		j.epochs = j.epochs[max(0, len(j.epochs)-maxEpochs):]
	}
}

// cutTail keeps what is behind pos in the quarantine folder and cuts it off.
func (j *Journal) cutTail(e *extent, pos int64) error {
	file, err := e.openLocked(j.cfg.FS)
	if err != nil {
		return err
	}
	defer file.releaseLocked()
	b := make([]byte, j.recovery.TailCut)
	n, err := readAt(file.f, b, pos)
	if err != nil {
		return err
	}
	if b = b[:n]; !allZero(b) {
		dir := filepath.Join(j.cfg.Dir, quarantineDir)
		if err := vfs.MkdirDurable(j.cfg.FS, dir); err != nil {
			return err
		}
		name := filepath.Join(dir, fmt.Sprintf("%020d.%d.tail", e.base, pos))
		if err := vfs.WriteFileAtomic(j.cfg.FS, name, b); err != nil {
			return err
		}
		j.recovery.TailSaved = name
		j.cfg.Log.Warn("torn tail cut: it was never acknowledged", "file", e.name(), "at", pos, "bytes", n, "kept", name)
	}
	if err := file.f.Truncate(pos); err != nil {
		return err
	}
	return file.f.Sync()
}

// addHole notes a hole once and says so.
func (j *Journal) addHole(h Hole) {
	if slices.ContainsFunc(j.holes, func(o Hole) bool { return o.From == h.From && o.To == h.To && o.Extent == h.Extent }) {
		return
	}
	j.holes = append(j.holes, h)
	slices.SortFunc(j.holes, func(a, b Hole) int { return int(min(1, max(-1, a.From-b.From))) })
	attrs := []any{"file", fileName(j.cfg.Dir, h.Extent, logSuffix), "at", h.Pos, "bytes", h.PosEnd - h.Pos, "from", h.From, "to", h.To}
	if h.Torn {
		j.cfg.Log.Warn("hole: a write did not reach the disk", attrs...)
		return
	}
	j.cfg.Log.Error("hole: bytes are damaged", attrs...)
}

// buildIndex makes the index of the first size bytes by reading their headers.
func buildIndex(f vfs.File, base, size int64, holes []Hole) (*index, error) {
	x := &index{}
	s := newScanner(f, 0, size)
	for {
		h, err := s.header()
		if errors.Is(err, io.EOF) {
			return x, nil
		}
		if isBad(err) || err == nil && h.BaseOffset < base {
			i := slices.IndexFunc(holes, func(o Hole) bool { return o.Extent == base && o.Pos == s.pos && o.PosEnd > o.Pos })
			if i < 0 {
				return x, nil // what follows is found by a walk from the last entry, or told as a hole
			}
			s.pos = holes[i].PosEnd
			continue
		}
		if err != nil {
			return nil, err
		}
		x.note(&h, base, s.pos)
		s.skip(&h)
	}
}
