package store

import (
	"maps"
	"slices"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/segment"
)

// IndexInfo is what tables and settings tell of an index.
type IndexInfo struct {
	Name     string
	UUID     string
	Created  int64 // unix ms
	Closed   bool
	Hidden   bool
	Stream   string // the data stream it backs
	Aliases  map[string]AliasMeta
	Mapping  *mapping.Mapping
	Settings *Settings
	Docs     int64 // live documents
	Deleted  int64
	Bytes    int64 // segments on disk and memory of heads
	Segments int
	Damaged  int // segments that are damaged: some documents are missing from answers
}

// Info tells of a concrete index.
func (s *Store) Info(name string) (IndexInfo, bool) {
	ix := s.meta.Load().indices[name]
	if ix == nil {
		return IndexInfo{}, false
	}
	m := ix.info()
	i := IndexInfo{Name: m.Name, UUID: m.UUID, Created: m.Created, Closed: m.Closed, Hidden: m.Hidden, Stream: m.Stream, Aliases: maps.Clone(m.Aliases), Mapping: m.Mapping, Settings: m.Settings}
	if i.Aliases == nil {
		i.Aliases = map[string]AliasMeta{}
	}
	snap := s.Snapshot([]string{name})
	defer snap.Release()
	for _, v := range snap.Indices {
		for _, src := range v.Sources {
			i.Docs += int64(src.Rows() - src.Deleted())
			i.Deleted += int64(src.Deleted())
		}
	}
	p := ix.parts.Load()
	for _, seg := range p.segs {
		i.Bytes += seg.bytes
		i.Segments++
		if seg.reader.Err() != nil {
			i.Damaged++
		}
	}
	i.Damaged += len(ix.aside)
	for _, h := range p.heads() {
		i.Bytes += h.memory()
	}
	return i, true
}

// Names lists the concrete indices, in order.
func (s *Store) Names() []string { return slices.Sorted(maps.Keys(s.meta.Load().indices)) }

// ClusterUUID is made once, with the store.
func (s *Store) ClusterUUID() string { return s.meta.Load().ClusterUUID }

// ClusterName is what clients are told.
func (s *Store) ClusterName() string { return "weir" }

// SettingsOf are the settings of a concrete index.
func (s *Store) SettingsOf(name string) (*Settings, bool) {
	ix := s.meta.Load().indices[name]
	if ix == nil {
		return nil, false
	}
	return ix.info().Settings, true
}

// Dir is the store's folder.
func (s *Store) Dir() string { return s.cfg.Dir }

// SegmentInfo is a segment of an index as tables show it.
type SegmentInfo struct {
	ID            uint64
	Rows, Deleted int
	Bytes         int64
	Level         int
	Path          string
}

// Segments are the segments of a concrete index, oldest first.
func (s *Store) Segments(name string) []SegmentInfo {
	ix := s.meta.Load().indices[name]
	if ix == nil {
		return nil
	}
	var out []SegmentInfo
	for _, f := range ix.parts.Load().segs {
		out = append(out, SegmentInfo{f.id, f.reader.Rows(), int(f.dead.Load().GetCardinality()), f.bytes, f.level, f.path})
	}
	return out
}

// DiskUsage is what the fields of an index take in its segments.
type DiskUsage struct {
	Bytes  int64
	Fields map[string]uint64
}

// DiskUsage measures the segments of a concrete index.
func (s *Store) DiskUsage(name string) (DiskUsage, error) {
	u := DiskUsage{Fields: map[string]uint64{}}
	for _, seg := range s.Segments(name) {
		d, err := segment.Describe(s.fs, seg.Path)
		if err != nil {
			return u, err
		}
		u.Bytes += d.Bytes
		for _, f := range d.Fields {
			u.Fields[f.Path] += f.Bytes
		}
	}
	return u, nil
}
