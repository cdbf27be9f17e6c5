package pipeline

import (
	"context"
	"sync"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// batch is records of one input on their way. The reader fills it, one worker makes events and rendered outputs of it, the gatherer
// hands those on and gives it back.
type batch struct {
	src   *source
	gen   *generation
	tick  tick // what filters are asked for instead of records
	recs  []queue.Record
	gap   *queue.Gap
	bytes int64
	ev    *event.Batch
	fates []fate       // by record
	bufs  []output.Buf // by output
	dead  int          // records with a dead letter
	done  chan struct{}
}

// fate is what became of a record that made no document.
type fate struct {
	rule string      // who dropped it
	dead *DeadLetter // why it could not be processed
}

func newBatch(outputs int, poison bool) *batch {
	return &batch{ev: event.NewBatch(poison), bufs: make([]output.Buf, outputs), done: make(chan struct{}, 1)}
}

func (b *batch) load(s *source, recs []queue.Record, gap *queue.Gap) {
	b.src, b.gap, b.dead, b.tick = s, gap, 0, tickNone
	b.recs = append(b.recs[:0], recs...)
	b.fates = b.fates[:0]
	for range recs {
		b.fates = append(b.fates, fate{})
	}
}

func (b *batch) reset() {
	b.ev.Reset()
	for i := range b.bufs {
		b.bufs[i].Reset()
	}
	clear(b.recs)
	clear(b.fates)
}

// cut is how many of recs make a batch, and their bytes.
func (p *Pipeline) cut(recs []queue.Record) (n int, bytes int64) {
	for n < len(recs) && n < p.cfg.BatchSize && bytes < batchBytes {
		bytes += int64(len(recs[n].Value) + len(recs[n].Key))
		n++
	}
	return n, bytes
}

// feed cuts a chunk into batches and hands them to the workers, in order. It blocks while the pipeline is full.
func (p *Pipeline) feed(ctx context.Context, s *source, recs []queue.Record, gap *queue.Gap) error {
	for len(recs) > 0 || gap != nil {
		n, bytes := p.cut(recs)
		began := time.Now()
		b, err := p.take(ctx, bytes)
		p.stats.waited.Add(int64(time.Since(began)))
		if err != nil {
			return err
		}
		var g *queue.Gap
		if n == len(recs) {
			g, gap = gap, nil
		}
		b.load(s, recs[:n], g)
		s.stats.in.Add(int64(n))
		s.stats.out.Add(int64(n))
		p.stats.in.Add(int64(n))
		// Both sends end without ctx: order has room for every batch there is, and workers take what is in it.
		p.order <- b
		p.work <- b
		recs = recs[n:]
	}
	return nil
}

// take waits for a slot and for room for the bytes of a batch.
func (p *Pipeline) take(ctx context.Context, bytes int64) (*batch, error) {
	if err := p.memory.take(ctx, bytes); err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		p.memory.give(bytes)
		return nil, ctx.Err()
	}
	b := p.pool.get()
	if b == nil {
		b = newBatch(len(p.outs), p.poison)
	}
	b.bytes, b.gen = bytes, p.enter()
	return b, nil
}

func (p *Pipeline) release(b *batch) {
	b.reset()
	p.leave(b.gen)
	p.memory.give(b.bytes)
	p.pool.put(b)
	<-p.slots
}

// pool is batches to use again, the last one first: its memory is still in the cache, and a pipeline with little to do keeps to few.
type pool struct {
	mu   sync.Mutex
	free []*batch
}

func (p *pool) get() *batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.free)
	if n == 0 {
		return nil
	}
	b := p.free[n-1]
	p.free = p.free[:n-1]
	return b
}

func (p *pool) put(b *batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, b)
}

// budget is the bytes in flight. One taker may go over the limit when nothing else is in flight.
type budget struct {
	mu    sync.Mutex
	limit int64
	used  int64
	freed chan struct{} // closed and made anew when bytes come back
}

func newBudget(limit int64) *budget { return &budget{limit: limit, freed: make(chan struct{})} }

func (b *budget) take(ctx context.Context, n int64) error {
	for {
		b.mu.Lock()
		if b.used == 0 || b.used+n <= b.limit {
			b.used += n
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	close(b.freed)
	b.freed = make(chan struct{})
}

func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
