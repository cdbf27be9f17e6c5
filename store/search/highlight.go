package search

import (
	"html"
	"unicode/utf8"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// maxAnalyzed is how many bytes of a value are analysed for highlighting.
const maxAnalyzed = 1_000_000

// highlighter marks matches in the documents of one index.
type highlighter struct {
	index     *Index
	marks     map[query.Query]map[string]*query.Marks
	analyzers map[string]*analysis.Analyzer
}

// mark fills out.Highlight.
func (f *fetcher) mark(it *item, doc flat, h *query.Highlight, out *Hit) error {
	hl := f.marks[it.index]
	if hl == nil {
		hl = &highlighter{index: &f.indices[it.index], marks: map[query.Query]map[string]*query.Marks{}, analyzers: map[string]*analysis.Analyzer{}}
		f.marks[it.index] = hl
	}
	values := map[string][]byte{}
	for i := range h.Fields {
		spec := &h.Fields[i]
		q := f.req.Query
		if spec.Query != nil {
			q = spec.Query
		}
		marks, err := hl.marksOf(q, f.opt)
		if err != nil {
			return err
		}
		for _, nf := range f.fitting(it.index, spec.Name) {
			fd := nf.field
			if fd.Type != mapping.Keyword && !fd.Type.IsText() || spec.FieldMatch && spec.NoMatch == 0 && marks[fd.Path] == nil {
				continue
			}
			list, err := hl.field(fd, doc, spec, marks)
			if err != nil {
				return err
			}
			if list != nil {
				values[nf.path] = list
			}
		}
	}
	out.Highlight = objectOf(values)
	return nil
}

// marksOf is what a query looks for, by column.
func (hl *highlighter) marksOf(q query.Query, opt Options) (map[string]*query.Marks, error) {
	if m, ok := hl.marks[q]; ok {
		return m, nil
	}
	p, err := query.NewPlan(q, query.Context{Index: hl.index.Name, Mapping: hl.index.Mapping, Now: opt.Now, DefaultFields: hl.index.DefaultFields, Analyzers: hl.index.Analyzers})
	if err != nil {
		return nil, err
	}
	hl.marks[q] = p.Marks()
	return hl.marks[q], nil
}

// field prints the fragments of one field as a JSON array, nil when there is none.
func (hl *highlighter) field(fd *mapping.Field, doc flat, spec *query.HighlightField, all map[string]*query.Marks) ([]byte, error) {
	marks := all[fd.Path]
	if !spec.FieldMatch {
		marks = query.NewMarks()
		for _, m := range all {
			marks.Merge(m)
		}
	}
	path := fd.Path
	if fd.Parent != "" {
		path = fd.Parent
	}
	var frags []string
	first := ""
	for i, v := range doc[path] {
		text := string(v.GetStringBytes())
		if text == "" {
			text = string(v.MarshalTo(nil))
		}
		if i == 0 {
			first = text
		}
		if marks == nil {
			continue
		}
		if len(text) > maxAnalyzed && fd.Type.IsText() {
			return nil, query.Badf("The length [%d] of field [%s] in doc/index [%s] exceeds the [index.highlight.max_analyzed_offset] limit [%d]. To avoid "+
				"this error, set the query parameter [max_analyzed_offset] to a value less than index setting [%d] and this will tolerate long "+
				"field values by truncating them.", len(text), fd.Path, hl.index.Name, maxAnalyzed, maxAnalyzed)
		}
		frags = append(frags, hl.fragments(fd, text, spec, marks)...)
	}
	if len(frags) == 0 && spec.NoMatch > 0 && first != "" {
		frags = []string{encode(first[:wordEnd(first, 0, spec.NoMatch)], spec)}
	}
	if spec.Number > 0 && len(frags) > spec.Number {
		frags = frags[:spec.Number]
	}
	if len(frags) == 0 {
		return nil, nil
	}
	return appendStrings(nil, frags), nil
}

func encode(text string, spec *query.HighlightField) string {
	if spec.HTML {
		return html.EscapeString(text)
	}
	return text
}

// fragments are the marked pieces of one value.
func (hl *highlighter) fragments(fd *mapping.Field, text string, spec *query.HighlightField, marks *query.Marks) []string {
	if fd.Type == mapping.Keyword {
		if !marks.Whole(fd.Normalize([]byte(text))) {
			return nil
		}
		return []string{spec.Pre + encode(text, spec) + spec.Post}
	}
	spans := marks.Find([]byte(text), hl.analyzer(fd.Analyzer))
	if len(spans) == 0 {
		return nil
	}
	if spec.Number == 0 {
		return []string{decorate(text, 0, len(text), spans, spec)}
	}
	var out []string
	for start := 0; start < len(text) && len(out) < spec.Number; {
		end := passageEnd(text, start, spec.Fragment)
		if s := decorate(text, start, end, spans, spec); s != "" {
			out = append(out, s)
		}
		start = end
	}
	return out
}

func (hl *highlighter) analyzer(name string) *analysis.Analyzer {
	if hl.analyzers[name] == nil {
		a, ok := hl.index.Analyzers.Lookup(name)
		if !ok {
			a = analysis.Standard()
		}
		hl.analyzers[name] = a
	}
	return hl.analyzers[name]
}

// decorate puts the tags around the spans of text[start:end]; "" when there is none.
func decorate(text string, start, end int, spans []query.Span, spec *query.HighlightField) string {
	out, at, any := "", start, false
	for _, s := range spans {
		if s.Start < at || s.End > end {
			continue
		}
		out += encode(text[at:s.Start], spec) + spec.Pre + encode(text[s.Start:s.End], spec) + spec.Post
		at, any = s.End, true
	}
	if !any {
		return ""
	}
	return out + encode(text[at:end], spec)
}

// passageEnd is where a passage of about size characters ends that starts at start: behind the last sentence that fits, else behind
// the last word.
func passageEnd(text string, start, size int) int {
	end, n := start, 0
	sentence := 0
	for i, r := range text[start:] {
		if n >= size {
			break
		}
		n++
		end = start + i + utf8.RuneLen(r)
		if (r == '\n' || (r == '.' || r == '!' || r == '?') && (end == len(text) || text[end] == ' ')) && n > size/2 {
			sentence = end
		}
	}
	switch {
	case end >= len(text) || start+size >= len(text):
		return len(text)
	case sentence > 0:
		if text[sentence-1] != '\n' && sentence < len(text) && text[sentence] == ' ' {
			sentence++
		}
		return sentence
	}
	return wordEnd(text, start, end-start)
}

// wordEnd is the end of the last word within size characters of start, or of the first word when that is longer.
func wordEnd(text string, start, size int) int {
	n, last := 0, 0
	for i, r := range text[start:] {
		if n >= size && last > 0 {
			return start + last
		}
		n++
		if r == ' ' || r == '\n' || r == '\t' {
			last = i + 1
			if n > size {
				return start + last
			}
		}
	}
	return len(text)
}
