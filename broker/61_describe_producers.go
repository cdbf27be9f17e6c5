package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDescribeProducers(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeProducersRequest)
	resp := req.ResponseKind().(*kmsg.DescribeProducersResponse)
	resp.Topics = []kmsg.DescribeProducersResponseTopic{}
	for _, rt := range req.Topics {
		out := kmsg.NewDescribeProducersResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.DescribeProducersResponseTopicPartition{}
		for _, n := range rt.Partitions {
			op := kmsg.NewDescribeProducersResponseTopicPartition()
			op.Partition, op.ActiveProducers = n, []kmsg.DescribeProducersResponseTopicPartitionActiveProducer{}
			p, code := c.partition(acl.Read, rt.Topic, n)
			if op.ErrorCode = code; code == errNone {
				p.describeProducers(&op)
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}

func (p *partition) describeProducers(out *kmsg.DescribeProducersResponseTopicPartition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, pr := range p.producers {
		o := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		o.ProducerID, o.ProducerEpoch, o.LastTimestamp = id, int32(pr.Epoch), pr.Used
		o.LastSequence, o.CoordinatorEpoch, o.CurrentTxnStartOffset = -1, -1, -1
		if len(pr.Batches) > 0 {
			o.LastSequence = pr.Batches[len(pr.Batches)-1].Last
		}
		if first, open := p.txns.open[id]; open {
			o.CurrentTxnStartOffset, o.CoordinatorEpoch = first, coordinatorEpoch
		}
		out.ActiveProducers = append(out.ActiveProducers, o)
	}
}
