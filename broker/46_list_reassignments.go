package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleListReassignments: nothing moves on one broker.
func handleListReassignments(c *conn, kreq kmsg.Request) answer {
	resp := kreq.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	resp.Topics = []kmsg.ListPartitionReassignmentsResponseTopic{}
	resp.ErrorCode = denied(c.mayCluster(acl.Describe), errClusterDenied)
	return ready(resp)
}
