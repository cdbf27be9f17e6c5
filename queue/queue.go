// Package queue is the border between those who ship records and those who work on them: a partitioned, durable log that is
// appended to and replayed.
//
// Two implementations exist: *broker.Broker in this process and *kafka.Queue for a real cluster. Both pass the suite in package
// queuetest, and nothing else in the program may tell them apart.
package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirlog/weir/ledger"
)

// Record is one message. Produce reads Topic, Key, Value, Headers, Time, Origin and the chosen partition, and fills TopicID,
// Partition and Offset into the caller's slice.
type Record struct {
	Topic     string
	TopicID   [16]byte // a topic made anew has another id; zero where the cluster has none
	Partition int32
	Explicit  bool // Partition was chosen by the producer; without it the key decides
	Offset    int64
	Time      time.Time // when the line was read; whole milliseconds survive. Zero means now
	Key       []byte    // nil: partitions take turns, one per Produce call
	Value     []byte
	Headers   []Header     // without the header that carries Origin
	Origin    ledger.Range // zero when the producer said none
}

// Header is a named value beside a record.
type Header struct {
	Key   string
	Value []byte
}

// Position is the next offset to read of a partition.
type Position struct {
	Topic     string
	TopicID   [16]byte
	Partition int32
	Offset    int64
}

// Queue appends records and hands out group memberships. It is safe for concurrent use.
type Queue interface {
	// Produce returns nil when all recs are durable: synced by the embedded broker, acks=all on a cluster. Record sizes are checked
	// before anything is written (*TooLargeError: nothing was sent). Any other failure is a *ProduceError naming the records that
	// are not durable, a suffix per partition; the caller resends exactly those, in order. Produce keeps neither recs nor the bytes
	// they point to.
	Produce(ctx context.Context, recs []Record) error

	// Join makes the caller a member of a consumer group reading topics. A group without a committed offset starts at the oldest
	// record. Topics that do not exist yet are waited for.
	Join(ctx context.Context, group string, topics ...string) (Member, error)
}

// Member reads the partitions its group has given it. One goroutine uses it, but for Commit, which any may call.
type Member interface {
	// Seek moves the next Poll of each named partition, forwards or backwards, also for partitions assigned later.
	Seek(ctx context.Context, pos []Position) error

	// Poll returns up to about 1 MiB of records, in order per partition, or none after 500 ms without any, or none while 64 MiB are
	// polled and not committed. The slice is the caller's until the next Poll; the bytes live until the Commit that covers them. A
	// *Gap error says which offsets are gone; reading goes on behind them. ErrClosed after Close or when the queue closes.
	Poll(ctx context.Context) ([]Record, error)

	// Commit says that everything below each position is settled. It returns at once; the queue makes it durable within a second
	// and at Close. ErrRevoked when a partition is no longer this member's: the other positions were taken.
	Commit(ctx context.Context, pos []Position) error

	// Close commits what Commit was told and leaves the group.
	Close() error
}

var (
	ErrClosed       = errors.New("queue: closed")
	ErrRevoked      = errors.New("queue: partition revoked")
	ErrFull         = errors.New("queue: storage full") // keep the place in the file and try later
	ErrUnknownTopic = errors.New("queue: unknown topic")
	ErrDenied       = errors.New("queue: not permitted")
)

// TooLargeError says that record Index of a Produce call is over Limit bytes. Nothing of the call was written.
type TooLargeError struct {
	Index int
	Size  int
	Limit int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("queue: record %d has %d bytes, limit is %d", e.Index, e.Size, e.Limit)
}

// ProduceError names the records of a Produce call that are not durable, by index, ascending. All others are.
type ProduceError struct {
	Failed []int
	Err    error
}

func (e *ProduceError) Error() string {
	return fmt.Sprintf("queue: %d records not written: %v", len(e.Failed), e.Err)
}

func (e *ProduceError) Unwrap() error { return e.Err }

// Gap says that the offsets [From, To) of a partition cannot be read: retention passed them or the disk lost them.
type Gap struct {
	Topic     string
	TopicID   [16]byte
	Partition int32
	From, To  int64
	Why       string
}

func (g *Gap) Error() string {
	return fmt.Sprintf("queue: offsets %d to %d of %s-%d are gone: %s", g.From, g.To, g.Topic, g.Partition, g.Why)
}
