package segment

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

// Input is a segment to merge.
type Input struct {
	R    *Reader
	Drop *roaring.Bitmap // rows to leave out, nil for none
}

// Merge writes one segment of the rows of several, in their order. Nothing is parsed or tokenised: dictionaries are merged, ordinals
// renumbered, postings moved. rows are the new row of each old row of each input, -1 for those left out; size is the file's length.
func Merge(fsys vfs.FS, path string, h Header, ins []Input) (rows [][]int64, size int64, err error) {
	m := &merger{ins: ins}
	h.Rows = m.number()
	b, err := Create(fsys, path, h, m.meta())
	if err != nil {
		return nil, 0, err
	}
	if err := m.columns(b); err != nil {
		return nil, 0, b.Abandon(err)
	}
	if err := m.documents(b); err != nil {
		return nil, 0, b.Abandon(err)
	}
	for _, in := range ins {
		if err := in.R.Err(); err != nil {
			return nil, 0, b.Abandon(err)
		}
	}
	size, err = b.Finish()
	return m.rows, size, err
}

type merger struct {
	ins  []Input
	rows [][]int64 // per input
	from []uint32  // per new row: input
	old  []uint32  // per new row: old row
}

// number gives the kept rows their new numbers.
func (m *merger) number() int {
	n := 0
	for k, in := range m.ins {
		rows := make([]int64, in.R.Rows())
		for r := range rows {
			if rows[r] = -1; in.Drop == nil || !in.Drop.Contains(uint32(r)) {
				rows[r] = int64(n)
				m.from, m.old = append(m.from, uint32(k)), append(m.old, uint32(r))
				n++
			}
		}
		m.rows = append(m.rows, rows)
	}
	return n
}

func (m *merger) meta() Meta {
	out := Meta{MinSeq: math.MaxInt64, MaxSeq: math.MinInt64}
	for _, in := range m.ins {
		x := &in.R.Meta
		out.MinSeq, out.MaxSeq = min(out.MinSeq, x.MinSeq), max(out.MaxSeq, x.MaxSeq)
		out.SrcBytes += x.SrcBytes
		if x.Timed {
			if !out.Timed {
				out.MinTime, out.MaxTime, out.Timed = x.MinTime, x.MaxTime, true
			}
			out.MinTime, out.MaxTime = min(out.MinTime, x.MinTime), max(out.MaxTime, x.MaxTime)
		}
	}
	return out
}

// part is a column of one input.
type part struct {
	in int
	c  *column
}

// columns merges every column that any input has.
func (m *merger) columns(b *Builder) error {
	done := map[string]bool{fieldRest: true}
	for k := range 2 * len(m.ins) { // texts last: they refer to other columns
		in, texts := m.ins[k%len(m.ins)], k >= len(m.ins)
		for i := range in.R.fields {
			f := &in.R.fields[i]
			if done[f.path] || texts != (f.kind == colText) {
				continue
			}
			done[f.path] = true
			parts, err := m.parts(f.path)
			if err != nil {
				return err
			}
			if err := m.column(b, f, parts); err != nil {
				return fmt.Errorf("merge field %s: %w", f.path, err)
			}
		}
	}
	return nil
}

func (m *merger) parts(path string) ([]part, error) {
	var out []part
	for k, in := range m.ins {
		num, ok := in.R.byPath[path]
		if !ok {
			continue
		}
		c := in.R.column(num)
		if c == nil {
			return nil, in.R.Err()
		}
		out = append(out, part{k, c})
	}
	return out, nil
}

func (m *merger) column(b *Builder, f *fieldEntry, parts []part) error {
	for _, p := range parts {
		if kindClass(p.c.kind) != kindClass(f.kind) || p.c.r.fields[p.c.num].typ != f.typ {
			return fmt.Errorf("%w: a field with two types", ErrDamaged)
		}
	}
	switch kindClass(f.kind) {
	case colInt:
		return m.numbers(b, f, parts)
	case colDict:
		return m.values(b, f, parts)
	}
	return m.texts(b, f, parts)
}

// kindClass is what a kind merges with.
func kindClass(kind byte) byte {
	if kind == colRaw {
		return colDict
	}
	return kind
}

// valueRows is the old row of each value of a column.
func (c *column) valueRows() ([]uint32, bool) {
	rows := make([]uint32, 0, c.n)
	var has query.Selection
	for z := range zonesOf(c.pres.rows) {
		_, _, starts, ok := c.layout(z, &has)
		if !ok {
			return nil, false
		}
		k := 0
		for w, x := range has {
			for ; x != 0; x &= x - 1 {
				r := uint32(z*query.ZoneRows + w*64 + bits.TrailingZeros64(x))
				n := int64(1)
				if starts != nil {
					n = starts[k+1] - starts[k]
				}
				for range n {
					rows = append(rows, r)
				}
				k++
			}
		}
	}
	return rows, len(rows) == c.n
}

// kept walks the values of the parts whose rows stay: f gets the part, the number of the value in it, and its new row.
func (m *merger) kept(parts []part, f func(k, i int, row uint32)) error {
	for k, p := range parts {
		rows, ok := p.c.valueRows()
		if !ok {
			p.c.r.damaged("presence", p.c.num)
			return p.c.r.Err()
		}
		for i, r := range rows {
			if n := m.rows[p.in][r]; n >= 0 {
				f(k, i, uint32(n))
			}
		}
	}
	return nil
}

// dense drops rows when value i is of row i for all rows there are.
func dense(rows []uint32, total int) []uint32 {
	if len(rows) != total {
		return rows
	}
	for i, r := range rows {
		if int(r) != i {
			return rows
		}
	}
	return nil
}

func (m *merger) numbers(b *Builder, f *fieldEntry, parts []part) error {
	var rows []uint32
	var vals []int64
	loaded := make([][]int64, len(parts))
	for k, p := range parts {
		v, ok := p.c.ints.load(nil, 0, p.c.n)
		if !ok {
			p.c.r.damaged("numbers", p.c.num)
			return p.c.r.Err()
		}
		loaded[k] = v
	}
	err := m.kept(parts, func(k, i int, row uint32) {
		rows, vals = append(rows, row), append(vals, parts[k].c.decode(loaded[k][i]))
	})
	if err != nil || len(vals) == 0 {
		return err
	}
	b.Numbers(f.path, f.typ, dense(rows, b.h.Rows), vals)
	return nil
}

// dictionary is the values of a part: those of its DICT, or the distinct ones of its RAW, ascending; ords are its values'.
func (c *column) dictionary() (dict [][]byte, ords []uint32, err error) {
	bad := func() ([][]byte, []uint32, error) {
		c.r.damaged("dictionary", c.num)
		return nil, nil, c.r.Err()
	}
	ords = make([]uint32, c.n)
	if c.kind == colDict {
		nums, ok := c.ints.load(nil, 0, c.n)
		if !ok {
			return bad()
		}
		for i, o := range nums {
			if o < 0 || o >= int64(c.dict.n) {
				return bad()
			}
			ords[i] = uint32(o)
		}
		for i := range c.dict.n {
			v, ok := c.dict.value(uint32(i))
			if !ok {
				return bad()
			}
			dict = append(dict, v)
		}
		return dict, ords, nil
	}
	all := make([][]byte, c.n)
	for i := range all {
		v, ok := c.raw.append(nil, i)
		if !ok {
			return bad()
		}
		all[i] = v
	}
	dict = slices.Clone(all)
	slices.SortFunc(dict, bytes.Compare)
	dict = slices.CompactFunc(dict, bytes.Equal)
	for i, v := range all {
		o, _ := slices.BinarySearchFunc(dict, v, bytes.Compare)
		ords[i] = uint32(o)
	}
	return dict, ords, nil
}

// union merges ascending lists into one and says where the values of each went.
func union(lists [][][]byte) (all [][]byte, maps [][]uint32) {
	for _, l := range lists {
		all = append(all, l...)
	}
	slices.SortFunc(all, bytes.Compare)
	all = slices.CompactFunc(all, bytes.Equal)
	for _, l := range lists {
		to := make([]uint32, len(l))
		at := 0
		for i, v := range l {
			for !bytes.Equal(all[at], v) {
				at++
			}
			to[i] = uint32(at)
		}
		maps = append(maps, to)
	}
	return all, maps
}

func (m *merger) values(b *Builder, f *fieldEntry, parts []part) error {
	dicts, partOrds := make([][][]byte, len(parts)), make([][]uint32, len(parts))
	for k, p := range parts {
		var err error
		if dicts[k], partOrds[k], err = p.c.dictionary(); err != nil {
			return err
		}
	}
	all, to := union(dicts)
	var rows, ords []uint32
	err := m.kept(parts, func(k, i int, row uint32) {
		rows, ords = append(rows, row), append(ords, to[k][partOrds[k][i]])
	})
	if err != nil || len(ords) == 0 {
		return err
	}
	all, ords = Used(all, ords)
	b.Values(f.path, f.typ, dense(rows, b.h.Rows), ords, all)
	return nil
}

// Used drops the values that no ordinal names and renumbers the ordinals, in place.
func Used(dict [][]byte, ords []uint32) ([][]byte, []uint32) {
	to := make([]uint32, len(dict))
	for _, o := range ords {
		to[o] = 1
	}
	n := uint32(0)
	out := dict[:0:0]
	for o, used := range to {
		if used == 1 {
			to[o] = n
			out = append(out, dict[o])
			n++
		}
	}
	for i, o := range ords {
		ords[i] = to[o]
	}
	return out, ords
}

func (m *merger) texts(b *Builder, f *fieldEntry, parts []part) error {
	var rows []uint32
	var who [][2]uint32
	err := m.kept(parts, func(k, i int, row uint32) {
		rows, who = append(rows, row), append(who, [2]uint32{uint32(k), uint32(i)})
	})
	if err != nil || len(who) == 0 {
		return err
	}
	terms := make([][][]byte, len(parts))
	for k, p := range parts {
		for i := range p.c.dict.n {
			v, ok := p.c.dict.value(uint32(i))
			if !ok {
				p.c.r.damaged("terms", p.c.num)
				return p.c.r.Err()
			}
			terms[k] = append(terms[k], v)
		}
	}
	all, to := union(terms)
	back := make([][]int32, len(parts)) // per part: ordinal of a merged term + 1
	for k := range parts {
		back[k] = make([]int32, len(all))
		for i, o := range to[k] {
			back[k][o] = int32(i) + 1
		}
	}
	var words int64
	for _, p := range parts { // those of rows that are left out are taken to be of mean length
		in := m.ins[p.in].R
		words += in.Meta.Words[f.path] * int64(m.keptRows(p.in)) / int64(max(1, in.Rows()))
	}
	stored := m.sameRefs(b, parts)
	var list []uint32
	b.Text(f.path, f.typ, Text{stored: stored, Rows: dense(rows, b.h.Rows), N: len(who), Terms: all, Refs: m.refs(b), Words: words,
		At: func(i int) []byte {
			c := parts[who[i][0]].c
			if stored != nil {
				return c.storedText(int(who[i][1]))
			}
			v, ok := c.value(int(who[i][1]), int(m.old[rows[i]]))
			if !ok {
				return nil
			}
			return v
		},
		Postings: func(term int) []uint32 {
			list = list[:0]
			for k, p := range parts {
				if o := back[k][term]; o > 0 {
					list = m.moved(list, p, int(o-1))
				}
			}
			return list
		}})
	return nil
}

// sameRefs is what the texts of all parts refer to, when they agree: a row's values move with it, so that the texts can be taken over as
// they are stored. nil: they differ.
func (m *merger) sameRefs(b *Builder, parts []part) []storedRef {
	refs := parts[0].c.stored()
	for _, p := range parts[1:] {
		if !slices.Equal(refs, p.c.stored()) {
			return nil
		}
	}
	for _, r := range refs {
		if b.Column(r.path) < 0 {
			return nil
		}
	}
	return refs
}

// keptRows is the number of rows of an input that stay.
func (m *merger) keptRows(in int) int {
	r := &m.ins[in]
	if r.Drop == nil {
		return r.R.Rows()
	}
	return r.R.Rows() - int(r.Drop.GetCardinality())
}

// refs are the columns that texts may repeat.
func (m *merger) refs(b *Builder) []RefColumn {
	var out []RefColumn
	seen := map[string]bool{}
	for _, in := range m.ins {
		for i := range in.R.fields {
			f := &in.R.fields[i]
			if seen[f.path] || f.path[0] == '_' && f.typ == mapping.Other || len(refForms(f.typ)) == 0 || b.Column(f.path) < 0 {
				continue
			}
			seen[f.path] = true
			cols := make([]*column, len(m.ins))
			for k, o := range m.ins {
				if num, ok := o.R.byPath[f.path]; ok {
					cols[k] = o.R.column(num)
				}
			}
			out = append(out, RefColumn{Path: f.path, Type: f.typ, First: func(row uint32) (v []byte, n int64, ok bool) {
				c := cols[m.from[row]]
				if c == nil {
					return nil, 0, false
				}
				return c.first(int(m.old[row]))
			}})
		}
	}
	return out
}

// moved appends the new rows of a part's postings.
func (m *merger) moved(dst []uint32, p part, ord int) []uint32 {
	n, ok := p.c.dict.counts.at(ord)
	if ok {
		var rows []uint32
		if rows, ok = p.c.terms.rows(ord, int(n), p.c.pres.rows); ok {
			for _, r := range rows {
				if to := m.rows[p.in][r]; to >= 0 {
					dst = append(dst, uint32(to))
				}
			}
		}
	}
	if !ok {
		p.c.r.damaged("postings", p.c.num)
	}
	return dst
}

// documents merges shapes and rests.
func (m *merger) documents(b *Builder) error {
	d := Documents{Row: make([]uint32, len(m.old))}
	known := map[string]uint32{}

	to := make([][]uint32, len(m.ins))
	rests := make([]*column, len(m.ins))
	for k, in := range m.ins {
		in.R.shapesOnce.Do(func() {
			if err := in.R.loadShapes(); err != nil {
				in.R.damage(err)
			}
		})
		for _, s := range in.R.shapes {
			text, ok := mapping.Renumber(nil, s, func(f int) int {
				if f >= len(in.R.fields) {
					return -1
				}
				return b.Column(in.R.fields[f].path)
			})
			if !ok { // of rows that are left out: its fields are gone
				text = nil
			}
			o, seen := known[string(text)]
			if !seen {
				o = uint32(len(d.Shapes))
				known[string(text)] = o
				d.Shapes = append(d.Shapes, text)

			}
			to[k] = append(to[k], o)
		}
		if num, ok := in.R.byPath[fieldRest]; ok {
			rests[k] = in.R.column(num)
		}
	}
	for r := range d.Row {
		k := m.from[r]
		s, ok := m.ins[k].R.rowShape.at(int(m.old[r]))
		if !ok || s < 0 || int(s) >= len(to[k]) {
			return fmt.Errorf("%w: shape of a row", ErrDamaged)
		}
		d.Row[r] = to[k][s]
	}
	d.Num = func(_, f int) int { return f }
	d.Rest = func(r int) (rest []byte) {
		if c := rests[m.from[r]]; c != nil {
			c.each(int(m.old[r]), func(v []byte) { rest = v })
		}
		return rest
	}
	d.Whole = func(r int) ([]byte, error) { return m.ins[m.from[r]].R.AppendSource(nil, int(m.old[r])) }
	return d.Write(b)
}
