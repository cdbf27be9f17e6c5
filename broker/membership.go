package broker

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
)

// embeddedPatience is how long a rebalance waits for an embedded member that does not poll.
const embeddedPatience = 60 * time.Second

// embeddedLink is how the coordinator reaches a member in this process.
type embeddedLink struct {
	w       *journal.Waiter
	recalls atomic.Bool // a rebalance waits for the member
	evicted atomic.Bool // the member is no longer in the group
}

func (l *embeddedLink) signal() {
	select {
	case l.w.C <- struct{}{}:
	default:
	}
}

func (l *embeddedLink) recall() {
	l.recalls.Store(true)
	l.signal()
}

func (l *embeddedLink) evict() {
	l.evicted.Store(true)
	l.signal()
}

// membership is a member's side of the group protocol, spoken by calls: cooperative-sticky, as kgo and Java clients speak it, so that
// they can share the group. It is the polling goroutine's alone,
// but for committer.
type membership struct {
	id         string
	committer  atomic.Pointer[string] // id, for those who commit or close
	generation int32
	joining    <-chan joinAnswer
	syncing    <-chan syncAnswer
	shapes     map[string]topicShape // of the subscribed topics at the last join
	changed    <-chan struct{}
}

// startJoin (re-)enters the group with what the member owns. force makes the group rebalance in any case.
func (m *member) startJoin(force bool) {
	m.link.recalls.Store(false)
	m.ms.changed = m.b.topics.changed()
	m.ms.shapes = m.topicShapes()
	m.ms.syncing = nil
	m.ms.joining = m.b.groups.join(m.group, joinRequest{
		memberID: m.ms.id, clientID: "weir", host: "embedded", protocolType: "consumer",
		protocols: []groupProtocol{{kgo.CooperativeStickyBalancer().ProtocolName(), joinMetadata(m)}},
		patience:  embeddedPatience, embedded: m.link, pins: true, topicsChanged: force,
	})
}

// startOver joins as a new member: the group has forgotten this one, so its partitions may be another's.
func (m *member) startOver() {
	m.loseAll()
	m.link.evicted.Store(false)
	m.ms.id, m.ms.generation = "", -1
	m.startJoin(false)
}

// stepMembership brings the member as far as it gets without waiting.
func (m *member) stepMembership() error {
	for {
		if m.link.evicted.Load() {
			m.startOver()
		}
		if m.ms.joining == nil && (m.link.recalls.Load() || m.topicsMoved()) {
			if err := m.flush(); err != nil {
				return err
			}
			m.lose(m.deleted())
			m.startJoin(true)
		}
		progress, err := m.takeAnswers()
		if err != nil || !progress {
			return err
		}
	}
}

// topicsMoved reports whether a subscribed topic came, went or grew since the last join.
func (m *member) topicsMoved() bool {
	select {
	case <-m.ms.changed:
	default:
		return false
	}
	m.ms.changed = m.b.topics.changed()
	return !maps.Equal(m.topicShapes(), m.ms.shapes)
}

// topicShape is what an assignment depends on.
type topicShape struct {
	id         topicID
	partitions int
}

func (m *member) topicShapes() map[string]topicShape {
	shapes := map[string]topicShape{}
	for _, name := range m.topics {
		if t := m.b.topics.get(name); t != nil {
			shapes[name] = topicShape{t.id, len(t.partitions())}
		}
	}
	return shapes
}

func (m *member) takeAnswers() (progress bool, err error) {
	if m.ms.joining != nil {
		select {
		case a := <-m.ms.joining:
			m.ms.joining = nil
			return true, m.joined(a)
		default:
		}
	}
	if m.ms.syncing != nil {
		select {
		case a := <-m.ms.syncing:
			m.ms.syncing = nil
			return true, m.synced(a)
		default:
		}
	}
	return false, nil
}

// joined goes on from JoinGroup to SyncGroup; the leader assigns.
func (m *member) joined(a joinAnswer) error {
	switch a.code {
	case errNone:
	case errUnknownMemberID, errFencedInstanceID:
		m.startOver()
		return nil
	case errCoordinatorNotAvailable:
		return queue.ErrClosed
	case errInconsistentProtocol:
		return fmt.Errorf("group %s: its members do not speak cooperative-sticky", m.group)
	default:
		return fmt.Errorf("group %s: join refused with code %d", m.group, a.code)
	}
	m.ms.id, m.ms.generation = a.memberID, a.generation
	m.ms.committer.Store(&a.memberID)
	r := syncRequest{memberID: a.memberID, generation: a.generation, protocol: a.protocol}
	if a.leader == a.memberID {
		var err error
		if r.assignments, err = m.balance(a); err != nil {
			return fmt.Errorf("group %s: balance: %w", m.group, err)
		}
	}
	g := m.b.groups.find(m.group)
	if g == nil {
		m.startOver()
		return nil
	}
	m.ms.syncing = g.syncGroup(r)
	return nil
}

// balance is the leader's work.
func (m *member) balance(a joinAnswer) (map[string][]byte, error) {
	var members []kmsg.JoinGroupResponseMember
	for _, j := range a.members {
		members = append(members, kmsg.JoinGroupResponseMember{MemberID: j.id, InstanceID: j.instance, ProtocolMetadata: j.metadata})
	}
	mb, topics, err := kgo.CooperativeStickyBalancer().MemberBalancer(members)
	if err != nil {
		return nil, err
	}
	counts := map[string]int32{}
	for name := range topics {
		if t := m.b.topics.get(name); t != nil {
			counts[name] = int32(len(t.partitions()))
		}
	}
	oe, ok := mb.(kgo.GroupMemberBalancerOrError)
	if !ok {
		return nil, errors.New("the balancer has no plan")
	}
	plan, err := oe.BalanceOrError(counts)
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, s := range plan.IntoSyncAssignment() {
		out[s.MemberID] = s.MemberAssignment
	}
	return out, nil
}

// synced takes the assignment. What is no longer ours is given up after its commits are durable, and the group hears of it by a
// second join.
func (m *member) synced(a syncAnswer) error {
	switch a.code {
	case errNone:
	case errRebalanceInProgress:
		m.startJoin(false)
		return nil
	case errUnknownMemberID, errCoordinatorNotAvailable:
		if m.b.isClosed() {
			return queue.ErrClosed
		}
		m.startOver()
		return nil
	case errIllegalGeneration:
		m.startJoin(false)
		return nil
	default:
		return fmt.Errorf("group %s: sync refused with code %d", m.group, a.code)
	}
	if a.marked {
		if err := m.b.meta.sync(a.mark); err != nil {
			return err
		}
	}
	assigned, err := kgo.CooperativeStickyBalancer().ParseSyncAssignment(a.assignment)
	if err != nil {
		return fmt.Errorf("group %s: assignment: %w", m.group, err)
	}
	lost := m.lost(assigned)
	if len(lost) > 0 {
		if err := m.flush(); err != nil {
			return err
		}
		m.lose(lost)
	}
	m.take(assigned)
	if len(lost) > 0 {
		m.startJoin(true)
	}
	return nil
}

// owned is what the member reads, in the form of the group protocol.
func (m *member) owned() map[string][]int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]int32{}
	for k := range m.parts {
		out[k.topic] = append(out[k.topic], k.partition)
	}
	for _, ns := range out {
		slices.Sort(ns)
	}
	return out
}

// deleted is what the member reads of topics that are no more.
func (m *member) deleted() []partKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []partKey
	for k, r := range m.parts {
		if r.p.deleted.Load() {
			out = append(out, k)
		}
	}
	return out
}

// lost is what the member reads and assigned does not name.
func (m *member) lost(assigned map[string][]int32) []partKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []partKey
	for k := range m.parts {
		if !slices.Contains(assigned[k.topic], k.partition) {
			out = append(out, k)
		}
	}
	return out
}

// joinMetadata is what a member says of itself when it joins.
func joinMetadata(m *member) []byte {
	return kgo.CooperativeStickyBalancer().JoinGroupMetadata(m.topics, m.owned(), m.ms.generation)
}
