package filter

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var jsonEncodeOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Required: true, Doc: "Field to write as JSON."},
	{Name: "target", Kind: plugin.Field, Doc: "Field for the text; default is source."},
}

type jsonEncode struct{ source, target *event.Path }

func newJSONEncode(a *plugin.Args, _ *plugin.Env) Filter {
	f := &jsonEncode{a.Field("source"), a.Field("target")}
	if f.target == nil {
		f.target = f.source
	}
	return f
}

func (f *jsonEncode) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok {
		return None
	}
	b := e.Batch()
	text := b.KeepBytes(b.AppendJSON(nil, v))
	if e.Set(f.target, event.String(text)) != nil {
		return fail(e, []string{"_jsongeneratorfailure"})
	}
	return Matched
}
