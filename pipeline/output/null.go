package output

import (
	"context"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

// null takes events and writes nothing.
type null struct{}

func newNull(*plugin.Args, *Env, codec.Codec) Renderer { return null{} }

func openNull(*plugin.Args, *Env) (Sink, error) { return null{}, nil }

func (null) Render(dst *Buf, e *event.Event) {
	dst.Items = append(dst.Items, Item{Ref: e.Ref})
}

func (null) Write(context.Context, *Buf) error { return nil }

func (null) Close() error { return nil }
