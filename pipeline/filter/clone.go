package filter

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var cloneOptions = []plugin.Option{
	{Name: "clones", Kind: plugin.Array, Required: true, Doc: "Name of each copy: its type, or with ECS a tag of it."},
}

// clone copies events; the common options run on the copies.
type clone struct {
	names  []string
	ecs    bool
	common *plugin.Common
}

var typePath = event.MustPath("type")

func newClone(a *plugin.Args, env *plugin.Env) Filter {
	return &clone{a.Strings("clones"), a.ECS(env), plugin.NewCommon(a)}
}

func (f *clone) Filter(e *event.Event) Result {
	for _, n := range f.names {
		c := e.Batch().Clone(e)
		if f.ecs {
			c.AddTag(n)
		} else {
			c.Set(typePath, event.String(n))
		}
		f.common.Apply(c)
	}
	return Matched
}
