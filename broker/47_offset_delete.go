package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleOffsetDelete forgets commits of topics that no member of the group reads.
func handleOffsetDelete(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.OffsetDeleteRequest)
	resp := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	resp.Topics = []kmsg.OffsetDeleteResponseTopic{}
	if !c.may(acl.Delete, acl.Group, req.Group) {
		resp.ErrorCode = errGroupDenied
		return ready(resp)
	}
	g := c.b.groups.find(req.Group)
	if g == nil {
		resp.ErrorCode = errGroupIDNotFound
		return ready(resp)
	}
	g.mu.Lock()
	kept := g.kept
	g.mu.Unlock()
	if kept {
		resp.ErrorCode = errGroupDenied
		return ready(resp)
	}
	gone := offsetsRecord{Group: req.Group}
	for _, rt := range req.Topics {
		out := kmsg.NewOffsetDeleteResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.OffsetDeleteResponseTopicPartition{}
		t := c.b.topics.get(rt.Topic)
		subscribed := g.subscribed(rt.Topic)
		for _, rp := range rt.Partitions {
			op := kmsg.NewOffsetDeleteResponseTopicPartition()
			op.Partition = rp.Partition
			switch {
			case !c.mayTopic(acl.Read, rt.Topic):
				op.ErrorCode = errTopicDenied
			case t == nil:
				op.ErrorCode = errUnknownTopicOrPartition
			case subscribed:
				op.ErrorCode = errGroupSubscribed
			default:
				gone.Offsets = append(gone.Offsets, offsetRecord{Topic: t.id, Partition: rp.Partition})
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	if len(gone.Offsets) > 0 {
		if err := c.b.meta.do(metaRecord{OffsetsDelete: &gone}); err != nil {
			c.b.log.Error("commits not deleted", "group", req.Group, "error", err)
			resp.ErrorCode = errCoordinatorNotAvailable
		}
	}
	return ready(resp)
}

// subscribed reports whether a member reads a topic. A member whose metadata is no consumer's reads everything, as far as we know.
func (g *group) subscribed(topic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		for _, p := range m.protocols {
			var meta kmsg.ConsumerMemberMetadata
			if g.protocolType != "consumer" || meta.ReadFrom(p.metadata) != nil || slices.Contains(meta.Topics, topic) {
				return true
			}
		}
	}
	return false
}
