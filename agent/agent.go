package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/agent/takeover"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
	"github.com/weirlog/weir/vfs"
)

// Agent ships log files to a queue.
type Agent struct {
	cfg    Config
	log    *slog.Logger
	id     identity
	inputs []*compiled
	nobody *compiled // input of files that no input wants any more
	lock   io.Closer
	reg    *registry
	lanes  []*lane
	stats  stats

	listeners  []*listener
	pushBudget *budget
	cursors    *cursors

	began time.Time
	ann   *announcer
	hash  string // of the configuration

	released atomic.Int64 // Unix ns of the last release of memory
	maxOpen  int
	notify   chan struct{} // one pending wake-up of the keeper

	mu       sync.Mutex // guards what follows; above lane.mu and registry.mu
	sources  map[uint32]*source
	chains   map[ledger.Source]*chain
	byInode  map[inode]*source
	dirs     map[string]*dir
	suspects []*source // found truncated, for the keeper
	retry    []*source // could not be opened or read, for the keeper
	blocked  []*source // wait for what precedes them, for the keeper
	finished []*source // acknowledged to their end, for the keeper
	open     int       // descriptors of files
	produce  produceState
}

// Open reads the agent's places and takes the lock of its folder. It starts nothing; Run does.
func Open(cfg Config) (*Agent, error) {
	if cfg.FS == nil {
		cfg.FS = vfs.OS()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.timing == (timing{}) {
		cfg.timing = defaultTiming()
	}
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if err := cfg.FS.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open agent: %w", err)
	}
	lock, err := cfg.FS.Lock(filepath.Join(cfg.Dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("open agent %s: %w", cfg.Dir, err)
	}
	a, err := open(cfg, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return a, nil
}

func open(cfg Config, lock io.Closer) (*Agent, error) {
	a := &Agent{
		cfg: cfg, log: cfg.Log, lock: lock, notify: make(chan struct{}, 1), began: time.Now(),
		sources: map[uint32]*source{}, chains: map[ledger.Source]*chain{}, byInode: map[inode]*source{},
		dirs: map[string]*dir{},
	}
	a.ann, a.hash = newAnnouncer(a), configHash(&a.cfg)
	var err error
	if a.id, err = newIdentity(&cfg); err != nil {
		return nil, err
	}
	for i := range cfg.Inputs {
		if cfg.Inputs[i].Listen != nil {
			continue // when there are lanes
		}
		in, errs := compileInput(&a.cfg, &a.cfg.Inputs[i], i, &a.id)
		if len(errs) > 0 {
			return nil, errors.Join(errs...)
		}
		a.inputs = append(a.inputs, in)
	}
	a.nobody = &compiled{conf: &Input{}, spec: lines.NewSpec(DefaultMessageMaxBytes), busy: map[*source]struct{}{}}
	a.maxOpen = min(maxOpenFiles, descriptorLimit()*6/10)
	n := min(maxLanes, runtime.GOMAXPROCS(0))
	share := (cfg.Memory - int64(n*slabBytes)) / int64(2*n)
	for range n {
		a.lanes = append(a.lanes, newLane(a, int(min(share, batchBytes))))
	}
	a.pushBudget = newBudget(cfg.Memory / pushShare)
	if a.cursors, err = openCursors(cfg.FS, cfg.Dir); err != nil {
		return nil, err
	}
	if a.reg, err = openRegistry(cfg.FS, cfg.Dir, a.log); err != nil {
		return nil, err
	}
	if err := a.takeOver(); err != nil {
		return nil, errors.Join(err, a.reg.close())
	}
	a.restore()
	for i := range cfg.Inputs {
		if cfg.Inputs[i].Listen == nil {
			continue
		}
		l, err := a.openListener(&a.cfg.Inputs[i], i)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", inputPlace(&cfg.Inputs[i], i), err), a.reg.close())
		}
		a.listeners = append(a.listeners, l)
	}
	return a, nil
}

// newIdentity is what the records say of the agent; its id is made once and kept.
func newIdentity(cfg *Config) (identity, error) {
	id := identity{id: cfg.ID, ephemeral: newUUID(), name: cfg.Name, version: cfg.Version, compat: cfg.Compat}
	host, err := os.Hostname()
	if err != nil {
		return id, fmt.Errorf("host name: %w", err)
	}
	id.host = host
	if id.name == "" {
		id.name = host
	}
	if id.id != "" {
		return id, nil
	}
	name := filepath.Join(cfg.Dir, "id")
	if b, err := readSmall(cfg.FS, name); err == nil {
		if s := strings.TrimSpace(string(b)); s != "" {
			id.id = s
			return id, nil
		}
	}
	if id.id = takeover.AgentID(cfg.TakeOver.Data); id.id == "" || cfg.TakeOver.Data == "" {
		id.id = newUUID()
	}
	if err := vfs.WriteFileAtomic(cfg.FS, name, []byte(id.id+"\n")); err != nil {
		return id, fmt.Errorf("write the agent's id: %w", err)
	}
	return id, nil
}

// readSmall reads a file of at most 4 KiB.
func readSmall(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 4096))
}

// newUUID is a random UUID, version 4.
func newUUID() string {
	var u [16]byte
	rand.Read(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	s := hex.EncodeToString(u[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Run ships until ctx ends, then waits up to ShutdownTimeout for what was read to be acknowledged, and writes the registry. It
// returns when all its goroutines have ended; the agent cannot be run again. With Config.Finite it also ends with its inputs.
func (a *Agent) Run(ctx context.Context) error {
	w, err := newWatcher(a)
	if err != nil {
		return errors.Join(err, a.close())
	}
	ship, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ctx, end := context.WithCancel(ctx)
	defer end()
	var readers, senders, others, listeners sync.WaitGroup
	for _, l := range a.lanes {
		readers.Go(func() { l.read(ctx) })
		senders.Go(func() { l.send(ship) })
	}
	for _, l := range a.listeners {
		listeners.Go(func() { l.run(ctx) })
	}
	if a.cfg.Finite && len(a.inputs) == 0 {
		others.Go(func() { listeners.Wait(); end() })
	}
	others.Go(func() { a.reg.run(ctx, a.cfg.RegistryFlush) })
	others.Go(func() { a.cursors.run(ctx, a.cfg.RegistryFlush, a.log) })
	others.Go(func() { w.run(ctx) })
	others.Go(func() { a.ann.run(ctx) })
	others.Go(func() { a.runReports(ctx) })
	k := newKeeper(a, w)
	k.run(ctx)

	wait := a.cfg.ShutdownTimeout
	if a.cfg.timing.kill {
		wait = 0
	}
	stop := time.AfterFunc(wait, cancel)
	defer stop.Stop()
	readers.Wait()
	listeners.Wait()
	for _, l := range a.lanes {
		close(l.pushes)
	}
	senders.Wait()
	others.Wait()
	if !a.cfg.timing.kill {
		a.ann.announce(ship)
	}
	return a.close()
}

// close writes what is left of the registry and gives everything back.
func (a *Agent) close() error {
	a.mu.Lock()
	for _, s := range a.sources {
		a.closeLocked(s)
	}
	a.mu.Unlock()
	if a.cfg.timing.kill {
		return errors.Join(a.reg.j.Close(), a.lock.Close())
	}
	return errors.Join(a.reg.close(), a.cursors.flush(), a.lock.Close())
}

// poke wakes the keeper.
func (a *Agent) poke() {
	select {
	case a.notify <- struct{}{}:
	default:
	}
}

// acknowledged moves the sources of a batch whose records are durable.
func (a *Agent) acknowledged(b *batch) {
	for i := range b.recs {
		r := &b.recs[i]
		r.src.account.acked.Add(r.to - r.from)
	}
	a.stats.acked.Add(int64(len(b.recs)))
	defer a.ann.acknowledged(b)
	now := time.Now().UnixMilli()
	for i := range b.moves {
		m := &b.moves[i]
		a.reg.move(m.src.ref, m.pos, m.tail, m.size, now)
		m.src.account.settle(m.pos, m.read)
	}
	if len(b.ends) == 0 {
		return
	}
	a.mu.Lock()
	a.finished = append(a.finished, b.ends...)
	a.mu.Unlock()
	a.poke()
}
