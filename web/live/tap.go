package live

import (
	"context"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/queue"
)

// Tap wraps a Writer so that the hub sees each batch before it is written.
func Tap(h *Hub, w bulk.Writer) bulk.Writer { return &tap{hub: h, w: w} }

type tap struct {
	hub *Hub
	w   bulk.Writer
}

func (t *tap) Write(ctx context.Context, b bulk.Batch) ([]bulk.Rejected, error) {
	if t.hub.Listening() {
		docs := make([]Doc, 0, len(b.Ops))
		for _, op := range b.Ops {
			if op.Action == bulk.Create || op.Action == bulk.Index {
				docs = append(docs, Doc{Index: op.Index, ID: op.ID, Source: op.Source})
			}
		}
		t.hub.Offer(docs)
	}
	return t.w.Write(ctx, b)
}

func (t *tap) Positions(ctx context.Context) ([]queue.Position, error) { return t.w.Positions(ctx) }
