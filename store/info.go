package store

import (
	"maps"
	"slices"

	"github.com/weirlog/weir/store/mapping"
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
