package search

import (
	"slices"
	"strings"

	"github.com/valyala/fastjson"
	"github.com/weirlog/weir/store/agg"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// fetcher reads the documents of hits. One goroutine uses it.
type fetcher struct {
	*run
	sources []item // by ord
	parser  fastjson.Parser
	buf     []byte
	marks   map[int]*highlighter // by index
	fits    map[fitKey][]namedField
}

// fitKey is a field pattern in an index.
type fitKey struct {
	index   int
	pattern string
}

// namedField is a field under the name it is returned by: an alias keeps its own.
type namedField struct {
	path  string
	field *mapping.Field
}

// fitting lists the fields of an index that a pattern fits. A mapping has hundreds of fields, so this is worked out once per search.
func (f *fetcher) fitting(index int, pattern string) []namedField {
	k := fitKey{index, pattern}
	if list, ok := f.fits[k]; ok {
		return list
	}
	m := f.indices[index].Mapping
	list := []namedField{}
	if !strings.Contains(pattern, "*") {
		if fd := m.Field(pattern); fd != nil {
			list = append(list, namedField{pattern, fd})
		}
	} else {
		m.Each(func(fd *mapping.Field) {
			if query.Glob(pattern, fd.Path) {
				list = append(list, namedField{fd.Path, m.Field(fd.Path)})
			}
		})
	}
	f.fits[k] = list
	return list
}

func newFetcher(r *run) *fetcher {
	f := &fetcher{run: r, sources: make([]item, len(r.items)), marks: map[int]*highlighter{}, fits: map[fitKey][]namedField{}}
	for _, it := range r.items {
		f.sources[it.ord] = it
	}
	return f
}

// hit reads one document by the options of the request.
func (f *fetcher) hit(h *hit) (Hit, error) {
	it := &f.sources[h.ord]
	out := f.head(it, h.row)
	if f.scores() {
		s := h.score
		out.Score = &s
	}
	if len(f.req.Sort) > 0 {
		out.Sort = []byte{'['}
		sorts := f.plans[it.index].sorts
		for i := range sorts {
			if i > 0 {
				out.Sort = append(out.Sort, ',')
			}
			out.Sort = sorts[i].appendKey(out.Sort, &h.keys[i])
		}
		out.Sort = append(out.Sort, ']')
	}
	err := f.body(it, h.row, &bodySpec{f.req.Source, f.req.Fields, f.req.Docvalues, f.req.Stored, f.req.Highlight}, &out)
	if h.group != nil {
		f.collapsedField(h, it.index, &out)
	}
	return out, err
}

// head is what is known of a document without reading it.
func (f *fetcher) head(it *item, row int) Hit {
	out := Hit{Index: f.indices[it.index].Name, ID: it.src.ID(row), SeqNo: -1}
	if f.req.Version {
		out.Version = max(1, numberAt(it.src, "_version", row, 1))
	}
	if f.req.SeqNo {
		out.SeqNo = numberAt(it.src, "_seq_no", row, 0)
	}
	out.Ignored = stringsAt(it.src, "_ignored", row)
	if r := stringsAt(it.src, "_routing", row); len(r) > 0 {
		out.Routing = r[0]
	}
	return out
}

// numberAt is a metadata number of a row.
func numberAt(src query.Source, path string, row int, none int64) int64 {
	col, ok := src.Field(path).(query.Numbers)
	if !ok {
		return none
	}
	var vec query.NumberVec
	col.Load(row/query.ZoneRows, &vec)
	row %= query.ZoneRows
	switch {
	case !vec.Has.Get(row):
		return none
	case vec.Start != nil:
		return vec.V[vec.Start[row]]
	}
	return vec.V[row]
}

// stringsAt is the values of a metadata field of a row.
func stringsAt(src query.Source, path string, row int) []string {
	var sel query.Selection
	col := src.Field(path)
	if col == nil {
		return nil
	}
	sel.Set(row % query.ZoneRows)
	if col.Present(row/query.ZoneRows, &sel); !sel.Any() {
		return nil
	}
	var out []string
	switch col := col.(type) {
	case query.Strings:
		col.Each(row, func(v []byte) { out = append(out, string(v)) })
	case query.Ordinals:
		var vec query.OrdVec
		col.Load(row/query.ZoneRows, &vec)
		r := row % query.ZoneRows
		if vec.Start == nil {
			return []string{string(col.Value(vec.V[r]))}
		}
		for _, ord := range vec.V[vec.Start[r]:vec.Start[r+1]] {
			out = append(out, string(col.Value(ord)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bodySpec is what of a document is returned.
type bodySpec struct {
	source    query.SourceFilter
	fields    []query.FieldSpec
	docvalues []query.FieldSpec
	stored    []string
	highlight *query.Highlight
}

// body reads the document when something of it is asked for.
func (f *fetcher) body(it *item, row int, spec *bodySpec, out *Hit) error {
	out.NoID = slices.Equal(spec.stored, []string{"_none_"})
	wantSource := !spec.source.None && (len(spec.stored) == 0 || slices.Contains(spec.stored, "_source") || spec.source.Given)
	if !wantSource && len(spec.fields)+len(spec.docvalues) == 0 && spec.highlight == nil {
		return nil
	}
	var err error
	if f.buf, err = it.src.AppendSource(f.buf[:0], row); err != nil {
		return err
	}
	filtered := len(spec.source.Includes)+len(spec.source.Excludes) > 0
	if wantSource && !filtered {
		out.Source = slices.Clone(f.buf)
	}
	if !filtered && len(spec.fields)+len(spec.docvalues) == 0 && spec.highlight == nil {
		return nil
	}
	doc, err := f.parser.ParseBytes(f.buf)
	if err != nil {
		return err
	}
	if wantSource && filtered {
		out.Source = FilterSource(doc, spec.source.Includes, spec.source.Excludes)
	}
	flat := flatten(doc)
	if len(spec.fields)+len(spec.docvalues) > 0 {
		f.fields(it.index, flat, spec, out)
	}
	if spec.highlight != nil {
		return f.mark(it, flat, spec.highlight, out)
	}
	return nil
}

// FilterSource prints a document without what the patterns leave out. Excludes win.
func FilterSource(doc *fastjson.Value, includes, excludes []string) []byte {
	out, ok := filterValue(nil, doc, "", includes, excludes, len(includes) == 0)
	if !ok {
		return []byte("{}")
	}
	return out
}

// filterValue appends what is kept of v, which stands at path; whole tells that an include has matched it already.
func filterValue(dst []byte, v *fastjson.Value, path string, includes, excludes []string, whole bool) ([]byte, bool) {
	start := len(dst)
	switch v.Type() {
	case fastjson.TypeObject:
		dst = append(dst, '{')
		kept := 0
		v.GetObject().Visit(func(k []byte, c *fastjson.Value) {
			p := string(k)
			if path != "" {
				p = path + "." + p
			}
			if matchesAny(excludes, p) {
				return
			}
			at := len(dst)
			if kept > 0 {
				dst = append(dst, ',')
			}
			dst = append(query.AppendString(dst, string(k)), ':')
			in := whole || matchesAny(includes, p)
			var ok bool
			if dst, ok = filterValue(dst, c, p, includes, excludes, in); !ok {
				dst = dst[:at]
				return
			}
			kept++
		})
		if kept == 0 && !whole {
			return dst[:start], false
		}
		return append(dst, '}'), true
	case fastjson.TypeArray:
		dst = append(dst, '[')
		kept := 0
		for _, e := range v.GetArray() {
			at := len(dst)
			if kept > 0 {
				dst = append(dst, ',')
			}
			var ok bool
			if dst, ok = filterValue(dst, e, path, includes, excludes, whole); !ok {
				dst = dst[:at]
				continue
			}
			kept++
		}
		if kept == 0 && !whole {
			return dst[:start], false
		}
		return append(dst, ']'), true
	}
	if !whole {
		return dst, false
	}
	return v.MarshalTo(dst), true
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return query.Glob(p, path) })
}

// flat is the leaves of a document by path, arrays opened.
type flat map[string][]*fastjson.Value

func flatten(doc *fastjson.Value) flat {
	f := flat{}
	f.add("", doc)
	return f
}

func (f flat) add(path string, v *fastjson.Value) {
	switch v.Type() {
	case fastjson.TypeObject:
		v.GetObject().Visit(func(k []byte, c *fastjson.Value) {
			p := string(k)
			if path != "" {
				p = path + "." + p
			}
			f.add(p, c)
		})
	case fastjson.TypeArray:
		for _, e := range v.GetArray() {
			f.add(path, e)
		}
	case fastjson.TypeNull:
	default:
		f[path] = append(f[path], v)
	}
}

// fields fills out.Fields and out.Ignores.
func (f *fetcher) fields(index int, doc flat, spec *bodySpec, out *Hit) {
	values, ignored := map[string][]byte{}, map[string][]byte{}
	for _, s := range spec.docvalues {
		for _, nf := range f.fitting(index, s.Field) {
			if nf.field.DocValues {
				appendValues(values, nil, nf.path, nf.field, doc, s.Format)
			}
		}
	}
	for _, s := range spec.fields {
		for _, nf := range f.fitting(index, s.Field) {
			appendValues(values, ignored, nf.path, nf.field, doc, s.Format)
		}
		if s.IncludeUnmapped {
			for path := range doc {
				if query.Glob(s.Field, path) && f.indices[index].Mapping.Field(path) == nil {
					appendValues(values, ignored, path, nil, doc, s.Format)
				}
			}
		}
	}
	out.Fields, out.Ignores = objectOf(values), objectOf(ignored)
}

// appendValues prints the values of a field as a JSON array into values[path].
func appendValues(values, ignored map[string][]byte, path string, fd *mapping.Field, doc flat, format string) {
	from := path
	if fd != nil {
		if from = fd.Path; fd.Parent != "" {
			from = fd.Parent
		}
		if fd.Key != "" {
			from += "." + fd.Key
		}
		if fd.Type == mapping.ConstantKeyword && fd.Constant != nil {
			values[path] = query.AppendString([]byte{'['}, string(fd.Constant))
			values[path] = append(values[path], ']')
			return
		}
	}
	var list, bad []byte
	for _, v := range doc[from] {
		b, ok := appendValue(nil, fd, v, format)
		if !ok {
			bad = append(append(bad, ','), v.MarshalTo(nil)...)
			continue
		}
		list = append(append(list, ','), b...)
	}
	for _, e := range []struct {
		into map[string][]byte
		list []byte
	}{{values, list}, {ignored, bad}} {
		if len(e.list) > 0 && e.into != nil {
			e.list[0] = '['
			e.into[path] = append(e.list, ']')
		}
	}
}

// appendValue prints one value as the field holds it; ok is false when the mapping ignores it.
func appendValue(dst []byte, fd *mapping.Field, v *fastjson.Value, format string) (out []byte, ok bool) {
	text := string(v.GetStringBytes())
	if v.Type() != fastjson.TypeString {
		text = string(v.MarshalTo(nil))
	}
	if fd == nil {
		return v.MarshalTo(dst), true
	}
	switch {
	case fd.Type.Kind() == mapping.Numbers:
		n, err := fd.Number(text)
		if err != nil {
			return dst, false
		}
		return appendFormatted(dst, fd, n, format), true
	case fd.Type == mapping.IP:
		b, err := fd.Term(text)
		if err != nil {
			return dst, false
		}
		return query.AppendString(dst, fd.TermText(b)), true
	case fd.Type == mapping.Keyword:
		if fd.IgnoreAbove > 0 && len([]rune(text)) > fd.IgnoreAbove {
			return dst, false
		}
		return query.AppendString(dst, string(fd.Normalize([]byte(text)))), true
	case fd.Type == mapping.Flattened, fd.Type.Kind() == mapping.NoColumn, fd.Type == mapping.GeoPoint:
		return v.MarshalTo(dst), true
	}
	return query.AppendString(dst, text), true
}

// appendFormatted prints a number or date by a format given in the request.
func appendFormatted(dst []byte, fd *mapping.Field, n int64, format string) []byte {
	switch {
	case format == "" || fd.Type == mapping.Boolean:
	case fd.Type.IsDate():
		if df, err := mapping.ParseDateFormat(format); err == nil {
			return query.AppendString(dst, df.Format(fd.Nanos(n), nil))
		}
	case fd.Type.IsFloat():
		return query.AppendString(dst, agg.DecimalFormat(format, query.FloatOf(n)))
	case fd.Type != mapping.UnsignedLong:
		return query.AppendString(dst, agg.DecimalFormat(format, float64(n)))
	}
	return fd.AppendNumber(dst, n)
}

// objectOf prints a map of JSON values, sorted by key; nil when empty.
func objectOf(values map[string][]byte) []byte {
	if len(values) == 0 {
		return nil
	}
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst := []byte{'{'}
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(query.AppendString(dst, k), ':'), values[k]...)
	}
	return append(dst, '}')
}

// docs answers the documents an aggregation keeps.
func (f *fetcher) docs(ord, row int, spec query.SourceFilter, sort []byte) ([]byte, error) {
	it := &f.sources[ord]
	h := f.head(it, row)
	h.Sort = sort
	if err := f.body(it, row, &bodySpec{source: spec}, &h); err != nil {
		return nil, err
	}
	return h.AppendJSON(nil), nil
}
