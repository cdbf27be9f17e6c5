package input

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/queue"
)

// KafkaConfig is a kafka input: it reads topics as a member of a group, and commits what is durable.
type KafkaConfig struct {
	Hosts    []string
	Topics   []string
	Group    string
	ClientID string
	// InitialOffset of a group without commits: oldest or newest.
	InitialOffset string
	// User, Password and Mechanism (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512) log in; without a user there is no login.
	User, Password, Mechanism string
	TLS                       *listen.TLS
	// Connect reaches the cluster; cmd/weir sets it.
	Connect func(c *KafkaConfig, log *slog.Logger) (queue.Queue, func() error, error)
}

// DefaultKafka lacks hosts, topics and group.
func DefaultKafka() *KafkaConfig {
	return &KafkaConfig{ClientID: "filebeat", InitialOffset: "oldest", Mechanism: "PLAIN"}
}

// Validate names all faults.
func (c *KafkaConfig) Validate() []error {
	var errs []error
	if len(c.Hosts) == 0 || len(c.Topics) == 0 || c.Group == "" {
		errs = append(errs, errors.New("kafka needs hosts, topics and group_id"))
	}
	if c.InitialOffset != "oldest" && c.InitialOffset != "newest" {
		errs = append(errs, fmt.Errorf("initial_offset %q is none of oldest, newest", c.InitialOffset))
	}
	return errs
}

// Open connects when it runs: the cluster may be down now.
func (c *KafkaConfig) Open(log *slog.Logger) (Input, error) {
	if c.Connect == nil {
		return nil, errors.New("kafka: there is no way to a cluster in this process")
	}
	return &topics{set: c, log: log}, nil
}

type topics struct {
	set *KafkaConfig
	log *slog.Logger
}

// Run reads until ctx ends.
func (k *topics) Run(ctx context.Context, sink Sink) (err error) {
	q, closeQueue, err := k.set.Connect(k.set, k.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeQueue()) }()
	m, err := q.Join(ctx, k.set.Group, k.set.Topics...)
	if err != nil {
		return fmt.Errorf("join group %s: %w", k.set.Group, err)
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	for ctx.Err() == nil {
		recs, err := m.Poll(ctx)
		var gap *queue.Gap
		if errors.As(err, &gap) {
			k.log.Error("records are gone before they were read", "topic", gap.Topic, "partition", gap.Partition, "from", gap.From, "to", gap.To, "why", gap.Why)
			continue
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("poll: %w", err)
		}
		if err := k.hand(ctx, sink, m, recs); err != nil {
			if ctx.Err() != nil || errors.Is(err, ErrStopped) {
				return nil
			}
			return err
		}
	}
	return nil
}

// hand delivers records, a partition at a time, and commits them.
func (k *topics) hand(ctx context.Context, sink Sink, m queue.Member, recs []queue.Record) error {
	var ends []queue.Position
	for i := 0; i < len(recs); {
		b := &Batch{Stream: fmt.Sprintf("kafka %s %d", recs[i].Topic, recs[i].Partition)}
		from, size := i, 0
		for ; i < len(recs) && recs[i].Topic == recs[from].Topic && recs[i].Partition == recs[from].Partition && size < MaxBatch; i++ {
			b.Events = append(b.Events, kafkaEvent(&recs[i]))
			size += len(recs[i].Value)
		}
		if err := sink.Deliver(lasting(ctx), b); err != nil {
			return err
		}
		last := &recs[i-1]
		ends = append(ends, queue.Position{Topic: last.Topic, TopicID: last.TopicID, Partition: last.Partition, Offset: last.Offset + 1})
	}
	err := m.Commit(lasting(ctx), ends)
	if errors.Is(err, queue.ErrRevoked) {
		k.log.Warn("a partition moved to another member before its records were committed; they come twice")
		return nil
	}
	return err
}

// kafkaEvent is a record as Filebeat's kafka input shapes it.
func kafkaEvent(r *queue.Record) Event {
	headers := make([]any, 0, len(r.Headers))
	for _, h := range r.Headers {
		headers = append(headers, h.Key+": "+string(h.Value))
	}
	at := r.Time
	if at.IsZero() {
		at = time.Now()
	}
	return Event{
		At: at, Message: append([]byte{}, r.Value...), Bytes: int64(len(r.Value)), Key: fmt.Sprintf("%s/%d", r.Topic, r.Partition),
		Fields: map[string]any{"kafka": map[string]any{
			"topic": r.Topic, "partition": int64(r.Partition), "offset": r.Offset, "key": string(r.Key), "headers": headers,
		}},
	}
}
