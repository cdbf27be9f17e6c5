package filter

import (
	"unicode/utf8"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var truncateOptions = []plugin.Option{
	{Name: "length_bytes", Kind: plugin.Number, Required: true, Doc: "Most bytes of a text; a character is never cut."},
	{Name: "fields", Kind: plugin.Array, Doc: "Fields to cut; default is all."},
}

type truncate struct {
	limit  int
	fields []*plugin.Ref
}

func newTruncate(a *plugin.Args, _ *plugin.Env) Filter {
	f := &truncate{limit: a.Int("length_bytes")}
	for _, t := range a.Texts("fields") {
		f.fields = append(f.fields, a.Ref(t))
	}
	return f
}

func (f *truncate) Filter(e *event.Event) Result {
	if len(f.fields) == 0 {
		for _, n := range e.Names() {
			if n != "@timestamp" {
				f.field(e, event.Field(n))
			}
		}
		return Matched
	}
	for _, r := range f.fields {
		if p := r.Path(e); p != nil {
			f.field(e, p)
		}
	}
	return Matched
}

func (f *truncate) field(e *event.Event, p *event.Path) {
	if v, ok := e.Get(p); ok {
		if cut, changed := f.value(e.Batch(), v); changed {
			e.Set(p, cut)
		}
	}
}

func (f *truncate) value(b *event.Batch, v event.Value) (out event.Value, changed bool) {
	switch v.Kind() {
	case event.StringKind:
		if len(v.Str()) <= f.limit {
			return v, false
		}
		n := max(0, f.limit)
		for n > 0 && !utf8.RuneStart(v.Str()[n]) {
			n--
		}
		return v.Sub(0, n), true
	case event.ListKind:
		out = b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			el, c := f.value(b, el)
			changed = changed || c
			b.Append(out, el)
		}
		return out, changed
	case event.MapKind:
		out = b.NewMap()
		for k, el := range b.Each(v) {
			el, c := f.value(b, el)
			changed = changed || c
			b.Put(out, k, el)
		}
		return out, changed
	}
	return v, false
}
