package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDescribeCluster(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeClusterRequest)
	resp := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	host, port := c.address()
	broker := kmsg.NewDescribeClusterResponseBroker()
	broker.NodeID, broker.Host, broker.Port = nodeID, host, port
	resp.ClusterID, resp.ControllerID, resp.EndpointType = c.b.meta.clusterID(), nodeID, 1
	resp.Brokers = []kmsg.DescribeClusterResponseBroker{broker}
	resp.ClusterAuthorizedOperations = unasked
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = c.operations(acl.Cluster, acl.ClusterName)
	}
	return ready(resp)
}
