package filter

import (
	"crypto/rand"
	"fmt"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var uuidOptions = []plugin.Option{
	{Name: "target", Kind: plugin.Field, Required: true, Doc: "Field for the id."},
	{Name: "overwrite", Kind: plugin.Boolean, Default: "false", Doc: "Whether a field that exists is replaced."},
}

type uuidFilter struct {
	target    *plugin.Ref
	overwrite bool
}

func newUUID(a *plugin.Args, _ *plugin.Env) Filter {
	return &uuidFilter{a.Ref(plugin.Text{Pos: a.At("target"), Text: a.String("target")}), a.Bool("overwrite")}
}

func (f *uuidFilter) Filter(e *event.Event) Result {
	p := f.target.Path(e)
	if p == nil {
		return None
	}
	if f.overwrite || !e.Has(p) {
		e.Set(p, event.String(newID()))
	}
	return Matched
}

// newID is a random UUID, version 4.
func newID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
