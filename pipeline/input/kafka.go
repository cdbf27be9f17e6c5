package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

const (
	byQueue    = "the queue decides"
	byPipeline = "positions are committed when the documents are durable"
	byWeirYml  = "connections are set in weir.yml"
)

var kafkaOptions = []plugin.Option{
	{Name: "bootstrap_servers", Doc: "Addresses of the brokers; without it weir's own queue is read."},
	{Name: "topics", Kind: plugin.Array, Default: "logstash", Doc: "Topics to read."},
	{Name: "group_id", Default: "logstash", Doc: "Consumer group."},
	{Name: "client_id", Default: "logstash", Unread: byQueue},
	{Name: "decorate_events", Enum: []string{"none", "basic", "extended", "true", "false"}, Default: "none", Doc: "What [@metadata][kafka] tells of the record."},
	{Name: "consumer_threads", Kind: plugin.Number, Default: "1", Unread: "one consumer feeds all workers"},
	{Name: "auto_offset_reset", Enum: []string{"earliest", "latest", "none", "by_duration"}, Doc: "Where a new group starts: earliest."},
	{Name: "enable_auto_commit", Kind: plugin.Boolean, Unread: byPipeline},
	{Name: "auto_commit_interval_ms", Kind: plugin.Number, Unread: byPipeline},
	{Name: "topics_pattern", Obsolete: "name the topics"},
	{Name: "max_poll_records", Kind: plugin.Number, Unread: byQueue}, {Name: "max_poll_interval_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "poll_timeout_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "fetch_max_bytes", Kind: plugin.Number, Unread: byQueue},
	{Name: "fetch_min_bytes", Kind: plugin.Number, Unread: byQueue}, {Name: "fetch_max_wait_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "max_partition_fetch_bytes", Kind: plugin.Number, Unread: byQueue}, {Name: "session_timeout_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "heartbeat_interval_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "request_timeout_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "connections_max_idle_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "metadata_max_age_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "receive_buffer_bytes", Kind: plugin.Number, Unread: byQueue}, {Name: "send_buffer_bytes", Kind: plugin.Number, Unread: byQueue},
	{Name: "retry_backoff_ms", Kind: plugin.Number, Unread: byQueue}, {Name: "reconnect_backoff_ms", Kind: plugin.Number, Unread: byQueue},
	{Name: "check_crcs", Kind: plugin.Boolean, Unread: byQueue}, {Name: "isolation_level", Unread: byQueue},
	{Name: "partition_assignment_strategy", Unread: byQueue}, {Name: "group_instance_id", Unread: byQueue}, {Name: "client_rack", Unread: byQueue},
	{Name: "client_dns_lookup", Unread: byQueue}, {Name: "key_deserializer_class", Unread: "keys are bytes"}, {Name: "value_deserializer_class", Unread: "values are bytes"},
	{Name: "security_protocol", Unread: byWeirYml}, {Name: "sasl_mechanism", Unread: byWeirYml}, {Name: "sasl_jaas_config", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "jaas_path", Unread: byWeirYml}, {Name: "ssl_truststore_location", Unread: byWeirYml}, {Name: "ssl_truststore_password", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_truststore_type", Unread: byWeirYml}, {Name: "ssl_keystore_location", Unread: byWeirYml}, {Name: "ssl_keystore_password", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_keystore_type", Unread: byWeirYml}, {Name: "ssl_key_password", Kind: plugin.Password, Unread: byWeirYml},
	{Name: "ssl_endpoint_identification_algorithm", Unread: byWeirYml},
	{Name: "schema_registry_url", Obsolete: "Avro records cannot be read"},
}

// Kafka reads topics of a queue as a member of a group.
type Kafka struct {
	addr, group string
	topics      []string
	decorate    string
	letters     bool   // the topic of dead letters is read
	pipeline    string // only letters of this one; "" is all
	env         *Env

	mu     sync.Mutex
	member queue.Member
}

func newKafka(a *plugin.Args, env *Env, _ codec.Codec) Input {
	k := &Kafka{addr: a.String("bootstrap_servers"), group: a.String("group_id"), topics: a.Strings("topics"), decorate: a.String("decorate_events"), env: env}
	if !a.Has("topics") && k.addr == "" && env.Topic != "" {
		k.topics = []string{env.Topic}
	}
	if r := a.String("auto_offset_reset"); r != "" && r != "earliest" {
		a.Warn("auto_offset_reset", "", "a new group starts at the oldest record, not at %q", r)
	}
	return k
}

// Group is the consumer group.
func (k *Kafka) Group() string { return k.group }

// Topics are the topics read.
func (k *Kafka) Topics() []string { return slices.Clone(k.topics) }

// Addr is the configured bootstrap_servers.
func (k *Kafka) Addr() string { return k.addr }

// Run joins the group, seeks to where the store is, and polls.
func (k *Kafka) Run(ctx context.Context, emit func(Chunk) error) error {
	q, err := k.env.Queue(k.addr)
	if err != nil {
		return fmt.Errorf("connect to queue %s: %w", k.addr, err)
	}
	m, err := q.Join(ctx, k.group, k.topics...)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("join group %s: %w", k.group, err)
	}
	if err := k.seek(ctx, m); err != nil {
		m.Close()
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	k.mu.Lock()
	k.member = m
	k.mu.Unlock()
	return k.poll(ctx, m, emit)
}

func (k *Kafka) seek(ctx context.Context, m queue.Member) error {
	pos, err := k.env.Start(ctx, k)
	if err != nil {
		return fmt.Errorf("ask for the positions of group %s: %w", k.group, err)
	}
	pos = slices.DeleteFunc(slices.Clone(pos), func(p queue.Position) bool { return !slices.Contains(k.topics, p.Topic) })
	if len(pos) == 0 {
		return nil
	}
	if err := m.Seek(ctx, pos); err != nil {
		return fmt.Errorf("seek group %s: %w", k.group, err)
	}
	return nil
}

const maxPollWait = 10 * time.Second // between two tries of a queue that fails

func (k *Kafka) poll(ctx context.Context, m queue.Member, emit func(Chunk) error) error {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		recs, err := m.Poll(ctx)
		var c Chunk
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &c.Gap):
			k.env.Log.Warn("records are gone", "topic", c.Gap.Topic, "partition", c.Gap.Partition, "from", c.Gap.From, "to", c.Gap.To, "why", c.Gap.Why)
			if err := emit(Chunk{Records: recs, Gap: c.Gap}); err != nil {
				return nil
			}
			continue
		case errors.Is(err, io.EOF): // of a part that is read once
			return nil
		case errors.Is(err, queue.ErrClosed):
			return fmt.Errorf("poll group %s: %w", k.group, err)
		case errors.Is(err, queue.ErrDenied):
			return fmt.Errorf("poll group %s: %w", k.group, err)
		case err != nil:
			k.env.Log.Warn("queue cannot be read", "group", k.group, "err", err, "retry_in", pause)
			if !wait(ctx, pause) {
				return nil
			}
			pause = min(2*pause, maxPollWait)
			continue
		}
		pause = 100 * time.Millisecond
		if recs = k.wanted(recs); len(recs) == 0 {
			continue
		}
		if emit(Chunk{Records: recs}) != nil {
			return nil
		}
	}
	return nil
}

// Commit tells the group how far the pipeline is.
func (k *Kafka) Commit(ctx context.Context, pos []queue.Position) error {
	k.mu.Lock()
	m := k.member
	k.mu.Unlock()
	if m == nil {
		return nil
	}
	return m.Commit(ctx, pos)
}

// Close leaves the group, after the last Commit.
func (k *Kafka) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.member == nil {
		return nil
	}
	m := k.member
	k.member = nil
	return m.Close()
}

var (
	kafkaMeta      = event.MustPath("[@metadata][kafka]")
	kafkaTopic     = event.MustPath("[@metadata][kafka][topic]")
	kafkaGroup     = event.MustPath("[@metadata][kafka][consumer_group]")
	kafkaPartition = event.MustPath("[@metadata][kafka][partition]")
	kafkaOffset    = event.MustPath("[@metadata][kafka][offset]")
	kafkaKey       = event.MustPath("[@metadata][kafka][key]")
	kafkaTimestamp = event.MustPath("[@metadata][kafka][timestamp]")
)

// Decorate sets [@metadata][kafka] as decorate_events asks.
func (k *Kafka) Decorate(e *event.Event, r *queue.Record) {
	if k.letters {
		decorateLetter(e, r)
	}
	if k.decorate == "none" || k.decorate == "false" {
		return
	}
	e.Set(kafkaTopic, event.String(r.Topic))
	e.Set(kafkaGroup, event.String(k.group))
	e.Set(kafkaPartition, event.Int(int64(r.Partition)))
	e.Set(kafkaOffset, event.Int(r.Offset))
	e.Set(kafkaTimestamp, event.Int(r.Time.UnixMilli()))
	if r.Key != nil {
		e.Set(kafkaKey, event.String(e.Batch().KeepBytes(r.Key)))
	}
	if k.decorate != "extended" {
		return
	}
	for _, h := range r.Headers {
		e.Set(kafkaMeta.Child("headers").Child(h.Key), event.String(e.Batch().KeepBytes(h.Value)))
	}
}
