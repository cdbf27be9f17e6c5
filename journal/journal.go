package journal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/vfs"
)

// Errors that callers tell apart. Full disks are told by vfs.IsFull.
var (
	ErrPoisoned   = errors.New("journal had a failed sync and must be reopened")
	ErrClosed     = errors.New("journal is closed")
	ErrOutOfRange = errors.New("offset is out of the journal's range")
	ErrTooLarge   = errors.New("batch is too large for a journal")
)

// Config of a journal. Zero fields get the values of DefaultConfig.
type Config struct {
	FS  vfs.FS       // nil is vfs.OS()
	Dir string       // made when missing; the caller holds the lock of the data folder
	Log *slog.Logger // nil discards

	SegmentBytes int64         // an extent is rolled before it grows past this; 64 KiB to 2 GiB; default 128 MiB
	SegmentAge   time.Duration // an extent is rolled this long after its first append; default 24 h
	TailBytes    int64         // batches kept in memory for live readers; default 8 MiB, 256 KiB when Own
	LeaderEpoch  int32         // written into every batch from now on

	// Own says that all payloads come from AppendPayload. Each then begins with the end known durable when it was written, so
	// recovery can prove damage: Open refuses with file and offset instead of dropping what was acknowledged.
	Own bool

	Pool *Pool            // shared by the journals of a process; nil makes one
	Now  func() time.Time // wall clock for ages; nil is time.Now

	// OnSync is told how long each fdatasync took, from the goroutine that did it; nil is nobody.
	OnSync func(time.Duration)

	// Decompress opens the records of a batch for OffsetForTime. nil: a compressed batch answers as a whole.
	Decompress func(codec int, block []byte) ([]byte, error)

	repair bool // damage becomes a hole, also in a journal of our own payloads
}

// Bounds of Config.
const (
	minSegmentBytes = 64 << 10
	maxSegmentBytes = math.MaxInt32 // positions in an index are 32 bits
)

// DefaultConfig is for a partition; Dir must be set.
func DefaultConfig() Config {
	return Config{SegmentBytes: 128 << 20, SegmentAge: 24 * time.Hour, TailBytes: 8 << 20}
}

// Validate names all faults of c. Zero values are no faults.
func (c Config) Validate() []error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("journal: Dir is empty"))
	}
	if c.SegmentBytes != 0 && (c.SegmentBytes < minSegmentBytes || c.SegmentBytes > maxSegmentBytes) {
		errs = append(errs, fmt.Errorf("journal: SegmentBytes %d is not between %d and %d", c.SegmentBytes, minSegmentBytes, maxSegmentBytes))
	}
	if c.SegmentAge < 0 {
		errs = append(errs, fmt.Errorf("journal: SegmentAge %s is negative", c.SegmentAge))
	}
	if c.TailBytes < 0 {
		errs = append(errs, fmt.Errorf("journal: TailBytes %d is negative", c.TailBytes))
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
	if c.SegmentBytes == 0 {
		c.SegmentBytes = def.SegmentBytes
	}
	if c.SegmentAge == 0 {
		c.SegmentAge = def.SegmentAge
	}
	if c.TailBytes == 0 {
		c.TailBytes = def.TailBytes
		if c.Own {
			c.TailBytes = sharedSlab
		}
	}
	if c.Pool == nil {
		c.Pool = NewPool(PoolConfig{TailBytes: c.TailBytes})
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Journal is one durable log. All methods may be called from any goroutine.
type Journal struct {
	cfg     Config
	pool    *Pool
	lastUse atomic.Int64 // Pool.clock when the tail was read or written last
	hasTail atomic.Bool

	// wmu serialises those who write files: appends, rolls, checkpoints, trims, reopening. Taken before mu.
	wmu       sync.Mutex
	reserved  int64 // bytes of the active extent that fallocate has promised
	reserveBy int64 // the next step of reservation
	ckpt      checkpointFile
	mustRoll  bool  // making the next extent failed half-way: its name may be there, so the old one takes no more
	sinceCkpt int64 // bytes appended since the last checkpoint

	// mu guards what readers see. No file is read, written or synced under it.
	mu       sync.Mutex
	cond     *sync.Cond // a sync ended, the journal was poisoned, reopened or closed
	extents  []*extent  // by base; the last one is active
	start    int64
	durable  int64 // offsets below are on disk
	life     uint64
	lives    map[uint64]int64 // durable end of earlier lives
	syncing  bool             // a leader is at work
	writing  bool             // an append is between taking its file and publishing
	poison   error            // why this life ended
	closed   bool
	tail     tail
	holes    []Hole
	waiters  map[*Waiter]int64
	recovery Recovery

	tailReads, fileReads int64

	tick    uint64 // counts uses of indexes
	indexes int    // sealed extents with a loaded index
	epochs  []epochStart
	state   ownerState
}

// epochStart tells the offset from which on batches carry a leader epoch.
type epochStart struct {
	Epoch int32 `json:"epoch"`
	Start int64 `json:"start"`
}

// Mark names the end of an append. The zero Mark is durable always.
type Mark struct {
	Base int64 // offset of the first record appended
	End  int64 // offset after the last
	life uint64
}

// Open recovers the journal of cfg.Dir, or makes an empty one.
func Open(cfg Config) (*Journal, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	cfg.setDefaults()
	j := &Journal{cfg: cfg, pool: cfg.Pool, life: 1, lives: map[uint64]int64{}, waiters: map[*Waiter]int64{}, reserveBy: minReserve}
	j.cond = sync.NewCond(&j.mu)
	if err := j.recover(); err != nil {
		j.closeFiles()
		return nil, fmt.Errorf("open journal %s: %w", cfg.Dir, err)
	}
	j.pool.join(j)
	return j, nil
}

// Pool is the one of Config, or the journal's own.
func (j *Journal) Pool() *Pool { return j.pool }

// Stats counts what readers and syncs did since Open.
type Stats struct {
	TailReads, FileReads int64
	Unsynced             int64 // bytes appended and not yet durable
}

// Stats gives the counts of now.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.active()
	return Stats{TailReads: j.tailReads, FileReads: j.fileReads, Unsynced: e.size - e.synced}
}

// Recovered tells what Open found.
func (j *Journal) Recovered() Recovery {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.recovery
	r.Holes = append([]Hole(nil), r.Holes...)
	return r
}

// Start is the first offset kept.
func (j *Journal) Start() int64 { j.mu.Lock(); defer j.mu.Unlock(); return j.start }

// End is the offset that the next record gets.
func (j *Journal) End() int64 { j.mu.Lock(); defer j.mu.Unlock(); return j.active().end }

// DurableEnd is the end of what is on disk and may be read.
func (j *Journal) DurableEnd() int64 { j.mu.Lock(); defer j.mu.Unlock(); return j.durable }

// Durable is DurableEnd, by the name that owners of payloads use.
func (j *Journal) Durable() int64 { return j.DurableEnd() }

// Size is the bytes of all extents, without indexes.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	var sum int64
	for _, e := range j.extents {
		sum += e.size
	}
	return sum
}

func (j *Journal) active() *extent { return j.extents[len(j.extents)-1] }

// Append writes b, one or more whole batches, and gives them their offsets. It is not yet durable: Sync the mark. The caller has
// checked the CRCs. b is the caller's again on return and is not changed.
func (j *Journal) Append(b []byte) (Mark, error) {
	return j.append(nil, b)
}

// AppendSlab is Append for bytes that lie in s: they are changed in place, and kept for readers without a copy when they are large.
// The caller keeps its reference to s and must not change the bytes any more.
func (j *Journal) AppendSlab(s *Slab, b []byte) (Mark, error) {
	if len(b) < shareBelow {
		s = nil
	}
	return j.append(s, b)
}

func (j *Journal) append(s *Slab, b []byte) (Mark, error) {
	records, err := survey(b)
	if err != nil {
		return Mark{}, err
	}
	j.wmu.Lock()
	defer j.wmu.Unlock()
	defer j.endWrite()
	if err := j.prepareLocked(int64(len(b))); err != nil {
		return Mark{}, err
	}
	from := 0
	if s == nil {
		s, from = j.tail.room(j.pool, len(b))
		copy(s.b[from:], b)
	} else {
		s.Retain()
		from = cap(s.b) - cap(b)
		if from < 0 || from+len(b) > len(s.b) || &s.b[from] != &b[0] {
			s.Release()
			return Mark{}, errors.New("journal: the batches do not lie in the slab")
		}
	}
	return j.commitLocked(s, from, len(b), records)
}

// survey checks the framing of b and sums up its batches.
func survey(b []byte) (records int64, err error) {
	if len(b) == 0 {
		return 0, fmt.Errorf("%w: no batch", ErrShort)
	}
	for len(b) > 0 {
		h, err := ParseHeader(b)
		if err != nil {
			return 0, err
		}
		if h.Size() > len(b) {
			return 0, ErrShort
		}
		records += int64(h.LastOffsetDelta) + 1
		b = b[h.Size():]
	}
	return records, nil
}

// prepareLocked makes sure that n bytes may and can be written to the active extent. It holds wmu.
func (j *Journal) prepareLocked(n int64) error {
	if n > MaxBatch {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, n)
	}
	if err := j.usable(); err != nil {
		return err
	}
	if err := j.leaveClean(); err != nil {
		return err
	}
	e := j.active()
	if j.mustRoll || e.size > 0 && (e.size+n > j.cfg.SegmentBytes || j.cfg.Now().Sub(e.first) > j.cfg.SegmentAge) {
		if err := j.rollLocked(); err != nil {
			return err
		}
	}
	f, err := j.dirtyFile(j.active())
	if err != nil {
		return err
	}
	return j.reserveLocked(f, n)
}

func (j *Journal) usable() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.usableLocked()
}

func (j *Journal) usableLocked() error {
	if j.closed {
		return ErrClosed
	}
	if j.poison != nil {
		return fmt.Errorf("%w: %w", ErrPoisoned, j.poison)
	}
	return nil
}

// commitLocked places n bytes of batches that begin at s.b[from], writes them and publishes them to the tail. It holds wmu and takes
// over the caller's reference to s.
func (j *Journal) commitLocked(s *Slab, from, n int, records int64) (Mark, error) {
	e := j.active()
	b := s.b[from : from+n]
	base := e.end
	for next, rest := base, b; len(rest) > 0; {
		stamp(rest, next, j.cfg.LeaderEpoch)
		h, err := ParseHeader(rest)
		if err != nil {
			s.Release()
			return Mark{}, err
		}
		next, rest = h.Next(), rest[h.Size():]
	}
	f, err := j.dirtyFile(e)
	if err != nil {
		s.Release()
		return Mark{}, err
	}
	if _, err := f.WriteAt(b, e.size); err != nil {
		s.Release()
		return Mark{}, j.undoWriteLocked(e, f, err)
	}
	m := j.publish(e, s, from, n, records)
	j.pool.shrinkTails(j)
	return m, nil
}

// publish shows the readers a batch that is written.
func (j *Journal) publish(e *extent, s *Slab, from, n int, records int64) Mark {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, base := s.b[from:from+n], e.end
	now := j.cfg.Now()
	if e.size == 0 {
		e.first = now
	}
	e.appended = now
	j.lastUse.Store(j.pool.clock.Add(1))
	j.hasTail.Store(true)
	e.noteBatches(b, e.size)
	e.size += int64(n)
	e.end = base + records
	j.sinceCkpt += int64(n)
	j.pool.tail.Add(j.tail.push(s, from, from+n, base, e.end))
	j.shrinkTailLocked()
	return Mark{Base: base, End: e.end, life: j.life}
}

// undoWriteLocked cuts away what a failed write left. When that fails too, stray bytes could pass as a batch one day, so the life of
// the journal ends.
func (j *Journal) undoWriteLocked(e *extent, f vfs.File, cause error) error {
	err := fmt.Errorf("append to %s: %w", e.name(), cause)
	if terr := f.Truncate(e.size); terr != nil {
		err = errors.Join(err, terr)
		j.mu.Lock()
		j.poisonLocked(err)
		j.mu.Unlock()
	}
	j.reserved = e.size
	return err
}

// shrinkTailLocked keeps the tail under its bound, all but the newest run. What goes before it is durable is read from the file later.
func (j *Journal) shrinkTailLocked() {
	for len(j.tail.runs) > 1 && j.tail.bytes > j.cfg.TailBytes {
		j.pool.tail.Add(-j.tail.dropFirst())
	}
}

// dropTail empties the tail for the sake of another journal; false when somebody appends right now.
func (j *Journal) dropTail() bool {
	if !j.wmu.TryLock() {
		return false
	}
	defer j.wmu.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.hasTail.Store(false)
	j.pool.tail.Add(-j.tail.clear())
	return true
}

// Close syncs what was appended, writes a clean checkpoint and closes the files. Readers' spans stay valid.
func (j *Journal) Close() error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	err := j.usable() // a poisoned journal is closed as it is
	if errors.Is(err, ErrClosed) {
		return nil
	}
	if err == nil {
		err = j.closeCleanLocked()
	}
	j.mu.Lock()
	for j.syncing {
		j.cond.Wait()
	}
	j.closed = true
	j.pool.tail.Add(-j.tail.clear())
	j.signalLocked(math.MaxInt64)
	j.cond.Broadcast()
	j.mu.Unlock()
	j.closeFiles()
	if err != nil {
		return fmt.Errorf("close journal %s: %w", j.cfg.Dir, err)
	}
	return nil
}

// closeCleanLocked cuts the reserve, makes everything durable and says so in the checkpoint.
func (j *Journal) closeCleanLocked() error {
	if j.ckpt.clean { // nothing was appended since the last clean stop
		return nil
	}
	if err := j.sealActiveLocked(); err != nil {
		return err
	}
	return j.checkpointLocked(true)
}

func (j *Journal) closeFiles() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range j.extents {
		j.cleanLocked(e)
		j.pool.files.drop(e)
	}
	j.pool.leave(j)
}

// cleanLocked lets go of the file of an extent that has nothing unsynced, or that no sync will ever cover.
func (j *Journal) cleanLocked(e *extent) {
	if e.dirty != nil {
		j.pool.files.done(e.dirty)
		e.dirty = nil
	}
}
