// Package kafka is queue.Queue on a real cluster, or on anything else that speaks Kafka's protocol, through franz-go.
//
// A Queue has one client for producing; every Member has its own, since a client is in one group at most. What the border promises
// and Kafka does not tell is worked out here: gaps (a jump of offsets that the start of the partition explains), the bound on what
// is polled and not committed, the size limit of each topic, topic ids.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/weirlog/weir/queue"
)

var _ queue.Queue = (*Queue)(nil)

// Config of a queue on a cluster.
type Config struct {
	Brokers  []string     // host:port of some brokers; the others are learnt
	Log      *slog.Logger // nil is silence
	ClientID string       // default weir

	// Dial makes the connections; nil is the network. The embedded broker is reached through its own, without a port or a login.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	TLS       *tls.Config // nil: plaintext
	User      string      // empty: no login
	Password  string
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; default SCRAM-SHA-512

	Compression string // lz4, zstd, snappy, gzip or none; default lz4
	Instance    string // prefix of static member ids, so that a restart within the session moves nothing; empty: dynamic members
	Newest      bool   // groups without a commit start at the newest record instead of at the oldest
}

// DefaultConfig lacks the brokers.
func DefaultConfig() Config {
	return Config{ClientID: "weir", Mechanism: "SCRAM-SHA-512", Compression: "lz4"}
}

// Validate names all faults of c.
func (c Config) Validate() []error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("kafka: no broker is named"))
	}
	if _, ok := codecs()[c.Compression]; !ok {
		errs = append(errs, fmt.Errorf("kafka: compression %q, want lz4, zstd, snappy, gzip or none", c.Compression))
	}
	if c.User != "" {
		if _, err := c.login(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Bounds of the clients.
const (
	linger           = 5 * time.Millisecond
	maxBufferedBytes = 64 << 20
	maxBuffered      = 1 << 20 // records; the bound in bytes is the one that counts
	defaultMaxBatch  = 1_000_012
	maxMaxBatch      = 100 << 20
	fetchMaxBytes    = 16 << 20
	fetchMaxPart     = 4 << 20
	fetchMaxWait     = 500 * time.Millisecond
	metadataMaxAge   = 30 * time.Second
	metadataMinAge   = 250 * time.Millisecond
	topicInfoAge     = time.Minute
	adminTimeout     = 15 * time.Second
)

// Queue produces to a cluster and joins its groups. It is safe for concurrent use.
type Queue struct {
	cfg Config
	log *slog.Logger
	cl  *kgo.Client
	adm *kadm.Client

	mu      sync.Mutex
	closed  bool
	members map[*member]struct{}
	numbers map[string]int // members of a group so far, for static ids
	topics  map[string]topicInfo
	turn    uint32
}

// topicInfo is what the cluster said of a topic.
type topicInfo struct {
	id    [16]byte
	limit int // max.message.bytes
	at    time.Time
}

// Open connects to a cluster and refuses one that is too old for headers (before 0.11).
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{cfg: cfg, log: cfg.Log, members: map[*member]struct{}{}, numbers: map[string]int{}, topics: map[string]topicInfo{}}
	opts, err := cfg.options(cfg.Log)
	if err != nil {
		return nil, err
	}
	q.cl, err = kgo.NewClient(append(opts, q.producing()...)...)
	if err != nil {
		return nil, fmt.Errorf("open kafka client: %w", err)
	}
	q.adm = kadm.NewClient(q.cl)
	if err := q.checkVersions(ctx); err != nil {
		q.cl.Close()
		return nil, err
	}
	return q, nil
}

// options are those of every client.
func (c Config) options(log *slog.Logger) ([]kgo.Opt, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...), kgo.ClientID(c.ClientID), kgo.SoftwareNameAndVersion("weir", "v1"),
		kgo.DisableClientMetrics(), kgo.WithLogger(logger{log}),
		kgo.MetadataMaxAge(metadataMaxAge), kgo.MetadataMinAge(metadataMinAge),
	}
	switch {
	case c.Dial != nil:
		opts = append(opts, kgo.Dialer(c.Dial))
	case c.TLS != nil:
		opts = append(opts, kgo.DialTLSConfig(c.TLS))
	}
	if c.User != "" {
		m, err := c.login()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.SASL(m))
	}
	return opts, nil
}

// producing are the options of the producer: nothing is dropped, nothing doubled in a producer's life, order kept per partition.
func (q *Queue) producing() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.RecordPartitioner(partitioner()), kgo.ProducerLinger(linger),
		kgo.ProducerBatchCompression(codecs()[q.cfg.Compression], kgo.NoCompression()),
		kgo.ProducerBatchMaxBytesFn(q.batchLimit), kgo.BrokerMaxWriteBytes(maxMaxBatch + 1<<20),
		kgo.MaxBufferedBytes(maxBufferedBytes), kgo.MaxBufferedRecords(maxBuffered),
		kgo.UnknownTopicRetries(-1), kgo.AllowAutoTopicCreation(),
	}
}

func codecs() map[string]kgo.CompressionCodec {
	return map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
}

func (c Config) login() (sasl.Mechanism, error) {
	switch c.Mechanism {
	case "PLAIN":
		return plain.Auth{User: c.User, Pass: c.Password}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism(), nil
	}
	return nil, fmt.Errorf("kafka: login mechanism %q, want PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", c.Mechanism)
}

// Oldest versions that can carry headers.
const (
	minProduce = 3
	minFetch   = 4
)

func (q *Queue) checkVersions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	versions, err := q.adm.ApiVersions(ctx)
	if err != nil {
		return fmt.Errorf("ask %v for its versions: %w", q.cfg.Brokers, translate(err))
	}
	var last error
	for _, v := range versions {
		if v.Err != nil {
			last = v.Err
			continue
		}
		produce, ok1 := v.KeyMaxVersion(int16(kmsg.Produce))
		fetch, ok2 := v.KeyMaxVersion(int16(kmsg.Fetch))
		if !ok1 || !ok2 || produce < minProduce || fetch < minFetch {
			return fmt.Errorf("broker %d of %v is too old: records have no headers before Kafka 0.11", v.NodeID, q.cfg.Brokers)
		}
		return nil
	}
	return fmt.Errorf("ask %v for its versions: no broker answered: %w", q.cfg.Brokers, translate(last))
}

// Close lets the members go and closes the clients. Produce calls that wait fail.
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	members := make([]*member, 0, len(q.members))
	for m := range q.members {
		members = append(members, m)
	}
	q.mu.Unlock()
	var errs []error
	for _, m := range members {
		errs = append(errs, m.Close())
	}
	q.cl.Close()
	return errors.Join(errs...)
}

func (q *Queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// logger hands the client's messages on, at most as warnings: what a person must do is said by whoever called.
type logger struct{ log *slog.Logger }

func (l logger) Level() kgo.LogLevel {
	switch {
	case l.log.Enabled(context.Background(), slog.LevelDebug):
		return kgo.LogLevelInfo // debug of the client is a line per request
	case l.log.Enabled(context.Background(), slog.LevelWarn):
		return kgo.LogLevelWarn
	}
	return kgo.LogLevelNone
}

func (l logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	to := slog.LevelDebug
	if level <= kgo.LogLevelWarn {
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, "kafka client: "+msg, keyvals...)
}
