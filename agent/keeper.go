package agent

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/ledger"
)

// keeper decides which file is which source. It is one goroutine, and the only one that changes the agent's tables.
type keeper struct {
	a *Agent
	w *watcher

	fresh      []*source             // not in the synced registry yet
	freshAt    time.Time             // when to try again to write them
	waiting    []*source             // behind a predecessor that may not end
	endings    map[*source]struct{}  // gone or replaced
	held       map[place]*heldCopy   // rotations that hold what a live source holds
	paths      map[string]*chain     // by the path the chain is about
	polled     map[*source]*pollTime // files the kernel says nothing about
	emptied    map[place]emptied     // truncated files, whose next incarnation is to be opened
	skipped    map[place]struct{}    // compressed rotations of what is known
	expandAt   time.Time
	expandSoon bool
	first      bool // the first look at everything
	virgin     bool // there was no registry
}

func newKeeper(a *Agent, w *watcher) *keeper {
	k := &keeper{
		a: a, w: w, endings: map[*source]struct{}{}, held: map[place]*heldCopy{}, paths: map[string]*chain{},
		polled: map[*source]*pollTime{}, emptied: map[place]emptied{}, skipped: map[place]struct{}{}, first: true, virgin: len(a.sources) == 0,
	}
	for _, c := range a.chains {
		k.paths[c.path] = c
	}
	return k
}

// run looks at everything once, then follows the changes until ctx ends.
func (k *keeper) run(ctx context.Context) {
	now := time.Now()
	k.expand(now)
	k.lookAll(now)
	k.lost(now)
	k.first = false
	for ctx.Err() == nil {
		k.step(time.Now())
		t := time.NewTimer(k.pause(time.Now()))
		select {
		case <-ctx.Done():
		case <-k.a.notify:
		case <-t.C:
		}
		t.Stop()
	}
}

// step does everything that is due.
func (k *keeper) step(now time.Time) {
	c := k.w.take()
	if c.tree || k.expandSoon || !now.Before(k.expandAt) {
		k.expand(now)
	}
	if c.all {
		k.lookAll(now)
	} else {
		for _, d := range sortedDirs(c.names) {
			k.look(d, c.names[d], now)
		}
	}
	k.scans(now)
	k.poll(now)
	k.again(now)
	k.unsure(now)
	k.truncated(now)
	k.end(now)
	k.register(now)
	k.succeed(now)
}

func sortedDirs(m map[*dir]names) []*dir {
	out := make([]*dir, 0, len(m))
	for d := range m {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *dir) int { return strings.Compare(a.path, b.path) })
	return out
}

// pause is how long the keeper may sleep.
func (k *keeper) pause(now time.Time) time.Duration {
	next := k.expandAt
	k.a.mu.Lock()
	busy := len(k.a.suspects)+len(k.a.retry)+len(k.a.finished) > 0
	for _, d := range k.a.dirs {
		if d.scanned && d.next.Before(next) {
			next = d.next
		}
	}
	k.a.mu.Unlock()
	if busy || len(k.endings)+len(k.fresh)+len(k.waiting)+len(k.polled) > 0 || k.unsureHeld() {
		return k.a.cfg.timing.tick
	}
	return max(next.Sub(now), 0)
}

// expand walks along the globs: it finds the directories to look at, and watches them.
func (k *keeper) expand(now time.Time) {
	k.expandSoon = false
	k.expandAt = now.Add(k.a.cfg.ScanFrequency)
	k.forget(now)
	globs := map[string][]want{}
	var order []string
	tree := map[string]bool{}
	for _, in := range k.a.inputs {
		for _, p := range in.sel.patterns {
			x := p.expand(in.sel.deep)
			for _, g := range x.final {
				if _, ok := globs[g.dir]; !ok {
					order = append(order, g.dir)
				}
				if w := (want{in, g.glob}); !slices.Contains(globs[g.dir], w) {
					globs[g.dir] = append(globs[g.dir], w)
				}
			}
			for _, dir := range x.watch {
				tree[dir] = true
			}
		}
	}
	var unseen []*dir
	k.a.mu.Lock()
	for _, d := range k.a.dirs {
		d.globs, d.tree = globs[d.path], tree[d.path]
	}
	for _, path := range order {
		d := k.a.dirLocked(path)
		d.globs, d.tree = globs[path], tree[path]
		if k.watchLocked(d) {
			unseen = append(unseen, d)
		}
	}
	for path, d := range k.a.dirs {
		if len(d.globs)+len(d.files)+len(d.links) == 0 && !d.tree && !d.watched {
			delete(k.a.dirs, path)
		}
	}
	for path := range tree {
		d := k.a.dirLocked(path)
		d.tree = true
		k.watchLocked(d)
	}
	k.a.mu.Unlock()
	if !k.first {
		for _, d := range unseen {
			k.look(d, nil, now)
		}
	}
}

// Bounds of what is remembered of what is gone.
const (
	chainKeep  = 10 * time.Minute // a file that comes back within it goes on in its partition
	maxSkipped = 10_000
)

// forget lets chains go whose last source ended long ago.
func (k *keeper) forget(now time.Time) {
	if len(k.skipped) > maxSkipped {
		clear(k.skipped)
	}
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	for id, c := range k.a.chains {
		switch {
		case len(c.list) > 0:
			c.empty = time.Time{}
		case c.empty.IsZero():
			c.empty = now
		case now.Sub(c.empty) > chainKeep:
			delete(k.a.chains, id)
			if k.paths[c.path] == c {
				delete(k.paths, c.path)
			}
		}
	}
}

// watchLocked asks the kernel for reports on d, and says whether d has not been looked at since it is watched.
func (k *keeper) watchLocked(d *dir) (unseen bool) {
	if d.watched {
		return !d.scanned
	}
	d.watched = k.w.add(d)
	return d.watched || !d.scanned
}

// lookAll scans every directory.
func (k *keeper) lookAll(now time.Time) {
	k.a.mu.Lock()
	list := make([]*dir, 0, len(k.a.dirs))
	for _, d := range k.a.dirs {
		if len(d.globs) > 0 || len(d.files) > 0 {
			list = append(list, d)
		}
	}
	k.a.mu.Unlock()
	slices.SortFunc(list, func(a, b *dir) int { return strings.Compare(a.path, b.path) })
	for _, d := range list {
		k.look(d, nil, now)
	}
}

// scans looks at the directories whose scan is due.
func (k *keeper) scans(now time.Time) {
	var due []*dir
	k.a.mu.Lock()
	for _, d := range k.a.dirs {
		if d.scanned && !now.Before(d.next) {
			due = append(due, d)
		}
	}
	k.a.mu.Unlock()
	for _, d := range due {
		k.look(d, nil, now)
	}
}

// scanPeriod is how often d is scanned.
func (k *keeper) scanPeriod(d *dir) time.Duration {
	period := k.a.cfg.ScanFrequency
	if d.watched {
		return period
	}
	for _, w := range d.globs {
		period = min(period, w.in.conf.CheckInterval)
	}
	return period
}

// register writes new sources to the registry; from then on their lanes may read them.
func (k *keeper) register(now time.Time) {
	if len(k.fresh) == 0 || now.Before(k.freshAt) {
		return
	}
	if err := k.a.reg.flush(); err != nil {
		k.freshAt = now.Add(k.a.cfg.timing.reread)
		k.a.reg.complainAbout(err)
		return
	}
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	for _, s := range k.fresh {
		if s.phase != waiting {
			continue
		}
		s.phase = reading
		s.chain.lane.wake(s)
	}
	k.fresh = nil
}

// succeed wakes sources that wait for what precedes them in their chain, when that is done or stands still.
func (k *keeper) succeed(now time.Time) {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	for _, s := range k.a.blocked {
		if !slices.Contains(k.waiting, s) {
			k.waiting = append(k.waiting, s)
		}
	}
	k.a.blocked = k.a.blocked[:0]
	k.waiting = slices.DeleteFunc(k.waiting, func(s *source) bool {
		if s.phase == reading && !k.a.mayFollowLocked(s, now) {
			return false
		}
		s.chain.lane.wake(s)
		return true
	})
}

// again retries files that could not be opened or read.
func (k *keeper) again(now time.Time) {
	k.a.mu.Lock()
	var due []*source
	k.a.retry = slices.DeleteFunc(k.a.retry, func(s *source) bool {
		if now.Before(s.retryAt) && s.phase == reading {
			return false
		}
		due = append(due, s)
		return true
	})
	k.a.mu.Unlock()
	for _, s := range due {
		if d := k.a.dirs[filepath.Dir(s.path)]; d != nil {
			k.look(d, names{filepath.Base(s.path): ""}, now)
		}
		s.chain.lane.wake(s)
	}
}

// pollTime is when a file the kernel says nothing about is looked at again.
type pollTime struct {
	at    time.Time
	every time.Duration
}

// pollFirst is the pause after a change; it doubles up to the input's check_interval.
const pollFirst = 100 * time.Millisecond

// poll looks at the sizes of files in directories that are not watched.
func (k *keeper) poll(now time.Time) {
	for s, p := range k.polled {
		if now.Before(p.at) {
			continue
		}
		k.a.mu.Lock()
		path, ph, gone := s.path, s.phase, s.gone
		k.a.mu.Unlock()
		if ph == ended || ph == dormant || gone {
			delete(k.polled, s)
			continue
		}
		st, err := statPath(path, true)
		if err == nil && k.grew(s, &st) {
			p.every = pollFirst
		} else {
			p.every = min(2*p.every, s.in.conf.CheckInterval)
		}
		p.at = now.Add(p.every)
	}
}

// grew wakes s when size or time differ from the last look.
func (k *keeper) grew(s *source, st *fileStat) bool {
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	if st.size == s.watchSize && st.mtime.Equal(s.watchTime) {
		return false
	}
	s.watchSize, s.watchTime = st.size, st.mtime
	s.account.size.Store(st.size)
	s.atEOF = false
	s.chain.lane.wake(s)
	return true
}

// isOwn reports whether path is below the agent's own folder.
func (k *keeper) isOwn(path string) bool {
	own, err := filepath.Abs(k.a.cfg.Dir)
	return err == nil && strings.HasPrefix(path, own+string(os.PathSeparator))
}

// newSourceLocked opens a source for a file.
func (k *keeper) newSourceLocked(in *compiled, e *entry, c *chain, compressed, rotated bool, now time.Time) *source {
	a, path, st := k.a, e.path, &e.st
	s := &source{
		id: ledger.NewSource(now), in: in, first: path, born: now, path: path, place: st.place, known: true, since: now,
		quietSince: now, grew: now, watchSize: st.size, watchTime: st.mtime, tailKnown: true,
		compressed: compressed, finish: compressed,
	}
	if c == nil {
		c = k.newChainLocked(s.id, k.chainPath(path))
	}
	s.chain = c
	sv := saved{id: s.id, chain: c.id, place: st.place, seen: now.UnixMilli(), input: in.conf.ID, path: path, done: c.done.UnixNano()}
	if compressed {
		sv.flags = flagCompressed
	} else if k.startsAtEnd(in, st, now) {
		k.skipTo(s, &sv, st.size)
	} else if st.size > 0 {
		k.readHead(s, &sv)
	}
	s.ref = a.reg.add(sv)
	a.sources[s.ref] = s
	c.list, c.in = append(c.list, s), in
	a.byInode[st.place.inode()] = s
	d := a.dirLocked(filepath.Dir(path))
	d.files[filepath.Base(path)] = s
	if !d.watched {
		k.polled[s] = &pollTime{at: now.Add(pollFirst), every: pollFirst}
	}
	if a.open < a.maxOpen {
		if err := a.openLocked(s); err != nil {
			s.fault = err.Error()
		}
	}
	k.fresh = append(k.fresh, s)
	a.log.Debug("new source", "path", path, "source", s.id, "inode", st.place.ino, "size", st.size, "chain", c.path)
	return s
}

// chainPath is what a chain that begins with the file at path is about: the path it is a rotation of, when there is a file an input wants.
func (k *keeper) chainPath(path string) string {
	_, about := k.a.inputOf(&saved{path: path})
	if st, err := statPath(about, true); about != path && (err != nil || !st.regular()) {
		return path
	}
	return about
}

// newChainLocked starts a chain. Chains of one lane are never in another.
func (k *keeper) newChainLocked(id ledger.Source, path string) *chain {
	c := k.a.chainLocked(id, path)
	k.paths[path] = c
	return c
}

// startsAtEnd applies seek_to_tail and ignore_older.
func (k *keeper) startsAtEnd(in *compiled, st *fileStat, now time.Time) bool {
	if in.conf.SeekToTail && k.first && k.virgin {
		return true
	}
	return in.conf.IgnoreOlder > 0 && now.Sub(st.mtime) > in.conf.IgnoreOlder
}

// readHead takes the head of a new source, so that the registry has a proof of it before its first record is produced.
func (k *keeper) readHead(s *source, sv *saved) {
	f, err := openAt(s.path, s.place)
	if err != nil {
		return
	}
	defer f.Close()
	b := make([]byte, headBytes)
	if n, _ := f.ReadAt(b, 0); n > 0 {
		s.head.grow(b[:n])
		sv.headLen, sv.headSum, s.headSaved = s.head.len, s.head.sum, s.head.len
	}
}

// skipTo makes s begin at its end: what is there already is not wanted.
func (k *keeper) skipTo(s *source, sv *saved, size int64) {
	f, err := openAt(s.path, s.place)
	if err != nil {
		return
	}
	defer f.Close()
	b := make([]byte, headBytes)
	n, _ := f.ReadAt(b, 0)
	n = int(min(int64(n), size))
	if n > 0 {
		s.head.grow(b[:n])
	}
	t := make([]byte, min(size, tailBytes))
	if m, _ := f.ReadAt(t, size-int64(len(t))); m != len(t) {
		return
	}
	s.tail.set(t)
	s.start, s.pos, s.scanned, s.size, s.settled = size, size, size, size, size
	sv.headLen, sv.headSum, s.headSaved = s.head.len, s.head.sum, s.head.len
	sv.start, sv.pos, sv.size, sv.tail, sv.at = size, size, size, tailSum(t), s.born.UnixMilli()
	s.account.position.Store(size)
	s.account.durable.Store(size)
	s.account.size.Store(size)
}
