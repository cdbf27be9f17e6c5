package input

import (
	"context"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var generatorOptions = []plugin.Option{
	{Name: "message", Default: "Hello world!", Doc: "Text of the events."},
	{Name: "lines", Kind: plugin.Array, Doc: "Texts to take in turn, instead of message."},
	{Name: "count", Kind: plugin.Number, Default: "0", Doc: "How often the lines are taken; 0 is without end."},
	{Name: "threads", Kind: plugin.Number, Default: "1", Unread: "one goroutine generates"},
}

// generator makes records of given lines.
type generator struct {
	lines [][]byte
	count int
	now   func() time.Time
}

func newGenerator(a *plugin.Args, env *Env, _ codec.Codec) Input {
	g := &generator{count: a.Int("count"), now: env.Now}
	for _, l := range a.Strings("lines") {
		g.lines = append(g.lines, []byte(l))
	}
	if len(g.lines) == 0 {
		g.lines = [][]byte{[]byte(a.String("message"))}
	}
	return g
}

func (g *generator) Run(ctx context.Context, emit func(Chunk) error) error {
	recs := make([]queue.Record, 0, chunkRecords)
	for n := int64(0); g.count == 0 || n < int64(g.count); n++ {
		now := g.now()
		for _, l := range g.lines {
			// The sequence rides in Offset, which a record without topic does not use.
			recs = append(recs, queue.Record{Value: l, Time: now, Offset: n})
			if len(recs) == chunkRecords {
				if ctx.Err() != nil || emit(Chunk{Records: recs}) != nil {
					return nil
				}
				recs = recs[:0]
			}
		}
	}
	if len(recs) > 0 {
		emit(Chunk{Records: recs})
	}
	return nil
}

var generatorSequence = event.MustPath("[event][sequence]")

// Decorate numbers the events.
func (g *generator) Decorate(e *event.Event, r *queue.Record) {
	e.Set(generatorSequence, event.Int(r.Offset))
}
