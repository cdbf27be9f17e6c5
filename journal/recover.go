package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
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

	// Accepted: Repair was told to live without it. Readers may step over it, as over a torn one.
	Accepted bool `json:"accepted,omitempty"`
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

// strict tells that damage is a reason not to open.
func (j *Journal) strict() bool { return j.cfg.Own && !j.cfg.repair }

// recovering is the state of a scan.
type recovering struct {
	*Journal
	want    int64 // offset of the next batch
	floor   int64 // what the checkpoint says was durable
	largest int64 // time in the extent of the checkpoint
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
	if err := j.cfg.FS.SyncDir(j.cfg.Dir); err != nil { // a process before us may have failed to: what is seen now must be on the disk
		return err
	}
	if err := j.settleFile(filepath.Join(j.cfg.Dir, checkpointName), 0); err != nil {
		return err
	}
	body, found, err := j.loadCheckpoint()
	if err != nil {
		return err
	}
	if err := j.findExtents(); err != nil {
		return err
	}
	j.start, j.epochs, j.holes = body.Start, body.Epochs, body.Holes
	j.recovery.Clean = found && j.ckpt.clean
	if len(j.extents) == 0 {
		if err := j.beginAt(body.End); err != nil {
			return err
		}
	}
	if !found {
		j.start = j.extents[0].base
	}
	r := &recovering{Journal: j, cutFrom: -1, floor: body.End, largest: body.Time}
	if err := r.scan(body, found); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	j.recovery.Holes = slices.Clone(j.holes)
	return j.loadState(body, found)
}

// beginAt makes the first extent of a journal that has none.
func (j *Journal) beginAt(offset int64) error {
	e, err := j.createExtent(offset)
	if err != nil {
		return err
	}
	j.extents = []*extent{e}
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
	}
	return j.listExtents(entries)
}

// listExtents makes the list of extents from the names in the folder, by base offset.
func (j *Journal) listExtents(entries []fs.DirEntry) error {
	for _, d := range entries {
		base, ok := parseName(d.Name(), logSuffix)
		if !ok {
			continue
		}
		fi, err := j.cfg.FS.Stat(filepath.Join(j.cfg.Dir, d.Name()))
		if err != nil {
			return err
		}
		e := &extent{dir: j.cfg.Dir, base: base, end: base, size: fi.Size(), synced: fi.Size(), first: fi.ModTime(), appended: fi.ModTime()}
		j.extents = append(j.extents, e)
	}
	slices.SortFunc(j.extents, func(a, b *extent) int { return cmp.Compare(a.base, b.base) })
	for i, e := range j.extents[:max(0, len(j.extents)-1)] {
		e.end = j.extents[i+1].base
	}
	return nil
}

// scan checks what the checkpoint does not vouch for: the bytes behind its position, all of the extents after it, everything when
// there is no checkpoint.
func (r *recovering) scan(body checkpointBody, found bool) error {
	first := r.extents[0]
	if first.base > r.start {
		if err := r.missing(first, r.start, first.base); err != nil {
			return err
		}
	}
	from, pos := 0, int64(0)
	r.want = first.base
	if i := slices.IndexFunc(r.extents, func(e *extent) bool { return e.base == body.Extent }); found && i >= 0 {
		from, r.want = i, body.Extent
		if r.extents[i].size >= body.Position {
			pos, r.want = body.Position, body.End
		}
	}
	if last := len(r.extents) - 1; !r.recovery.Clean {
		durable := int64(0)
		if last == from {
			durable = pos
		}
		if err := r.settleFile(r.active().name(), durable); err != nil {
			return err
		}
	}
	for i := from; i < len(r.extents); i++ {
		e := r.extents[i]
		if err := r.scanExtent(e, pos, i+1 == len(r.extents)); err != nil {
			return fmt.Errorf("scan %s: %w", e.name(), err)
		}
		pos = 0
	}
	return nil
}

// settleFile makes the page cache tell the truth about a file that was written in place, from byte from on: after a failed sync in a life before, it may
// hold bytes that the disk does not. The sync leaves no page dirty, so that all are dropped and read again.
func (j *Journal) settleFile(name string, from int64) error {
	f, err := j.cfg.FS.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = f.Forget(from, fi.Size()-from)
	}
	return errors.Join(err, f.Close())
}

// missing handles offsets [from, to) for which e should have batches and has none. They had been durable: a roll syncs before it goes
// on, and extents are removed only below the start.
func (r *recovering) missing(e *extent, from, to int64) error {
	if r.strict() {
		return &DamageError{File: e.name(), Pos: e.size, Want: from, Why: fmt.Sprintf("batches up to offset %d are missing", to)}
	}
	r.addHole(Hole{From: from, To: to, Extent: e.base, Pos: e.size, PosEnd: e.size})
	return nil
}

// scanExtent checks e from byte pos on.
func (r *recovering) scanExtent(e *extent, pos int64, last bool) error {
	file, err := r.pool.files.use(r.cfg.FS, e)
	if err != nil {
		return err
	}
	defer r.pool.files.done(file)
	if err := r.indexBefore(e, file.f, pos, r.largest); err != nil {
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
func (r *recovering) indexBefore(e *extent, f vfs.File, pos, largest int64) error {
	e.index = &index{}
	if pos == 0 {
		return nil
	}
	x, err := loadIndex(r.cfg.FS, e, e.size)
	if err == nil {
		x.cut(pos)
		if err = x.complete(f, place{e: e, size: pos, limit: math.MaxInt64}); err == nil && x.maxTime < largest {
			err = errBadIndex
		}
	}
	if err == nil {
		e.index = x
		return nil
	}
	if !isBad(err) && !errors.Is(err, errBadIndex) && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	e.index, err = buildIndex(f, e.base, pos, math.MaxInt64)
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
	if r.strict() && last && r.ckpt.clean {
		return false, &DamageError{File: e.name(), Pos: pos, Want: r.want, Why: "bad bytes after a clean stop"}
	}
	if !found {
		return false, r.endExtent(e, pos, last)
	}
	if r.strict() {
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
	if r.want >= e.end {
		return nil
	}
	want := r.want
	r.want = e.end
	return r.missing(e, want, e.end)
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
		if err := r.dropSuspect(e); err != nil {
			return err
		}
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
	j.start = min(j.start, j.durable)
	for _, e := range j.extents[:len(j.extents)-1] {
		if e.index != nil {
			j.indexes++
		}
	}
	j.shrinkIndexesLocked()
	j.noteEpoch()
	return j.endTrim()
}

// dropSuspect takes the bad bytes, which no later payload proved to be durable, and all behind them for a torn tail of e.
func (r *recovering) dropSuspect(e *extent) error {
	bad := r.bad
	if bad.e != e {
		return &DamageError{File: bad.e.name(), Pos: bad.pos, Want: bad.want, Why: "the next extent exists"}
	}
	file, err := r.pool.files.use(r.cfg.FS, e)
	if err != nil {
		return err
	}
	defer r.pool.files.done(file)
	fi, err := file.f.Stat()
	if err != nil {
		return err
	}
	r.cutFrom, r.want, r.recovery.TailCut = bad.pos, bad.want, fi.Size()-bad.pos
	e.size, e.synced, e.end = bad.pos, bad.pos, bad.want
	e.index, err = buildIndex(file.f, e.base, e.size, math.MaxInt64)
	return err
}

// endTrim removes extents that a Trim cut short by a crash left below the start.
func (j *Journal) endTrim() error {
	n := 0
	for n < len(j.extents)-1 && j.extents[n].end <= j.start {
		n++
	}
	return j.dropExtents(j.extents[:n:n])
}

// belowFloor handles an end before the one that the checkpoint says was durable: offsets are never given twice.
func (r *recovering) belowFloor(e *extent) error {
	if r.strict() {
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
	file, err := j.pool.files.use(j.cfg.FS, e)
	if err != nil {
		return err
	}
	defer j.pool.files.done(file)
	name, err := j.quarantine(e, file.f, pos, j.recovery.TailCut)
	if err != nil {
		return fmt.Errorf("keep the torn tail of %s: %w", e.name(), err)
	}
	if name != "" {
		j.recovery.TailSaved = name
		j.cfg.Log.Warn("torn tail cut: it was never acknowledged", "file", e.name(), "at", pos, "bytes", j.recovery.TailCut, "kept", name)
	}
	if err := file.f.Truncate(pos); err != nil {
		return err
	}
	return file.f.Sync()
}

// quarantine copies n bytes of e from pos on into a file of their own and returns its name; "" when they are all zero.
func (j *Journal) quarantine(e *extent, f vfs.File, pos, n int64) (string, error) {
	dir := filepath.Join(j.cfg.Dir, quarantineDir)
	name := filepath.Join(dir, fmt.Sprintf("%020d.%d.bad", e.base, pos))
	var out vfs.File
	buf := make([]byte, min(n, scanWindow))
	for at := int64(0); at < n; {
		got, err := readAt(f, buf[:min(n-at, int64(len(buf)))], pos+at)
		if err == nil && got > 0 && out == nil && !allZero(buf[:got]) {
			if err = vfs.MkdirDurable(j.cfg.FS, dir); err == nil {
				out, err = j.cfg.FS.Create(name + vfs.TempSuffix)
			}
		}
		if err == nil && out != nil {
			_, err = out.WriteAt(buf[:got], at)
		}
		if err != nil {
			return "", errors.Join(err, closeFile(out))
		}
		if got == 0 {
			break
		}
		at += int64(got)
	}
	if out == nil {
		return "", nil
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return "", err
	}
	if err := j.cfg.FS.Rename(name+vfs.TempSuffix, name); err != nil {
		return "", err
	}
	return name, j.cfg.FS.SyncDir(dir)
}

func closeFile(f vfs.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// addHole notes a hole once and says so. A list that is full forgets the oldest: reads find it again by the CRC.
func (j *Journal) addHole(h Hole) {
	if h.From >= h.To {
		return
	}
	if slices.ContainsFunc(j.holes, func(o Hole) bool { return o.From == h.From && o.To == h.To && o.Extent == h.Extent }) {
		return
	}
	j.holes = append(j.holes, h)
	slices.SortFunc(j.holes, func(a, b Hole) int { return cmp.Compare(a.From, b.From) })
	j.holes = j.holes[max(0, len(j.holes)-maxHoles):]
	attrs := []any{"file", fileName(j.cfg.Dir, h.Extent, logSuffix), "at", h.Pos, "bytes", h.PosEnd - h.Pos, "from", h.From, "to", h.To}
	if h.Torn {
		j.cfg.Log.Warn("hole: a write did not reach the disk", attrs...)
		return
	}
	j.cfg.Log.Error("hole: bytes are damaged", attrs...)
}
