package spool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Run emits records from offset from on, in order, until ctx ends or, after End, everything was read. emit blocks while the pipeline
// is full; its error ends Run without one. The records' bytes belong to who they were emitted to.
func (s *Spool) Run(ctx context.Context, from int64, emit func(recs []queue.Record, gap *queue.Gap) error) error {
	at := max(from, s.j.Start())
	if end := s.j.DurableEnd(); at > end {
		s.cfg.Log.Warn("spool is shorter than its reader: it goes on at the end", "spool", s.cfg.Name, "reader", at, "end", end)
		at = end
	}
	var recs []queue.Record
	for ctx.Err() == nil {
		span, err := s.j.Read(at, readBytes)
		var hole *journal.Hole
		switch {
		case errors.As(err, &hole):
			if emit(nil, s.gap(max(at, hole.From), hole.To, hole.Error())) != nil {
				return nil
			}
			at = hole.To
			continue
		case errors.Is(err, journal.ErrOutOfRange) && at < s.j.Start():
			at = s.j.Start() // a reader elsewhere settled them
			continue
		case err != nil:
			return fmt.Errorf("read spool %s: %w", s.cfg.Name, err)
		}
		if len(span.Bytes()) == 0 {
			span.Release()
			if done := s.wait(ctx, at); done {
				return nil
			}
			continue
		}
		recs, err = s.records(recs[:0], span, at)
		next := span.Next
		span.Release()
		if err != nil {
			return fmt.Errorf("read spool %s at offset %d: %w", s.cfg.Name, at, err)
		}
		at = next
		if emit(recs, nil) != nil {
			return nil
		}
	}
	return nil
}

// wait returns when there may be more behind at; done says that there never will.
func (s *Spool) wait(ctx context.Context, at int64) (done bool) {
	s.mu.Lock()
	ended := s.ended
	s.mu.Unlock()
	if ended && at >= s.j.DurableEnd() {
		return true
	}
	s.j.Watch(s.more, at)
	defer s.j.Unwatch(s.more)
	t := time.NewTimer(trimEvery)
	defer t.Stop()
	select {
	case <-s.more.C:
	case <-t.C:
		if err := s.trim(); err != nil { // what Commit found too early to do
			s.cfg.Log.Warn("spool cannot give room back", "spool", s.cfg.Name, "err", err)
		}
	case <-ctx.Done():
	}
	return false
}

// records copies the records of a span from offset at on.
func (s *Spool) records(recs []queue.Record, span journal.Span, at int64) ([]queue.Record, error) {
	bytes := slices.Clone(span.Bytes())
	for len(bytes) > 0 {
		h, err := journal.ParseHeader(bytes)
		if err != nil {
			return nil, err
		}
		it, err := journal.Records(bytes[:h.Size()])
		if err != nil {
			return nil, err
		}
		var r journal.Record
		for it.Next(&r) {
			if r.Offset >= at {
				recs = append(recs, s.record(&r))
			}
		}
		if err := it.Err(); err != nil {
			return nil, err
		}
		bytes = bytes[h.Size():]
	}
	return recs, nil
}

func (s *Spool) record(r *journal.Record) queue.Record {
	out := queue.Record{Topic: s.cfg.Name, TopicID: s.id, Offset: r.Offset, Time: time.UnixMilli(r.Time), Key: r.Key, Value: r.Value,
		Origin: ledger.Range{Source: s.id, From: r.Offset, To: r.Offset + 1}}
	if len(r.Headers) > 0 {
		out.Headers = make([]queue.Header, len(r.Headers))
		for i, h := range r.Headers {
			out.Headers[i] = queue.Header{Key: h.Key, Value: h.Value}
		}
	}
	return out
}

func (s *Spool) gap(from, to int64, why string) *queue.Gap {
	return &queue.Gap{Topic: s.cfg.Name, TopicID: s.id, From: from, To: to, Why: why}
}
