package broker

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/weirlog/weir/journal"
)

// Bounds of groups. The session timeouts are Kafka's.
const (
	maxGroups         = 10_000
	maxGroupMembers   = 1_000
	minSessionTimeout = 6 * time.Second
	maxSessionTimeout = 30 * time.Minute
	maxGroupIDBytes   = 249 * 4
)

// coordinator keeps all consumer groups. A group that has members or commits is in its table; others are made when asked for.
type coordinator struct {
	log  *slog.Logger
	meta *meta

	mu     sync.Mutex
	groups map[string]*group
}

// newCoordinator brings back the groups of the meta journal. Their members get a full session, so that clients which outlived the
// broker go on in their generation; embedded members died with the process.
func newCoordinator(log *slog.Logger, m *meta) *coordinator {
	co := &coordinator{log: log, meta: m, groups: map[string]*group{}}
	for _, r := range m.st.Groups {
		co.restore(r)
	}
	for _, name := range m.groupsWithOffsets() {
		if co.groups[name] == nil {
			co.groups[name] = newGroup(co, name)
		}
	}
	return co
}

func (co *coordinator) restore(r *groupRecord) {
	g := newGroup(co, r.Name)
	g.generation, g.pins, g.protocolType = r.Generation, r.Pins, r.ProtocolType
	if r.EmptySince != 0 {
		g.emptySince = time.UnixMilli(r.EmptySince)
	}
	co.groups[r.Name] = g
	lost := false
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, mr := range r.Members {
		if mr.Embedded {
			lost = true
			continue
		}
		m := &groupMember{
			id: mr.ID, instance: mr.Instance, clientID: mr.ClientID, host: mr.Host,
			session: time.Duration(mr.SessionMs) * time.Millisecond, patience: time.Duration(mr.PatienceMs) * time.Millisecond,
			protocols: []groupProtocol{{r.Protocol, mr.Metadata}}, assignment: mr.Assignment,
		}
		g.members[m.id] = m
		if m.instance != nil {
			g.static[*m.instance] = m.id
		}
		g.touch(m)
	}
	if len(g.members) == 0 {
		return
	}
	g.state, g.protocol, g.leader = groupStable, r.Protocol, r.Leader
	if lost {
		g.prepare()
	}
}

// find gives a group that exists.
func (co *coordinator) find(name string) *group {
	co.mu.Lock()
	defer co.mu.Unlock()
	return co.groups[name]
}

// get gives a group, made when there is none; nil when there are too many.
func (co *coordinator) get(name string) *group {
	co.mu.Lock()
	defer co.mu.Unlock()
	g := co.groups[name]
	if g == nil && len(co.groups) < maxGroups {
		g = newGroup(co, name)
		co.groups[name] = g
	}
	return g
}

// all lists the groups by name.
func (co *coordinator) all() []*group {
	co.mu.Lock()
	defer co.mu.Unlock()
	var out []*group
	for _, name := range slices.Sorted(maps.Keys(co.groups)) {
		out = append(out, co.groups[name])
	}
	return out
}

// join is JoinGroup with the checks that need no group.
func (co *coordinator) join(name string, r joinRequest) <-chan joinAnswer {
	ch := make(chan joinAnswer, 1)
	refuse := func(code int16) <-chan joinAnswer {
		ch <- joinAnswer{code: code, memberID: r.memberID, generation: -1}
		return ch
	}
	if name == "" || len(name) > maxGroupIDBytes {
		return refuse(errInvalidGroupID)
	}
	if r.embedded == nil && (r.session < minSessionTimeout || r.session > maxSessionTimeout) {
		return refuse(errInvalidSessionTimeout)
	}
	g := co.find(name)
	if g == nil && r.memberID != "" {
		return refuse(errUnknownMemberID)
	}
	if g == nil {
		g = co.get(name)
	}
	if g == nil {
		return refuse(errGroupMaxSizeReached)
	}
	return g.joinGroup(r)
}

// delete removes an empty group with its commits.
func (co *coordinator) delete(name string) int16 {
	g := co.find(name)
	if g == nil {
		return errGroupIDNotFound
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state == groupDead:
		return errGroupIDNotFound
	case g.kept:
		return errGroupDenied
	case g.state != groupEmpty || len(g.members) > 0:
		return errNonEmptyGroup
	}
	if err := co.meta.do(metaRecord{GroupDelete: &name}); err != nil {
		co.log.Error("group not deleted", "group", name, "error", err)
		return errCoordinatorNotAvailable
	}
	g.kill()
	co.mu.Lock()
	defer co.mu.Unlock()
	delete(co.groups, name)
	return errNone
}

// expire forgets the groups that were empty for longer than keep, and with them their commits.
func (co *coordinator) expire(keep time.Duration) {
	for _, g := range co.all() {
		g.mu.Lock()
		due := !g.kept && g.state == groupEmpty && time.Since(g.emptySince) > keep && !g.pins
		name := g.name
		g.mu.Unlock()
		if due && co.lastCommit(name).Before(time.Now().Add(-keep)) {
			if co.delete(name) == errNone {
				co.log.Info("group expired", "group", name)
			}
		}
	}
}

func (co *coordinator) lastCommit(name string) time.Time {
	var last int64
	for _, o := range co.meta.commits(name) {
		last = max(last, o.Time)
	}
	return time.UnixMilli(last)
}

// Keep says that the places of a group are kept elsewhere, with what was made of its records: tools can neither move nor delete them.
func (b *Broker) Keep(group string) {
	if g := b.groups.get(group); g != nil {
		g.mu.Lock()
		g.kept = true
		g.mu.Unlock()
	}
}

func (co *coordinator) stop() {
	for _, g := range co.all() {
		g.stopAll()
	}
}

// persist writes the group as it stands. The caller holds g.mu and syncs the mark before it tells anyone.
func (g *group) persist() (journal.Mark, error) {
	r := groupRecord{
		Name: g.name, ProtocolType: g.protocolType, Protocol: g.protocol, Generation: g.generation, Leader: g.leader, Pins: g.pins,
	}
	if len(g.members) == 0 {
		r.EmptySince = g.emptySince.UnixMilli()
	}
	for _, m := range g.ordered() {
		r.Members = append(r.Members, memberRecord{
			ID: m.id, Instance: m.instance, ClientID: m.clientID, Host: m.host, SessionMs: m.session.Milliseconds(),
			PatienceMs: m.patience.Milliseconds(), Metadata: m.metadata(g.protocol), Assignment: m.assignment, Embedded: m.embedded != nil,
		})
	}
	mark, err := g.co.meta.append(metaRecord{Group: &r})
	if err != nil {
		g.co.log.Error("group not written", "group", g.name, "error", err)
	}
	return mark, err
}

// newMemberID is the client's id and 16 random bytes, so that no two lives of a member are the same.
func newMemberID(clientID string) string {
	var b [16]byte
	rand.Read(b[:])
	if len(clientID) > 200 {
		clientID = clientID[:200]
	}
	return clientID + "-" + hex.EncodeToString(b[:])
}
