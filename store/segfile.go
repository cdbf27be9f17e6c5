package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

// Suffixes of the files in an index's folder.
const (
	segSuffix = ".seg"
	delSuffix = ".del"
)

func segName(id uint64) string { return fmt.Sprintf("%016x%s", id, segSuffix) }

func delName(id uint64, gen int) string { return fmt.Sprintf("%016x.%08x%s", id, gen, delSuffix) }

// segmentFile is a segment of an index, open.
type segmentFile struct {
	reader *segment.Reader
	id     uint64
	path   string
	bytes  int64
	level  int
	dead   atomic.Pointer[roaring.Bitmap] // published deletions; replaced, never changed

	// guarded by Store.pub
	uses  int  // snapshots that hold it, and 1 while it is its index's
	gen   int  // generation of the delete file that is on disk, 0 none
	dirty bool // dead has rows the delete file has not
	into  *mergedInto
}

// mergedInto says where the rows of a segment went.
type mergedInto struct {
	file *segmentFile
	rows []int64 // by old row; -1: dropped
}

func (m *mergedInto) translate(rows []uint32) []uint32 {
	var out []uint32
	for _, r := range rows {
		if n := m.rows[r]; n >= 0 {
			out = append(out, uint32(n))
		}
	}
	return out
}

// bury marks rows of a segment deleted. The caller holds Store.pub.
func (s *segmentFile) bury(rows []uint32) {
	for s.into != nil { // merged away meanwhile: the rows live on in another
		rows = s.into.translate(rows)
		s = s.into.file
	}
	d := s.dead.Load().Clone()
	d.AddMany(rows)
	d.RunOptimize()
	s.dead.Store(d)
	s.dirty = true
}

func (s *segmentFile) close() error { return s.reader.Close() }

// view is the segment less its deleted rows, as they are now.
func (s *segmentFile) view() query.Source { return segment.NewView(s.reader, s.dead.Load()) }

func (s *segmentFile) checkpoint() segmentCheckpoint {
	m := &s.reader.Meta
	return segmentCheckpoint{ID: s.id, Rows: s.reader.Rows(), Bytes: s.bytes, MinTime: m.MinTime, MaxTime: m.MaxTime, Timed: m.Timed, Deletes: s.gen, Level: s.level}
}

// openSegment opens a segment with the generation of its delete file.
func (s *Store) openSegment(path string, id uint64, gen, level int) (*segmentFile, error) {
	r, err := segment.Open(s.fs, path, s.cache)
	if err != nil {
		return nil, err
	}
	f := &segmentFile{reader: r, id: id, path: path, bytes: r.Size(), level: level, uses: 1, gen: gen}
	f.dead.Store(roaring.New())
	if gen > 0 {
		dead, err := segment.ReadDeletes(s.fs, filepath.Join(filepath.Dir(path), delName(id, gen)), id, gen, r.Rows())
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		f.dead.Store(dead)
	}
	return f, nil
}

// openSegments opens what the checkpoint names for an index.
func (s *Store) openSegments(ix *index, list []segmentCheckpoint) error {
	p := &parts{head: ix.head()}
	for _, c := range list {
		f, err := s.openSegment(filepath.Join(ix.dir, segName(c.ID)), c.ID, c.Deletes, c.Level)
		switch {
		case errors.Is(err, segment.ErrDamaged):
			s.cfg.Log.Error("segment is damaged and set aside: its documents are not searched until it is repaired", "index", ix.name(), "rows", c.Rows, "error", err)
			ix.aside = append(ix.aside, c)
		case err != nil:
			return err
		default:
			p.segs = append(p.segs, f)
		}
	}
	ix.parts.Store(p)
	return nil
}

// writeDeletes makes the deletions of all segments durable that are not. The caller holds ckpt.
func (s *Store) writeDeletes() error {
	type job struct {
		f    *segmentFile
		dead *roaring.Bitmap
	}
	var jobs []job
	s.pub.Lock()
	for _, ix := range s.meta.Load().indices {
		for _, f := range ix.parts.Load().segs {
			if f.dirty {
				jobs = append(jobs, job{f, f.dead.Load()})
			}
		}
	}
	s.pub.Unlock()
	for _, j := range jobs {
		gen := j.f.gen + 1
		if err := segment.WriteDeletes(s.fs, filepath.Join(filepath.Dir(j.f.path), delName(j.f.id, gen)), j.f.id, gen, j.dead); err != nil {
			return err
		}
		s.pub.Lock()
		j.f.gen, j.f.dirty = gen, j.f.dead.Load() != j.dead
		s.pub.Unlock()
	}
	return nil
}

// sweep removes files that no segment of an index is: what a crash or a merge left, and the folders of deleted indices.
func (s *Store) sweep() error {
	root := filepath.Join(s.cfg.Dir, idxDir)
	keep := map[string][]string{}
	s.pub.Lock()
	for _, ix := range s.meta.Load().indices {
		files := []string{}
		for _, seg := range ix.parts.Load().segs {
			files = append(files, segName(seg.id))
			if seg.gen > 0 {
				files = append(files, delName(seg.id, seg.gen))
			}
		}
		for _, c := range ix.aside {
			files = append(files, segName(c.ID))
			if c.Deletes > 0 {
				files = append(files, delName(c.ID, c.Deletes))
			}
		}
		keep[dirName(ix.uuid)] = files
	}
	s.pub.Unlock()
	dirs, err := s.fs.ReadDir(root)
	if err != nil {
		return fmt.Errorf("list %s: %w", root, err)
	}
	for _, d := range dirs {
		dir := filepath.Join(root, d.Name())
		files, known := keep[d.Name()]
		if !known {
			if err := s.fs.RemoveAll(dir); err != nil {
				return fmt.Errorf("remove %s: %w", dir, err)
			}
			continue
		}
		if err := s.sweepDir(dir, files); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepDir(dir string, keep []string) error {
	list, err := s.fs.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, f := range list {
		n := f.Name()
		if slices.Contains(keep, n) || !strings.HasSuffix(n, segSuffix) && !strings.HasSuffix(n, delSuffix) && !strings.HasSuffix(n, vfs.TempSuffix) {
			continue
		}
		if err := s.fs.Remove(filepath.Join(dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", n, err)
		}
	}
	return nil
}
