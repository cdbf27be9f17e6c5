// Package input holds the agent's inputs that are no files: each listens, or asks, makes events of what it gets and hands them over in
// batches. What becomes of a batch is told by the queue: an input acknowledges to its sender only what is durable.
//
// An input is a Config (its settings, with Validate) that opens an Input. It knows neither topics nor records: the agent adds what is
// constant, runs the processors and produces.
package input

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Config is the settings of an input. The agent calls Validate before Open.
type Config interface {
	// Validate returns everything that is wrong with the settings.
	Validate() []error
	// Open binds what the input listens on, or starts what it asks; it starts no goroutine.
	Open(log *slog.Logger) (Input, error)
}

// Input makes events until it is told to stop.
type Input interface {
	// Run serves until ctx ends and returns when its goroutines have ended. When ctx ends it stops taking new data; it may go on
	// waiting for acknowledgements of what it pushed: they come, or Push and Deliver return ErrStopped.
	Run(ctx context.Context, sink Sink) error
}

// Sink takes batches. Its methods may be called from any goroutine; the batches of one stream must come one after the other.
type Sink interface {
	// Push hands a batch over. It blocks while the agent's memory is used up or the queue takes nothing: that is the back-pressure.
	// acked, if any, is called once, from another goroutine, when all its events are durable or dropped by a rule; it must not
	// block. It is not called after an error, nor when the agent stops before.
	Push(ctx context.Context, b *Batch, acked func()) error
	// Deliver pushes a batch and waits for its acknowledgement.
	Deliver(ctx context.Context, b *Batch) error
	// Cursor is the Cursor of the last acknowledged batch of a stream, also of an earlier process; nil when there is none. A kill
	// may have lost the last second of it.
	Cursor(stream string) []byte
}

// ErrStopped says that the agent ended before the batch was acknowledged. The sender has to send it again.
var ErrStopped = errors.New("the agent has stopped")

// Batch is events of one stream, in order. It belongs to the agent once pushed.
type Batch struct {
	// Stream names where the events come from: a connection's peer, a listener's address, a journal. Each stream is a source in the
	// account; its ranges count Event.Bytes. Order is kept within a stream.
	Stream string
	Events []Event
	// Cursor is kept when the batch is acknowledged, at most MaxCursor bytes. nil keeps nothing.
	Cursor []byte
}

// MaxCursor bounds a cursor, in bytes.
const MaxCursor = 4 << 10

// MaxBatch is what a batch should hold at most, in bytes of messages and fields. Larger ones are taken, and bound less well.
const MaxBatch = 1 << 20

// Event is one message from outside.
type Event struct {
	// At is @timestamp. Zero: the time the batch was taken.
	At time.Time
	// Message is the text; nil when Fields says everything. Bytes that are no UTF-8 become U+FFFD.
	Message []byte
	// Raw is a whole event of another agent, as a JSON object; then Message, Flags, Fields and Metadata say nothing. It goes on as it
	// is, less what the input's own fields, tags and processors change.
	Raw []byte
	// Flags are added to log.flags ("truncated").
	Flags []string
	// Bytes is the length of the payload the event was made of. At least 1 is counted.
	Bytes int64
	// Key, if any, decides the partition instead of the stream: events with the same key stay in order (a file behind a Beat).
	Key string
	// Fields are merged over what is constant for the input. They may be nil; they hold what agent/tree holds. Events may share them:
	// nobody changes them any more.
	Fields map[string]any
	// Metadata are members of @metadata (pipeline, raw_index, _id ...), merged likewise.
	Metadata map[string]any
}
