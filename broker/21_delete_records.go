package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

func handleDeleteRecords(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DeleteRecordsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	resp.Topics = []kmsg.DeleteRecordsResponseTopic{}
	for _, rt := range req.Topics {
		out := kmsg.NewDeleteRecordsResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.DeleteRecordsResponseTopicPartition{}
		for _, rp := range rt.Partitions {
			op := kmsg.NewDeleteRecordsResponseTopicPartition()
			op.Partition = rp.Partition
			op.LowWatermark, op.ErrorCode = -1, denied(c.mayTopic(acl.Delete, rt.Topic), errTopicDenied)
			if op.ErrorCode == errNone {
				op.LowWatermark, op.ErrorCode = c.b.deleteRecords(rt.Topic, rp.Partition, rp.Offset)
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}

// deleteRecords moves the start of a partition; -1 is the durable end.
func (b *Broker) deleteRecords(name string, n int32, before int64) (low int64, code int16) {
	p, code := b.findPartition(name, n)
	if code != errNone {
		return -1, code
	}
	if before == -1 {
		before = p.j.DurableEnd()
	}
	if before < 0 {
		return -1, errOffsetOutOfRange
	}
	low, err := p.j.Trim(before)
	switch {
	case errors.Is(err, journal.ErrOutOfRange):
		return -1, errOffsetOutOfRange
	case err != nil:
		b.log.Error("records not deleted", "partition", p.dir, "before", before, "error", err)
		return -1, errStorage
	}
	return low, errNone
}
