package broker

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
	"github.com/weirlog/weir/journal"
)

// produced is what became of one partition of a request: an answer to fill, and the mark it waits for.
type produced struct {
	p    *partition
	at   appended
	resp *kmsg.ProduceResponseTopicPartition
}

// handleProduce checks and appends; the answer waits for the syncs. With acks 0 there is no answer, but the sync all the same, and
// an error closes the connection, which is the only way to tell.
func handleProduce(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ProduceRequest)
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	resp.Topics = make([]kmsg.ProduceResponseTopic, len(req.Topics))
	var waits []produced
	failed := false
	for i := range req.Topics {
		rt, out := &req.Topics[i], &resp.Topics[i]
		out.Topic, out.TopicID = rt.Topic, rt.TopicID
		name, known := c.b.nameFor(rt.Topic, rt.TopicID, req.Version >= produceByIDVersion)
		out.Partitions = make([]kmsg.ProduceResponseTopicPartition, len(rt.Partitions))
		for k := range rt.Partitions {
			r := &out.Partitions[k]
			*r = kmsg.NewProduceResponseTopicPartition()
			r.Partition, r.BaseOffset, r.LogAppendTime, r.LogStartOffset = rt.Partitions[k].Partition, -1, -1, -1
			if !known {
				r.ErrorCode, failed = errUnknownTopicID, true
			} else if w, ok := c.produceOne(req, name, rt.Partitions[k].Records, r); ok {
				waits = append(waits, w)
			} else {
				failed = true
			}
		}
	}
	return func(context.Context) (reply, error) {
		for _, w := range waits {
			if !c.b.waitProduced(w) {
				failed = true
			}
		}
		switch {
		case req.Acks != 0:
			return reply{resp: resp}, nil
		case failed:
			return reply{}, errAcksZero
		}
		return reply{}, nil
	}
}

// Versions from which on topics are named by their ids.
const (
	produceByIDVersion = 13
	commitByIDVersion  = 10
)

// nameFor is the name of a topic that a request names by name or by id; false for an id that no topic has.
func (b *Broker) nameFor(name string, id topicID, byID bool) (string, bool) {
	if !byID {
		return name, true
	}
	if t := b.topics.getID(id); t != nil {
		return t.name, true
	}
	return "", false
}

// produceOne appends the records of one partition, or writes the refusal into r.
func (c *conn) produceOne(req *kmsg.ProduceRequest, name string, records []byte, r *kmsg.ProduceResponseTopicPartition) (produced, bool) {
	refuse := func(code int16, why string) (produced, bool) {
		r.ErrorCode = code
		if why != "" {
			r.ErrorMessage = &why
		}
		c.b.counters.refuse(code)
		return produced{}, false
	}
	switch {
	case req.Acks < -1 || req.Acks > 1:
		return refuse(errInvalidRequiredAcks, "")
	case req.TransactionID != nil && !c.may(acl.Write, acl.TransactionalID, *req.TransactionID):
		return refuse(errTransactionalIDDenied, "")
	case !c.mayTopic(acl.Write, name):
		return refuse(errTopicDenied, "")
	case name == offsetsTopic:
		return refuse(errInvalidTopic, "the topic is internal")
	}
	t, terr := c.b.topicFor(name, req.Version < 4 && c.mayCreate(name))
	if terr != nil {
		return refuse(terr.code, "")
	}
	p := t.partition(r.Partition)
	if p == nil {
		return refuse(errUnknownTopicOrPartition, "")
	}
	cfg := t.config.Load()
	h, records, bad := c.accept(req.Version, records, cfg, r)
	if bad != nil {
		return refuse(bad.code, bad.why)
	}
	if code := c.joinTxn(req, &h, p); code != errNone {
		return refuse(code, "")
	}
	at, code, err := p.append(&h, records, cfg)
	if err != nil && !isFull(err) && !errors.Is(err, errTopicDeleted) && !errors.Is(err, journal.ErrClosed) {
		c.b.log.Error("records not appended", "topic", name, "partition", p.n, "error", err)
	}
	if code != errNone {
		return refuse(code, "")
	}
	return produced{p, at, r}, true
}

// accept checks the records of a partition and gives them as they are kept: as a batch, in the topic's codec.
func (c *conn) accept(version int16, records []byte, cfg *topicConfig, r *kmsg.ProduceResponseTopicPartition) (h journal.Header, kept []byte, bad *badBatch) {
	if version < batchVersion {
		if records, bad = c.upConvert(records, cfg); bad != nil {
			return h, nil, bad
		}
	}
	if h, bad = checkBatch(records, cfg, version); bad != nil {
		return h, nil, bad
	}
	if cfg.compact {
		if r.ErrorRecords = c.b.keyless(&h, records); len(r.ErrorRecords) > 0 {
			return h, nil, &badBatch{errInvalidRecord, "records of a compacted topic need a key"}
		}
	}
	if cfg.codec == keepCodec || h.Codec() == cfg.codec {
		return h, records, nil
	}
	packed, err := c.b.codecs.Repack(records, h.Codec(), cfg.codec)
	if err == nil {
		h, err = journal.ParseHeader(packed)
	}
	if err != nil {
		return h, nil, &badBatch{errCorruptMessage, err.Error()}
	}
	return h, packed, nil
}

// keyless lists the records of a batch without a key.
func (b *Broker) keyless(h *journal.Header, batch []byte) []kmsg.ProduceResponseTopicPartitionErrorRecord {
	block := batch[journal.HeaderSize:]
	if h.Codec() != journal.CodecNone {
		s, opened, err := b.codecs.Open(h.Codec(), block)
		if err != nil {
			return nil // readers are told when they meet it
		}
		defer s.Release()
		block = opened
	}
	var out []kmsg.ProduceResponseTopicPartitionErrorRecord
	it := journal.RecordsIn(*h, block)
	var r journal.Record
	for it.Next(&r) {
		if r.Key == nil {
			e := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			e.RelativeOffset, e.ErrorMessage = int32(r.Offset-h.BaseOffset), kmsg.StringPtr("no key")
			out = append(out, e)
		}
	}
	return out
}

// transactionalProduce is the first version whose produce takes its partition into the transaction by itself.
const transactionalProduce = 12

// joinTxn takes the partition into the transaction of a transactional batch, in versions that do not ask for it on its own; in others it
// tells a fenced producer from one that forgot to ask.
func (c *conn) joinTxn(req *kmsg.ProduceRequest, h *journal.Header, p *partition) int16 {
	switch {
	case h.Attributes&journal.AttrTransactional == 0:
		return errNone
	case req.TransactionID == nil:
		return errInvalidRecord
	case p.allowed(h.ProducerID, h.ProducerEpoch):
		return errNone
	}
	var code int16
	if req.Version >= transactionalProduce {
		code = c.b.txns.addParts(*req.TransactionID, h.ProducerID, h.ProducerEpoch, []txnPart{{p.topic.id, p.n}})
	} else if t := c.b.txns.find(*req.TransactionID); t != nil {
		code = t.check(h.ProducerID, h.ProducerEpoch)
		t.mu.Unlock()
	}
	if code == errProducerFenced {
		return errInvalidProducerEpoch
	}
	return code
}

// waitProduced waits for the sync and fills the answer in.
func (b *Broker) waitProduced(w produced) bool {
	if err := w.p.sync(w.at.mark); err != nil {
		why := fmt.Sprintf("not durable: %v", err)
		w.resp.ErrorCode, w.resp.ErrorMessage = errStorage, &why
		b.counters.refuse(errStorage)
		return false
	}
	w.resp.BaseOffset, w.resp.LogAppendTime, w.resp.LogStartOffset = w.at.base, w.at.time, w.p.j.Start()
	return true
}
