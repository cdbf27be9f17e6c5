package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleFindCoordinator names this broker for every group (type 0) and every transactional id (type 1).
func handleFindCoordinator(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	host, port := c.address()
	if req.CoordinatorType == 0 {
		c.b.showOffsetsTopic()
	}
	find := func(key string) (int16, *string) { return c.mayFind(req.CoordinatorType, key) }
	if req.Version < 4 {
		code, why := find(req.CoordinatorKey)
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = code, why, nodeID, host, port
		if code != errNone {
			resp.NodeID, resp.Host, resp.Port = -1, "", -1
		}
		return ready(resp)
	}
	for _, key := range req.CoordinatorKeys {
		code, why := find(key)
		out := kmsg.NewFindCoordinatorResponseCoordinator()
		out.Key, out.ErrorCode, out.ErrorMessage, out.NodeID, out.Host, out.Port = key, code, why, nodeID, host, port
		if code != errNone {
			out.NodeID, out.Host, out.Port = -1, "", -1
		}
		resp.Coordinators = append(resp.Coordinators, out)
	}
	return ready(resp)
}

// offsetsTopic is where Kafka keeps the commits of groups. Here they are in the meta journal; an empty topic of the name is listed, as
// internal, from the first time a client looks for a group's coordinator, because clients and tools look for it. Nobody can write to it.
const offsetsTopic = "__consumer_offsets"

func (b *Broker) showOffsetsTopic() {
	if b.topics.get(offsetsTopic) != nil {
		return
	}
	if _, terr := b.createTopic(newTopic{name: offsetsTopic, partitions: 1}); terr != nil && terr.code != errTopicExists {
		b.log.Warn("topic not created", "topic", offsetsTopic, "error", terr)
	}
}

// mayFind says whether the client may know who coordinates a group or a transactional id.
func (c *conn) mayFind(kind int8, key string) (int16, *string) {
	switch {
	case kind < 0 || kind > 1:
		return errInvalidRequest, kmsg.StringPtr("groups and transactions have coordinators")
	case kind == 0 && !c.may(acl.Describe, acl.Group, key):
		return errGroupDenied, nil
	case kind == 1 && !c.may(acl.Describe, acl.TransactionalID, key):
		return errTransactionalIDDenied, nil
	}
	return errNone, nil
}
