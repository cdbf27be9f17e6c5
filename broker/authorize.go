package broker

import (
	"slices"

	"github.com/weirlog/weir/broker/acl"
)

// anonymous is who did not log in.
const anonymous = "ANONYMOUS"

// user is the name a connection acts under.
func (c *conn) user() string {
	if c.sasl.done {
		return c.sasl.user
	}
	return anonymous
}

// may says whether the client may do something to a resource.
func (c *conn) may(op, kind int8, name string) bool {
	b := c.b
	if c.trusted || !b.cfg.Authorize || slices.Contains(b.cfg.SuperUsers, c.user()) {
		return true
	}
	switch b.meta.acls().Decide("User:"+c.user(), c.host, op, kind, name) {
	case acl.Allowed:
		return true
	case acl.Unnamed:
		return b.cfg.AllowUnlisted
	}
	return false
}

func (c *conn) mayTopic(op int8, name string) bool { return c.may(op, acl.Topic, name) }

func (c *conn) mayCluster(op int8) bool { return c.may(op, acl.Cluster, acl.ClusterName) }

// denied is code when the client may not, else errNone.
func denied(may bool, code int16) int16 {
	if may {
		return errNone
	}
	return code
}

// mayWriteSomewhere says whether an idempotent producer has anything to write to.
func (c *conn) mayWriteSomewhere() bool {
	if c.mayCluster(acl.IdempotentWrite) || c.b.cfg.AllowUnlisted {
		return true
	}
	return c.b.meta.acls().Somewhere("User:"+c.user(), c.host, acl.Write, acl.Topic)
}

// mayCreate says whether the client may make a topic.
func (c *conn) mayCreate(name string) bool {
	return c.mayCluster(acl.Create) || c.mayTopic(acl.Create, name)
}

// operations is what the client may do to a resource, as bits.
func (c *conn) operations(kind int8, name string) int32 {
	var bits int32
	for _, op := range acl.Operations(kind) {
		if c.may(op, kind, name) {
			bits |= 1 << op
		}
	}
	return bits
}

// partition finds a partition for an operation that the client may do on its topic.
func (c *conn) partition(op int8, name string, n int32) (*partition, int16) {
	if !c.mayTopic(op, name) {
		return nil, errTopicDenied
	}
	return c.b.findPartition(name, n)
}

// refuseDenied is the refusal of something that the client may not do to a topic.
func refuseDenied(name string) *topicError {
	return refuseTopic(errTopicDenied, "not permitted on topic %s", name)
}
