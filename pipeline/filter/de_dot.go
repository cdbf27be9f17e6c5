package filter

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var deDotOptions = []plugin.Option{
	{Name: "separator", Default: "_", Doc: "What stands for the dot."},
	{Name: "nested", Kind: plugin.Boolean, Default: "false", Doc: "Whether a.b becomes [a][b] instead."},
	{Name: "fields", Kind: plugin.Array, Doc: "The only fields to look at."},
	{Name: "recursive", Kind: plugin.Boolean, Default: "false", Doc: "Whether names inside of objects are changed too."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_de_dot_error", Doc: "Tags of events a name cannot be changed in."},
}

type deDot struct {
	separator         string
	nested, recursive bool
	fields            []*event.Path
	onFailure         []string
}

func newDeDot(a *plugin.Args, _ *plugin.Env) Filter {
	f := &deDot{separator: a.String("separator"), nested: a.Bool("nested"), recursive: a.Bool("recursive"), onFailure: tags(a, "tag_on_failure")}
	if strings.Contains(f.separator, ".") {
		a.Fail("separator", "", "the separator holds a dot itself")
	}
	for _, t := range a.Texts("fields") {
		if p := a.Path(t); p != nil {
			f.fields = append(f.fields, p)
		}
	}
	return f
}

func (f *deDot) Filter(e *event.Event) Result {
	paths := f.fields
	if len(paths) == 0 {
		for _, n := range e.Names() {
			if n != "@timestamp" && (f.recursive || strings.Contains(n, ".")) {
				paths = append(paths, event.Field(n))
			}
		}
	}
	for _, p := range paths {
		if !f.rename(e, p) {
			return fail(e, f.onFailure)
		}
	}
	return Matched
}

func (f *deDot) rename(e *event.Event, p *event.Path) bool {
	if !e.Has(p) {
		return true
	}
	v, _ := e.Get(p)
	if f.recursive {
		v = f.inner(e.Batch(), v)
	}
	names := p.Names()
	last := names[len(names)-1]
	if !strings.Contains(last, ".") {
		return e.Set(p, v) == nil
	}
	e.Delete(p)
	names = names[:len(names)-1]
	if f.nested {
		names = append(names, strings.FieldsFunc(last, func(r rune) bool { return r == '.' })...)
	} else {
		names = append(names, strings.ReplaceAll(last, ".", f.separator))
	}
	to, err := event.ParsePath("[" + strings.Join(names, "][") + "]")
	return err == nil && e.Set(to, v) == nil
}

// inner changes the names inside of objects; dots become the separator there.
func (f *deDot) inner(b *event.Batch, v event.Value) event.Value {
	switch v.Kind() {
	case event.MapKind:
		out := b.NewMap()
		for k, el := range b.Each(v) {
			if strings.Contains(k, ".") {
				k = strings.ReplaceAll(k, ".", f.separator)
			}
			b.Put(out, k, f.inner(b, el))
		}
		return out
	case event.ListKind:
		out := b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			b.Append(out, f.inner(b, el))
		}
		return out
	}
	return v
}
