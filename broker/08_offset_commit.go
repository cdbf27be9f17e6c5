package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

// maxCommitMetadata is the longest note a commit may carry, in bytes.
const maxCommitMetadata = 4096

// handleOffsetCommit writes the commits of a request as one record; the answer waits for its sync.
func handleOffsetCommit(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.OffsetCommitRequest)
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	offsets := c.readCommits(req, resp)
	mark, code := journal.Mark{}, denied(c.may(acl.Read, acl.Group, req.Group), errGroupDenied)
	if code == errNone {
		mark, code = c.b.commitOffsets(req, offsets)
	}
	return func(context.Context) (reply, error) {
		if code == errNone {
			if err := c.b.meta.sync(mark); err != nil {
				c.b.log.Error("commit not durable", "group", req.Group, "error", err)
				code = errCoordinatorNotAvailable
			}
		}
		for i := range resp.Topics {
			for k := range resp.Topics[i].Partitions {
				if p := &resp.Topics[i].Partitions[k]; p.ErrorCode == errNone {
					p.ErrorCode = code
				}
			}
		}
		return reply{resp: resp}, nil
	}
}

// readCommits takes what can be committed out of a request; resp gets a place for every partition and the errors of the rest.
func (c *conn) readCommits(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) []offsetRecord {
	var out []offsetRecord
	now := nowMs()
	resp.Topics = []kmsg.OffsetCommitResponseTopic{}
	for _, rt := range req.Topics {
		ot := kmsg.NewOffsetCommitResponseTopic()
		ot.Topic, ot.TopicID, ot.Partitions = rt.Topic, rt.TopicID, []kmsg.OffsetCommitResponseTopicPartition{}
		name, known := c.b.nameFor(rt.Topic, rt.TopicID, req.Version >= commitByIDVersion)
		t, may := c.b.topics.get(name), c.mayTopic(acl.Read, name)
		for _, rp := range rt.Partitions {
			op := kmsg.NewOffsetCommitResponseTopicPartition()
			op.Partition = rp.Partition
			epoch := int32(-1)
			if req.Version >= 6 {
				epoch = rp.LeaderEpoch
			}
			r, code := commitRecord(t, rp.Partition, rp.Offset, epoch, rp.Metadata, now)
			switch {
			case !known:
				code = errUnknownTopicID
			case !may:
				code = errTopicDenied
			}
			if op.ErrorCode = code; code == errNone {
				out = append(out, r)
			}
			ot.Partitions = append(ot.Partitions, op)
		}
		resp.Topics = append(resp.Topics, ot)
	}
	return out
}

// commitRecord checks one commit.
func commitRecord(t *topic, partition int32, offset int64, epoch int32, metadata *string, now int64) (offsetRecord, int16) {
	switch {
	case t == nil || t.partition(partition) == nil:
		return offsetRecord{}, errUnknownTopicOrPartition
	case metadata != nil && len(*metadata) > maxCommitMetadata:
		return offsetRecord{}, errOffsetMetadataTooLarge
	}
	r := offsetRecord{Topic: t.id, Partition: partition, Offset: offset, Epoch: epoch, Time: now}
	if metadata != nil {
		r.Metadata = *metadata
	}
	return r, errNone
}

func (b *Broker) commitOffsets(req *kmsg.OffsetCommitRequest, offsets []offsetRecord) (journal.Mark, int16) {
	if req.Group == "" {
		return journal.Mark{}, errInvalidGroupID
	}
	from := commitFrom{memberID: req.MemberID, instance: req.InstanceID, generation: req.Generation}
	if req.Version == 0 {
		from.generation = -1
	}
	g := b.groups.find(req.Group)
	switch {
	case g == nil && from.generation >= 0:
		return journal.Mark{}, errIllegalGeneration
	case g == nil:
		g = b.groups.get(req.Group)
	}
	if g == nil {
		return journal.Mark{}, errGroupMaxSizeReached
	}
	return g.commit(from, offsets)
}
