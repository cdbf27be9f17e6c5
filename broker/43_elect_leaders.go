package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleElectLeaders: the only broker leads already.
func handleElectLeaders(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ElectLeadersRequest)
	resp := req.ResponseKind().(*kmsg.ElectLeadersResponse)
	resp.Topics = []kmsg.ElectLeadersResponseTopic{}
	if !c.mayCluster(acl.Alter) {
		resp.ErrorCode = errClusterDenied
		return ready(resp)
	}
	for _, rt := range req.Topics {
		out := kmsg.NewElectLeadersResponseTopic()
		out.Topic, out.Partitions = rt.Topic, []kmsg.ElectLeadersResponseTopicPartition{}
		for _, n := range rt.Partitions {
			op := kmsg.NewElectLeadersResponseTopicPartition()
			op.Partition, op.ErrorCode = n, errElectionNotNeeded
			if _, code := c.b.findPartition(rt.Topic, n); code != errNone {
				op.ErrorCode = code
			}
			out.Partitions = append(out.Partitions, op)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}
