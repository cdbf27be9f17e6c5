package filter

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var pruneOptions = []plugin.Option{
	{Name: "interpolate", Kind: plugin.Boolean, Default: "false", Doc: "Whether %{field} in the expressions is filled in."},
	{Name: "whitelist_names", Kind: plugin.Array, Doc: "Expressions of the names of the only fields to keep, @timestamp among them."},
	{Name: "blacklist_names", Kind: plugin.Array, Default: `%\{[^}]+\}`, Doc: "Expressions of the names of fields to remove."},
	{Name: "whitelist_values", Kind: plugin.Hash, Doc: "Field => expression its value must match to stay."},
	{Name: "blacklist_values", Kind: plugin.Hash, Doc: "Field => expression of values to remove."},
}

type prune struct {
	keep, drop             []*dynamicRegexp
	keepValues, dropValues []pruneValue
}

type pruneValue struct {
	field string
	re    *dynamicRegexp
}

// dynamicRegexp is a regular expression that may hold %{field}.
type dynamicRegexp struct {
	re   *grok.Regexp
	tpl  *plugin.Template // nil when it holds none
	last string
}

func newDynamic(a *plugin.Args, t plugin.Text, fill bool) *dynamicRegexp {
	if fill && strings.Contains(t.Text, "%{") {
		return &dynamicRegexp{tpl: a.Template(t)}
	}
	return &dynamicRegexp{re: a.Regexp(t)}
}

func (d *dynamicRegexp) match(e *event.Event, s string) bool {
	if d.tpl != nil {
		if text := d.tpl.Render(e); d.re == nil || text != d.last {
			re, err := grok.CompileRegexp(strings.Clone(text))
			if err != nil {
				return false
			}
			d.re, d.last = re, strings.Clone(text)
		}
	}
	return d.re.Match(event.Bytes(s))
}

func newPrune(a *plugin.Args, _ *plugin.Env) Filter {
	f := &prune{}
	fill := a.Bool("interpolate")
	for _, t := range a.Texts("whitelist_names") {
		f.keep = append(f.keep, newDynamic(a, t, fill))
	}
	for _, t := range a.Texts("blacklist_names") {
		f.drop = append(f.drop, newDynamic(a, t, fill))
	}
	values := func(option string) (l []pruneValue) {
		for _, p := range a.Pairs(option) {
			for _, v := range p.Values {
				l = append(l, pruneValue{p.Key.Text, newDynamic(a, v, fill)})
			}
		}
		return l
	}
	f.keepValues, f.dropValues = values("whitelist_values"), values("blacklist_values")
	return f
}

func (f *prune) Filter(e *event.Event) Result {
	for _, n := range e.Names() {
		if len(f.keep) > 0 && !anyMatch(e, f.keep, n) || anyMatch(e, f.drop, n) {
			remove(e, n)
		}
	}
	for _, v := range f.keepValues {
		f.value(e, v, true)
	}
	for _, v := range f.dropValues {
		f.value(e, v, false)
	}
	return Matched
}

func remove(e *event.Event, name string) {
	if name == "@timestamp" {
		e.Delete(event.MustPath(name))
		return
	}
	e.Delete(event.Field(name))
}

func anyMatch(e *event.Event, l []*dynamicRegexp, s string) bool {
	for _, d := range l {
		if d.match(e, s) {
			return true
		}
	}
	return false
}

// value removes a field whose text matches, or with want does not; of a list, such elements.
func (f *prune) value(e *event.Event, pv pruneValue, want bool) {
	p := event.Field(pv.field)
	v, ok := e.Get(p)
	if !ok {
		return
	}
	b := e.Batch()
	if v.Kind() != event.ListKind {
		if pv.re.match(e, b.Text(v)) != want {
			e.Delete(p)
		}
		return
	}
	out := b.NewList(b.Len(v))
	for _, el := range b.Elems(v) {
		if pv.re.match(e, b.Text(el)) == want {
			b.Append(out, el)
		}
	}
	if b.Len(out) == 0 {
		e.Delete(p)
		return
	}
	e.Set(p, out)
}
