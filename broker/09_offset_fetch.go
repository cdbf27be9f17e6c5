package broker

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleOffsetFetch gives commits. A group that never was has none, which is no error.
func handleOffsetFetch(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.OffsetFetchRequest)
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	if req.Version < 8 {
		if !c.may(acl.Describe, acl.Group, req.Group) {
			return ready(deniedOffsets(req, resp))
		}
		var want []wantedOffsets
		for _, t := range req.Topics {
			want = append(want, wantedOffsets{t.Topic, t.Partitions})
		}
		if req.Topics == nil {
			want = c.allOffsets(req.Group)
		}
		resp.Topics = c.fetchOffsets(req.Group, want, req.RequireStable)
		return ready(resp)
	}
	for _, rg := range req.Groups {
		if !c.may(acl.Describe, acl.Group, rg.Group) {
			out := kmsg.NewOffsetFetchResponseGroup()
			out.Group, out.ErrorCode, out.Topics = rg.Group, errGroupDenied, []kmsg.OffsetFetchResponseGroupTopic{}
			resp.Groups = append(resp.Groups, out)
			continue
		}
		var want []wantedOffsets
		for _, t := range rg.Topics {
			name, _ := c.b.nameFor(t.Topic, t.TopicID, req.Version >= commitByIDVersion) // none: told as unknown below
			want = append(want, wantedOffsets{name, t.Partitions})
		}
		if rg.Topics == nil {
			want = c.allOffsets(rg.Group)
		}
		out := kmsg.NewOffsetFetchResponseGroup()
		out.Group, out.Topics = rg.Group, []kmsg.OffsetFetchResponseGroupTopic{}
		for i, t := range c.fetchOffsets(rg.Group, want, req.RequireStable) {
			ot := kmsg.NewOffsetFetchResponseGroupTopic()
			if req.Version >= commitByIDVersion {
				ot.TopicID = c.idFor(t.Topic, rg.Topics, i)
			}
			ot.Topic, ot.Partitions = t.Topic, []kmsg.OffsetFetchResponseGroupTopicPartition{}
			for _, p := range t.Partitions {
				op := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				op.Partition, op.Offset, op.LeaderEpoch, op.Metadata, op.ErrorCode = p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode
				if req.Version >= commitByIDVersion && t.Topic == "" {
					op.ErrorCode = errUnknownTopicID
				}
				ot.Partitions = append(ot.Partitions, op)
			}
			out.Topics = append(out.Topics, ot)
		}
		resp.Groups = append(resp.Groups, out)
	}
	return ready(resp)
}

// idFor is the id that a topic of an answer has: the one that was asked for, or, where all were, its own.
func (c *conn) idFor(name string, asked []kmsg.OffsetFetchRequestGroupTopic, i int) topicID {
	if asked != nil {
		return asked[i].TopicID
	}
	if t := c.b.topics.get(name); t != nil {
		return t.id
	}
	return topicID{}
}

// deniedOffsets answers who may not know of the group; before version 2 each partition says so.
func deniedOffsets(req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse) *kmsg.OffsetFetchResponse {
	resp.ErrorCode, resp.Topics = errGroupDenied, []kmsg.OffsetFetchResponseTopic{}
	for _, t := range req.Topics {
		ot := kmsg.NewOffsetFetchResponseTopic()
		ot.Topic = t.Topic
		for _, n := range t.Partitions {
			op := kmsg.NewOffsetFetchResponseTopicPartition()
			op.Partition, op.Offset, op.LeaderEpoch, op.Metadata, op.ErrorCode = n, -1, -1, kmsg.StringPtr(""), errGroupDenied
			ot.Partitions = append(ot.Partitions, op)
		}
		resp.Topics = append(resp.Topics, ot)
	}
	return resp
}

// wantedOffsets is partitions of a topic whose commits are asked for.
type wantedOffsets struct {
	topic      string
	partitions []int32
}

// allOffsets is every partition that a group has committed.
func (c *conn) allOffsets(group string) []wantedOffsets {
	byTopic := map[string][]int32{}
	for p := range c.b.meta.commits(group) {
		if t := c.b.topics.getID(p.topic); t != nil && c.mayTopic(acl.Describe, t.name) {
			byTopic[t.name] = append(byTopic[t.name], p.partition)
		}
	}
	var out []wantedOffsets
	for name, ns := range byTopic {
		slices.Sort(ns)
		out = append(out, wantedOffsets{name, ns})
	}
	slices.SortFunc(out, func(a, b wantedOffsets) int { return cmp.Compare(a.topic, b.topic) })
	return out
}

// fetchOffsets gives commits. With stable, one that a transaction may still change is an error, on which clients ask again.
func (c *conn) fetchOffsets(group string, want []wantedOffsets, stable bool) []kmsg.OffsetFetchResponseTopic {
	out := []kmsg.OffsetFetchResponseTopic{}
	for _, w := range want {
		ot := kmsg.NewOffsetFetchResponseTopic()
		ot.Topic, ot.Partitions = w.topic, []kmsg.OffsetFetchResponseTopicPartition{}
		t := c.b.topics.get(w.topic)
		for _, n := range w.partitions {
			op := kmsg.NewOffsetFetchResponseTopicPartition()
			op.Partition, op.Offset, op.LeaderEpoch, op.Metadata = n, -1, -1, kmsg.StringPtr("")
			if !c.mayTopic(acl.Describe, w.topic) {
				op.ErrorCode = errTopicDenied
			} else if t != nil && stable && c.b.txns.pending(group, place{t.id, n}) {
				op.ErrorCode = errUnstableOffsetCommit
			} else if t != nil {
				if o, ok := c.b.meta.committed(group, place{t.id, n}); ok {
					op.Offset, op.LeaderEpoch, op.Metadata = o.Offset, o.Epoch, &o.Metadata
				}
			}
			ot.Partitions = append(ot.Partitions, op)
		}
		out = append(out, ot)
	}
	return out
}
