// Package store keeps documents of indices and data streams and hands out snapshots to search.
//
// A write becomes one journal record and rows of an in-memory head per index; it is searchable and acknowledged when the record is
// synced. Heads are sealed into immutable segments (package segment), segments are merged, and CHECKPOINT, one small file, says from
// where the journal must be replayed. Metadata (indices, templates, aliases, data streams) takes the same way through the journal.
//
// Locks, in the order they are taken: group.writer, Store.commit, Store.pub, head.mu. Under commit the order of the journal and the
// order of what is in memory are the same; under pub readers' views change.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/ingest"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

// ErrClosed is the answer of a store that was closed.
var ErrClosed = errors.New("store is closed")

// Config of a store. Zero fields get the values of DefaultConfig.
type Config struct {
	Dir string       // made when missing
	FS  vfs.FS       // nil is vfs.OS()
	Log *slog.Logger // nil discards

	HeadMemory   int64         // bytes of all heads; above it the largest is sealed, above 2 times it writes are refused; default 256 MiB
	HeadDocs     int           // documents of a head before it is sealed; default 1,000,000
	HeadAge      time.Duration // age of a head before it is sealed; default 1 h
	HeadBytes    int64         // bytes of one head's memory before it is sealed; default 48 MiB
	JournalBytes int64         // journal size past which the head that pins the oldest extent is sealed; default 512 MiB
	ExtentBytes  int64         // size of a journal extent; default 64 MiB
	CacheBytes   int64         // decoded pieces of segments; default 96 MiB
	SearchBytes  int64         // bytes that aggregations of searches under way may take; a search that goes beyond is refused; default 512 MiB
	WriteBytes   int64         // bytes of writes under way; above it writes are refused; default 256 MiB
	FloodPercent int           // disk use in percent at which writes are refused until it falls by 5; default 95
	Retention    Retention     // of data streams whose template says nothing else; default: none

	// OnDocs is called behind the sync with documents that came by Apply (not through a pipeline's Writer); they are valid during the
	// call. nil: nobody listens.
	OnDocs func(index string, docs [][]byte)

	// Repositories are the folders below which snapshot repositories of type fs may be; a location that is not absolute is below the
	// first. Empty: the folder snapshots beside Dir.
	Repositories []string

	Ingest ingest.Filters // the pipeline's own machines, for ingest pipelines

	Now func() time.Time // wall clock; nil is time.Now
}

// Retention bounds what is kept of a data stream or index.
type Retention struct {
	MaxAge   time.Duration // segments whose newest document is older are removed; 0: for ever
	MaxBytes int64         // the oldest segments go first; 0: no bound

	// DiskPercent is the share of the disk in use above which the oldest segments of data streams go, whatever their age; other indices
	// never go for space. 0: no bound.
	DiskPercent int
}

// DefaultConfig is what a store uses; Dir must be set.
func DefaultConfig() Config {
	return Config{HeadMemory: 256 << 20, HeadDocs: 1_000_000, HeadAge: time.Hour, HeadBytes: 48 << 20, JournalBytes: 512 << 20, ExtentBytes: 64 << 20,
		CacheBytes: 96 << 20, SearchBytes: 512 << 20, WriteBytes: 256 << 20, FloodPercent: 95}
}

// Validate names all faults of c. Zero values are no faults.
func (c Config) Validate() []error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("store: Dir is empty"))
	}
	for _, f := range []struct {
		name string
		v    int64
	}{{"HeadMemory", c.HeadMemory}, {"HeadDocs", int64(c.HeadDocs)}, {"HeadAge", int64(c.HeadAge)}, {"HeadBytes", c.HeadBytes}, {"JournalBytes", c.JournalBytes},
		{"ExtentBytes", c.ExtentBytes}, {"WriteBytes", c.WriteBytes}, {"SearchBytes", c.SearchBytes}, {"CacheBytes", c.CacheBytes}, {"FloodPercent", int64(c.FloodPercent)}, {"Retention.MaxAge", int64(c.Retention.MaxAge)}, {"Retention.MaxBytes", c.Retention.MaxBytes}} {
		if f.v < 0 {
			errs = append(errs, fmt.Errorf("store: %s %d is negative", f.name, f.v))
		}
	}
	return errs
}

func (c *Config) setDefaults() {
	def := DefaultConfig()
	if c.FS == nil {
		c.FS = vfs.OS()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	for _, f := range []struct{ v, def *int64 }{{&c.HeadMemory, &def.HeadMemory}, {&c.HeadBytes, &def.HeadBytes}, {&c.JournalBytes, &def.JournalBytes},
		{&c.ExtentBytes, &def.ExtentBytes}, {&c.WriteBytes, &def.WriteBytes}, {&c.SearchBytes, &def.SearchBytes}, {&c.CacheBytes, &def.CacheBytes}} {
		if *f.v == 0 {
			*f.v = *f.def
		}
	}
	if c.FloodPercent == 0 {
		c.FloodPercent = def.FloodPercent
	}
	if c.HeadDocs == 0 {
		c.HeadDocs = def.HeadDocs
	}
	if c.HeadAge == 0 {
		c.HeadAge = def.HeadAge
	}
}

// Store is safe for concurrent use.
type Store struct {
	cfg  Config
	fs   vfs.FS
	lock io.Closer
	jr   *journal.Journal
	meta atomic.Pointer[metadata]

	// commit orders writes: what is decided, journaled and put into heads happens under it.
	commit   sync.Mutex
	payload  []byte       // scratch of records
	reopened time.Time    // last try to reopen the journal
	last     journal.Mark // end of the last record
	metaEnd  int64        // journal offset behind the last metadata command
	unsynced []unsyncedCommand
	undone   bool // the batches of a poisoned journal are out of memory

	// pub guards what readers can reach: inflight batches, the parts of indices, segments' use counts.
	pub      sync.Mutex
	inflight []*inflight // in journal order
	applied  int64       // journal offset up to which batches are published

	gmu    sync.Mutex
	groups map[string]*group

	ckpt     sync.Mutex // one checkpoint, seal or merge changes files at a time
	segIDs   atomic.Uint64
	replayed int64 // journal offset the last checkpoint needs

	writes    sync.Pool             // *write
	spare     atomic.Pointer[write] // the write that ended last: one writer finds its own buffers again, whichever processor it runs on
	underway  atomic.Int64
	headBytes atomic.Int64 // memory of all heads, as last measured
	closed    atomic.Bool
	flooded   atomic.Bool  // the disk is too full to write
	leftovers atomic.Bool  // files of deleted indices wait for the next checkpoint
	running   atomic.Int32 // calls of Run under way
	cache     *segment.Cache
	searching *query.Pool   // memory of aggregations
	wake      chan struct{} // a head may want sealing
	pipelines *ingest.Service
	stats     stats
}

// stats are counters since the start.
type stats struct {
	docs, docBytes, rejected, repeats, syncNanos, sealed, merged atomic.Int64
}

// Open opens or makes the store in cfg.Dir: it takes the folder's lock, reads CHECKPOINT and replays the journal. Call Run for
// everything that happens by itself, and Close at the end.
func Open(cfg Config) (*Store, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	cfg.setDefaults()
	s := &Store{cfg: cfg, fs: cfg.FS, groups: map[string]*group{}, cache: segment.NewCache(cfg.CacheBytes), searching: query.NewPool(cfg.SearchBytes), wake: make(chan struct{}, 1)}
	if err := vfs.MkdirDurable(s.fs, filepath.Join(cfg.Dir, idxDir)); err != nil {
		return nil, fmt.Errorf("open store %s: %w", cfg.Dir, err)
	}
	lock, err := s.fs.Lock(filepath.Join(cfg.Dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", cfg.Dir, err)
	}
	s.lock = lock
	s.pipelines = ingest.New(s.ingestDefinition, cfg.Ingest)
	s.watchDisk()
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", cfg.Dir, err), s.shut())
	}
	return s, nil
}

// load reads the checkpoint and replays the journal.
func (s *Store) load() error {
	from, err := s.readCheckpoint()
	if err != nil {
		return err
	}
	if s.jr, err = journal.Open(journal.Config{FS: s.fs, Dir: filepath.Join(s.cfg.Dir, "journal"), Log: s.cfg.Log, SegmentBytes: s.cfg.ExtentBytes,
		SegmentAge: 365 * 24 * time.Hour, TailBytes: 1 << 20, Own: true, Now: s.cfg.Now}); err != nil {
		return err
	}
	if err := s.replay(from); err != nil {
		return err
	}
	if s.meta.Load().ClusterUUID == "" {
		return s.change(command{Cluster: newUUID()})
	}
	return nil
}

// shut closes files without writing.
func (s *Store) shut() error {
	var errs []error
	if s.jr != nil {
		errs = append(errs, s.jr.Close())
	}
	if m := s.meta.Load(); m != nil {
		for _, ix := range m.indices {
			for _, seg := range ix.parts.Load().segs {
				errs = append(errs, seg.close())
			}
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

// Close ends the store: writes are refused from now on, what was acknowledged is on disk. Run must have returned, snapshots must be
// released.
func (s *Store) Close() error {
	if !s.closed.CompareAndSwap(false, true) {
		return nil
	}
	s.commit.Lock()
	defer s.commit.Unlock()
	return s.shut()
}

// admit reserves memory for a write.
func (s *Store) admit(ctx context.Context, size int64) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.closed.Load() {
		return nil, ErrClosed
	}
	if s.flooded.Load() {
		return nil, errorf(429, "cluster_block_exception", "index blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];")
	}
	if n := s.underway.Add(size); n > s.cfg.WriteBytes && n > size {
		s.underway.Add(-size)
		return nil, errorf(429, "es_rejected_execution_exception", "rejected execution of coordinating operation [coordinating_and_primary_bytes=%d, "+
			"coordinating_operation_bytes=%d, max_coordinating_bytes=%d]", n-size, size, s.cfg.WriteBytes)
	}
	if err := s.waitForMemory(ctx); err != nil {
		s.underway.Add(-size)
		return nil, err
	}
	return func() { s.underway.Add(-size) }, nil
}

// group finds or makes a group.
func (s *Store) group(name string) *group {
	s.gmu.Lock()
	defer s.gmu.Unlock()
	g := s.groups[name]
	if g == nil {
		g = newGroup(name)
		s.groups[name] = g
	}
	return g
}
