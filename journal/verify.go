package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/weirlog/weir/vfs"
)

// Report is what VerifyDir found.
type Report struct {
	Extents int
	Batches int64
	Records int64 // by the offsets that batches take
	Bytes   int64
	Start   int64 // of the first extent
	End     int64
	Bad     []Hole   // bytes that are no good batch, missing offsets; the torn tail of the last extent has From == To
	Notes   []string // wrong indexes, checkpoints, states: rebuilt or replaced by the journal itself
}

// VerifyDir reads every byte of the journal in dir and checks every CRC, offset and index. It changes nothing and needs no other
// process to be away, but what is being appended meanwhile may look like a torn tail.
func VerifyDir(ctx context.Context, fsys vfs.FS, dir string) (Report, error) {
	j := &Journal{cfg: Config{FS: fsys, Dir: dir}}
	j.cfg.setDefaults()
	v := &verifier{j: j}
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return v.Report, fmt.Errorf("verify journal %s: %w", dir, err)
	}
	if err := j.listExtents(entries); err != nil {
		return v.Report, fmt.Errorf("verify journal %s: %w", dir, err)
	}
	for i := range j.extents {
		if err := v.extent(ctx, i); err != nil {
			return v.Report, fmt.Errorf("verify journal %s: %w", dir, err)
		}
	}
	if err := v.checkpoint(); err != nil {
		return v.Report, fmt.Errorf("verify journal %s: %w", dir, err)
	}
	return v.Report, v.states()
}

type verifier struct {
	Report
	j *Journal
}

func (v *verifier) note(format string, args ...any) {
	v.Notes = append(v.Notes, fmt.Sprintf(format, args...))
}

// extent checks one file and what should follow it.
func (v *verifier) extent(ctx context.Context, i int) error {
	e := v.j.extents[i]
	limit := int64(math.MaxInt64)
	if i+1 < len(v.j.extents) {
		limit = v.j.extents[i+1].base
	}
	if i == 0 {
		v.Start = e.base
	}
	v.Extents++
	v.End = e.base
	f, err := v.j.cfg.FS.Open(e.name())
	if err != nil {
		return err
	}
	defer f.Close()
	s := newScanner(f, 0, e.size)
	if err := v.batches(ctx, s, e, limit); err != nil {
		return err
	}
	if limit != math.MaxInt64 && v.End < limit {
		v.Bad = append(v.Bad, Hole{From: v.End, To: limit, Extent: e.base, Pos: s.pos, PosEnd: e.size})
		v.End = limit
	}
	return v.index(f, e, s.pos, min(limit, v.End))
}

func (v *verifier) batches(ctx context.Context, s *scanner, e *extent, limit int64) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, _, err := s.batch()
		if errors.Is(err, io.EOF) || err == nil && h.BaseOffset >= limit {
			return nil
		}
		if err == nil && h.BaseOffset != v.End {
			err = ErrCorrupt
		}
		if isBad(err) {
			pos := s.pos
			next, found, err := s.search(&h, v.End, limit)
			if err != nil {
				return err
			}
			if !found {
				v.Bad = append(v.Bad, Hole{From: v.End, To: v.End, Extent: e.base, Pos: pos, PosEnd: e.size})
				return nil
			}
			torn, err := hasZeroSector(s.f, pos, s.pos)
			if err != nil {
				return err
			}
			v.Bad = append(v.Bad, Hole{From: v.End, To: next.BaseOffset, Torn: torn, Extent: e.base, Pos: pos, PosEnd: s.pos})
			v.End = next.BaseOffset
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", e.name(), err)
		}
		v.Batches++
		v.Records += int64(h.LastOffsetDelta) + 1
		v.Bytes += int64(h.Size())
		v.End = h.Next()
		s.skip(&h)
	}
}

func (v *verifier) index(f vfs.File, e *extent, size, limit int64) error {
	x, err := loadIndex(v.j.cfg.FS, e, size)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = x.complete(f, place{e: e, size: size, limit: limit})
	}
	if err != nil {
		v.note("%s: index cannot be used: %v", e.name(), err)
	}
	return nil
}

func (v *verifier) checkpoint() error {
	b, err := vfs.ReadFile(v.j.cfg.FS, filepath.Join(v.j.cfg.Dir, checkpointName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	good := 0
	newest := uint64(0)
	for at := 0; at < len(b) && at < 2*slotSize; at += slotSize {
		if seq, _, cp, err := parseSlot(b[at:min(len(b), at+slotSize)]); err == nil {
			good++
			if seq >= newest {
				newest = seq
				v.accept(cp.Holes)
			}
		} else if !allZero(b[at:min(len(b), at+slotSize)]) {
			v.note("checkpoint slot %d: %v", at/slotSize, err)
		}
	}
	if good == 0 {
		v.note("no valid checkpoint")
	}
	return nil
}

// accept marks what Repair was told to live without.
func (v *verifier) accept(holes []Hole) {
	for i := range v.Bad {
		b := &v.Bad[i]
		b.Accepted = slices.ContainsFunc(holes, func(h Hole) bool { return h.Accepted && h.From <= b.From && b.To <= h.To })
	}
}

func (v *verifier) states() error {
	offsets, err := v.j.states()
	if err != nil {
		return err
	}
	for _, at := range slices.Backward(offsets) {
		name := fileName(v.j.cfg.Dir, at, stateSuffix)
		b, err := vfs.ReadFile(v.j.cfg.FS, name)
		if err != nil {
			return err
		}
		if _, err := parseState(b, at); err != nil {
			v.note("%s: %v", name, err)
		}
	}
	return nil
}
