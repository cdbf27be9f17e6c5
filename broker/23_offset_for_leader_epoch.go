package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleOffsetForLeaderEpoch says where an epoch ended. There is one, and it goes on: its end is the durable end.
func handleOffsetForLeaderEpoch(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.OffsetForLeaderEpochRequest)
	resp := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	resp.Topics = []kmsg.OffsetForLeaderEpochResponseTopic{}
	for _, rt := range req.Topics {
		out := kmsg.NewOffsetForLeaderEpochResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.OffsetForLeaderEpochResponseTopicPartition{}
		for _, rp := range rt.Partitions {
			op := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			op.Partition, op.LeaderEpoch, op.EndOffset = rp.Partition, -1, -1
			p, code := c.partition(acl.Describe, rt.Topic, rp.Partition)
			if code == errNone && rp.CurrentLeaderEpoch > leaderEpoch {
				code = errUnknownLeaderEpoch
			}
			if op.ErrorCode = code; code == errNone && rp.LeaderEpoch == leaderEpoch {
				op.LeaderEpoch, op.EndOffset = leaderEpoch, p.j.DurableEnd()
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}
