// Package pipeline runs Logstash configurations: records come from inputs, become events, go through filters, and their documents are
// handed in order to one writer.
//
// The path of a record:
//
//	input ─> batch ─> worker: codec, filters, rendering ─> gatherer ─> outputs, bulk.Writer ─> Commit of the queue
//
// Batches are filtered in parallel and gathered in the order they were read, so order per partition holds with any number of
// workers. All documents of a record are in one Write, together with what became of records that made none and with the positions
// of the queue: positions may lag behind the documents, never lead. A record is settled when its documents are durable, when a rule
// dropped it, or when its dead letter is durable; only then is its position committed.
package pipeline

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/queue"
)

// DeadLettersTopic is the topic of records that could not be processed or were refused.
const DeadLettersTopic = "weir-dead-letters"

// ESOptions is what a Config.Writer is asked for.
type ESOptions = output.ESOptions

// Source is a configuration text with the name used in messages.
type Source struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Config says what a pipeline runs and with whom it speaks.
type Config struct {
	ID    string   // pipeline.id; default main
	Files []string // configuration files, joined in this order
	Text  []Source // configuration texts, joined behind Files

	Workers    int           // filters run in parallel; default is the number of cores
	BatchSize  int           // records a batch; default 125
	BatchDelay time.Duration // accepted for compatibility: a batch never waits to be filled
	Memory     int64         // bytes of records in flight; default 64 MiB
	WriteBytes int64         // bytes of documents in one Write; default 8 MiB

	ECS     string // ecs_compatibility: disabled, v1 or v8 (default)
	Escapes bool   // config.support_escapes
	// Provenance adds kafka.topic, kafka.partition, kafka.offset, event.ingested and weir.source to events read from a queue.
	Provenance bool

	// Queue connects to the queue at addr, "" for weir's own. Needed by kafka inputs and outputs.
	Queue func(addr string) (queue.Queue, error)
	// Topic is what a kafka input without topics and without bootstrap_servers reads; default logstash.
	Topic string
	// Writer makes the writer of an elasticsearch output. Needed by elasticsearch outputs.
	Writer func(o ESOptions) (bulk.Writer, error)
	// OwnStore tells the outputs that go to weir's own store, which share one writer; nil: those without hosts.
	OwnStore func(o ESOptions) bool
	// DeadLetters takes records that cannot be processed; without it the queue of the first kafka input does.
	DeadLetters queue.Queue

	// Data is the folder for what inputs remember (file's positions, spools of push inputs); "" keeps it in memory.
	Data string
	// QueueType is queue.type: what push inputs (tcp, http, beats ...) do with what they were sent before they answer. persisted, the
	// default where Data is set, writes it to disk; memory does not, and loses it when the process dies.
	QueueType string
	// QueueMaxBytes is queue.max_bytes, of each push input's journal; when it is full, senders wait. Default 1 GiB.
	QueueMaxBytes int64
	// Journals is shared by the journals of the process; nil makes one for each.
	Journals *journal.Pool
	// Bus connects pipeline inputs and outputs of the process; nil makes one for this pipeline alone.
	Bus *bus.Bus
	// Replay reads part of a topic instead of the inputs and ends there; nil runs the configuration as it is.
	Replay *Replay
	// Reach lets Trace run filters that ask others or wait.
	Reach bool
	// FiltersOnly makes Trace leave the outputs out and tell the events instead.
	FiltersOnly bool
	// Plaintext is security.plaintext: the inputs without login (tcp, udp) that may listen on other addresses than loopback.
	Plaintext []string

	Lookup func(name string) (string, bool) // variables; default is the environment
	Stdin  io.Reader                        // default os.Stdin
	Stdout io.Writer                        // default os.Stdout
	Now    func() time.Time                 // default time.Now
	Log    *slog.Logger
}

// Bounds.
const (
	batchBytes     = 1 << 20          // a batch closes with the record that reaches this
	writeDocuments = 5_000            // documents in one Write
	maxGathered    = 64               // batches the gatherer holds for one Write
	tries          = 3                // of an event that panics a filter
	drainTime      = 30 * time.Second // for what is in flight when a pipeline stops
	retryFirst     = 100 * time.Millisecond
	retryMost      = 30 * time.Second // between two tries of an output that fails
)

// DefaultConfig is a pipeline with every setting at its default.
func DefaultConfig() Config {
	return Config{ID: "main", Workers: runtime.GOMAXPROCS(0), BatchSize: 125, BatchDelay: 50 * time.Millisecond, Memory: 64 << 20, WriteBytes: 8 << 20,
		ECS: "v8", Provenance: true, Lookup: os.LookupEnv, Stdin: os.Stdin, Stdout: os.Stdout, Now: time.Now, Log: slog.Default()}
}

// Validate returns all faults of the settings; those of the configuration text are Open's and Check's.
func (c *Config) Validate() []error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.ID != "", "pipeline.id is empty")
	bad(len(c.Files)+len(c.Text) > 0, "pipeline %s has no configuration", c.ID)
	bad(c.Workers >= 1 && c.Workers <= 256, "pipeline.workers is %d, want 1 to 256", c.Workers)
	bad(c.BatchSize >= 1 && c.BatchSize <= 10_000, "pipeline.batch.size is %d, want 1 to 10000", c.BatchSize)
	bad(c.Memory >= batchBytes, "pipeline.memory is %d, want at least %d", c.Memory, batchBytes)
	bad(c.WriteBytes >= 1<<10, "pipeline.write.bytes is %d, want at least 1024", c.WriteBytes)
	bad(c.QueueType == "" || c.QueueType == "persisted" || c.QueueType == "memory", "queue.type is %q, want persisted or memory", c.QueueType)
	bad(c.QueueMaxBytes == 0 || c.QueueMaxBytes >= 1<<20, "queue.max_bytes is %d, want at least %d", c.QueueMaxBytes, 1<<20)
	bad(c.ECS == "disabled" || c.ECS == "v1" || c.ECS == "v8", "pipeline.ecs_compatibility is %q, want disabled, v1 or v8", c.ECS)
	return errs
}

// withDefaults fills what is not set.
func (c Config) withDefaults() Config {
	d := DefaultConfig()
	if c.ID == "" {
		c.ID = d.ID
	}
	if c.Workers == 0 {
		c.Workers = d.Workers
	}
	if c.BatchSize == 0 {
		c.BatchSize = d.BatchSize
	}
	if c.Memory == 0 {
		c.Memory = d.Memory
	}
	if c.WriteBytes == 0 {
		c.WriteBytes = d.WriteBytes
	}
	if c.ECS == "" {
		c.ECS = d.ECS
	}
	if r, q := c.Replay, c.Queue; r != nil && q != nil {
		c.Queue = func(addr string) (queue.Queue, error) {
			found, err := q(addr)
			if err != nil {
				return nil, err
			}
			return r.queue(found), nil
		}
	}
	if c.Bus == nil {
		c.Bus = bus.New()
	}
	if c.Lookup == nil {
		c.Lookup = d.Lookup
	}
	if c.Stdin == nil {
		c.Stdin = d.Stdin
	}
	if c.Stdout == nil {
		c.Stdout = d.Stdout
	}
	if c.Now == nil {
		c.Now = d.Now
	}
	if c.Log == nil {
		c.Log = d.Log
	}
	return c
}

// pause sleeps; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
