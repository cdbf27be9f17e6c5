package codec

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

// dots writes a dot an event.
type dots struct{}

func newDots(*plugin.Args, *plugin.Env) Codec { return dots{} }

func (dots) Decode(b *event.Batch, ref uint32, data string) { message(b, ref, data, "") }

func (dots) Encode(dst []byte, _ *event.Event) []byte { return append(dst, '.') }
