package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Reset says where a group is to go on.
type Reset struct {
	Topics []string `json:"topics"` // empty: every topic that the group has committed
	To     string   `json:"to"`     // start, end, an offset, a time (RFC 3339 or a date), or an age: -15m
	DryRun bool     `json:"dry_run"`
}

// Move is the old and the new place of a group in a partition.
type Move struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	From      int64  `json:"from"` // -1: there was no commit
	To        int64  `json:"to"`
}

// Reset moves a group that has no members, and tells the moves. The group need not exist when topics are named.
func (a *Admin) Reset(ctx context.Context, group string, r Reset) ([]Move, error) {
	where, err := ParsePlace(r.To, time.Now())
	if err != nil {
		return nil, err
	}
	described, err := a.adm.DescribeGroups(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("describe group %s: %w", group, translate(err))
	}
	if g := described[group]; len(g.Members) > 0 {
		return nil, fmt.Errorf("reset group %s: %w (%d); stop them first", group, ErrGroupActive, len(g.Members))
	}
	old, err := a.adm.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("offsets of group %s: %w", group, translate(err))
	}
	topics := r.Topics
	if len(topics) == 0 {
		for name := range old {
			topics = append(topics, name)
		}
	}
	if len(topics) == 0 {
		return nil, fmt.Errorf("reset group %s: %w, and no topic is named", group, ErrUnknownGroup)
	}
	slices.Sort(topics)
	var moves []Move
	commit := kadm.Offsets{}
	for _, topic := range topics {
		at, err := a.offsetsAt(ctx, topic, where)
		if err != nil {
			return nil, err
		}
		for _, p := range sortedKeys(at) {
			m := Move{Topic: topic, Partition: p, From: -1, To: at[p]}
			if o, ok := old.Lookup(topic, p); ok && o.Err == nil {
				m.From = o.At
			}
			moves = append(moves, m)
			commit.Add(kadm.Offset{Topic: topic, Partition: p, At: at[p], LeaderEpoch: -1})
		}
	}
	if r.DryRun {
		return moves, nil
	}
	if err := a.adm.CommitAllOffsets(ctx, group, commit); err != nil {
		if errors.Is(err, kerr.UnknownMemberID) {
			err = ErrGroupActive
		}
		return nil, fmt.Errorf("reset group %s: %w", group, translate(err))
	}
	return moves, nil
}

func sortedKeys(m map[int32]int64) []int32 {
	out := make([]int32, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Place is a place in partitions: the start, the end, an offset or a time.
type Place struct {
	Start, End bool
	Offset     int64
	Time       time.Time // zero: Offset counts
}

// ParsePlace reads start, oldest, end, newest, an offset, a time (RFC 3339, "2006-01-02 15:04" or a date, local when it names no zone) or
// an age such as -15m or -2d.
func ParsePlace(s string, now time.Time) (Place, error) {
	switch s {
	case "start", "oldest", "earliest":
		return Place{Start: true}, nil
	case "end", "newest", "latest":
		return Place{End: true}, nil
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		return Place{Offset: n}, nil
	}
	if age, ok := strings.CutPrefix(s, "-"); ok {
		if d, err := parseAge(age); err == nil {
			return Place{Time: now.Add(-d)}, nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return Place{Time: t}, nil
		}
	}
	return Place{}, fmt.Errorf("place %q: want start, end, an offset, a time such as 2026-01-31T14:00:00Z, or an age such as -15m", s)
}

// parseAge is time.ParseDuration with days.
func parseAge(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// offsetsAt is where a place lies in each partition of a topic: never before the start or behind the end.
func (a *Admin) offsetsAt(ctx context.Context, topic string, at Place) (map[int32]int64, error) {
	starts, err := a.adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", topic, translate(err))
	}
	ends, err := a.adm.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("offsets of topic %s: %w", topic, translate(err))
	}
	times := kadm.ListedOffsets{}
	if !at.Time.IsZero() {
		if times, err = a.adm.ListOffsetsAfterMilli(ctx, at.Time.UnixMilli(), topic); err != nil {
			return nil, fmt.Errorf("offsets of topic %s: %w", topic, translate(err))
		}
	}
	out := map[int32]int64{}
	for n, start := range starts[topic] {
		end, ok := ends.Lookup(topic, n)
		if err := firstError(start.Err, end.Err); err != nil || !ok {
			return nil, fmt.Errorf("offsets of %s-%d: %w", topic, n, translate(err))
		}
		switch {
		case at.Start:
			out[n] = start.Offset
		case at.End:
			out[n] = end.Offset
		case at.Time.IsZero():
			out[n] = min(max(at.Offset, start.Offset), end.Offset)
		default:
			out[n] = end.Offset
			if o, ok := times.Lookup(topic, n); ok && o.Err == nil && o.Offset >= 0 {
				out[n] = o.Offset
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("topic %s: %w", topic, translate(kerr.UnknownTopicOrPartition))
	}
	return out, nil
}

// firstError is the first error.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Places is where a place, as ParsePlace reads it, lies in each partition of a topic.
func (a *Admin) Places(ctx context.Context, topic, place string) (map[int32]int64, error) {
	at, err := ParsePlace(place, time.Now())
	if err != nil {
		return nil, err
	}
	return a.offsetsAt(ctx, topic, at)
}
