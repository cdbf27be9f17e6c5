package broker

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func handleCreateTopics(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.CreateTopicsRequest)
	resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	resp.Topics = []kmsg.CreateTopicsResponseTopic{}
	named := map[string]int{}
	for _, rt := range req.Topics {
		named[rt.Topic]++
	}
	for i := range req.Topics {
		rt := &req.Topics[i]
		out := kmsg.NewCreateTopicsResponseTopic()
		out.Topic, out.Configs = rt.Topic, []kmsg.CreateTopicsResponseTopicConfig{}
		terr := refuseTopic(errInvalidRequest, "topic %s is named twice", rt.Topic)
		if !c.mayCreate(rt.Topic) {
			terr = refuseDenied(rt.Topic)
		} else if named[rt.Topic] == 1 {
			terr = c.b.createAsked(req, rt, &out)
		}
		out.ErrorCode, out.ErrorMessage = codeOf(terr), messageOf(terr)
		if terr != nil {
			out.NumPartitions, out.ReplicationFactor = -1, -1
		}
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}

// createAsked makes one topic of a request. Any replication factor is taken and one copy kept, since scripts from clusters say 3.
func (b *Broker) createAsked(req *kmsg.CreateTopicsRequest, rt *kmsg.CreateTopicsRequestTopic, out *kmsg.CreateTopicsResponseTopic) *topicError {
	n := newTopic{name: rt.Topic, partitions: rt.NumPartitions, configs: map[string]string{}, dryRun: req.ValidateOnly}
	if len(rt.ReplicaAssignment) > 0 {
		if rt.NumPartitions != -1 || rt.ReplicationFactor != -1 {
			return refuseTopic(errInvalidRequest, "both an assignment and counts are given")
		}
		if terr := checkAssignment(rt.ReplicaAssignment); terr != nil {
			return terr
		}
		n.partitions = int32(len(rt.ReplicaAssignment))
	} else {
		if rt.ReplicationFactor < 1 && rt.ReplicationFactor != -1 {
			return refuseTopic(errInvalidReplication, "replication factor %d, want at least 1", rt.ReplicationFactor)
		}
		if n.partitions == -1 && req.Version >= 4 {
			n.partitions = b.cfg.Partitions
		}
	}
	for _, c := range rt.Configs {
		if c.Value == nil {
			return refuseTopic(errInvalidConfig, "topic configuration %s has no value", c.Name)
		}
		n.configs[c.Name] = *c.Value
	}
	t, terr := b.createTopic(n)
	if terr != nil {
		return terr
	}
	out.NumPartitions, out.ReplicationFactor = n.partitions, 1
	if t != nil {
		out.TopicID = t.id
	}
	for _, s := range topicSettings() {
		oc := kmsg.NewCreateTopicsResponseTopicConfig()
		oc.Name, oc.Value, oc.Source = s.name, kmsg.StringPtr(s.def), int8(configSourceDefault)
		if v, ok := n.configs[s.name]; ok {
			oc.Value, oc.Source = &v, int8(configSourceTopic)
		}
		out.Configs = append(out.Configs, oc)
	}
	return nil
}

// checkAssignment wants partitions 0 to n-1, each on this broker alone.
func checkAssignment(as []kmsg.CreateTopicsRequestTopicReplicaAssignment) *topicError {
	seen := map[int32]bool{}
	for _, a := range as {
		if seen[a.Partition] || a.Partition < 0 || int(a.Partition) >= len(as) || len(a.Replicas) != 1 || a.Replicas[0] != nodeID {
			return refuseTopic(errInvalidAssignment, "partitions %v: want 0 to %d, each on broker %d", slices.Sorted(maps.Keys(seen)), len(as)-1, nodeID)
		}
		seen[a.Partition] = true
	}
	return nil
}
