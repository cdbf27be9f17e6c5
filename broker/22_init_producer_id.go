package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleInitProducerID gives an idempotent producer its id, or begins the life of a transactional one.
func handleInitProducerID(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.InitProducerIDRequest)
	if code := c.mayInit(req); code != errNone {
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = -1, -1, code
		return ready(resp)
	}
	if req.TransactionalID != nil {
		return answered(func() kmsg.Response { return c.b.initTransactional(req) })
	}
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	id, err := c.b.meta.producerID()
	if err != nil {
		c.b.log.Error("producer id not given", "error", err)
		resp.ErrorCode = errCoordinatorNotAvailable
		return ready(resp)
	}
	resp.ProducerID, resp.ProducerEpoch = id, 0
	return ready(resp)
}

func (c *conn) mayInit(req *kmsg.InitProducerIDRequest) int16 {
	if req.TransactionalID != nil {
		return denied(c.may(acl.Write, acl.TransactionalID, *req.TransactionalID), errTransactionalIDDenied)
	}
	return denied(c.mayWriteSomewhere(), errClusterDenied)
}

func (b *Broker) initTransactional(req *kmsg.InitProducerIDRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	r := initRequest{id: *req.TransactionalID, timeout: time.Duration(req.TransactionTimeoutMillis) * time.Millisecond, producer: -1, epoch: -1}
	if req.Version >= 3 {
		r.producer, r.epoch = req.ProducerID, req.ProducerEpoch
	}
	producer, epoch, code := b.txns.init(r)
	resp.ProducerID, resp.ProducerEpoch, resp.ErrorCode = producer, epoch, olderFence(code, req.Version >= 4)
	return resp
}
