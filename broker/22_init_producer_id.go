package broker

import "github.com/twmb/franz-go/pkg/kmsg"

func handleInitProducerID(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.InitProducerIDRequest)
	resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if req.TransactionalID != nil { // no coordinator was ever named for it
		resp.ErrorCode = errInvalidRequest
		return ready(resp)
	}
	id, err := c.b.meta.producerID()
	if err != nil {
		c.b.log.Error("producer id not given", "error", err)
		resp.ErrorCode = errCoordinatorNotAvailable
		return ready(resp)
	}
	resp.ProducerID, resp.ProducerEpoch = id, 0
	return ready(resp)
}
