package broker

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// inBubble runs f with a broker on memory files and a clock that jumps when everybody waits. reopen ends the broker and opens it anew on
// the same files.
func inBubble(t *testing.T, f func(t *testing.T, b *Broker, reopen func() *Broker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(t)
		cfg.FS, cfg.Dir, cfg.Partitions = vfs.NewMem(), "/queue", 4
		start := func() *Broker {
			b, err := Open(cfg)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		b := start()
		end := func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
		f(t, b, func() *Broker { end(); b = start(); return b })
		end()
	})
}

// groupClient is a member that a test moves by hand.
type groupClient struct {
	t     *testing.T
	b     *Broker
	group string
	r     joinRequest
	gen   int32
}

func newGroupClient(t *testing.T, b *Broker, group string) *groupClient {
	return &groupClient{t: t, b: b, group: group, r: joinRequest{
		clientID: "c", protocolType: "consumer", session: 10 * time.Second, patience: 20 * time.Second,
		protocols: []groupProtocol{{"range", []byte("meta")}},
	}}
}

// join sends a JoinGroup; await takes its answer.
func (c *groupClient) join() <-chan joinAnswer { return c.b.groups.join(c.group, c.r) }

func (c *groupClient) await(ch <-chan joinAnswer, code int16) joinAnswer {
	c.t.Helper()
	a := <-ch
	if a.code != code {
		c.t.Fatalf("join: code %d, want %d", a.code, code)
	}
	c.r.memberID = a.memberID
	if code == errNone {
		c.gen = a.generation
	}
	return a
}

func (c *groupClient) sync(assignments map[string][]byte) <-chan syncAnswer {
	g := c.b.groups.find(c.group)
	return g.syncGroup(syncRequest{memberID: c.r.memberID, instance: c.r.instance, generation: c.gen, assignments: assignments})
}

func (c *groupClient) heartbeat() int16 {
	return c.b.groups.find(c.group).heartbeat(c.r.memberID, c.r.instance, c.gen)
}

func (c *groupClient) wantHeartbeat(code int16) {
	c.t.Helper()
	if got := c.heartbeat(); got != code {
		c.t.Fatalf("heartbeat: code %d, want %d", got, code)
	}
}

// state is the state of the group now.
func (c *groupClient) state() groupState {
	g := c.b.groups.find(c.group)
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// settle brings clients that are not in the group yet, or are being rebalanced, into one stable generation.
func settle(t *testing.T, cs ...*groupClient) {
	t.Helper()
	var joins []<-chan joinAnswer
	for _, c := range cs {
		joins = append(joins, c.join())
	}
	leader := ""
	for i, c := range cs {
		leader = c.await(joins[i], errNone).leader
	}
	assignments := map[string][]byte{}
	for _, c := range cs {
		assignments[c.r.memberID] = []byte("for " + c.r.memberID)
	}
	var syncs []<-chan syncAnswer
	for _, c := range cs {
		if c.r.memberID == leader {
			syncs = append(syncs, c.sync(assignments))
		} else {
			syncs = append(syncs, c.sync(nil))
		}
	}
	for i, c := range cs {
		a := <-syncs[i]
		if a.code != errNone || string(a.assignment) != "for "+c.r.memberID {
			t.Fatalf("sync of %s: code %d, assignment %q", c.r.memberID, a.code, a.assignment)
		}
		if err := c.b.meta.sync(a.mark); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGroupOfOne(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		c := newGroupClient(t, b, "g")
		start := time.Now()
		settle(t, c)
		if d := time.Since(start); d > 0 {
			t.Errorf("a first member waited %v", d)
		}
		c.wantHeartbeat(errNone)
		if s := c.state(); s != groupStable {
			t.Errorf("state %s", s)
		}
	})
}

func TestGroupSecondMember(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		one, two := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		settle(t, one)
		second := two.join()
		one.wantHeartbeat(errRebalanceInProgress)
		if a := <-one.sync(nil); a.code != errRebalanceInProgress {
			t.Errorf("sync in a rebalance: code %d", a.code)
		}
		first := one.join()
		a := one.await(first, errNone)
		if a.generation != 2 || a.leader != one.r.memberID || len(a.members) != 2 {
			t.Errorf("generation %d, leader %q, %d members told to the leader", a.generation, a.leader, len(a.members))
		}
		if a := two.await(second, errNone); len(a.members) != 0 || a.generation != 2 {
			t.Errorf("a follower was told %d members, generation %d", len(a.members), a.generation)
		}
		one.wantHeartbeat(errNone) // while the assignment is awaited
		one.gen--
		one.wantHeartbeat(errIllegalGeneration)
	})
}

func TestGroupRequiresID(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		c := newGroupClient(t, b, "g")
		c.r.needsID = true
		c.await(c.join(), errMemberIDRequired)
		if c.r.memberID == "" {
			t.Fatal("no id was given")
		}
		c.await(c.join(), errNone)
		late := newGroupClient(t, b, "g")
		late.r.needsID = true
		late.await(late.join(), errMemberIDRequired)
		time.Sleep(11 * time.Second) // its session
		late.await(late.join(), errUnknownMemberID)
	})
}

func TestGroupSessionEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		alive, silent := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		settle(t, alive)
		ch := silent.join()
		again := alive.join()
		silent.await(ch, errNone)
		alive.await(again, errNone)
		s1, s2 := alive.sync(map[string][]byte{}), silent.sync(nil)
		<-s1
		<-s2
		for range 4 {
			time.Sleep(3 * time.Second)
			if code := alive.heartbeat(); code == errRebalanceInProgress {
				break
			}
		}
		silent.wantHeartbeat(errUnknownMemberID)
		alive.await(alive.join(), errNone)
	})
}

func TestGroupRebalanceTimeout(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		stuck, other := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		stuck.r.session = time.Hour / 2
		settle(t, stuck)
		start := time.Now()
		a := other.await(other.join(), errNone) // stuck never comes
		if d := time.Since(start); d != 20*time.Second {
			t.Errorf("the rebalance took %v, want the rebalance timeout of 20 s", d)
		}
		if a.leader != other.r.memberID || len(a.members) != 1 {
			t.Errorf("leader %q with %d members", a.leader, len(a.members))
		}
		stuck.wantHeartbeat(errUnknownMemberID)
	})
}

func TestGroupLeaderNeverSyncs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		leader, other := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		leader.r.session, other.r.session = time.Hour/2, time.Hour/2
		settle(t, leader)
		ch := other.join()
		leader.await(leader.join(), errNone)
		other.await(ch, errNone)
		start := time.Now()
		if a := <-other.sync(nil); a.code != errRebalanceInProgress {
			t.Errorf("sync: code %d", a.code)
		}
		if d := time.Since(start); d != 20*time.Second {
			t.Errorf("the assignment was awaited for %v", d)
		}
		leader.wantHeartbeat(errUnknownMemberID)
	})
}

func TestGroupStaticMember(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		id := "instance"
		c, follower := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		c.r.instance, c.r.needsID = &id, true
		settle(t, c)
		ch := follower.join()
		c.await(c.join(), errNone)
		follower.await(ch, errNone)
		<-c.sync(map[string][]byte{})
		<-follower.sync(nil)

		next := newGroupClient(t, b, "g")
		next.r.instance, next.r.canSkip = &id, true
		a := next.await(next.join(), errNone)
		if a.generation != c.gen || !a.skip || a.leader != next.r.memberID || len(a.members) != 2 {
			t.Errorf("restart of a static leader: generation %d of %d, skip %v, leader %q, %d members", a.generation, c.gen, a.skip, a.leader, len(a.members))
		}
		c.wantHeartbeat(errFencedInstanceID)
		next.wantHeartbeat(errNone)

		old := newGroupClient(t, b, "g") // a client that cannot skip must not think it leads
		old.r.instance = &id
		a = old.await(old.join(), errNone)
		if a.skip || a.leader == old.r.memberID || len(a.members) != 0 || a.generation != c.gen {
			t.Errorf("restart of an old static leader: skip %v, leads %v", a.skip, a.leader == old.r.memberID)
		}
		follower.wantHeartbeat(errNone)

		changed := newGroupClient(t, b, "g")
		changed.r.instance, changed.r.protocols = &id, []groupProtocol{{"range", []byte("other topics")}}
		changed.join()
		follower.wantHeartbeat(errRebalanceInProgress)
	})
}

func TestGroupProtocols(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		one, two, odd := newGroupClient(t, b, "g"), newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		one.r.protocols = []groupProtocol{{"sticky", nil}, {"range", nil}}
		two.r.protocols = []groupProtocol{{"roundrobin", nil}, {"range", nil}}
		odd.r.protocols = []groupProtocol{{"roundrobin", nil}}
		settle(t, one)
		ch := two.join()
		if a := one.await(one.join(), errNone); a.protocol != "range" {
			t.Errorf("protocol %q, want the one that both speak", a.protocol)
		}
		two.await(ch, errNone)
		odd.await(odd.join(), errInconsistentProtocol)
		odd.r.memberID, odd.r.protocols, odd.r.protocolType = "", one.r.protocols, "connect"
		odd.await(odd.join(), errInconsistentProtocol)
		for _, c := range []struct {
			group   string
			session time.Duration
			code    int16
		}{{"", 10 * time.Second, errInvalidGroupID}, {"g", time.Second, errInvalidSessionTimeout}, {"g", time.Hour, errInvalidSessionTimeout}} {
			bad := newGroupClient(t, b, c.group)
			bad.r.session = c.session
			bad.await(bad.join(), c.code)
		}
	})
}

func TestGroupCommits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		create(t, b, "t", 4)
		tp := b.topics.get("t")
		c := newGroupClient(t, b, "g")
		commit := func(from commitFrom) int16 {
			_, code := b.groups.get("g").commit(from, []offsetRecord{{Topic: tp.id, Offset: 5}})
			return code
		}
		simple := commitFrom{generation: -1}
		if code := commit(simple); code != errNone {
			t.Errorf("simple consumer, empty group: code %d", code)
		}
		ch := c.join()
		c.await(ch, errNone)
		mine := commitFrom{memberID: c.r.memberID, generation: c.gen}
		if code := commit(mine); code != errRebalanceInProgress {
			t.Errorf("before the assignment: code %d", code)
		}
		<-c.sync(nil)
		table := []struct {
			name string
			from commitFrom
			code int16
		}{
			{"member", mine, errNone},
			{"simple consumer, group with members", simple, errUnknownMemberID},
			{"old generation", commitFrom{memberID: mine.memberID, generation: mine.generation - 1}, errIllegalGeneration},
			{"unknown member", commitFrom{memberID: "who", generation: mine.generation}, errUnknownMemberID},
		}
		for _, row := range table {
			if code := commit(row.from); code != row.code {
				t.Errorf("%s: code %d, want %d", row.name, code, row.code)
			}
		}
		other := newGroupClient(t, b, "g")
		other.join()
		if code := commit(mine); code != errNone {
			t.Errorf("while others join: code %d", code)
		}
	})
}

func TestGroupDeletes(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, reopen func() *Broker) {
		c := newGroupClient(t, b, "g")
		settle(t, c)
		if code := b.groups.delete("g"); code != errNonEmptyGroup {
			t.Errorf("group with a member: code %d", code)
		}
		if code := b.groups.find("g").leave(c.r.memberID, nil); code != errNone {
			t.Errorf("leave: code %d", code)
		}
		if s := c.state(); s != groupEmpty {
			t.Errorf("state %s", s)
		}
		next := newGroupClient(t, b, "g")
		settle(t, next)
		if next.gen <= c.gen {
			t.Errorf("generation went from %d to %d", c.gen, next.gen)
		}
		b.groups.find("g").leave(next.r.memberID, nil)
		if code := b.groups.delete("g"); code != errNone {
			t.Errorf("empty group: code %d", code)
		}
		if code := b.groups.delete("g"); code != errGroupIDNotFound {
			t.Errorf("no group: code %d", code)
		}
		if b := reopen(); b.groups.find("g") != nil {
			t.Error("a deleted group came back")
		}
	})
}

// TestGroupOutlivesBroker: clients go on in their generation after a restart; a static one keeps its name; what was embedded is gone.
func TestGroupOutlivesBroker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, reopen func() *Broker) {
		create(t, b, "t", 4)
		id := "instance"
		c, static := newGroupClient(t, b, "g"), newGroupClient(t, b, "g")
		static.r.instance = &id
		settle(t, c)
		ch := static.join()
		settleWith := c.join()
		c.await(settleWith, errNone)
		static.await(ch, errNone)
		s1, s2 := c.sync(map[string][]byte{c.r.memberID: []byte("mine"), static.r.memberID: []byte("theirs")}), static.sync(nil)
		<-s1
		<-s2
		embedded, err := b.Join(context.Background(), "own", "t")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := embedded.Poll(context.Background()); err != nil {
			t.Fatal(err)
		}

		b = reopen()
		c.b, static.b = b, b
		c.wantHeartbeat(errNone)
		static.wantHeartbeat(errNone)
		if a := <-static.sync(nil); string(a.assignment) != "theirs" {
			t.Errorf("assignment after the restart is %q", a.assignment)
		}
		own := b.groups.find("own")
		if info := own.info(); len(info.Members) != 0 || info.State != string(groupEmpty) || !info.Pins {
			t.Errorf("group of an embedded member after the restart: %+v", info)
		}
		time.Sleep(11 * time.Second) // nobody says anything: both sessions end
		c.wantHeartbeat(errUnknownMemberID)
	})
}

func TestGroupExpiry(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		tp := create(t, b, "t", 1)
		for _, name := range []string{"old", "alive"} {
			if _, code := b.groups.get(name).commit(commitFrom{generation: -1}, []offsetRecord{{Topic: tp.id, Offset: 1, Time: nowMs()}}); code != errNone {
				t.Fatal(code)
			}
		}
		time.Sleep(6 * 24 * time.Hour)
		b.groups.get("alive").commit(commitFrom{generation: -1}, []offsetRecord{{Topic: tp.id, Offset: 2, Time: nowMs()}})
		time.Sleep(2 * 24 * time.Hour)
		b.groups.expire(b.cfg.OffsetsRetention)
		if b.groups.find("old") != nil {
			t.Error("a group without commits for 8 days is kept")
		}
		if _, ok := b.meta.committed("alive", place{tp.id, 0}); !ok {
			t.Error("commits of 2 days are gone")
		}
	})
}

// TestGroupEmbeddedNeverPolls: a member of this process that does not poll holds a rebalance up for a minute, then loses its place, and
// comes back when it polls again.
func TestGroupEmbeddedNeverPolls(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		ctx := context.Background()
		create(t, b, "t", 4)
		asleep, err := b.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := asleep.Poll(ctx); err != nil {
			t.Fatal(err)
		}
		awake, err := b.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for len(awake.(*member).owned()["t"]) < 4 {
			if _, err := awake.Poll(ctx); err != nil {
				t.Fatal(err)
			}
			if time.Since(start) > 2*time.Minute {
				t.Fatal("the sleeper still holds the group up")
			}
		}
		if d := time.Since(start); d < 59*time.Second || d > 61*time.Second {
			t.Errorf("the rebalance took %v, want a minute", d)
		}
		for end := time.Now().Add(time.Minute); len(asleep.(*member).owned()["t"]) != 2; {
			if time.Now().After(end) {
				t.Fatalf("the sleeper has %v", asleep.(*member).owned())
			}
			for _, m := range []*member{asleep.(*member), awake.(*member)} {
				if _, err := m.Poll(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestGroupMixed: an embedded member shares a group with one that speaks the protocol by hand.
func TestGroupMixed(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, b *Broker, _ func() *Broker) {
		ctx := context.Background()
		create(t, b, "t", 4)
		own, err := b.Join(ctx, "g", "t")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := own.Poll(ctx); err != nil {
			t.Fatal(err)
		}
		alien := newGroupClient(t, b, "g")
		alien.await(alien.join(), errInconsistentProtocol) // speaks range only
		other := newMember(b, "g", []string{"t"})
		alien.r.memberID = ""
		alien.r.protocols = []groupProtocol{{"cooperative-sticky", joinMetadata(other)}, {"range", nil}}
		var got map[string][]int32
		for end := time.Now().Add(time.Minute); len(got["t"]) != 2; {
			if time.Now().After(end) {
				t.Fatalf("the outsider has %v", got)
			}
			joined := whilePolling(t, own, alien.join())
			if joined.code != errNone || joined.protocol != "cooperative-sticky" {
				t.Fatalf("join: code %d, protocol %q", joined.code, joined.protocol)
			}
			alien.r.memberID, alien.gen = joined.memberID, joined.generation
			got = assignedTo(whilePolling(t, own, alien.sync(nil)).assignment) // nothing when a second rebalance came
		}
		if n := len(own.(*member).owned()["t"]); n != 2 {
			t.Errorf("the embedded member keeps %d partitions, want 2", n)
		}
	})
}

// whilePolling waits for an answer and polls a member meanwhile, so that it takes part.
func whilePolling[A any](t *testing.T, m queue.Member, ch <-chan A) A {
	t.Helper()
	for {
		select {
		case a := <-ch:
			return a
		default:
		}
		if _, err := m.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestKeptGroup: places that are kept elsewhere are moved by the group's members only.
func TestKeptGroup(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	create(t, b, "t", 1)
	b.Keep("g")
	w := dial(t, b)
	req := kmsg.NewPtrOffsetCommitRequest()
	sampleRequests()[8](req, 9)
	req.Version, req.Group = 9, "g"
	if r := ask[*kmsg.OffsetCommitResponse](w, req); r.Topics[0].Partitions[0].ErrorCode != errGroupDenied {
		t.Errorf("commit: code %d", r.Topics[0].Partitions[0].ErrorCode)
	}
	del := kmsg.NewPtrDeleteGroupsRequest()
	del.Version, del.Groups = 2, []string{"g"}
	if r := ask[*kmsg.DeleteGroupsResponse](w, del); r.Groups[0].ErrorCode != errGroupDenied {
		t.Errorf("deletion: code %d", r.Groups[0].ErrorCode)
	}
	produceLines(t, b, "t", 1, 10)
	m, err := b.Join(t.Context(), "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	recs, err := m.Poll(t.Context())
	if err != nil || len(recs) == 0 {
		t.Fatal(recs, err)
	}
	if err := m.Commit(t.Context(), []queue.Position{{Topic: "t", Offset: 5}}); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if o, ok := b.meta.committed("g", place{b.topics.get("t").id, 0}); !ok || o.Offset != 5 {
		t.Errorf("committed %+v", o)
	}
}
