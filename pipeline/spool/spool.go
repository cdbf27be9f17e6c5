package spool

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// Config of a spool.
type Config struct {
	FS       vfs.FS // nil is vfs.OS()
	Dir      string // made when missing
	Name     string // topic of its records in positions, such as spool/main/tcp-5000
	MaxBytes int64  // of the journal; default 1 GiB
	Pool     *journal.Pool
	Now      func() time.Time
	Log      *slog.Logger
}

const (
	defaultMaxBytes = 1 << 30
	extentMost      = 64 << 20 // bytes of an extent; less for small spools
	extentLeast     = 64 << 10
	tailBytes       = 1 << 20 // kept in memory for the reader
	readBytes       = 1 << 20 // of one read of the journal
	trimEvery       = time.Second
	retryEvery      = time.Second // of a disk that fails
	maxBuilders     = 64          // batches whose memory is kept
)

// Spool is one input's journal. Its methods may be called from any goroutine but for Run, which has one.
type Spool struct {
	cfg    Config
	id     ledger.Source
	j      *journal.Journal
	reopen sync.Mutex

	mu      sync.Mutex
	settled int64         // records below are settled
	trimmed int64         // start of the journal, as it was told last
	when    time.Time     // of the last trim
	freed   chan struct{} // closed and made anew when there may be room
	ended   bool          // no Put comes any more
	idle    [][]byte      // memory of batches

	trimming sync.Mutex
	more     *journal.Waiter
}

// Open recovers the spool in cfg.Dir or makes an empty one.
func Open(cfg Config) (*Spool, error) {
	if cfg.FS == nil {
		cfg.FS = vfs.OS()
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = defaultMaxBytes
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Spool{cfg: cfg, freed: make(chan struct{}), more: journal.NewWaiter()}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open spool %s: %w", cfg.Dir, err)
	}
	s.settled, s.trimmed = s.j.Start(), s.j.Start()
	return s, nil
}

func (s *Spool) open() error {
	if err := vfs.MkdirDurable(s.cfg.FS, s.cfg.Dir); err != nil {
		return err
	}
	name := filepath.Join(s.cfg.Dir, "id")
	b, err := vfs.ReadFile(s.cfg.FS, name)
	switch {
	case err == nil:
		s.id, err = ledger.ParseSource(strings.TrimSpace(string(b)))
	case errors.Is(err, fs.ErrNotExist):
		s.id = ledger.NewSource(s.cfg.Now())
		err = vfs.WriteFileAtomic(s.cfg.FS, name, append(hex.AppendEncode(nil, s.id[:]), '\n'))
	}
	if err != nil {
		return err
	}
	c := journal.DefaultConfig()
	c.FS, c.Dir, c.Pool, c.Log, c.Now = s.cfg.FS, filepath.Join(s.cfg.Dir, "log"), s.cfg.Pool, s.cfg.Log, s.cfg.Now
	c.SegmentBytes, c.TailBytes = min(max(s.cfg.MaxBytes/8, extentLeast), extentMost), tailBytes
	s.j, err = journal.Open(c)
	return err
}

// ID tells spools apart; it is the source of the records' ranges and their topic's id.
func (s *Spool) ID() ledger.Source { return s.id }

// Start is the first offset that is not known to be settled.
func (s *Spool) Start() int64 { return s.j.Start() }

// Close keeps the place and closes the files. Nobody is in Put or Run any more.
func (s *Spool) Close() error {
	return errors.Join(s.trim(), s.j.Close())
}

// Waiting is the records and bytes that are not settled.
func (s *Spool) Waiting() (records, bytes int64) {
	s.mu.Lock()
	settled := s.settled
	s.mu.Unlock()
	records = max(0, s.j.DurableEnd()-settled)
	if records > 0 {
		bytes = s.j.Size()
	}
	return records, bytes
}

// MaxBytes is where Put blocks.
func (s *Spool) MaxBytes() int64 { return s.cfg.MaxBytes }

// Put appends records and returns when they are on disk. It blocks while the spool is full or the disk fails; an error means that ctx
// ended or the spool was closed, and that the sender must not be answered. The records are the caller's again on return.
func (s *Spool) Put(ctx context.Context, recs []queue.Record) error {
	if len(recs) == 0 {
		return nil
	}
	batch := s.build(recs)
	defer s.giveBack(batch)
	for {
		if err := s.room(ctx); err != nil {
			return err
		}
		m, err := s.j.Append(batch)
		if err == nil {
			err = s.j.Sync(m)
		}
		if err == nil || errors.Is(err, journal.ErrClosed) {
			return err
		}
		if errors.Is(err, journal.ErrPoisoned) && s.revive() {
			continue
		}
		s.cfg.Log.Warn("spool cannot be written", "spool", s.cfg.Name, "records", len(recs), "err", err, "retry_in", retryEvery)
		if !s.pause(ctx, retryEvery) {
			return ctx.Err()
		}
	}
}

// revive reopens a journal whose sync failed: it forgets what was not durable, so what is waited for can be written again.
func (s *Spool) revive() bool {
	s.reopen.Lock()
	defer s.reopen.Unlock()
	return s.j.Poisoned() == nil || s.j.Reopen() == nil
}

func (s *Spool) build(recs []queue.Record) []byte {
	var headers []journal.RecordHeader
	var b journal.Builder
	b.Reset(s.memory())
	for i := range recs {
		r := &recs[i]
		headers = headers[:0]
		for _, h := range r.Headers {
			headers = append(headers, journal.RecordHeader{Key: h.Key, Value: h.Value})
		}
		t := r.Time
		if t.IsZero() {
			t = s.cfg.Now()
		}
		b.Add(t.UnixMilli(), r.Key, r.Value, headers)
	}
	return b.Finish()
}

func (s *Spool) memory() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.idle)
	if n == 0 {
		return nil
	}
	b := s.idle[n-1]
	s.idle = s.idle[:n-1]
	return b[:0]
}

func (s *Spool) giveBack(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) < maxBuilders && cap(b) <= 2*readBytes {
		s.idle = append(s.idle, b)
	}
}

// room waits until the journal is below its bound.
func (s *Spool) room(ctx context.Context) error {
	for {
		s.mu.Lock()
		freed := s.freed
		s.mu.Unlock()
		if s.j.Size() < s.cfg.MaxBytes {
			return ctx.Err()
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// End says that no Put comes any more: Run returns when it has read everything.
func (s *Spool) End() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	select {
	case s.more.C <- struct{}{}:
	default:
	}
}

// Commit says that every record below offset is settled.
func (s *Spool) Commit(offset int64) {
	s.mu.Lock()
	s.settled = max(s.settled, offset)
	due := s.settled > s.trimmed && s.cfg.Now().Sub(s.when) >= trimEvery
	s.mu.Unlock()
	if due {
		if err := s.trim(); err != nil {
			s.cfg.Log.Warn("spool cannot give room back", "spool", s.cfg.Name, "err", err)
		}
	}
}

// trim moves the start of the journal, durably, to what is settled.
func (s *Spool) trim() error {
	s.trimming.Lock()
	defer s.trimming.Unlock()
	s.mu.Lock()
	to, from := s.settled, s.trimmed
	s.when = s.cfg.Now()
	s.mu.Unlock()
	if to <= from {
		return nil
	}
	if _, err := s.j.Trim(to); err != nil {
		return fmt.Errorf("trim spool %s: %w", s.cfg.Name, err)
	}
	s.mu.Lock()
	s.trimmed = to
	close(s.freed)
	s.freed = make(chan struct{})
	s.mu.Unlock()
	return nil
}

// pause sleeps; false when ctx ended first.
func (s *Spool) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
