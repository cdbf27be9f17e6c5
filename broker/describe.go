package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicInfo tells of a topic for people: counts since the start of the process, sizes and positions as of now.
type TopicInfo struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	Configs    map[string]string `json:"configs,omitempty"` // what was set for this topic
	In         int64             `json:"in"`                // records appended since the start
	InBytes    int64             `json:"in_bytes"`
	Out        int64             `json:"out"` // records read since the start, by all groups and clients
	OutBytes   int64             `json:"out_bytes"`
	Bytes      int64             `json:"bytes"` // on disk
	Partitions []PartitionInfo   `json:"partitions"`
	Groups     []GroupLag        `json:"groups"`
}

// PartitionInfo tells of a partition. Low is the first offset kept, High the next one to be written and synced.
type PartitionInfo struct {
	ID      int32          `json:"id"`
	Low     int64          `json:"low"`
	High    int64          `json:"high"`
	Bytes   int64          `json:"bytes"`
	In      int64          `json:"in"`
	InBytes int64          `json:"in_bytes"`
	Holes   int            `json:"holes,omitempty"` // places with bad bytes
	Error   string         `json:"error,omitempty"` // why it cannot be used
	Groups  []PartitionLag `json:"groups"`
}

// PartitionLag is how far a group is in a partition.
type PartitionLag struct {
	Name      string `json:"name"`
	Committed int64  `json:"committed"` // next offset to read; -1 without a commit
	Lag       int64  `json:"lag"`       // records
	LagMs     int64  `json:"lag_ms"`    // age of the oldest unread record
	Member    string `json:"member,omitempty"`
}

// GroupLag is a group's part of one topic.
type GroupLag struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	Members int    `json:"members"`
	Lag     int64  `json:"lag"`
	LagMs   int64  `json:"lag_ms"`
}

// GroupInfo tells of a consumer group.
type GroupInfo struct {
	Name       string       `json:"name"`
	State      string       `json:"state"`
	Protocol   string       `json:"protocol,omitempty"`
	Generation int32        `json:"generation"`
	Pins       bool         `json:"pins"` // retention keeps what it has not read
	Members    []MemberInfo `json:"members"`
	Topics     []GroupLag   `json:"topics"` // Name is the topic's
	Lag        int64        `json:"lag"`
	LagMs      int64        `json:"lag_ms"`
}

// MemberInfo tells of a group member.
type MemberInfo struct {
	ID         string             `json:"id"`
	ClientID   string             `json:"client_id"`
	Host       string             `json:"host"`
	Instance   string             `json:"instance,omitempty"`
	Embedded   bool               `json:"embedded,omitempty"`
	Partitions map[string][]int32 `json:"partitions,omitempty"`
}

// Stats are the broker's own counts since the start, and what is now.
type Stats struct {
	Requests     int64           `json:"requests"`
	BadConns     int64           `json:"bad_connections"` // closed because of what they sent
	FailedLogins int64           `json:"failed_logins"`
	Connections  int             `json:"connections"`
	Members      int             `json:"embedded_members"`
	Refused      map[int16]int64 `json:"refused,omitempty"` // produces refused, by error code
	Unread       int64           `json:"unread_deleted"`    // records removed that a pinning group had not read
	SlabBytes    int64           `json:"slab_bytes"`        // pooled buffers in use
	DiskFull     bool            `json:"disk_full"`         // producers are refused: disk floor
	Poisoned     int             `json:"poisoned"`          // journals that wait for reopening after a failed sync
	Offline      int             `json:"offline"`           // partitions that did not open
	Syncs        int64           `json:"syncs"`             // waits for durability
	SyncSeconds  float64         `json:"sync_seconds"`      // time they took, all together
	ClusterID    string          `json:"cluster_id"`
	Transactions int             `json:"transactions"` // that have not ended
	TopicCount   int             `json:"topics"`
	PartitionSum int             `json:"partitions"`
}

// Stats tells the broker's own figures.
func (b *Broker) Stats() Stats {
	s := Stats{
		Requests: b.counters.requests.Load(), BadConns: b.counters.badConns.Load(), FailedLogins: b.counters.failedLogins.Load(), Refused: b.counters.refusals(),
		Unread: b.counters.unread.Load(), SlabBytes: b.pool.InUse(), DiskFull: b.full.Load(), ClusterID: b.meta.clusterID(),
		Syncs: b.counters.syncs.Load(), SyncSeconds: time.Duration(b.counters.syncNanos.Load()).Seconds(),
	}
	if b.meta.poisoned() {
		s.Poisoned++
	}
	for _, t := range b.topics.all() {
		s.TopicCount++
		for _, p := range t.partitions() {
			s.PartitionSum++
			switch {
			case p.offline != nil:
				s.Offline++
			case p.j.Poisoned() != nil:
				s.Poisoned++
			}
		}
	}
	for _, t := range b.txns.all() {
		t.mu.Lock()
		if t.rec.State == txnOngoing || t.rec.State.prepared() {
			s.Transactions++
		}
		t.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Connections, s.Members = len(b.conns), len(b.members)
	return s
}

// Topics tells of all topics, by name.
func (b *Broker) Topics() []TopicInfo {
	groups := b.lags()
	out := []TopicInfo{}
	for _, t := range b.topics.all() {
		info := TopicInfo{Name: t.name, ID: t.id.String(), Configs: t.config.Load().set, Groups: []GroupLag{}}
		for _, p := range t.partitions() {
			pi := p.info()
			info.In += pi.In
			info.InBytes += pi.InBytes
			info.Out += p.fetchedRecords.Load()
			info.OutBytes += p.fetchedBytes.Load()
			info.Bytes += pi.Bytes
			for _, g := range groups {
				if lag, ok := g.parts[place{t.id, p.n}]; ok {
					pi.Groups = append(pi.Groups, lag)
				}
			}
			info.Partitions = append(info.Partitions, pi)
		}
		for _, g := range groups {
			if lag, ok := g.topics[t.name]; ok {
				info.Groups = append(info.Groups, GroupLag{g.info.Name, g.info.State, len(g.info.Members), lag.Lag, lag.LagMs})
			}
		}
		out = append(out, info)
	}
	return out
}

func (p *partition) info() PartitionInfo {
	pi := PartitionInfo{ID: p.n, In: p.appendedRecords.Load(), InBytes: p.appendedBytes.Load(), Groups: []PartitionLag{}}
	if p.offline != nil {
		pi.Error = p.offline.Error()
		return pi
	}
	pi.Low, pi.High, pi.Bytes, pi.Holes = p.j.Start(), p.j.DurableEnd(), p.j.Size(), len(p.j.Recovered().Holes)
	if err := p.j.Poisoned(); err != nil {
		pi.Error = err.Error()
	}
	return pi
}

// Groups tells of all consumer groups, by name.
func (b *Broker) Groups() []GroupInfo {
	out := []GroupInfo{}
	for _, g := range b.lags() {
		for name, lag := range g.topics {
			lag.Name = name
			g.info.Topics = append(g.info.Topics, lag)
			g.info.Lag += lag.Lag
			g.info.LagMs = max(g.info.LagMs, lag.LagMs)
		}
		slices.SortFunc(g.info.Topics, func(a, b GroupLag) int { return cmp.Compare(a.Name, b.Name) })
		out = append(out, g.info)
	}
	return out
}

// groupLags is a group with where it is in each partition.
type groupLags struct {
	info   GroupInfo
	parts  map[place]PartitionLag
	topics map[string]GroupLag
}

// lags works out the lag of every group in every partition that it has committed or reads.
func (b *Broker) lags() []groupLags {
	var out []groupLags
	for _, g := range b.groups.all() {
		info := g.info()
		if info.State == string(groupDead) {
			continue
		}
		gl := groupLags{info: info, parts: map[place]PartitionLag{}, topics: map[string]GroupLag{}}
		for p, o := range b.meta.commits(info.Name) {
			gl.parts[p] = PartitionLag{Name: info.Name, Committed: o.Offset}
		}
		for _, m := range info.Members {
			b.addOwned(gl.parts, info.Name, m)
		}
		for at, lag := range gl.parts {
			b.measure(&gl, at, lag)
		}
		out = append(out, gl)
	}
	return out
}

// addOwned notes which member reads what, and partitions that are read but not committed yet.
func (b *Broker) addOwned(parts map[place]PartitionLag, group string, m MemberInfo) {
	for name, ns := range m.Partitions {
		t := b.topics.get(name)
		if t == nil {
			continue
		}
		for _, n := range ns {
			lag, ok := parts[place{t.id, n}]
			if !ok {
				lag = PartitionLag{Name: group, Committed: -1}
			}
			lag.Member = m.ID
			parts[place{t.id, n}] = lag
		}
	}
}

func (b *Broker) measure(gl *groupLags, at place, lag PartitionLag) {
	t := b.topics.getID(at.topic)
	if t == nil || t.partition(at.partition) == nil {
		return
	}
	p := t.partition(at.partition)
	if p.offline == nil {
		next := lag.Committed
		if next < 0 {
			next = p.j.Start()
		}
		lag.Lag, lag.LagMs = max(0, p.j.DurableEnd()-next), p.lag(next).Milliseconds()
	}
	gl.parts[at] = lag
	sum := gl.topics[t.name]
	sum.State, sum.Members = gl.info.State, len(gl.info.Members)
	sum.Lag += lag.Lag
	sum.LagMs = max(sum.LagMs, lag.LagMs)
	gl.topics[t.name] = sum
}

func (g *group) info() GroupInfo {
	g.mu.Lock()
	defer g.mu.Unlock()
	info := GroupInfo{
		Name: g.name, State: string(g.state), Protocol: g.protocol, Generation: g.generation, Pins: g.pins, Members: []MemberInfo{}, Topics: []GroupLag{},
	}
	for _, m := range g.ordered() {
		mi := MemberInfo{ID: m.id, ClientID: m.clientID, Host: m.host, Embedded: m.embedded != nil}
		if m.instance != nil {
			mi.Instance = *m.instance
		}
		if g.protocolType == "consumer" {
			mi.Partitions = assignedTo(m.assignment)
		}
		info.Members = append(info.Members, mi)
	}
	return info
}

// assignedTo reads an assignment of the consumer protocol; what is none gives nothing.
func assignedTo(assignment []byte) map[string][]int32 {
	var a kmsg.ConsumerMemberAssignment
	if len(assignment) == 0 || a.ReadFrom(assignment) != nil {
		return nil
	}
	out := map[string][]int32{}
	for _, t := range a.Topics {
		out[t.Topic] = append(out[t.Topic], t.Partitions...)
	}
	return out
}
