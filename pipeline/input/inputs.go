// Package input holds where pipelines read from, one file each, and the table of their names and options.
//
// An input hands over chunks of records. Those of a queue are committed when the pipeline has settled them; a stream (standard
// input, a socket) has no such place to go back to.
package input

import (
	"context"
	"io"
	"net"
	"slices"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// Chunk is what an input hands over at once: records, or a gap in a queue. The slice is the input's again when emit returns; the
// bytes stay as they are until the records are settled.
type Chunk struct {
	Records []queue.Record
	Gap     *queue.Gap
}

// Input is a source of records.
type Input interface {
	// Run emits chunks in order until ctx ends (nil), the input is at its end (nil), or it cannot go on. emit blocks while the
	// pipeline is full and fails when ctx ends.
	Run(ctx context.Context, emit func(Chunk) error) error
}

// Committer is implemented by inputs that read a queue.
type Committer interface {
	// Commit is called when every record below pos is settled.
	Commit(ctx context.Context, pos []queue.Position) error
	// Group is the consumer group the input reads as.
	Group() string
}

// Settler is implemented by inputs that remember what was settled.
type Settler interface {
	// Settled is called in order with records that are where they belong.
	Settled(recs []queue.Record)
}

// Decorator is implemented by inputs that tell more about a record than its bytes.
type Decorator interface {
	Decorate(e *event.Event, r *queue.Record)
}

// Env is what inputs are built with.
type Env struct {
	plugin.Env
	// Queue connects to a queue; addr is the bootstrap_servers of the configuration, "" for weir's own.
	Queue func(addr string) (queue.Queue, error)
	// Topic is read when weir's own queue is and the configuration names no topic.
	Topic string
	// Start is where to begin reading a queue; positions not named are the group's.
	Start func(ctx context.Context, in Input) ([]queue.Position, error)
	Stdin io.Reader
	Bus   *bus.Bus // where pipeline inputs listen
	// Data is the folder for what inputs remember; "" keeps it in memory.
	Data string
	// Plaintext names the inputs without login that may listen on other addresses than loopback.
	Plaintext []string
	// Listening is told the address an input listens on, when it is set.
	Listening func(name string, addr net.Addr)
}

// Spec is a row of the table.
type Spec struct {
	Name    string
	Options []plugin.Option // besides those every input has
	Codec   string          // standard codec
	New     func(a *plugin.Args, env *Env, c codec.Codec) Input
	// Push: others send, and are answered when emit returned nil. What was emitted is on disk then, unless queue.type is memory;
	// emit may be called from many goroutines.
	Push bool
	// Decode, if any, makes events of the input's records instead of its codec, which it is given. Built once a worker.
	Decode func(a *plugin.Args, env *plugin.Env, c codec.Codec) Decoder
}

// Decoder makes events of records. It belongs to one goroutine.
type Decoder interface {
	// DecodeRecord appends the events of r, whose Value is data, as codec.Codec's Decode does.
	DecodeRecord(b *event.Batch, ref uint32, r *queue.Record, data string)
}

// Table is every input there is.
func Table() []Spec {
	return []Spec{
		{Name: "beats", Options: beatsOptions, Codec: "plain", New: newBeats, Push: true, Decode: decodeBeats},
		{Name: "elastic_agent", Options: beatsOptions, Codec: "plain", New: newBeats, Push: true, Decode: decodeBeats},
		{Name: "dead_letter_queue", Options: deadLetterOptions, Codec: "json", New: newDeadLetterQueue},
		{Name: "file", Options: fileOptions, Codec: "plain", New: newFile},
		{Name: "generator", Options: generatorOptions, Codec: "plain", New: newGenerator},
		{Name: "heartbeat", Options: heartbeatOptions, Codec: "plain", New: newHeartbeat},
		{Name: "http", Options: httpOptions, Codec: "plain", New: newHTTP, Push: true, Decode: decodeHTTP},
		{Name: "kafka", Options: kafkaOptions, Codec: "plain", New: newKafka},
		{Name: "pipeline", Options: pipelineOptions, Codec: "json", New: newPipeline},
		{Name: "stdin", Codec: "line", New: newStdin, Push: true},
		{Name: "syslog", Options: syslogOptions, Codec: "plain", New: newSyslog, Push: true, Decode: decodeSyslog},
		{Name: "tcp", Options: tcpOptions, Codec: "line", New: newTCP, Push: true},
		{Name: "udp", Options: udpOptions, Codec: "plain", New: newUDP, Push: true},
	}
}

// Find returns the row of an input, nil when there is none.
func Find(name string) *Spec {
	t := Table()
	if i := slices.IndexFunc(t, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return &t[i]
	}
	return nil
}

// Known names inputs of Logstash that are not here.
func Known(name string) bool {
	return slices.Contains([]string{"azure_event_hubs", "beats", "cloudwatch", "couchdb_changes", "elastic_agent", "elastic_serverless_forwarder",
		"elasticsearch", "exec", "ganglia", "gelf", "github", "google_cloud_storage", "google_pubsub", "graphite", "http", "http_poller",
		"imap", "irc", "jdbc", "jms", "jmx", "kinesis", "log4j", "lumberjack", "meetup", "pipe", "puppet_facter", "rabbitmq", "redis", "relp",
		"rss", "s3", "s3-sns-sqs", "salesforce", "snmp", "snmptrap", "sqlite", "sqs", "stomp", "syslog", "twitter", "unix", "varnishlog",
		"websocket", "wmi", "xmpp"}, name)
}

// wait sleeps for d; false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
