package filter

import (
	"math/rand/v2"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var dropOptions = []plugin.Option{
	{Name: "percentage", Kind: plugin.Number, Default: "100", Doc: "Share of the events to drop."},
}

type dropFilter struct{ share float64 }

func newDrop(a *plugin.Args, _ *plugin.Env) Filter { return &dropFilter{a.Float("percentage") / 100} }

func (f *dropFilter) Filter(e *event.Event) Result {
	if f.share >= 1 || rand.Float64() < f.share {
		e.Cancel()
	}
	return None
}
