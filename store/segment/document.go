package segment

import (
	"encoding/binary"
	"sort"

	"github.com/weirlog/weir/store/mapping"
)

// Documents is what prints documents besides columns, as a head or a merge has it.
type Documents struct {
	Shapes [][]byte                              // distinct, with fields numbered as Num says
	Num    func(shape, field int) int            // the builder's number of a field of a shape; -1: unknown
	Row    []uint32                              // the shape of each row
	Rest   func(row int) []byte                  // nil: none; valid until the next call
	Whole  func(row int) (doc []byte, err error) // the printed document, for rows whose shape has no room
}

// Write adds the documents to a segment. Shapes beyond maxShapes, the rarest, give way: their rows are kept whole.
func (d *Documents) Write(b *Builder) error {
	keep, shapes, err := d.choose(b)
	if err != nil {
		return err
	}
	row := make([]uint32, len(d.Row))
	var restRows []uint32
	whole := -1
	for r, s := range d.Row {
		if keep[s] < 0 {
			if whole < 0 {
				whole = len(shapes)
				shapes = append(shapes, []byte{mapping.ShapeVerbatim})
			}
			row[r] = uint32(whole)
			restRows = append(restRows, uint32(r))
			continue
		}
		row[r] = uint32(keep[s])
		if len(d.Rest(r)) > 0 {
			restRows = append(restRows, uint32(r))
		}
	}
	var failed error
	b.Documents(shapes, row, restRows, func(i int) []byte {
		r := int(restRows[i])
		if keep[d.Row[r]] >= 0 {
			return d.Rest(r)
		}
		doc, err := d.Whole(r)
		if err != nil {
			failed = err
		}
		return append(binary.AppendUvarint(nil, uint64(len(doc))), doc...)
	})
	return failed
}

// choose numbers the shapes that are kept, -1 for the others, and renumbers their fields.
func (d *Documents) choose(b *Builder) (keep []int, shapes [][]byte, err error) {
	uses := make([]int, len(d.Shapes))
	for _, s := range d.Row {
		uses[s]++
	}
	order := make([]int, len(d.Shapes))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return uses[order[i]] > uses[order[j]] })
	keep = make([]int, len(d.Shapes))
	for k, s := range order {
		if keep[s] = -1; uses[s] == 0 || k >= maxShapes-1 {
			continue
		}
		out, ok := mapping.Renumber(nil, d.Shapes[s], func(f int) int { return d.Num(s, f) })
		if !ok {
			return nil, nil, ErrDamaged
		}
		keep[s] = len(shapes)
		shapes = append(shapes, out)
	}
	return keep, shapes, nil
}
