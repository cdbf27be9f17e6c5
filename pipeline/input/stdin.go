package input

import (
	"context"
	"io"
	"time"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

// stdin reads lines from standard input until its end.
type stdin struct {
	r   io.Reader
	c   codec.Codec
	now func() time.Time
}

func newStdin(_ *plugin.Args, env *Env, c codec.Codec) Input { return &stdin{env.Stdin, c, env.Now} }

func (s *stdin) Run(ctx context.Context, emit func(Chunk) error) error {
	return readLines(ctx, s.r, s.c, s.now, emit)
}
