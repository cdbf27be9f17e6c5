package journal

import (
	"cmp"
	"fmt"
	"slices"
)

// Hole is a range of offsets that cannot be read: bad bytes with good batches behind them. As an error, it is what Read says there.
type Hole struct {
	From   int64 `json:"from"`
	To     int64 `json:"to"` // exclusive
	Torn   bool  `json:"torn,omitempty"`
	Extent int64 `json:"extent"` // base of the file
	Pos    int64 `json:"pos"`    // bad bytes [Pos, PosEnd) of it
	PosEnd int64 `json:"posEnd"`

	// Accepted: Repair was told to live without it. Readers may step over it, as over a torn one.
	Accepted bool `json:"accepted,omitempty"`
}

func (h *Hole) Error() string {
	kind := "damaged"
	if h.Torn {
		kind = "torn"
	}
	return fmt.Sprintf("offsets %d to %d are %s: file %020d.log, bytes %d to %d", h.From, h.To, kind, h.Extent, h.Pos, h.PosEnd)
}

// DamageError is why a journal of our own payloads does not open: acknowledged bytes are bad.
type DamageError struct {
	File string
	Pos  int64 // of the first bad byte
	Want int64 // the offset that should be there
	Why  string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d (offset %d): %s", e.File, e.Pos, e.Want, e.Why)
}

// addHole notes a hole once and says so. A list that is full forgets the oldest: reads find it again by the CRC.
func (j *Journal) addHole(h Hole) {
	if h.From >= h.To {
		return
	}
	if slices.ContainsFunc(j.holes, func(o Hole) bool { return o.From == h.From && o.To == h.To && o.Extent == h.Extent }) {
		return
	}
	j.holes = append(j.holes, h)
	slices.SortFunc(j.holes, func(a, b Hole) int { return cmp.Compare(a.From, b.From) })
	j.holes = j.holes[max(0, len(j.holes)-maxHoles):]
	attrs := []any{"file", fileName(j.cfg.Dir, h.Extent, logSuffix), "at", h.Pos, "bytes", h.PosEnd - h.Pos, "from", h.From, "to", h.To}
	if h.Torn {
		j.cfg.Log.Warn("hole: a write did not reach the disk", attrs...)
		return
	}
	j.cfg.Log.Error("hole: bytes are damaged", attrs...)
}
