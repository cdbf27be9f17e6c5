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

// heldCopy is a file that is not a source yet: a rotation that holds what a live source holds, because a copy is being made before the
// file is truncated; or a file of the same chain that is younger than a rotation nobody can tell yet.
type heldCopy struct {
	entry   entry
	in      *compiled
	chain   *chain
	rotated bool
	src     *source   // which it is a copy of, or may be; nil for one that waits for another
	unsure  bool      // it is too short yet to tell, or waits for one that is
	since   time.Time // when it was first seen
}

// holdLocked holds a rotation back when it begins as a live source of its chain does, and ends as that does at the same place, or that
// has been truncated already. One that is too short to tell is held for a while, and so are the younger files of its chain.
func (k *keeper) holdLocked(e *entry, in *compiled, c *chain, rotated bool, now time.Time) bool {
	at := e.st.place
	h := k.held[at]
	if h == nil {
		h = &heldCopy{since: now}
	}
	src, sure := k.copiedFrom(e, c, rotated, now.Sub(h.since) < k.a.cfg.timing.copyWait)
	if src == nil && !k.behindLocked(e, c) {
		delete(k.held, at)
		return false
	}
	if h.chain == nil {
		k.a.log.Debug("file held back", "path", e.path, "copy", src != nil, "sure", sure)
	}
	h.entry, h.in, h.chain, h.rotated, h.src, h.unsure = *e, in, c, rotated, src, !sure
	k.held[at] = h
	return true
}

// copiedFrom is the source of c that e is a copy of, or, with doubt, may be.
func (k *keeper) copiedFrom(e *entry, c *chain, rotated, doubt bool) (src *source, sure bool) {
	if !rotated {
		return nil, false
	}
	for _, s := range c.list {
		if s.compressed || s.phase != reading && s.phase != suspect {
			continue
		}
		same, unsure := k.isCopy(e, s)
		unsure = unsure && !(s.gone && s.file == nil) // a copy of what is gone has been made already
		if same || unsure && doubt {
			return s, same
		}
	}
	return nil, false
}

// behindLocked reports whether an older file of the chain is held because nobody can tell yet what it is.
func (k *keeper) behindLocked(e *entry, c *chain) bool {
	for at, h := range k.held {
		if at != e.st.place && h.chain == c && h.unsure && h.src != nil && h.entry.st.size > 0 && olderFirst(&h.entry, e) < 0 {
			return true
		}
	}
	return false
}

// unsure looks again, oldest first, at files that are held until something is known, and at copies of sources that are over. Those that
// are gone are forgotten.
func (k *keeper) unsure(now time.Time) {
	var again map[*dir]names
	k.a.mu.Lock()
	for at, h := range k.held {
		if !h.unsure && (h.src.phase == reading || h.src.phase == suspect) {
			continue
		}
		d := k.a.dirs[filepath.Dir(h.entry.path)]
		st, err := statPath(h.entry.path, true)
		if d == nil || err != nil || st.place != at {
			if now.Sub(h.since) > 2*k.a.cfg.timing.copyWait {
				delete(k.held, at)
			}
			continue
		}
		if again == nil {
			again = map[*dir]names{}
		}
		if again[d] == nil {
			again[d] = names{}
		}
		again[d][h.entry.name] = ""
	}
	k.a.mu.Unlock()
	for d, list := range again {
		k.look(d, list, now)
	}
}

// unsureHeld reports whether files are held that have to be looked at again soon.
func (k *keeper) unsureHeld() bool {
	for _, h := range k.held {
		if h.unsure {
			return true
		}
	}
	return false
}

// isCopy compares a file with a live source: it must begin with the same head, and end with what that holds at the same place.
func (k *keeper) isCopy(e *entry, s *source) (same, unsure bool) {
	sv, ok := k.a.reg.get(s.ref)
	if !ok || e.st.size == 0 {
		return false, true
	}
	if sv.headLen == 0 {
		return false, k.sameBeginning(e, s)
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
	live, done, err := k.contentOf(s)
	if err != nil {
		return long, !long
	}
	defer done()
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

// contentOf is what can be read of s now: by the descriptor it has, which a.mu keeps open, or by its path.
func (k *keeper) contentOf(s *source) (f io.ReaderAt, done func(), err error) {
	if s.file != nil {
		return s.file, func() {}, nil
	}
	file, err := openAt(s.path, s.place)
	if err != nil {
		return nil, nil, err
	}
	return file, func() { file.Close() }, nil
}

// sameBeginning reports whether e and the file of s begin with the same bytes; an empty one does not.
func (k *keeper) sameBeginning(e *entry, s *source) bool {
	f, err := openAt(e.path, e.st.place)
	if err != nil {
		return false
	}
	defer f.Close()
	live, done, err := k.contentOf(s)
	if err != nil {
		return false
	}
	defer done()
	x, y := make([]byte, headBytes), make([]byte, headBytes)
	n, _ := f.ReadAt(x, 0)
	m, _ := live.ReadAt(y, 0)
	n = min(n, m)
	return n > 0 && bytes.Equal(x[:n], y[:n])
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
		k.emptied[s.place] = emptied{s.chain, s.in, s.chain.after(s)}
		if e := k.findCopy(s); e != nil {
			s.chain.rotated = true
			k.continueLocked(s, e, now)
		} else if now.Sub(s.since) < k.a.cfg.timing.copyWait {
			return false
		} else {
			k.skipCopies(s)
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
	for _, e := range k.rotationsOf(s) {
		if holdsSource(e, s) {
			delete(k.held, e.st.place)
			delete(k.skipped, e.st.place)
			return e
		}
	}
	return nil
}

// skipCopies leaves alone what was copied of s before it was read so far: it begins as s does, and ends earlier.
func (k *keeper) skipCopies(s *source) {
	if s.head.len == 0 {
		return
	}
	for _, e := range k.rotationsOf(s) {
		if e.st.size >= s.pos {
			continue
		}
		if f, err := openAt(e.path, e.st.place); err == nil {
			if prefixIs(f, s.head.len, s.head.sum) {
				k.skipped[e.st.place] = struct{}{}
			}
			f.Close()
		}
	}
}

// rotationsOf are the files that are named like rotations of s, or of what s is a rotation of, and are no source.
func (k *keeper) rotationsOf(s *source) []*entry {
	dir, base := filepath.Split(s.path)
	dir = filepath.Clean(dir)
	names := append([]string{base}, rotationBases(base)...)
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []*entry
	for _, de := range list {
		name := de.Name()
		if !slices.ContainsFunc(names, func(b string) bool { return isRotationOf(name, b) }) {
			continue
		}
		e := &entry{name: name, path: filepath.Join(dir, name)}
		if e.st, err = statPath(e.path, false); err != nil || !e.st.regular() {
			continue
		}
		if o := k.a.byInode[e.st.place.inode()]; o == nil || o.place.reused(e.st.place) {
			out = append(out, e)
		}
	}
	return out
}

// holdsSource proves head and tail of s in another file. A source of which nothing was read has no proof.
func holdsSource(e *entry, s *source) bool {
	if s.head.len == 0 {
		return false
	}
	var f content
	var err error
	if isCompressed(e.path, e.st.place) {
		f, err = openCompressed(e.path, e.st.place)
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
	s.compressed = isCompressed(e.path, e.st.place)
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
	s.sought = true
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
