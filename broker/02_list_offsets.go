package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

// Timestamps that stand for a place.
const (
	atEnd       = -1
	atStart     = -2
	atMaxTime   = -3 // version 7
	atLocalPart = -4 // version 8: the start of what is on local disk, which is everything
)

func handleListOffsets(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ListOffsetsRequest)
	resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
	resp.Topics = []kmsg.ListOffsetsResponseTopic{}
	for _, rt := range req.Topics {
		out := kmsg.NewListOffsetsResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.ListOffsetsResponseTopicPartition{}
		for i := range rt.Partitions {
			out.Partitions = append(out.Partitions, c.listOffset(rt.Topic, &rt.Partitions[i], req.IsolationLevel))
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}

func (c *conn) listOffset(name string, rp *kmsg.ListOffsetsRequestTopicPartition, isolation int8) kmsg.ListOffsetsResponseTopicPartition {
	out := kmsg.NewListOffsetsResponseTopicPartition()
	out.Partition, out.Offset, out.Timestamp, out.LeaderEpoch = rp.Partition, -1, -1, -1
	p, code := c.partition(acl.Describe, name, rp.Partition)
	if code == errNone && rp.CurrentLeaderEpoch > leaderEpoch {
		code = errUnknownLeaderEpoch
	}
	if code != errNone {
		out.ErrorCode = code
		return out
	}
	var err error
	switch {
	case rp.Timestamp == atEnd && isolation == readCommitted:
		out.Offset = p.stable()
	case rp.Timestamp == atEnd:
		out.Offset = p.j.DurableEnd()
	case rp.Timestamp == atStart, rp.Timestamp == atLocalPart:
		out.Offset = p.j.Start()
	case rp.Timestamp == atMaxTime:
		out.Offset, out.Timestamp, err = p.j.OffsetOfMaxTime()
	case rp.Timestamp >= 0:
		out.Offset, out.Timestamp, err = p.j.OffsetForTime(rp.Timestamp)
	default:
		out.ErrorCode = errInvalidRequest
		return out
	}
	if err != nil {
		out.ErrorCode = errStorage
		if errors.Is(err, journal.ErrClosed) {
			out.ErrorCode = errUnknownTopicOrPartition
		}
		c.b.log.Warn("offset not found", "partition", p.dir, "time", rp.Timestamp, "error", err)
		return out
	}
	if out.Offset >= 0 {
		out.LeaderEpoch = leaderEpoch
	}
	return out
}

// findPartition finds a partition that can be used.
func (b *Broker) findPartition(name string, n int32) (*partition, int16) {
	t := b.topics.get(name)
	if t == nil {
		return nil, errUnknownTopicOrPartition
	}
	p := t.partition(n)
	switch {
	case p == nil:
		return nil, errUnknownTopicOrPartition
	case p.offline != nil:
		return nil, errStorage
	}
	return p, errNone
}
