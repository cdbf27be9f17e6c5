// Package output holds where pipelines write to, one file each, and the table of their names and options.
//
// An output has two halves. A Renderer, one a worker, turns events into bytes. What it made is handed on in order: to the Sink of the
// output, or for elasticsearch to the pipeline's bulk.Writer.
package output

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// Item is one rendered event: bytes From to To of its Buf.
type Item struct {
	Ref      uint32 // record the event came from
	From, To int
	Target   string // index, file or topic
	ID       string // document id, or key
	Routing  string
	Action   bulk.Action
	Refused  string // why the event cannot be written; it goes to the dead letters
	Extra    *bulk.Extra
	Rules    *Rules
}

// Rules is what an output wants to become of documents that are refused. They are never changed.
type Rules struct {
	Drop []string // types of errors whose documents are dropped
}

// Buf is what a Renderer made of a batch. Its strings live as long as the batch.
type Buf struct {
	Data  []byte
	Items []Item
}

// Reset empties the buffer.
func (b *Buf) Reset() { b.Data, b.Items = b.Data[:0], b.Items[:0] }

// Bytes is the rendered form of an item.
func (b *Buf) Bytes(i *Item) []byte { return b.Data[i.From:i.To] }

// Names keeps one copy of each of a few strings that come again and again. The zero value is empty.
type Names struct{ have map[string]string }

// maxNames bounds Names; past it, it begins anew.
const maxNames = 1000

// Keep returns a copy of s that lives on its own.
func (n *Names) Keep(s string) string {
	if k, ok := n.have[s]; ok {
		return k
	}
	if n.have == nil || len(n.have) >= maxNames {
		n.have = make(map[string]string)
	}
	s = strings.Clone(s)
	n.have[s] = s
	return s
}

// Renderer turns events into bytes. It belongs to one goroutine.
type Renderer interface {
	Render(dst *Buf, e *event.Event)
}

// Sink takes what was rendered, in order, from one goroutine. Write returns when the output has it; an error means that it will be
// called again with the same.
type Sink interface {
	Write(ctx context.Context, b *Buf) error
	Close() error
}

// RecordSink is a Sink that wants to know where events came from.
type RecordSink interface {
	// WriteFrom is Write; from tells the range and time of a record.
	WriteFrom(ctx context.Context, b *Buf, from func(ref uint32) (ledger.Range, time.Time)) error
}

// Settler is a Sink that takes events before they are where they belong.
type Settler interface {
	// Settle returns nil when all that was written is; until then nothing of it is committed.
	Settle(ctx context.Context) error
}

// Env is what outputs are built with.
type Env struct {
	plugin.Env
	Pipeline string // pipeline.id
	Bus      *bus.Bus
	Queue    func(addr string) (queue.Queue, error)
	Topic    string // of weir's own queue, when the configuration names none
	Stdout   io.Writer
}

// Spec is a row of the table.
type Spec struct {
	Name    string
	Options []plugin.Option // besides those every output has
	Codec   string          // standard codec
	New     func(a *plugin.Args, env *Env, c codec.Codec) Renderer
	Sink    func(a *plugin.Args, env *Env) (Sink, error) // nil for documents, which go to the bulk.Writer
	Exact   bool                                         // takes part in once and only once
}

// Table is every output there is.
func Table() []Spec {
	return []Spec{
		{Name: "elasticsearch", Options: elasticsearchOptions, Codec: "json", New: newElasticsearch, Exact: true},
		{Name: "file", Options: fileOptions, Codec: "json_lines", New: newFile, Sink: openFiles},
		{Name: "http", Options: httpOptions, Codec: "plain", New: newHTTP, Sink: openHTTP},
		{Name: "kafka", Options: kafkaOptions, Codec: "plain", New: newKafka, Sink: openKafka},
		{Name: "null", Codec: "plain", New: newNull, Sink: openNull},
		{Name: "opensearch", Options: elasticsearchOptions, Codec: "json", New: newElasticsearch, Exact: true},
		{Name: "pipeline", Options: pipelineOptions, Codec: "json", New: newPipeline, Sink: openPipeline, Exact: true},
		{Name: "sink", Codec: "plain", New: newNull, Sink: openNull},
		{Name: "stdout", Codec: "rubydebug", New: newStdout, Sink: openStdout},
		{Name: "tcp", Options: tcpOptions, Codec: "json", New: newTCP, Sink: openTCP},
		{Name: "udp", Options: udpOptions, Codec: "json", New: newUDP, Sink: openUDP},
	}
}

// Find returns the row of an output, nil when there is none.
func Find(name string) *Spec {
	t := Table()
	if i := slices.IndexFunc(t, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return &t[i]
	}
	return nil
}

// Known names outputs of Logstash that are not here.
func Known(name string) bool {
	return slices.Contains([]string{"boundary", "circonus", "cloudwatch", "csv", "datadog", "datadog_metrics", "dynatrace", "elastic_app_search", "elastic_workplace_search",
		"email", "exec", "ganglia", "gelf", "google_bigquery", "google_cloud_storage", "google_pubsub", "graphite", "graphtastic", "http", "influxdb", "irc",
		"jms", "juggernaut", "librato", "loggly", "loki", "lumberjack", "metriccatcher", "mongodb", "nagios", "nagios_nsca", "newrelic", "opentsdb", "pagerduty", "pipe",
		"rabbitmq", "redis", "redmine", "riak", "riemann", "s3", "sns", "solr_http", "sqs", "statsd", "stomp", "syslog", "tcp", "timber", "udp",
		"webhdfs", "websocket", "xmpp", "zabbix"}, name)
}

// put appends the bytes encode makes as an item.
func put(dst *Buf, e *event.Event, it Item, encode func([]byte) []byte) {
	it.Ref, it.From = e.Ref, len(dst.Data)
	dst.Data = encode(dst.Data)
	it.To = len(dst.Data)
	dst.Items = append(dst.Items, it)
}
