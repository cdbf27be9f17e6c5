package filter

import (
	"github.com/weirlog/weir/dissect"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var dissectOptions = []plugin.Option{
	{Name: "mapping", Kind: plugin.Hash, Doc: "Field => pattern."},
	{Name: "convert_datatype", Kind: plugin.Hash, Doc: "Field => int or float."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_dissectfailure", Doc: "Tags of events a pattern does not fit."},
}

type dissectFilter struct {
	maps      []dissectMap
	converts  []mutateOp
	onFailure []string
}

type dissectMap struct {
	source *event.Path
	p      *dissect.Pattern
	keys   map[string]*event.Path
	spans  []dissect.Span
}

func newDissect(a *plugin.Args, _ *plugin.Env) Filter {
	f := &dissectFilter{onFailure: tags(a, "tag_on_failure")}
	for _, m := range a.Pairs("mapping") {
		for _, v := range m.Values {
			p, err := dissect.Compile(v.Text)
			if err != nil {
				a.FailAt(v.Pos, "", "%v", err)
				continue
			}
			d := dissectMap{source: a.Path(m.Key), p: p, keys: make(map[string]*event.Path)}
			for _, k := range p.Fields() {
				if k.Kind == dissect.Plain || k.Kind == dissect.Append {
					d.keys[k.Key] = a.Path(plugin.Text{Pos: v.Pos, Text: k.Key})
				}
			}
			f.maps = append(f.maps, d)
		}
	}
	for _, c := range a.Pairs("convert_datatype") {
		for _, v := range c.Values {
			f.addConversion(a, c.Key, v)
		}
	}
	return f
}

func (f *dissectFilter) addConversion(a *plugin.Args, field, typ plugin.Text) {
	switch typ.Text {
	case "int":
		typ.Text = "integer"
	case "float":
	default:
		a.FailAt(typ.Pos, "int or float", "cannot convert to %q", typ.Text)
		return
	}
	f.converts = append(f.converts, opConvert(a, field, typ))
}

func (f *dissectFilter) Filter(e *event.Event) Result {
	done := len(f.maps) == 0
	for i := range f.maps {
		d := &f.maps[i]
		v, ok := e.Get(d.source)
		if !ok || v.Kind() != event.StringKind {
			continue
		}
		if d.spans, ok = d.p.Match(d.spans[:0], v.Str()); !ok || v.Str() == "" {
			return fail(e, f.onFailure)
		}
		d.apply(e, v.Str())
		done = true
	}
	if !done {
		return None
	}
	for _, op := range f.converts {
		if op(e) != nil {
			return fail(e, f.onFailure)
		}
	}
	return Matched
}

func (d *dissectMap) apply(e *event.Event, text string) {
	d.p.Each(text, d.spans, func(key, piece string) {
		p := d.keys[key]
		if p == nil { // the name came out of the text
			var err error
			if p, err = event.ParsePath(key); err != nil {
				return
			}
		}
		e.Set(p, event.String(piece))
	})
}
