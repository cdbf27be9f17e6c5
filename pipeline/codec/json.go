package codec

import (
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var jsonOptions = []plugin.Option{
	charsetOption,
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the object below."},
}

var jsonLinesOptions = append([]plugin.Option{
	{Name: "delimiter", Default: "\n", Doc: "What ends an event on output."},
	{Name: "decode_size_limit_bytes", Kind: plugin.Bytes, Default: "536870912", Unread: "a message is bounded by its input", Doc: "Longest line."},
}, jsonOptions...)

const jsonFailure = "_jsonparsefailure"

// jsonCodec reads an object as an event, an array as one event an element.
type jsonCodec struct {
	charset charset
	target  *event.Path
	end     string
}

func newJSON(a *plugin.Args, _ *plugin.Env) Codec {
	return &jsonCodec{charset: newCharset(a), target: a.Field("target")}
}

func newJSONLines(a *plugin.Args, _ *plugin.Env) Codec {
	return &jsonCodec{charset: newCharset(a), target: a.Field("target"), end: a.String("delimiter")}
}

func (c *jsonCodec) Decode(b *event.Batch, ref uint32, data string) {
	data = c.charset.decode(b, data)
	if c.target == nil && firstByte(data) == '{' {
		e := b.New(ref)
		if b.DecodeObject(e, data) != nil {
			e.AddField("message", event.String(data))
			e.Tag(jsonFailure)
		}
		return
	}
	v, err := b.ParseJSON(data)
	switch {
	case strings.TrimSpace(data) == "":
	case err != nil:
		message(b, ref, data, jsonFailure)
	case v.Kind() == event.ListKind:
		for _, el := range b.Elems(v) {
			c.add(b, ref, el, data)
		}
	default:
		c.add(b, ref, v, data)
	}
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

// add makes an event of an object.
func (c *jsonCodec) add(b *event.Batch, ref uint32, v event.Value, data string) {
	if v.Kind() != event.MapKind {
		message(b, ref, data, jsonFailure)
		return
	}
	e := b.New(ref)
	if c.target != nil {
		e.Set(c.target, v)
		return
	}
	b.Merge(e, v)
	if ts, ok := e.TakeField("@timestamp"); ok {
		if ns, ok := event.ParseISO(ts.Str()); ok && ts.Kind() == event.StringKind {
			e.SetTimestamp(ns)
		} else {
			e.AddField("@timestamp", ts)
		}
	}
	if meta, ok := e.TakeField("@metadata"); ok && e.Set(metadataPath, meta) != nil {
		e.AddField("@metadata", meta)
	}
}

func (c *jsonCodec) Encode(dst []byte, e *event.Event) []byte {
	return append(e.AppendJSON(dst), c.end...)
}
