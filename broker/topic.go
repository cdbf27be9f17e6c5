package broker

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

// Bounds of topics.
const (
	maxPartitions     = 4_000 // of all topics together
	maxTopicNameBytes = 249
)

// topic is one life of a topic: made anew under the same name it is another.
type topic struct {
	broker *Broker
	name   string
	id     topicID
	config atomic.Pointer[topicConfig]
	parts  atomic.Pointer[[]*partition] // grows, never shrinks
	turn   atomic.Uint32                // which partition the next call without keys gets
}

func (t *topic) partitions() []*partition { return *t.parts.Load() }

func (t *topic) partition(n int32) *partition {
	if ps := t.partitions(); n >= 0 && int(n) < len(ps) {
		return ps[n]
	}
	return nil
}

// topics is the table of topics. change orders creations, deletions and changes of configuration; mu guards the maps.
type topics struct {
	change sync.Mutex

	mu     sync.RWMutex
	byName map[string]*topic
	byID   map[topicID]*topic
	epoch  chan struct{} // closed and replaced when a topic or partition comes or goes
}

func newTopics() *topics {
	return &topics{byName: map[string]*topic{}, byID: map[topicID]*topic{}, epoch: make(chan struct{})}
}

func (ts *topics) get(name string) *topic {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.byName[name]
}

func (ts *topics) getID(id topicID) *topic {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.byID[id]
}

// all lists the topics by name.
func (ts *topics) all() []*topic {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	var out []*topic
	for _, name := range slices.Sorted(maps.Keys(ts.byName)) {
		out = append(out, ts.byName[name])
	}
	return out
}

// changed is closed when the table changes.
func (ts *topics) changed() <-chan struct{} {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.epoch
}

func (ts *topics) put(t *topic) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.byName[t.name] = t
	ts.byID[t.id] = t
	ts.announceLocked()
}

func (ts *topics) remove(t *topic) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.byName, t.name)
	delete(ts.byID, t.id)
	ts.announceLocked()
}

func (ts *topics) announceLocked() {
	close(ts.epoch)
	ts.epoch = make(chan struct{})
}

func (ts *topics) partitionCount() int {
	n := 0
	for _, t := range ts.all() {
		n += len(t.partitions())
	}
	return n
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// topicError is a refusal with its code and, for people, the reason.
type topicError struct {
	code int16
	msg  string
}

func (e *topicError) Error() string { return e.msg }

func refuseTopic(code int16, format string, args ...any) *topicError {
	return &topicError{code, fmt.Sprintf(format, args...)}
}

// checkName says whether a topic of this name may be made.
func (b *Broker) checkName(name string) *topicError {
	if !topicName.MatchString(name) || name == "." || name == ".." {
		return refuseTopic(errInvalidTopic, "topic name %q: want 1 to %d of a-z A-Z 0-9 . _ - and not . or ..", name, maxTopicNameBytes)
	}
	for _, t := range b.topics.all() {
		if t.name == name {
			return refuseTopic(errTopicExists, "topic %s exists", name)
		}
		if sameFolder(t.name, name) {
			return refuseTopic(errInvalidTopic, "topic name %s collides with %s", name, t.name)
		}
	}
	return nil
}

// sameFolder reports whether two names would meet in metrics (. and _ are one there) or, where case does not count, on disk.
func sameFolder(a, b string) bool {
	a, b = strings.ReplaceAll(a, ".", "_"), strings.ReplaceAll(b, ".", "_")
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return strings.EqualFold(a, b)
	}
	return a == b
}

// newTopic is what a topic is to be.
type newTopic struct {
	name       string
	partitions int32
	configs    map[string]string
	dryRun     bool
}

// createTopic makes a topic: on record first, then its journals, then on record that they exist, then for all to see.
func (b *Broker) createTopic(n newTopic) (*topic, *topicError) {
	b.topics.change.Lock()
	defer b.topics.change.Unlock()
	if len(b.cfg.TopicDefaults) > 0 {
		configs := maps.Clone(b.cfg.TopicDefaults)
		maps.Copy(configs, n.configs)
		n.configs = configs
	}
	cfg, terr := b.checkTopic(n)
	if terr != nil || n.dryRun {
		return nil, terr
	}
	t := &topic{broker: b, name: n.name, id: newTopicID()}
	t.config.Store(cfg)
	rec := &topicRecord{Name: n.name, ID: t.id, Partitions: n.partitions, Configs: n.configs}
	if err := b.meta.do(metaRecord{Topic: rec}); err != nil {
		return nil, b.storageRefusal(err)
	}
	if err := b.makePartitions(t, rec); err != nil {
		err = errors.Join(err, b.meta.do(metaRecord{TopicDelete: &t.id}))
		return nil, b.storageRefusal(err)
	}
	b.topics.put(t)
	b.log.Info("topic created", "topic", n.name, "id", t.id.String(), "partitions", n.partitions)
	return t, nil
}

func (b *Broker) checkTopic(n newTopic) (*topicConfig, *topicError) {
	if terr := b.checkName(n.name); terr != nil {
		return nil, terr
	}
	if n.partitions < 1 {
		return nil, refuseTopic(errInvalidPartitions, "%d partitions, want at least 1", n.partitions)
	}
	if b.topics.partitionCount()+int(n.partitions) > maxPartitions {
		return nil, refuseTopic(errInvalidPartitions, "%d partitions more would be over the %d a broker keeps", n.partitions, maxPartitions)
	}
	cfg, err := parseTopicConfig(n.configs)
	if err != nil {
		return nil, refuseTopic(errInvalidConfig, "%v", err)
	}
	return cfg, nil
}

func (b *Broker) storageRefusal(err error) *topicError {
	b.log.Error("change of topics not written", "error", err)
	return refuseTopic(errStorage, "%v", err)
}

// makePartitions opens the journals of partitions that are on record and not made, and records that they are.
func (b *Broker) makePartitions(t *topic, rec *topicRecord) error {
	var parts []*partition
	if old := t.parts.Load(); old != nil {
		parts = slices.Clone(*old)
	}
	for n := rec.Made; n < rec.Partitions; n++ {
		p, err := b.openPartition(t, n, false)
		if err != nil {
			return err
		}
		parts = append(parts, p)
	}
	made := *rec
	made.Made = rec.Partitions
	if err := b.meta.do(metaRecord{Topic: &made}); err != nil {
		return err
	}
	t.parts.Store(&parts)
	return nil
}

// openPartition opens one journal. When must, a missing folder is a loss: the partition is offline, not empty.
func (b *Broker) openPartition(t *topic, n int32, must bool) (*partition, error) {
	p := &partition{topic: t, n: n, dir: filepath.Join(b.cfg.Dir, t.name+"-"+strconv.Itoa(int(n)))}
	_, err := b.cfg.FS.Stat(p.dir)
	if must && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open partition %s: its folder is missing", p.dir)
	}
	if !must && err == nil {
		if err := b.setAside(p.dir, t.id); err != nil {
			return nil, err
		}
	}
	cfg := t.config.Load()
	p.j, err = journal.Open(journal.Config{
		FS: b.cfg.FS, Dir: p.dir, Log: b.log, Pool: b.pool, SegmentBytes: cfg.segmentBytes, SegmentAge: cfg.segmentAge,
		TailBytes: b.cfg.TailBytes / 4, Decompress: b.codecs.Decompress,
	})
	if err != nil {
		return nil, err
	}
	if err = p.loadState(); err != nil {
		return nil, errors.Join(err, p.j.Close())
	}
	return p, nil
}

// setAside moves a folder away that no topic on record explains, so that a new topic does not begin with another's records.
func (b *Broker) setAside(dir string, id topicID) error {
	aside := dir + "." + id.String() + "-aside"
	b.log.Warn("folder of no known topic set aside", "folder", dir, "to", aside)
	if err := b.cfg.FS.Rename(dir, aside); err != nil {
		return err
	}
	return b.cfg.FS.SyncDir(b.cfg.Dir)
}

// loadTopics opens every topic on record. A partition that does not open is offline: it answers with an error and the rest works.
func (b *Broker) loadTopics() error {
	type loadedTopic struct {
		t   *topic
		rec topicRecord
	}
	var loaded []loadedTopic
	var opening sync.WaitGroup
	defer opening.Wait()
	places := make(chan struct{}, openAtOnce)
	for _, rec := range b.meta.topicRecords() {
		cfg, err := parseTopicConfig(rec.Configs)
		if err != nil {
			return fmt.Errorf("topic %s: %w", rec.Name, err)
		}
		t := &topic{broker: b, name: rec.Name, id: rec.ID}
		t.config.Store(cfg)
		parts := make([]*partition, rec.Made)
		t.parts.Store(&parts)
		for n := range rec.Made {
			places <- struct{}{}
			opening.Go(func() {
				parts[n] = b.openOrOffline(t, n)
				<-places
			})
		}
		loaded = append(loaded, loadedTopic{t, rec})
	}
	opening.Wait()
	for _, l := range loaded {
		if l.rec.Made < l.rec.Partitions { // the last life ended while they were made
			if err := b.makePartitions(l.t, &l.rec); err != nil {
				return err
			}
		}
		b.topics.put(l.t)
	}
	return b.removeGone()
}

// openAtOnce is how many partitions are opened at the same time: after a crash each reads what follows its checkpoint.
const openAtOnce = 8

// openOrOffline opens a partition that is on record.
func (b *Broker) openOrOffline(t *topic, n int32) *partition {
	p, err := b.openPartition(t, n, true)
	if err != nil {
		b.log.Error("partition is offline", "topic", t.name, "partition", n, "error", err)
		return &partition{topic: t, n: n, offline: err}
	}
	return p
}

// topicRecords is a copy of all topics on record.
func (m *meta) topicRecords() []topicRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []topicRecord
	for _, r := range m.st.Topics {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b topicRecord) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (m *meta) topicRecord(id topicID) (topicRecord, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.st.Topics[id]
	if r == nil {
		return topicRecord{}, false
	}
	return *r, true
}

func (m *meta) goneRecords() []topicRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []topicRecord
	for _, r := range m.st.Gone {
		out = append(out, *r)
	}
	return out
}

// deleteTopic removes a topic: on record first, then from sight, then its folders.
func (b *Broker) deleteTopic(t *topic) *topicError {
	b.topics.change.Lock()
	defer b.topics.change.Unlock()
	if b.topics.getID(t.id) != t {
		return refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", t.name)
	}
	if err := b.meta.do(metaRecord{TopicDelete: &t.id}); err != nil {
		return b.storageRefusal(err)
	}
	b.topics.remove(t)
	for _, p := range t.partitions() {
		p.deleted.Store(true)
		if p.j != nil {
			if err := p.j.Close(); err != nil {
				b.log.Warn("journal of a deleted topic not closed", "topic", t.name, "partition", p.n, "error", err)
			}
		}
	}
	b.log.Info("topic deleted", "topic", t.name, "id", t.id.String())
	if err := b.removeGone(); err != nil {
		b.log.Error("folders of deleted topics remain", "error", err)
	}
	return nil
}

// removeGone removes the folders of deleted topics: renamed first, so that a new topic of the name has its own. Where a topic of the
// name lives again, the folder is that one's.
func (b *Broker) removeGone() error {
	for _, rec := range b.meta.goneRecords() {
		for n := range rec.Partitions {
			if b.topics.get(rec.Name) != nil {
				break
			}
			dir := filepath.Join(b.cfg.Dir, rec.Name+"-"+strconv.Itoa(int(n)))
			if err := removeFolder(b.cfg.FS, dir, dir+"."+rec.ID.String()+"-delete"); err != nil {
				return fmt.Errorf("remove topic %s: %w", rec.Name, err)
			}
		}
		if err := b.cfg.FS.SyncDir(b.cfg.Dir); err != nil {
			return fmt.Errorf("remove topic %s: %w", rec.Name, err)
		}
		if err := b.meta.do(metaRecord{TopicGone: &rec.ID}); err != nil {
			return err
		}
	}
	return nil
}

func removeFolder(fsys vfs.FS, dir, gone string) error {
	if err := fsys.Rename(dir, gone); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fsys.RemoveAll(gone)
}

// addPartitions grows a topic.
func (b *Broker) addPartitions(t *topic, count int32, dryRun bool) *topicError {
	b.topics.change.Lock()
	defer b.topics.change.Unlock()
	rec, ok := b.meta.topicRecord(t.id)
	switch {
	case !ok:
		return refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", t.name)
	case count <= rec.Partitions:
		return refuseTopic(errInvalidPartitions, "topic %s has %d partitions, %d is not more", t.name, rec.Partitions, count)
	case b.topics.partitionCount()+int(count-rec.Partitions) > maxPartitions:
		return refuseTopic(errInvalidPartitions, "%d partitions would be over the %d a broker keeps", count, maxPartitions)
	case dryRun:
		return nil
	}
	rec.Partitions = count
	if err := b.meta.do(metaRecord{Topic: &rec}); err != nil {
		return b.storageRefusal(err)
	}
	if err := b.makePartitions(t, &rec); err != nil {
		return b.storageRefusal(err)
	}
	b.topics.put(t)
	return nil
}

// setConfig replaces the settings of a topic. Sizes of extents count from the next start on, all others at once.
func (b *Broker) setConfig(t *topic, set map[string]string, dryRun bool) *topicError {
	b.topics.change.Lock()
	defer b.topics.change.Unlock()
	rec, ok := b.meta.topicRecord(t.id)
	if !ok {
		return refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", t.name)
	}
	cfg, err := parseTopicConfig(set)
	if err != nil {
		return refuseTopic(errInvalidConfig, "%v", err)
	}
	if dryRun {
		return nil
	}
	rec.Configs = maps.Clone(set)
	if err := b.meta.do(metaRecord{Topic: &rec}); err != nil {
		return b.storageRefusal(err)
	}
	t.config.Store(cfg)
	return nil
}

// topicFor finds a topic, or makes it when that is allowed.
func (b *Broker) topicFor(name string, create bool) (*topic, *topicError) {
	if t := b.topics.get(name); t != nil {
		return t, nil
	}
	if !create || !b.cfg.AutoCreate {
		return nil, refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", name)
	}
	t, terr := b.createTopic(newTopic{name: name, partitions: b.cfg.Partitions})
	if terr != nil && terr.code == errTopicExists {
		if t := b.topics.get(name); t != nil {
			return t, nil
		}
	}
	return t, terr
}
