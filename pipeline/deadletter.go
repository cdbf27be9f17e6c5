package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/weirlog/weir/queue"
)

// DeadLetter says why a record could not be processed. It rides as JSON in the record's header weir-dl.
type DeadLetter struct {
	Pipeline  string          `json:"pipeline"`
	ConfHash  string          `json:"conf_hash"`
	Stage     string          `json:"stage"`  // codec, filter, output, write
	Reason    string          `json:"reason"` // codec, panic, oversize, rejected
	Plugin    string          `json:"plugin,omitempty"`
	Why       string          `json:"why,omitempty"`
	Status    int             `json:"status,omitempty"`
	Index     string          `json:"index,omitempty"`
	ID        string          `json:"id,omitempty"`
	DocK      int             `json:"doc_k"`
	Topic     string          `json:"topic,omitempty"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Time      string          `json:"time"`
	Tries     int             `json:"tries"`
	TryDoc    json.RawMessage `json:"try_doc,omitempty"` // the refused document, when it is small

	rec *queue.Record
}

const (
	deadLetterHeader = "weir-dl"
	maxTryDoc        = 64 << 10
)

// ParseDeadLetter reads what a record of the dead-letter topic says about itself; false when it says nothing. The record's key and
// value are the original's.
func ParseDeadLetter(r *queue.Record) (DeadLetter, bool) {
	for _, h := range r.Headers {
		var d DeadLetter
		if h.Key == deadLetterHeader && json.Unmarshal(h.Value, &d) == nil {
			return d, true
		}
	}
	return DeadLetter{}, false
}

// bury produces dead letters and returns when they are durable. Without a topic they are logged and counted as lost.
func (p *Pipeline) bury(ctx context.Context, letters []*DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	if p.deadLetters == nil {
		for _, d := range letters {
			p.cfg.Log.Error("record is lost: there is no topic for dead letters", "pipeline", p.cfg.ID, "stage", d.Stage, "reason", d.Reason, "why", d.Why,
				"plugin", d.Plugin, "index", d.Index)
		}
		p.stats.lost.Add(int64(len(letters)))
		return nil
	}
	recs := make([]queue.Record, len(letters))
	for i, d := range letters {
		recs[i] = p.letter(d)
	}
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		err := p.deadLetters.Produce(ctx, recs)
		if err == nil {
			break
		}
		var pe *queue.ProduceError
		if errors.As(err, &pe) {
			recs = pick(recs, pe.Failed)
		}
		var large *queue.TooLargeError
		if errors.As(err, &large) && large.Index < len(recs) && shrink(&recs[large.Index]) {
			continue
		}
		p.cfg.Log.Warn("dead letters cannot be written", "pipeline", p.cfg.ID, "records", len(recs), "err", err, "retry_in", wait)
		if !pause(ctx, wait) {
			return fmt.Errorf("write %d dead letters: %w", len(recs), err)
		}
	}
	p.stats.dead.Add(int64(len(letters)))
	for i := range letters {
		p.stats.deadBytes.Add(int64(len(letters[i].rec.Value)))
	}
	return nil
}

func (p *Pipeline) letter(d *DeadLetter) queue.Record {
	d.Pipeline, d.ConfHash = p.cfg.ID, p.current().hash
	d.Topic, d.Partition, d.Offset = d.rec.Topic, d.rec.Partition, d.rec.Offset
	d.Time = p.cfg.Now().UTC().Format(time.RFC3339Nano)
	if len(d.TryDoc) > maxTryDoc || !json.Valid(d.TryDoc) {
		d.TryDoc = nil
	}
	head, err := json.Marshal(d)
	if err != nil { // strings and numbers only: cannot happen
		head = []byte(`{}`)
	}
	return queue.Record{Topic: DeadLettersTopic, Key: d.rec.Key, Value: d.rec.Value, Time: p.cfg.Now(),
		Headers: []queue.Header{{Key: deadLetterHeader, Value: head}}}
}

// shrink takes the tried document out of a letter that is too large; a letter without one keeps the first half of its value. It
// reports whether anything was left to take.
func shrink(r *queue.Record) bool {
	var d DeadLetter
	if json.Unmarshal(r.Headers[0].Value, &d) == nil && d.TryDoc != nil {
		d.TryDoc = nil
		r.Headers[0].Value, _ = json.Marshal(d)
		return true
	}
	if len(r.Value) < 2 {
		return false
	}
	d.Why += " (value cut)"
	r.Value = r.Value[:len(r.Value)/2]
	r.Headers[0].Value, _ = json.Marshal(d)
	return true
}

func pick(recs []queue.Record, failed []int) []queue.Record {
	out := make([]queue.Record, 0, len(failed))
	for _, i := range failed {
		out = append(out, recs[i])
	}
	return out
}
