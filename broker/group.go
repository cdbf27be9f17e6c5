package broker

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
)

// groupState is the state of a consumer group in the classic protocol, with the names that DescribeGroups gives.
type groupState string

const (
	groupEmpty      groupState = "Empty"               // no members; offsets may be kept
	groupPreparing  groupState = "PreparingRebalance"  // members are awaited in JoinGroup
	groupCompleting groupState = "CompletingRebalance" // the leader's assignment is awaited
	groupStable     groupState = "Stable"
	groupDead       groupState = "Dead" // deleted; who still holds the group looks it up again
)

// group is one consumer group. Its mutex is never held while anything waits: answers that have to wait for others are sent over
// channels of one slot, durability is waited for by whoever receives an answer with a mark. Lock order: group before meta.
type group struct {
	name string
	co   *coordinator

	mu           sync.Mutex
	state        groupState
	protocolType string
	protocol     string
	leader       string
	generation   int32
	members      map[string]*groupMember
	static       map[string]string      // instance id -> member id
	pending      map[string]*time.Timer // member ids given out with error 79, until they join
	rebalance    *time.Timer            // ends PreparingRebalance or CompletingRebalance
	rebalanceSeq int                    // tells a timer of an earlier rebalance from the present one
	kept         bool                   // its places are kept elsewhere, too: only its members may move them
	pins         bool                   // a member of weir's own was in it: retention keeps what it has not read
	emptySince   time.Time
}

// joinRequest is JoinGroup without its wire form.
type joinRequest struct {
	memberID      string
	instance      *string
	clientID      string
	host          string
	protocolType  string
	protocols     []groupProtocol
	session       time.Duration
	patience      time.Duration
	needsID       bool // v4+: a dynamic member first gets an id, then joins with it
	canSkip       bool // v9+: a returning static leader may be told to keep the assignment
	embedded      *embeddedLink
	pins          bool
	topicsChanged bool // the embedded member saw its topics change, so its join always rebalances
}

// joinAnswer answers JoinGroup.
type joinAnswer struct {
	code       int16
	generation int32
	protoType  string
	protocol   string
	leader     string
	memberID   string
	members    []joinedMember // for the leader only
	skip       bool
}

type joinedMember struct {
	id       string
	instance *string
	metadata []byte
}

// syncAnswer answers SyncGroup. The generation is durable once mark is synced.
type syncAnswer struct {
	code       int16
	protoType  string
	protocol   string
	assignment []byte
	mark       journal.Mark
	marked     bool
}

func newGroup(co *coordinator, name string) *group {
	return &group{
		name: name, co: co, state: groupEmpty, emptySince: time.Now(),
		members: map[string]*groupMember{}, static: map[string]string{}, pending: map[string]*time.Timer{},
	}
}

// joinGroup enters or re-enters a member. The channel gets exactly one answer.
func (g *group) joinGroup(r joinRequest) <-chan joinAnswer {
	ch := make(chan joinAnswer, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	refuse := func(code int16) <-chan joinAnswer {
		ch <- joinAnswer{code: code, memberID: r.memberID, generation: -1}
		return ch
	}
	if g.state == groupDead {
		return refuse(errUnknownMemberID)
	}
	if len(g.members) > 0 && !g.compatible(r) || len(r.protocols) == 0 || r.protocolType == "" {
		return refuse(errInconsistentProtocol)
	}
	if r.memberID == "" {
		return g.joinNew(r, ch)
	}
	return g.joinKnown(r, ch)
}

// compatible reports whether all other members share one of r's protocols.
func (g *group) compatible(r joinRequest) bool {
	if g.protocolType != r.protocolType {
		return false
	}
	for _, p := range r.protocols {
		shared := true
		for id, m := range g.members {
			if id != r.memberID && !m.speaks(p.name) && (r.instance == nil || g.static[*r.instance] != id) {
				shared = false
				break
			}
		}
		if shared {
			return true
		}
	}
	return false
}

func (g *group) joinNew(r joinRequest, ch chan joinAnswer) <-chan joinAnswer {
	id := newMemberID(r.clientID)
	if r.instance != nil {
		if old, ok := g.static[*r.instance]; ok {
			return g.replaceStatic(g.members[old], id, r, ch)
		}
	}
	if len(g.members)+len(g.pending) >= maxGroupMembers {
		ch <- joinAnswer{code: errGroupMaxSizeReached, generation: -1}
		return ch
	}
	if r.instance == nil && r.needsID {
		g.pending[id] = time.AfterFunc(r.session, func() { g.forgetPending(id) })
		ch <- joinAnswer{code: errMemberIDRequired, memberID: id, generation: -1}
		return ch
	}
	g.addMember(id, r, ch)
	return ch
}

func (g *group) joinKnown(r joinRequest, ch chan joinAnswer) <-chan joinAnswer {
	refuse := func(code int16) <-chan joinAnswer {
		ch <- joinAnswer{code: code, memberID: r.memberID, generation: -1}
		return ch
	}
	if timer, ok := g.pending[r.memberID]; ok {
		timer.Stop()
		delete(g.pending, r.memberID)
		g.addMember(r.memberID, r, ch)
		return ch
	}
	m, code := g.member(r.memberID, r.instance)
	if code != errNone {
		return refuse(code)
	}
	same := m.sameProtocols(r.protocols) && !r.topicsChanged
	switch {
	case g.state == groupPreparing:
		m.update(r, ch)
		g.maybeComplete()
	case g.state == groupCompleting && same:
		ch <- g.currentAnswer(m) // the answer to its join was lost
	case g.state == groupStable && same && m.id != g.leader:
		ch <- g.currentAnswer(m)
	case g.state == groupCompleting || g.state == groupStable:
		m.update(r, ch)
		g.prepare()
	default:
		return refuse(errUnknownMemberID)
	}
	return ch
}

// currentAnswer repeats the answer of the generation that stands.
func (g *group) currentAnswer(m *groupMember) joinAnswer {
	a := joinAnswer{generation: g.generation, protoType: g.protocolType, protocol: g.protocol, leader: g.leader, memberID: m.id}
	if m.id == g.leader {
		a.members = g.joined()
	}
	g.touch(m)
	return a
}

func (g *group) addMember(id string, r joinRequest, ch chan joinAnswer) {
	m := &groupMember{id: id, instance: r.instance, clientID: r.clientID, host: r.host, embedded: r.embedded}
	m.update(r, ch)
	g.protocolType = r.protocolType
	g.members[id] = m
	if r.instance != nil {
		g.static[*r.instance] = id
	}
	g.pins = g.pins || r.pins
	if g.state == groupPreparing {
		g.rebalanceTimer()
		g.maybeComplete()
		return
	}
	g.prepare()
}

// replaceStatic gives the place of a static member to its next life and fences the old one. In a stable group nothing else
// changes, as long as it says the same about itself.
func (g *group) replaceStatic(m *groupMember, id string, r joinRequest, ch chan joinAnswer) <-chan joinAnswer {
	m.fail(errFencedInstanceID)
	m.stop()
	old := m.id
	wasLeader := g.leader == old
	same := m.metadata(g.protocol) != nil && bytes.Equal(m.metadata(g.protocol), protocolMetadata(r.protocols, g.protocol))
	delete(g.members, old)
	m.id = id
	g.members[id] = m
	g.static[*r.instance] = id
	m.clientID, m.host = r.clientID, r.host
	if wasLeader {
		g.leader = id
	}
	switch {
	case g.state == groupStable && same:
		m.update(r, nil)
		g.persist()
		a := g.currentAnswer(m)
		if wasLeader && r.canSkip {
			a.skip = true
		} else if wasLeader {
			a.leader, a.members = old, nil // a client that cannot skip must not assign anew
		}
		ch <- a
	case g.state == groupPreparing:
		m.update(r, ch)
		g.maybeComplete()
	default:
		m.update(r, ch)
		g.prepare()
	}
	return ch
}

// syncRequest is SyncGroup without its wire form.
type syncRequest struct {
	memberID    string
	instance    *string
	generation  int32
	protoType   string // empty when the client did not say
	protocol    string
	assignments map[string][]byte
}

// syncGroup waits for the leader's assignment or, from the leader, hands it out. The channel gets exactly one answer.
func (g *group) syncGroup(r syncRequest) <-chan syncAnswer {
	ch := make(chan syncAnswer, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	refuse := func(code int16) <-chan syncAnswer {
		ch <- syncAnswer{code: code}
		return ch
	}
	m, code := g.check(r.memberID, r.instance, r.generation)
	switch {
	case code != errNone:
		return refuse(code)
	case r.protoType != "" && r.protoType != g.protocolType, r.protocol != "" && g.state != groupPreparing && r.protocol != g.protocol:
		return refuse(errInconsistentProtocol)
	case g.state == groupPreparing:
		return refuse(errRebalanceInProgress)
	case g.state == groupStable:
		g.touch(m)
		ch <- syncAnswer{protoType: g.protocolType, protocol: g.protocol, assignment: m.assignment}
		return ch
	}
	m.sync = ch
	g.touch(m)
	if m.id == g.leader {
		g.assign(r.assignments)
	}
	return ch
}

// assign takes the leader's assignment: the group is stable, and on record, before anyone hears of it.
func (g *group) assign(assignments map[string][]byte) {
	g.stopRebalance()
	for id, m := range g.members {
		m.assignment = slices.Clone(assignments[id])
	}
	g.state = groupStable
	mark, err := g.persist()
	for _, m := range g.members {
		if m.sync == nil {
			continue
		}
		a := syncAnswer{protoType: g.protocolType, protocol: g.protocol, assignment: m.assignment, mark: mark, marked: true}
		if err != nil {
			a = syncAnswer{code: errCoordinatorNotAvailable}
		}
		m.sync <- a
		m.sync = nil
		m.wake()
	}
	if err != nil {
		g.prepare()
	}
}

// heartbeat keeps a member's session and tells it of a rebalance.
func (g *group) heartbeat(memberID string, instance *string, generation int32) int16 {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, code := g.check(memberID, instance, generation)
	if code != errNone {
		return code
	}
	g.touch(m)
	if g.state == groupPreparing {
		return errRebalanceInProgress
	}
	return errNone
}

// leave takes a member out. A static member may be named by its instance id alone.
func (g *group) leave(memberID string, instance *string) int16 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == groupDead {
		return errCoordinatorNotAvailable
	}
	if timer, ok := g.pending[memberID]; ok {
		timer.Stop()
		delete(g.pending, memberID)
		g.maybeComplete()
		return errNone
	}
	if memberID == "" && instance != nil {
		memberID = g.static[*instance]
	}
	m, code := g.member(memberID, instance)
	if code != errNone {
		return code
	}
	g.remove(m)
	return errNone
}

// commitFrom is who commits. A generation below zero is a consumer that assigns partitions to itself.
type commitFrom struct {
	memberID   string
	instance   *string
	generation int32
}

// commit takes commits of a member of the present generation or, into a group without members, of a consumer that assigns partitions
// to itself. They are durable after sync of the mark. The check and the writing are one step, so that a member which has lost its
// place cannot overwrite its successor.
func (g *group) commit(from commitFrom, offsets []offsetRecord) (journal.Mark, int16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if code := g.checkCommit(from.memberID, from.instance, from.generation); code != errNone {
		return journal.Mark{}, code
	}
	if g.kept && from.memberID == "" {
		return journal.Mark{}, errGroupDenied
	}
	return g.write(offsets)
}

// commitEmbedded takes commits of an embedded member for partitions that it has not given up, whatever the generation.
func (g *group) commitEmbedded(memberID string, offsets []offsetRecord) (journal.Mark, int16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == groupDead || g.members[memberID] == nil {
		return journal.Mark{}, errUnknownMemberID
	}
	return g.write(offsets)
}

func (g *group) write(offsets []offsetRecord) (journal.Mark, int16) {
	mark, err := g.co.meta.append(metaRecord{Offsets: &offsetsRecord{g.name, offsets}})
	if err != nil {
		g.co.log.Error("commit not written", "group", g.name, "error", err)
		return mark, errCoordinatorNotAvailable
	}
	return mark, errNone
}

func (g *group) checkCommit(memberID string, instance *string, generation int32) int16 {
	if generation < 0 && memberID == "" && instance == nil {
		if g.state == groupEmpty {
			return errNone
		}
		return errUnknownMemberID
	}
	if g.state == groupEmpty && generation < 0 {
		return errNone
	}
	m, code := g.check(memberID, instance, generation)
	if code != errNone {
		return code
	}
	g.touch(m)
	if g.state == groupCompleting {
		return errRebalanceInProgress
	}
	return errNone
}

// check finds a member of the present generation.
func (g *group) check(memberID string, instance *string, generation int32) (*groupMember, int16) {
	if g.state == groupDead {
		return nil, errCoordinatorNotAvailable
	}
	m, code := g.member(memberID, instance)
	if code == errNone && generation != g.generation {
		code = errIllegalGeneration
	}
	return m, code
}

// member finds a member and fences the former life of a static one.
func (g *group) member(id string, instance *string) (*groupMember, int16) {
	if instance != nil {
		current, ok := g.static[*instance]
		if !ok {
			return nil, errUnknownMemberID
		}
		if current != id {
			return nil, errFencedInstanceID
		}
	}
	m := g.members[id]
	if m == nil {
		return nil, errUnknownMemberID
	}
	return m, errNone
}

// remove takes a member out and rebalances what is left.
func (g *group) remove(m *groupMember) {
	g.drop(m)
	switch g.state {
	case groupPreparing:
		g.maybeComplete()
	case groupCompleting, groupStable:
		g.prepare()
	}
}

// drop takes a member out and nothing else.
func (g *group) drop(m *groupMember) {
	m.fail(errUnknownMemberID)
	m.stop()
	delete(g.members, m.id)
	if m.instance != nil && g.static[*m.instance] == m.id {
		delete(g.static, *m.instance)
	}
	if m.embedded != nil {
		m.embedded.evict()
	}
}

func (g *group) forgetPending(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.pending[id]; ok {
		delete(g.pending, id)
		g.maybeComplete()
	}
}

// kill ends the group for good; it is empty.
func (g *group) kill() {
	g.stopRebalance()
	for _, t := range g.pending {
		t.Stop()
	}
	g.state = groupDead
}

// stopAll stops every timer and lets everybody who waits go; the broker is closing.
func (g *group) stopAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.kill()
	for _, m := range g.members {
		m.fail(errCoordinatorNotAvailable)
		m.stop()
	}
}
