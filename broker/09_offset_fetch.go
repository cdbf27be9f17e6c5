package broker

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleOffsetFetch gives commits. A group that never was has none, which is no error.
func handleOffsetFetch(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.OffsetFetchRequest)
	resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	if req.Version < 8 {
		var want []wantedOffsets
		for _, t := range req.Topics {
			want = append(want, wantedOffsets{t.Topic, t.Partitions})
		}
		if req.Topics == nil {
			want = c.b.allOffsets(req.Group)
		}
		resp.Topics = c.b.fetchOffsets(req.Group, want, req.RequireStable)
		return ready(resp)
	}
	for _, rg := range req.Groups {
		var want []wantedOffsets
		for _, t := range rg.Topics {
			want = append(want, wantedOffsets{t.Topic, t.Partitions})
		}
		if rg.Topics == nil {
			want = c.b.allOffsets(rg.Group)
		}
		out := kmsg.NewOffsetFetchResponseGroup()
		out.Group, out.Topics = rg.Group, []kmsg.OffsetFetchResponseGroupTopic{}
		for _, t := range c.b.fetchOffsets(rg.Group, want, req.RequireStable) {
			ot := kmsg.NewOffsetFetchResponseGroupTopic()
			ot.Topic, ot.Partitions = t.Topic, []kmsg.OffsetFetchResponseGroupTopicPartition{}
			for _, p := range t.Partitions {
				op := kmsg.NewOffsetFetchResponseGroupTopicPartition()
				op.Partition, op.Offset, op.LeaderEpoch, op.Metadata, op.ErrorCode = p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode
				ot.Partitions = append(ot.Partitions, op)
			}
			out.Topics = append(out.Topics, ot)
		}
		resp.Groups = append(resp.Groups, out)
	}
	return ready(resp)
}

// wantedOffsets is partitions of a topic whose commits are asked for.
type wantedOffsets struct {
	topic      string
	partitions []int32
}

// allOffsets is every partition that a group has committed.
func (b *Broker) allOffsets(group string) []wantedOffsets {
	byTopic := map[string][]int32{}
	for p := range b.meta.commits(group) {
		if t := b.topics.getID(p.topic); t != nil {
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
func (b *Broker) fetchOffsets(group string, want []wantedOffsets, stable bool) []kmsg.OffsetFetchResponseTopic {
	out := []kmsg.OffsetFetchResponseTopic{}
	for _, w := range want {
		ot := kmsg.NewOffsetFetchResponseTopic()
		ot.Topic, ot.Partitions = w.topic, []kmsg.OffsetFetchResponseTopicPartition{}
		t := b.topics.get(w.topic)
		for _, n := range w.partitions {
			op := kmsg.NewOffsetFetchResponseTopicPartition()
			op.Partition, op.Offset, op.LeaderEpoch, op.Metadata = n, -1, -1, kmsg.StringPtr("")
			if t != nil && stable && b.txns.pending(group, place{t.id, n}) {
				op.ErrorCode = errUnstableOffsetCommit
			} else if t != nil {
				if o, ok := b.meta.committed(group, place{t.id, n}); ok {
					op.Offset, op.LeaderEpoch, op.Metadata = o.Offset, o.Epoch, &o.Metadata
				}
			}
			ot.Partitions = append(ot.Partitions, op)
		}
		out = append(out, ot)
	}
	return out
}
