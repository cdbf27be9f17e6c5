package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

var errAnother = errors.New("another file has this name now")

// openLocked opens the file of s by its path and proves that it is the one that was meant.
func (a *Agent) openLocked(s *source) error {
	if s.compressed {
		f, err := openCompressed(s.path, s.place)
		if err != nil {
			return err
		}
		s.file = f
		a.open++
		return nil
	}
	f, err := openAt(s.path, s.place)
	if err != nil {
		return err
	}
	s.file = f
	a.open++
	return nil
}

// openAt opens the file at path and proves that it is the one at p: names change hands between two calls.
func openAt(path string, p place) (*os.File, error) {
	f, err := openLog(path)
	if err != nil {
		return nil, err
	}
	st, err := statFile(f)
	if err == nil && !st.regular() {
		err = fmt.Errorf("%s is no regular file", path)
	}
	if err == nil && (st.place.inode() != p.inode() || st.place.reused(p)) {
		err = fmt.Errorf("%s: %w", path, errAnother)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// closeLocked closes the file of s. Only its lane may, or who runs when the lanes do not.
func (a *Agent) closeLocked(s *source) {
	if s.file == nil {
		return
	}
	if err := s.file.Close(); err != nil {
		a.log.Warn("file not closed", "path", s.path, "error", err)
	}
	s.file = nil
	a.open--
}

// cannotOpenLocked notes why; the keeper looks at the directory, and tries again.
func (a *Agent) cannotOpenLocked(s *source, err error, now time.Time) {
	a.restedLocked(s)
	s.retryAt = now.Add(a.cfg.timing.reread)
	a.retry = append(a.retry, s)
	if s.fault == "" && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errAnother) {
		a.log.Warn("file not readable", "path", s.path, "error", err)
	}
	s.fault = err.Error()
	a.poke()
}

// mayFollowLocked reports whether s may be read: what precedes it in its chain is at its end, or made no progress for a while.
func (a *Agent) mayFollowLocked(s *source, now time.Time) bool {
	var progress int64
	done := !s.chain.rotated || s.chain.before(s) == nil // rotations that are not found yet may come before s
	for p := s.chain.before(s); p != nil; p = s.chain.before(p) {
		done = done && (p.atEOF || p.phase == finished || p.phase == dormant || p.missed())
		progress += p.account.position.Load()
	}
	if done {
		s.blocked = false
		return true
	}
	if !s.blocked || progress != s.blockedAt {
		s.blocked, s.blockedAt, s.blockedSince = true, progress, now
		return false
	}
	return now.Sub(s.blockedSince) >= a.cfg.timing.succession
}

// missed reports whether the file of s was gone before this process could open it, was looked for under other names and compressed, and
// all that is known of it has been read. Should it turn up later, what was added to it since comes late.
func (s *source) missed() bool {
	return s.gone && s.file == nil && s.sought && s.account.position.Load() >= s.account.size.Load()
}

// mayReadLocked applies the harvester limit of the input: a file that may not be read now waits until another is read to its end.
func (a *Agent) mayReadLocked(s *source) bool {
	in := s.in
	if in.conf.HarvesterLimit == 0 {
		return true
	}
	if _, ok := in.busy[s]; !ok && len(in.busy) >= in.conf.HarvesterLimit {
		if !slices.Contains(in.queue, s) {
			in.queue = append(in.queue, s)
		}
		return false
	}
	in.busy[s] = struct{}{}
	return true
}

// restedLocked lets another file of the input be read: the one that was written to longest ago.
func (a *Agent) restedLocked(s *source) {
	in := s.in
	delete(in.busy, s)
	in.queue = slices.DeleteFunc(in.queue, func(o *source) bool { return o.phase != reading })
	if len(in.queue) == 0 {
		return
	}
	oldest := 0
	for i, o := range in.queue {
		if o.watchTime.Before(in.queue[oldest].watchTime) {
			oldest = i
		}
	}
	next := in.queue[oldest]
	in.queue = slices.Delete(in.queue, oldest, oldest+1)
	next.chain.lane.wake(next)
}

// hasSuccessor reports whether a source follows s in its chain.
func (a *Agent) hasSuccessor(s *source) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return s.chain.after(s) != nil
}

// endLocked forgets s. unread is the number of its bytes that nobody will read. Only the keeper calls it.
func (a *Agent) endLocked(s *source, why endReason, unread int64) {
	if s.phase == ended {
		return
	}
	s.phase = ended
	a.restedLocked(s)
	a.log.Debug("source ended", "path", s.path, "source", s.id, "why", why.String())
	if unread > 0 {
		s.account.lost.Add(unread)
		a.stats.lost.Add(unread)
		a.log.Warn("bytes of a log file are gone unread", "path", s.path, "bytes", unread, "why", why.String())
	}
	a.stats.pastRead.Add(s.account.read.Load())
	a.stats.pastLines.Add(s.account.lines.Load())
	a.detachLocked(s)
	next := s.chain.after(s)
	a.doneLocked(s, why)
	s.chain.list = slices.DeleteFunc(s.chain.list, func(o *source) bool { return o == s })
	delete(a.sources, s.ref)
	a.reg.end(s.ref, why, unread)
	a.ann.ended(s, why, unread)
	if next != nil {
		next.chain.lane.wake(next)
	}
}

// doneLocked notes, with what is left of the chain, up to when its files have been read. Of a truncated file that is the last time it was
// seen to be itself: what was written, copied and truncated since is nobody's yet.
func (a *Agent) doneLocked(s *source, why endReason) {
	c, done := s.chain, s.watchTime
	if why == endTruncated {
		done = s.verified.Add(-clockTick)
	}
	if !done.After(c.done) {
		return
	}
	c.done = done
	for _, o := range c.list {
		if o != s {
			a.reg.change(o.ref, dirtyDone, func(sv *saved) { sv.done = done.UnixNano() })
			return
		}
	}
}

// detachLocked takes s out of the tables by place and path.
func (a *Agent) detachLocked(s *source) {
	if a.byInode[s.place.inode()] == s {
		delete(a.byInode, s.place.inode())
	}
	a.unnameLocked(s)
}

// unnameLocked takes s out of its directory.
func (a *Agent) unnameLocked(s *source) {
	if d := a.dirs[filepath.Dir(s.path)]; d != nil && d.files[filepath.Base(s.path)] == s {
		delete(d.files, filepath.Base(s.path))
	}
}

// dirLocked is the directory of a path in the tables.
func (a *Agent) dirLocked(path string) *dir {
	d := a.dirs[path]
	if d == nil {
		d = &dir{path: path, files: map[string]*source{}}
		a.dirs[path] = d
	}
	return d
}
