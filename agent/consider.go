package agent

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/ledger"
)

// considerLocked decides about a file whose place is new: a new source, a copy of what a source holds, a rotation that was never seen
// under its first name, or nothing of ours. moved are the chains whose file has just been rotated away.
func (k *keeper) considerLocked(d *dir, e *entry, moved map[*chain]bool, now time.Time) {
	if k.isOwn(e.path) {
		return
	}
	if _, ok := k.skipped[e.st.place]; ok {
		delete(k.held, e.st.place)
		return
	}
	in, c, rotated := k.belongsLocked(d, e, moved)
	if in == nil {
		return
	}
	left, wasEmptied := k.emptied[e.st.place]
	compressed := isCompressed(e.path, e.st.place)
	if compressed {
		if in.conf.Compression == "none" || rotated && len(c.list) > 0 {
			delete(k.held, e.st.place) // it was too short to tell before
			k.skipped[e.st.place] = struct{}{}
			k.a.stats.compressed.Add(1)
			return
		}
	}
	if c != nil && !wasEmptied && k.holdLocked(e, in, c, rotated, now) {
		return
	}
	if old := d.files[e.name]; old != nil {
		k.displaceLocked(old, now)
	}
	s := k.newSourceLocked(in, e, c, compressed, rotated, now)
	if rotated {
		s.replaced = true
		k.endings[s] = struct{}{}
		if !wasEmptied { // it follows the one that was truncated
			k.beforeUnread(s)
		}
	}
	if wasEmptied && left.next != nil && e.path != s.chain.path {
		s.chain.moveBefore(s, left.next)
	}
	for _, o := range s.chain.list {
		if o != s && o.gone {
			k.endings[o] = struct{}{}
		}
	}
}

// emptied is a truncated file: its chain and input, and the source that follows the truncated one, nil when that was the last.
type emptied struct {
	chain *chain
	in    *compiled
	next  *source
}

// belongsLocked is the input and the chain of a file whose place is new, and whether it is a rotation of the chain's path. in is nil when
// it is not ours; c is nil when it begins a chain.
func (k *keeper) belongsLocked(d *dir, e *entry, moved map[*chain]bool) (in *compiled, c *chain, rotated bool) {
	if h := k.held[e.st.place]; h != nil {
		return h.in, h.chain, h.rotated
	}
	c = k.chainOf(d, e.name)
	in = k.inputFor(d, e.name)
	rotated = c != nil && filepath.Base(c.path) != e.name
	if left, ok := k.emptied[e.st.place]; ok && in == nil {
		return left.in, left.chain, true
	}
	if in == nil {
		in, c = k.renamedEarly(e, c)
		rotated = in != nil || rotated
	}
	if in == nil && rotated && c.in != nil && c.unread(e) && (moved[c] || k.isBlank(c) || c.precedes(e)) {
		in = c.in
	}
	return in, c, rotated
}

// renamedEarly is the input and the chain of a file that had a wanted name, but was renamed before anybody looked at it.
func (k *keeper) renamedEarly(e *entry, c *chain) (*compiled, *chain) {
	if e.from == "" {
		return nil, c
	}
	d := k.a.dirs[filepath.Dir(e.from)]
	if d == nil {
		return nil, c
	}
	in := k.inputFor(d, filepath.Base(e.from))
	if in == nil {
		return nil, c
	}
	if c = k.paths[e.from]; c == nil {
		c = k.newChainLocked(ledger.NewSource(time.Now()), e.from)
	}
	return in, c
}

// chainOf is the chain a name belongs to: the one about that path, or about the path it is a rotation of. nil: none yet.
func (k *keeper) chainOf(d *dir, name string) *chain {
	for _, base := range rotationBases(name) {
		if c := k.paths[filepath.Join(d.path, base)]; c != nil {
			return c
		}
	}
	return k.paths[filepath.Join(d.path, name)]
}

// isBlank reports whether nothing is known of the file at the chain's path: what was written and copied away while nobody looked is in
// a rotation that no proof leads to.
func (k *keeper) isBlank(c *chain) bool {
	if len(c.list) == 0 {
		return false
	}
	sv, ok := k.a.reg.get(c.list[len(c.list)-1].ref)
	return ok && sv.headLen == 0 && sv.path == c.path
}

// beforeUnread puts s, a rotation, before sources of which nothing was read when they are at the chain's path, were made or last written
// later: what s holds was written earlier.
func (k *keeper) beforeUnread(s *source) {
	list := s.chain.list
	for n := len(list) - 1; n > 0; n-- {
		prev := list[n-1]
		later := prev.path == s.chain.path || s.place.btime != 0 && prev.place.btime >= s.place.btime || s.watchTime.Before(prev.watchTime)
		if !later || prev.account.position.Load() > 0 {
			return
		}
		list[n-1], list[n] = list[n], prev
	}
}

// clockTick is how far a file system's clock may lie behind ours: the kernel stamps files with the time of its last tick.
const clockTick = 10 * time.Millisecond

// unread reports whether nothing of a rotation can have been read: it was made after the chain was first seen, and written to after
// all that the chain is done with. What is found late, behind its successors even, is read all the same.
func (c *chain) unread(e *entry) bool {
	if made := e.st.place.btime; made != 0 && !time.Unix(0, made).Add(clockTick).After(c.id.Time()) {
		return false
	}
	return e.st.mtime.After(c.done)
}

// precedes reports whether a file was made before one that the chain reads: it must have been rotated away unseen. A copy that somebody
// makes of an old rotation is newer than all of them.
func (c *chain) precedes(e *entry) bool {
	made := e.st.place.btime
	return made != 0 && slices.ContainsFunc(c.list, func(s *source) bool { return s.place.btime >= made && s.place != e.st.place })
}

// rotationBases are the names that name may be a rotation of, shortest first.
func rotationBases(name string) []string {
	var out []string
	plain := trimCompressed(name)
	if plain != name {
		out = append(out, plain)
	}
	add := func(stem, ext string) {
		for i := len(stem) - 1; i > 0; i-- {
			if c := stem[i]; (c == '.' || c == '-' || c == '_') && isRotationMark(stem[i:]) {
				if base := stem[:i] + ext; isRotationOf(name, base) {
					out = append(out, base)
				}
			}
		}
	}
	add(plain, "")
	if ext := filepath.Ext(plain); ext != "" && strings.TrimLeft(ext, ".0123456789") != "" {
		add(strings.TrimSuffix(plain, ext), ext)
	}
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	return out
}
