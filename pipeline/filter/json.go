package filter

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var jsonOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Required: true, Doc: "Field with the JSON text."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the value in; without it the members of the object become fields."},
	{Name: "skip_on_invalid_json", Kind: plugin.Boolean, Default: "false", Doc: "Whether bad JSON is passed over without a tag."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_jsonparsefailure", Doc: "Tags of events with bad JSON."},
}

type jsonFilter struct {
	source, target *event.Path
	skip           bool
	onFailure      []string
}

func newJSON(a *plugin.Args, _ *plugin.Env) Filter {
	return &jsonFilter{a.Field("source"), a.Field("target"), a.Bool("skip_on_invalid_json"), tags(a, "tag_on_failure")}
}

func (f *jsonFilter) Filter(e *event.Event) Result {
	src, ok := e.Get(f.source)
	if !ok || src.IsNil() {
		return None
	}
	b := e.Batch()
	v, err := b.ParseJSON(b.Text(src))
	switch {
	case err != nil && f.skip:
		return None
	case err != nil || f.target == nil && v.Kind() != event.MapKind:
		return fail(e, f.onFailure)
	case f.target != nil:
		if e.Set(f.target, v) != nil {
			return fail(e, f.onFailure)
		}
		return Matched
	}
	b.Merge(e, v)
	fixTags(e)
	fixTimestamp(e)
	return Matched
}

var (
	metadataPath = event.MustPath("[@metadata]")
	tagsPath     = event.MustPath("tags")
)

// fixTimestamp makes a merged field @timestamp the event's time; one that is none is kept as _@timestamp.
func fixTimestamp(e *event.Event) {
	if v, ok := e.TakeField("@timestamp"); ok {
		if ns, ok := event.ParseISO(v.Str()); ok {
			e.SetTimestamp(ns)
		} else {
			e.AddField("_@timestamp", v)
			e.Tag("_timestampparsefailure")
		}
	}
	if m, ok := e.TakeField("@metadata"); ok {
		e.Set(metadataPath, m)
	}
}

// fixTags renames a field tags that holds no texts.
func fixTags(e *event.Event) {
	v, ok := e.Get(tagsPath)
	if !ok {
		return
	}
	good := v.Kind() == event.StringKind || v.IsNil()
	if v.Kind() == event.ListKind {
		good = true
		for _, el := range e.Batch().Elems(v) {
			good = good && el.Kind() == event.StringKind
		}
	}
	if !good {
		e.Delete(tagsPath)
		e.AddField("_tags", v)
		e.Tag("_tagsparsefailure")
	}
}
