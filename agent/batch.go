package agent

import (
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// rec is one rendered record of a batch.
type rec struct {
	src      *source
	from, to int64
	end      int // of its value in the arena; it begins where the one before ends
	env      *envelope
	read     time.Time
}

// move says where a source stands when the batch is acknowledged.
type move struct {
	src  *source
	pos  int64
	tail uint64
	size int64
	read int64 // Unix ms of the read that came this far
}

// batch is what one Produce carries, and what it settles. It is the reader's or the sender's, never both.
type batch struct {
	arena []byte
	recs  []rec
	moves []move
	ends  []*source // over when the batch is acknowledged
	fates []fated   // bytes without a record
	limit int       // bytes of the arena
	proof bool      // a source in it has no head in the synced registry yet

	out []queue.Record // the sender's
}

func newBatch(limit int) *batch { return &batch{limit: limit} }

func (b *batch) full() bool { return len(b.arena) >= b.limit || len(b.recs) >= batchRecords }
func (b *batch) empty() bool {
	return len(b.recs) == 0 && len(b.moves) == 0 && len(b.ends) == 0 && len(b.fates) == 0
}

// move notes the position of a source; a later one replaces it.
func (b *batch) move(m move) {
	for i := len(b.moves) - 1; i >= 0 && i >= len(b.moves)-4; i-- {
		if b.moves[i].src == m.src {
			b.moves[i] = m
			return
		}
	}
	b.moves = append(b.moves, m)
}

// arenaKeep is what a batch keeps of an arena that one large message blew up, as a multiple of its limit.
const arenaKeep = 2

// drop lets the buffers of an empty batch go.
func (b *batch) drop() { *b = batch{limit: b.limit} }

func (b *batch) reset() {
	if cap(b.arena) > arenaKeep*b.limit {
		b.arena = nil
	}
	b.arena = b.arena[:0]
	clear(b.recs)
	clear(b.moves)
	clear(b.ends)
	clear(b.fates)
	clear(b.out)
	b.proof = false
	b.recs, b.moves, b.ends, b.out = b.recs[:0], b.moves[:0], b.ends[:0], b.out[:0]
	b.fates = b.fates[:0]
}

// records builds what Produce takes. The values point into the arena.
func (b *batch) records() []queue.Record {
	b.out = b.out[:0]
	begin := 0
	for i := range b.recs {
		r := &b.recs[i]
		b.out = append(b.out, queue.Record{
			Topic: r.env.topic, Time: r.read, Key: r.src.chain.key, Value: b.arena[begin:r.end:r.end],
			Origin: ledger.Range{Source: r.src.id, From: r.from, To: r.to},
		})
		begin = r.end
	}
	return b.out
}
