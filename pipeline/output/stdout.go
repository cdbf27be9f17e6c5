package output

import (
	"context"
	"fmt"
	"io"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

// encoded renders by a codec alone.
type encoded struct{ c codec.Codec }

func newStdout(_ *plugin.Args, _ *Env, c codec.Codec) Renderer { return encoded{c} }

func (r encoded) Render(dst *Buf, e *event.Event) {
	put(dst, e, Item{}, func(b []byte) []byte { return r.c.Encode(b, e) })
}

// stdoutSink writes to standard output.
type stdoutSink struct{ w io.Writer }

func openStdout(_ *plugin.Args, env *Env) (Sink, error) { return stdoutSink{env.Stdout}, nil }

func (s stdoutSink) Write(_ context.Context, b *Buf) error {
	if len(b.Data) == 0 {
		return nil
	}
	if _, err := s.w.Write(b.Data); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

func (s stdoutSink) Close() error { return nil }
