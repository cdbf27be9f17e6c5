package input

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/lumberjack"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var beatsOptions = append([]plugin.Option{
	{Name: "port", Kind: plugin.Number, Required: true, Doc: "Port to listen on."},
	{Name: "host", Doc: "Address to listen on."},
	{Name: "client_inactivity_timeout", Kind: plugin.Number, Default: "60", Doc: "Seconds after which a silent connection is closed."},
	{Name: "include_codec_tag", Kind: plugin.Boolean, Default: "true", Doc: "Whether the tag beats_input_codec_NAME_applied is added."},
	{Name: "enrich", Kind: plugin.Array, Doc: "Of source_metadata, codec_metadata, all, none: what is added; without it all."},
	{Name: "add_hostname", Kind: plugin.Boolean, Unread: "events say where they come from"},
	{Name: "executor_threads", Kind: plugin.Number, Unread: "every connection has its own"}, {Name: "event_loop_threads", Kind: plugin.Number, Unread: "every connection has its own"},
	{Name: "congestion_threshold", Kind: plugin.Number, Unread: "senders wait while the pipeline is full"},
	{Name: "target_field_for_codec", Default: "message", Unread: "the codec reads message"},
	{Name: "ssl_peer_metadata", Kind: plugin.Boolean, Obsolete: "what a certificate says is not added"},
}, tlsOptions()...)

// beats is what Beats and logstash-forwarders ship to.
type beats struct {
	addr string
	name string // of the input: beats or elastic_agent
	idle time.Duration
	tls  *tls.Config
	env  *Env
	peer *event.Path // nil: not told
}

func newBeats(a *plugin.Args, env *Env, c codec.Codec) Input {
	b := &beats{name: a.Name, idle: a.Seconds("client_inactivity_timeout"), tls: tlsOf(a), env: env}
	b.addr = address(a, env, b.tls != nil)
	if _, joins := c.(codec.Joins); joins {
		a.Fail("codec", "join lines where the files are read", "codec multiline cannot join what Beats send")
	}
	if told(a, "source_metadata") {
		b.peer = event.MustPath("[@metadata][ip_address]")
		if a.ECS(&env.Env) {
			b.peer = event.MustPath("[@metadata][input][beats][host][ip]")
		}
	}
	return b
}

// told reports whether the option enrich asks for a kind of information.
func told(a *plugin.Args, kind string) bool {
	l := a.Strings("enrich")
	return len(l) == 0 || slices.Contains(l, "all") || slices.Contains(l, kind)
}

// Run serves Beats; a window is acknowledged when it is emitted.
func (b *beats) Run(ctx context.Context, emit func(Chunk) error) error {
	l, err := b.env.listener(b.name, b.addr, b.tls)
	if err != nil {
		return err
	}
	srv := lumberjack.NewServer(lumberjack.ServerConfig{Limits: lumberjack.Limits{Batch: chunkBytes}, Idle: b.idle, Handle: func(_ context.Context, peer net.Addr, w *lumberjack.Batch) error {
		return emit(Chunk{Records: b.records(peer, w)})
	}})
	accept := &listen.Server{Most: maxConnections, Grace: true, Log: b.env.Log, Handle: func(ctx context.Context, c net.Conn) {
		if err := srv.Serve(ctx, c); err != nil && ctx.Err() == nil {
			b.env.Log.Warn("connection closed", "input", b.name, "peer", c.RemoteAddr().String(), "err", err)
		}
	}}
	return accept.Serve(ctx, l)
}

// records are the events of a window, whose bytes are copied at once.
func (b *beats) records(peer net.Addr, w *lumberjack.Batch) []queue.Record {
	head := []queue.Header{{Key: peerHeader, Value: []byte(peer.String())}}
	now := b.env.Now()
	recs := make([]queue.Record, w.Len())
	data := make([]byte, 0, w.Bytes())
	for i := range recs {
		from := len(data)
		data = append(data, w.Event(i)...)
		recs[i] = queue.Record{Value: data[from:len(data):len(data)], Time: now, Headers: head}
	}
	return recs
}

// Decorate tells who sent an event.
func (b *beats) Decorate(e *event.Event, r *queue.Record) {
	if b.peer == nil || len(r.Headers) == 0 {
		return
	}
	if host, _, err := net.SplitHostPort(string(r.Headers[0].Value)); err == nil {
		e.Set(b.peer, event.String(host))
	}
}

// beatsDecoder makes events of what a Beat sent: an object whose message the codec reads.
type beatsDecoder struct {
	c   codec.Codec // nil for plain
	tag string
	raw string
}

func decodeBeats(a *plugin.Args, _ *plugin.Env, c codec.Codec) Decoder {
	d := &beatsDecoder{c: c}
	name := codecName(a)
	if name == "plain" {
		d.c = nil
	}
	if a.Bool("include_codec_tag") && told(a, "codec_metadata") {
		d.tag, d.raw = "beats_input_codec_"+name+"_applied", "beats_input_raw_event"
	}
	return d
}

// codecName is the codec a configuration names.
func codecName(a *plugin.Args) string {
	switch v := a.Value("codec").(type) {
	case *conf.Plugin:
		return v.Name
	case *conf.Bareword:
		return v.Text
	case *conf.String:
		return v.Text
	}
	return "plain"
}

var messagePath = event.MustPath("message")

func (d *beatsDecoder) DecodeRecord(b *event.Batch, ref uint32, _ *queue.Record, data string) {
	e := b.New(ref)
	if b.DecodeObject(e, data) != nil {
		e.AddField("message", event.String(data))
		e.Tag("_jsonparsefailure")
		return
	}
	v, ok := e.Get(messagePath)
	if !ok {
		d.mark(e, d.raw)
		return
	}
	if d.c == nil || v.Kind() != event.StringKind {
		d.mark(e, d.tag)
		return
	}
	e.TakeField("message")
	b.Events = b.Events[:len(b.Events)-1]
	from := len(b.Events)
	d.c.Decode(b, ref, v.Str())
	for _, made := range b.Events[from:] {
		d.complete(made, e)
		d.mark(made, d.tag)
	}
}

func (d *beatsDecoder) mark(e *event.Event, tag string) {
	if tag != "" {
		e.Tag(tag)
	}
}

var beatsMetadata = event.MustPath("@metadata")

// complete gives an event the codec made what the Beat said beside the message.
func (d *beatsDecoder) complete(made, from *event.Event) {
	b := made.Batch()
	from.Fields(func(key string, v event.Value) bool {
		if key != "@timestamp" {
			made.TakeField(key)
			made.AddField(key, b.Copy(v))
		}
		return true
	})
	if v, ok := from.Get(beatsMetadata); ok {
		made.Set(beatsMetadata, b.Copy(v))
	}
	if _, ok := made.Timestamp(); !ok {
		if ns, ok := from.Timestamp(); ok {
			made.SetTimestamp(ns)
		}
	}
}
