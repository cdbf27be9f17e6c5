package ingest

import (
	"encoding/csv"
	"errors"
	"slices"
	"strings"

	"github.com/weirlog/weir/dissect"
	"github.com/weirlog/weir/store/painless"
)

type jsonProcessor struct {
	field, target string
	root, merge   bool
}

func newJSON(o *options) processor {
	j := &jsonProcessor{field: o.mustText("field"), root: o.boolean("add_to_root", false)}
	target, given := o.take("target_field")
	j.target, _ = target.(string)
	o.boolean("allow_duplicate_keys", false)
	o.boolean("strict_json_parsing", true)
	j.merge = o.oneOf("add_to_root_conflict_strategy", "replace", "replace", "merge") == "merge"
	if j.root && given {
		o.fail("target_field", "[target_field] Cannot set a target field while also setting `add_to_root` to true")
	}
	if j.target == "" {
		j.target = j.field
	}
	return j
}

func (j *jsonProcessor) run(_ *execution, d *Document) error {
	v, err := d.Must(j.field)
	if err != nil {
		return err
	}
	s, ok := v.(string)
	if !ok {
		return failf("field [%s] of type [%s] cannot be cast to [java.lang.String]", j.field, typeName(v))
	}
	out, err := painless.ParseJSON([]byte(s))
	if err != nil {
		return failf("%v", err)
	}
	if !j.root {
		return d.Set(j.target, out)
	}
	m, ok := out.(*painless.Map)
	if !ok {
		return failf("cannot add non-map fields to root of document")
	}
	if j.merge {
		mergeInto(d.Source, m)
		return nil
	}
	m.Each(d.Source.Set)
	return nil
}

func mergeInto(dst, src *painless.Map) {
	src.Each(func(k string, v any) {
		have, _ := dst.Get(k)
		a, ok1 := have.(*painless.Map)
		b, ok2 := v.(*painless.Map)
		if ok1 && ok2 {
			mergeInto(a, b)
			return
		}
		dst.Set(k, v)
	})
}

type kv struct {
	field, target, prefix string
	fields, values        Regexp
	include, exclude      []string
	missing, strip        bool
	trimKey, trimValue    string
}

func newKV(o *options) processor {
	k := &kv{field: o.mustText("field"), target: o.text("target_field", ""), prefix: o.text("prefix", ""), missing: o.boolean("ignore_missing", false),
		strip: o.boolean("strip_brackets", false), trimKey: o.text("trim_key", ""), trimValue: o.text("trim_value", ""),
		include: o.texts("include_keys", false), exclude: o.texts("exclude_keys", false)}
	k.fields = o.regexp("field_split", o.mustText("field_split"))
	k.values = o.regexp("value_split", o.mustText("value_split"))
	return k
}

func (k *kv) run(_ *execution, d *Document) error {
	v, ok := d.Get(k.field)
	switch {
	case (!ok || v == nil) && k.missing:
		return nil
	case !ok:
		_, err := d.Must(k.field)
		return err
	}
	s, isText := v.(string)
	if !isText {
		return failf("field [%s] is null, cannot extract key-value pairs.", k.field)
	}
	pairs, err := k.fields.Split(s)
	if err != nil {
		return failf("%v", err)
	}
	for _, p := range pairs {
		parts, err := k.values.Split(p)
		if err != nil {
			return failf("%v", err)
		}
		if len(parts) < 2 {
			return failf("field [%s] does not contain value_split [=]", k.field)
		}
		key := strings.Trim(parts[0], k.trimKey)
		if len(k.include) > 0 && !slices.Contains(k.include, key) || slices.Contains(k.exclude, key) {
			continue
		}
		if err := k.put(d, key, restOf(p, parts)); err != nil {
			return err
		}
	}
	return nil
}

// restOf is what stands behind the first separator of a pair.
func restOf(p string, parts []string) string {
	n := len(p) - len(parts[0])
	for _, x := range parts[1:] {
		n -= len(x)
	}
	sep := n / (len(parts) - 1) // separators of one pair are of one length but in odd expressions
	return p[len(parts[0])+sep:]
}

func (k *kv) put(d *Document, key, val string) error {
	val = strings.Trim(val, k.trimValue)
	if k.strip && len(val) >= 2 && slices.Contains([]string{"()", "[]", "<>", `""`, "''"}, val[:1]+val[len(val)-1:]) {
		val = val[1 : len(val)-1]
	}
	path := k.prefix + key
	if k.target != "" {
		path = k.target + "." + path
	}
	have, ok := d.Get(path)
	if !ok {
		return d.Set(path, val)
	}
	l, isList := have.(*painless.List)
	if !isList {
		l = &painless.List{Items: []any{have}}
	}
	l.Items = append(l.Items, val)
	return d.Set(path, l)
}

type csvProcessor struct {
	field         string
	targets       []string
	sep, quote    rune
	trim, missing bool
	empty         any
	hasEmpty      bool
}

func newCSV(o *options) processor {
	c := &csvProcessor{field: o.mustText("field"), targets: o.texts("target_fields", true), trim: o.boolean("trim", false), missing: o.boolean("ignore_missing", false)}
	one := func(name, def string) rune {
		r := []rune(o.text(name, def))
		if len(r) != 1 {
			o.fail(name, "["+name+"] "+name+" has to be single character, like , or ;")
			return ','
		}
		return r[0]
	}
	c.sep, c.quote = one("separator", ","), one("quote", `"`)
	c.empty, c.hasEmpty = o.take("empty_value")
	return c
}

func (c *csvProcessor) run(_ *execution, d *Document) error {
	v, ok := d.Get(c.field)
	switch {
	case (!ok || v == nil) && c.missing:
		return nil
	case !ok:
		_, err := d.Must(c.field)
		return err
	}
	s, isText := v.(string)
	if !isText {
		return failf("field [%s] is not a text, cannot process it.", c.field)
	}
	if c.quote != '"' {
		s = strings.Map(func(r rune) rune {
			if r == c.quote {
				return '"'
			}
			return r
		}, s)
	}
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = c.sep, -1, false, c.trim
	rec, err := r.Read()
	if err != nil {
		if len(s) == 0 {
			return nil
		}
		return failf("%v", errors.Unwrap(err))
	}
	for i, t := range c.targets {
		if i >= len(rec) {
			break
		}
		val := rec[i]
		if c.trim {
			val = strings.TrimSpace(val)
		}
		switch {
		case val != "":
			err = d.Set(t, val)
		case c.hasEmpty:
			err = d.Set(t, painless.Clone(c.empty))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type dissectProcessor struct {
	field, sep string
	missing    bool
	p          *dissect.Pattern
	text       string
}

func newDissect(o *options) processor {
	p := &dissectProcessor{field: o.mustText("field"), sep: o.text("append_separator", ""), missing: o.boolean("ignore_missing", false), text: o.mustText("pattern")}
	if o.err == nil {
		var err error
		if p.p, err = dissect.Compile(strings.ReplaceAll(p.text, "%{*", "%{?")); err != nil {
			o.fail("pattern", "Unable to parse pattern: "+p.text)
		}
	}
	return p
}

func (p *dissectProcessor) run(_ *execution, d *Document) error {
	v, ok := d.Get(p.field)
	switch {
	case (!ok || v == nil) && p.missing:
		return nil
	case !ok:
		_, err := d.Must(p.field)
		return err
	}
	s, isText := v.(string)
	if !isText {
		return failf("field [%s] is null or no text, cannot process it.", p.field)
	}
	spans, ok := p.p.Match(nil, s)
	if !ok {
		return &Error{Type: "dissect_exception", Reason: "Unable to find match for dissect pattern: " + p.text + " against source: " + s}
	}
	return p.assign(d, s, spans)
}

// assign gives each key its text; the parts of an appended key are joined by the separator, in their order.
func (p *dissectProcessor) assign(d *Document, s string, spans []dissect.Span) error {
	fields := p.p.Fields()
	appended := map[string]bool{}
	names := map[string]string{}
	for i := range fields {
		switch fields[i].Kind {
		case dissect.Append:
			appended[fields[i].Key] = true
		case dissect.Name:
			names[fields[i].Key] = s[spans[i].From:spans[i].To]
		}
	}
	type part struct{ order, i int }
	parts := map[string][]part{}
	for i := range fields {
		f := &fields[i]
		text := s[spans[i].From:spans[i].To]
		var err error
		switch {
		case f.Kind == dissect.Skip || f.Kind == dissect.Name:
		case appended[f.Key]:
			parts[f.Key] = append(parts[f.Key], part{f.Order, i})
		case f.Kind == dissect.Value:
			err = d.Set(names[f.Key], text)
		default:
			err = d.Set(f.Key, text)
		}
		if err != nil {
			return err
		}
	}
	for key, list := range parts {
		slices.SortStableFunc(list, func(a, b part) int { return a.order - b.order })
		texts := make([]string, len(list))
		for n, x := range list {
			texts[n] = s[spans[x.i].From:spans[x.i].To]
		}
		if err := d.Set(key, strings.Join(texts, p.sep)); err != nil {
			return err
		}
	}
	return nil
}

type grokProcessor struct {
	field   string
	missing bool
	trace   bool
	match   func(text string, set func(path string, value any)) (int, error)
}

func newGrok(o *options) processor {
	g := &grokProcessor{field: o.mustText("field"), missing: o.boolean("ignore_missing", false), trace: o.boolean("trace_match", false)}
	patterns, defs := o.texts("patterns", true), o.textMap("pattern_definitions")
	ecs := o.oneOf("ecs_compatibility", "disabled", "disabled", "v1") == "v1"
	switch {
	case o.err != nil:
	case len(patterns) == 0:
		o.fail("patterns", "[patterns] List of patterns must not be empty")
	case o.c.s.filters.Grok == nil:
		o.fail("patterns", "[grok] is not available in this process")
	default:
		var err error
		if g.match, err = o.c.s.filters.Grok(patterns, defs, ecs); err != nil {
			o.fail("patterns", "[patterns] Invalid regex pattern found in: ["+strings.Join(patterns, ", ")+"]. "+err.Error())
		}
	}
	return g
}

func (g *grokProcessor) run(_ *execution, d *Document) error {
	v, ok := d.Get(g.field)
	switch {
	case (!ok || v == nil) && g.missing:
		return nil
	case !ok:
		_, err := d.Must(g.field)
		return err
	case v == nil:
		return failf("field [%s] is null, cannot process it.", g.field)
	}
	s, isText := v.(string)
	if !isText {
		return failf("field [%s] of type [%s] cannot be cast to [java.lang.String]", g.field, typeName(v))
	}
	var bad error
	n, err := g.match(s, func(path string, val any) {
		if err := d.Set(path, val); err != nil && bad == nil {
			bad = err
		}
	})
	switch {
	case err != nil:
		return failf("%v", err)
	case n < 0:
		return failf("Provided Grok expressions do not match field value: [%s]", s)
	case g.trace && bad == nil:
		return d.Set("_ingest._grok_match_index", painless.Text(int64(n)))
	}
	return bad
}
