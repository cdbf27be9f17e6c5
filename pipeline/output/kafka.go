package output

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

const (
	byQueue   = "the queue decides"
	byWeirYml = "connections are set in weir.yml"
)

var kafkaOptions = []plugin.Option{
	{Name: "topic_id", Required: true, Doc: "Topic; may hold %{field}."},
	{Name: "bootstrap_servers", Doc: "Addresses of the brokers; without it weir's own queue is written."},
	{Name: "message_key", Doc: "Key of the record; may hold %{field}."},
	{Name: "acks", Default: "all", Unread: "records are acknowledged when they are durable"},
	{Name: "client_id", Unread: byQueue}, {Name: "compression_type", Unread: byQueue}, {Name: "batch_size", Kind: plugin.Number, Unread: byQueue},
	{Name: "linger_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "buffer_memory", Kind: plugin.Number, Unread: byQueue},
	{Name: "max_request_size", Kind: plugin.Number, Unread: byQueue}, {Name: "retries", Kind: plugin.Number, Unread: "tried until it works"},
	{Name: "retry_backoff_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "request_timeout_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "metadata_max_age_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "partitioner", Unread: "the key decides"},
	{Name: "key_serializer", Unread: "keys are bytes"}, {Name: "value_serializer", Unread: "values are bytes"},
	{Name: "security_protocol", Unread: byWeirYml}, {Name: "sasl_mechanism", Unread: byWeirYml}, {Name: "sasl_jaas_config", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_truststore_location", Unread: byWeirYml}, {Name: "ssl_truststore_password", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_truststore_type", Unread: byWeirYml}, {Name: "ssl_keystore_location", Unread: byWeirYml},
	{Name: "ssl_keystore_password", Kind: plugin.Password, Unread: byWeirYml}, {Name: "ssl_key_password", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_endpoint_identification_algorithm", Unread: byWeirYml},
}

type kafkaRenderer struct {
	c          codec.Codec
	topic, key *plugin.Template
}

func newKafka(a *plugin.Args, _ *Env, c codec.Codec) Renderer {
	r := &kafkaRenderer{c: c, topic: a.Template(plugin.Text{Pos: a.At("topic_id"), Text: a.String("topic_id")})}
	if a.Has("message_key") {
		r.key = a.Template(plugin.Text{Pos: a.At("message_key"), Text: a.String("message_key")})
	}
	return r
}

func (r *kafkaRenderer) Render(dst *Buf, e *event.Event) {
	it := Item{Target: r.topic.Render(e)}
	if r.key != nil {
		it.ID = r.key.Render(e)
	}
	put(dst, e, it, func(b []byte) []byte { return r.c.Encode(b, e) })
}

// kafkaSink produces records.
type kafkaSink struct {
	q     queue.Queue
	recs  []queue.Record
	names Names
}

func openKafka(a *plugin.Args, env *Env) (Sink, error) {
	q, err := env.Queue(a.String("bootstrap_servers"))
	if err != nil {
		return nil, fmt.Errorf("connect to queue %s: %w", a.String("bootstrap_servers"), err)
	}
	return &kafkaSink{q: q}, nil
}

func (s *kafkaSink) Write(ctx context.Context, b *Buf) error {
	s.recs = s.recs[:0]
	now := time.Now()
	for i := range b.Items {
		it := &b.Items[i]
		r := queue.Record{Topic: s.names.Keep(it.Target), Value: b.Bytes(it), Time: now}
		if it.ID != "" {
			r.Key = []byte(it.ID)
		}
		s.recs = append(s.recs, r)
	}
	if len(s.recs) == 0 {
		return nil
	}
	err := s.q.Produce(ctx, s.recs)
	var pe *queue.ProduceError
	if errors.As(err, &pe) { // a repeated call sends what is missing
		for k, i := range pe.Failed {
			b.Items[k] = b.Items[i]
		}
		b.Items = b.Items[:len(pe.Failed)]
	}
	if err != nil {
		return fmt.Errorf("produce %d records: %w", len(s.recs), err)
	}
	return nil
}

func (s *kafkaSink) Close() error { return nil }
