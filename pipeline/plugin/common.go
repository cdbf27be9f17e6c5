package plugin

import "github.com/weirlog/weir/event"

// FilterOptions are the options every filter has.
var FilterOptions = []Option{
	{Name: "add_field", Kind: Hash, Doc: "Fields to add when the filter succeeds. A field that exists becomes a list."},
	{Name: "remove_field", Kind: Array, Doc: "Fields to remove when the filter succeeds."},
	{Name: "add_tag", Kind: Array, Doc: "Tags to add when the filter succeeds."},
	{Name: "remove_tag", Kind: Array, Doc: "Tags to remove when the filter succeeds."},
	{Name: "id", Doc: "The plugin's name in figures and messages."},
	{Name: "enable_metric", Kind: Boolean, Default: "true", Unread: "figures are always kept", Doc: "Whether figures are kept."},
	{Name: "periodic_flush", Kind: Boolean, Default: "false", Unread: "filters that need it flush by themselves", Doc: "Whether the filter is flushed at intervals."},
	{Name: "ecs_compatibility", Enum: []string{"disabled", "v1", "v8"}, Doc: "Field names: disabled for those of Logstash 7."},
}

// InputOptions are the options every input has.
var InputOptions = []Option{
	{Name: "type", Doc: "Value of the field type, unless the event has one."},
	{Name: "tags", Kind: Array, Doc: "Tags to add."},
	{Name: "add_field", Kind: Hash, Doc: "Fields to add."},
	{Name: "codec", Kind: Codec, Doc: "How bytes become events."},
	{Name: "id", Doc: "The plugin's name in figures and messages."},
	{Name: "enable_metric", Kind: Boolean, Default: "true", Unread: "figures are always kept", Doc: "Whether figures are kept."},
	{Name: "ecs_compatibility", Enum: []string{"disabled", "v1", "v8"}, Doc: "Field names: disabled for those of Logstash 7."},
}

// OutputOptions are the options every output has.
var OutputOptions = []Option{
	{Name: "codec", Kind: Codec, Doc: "How events become bytes."},
	{Name: "id", Doc: "The plugin's name in figures and messages."},
	{Name: "enable_metric", Kind: Boolean, Default: "true", Unread: "figures are always kept", Doc: "Whether figures are kept."},
	{Name: "workers", Kind: Number, Default: "1", Unread: "documents are handed over in order", Doc: "Parallel outputs."},
	{Name: "ecs_compatibility", Enum: []string{"disabled", "v1", "v8"}, Doc: "Field names: disabled for those of Logstash 7."},
}

// ECS is the field names a plugin uses: its own option, or else the pipeline's.
func (a *Args) ECS(env *Env) bool {
	if a.Has("ecs_compatibility") {
		return a.String("ecs_compatibility") != "disabled"
	}
	return env.ECS
}

// Common is what happens to an event a filter succeeded on: add_field, remove_field, add_tag, remove_tag, in this order.
// It belongs to one goroutine.
type Common struct {
	fields    []addField
	remove    []*Ref
	addTag    []*Template
	removeTag []*Template
}

type addField struct {
	ref    *Ref
	values []*Template
}

// NewCommon reads the options.
func NewCommon(a *Args) *Common {
	c := &Common{addTag: a.Templates("add_tag"), removeTag: a.Templates("remove_tag")}
	for _, p := range a.Pairs("add_field") {
		f := addField{ref: a.Ref(p.Key)}
		for _, v := range p.Values {
			f.values = append(f.values, a.Template(v))
		}
		c.fields = append(c.fields, f)
	}
	for _, t := range a.Texts("remove_field") {
		c.remove = append(c.remove, a.Ref(t))
	}
	return c
}

// Empty reports whether Apply does nothing.
func (c *Common) Empty() bool {
	return len(c.fields)+len(c.remove)+len(c.addTag)+len(c.removeTag) == 0
}

// Apply changes e.
func (c *Common) Apply(e *event.Event) {
	for i := range c.fields {
		c.fields[i].apply(e)
	}
	for _, r := range c.remove {
		if p := r.Path(e); p != nil {
			e.Delete(p)
		}
	}
	for _, t := range c.addTag {
		e.AddTag(t.Render(e))
	}
	for _, t := range c.removeTag {
		e.RemoveTag(t.Render(e))
	}
}

func (f *addField) apply(e *event.Event) {
	p := f.ref.Path(e)
	if p == nil {
		return
	}
	for _, t := range f.values {
		AppendValue(e, p, event.String(t.Render(e)))
	}
}

// AppendValue sets a field, or makes a list of what it holds and v. A field that cannot be set stays as it is.
func AppendValue(e *event.Event, p *event.Path, v event.Value) {
	old, ok := e.Get(p)
	if !ok {
		e.Set(p, v)
		return
	}
	b := e.Batch()
	if old.Kind() == event.ListKind {
		l := b.Open(old)
		b.Append(l, v)
		e.Set(p, l)
		return
	}
	e.Set(p, b.ListOf(old, v))
}

// NewInputCommon reads add_field and tags of an input.
func NewInputCommon(a *Args) *Common {
	c := &Common{addTag: a.Templates("tags")}
	for _, p := range a.Pairs("add_field") {
		f := addField{ref: a.Ref(p.Key)}
		for _, v := range p.Values {
			f.values = append(f.values, a.Template(v))
		}
		c.fields = append(c.fields, f)
	}
	return c
}
