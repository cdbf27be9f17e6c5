package agg

import (
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// source names the field an aggregation reads.
type source struct {
	field     string
	missing   *string // value taken for documents without one
	format    string
	valueType string
}

// set takes the parameters that all field aggregations have.
func (s *source) set(a *Agg, key string, v *query.Node) (bool, error) {
	text, ok := v.Text()
	switch key {
	case "field":
		s.field = text
	case "missing":
		s.missing = &text
	case "format":
		s.format = text
	case "value_type":
		s.valueType = text
	default:
		return false, nil
	}
	if !ok {
		return true, wrong(v, a, key)
	}
	return true, nil
}

// check tells that a field was named.
func (s *source) check(a *Agg) error {
	if s.field == "" {
		return query.Badf("Required one of fields [field, script], but none were specified. ")
	}
	return nil
}

// bound is a source fitted to an index.
type bound struct {
	*source
	f        *mapping.Field // nil: unmapped here, or _index
	constant *string        // _index
	number   int64          // missing, encoded
	term     []byte
	hasMiss  bool
}

// bindSource finds the field. Text has no values to aggregate.
func (c *planner) bindSource(s *source) (*bound, error) {
	b := &bound{source: s}
	if s.field == "_index" {
		b.constant = &c.Index
		return b, nil
	}
	b.f = c.Mapping.Field(s.field)
	if b.f != nil && b.f.Type.IsText() {
		return nil, query.FielddataError(c.Index, b.f.Path)
	}
	if b.f != nil && b.f.Type.Kind() == mapping.NoColumn {
		return nil, query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", s.field, b.f.TypeName, c.agg.typ)
	}
	if b.f == nil || s.missing == nil {
		return b, nil
	}
	var err error
	if b.f.Type.Kind() == mapping.Numbers {
		b.number, err = b.f.Number(*s.missing)
	} else {
		b.term, err = b.f.Term(*s.missing)
	}
	if err != nil {
		return nil, query.Badf("%s", err)
	}
	b.hasMiss = true
	return b, nil
}

// needNumbers refuses fields whose values are not numbers.
func (b *bound) needNumbers(c *planner) error {
	if b.f != nil && b.f.Type.Kind() != mapping.Numbers || b.constant != nil {
		return query.Badf("Field [%s] of type [%s] is not supported for aggregation [%s]", b.field, typeName(b.f), c.agg.typ)
	}
	return nil
}

func typeName(f *mapping.Field) string {
	if f == nil {
		return "_index"
	}
	return f.TypeName
}

// reader reads the values of one column zone by zone.
type reader struct {
	*bound
	nums query.Numbers
	ords query.Ordinals
	strs query.Strings
	vec  query.NumberVec
	ovec query.OrdVec
	zone int
	toF  func(v int64) float64
}

func (b *bound) open(src query.Source) *reader {
	r := &reader{bound: b, zone: -1, toF: func(v int64) float64 { return float64(v) }}
	if b.f == nil {
		return r
	}
	switch {
	case b.f.Type.IsFloat():
		r.toF = query.FloatOf
	case b.f.Type == mapping.UnsignedLong:
		r.toF = func(v int64) float64 { return float64(uint64(v) ^ 1<<63) }
	case b.f.Type == mapping.DateNanos:
		r.toF = func(v int64) float64 { return float64(v / 1e6) }
	}
	switch col := src.Field(b.f.Column()).(type) {
	case query.Numbers:
		r.nums = col
	case query.Ordinals:
		r.ords = col
	case query.Strings:
		r.strs = col
	}
	return r
}

// load readies a zone.
func (r *reader) load(zone int) {
	if r.zone == zone {
		return
	}
	r.zone = zone
	switch {
	case r.nums != nil:
		r.nums.Load(zone, &r.vec)
	case r.ords != nil:
		r.ords.Load(zone, &r.ovec)
	}
}

// ints is the encoded numbers of a row. The slice is valid until the next call.
func (r *reader) ints(row uint16, one *[1]int64) []int64 {
	if r.nums == nil || !r.vec.Has.Get(int(row)) {
		if r.hasMiss && r.f.Type.Kind() == mapping.Numbers {
			one[0] = r.number
			return one[:]
		}
		return nil
	}
	if r.vec.Start == nil {
		one[0] = r.vec.V[row]
		return one[:]
	}
	return r.vec.V[r.vec.Start[row]:r.vec.Start[row+1]]
}

// has tells whether a row has a value.
func (r *reader) has(row uint16) bool {
	switch {
	case r.nums != nil:
		return r.vec.Has.Get(int(row))
	case r.ords != nil:
		return r.ovec.Has.Get(int(row))
	case r.strs != nil:
		found := false
		r.strs.Each(r.zone*query.ZoneRows+int(row), func([]byte) { found = true })
		return found
	}
	return false
}

// bytes calls f for each value of a row of a keyword-like column, repeats included.
func (r *reader) bytes(row uint16, f func(v []byte)) {
	found := false
	switch {
	case r.ords != nil && r.ovec.Has.Get(int(row)):
		if r.ovec.Start == nil {
			f(r.ords.Value(r.ovec.V[row]))
			return
		}
		for _, ord := range r.ovec.V[r.ovec.Start[row]:r.ovec.Start[row+1]] {
			f(r.ords.Value(ord))
		}
		return
	case r.strs != nil:
		r.strs.Each(r.zone*query.ZoneRows+int(row), func(v []byte) { found = true; f(v) })
	}
	if !found && r.hasMiss && r.term != nil {
		f(r.term)
	}
}

// keyKind is what the keys of buckets are.
type keyKind uint8

const (
	keyNone keyKind = iota // nothing known: the field is unmapped
	keyLong
	keyDouble // n is query.SortableFloat
	keyUnsigned
	keyBool
	keyDate // n is in milliseconds
	keyString
)

// kindOf is the kind of keys a field's values make.
func kindOf(b *bound) keyKind {
	switch {
	case b.constant != nil:
		return keyString
	case b.f == nil:
		return keyNone
	case b.f.Type.IsDate():
		return keyDate
	case b.f.Type == mapping.Boolean:
		return keyBool
	case b.f.Type.IsFloat():
		return keyDouble
	case b.f.Type == mapping.UnsignedLong:
		return keyUnsigned
	case b.f.Type.Kind() == mapping.Numbers:
		return keyLong
	}
	return keyString
}

// formatter prints values of an aggregation as strings; nil prints none.
type formatter func(v float64) string

// formatterOf is the formatter of a field and a format: dates by their format, numbers by a DecimalFormat pattern.
func formatterOf(b *bound, kind keyKind) formatter {
	switch {
	case kind == keyDate || b.valueType == "date":
		return dateFormatter(b)
	case kind == keyBool:
		return func(v float64) string { return strconv.FormatBool(v != 0) }
	case b.format != "":
		return func(v float64) string { return DecimalFormat(b.format, v) }
	}
	return nil
}

func dateFormatter(b *bound) formatter {
	df := mapping.DefaultDateFormat()
	if b.f != nil && b.f.Format != nil {
		df = b.f.Format
	}
	if b.format != "" {
		if own, err := mapping.ParseDateFormat(b.format); err == nil {
			df = own
		}
	}
	return func(v float64) string { return df.Format(int64(v)*1e6, nil) }
}

// DecimalFormat prints by the common part of Java's DecimalFormat: prefix and suffix texts, 0 and #, a point, grouping, percent.
func DecimalFormat(pattern string, v float64) string {
	start := strings.IndexAny(pattern, "#0")
	if start < 0 {
		return pattern
	}
	end := start + strings.IndexFunc(pattern[start:]+"x", func(r rune) bool { return !strings.ContainsRune("#0,.", r) })
	body, suffix := pattern[start:end], pattern[end:]
	if strings.HasPrefix(suffix, "%") {
		v *= 100
	}
	whole, frac, _ := strings.Cut(body, ".")
	text := strconv.FormatFloat(v, 'f', len(frac), 64)
	if v < 0 {
		text = text[1:]
	}
	i, f, _ := strings.Cut(text, ".")
	for need := strings.Count(frac, "0"); len(f) > need && f[len(f)-1] == '0'; {
		f = f[:len(f)-1]
	}
	for len(i) < strings.Count(whole, "0") {
		i = "0" + i
	}
	if i == "0" && !strings.Contains(whole, "0") {
		i = ""
	}
	if at := strings.LastIndexByte(whole, ','); at >= 0 {
		i = grouped(i, len(whole)-at-1)
	}
	if f != "" {
		i += "." + f
	}
	if v < 0 {
		i = "-" + i
	}
	return pattern[:start] + i + suffix
}

func grouped(digits string, size int) string {
	if size == 0 {
		return digits
	}
	for at := len(digits) - size; at > 0; at -= size {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
