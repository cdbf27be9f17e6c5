package output

import (
	"context"
	"encoding/binary"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var pipelineOptions = []plugin.Option{
	{Name: "send_to", Kind: plugin.Array, Required: true, Doc: "Addresses of pipeline inputs; each gets every event."},
	{Name: "ensure_delivery", Kind: plugin.Boolean, Default: "true", Doc: "Whether to wait for a pipeline that is not there; otherwise events for it are dropped and counted."},
}

func newPipeline(a *plugin.Args, _ *Env, _ codec.Codec) Renderer {
	if a.Has("codec") {
		a.Fail("codec", "remove codec", "events go to the other pipeline as they are")
	}
	return whole{}
}

// whole renders an event with its @metadata.
type whole struct{}

func (whole) Render(dst *Buf, e *event.Event) {
	put(dst, e, Item{}, func(b []byte) []byte {
		b = e.AppendJSON(b)
		if e.Has(anyMetadata) {
			b = append(b[:len(b)-1], `,"@metadata":`...)
			b = append(e.AppendMetaJSON(b), '}')
		}
		return b
	})
}

var anyMetadata = event.MustPath("[@metadata]")

// Pipelines sends to pipelines of the process. It is a RecordSink and a Settler.
type Pipelines struct {
	b      *bus.Bus
	to     []string
	ensure bool
	name   string // of the output among all
	log    *slog.Logger
	warned map[string]bool

	parts  []part       // of the Writes since the last Settle
	missed atomic.Int64 // events dropped as nobody was there
}

// part is a delivery that is not settled: records of a Write for an address.
type part struct {
	to   string
	recs []queue.Record
	d    *bus.Delivery // nil: to be sent
}

func openPipeline(a *plugin.Args, env *Env) (Sink, error) {
	p := &Pipelines{b: env.Bus, to: slices.Compact(slices.Sorted(slices.Values(a.Strings("send_to")))), ensure: a.Bool("ensure_delivery"), name: env.Pipeline + " " + a.ID,
		log: env.Log, warned: make(map[string]bool)}
	for _, to := range p.to {
		p.b.Join(to, p.name)
	}
	return p, nil
}

// SendsTo is the addresses.
func (p *Pipelines) SendsTo() []string { return p.to }

// Write is WriteFrom for events of no record.
func (p *Pipelines) Write(ctx context.Context, b *Buf) error {
	return p.WriteFrom(ctx, b, func(uint32) (ledger.Range, time.Time) { return ledger.Range{}, time.Time{} })
}

// WriteFrom sends the events; those of one record travel as one, so that the receiver counts them together. They are not settled yet:
// Settle waits for that.
func (p *Pipelines) WriteFrom(ctx context.Context, b *Buf, from func(ref uint32) (ledger.Range, time.Time)) error {
	var recs []queue.Record
	for i := 0; i < len(b.Items); {
		j := i + 1
		for j < len(b.Items) && b.Items[j].Ref == b.Items[i].Ref && b.Items[i].Ref != event.NoRecord {
			j++
		}
		r := queue.Record{Value: b.Bytes(&b.Items[i])}
		if j > i+1 {
			r.Value = list(b, i, j)
		}
		if b.Items[i].Ref != event.NoRecord {
			r.Origin, r.Time = from(b.Items[i].Ref)
		}
		recs = append(recs, r)
		i = j
	}
	b.Items = b.Items[:0]
	if len(recs) == 0 {
		return nil
	}
	for _, to := range p.to {
		p.parts = append(p.parts, part{to: to, recs: p.apart(to, recs)})
	}
	return p.send(ctx)
}

func list(b *Buf, from, to int) []byte {
	out := []byte{'['}
	for i := from; i < to; i++ {
		if i > from {
			out = append(out, ',')
		}
		out = append(out, b.Bytes(&b.Items[i])...)
	}
	return append(out, ']')
}

// apart gives records of an address with several senders a source of their own: the same bytes may come there over several ways.
func (p *Pipelines) apart(to string, recs []queue.Record) []queue.Record {
	if !p.b.Shared(to) {
		return recs
	}
	out := slices.Clone(recs)
	for i := range out {
		src := &out[i].Origin.Source
		if src.IsZero() {
			continue
		}
		sum := xxh3.Hash128(append(src[:], p.name...)).Bytes()
		binary.BigEndian.PutUint64(src[8:], binary.BigEndian.Uint64(sum[:8])) // the first six bytes tell the time
		src[6], src[7] = sum[8], sum[9]
	}
	return out
}

// send hands over what is not yet.
func (p *Pipelines) send(ctx context.Context) error {
	for i := range p.parts {
		pt := &p.parts[i]
		if pt.d != nil {
			continue
		}
		if !p.b.Has(pt.to) && !p.warned[pt.to] {
			p.warned[pt.to] = true
			p.log.Warn("no pipeline input has the address", "address", pt.to, "waits", p.ensure)
		}
		if !p.ensure && !p.b.Has(pt.to) {
			p.missed.Add(int64(len(pt.recs)))
			pt.recs, pt.d = nil, &bus.Delivery{}
			continue
		}
		d, err := p.b.Send(ctx, pt.to, pt.recs)
		if err != nil {
			return err
		}
		pt.d = d
	}
	return nil
}

// Settle returns when every receiver has settled everything. What a receiver that ended had not is sent again.
func (p *Pipelines) Settle(ctx context.Context) error {
	for len(p.parts) > 0 {
		if err := p.send(ctx); err != nil {
			return err
		}
		pt := &p.parts[0]
		if len(pt.recs) > 0 {
			if err := pt.d.Wait(ctx); err != nil {
				if ctx.Err() != nil {
					return err
				}
				pt.d = nil
				continue
			}
		}
		p.parts = p.parts[1:]
	}
	p.parts = p.parts[:0]
	return nil
}

// Close leaves the addresses.
func (p *Pipelines) Close() error {
	for _, to := range p.to {
		p.b.Leave(to, p.name)
	}
	return nil
}
