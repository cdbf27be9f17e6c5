package filter

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var translateOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Doc: "Field to look up."},
	{Name: "field", Kind: plugin.Field, Deprecated: "use source"},
	{Name: "target", Kind: plugin.Field, Doc: "Field for what is found; default translation, with ECS the source."},
	{Name: "destination", Kind: plugin.Field, Deprecated: "use target"},
	{Name: "dictionary", Kind: plugin.Hash, Doc: "Text => what stands for it."},
	{Name: "dictionary_path", Kind: plugin.Path, Doc: "File of a dictionary, .yml (a list of key: value), .json or .csv."},
	{Name: "exact", Kind: plugin.Boolean, Default: "true", Doc: "Whether the whole text is looked up; else every key in it is replaced."},
	{Name: "regex", Kind: plugin.Boolean, Default: "false", Doc: "Whether keys are regular expressions."},
	{Name: "fallback", Doc: "What is set when nothing is found; may hold %{field}."},
	{Name: "override", Kind: plugin.Boolean, Doc: "Whether a target that exists is replaced; default only when it is the source."},
	{Name: "refresh_interval", Kind: plugin.Number, Default: "300", Doc: "Seconds after which the file is looked at again."},
	{Name: "refresh_behaviour", Enum: []string{"merge", "replace"}, Default: "merge", Doc: "Whether entries that left the file stay."},
	{Name: "yaml_load_strategy", Enum: []string{"one_shot", "streaming"}, Default: "one_shot", Unread: "files are read line by line", Doc: "How YAML is read."},
	{Name: "yaml_code_point_limit", Kind: plugin.Number, Unread: "files of up to 256 MiB are read", Doc: "Size of the largest YAML file."},
	{Name: "iterate_on", Kind: plugin.Field, Doc: "List whose elements are looked up one by one."},
}

type translate struct {
	source, target, iterate *event.Path
	exact, regex, override  bool
	merge                   bool
	fallback                *plugin.Template
	dict                    map[string]string
	keys                    []string
	regexps                 []*grok.Regexp
	file                    *watched
	ext                     string
}

func newTranslate(a *plugin.Args, env *plugin.Env) Filter {
	f := &translate{source: a.Field("source"), target: a.Field("target"), iterate: a.Field("iterate_on"), exact: a.Bool("exact"), regex: a.Bool("regex"),
		merge: a.String("refresh_behaviour") == "merge", dict: make(map[string]string)}
	f.paths(a, env)
	if f.source == nil {
		return nil
	}
	if a.Has("fallback") {
		f.fallback = a.Template(plugin.Text{Pos: a.At("fallback"), Text: a.String("fallback")})
	}
	same := f.target.String() == f.source.String()
	f.override = same
	if a.Has("override") {
		f.override = a.Bool("override")
		if same && !f.override {
			a.Fail("override", "", "override => false with the source as target would never do anything")
		}
	}
	for _, p := range a.Pairs("dictionary") {
		for _, v := range p.Values {
			f.add(p.Key.Text, v.Text)
		}
	}
	if path := a.String("dictionary_path"); path != "" {
		f.ext = strings.ToLower(filepath.Ext(path))
		if f.ext != ".json" && f.ext != ".csv" && f.ext != ".yml" && f.ext != ".yaml" {
			a.Fail("dictionary_path", "write the dictionary as .yml, .json or .csv", "dictionaries of the form %q cannot be read", f.ext)
			return f
		}
		f.file = newWatched(a, env, "dictionary_path", a.Seconds("refresh_interval"), f.load)
	}
	if err := f.compile(); err != nil {
		a.Fail("dictionary", "", "%v", err)
	}
	return f
}

func (f *translate) paths(a *plugin.Args, env *plugin.Env) {
	if f.source == nil {
		f.source = a.Field("field")
	}
	if f.source == nil {
		a.Fail("source", "", "translate needs the option source")
		return
	}
	if f.target == nil {
		f.target = a.Field("destination")
	}
	switch {
	case f.target != nil:
	case a.ECS(env) && f.iterate == nil:
		f.target = f.source
	default:
		f.target = event.MustPath("translation")
	}
}

func (f *translate) add(key, value string) {
	if _, ok := f.dict[key]; !ok {
		f.keys = append(f.keys, key)
	}
	f.dict[key] = value
}

// compile prepares regular expressions, when keys are such.
func (f *translate) compile() error {
	f.regexps = f.regexps[:0]
	if !f.regex {
		return nil
	}
	for _, k := range f.keys {
		re, err := grok.CompileRegexp(k)
		if err != nil {
			return fmt.Errorf("key %q: %w", k, err)
		}
		f.regexps = append(f.regexps, re)
	}
	return nil
}

// load reads a dictionary file over the old one, or instead of it.
func (f *translate) load(text []byte) error {
	fresh := &translate{dict: make(map[string]string), regex: f.regex}
	if f.merge {
		for _, k := range f.keys {
			fresh.add(k, f.dict[k])
		}
	}
	var err error
	switch f.ext {
	case ".json":
		err = fresh.loadJSON(text)
	case ".csv":
		err = fresh.loadCSV(string(text))
	default:
		err = fresh.loadYAML(string(text))
	}
	if err == nil {
		err = fresh.compile()
	}
	if err != nil {
		return err
	}
	f.dict, f.keys, f.regexps = fresh.dict, fresh.keys, fresh.regexps
	return nil
}

func (f *translate) loadJSON(text []byte) error {
	b := event.NewBatch(false)
	v, err := b.ParseJSON(string(text))
	if err == nil && v.Kind() != event.MapKind {
		err = event.ErrNotObject
	}
	if err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	for k, el := range b.Each(v) { // in the order of the file, which decides among regular expressions
		if el.Kind() == event.StringKind {
			f.add(strings.Clone(k), strings.Clone(el.Str()))
		} else {
			f.add(strings.Clone(k), jsonMark+string(b.AppendJSON(nil, el)))
		}
	}
	return nil
}

func (f *translate) loadCSV(text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if strings.TrimSpace(line) == "" {
			continue
		}
		row, err := parseCSV(nil, line, ",", `"`)
		if err != nil || len(row) < 2 {
			return fmt.Errorf("dictionary: line %d is no pair", n)
		}
		f.add(row[0], row[1])
	}
	return nil
}

func (f *translate) Filter(e *event.Event) Result {
	if f.file != nil {
		f.file.refresh()
	}
	if f.iterate != nil {
		return f.elements(e)
	}
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() || !f.override && e.Has(f.target) {
		return None
	}
	s, ok := f.find(e, e.Batch().Text(v))
	if !ok || e.Set(f.target, dictionaryValue(e.Batch(), s)) != nil {
		return None
	}
	return Matched
}

// elements looks up each element of a list: a text itself, or its field source.
func (f *translate) elements(e *event.Event) Result {
	v, ok := e.Get(f.iterate)
	if !ok || v.Kind() != event.ListKind {
		return None
	}
	b := e.Batch()
	out := b.NewList(b.Len(v))
	found := false
	for _, el := range b.Elems(v) {
		if el.Kind() == event.MapKind {
			el = b.Open(b.Copy(el))
			if w, ok := b.Field(el, f.source.Name()); ok {
				if s, ok := f.find(e, b.Text(w)); ok {
					b.Put(el, f.target.Name(), dictionaryValue(b, s))
					found = true
				}
			}
		} else if s, ok := f.find(e, b.Text(el)); ok && f.target.String() == f.iterate.String() {
			el = dictionaryValue(b, s)
			found = true
		} else if ok {
			el, found = dictionaryValue(b, s), true
		}
		b.Append(out, el)
	}
	if !found {
		return None
	}
	target := f.iterate
	if l := b.Elems(out); len(l) > 0 && l[0].Kind() != event.MapKind {
		target = f.target
	}
	if e.Set(target, out) != nil {
		return None
	}
	return Matched
}

// find looks up one text.
func (f *translate) find(e *event.Event, text string) (string, bool) {
	switch {
	case f.exact && f.regex:
		for i, re := range f.regexps {
			if re.Match(event.Bytes(text)) {
				return f.dict[f.keys[i]], true
			}
		}
	case f.exact:
		if s, ok := f.dict[text]; ok {
			return s, true
		}
	default:
		if s := f.replace(text); s != text {
			return s, true
		}
	}
	if f.fallback == nil {
		return "", false
	}
	return f.fallback.Render(e), true
}

// replace puts what stands for it in the place of every key.
func (f *translate) replace(text string) string {
	if !f.regex {
		if len(f.keys) == 0 {
			return text
		}
		pairs := make([]string, 0, 2*len(f.keys))
		for _, k := range f.keys {
			pairs = append(pairs, k, dictionaryText(f.dict[k]))
		}
		return strings.NewReplacer(pairs...).Replace(text)
	}
	out := []byte(text)
	for i, re := range f.regexps {
		if next, err := re.ReplaceAll(nil, out, dictionaryText(f.dict[f.keys[i]])); err == nil {
			out = next
		}
	}
	return string(out)
}
