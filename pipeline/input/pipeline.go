package input

import (
	"context"

	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var pipelineOptions = []plugin.Option{
	{Name: "address", Required: true, Doc: "Name that pipeline outputs send to; one input an address."},
}

// Pipeline receives the events of other pipelines of the process. Their records stay unsettled until this pipeline has settled them.
type Pipeline struct {
	address string
	env     *Env
	in      *bus.Inlet
}

func newPipeline(a *plugin.Args, env *Env, _ codec.Codec) Input {
	if a.Has("codec") {
		a.Fail("codec", "remove codec", "events come from another pipeline as they are")
	}
	return &Pipeline{address: a.String("address"), env: env}
}

// Address is what outputs send to.
func (p *Pipeline) Address() string { return p.address }

// Run takes deliveries in order.
func (p *Pipeline) Run(ctx context.Context, emit func(Chunk) error) error {
	in, err := p.env.Bus.Listen(p.address)
	if err != nil {
		return err
	}
	p.in = in
	for {
		select {
		case d := <-in.C:
			in.Took(d)
			if emit(Chunk{Records: d.Records}) != nil {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Settled counts what is done.
func (p *Pipeline) Settled(recs []queue.Record) { p.in.Settled(len(recs)) }

// Close fails what is not.
func (p *Pipeline) Close() error {
	if p.in != nil {
		p.in.Close()
	}
	return nil
}
