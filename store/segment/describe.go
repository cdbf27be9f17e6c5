package segment

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weirlog/weir/vfs"
)

// Description is what a segment file holds, for people.
type Description struct {
	Header   Header
	Meta     Meta
	Bytes    int64
	Sections []SectionSize // as they lie in the file
	Fields   []FieldSize   // the largest first
}

// SectionSize is one section.
type SectionSize struct {
	Kind   string
	Field  string // "" for sections of the whole segment
	Offset uint64
	Bytes  uint64
}

// FieldSize is what a field takes.
type FieldSize struct {
	Path     string
	Column   string
	Present  int // rows with a value
	Distinct int
	Bytes    uint64
}

func columnName(kind byte) string {
	switch kind {
	case colInt:
		return "int"
	case colDict:
		return "dict"
	case colRaw:
		return "raw"
	case colText:
		return "text"
	case colRest:
		return "rest"
	}
	return fmt.Sprintf("kind%d", kind)
}

// Describe tells what a segment file holds. Sections that are shared count for each field that has them.
func Describe(fsys vfs.FS, path string) (Description, error) {
	r, err := Open(fsys, path, nil)
	if err != nil {
		return Description{}, err
	}
	defer r.Close()
	d := Description{Header: r.Header, Meta: r.Meta, Bytes: r.Size()}
	sizes := make([]uint64, len(r.fields))
	for k, e := range r.toc {
		s := SectionSize{Kind: sectionName(int(k.kind)), Offset: e.offset, Bytes: e.length}
		if k.field != noField && int(k.field) < len(r.fields) {
			s.Field = r.fields[k.field].path
			sizes[k.field] += e.length
		}
		d.Sections = append(d.Sections, s)
	}
	slices.SortFunc(d.Sections, func(a, b SectionSize) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Field, b.Field))
	})
	for i, f := range r.fields {
		d.Fields = append(d.Fields, FieldSize{f.path, columnName(f.kind), f.present, f.distinct, sizes[i]})
	}
	slices.SortFunc(d.Fields, func(a, b FieldSize) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Path, b.Path)) })
	return d, r.Err()
}

// EachDocument calls f with every document of a segment file, deleted ones included, until it returns an error.
func EachDocument(fsys vfs.FS, path string, f func(row int, id string, source []byte) error) error {
	r, err := Open(fsys, path, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	var buf []byte
	for row := range r.Rows() {
		if buf, err = r.AppendSource(buf[:0], row); err != nil {
			return err
		}
		if err := f(row, r.ID(row), buf); err != nil {
			return err
		}
	}
	return r.Err()
}
