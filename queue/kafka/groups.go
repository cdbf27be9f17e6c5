package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// ErrGroupActive says that a group has members, so that nobody else may move its offsets.
var ErrGroupActive = errors.New("the group has members")

// ErrUnknownGroup says that there is no such group.
var ErrUnknownGroup = errors.New("no such group")

// Group tells of a consumer group.
type Group struct {
	Name     string     `json:"name"`
	State    string     `json:"state"`
	Protocol string     `json:"protocol"`
	Members  int        `json:"members"`
	Lag      int64      `json:"lag"`    // records, of all partitions
	LagMs    int64      `json:"lag_ms"` // age of the oldest record that is not read
	Topics   []GroupSum `json:"topics"`
	Error    string     `json:"error,omitempty"`
}

// GroupSum is one topic's part of a group's lag.
type GroupSum struct {
	Topic string `json:"topic"`
	Lag   int64  `json:"lag"`
	LagMs int64  `json:"lag_ms"`
}

// GroupDetail is a group with its members and offsets.
type GroupDetail struct {
	Group
	MemberList []GroupMember `json:"member_list"`
	Offsets    []GroupOffset `json:"offsets"`
}

// GroupMember is one member.
type GroupMember struct {
	ID         string             `json:"id"`
	Instance   string             `json:"instance,omitempty"`
	ClientID   string             `json:"client_id"`
	Host       string             `json:"host"`
	Partitions map[string][]int32 `json:"partitions"`
}

// GroupOffset is how far a group is in a partition.
type GroupOffset struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"` // next offset to read; -1 without a commit
	Low       int64  `json:"low"`
	High      int64  `json:"high"`
	Lag       int64  `json:"lag"` // -1 when it is not known
	LagMs     int64  `json:"lag_ms"`
	Metadata  string `json:"metadata,omitempty"`
	Member    string `json:"member,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Groups tells of all groups, by name.
func (a *Admin) Groups(ctx context.Context) ([]Group, error) {
	details, err := a.groups(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Group, len(details))
	for i := range details {
		out[i] = details[i].Group
	}
	return out, nil
}

// Group tells of one group; ErrUnknownGroup when there is none.
func (a *Admin) Group(ctx context.Context, name string) (GroupDetail, error) {
	details, err := a.groups(ctx, name)
	if err != nil {
		return GroupDetail{}, err
	}
	if len(details) == 0 || details[0].State == "Dead" && len(details[0].Offsets) == 0 {
		return GroupDetail{}, fmt.Errorf("group %s: %w", name, ErrUnknownGroup)
	}
	return details[0], nil
}

func (a *Admin) groups(ctx context.Context, names ...string) ([]GroupDetail, error) {
	lags, err := a.adm.Lag(ctx, names...)
	if err != nil && len(lags) == 0 {
		if errors.Is(err, kerr.GroupIDNotFound) {
			return nil, nil
		}
		return nil, fmt.Errorf("describe groups: %w", translate(err))
	}
	wanted := map[tp]map[int64]bool{} // offsets whose records' times are wanted
	out := make([]GroupDetail, 0, len(lags))
	for _, l := range lags.Sorted() {
		if errors.Is(l.DescribeErr, kerr.GroupIDNotFound) {
			continue
		}
		out = append(out, describeGroup(&l, wanted))
	}
	times := a.times(ctx, wanted)
	now := time.Now()
	for i := range out {
		out[i].sum(times, now)
	}
	return out, nil
}

func describeGroup(l *kadm.DescribedGroupLag, wanted map[tp]map[int64]bool) GroupDetail {
	g := GroupDetail{
		Group:      Group{Name: l.Group, State: l.State, Protocol: l.Protocol, Members: len(l.Members), Topics: []GroupSum{}},
		MemberList: []GroupMember{}, Offsets: []GroupOffset{},
	}
	if err := l.Error(); err != nil {
		g.Error = err.Error()
	}
	for _, m := range l.Members {
		gm := GroupMember{ID: m.MemberID, ClientID: m.ClientID, Host: m.ClientHost, Partitions: map[string][]int32{}}
		if m.InstanceID != nil {
			gm.Instance = *m.InstanceID
		}
		if c, ok := m.Assigned.AsConsumer(); ok {
			for _, t := range c.Topics {
				gm.Partitions[t.Topic] = t.Partitions
			}
		}
		g.MemberList = append(g.MemberList, gm)
	}
	for _, p := range l.Lag.Sorted() {
		o := GroupOffset{Topic: p.Topic, Partition: p.Partition, Committed: p.Commit.At, Low: p.Start.Offset, High: p.End.Offset, Lag: p.Lag, Metadata: p.Commit.Metadata}
		if p.Err != nil {
			o.Error = p.Err.Error()
		}
		if p.Member != nil {
			o.Member = p.Member.MemberID
		}
		if o.Lag > 0 {
			k := tp{p.Topic, p.Partition}
			if wanted[k] == nil {
				wanted[k] = map[int64]bool{}
			}
			wanted[k][o.next()] = true
		}
		g.Offsets = append(g.Offsets, o)
	}
	return g
}

// next is the first offset that the group has to read.
func (o *GroupOffset) next() int64 { return max(o.Committed, o.Low, 0) }

// sum fills in ages and adds up.
func (g *GroupDetail) sum(times map[tp]map[int64]time.Time, now time.Time) {
	byTopic := map[string]*GroupSum{}
	for i := range g.Offsets {
		o := &g.Offsets[i]
		if at, ok := times[tp{o.Topic, o.Partition}][o.next()]; ok && o.Lag > 0 {
			o.LagMs = max(0, now.Sub(at).Milliseconds())
		}
		s := byTopic[o.Topic]
		if s == nil {
			s = &GroupSum{Topic: o.Topic}
			byTopic[o.Topic] = s
		}
		s.Lag += max(0, o.Lag)
		s.LagMs = max(s.LagMs, o.LagMs)
		g.Lag += max(0, o.Lag)
		g.LagMs = max(g.LagMs, o.LagMs)
	}
	for _, s := range byTopic {
		g.Topics = append(g.Topics, *s)
	}
	slices.SortFunc(g.Topics, func(a, b GroupSum) int { return cmp.Compare(a.Topic, b.Topic) })
}

// topicLags is every group's part of each topic.
func (a *Admin) topicLags(ctx context.Context) (map[string][]TopicLag, error) {
	groups, err := a.groups(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]TopicLag{}
	for _, g := range groups {
		for _, t := range g.Topics {
			out[t.Topic] = append(out[t.Topic], TopicLag{Group: g.Name, State: g.State, Members: g.Members, Lag: t.Lag, LagMs: t.LagMs})
		}
	}
	return out, nil
}

// DeleteGroup forgets a group without members, and its offsets.
func (a *Admin) DeleteGroup(ctx context.Context, name string) error {
	_, err := a.adm.DeleteGroup(ctx, name)
	switch {
	case errors.Is(err, kerr.NonEmptyGroup):
		err = ErrGroupActive
	case errors.Is(err, kerr.GroupIDNotFound):
		err = ErrUnknownGroup
	}
	if err != nil {
		return fmt.Errorf("delete group %s: %w", name, translate(err))
	}
	return nil
}
