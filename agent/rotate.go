package agent

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// heldCopy is a rotation that holds what a live source holds: a copy that is being made before the file is truncated.
type heldCopy struct {
	entry  entry
	src    *source
	unsure bool      // it is too short yet to tell
	since  time.Time // when it was first seen
}

// holdLocked holds a rotation back when it begins as a live source of its chain does, and ends as that does at the same place, or that
// has been truncated already. One that is too short to tell is held for a while.
func (k *keeper) holdLocked(e *entry, c *chain, now time.Time) bool {
	at := e.st.place
	h := k.held[at]
	if h == nil {
		h = &heldCopy{since: now}
	}
	for _, s := range c.list {
		if s.compressed || s.phase != reading && s.phase != suspect {
			continue
		}
		same, unsure := k.isCopy(e, s)
		unsure = unsure && !(s.gone && s.file == nil) // a copy of what is gone has been made already
		if same || unsure && now.Sub(h.since) < k.a.cfg.timing.copyWait {
			if h.src == nil {
				k.a.log.Debug("copy held back", "path", e.path, "source", s.id, "sure", same)
			}
			h.entry, h.src, h.unsure = *e, s, !same
			k.held[at] = h
			return true
		}
	}
	delete(k.held, at)
	return false
}

// unsure looks again at copies that were too short to tell, and at those of sources that are over.
func (k *keeper) unsure(now time.Time) {
	for _, h := range k.held {
		k.a.mu.Lock()
		over := h.src.phase != reading && h.src.phase != suspect
		k.a.mu.Unlock()
		if h.unsure || over {
			if d := k.a.dirs[filepath.Dir(h.entry.path)]; d != nil {
				k.look(d, names{h.entry.name: ""}, now)
			}
		}
	}
}

// isCopy compares a file with a live source: it must begin with the same head, and end with what that holds at the same place.
func (k *keeper) isCopy(e *entry, s *source) (same, unsure bool) {
	sv, ok := k.a.reg.get(s.ref)
	if !ok || e.st.size == 0 {
		return false, true
	}
	if sv.headLen == 0 {
		return false, sameBeginning(e.path, e.st.place, s.path, s.place)
	}
	f, err := openAt(e.path, e.st.place)
	if err != nil {
		return false, true
	}
	defer f.Close()
	long := e.st.size >= int64(sv.headLen)
	if long && !prefixIs(f, sv.headLen, sv.headSum) {
		return false, false
	}
	live, err := openAt(s.path, s.place)
	if err != nil {
		return long, !long
	}
	defer live.Close()
	if !prefixIs(live, sv.headLen, sv.headSum) {
		return long, !long // truncated already
	}
	n := min(e.st.size, tailBytes)
	a, b := make([]byte, n), make([]byte, n)
	if _, err := f.ReadAt(a, e.st.size-n); err != nil {
		return false, true
	}
	if _, err := live.ReadAt(b, e.st.size-n); err != nil {
		return errors.Is(err, io.EOF), false
	}
	same = bytes.Equal(a, b)
	return same && long, same && !long
}

// sameBeginning reports whether two files begin with the same bytes; an empty one does not.
func sameBeginning(x string, xp place, y string, yp place) bool {
	var heads [2][]byte
	for i, path := range [...]string{x, y} {
		f, err := openAt(path, [...]place{xp, yp}[i])
		if err != nil {
			return false
		}
		heads[i] = make([]byte, headBytes)
		n, _ := f.ReadAt(heads[i], 0)
		heads[i] = heads[i][:n]
		f.Close()
	}
	n := min(len(heads[0]), len(heads[1]))
	return n > 0 && bytes.Equal(heads[0][:n], heads[1][:n])
}

// prefixIs reports whether the first n bytes of f have that SHA-256.
func prefixIs(f io.ReaderAt, n int, sum [32]byte) bool {
	b := make([]byte, n)
	if m, _ := f.ReadAt(b, 0); m != n {
		return false
	}
	return sha256.Sum256(b) == sum
}

// truncated decides about sources whose file holds other bytes: they go on in a copy, or end. The file itself is a new one then, and so
// may be rotations that were made since.
func (k *keeper) truncated(now time.Time) {
	var again []*dir
	k.a.mu.Lock()
	k.a.suspects = slices.DeleteFunc(k.a.suspects, func(s *source) bool {
		if s.phase != suspect {
			return true
		}
		d := k.a.dirLocked(filepath.Dir(s.path))
		k.emptied[s.place] = s.chain
		if e := k.findCopy(s); e != nil {
			s.chain.rotated = true
			k.continueLocked(s, e, now)
		} else if now.Sub(s.since) < k.a.cfg.timing.copyWait {
			return false
		} else {
			k.a.closeLocked(s)
			k.a.endLocked(s, endTruncated, s.size-s.pos)
		}
		s.chain.rotated = true
		again = append(again, d)
		return true
	})
	k.a.mu.Unlock()
	for _, d := range again {
		k.look(d, nil, now)
	}
	clear(k.emptied)
}

// findCopy looks for a rotation of the source's name that begins as it does and holds the bytes before its position.
func (k *keeper) findCopy(s *source) *entry {
	for at, h := range k.held {
		if h.src == s && holdsSource(&h.entry, s) {
			delete(k.held, at)
			return &h.entry
		}
	}
	dir, base := filepath.Split(s.path)
	dir = filepath.Clean(dir)
	names := []string{base}
	for _, b := range rotationBases(base) {
		names = append(names, b)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, de := range list {
		name := de.Name()
		if !slices.ContainsFunc(names, func(b string) bool { return isRotationOf(name, b) }) {
			continue
		}
		e := &entry{name: name, path: filepath.Join(dir, name)}
		if e.st, err = statPath(e.path, false); err != nil || !e.st.regular() {
			continue
		}
		if o := k.a.byInode[e.st.place.inode()]; o != nil && !o.place.reused(e.st.place) {
			continue
		}
		if holdsSource(e, s) {
			delete(k.held, e.st.place)
			delete(k.skipped, e.st.place)
			return e
		}
	}
	return nil
}

// holdsSource proves head and tail of s in another file. A source of which nothing was read has no proof.
func holdsSource(e *entry, s *source) bool {
	if s.head.len == 0 {
		return false
	}
	var f content
	var err error
	if isGzip(e.path, e.st.place) {
		f, err = openGzip(e.path, e.st.place)
	} else {
		f, err = openAt(e.path, e.st.place)
	}
	if err != nil {
		return false
	}
	defer f.Close()
	if !prefixIs(f, s.head.len, s.head.sum) {
		return false
	}
	t := make([]byte, min(s.pos, tailBytes))
	if n, _ := f.ReadAt(t, s.pos-int64(len(t))); n != len(t) {
		return false
	}
	if s.tailKnown {
		return bytes.Equal(t, s.tail.bytes())
	}
	return tailSum(t) == s.tailSum
}

// continueLocked lets s go on in a copy of its file.
func (k *keeper) continueLocked(s *source, e *entry, now time.Time) {
	a := k.a
	a.log.Debug("source goes on in a copy", "path", s.path, "copy", e.path, "source", s.id, "position", s.pos)
	a.closeLocked(s)
	a.detachLocked(s)
	s.path, s.place, s.gone, s.replaced, s.since = e.path, e.st.place, false, true, now
	s.compressed = isGzip(e.path, e.st.place)
	s.finish = s.compressed // nothing will be added to it
	a.byInode[s.place.inode()] = s
	d := a.dirLocked(filepath.Dir(s.path))
	d.files[filepath.Base(s.path)] = s
	s.watchSize, s.watchTime = e.st.size, e.st.mtime
	s.phase, s.atEOF, s.quietSince = reading, false, now
	k.endings[s] = struct{}{}
	var flags uint8
	if s.compressed {
		flags = flagCompressed
	}
	path, pl := s.path, s.place
	a.reg.change(s.ref, dirtyOpen, func(sv *saved) { sv.path, sv.place, sv.flags = path, pl, flags })
	s.chain.lane.wake(s)
}

// end ends sources that are gone or replaced, once nothing comes any more.
func (k *keeper) end(now time.Time) {
	a := k.a
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.finished {
		if s.phase == finished {
			a.endLocked(s, endRemoved, 0)
		}
		delete(k.endings, s)
	}
	a.finished = nil
	for s := range k.endings {
		if k.endingLocked(s, now) {
			delete(k.endings, s)
		}
	}
}

// endingLocked does what is due for one of them, and reports whether nothing is left to do.
func (k *keeper) endingLocked(s *source, now time.Time) bool {
	t := &k.a.cfg.timing
	switch {
	case s.phase == ended:
		return true
	case s.phase != reading || s.finish:
		return false
	case s.gone && s.file == nil:
		return k.unreachableLocked(s, now)
	case s.gone && s.atEOF && (s.in.conf.CloseRemoved || now.Sub(later(s.quietSince, s.since)) >= t.gone),
		s.gone && now.Sub(s.since) >= t.hold:
		s.finish, s.why = true, endRemoved
		s.chain.lane.wake(s)
		return false
	case s.gone:
		return false
	case s.replaced && s.atEOF && s.in.conf.CloseRenamed,
		s.replaced && s.atEOF && now.Sub(later(s.quietSince, s.since)) >= t.quiet && s.chain.after(s) != nil:
		s.finish = true
		s.chain.lane.wake(s)
		return true
	}
	return !s.replaced
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// unreachableLocked: the file of s is gone and no descriptor was open. It may have been moved or compressed.
func (k *keeper) unreachableLocked(s *source, now time.Time) bool {
	if e := k.findMoved(s); e != nil {
		k.renamedLocked(s, k.a.dirLocked(filepath.Dir(e.path)), e, now)
		return false
	}
	if e := k.findCopy(s); e != nil {
		k.continueLocked(s, e, now)
		return false
	}
	if now.Sub(s.since) < k.a.cfg.timing.copyWait {
		return false
	}
	if _, err := os.Stat(filepath.Dir(s.path)); err != nil && now.Sub(s.since) < cleanAfter(s.in) {
		return false // its directory is away: a mount may come back
	}
	if !s.in.conf.CleanRemoved && now.Sub(s.since) < cleanAfter(s.in) {
		return false
	}
	k.a.endLocked(s, endRemoved, max(s.size, s.watchSize)-s.pos)
	return true
}

// cleanDefault is how long the place of a missing file is kept when nothing is set.
const cleanDefault = 7 * 24 * time.Hour

func cleanAfter(in *compiled) time.Duration {
	if in.conf.CleanInactive > 0 {
		return in.conf.CleanInactive
	}
	return cleanDefault
}

// lost looks, after the first scan, for the files of sources that were not found at their place.
func (k *keeper) lost(now time.Time) {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	for _, s := range k.a.sources {
		if !s.known && s.phase == reading && !s.gone {
			k.vanishedLocked(s, now)
		}
	}
}
