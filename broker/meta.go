package broker

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

// metaSnapshotEvery is the bytes of change records after which the whole state is written anew and the old records go.
const metaSnapshotEvery = 4 << 20

// pidBlock is how many producer ids one durable record reserves.
const pidBlock = 1000

// topicID is the identity of one life of a topic; in JSON 32 hexadecimal digits.
type topicID [16]byte

func newTopicID() topicID {
	var id topicID
	rand.Read(id[:])
	return id
}

func (id topicID) String() string               { return hex.EncodeToString(id[:]) }
func (id topicID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }
func (id *topicID) UnmarshalText(b []byte) error {
	if len(b) != 2*len(id) {
		return fmt.Errorf("topic id %q: want 32 hexadecimal digits", b)
	}
	_, err := hex.Decode(id[:], b)
	return err
}

// metaRecord is one change. Exactly one field is set.
type metaRecord struct {
	Broker        *brokerRecord  `json:"broker,omitempty"`
	Topic         *topicRecord   `json:"topic,omitempty"` // the whole topic, new or changed
	TopicDelete   *topicID       `json:"topicDelete,omitempty"`
	TopicGone     *topicID       `json:"topicGone,omitempty"` // the folders of a deleted topic are removed
	Group         *groupRecord   `json:"group,omitempty"`
	GroupDelete   *string        `json:"groupDelete,omitempty"`
	Offsets       *offsetsRecord `json:"offsets,omitempty"`
	OffsetsDelete *offsetsRecord `json:"offsetsDelete,omitempty"`
	NextPID       *int64         `json:"nextPid,omitempty"`
	Txn           *txnRecord     `json:"txn,omitempty"` // the whole transactional id, new or changed
	TxnDelete     *string        `json:"txnDelete,omitempty"`
	ACLAdd        []acl.Entry    `json:"aclAdd,omitempty"`
	ACLDelete     []acl.Entry    `json:"aclDelete,omitempty"`
	Scram         *scramRecord   `json:"scram,omitempty"`
	ScramDelete   *scramRecord   `json:"scramDelete,omitempty"` // user and mechanism only
}

// brokerRecord is what the broker is as a whole.
type brokerRecord struct {
	ClusterID string            `json:"clusterId"`
	Configs   map[string]string `json:"configs,omitempty"`
}

// topicRecord is a topic. Made says that its journals exist: a folder that is missing then is a loss, not a beginning.
type topicRecord struct {
	Name       string            `json:"name"`
	ID         topicID           `json:"id"`
	Partitions int32             `json:"partitions"`
	Made       int32             `json:"made"` // partitions whose journals exist
	Configs    map[string]string `json:"configs,omitempty"`
}

// groupRecord is a group as the last completed rebalance left it.
type groupRecord struct {
	Name         string         `json:"name"`
	ProtocolType string         `json:"protocolType,omitempty"`
	Protocol     string         `json:"protocol,omitempty"`
	Generation   int32          `json:"generation"`
	Leader       string         `json:"leader,omitempty"`
	Pins         bool           `json:"pins,omitempty"`
	EmptySince   int64          `json:"emptySince,omitempty"` // milliseconds, when there are no members
	Members      []memberRecord `json:"members,omitempty"`
}

type memberRecord struct {
	ID         string  `json:"id"`
	Instance   *string `json:"instance,omitempty"`
	ClientID   string  `json:"clientId,omitempty"`
	Host       string  `json:"host,omitempty"`
	SessionMs  int64   `json:"sessionMs"`
	PatienceMs int64   `json:"rebalanceMs"`
	Metadata   []byte  `json:"metadata,omitempty"`
	Assignment []byte  `json:"assignment,omitempty"`
	Embedded   bool    `json:"embedded,omitempty"`
}

// offsetsRecord is commits of one group, or the places whose commits go.
type offsetsRecord struct {
	Group   string         `json:"group"`
	Offsets []offsetRecord `json:"offsets"`
}

type offsetRecord struct {
	Topic     topicID `json:"topic"`
	Partition int32   `json:"partition"`
	Offset    int64   `json:"offset"`
	Epoch     int32   `json:"epoch"`
	Metadata  string  `json:"metadata,omitempty"`
	Time      int64   `json:"time"` // of the commit, milliseconds
}

// scramRecord is what a user logs in with.
type scramRecord struct {
	User       string `json:"user"`
	Mechanism  string `json:"mechanism"`
	Salt       []byte `json:"salt,omitempty"`
	Iterations int    `json:"iterations,omitempty"`
	StoredKey  []byte `json:"storedKey,omitempty"`
	ServerKey  []byte `json:"serverKey,omitempty"`
}

// place is a partition of one life of a topic.
type place struct {
	topic     topicID
	partition int32
}

// metaState is everything the meta journal says. Next is the offset of the first record it does not account for.
type metaState struct {
	Broker  brokerRecord
	Topics  map[topicID]*topicRecord
	Gone    map[topicID]*topicRecord // deleted, folders not yet removed
	Groups  map[string]*groupRecord
	Offsets map[string]map[place]offsetRecord
	NextPID int64
	Txns    map[string]*txnRecord
	ACLs    acl.List // never changed in place: readers hold it
	Scrams  map[scramKey]*scramRecord
}

// meta is the broker's own journal and the state it describes: topics, groups, commits, producer ids. A change is applied when its
// record is appended; whoever answers a client waits for sync first. Its mutex is the last in the lock order.
type meta struct {
	log *slog.Logger

	mu      sync.Mutex
	j       *journal.Journal
	st      metaState
	changed int // bytes since the last snapshot
	pid     int64
	pidEnd  int64
}

func openMeta(cfg journal.Config) (*meta, error) {
	cfg.Own = true
	j, err := journal.Open(cfg)
	if err != nil {
		return nil, err
	}
	m := &meta{log: cfg.Log, j: j}
	if err := m.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("open meta journal %s: %w", cfg.Dir, err), j.Close())
	}
	if m.st.Broker.ClusterID == "" {
		if err := m.do(metaRecord{Broker: &brokerRecord{ClusterID: newClusterID()}}); err != nil {
			return nil, errors.Join(fmt.Errorf("open meta journal %s: %w", cfg.Dir, err), j.Close())
		}
	}
	return m, nil
}

// newClusterID is 22 characters of URL-safe base64, as Kafka's are.
func newClusterID() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (m *meta) load() error {
	m.st = metaState{
		Topics: map[topicID]*topicRecord{}, Gone: map[topicID]*topicRecord{}, Groups: map[string]*groupRecord{},
		Offsets: map[string]map[place]offsetRecord{}, NextPID: 1, Txns: map[string]*txnRecord{}, Scrams: map[scramKey]*scramRecord{},
	}
	if b := m.j.State(); b != nil {
		if err := m.restore(b); err != nil {
			return err
		}
	}
	return m.j.Replay(m.j.StateOffset(), func(offset int64, payload []byte) error {
		var r metaRecord
		if err := json.Unmarshal(payload, &r); err != nil {
			return fmt.Errorf("record %d: %w", offset, err)
		}
		m.st.apply(r)
		return nil
	})
}

// apply changes the state; it cannot fail, so that replaying gives what running gave.
func (st *metaState) apply(r metaRecord) {
	switch {
	case r.Broker != nil:
		st.Broker = *r.Broker
	case r.Topic != nil:
		st.Topics[r.Topic.ID] = r.Topic
	case r.TopicDelete != nil:
		st.deleteTopic(*r.TopicDelete)
	case r.TopicGone != nil:
		delete(st.Gone, *r.TopicGone)
	case r.Group != nil:
		st.Groups[r.Group.Name] = r.Group
	case r.GroupDelete != nil:
		delete(st.Groups, *r.GroupDelete)
		delete(st.Offsets, *r.GroupDelete)
	case r.Offsets != nil:
		st.commit(r.Offsets)
	case r.OffsetsDelete != nil:
		for _, o := range r.OffsetsDelete.Offsets {
			delete(st.Offsets[r.OffsetsDelete.Group], place{o.Topic, o.Partition})
		}
	case r.NextPID != nil:
		st.NextPID = *r.NextPID
	case r.Txn != nil:
		st.setTxn(*r.Txn)
	case r.TxnDelete != nil:
		delete(st.Txns, *r.TxnDelete)
	default:
		st.applySecurity(r)
	}
}

func (st *metaState) applySecurity(r metaRecord) {
	switch {
	case len(r.ACLAdd) > 0:
		st.ACLs = append(slices.Clone(st.ACLs), r.ACLAdd...)
	case len(r.ACLDelete) > 0:
		st.ACLs = slices.DeleteFunc(slices.Clone(st.ACLs), func(e acl.Entry) bool { return slices.Contains(r.ACLDelete, e) })
	case r.Scram != nil:
		st.Scrams[scramKey{r.Scram.User, r.Scram.Mechanism}] = r.Scram
	case r.ScramDelete != nil:
		delete(st.Scrams, scramKey{r.ScramDelete.User, r.ScramDelete.Mechanism})
	}
}

// setTxn takes a transactional id; the commits of a transaction that was committed count from here on.
func (st *metaState) setTxn(r txnRecord) {
	if r.State == txnCompleteCommit {
		for i := range r.Offsets {
			st.commit(&r.Offsets[i])
		}
		r.Offsets = nil
	}
	st.Txns[r.ID] = &r
}

func (st *metaState) deleteTopic(id topicID) {
	if t := st.Topics[id]; t != nil {
		st.Gone[id] = t
	}
	delete(st.Topics, id)
	for _, offsets := range st.Offsets {
		for p := range offsets {
			if p.topic == id {
				delete(offsets, p)
			}
		}
	}
}

func (st *metaState) commit(r *offsetsRecord) {
	offsets := st.Offsets[r.Group]
	if offsets == nil {
		offsets = map[place]offsetRecord{}
		st.Offsets[r.Group] = offsets
	}
	for _, o := range r.Offsets {
		offsets[place{o.Topic, o.Partition}] = o
	}
}

// append writes a change and applies it. It is durable after sync of the mark.
func (m *meta) append(r metaRecord) (journal.Mark, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return journal.Mark{}, fmt.Errorf("encode meta record: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mark, err := m.j.AppendPayload(b)
	if err != nil {
		return mark, fmt.Errorf("write meta journal: %w", err)
	}
	m.st.apply(r)
	m.changed += len(b)
	return mark, nil
}

func (m *meta) sync(mark journal.Mark) error {
	m.mu.Lock()
	j := m.j
	m.mu.Unlock()
	if err := j.Sync(mark); err != nil {
		return fmt.Errorf("sync meta journal: %w", err)
	}
	return nil
}

// do is append and sync.
func (m *meta) do(r metaRecord) error {
	mark, err := m.append(r)
	if err != nil {
		return err
	}
	return m.sync(mark)
}

// metaSnapshot is metaState in JSON.
type metaSnapshot struct {
	Broker  brokerRecord    `json:"broker"`
	Topics  []*topicRecord  `json:"topics"`
	Gone    []*topicRecord  `json:"gone,omitempty"`
	Groups  []*groupRecord  `json:"groups"`
	Offsets []offsetsRecord `json:"offsets"`
	NextPID int64           `json:"nextPid"`
	Txns    []*txnRecord    `json:"txns,omitempty"`
	ACLs    acl.List        `json:"acls,omitempty"`
	Scrams  []*scramRecord  `json:"scrams,omitempty"`
}

func (st *metaState) snapshot() ([]byte, error) {
	s := metaSnapshot{Broker: st.Broker, NextPID: st.NextPID,
		Topics: slices.Collect(maps.Values(st.Topics)), Gone: slices.Collect(maps.Values(st.Gone)), Groups: slices.Collect(maps.Values(st.Groups)),
		Txns: slices.Collect(maps.Values(st.Txns)), ACLs: st.ACLs, Scrams: slices.Collect(maps.Values(st.Scrams))}
	for group, offsets := range st.Offsets {
		s.Offsets = append(s.Offsets, offsetsRecord{group, slices.Collect(maps.Values(offsets))})
	}
	return json.Marshal(s)
}

func (m *meta) restore(b []byte) error {
	var s metaSnapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("meta snapshot: %w", err)
	}
	m.st.Broker, m.st.NextPID = s.Broker, s.NextPID
	for _, t := range s.Topics {
		m.st.Topics[t.ID] = t
	}
	for _, t := range s.Gone {
		m.st.Gone[t.ID] = t
	}
	for _, g := range s.Groups {
		m.st.Groups[g.Name] = g
	}
	for i := range s.Offsets {
		m.st.commit(&s.Offsets[i])
	}
	for _, t := range s.Txns {
		m.st.Txns[t.ID] = t
	}
	m.st.ACLs = s.ACLs
	for _, r := range s.Scrams {
		m.st.Scrams[scramKey{r.User, r.Mechanism}] = r
	}
	return nil
}

// acls is every access control list.
func (m *meta) acls() acl.List {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.ACLs
}

// scram is a verifier that a client made.
func (m *meta) scram(k scramKey) (Verifier, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.st.Scrams[k]
	if r == nil {
		return Verifier{}, false
	}
	return Verifier{r.Salt, r.Iterations, r.StoredKey, r.ServerKey}, true
}

// scrams is every verifier that clients made.
func (m *meta) scrams() []scramRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]scramRecord, 0, len(m.st.Scrams))
	for _, r := range m.st.Scrams {
		out = append(out, *r)
	}
	return out
}

// txnRecords is a copy of all transactional ids on record.
func (m *meta) txnRecords() []txnRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]txnRecord, 0, len(m.st.Txns))
	for _, r := range m.st.Txns {
		out = append(out, *r)
	}
	return out
}

// maintain writes a snapshot when enough has changed and lets the records before it go.
func (m *meta) maintain() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed < metaSnapshotEvery && !m.j.CheckpointDue() {
		return nil
	}
	return m.snapshotLocked()
}

func (m *meta) snapshotLocked() error {
	b, err := m.st.snapshot()
	if err != nil {
		return fmt.Errorf("encode meta snapshot: %w", err)
	}
	if err := m.j.Roll(); err != nil {
		return fmt.Errorf("roll meta journal: %w", err)
	}
	if err := m.j.Checkpoint(b); err != nil {
		return err
	}
	if _, err := m.j.Trim(m.j.End()); err != nil {
		return err
	}
	m.changed = 0
	return nil
}

// reopen begins a new life of the journal after a failed sync. Changes whose records were lost stand in memory, so the whole state
// is written before anything else.
func (m *meta) reopen() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.j.Reopen(); err != nil {
		return err
	}
	return m.snapshotLocked()
}

func (m *meta) poisoned() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.j.Poisoned() != nil
}

func (m *meta) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	if m.j.Poisoned() == nil && m.changed > 0 {
		errs = append(errs, m.snapshotLocked())
	}
	return errors.Join(append(errs, m.j.Close())...)
}

// producerID gives out an id that no life of this broker gave before.
func (m *meta) producerID() (int64, error) {
	m.mu.Lock()
	if m.pid < m.pidEnd {
		m.pid++
		id := m.pid - 1
		m.mu.Unlock()
		return id, nil
	}
	first := m.st.NextPID
	m.mu.Unlock()
	next := first + pidBlock
	if err := m.do(metaRecord{NextPID: &next}); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pidEnd < next {
		m.pid, m.pidEnd = first, next
	}
	m.pid++
	return m.pid - 1, nil
}

// committed is one commit, and whether there is one.
func (m *meta) committed(group string, p place) (offsetRecord, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.st.Offsets[group][p]
	return o, ok
}

// commits is a copy of a group's commits.
func (m *meta) commits(group string) map[place]offsetRecord {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.st.Offsets[group])
}

// groupsWithOffsets names the groups that have commits.
func (m *meta) groupsWithOffsets() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name, offsets := range m.st.Offsets {
		if len(offsets) > 0 {
			names = append(names, name)
		}
	}
	return names
}

func (m *meta) clusterID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.st.Broker.ClusterID
}

func nowMs() int64 { return time.Now().UnixMilli() }
