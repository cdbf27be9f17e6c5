package ingest

import (
	"slices"
	"sort"
	"strings"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/painless"
)

// set gives a field a value.
type set struct {
	field       template
	val         value
	from        string
	override    bool
	ignoreEmpty bool
}

func newSet(o *options) processor {
	s := &set{field: o.template("field", "", true), override: o.boolean("override", true), ignoreEmpty: o.boolean("ignore_empty_value", false), from: o.text("copy_from", "")}
	o.text("media_type", "")
	v, ok := o.take("value")
	switch {
	case s.from != "" && ok:
		o.fail("copy_from", "[copy_from] cannot set both `copy_from` and `value` in the same processor")
	case s.from == "" && !ok:
		o.fail("value", "[value] required property is missing")
	case ok:
		var err error
		if s.val, err = newValue(v); err != nil {
			o.fail("value", err.Error())
		}
	}
	return s
}

func (s *set) run(_ *execution, d *Document) error {
	field := s.field.render(d)
	if have, ok := d.Get(field); !s.override && ok && have != nil {
		return nil
	}
	var v any
	if s.from != "" {
		x, ok := d.Get(s.from)
		if !ok {
			if s.ignoreEmpty {
				return nil
			}
			_, err := d.Must(s.from)
			return err
		}
		v = painless.Clone(x)
	} else {
		v = s.val.of(d)
	}
	if s.ignoreEmpty && (v == nil || v == "") {
		return nil
	}
	return d.Set(field, v)
}

// appendTo adds values to a list.
type appendTo struct {
	field  template
	val    value
	dupes  bool
	isList bool
}

func newAppend(o *options) processor {
	a := &appendTo{field: o.template("field", "", true), dupes: o.boolean("allow_duplicates", true)}
	o.text("media_type", "")
	v := o.must("value")
	_, a.isList = v.(*painless.List)
	var err error
	if a.val, err = newValue(v); err != nil {
		o.fail("value", err.Error())
	}
	return a
}

func (a *appendTo) run(_ *execution, d *Document) error {
	field := a.field.render(d)
	list := &painless.List{}
	switch have, ok := d.Get(field); x := have.(type) {
	case *painless.List:
		list.Items = slices.Clone(x.Items)
	default:
		if ok && have != nil {
			list.Items = []any{have}
		}
	}
	v := a.val.of(d)
	add := []any{v}
	if a.isList {
		add = v.(*painless.List).Items
	}
	for _, e := range add {
		if a.dupes || !slices.ContainsFunc(list.Items, func(x any) bool { return painless.Equal(x, e) }) {
			list.Items = append(list.Items, e)
		}
	}
	return d.Set(field, list)
}

// remove takes fields away, or all but some.
type remove struct {
	fields  []template
	keep    []template
	missing bool
}

func newRemove(o *options) processor {
	r := &remove{missing: o.boolean("ignore_missing", false)}
	templates := func(name string) (out []template) {
		for _, s := range o.texts(name, false) {
			t, err := parseTemplate(s)
			if err != nil {
				o.fail(name, err.Error())
			}
			out = append(out, t)
		}
		return out
	}
	r.fields, r.keep = templates("field"), templates("keep")
	if (len(r.fields) == 0) == (len(r.keep) == 0) {
		o.fail("keep", "[keep] or [field] must be specified, not both")
	}
	return r
}

func (r *remove) run(_ *execution, d *Document) error {
	if len(r.keep) > 0 {
		r.keepOnly(d)
		return nil
	}
	for _, t := range r.fields {
		f := t.render(d)
		if err := d.Remove(f); err != nil && !r.missing {
			return err
		}
	}
	return nil
}

// keepOnly removes what is neither kept nor above or below what is.
func (r *remove) keepOnly(d *Document) {
	var keep []string
	for _, t := range r.keep {
		keep = append(keep, t.render(d))
	}
	prune(d.Source, "", keep)
}

func prune(m *painless.Map, prefix string, keep []string) {
	for _, k := range slices.Clone(m.Keys()) {
		path := prefix + k
		whole := slices.ContainsFunc(keep, func(p string) bool { return p == path || strings.HasPrefix(path, p+".") })
		above := slices.ContainsFunc(keep, func(p string) bool { return strings.HasPrefix(p, path+".") })
		v, _ := m.Get(k)
		sub, isMap := v.(*painless.Map)
		switch {
		case whole:
		case above && isMap:
			prune(sub, path+".", keep)
		case !above:
			m.Delete(k)
		}
	}
}

type rename struct {
	from, to          template
	missing, override bool
}

func newRename(o *options) processor {
	return &rename{from: o.template("field", "", true), to: o.template("target_field", "", true), missing: o.boolean("ignore_missing", false), override: o.boolean("override", false)}
}

func (r *rename) run(_ *execution, d *Document) error {
	from, to := r.from.render(d), r.to.render(d)
	v, ok := d.Get(from)
	switch {
	case !ok && r.missing:
		return nil
	case !ok:
		return failf("field [%s] doesn't exist", from)
	}
	if _, there := d.Get(to); there && !r.override {
		return failf("field [%s] already exists", to)
	}
	if err := d.Remove(from); err != nil {
		return err
	}
	if err := d.Set(to, v); err != nil {
		d.Set(from, v)
		return err
	}
	return nil
}

type dotExpander struct {
	field, path string
	override    bool
}

func newDotExpander(o *options) processor {
	e := &dotExpander{field: o.mustText("field"), path: o.text("path", ""), override: o.boolean("override", false)}
	if o.err == nil && e.field != "*" && !strings.Contains(e.field, ".") {
		o.fail("field", "[field] field does not contain a dot and is not a wildcard")
	}
	return e
}

func (e *dotExpander) run(_ *execution, d *Document) error {
	at := d.Source
	if e.path != "" {
		v, err := d.Must(e.path)
		if err != nil {
			return err
		}
		m, ok := v.(*painless.Map)
		if !ok {
			return failf("field [%s] is not an object", e.path)
		}
		at = m
	}
	fields := []string{e.field}
	if e.field == "*" {
		fields = slices.DeleteFunc(slices.Clone(at.Keys()), func(k string) bool { return !strings.Contains(strings.Trim(k, "."), ".") })
	}
	for _, f := range fields {
		if err := e.expand(at, f); err != nil {
			return err
		}
	}
	return nil
}

func (e *dotExpander) expand(at *painless.Map, field string) error {
	v, ok := at.Get(field)
	if !ok {
		return nil
	}
	have, there := walk(at, field)
	at.Delete(field)
	if !there || e.override {
		return plant(at, field, v)
	}
	list := &painless.List{}
	for _, x := range []any{have, v} {
		if l, ok := x.(*painless.List); ok {
			list.Items = append(list.Items, l.Items...)
		} else {
			list.Items = append(list.Items, x)
		}
	}
	return plant(at, field, list)
}

type sorter struct {
	field, target string
	desc          bool
}

func newSort(o *options) processor {
	s := &sorter{field: o.mustText("field"), desc: o.oneOf("order", "asc", "asc", "desc") == "desc"}
	s.target = o.text("target_field", s.field)
	return s
}

func (s *sorter) run(_ *execution, d *Document) error {
	v, err := d.Must(s.field)
	if err != nil {
		return err
	}
	l, ok := v.(*painless.List)
	if !ok {
		return failf("field [%s] of type [%s] cannot be cast to [java.util.List]", s.field, typeName(v))
	}
	items := slices.Clone(l.Items)
	mixed := false
	sort.SliceStable(items, func(i, j int) bool {
		c, ok := order(items[i], items[j])
		mixed = mixed || !ok
		if s.desc {
			return c > 0
		}
		return c < 0
	})
	if mixed {
		return failf("field [%s] has values that cannot be compared", s.field)
	}
	return d.Set(s.target, &painless.List{Items: items})
}

// order compares two numbers or two texts.
func order(a, b any) (int, bool) {
	if x, ok := a.(string); ok {
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	}
	x, ok1 := realOf(a)
	y, ok2 := realOf(b)
	switch {
	case !ok1 || !ok2:
		return 0, false
	case x < y:
		return -1, true
	case x > y:
		return 1, true
	}
	return 0, true
}

func realOf(v any) (float64, bool) {
	switch x := v.(type) {
	case int64:
		return float64(x), true
	case float64:
		return x, true
	}
	return 0, false
}

// Glob is mapping's, for names with *.
func glob(pattern, s string) bool { return mapping.Glob(pattern, s) }
