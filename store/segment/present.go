package segment

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/weirlog/weir/store/query"
)

// Forms of a zone of PRESENT.
const (
	presentNone   = 0
	presentAll    = 1
	presentList   = 2 // u16 rows
	presentBitmap = 3 // 512 bytes
	presentRuns   = 4 // u16 first, u16 last
)

// presentEntry is the length of a zone's entry: u8 form, u8 0, u16 number of u16s behind (list, runs), u32 present rows in the zones
// before, u32 offset behind the entries.
const presentEntry = 12

// zonesOf is the number of zones of rows.
func zonesOf(rows int) int { return (rows + query.ZoneRows - 1) / query.ZoneRows }

// appendPresent encodes which of total rows are among rows, ascending and distinct.
func appendPresent(dst []byte, rows []uint32, total int) []byte {
	zones := zonesOf(total)
	table := len(dst)
	dst = append(dst, make([]byte, presentEntry*zones)...)
	base := len(dst)
	rank := 0
	for z := range zones {
		lo, hi := Span(rows, len(rows), z)
		in := rows[lo:hi]
		e := dst[table+presentEntry*z:]
		binary.LittleEndian.PutUint32(e[4:], uint32(rank))
		binary.LittleEndian.PutUint32(e[8:], uint32(len(dst)-base))
		form, words, data := presentZone(in, min(query.ZoneRows, total-z*query.ZoneRows))
		e[0] = form
		binary.LittleEndian.PutUint16(e[2:], uint16(words))
		dst = append(dst, data...)
		rank += len(in)
	}
	return dst
}

// presentZone encodes one zone in its smallest form.
func presentZone(in []uint32, size int) (form byte, words int, data []byte) {
	switch len(in) {
	case 0:
		return presentNone, 0, nil
	case size:
		return presentAll, 0, nil
	}
	var runs []byte
	for i := 0; i < len(in); {
		j := i
		for j+1 < len(in) && in[j+1] == in[j]+1 {
			j++
		}
		runs = binary.LittleEndian.AppendUint16(runs, uint16(in[i]%query.ZoneRows))
		runs = binary.LittleEndian.AppendUint16(runs, uint16(in[j]%query.ZoneRows))
		i = j + 1
	}
	if len(runs) < 512 && len(runs) <= 2*len(in) {
		return presentRuns, len(runs) / 2, runs
	}
	if 2*len(in) < 512 {
		for _, r := range in {
			data = binary.LittleEndian.AppendUint16(data, uint16(r%query.ZoneRows))
		}
		return presentList, len(in), data
	}
	var sel query.Selection
	for _, r := range in {
		r %= query.ZoneRows
		sel[r/64] |= 1 << (r % 64)
	}
	for _, w := range sel {
		data = binary.LittleEndian.AppendUint64(data, w)
	}
	return presentBitmap, 0, data
}

// present reads PRESENT. The zero value means that all of rows are there.
type present struct {
	b    []byte
	rows int
}

// zone sets sel to the present rows of a zone and says how many are before the zone.
func (p *present) zone(z int, sel *query.Selection) (rank int, ok bool) {
	size := min(query.ZoneRows, p.rows-z*query.ZoneRows)
	if p.b == nil {
		SetFirst(sel, max(size, 0))
		return z * query.ZoneRows, true
	}
	zones := zonesOf(p.rows)
	*sel = query.Selection{}
	if z < 0 || z >= zones {
		return 0, true
	}
	if len(p.b) < presentEntry*zones {
		return 0, false
	}
	e := p.b[presentEntry*z:]
	n := int(binary.LittleEndian.Uint16(e[2:]))
	rank = int(binary.LittleEndian.Uint32(e[4:]))
	at := uint64(presentEntry*zones) + uint64(binary.LittleEndian.Uint32(e[8:]))
	if at > uint64(len(p.b)) {
		return 0, false
	}
	return rank, fillZone(sel, e[0], n, p.b[at:], size)
}

func fillZone(sel *query.Selection, form byte, n int, data []byte, size int) bool {
	switch form {
	case presentNone:
		return true
	case presentAll:
		SetFirst(sel, size)
		return true
	case presentBitmap:
		if len(data) < 512 {
			return false
		}
		for w := range sel {
			sel[w] = binary.LittleEndian.Uint64(data[8*w:])
		}
		return true
	}
	if len(data) < 2*n {
		return false
	}
	if form == presentList {
		for i := range n {
			r := binary.LittleEndian.Uint16(data[2*i:]) % query.ZoneRows
			sel[r/64] |= 1 << (r % 64)
		}
		return true
	}
	if form != presentRuns {
		return false
	}
	for i := 0; i+1 < n; i += 2 {
		lo, hi := binary.LittleEndian.Uint16(data[2*i:]), binary.LittleEndian.Uint16(data[2*i+2:])
		if hi >= query.ZoneRows {
			return false
		}
		for r := lo; r <= hi; r++ {
			sel[r/64] |= 1 << (r % 64)
		}
	}
	return true
}

// rank is the number of present rows before row, and whether row itself is present.
func (p *present) rank(row int) (rank int, has, ok bool) {
	if row < 0 || row >= p.rows {
		return 0, false, true
	}
	if p.b == nil {
		return row, true, true
	}
	var sel query.Selection
	rank, ok = p.zone(row/query.ZoneRows, &sel)
	r := row % query.ZoneRows
	for w := range r / 64 {
		rank += bits.OnesCount64(sel[w])
	}
	below := sel[r/64] & (1<<(r%64) - 1)
	return rank + bits.OnesCount64(below), sel[r/64]>>(r%64)&1 == 1, ok
}

// count is the number of bits of a selection.
func count(sel *query.Selection) int {
	n := 0
	for _, w := range sel {
		n += bits.OnesCount64(w)
	}
	return n
}

// distinct drops repeats from ascending rows.
func distinct(rows []uint32) []uint32 { return slices.Compact(slices.Clone(rows)) }
