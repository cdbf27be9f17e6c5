package input

import (
	"context"
	"strconv"
	"time"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var heartbeatOptions = []plugin.Option{
	{Name: "interval", Kind: plugin.Number, Default: "60", Doc: "Seconds between events."},
	{Name: "message", Default: "ok", Doc: "Text of the events; epoch is the seconds since 1970, sequence a number."},
	{Name: "count", Kind: plugin.Number, Default: "-1", Doc: "Events to make; -1 is without end."},
	{Name: "threads", Kind: plugin.Number, Default: "1", Unread: "one goroutine beats"},
}

// heartbeat makes an event at intervals.
type heartbeat struct {
	every   time.Duration
	message string
	count   int
	now     func() time.Time
}

func newHeartbeat(a *plugin.Args, env *Env, _ codec.Codec) Input {
	h := &heartbeat{every: a.Seconds("interval"), message: a.String("message"), count: a.Int("count"), now: env.Now}
	if h.every < 10*time.Millisecond {
		a.Fail("interval", "", "interval is below 0.01 seconds")
	}
	return h
}

func (h *heartbeat) Run(ctx context.Context, emit func(Chunk) error) error {
	for n := 0; h.count < 0 || n < h.count; n++ {
		if n > 0 && !wait(ctx, h.every) {
			return nil
		}
		now := h.now()
		text := h.message
		switch text {
		case "epoch":
			text = strconv.FormatInt(now.Unix(), 10)
		case "sequence":
			text = strconv.Itoa(n)
		}
		if emit(Chunk{Records: []queue.Record{{Value: []byte(text), Time: now}}}) != nil {
			return nil
		}
	}
	return nil
}
