package filter

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/pipeline/xpath"
)

var xmlOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Required: true, Doc: "Field with the XML."},
	{Name: "target", Kind: plugin.Field, Doc: "Field for the whole document as an object."},
	{Name: "store_xml", Kind: plugin.Boolean, Default: "true", Doc: "Whether the document is stored in target."},
	{Name: "xpath", Kind: plugin.Hash, Doc: "XPath expression => field for the list of what it finds."},
	{Name: "namespaces", Kind: plugin.Hash, Doc: "Prefix => address, for the expressions."},
	{Name: "remove_namespaces", Kind: plugin.Boolean, Default: "false", Doc: "Whether prefixes are cut off before expressions look."},
	{Name: "force_array", Kind: plugin.Boolean, Default: "true", Doc: "Whether single elements become lists too."},
	{Name: "force_content", Kind: plugin.Boolean, Default: "false", Doc: "Whether texts become objects with the member content."},
	{Name: "suppress_empty", Kind: plugin.Boolean, Default: "true", Doc: "Whether empty elements are left out."},
	{Name: "parse_options", Enum: []string{"strict"}, Doc: "Reading is always strict."},
}

// xmlFilter turns XML into fields: the whole as an object, or what expressions find.
type xmlFilter struct {
	source, target *event.Path
	store          bool
	finds          []xmlFind
	spaces         map[string]string
	strip          bool
	array, content bool
	skipEmpty      bool
}

type xmlFind struct {
	x  *xpath.Expr
	to *plugin.Ref
}

func newXML(a *plugin.Args, env *plugin.Env) Filter {
	f := &xmlFilter{source: a.Field("source"), target: a.Field("target"), store: a.Bool("store_xml"), strip: a.Bool("remove_namespaces"), array: a.Bool("force_array"),
		content: a.Bool("force_content"), skipEmpty: a.Bool("suppress_empty"), spaces: map[string]string{}}
	if f.store && f.target == nil && a.Has("source") {
		a.Fail("store_xml", `write target => "field", or store_xml => false`, "xml needs a target to store the document in")
	}
	for _, p := range a.Pairs("namespaces") {
		if len(p.Values) == 1 {
			f.spaces[p.Key.Text] = p.Values[0].Text
		}
	}
	for _, p := range a.Pairs("xpath") {
		x, err := xpath.Compile(p.Key.Text)
		if err != nil {
			a.FailAt(p.Key.Pos, "", "%v", err)
			continue
		}
		for _, v := range p.Values {
			f.finds = append(f.finds, xmlFind{x, a.Ref(v)})
		}
	}
	return f
}

func (f *xmlFilter) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() {
		return None
	}
	b := e.Batch()
	if v.Kind() == event.ListKind {
		l := b.Elems(v)
		if len(l) != 1 {
			return f.failed(e)
		}
		v = l[0]
	}
	if v.Kind() != event.StringKind {
		return f.failed(e)
	}
	if strings.TrimSpace(v.Str()) == "" {
		return None
	}
	root, err := xpath.Parse(v.Str())
	if err != nil {
		return f.failed(e)
	}
	matched := false
	if f.store {
		if e.Set(f.target, f.collapse(b, root.Top())) != nil {
			return f.failed(e)
		}
		matched = true
	}
	if f.strip && len(f.finds) > 0 {
		root.Strip()
	}
	for i := range f.finds {
		ok, err := f.find(e, root, &f.finds[i])
		if err != nil {
			return f.failed(e)
		}
		matched = matched || ok
	}
	if matched {
		return Matched
	}
	return None
}

func (f *xmlFilter) failed(e *event.Event) Result { return fail(e, []string{"_xmlparsefailure"}) }

// find appends what an expression gives to the list in its field.
func (f *xmlFilter) find(e *event.Event, root *xpath.Node, x *xmlFind) (bool, error) {
	v, err := x.x.Eval(root, f.spaces)
	p := x.to.Path(e)
	if err != nil || p == nil {
		return false, err
	}
	var found []event.Value
	switch v := v.(type) {
	case []*xpath.Node:
		for _, n := range v {
			found = append(found, event.String(n.String()))
		}
	case string:
		if v != "" {
			found = append(found, event.String(v))
		}
	case float64:
		found = append(found, event.String(xpath.FormatNumber(v)))
	case bool:
		found = append(found, event.Bool(v))
	}
	b := e.Batch()
	for _, v := range found {
		if old, ok := e.Get(p); !ok || old.IsNil() {
			if err := e.Set(p, b.ListOf(v)); err != nil {
				return false, err
			}
			continue
		}
		plugin.AppendValue(e, p, v)
	}
	return len(found) > 0, nil
}

// collapse is an element as a value: a text when it has nothing else, else an object of attributes, elements and content.
func (f *xmlFilter) collapse(b *event.Batch, n *xpath.Node) event.Value {
	m := b.NewMap()
	for _, a := range n.Attrs {
		b.Put(m, a.QName(), event.String(a.Value))
	}
	text, elements := "", false
	for _, c := range n.Children {
		if c.Kind != xpath.Element {
			if strings.TrimSpace(c.Value) != "" {
				text += c.Value
			}
			continue
		}
		elements = true
		if f.skipEmpty && len(c.Children) == 0 && len(c.Attrs) == 0 {
			continue
		}
		f.member(b, m, c.QName(), f.collapse(b, c))
	}
	switch {
	case text != "" && !elements && len(n.Attrs) == 0 && !f.content:
		return event.String(text)
	case text != "":
		b.Put(m, "content", event.String(text))
	}
	return m
}

// member adds an element to its parent; a second one of the same name makes a list.
func (f *xmlFilter) member(b *event.Batch, m event.Value, name string, v event.Value) {
	old, there := b.Field(m, name)
	switch {
	case !there && f.array:
		b.Put(m, name, b.ListOf(v))
	case !there:
		b.Put(m, name, v)
	case old.Kind() == event.ListKind:
		b.Append(b.Open(old), v)
	default:
		b.Put(m, name, b.ListOf(old, v))
	}
}
