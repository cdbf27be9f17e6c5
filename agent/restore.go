package agent

import (
	"encoding/hex"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/ledger"
)

// restore makes the sources the registry knows. Whether their files are still there the keeper finds out.
func (a *Agent) restore() {
	for _, sv := range a.reg.sources() {
		in, path := a.inputOf(&sv)
		s := &source{
			id: sv.id, ref: sv.ref, in: in, first: sv.path, born: time.UnixMilli(sv.seen), start: sv.start, path: sv.path, place: sv.place,
			compressed: sv.flags&flagCompressed != 0, phase: reading, pos: sv.pos, scanned: sv.pos, size: max(sv.size, sv.pos),
			settled: sv.pos, head: head{len: sv.headLen, sum: sv.headSum}, headSaved: sv.headLen, tailSum: sv.tail,
			tailKnown: sv.pos == 0, verified: time.UnixMilli(sv.at), finish: sv.flags&flagCompressed != 0,
		}
		if in == nil {
			s.phase = dormant
			s.in = a.nobody
		}
		s.chain = a.chainLocked(sv.chain, path)
		s.chain.list, s.chain.in = append(s.chain.list, s), s.in
		s.chain.done = later(s.chain.done, time.Unix(0, sv.done))
		s.account.position.Store(sv.pos)
		s.account.durable.Store(sv.pos)
		s.account.size.Store(s.size)
		if a.ann.enabled() && sv.told < sv.pos {
			a.ann.resumed(s)
		}
		a.sources[s.ref] = s
		a.byInode[s.place.inode()] = s
		a.dirLocked(filepath.Dir(s.path)).files[filepath.Base(s.path)] = s
	}
	for _, c := range a.chains {
		c.liveLast()
	}
}

// liveLast puts the source at the chain's path, the newest there is, behind rotations that were found after it.
func (c *chain) liveLast() {
	for i := len(c.list) - 1; i >= 0; i-- {
		if s := c.list[i]; s.path == c.path {
			c.list = append(slices.Delete(c.list, i, i+1), s)
			return
		}
	}
}

// chainLocked is the chain of an id; a new one is about path. The lane hangs on the id alone.
func (a *Agent) chainLocked(id ledger.Source, path string) *chain {
	if c := a.chains[id]; c != nil {
		return c
	}
	h := fnv.New32a()
	h.Write(id[:])
	c := &chain{id: id, path: path, done: id.Time(), key: []byte(hex.EncodeToString(id[:])), lane: a.lanes[h.Sum32()%uint32(len(a.lanes))]}
	a.chains[id] = c
	return c
}

// inputOf is the input a known file belongs to, and the path its chain is about: its own, or the one it is a rotation of.
func (a *Agent) inputOf(sv *saved) (*compiled, string) {
	dir, name := filepath.Split(sv.path)
	for _, base := range rotationBases(name) {
		for _, in := range a.inputs {
			if in.sel.matches(dir + base) {
				return in, dir + base
			}
		}
	}
	for _, in := range a.inputs {
		if in.sel.matches(sv.path) {
			return in, sv.path
		}
	}
	for _, in := range a.inputs {
		if sv.input != "" && in.conf.ID == sv.input {
			return in, sv.path
		}
	}
	return nil, sv.path
}

// matches reports whether an input takes the file at path.
func (s *selection) matches(path string) bool {
	elems := strings.Split(strings.Trim(path, "/"), "/")
	for _, p := range s.patterns {
		if matchElems(p.elems, elems, s.deep) {
			return s.allows(path)
		}
	}
	return false
}

func matchElems(pattern, elems []string, deep bool) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" && deep && len(pattern) > 1 {
			for n := 0; n <= min(globDepth, len(elems)); n++ {
				if matchElems(pattern[1:], elems[n:], deep) {
					return true
				}
			}
			return false
		}
		if len(elems) == 0 {
			return false
		}
		if ok, _ := filepath.Match(pattern[0], elems[0]); !ok {
			return false
		}
		pattern, elems = pattern[1:], elems[1:]
	}
	return len(elems) == 0
}
