package store

import (
	"sync/atomic"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// Snapshot is an unchanging view of some indices: what was published when it was taken. It is safe for concurrent use.
type Snapshot struct {
	Indices  []IndexView // in the order they were asked for
	released atomic.Bool
	release  func()
}

// IndexView is one index of a Snapshot.
type IndexView struct {
	Name      string
	UUID      string
	Mapping   *mapping.Mapping
	Settings  *Settings
	Analyzers *analysis.Set  // nil: the built-in ones
	Sources   []query.Source // oldest first; segments, then heads
}

// Release gives the snapshot's files back; its sources must not be used afterwards. Calling it again does nothing.
func (s *Snapshot) Release() {
	if s.released.CompareAndSwap(false, true) && s.release != nil {
		s.release()
	}
}

// Snapshot is a view of the named indices, of one moment. Names are concrete (see Resolve); those that are gone are left out.
func (s *Store) Snapshot(names []string) *Snapshot {
	snap := &Snapshot{}
	var held []*segmentFile
	s.pub.Lock()
	defer s.pub.Unlock()
	m := s.meta.Load()
	for _, name := range names {
		ix := m.indices[name]
		if ix == nil {
			continue
		}
		p, im := ix.parts.Load(), ix.info()
		v := IndexView{Name: name, UUID: im.UUID, Mapping: im.Mapping, Settings: im.Settings, Analyzers: im.analyzers}
		for _, seg := range p.segs {
			seg.uses++
			held = append(held, seg)
			v.Sources = append(v.Sources, seg.view())
		}
		for _, h := range p.heads() {
			if src := h.source(); src != nil {
				v.Sources = append(v.Sources, src)
			}
		}
		snap.Indices = append(snap.Indices, v)
	}
	snap.release = func() { s.releaseSegments(held) }
	return snap
}

func (s *Store) releaseSegments(held []*segmentFile) {
	s.pub.Lock()
	defer s.pub.Unlock()
	for _, seg := range held {
		s.dropLocked(seg)
	}
}

// dropLocked takes one use off a segment; the last one closes it. The caller holds pub.
func (s *Store) dropLocked(seg *segmentFile) {
	if seg.uses--; seg.uses > 0 {
		return
	}
	if err := seg.close(); err != nil {
		s.cfg.Log.Warn("segment does not close", "file", seg.path, "error", err)
	}
}

// Document is an answer of Get.
type Document struct {
	Index   string
	ID      string
	Version int64
	Seq     int64
	Routing string
	Source  []byte
}

// Get finds a document of a concrete index, alias or data stream by its id, as soon as its write is acknowledged. found is false when
// there is none.
func (s *Store) Get(name, id string) (doc Document, found bool, err error) {
	refs, err := s.Resolve(name, ResolveOptions{})
	if err != nil {
		return doc, false, err
	}
	if len(refs) > 1 && s.meta.Load().aliases[name] != nil {
		return doc, false, errorf(400, "illegal_argument_exception", "Alias [%s] has more than one indices associated with it [%s], can't execute a single index op", name, refNames(refs))
	}
	for _, r := range refs {
		if doc, found, err = s.getFrom(r.Name, id); found || err != nil {
			return doc, found, err
		}
	}
	return doc, false, nil
}

func refNames(refs []IndexRef) string {
	out := "["
	for i, r := range refs {
		if i > 0 {
			out += ", "
		}
		out += r.Name
	}
	return out + "]"
}

// finder is a source that finds rows by id.
type finder interface {
	FindID(id string) (row int, ok bool)
}

func (s *Store) getFrom(name, id string) (doc Document, found bool, err error) {
	snap := s.Snapshot([]string{name})
	defer snap.Release()
	if len(snap.Indices) == 0 {
		return doc, false, noSuchIndex(name)
	}
	if ix := s.meta.Load().indices[name]; ix != nil {
		if err := ix.info().readable(); err != nil {
			return doc, false, err
		}
	}
	srcs := snap.Indices[0].Sources
	for i := len(srcs) - 1; i >= 0; i-- {
		row, ok := srcs[i].(finder).FindID(id)
		if !ok {
			continue
		}
		doc = Document{Index: name, ID: id, Version: numberAt(srcs[i], colVersion, row, 1), Seq: numberAt(srcs[i], colSeq, row, 0), Routing: valueAt(srcs[i], colRouting, row)}
		doc.Source, err = srcs[i].AppendSource(nil, row)
		return doc, err == nil, err
	}
	return doc, false, nil
}

// numberAt is the first number of a row, or def.
func numberAt(src query.Source, path string, row int, def int64) int64 {
	n, ok := src.Field(path).(query.Numbers)
	if !ok {
		return def
	}
	var v query.NumberVec
	n.Load(row/query.ZoneRows, &v)
	r := row % query.ZoneRows
	if v.Has[r/64]>>(r%64)&1 == 0 {
		return def
	}
	if v.Start != nil {
		r = int(v.Start[r])
	}
	return v.V[r]
}

// valueAt is the first value of a row, or "".
func valueAt(src query.Source, path string, row int) string {
	o, ok := src.Field(path).(query.Ordinals)
	if !ok {
		return ""
	}
	var v query.OrdVec
	o.Load(row/query.ZoneRows, &v)
	r := row % query.ZoneRows
	if v.Has[r/64]>>(r%64)&1 == 0 {
		return ""
	}
	if v.Start != nil {
		r = int(v.Start[r])
	}
	return string(o.Value(v.V[r]))
}
