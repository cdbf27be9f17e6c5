package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

// A text repeats what was parsed out of it: addresses, paths, status codes, its own time. Where such a piece equals the first value of
// another column of the row, printed in one of a few forms, the text keeps a reference instead: REFBLOCKS are BLOCKS in which
//
//	01 FF     is the byte 01
//	01 c      is reference c of REFS, c below 254
//
// REFS: per reference uv number of the field, u8 form: 0 the value as text, 1 a number in decimal, from 2 on a date in dateForms
const (
	refMark   = 0x01
	refEscape = 0xFF
	maxRefs   = 16
	minRef    = 3 // bytes of a value worth a reference
)

const (
	refText = iota
	refDecimal
	refDates // and up: dateForms
)

// dateForms are how times stand in log lines. The order is the format's.
var dateForms = [...]string{"02/Jan/2006:15:04:05 -0700", "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05Z", "2006-01-02 15:04:05.000", "2006-01-02 15:04:05,000",
	"2006-01-02 15:04:05", "2006/01/02 15:04:05", "Jan _2 15:04:05"}

// RefColumn is a column that texts may repeat. Its number must have been given before the text's.
type RefColumn struct {
	Path string
	Type mapping.Type
	// First is the first value of a row: its bytes, or its number. Rows are asked for in ascending order, but for the start of a new pass.
	First func(row uint32) (b []byte, n int64, ok bool)
}

// refForms are the forms that values of a type may stand in.
func refForms(t mapping.Type) []byte {
	switch t {
	case mapping.Keyword, mapping.ConstantKeyword, mapping.Wildcard, mapping.IP:
		return []byte{refText}
	case mapping.Long, mapping.Integer, mapping.Short:
		return []byte{refDecimal}
	case mapping.Date:
		forms := make([]byte, len(dateForms))
		for i := range forms {
			forms[i] = byte(refDates + i)
		}
		return forms
	}
	return nil
}

// appendRef prints a value in a form.
func appendRef(dst []byte, t mapping.Type, form byte, b []byte, n int64) []byte {
	switch {
	case form == refText && t == mapping.IP:
		return append(dst, mapping.IPText(b)...)
	case form == refText:
		return append(dst, b...)
	case form == refDecimal:
		return strconv.AppendInt(dst, n, 10)
	}
	return time.UnixMilli(n).UTC().AppendFormat(dst, dateForms[form-refDates])
}

// reference is one entry of REFS while it is written.
type reference struct {
	col  *RefColumn
	num  int
	form byte
	hits int
}

// refWriter replaces pieces of texts by references.
type refWriter struct {
	refs  []reference
	buf   []byte
	out   []byte
	spans []refSpan
}

type refSpan struct {
	from, to int
	code     byte
}

// refSample is how many texts decide which columns are referred to; one in refShare of them must be.
const (
	refSample = 400
	refShare  = 24
)

// newRefWriter looks at some of the n texts; nil: no column is worth a reference.
func newRefWriter(b *Builder, cols []RefColumn, n int, row func(i int) uint32, at func(i int) []byte) *refWriter {
	w := &refWriter{}
	for i := range cols {
		num, ok := b.names[cols[i].Path]
		if !ok {
			continue
		}
		for _, form := range refForms(cols[i].Type) {
			w.refs = append(w.refs, reference{col: &cols[i], num: num, form: form})
		}
	}
	step := max(1, n/refSample)
	looked := 0
	for i := 0; i < n; i += step {
		looked++
		text, r := at(i), row(i)
		for k := range w.refs {
			if v := w.value(&w.refs[k], r); len(v) >= minRef && findPiece(text, v) >= 0 {
				w.refs[k].hits += len(v)
			}
		}
	}
	w.refs = slices.DeleteFunc(w.refs, func(r reference) bool { return r.hits*refShare < looked*minRef })
	slices.SortStableFunc(w.refs, func(a, b reference) int { return b.hits - a.hits })
	if len(w.refs) == 0 {
		return nil
	}
	w.refs = w.refs[:min(maxRefs, len(w.refs))]
	return w
}

func (w *refWriter) value(r *reference, row uint32) []byte {
	b, n, ok := r.col.First(row)
	if !ok {
		return nil
	}
	w.buf = appendRef(w.buf[:0], r.col.Type, r.form, b, n)
	return w.buf
}

// findPiece is where v stands in text, not inside a longer word; -1: nowhere.
func findPiece(text, v []byte) int {
	for from := 0; from+len(v) <= len(text); {
		i := bytes.Index(text[from:], v)
		if i < 0 {
			return -1
		}
		i += from
		if (i == 0 || !wordByte(text[i-1])) && (i+len(v) == len(text) || !wordByte(text[i+len(v)])) {
			return i
		}
		from = i + 1
	}
	return -1
}

func wordByte(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}

// encode is a text with its references; valid until the next call.
func (w *refWriter) encode(text []byte, row uint32) []byte {
	w.spans = w.spans[:0]
	for k := range w.refs {
		v := w.value(&w.refs[k], row)
		if len(v) < minRef {
			continue
		}
		i := findPiece(text, v)
		if i < 0 || slices.ContainsFunc(w.spans, func(s refSpan) bool { return i < s.to && s.from < i+len(v) }) {
			continue
		}
		w.spans = append(w.spans, refSpan{i, i + len(v), byte(k)})
	}
	if len(w.spans) == 0 && bytes.IndexByte(text, refMark) < 0 {
		return text
	}
	slices.SortFunc(w.spans, func(a, b refSpan) int { return a.from - b.from })
	w.out = w.out[:0]
	at := 0
	for _, s := range w.spans {
		w.out = append(appendEscaped(w.out, text[at:s.from]), refMark, s.code)
		at = s.to
	}
	w.out = appendEscaped(w.out, text[at:])
	return w.out
}

func appendEscaped(dst, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, refMark)
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), refMark, refEscape)
		text = text[i+1:]
	}
}

// storedRef is an entry of REFS by the path of its field.
type storedRef struct {
	path string
	form byte
}

// stored is the references of an open column, nil when its texts stand as they are.
func (c *column) stored() []storedRef {
	if c.refs == nil {
		return nil
	}
	out := make([]storedRef, 0, len(c.refs.refs))
	for _, r := range c.refs.refs {
		out = append(out, storedRef{c.r.fields[r.num].path, r.form})
	}
	return out
}

// refTable is REFS of references by path.
func (b *Builder) refTable(refs []storedRef) []byte {
	var out []byte
	for _, r := range refs {
		out = append(binary.AppendUvarint(out, uint64(b.names[r.path])), r.form)
	}
	return out
}

// table is REFS.
func (w *refWriter) table() []byte {
	var out []byte
	for _, r := range w.refs {
		out = append(binary.AppendUvarint(out, uint64(r.num)), r.form)
	}
	return out
}

// refReader puts the pieces back.
type refReader struct {
	r    *Reader
	refs []struct {
		num  int
		form byte
	}
}

func openRefs(r *Reader, b []byte) (*refReader, error) {
	bad := fmt.Errorf("%w: references", ErrDamaged)
	x := &refReader{r: r}
	for len(b) > 0 {
		num, k := binary.Uvarint(b)
		if k <= 0 || k >= len(b) || num >= uint64(len(r.fields)) || int(b[k]) >= refDates+len(dateForms) || len(x.refs) == maxRefs {
			return nil, bad
		}
		f := &r.fields[num]
		if !slices.Contains(refForms(f.typ), b[k]) || f.kind == colText || f.kind == colRest {
			return nil, bad
		}
		x.refs = append(x.refs, struct {
			num  int
			form byte
		}{int(num), b[k]})
		b = b[k+1:]
	}
	return x, nil
}

// expand is the text of a row as it was written. A text without references is returned as it is.
func (x *refReader) expand(stored []byte, row int) ([]byte, bool) {
	i := bytes.IndexByte(stored, refMark)
	if i < 0 {
		return stored, true
	}
	out := make([]byte, 0, len(stored)+96)
	for ; i >= 0; i = bytes.IndexByte(stored, refMark) {
		out = append(out, stored[:i]...)
		if i+1 == len(stored) {
			return nil, false
		}
		code := int(stored[i+1])
		stored = stored[i+2:]
		if code == refEscape {
			out = append(out, refMark)
			continue
		}
		if code >= len(x.refs) {
			return nil, false
		}
		var ok bool
		if out, ok = x.append(out, code, row); !ok {
			return nil, false
		}
	}
	return append(out, stored...), true
}

func (x *refReader) append(dst []byte, code, row int) ([]byte, bool) {
	ref := x.refs[code]
	c := x.r.column(ref.num)
	if c == nil {
		return dst, false
	}
	b, n, ok := c.first(row)
	if !ok {
		return dst, false
	}
	return appendRef(dst, x.r.fields[ref.num].typ, ref.form, b, n), true
}

// first is the first value of a row.
func (c *column) first(row int) (b []byte, n int64, ok bool) {
	lo, hi := c.span(row)
	if lo >= hi {
		return nil, 0, false
	}
	if c.kind == colInt {
		n, ok = c.number(lo)
		return nil, n, ok
	}
	b, ok = c.value(lo, row)
	return b, 0, ok
}
