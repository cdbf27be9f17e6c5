package pipeline

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/queue"
)

// byCodec decodes a record's value by the input's codec.
type byCodec struct{ c codec.Codec }

func (d byCodec) DecodeRecord(b *event.Batch, ref uint32, _ *queue.Record, data string) {
	d.c.Decode(b, ref, data)
}
