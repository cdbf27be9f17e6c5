package store

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

// Backup is indices as they were at one moment, for a snapshot to copy. Release gives the files back.
type Backup struct {
	Indices []IndexBackup
	Streams []json.RawMessage // streamMeta of the data streams that are in whole
	release func()
}

// Release lets go of the segments.
func (b *Backup) Release() { b.release() }

// IndexBackup is one index: its metadata and its segments.
type IndexBackup struct {
	Name, UUID string
	Meta       json.RawMessage // indexCommand
	Seq        int64           // next sequence number
	Docs       int64
	Segments   []SegmentBackup
}

// SegmentBackup is a segment: Data and Dead are valid until Release.
type SegmentBackup struct {
	ID    uint64
	Level int
	Rows  int
	Data  []byte
	Dead  []byte // portable roaring, nil without deletions
}

// Backup seals the named indices and pins their segments.
func (s *Store) Backup(names []string) (*Backup, error) {
	if len(names) == 0 {
		return &Backup{release: func() {}}, nil
	}
	if err := s.Flush(names); err != nil {
		return nil, err
	}
	b := &Backup{}
	var held []*segmentFile
	s.commit.Lock()
	s.pub.Lock()
	m := s.meta.Load()
	var err error
	for _, name := range names {
		ix := m.indices[name]
		if ix == nil {
			continue
		}
		var one IndexBackup
		if one, err = ix.backup(); err != nil {
			break
		}
		for _, f := range ix.parts.Load().segs {
			f.uses++
			held = append(held, f)
		}
		b.Indices = append(b.Indices, one)
	}
	if err == nil {
		b.Streams, err = m.wholeStreams(names)
	}
	s.pub.Unlock()
	s.commit.Unlock()
	b.release = func() { s.releaseSegments(held) }
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// backup describes an index; the caller holds commit and pub.
func (ix *index) backup() (b IndexBackup, err error) {
	im := ix.info()
	if len(ix.aside) > 0 {
		return b, errorf(500, "snapshot_exception", "index [%s] has damaged segments", im.Name)
	}
	b = IndexBackup{Name: im.Name, UUID: im.UUID, Seq: ix.seq}
	if b.Meta, err = json.Marshal(im.command().PutIndex); err != nil {
		return b, err
	}
	for _, f := range ix.parts.Load().segs {
		dead := f.dead.Load()
		one := SegmentBackup{ID: f.id, Level: f.level, Rows: f.reader.Rows(), Data: f.reader.Raw()}
		if !dead.IsEmpty() {
			if one.Dead, err = dead.ToBytes(); err != nil {
				return b, err
			}
		}
		b.Docs += int64(f.reader.Rows()) - int64(dead.GetCardinality())
		b.Segments = append(b.Segments, one)
	}
	return b, nil
}

// wholeStreams are the data streams all of whose backing indices are named.
func (m *metadata) wholeStreams(names []string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for _, st := range m.streams {
		if slices.ContainsFunc(st.Indices, func(n string) bool { return !slices.Contains(names, n) }) {
			continue
		}
		b, err := json.Marshal(st)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// RestoreIndex is an index to bring back.
type RestoreIndex struct {
	Name      string // the new name
	Meta      json.RawMessage
	Seq       int64
	Aliases   bool // with its aliases
	Overrides []byte
	Ignore    []string // settings left out
	Segments  []RestoreSegment
}

// RestoreSegment is a segment of it; Open is called once.
type RestoreSegment struct {
	Level int
	Dead  []byte
	Open  func() (io.ReadCloser, error)
}

// restoring marks an index whose segments are still coming.
const restoring = "_restoring"

// Restore brings an index back. Its segments are taken over as they are when its uuid is free in this store; beside the living original
// the documents are copied, because ids depend on the uuid. The index is closed until all is there.
func (s *Store) Restore(r RestoreIndex) error {
	var c indexCommand
	if err := json.Unmarshal(r.Meta, &c); err != nil {
		return fmt.Errorf("restore index %s: %w", r.Name, err)
	}
	s.commit.Lock()
	copies := s.meta.Load().byUUID[c.UUID] != nil
	mark, err := s.planRestore(&c, &r, copies)
	s.commit.Unlock()
	if err == nil {
		err = s.syncMeta(mark)
	}
	if err != nil {
		return err
	}
	if copies {
		err = s.restoreDocuments(&r)
	} else {
		err = s.restoreSegments(&r)
	}
	if err != nil {
		return fmt.Errorf("restore index %s: %w", r.Name, err)
	}
	return nil
}

// planRestore makes the index, closed and empty; an index of that name has to be closed, and goes.
func (s *Store) planRestore(c *indexCommand, r *RestoreIndex, copies bool) (mark journal.Mark, err error) {
	m := s.meta.Load()
	if err := checkName(r.Name); err != nil {
		return mark, err
	}
	var cs []command
	if old := m.indices[r.Name]; old != nil {
		if !old.info().Closed {
			return mark, errorf(500, "snapshot_restore_exception", "cannot restore index [%s] because an open index with same name already exists in the cluster. Either close or delete the existing "+
				"index or restore the index under a different name by providing a rename pattern and replacement name", r.Name)
		}
		cs = append(cs, command{DeleteIndex: old.info().UUID})
	}
	if m.aliases[r.Name] != nil || m.streams[r.Name] != nil {
		return mark, errorf(400, "invalid_index_name_exception", "Invalid index name [%s], already exists as alias or data stream", r.Name)
	}
	c.Name, c.Closed = r.Name, true
	if copies {
		c.UUID = newUUID()
	}
	if !r.Aliases {
		c.Aliases = nil
	}
	if c.Stream != "" && m.streams[c.Stream] == nil {
		c.Stream = ""
	}
	set, err := ParseSettings(c.Settings)
	if err != nil {
		return mark, err
	}
	for n := range set.values {
		if slices.ContainsFunc(r.Ignore, func(p string) bool { return globSetting(p, n) }) {
			delete(set.values, n)
		}
	}
	over, err := ParseSettings(r.Overrides)
	if err != nil {
		return mark, err
	}
	set = set.merge(over).merge(&Settings{values: map[string]string{restoring: "true"}})
	c.Settings = set.flatJSON()
	return s.changeLocked(append(cs, command{PutIndex: c})...)
}

// partialSuffix is of files that are coming; nothing sweeps them while their index lives.
const partialSuffix = ".restore"

// restoreSegments receives the segments and puts them into the index.
func (s *Store) restoreSegments(r *RestoreIndex) error {
	ix := s.meta.Load().indices[r.Name]
	if ix == nil {
		return noSuchIndex(r.Name)
	}
	if err := vfs.MkdirDurable(s.fs, ix.dir); err != nil {
		return err
	}
	ids := make([]uint64, len(r.Segments))
	for i, seg := range r.Segments {
		ids[i] = s.segIDs.Add(1)
		if err := s.receive(filepath.Join(ix.dir, segName(ids[i])+partialSuffix), seg.Open); err != nil {
			return err
		}
	}
	if err := s.takeOver(ix, r, ids); err != nil {
		return err
	}
	return s.openRestored(r.Name)
}

// takeOver gives the received files their names and the index its segments, durably.
func (s *Store) takeOver(ix *index, r *RestoreIndex, ids []uint64) error {
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	files := make([]*segmentFile, len(ids))
	for i, id := range ids {
		path := filepath.Join(ix.dir, segName(id))
		if err := s.fs.Rename(path+partialSuffix, path); err != nil {
			return err
		}
		f, err := s.openSegment(path, id, 0, r.Segments[i].Level)
		if err != nil {
			return err
		}
		if len(r.Segments[i].Dead) > 0 {
			dead := roaring.New()
			if err := dead.UnmarshalBinary(r.Segments[i].Dead); err != nil {
				return err
			}
			f.dead.Store(dead)
			f.dirty = true
		}
		files[i] = f
	}
	if err := s.fs.SyncDir(ix.dir); err != nil {
		return err
	}
	if err := s.adopt(ix, files, r.Seq); err != nil {
		return err
	}
	return s.checkpoint()
}

// openRestored ends the restore of an index.
func (s *Store) openRestored(name string) error {
	return s.changeIndices(name, ResolveOptions{Closed: true, Hidden: true}, func(im indexMeta) (indexMeta, error) {
		im.Closed = false
		im.Settings = im.Settings.merge(&Settings{values: map[string]string{restoring: ""}})
		return im, nil
	})
}

func (s *Store) receive(path string, open func() (io.ReadCloser, error)) error {
	in, err := open()
	if err != nil {
		return err
	}
	defer in.Close()
	return segment.Receive(s.fs, path, in)
}

// adopt gives an index its segments.
func (s *Store) adopt(ix *index, files []*segmentFile, seq int64) error {
	s.commit.Lock()
	defer s.commit.Unlock()
	if ix.gone {
		return noSuchIndex(ix.name())
	}
	s.pub.Lock()
	defer s.pub.Unlock()
	p := ix.parts.Load()
	ix.parts.Store(&parts{segs: files, frozen: p.frozen, head: p.head})
	ix.seq = max(ix.seq, seq)
	return nil
}

// restorePage is how many documents are copied at a time.
const restorePage = 1000

// restoreDocuments copies the documents of the segments into the index.
func (s *Store) restoreDocuments(r *RestoreIndex) error {
	ix := s.meta.Load().indices[r.Name]
	if ix == nil {
		return noSuchIndex(r.Name)
	}
	if err := vfs.MkdirDurable(s.fs, ix.dir); err != nil {
		return err
	}
	if err := s.openRestored(r.Name); err != nil {
		return err
	}
	for _, seg := range r.Segments {
		path := filepath.Join(ix.dir, "copy"+partialSuffix)
		if err := s.receive(path, seg.Open); err != nil {
			return err
		}
		err := s.copySegment(path, r.Name, seg.Dead)
		if rerr := s.fs.Remove(path); err == nil {
			err = rerr
		}
		if err != nil {
			return err
		}
	}
	return s.Flush([]string{r.Name})
}

// copySegment writes the live documents of a segment file into an index.
func (s *Store) copySegment(path, index string, deadBytes []byte) error {
	f, err := s.openSegment(path, 0, 0, 0)
	if err != nil {
		return err
	}
	defer f.close()
	dead := roaring.New()
	if len(deadBytes) > 0 {
		if err := dead.UnmarshalBinary(deadBytes); err != nil {
			return err
		}
	}
	src := segment.NewView(f.reader, dead)
	var ops []Op
	write := func() error {
		results, err := s.applyAll(ops)
		ops = ops[:0]
		if err != nil {
			return err
		}
		for i := range results {
			if results[i].Err != nil {
				return results[i].Err
			}
		}
		return nil
	}
	for row := range f.reader.Rows() {
		if dead.Contains(uint32(row)) {
			continue
		}
		b, err := src.AppendSource(nil, row)
		if err != nil {
			return err
		}
		op := NewOp(bulk.Op{Action: bulk.Index, Index: index, ID: src.ID(row), Routing: valueAt(src, colRouting, row), Source: b})
		op.Version, op.VersionType, op.Pipeline = numberAt(src, colVersion, row, 1), "external_gte", noPipeline
		if ops = append(ops, op); len(ops) >= restorePage {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if len(ops) == 0 {
		return nil
	}
	return write()
}

// RestoreStream makes a data stream of restored backing indices, unless there is one of its name.
func (s *Store) RestoreStream(raw json.RawMessage, rename func(string) string) error {
	var st streamMeta
	if err := json.Unmarshal(raw, &st); err != nil {
		return err
	}
	st.Name = rename(st.Name)
	for i, n := range st.Indices {
		st.Indices[i] = rename(n)
	}
	s.commit.Lock()
	mark, err := s.restoreStreamLocked(&st)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) restoreStreamLocked(st *streamMeta) (mark journal.Mark, err error) {
	m := s.meta.Load()
	if m.streams[st.Name] != nil || m.indices[st.Name] != nil || m.aliases[st.Name] != nil {
		return mark, errorf(500, "snapshot_restore_exception", "cannot restore data stream [%s]: the name is taken", st.Name)
	}
	st.Indices = slices.DeleteFunc(st.Indices, func(n string) bool { return m.indices[n] == nil })
	if len(st.Indices) == 0 {
		return mark, nil
	}
	cs := []command{}
	for _, n := range st.Indices {
		im := *m.indices[n].info()
		im.Stream, im.Hidden = st.Name, true
		cs = append(cs, newIndexMeta(im).command())
	}
	return s.changeLocked(append(cs, command{PutStream: st})...)
}

// FS is the file system the store is on.
func (s *Store) FS() vfs.FS { return s.fs }

// RepositoryDir is the folder of a repository's location, which must be below one of Config.Repositories.
func (s *Store) RepositoryDir(location string) (string, error) {
	roots := s.cfg.Repositories
	if len(roots) == 0 {
		roots = []string{filepath.Join(filepath.Dir(filepath.Clean(s.cfg.Dir)), "snapshots")}
	}
	if location == "" {
		return "", fmt.Errorf("missing location")
	}
	dir := filepath.Clean(location)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(roots[0], dir)
	}
	for _, root := range roots {
		if rel, err := filepath.Rel(root, dir); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return dir, nil
		}
	}
	return "", fmt.Errorf("location [%s] doesn't match any of the locations specified by path.repo: %v", location, roots)
}
