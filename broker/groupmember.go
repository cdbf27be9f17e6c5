package broker

import (
	"bytes"
	"slices"
	"time"
)

// groupMember is one member. A member is embedded when it lives in this process: it has no session to time out.
type groupMember struct {
	id         string
	instance   *string
	clientID   string
	host       string
	session    time.Duration
	patience   time.Duration // rebalance timeout
	protocols  []groupProtocol
	assignment []byte
	embedded   *embeddedLink
	join       chan joinAnswer // not nil while the member waits for the rebalance
	sync       chan syncAnswer // not nil while the member waits for its assignment
	timer      *time.Timer
	deadline   time.Time
}

// groupProtocol is an assignor that a member speaks, with its metadata.
type groupProtocol struct {
	name     string
	metadata []byte
}

// touch starts a member's session anew.
func (g *group) touch(m *groupMember) {
	if m.embedded != nil {
		return
	}
	m.deadline = time.Now().Add(m.session)
	if m.timer == nil {
		m.timer = time.AfterFunc(m.session, func() { g.sessionEnded(m) })
	}
}

// sessionEnded removes a member that was silent for its session timeout. One that waits for the others is not silent. The timer is
// not moved by each sign of life, only when it fires too early.
func (g *group) sessionEnded(m *groupMember) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.members[m.id] != m || g.state == groupDead {
		return
	}
	if m.join != nil || m.sync != nil {
		m.deadline = time.Now().Add(m.session)
	}
	if left := time.Until(m.deadline); left > 0 {
		m.timer.Reset(left)
		return
	}
	g.remove(m)
}

func (m *groupMember) update(r joinRequest, ch chan joinAnswer) {
	m.protocols, m.session, m.patience = r.protocols, r.session, r.patience
	if m.join != nil && ch != nil {
		m.join <- joinAnswer{code: errUnknownMemberID, memberID: m.id, generation: -1} // a second join of the same member
	}
	m.join = ch
}

// fail answers what the member waits for.
func (m *groupMember) fail(code int16) {
	if m.join != nil {
		m.join <- joinAnswer{code: code, memberID: m.id, generation: -1}
		m.join = nil
	}
	if m.sync != nil {
		m.sync <- syncAnswer{code: code}
		m.sync = nil
	}
}

func (m *groupMember) stop() {
	if m.timer != nil {
		m.timer.Stop()
		m.timer = nil
	}
}

func (m *groupMember) wake() {
	if m.embedded != nil {
		m.embedded.signal()
	}
}

func (m *groupMember) speaks(protocol string) bool {
	return slices.ContainsFunc(m.protocols, func(p groupProtocol) bool { return p.name == protocol })
}

func (m *groupMember) metadata(protocol string) []byte {
	return protocolMetadata(m.protocols, protocol)
}

func protocolMetadata(ps []groupProtocol, name string) []byte {
	for _, p := range ps {
		if p.name == name {
			return p.metadata
		}
	}
	return nil
}

func (m *groupMember) sameProtocols(ps []groupProtocol) bool {
	return slices.EqualFunc(m.protocols, ps, func(a, b groupProtocol) bool {
		return a.name == b.name && bytes.Equal(a.metadata, b.metadata)
	})
}
