// Package broker is the embedded queue: topics kept in journals, consumer groups, and the Kafka protocol in front of both.
//
// Parts of this process use *Broker as a queue.Queue by direct calls; everybody else speaks Kafka to it over TCP. Both see the same
// topics and the same groups. One promise stands above speed: acknowledged means on disk. A produce, a commit or a new topic is
// answered after the fdatasync that covers it, and readers see nothing that is not synced.
//
// A Broker has topics, a topic has partitions, a partition is a journal and the sequences of its idempotent producers. What is not
// records (topics, groups, commits, producer ids) is in one more journal, meta. Connections have two goroutines each, a reader that
// does the work of a request and a writer that waits for what the request needs (a sync, other members, new records) and answers in
// order; one more goroutine keeps house, another compacts. Lock order: topics, group, transaction, partition, meta; journals have their own.
//
// The package is large because topics, groups and transactions share one record of changes, meta, and one file per request reads better
// beside what it asks. What stands alone is apart: codec, oldset, acl.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/broker/codec"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// Config of a broker.
type Config struct {
	FS  vfs.FS       // nil is the files of this machine
	Dir string       // data folder of the queue
	Log *slog.Logger // nil is silence

	Listen    []string       // addresses of the Kafka protocol; default 127.0.0.1:9092; empty: only this process uses the broker
	Listeners []net.Listener // further listeners, already open; Run closes them
	Advertise string         // host:port told to clients; empty: the local address of each connection, which is right but for proxies

	TLS   *tls.Config // of Listen and Listeners; nil: plaintext, which only loopback should see
	Users []User      // who may log in, by SASL, beside those that clients make; none: nobody needs to
	Login Login       // in place of Users
	// Authorize has access control lists decide what who logged in may do. SuperUsers may do everything, and, with AllowUnlisted,
	// everybody may do everything to a resource that no list is about.
	Authorize     bool
	SuperUsers    []string
	AllowUnlisted bool

	Partitions int32   // of topics made on first use; default 1, which keeps total order
	AutoCreate bool    // topics are made on first use; default true
	Topics     []Topic // made at start when missing
	// TopicDefaults are topic configurations, by Kafka's names, that new topics get where their creator says nothing.
	TopicDefaults map[string]string

	Pins             []string      // groups whose unread records retention keeps, beside those that weir itself joined
	OffsetsRetention time.Duration // commits of a group are kept so long after its last member left; default 7 days
	DiskFloor        int64         // bytes; with less free space producers are refused; 0: 5 % of the disk, at most 5 GiB; negative: off
	DiskBudget       int64         // bytes; above it what all pinning groups have read goes, oldest first; 0: 10 % of the disk, at least 1 GiB; negative: off
	DropOldest       bool          // under DiskFloor unread records go too, counted and told, instead of producers being refused

	TailBytes     int64 // newest records kept in memory for live readers, all partitions together; default 32 MiB
	InflightBytes int64 // request bytes being read and worked on, all connections together; default 64 MiB

	poison bool // tests: released buffers are overwritten, so that who holds on to one is found
}

// Topic is a topic made at start.
type Topic struct {
	Name       string
	Partitions int32             // 0 is Config.Partitions; an existing topic is grown, never shrunk
	Configs    map[string]string // topic configurations by Kafka's names
}

// DefaultConfig is a broker for one machine; Dir must be set.
func DefaultConfig() Config {
	return Config{
		Listen: []string{"127.0.0.1:9092"}, Partitions: 1, AutoCreate: true, OffsetsRetention: 7 * 24 * time.Hour,
		TailBytes: 32 << 20, InflightBytes: 64 << 20,
	}
}

// Validate names all faults of c.
func (c Config) Validate() []error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("broker: data folder is not set"))
	}
	if c.Partitions < 1 || c.Partitions > maxPartitions {
		errs = append(errs, fmt.Errorf("broker: partitions is %d, want 1 to %d", c.Partitions, maxPartitions))
	}
	if c.TailBytes < 1<<20 {
		errs = append(errs, fmt.Errorf("broker: tail.bytes is %d, want at least 1 MiB", c.TailBytes))
	}
	if c.InflightBytes < 1<<20 {
		errs = append(errs, fmt.Errorf("broker: inflight.bytes is %d, want at least 1 MiB", c.InflightBytes))
	}
	if c.OffsetsRetention < time.Minute {
		errs = append(errs, fmt.Errorf("broker: offsets retention is %v, want at least a minute", c.OffsetsRetention))
	}
	if c.Advertise != "" {
		if _, _, err := splitHostPort(c.Advertise); err != nil {
			errs = append(errs, fmt.Errorf("broker: advertise: %w", err))
		}
	}
	for _, a := range c.Listen {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("broker: listen: %w", err))
		}
	}
	if _, err := parseTopicConfig(c.TopicDefaults); err != nil {
		errs = append(errs, fmt.Errorf("broker: topic defaults: %w", err))
	}
	for _, u := range c.Users {
		if u.Name == "" || u.Password == "" {
			errs = append(errs, fmt.Errorf("broker: user %q has no name or no password", u.Name))
		}
	}
	for _, t := range c.Topics {
		if !topicName.MatchString(t.Name) || t.Partitions < 0 {
			errs = append(errs, fmt.Errorf("broker: topic %q with %d partitions cannot be made", t.Name, t.Partitions))
		}
		if _, err := parseTopicConfig(t.Configs); err != nil {
			errs = append(errs, fmt.Errorf("broker: topic %s: %w", t.Name, err))
		}
	}
	return errs
}

// Broker is the embedded queue. It is safe for concurrent use.
type Broker struct {
	cfg       Config
	log       *slog.Logger
	lock      io.Closer
	pool      *journal.Pool
	codecs    *codec.Codecs
	meta      *meta
	topics    *topics
	groups    *coordinator
	txns      *transactions
	sessions  fetchSessions
	apis      map[int16]api
	listeners []net.Listener
	inflight  *gate
	full      atomic.Bool // producers are refused: disk floor
	counters  counters
	warned    warnings
	clock     clockGuard
	opened    time.Time

	mu      sync.Mutex
	closed  bool
	done    chan struct{} // closed by Close
	running sync.WaitGroup
	members map[*member]struct{}
	conns   map[*conn]struct{}
}

// Open takes the data folder, recovers what is in it and opens the listeners. No goroutine runs before Run; direct calls work from
// here on.
func Open(cfg Config) (*Broker, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.FS == nil {
		cfg.FS = vfs.OS()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	b := &Broker{
		cfg: cfg, log: cfg.Log, topics: newTopics(), inflight: newGate(cfg.InflightBytes), done: make(chan struct{}), opened: time.Now(),
		pool:    journal.NewPool(journal.PoolConfig{TailBytes: cfg.TailBytes, Poison: cfg.poison}),
		members: map[*member]struct{}{}, conns: map[*conn]struct{}{}, apis: map[int16]api{},
	}
	b.codecs = codec.New(b.pool)
	for _, a := range apiTable() {
		b.apis[a.key] = a
	}
	if err := b.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open queue %s: %w", cfg.Dir, err), b.Close())
	}
	return b, nil
}

func (b *Broker) open() error {
	if err := vfs.MkdirDurable(b.cfg.FS, b.cfg.Dir); err != nil {
		return err
	}
	var err error
	if b.lock, err = b.cfg.FS.Lock(filepath.Join(b.cfg.Dir, "lock")); err != nil {
		return err
	}
	b.meta, err = openMeta(journal.Config{
		FS: b.cfg.FS, Dir: filepath.Join(b.cfg.Dir, "meta"), Log: b.log, Pool: b.pool, SegmentBytes: 2 * metaSnapshotEvery,
	})
	if err != nil {
		return err
	}
	if len(b.cfg.Users) > 0 && b.cfg.Login == nil {
		if b.cfg.Login, err = newUsers(b.meta, b.cfg.Users); err != nil {
			return err
		}
	}
	if err := b.loadTopics(); err != nil {
		return err
	}
	b.groups = newCoordinator(b.log, b.meta)
	b.txns = newTransactions(b)
	b.checkDisk() // producers meet a full disk refused from the start
	if err := b.makeConfigured(); err != nil {
		return err
	}
	for _, addr := range b.cfg.Listen {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		b.listeners = append(b.listeners, l)
	}
	b.listeners = append(b.listeners, b.cfg.Listeners...)
	if b.cfg.TLS != nil {
		for i, l := range b.listeners {
			b.listeners[i] = tls.NewListener(l, b.cfg.TLS)
		}
	}
	return nil
}

// makeConfigured makes and grows the topics of the configuration.
func (b *Broker) makeConfigured() error {
	for _, c := range b.cfg.Topics {
		n := c.Partitions
		if n == 0 {
			n = b.cfg.Partitions
		}
		t := b.topics.get(c.Name)
		if t == nil {
			if _, terr := b.createTopic(newTopic{name: c.Name, partitions: n, configs: c.Configs}); terr != nil {
				return fmt.Errorf("topic %s: %w", c.Name, terr)
			}
			continue
		}
		if int(n) > len(t.partitions()) {
			if terr := b.addPartitions(t, n, false); terr != nil {
				return fmt.Errorf("topic %s: %w", c.Name, terr)
			}
		}
		if len(c.Configs) > 0 {
			if terr := b.setConfig(t, c.Configs, false); terr != nil {
				return fmt.Errorf("topic %s: %w", c.Name, terr)
			}
		}
	}
	return nil
}

// Addrs are the addresses that the broker listens on.
func (b *Broker) Addrs() []net.Addr {
	var out []net.Addr
	for _, l := range b.listeners {
		out = append(out, l.Addr())
	}
	return out
}

// Run serves the listeners and keeps house until ctx ends or Close is called. It returns when all its goroutines have. Call it once.
func (b *Broker) Run(ctx context.Context) error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.running.Add(1)
	b.mu.Unlock()
	defer b.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, b.closeListeners)
	defer stop()
	var wg sync.WaitGroup
	errs := make([]error, len(b.listeners))
	for i, l := range b.listeners {
		wg.Go(func() {
			if errs[i] = b.accept(ctx, l); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Go(func() { b.keepCompact(ctx) })
	b.keepHouse(ctx)
	cancel()
	wg.Wait()
	return errors.Join(errs...)
}

func (b *Broker) closeListeners() {
	for _, l := range b.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			b.log.Warn("listener not closed", "address", l.Addr().String(), "error", err)
		}
	}
}

// Close ends Run, lets go of everybody who waits, makes commits durable and closes the files. Calls after it give queue.ErrClosed.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	close(b.done)
	b.mu.Unlock()
	b.closeListeners()
	b.running.Wait()
	var errs []error
	if b.groups != nil {
		errs = append(errs, b.flushMembers())
		b.groups.stop()
	}
	for _, t := range b.topics.all() {
		for _, p := range t.partitions() {
			errs = append(errs, p.close())
		}
	}
	if b.meta != nil {
		errs = append(errs, b.meta.close())
	}
	if b.lock != nil {
		errs = append(errs, b.lock.Close())
	}
	return errors.Join(errs...)
}

func (b *Broker) isClosed() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}
