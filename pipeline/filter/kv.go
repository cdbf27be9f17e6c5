package filter

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var kvOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Default: "message", Doc: "Field with the pairs."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the pairs below."},
	{Name: "field_split", Default: " ", Doc: "Characters between pairs."},
	{Name: "field_split_pattern", Kind: plugin.Regexp, Doc: "Regular expression of what stands between pairs."},
	{Name: "value_split", Default: "=", Doc: "Characters between key and value."},
	{Name: "value_split_pattern", Kind: plugin.Regexp, Doc: "Regular expression of what stands between key and value."},
	{Name: "prefix", Default: "", Doc: "Text before each key; may hold %{field}."},
	{Name: "include_keys", Kind: plugin.Array, Doc: "The only keys to keep."},
	{Name: "exclude_keys", Kind: plugin.Array, Doc: "Keys to leave out."},
	{Name: "default_keys", Kind: plugin.Hash, Doc: "Values of keys that are missing."},
	{Name: "allow_duplicate_values", Kind: plugin.Boolean, Default: "true", Doc: "Whether a pair that is there twice is kept twice."},
	{Name: "allow_empty_values", Kind: plugin.Boolean, Default: "false", Doc: "Whether pairs without a value are kept."},
	{Name: "include_brackets", Kind: plugin.Boolean, Default: "true", Doc: "Whether (), [] and <> enclose values."},
	{Name: "recursive", Kind: plugin.Boolean, Default: "false", Doc: "Whether pairs inside of values are taken apart."},
	{Name: "whitespace", Enum: []string{"lenient", "strict"}, Default: "lenient", Doc: "Whether white space around separators is passed over."},
	{Name: "trim_key", Doc: "Characters to take off the ends of keys."},
	{Name: "trim_value", Doc: "Characters to take off the ends of values."},
	{Name: "remove_char_key", Doc: "Characters to take out of keys."},
	{Name: "remove_char_value", Doc: "Characters to take out of values."},
	{Name: "transform_key", Enum: []string{"lowercase", "uppercase", "capitalize"}, Doc: "How keys are written."},
	{Name: "transform_value", Enum: []string{"lowercase", "uppercase", "capitalize"}, Doc: "How values are written."},
	{Name: "timeout_millis", Kind: plugin.Number, Default: "30000", Unread: "reading pairs takes time in proportion to the text"},
	{Name: "tag_on_timeout", Default: "_kv_filter_timeout", Unread: "reading pairs takes time in proportion to the text"},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_kv_filter_error", Doc: "Tags of events that fail."},
}

// maxNesting bounds recursive.
const maxNesting = 16

type kvFilter struct {
	source, target     *event.Path
	fieldSet, valueSet charSet
	fieldRe, valueRe   *grok.Regexp
	prefix             *plugin.Template
	include, exclude   []*plugin.Template
	defaults           []kvDefault
	duplicates, empty  bool
	brackets           bool
	recursive, lenient bool
	key, value         kvText
	onFailure          []string
}

type kvDefault struct {
	key   string
	value *plugin.Template
}

// kvText is what is done to keys or values.
type kvText struct {
	trim, remove string
	transform    func(string) string
}

// charSet is a set of bytes; the separators of kv are sets of characters, and those that are used are ASCII.
type charSet [256]bool

// newCharSet reads the inside of a character class: \t, \| and the like stand for one character.
func newCharSet(s string) charSet {
	var set charSet
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) {
			i++
			switch c = s[i]; c {
			case 't':
				c = '\t'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 's':
				for _, w := range " \t\n\r\f\v" {
					set[byte(w)] = true
				}
				continue
			}
		}
		set[c] = true
	}
	return set
}

func newKV(a *plugin.Args, _ *plugin.Env) Filter {
	f := &kvFilter{source: a.Field("source"), target: a.Field("target"), include: a.Templates("include_keys"), exclude: a.Templates("exclude_keys"),
		duplicates: a.Bool("allow_duplicate_values"), empty: a.Bool("allow_empty_values"), brackets: a.Bool("include_brackets"),
		recursive: a.Bool("recursive"), lenient: a.String("whitespace") == "lenient", onFailure: tags(a, "tag_on_failure")}
	f.fieldSet, f.valueSet = newCharSet(a.String("field_split")), newCharSet(a.String("value_split"))
	if a.String("field_split") == "" || a.String("value_split") == "" {
		a.Fail("field_split", "", "field_split and value_split must not be empty")
	}
	if a.Has("field_split_pattern") {
		f.fieldRe = a.Regexp(plugin.Text{Pos: a.At("field_split_pattern"), Text: a.String("field_split_pattern")})
	}
	if a.Has("value_split_pattern") {
		f.valueRe = a.Regexp(plugin.Text{Pos: a.At("value_split_pattern"), Text: a.String("value_split_pattern")})
	}
	f.prefix = a.Template(plugin.Text{Pos: a.At("prefix"), Text: a.String("prefix")})
	for _, p := range a.Pairs("default_keys") {
		for _, v := range p.Values {
			f.defaults = append(f.defaults, kvDefault{p.Key.Text, a.Template(v)})
		}
	}
	f.key = kvText{a.String("trim_key"), a.String("remove_char_key"), transform(a.String("transform_key"))}
	f.value = kvText{a.String("trim_value"), a.String("remove_char_value"), transform(a.String("transform_value"))}
	return f
}

func transform(name string) func(string) string {
	switch name {
	case "lowercase":
		return strings.ToLower
	case "uppercase":
		return strings.ToUpper
	case "capitalize":
		return capitalize
	}
	return nil
}

func (t *kvText) apply(s string) string {
	if t.trim != "" {
		s = strings.Trim(s, t.trim)
	}
	if t.remove != "" && strings.ContainsAny(s, t.remove) {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(t.remove, r) {
				return -1
			}
			return r
		}, s)
	}
	if t.transform != nil {
		s = t.transform(s)
	}
	return s
}

// pairs are the keys found, in order, each with its values.
type pairs struct {
	keys   []string
	values map[string][]event.Value
}

func (f *kvFilter) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() {
		return None
	}
	p := &pairs{values: make(map[string][]event.Value)}
	switch v.Kind() {
	case event.ListKind:
		for _, el := range e.Batch().Elems(v) {
			if el.Kind() == event.StringKind {
				f.parse(e, el.Str(), p, 0)
			}
		}
	case event.StringKind:
		f.parse(e, v.Str(), p, 0)
	default:
		return None
	}
	for _, d := range f.defaults {
		if _, ok := p.values[d.key]; !ok {
			p.add(d.key, event.String(d.value.Render(e)))
		}
	}
	if len(p.keys) == 0 {
		return None
	}
	return f.put(e, p)
}

func (p *pairs) add(key string, v event.Value) {
	if _, ok := p.values[key]; !ok {
		p.keys = append(p.keys, key)
	}
	p.values[key] = append(p.values[key], v)
}

// put sets the pairs as fields, or as an object at target.
func (f *kvFilter) put(e *event.Event, p *pairs) Result {
	b := e.Batch()
	object := b.NewMap()
	for _, k := range p.keys {
		v := p.values[k][0]
		if len(p.values[k]) > 1 {
			v = b.ListOf(p.values[k]...)
		}
		if f.target != nil {
			b.Put(object, k, v)
			continue
		}
		path, err := event.ParsePath(k)
		if err != nil {
			path = event.Field(k)
		}
		if e.Set(path, v) != nil {
			return fail(e, f.onFailure)
		}
	}
	if f.target != nil && e.Set(f.target, object) != nil {
		return fail(e, f.onFailure)
	}
	return Matched
}

// parse adds the pairs of s.
func (f *kvFilter) parse(e *event.Event, s string, p *pairs, depth int) {
	if f.fieldRe != nil || f.valueRe != nil {
		f.parsePatterns(e, s, p, depth)
		return
	}
	for i := 0; i < len(s); {
		if f.fieldSet[s[i]] || f.lenient && isSpace(s[i]) {
			i++
			continue
		}
		var key, value string
		var ok bool
		key, i, ok = f.scanKey(s, i)
		if !ok {
			continue
		}
		value, i = f.scanValue(s, i)
		f.add(e, p, key, value, depth)
	}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// scanKey reads a key and what splits it from its value; ok is false for a word without a value.
func (f *kvFilter) scanKey(s string, i int) (key string, next int, ok bool) {
	from := i
	for i < len(s) && !f.valueSet[s[i]] && !f.fieldSet[s[i]] {
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == ' ' {
			i++
		}
		i++
	}
	i = min(i, len(s))
	key = s[from:i]
	j := i
	if f.lenient {
		key = strings.TrimRight(key, " \t\r\n")
		for j < len(s) && isSpace(s[j]) && !f.valueSet[s[j]] {
			j++
		}
	}
	if j < len(s) && f.valueSet[s[j]] && key != "" {
		j++
		for f.lenient && j < len(s) && isSpace(s[j]) && (!f.fieldSet[s[j]] || f.valueFollows(s, j)) {
			j++
		}
		return strings.ReplaceAll(key, `\ `, " "), j, true
	}
	return "", max(i, from+1), false
}

// valueFollows reports whether the text behind the white space at j is a value and not the next pair: "a= b" against "a= b=1".
func (f *kvFilter) valueFollows(s string, j int) bool {
	for j < len(s) && isSpace(s[j]) {
		j++
	}
	k := j
	for k < len(s) && !f.fieldSet[s[k]] {
		if f.valueSet[s[k]] {
			return false
		}
		k++
	}
	return k > j
}

// scanValue reads a value: whole between quotes or brackets, else up to the next separator of pairs.
func (f *kvFilter) scanValue(s string, i int) (value string, next int) {
	if i < len(s) {
		if c := f.closes(s[i]); c != 0 {
			if n := strings.IndexByte(s[i+1:], c); n >= 0 {
				end := i + 1 + n + 1
				if end == len(s) || f.fieldSet[s[end]] || f.lenient && isSpace(s[end]) {
					return s[i+1 : end-1], end
				}
			}
		}
	}
	from := i
	for i < len(s) && !f.fieldSet[s[i]] {
		i++
	}
	return s[from:i], i
}

func (f *kvFilter) closes(c byte) byte {
	switch c {
	case '"', '\'':
		return c
	}
	if !f.brackets {
		return 0
	}
	switch c {
	case '(':
		return ')'
	case '[':
		return ']'
	case '<':
		return '>'
	}
	return 0
}

// parsePatterns is parse with regular expressions as separators.
func (f *kvFilter) parsePatterns(e *event.Event, s string, p *pairs, depth int) {
	for s != "" {
		field, rest := f.cutField(s)
		if key, value, ok := f.cutValue(field); ok && key != "" {
			if len(value) >= 2 && f.closes(value[0]) == value[len(value)-1] && f.closes(value[0]) != 0 {
				value = value[1 : len(value)-1]
			}
			f.add(e, p, key, value, depth)
		}
		s = rest
	}
}

func (f *kvFilter) cutField(s string) (field, rest string) {
	if f.fieldRe == nil {
		if i := strings.IndexFunc(s, func(r rune) bool { return r < 256 && f.fieldSet[byte(r)] }); i >= 0 {
			return s[:i], s[i+1:]
		}
		return s, ""
	}
	loc := f.fieldRe.FindSubmatchIndex(event.Bytes(s))
	if loc == nil || loc[1] == loc[0] {
		return s, ""
	}
	return s[:loc[0]], s[loc[1]:]
}

func (f *kvFilter) cutValue(s string) (key, value string, ok bool) {
	if f.valueRe == nil {
		if i := strings.IndexFunc(s, func(r rune) bool { return r < 256 && f.valueSet[byte(r)] }); i >= 0 {
			return s[:i], s[i+1:], true
		}
		return "", "", false
	}
	loc := f.valueRe.FindSubmatchIndex(event.Bytes(s))
	if loc == nil {
		return "", "", false
	}
	return s[:loc[0]], s[loc[1]:], true
}

// add changes a pair as the options say and keeps it when they want it.
func (f *kvFilter) add(e *event.Event, p *pairs, key, value string, depth int) {
	key = f.key.apply(key)
	if value == "" && !f.empty || key == "" || !f.wanted(e, key) {
		return
	}
	if !f.prefix.Const() || f.prefix.String() != "" {
		key = f.prefix.Render(e) + key
	}
	v := event.String(f.value.apply(value))
	if f.recursive && depth < maxNesting {
		inner := &pairs{values: make(map[string][]event.Value)}
		f.parse(e, value, inner, depth+1)
		if len(inner.keys) > 0 {
			v = e.Batch().NewMap()
			for _, k := range inner.keys {
				e.Batch().Put(v, k, inner.values[k][0])
			}
		}
	}
	if !f.duplicates {
		for _, old := range p.values[key] {
			if old.Kind() == v.Kind() && old.Str() == v.Str() {
				return
			}
		}
	}
	p.add(key, v)
}

func (f *kvFilter) wanted(e *event.Event, key string) bool {
	has := func(l []*plugin.Template) bool {
		for _, t := range l {
			if t.Render(e) == key {
				return true
			}
		}
		return false
	}
	return (len(f.include) == 0 || has(f.include)) && !has(f.exclude)
}
