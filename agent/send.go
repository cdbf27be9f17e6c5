package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// send ships batch after batch until the reader has closed the hand and the agent the pushes, or ctx ends.
func (l *lane) send(ctx context.Context) {
	defer close(l.idle)
	hand, pushes := l.hand, l.pushes
	for hand != nil || pushes != nil {
		select {
		case b, ok := <-hand:
			if !ok {
				hand = nil
			} else if !l.ship(ctx, b) {
				return
			}
		case p, ok := <-pushes:
			if !ok {
				pushes = nil
			} else if !l.shipPushed(ctx, p) {
				return
			}
		}
	}
}

// ship delivers a batch of lines and gives it back to the reader.
func (l *lane) ship(ctx context.Context, b *batch) bool {
	recs := b.records()
	if b.proof && len(recs) > 0 {
		if err := l.a.reg.flush(); err != nil { // it ships on: a kill now may repeat these lines, waiting may lose them
			l.a.reg.complainAbout(err)
		}
	}
	if !l.deliver(ctx, recs) {
		return false
	}
	l.giveUp(b)
	if !l.a.ann.before(ctx, b) {
		return false
	}
	l.a.acknowledged(b)
	b.reset()
	l.free <- b
	return true
}

// giveUp notes the fate of records that were too large.
func (l *lane) giveUp(b *batch) {
	for _, r := range l.lost {
		if i := slices.IndexFunc(b.recs, func(x rec) bool { return x.src.id == r.Source }); i >= 0 {
			b.fate(b.recs[i].src, r.From, r.To, ledger.Dropped, "too_large")
		}
	}
	l.lost = l.lost[:0]
}

// shipPushed delivers what listeners pushed: all that wait, up to a batch's bounds, in one Produce.
func (l *lane) shipPushed(ctx context.Context, p *pushed) bool {
	all := []*pushed{p}
	recs := p.recs
	bytes := p.bytes
gather:
	for bytes < batchBytes && len(recs) < batchRecords {
		select {
		case more, ok := <-l.pushes:
			if !ok {
				break gather
			}
			all, recs, bytes = append(all, more), append(recs, more.recs...), bytes+more.bytes
		default:
			break gather
		}
	}
	if !l.deliver(ctx, recs) {
		return false
	}
	for _, p := range all {
		p.acknowledge()
	}
	return true
}

// deliver produces records: the same ones, in the same order, until all are durable. It gives up only when ctx ends.
func (l *lane) deliver(ctx context.Context, recs []queue.Record) bool {
	pause := l.a.cfg.BackoffInit
	for len(recs) > 0 {
		if ctx.Err() != nil {
			return false
		}
		err := l.a.cfg.Queue.Produce(ctx, recs)
		if err == nil {
			l.a.ann.placed(recs, nil)
			break
		}
		var large *queue.TooLargeError
		if errors.As(err, &large) {
			recs = l.divide(recs, large)
			continue
		}
		var part *queue.ProduceError
		if errors.As(err, &part) {
			l.a.ann.placed(recs, func(i int) bool { _, failed := slices.BinarySearch(part.Failed, i); return !failed })
			recs = failedOnly(recs, part.Failed)
		}
		l.a.produceFailed(err)
		if !sleep(ctx, jitter(pause)) {
			return false
		}
		pause = min(2*pause, l.a.cfg.BackoffMax)
	}
	l.a.produceWorked()
	return true
}

// failedOnly keeps the records that are not durable, in order.
func failedOnly(recs []queue.Record, failed []int) []queue.Record {
	out := recs[:0]
	for _, i := range failed {
		out = append(out, recs[i])
	}
	return out
}

// jitter is d less up to a quarter, so that agents that failed together do not come back together.
func jitter(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/4+1))
}

// sleep waits for d, and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
