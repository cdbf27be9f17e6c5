package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"

	"github.com/weirlog/weir/vfs"
)

const (
	indexInterval  = 16 << 10 // bytes of batches between two index entries
	indexEntrySize = 8
	timeEntrySize  = 12
)

// index finds a place in an extent by offset and by time. It is a hint: a hit is checked against the batch there.
type index struct {
	entries []indexEntry
	times   []timeEntry
	next    int64 // position from which on the next batch gets an entry
	maxTime int64
	maxRel  uint32 // base offset, relative, of the batch with maxTime
	any     bool
}

// indexEntry names a batch by its last offset, relative to the extent's base, as Kafka does, and its position.
type indexEntry struct{ rel, pos uint32 }

// starts tells whether h is the header of the batch that the entry names; position 0 is that of the first.
func (n indexEntry) starts(base int64, h *Header) bool {
	if n.pos == 0 {
		return h.BaseOffset == base
	}
	return h.Next()-1 == base+int64(n.rel)
}

type timeEntry struct {
	time int64  // maximum timestamp of all batches up to and with the one at rel
	rel  uint32 // the batch that has it
}

// note takes account of a batch at pos.
func (x *index) note(h *Header, base, pos int64) {
	rel := h.BaseOffset - base
	last := rel + int64(h.LastOffsetDelta)
	if last > math.MaxUint32 || pos > math.MaxUint32 {
		return
	}
	if !x.any || h.MaxTime > x.maxTime {
		x.maxTime, x.maxRel, x.any = h.MaxTime, uint32(rel), true
	}
	if len(x.entries) > 0 && pos < x.next {
		return
	}
	x.entries = append(x.entries, indexEntry{uint32(last), uint32(pos)})
	x.next = pos + indexInterval
	if n := len(x.times); n == 0 || x.maxTime > x.times[n-1].time {
		x.times = append(x.times, timeEntry{x.maxTime, x.maxRel})
	}
}

// cut forgets entries at or past pos.
func (x *index) cut(pos int64) {
	n := sort.Search(len(x.entries), func(i int) bool { return int64(x.entries[i].pos) >= pos })
	x.entries = x.entries[:n]
	x.next = 0
	if n > 0 {
		x.next = int64(x.entries[n-1].pos) + indexInterval
	}
}

// seek gives an entry at or before the batch that holds the offset, relative to the extent's base; the zero entry is the extent's
// beginning.
func (x *index) seek(rel int64) indexEntry {
	i := sort.Search(len(x.entries), func(i int) bool { return int64(x.entries[i].rel) > rel })
	if i == 0 {
		return indexEntry{}
	}
	return x.entries[i-1]
}

// save writes both files. durable makes them survive a crash; they are rebuilt when missing or wrong, so a failure is no harm to
// the data.
func (x *index) save(fsys vfs.FS, e *extent, durable bool) error {
	b := make([]byte, 0, len(x.entries)*indexEntrySize)
	for _, n := range x.entries {
		b = binary.BigEndian.AppendUint32(b, n.rel)
		b = binary.BigEndian.AppendUint32(b, n.pos)
	}
	t := make([]byte, 0, (len(x.times)+1)*timeEntrySize)
	for _, n := range x.times {
		t = appendTimeEntry(t, n)
	}
	if n := len(x.times); x.any && (n == 0 || x.times[n-1].time < x.maxTime) {
		t = appendTimeEntry(t, timeEntry{x.maxTime, x.maxRel})
	}
	err := writeIndexFile(fsys, fileName(e.dir, e.base, indexSuffix), b, durable)
	return errors.Join(err, writeIndexFile(fsys, fileName(e.dir, e.base, timeSuffix), t, durable))
}

func appendTimeEntry(b []byte, n timeEntry) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(n.time))
	return binary.BigEndian.AppendUint32(b, n.rel)
}

func writeIndexFile(fsys vfs.FS, name string, b []byte, durable bool) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// loadIndex reads both files of e and checks that they can be true; limit is the extent's size in bytes.
func loadIndex(fsys vfs.FS, e *extent, limit int64) (*index, error) {
	b, err := vfs.ReadFile(fsys, fileName(e.dir, e.base, indexSuffix))
	if err != nil {
		return nil, err
	}
	t, err := vfs.ReadFile(fsys, fileName(e.dir, e.base, timeSuffix))
	if err != nil {
		return nil, err
	}
	return parseIndex(b, t, limit)
}

// complete walks over the batches behind the last entry: an index written before the last batches came would answer wrongly by time.
func (x *index) complete(f vfs.File, p place) error {
	if len(x.entries) == 0 {
		return nil
	}
	last := x.entries[len(x.entries)-1]
	s := newScanner(f, int64(last.pos), p.size)
	for want := int64(-1); ; {
		h, err := s.header()
		if err == nil && want < 0 && last.starts(p.e.base, &h) {
			want = h.BaseOffset
		}
		switch {
		case errors.Is(err, io.EOF), err == nil && want >= 0 && h.BaseOffset >= p.limit:
			return nil
		case err != nil:
			return err
		case h.BaseOffset != want:
			return fmt.Errorf("%w: offset %d at byte %d, want %d", errBadIndex, h.BaseOffset, s.pos, want)
		case s.pos >= x.next:
			return fmt.Errorf("%w: it ends at byte %d", errBadIndex, last.pos)
		case h.MaxTime > x.maxTime:
			return fmt.Errorf("%w: time %d at byte %d is past its end", errBadIndex, h.MaxTime, s.pos)
		}
		want = h.Next()
		s.skip(&h)
	}
}

// buildIndex makes the index of the first size bytes, offsets below limit, by reading headers. Bad bytes are stepped over.
func buildIndex(f vfs.File, base, size, limit int64) (*index, error) {
	x := &index{}
	s := newScanner(f, 0, size)
	for want := base; ; {
		h, err := s.header()
		if errors.Is(err, io.EOF) || err == nil && h.BaseOffset >= limit && h.BaseOffset == want {
			return x, nil
		}
		if err == nil && h.BaseOffset != want {
			err = ErrCorrupt
		}
		if isBad(err) {
			found := false
			if h, found, err = s.search(&h, want, limit); err == nil && !found {
				return x, nil
			}
		}
		if err != nil {
			return nil, err
		}
		x.note(&h, base, s.pos)
		want = h.Next()
		s.skip(&h)
	}
}

var errBadIndex = errors.New("index is wrong")

func parseIndex(b, t []byte, limit int64) (*index, error) {
	if len(b)%indexEntrySize != 0 || len(t)%timeEntrySize != 0 || len(b) == 0 && limit > 0 || len(t) == 0 && limit > 0 {
		return nil, fmt.Errorf("%w: sizes %d and %d", errBadIndex, len(b), len(t))
	}
	x := &index{}
	for ; len(b) > 0; b = b[indexEntrySize:] {
		n := indexEntry{binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])}
		if k := len(x.entries); int64(n.pos) >= limit || k > 0 && (n.rel <= x.entries[k-1].rel || n.pos <= x.entries[k-1].pos) || k == 0 && n.pos != 0 {
			return nil, fmt.Errorf("%w: entry %d", errBadIndex, k)
		}
		x.entries = append(x.entries, n)
		x.next = int64(n.pos) + indexInterval
	}
	for ; len(t) > 0; t = t[timeEntrySize:] {
		n := timeEntry{int64(binary.BigEndian.Uint64(t)), binary.BigEndian.Uint32(t[8:])}
		if k := len(x.times); k > 0 && (n.time <= x.times[k-1].time || n.rel <= x.times[k-1].rel) {
			return nil, fmt.Errorf("%w: time entry %d", errBadIndex, k)
		}
		x.times = append(x.times, n)
		x.maxTime, x.maxRel, x.any = n.time, n.rel, true
	}
	return x, nil
}
