package mapping

import "unsafe"

// quick is the short way of strings into a keyword or text field that nothing else is made of: no normalizer, no multi-field, no copy.
// It remembers the string before, since neighbouring documents agree in most of their fields: one comparison finds its end and says
// that it is valid.
type quick struct {
	leaf   []byte // the step of the shape
	above  int    // characters; longer values are ignored; 0: no limit
	last   []byte // the last value, when it stood in the document without escapes
	misses int    // in a row
}

// Bounds of what a quick remembers.
const (
	quickBytes  = 128 // longer strings are not compared
	quickMisses = 16  // so many different ones in a row: the field's values do not repeat
	quickRetry  = 256 // and after so many it is tried again
)

// newQuick is nil when strings into f need the general way.
func newQuick(f *Field) *quick {
	if len(f.Multi) > 0 || len(f.CopyTo) > 0 || f.Copied || f.Normalizer != "" || !f.Index && !f.DocValues {
		return nil
	}
	q := &quick{leaf: AppendShape(nil, ShapeItem{Code: ShapeLeaf, Field: f.Num, Form: FormNative})}
	switch f.Type {
	case Keyword, Wildcard:
		q.above = f.IgnoreAbove
	case Text, MatchOnlyText:
	default:
		return nil
	}
	return q
}

// match tells whether b begins with the last value and its closing quote.
func (q *quick) match(b []byte) bool {
	n := len(q.last)
	return n > 0 && n < len(b) && b[n] == '"' && string(b[:n]) == string(q.last)
}

// remember keeps a value that stands in the document as it is: raw is what was between the quotes.
func (q *quick) remember(raw, text []byte) {
	q.misses++
	q.last = q.last[:0]
	if q.misses > quickMisses && q.misses%quickRetry != 0 || len(raw) > quickBytes || len(raw) != len(text) || unsafe.SliceData(raw) != unsafe.SliceData(text) {
		return
	}
	q.last = append(q.last, text...)
}

// quickString reads a string of f; the scanner stands on its quote.
func (s *Scanner) quickString(f *Field, q *quick) error {
	s.once(f)
	from := s.i
	var text []byte
	if q.match(s.b[from+1:]) {
		q.misses = 0
		s.i += len(q.last) + 2
		text = s.b[from+1 : s.i-1 : s.i-1]
	} else {
		var err error
		if text, err = s.text(); err != nil {
			return err
		}
		q.remember(s.b[from+1:s.i-1], text)
	}
	if q.above > 0 && len(text) > q.above && utf16Length(text) > q.above {
		s.ignore(f.Path)
		s.out.Shapes = append(s.out.Shapes, ShapeVerbatim)
		s.verbatim(s.b[from:s.i])
		return nil
	}
	s.out.Values = append(s.out.Values, Value{Field: f, Bytes: text})
	s.out.Shapes = append(s.out.Shapes, q.leaf...)
	return nil
}
