package journal

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// Slab classes are powers of two from minSlab to maxSlab; what is larger is not pooled.
const (
	minSlab = 64 << 10
	maxSlab = 16 << 20

	slabClasses = 9 // 64 KiB, 128 KiB ... 16 MiB
)

// PoolConfig bounds what the journals of one process share.
type PoolConfig struct {
	IdleBytes int64 // released slabs kept for the next taker; default 16 MiB
	TailBytes int64 // bytes of the in-memory tails of all journals together; default 32 MiB
	Syncs     int   // fdatasyncs at the same time; default 8
	Files     int   // extents kept open without a user; default 512
	Poison    bool  // overwrite released slabs with 0xDD, so that a reader that holds on to one is found. For tests
}

// DefaultPoolConfig is for one data directory.
func DefaultPoolConfig() PoolConfig {
	return PoolConfig{IdleBytes: 16 << 20, TailBytes: 32 << 20, Syncs: 8, Files: 512}
}

// Pool is what journals share: slabs, the budget of their tails, places for syncs. It has no goroutine and needs no closing.
type Pool struct {
	cfg   PoolConfig
	syncs chan struct{}
	tail  atomic.Int64
	inUse atomic.Int64
	clock atomic.Int64 // counts uses of tails
	files *fileCache

	mu       sync.Mutex
	free     [slabClasses][]*Slab
	idle     int64
	journals map[*Journal]struct{} // open ones, for the budget of tails
}

// NewPool makes a pool; zero fields of cfg get their defaults.
func NewPool(cfg PoolConfig) *Pool {
	def := DefaultPoolConfig()
	if cfg.IdleBytes <= 0 {
		cfg.IdleBytes = def.IdleBytes
	}
	if cfg.TailBytes <= 0 {
		cfg.TailBytes = def.TailBytes
	}
	if cfg.Syncs <= 0 {
		cfg.Syncs = def.Syncs
	}
	if cfg.Files <= 0 {
		cfg.Files = def.Files
	}
	return &Pool{cfg: cfg, syncs: make(chan struct{}, cfg.Syncs), files: newFileCache(cfg.Files), journals: map[*Journal]struct{}{}}
}

func (p *Pool) join(j *Journal) { p.mu.Lock(); defer p.mu.Unlock(); p.journals[j] = struct{}{} }

func (p *Pool) leave(j *Journal) { p.mu.Lock(); defer p.mu.Unlock(); delete(p.journals, j) }

// shrinkTails empties the tails least recently used while all together are over their budget. The caller, who appends to self,
// holds no mu. A journal that is just being written is passed over.
func (p *Pool) shrinkTails(self *Journal) {
	for p.tail.Load() > p.cfg.TailBytes {
		victim := p.coldest(self)
		if victim == nil || !victim.dropTail() {
			return
		}
	}
}

// coldest gives the journal with a tail, other than self, that was used longest ago.
func (p *Pool) coldest(self *Journal) *Journal {
	p.mu.Lock()
	defer p.mu.Unlock()
	var victim *Journal
	for j := range p.journals {
		if j == self || !j.hasTail.Load() {
			continue
		}
		if victim == nil || j.lastUse.Load() < victim.lastUse.Load() {
			victim = j
		}
	}
	return victim
}

// InUse is the bytes of slabs that somebody holds.
func (p *Pool) InUse() int64 { return p.inUse.Load() }

// Slab is a pooled buffer without pointers, shared by reference count. Whoever got it from Pool.Slab has one reference.
type Slab struct {
	b    []byte // whole capacity
	n    int
	refs atomic.Int32
	pool *Pool
}

// Slab gives a buffer of n bytes with any content and one reference.
func (p *Pool) Slab(n int) *Slab {
	class := slabClass(n)
	var s *Slab
	if class < slabClasses {
		p.mu.Lock()
		if k := len(p.free[class]); k > 0 {
			s = p.free[class][k-1]
			p.free[class][k-1] = nil
			p.free[class] = p.free[class][:k-1]
			p.idle -= int64(len(s.b))
		}
		p.mu.Unlock()
	}
	if s == nil {
		size := n
		if class < slabClasses {
			size = minSlab << class
		}
		s = &Slab{b: make([]byte, size), pool: p}
	}
	s.n = n
	s.refs.Store(1)
	p.inUse.Add(int64(len(s.b)))
	return s
}

func slabClass(n int) int {
	if n <= minSlab {
		return 0
	}
	return bits.Len(uint(n-1) / minSlab)
}

// Bytes is the buffer; its capacity may be larger.
func (s *Slab) Bytes() []byte { return s.b[:s.n:len(s.b)] }

// Retain adds a reference.
func (s *Slab) Retain() {
	if s.refs.Add(1) < 2 {
		panic("journal: slab retained after its last release")
	}
}

// Release gives a reference back. After the last one nobody may touch the bytes.
func (s *Slab) Release() {
	switch n := s.refs.Add(-1); {
	case n > 0:
		return
	case n < 0:
		panic("journal: slab released more often than retained")
	}
	p := s.pool
	p.inUse.Add(-int64(len(s.b)))
	if p.cfg.Poison {
		s.b[0] = 0xDD
		for n := 1; n < len(s.b); n *= 2 {
			copy(s.b[n:], s.b[:n])
		}
	}
	class := slabClass(len(s.b))
	if class >= slabClasses {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle+int64(len(s.b)) > p.cfg.IdleBytes {
		return
	}
	p.idle += int64(len(s.b))
	p.free[class] = append(p.free[class], s)
}
