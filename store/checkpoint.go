package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// CHECKPOINT is JSON, a newline, and the crc32c of what is before the newline as 8 hexadecimal digits and a newline. It is replaced as
// a whole. What it names is on disk; files it does not name are removed at start.
const checkpointName = "CHECKPOINT"

const checkpointForm = 1

type checkpointFile struct {
	Form     int               `json:"form"`
	Meta     int64             `json:"meta"`   // journal offset up to which commands are in Commands
	Ledger   int64             `json:"ledger"` // journal offset up to which batches are in Groups
	SegID    uint64            `json:"segment_id"`
	Commands []command         `json:"commands"`
	Indices  []indexCheckpoint `json:"indices"`
	Groups   []groupCheckpoint `json:"groups,omitempty"`
}

type indexCheckpoint struct {
	UUID     string              `json:"uuid"`
	Sealed   int64               `json:"sealed"` // journal offset: everything below is in segments
	Seq      int64               `json:"seq"`    // next sequence number at that offset
	Segments []segmentCheckpoint `json:"segments,omitempty"`
}

type segmentCheckpoint struct {
	ID      uint64 `json:"id"`
	Rows    int    `json:"rows"`
	Bytes   int64  `json:"bytes"`
	MinTime int64  `json:"min_time,omitempty"`
	MaxTime int64  `json:"max_time,omitempty"`
	Timed   bool   `json:"timed,omitempty"`
	Deletes int    `json:"deletes,omitempty"` // generation of the delete file, 0 none
	Level   int    `json:"level,omitempty"`
}

type groupCheckpoint struct {
	Name      string              `json:"name"`
	Positions []queue.Position    `json:"positions,omitempty"`
	Sources   []accountCheckpoint `json:"sources,omitempty"`
}

type accountCheckpoint struct {
	Source  ledger.Source       `json:"source"`
	In      [][2]int64          `json:"in"`
	Fates   [6]int64            `json:"fates"`
	Repeats int64               `json:"repeats,omitempty"`
	Partial []partialCheckpoint `json:"partial,omitempty"`
}

type partialCheckpoint struct {
	From, To int64
	Ks       []uint16
}

var crcTable = crc32.MakeTable(crc32.Castagnoli)

func encodeCheckpoint(c *checkpointFile) ([]byte, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(b, "\n%08x\n", crc32.Checksum(b, crcTable)), nil
}

func parseCheckpoint(b []byte) (*checkpointFile, error) {
	if len(b) < 10 || b[len(b)-1] != '\n' || b[len(b)-10] != '\n' {
		return nil, errors.New("it has no checksum")
	}
	body := b[:len(b)-10]
	if fmt.Sprintf("%08x", crc32.Checksum(body, crcTable)) != string(b[len(b)-9:len(b)-1]) {
		return nil, errors.New("its checksum is wrong")
	}
	var c checkpointFile
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if c.Form != checkpointForm {
		return nil, fmt.Errorf("it has form %d, this program reads %d", c.Form, checkpointForm)
	}
	return &c, nil
}

// readCheckpoint makes metadata, ledgers and segments as CHECKPOINT has them and says from where to replay.
func (s *Store) readCheckpoint() (from replayFrom, err error) {
	s.meta.Store(newMetadata(""))
	name := filepath.Join(s.cfg.Dir, checkpointName)
	b, err := vfs.ReadFile(s.fs, name)
	if errors.Is(err, fs.ErrNotExist) {
		return from, nil
	}
	if err != nil {
		return from, err
	}
	c, err := parseCheckpoint(b)
	if err != nil {
		return from, fmt.Errorf("read %s: %w", name, err)
	}
	for _, cmd := range c.Commands {
		if err := s.carryOut(s.meta.Load().clone(), cmd); err != nil {
			return from, fmt.Errorf("read %s: %w", name, err)
		}
	}
	s.segIDs.Store(c.SegID)
	for _, g := range c.Groups {
		s.groups[g.Name] = g.group()
	}
	from = replayFrom{meta: c.Meta, ledger: c.Ledger, offset: min(c.Meta, c.Ledger)}
	m := s.meta.Load()
	for _, ic := range c.Indices {
		ix := m.byUUID[ic.UUID]
		if ix == nil {
			return from, fmt.Errorf("read %s: index %s has no metadata", name, ic.UUID)
		}
		ix.sealed, ix.seq = ic.Sealed, ic.Seq
		if err := s.openSegments(ix, ic.Segments); err != nil {
			return from, err
		}
		from.offset = min(from.offset, ic.Sealed)
	}
	return from, s.sweep()
}

func (g groupCheckpoint) group() *group {
	out := newGroup(g.Name)
	for _, p := range g.Positions {
		out.positions[partition{p.Topic, p.TopicID, p.Partition}] = p
	}
	for _, a := range g.Sources {
		acc := out.account(a.Source)
		acc.fates, acc.repeats = a.Fates, a.Repeats
		for _, r := range a.In {
			acc.in.Add(r[0], r[1])
		}
		for _, p := range a.Partial {
			acc.partial[span{p.From, p.To}] = p.Ks
		}
	}
	return out
}

func (g *group) checkpoint() groupCheckpoint {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := groupCheckpoint{Name: g.name}
	for _, p := range g.positions {
		out.Positions = append(out.Positions, p)
	}
	slices.SortFunc(out.Positions, func(a, b queue.Position) int {
		if c := compare(a.Topic, b.Topic); c != 0 {
			return c
		}
		return int(a.Partition - b.Partition)
	})
	for src, a := range g.sources {
		ac := accountCheckpoint{Source: src, In: [][2]int64{}, Fates: a.fates, Repeats: a.repeats}
		a.in.Each(func(from, to int64) bool {
			ac.In = append(ac.In, [2]int64{from, to})
			return true
		})
		for sp, ks := range a.partial {
			ac.Partial = append(ac.Partial, partialCheckpoint{sp.from, sp.to, ks})
		}
		out.Sources = append(out.Sources, ac)
	}
	slices.SortFunc(out.Sources, func(a, b accountCheckpoint) int { return compare(a.Source.String(), b.Source.String()) })
	return out
}

// replayFrom is where replay begins for each kind of thing.
type replayFrom struct{ offset, meta, ledger int64 }

// replay brings memory from the checkpoint to the journal's end. Nothing is decided here: sequence numbers, versions and ids stand in
// the records.
func (s *Store) replay(from replayFrom) error {
	if start := s.jr.Start(); from.offset < start {
		return fmt.Errorf("journal begins at offset %d, the checkpoint needs %d", start, from.offset)
	}
	if end := s.jr.DurableEnd(); from.offset > end {
		return fmt.Errorf("journal ends at offset %d, the checkpoint needs %d", end, from.offset)
	}
	s.applied, s.metaEnd = s.jr.DurableEnd(), from.meta
	return s.jr.Replay(from.offset, func(offset int64, p []byte) error {
		rec, cmd, err := parsePayload(p)
		switch {
		case err != nil:
		case cmd != nil:
			if offset >= from.meta {
				err = s.carryOut(s.meta.Load().clone(), *cmd)
				s.metaEnd = offset + 1
			}
		default:
			err = s.replayBatch(offset, rec, offset >= from.ledger)
		}
		if err != nil {
			return fmt.Errorf("replay journal at offset %d: %w", offset, err)
		}
		return nil
	})
}

// replayBatch puts the operations of a record into heads, but for indices that have them in segments.
func (s *Store) replayBatch(offset int64, rec *record, book bool) error {
	w := s.newWrite()
	defer s.endWrite(w)
	inf := &inflight{}
	m := s.meta.Load()
	for i := range rec.ops {
		op := &rec.ops[i]
		if op.code == opSkip {
			continue
		}
		ix := m.byUUID[uuidEncoding.EncodeToString(rec.indices[op.index][:])]
		if ix == nil || offset < ix.sealed {
			continue
		}
		if err := w.replayOp(ix, op, inf, rec.time); err != nil {
			return err
		}
	}
	inf.publish()
	for _, t := range inf.heads {
		s.note(t.h)
	}
	if book && rec.group != "" {
		s.group(rec.group).apply(rec, 0)
	}
	return nil
}

func (w *write) replayOp(ix *index, op *recordOp, inf *inflight, now int64) error {
	ix.seq = max(ix.seq, op.seq+1)
	var old location
	if op.id != nil {
		old = ix.locate(string(op.id), now)
	}
	if op.code == opDelete {
		inf.delete(ix, op, old, now)
		return nil
	}
	final := false
	for range prepareRounds {
		p := ix.preparer()
		missing, err := p.document(op.source, string(op.id), final, &w.docs, &w.toks)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			ix.preps.Put(p)
			inf.put(ix, op, w.docs.Docs[len(w.docs.Docs)-1], &w.docs, &w.toks, old, now)
			return nil
		}
		im := *ix.info()
		mp, _, err := im.Mapping.Extend(missing, im.limits)
		if err != nil {
			return err
		}
		final = string(mp.JSON()) == string(im.Mapping.JSON())
		im.Mapping = mp
		ix.setMeta(newIndexMeta(im))
	}
	return errors.New("a document does not fit its mapping")
}

// checkpoint makes everything that is sealed independent of the journal and trims it. The caller holds ckpt.
func (s *Store) checkpoint() error {
	if err := s.writeDeletes(); err != nil {
		return err
	}
	c := &checkpointFile{Form: checkpointForm}
	s.commit.Lock()
	s.pub.Lock()
	m := s.meta.Load()
	// Commands that are not durable yet are in the list too; carrying them out again does no harm.
	c.Meta, c.Ledger, c.SegID = min(s.metaEnd, s.jr.DurableEnd()), s.applied, s.segIDs.Load()
	if c.Meta == s.metaEnd { // no command behind it: batches alone do not pin the journal
		c.Meta = max(c.Meta, s.applied)
	}
	c.Commands = m.commands()
	need := min(c.Meta, c.Ledger)
	for _, name := range slices.Sorted(maps.Keys(m.indices)) {
		ix := m.indices[name]
		p := ix.parts.Load()
		idle := len(p.frozen) == 0 && p.head.empty()
		ic := indexCheckpoint{UUID: ix.info().UUID, Seq: ix.seq, Segments: slices.Clone(ix.aside)}
		for _, seg := range p.segs {
			ic.Segments = append(ic.Segments, seg.checkpoint())
			idle = idle && !seg.dirty
		}
		if idle { // nothing of it is only in the journal
			ix.sealed = max(ix.sealed, s.applied)
		}
		ic.Sealed = ix.sealed
		need = min(need, ic.Sealed)
		c.Indices = append(c.Indices, ic)
	}
	s.pub.Unlock()
	s.commit.Unlock()
	s.gmu.Lock()
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		c.Groups = append(c.Groups, s.groups[name].checkpoint())
	}
	s.gmu.Unlock()
	b, err := encodeCheckpoint(c)
	if err != nil {
		return err
	}
	if err := vfs.WriteFileAtomic(s.fs, filepath.Join(s.cfg.Dir, checkpointName), b); err != nil {
		return fmt.Errorf("write %s: %w", checkpointName, err)
	}
	s.replayed = need
	if need == s.jr.DurableEnd() && s.jr.Size() >= rollBytes { // all is sealed: the extent under way can go, too
		if err := s.jr.Roll(); err != nil {
			return err
		}
	}
	if _, err := s.jr.Trim(need); err != nil {
		return err
	}
	return s.sweep()
}

// rollBytes: a journal of less is not worth a new extent when nothing of it is needed.
const rollBytes = 1 << 20

// appendU32 is little-endian.
func appendU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
