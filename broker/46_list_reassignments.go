package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// handleListReassignments: nothing moves on one broker.
func handleListReassignments(_ *conn, kreq kmsg.Request) answer {
	resp := kreq.ResponseKind().(*kmsg.ListPartitionReassignmentsResponse)
	resp.Topics = []kmsg.ListPartitionReassignmentsResponseTopic{}
	return ready(resp)
}
