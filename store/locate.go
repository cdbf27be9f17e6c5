package store

import (
	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/segment"
)

// location is where the newest version of a document is, as a writer sees it: what is not published yet included.
type location struct {
	found   bool
	deleted bool // it was, within the last minute
	h       *head
	seg     *segmentFile
	row     uint32
	version int64
	seq     int64
}

// locate finds a document by its id; the caller holds Store.commit.
func (ix *index) locate(id string, now int64) location {
	p := ix.parts.Load()
	for i := len(p.frozen); i >= 0; i-- {
		h := p.head
		if i < len(p.frozen) {
			h = p.frozen[i]
		}
		st, known := h.findID([]byte(id))
		switch {
		case !known:
		case st.row == noRow:
			return location{deleted: now-st.at < tombstoneMilli, version: st.version, seq: st.seq}
		default:
			return location{found: true, h: h, row: uint32(st.row), version: st.version, seq: st.seq}
		}
	}
	if seq, auto := segment.ParseAutoID(ix.uuid, id); auto {
		if loc := p.locateSeq(id, seq); loc.found {
			return loc
		}
	}
	for i := len(p.segs) - 1; i >= 0; i-- {
		s := p.segs[i]
		if row, ok := s.reader.FindID([]byte(id), s.dead.Load()); ok {
			return location{found: true, seg: s, row: uint32(row), version: s.reader.Version(row), seq: s.reader.Seq(row)}
		}
	}
	return location{}
}

// locateSeq finds the row an automatic id stands for, unless it has another id by now.
func (p *parts) locateSeq(id string, seq int64) location {
	for _, h := range p.heads() {
		row, ok := h.findSeq(seq)
		if ok && !h.isDead(row) && !h.hasID(row) {
			return location{found: true, h: h, row: row, version: h.versionOf(row), seq: seq}
		}
	}
	for _, s := range p.segs {
		row, ok := s.reader.FindSeq(seq)
		if ok && !s.dead.Load().Contains(uint32(row)) && s.reader.ID(row) == id {
			return location{found: true, seg: s, row: uint32(row), version: s.reader.Version(row), seq: seq}
		}
	}
	return location{}
}

func (h *head) isDead(row uint32) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.dead.Contains(row)
}

func (h *head) versionOf(row uint32) int64 {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.version[row]
}

// hasID tells whether a row has an explicit id.
func (h *head) hasID(row uint32) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if !h.ids.sparse {
		return int(row) < len(h.ids.ords)
	}
	lo, hi := segment.Span(h.ids.rows, len(h.ids.rows), int(row/query.ZoneRows))
	for _, r := range h.ids.rows[lo:hi] {
		if r == row {
			return true
		}
	}
	return false
}

// source of the document at a location, unpublished ones included.
func (l *location) source() ([]byte, error) {
	if l.seg != nil {
		return l.seg.reader.AppendSource(nil, int(l.row))
	}
	l.h.mu.Lock()
	v := newHeadView(l.h, l.h.rows, roaring.New())
	l.h.mu.Unlock()
	return v.AppendSource(nil, int(l.row))
}
