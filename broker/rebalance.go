package broker

import (
	"maps"
	"slices"
	"time"
)

// prepare starts a rebalance: everybody has to join again within the longest rebalance timeout.
func (g *group) prepare() {
	for _, m := range g.members {
		if m.sync != nil {
			m.sync <- syncAnswer{code: errRebalanceInProgress}
			m.sync = nil
		}
		if m.join == nil && m.embedded != nil {
			m.embedded.recall()
		}
	}
	g.state = groupPreparing
	g.rebalanceTimer()
	g.maybeComplete()
}

// rebalanceTimer starts the wait for the slowest member anew.
func (g *group) rebalanceTimer() {
	var d time.Duration
	for _, m := range g.members {
		d = max(d, m.patience)
	}
	g.stopRebalance()
	seq := g.rebalanceSeq
	g.rebalance = time.AfterFunc(d, func() { g.rebalanceExpired(seq) })
}

func (g *group) stopRebalance() {
	g.rebalanceSeq++
	if g.rebalance != nil {
		g.rebalance.Stop()
		g.rebalance = nil
	}
}

// rebalanceExpired goes on without those who did not come: dynamic members leave the group, static ones stay until their session
// ends.
func (g *group) rebalanceExpired(seq int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq != g.rebalanceSeq {
		return
	}
	switch g.state {
	case groupPreparing:
		for _, m := range g.ordered() {
			if m.join == nil && m.instance == nil {
				g.drop(m)
			}
		}
		g.complete()
	case groupCompleting:
		for _, m := range g.ordered() {
			if m.sync == nil {
				g.drop(m)
			}
		}
		g.prepare()
	}
}

// maybeComplete ends the wait when everybody is there.
func (g *group) maybeComplete() {
	if g.state != groupPreparing || len(g.pending) > 0 {
		return
	}
	for _, m := range g.members {
		if m.join == nil {
			return
		}
	}
	g.complete()
}

// complete makes the next generation of those who joined and answers them.
func (g *group) complete() {
	g.stopRebalance()
	g.generation++
	if len(g.members) == 0 {
		g.becomeEmpty()
		return
	}
	g.protocol = g.vote()
	if m := g.members[g.leader]; m == nil || m.join == nil {
		g.leader = g.firstJoined()
	}
	g.state = groupCompleting
	members := g.joined()
	for _, m := range g.members {
		m.assignment = nil
		g.touch(m)
		if m.join == nil {
			continue
		}
		a := joinAnswer{generation: g.generation, protoType: g.protocolType, protocol: g.protocol, leader: g.leader, memberID: m.id}
		if m.id == g.leader {
			a.members = members
		}
		m.join <- a
		m.join = nil
		m.wake()
	}
	g.rebalanceTimer()
}

func (g *group) becomeEmpty() {
	g.state, g.leader, g.protocol = groupEmpty, "", ""
	g.emptySince = time.Now()
	g.persist()
}

// vote picks the protocol that most members prefer among those that all speak.
func (g *group) vote() string {
	votes := map[string]int{}
	for _, m := range g.members {
		for _, p := range m.protocols {
			if g.allSpeak(p.name) {
				votes[p.name]++
				break
			}
		}
	}
	best := ""
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		if best == "" || votes[name] > votes[best] {
			best = name
		}
	}
	return best
}

func (g *group) allSpeak(protocol string) bool {
	for _, m := range g.members {
		if !m.speaks(protocol) {
			return false
		}
	}
	return true
}

// firstJoined is the smallest id of those who wait in JoinGroup, any member's when nobody does.
func (g *group) firstJoined() string {
	first := ""
	for _, m := range g.ordered() {
		if m.join != nil {
			return m.id
		}
		if first == "" {
			first = m.id
		}
	}
	return first
}

// joined lists the members with their metadata for the leader, by id.
func (g *group) joined() []joinedMember {
	var out []joinedMember
	for _, m := range g.ordered() {
		out = append(out, joinedMember{m.id, m.instance, m.metadata(g.protocol)})
	}
	return out
}

func (g *group) ordered() []*groupMember {
	var out []*groupMember
	for _, id := range slices.Sorted(maps.Keys(g.members)) {
		out = append(out, g.members[id])
	}
	return out
}
