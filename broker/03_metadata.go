package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleMetadata(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.MetadataRequest)
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	host, port := c.address()
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = nodeID, host, port
	resp.Brokers = append(resp.Brokers, broker)
	cluster := c.b.meta.clusterID()
	resp.ClusterID, resp.ControllerID = &cluster, nodeID
	resp.AuthorizedOperations = unasked
	if req.IncludeClusterAuthorizedOperations {
		resp.AuthorizedOperations = c.operations(acl.Cluster, acl.ClusterName)
	}
	resp.Topics = []kmsg.MetadataResponseTopic{}
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.b.topics.all() {
			if c.mayTopic(acl.Describe, t.name) {
				resp.Topics = append(resp.Topics, c.describeTopic(t, req))
			}
		}
		return ready(resp)
	}
	for _, rt := range req.Topics {
		resp.Topics = append(resp.Topics, c.metadataTopic(rt, req))
	}
	return ready(resp)
}

// metadataTopic finds one topic by name or id, and makes it when the request allows; before version 4 every request does.
func (c *conn) metadataTopic(rt kmsg.MetadataRequestTopic, req *kmsg.MetadataRequest) kmsg.MetadataResponseTopic {
	out := kmsg.NewMetadataResponseTopic()
	out.Topic, out.TopicID, out.AuthorizedOperations = rt.Topic, rt.TopicID, unasked
	out.Partitions = []kmsg.MetadataResponseTopicPartition{}
	if rt.Topic == nil {
		t := c.b.topics.getID(rt.TopicID)
		switch {
		case t == nil:
			out.ErrorCode = errUnknownTopicID
			return out
		case !c.mayTopic(acl.Describe, t.name):
			out.ErrorCode = errTopicDenied
			return out
		}
		return c.describeTopic(t, req)
	}
	if !c.mayTopic(acl.Describe, *rt.Topic) {
		out.ErrorCode = errTopicDenied
		return out
	}
	create := req.AllowAutoTopicCreation || req.Version < 4
	if create && c.b.cfg.AutoCreate && c.b.topics.get(*rt.Topic) == nil && !c.mayCreate(*rt.Topic) {
		out.ErrorCode = errTopicDenied
		return out
	}
	t, terr := c.b.topicFor(*rt.Topic, create)
	if terr != nil {
		out.ErrorCode = terr.code
		if !topicName.MatchString(*rt.Topic) {
			out.ErrorCode = errInvalidTopic
		}
		return out
	}
	return c.describeTopic(t, req)
}

func (c *conn) describeTopic(t *topic, req *kmsg.MetadataRequest) kmsg.MetadataResponseTopic {
	out := kmsg.NewMetadataResponseTopic()
	out.Topic, out.TopicID, out.AuthorizedOperations, out.IsInternal = kmsg.StringPtr(t.name), t.id, unasked, t.name == offsetsTopic
	if req.IncludeTopicAuthorizedOperations {
		out.AuthorizedOperations = c.operations(acl.Topic, t.name)
	}
	for _, p := range t.partitions() {
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.Partition, mp.Leader, mp.LeaderEpoch = p.n, nodeID, leaderEpoch
		mp.Replicas, mp.ISR, mp.OfflineReplicas = []int32{nodeID}, []int32{nodeID}, []int32{}
		if p.offline != nil {
			mp.ErrorCode, mp.OfflineReplicas = errStorage, []int32{nodeID}
		}
		out.Partitions = append(out.Partitions, mp)
	}
	return out
}
