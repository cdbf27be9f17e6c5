package agent

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// entry is a file found in a directory.
type entry struct {
	name, path string
	from       string // the path it had when it came to the directory, as far as that was reported
	st         fileStat
}

// look compares a directory, or some names of it, with what is known, and acts on the differences: renamed files first, then new
// ones, then those that are gone.
func (k *keeper) look(d *dir, some names, now time.Time) {
	full := some == nil
	list, ok := k.names(d, some, now)
	if !ok {
		return
	}
	entries, absent := k.stat(d, list, some)
	if !full && k.rotated(d, entries, absent) {
		full = true // what is seen of a name now may be newer than what was reported of the others
		if list, ok = k.names(d, nil, now); !ok {
			return
		}
		entries, absent = k.stat(d, list, some)
	}
	if full {
		list, entries, absent = k.steady(d, list, entries, absent, some, now)
		absent = append(absent, k.unlisted(d, list)...)
	}
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	unknown := k.recognizeLocked(d, entries, now)
	if len(absent) > 0 && k.strayedLocked(d, absent) {
		unknown = append(unknown, k.recognizeLocked(d, k.strays(d, list), now)...)
	}
	moved := k.displacedLocked(d, entries, absent)
	slices.SortFunc(unknown, olderFirst)
	for _, e := range unknown {
		if old := d.files[e.name]; old != nil {
			k.displaceLocked(old, now)
		}
	}
	for _, e := range unknown {
		k.considerLocked(d, e, moved, now)
	}
	for _, name := range absent {
		if s := d.files[name]; s != nil {
			k.vanishedLocked(s, now)
			if _, err := statPath(filepath.Join(d.path, name), false); err != nil {
				k.unfollowLocked(d, name)
			}
		}
	}
}

// steadyLooks is how often a directory is looked at again while its files change names.
const steadyLooks = 8

// steady looks again while there are new files, until two looks agree: names that are shifted during a look can hide a file, and what
// is found after its successor would be taken for history.
func (k *keeper) steady(d *dir, list []string, entries []*entry, absent []string, some names, now time.Time) ([]string, []*entry, []string) {
	for range steadyLooks {
		if !k.anyNew(entries) {
			break
		}
		again, ok := k.names(d, nil, now)
		if !ok {
			break
		}
		found, gone := k.stat(d, again, some)
		same := slices.EqualFunc(entries, found, func(a, b *entry) bool {
			return a.name == b.name && a.st.place.inode() == b.st.place.inode()
		})
		list, entries, absent = again, found, gone
		if same {
			break
		}
	}
	return list, entries, absent
}

// anyNew reports whether a file is among them that no source holds.
func (k *keeper) anyNew(entries []*entry) bool {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	return slices.ContainsFunc(entries, func(e *entry) bool { return k.a.byInode[e.st.place.inode()] == nil })
}

// rotated reports whether a known name holds another file, or none.
func (k *keeper) rotated(d *dir, entries []*entry, absent []string) bool {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	for _, e := range entries {
		if s := d.files[e.name]; s != nil && s.place != e.st.place {
			return true
		}
	}
	return k.strayedLocked(d, absent)
}

// olderFirst orders files as they were written: by the last write, then by birth (clocks of file systems tick every 4 ms), then with
// the higher rotation first.
func olderFirst(a, b *entry) int {
	if c := a.st.mtime.Compare(b.st.mtime); c != 0 {
		return c
	}
	if c := cmp.Compare(a.st.place.btime, b.st.place.btime); c != 0 {
		return c
	}
	if c := cmp.Compare(len(b.name), len(a.name)); c != 0 {
		return c
	}
	return strings.Compare(b.name, a.name)
}

// names are what is to be looked at: all names of the directory that matter, or those given. ok is false when the directory cannot be
// listed; then nothing in it is taken to be gone.
func (k *keeper) names(d *dir, some names, now time.Time) (list []string, ok bool) {
	if some != nil {
		for name := range some {
			list = append(list, name)
		}
		slices.Sort(list)
		return list, true
	}
	d.scanned, d.next = true, now.Add(k.scanPeriod(d))
	f, err := os.Open(d.path)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			k.a.log.Warn("directory not readable", "path", d.path, "error", err)
		}
		return nil, false
	}
	defer f.Close()
	list, err = f.Readdirnames(-1)
	if err != nil {
		k.a.log.Warn("directory not readable", "path", d.path, "error", err)
		return nil, false
	}
	slices.Sort(list)
	return list, true
}

// stat asks about the names that matter.
func (k *keeper) stat(d *dir, list []string, some names) (entries []*entry, absent []string) {
	for _, name := range list {
		if !k.matters(d, name) && some[name] == "" {
			continue
		}
		e, err := k.entry(d, name)
		if e != nil {
			e.from = some[name]
		}
		switch {
		case errors.Is(err, os.ErrNotExist):
			absent = append(absent, name)
		case err == nil && e != nil:
			entries = append(entries, e)
		}
	}
	return entries, absent
}

// entry is the regular file of a name, nil for anything else.
func (k *keeper) entry(d *dir, name string) (*entry, error) {
	e := &entry{name: name, path: filepath.Join(d.path, name)}
	var err error
	if e.st, err = statPath(e.path, false); err != nil {
		return nil, err
	}
	if e.st.mode&os.ModeSymlink != 0 {
		if in := k.inputFor(d, name); in == nil || !in.conf.Symlinks {
			return nil, nil
		}
		k.follow(d, name)
		if e.st, err = statPath(e.path, true); err != nil {
			return nil, err
		}
	}
	if !e.st.regular() {
		return nil, nil
	}
	return e, nil
}

// matters reports whether a name can be a file of ours: known, wanted by an input, or a rotation of such a name.
func (k *keeper) matters(d *dir, name string) bool {
	if d.files[name] != nil || k.wanted(d, name) != nil {
		return true
	}
	for _, base := range rotationBases(name) {
		if k.wanted(d, base) != nil {
			return true
		}
	}
	return false
}

// wanted is the first input whose glob a name matches.
func (k *keeper) wanted(d *dir, name string) *compiled {
	for _, w := range d.globs {
		if ok, _ := filepath.Match(w.glob, name); ok {
			return w.in
		}
	}
	return nil
}

// inputFor is the first input that takes a name: glob, exclude_files and include_files.
func (k *keeper) inputFor(d *dir, name string) *compiled {
	path := filepath.Join(d.path, name)
	for _, w := range d.globs {
		if ok, _ := filepath.Match(w.glob, name); ok && w.in.sel.allows(path) {
			return w.in
		}
	}
	return nil
}

// unlisted are known names that are not in the listing of their directory.
func (k *keeper) unlisted(d *dir, list []string) []string {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	var out []string
	for name := range d.files {
		if _, found := slices.BinarySearch(list, name); !found {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// recognizeLocked finds the sources of entries by their place: it follows renames, wakes what changed, and returns the files whose
// place is new.
func (k *keeper) recognizeLocked(d *dir, entries []*entry, now time.Time) (unknown []*entry) {
	for _, e := range entries {
		s := k.a.byInode[e.st.place.inode()]
		if s == nil {
			unknown = append(unknown, e)
			continue
		}
		if s.place.reused(e.st.place) {
			k.reusedLocked(s, now)
			unknown = append(unknown, e)
			continue
		}
		s.known = true
		if s.path != e.path {
			k.renamedLocked(s, d, e, now)
		}
		if s.gone && s.path == e.path {
			k.returnedLocked(s, d, e)
		}
		if st := &e.st; st.size != s.watchSize || !st.mtime.Equal(s.watchTime) {
			s.watchSize, s.watchTime = st.size, st.mtime
			s.account.size.Store(st.size)
			s.atEOF = false
			s.chain.lane.wake(s)
		}
		if !d.watched && k.polled[s] == nil {
			k.polled[s] = &pollTime{at: now.Add(pollFirst), every: pollFirst}
		}
	}
	return unknown
}

// renamedLocked follows a file to its new name, unless the old one still leads to it.
func (k *keeper) renamedLocked(s *source, d *dir, e *entry, now time.Time) {
	if !s.gone {
		if st, err := statPath(s.path, true); err == nil && st.place.inode() == s.place.inode() {
			return // two names of one file
		}
	}
	k.a.unnameLocked(s)
	if other := d.files[e.name]; other != nil && other != s {
		k.displaceLocked(other, now)
	}
	k.a.log.Debug("file renamed", "from", s.path, "to", e.path, "source", s.id)
	s.path, s.gone = e.path, false
	d.files[e.name] = s
	s.replaced, s.since = true, now
	k.endings[s] = struct{}{}
	path := e.path
	k.a.reg.change(s.ref, dirtyName, func(sv *saved) { sv.path = path })
	s.chain.lane.wake(s)
}

// returnedLocked takes back that a file is gone.
func (k *keeper) returnedLocked(s *source, d *dir, e *entry) {
	s.gone = false
	d.files[e.name] = s
}

// reusedLocked: the inode was given to another file, so that of s is gone.
func (k *keeper) reusedLocked(s *source, now time.Time) {
	delete(k.a.byInode, s.place.inode())
	k.vanishedLocked(s, now)
}

// displaceLocked: another file has the name of s, and where s went is not known (yet).
func (k *keeper) displaceLocked(s *source, now time.Time) {
	k.vanishedLocked(s, now)
}

// vanishedLocked: nothing of s is at its path any more. What its descriptor gives is read; a rename that is seen later takes this back.
func (k *keeper) vanishedLocked(s *source, now time.Time) {
	k.a.unnameLocked(s)
	if s.gone {
		return
	}
	k.a.log.Debug("file gone", "path", s.path, "source", s.id)
	s.gone, s.sought, s.since = true, false, now
	k.endings[s] = struct{}{}
	s.chain.lane.wake(s)
}

// maxStrays bounds the files that are asked for their inode to find where one went.
const maxStrays = 10_000

// strayedLocked reports whether one of the absent names was a known file that has not been found elsewhere.
func (k *keeper) strayedLocked(d *dir, absent []string) bool {
	return slices.ContainsFunc(absent, func(name string) bool { return d.files[name] != nil })
}

// strays are the files of a directory that nobody wants, which may be renamed ones.
func (k *keeper) strays(d *dir, list []string) []*entry {
	var out []*entry
	for i, name := range list {
		if i == maxStrays {
			break
		}
		if k.matters(d, name) {
			continue
		}
		st, err := statPath(filepath.Join(d.path, name), false)
		if err == nil && st.regular() && k.a.byInode[st.place.inode()] != nil {
			out = append(out, &entry{name: name, path: filepath.Join(d.path, name), st: st})
		}
	}
	return out
}

// displacedLocked are the chains whose path holds another file than at the last look, or none.
func (k *keeper) displacedLocked(d *dir, entries []*entry, absent []string) map[*chain]bool {
	moved := map[*chain]bool{}
	for _, c := range k.paths {
		if filepath.Dir(c.path) != d.path || len(c.list) == 0 && !c.rotated {
			continue
		}
		name := filepath.Base(c.path)
		if c.rotated || slices.Contains(absent, name) || d.files[name] == nil {
			moved[c], c.rotated = true, false
		}
	}
	for _, e := range entries {
		if s := d.files[e.name]; s != nil && s.place.inode() != e.st.place.inode() {
			moved[s.chain] = true
		}
	}
	return moved
}
