package codec

import (
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var (
	plainOptions = []plugin.Option{
		charsetOption,
		{Name: "format", Doc: "Text to write for an event; may hold %{field}."},
	}
	lineOptions = append([]plugin.Option{{Name: "delimiter", Default: "\n", Doc: "What ends a line."}}, plainOptions...)
)

// textCodec is plain and line: a message is an event with the field message.
type textCodec struct {
	charset charset
	format  *plugin.Template
	end     string
}

func newPlain(a *plugin.Args, _ *plugin.Env) Codec { return newText(a, "") }

func newLine(a *plugin.Args, _ *plugin.Env) Codec { return newText(a, a.String("delimiter")) }

func newText(a *plugin.Args, end string) Codec {
	c := &textCodec{charset: newCharset(a), end: end}
	if a.Has("format") {
		c.format = a.Template(plugin.Text{Pos: a.At("format"), Text: a.String("format")})
	}
	return c
}

func (c *textCodec) Decode(b *event.Batch, ref uint32, data string) {
	message(b, ref, c.charset.decode(b, data), "")
}

// Encode writes the format, or time, host and message.
func (c *textCodec) Encode(dst []byte, e *event.Event) []byte {
	if c.format != nil {
		return append(c.format.Append(dst, e), c.end...)
	}
	if ns, ok := e.Timestamp(); ok {
		dst = append(event.AppendISO(dst, ns), ' ')
	}
	if v, ok := e.Get(hostPath); ok {
		dst = append(e.Batch().AppendText(dst, v), ' ')
	} else {
		dst = append(dst, "%{host} "...)
	}
	if v, ok := e.Get(messagePath); ok {
		dst = e.Batch().AppendText(dst, v)
	} else {
		dst = append(dst, "%{message}"...)
	}
	return append(dst, c.end...)
}

var hostPath = event.MustPath("host")
