package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// ProduceAll writes records and returns when all are durable, or with the first error. Those of one key keep their order.
func (a *Admin) ProduceAll(ctx context.Context, topic string, ms []NewMessage) error {
	recs := make([]*kgo.Record, len(ms))
	for i := range ms {
		recs[i] = ms[i].record(topic)
	}
	if err := a.cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
		return fmt.Errorf("produce to %s: %w", topic, translate(err))
	}
	return nil
}
